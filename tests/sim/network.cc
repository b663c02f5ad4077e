#include "tests/sim/network.h"

#include <algorithm>

namespace redraft::sim {
namespace {

using replica::Lane;
using replica::LinkId;

// peers.cc's kind of a frame with a message of Raft.
constexpr char kMessageFrame = 5;
constexpr std::uint64_t kDelayMin_us = 30;
constexpr std::uint64_t kDelayMax_us = 300;
constexpr std::uint64_t kAttemptMax_us = 1'000'000;
constexpr std::uint64_t kBackoffFirst_us = 10'000;
constexpr std::uint64_t kBackoffMax_us = 500'000;
// How long TCP goes on without an acknowledgement before the connection is given up.
constexpr std::uint64_t kPatienceMin_us = 2'000'000;
constexpr std::uint64_t kPatienceMax_us = 6'000'000;
constexpr std::uint64_t kBytesPerMicrosecond = 200;

}  // namespace

Network::Network(Schedule& schedule, Trace& trace, std::uint64_t seed, std::uint64_t nodes)
    : schedule_(schedule), trace_(trace), random_(seed), nodes_(nodes) {
  const std::size_t paths = (nodes + 1) * (nodes + 1);
  processes_.resize(nodes + 1, nullptr);
  powered_.resize(nodes + 1, true);
  cuts_.resize(paths, 0);
  cut_epochs_.resize(paths, 0);
  delays_.resize(paths, {kDelayMin_us, kDelayMax_us});
  own_delays_ = delays_;
}

std::uint64_t Network::delay(std::uint64_t from, std::uint64_t to) {
  const Delay& delay = delays_[path(from, to)];
  return random_.between(delay.low, delay.high);
}

// ---- Processes

void Network::process_up(std::uint64_t node, Endpoint& endpoint) {
  processes_[node] = &endpoint;
  powered_[node] = true;
}

void Network::process_gone(std::uint64_t node, bool power) {
  processes_[node] = nullptr;
  powered_[node] = !power;
  for (auto& [dialled, own] : diallers_) {
    if (dialled.from == node) own = {.wanted = false, .to = 0, .connection = 0, .epoch = own.epoch + 1};
  }
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, connection] : connections_) {
    if (connection.node[0] == node || connection.node[1] == node) numbers.push_back(number);
  }
  for (const std::uint64_t number : numbers) {
    Connection& connection = connections_.at(number);
    const int own = connection.node[0] == node ? 0 : 1;
    const int other = 1 - own;
    connection.open[own] = false;
    if (connection.node[other] == node) {  // a member's address that is this machine's by now
      connection.open[other] = false;
      end_forgotten(number);
      continue;
    }
    const bool silent = power || is_cut(node, connection.node[other]);
    tell_down(number, other, silent ? random_.between(1000, kPatienceMax_us) : delay(node, connection.node[other]));
    end_forgotten(number);
  }
}

// ---- Dialling

std::uint64_t Network::machine_at(const replica::PeerAddress& address) const {
  const std::uint64_t machine = std::uint64_t{address.peer_port} - 17000;
  return address.peer_port > 17000 && machine <= nodes_ ? machine : 0;
}

void Network::set_peers(std::uint64_t node, std::span<const replica::PeerAddress> peers) {
  const auto drop = [this](Dialler& own) {
    ++own.epoch;
    own.wanted = false;
    if (own.connection != 0) break_connection(own.connection);
    own.connection = 0;
  };
  for (auto& [dialled, own] : diallers_) {
    if (dialled.from != node || !own.wanted) continue;
    const auto is_same = [&, name = dialled.name, to = own.to](const replica::PeerAddress& peer) {
      return peer.node == name && machine_at(peer) == to;
    };
    if (std::ranges::none_of(peers, is_same)) drop(own);
  }
  for (const replica::PeerAddress& peer : peers) {
    for (const Lane lane : {Lane::kControl, Lane::kBulk}) {
      const Dialled dialled{node, peer.node, lane};
      Dialler& own = diallers_[dialled];
      if (own.wanted) continue;
      own.wanted = true;
      own.to = machine_at(peer);
      own.backoff_us = 0;
      dial_later(dialled, 1);
    }
  }
}

void Network::dial_later(const Dialled& dialled, std::uint64_t delay_us) {
  const std::uint64_t epoch = ++diallers_.at(dialled).epoch;
  schedule_.after(delay_us, [this, dialled, epoch] {
    if (diallers_.at(dialled).epoch == epoch) dial(dialled);
  });
}

