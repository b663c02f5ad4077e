// The log in peace: what was appended is there, and what a sync costs.

#include <gtest/gtest.h>

#include "tests/wal/log_kit.h"

namespace redraft::wal {
namespace {

using testing::Fault;
using testing::FaultFileSystem;
using testing::Operation;

TEST(Log, GivesBackWhatWasAppended) {
  FaultFileSystem files;
  {
    auto opened = open_log(files);
    ASSERT_TRUE(opened.log) << opened.error;
    EXPECT_EQ(opened.log->next_sequence(), Sequence{1});
    const std::vector<Record> batch = {record_of("one"), record_of(""), record_of(std::string(2000, 'x'), "")};
    EXPECT_EQ(opened.log->append(batch).value(), Sequence{1});
    EXPECT_EQ(opened.log->synced_sequence(), Sequence{0});
    must(opened.log->sync());
    EXPECT_EQ(opened.log->synced_sequence(), Sequence{3});
    const auto view = opened.log->read({3});
    ASSERT_TRUE(view.ok());
    EXPECT_EQ(view->payload.view(), std::string(2000, 'x'));
    EXPECT_EQ(opened.log->read({1}).value().header, "h");
    EXPECT_EQ(opened.log->read({4}).error().code, ErrorCode::kNotFound);
  }
  for (std::uint64_t restart = 0; restart < 3; ++restart) {  // a restart in peace goes on in the same segment
    files.kill();
    auto opened = open_log(files, restart + 2);
    ASSERT_TRUE(opened.log) << opened.error;
    EXPECT_FALSE(opened.log->recovery().cut);
    EXPECT_EQ(opened.records.size(), 3 + restart);
    EXPECT_EQ(opened.records[2], "");
    must(append_one(*opened.log, "more"));
    EXPECT_EQ(opened.log->position_of({4 + restart})->segment, 1U);
  }
}

TEST(Log, RollsIntoPreparedSegments) {
  FaultFileSystem files;
  auto opened = open_log(files);
  Log& log = *opened.log;
  for (int i = 0; i < 50; ++i) {
    must(append_one(log, std::string(500, static_cast<char>('a' + i % 26))));
    must(log.sync());
    while (!log.prepare_next(1000).value()) {
    }
  }
  EXPECT_GT(log.position_of({50})->segment, 5U);
  for (std::uint64_t i = 1; i <= 50; ++i) {
    EXPECT_EQ(log.read({i}).value().payload.view()[0], static_cast<char>('a' + (i - 1) % 26));
  }
  // Entering a prepared segment costs no creation, rename or directory sync (architecture, section 4).
  files.reset_counts();
  const std::uint64_t segment = log.position_of({50})->segment;
  must(append_one(log, std::string(2500, 'z')));
  ASSERT_GT(log.position_of({51})->segment, segment);
  EXPECT_EQ(files.count(Operation::kCreate) + files.count(Operation::kRename) + files.count(Operation::kSyncDirectory),
            0U);
  EXPECT_EQ(files.count(Operation::kWrite), 1U);
  auto again = open_log(files, 2);
  EXPECT_EQ(again.records.size(), 51U);
}

// Under load the next segment costs no more at a time than the records do: a burst of its zeros would hold up the syncs
// (measured: a fifth of the writes a second).
TEST(Log, MakesTheNextSegmentAsFastAsTheActiveOneFills) {
  constexpr std::uint64_t kStep = 2048;
  FaultFileSystem files;
  auto opened = open_log(files, 1, 1 << 16);
  Log& log = *opened.log;
  std::uint64_t segment = 1;
  std::uint64_t made = 0;
  while (segment < 4) {
    files.reset_counts();
    must(append_one(log, std::string(1000, 'x')));
    must(log.sync());
    const Position last = *log.position_of({log.next_sequence().value - 1});
    if (std::exchange(segment, last.segment) != segment) {
      EXPECT_EQ(files.count(Operation::kCreate) + files.count(Operation::kRename), 0U) << "into segment " << segment;
      made = 0;
    }
    for (; log.next_is_late(); made += kStep) ASSERT_TRUE(log.prepare_next(kStep).ok());
    EXPECT_LE(made, (last.offset + kStep) * 5 / 4 + kStep);
  }
}

// One append is one write into blocks that are written already, and one sync is one fdatasync.
TEST(Log, AppendAndSyncAreOneWriteAndOneSync) {
  FaultFileSystem files;
  auto opened = open_log(files, 1, 1 << 20);
  must(append_one(*opened.log, "first"));
  must(opened.log->sync());
  const std::string path = opened.log->file_of(*opened.log->position_of({1}));
  const std::size_t size = files.content(path).size();
  files.reset_counts();
  const std::vector<Record> batch = {record_of(std::string(10000, 'x')), record_of("y"), record_of("z")};
  ASSERT_TRUE(opened.log->append(batch).ok());
  must(opened.log->sync());
  must(opened.log->sync());
  EXPECT_EQ(files.count(Operation::kWrite), 1U);
  EXPECT_EQ(files.count(Operation::kSyncData), 1U);
  EXPECT_EQ(files.changes(), 2U);
  EXPECT_EQ(files.content(path).size(), size);
}

TEST(Log, GivesALargeBatchASegmentOfItsOwn) {
  FaultFileSystem files;
  auto opened = open_log(files);
  const std::string large(kPayloadSizeMax, 'L');
  must(append_one(*opened.log, "small"));
  must(append_one(*opened.log, large));
  must(append_one(*opened.log, "small again"));
  auto again = open_log(files, 2);
  ASSERT_EQ(again.records.size(), 3U);
  EXPECT_EQ(again.records[2], large);
  EXPECT_EQ(again.log->read({2}).value().payload.size(), large.size());
}

TEST(Log, ReleasesAndReusesWholeSegments) {
  FaultFileSystem files;
  auto opened = open_log(files);
  Log& log = *opened.log;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 10; ++i) must(append_one(log, std::string(900, 'r')));
    must(log.sync());
    must(log.release_before({log.next_sequence().value - 5}));
    EXPECT_LE(log.first_sequence().value, log.next_sequence().value - 5);
    EXPECT_EQ(log.read({log.first_sequence().value - 1}).error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(log.read(log.first_sequence()).ok());
    EXPECT_LE(log.size_on_disk(), 8U * 4096);
  }
  EXPECT_LE(files.paths().size(), 8U);
  const Sequence first = log.first_sequence();
  // Pitfall F2: the chain of checksums starts anywhere after a release.
  auto again = open_log(files, 2);
  ASSERT_TRUE(again.log);
  EXPECT_TRUE(again.log->recovery().damaged.empty());
  EXPECT_EQ(again.records.begin()->first, first.value);
  EXPECT_EQ(again.records.rbegin()->first, 200U);
  EXPECT_EQ(again.log->next_sequence(), Sequence{201});
}

TEST(Log, IdleMarkerIsWrittenOnce) {
  FaultFileSystem files;
  auto opened = open_log(files);
  must(append_one(*opened.log, "a"));
  must(opened.log->sync());
  files.reset_counts();
  must(opened.log->write_idle_marker());
  must(opened.log->sync());
  must(opened.log->write_idle_marker());
  must(opened.log->sync());
  EXPECT_EQ(files.changes(), 2U);
  EXPECT_EQ(open_log(files, 2).log->recovery().watermark, Sequence{1});
}

TEST(Log, DumpTellsEachRecord) {
  FaultFileSystem files;
  auto opened = open_log(files);
  must(append_one(*opened.log, "abc"));
  must(append_one(*opened.log, "def"));
  const auto position = *opened.log->position_of({1});
  files.flip_bit(opened.log->file_of(position), (position.offset + 50) * 8);
  std::string text;
  must(dump(files, kDirectory, [&](std::string_view line) { text.append(line).append("\n"); }));
  EXPECT_NE(text.find("sequence 2 synced_to 0 kind 7 header 1 payload 3"), std::string::npos) << text;
  EXPECT_NE(text.find("no valid record in 56 bytes"), std::string::npos) << text;
  EXPECT_NE(text.find("segment start"), std::string::npos) << text;
}

TEST(Log, RefusesSenselessOptions) {
  FaultFileSystem files;
  EXPECT_EQ(open_log(files, 1, 4000).code, ErrorCode::kInvalid);
}

// Row 7, pitfall F14: a full disk refuses the batch, nothing of it counts, and the log goes on when there is room.
TEST(Log, FullDiskRefusesAndRecovers) {
  FaultFileSystem files;
  auto opened = open_log(files);
  must(append_one(*opened.log, "kept"));
  must(opened.log->sync());
  files.fail(Operation::kWrite, 1, Fault::kNoSpace);
  const std::vector<Record> batch = {record_of(std::string(300, 'n')), record_of(std::string(300, 'o'))};
  EXPECT_EQ(opened.log->append(batch).error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(opened.log->next_sequence(), Sequence{2});
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto copy = files.clone();
    copy->crash(seed);
    auto after = open_log(*copy, 2);
    EXPECT_EQ(after.records, (std::map<std::uint64_t, std::string>{{1, "kept"}}));
  }
  must(append_one(*opened.log, "next"));
  must(opened.log->sync());
  files.crash(1);
  EXPECT_EQ(open_log(files, 2).records, (std::map<std::uint64_t, std::string>{{1, "kept"}, {2, "next"}}));
}

// Row 7: where even erasing needs room, the segment is shortened and closed.
TEST(Log, FullDiskThatCannotEraseClosesTheSegment) {
  FaultFileSystem files;
  auto opened = open_log(files);
  must(append_one(*opened.log, "kept"));
  must(opened.log->sync());
  files.fail_always(Operation::kWrite, Fault::kNoSpace);
  EXPECT_EQ(append_one(*opened.log, std::string(700, 'n')).error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(append_one(*opened.log, std::string(700, 'n')).error().code, ErrorCode::kNoSpace);
  files.clear_faults();
  must(append_one(*opened.log, "next"));
  must(opened.log->sync());
  EXPECT_GT(opened.log->position_of({2})->segment, 1U);
  files.crash(3);
  auto after = open_log(files, 2);
  EXPECT_EQ(after.records, (std::map<std::uint64_t, std::string>{{1, "kept"}, {2, "next"}}));
  EXPECT_TRUE(after.log->recovery().damaged.empty());
}

// Rows 1 and 7 together: a torn end is found while the disk is full. The log opens, refuses, and when there is room the
// cut holds, whichever write is torn next.
TEST(Log, FullDiskAtACut) {
  FaultFileSystem original;
  {
    auto opened = open_log(original);
    for (int i = 1; i <= 5; ++i) must(append_one(*opened.log, "record " + std::to_string(i)));
    original.flip_bit(opened.log->file_of(*opened.log->position_of({3})), opened.log->position_of({3})->offset * 8);
    EXPECT_TRUE(opened.log->prepare_next().value());
  }
  original.kill();
  for (const bool cannot_create : {true, false}) {
    for (std::uint64_t nth = 1; nth < 14; ++nth) {
      for (std::uint64_t seed = 0; seed < 8; ++seed) {
        const auto files = original.clone();
        // Either the next segment cannot be made, or it is there and cannot be written to.
        if (cannot_create) files->remove_silently(std::string(kDirectory) + "/" + segment_name(2));
        for (const std::uint64_t number : {2, 3, 4}) {
          files->fail_always(cannot_create ? Operation::kCreate : Operation::kWrite, Fault::kNoSpace,
                             segment_name(number));
        }
        auto opened = open_log(*files, 2);
        ASSERT_TRUE(opened.log) << opened.error;
        ASSERT_EQ(opened.records.size(), 2U);
        ASSERT_FALSE(append_one(*opened.log, "refused").ok());
        files->clear_faults();
        files->stop_at_change(nth);
        Status appended = Done{};
        std::uint64_t synced = 2;
        for (int i = 0; i < 3 && appended; ++i) {
          appended = append_one(*opened.log, "new" + std::string(600, 'n'));
          if (appended && i == 1) {
            appended = opened.log->sync();
            if (appended) synced = 4;
          }
        }
        files->crash(seed);
        auto after = open_log(*files, 3);
        ASSERT_TRUE(after.log) << after.error;
        ASSERT_TRUE(after.log->recovery().damaged.empty()) << after.log->recovery().damaged[0].describe();
        ASSERT_GE(after.records.size(), synced);
        for (const auto& [sequence, payload] : after.records) {
          ASSERT_EQ(payload.substr(0, 3), sequence <= 2 ? "rec" : "new");
        }
      }
    }
  }
}

// Row 7: with the disk full and the last segment full the log can still be shortened, and goes on in what that frees.
TEST(Log, FullDiskLeavesRoomToRelease) {
  FaultFileSystem files;
  auto opened = open_log(files);
  Log& log = *opened.log;
  for (int i = 0; i < 9; ++i) must(append_one(log, std::string(700, 'f')));
  must(log.sync());
  std::uint64_t used = 0;
  for (const std::string& path : files.paths()) used += files.content(path).size();
  files.set_capacity(used);
  Status appended = Done{};
  for (int i = 0; i < 100 && appended; ++i) appended = append_one(log, std::string(100, 'g'));
  EXPECT_EQ(appended.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(log.prepare_next().error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(files.exists(std::string(kDirectory) + "/" + segment_name(9) + ".new"), false);
  must(log.release_before(log.next_sequence()));
  must(append_one(log, "room again"));
  must(log.sync());
  EXPECT_EQ(open_log(files, 2).records.rbegin()->second, "room again");
}

// Rows 5 and 6, pitfall F9: after a failed write or sync nothing is ever accepted or synced again.
TEST(Log, FailedWriteOrSyncIsFinal) {
  for (const Operation operation : {Operation::kWrite, Operation::kSyncData}) {
    for (const Fault fault : {Fault::kIo, Fault::kIoAfterPart, Fault::kNoSpace}) {
      if (operation == Operation::kWrite && fault == Fault::kNoSpace) continue;
      FaultFileSystem files;
      auto opened = open_log(files);
      must(append_one(*opened.log, "kept"));
      must(opened.log->sync());
      files.fail(operation, 1, fault);
      Status done = append_one(*opened.log, "lost");
      if (done) done = opened.log->sync();
      EXPECT_EQ(done.error().code, ErrorCode::kIo);
      files.reset_counts();
      EXPECT_FALSE(opened.log->sync().ok());
      EXPECT_FALSE(append_one(*opened.log, "never").ok());
      EXPECT_FALSE(opened.log->write_idle_marker().ok());
      EXPECT_FALSE(opened.log->release_before({1}).ok());
      EXPECT_FALSE(opened.log->prepare_next().ok());
      EXPECT_EQ(files.changes(), 0U);
    }
  }
}

// Row 5: pages that a failed sync left clean in the cache are read at the restart; they must be written again before
// they count as durable.
TEST(Log, RestartAfterFailedSyncWritesAgain) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    FaultFileSystem files;
    {
      auto opened = open_log(files);
      must(append_one(*opened.log, "a"));
      must(opened.log->sync());
      must(append_one(*opened.log, std::string(600, 'b')));
      files.fail(Operation::kSyncData, 1, Fault::kIo);
      EXPECT_FALSE(opened.log->sync().ok());
    }
    files.kill();
    auto opened = open_log(files, 2);
    ASSERT_EQ(opened.records.size(), 2U);
    EXPECT_EQ(opened.log->synced_sequence(), Sequence{2});
    files.crash(seed);
    EXPECT_EQ(open_log(files, 3).records.size(), 2U);
  }
}

// Row 13: a segment whose name is only in the cache, since the process died before the directory was synced.
TEST(Log, RestartMakesNamesDurable) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    FaultFileSystem files;
    files.fail(Operation::kSyncDirectory, 2, Fault::kIo);  // the one after the rename
    EXPECT_FALSE(open_log(files).log);
    ASSERT_TRUE(files.exists(std::string(kDirectory) + "/" + segment_name(1)));
    files.kill();
    auto opened = open_log(files, 2);
    must(append_one(*opened.log, "a"));
    must(opened.log->sync());
    EXPECT_EQ(opened.log->position_of({1})->segment, 1U);
    files.crash(seed);
    ASSERT_EQ(open_log(files, 3).records.size(), 1U);
  }
}

