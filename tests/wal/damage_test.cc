// What is torn and what is corrupt: storage-faults rows 1 to 3, 8, 11, 13 to 15, 20.

#include <gtest/gtest.h>

#include <set>

#include "tests/wal/log_kit.h"

namespace redraft::wal {
namespace {

using testing::Fault;
using testing::FaultFileSystem;
using testing::Operation;

std::string path_of(std::uint64_t segment) {
  return std::string(kDirectory) + "/" + segment_name(segment);
}

// Ten records, each synced, the last one vouched for by an idle marker if `idle`.
std::unique_ptr<FaultFileSystem> ten_records(bool idle = false, std::size_t payload = 100) {
  auto files = std::make_unique<FaultFileSystem>();
  auto opened = open_log(*files);
  for (int i = 1; i <= 10; ++i) {
    must(append_one(*opened.log, std::to_string(i) + std::string(payload, '.')));
    must(opened.log->sync());
  }
  if (idle) {
    must(opened.log->write_idle_marker());
    must(opened.log->sync());
  }
  files->kill();
  return files;
}

std::uint64_t offset_of(FaultFileSystem& files, std::uint64_t sequence) {
  const auto copy = files.clone();
  return open_log(*copy, 99).log->position_of({sequence})->offset;
}

// Row 1, pitfall F1: an unsynced end with holes is cut at the first hole, and the valid records behind it never return.
TEST(Torn, IsCutAtTheFirstHoleForEver) {
  FaultFileSystem files;
  std::uint64_t third = 0;
  {
    auto opened = open_log(files);
    must(append_one(*opened.log, "durable"));
    must(opened.log->sync());
    for (int i = 2; i <= 5; ++i) must(append_one(*opened.log, "unsynced " + std::to_string(i)));
    third = opened.log->position_of({3})->offset;
  }
  files.kill();
  files.flip_bit(path_of(1), third * 8 + 400);
  {
    auto opened = open_log(files, 2);
    ASSERT_TRUE(opened.log);
    EXPECT_EQ(opened.records.size(), 2U);
    ASSERT_TRUE(opened.log->recovery().cut);
    EXPECT_EQ(opened.log->recovery().cut->first_dropped, Sequence{3});
    EXPECT_EQ(opened.log->recovery().cut->offset, third);
    EXPECT_TRUE(opened.log->recovery().damaged.empty());
    EXPECT_EQ(opened.log->next_sequence(), Sequence{3});
  }
  // It was a damage of reading only and heals: the cut is final all the same, also through a power cut.
  files.flip_bit(path_of(1), third * 8 + 400);
  files.crash(4);
  auto opened = open_log(files, 3);
  EXPECT_EQ(opened.records.size(), 2U);
  EXPECT_FALSE(opened.log->recovery().cut);
  must(append_one(*opened.log, "new three"));
  must(opened.log->sync());
  files.crash(5);
  auto again = open_log(files, 4);
  EXPECT_EQ(again.records.size(), 3U);
  EXPECT_EQ(again.records[3], "new three");
}

// Row 2: below a `synced_to` that a later record carries it is corruption, named with file, offset and record.
TEST(Corruption, BelowTheWatermarkIsReportedAndTheRestIsRead) {
  const auto files = ten_records();
  const std::uint64_t offset = offset_of(*files, 4);
  files->flip_bit(path_of(1), (offset + 60) * 8);
  auto opened = open_log(*files, 2);
  ASSERT_TRUE(opened.log);
  const Recovery& recovery = opened.log->recovery();
  ASSERT_EQ(recovery.damaged.size(), 1U);
  EXPECT_EQ(recovery.damaged[0].file, path_of(1));
  EXPECT_EQ(recovery.damaged[0].offset, offset);
  EXPECT_EQ(recovery.damaged[0].first, Sequence{4});
  EXPECT_EQ(recovery.damaged[0].last, Sequence{4});
  EXPECT_FALSE(recovery.cut);
  EXPECT_EQ(opened.records.size(), 9U);
  EXPECT_EQ(opened.log->next_sequence(), Sequence{11});
  EXPECT_EQ(opened.log->read({4}).error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(opened.log->read({5}).ok());
  // Records that repair it are appended like any others; the report stays until those segments are released.
  must(append_one(*opened.log, "repair of 4"));
  must(opened.log->sync());
  files->crash(1);
  auto again = open_log(*files, 3);
  EXPECT_EQ(again.records.size(), 10U);
  EXPECT_EQ(again.log->recovery().damaged.size(), 1U);
  EXPECT_EQ(again.log->position_of({11})->segment, 2U);
  must(append_one(*again.log, "12"));
  EXPECT_EQ(again.log->position_of({12})->segment, 2U);  // a restart with old damage starts no segment again
  must(again.log->release_before({11}));
  EXPECT_TRUE(again.log->recovery().damaged.empty());
  EXPECT_TRUE(open_log(*files, 4).log->recovery().damaged.empty());
}

// Row 2 with several records gone, all but the last one: the reader finds it by its alignment and salt.
TEST(Corruption, RecordsBehindALargeHoleAreFound) {
  const auto files = ten_records();
  const std::uint64_t from = offset_of(*files, 2);
  const std::uint64_t to = offset_of(*files, 10);
  std::string content = files->content(path_of(1));
  content.replace(from, to - from, to - from, '\xee');
  files->set_content(path_of(1), content);
  auto opened = open_log(*files, 2);
  ASSERT_EQ(opened.log->recovery().damaged.size(), 1U);
  EXPECT_EQ(opened.log->recovery().damaged[0].first, Sequence{2});
  EXPECT_EQ(opened.log->recovery().damaged[0].last, Sequence{9});
  EXPECT_EQ(opened.records.size(), 2U);
}

// Row 3: the very last record cannot be told from a torn one, unless an idle marker or a commit marker vouches for it.
TEST(Corruption, OfTheLastRecordNeedsAWitness) {
  for (const bool idle : {false, true}) {
    const auto files = ten_records(idle);
    files->flip_bit(path_of(1), (offset_of(*files, 10) + 70) * 8);
    auto opened = open_log(*files, 2);
    EXPECT_EQ(opened.records.size(), 9U);
    EXPECT_EQ(opened.log->recovery().damaged.size(), idle ? 1U : 0U);
    EXPECT_EQ(opened.log->recovery().cut.has_value(), !idle);
    EXPECT_EQ(opened.log->next_sequence(), Sequence{idle ? 11U : 10U});
  }
}

TEST(Corruption, TheCallersWatermarkIsAWitness) {
  FaultFileSystem files;
  const auto committed = [](const RecordView& view) {
    return view.header == "commit" ? Sequence{std::stoull(std::string(view.payload.view()))} : Sequence{};
  };
  {
    auto opened = open_log(files);
    const std::vector<Record> batch = {record_of("one"), record_of("two"), record_of("three"),
                                       record_of("2", "commit")};
    ASSERT_TRUE(opened.log->append(batch).ok());
    must(opened.log->sync());
  }
  files.kill();
  const auto copy = files.clone();
  copy->flip_bit(path_of(1), (offset_of(files, 3) + 50) * 8);
  EXPECT_EQ(open_log(*copy, 2, 4096, committed).log->recovery().cut->first_dropped, Sequence{3});
  files.flip_bit(path_of(1), (offset_of(files, 2) + 50) * 8);
  EXPECT_TRUE(open_log(*files.clone(), 2).log->recovery().damaged.empty());
  auto opened = open_log(files, 2, 4096, committed);
  ASSERT_EQ(opened.log->recovery().damaged.size(), 1U);
  EXPECT_EQ(opened.log->recovery().damaged[0].first, Sequence{2});
  EXPECT_EQ(opened.records.size(), 3U);
}

// Rows 2 and 11, pitfall F5: a finished segment that lost its end, its middle, or is gone as a whole.
TEST(Corruption, InAFinishedSegmentIsNeverCut) {
  const auto original = ten_records(false, 900);
  ASSERT_TRUE(original->exists(path_of(3)));
  const auto damaged_range = [](FaultFileSystem& files) {
    auto opened = open_log(files, 2);
    EXPECT_TRUE(opened.log) << opened.error;
    EXPECT_FALSE(opened.log->recovery().cut);
    EXPECT_EQ(opened.log->recovery().damaged.size(), 1U);
    const Damage& damage = opened.log->recovery().damaged[0];
    EXPECT_EQ(opened.records.size(), 10 - (damage.last.value + 1 - damage.first.value));
    return std::pair(damage.first.value, damage.last.value);
  };
  {
    const auto files = original->clone();  // cut short inside its last record
    files->set_content(path_of(2), files->content(path_of(2)).substr(0, 2000));
    EXPECT_EQ(damaged_range(*files), std::pair(std::uint64_t{4}, std::uint64_t{4}));
  }
  {
    const auto files = original->clone();
    files->set_content(path_of(2), "");
    EXPECT_EQ(damaged_range(*files), std::pair(std::uint64_t{3}, std::uint64_t{4}));
    EXPECT_TRUE(files->exists(path_of(2)));  // nothing that is damaged is thrown away
  }
  {
    const auto files = original->clone();
    files->remove_silently(path_of(2));
    EXPECT_EQ(damaged_range(*files), std::pair(std::uint64_t{3}, std::uint64_t{4}));
  }
  {
    const auto files = original->clone();  // the oldest: the log knows where it began
    files->remove_silently(path_of(1));
    EXPECT_EQ(damaged_range(*files), std::pair(std::uint64_t{1}, std::uint64_t{2}));
  }
  {
    const auto files = original->clone();  // row 15: a block of another segment landed here
    files->set_content(path_of(2),
                       files->content(path_of(1)).substr(0, 2048) + files->content(path_of(2)).substr(2048));
    EXPECT_EQ(open_log(*files, 2).log->recovery().damaged.empty(), false);
  }
}

TEST(Corruption, OneCopyOfTheSegmentHeaderIsEnoughAndBothAreReported) {
  const auto files = ten_records();
  files->flip_bit(path_of(1), 20 * 8);
  {
    auto opened = open_log(*files->clone(), 2);
    EXPECT_EQ(opened.records.size(), 10U);
    EXPECT_TRUE(opened.log->recovery().damaged.empty());
  }
  files->flip_bit(path_of(1), (4096 - 512 + 30) * 8);
  auto opened = open_log(*files, 2);
  EXPECT_EQ(opened.records.size(), 10U);
  ASSERT_EQ(opened.log->recovery().damaged.size(), 1U);
  EXPECT_FALSE(opened.log->recovery().damaged[0].lost_records());
}

// Row 8: an error of the disk while reading is reported, not taken for the end of the log.
TEST(Corruption, ReadErrorIsNotTheEnd) {
  const auto files = ten_records();
  auto opened = open_log(*files, 2);
  files->fail(Operation::kRead, 1, Fault::kIo);
  EXPECT_EQ(opened.log->read({3}).error().code, ErrorCode::kIo);
  EXPECT_TRUE(opened.log->read({3}).ok());
  files->flip_bit(path_of(1), (opened.log->position_of({3})->offset + 80) * 8);
  EXPECT_EQ(opened.log->read({3}).error().code, ErrorCode::kCorrupt);
}

// Row 8 at start: what reads at the second try was never gone.
TEST(Corruption, AReadErrorThatPassesLosesNothing) {
  const auto files = ten_records();
  for (std::uint64_t nth = 1; nth <= 4; ++nth) {
    const auto copy = files->clone();
    copy->fail(Operation::kRead, nth, Fault::kIo);
    auto opened = open_log(*copy, 2);
    if (!opened.log) continue;  // the last look at the file, which finds no damage: the process may start again
    EXPECT_EQ(opened.records.size(), 10U);
    EXPECT_TRUE(opened.log->recovery().damaged.empty());
  }
}

// Row 8 at start: a sector that can not be read is damage at its place, with the records around it as good as ever.
TEST(Corruption, ABadSectorCostsItsRecordsOnly) {
  const auto files = ten_records(true, 3000);
  const std::uint64_t fifth = offset_of(*files, 5);
  std::string path;
  for (const std::string& one : files->paths()) {
    if (files->content(one).find("5....") != std::string::npos) path = one;
  }
  ASSERT_FALSE(path.empty());
  files->spoil(path, fifth + 1000, 512);
  auto opened = open_log(*files, 2);
  ASSERT_TRUE(opened.log) << opened.error;
  EXPECT_EQ(opened.records.size(), 9U);
  EXPECT_FALSE(opened.records.contains(5));
  ASSERT_FALSE(opened.log->recovery().damaged.empty());
  EXPECT_EQ(opened.log->recovery().damaged[0].first, Sequence{5});
  EXPECT_EQ(opened.log->recovery().damaged[0].last, Sequence{5});
}

// Row 3: nothing in the log says that the last record was durable, and a torn write would be cut. But no torn write
// leaves a sector that can not be read, so it may have been acknowledged.
TEST(Corruption, ABadSectorAtTheEndIsNoTornWrite) {
  const auto files = ten_records();
  files->spoil(path_of(1), offset_of(*files, 10) / 512 * 512, 512);
  auto opened = open_log(*files, 2);
  ASSERT_TRUE(opened.log) << opened.error;
  EXPECT_FALSE(opened.log->recovery().cut);
  ASSERT_FALSE(opened.log->recovery().damaged.empty());
  EXPECT_TRUE(opened.log->recovery().damaged.back().end_unknown);
}

// Both copies of a segment's header too: its salt stands in its records.
TEST(Corruption, AnUnreadableHeaderIsDamageToo) {
  const auto files = ten_records(true);
  const std::uint64_t size = files->content(path_of(1)).size();
  files->spoil(path_of(1), 0, 512);
  files->spoil(path_of(1), size - 512, 512);
  auto opened = open_log(*files, 2);
  ASSERT_TRUE(opened.log) << opened.error;
  EXPECT_EQ(opened.records.size(), 10U);
}

// Row 14: a released segment that comes back is known to be old and goes again.
TEST(Corruption, OldSegmentsThatReappearAreRemoved) {
  FaultFileSystem files;
  auto opened = open_log(files);
  for (int i = 0; i < 10; ++i) must(append_one(*opened.log, std::string(900, 'r')));
  must(opened.log->sync());
  const std::string first = files.content(path_of(1));
  must(opened.log->release_before({8}));
  const std::uint64_t begin = opened.log->first_sequence().value;
  for (int i = 0; i < 10; ++i) must(append_one(*opened.log, std::string(900, 's')));
  must(opened.log->sync());
  files.kill();
  files.set_content(path_of(1), first);
  auto again = open_log(files, 2);
  EXPECT_EQ(again.records.begin()->first, begin);
  EXPECT_EQ(again.records.size(), 20 - begin + 1);
  EXPECT_TRUE(again.log->recovery().damaged.empty());
}

// Row 20: a later version is refused with all files as they were, whatever else lies there.
TEST(Corruption, FutureVersionIsRefusedUntouched) {
  const auto files = ten_records(false, 900);
  std::string content = files->content(path_of(3));
  for (const std::size_t at : {std::size_t{0}, content.size() - 512}) {
    store_little(content.data() + at + 8, std::uint32_t{2});
    store_little(content.data() + at + 60, crc32c({content.data() + at, 60}));
  }
  files->set_content(path_of(3), content);
  files->set_content(path_of(9) + ".new", "leftover");
  files->reset_counts();
  auto opened = open_log(*files, 2);
  EXPECT_FALSE(opened.log);
  EXPECT_EQ(opened.code, ErrorCode::kUnsupported);
  EXPECT_EQ(files->changes(), 0U);
}

// A payload that holds a copy of a part of the log is no record, even when damage makes the reader look inside.
TEST(Corruption, RecordsInsideAPayloadAreNotFound) {
  FaultFileSystem files;
  {
    auto opened = open_log(files, 1, 65536);
    must(append_one(*opened.log, "one"));
    must(append_one(*opened.log, "two"));
    must(opened.log->sync());
    must(append_one(*opened.log, files.content(path_of(1)).substr(0, 4096)));
    must(append_one(*opened.log, "four"));
    must(opened.log->sync());
    must(opened.log->write_idle_marker());
    must(opened.log->sync());
    files.flip_bit(path_of(1), (opened.log->position_of({3})->offset + 30) * 8);
  }
  files.kill();
  auto opened = open_log(files, 2, 65536);
  EXPECT_EQ(opened.records, (std::map<std::uint64_t, std::string>{{1, "one"}, {2, "two"}, {4, "four"}}));
  EXPECT_EQ(opened.log->recovery().damaged.size(), 1U);
}

// Pitfall F13: flip each bit's byte and cut at every offset of a log of several segments. Whatever opens holds only
// records that were appended; what is missing is reported, or was the unvouched end.
TEST(Corruption, EveryByteFlippedAndEveryLengthCut) {
  FaultFileSystem original;
  std::map<std::uint64_t, std::string> appended;
  std::uint64_t vouched = 0;
  {
    auto opened = open_log(original);
    for (std::uint64_t i = 1; i <= 16; ++i) {
      appended[i] = std::to_string(i) + std::string(330 + i, static_cast<char>('a' + i));
      must(append_one(*opened.log, appended[i]));
      vouched = opened.log->synced_sequence().value;
      must(opened.log->sync());
      if (i == 9) must(opened.log->release_before({7}));
    }
    for (const std::uint64_t released : {1, 2, 3, 4, 5, 6}) {
      if (released < opened.log->first_sequence().value) appended.erase(released);
    }
  }
  original.kill();
  ASSERT_LT(appended.size(), 16U);
  const auto check = [&](FaultFileSystem& files, const std::string& what) {
    auto opened = open_log(files, 2);
    ASSERT_TRUE(opened.log) << what << opened.error;  // the damage here never makes a log unreadable as a whole
    for (const auto& [sequence, payload] : opened.records) {
      ASSERT_TRUE(appended.contains(sequence)) << what << " sequence " << sequence;
      ASSERT_EQ(payload, appended[sequence]) << what;
    }
    for (const auto& [sequence, payload] : appended) {
      if (opened.records.contains(sequence)) continue;
      bool told = sequence > vouched && opened.log->next_sequence().value <= sequence;
      for (const Damage& damage : opened.log->recovery().damaged) {
        told = told || (damage.first.value <= sequence && (sequence <= damage.last.value || damage.end_unknown));
      }
      ASSERT_TRUE(told) << what << ": record " << sequence << " is missing and nothing says so";
    }
    // And the log goes on from there.
    const std::uint64_t next = opened.log->next_sequence().value;
    must(append_one(*opened.log, "after"));
    must(opened.log->sync());
    files.crash(1);
    auto again = open_log(files, 3);
    ASSERT_EQ(again.records[next], "after") << what;
  };
  for (const std::string& path : original.paths()) {
    const std::size_t size = original.content(path).size();
    for (std::size_t byte = 0; byte < size; ++byte) {
      const auto files = original.clone();
      files->flip_bit(path, byte * 8 + byte % 8);
      check(*files, path + " byte " + std::to_string(byte) + " flipped");
      if (HasFatalFailure()) return;
    }
    for (std::size_t length = 0; length < size; length += length < 1500 ? 1 : 13) {
      const auto files = original.clone();
      files->set_content(path, files->content(path).substr(0, length));
      check(*files, path + " cut to " + std::to_string(length));
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace redraft::wal
