// Exhaustive I/O faults (storage-faults rows 1, 4 to 8, 10, 12, 13, 18, 19; pitfalls A2, E1, E2, F6, F8, F9, F14): one
// fixed life of a data directory (start, write, rotate, snapshot, compact, override, install, restart) with an error, a
// short write, a full disk or a power cut at the n-th call of the disk, for every n. Whatever was reported durable is
// there at the next start, nothing else ever appears, and the life goes on from there to the same end.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/faults/storage_kit.h"

namespace redraft::replica {
namespace {

using testing::Fault;
using testing::FaultFileSystem;
using testing::Operation;

raft::SnapshotMetadata metadata_of(std::uint64_t index, std::uint64_t term) {
  return {raft::LogIndex{index}, raft::Term{term}, configuration_of(1)};
}

// What the node means to be on its disk: terms of the entries behind the snapshot, by index.
struct Content {
  std::uint64_t snapshot = 0;
  std::map<std::uint64_t, std::uint64_t> entries;
  raft::HardState hard_state;
};

// The process ended: an error that is final came back.
struct Ended {};

// A node without Raft: it writes what the scenario says and remembers what it was told is durable.
class Life {
 public:
  explicit Life(FaultFileSystem& files) : files_(files) {}

  // Opens the directory and compares it with what must be there.
  void start() {
    storage_.reset();
    snapshots_.reset();
    auto storage = Storage::open(files_, "/d", {.node = 1, .segment_size = 4096, .seed = ++seed_});
    if (!storage) throw Ended();
    auto recovered = (*storage)->recover([](std::uint64_t, std::uint64_t) {});
    if (!recovered) throw Ended();
    storage_ = std::move(*storage);
    snapshots_ = std::make_unique<SnapshotFiles>(files_, storage_->snapshot_directory());
    check(**recovered);
  }

  // One disk request that changes `wanted_` by `change`; until it is done either content may be found.
  void write(DiskRequest request, const std::function<void(Content&)>& change) {
    Content next = wanted_;
    change(next);
    before_ = durable_;
    attempted_ = next;
    request.raft.ticket = raft::Ticket{++ticket_};
    std::vector<DiskRequest> requests;
    requests.push_back(std::move(request));
    bool done = false;
    while (!done) {
      Result<std::vector<DiskDone>> executed = storage_->execute(std::exchange(requests, {}));
      if (!executed) throw Ended();
      for (const DiskDone& one : *executed) done = done || (!one.no_space && one.ticket.value == ticket_);
    }
    wanted_ = durable_ = next;
    attempted_.reset();
  }

  void append(std::uint64_t first, std::uint64_t count, std::uint64_t term) {
    DiskRequest request;
    for (std::uint64_t i = first; i < first + count; ++i) request.raft.entries.push_back(entry_of(i, term));
    request.raft.commit_index = raft::LogIndex{first - 1};
    if (wanted_.hard_state.term.value < term) request.raft.hard_state = raft::HardState{raft::Term{term}, {}};
    const auto hard_state = request.raft.hard_state;
    write(std::move(request), [&](Content& content) {
      content.entries.erase(content.entries.lower_bound(first), content.entries.end());
      for (std::uint64_t i = first; i < first + count; ++i) content.entries[i] = term;
      if (hard_state) content.hard_state = *hard_state;
    });
  }

  void vote(std::uint64_t term, std::uint64_t whom) {
    DiskRequest request;
    request.raft.hard_state = raft::HardState{raft::Term{term}, raft::NodeId{whom}};
    const raft::HardState state = *request.raft.hard_state;
    write(std::move(request), [&](Content& content) { content.hard_state = state; });
  }

  // Our own snapshot; a failure is no harm, it is taken anew (pitfall F14).
  void take_snapshot(std::uint64_t index, std::uint64_t term) {
    if (has_snapshot(index)) return;
    while (!try_snapshot(index, term)) {
    }
    snapshot_durable_ = std::max(snapshot_durable_, index);
  }

