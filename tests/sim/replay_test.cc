// The checker of strict serializability has tests of its own: histories that fit the order of the log, and such that do
// not, each with the sentence that says why.

#include "tests/sim/replay.h"

#include <gtest/gtest.h>

#include <array>

#include "server/commands/command.h"

namespace redraft::sim {
namespace {

using commands::CommandId;

constexpr std::uint64_t kNode = 1;

// A client on one connection and a log; times are given in microseconds.
class ReplayTest : public ::testing::Test {
 protected:
  // A command of connection `connection`, sent at `begin` and answered at `end`.
  std::uint64_t done(std::uint64_t connection, Command command, std::uint64_t begin, std::uint64_t end,
                     resp::Reply reply) {
    Operation operation{.command = std::move(command), .begin_us = begin, .end_us = end, .fate = Fate::kDone};
    operation.reply = std::move(reply);
    return add(connection, std::move(operation));
  }
  std::uint64_t unknown(std::uint64_t connection, Command command, std::uint64_t begin) {
    return add(connection, {.command = std::move(command), .begin_us = begin});
  }
  std::uint64_t refused(std::uint64_t connection, Command command, std::uint64_t begin) {
    return add(connection, {.command = std::move(command), .begin_us = begin, .end_us = begin, .fate = Fate::kRefused});
  }
  void ran(std::uint64_t connection, std::uint64_t place, std::uint64_t index) {
    ledger_.find(kNode, connection, place)->read =
        replica::ReadPlace{.index = index, .commands = replica::ReadPlace::kWhole, .clock_ms = clock_ms_};
  }
  // An entry of one command.
  void log(CommandId id, std::uint64_t connection, std::uint64_t place, std::uint64_t clock_ms = 0) {
    clock_ms_ = std::max(clock_ms_, clock_ms);
    const Command& command = ledger_.find(kNode, connection, place)->operation.command;
    replica::PayloadWriter writer;
    const std::vector<std::string_view> arguments(command.begin(), command.end());
    writer.add({.id = id, .connection = connection, .number = place}, arguments);
    entries_.push_back({raft::EntryType::kCommand, writer.finish({.clock_ms = clock_ms_, .seed = 1, .node = kNode})});
  }
  void log_term_start() {
    replica::PayloadWriter writer;
    entries_.push_back({raft::EntryType::kTermStart, writer.finish({.clock_ms = clock_ms_, .seed = 1, .node = kNode})});
  }
  void abort_without_a_change() {
    ran(1, done(1, {"WATCH", "a"}, 0, 1, reply::simple("OK")), 0);
    static_cast<void>(done(1, {"MULTI"}, 2, 3, reply::simple("OK")));
    static_cast<void>(done(1, {"INCR", "b"}, 2, 3, reply::simple("QUEUED")));
    log(CommandId::kTransaction, 1, done(1, {"EXEC"}, 2, 9, reply::null_array()));
  }
  std::string verdict() {
    Replay replay(ledger_, watch_place_);
    std::uint64_t index = 0;
    for (const auto& [type, payload] : entries_) {
      if (Verdict broken = replay.entry(++index, type, payload.view())) return *broken;
    }
    return replay.finish().value_or("fits");
  }
  void expect_broken(const std::string& part) {
    const std::string said = verdict();
    EXPECT_NE(said.find(part), std::string::npos) << said;
  }

  Replay::WatchPlace watch_place_ = [](std::string_view key) { return static_cast<std::size_t>(key.front()); };

 private:
  std::uint64_t add(std::uint64_t connection, Operation operation) {
    ledger_.sent(kNode, connection, std::move(operation));
    ledger_.opened(kNode, connection, kNode, connection);
    return ++places_[connection];
  }

