#include "server/net/peer_network.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace redraft::net {
namespace {

constexpr std::uint32_t kKeepalive_s = 5;
// A peer whose machine is gone acknowledges nothing; without this a link with unsent bytes would look alive for a
// quarter of an hour (tcp(7), TCP_USER_TIMEOUT). And once a partition heals, a link that lived through it stays silent
// for as long again, since TCP doubles its pauses; a new one speaks at once.
constexpr unsigned kUnacknowledgedMax_ms = 2'000;

}  // namespace

PeerNetwork::PeerNetwork(uv_loop_t* loop, std::size_t frame_max, std::function<void(std::span<char>)> random_bytes)
    : loop_(loop), frame_max_(frame_max), scratch_(kScratchBytes) {
  link_events_.frame = [this](Link& link, SharedBytes frame) {
    events_.emplace_back(LinkInput{link.id(), std::move(frame)});
  };
  link_events_.writable = [this](Link& link) { dirty_.push_back(link.id()); };
  link_events_.down = [this](Link& link, const std::string& reason) { down(link, reason); };
  dialer_events_.connected = [this](Dialer& dialer, UniqueStream socket) { connected(dialer, std::move(socket)); };
  dialer_events_.failed = [this](Dialer& dialer, bool refused) {
    events_.emplace_back(DialFailed{dialer.address().node, dialer.lane(), refused});
  };
  dialer_events_.random_bytes = std::move(random_bytes);
}

Status PeerNetwork::listen(const ListenAddress& address, std::uint32_t backlog) {
  auto listener = Listener::tcp(loop_, address, backlog, [this](UniqueStream socket) { accepted(std::move(socket)); });
  if (!listener.ok()) return listener.error();
  listeners_.push_back(std::move(listener).value());
  needs_run_ = true;
  return Done{};
}

void PeerNetwork::set_peers(std::span<const replica::PeerAddress> peers) {
  std::vector<std::unique_ptr<Dialer>> kept;
  for (const replica::PeerAddress& peer : peers) {
    for (const replica::Lane lane : {replica::Lane::kControl, replica::Lane::kBulk}) {
      const auto same = std::ranges::find_if(dialers_, [&](const std::unique_ptr<Dialer>& dialer) {
        return dialer != nullptr && dialer->address() == peer && dialer->lane() == lane;
      });
      kept.push_back(same != dialers_.end() ? std::move(*same)
                                            : std::make_unique<Dialer>(loop_, peer, lane, now_us_, dialer_events_));
    }
  }
  std::vector<replica::LinkId> dropped;
  for (const auto& entry : connections_) {
    const Dialer* dialer = entry.second.dialer;
    const bool gone = dialer != nullptr && std::ranges::none_of(kept, [&](const std::unique_ptr<Dialer>& other) {
                        return other.get() == dialer;
                      });
    if (gone) dropped.push_back(entry.first);
  }
  for (const replica::LinkId id : dropped) {
    Connection& connection = connections_.at(id);
    connection.dialer = nullptr;
    ++inbound_;  // nobody's but ours, until `down` counts it out
    down(*connection.link, "the peer is no longer a member");
  }
  dialers_ = std::move(kept);
}

void PeerNetwork::accepted(UniqueStream socket) {
  if (inbound_ >= kInboundMax) {
    spdlog::warn("A peer connection was refused: {} are open already", inbound_);
    return;
  }
  ++inbound_;
  const Link& link = add(std::move(socket), nullptr);
  events_.emplace_back(LinkUp{link.id(), 0, replica::Lane::kControl});
}

void PeerNetwork::connected(Dialer& dialer, UniqueStream socket) {
  const Link& link = add(std::move(socket), &dialer);
  events_.emplace_back(LinkUp{link.id(), dialer.address().node, dialer.lane()});
}

Link& PeerNetwork::add(UniqueStream socket, Dialer* dialer) {
  uv_os_fd_t fd = -1;
  if (uv_fileno(&socket->handle, &fd) == 0) {
    tune_tcp(fd, kKeepalive_s);
    static_cast<void>(
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMax_ms, sizeof(kUnacknowledgedMax_ms)));
  }
  const replica::LinkId id{next_link_++};
  auto link = std::make_unique<Link>(id, std::move(socket), scratch_, frame_max_, link_events_);
  needs_run_ = true;
  return *connections_.emplace(id, Connection{std::move(link), dialer}).first->second.link;
}

void PeerNetwork::down(Link& link, const std::string& reason) {
  const auto found = connections_.find(link.id());
  ensure(found != connections_.end(), "a link goes down once");
  if (Dialer* dialer = found->second.dialer) {
    spdlog::debug("Link to node {} ({}:{}) is down: {}", dialer->address().node, dialer->address().host,
                  dialer->address().peer_port, reason);
    dialer->disconnected(now_us_);
  } else {
    spdlog::debug("Inbound peer link {} is down: {}", link.id().value, reason);
    --inbound_;
  }
  link.close();
  dead_.push_back(std::move(found->second.link));
  connections_.erase(found);
  events_.emplace_back(LinkDown{link.id(), link.garbled()});
}

bool PeerNetwork::send(replica::LinkId id, replica::Frame frame) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return false;
  Link& link = *found->second.link;
  if (!link.has_queued()) dirty_.push_back(id);
  link.queue(std::move(frame));
  return true;
}

std::size_t PeerNetwork::unsent_bytes(replica::LinkId id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? 0 : found->second.link->unsent_bytes();
}

void PeerNetwork::close_link(replica::LinkId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  found->second.link->flush();  // a refusal of the handshake may be the last frame
  std::erase_if(events_, [id](const PeerEvent& event) {
    const auto* input = std::get_if<LinkInput>(&event);
    return input != nullptr && input->link == id;
  });
  const auto still = connections_.find(id);
  if (still != connections_.end()) down(*still->second.link, "closed by this node");
  std::erase_if(events_, [id](const PeerEvent& event) {
    const auto* gone = std::get_if<LinkDown>(&event);
    return gone != nullptr && gone->link == id;
  });
}

std::string PeerNetwork::local_host(replica::LinkId id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? std::string() : found->second.link->local_host();
}

void PeerNetwork::advance(std::uint64_t now_us) {
  now_us_ = now_us;
  dead_.clear();
  for (const std::unique_ptr<Dialer>& dialer : dialers_) {
    if (dialer->deadline_us() <= now_us && dialer->advance(now_us)) needs_run_ = true;
  }
}

std::uint64_t PeerNetwork::deadline_us() const {
  std::uint64_t earliest = std::numeric_limits<std::uint64_t>::max();
  for (const std::unique_ptr<Dialer>& dialer : dialers_) earliest = std::min(earliest, dialer->deadline_us());
  return earliest;
}

PeerEvent PeerNetwork::take_event() {
  PeerEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void PeerNetwork::flush() {
  // A failing link adds nothing here, and `writable` is only called while the loop runs.
  for (const replica::LinkId id : dirty_) {
    const auto found = connections_.find(id);
    if (found != connections_.end() && found->second.link->flush()) needs_run_ = true;
  }
  dirty_.clear();
}

}  // namespace redraft::net