  void release(std::uint64_t below) {
    DiskRequest request;
    request.release_below = raft::LogIndex{below};
    write(std::move(request), [](Content&) {});
  }

  // A leader's snapshot, sent in pieces, and the log started anew behind it (pitfall E1).
  void install(std::uint64_t index, std::uint64_t term) {
    const std::string bytes = foreign_file(index, term);
    while (!has_snapshot(index)) {
      if (try_receive(bytes)) break;
    }
    snapshot_durable_ = std::max(snapshot_durable_, index);
    DiskRequest request;
    request.raft.restart_after = metadata_of(index, term);
    write(std::move(request), [&](Content& content) {
      content.snapshot = index;
      content.entries.clear();
    });
  }

  void idle() {
    for (int i = 0; i < 50; ++i) {
      Result<bool> done = storage_->idle();
      if (!done) throw Ended();
      if (*done) return;
    }
  }

  void stop() {
    storage_.reset();
    snapshots_.reset();
  }
  [[nodiscard]] const Content& durable() const { return durable_; }
  [[nodiscard]] std::uint64_t snapshot_durable() const { return snapshot_durable_; }

 private:
  bool has_snapshot(std::uint64_t index) {
    auto found = snapshot::list_snapshots(files_, storage_->snapshot_directory());
    if (!found) return false;
    for (const auto& file : *found) {
      if (file.index >= index) return true;
    }
    return false;
  }

  bool try_snapshot(std::uint64_t index, std::uint64_t term) {
    std::vector<BulkRequest> requests = snapshot_requests(metadata_of(index, term));
    for (BulkRequest& request : requests) {
      const bool last = request.kind == BulkRequest::Kind::kFinish;
      if (snapshots_->execute(std::move(request)).error) {
        if (files_.stopped()) throw Ended();
        static_cast<void>(snapshots_->execute(BulkRequest{.kind = BulkRequest::Kind::kAbort}));
        // What failed may have been the cleaning behind it.
        return last && has_snapshot(index);
      }
    }
    return true;
  }

  static std::string foreign_file(std::uint64_t index, std::uint64_t term) {
    FaultFileSystem elsewhere;
    EXPECT_TRUE(elsewhere.make_directories("/s").ok());
    SnapshotFiles files(elsewhere, "/s");
    std::vector<BulkRequest> requests = snapshot_requests(metadata_of(index, term));
    for (BulkRequest& request : requests) EXPECT_FALSE(files.execute(std::move(request)).error);
    return elsewhere.content((*snapshot::list_snapshots(elsewhere, "/s"))[0].path);
  }

  bool try_receive(const std::string& bytes) {
    FaultFileSystem elsewhere;
    static_cast<void>(elsewhere.make_directories("/s"));
    elsewhere.set_content("/s/file", bytes);
    const snapshot::FileKey key = (*snapshot::SnapshotReader::open(elsewhere, "/s/file"))->key();
    std::uint64_t offset = 0;
    while (offset < bytes.size()) {
      BulkRequest piece{.kind = BulkRequest::Kind::kReceive};
      piece.key = key;
      piece.offset = offset;
      piece.bytes = SharedBytes::copy_of(std::string_view(bytes).substr(offset, 100));
      const BulkDone done = snapshots_->execute(std::move(piece));
      if (files_.stopped()) throw Ended();
      if (done.error) {
        static_cast<void>(snapshots_->execute(BulkRequest{.kind = BulkRequest::Kind::kDiscard}));
        return false;
      }
      offset = done.received;
    }
    BulkRequest load{.kind = BulkRequest::Kind::kLoad};
    load.key = key;
    const bool loaded = !snapshots_->execute(std::move(load)).error;
    if (files_.stopped()) throw Ended();
    if (!loaded) static_cast<void>(snapshots_->execute(BulkRequest{.kind = BulkRequest::Kind::kDiscard}));
    return loaded;
  }