void Network::dial(const Dialled& dialled) {
  const Dialler& own = diallers_.at(dialled);
  const std::uint64_t from = dialled.from;
  const std::uint64_t to = own.to;
  const bool reached = to != 0 && !is_cut(from, to) && !is_cut(to, from) && powered_[to];
  const std::uint64_t flight = reached ? delay(from, to) + delay(to, from) : kAttemptMax_us;
  schedule_.after(flight, [this, dialled, from, to, epoch = own.epoch, reached] {
    if (diallers_.at(dialled).epoch != epoch) return;
    if (reached && processes_[to] != nullptr && !is_cut(to, from)) {
      connect(dialled);
    } else {
      dial_failed(dialled, reached && processes_[to] == nullptr && powered_[to]);
    }
  });
}

void Network::dial_failed(const Dialled& dialled, bool refused) {
  Dialler& own = diallers_.at(dialled);
  processes_[dialled.from]->on_dial_failed(dialled.name, dialled.lane, refused);
  own.backoff_us = std::min(kBackoffMax_us, std::max(kBackoffFirst_us, own.backoff_us * 2));
  dial_later(dialled, random_.between(own.backoff_us / 2, own.backoff_us));
}

void Network::connect(const Dialled& dialled) {
  Dialler& own = diallers_.at(dialled);
  const std::uint64_t number = next_number_++;
  Connection& connection = connections_[number];
  connection.node[0] = dialled.from;
  connection.node[1] = own.to;
  connection.dialled = dialled;
  for (const int end : {0, 1}) {
    connection.link[end] = LinkId{next_number_++};
    ends_[connection.link[end].value] = {number, end};
  }
  own.connection = number;
  own.backoff_us = 0;
  // The acceptor's kernel said yes before the dialler knew: so it hears of the link first.
  connection.known[1] = true;
  processes_[own.to]->on_link_up(connection.link[1], 0, Lane::kControl);
  connection.known[0] = true;
  processes_[dialled.from]->on_link_up(connection.link[0], dialled.name, dialled.lane);
}

// ---- Bytes

bool Network::send(std::uint64_t node, LinkId link, replica::Frame frame) {
  const auto found = ends_.find(link.value);
  if (found == ends_.end()) return false;
  const auto [number, end] = found->second;
  Connection& connection = connections_.at(number);
  if (connection.node[end] != node || !connection.open[end]) return false;
  std::size_t size = frame.header.size();
  for (const SharedBytes& payload : frame.payloads) size += payload.size();
  SharedBytesBuilder whole(size);
  whole.append(frame.header);
  for (const SharedBytes& payload : frame.payloads) whole.append(payload.view());
  Direction& direction = connection.to[1 - end];
  direction.bytes += size;
  direction.frames.push_back(whole.finish());
  ++frames;
  // A machine that has started again knows nothing of the connection and answers with a reset.
  const std::uint64_t other = connection.node[1 - end];
  if (!connection.open[1 - end] && powered_[other] && !is_cut(node, other) && !is_cut(other, node)) {
    tell_down(number, end, delay(node, other) + delay(other, node));
  }
  schedule_arrival(number, connection, 1 - end, size);
  return true;
}

void Network::schedule_arrival(std::uint64_t number, Connection& connection, int end, std::size_t bytes) {
  Direction& direction = connection.to[end];
  const std::uint64_t flight = delay(connection.node[1 - end], connection.node[end]) + bytes / kBytesPerMicrosecond;
  direction.last_arrival_us = std::max(direction.last_arrival_us, schedule_.now_us() + flight);
  schedule_.at(direction.last_arrival_us, [this, number, end] { arrive(number, end); });
}

void Network::arrive(std::uint64_t number, int end) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  Direction& direction = connection.to[end];
  if (!connection.open[end] || direction.frames.empty()) return;
  if (is_cut(connection.node[1 - end], connection.node[end])) {
    ++direction.stalled;
    return;
  }
  SharedBytes frame = std::move(direction.frames.front());
  direction.frames.pop_front();
  direction.bytes -= frame.size();
  trace_.note(schedule_.now_us(), "frame", connection.node[1 - end], connection.node[end], frame.view().substr(0, 64));
  const bool message = !frame.empty() && frame.view().front() == kMessageFrame;
  if (message && repeat_one_of != 0 && random_.chance(1, repeat_one_of)) repeat(number, end, frame);
  processes_[connection.node[end]]->on_frame(connection.link[end], std::move(frame));
}

// TCP repeats and reorders nothing, but Raft promises to bear it, and on new connections after old ones it happens.
void Network::repeat(std::uint64_t number, int end, const SharedBytes& frame) {
  schedule_.after(random_.skewed(10, 300'000), [this, number, end, frame] {
    const auto found = connections_.find(number);
    if (found == connections_.end() || !found->second.open[end]) return;
    trace_.note(schedule_.now_us(), "repeated", found->second.node[1 - end], found->second.node[end]);
    processes_[found->second.node[end]]->on_frame(found->second.link[end], frame);
  });
}