// Pitfall F3: sizes are checked before they are used, with a checksum that is right.
TEST(Codec, RefusesSizesOutOfBounds) {
  std::string bytes(kRecordHeaderSize + 16, '\0');
  RecordHeader header{.payload_size = 5, .salt = 9, .sequence = {3}};
  encode(header, 512, "0123456789", bytes.data());
  ASSERT_TRUE(decode_record_header(bytes, 512));
  EXPECT_FALSE(decode_record_header(bytes, 520));  // row 15: the same bytes elsewhere are no record
  const auto resealed = [&](std::size_t at, std::uint32_t value, std::size_t size) {
    std::string changed = bytes;
    std::memcpy(changed.data() + at, &value, size);
    char place[8];
    store_little(place, std::uint64_t{512});
    const std::size_t covered = std::min<std::size_t>(kRecordHeaderSize + 10, changed.size());
    store_little(changed.data(), crc32c_extend(crc32c({place, 8}), std::string_view(changed).substr(4, covered - 4)));
    return changed;
  };
  EXPECT_TRUE(decode_record_header(resealed(12, kPayloadSizeMax, 4), 512));
  EXPECT_FALSE(decode_record_header(resealed(12, kPayloadSizeMax + 1, 4), 512));
  EXPECT_FALSE(decode_record_header(resealed(12, 0xffffffff, 4), 512));
  EXPECT_FALSE(decode_record_header(resealed(42, 60000, 2), 512));
  EXPECT_FALSE(decode_record_header(resealed(40, 9, 1), 512));
}

}  // namespace
}  // namespace redraft::wal
