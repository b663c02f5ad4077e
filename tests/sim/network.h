#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <vector>

#include "base/shared_bytes.h"
#include "server/replica/host.h"
#include "tests/base/random.h"
#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"

namespace redraft::sim {

using testing::Random;

// One process at the network: what reaches it. Nothing here is called from inside a call of that process.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual void on_link_up(replica::LinkId link, std::uint64_t dialled_node, replica::Lane lane) = 0;
  virtual void on_frame(replica::LinkId link, SharedBytes frame) = 0;
  virtual void on_link_down(replica::LinkId link) = 0;
  virtual void on_dial_failed(std::uint64_t node, replica::Lane lane, bool refused) = 0;
};

// The connections between nodes as TCP gives them: bytes in order, late or with the end of the connection, never lost
// in the middle. A cut stalls a direction; what lasts longer than TCP's patience breaks the connection. Dials like the
// real host: every peer on both lanes, again with backoff.
class Network {
 public:
  Network(Schedule& schedule, Trace& trace, std::uint64_t seed, std::uint64_t nodes);

  // The process of a node. `power` tells whether its kernel goes too: nobody refuses or resets then.
  void process_up(std::uint64_t node, Endpoint& endpoint);
  void process_gone(std::uint64_t node, bool power);

  // What Host asks for. Machine n is at 10.0.1.n and takes peers at port 17000 + n.
  void set_peers(std::uint64_t node, std::span<const replica::PeerAddress> peers);
  bool send(std::uint64_t node, replica::LinkId link, replica::Frame frame);
  [[nodiscard]] std::size_t unsent_bytes(replica::LinkId link) const;
  void close_link(std::uint64_t node, replica::LinkId link);

  // Faults. Cuts count: a direction flows when nobody cuts it any more.
  void cut(std::uint64_t from, std::uint64_t to);
  void heal(std::uint64_t from, std::uint64_t to);
  void heal_all();
  void reset_links(std::uint64_t a, std::uint64_t b);
  // One of so many of Raft's messages comes once more, later than those behind it; 0: none.
  std::uint64_t repeat_one_of = 0;
  // A path's own delays, and those of a while; `low` and `high` 0: its own again.
  void set_own_delay_us(std::uint64_t from, std::uint64_t to, std::uint64_t low, std::uint64_t high);
  void set_delay_us(std::uint64_t from, std::uint64_t to, std::uint64_t low, std::uint64_t high);
  [[nodiscard]] bool is_cut(std::uint64_t from, std::uint64_t to) const { return cuts_[path(from, to)] != 0; }

  std::uint64_t frames = 0;
  std::uint64_t resets = 0;

 private:
  struct Direction {
    std::deque<SharedBytes> frames;  // sent and not yet delivered
    std::size_t bytes = 0;
    std::size_t stalled = 0;  // arrivals that found the path cut
    std::uint64_t last_arrival_us = 0;
  };
  // `name` is what the dialling node calls it: a member's id, or that of a contact of which only the address is known.
  struct Dialled {
    std::uint64_t from = 0;
    std::uint64_t name = 0;
    replica::Lane lane = replica::Lane::kControl;
    friend auto operator<=>(const Dialled&, const Dialled&) = default;
  };
  struct Connection {
    std::uint64_t node[2] = {0, 0};  // 0: who dialled
    replica::LinkId link[2];
    Dialled dialled;
    bool open[2] = {true, true};     // that process still has it
    bool known[2] = {false, false};  // that process was told link_up
    Direction to[2];
  };
  struct Dialler {
    bool wanted = false;
    std::uint64_t to = 0;  // the machine at that address; 0: there is none
    std::uint64_t connection = 0;
    std::uint64_t epoch = 0;
    std::uint64_t backoff_us = 0;
  };
  struct Delay {
    std::uint64_t low;
    std::uint64_t high;
  };

  [[nodiscard]] std::size_t path(std::uint64_t from, std::uint64_t to) const { return from * (nodes_ + 1) + to; }
  [[nodiscard]] std::uint64_t delay(std::uint64_t from, std::uint64_t to);
  [[nodiscard]] std::uint64_t machine_at(const replica::PeerAddress& address) const;
  void dial_later(const Dialled& dialled, std::uint64_t delay_us);
  void dial(const Dialled& dialled);
  void dial_failed(const Dialled& dialled, bool refused);
  void connect(const Dialled& dialled);
  void arrive(std::uint64_t connection, int end);
  void schedule_arrival(std::uint64_t number, Connection& connection, int end, std::size_t bytes);
  void repeat(std::uint64_t number, int end, const SharedBytes& frame);
  // The connection is gone for this end after a while, if it still has it.
  void tell_down(std::uint64_t number, int end, std::uint64_t delay_us);
  void break_connection(std::uint64_t number);
  void end_forgotten(std::uint64_t number);

  Schedule& schedule_;
  Trace& trace_;
  Random random_;
  const std::uint64_t nodes_;
  std::vector<Endpoint*> processes_;  // by node; nullptr: none runs
  std::vector<bool> powered_;
  std::map<Dialled, Dialler> diallers_;
  std::vector<std::uint32_t> cuts_;
  std::vector<std::uint64_t> cut_epochs_;
  std::vector<Delay> delays_;
  std::vector<Delay> own_delays_;
  std::map<std::uint64_t, Connection> connections_;
  std::map<std::uint64_t, std::pair<std::uint64_t, int>> ends_;  // by LinkId: connection and which end
  std::uint64_t next_number_ = 1;
};

}  // namespace redraft::sim
