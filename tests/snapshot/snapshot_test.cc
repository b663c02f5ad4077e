// Snapshot files: storage-faults rows 5, 7 to 9, 12, 13, 20; pitfalls E2, E5 to E7, F3, F13, F14.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/crc32c.h"
#include "base/little_endian.h"
#include "snapshot/codec.h"
#include "snapshot/snapshot_directory.h"
#include "snapshot/snapshot_reader.h"
#include "snapshot/snapshot_receiver.h"
#include "snapshot/snapshot_writer.h"
#include "tests/base/fault_file_system.h"

namespace redraft::snapshot {
namespace {

using testing::Fault;
using testing::FaultFileSystem;
using testing::Operation;

constexpr const char* kDirectory = "/d/snapshot";

struct Content {
  Metadata metadata;
  std::vector<std::pair<std::uint32_t, std::string>> chunks;
};

Content content_of(std::uint64_t index, std::size_t scale = 1) {
  Content content{.metadata = {.index = index,
                               .term = 3,
                               .clock_ms = 1234567,
                               .feature_level = 2,
                               .membership = "members",
                               .application = "application"},
                  .chunks = {}};
  std::string noise;  // does not compress
  std::uint32_t state = 7;
  for (std::size_t i = 0; i < 300 * scale; ++i) {
    state = state * 1664525 + 1013904223;
    noise += static_cast<char>(state >> 24);
  }
  content.chunks = {{1, std::string(1000 * scale, 'a')}, {2, noise}, {7, ""}, {1, std::to_string(index)}};
  return content;
}

Result<FileKey> write(FileSystem& files, const Content& content, bool compress = true) {
  if (Status made = files.make_directories(kDirectory); !made) return made.error();
  auto writer = SnapshotWriter::create(files, kDirectory, content.metadata, {.compress = compress});
  if (!writer) return writer.error();
  for (const auto& [kind, bytes] : content.chunks) {
    if (Status added = (*writer)->add_chunk(kind, bytes); !added) return added.error();
  }
  return (*writer)->finish();
}

// All of a file, only if its end was reported.
Result<Content> read(SnapshotReader& reader) {
  Content content{.metadata = reader.metadata(), .chunks = {}};
  while (true) {
    auto chunk = reader.next_chunk();
    if (!chunk) return chunk.error();
    if (!*chunk) return content;
    content.chunks.emplace_back((*chunk)->kind, (*chunk)->bytes);
  }
}

void expect_equal(const Content& a, const Content& b) {
  EXPECT_EQ(a.metadata, b.metadata);
  EXPECT_EQ(a.chunks, b.chunks);
}

std::string path_of(std::uint64_t index) {
  return std::string(kDirectory) + "/" + finished_name(index, 3);
}

TEST(Snapshot, GivesBackWhatWasWritten) {
  for (const bool compress : {true, false}) {
    FaultFileSystem files;
    const Content content = content_of(42, 500);
    const FileKey key = write(files, content, compress).value();
    files.crash(1);  // rows 12, 13: durable under its name when finish has returned
    auto reader = SnapshotReader::open(files, path_of(42));
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ((*reader)->key(), key);
    EXPECT_EQ((*reader)->chunk_count(), 4U);
    EXPECT_TRUE((*reader)->verify().ok());
    expect_equal(read(**reader).value(), content);
    EXPECT_EQ(files.content(path_of(42)).size(), key.size);
    EXPECT_EQ(key.size < 200000, compress);
  }
}

TEST(Snapshot, MayBeEmpty) {
  FaultFileSystem files;
  ASSERT_TRUE(write(files, {}).ok());
  auto reader = SnapshotReader::open(files, std::string(kDirectory) + "/" + finished_name(0, 0));
  EXPECT_TRUE(read(**reader)->chunks.empty());
}

// Row 9, pitfalls E2, F13: no flipped byte and no cut goes unnoticed, and no chunk list ends as if it were whole.
TEST(Snapshot, EveryByteFlippedAndEveryLengthCutIsNoticed) {
  FaultFileSystem files;
  ASSERT_TRUE(write(files, content_of(5)).ok());
  const std::string good = files.content(path_of(5));
  const auto refused = [&](const std::string& bytes) {
    files.set_content(path_of(5), bytes);
    auto reader = SnapshotReader::open(files, path_of(5));
    if (!reader) return reader.error().code == ErrorCode::kCorrupt;
    auto content = read(**reader);
    return !content && content.error().code == ErrorCode::kCorrupt &&
           content.error().message.find("offset") != std::string::npos;
  };
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int mask : {1, 128}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ mask);
      ASSERT_TRUE(refused(bad)) << "byte " << i;
    }
    ASSERT_TRUE(refused(good.substr(0, i))) << "cut at " << i;
  }
  ASSERT_TRUE(refused(good + "x"));
  ASSERT_TRUE(refused(good + good));
}

