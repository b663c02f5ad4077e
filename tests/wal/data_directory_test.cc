// Identity, boot number, term and vote: storage-faults rows 10, 13, 16, 17, 20.

#include "wal/data_directory.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "tests/base/fault_file_system.h"
#include "wal/codec.h"

namespace redraft::wal {
namespace {

using testing::Fault;
using testing::FaultFileSystem;
using testing::Operation;

TwoSlotFile open_slots(FaultFileSystem& files) {
  static_cast<void>(files.make_directories("/d"));
  auto opened = TwoSlotFile::open(files, "/d", "vote");
  EXPECT_TRUE(opened.ok());
  return std::move(*opened);
}

TEST(TwoSlotFile, KeepsTheLastValue) {
  FaultFileSystem files;
  EXPECT_TRUE(open_slots(files).absent());
  for (const std::string value : {"one", "", "three", "a longer one"}) {
    TwoSlotFile file = open_slots(files);
    ASSERT_TRUE(file.write(value).ok());
    EXPECT_EQ(file.value(), value);
    files.crash(value.size());
    const TwoSlotFile again = open_slots(files);
    EXPECT_FALSE(again.absent());
    EXPECT_EQ(again.value(), value);
    EXPECT_FALSE(again.had_damaged_slot());
  }
}

// Pitfall F13: any damage of one slot leaves the newest value, so a vote is never forgotten; damage of both is told
// from a file that never was.
TEST(TwoSlotFile, SurvivesTheLossOfEitherSlotAndReportsTheLossOfBoth) {
  FaultFileSystem original;
  TwoSlotFile file = open_slots(original);
  for (const std::string value : {"term 1", "term 2", "term 3"}) ASSERT_TRUE(file.write(value).ok());
  for (std::size_t byte = 0; byte < original.content("/d/vote").size(); ++byte) {
    const auto files = original.clone();
    files->flip_bit("/d/vote", byte * 8 + 3);
    ASSERT_EQ(open_slots(*files).value(), "term 3") << byte;
  }
  for (const std::size_t size : {0, 20, 37}) {
    const auto files = original.clone();
    files->set_content("/d/vote", original.content("/d/vote").substr(0, size));
    EXPECT_EQ(TwoSlotFile::open(*files, "/d", "vote").error().code, ErrorCode::kCorrupt);
  }
  const auto files = original.clone();
  files->flip_bit("/d/vote", 33 * 8);
  files->flip_bit("/d/vote", (4096 + 33) * 8);
  EXPECT_EQ(TwoSlotFile::open(*files, "/d", "vote").error().code, ErrorCode::kCorrupt);
}

TEST(TwoSlotFile, RefusesAFutureVersionUntouched) {
  FaultFileSystem files;
  ASSERT_TRUE(open_slots(files).write("v").ok());
  std::string content = files.content("/d/vote");
  store_little(content.data() + 8, std::uint32_t{2});
  store_little(content.data() + 24, crc32c_extend(crc32c({content.data(), 24}), "v"));
  files.set_content("/d/vote", content);
  files.reset_counts();
  EXPECT_EQ(TwoSlotFile::open(files, "/d", "vote").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(files.changes(), 0U);
}

// Pitfalls A2, F6; rows 5, 10, 13: whatever operation is the last, or fails, the value is the last one written or the
// one whose writing was under way, never an older one.
TEST(TwoSlotFile, IsNeverOlderThanWhatWasWritten) {
  const auto life = [](FaultFileSystem& files, int& written) {
    auto file = TwoSlotFile::open(files, "/d", "vote");
    if (!file) return;
    while (written < 5) {
      if (!file->write("value " + std::to_string(written + 1))) return;
      ++written;
    }
  };
  const auto check = [](FaultFileSystem& files, int written, const std::string& what) {
    auto file = TwoSlotFile::open(files, "/d", "vote");
    ASSERT_TRUE(file.ok()) << what << file.error().message;
    if (file->absent()) {
      ASSERT_EQ(written, 0) << what;
      return;
    }
    const std::string expected = "value " + std::to_string(written);
    ASSERT_TRUE(file->value() == expected || file->value() == "value " + std::to_string(written + 1)) << what;
    const std::string seen = file->value();
    files.crash(77);  // what was once read stays
    ASSERT_EQ(TwoSlotFile::open(files, "/d", "vote")->value(), seen) << what;
  };
  for (std::uint64_t nth = 1; nth <= 40; ++nth) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      for (const int how : {0, 1, 2}) {
        FaultFileSystem files;
        ASSERT_TRUE(files.make_directories("/d").ok());
        if (how == 0) files.stop_at_change(nth);
        if (how == 1) files.fail_change(nth, Fault::kIo);
        if (how == 2) files.fail_change(nth, Fault::kIoAfterPart);
        int written = 0;
        life(files, written);
        if (how != 0 && seed == 0) {
          files.kill();
        } else {
          files.crash(seed);
        }
        check(files, written, "operation " + std::to_string(nth) + " seed " + std::to_string(seed));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(TwoSlotFile, FullDiskKeepsTheOldValue) {
  FaultFileSystem files;
  TwoSlotFile file = open_slots(files);
  files.fail(Operation::kWrite, 1, Fault::kNoSpace);
  EXPECT_EQ(file.write("first").error().code, ErrorCode::kNoSpace);
  EXPECT_TRUE(file.absent());
  ASSERT_TRUE(file.write("second").ok());
  files.fail(Operation::kWrite, 1, Fault::kNoSpace);
  EXPECT_EQ(file.write("third").error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(open_slots(files).value(), "second");
  ASSERT_TRUE(file.write("fourth").ok());
  files.crash(1);
  EXPECT_EQ(open_slots(files).value(), "fourth");
}

TEST(DataDirectory, IdentityAndBootNumberLast) {
  FaultFileSystem files;
  Identity identity{.cluster_id = {1, 2, 3}, .node_id = 7, .incarnation = 99, .boot = 0};
  {
    auto directory = DataDirectory::open(files, "/data");
    ASSERT_TRUE(directory.ok());
    EXPECT_FALSE(directory->identity());  // row 16: an empty directory is nobody
    EXPECT_FALSE(directory->has_log().value());
    ASSERT_TRUE(directory->set_identity(identity).ok());
  }
  for (std::uint64_t boot = 1; boot <= 5; ++boot) {
    files.crash(boot);
    auto directory = DataDirectory::open(files, "/data");
    ASSERT_TRUE(directory.ok());
    EXPECT_EQ(directory->raise_boot().value(), boot);
    identity.boot = boot;
    EXPECT_EQ(directory->identity(), identity);
    // Row 17, pitfall D10: one process at a time.
    EXPECT_EQ(DataDirectory::open(files, "/data").error().code, ErrorCode::kInUse);
    EXPECT_EQ(directory->log_directory().value(), "/data/wal");
    EXPECT_EQ(directory->snapshot_directory(3).value(), "/data/group-3/snapshot");
    EXPECT_TRUE(directory->open_vote()->absent());
  }
}

// What a boot may have promised binds the later ones (pitfall C5), and a directory that never promised has no word of
// it.
TEST(DataDirectory, PromisesLastAndNeverShrink) {
  FaultFileSystem files;
  ASSERT_TRUE(DataDirectory::open(files, "/data")->set_identity({.cluster_id = {}, .node_id = 1}).ok());
  EXPECT_EQ(encode_identity({.cluster_id = {}, .node_id = 1}).size(), 56U);
  for (const std::uint64_t promise : {0U, 500U}) {
    const Identity alone{.cluster_id = {}, .node_id = 1, .promise_us = promise, .founded_alone = true};
    EXPECT_EQ(*decode_identity(encode_identity(alone)), alone);
  }
  std::uint64_t longest = 0;
  for (const std::uint64_t promise : {0U, 500U, 0U, 200U, 700U}) {
    longest = std::max(longest, promise);
    auto directory = DataDirectory::open(files, "/data");
    ASSERT_TRUE(directory.ok());
    ASSERT_TRUE(directory->raise_boot(promise).ok());
    EXPECT_EQ(directory->identity()->promise_us, longest);
    files.crash(promise);
  }
  EXPECT_EQ(DataDirectory::open(files, "/data")->identity()->promise_us, 700U);
}

TEST(DataDirectory, DamagedIdentityIsNotANewDirectory) {
  FaultFileSystem files;
  ASSERT_TRUE(DataDirectory::open(files, "/data")->set_identity({.cluster_id = {}, .node_id = 1}).ok());
  files.set_content("/data/identity", std::string(8192, '\0'));
  EXPECT_EQ(DataDirectory::open(files, "/data").error().code, ErrorCode::kCorrupt);
  ASSERT_TRUE(files.make_directories("/data/wal").ok());
  files.set_content("/data/wal/" + segment_name(3), "x");
  files.remove_silently("/data/identity");
  auto directory = DataDirectory::open(files, "/data");
  ASSERT_TRUE(directory.ok());
  EXPECT_FALSE(directory->identity());
  EXPECT_TRUE(directory->has_log().value());
}

}  // namespace
}  // namespace redraft::wal
