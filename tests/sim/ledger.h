#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "server/replica/host.h"
#include "tests/sim/operation.h"

namespace redraft::sim {

// An operation with where it took effect, as far as that is known.
struct Record {
  Operation operation;
  std::optional<replica::ReadPlace> read;  // it was a read and ran there
  std::uint32_t settled = 0;               // how often the replay met its effect
  std::uint64_t watched_at = 0;            // WATCH: the model's count of changes at that place
};

// Every command that clients sent, by connection and by its place there. A connection is known to the clients by node
// and number, to the log by the node's member and the number that its entries carry.
class Ledger {
 public:
  using Connection = std::deque<Record>;

  void opened(std::uint64_t node, std::uint64_t number, std::uint64_t member, std::uint64_t log_connection) {
    by_log_[{member, log_connection}] = &connections_[{node, number}];
  }
  void sent(std::uint64_t node, std::uint64_t number, Operation operation) {
    connections_[{node, number}].push_back({.operation = std::move(operation), .read = {}});
  }
  // `place`: from 1, the how manieth command of the connection.
  [[nodiscard]] Record* find(std::uint64_t node, std::uint64_t number, std::uint64_t place) {
    const auto found = connections_.find({node, number});
    return found == connections_.end() ? nullptr : at(found->second, place);
  }
  // The connection that an entry names; nullptr when no client ever had it.
  [[nodiscard]] Connection* find_logged(std::uint64_t member, std::uint64_t log_connection) {
    const auto found = by_log_.find({member, log_connection});
    return found == by_log_.end() ? nullptr : found->second;
  }
  [[nodiscard]] static Record* at(Connection& connection, std::uint64_t place) {
    return place == 0 || place > connection.size() ? nullptr : &connection[place - 1];
  }
  [[nodiscard]] std::map<std::pair<std::uint64_t, std::uint64_t>, Connection>& connections() { return connections_; }

 private:
  std::map<std::pair<std::uint64_t, std::uint64_t>, Connection> connections_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Connection*> by_log_;
};

}  // namespace redraft::sim
