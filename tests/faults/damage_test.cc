// Damage of what was durable, file by file (storage-faults rows 2, 3, 8, 9, 11, 14 to 17, 20; pitfalls E2, F5, F11,
// F13): a node with peers starts, without a vote as soon as anything it promised may be missing; one that is alone
// refuses. Neither ever serves other bytes than were written.

#include <map>
#include <set>

#include "raft/stored.h"
#include "server/replica/directory_report.h"
#include "tests/faults/storage_kit.h"

namespace redraft::replica {
namespace {

using testing::Fault;
using testing::FaultFileSystem;
using testing::Operation;

constexpr std::uint64_t kSnapshot = 18;
constexpr std::uint64_t kLast = 24;

void take_snapshot(FaultFileSystem& files, Storage& storage, const raft::SnapshotMetadata& metadata) {
  SnapshotFiles snapshots(files, storage.snapshot_directory());
  for (BulkRequest& request : snapshot_requests(metadata)) EXPECT_FALSE(snapshots.execute(std::move(request)).error);
}

std::string snapshot_of(FaultFileSystem& files, std::uint64_t index) {
  const auto found = snapshot::list_snapshots(files, "/d/snapshot");
  for (const auto& file : *found) {
    if (file.index == index) return file.path;
  }
  return {};
}

// Entries 1 to 24 of terms 1 and 2 in several segments, two snapshots, the vote (2, 3), everything vouched for.
std::unique_ptr<FaultFileSystem> life(std::uint64_t members, std::uint64_t release_below = 15) {
  auto files = std::make_unique<FaultFileSystem>();
  Started node = start(*files, members > 1);
  vote(*node.storage, 1, 1);
  append(*node.storage, 1, 10, 1);
  vote(*node.storage, 2, 3);
  append(*node.storage, 11, kLast - 10, 2);
  for (const std::uint64_t index : {std::uint64_t{14}, kSnapshot}) {
    take_snapshot(*files, *node.storage, {raft::LogIndex{index}, raft::Term{2}, configuration_of(members)});
  }
  DiskRequest release;
  release.release_below = raft::LogIndex{release_below};
  execute(*node.storage, std::move(release));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(node.storage->idle().ok());
  node = {};
  files->kill();
  return files;
}

void ruin(FaultFileSystem& files, const std::string& path) {
  files.flip_bit(path, files.content(path).size() / 2 * 8);
}

// Nothing but what was written, in its place; what of it counts goes without a gap.
void check_entries(const raft::Restored& restored) {
  std::uint64_t expected = restored.snapshot.index.value + 1;
  for (const raft::Entry& entry : restored.entries) {
    ASSERT_EQ(entry.index.value, expected++);
    ASSERT_EQ(entry.term.value, entry.index.value <= 10 ? 1U : 2U);
    ASSERT_EQ(entry.payload.view(), entry_of(entry.index.value, entry.term.value).payload.view());
  }
  ASSERT_LE(restored.commit_index.value, expected - 1);
}

bool whole(const raft::Restored& restored) {
  const std::uint64_t last =
      restored.entries.empty() ? restored.snapshot.index.value : restored.entries.back().index.value;
  return last == kLast && restored.hard_state == raft::HardState{raft::Term{2}, raft::NodeId{3}};
}

// Runs `check` on a copy with each byte of each file flipped, and with each file cut short and gone.
void for_each_damage(const FaultFileSystem& original,
                     const std::function<void(FaultFileSystem&, const std::string& path, const std::string&)>& check) {
  for (const std::string& path : original.paths()) {
    const std::size_t size = original.content(path).size();
    // Mostly zeros behind the records and in the gaps between slots: there a few places are enough.
    for (std::size_t byte = 0; byte < size && !::testing::Test::HasFatalFailure();) {
      const auto files = original.clone();
      files->flip_bit(path, byte * 8 + byte % 8);
      check(*files, path, path + " byte " + std::to_string(byte) + " flipped");
      byte += original.content(path)[byte] == 0 ? 101 : 5;
    }
    for (std::size_t length = 0; length < size && !::testing::Test::HasFatalFailure(); length += 397) {
      const auto files = original.clone();
      files->set_content(path, files->content(path).substr(0, length));
      check(*files, path, path + " cut to " + std::to_string(length));
    }
    const auto files = original.clone();
    files->remove_silently(path);
    check(*files, path, path + " gone");
  }
}

// Rows 2, 3, 8, 9, 15, pitfall F13: with peers.
TEST(Damage, AnyByteANodeWithPeersStartsAndVotesOnlyIfItIsWhole) {
  const auto original = life(3);
  std::map<std::string, int> seen;
  for_each_damage(*original, [&](FaultFileSystem& files, const std::string& path, const std::string& what) {
    SCOPED_TRACE(what);
    Started node = start(files, true, 2);
    if (node.refused) {
      ASSERT_EQ(path, "/d/identity") << node.refused->message;  // who it is nobody else can tell
      ++seen["refused"];
      return;
    }
    const raft::Restored& restored = node.recovered->restored;
    ASSERT_NO_FATAL_FAILURE(check_entries(restored));
    ASSERT_TRUE(whole(restored) || !restored.may_vote) << "an acknowledged entry or a vote is gone, and it votes";
    ASSERT_EQ(restored.may_vote, node.recovered->repair == Repair::kNone);
    ASSERT_TRUE(restored.may_vote || !node.recovered->warnings.empty());
    ++seen[restored.may_vote ? "whole" : "repair"];
  });
  EXPECT_GT(seen["refused"], 0);
  EXPECT_GT(seen["whole"], 100);
  EXPECT_GT(seen["repair"], 100);
}

// The same, alone: whole or refused with its own status, and a refusal leaves log and snapshots as they are: a good
// copy of the damaged file makes it whole.
TEST(Damage, AnyByteANodeAloneIsWholeOrRefuses) {
  const auto original = life(1);
  int refusals = 0;
  for_each_damage(*original, [&](FaultFileSystem& files, const std::string& path, const std::string& what) {
    SCOPED_TRACE(what);
    Started node = start(files, false, 2);
    if (node.refused) {
      ASSERT_EQ(node.refused->code, ErrorCode::kCorrupt) << node.refused->message;
      ASSERT_NE(node.refused->message.find("/d"), std::string::npos) << node.refused->message;
      ++refusals;
      files.set_content(path, original->content(path));
      node = start(files, false, 3);
      ASSERT_FALSE(node.refused) << node.refused->message;
    }
    ASSERT_NO_FATAL_FAILURE(check_entries(node.recovered->restored));
    ASSERT_TRUE(whole(node.recovered->restored));
    ASSERT_TRUE(node.recovered->restored.may_vote);
  });
  EXPECT_GT(refusals, 100);
}

// --check says that something is damaged whenever a start would repair or refuse, and changes nothing.
TEST(Damage, TheReportAgreesWithTheStart) {
  const auto original = life(3);
  for_each_damage(*original, [&](FaultFileSystem& files, const std::string& path, const std::string& what) {
    if (what.size() % 3 != 0) return;  // a third of them is enough here
    SCOPED_TRACE(what);
    files.reset_counts();
    const Result<DirectoryReport> report = report_directory(files, "/d");
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_EQ(files.changes(), 0U);
    const auto copy = files.clone();
    Started node = start(*copy, true, 2);
    if (path == "/d/identity") return;
    ASSERT_FALSE(node.refused);
    ASSERT_TRUE(node.recovered->restored.may_vote || !report->damage.empty());
    const raft::Restored& restored = node.recovered->restored;
    const raft::LogIndex last = restored.entries.empty() ? restored.snapshot.index : restored.entries.back().index;
    ASSERT_EQ(report->last_index, last);
  });
}

Started damaged_log(FaultFileSystem& files, std::uint64_t entry) {
  // The middle of that entry's record.
  const std::string needle = std::to_string(entry) + "/" + std::to_string(entry <= 10 ? 1 : 2) + ".";
  bool found = false;
  for (const std::string& path : files.paths()) {
    if (path.find(".wal") == std::string::npos) continue;
    const std::string content = files.content(path);
    for (std::size_t at = content.find(needle); at != std::string::npos; at = content.find(needle, at + 1)) {
      files.flip_bit(path, (at + 100) * 8);
      found = true;
    }
  }
  EXPECT_TRUE(found);
  return start(files, true, 2);
}

// Row 2: the node keeps what is verified in front of the hole, is fed from there, and votes when it is told that it is
// whole, over restarts at any point (docs/decisions, "Repair from peers").
TEST(Repairs, AHoleInTheLogIsFilledFromTheLeader) {
  auto files = life(3);
  {
    Started node = damaged_log(*files, 20);
    ASSERT_FALSE(node.refused) << node.refused->message;
    EXPECT_FALSE(node.recovered->restored.may_vote);
    EXPECT_EQ(node.recovered->restored.entries.back().index, raft::LogIndex{19});
    ASSERT_EQ(node.recovered->warnings.size(), 1U);
    EXPECT_NE(node.recovered->warnings[0].find(".wal at offset"), std::string::npos);
    EXPECT_NE(node.recovered->warnings[0].find("lacks entry 20"), std::string::npos);
    EXPECT_NE(node.recovered->warnings[0].find("up to entry 24"), std::string::npos);
    append(*node.storage, 20, 3, 2);
  }
  files->crash(3);
  {
    Started node = start(*files, true, 3);
    ASSERT_FALSE(node.refused);
    EXPECT_FALSE(node.recovered->restored.may_vote) << "the repair is not over";
    EXPECT_EQ(node.recovered->repair, Repair::kEntries);
    EXPECT_EQ(node.recovered->restored.entries.back().index, raft::LogIndex{22});
    append(*node.storage, 23, 10, 2);
    DiskRequest repaired;
    repaired.repaired = true;
    EXPECT_TRUE(execute(*node.storage, std::move(repaired)).repaired);
  }
  files->crash(4);
  Started node = start(*files, true, 4);
  ASSERT_FALSE(node.refused);
  EXPECT_TRUE(node.recovered->restored.may_vote);
  EXPECT_TRUE(node.recovered->warnings.empty());
  EXPECT_EQ(node.recovered->restored.entries.back().index, raft::LogIndex{32});
  ASSERT_NO_FATAL_FAILURE(check_entries(node.recovered->restored));
}

// A second damage, in front of the first or in what the repair wrote, is another repair.
TEST(Repairs, DamageMayComeAgain) {
  for (const std::uint64_t second : {20, 23}) {
    auto files = life(3);
    {
      Started node = damaged_log(*files, 22);
      append(*node.storage, 22, 5, 2);
      DiskRequest repaired;
      repaired.repaired = true;
      execute(*node.storage, std::move(repaired));
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(node.storage->idle().ok());
    }
    files->kill();
    Started node = damaged_log(*files, second);
    ASSERT_FALSE(node.refused);
    EXPECT_FALSE(node.recovered->restored.may_vote);
    ASSERT_FALSE(node.recovered->restored.entries.empty());
    EXPECT_EQ(node.recovered->restored.entries.back().index, raft::LogIndex{second - 1});
    ASSERT_NO_FATAL_FAILURE(check_entries(node.recovered->restored));
  }
}

// What was overridden may lie in the hole: entries behind it do not count even where their indexes fit.
TEST(Repairs, NothingBehindAHoleCountsThoughItFits) {
  auto files = std::make_unique<FaultFileSystem>();
  {
    Started node = start(*files, true);
    vote(*node.storage, 1, 1);
    append(*node.storage, 1, 5, 1);
    vote(*node.storage, 2, 2);
    append(*node.storage, 4, 2, 2);  // overrides 4 and 5
    append(*node.storage, 6, 2, 2);
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(node.storage->idle().ok());
  }
  files->kill();
  for (const std::string& path : files->paths()) {
    for (const std::string needle : {"4/2...", "5/2..."}) {
      const std::size_t at = files->content(path).find(needle);
      if (at != std::string::npos) files->flip_bit(path, (at + 9) * 8);
    }
  }
  Started node = start(*files, true, 2);
  ASSERT_FALSE(node.refused);
  EXPECT_FALSE(node.recovered->restored.may_vote);
  ASSERT_EQ(node.recovered->restored.entries.size(), 5U);
  EXPECT_EQ(node.recovered->restored.entries.back().term, raft::Term{1});  // and not entry 6 behind it
}

// The vote: file and log stand in for each other; both lost is for ever, for this identity (architecture, section 4).
TEST(Repairs, TheVoteIsInTwoPlaces) {
  const auto original = life(3, 2);
  const auto ruin_vote = [](FaultFileSystem& files) {
    files.flip_bit("/d/vote", 33 * 8);
    files.flip_bit("/d/vote", (4096 + 33) * 8);
  };
  {
    const auto files = original->clone();
    ruin_vote(*files);
    Started node = start(*files, true, 2);
    ASSERT_FALSE(node.refused);
    EXPECT_TRUE(node.recovered->restored.may_vote);
    EXPECT_EQ(node.recovered->restored.hard_state, (raft::HardState{raft::Term{2}, raft::NodeId{3}}));
    ASSERT_EQ(node.recovered->warnings.size(), 1U);
    node = {};
    EXPECT_TRUE(start(*files, true, 3).recovered->warnings.empty()) << "mended by the start";
  }
  const auto files = original->clone();
  ruin_vote(*files);
  // A piece of the log in which the newest vote could have been.
  for (const std::string& path : files->paths()) {
    const std::size_t at = files->content(path).find("24/2.");
    if (at != std::string::npos && path.find(".wal") != std::string::npos) files->flip_bit(path, at * 8);
  }
  for (std::uint64_t boot = 2; boot < 5; ++boot) {
    Started node = start(*files, true, boot);
    ASSERT_FALSE(node.refused);
    EXPECT_FALSE(node.recovered->restored.may_vote);
    EXPECT_EQ(node.recovered->repair, Repair::kVote);
    append(*node.storage, 24, 1, 2);
    DiskRequest repaired;
    repaired.repaired = true;
    EXPECT_FALSE(execute(*node.storage, std::move(repaired)).repaired) << "whom it voted for nobody can tell it";
  }
}

// Row 9: the older snapshot and the log behind it; without it, the log alone if it reaches back; else the peers.
TEST(Repairs, ADamagedSnapshotIsReplacedByTheOlderOneAndTheLog) {
  for (const bool has_peers : {true, false}) {
    const auto files = life(has_peers ? 3 : 1);
    ruin(*files, snapshot_of(*files, kSnapshot));
    Started node = start(*files, has_peers, 2);
    ASSERT_FALSE(node.refused) << node.refused->message;
    EXPECT_EQ(node.recovered->restored.snapshot.index, raft::LogIndex{14});
    EXPECT_TRUE(node.recovered->restored.may_vote);
    EXPECT_TRUE(whole(node.recovered->restored));
    EXPECT_EQ(node.recovered->warnings.size(), 1U);
    node = {};
    ruin(*files, snapshot_of(*files, 14));
    node = start(*files, has_peers, 3);
    EXPECT_EQ(node.refused.has_value(), !has_peers);
    if (!has_peers) continue;
    EXPECT_FALSE(node.recovered->restored.may_vote);
    EXPECT_EQ(node.recovered->restored.snapshot.index, raft::LogIndex{0});
    EXPECT_TRUE(node.recovered->restored.entries.empty());
    // And the leader's snapshot ends it.
    take_snapshot(*files, *node.storage, {raft::LogIndex{30}, raft::Term{2}, configuration_of(3)});
    DiskRequest restart;
    restart.raft.ticket = raft::Ticket{1};
    restart.raft.restart_after = raft::SnapshotMetadata{raft::LogIndex{30}, raft::Term{2}, configuration_of(3)};
    execute(*node.storage, std::move(restart));
    append(*node.storage, 31, 2, 2);
    DiskRequest repaired;
    repaired.repaired = true;
    EXPECT_TRUE(execute(*node.storage, std::move(repaired)).repaired);
    node = {};
    node = start(*files, true, 4);
    ASSERT_FALSE(node.refused);
    EXPECT_TRUE(node.recovered->restored.may_vote);
    EXPECT_EQ(node.recovered->restored.snapshot.index, raft::LogIndex{30});
    EXPECT_EQ(node.recovered->restored.entries.size(), 2U);
  }
}

// Pitfall E1: the process dies between a received snapshot and the log that starts anew behind it. What the log has
// does not count; and once it was started anew, the snapshot's damage shows in it, though it has no entry behind.
TEST(Repairs, ALogThatDoesNotLeadToTheSnapshotIsStartedAnew) {
  struct Case {
    const char* what;
    std::uint64_t index, term;
    bool leads;
  };
  for (const Case& one : {Case{"beyond the log", 30, 2, false}, Case{"another term at its end", kLast, 3, false},
                          Case{"another term inside", 20, 3, false}, Case{"what the log has", 20, 2, true}}) {
    SCOPED_TRACE(one.what);
    const auto files = life(3);
    Started node = start(*files, true, 2);
    const raft::SnapshotMetadata received{raft::LogIndex{one.index}, raft::Term{one.term}, configuration_of(3)};
    take_snapshot(*files, *node.storage, received);
    node = {};
    node = start(*files, true, 3);
    EXPECT_EQ(node.recovered->restored.restart_log, !one.leads);
    EXPECT_EQ(node.recovered->restored.entries.size(), one.leads ? kLast - one.index : 0U);
    EXPECT_TRUE(node.recovered->restored.may_vote);
    if (one.leads) continue;
    DiskRequest restart;
    restart.raft.ticket = raft::Ticket{1};
    restart.raft.restart_after = received;
    execute(*node.storage, std::move(restart));
    node = {};
    node = start(*files, true, 4);
    EXPECT_FALSE(node.recovered->restored.restart_log);
    EXPECT_TRUE(node.recovered->restored.may_vote);
    node = {};
    ruin(*files, snapshot_of(*files, one.index));
    node = start(*files, true, 5);
    EXPECT_FALSE(node.recovered->restored.may_vote) << "it has acknowledged entry " << one.index;
  }
}

// Damage in front of the snapshot costs nothing.
TEST(Repairs, WhatASnapshotCoversMayBeLost) {
  auto files = life(3, 2);
  Started node = damaged_log(*files, 16);
  ASSERT_FALSE(node.refused);
  EXPECT_TRUE(node.recovered->restored.may_vote);
  EXPECT_TRUE(whole(node.recovered->restored));
}

// Row 8: a leader that cannot read an entry for a follower sends no other bytes; the follower gets a snapshot.
TEST(Repairs, AnUnreadableEntryIsNotSent) {
  auto files = life(3);
  Started node = start(*files, true, 2);
  const std::string needle = "22/2.";
  for (const std::string& path : files->paths()) {
    const std::size_t at = files->content(path).find(needle);
    if (at != std::string::npos && path.find(".wal") != std::string::npos) files->flip_bit(path, (at + 9) * 8);
  }
  DiskRequest load;
  load.load = raft::LogRead{raft::NodeId{2}, raft::LogIndex{19}, raft::LogIndex{24}, 1 << 20};
  const DiskDone done = execute(*node.storage, std::move(load));
  EXPECT_EQ(done.loaded.size(), 3U);
  ASSERT_TRUE(done.unreadable);
  EXPECT_NE(done.unreadable->find("offset"), std::string::npos);
}

// The audit's verdict: nothing of the own state is used again, and the vote stays.
TEST(Repairs, ACondemnedStateComesFromAPeer) {
  auto files = life(3);
  {
    Started node = start(*files, true, 2);
    DiskRequest condemn;
    condemn.condemn_state = true;
    EXPECT_TRUE(execute(*node.storage, std::move(condemn)).condemned);
  }
  files->crash(5);
  Started node = start(*files, true, 3);
  ASSERT_FALSE(node.refused);
  EXPECT_FALSE(node.recovered->restored.may_vote);
  EXPECT_TRUE(node.recovered->restored.entries.empty());
  EXPECT_EQ(node.recovered->restored.snapshot.index, raft::LogIndex{0});
  EXPECT_EQ(node.recovered->restored.hard_state, (raft::HardState{raft::Term{2}, raft::NodeId{3}}));
  EXPECT_TRUE(snapshot::list_snapshots(*files, "/d/snapshot")->empty());
}

// Row 7: the reserve is given up when a write finds no space, what waited is written then, and it comes back.
TEST(Reserve, LetsAFullDiskGoOn) {
  FaultFileSystem files;
  auto storage =
      Storage::open(files, "/d", {.node = 1, .segment_size = 4096, .seed = 1, .reserve_bytes = std::uint64_t{1} << 20});
  ASSERT_TRUE(storage.ok());
  ASSERT_TRUE((*storage)->recover([](std::uint64_t, std::uint64_t) {}).ok());
  while (!*(*storage)->idle()) {
  }
  ASSERT_EQ(files.content("/d/reserve").size(), std::size_t{1} << 20);
  std::uint64_t used = 0;
  for (const std::string& path : files.paths()) used += files.content(path).size();
  files.set_capacity(used + 20000);
  std::uint64_t index = 1;
  DiskDone done;
  while (!done.no_space && index < 1000) {
    DiskRequest request;
    request.raft.ticket = raft::Ticket{index};
    request.raft.entries.push_back(entry_of(index, 1));
    ++index;
    done = execute(**storage, std::move(request));
    EXPECT_FALSE(done.low_space && !done.no_space);
  }
  ASSERT_TRUE(done.no_space);
  EXPECT_FALSE(files.exists("/d/reserve"));
  EXPECT_TRUE((*storage)->stalled());
  // What waited is durable on the reserve, and that is told.
  done = execute(**storage, {});
  EXPECT_FALSE(done.no_space);
  EXPECT_TRUE(done.low_space);
  EXPECT_FALSE((*storage)->stalled());
  ASSERT_TRUE((*storage)->space_news());
  EXPECT_FALSE((*storage)->space_news());
  // With room again the reserve is made anew, and that is news too.
  files.set_capacity(std::nullopt);
  while (!*(*storage)->idle()) {
  }
  EXPECT_TRUE(files.exists("/d/reserve"));
  const std::optional<DiskDone> news = (*storage)->space_news();
  ASSERT_TRUE(news);
  EXPECT_FALSE(news->low_space);
}

// Rows 7 and F14: no room for the identity's new cluster id, or for shortening the log, ends nothing.
TEST(Reserve, NoRoomForMetadataIsNotFatal) {
  const auto original = life(3);
  for (const char* part : {"identity", "vote", ".wal"}) {
    const auto files = original->clone();
    Started node = start(*files, true, 2);
    files->fail_always(Operation::kWrite, Fault::kNoSpace, part);
    DiskRequest request;
    request.raft.ticket = raft::Ticket{1};
    request.bootstrap = ClusterId{1};
    request.raft.hard_state = raft::HardState{raft::Term{9}, raft::NodeId{2}};
    request.raft.entries.push_back(entry_of(25, 2));
    request.release_below = raft::LogIndex{9};
    EXPECT_TRUE(execute(*node.storage, std::move(request)).no_space);
    files->clear_faults();
    const Result<std::vector<DiskDone>> done = node.storage->execute({});
    ASSERT_TRUE(done.ok());
    ASSERT_EQ(done->size(), 1U);
    EXPECT_FALSE(done->front().no_space);
    EXPECT_TRUE(done->front().bootstrapped);
    EXPECT_EQ(done->front().ticket, raft::Ticket{1});
    node = {};
    node = start(*files, true, 3);
    ASSERT_FALSE(node.refused);
    EXPECT_EQ(node.recovered->restored.hard_state.term, raft::Term{9});
    EXPECT_EQ(node.recovered->identity.cluster_id, ClusterId{1});
    EXPECT_EQ(node.recovered->restored.entries.back().index, raft::LogIndex{25});
  }
}

// --recover: the survivor is the only member of a new cluster, with all it had, and may vote whatever it forgot; no
// learner and no dead member is left over (pitfall D11).
TEST(Offline, RecoverMakesAClusterOfOne) {
  for (const bool with_hole : {false, true}) {
    auto files = life(3);
    if (with_hole) static_cast<void>(damaged_log(*files, 20));
    std::array<std::uint8_t, 28> random{};
    random.fill(0x35);
    const Result<std::string> cluster = found_anew(*files, "/d", "because\n", random);
    ASSERT_TRUE(cluster.ok()) << cluster.error().message;
    EXPECT_NE(files->content("/d/recovery.txt").find(*cluster), std::string::npos);
    const Result<DirectoryReport> report = report_directory(*files, "/d");
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->last_index.value, with_hole ? 20U : 25U);
    ASSERT_EQ(report->configuration.members().size(), 1U);
    EXPECT_EQ(report->configuration.cluster_id(), *cluster);
    EXPECT_EQ(report->repair, Repair::kNone);
    Started node = start(*files, false, 5);
    ASSERT_FALSE(node.refused) << node.refused->message;
    EXPECT_TRUE(node.recovered->restored.may_vote);
    EXPECT_EQ(node.recovered->restored.entries.back().type, raft::EntryType::kConfiguration);
    EXPECT_EQ(to_hex(node.recovered->identity.cluster_id), *cluster);
    EXPECT_EQ(report->configuration.members()[0].incarnation.value, node.recovered->identity.incarnation);
  }
}

TEST(Offline, DumpNamesEveryRecord) {
  const auto files = life(3);
  std::string text;
  files->reset_counts();
  ASSERT_TRUE(dump_directory(*files, "/d", [&text](std::string_view line) { text += std::string(line) + "\n"; }).ok());
  EXPECT_EQ(files->changes(), 0U);
  EXPECT_NE(text.find(": entry 24 of term 2, commands, committed 23"), std::string::npos) << text;
  EXPECT_NE(text.find(": term 2, vote for 3"), std::string::npos);
  EXPECT_NE(text.find("segment start"), std::string::npos);
}

// Rows 16 and 17: neither tool touches a directory that a process has, or that is none.
TEST(Offline, ADirectoryInUseIsLeftAlone) {
  FaultFileSystem files;
  EXPECT_EQ(report_directory(files, "/d").error().code, ErrorCode::kNotFound);
  Started node = start(files, false);
  EXPECT_EQ(report_directory(files, "/d").error().code, ErrorCode::kInUse);
  EXPECT_EQ(dump_directory(files, "/d", [](std::string_view) {}).error().code, ErrorCode::kInUse);
}

}  // namespace
}  // namespace redraft::replica