// Pitfall F3: sizes with a right checksum but beyond the limits are refused before memory is reserved.
TEST(Snapshot, RefusesSizesOutOfBounds) {
  std::string bytes(kChunkHeaderSize, '\0');
  encode(ChunkHeader{.raw_size = kChunkSizeMax, .stored_size = kChunkSizeMax}, bytes.data());
  EXPECT_TRUE(decode_chunk_header(bytes));
  encode(ChunkHeader{.raw_size = kChunkSizeMax + 1, .stored_size = 1}, bytes.data());
  EXPECT_FALSE(decode_chunk_header(bytes));
  encode(ChunkHeader{.raw_size = 4, .stored_size = 5}, bytes.data());
  EXPECT_FALSE(decode_chunk_header(bytes));
  std::string header = encode_header({});
  store_little(header.data() + 12, std::uint32_t{0x7fffffff});
  EXPECT_FALSE(decode_header_size(header).ok());
  // Two chunks in the wrong order are damage, though each is whole (row 15).
  FaultFileSystem files;
  ASSERT_TRUE(write(files, {.metadata = {}, .chunks = {{1, "aaaa"}, {1, "bbbb"}}}, false).ok());
  const std::string path = std::string(kDirectory) + "/" + finished_name(0, 0);
  std::string swapped = files.content(path);
  const std::size_t begin = encode_header({}).size();
  std::swap_ranges(swapped.begin() + begin, swapped.begin() + begin + 36, swapped.begin() + begin + 36);
  files.set_content(path, swapped);
  EXPECT_FALSE((*SnapshotReader::open(files, path))->verify().ok());
}

// Row 15: a whole chunk of another file, right in itself and in its place, is noticed by the digest alone.
TEST(Snapshot, NoticesAChunkOfAnotherFile) {
  FaultFileSystem files;
  Content one{.metadata = {}, .chunks = {{1, "aaaa"}, {1, "bbbb"}}};
  one.metadata.index = 1;
  ASSERT_TRUE(write(files, one, false).ok());
  Content two{.metadata = {}, .chunks = {{1, "cccc"}, {1, "dddd"}}};
  two.metadata.index = 2;
  ASSERT_TRUE(write(files, two, false).ok());
  const std::string path = std::string(kDirectory) + "/" + finished_name(1, 0);
  const std::size_t begin = encode_header({}).size();
  std::string mixed = files.content(path);
  mixed.replace(begin, 36, files.content(std::string(kDirectory) + "/" + finished_name(2, 0)).substr(begin, 36));
  files.set_content(path, mixed);
  auto reader = SnapshotReader::open(files, path);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*reader)->next_chunk().value()->bytes, "cccc");
  EXPECT_TRUE((*reader)->next_chunk().ok());
  EXPECT_EQ((*reader)->next_chunk().error().code, ErrorCode::kCorrupt);
  const FileKey key = (*reader)->key();
  auto receiver = SnapshotReceiver::open(files, kDirectory, key).value();
  ASSERT_TRUE(receiver->write(0, mixed).ok());
  EXPECT_EQ(receiver->finish().error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(receiver->received(), 0U);
}