  Ledger ledger_;
  std::map<std::uint64_t, std::uint64_t> places_;
  std::vector<std::pair<raft::EntryType, SharedBytes>> entries_;
  std::uint64_t clock_ms_ = 1000;
};

TEST_F(ReplayTest, RepliesThatFitTheOrderOfTheLog) {
  log(CommandId::kIncr, 1, done(1, {"INCR", "a"}, 0, 10, reply::integer(1)));
  log(CommandId::kIncr, 2, unknown(2, {"INCR", "a"}, 5));
  ran(1, done(1, {"GET", "a"}, 20, 30, reply::bulk("2")), 2);
  EXPECT_EQ(verdict(), "fits");
}

TEST_F(ReplayTest, AReadOfAnOldState) {
  log(CommandId::kIncr, 1, done(1, {"INCR", "a"}, 0, 10, reply::integer(1)));
  log(CommandId::kIncr, 1, done(1, {"INCR", "a"}, 11, 15, reply::integer(2)));
  ran(2, done(2, {"GET", "a"}, 20, 30, reply::bulk("1")), 1);
  expect_broken("began later");
}

TEST_F(ReplayTest, AReplyThatNoOrderGives) {
  log(CommandId::kIncr, 1, done(1, {"INCR", "a"}, 0, 10, reply::integer(1)));
  log(CommandId::kIncr, 2, done(2, {"INCR", "a"}, 0, 10, reply::integer(1)));
  expect_broken("the order of the log gives integer");
}

TEST_F(ReplayTest, AnsweredAndNotInTheLog) {
  static_cast<void>(done(1, {"INCR", "a"}, 0, 10, reply::integer(1)));
  expect_broken("nowhere in the log");
}

TEST_F(ReplayTest, RefusedAndInTheLog) {
  log(CommandId::kIncr, 1, refused(1, {"INCR", "a"}, 0));
  expect_broken("pitfall B10");
}

TEST_F(ReplayTest, InTheLogTwice) {
  const std::uint64_t place = unknown(1, {"INCR", "a"}, 0);
  log(CommandId::kIncr, 1, place);
  log(CommandId::kIncr, 1, place);
  expect_broken("a second time");
}

TEST_F(ReplayTest, ALaterOperationBeforeAnEarlierOne) {
  const std::uint64_t first = done(1, {"SET", "a", "1"}, 0, 10, reply::simple("OK"));
  log(CommandId::kSet, 2, done(2, {"SET", "b", "2"}, 20, 30, reply::simple("OK")));
  log(CommandId::kSet, 1, first);
  expect_broken("began later");
}

TEST_F(ReplayTest, AKeyIsGoneAtItsTimeByTheClockOfTheLog) {
  log(CommandId::kSet, 1, done(1, {"SET", "a", "1", "PX", "500"}, 0, 10, reply::simple("OK")), 2000);
  log(CommandId::kIncr, 1, done(1, {"INCR", "b"}, 11, 15, reply::integer(1)), 2499);
  ran(1, done(1, {"EXISTS", "a"}, 20, 30, reply::integer(1)), 2);
  log(CommandId::kIncr, 1, done(1, {"INCR", "b"}, 31, 35, reply::integer(2)), 2500);
  ran(1, done(1, {"GET", "a"}, 40, 50, reply::null()), 3);
  EXPECT_EQ(verdict(), "fits");
}

TEST_F(ReplayTest, ATransactionAbortsOnlyIfWhatItWatchesChanged) {
  ran(1, done(1, {"WATCH", "a"}, 0, 1, reply::simple("OK")), 0);
  static_cast<void>(done(1, {"MULTI"}, 2, 3, reply::simple("OK")));
  static_cast<void>(done(1, {"INCR", "a"}, 2, 3, reply::simple("QUEUED")));
  const std::uint64_t exec = done(1, {"EXEC"}, 2, 9, reply::array({reply::integer(2)}));
  log(CommandId::kIncr, 2, done(2, {"INCR", "a"}, 3, 5, reply::integer(1)));
  log(CommandId::kTransaction, 1, exec);
  expect_broken("the order of the log gives null");
}

// The store may take one key for another when it watches; nothing else excuses an abort.
TEST_F(ReplayTest, ATransactionAbortsWithoutAChangeOnlyIfKeysCollide) {
  abort_without_a_change();
  expect_broken("the order of the log gives");
}

TEST_F(ReplayTest, ATransactionMayAbortIfKeysCollide) {
  abort_without_a_change();
  watch_place_ = [](std::string_view) { return 7; };
  EXPECT_EQ(verdict(), "fits");
}

TEST_F(ReplayTest, APopIsServedToWhoWaitedLongest) {
  const std::uint64_t second = done(2, {"BLPOP", "q", "0"}, 5, 30, reply::array({reply::bulk("q"), reply::bulk("x")}));
  log(CommandId::kBlpop, 1, unknown(1, {"BLPOP", "q", "0"}, 0));
  log(CommandId::kBlpop, 2, second);
  log(CommandId::kRpush, 3, done(3, {"RPUSH", "q", "x"}, 10, 20, reply::integer(1)));
  expect_broken("nowhere in the log");
}

TEST_F(ReplayTest, ANewTermReleasesWaiters) {
  log(CommandId::kBlpop, 1, refused(1, {"BLPOP", "q", "0"}, 0));
  log_term_start();
  log(CommandId::kRpush, 3, done(3, {"RPUSH", "q", "x"}, 10, 20, reply::integer(1)));
  ran(3, done(3, {"LLEN", "q"}, 25, 30, reply::integer(1)), 3);
  EXPECT_EQ(verdict(), "fits");
}

TEST_F(ReplayTest, APopOfUnknownOutcomeTookOneOfTheMembers) {
  log(CommandId::kSadd, 1, done(1, {"SADD", "s", "x", "y"}, 0, 10, reply::integer(2)));
  log(CommandId::kSpop, 2, unknown(2, {"SPOP", "s"}, 11));
  ran(1, done(1, {"SMEMBERS", "s"}, 20, 30, reply::array({reply::bulk("y")})), 2);
  log(CommandId::kSpop, 1, done(1, {"SPOP", "s"}, 40, 50, reply::bulk("x")));
  expect_broken("any member");
}

}  // namespace
}  // namespace redraft::sim
