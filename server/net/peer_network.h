#pragma once

#include <uv.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "base/result.h"
#include "server/net/dialer.h"
#include "server/net/link.h"
#include "server/net/listener.h"
#include "server/replica/host.h"

namespace redraft::net {

struct LinkUp {
  replica::LinkId link;
  std::uint64_t dialled_node = 0;  // 0: the peer dialled us
  replica::Lane lane = replica::Lane::kControl;
};
struct LinkInput {
  replica::LinkId link;
  SharedBytes frame;
};
struct LinkDown {
  replica::LinkId link;
  bool garbled = false;  // what came is no frame
};
struct DialFailed {
  std::uint64_t node = 0;
  replica::Lane lane = replica::Lane::kControl;
  bool refused = false;  // no process listens there
};
using PeerEvent = std::variant<LinkUp, LinkInput, LinkDown, DialFailed>;

// All connections to peers: one listener per address, the links that came through it, and for every peer two dialled
// ones, control and bulk. It lives on the peer loop and calls nobody: what happened while that loop ran waits as events
// until its owner takes them, so a replica that pumps in the middle of handling one frame never re-enters libuv.
class PeerNetwork {
 public:
  static constexpr std::size_t kScratchBytes = std::size_t{256} * 1024;
  // Strangers who connect and say nothing must not use up the descriptors.
  static constexpr std::size_t kInboundMax = 256;

  // Frames longer than `frame_max` bytes end their link.
  PeerNetwork(uv_loop_t* loop, std::size_t frame_max, std::function<void(std::span<char>)> random_bytes);
  PeerNetwork(const PeerNetwork&) = delete;
  PeerNetwork& operator=(const PeerNetwork&) = delete;

  [[nodiscard]] Status listen(const ListenAddress& address, std::uint32_t backlog);
  [[nodiscard]] bool listening() const { return !listeners_.empty(); }

  // Dials what is new, drops what is no longer named; links that a peer dialled are left to the replica.
  void set_peers(std::span<const replica::PeerAddress> peers);
  [[nodiscard]] bool send(replica::LinkId link, replica::Frame frame);
  [[nodiscard]] std::size_t unsent_bytes(replica::LinkId link) const;
  // Drops the link with everything that arrived on it and was not taken; no LinkDown follows.
  void close_link(replica::LinkId link);
  // This end's address without the port; empty if the link is gone.
  [[nodiscard]] std::string local_host(replica::LinkId link) const;

  // Time for backoff; called before the loop runs and when `deadline_us` has come.
  void advance(std::uint64_t now_us);
  [[nodiscard]] std::uint64_t deadline_us() const;

  // Events in the order they happened; of one link: up, frames, down.
  [[nodiscard]] bool has_events() const { return !events_.empty(); }
  [[nodiscard]] PeerEvent take_event();

  // Writes every queued frame, one system call per link.
  void flush();
  // Something waits to be watched by the kernel: the loop must run once before anybody sleeps on it.
  [[nodiscard]] bool take_needs_run() { return std::exchange(needs_run_, false); }

 private:
  struct Connection {
    std::unique_ptr<Link> link;
    Dialer* dialer = nullptr;  // nullptr: inbound
  };

  void accepted(UniqueStream socket);
  void connected(Dialer& dialer, UniqueStream socket);
  Link& add(UniqueStream socket, Dialer* dialer);
  void down(Link& link, const std::string& reason);

  uv_loop_t* loop_;
  std::size_t frame_max_;
  std::uint64_t now_us_ = 0;
  bool needs_run_ = false;
  Link::Events link_events_;
  Dialer::Events dialer_events_;
  std::vector<char> scratch_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Dialer>> dialers_;
  std::map<replica::LinkId, Connection> connections_;
  std::size_t inbound_ = 0;
  std::uint64_t next_link_ = 1;
  std::vector<replica::LinkId> dirty_;       // links with queued frames
  std::vector<std::unique_ptr<Link>> dead_;  // may be in the middle of their last callback
  std::deque<PeerEvent> events_;
};

}  // namespace redraft::net
