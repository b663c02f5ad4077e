// Power cuts at random and at every moment: what was synced is there, and what is there is a prefix of what was
// appended.

#include <gtest/gtest.h>

#include <functional>

#include "tests/base/random.h"
#include "tests/wal/log_kit.h"

namespace redraft::wal {
namespace {

using testing::Fault;
using testing::FaultFileSystem;
using testing::Random;

// The obviously right log: a list of payloads, and what is known of it.
struct Model {
  std::map<std::uint64_t, std::string> appended;
  std::uint64_t synced = 0;
  std::uint64_t released_below = 1;  // as asked for
  std::uint64_t next = 1;
};

// Does random work until it is done or something fails; true when all went well.
bool work(Log& log, Model& model, Random& random, int steps) {
  for (int step = 0; step < steps; ++step) {
    const std::uint64_t dice = random.below(100);
    if (dice < 55) {
      std::vector<Record> batch;
      const std::uint64_t count = 1 + random.below(4);
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t number = model.next + i;
        const std::size_t size = random.below(8) == 0 ? random.below(6000) : random.below(400);
        model.appended[number] = std::to_string(number) + ":" + std::to_string(random.below(1000000)) +
                                 std::string(size, static_cast<char>('a' + number % 26));
        batch.push_back(record_of(model.appended[number]));
      }
      auto first = log.append(batch);
      if (!first) {
        if (first.error().code == ErrorCode::kNoSpace) {
          for (std::uint64_t i = 0; i < count; ++i) model.appended.erase(model.next + i);
        }
        return false;
      }
      EXPECT_EQ(first->value, model.next);
      model.next += count;
    } else if (dice < 80) {
      if (!log.sync()) return false;
      model.synced = model.next - 1;
    } else if (dice < 85) {
      if (!log.write_idle_marker()) return false;
    } else if (dice < 93) {
      if (!log.prepare_next(1500)) return false;
    } else if (model.synced > 10) {
      const std::uint64_t below = std::max(model.released_below, model.synced - random.below(10));
      const Status released = log.release_before({below});
      model.released_below = below;
      if (!released) return false;
    }
  }
  return true;
}

// After a crash: everything synced and not released, and nothing but a prefix of what was appended.
void check(const Opened& opened, Model& model, const std::string& what) {
  ASSERT_TRUE(opened.log) << what << ": " << opened.error;
  ASSERT_TRUE(opened.log->recovery().damaged.empty()) << what << ": " << opened.log->recovery().damaged[0].describe();
  const std::uint64_t next = opened.log->next_sequence().value;
  ASSERT_GT(next, model.synced) << what;
  ASSERT_LE(next, model.appended.empty() ? 1 : model.appended.rbegin()->first + 1) << what;
  ASSERT_LE(opened.log->first_sequence().value, model.released_below) << what;
  std::uint64_t expected = opened.log->first_sequence().value;
  for (const auto& [sequence, payload] : opened.records) {
    ASSERT_EQ(sequence, expected++) << what;
    ASSERT_EQ(payload, model.appended[sequence]) << what;
  }
  ASSERT_EQ(expected, next) << what;
  // What recovery has returned counts as durable from now on; what it has not is gone for ever.
  model.synced = next - 1;
  model.next = next;
  model.appended.erase(model.appended.lower_bound(next), model.appended.end());
}

// Rows 1, 10, 11, 13, 14: one directory lives through many crashes.
TEST(LogCrash, KeepsWhatWasSyncedThroughRandomCrashes) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    Random random(seed);
    FaultFileSystem files;
    Model model;
    for (std::uint64_t life = 1; life <= 8; ++life) {
      const std::string what = "seed " + std::to_string(seed) + " life " + std::to_string(life);
      if (random.below(3) == 0) files.stop_at_change(1 + random.below(40));  // also while the log is opened
      auto opened = open_log(files, seed * 100 + life);
      if (!opened.log) {
        ASSERT_TRUE(files.stopped()) << what << ": " << opened.error;
      } else {
        check(opened, model, what);
        if (HasFatalFailure()) return;
        if (random.below(3) == 0) files.stop_at_change(1 + random.below(60));
        const bool done = work(*opened.log, model, random, 40);
        ASSERT_TRUE(done || files.stopped()) << what;
      }
      if (random.below(5) == 0 && !files.stopped()) {
        files.kill();
      } else {
        files.crash(seed * 1000 + life);
      }
    }
    auto last = open_log(files, seed * 100 + 99);
    check(last, model, "seed " + std::to_string(seed) + " end");
    if (HasFatalFailure()) return;
  }
}

