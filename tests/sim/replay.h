#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "raft/types.h"
#include "server/replica/entry_payload.h"
#include "tests/sim/history.h"
#include "tests/sim/ledger.h"
#include "tests/sim/model.h"
#include "tests/sim/reference.h"

namespace redraft::sim {

// Strict serializability over all keys: the committed log is the one order; a model that runs every command alone, in
// that order and each read at the state that it saw, must give every client the reply that it got. No operation that
// began after another was answered may stand before it. What was definitely refused must not be in the log, what was
// answered must be there once. Linear in the number of operations.
class Replay {
 public:
  // Store::watch_place of database 0.
  using WatchPlace = std::function<std::size_t(std::string_view)>;
  Replay(Ledger& ledger, const WatchPlace& watch_place);

  // The committed entries, from index 1 on without a gap. All return what is broken, or nothing.
  [[nodiscard]] Verdict entry(std::uint64_t index, raft::EntryType type, std::string_view payload);
  // After the last.
  [[nodiscard]] Verdict finish();

  [[nodiscard]] std::uint64_t settled() const { return settled_; }

 private:
  struct Waiter {
    Record* record;
    std::uint64_t node;
    std::uint64_t connection;
    std::uint64_t number;
  };
  struct Read {
    replica::ReadPlace place;
    Ledger::Connection* connection;
    std::size_t number;
    Record* record;
  };
  using Arguments = std::vector<std::string_view>;

  void gather_reads();
  void find_collisions(const WatchPlace& watch_place);
  // Reads that saw entry `index_` after so many of its commands.
  [[nodiscard]] Verdict run_reads(std::uint64_t commands);
  [[nodiscard]] Verdict run_read(const Read& read);
  [[nodiscard]] Verdict apply(const replica::CommandHeader& header, const Arguments& arguments, std::uint64_t node);
  [[nodiscard]] Verdict apply_fragment(const replica::CommandHeader& header, const Arguments& arguments,
                                       std::uint64_t node);
  [[nodiscard]] Verdict unblock(const Arguments& arguments);
  [[nodiscard]] Verdict execute(std::uint64_t node, std::uint64_t connection, std::uint64_t number);
  [[nodiscard]] resp::Reply run_transaction(Ledger::Connection& connection, std::size_t exec);
  [[nodiscard]] bool watch_collides(const Ledger::Connection& connection, std::size_t exec) const;
  [[nodiscard]] bool watch_broken(Ledger::Connection& connection, std::size_t exec);
  [[nodiscard]] Verdict serve_waiters();
  // The operation took effect here and this is its only possible reply.
  [[nodiscard]] Verdict settle(Record& record, const resp::Reply& expected);
  [[nodiscard]] std::string here() const;

  Ledger& ledger_;
  Model model_;
  Reference reference_;
  std::uint64_t seed_ = 0;   // of the command that is applied
  std::vector<Read> reads_;  // in the order of their places
  std::size_t next_read_ = 0;
  std::deque<Waiter> waiters_;
  std::map<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>, std::uint64_t> fragments_;  // bytes that arrived
  std::uint64_t index_ = 0;
  std::uint64_t clock_ms_ = 0;
  std::uint64_t latest_begin_us_ = 0;  // of all operations so far
  std::string latest_;
  std::set<std::string, std::less<>> colliding_;  // keys that share their watch slot with another one
  bool undecided_ = false;                        // from here on the order does not tell what happened
  std::uint64_t settled_ = 0;
};

}  // namespace redraft::sim