std::size_t Network::unsent_bytes(LinkId link) const {
  const auto found = ends_.find(link.value);
  if (found == ends_.end()) return 0;
  return connections_.at(found->second.first).to[1 - found->second.second].bytes;
}

// ---- The end of a connection

void Network::close_link(std::uint64_t node, LinkId link) {
  const auto found = ends_.find(link.value);
  if (found == ends_.end()) return;
  const auto [number, end] = found->second;
  Connection& connection = connections_.at(number);
  if (connection.node[end] != node) return;
  connection.open[end] = false;
  tell_down(number, 1 - end, delay(node, connection.node[1 - end]));
  if (end == 0) {
    Dialler& own = diallers_.at(connection.dialled);
    if (own.connection == number) {
      own.connection = 0;
      own.backoff_us = std::min(kBackoffMax_us, std::max(kBackoffFirst_us, own.backoff_us * 2));
      if (own.wanted) dial_later(connection.dialled, own.backoff_us);
    }
  }
  end_forgotten(number);
}

void Network::tell_down(std::uint64_t number, int end, std::uint64_t delay_us) {
  schedule_.after(delay_us, [this, number, end] {
    const auto found = connections_.find(number);
    if (found == connections_.end() || !found->second.open[end]) return;
    Connection& connection = found->second;
    connection.open[end] = false;
    trace_.note(schedule_.now_us(), "link down", connection.node[1 - end], connection.node[end]);
    processes_[connection.node[end]]->on_link_down(connection.link[end]);
    if (end == 0) {
      Dialler& own = diallers_.at(connection.dialled);
      if (own.connection == number) {
        own.connection = 0;
        if (own.wanted) dial_later(connection.dialled, random_.between(0, 10'000));
      }
    }
    end_forgotten(number);
  });
}

void Network::break_connection(std::uint64_t number) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  ++resets;
  for (const int end : {0, 1}) {
    // What is on its way is lost, or still read by one end, perhaps when there is a new connection already.
    const bool lost = random_.chance(1, 2);
    if (lost) found->second.to[end].frames.clear();
    tell_down(number, end, random_.between(0, lost ? 5'000 : 300'000));
  }
}

void Network::end_forgotten(std::uint64_t number) {
  const Connection& connection = connections_.at(number);
  if (connection.open[0] || connection.open[1]) return;
  ends_.erase(connection.link[0].value);
  ends_.erase(connection.link[1].value);
  connections_.erase(number);
}

// ---- Faults

void Network::cut(std::uint64_t from, std::uint64_t to) {
  if (from == to || ++cuts_[path(from, to)] > 1) return;
  const std::uint64_t epoch = ++cut_epochs_[path(from, to)];
  schedule_.after(random_.between(kPatienceMin_us, kPatienceMax_us), [this, from, to, epoch] {
    if (cut_epochs_[path(from, to)] == epoch && is_cut(from, to)) reset_links(from, to);
  });
}

void Network::heal(std::uint64_t from, std::uint64_t to) {
  if (from == to || cuts_[path(from, to)] == 0 || --cuts_[path(from, to)] != 0) return;
  for (auto& [number, connection] : connections_) {
    for (const int end : {0, 1}) {
      if (connection.node[1 - end] != from || connection.node[end] != to) continue;
      Direction& direction = connection.to[end];
      for (std::size_t i = direction.stalled; i > 0; --i) schedule_arrival(number, connection, end, 0);
      direction.stalled = 0;
    }
  }
}

void Network::heal_all() {
  for (std::uint64_t from = 1; from <= nodes_; ++from) {
    for (std::uint64_t to = 1; to <= nodes_; ++to) {
      if (is_cut(from, to)) {
        cuts_[path(from, to)] = 1;
        heal(from, to);
      }
      delays_[path(from, to)] = own_delays_[path(from, to)];
    }
  }
}

void Network::reset_links(std::uint64_t a, std::uint64_t b) {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, connection] : connections_) {
    const bool between =
        (connection.node[0] == a && connection.node[1] == b) || (connection.node[0] == b && connection.node[1] == a);
    if (between) numbers.push_back(number);
  }
  for (const std::uint64_t number : numbers) break_connection(number);
}

void Network::set_delay_us(std::uint64_t from, std::uint64_t to, std::uint64_t low, std::uint64_t high) {
  delays_[path(from, to)] = high == 0 ? own_delays_[path(from, to)] : Delay{low, high};
}

void Network::set_own_delay_us(std::uint64_t from, std::uint64_t to, std::uint64_t low, std::uint64_t high) {
  delays_[path(from, to)] = own_delays_[path(from, to)] = {low, high};
}

}  // namespace redraft::sim