// A fixed life that rolls, releases, recycles and idles; `model` follows it. False as soon as something fails.
bool fixed_life(FaultFileSystem& files, Model& model) {
  Random random(42);
  auto opened = open_log(files, 7);
  if (!opened.log) return false;
  return work(*opened.log, model, random, 60);
}

// Each operation that changes the disk is the last one before the power goes, with several outcomes each.
TEST(LogCrash, KeepsWhatWasSyncedWhateverOperationIsTheLast) {
  FaultFileSystem whole;
  Model whole_model;
  ASSERT_TRUE(fixed_life(whole, whole_model));
  ASSERT_GT(whole_model.released_below, 1U);
  const std::uint64_t changes = whole.changes();
  for (std::uint64_t nth = 1; nth <= changes; ++nth) {
    FaultFileSystem files;
    Model model;
    files.stop_at_change(nth);
    EXPECT_FALSE(fixed_life(files, model));
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      const auto copy = files.clone();
      copy->crash(seed);
      Model copy_model = model;
      check(open_log(*copy, 8), copy_model, "stopped at " + std::to_string(nth) + " seed " + std::to_string(seed));
      if (HasFatalFailure()) return;
    }
  }
}

// Pitfalls F9 and F14, rows 5 to 7: each operation fails once with each error; what was synced survives the end of the
// process and a power cut, and a full disk does not even end the process.
TEST(LogCrash, KeepsWhatWasSyncedWhateverOperationFails) {
  FaultFileSystem whole;
  Model whole_model;
  ASSERT_TRUE(fixed_life(whole, whole_model));
  const std::uint64_t changes = whole.changes();
  for (const Fault fault : {Fault::kIo, Fault::kIoAfterPart, Fault::kNoSpace}) {
    for (std::uint64_t nth = 1; nth <= changes; ++nth) {
      const std::string what = "fault " + std::to_string(static_cast<int>(fault)) + " at " + std::to_string(nth);
      FaultFileSystem files;
      Model model;
      files.fail_change(nth, fault);
      {
        Random random(42);
        auto opened = open_log(files, 7);
        if (opened.log && !work(*opened.log, model, random, 60)) {
          const Status synced = opened.log->sync();
          if (synced) {
            model.synced = model.next - 1;
            Random more(nth);
            ASSERT_TRUE(work(*opened.log, model, more, 20)) << what;
          }
        }
      }
      const auto killed = files.clone();
      killed->kill();
      Model killed_model = model;
      check(open_log(*killed, 8), killed_model, what + " killed");
      for (std::uint64_t seed = 0; seed < 4; ++seed) {
        const auto copy = files.clone();
        copy->crash(seed);
        Model copy_model = model;
        check(open_log(*copy, 8), copy_model, what + " crashed " + std::to_string(seed));
        if (HasFatalFailure()) return;
      }
    }
  }
}

// The proof that these tests see anything: with a sync that does nothing they fail.
TEST(LogCrash, AMissingSyncIsNoticed) {
  for (const testing::Operation lying : {testing::Operation::kSyncData, testing::Operation::kSyncDirectory}) {
    int lost = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      FaultFileSystem files;
      files.set_lying_syncs(lying, true);
      auto opened = open_log(files, seed);
      must(append_one(*opened.log, std::string(600, 'l')));
      must(opened.log->sync());
      files.crash(seed);
      auto after = open_log(files, seed + 1);
      if (!after.log || after.records.empty()) ++lost;
    }
    EXPECT_GT(lost, 0) << to_string(lying);
  }
}

}  // namespace
}  // namespace redraft::wal