// Row 20.
TEST(Snapshot, RefusesAFutureVersion) {
  FaultFileSystem files;
  ASSERT_TRUE(write(files, content_of(4)).ok());
  ASSERT_TRUE(write(files, content_of(5)).ok());
  std::string bytes = files.content(path_of(5));
  store_little(bytes.data() + 8, std::uint32_t{2});
  const std::size_t size = load_little<std::uint32_t>(bytes.data() + 12);
  store_little(bytes.data() + size - 4, crc32c({bytes.data(), size - 4}));
  files.set_content(path_of(5), bytes);
  EXPECT_EQ(SnapshotReader::open(files, path_of(5)).error().code, ErrorCode::kUnsupported);
  files.reset_counts();
  EXPECT_EQ(open_newest(files, kDirectory).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(files.changes(), 0U);
}

// Row 9: the newest that verifies as a whole is chosen; with none left the caller must ask a peer.
TEST(SnapshotDirectory, FallsBackToTheOlderOne) {
  FaultFileSystem files;
  ASSERT_TRUE(files.make_directories(kDirectory).ok());
  EXPECT_EQ(open_newest(files, kDirectory)->reader, nullptr);
  for (const std::uint64_t index : {10, 20, 300}) ASSERT_TRUE(write(files, content_of(index)).ok());
  EXPECT_EQ(open_newest(files, kDirectory)->reader->metadata().index, 300U);
  files.flip_bit(path_of(300), 8 * 200);
  auto selection = open_newest(files, kDirectory);
  EXPECT_EQ(selection->reader->metadata().index, 20U);
  ASSERT_EQ(selection->problems.size(), 1U);
  EXPECT_NE(selection->problems[0].find(path_of(300)), std::string::npos);
  files.fail_always(Operation::kRead, Fault::kIo, finished_name(20, 3));  // row 8
  EXPECT_EQ(open_newest(files, kDirectory)->reader->metadata().index, 10U);
  files.set_content(path_of(10), "");  // pitfall E2: zero length is not an empty state
  EXPECT_EQ(open_newest(files, kDirectory)->reader, nullptr);
  EXPECT_EQ(open_newest(files, kDirectory)->problems.size(), 3U);
}

TEST(SnapshotDirectory, KeepsTheNewestAndRemovesLeftovers) {
  FaultFileSystem files;
  for (const std::uint64_t index : {10, 20, 30}) ASSERT_TRUE(write(files, content_of(index)).ok());
  files.set_content(path_of(40) + ".tmp", "interrupted");
  files.set_content(path_of(50) + ".tmp", "running");
  const FileKey old_key{.index = 25, .term = 3, .size = 1000};
  const FileKey new_key{.index = 35, .term = 3, .size = 1000};
  files.set_content(std::string(kDirectory) + "/" + part_name(old_key), "x");
  files.set_content(std::string(kDirectory) + "/" + part_name(new_key), "x");
  files.set_content(std::string(kDirectory) + "/somebody's", "x");
  ASSERT_TRUE(clean_directory(files, kDirectory, 2, 50).ok());
  files.crash(0);
  std::vector<std::string> expected = {"somebody's", finished_name(20, 3), finished_name(30, 3), part_name(new_key),
                                       finished_name(50, 3) + ".tmp"};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(files.list(kDirectory).value(), expected);
  EXPECT_TRUE(has_partial_transfer(files, kDirectory).value());
  ASSERT_TRUE(clean_directory(files, kDirectory, 1).ok());
  EXPECT_EQ(list_snapshots(files, kDirectory)->size(), 1U);
}

// Rows 12, 13, pitfalls E2, F14: whatever operation is the last or fails, with a full disk too, the older snapshot is
// there, and the newer one is whole or not listed; a temporary file is not left behind by an error.
TEST(SnapshotWriter, IsAllOrNothing) {
  FaultFileSystem original;
  ASSERT_TRUE(write(original, content_of(10)).ok());
  const Content newer = content_of(20, 400);
  std::uint64_t changes = 0;
  {
    const auto files = original.clone();
    ASSERT_TRUE(write(*files, newer).ok());
    changes = files->changes();
  }
  const auto check = [&](FaultFileSystem& files, bool finished, const std::string& what) {
    auto selection = open_newest(files, kDirectory);
    ASSERT_TRUE(selection.ok()) << what << selection.error().message;
    ASSERT_TRUE(selection->problems.empty()) << what << selection->problems[0];
    const std::uint64_t index = selection->reader->metadata().index;
    ASSERT_TRUE(index == 20 || (index == 10 && !finished)) << what;
    ASSERT_TRUE(clean_directory(files, kDirectory).ok());
    ASSERT_EQ(files.list(kDirectory)->size(), index == 20 ? 2U : 1U);
  };
  for (std::uint64_t nth = 1; nth <= changes + 1; ++nth) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const auto files = original.clone();
      files->stop_at_change(nth);
      const bool finished = write(*files, newer).ok();
      files->crash(seed);
      check(*files, finished, "stopped at " + std::to_string(nth));
      if (HasFatalFailure()) return;
    }
    for (const Fault fault : {Fault::kIo, Fault::kNoSpace, Fault::kIoAfterPart}) {
      const auto files = original.clone();
      files->fail_change(nth, fault);
      const bool finished = write(*files, newer).ok();
      ASSERT_EQ(finished, nth > changes);
      ASSERT_FALSE(files->exists(path_of(20) + ".tmp"));
      files->clear_faults();
      ASSERT_TRUE(write(*files, content_of(30)).ok()) << "row 7: the next one works";
      files->crash(nth);
      auto selection = open_newest(*files, kDirectory);
      ASSERT_TRUE(selection->problems.empty());
      ASSERT_EQ(selection->reader->metadata().index, 30U);
    }
  }
}