  void check(const Recovered& recovered) {
    const raft::Restored& restored = recovered.restored;
    ASSERT_TRUE(restored.may_vote) << (recovered.warnings.empty() ? "" : recovered.warnings.front());
    ASSERT_TRUE(recovered.warnings.empty()) << recovered.warnings.front();
    ASSERT_GE(restored.snapshot.index.value, snapshot_durable_);
    Content found{.snapshot = durable_.snapshot, .entries = {}, .hard_state = restored.hard_state};
    for (const raft::Entry& entry : restored.entries) {
      ASSERT_EQ(entry.payload.view(), entry_of(entry.index.value, entry.term.value).payload.view());
      found.entries[entry.index.value] = entry.term.value;
    }
    const bool as_durable = same_behind(restored.snapshot.index.value, found, durable_);
    const bool as_attempted = attempted_ && partly(restored.snapshot.index.value, found);
    ASSERT_TRUE(as_durable || as_attempted) << describe(found) << " is neither " << describe(durable_)
                                            << " nor towards " << (attempted_ ? describe(*attempted_) : "nothing");
    // From here on the node holds what it found.
    if (as_attempted && !as_durable) {
      found.snapshot = attempted_->snapshot;
      durable_ = found;
    }
    durable_.snapshot = std::max(durable_.snapshot, restored.snapshot.index.value);
    durable_.entries = found.entries;
    durable_.hard_state = found.hard_state;
    wanted_ = durable_;
    attempted_.reset();
  }

  static bool same_behind(std::uint64_t snapshot, const Content& found, const Content& expected) {
    std::map<std::uint64_t, std::uint64_t> behind = expected.entries;
    behind.erase(behind.begin(), behind.upper_bound(snapshot));
    return found.entries == behind && found.hard_state == expected.hard_state;
  }

  // The attempted request, done up to some record: the vote first, then entries in their order.
  [[nodiscard]] bool partly(std::uint64_t snapshot, const Content& found) const {
    if (found.hard_state != attempted_->hard_state && found.hard_state != before_.hard_state) return false;
    std::map<std::uint64_t, std::uint64_t> old = before_.entries;
    std::map<std::uint64_t, std::uint64_t> fresh = attempted_->entries;
    old.erase(old.begin(), old.upper_bound(snapshot));
    fresh.erase(fresh.begin(), fresh.upper_bound(snapshot));
    if (found.entries == old || found.entries == fresh) return true;
    // Some of the fresh ones, all of what both have.
    for (const auto& [index, term] : found.entries) {
      const auto same = fresh.find(index);
      if (same == fresh.end() || same->second != term) return false;
    }
    for (const auto& [index, term] : old) {
      const auto kept = fresh.find(index);
      if (kept != fresh.end() && kept->second == term && !found.entries.contains(index)) return false;
    }
    return true;
  }

  static std::string describe(const Content& content) {
    std::string text = "snapshot " + std::to_string(content.snapshot) + " term " +
                       std::to_string(content.hard_state.term.value) + " vote " +
                       std::to_string(content.hard_state.voted_for.value);
    for (const auto& [index, term] : content.entries) text += " " + std::to_string(index) + "/" + std::to_string(term);
    return text;
  }