std::vector<std::string> ranges_of(FaultFileSystem& files, const std::string& path, std::size_t size) {
  auto reader = SnapshotReader::open(files, path);
  std::vector<std::string> ranges;
  for (std::uint64_t offset = 0; offset < (*reader)->key().size; offset += size) {
    std::string range(std::min<std::uint64_t>(size, (*reader)->key().size - offset), '\0');
    EXPECT_TRUE((*reader)->read_range(offset, range).ok());
    ranges.push_back(range);
  }
  std::string beyond(10, '\0');
  EXPECT_FALSE((*reader)->read_range((*reader)->key().size - 9, beyond).ok());  // pitfall E6
  return ranges;
}

// Pitfalls E5, E7: any size of ranges, ranges sent twice or too far ahead, a restart at any moment.
TEST(SnapshotReceiver, TakesRangesOfAnySizeThroughRestarts) {
  FaultFileSystem sender;
  const Content content = content_of(20, 3);
  const FileKey key = write(sender, content).value();
  for (const std::size_t size : {1, 7, 100, 1000, 100000}) {
    const std::vector<std::string> ranges = ranges_of(sender, path_of(20), size);
    FaultFileSystem files;
    ASSERT_TRUE(files.make_directories(kDirectory).ok());
    auto receiver = SnapshotReceiver::open(files, kDirectory, key).value();
    std::uint64_t restarts = 0;
    while (!receiver->complete()) {
      const std::uint64_t at = receiver->received();
      const std::string& range = ranges[at / size];
      ASSERT_EQ(receiver->write(at / size * size, range).value(), at / size * size + range.size());
      ASSERT_EQ(receiver->write(0, ranges[0]).value(), receiver->received());
      if (!receiver->complete()) {
        ASSERT_EQ(receiver->write(receiver->received() + 1, "").value(), receiver->received());
      }
      if (size > 1 && restarts < 6 && at / size % 3 == 1) {
        ++restarts;
        restarts % 2 == 0 ? files.kill() : files.crash(at);
        EXPECT_TRUE(files.exists(std::string(kDirectory)));
        receiver = SnapshotReceiver::open(files, kDirectory, key).value();
        ASSERT_LE(receiver->received(), at + size);
        ASSERT_TRUE(list_snapshots(files, kDirectory)->empty());
      }
    }
    EXPECT_FALSE(receiver->write(key.size, "x").ok());
    ASSERT_EQ(receiver->finish().value(), path_of(20));
    files.crash(3);
    auto selection = open_newest(files, kDirectory);
    ASSERT_NE(selection->reader, nullptr);
    EXPECT_EQ(selection->reader->key(), key);
    expect_equal(read(*selection->reader).value(), content);
    EXPECT_FALSE(has_partial_transfer(files, kDirectory).value());
  }
}

// A kill without power loss keeps all whole chunks: progress is not rewound to zero (pitfall E7).
TEST(SnapshotReceiver, KeepsItsProgressOverARestart) {
  FaultFileSystem sender;
  const FileKey key = write(sender, content_of(20, 3)).value();
  const std::string bytes = sender.content(path_of(20));
  FaultFileSystem files;
  ASSERT_TRUE(files.make_directories(kDirectory).ok());
  {
    auto receiver = SnapshotReceiver::open(files, kDirectory, key).value();
    ASSERT_TRUE(receiver->write(0, bytes.substr(0, bytes.size() - kFooterSize - 1)).ok());
  }
  files.kill();
  auto receiver = SnapshotReceiver::open(files, kDirectory, key).value();
  EXPECT_GT(receiver->received(), bytes.size() - kFooterSize - 40);
  // Another file of the same index is another transfer (pitfall E5).
  FileKey other = key;
  other.digest[0] ^= 1;
  EXPECT_EQ(SnapshotReceiver::open(files, kDirectory, other).value()->received(), 0U);
}

// Row 9, pitfall E5: a wrong byte on the way never gets a name, is noticed at its chunk, and can be sent again.
TEST(SnapshotReceiver, NoticesEveryWrongByte) {
  FaultFileSystem sender;
  const FileKey key = write(sender, content_of(20)).value();
  const std::string good = sender.content(path_of(20));
  for (std::size_t i = 0; i < good.size(); ++i) {
    FaultFileSystem files;
    ASSERT_TRUE(files.make_directories(kDirectory).ok());
    auto receiver = SnapshotReceiver::open(files, kDirectory, key).value();
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    const auto written = receiver->write(0, bad);
    if (written.ok()) {
      // A checked field may differ only where nothing but the digest covers it; there is no such byte.
      FAIL() << "byte " << i << " was taken";
    }
    ASSERT_LE(receiver->received(), i);
    ASSERT_TRUE(receiver->write(0, good).ok());
    ASSERT_TRUE(receiver->complete());
    ASSERT_TRUE(receiver->finish().ok());
  }
}

TEST(SnapshotReceiver, FailuresLeaveNothingListed) {
  FaultFileSystem sender;
  const FileKey key = write(sender, content_of(20)).value();
  const std::string bytes = sender.content(path_of(20));
  for (std::uint64_t nth = 1; nth <= 8; ++nth) {
    for (const Fault fault : {Fault::kIo, Fault::kNoSpace}) {
      FaultFileSystem files;
      ASSERT_TRUE(files.make_directories(kDirectory).ok());
      files.fail_change(nth, fault);
      auto receiver = SnapshotReceiver::open(files, kDirectory, key);
      bool finished = false;
      if (receiver) {
        bool written = true;
        for (std::size_t at = 0; at < bytes.size() && written; at += 400) {
          written = (*receiver)->write(at, bytes.substr(at, 400)).ok();
        }
        finished = written && (*receiver)->finish().ok();
        if (!written) (*receiver)->discard();
      }
      files.crash(nth);
      const auto selection = open_newest(files, kDirectory);
      ASSERT_TRUE(selection.ok() && selection->problems.empty());
      ASSERT_TRUE(selection->reader != nullptr || !finished);
    }
  }
  EXPECT_EQ(SnapshotReceiver::open(sender, kDirectory, FileKey{}).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace redraft::snapshot