  FaultFileSystem& files_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<SnapshotFiles> snapshots_;
  std::uint64_t seed_ = 0;
  std::uint64_t ticket_ = 0;
  Content wanted_;
  Content durable_;  // reported
  Content before_;
  std::optional<Content> attempted_;  // asked for and not reported
  std::uint64_t snapshot_durable_ = 0;
};

// The steps of the fixed life. Each may be repeated after a crash in its middle.
std::vector<std::function<void(Life&)>> scenario() {
  return {
      [](Life& life) { life.start(); },
      [](Life& life) { life.vote(1, 1); },
      [](Life& life) { life.append(1, 6, 1); },
      [](Life& life) { life.idle(); },
      [](Life& life) { life.append(7, 12, 1); },  // several segments
      [](Life& life) { life.vote(2, 2); },
      [](Life& life) { life.append(15, 3, 2); },  // overrides 15 to 18
      [](Life& life) { life.take_snapshot(14, 1); },
      [](Life& life) { life.release(10); },
      [](Life& life) { life.append(18, 5, 2); },
      [](Life& life) { life.take_snapshot(20, 2); },
      [](Life& life) { life.release(18); },
      [](Life& life) { life.idle(); },
      [](Life& life) { life.install(40, 3); },
      [](Life& life) { life.append(41, 9, 3); },
      [](Life& life) { life.idle(); },
      [](Life& life) { life.start(); },
      [](Life& life) { life.append(50, 2, 3); },
      [](Life& life) { life.start(); },
  };
}

// Runs the scenario; after the end of the process `revive` acts upon the disk, and the life goes on.
void live(FaultFileSystem& files, const std::function<void()>& revive, bool faulty) {
  Life life(files);
  const auto steps = scenario();
  bool ended = false;
  for (std::size_t i = 0; i < steps.size() && !::testing::Test::HasFatalFailure(); ++i) {
    try {
      steps[i](life);
    } catch (const Ended&) {
      ASSERT_FALSE(ended) << "the process ended twice";
      ASSERT_TRUE(faulty) << "the process ended without a fault, in step " << i;
      ended = true;
      life.stop();
      revive();
      try {
        life.start();
      } catch (const Ended&) {
        FAIL() << "the node does not start again after step " << i;
      }
      --i;  // Raft would ask for the same again
    }
  }
  const Content& end = life.durable();
  EXPECT_EQ(end.snapshot, 40U);
  EXPECT_EQ(end.entries.size(), 11U);
  EXPECT_EQ(end.hard_state, (raft::HardState{raft::Term{3}, {}}));
}

std::uint64_t count_changes() {
  FaultFileSystem files;
  live(
      files, [] {}, false);
  return files.changes();
}

TEST(IoFaults, TheScenarioIsLongEnough) {
  const std::uint64_t changes = count_changes();
  RecordProperty("changes", static_cast<int>(changes));
  EXPECT_GT(changes, 150U);
}

TEST(IoFaults, AnErrorAtEveryChange) {
  const std::uint64_t changes = count_changes();
  for (std::uint64_t n = 1; n <= changes && !HasFatalFailure(); ++n) {
    for (const Fault fault : {Fault::kIo, Fault::kIoAfterPart, Fault::kNoSpace}) {
      SCOPED_TRACE("change " + std::to_string(n) + ", fault " + std::to_string(static_cast<int>(fault)));
      FaultFileSystem files;
      files.fail_change(n, fault);
      live(
          files, [&] { n % 2 == 0 ? files.kill() : files.crash(n); }, true);
    }
  }
}

TEST(IoFaults, APowerCutAtEveryChange) {
  const std::uint64_t changes = count_changes();
  for (std::uint64_t n = 1; n <= changes && !HasFatalFailure(); ++n) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      SCOPED_TRACE("change " + std::to_string(n) + ", seed " + std::to_string(seed));
      FaultFileSystem files;
      files.stop_at_change(n);
      live(
          files, [&] { files.crash(n * 16 + seed); }, true);
    }
  }
}

// Rows 8 and 19: an error of a call that only looks ends the start or the step, and is gone at the next one.
TEST(IoFaults, AnErrorAtEveryReadOpenAndList) {
  for (const Operation operation : {Operation::kOpen, Operation::kRead, Operation::kList, Operation::kLock}) {
    FaultFileSystem counting;
    live(
        counting, [] {}, false);
    const std::uint64_t calls = counting.count(operation);
    for (std::uint64_t n = 1; n <= calls && !HasFatalFailure(); ++n) {
      SCOPED_TRACE(std::string(testing::to_string(operation)) + " " + std::to_string(n));
      FaultFileSystem files;
      files.fail(operation, n, Fault::kIo);
      live(
          files, [&] { files.kill(); }, true);
    }
  }
}

}  // namespace
}  // namespace redraft::replica
