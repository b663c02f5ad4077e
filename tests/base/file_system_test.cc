// Both file systems keep the contract of base/file_system.h, and the faulty one loses what a power cut may lose.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/file_system.h"
#include "tests/base/fault_file_system.h"

namespace redraft {
namespace {

using testing::Fault;
using testing::FaultFileSystem;
using testing::Operation;

Status write(File& file, std::uint64_t offset, std::string_view bytes) {
  return file.write_at(offset, {&bytes, 1});
}

void keeps_the_contract(FileSystem& files, const std::string& base) {
  const std::string directory = base + "/a/b";
  ASSERT_TRUE(files.make_directories(directory).ok());
  ASSERT_TRUE(files.make_directories(directory).ok());
  EXPECT_EQ(files.open(directory + "/x", OpenMode::kRead).error().code, ErrorCode::kNotFound);
  {
    auto file = files.open(directory + "/x", OpenMode::kCreateNew);
    ASSERT_TRUE(file.ok());
    std::vector<std::string> pieces(3000, "piece;");  // more parts than one pwritev takes
    std::vector<std::string_view> parts(pieces.begin(), pieces.end());
    parts.insert(parts.begin() + 7, std::string_view());
    ASSERT_TRUE((*file)->write_at(10, parts).ok());
    EXPECT_EQ((*file)->size().value(), 10 + 3000 * 6);
    std::string back(20, '\0');
    EXPECT_EQ((*file)->read_at(8, back).value(), 20U);
    EXPECT_EQ(back, std::string(2, '\0') + "piece;piece;piece;");
    EXPECT_EQ((*file)->read_at(10 + 3000 * 6 - 3, back).value(), 3U);  // the end of the file, pitfall E6
    EXPECT_TRUE((*file)->sync_data().ok());
    EXPECT_TRUE((*file)->truncate(12).ok());
    EXPECT_EQ((*file)->size().value(), 12U);
  }
  {
    // Past the cache and through it, in turns: whoever reads sees the last write.
    auto file = files.open(directory + "/direct", OpenMode::kCreateNew);
    ASSERT_TRUE(file.ok());
    (*file)->write_directly();
    alignas(4096) static std::array<char, 8192> block;
    block.fill('d');
    ASSERT_TRUE(write(**file, 0, {block.data(), block.size()}).ok());
    ASSERT_TRUE(write(**file, 100, "cached").ok());
    std::string back(8192, '\0');
    EXPECT_EQ((*file)->read_at(0, back).value(), back.size());
    EXPECT_EQ(back, std::string(100, 'd') + "cached" + std::string(8192 - 106, 'd'));
    block.fill('e');
    ASSERT_TRUE(write(**file, 0, {block.data(), 4096}).ok());
    ASSERT_TRUE(write(**file, 7680, {block.data(), 512}).ok());  // whole sectors, not whole blocks
    EXPECT_EQ((*file)->read_at(0, back).value(), back.size());
    EXPECT_EQ(back, std::string(4096, 'e') + std::string(7680 - 4096, 'd') + std::string(512, 'e'));
    EXPECT_TRUE((*file)->sync_data().ok());
  }
  EXPECT_TRUE(files.remove(directory + "/direct").ok());
  EXPECT_FALSE(files.open(directory + "/x", OpenMode::kCreateNew).ok());
  ASSERT_TRUE(files.rename(directory + "/x", directory + "/y").ok());
  EXPECT_TRUE(files.exists(directory + "/y"));
  EXPECT_EQ(files.list(directory).value(), std::vector<std::string>{"y"});
  EXPECT_EQ(files.list(base + "/a").value(), std::vector<std::string>{"b"});
  ASSERT_TRUE(files.sync_directory(directory).ok());
  {
    auto lock = files.lock(directory + "/lock");  // storage-faults row 17
    ASSERT_TRUE(lock.ok());
    EXPECT_EQ(files.lock(directory + "/lock").error().code, ErrorCode::kInUse);
  }
  EXPECT_TRUE(files.lock(directory + "/lock").ok());
  EXPECT_TRUE(files.remove(directory + "/y").ok());
  EXPECT_EQ(files.remove(directory + "/y").error().code, ErrorCode::kNotFound);
  EXPECT_GT(files.free_bytes(directory).value(), 0U);
}

// Of this process, those that bypass the cache.
int direct_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_DIRECT) != 0) ++count;
  }
  return count;
}

TEST(FileSystem, PosixKeepsTheContract) {
  std::string base = ::testing::TempDir() + "redraft-file-system-XXXXXX";
  ASSERT_NE(::mkdtemp(base.data()), nullptr);
  const auto files = posix_file_system();
  keeps_the_contract(*files, base);
}

// Where the file system can, whatever the file has been called since it was opened, and once only.
TEST(FileSystem, ARenamedFileIsWrittenDirectlyToo) {
  std::string directory = ::testing::TempDir() + "redraft-file-system-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const auto files = posix_file_system();
  auto file = files->open(directory + "/new", OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  struct statx status {};
  const bool can = ::statx(AT_FDCWD, (directory + "/new").c_str(), 0, STATX_DIOALIGN, &status) == 0 &&
                   (status.stx_mask & STATX_DIOALIGN) != 0 && status.stx_dio_offset_align != 0 &&
                   status.stx_dio_offset_align <= 512;
  ASSERT_TRUE(files->rename(directory + "/new", directory + "/final").ok());
  (*file)->write_directly();
  EXPECT_EQ(direct_descriptors(), can ? 1 : 0);
  (*file)->write_directly();
  EXPECT_EQ(direct_descriptors(), can ? 1 : 0);
  file->reset();
  EXPECT_EQ(direct_descriptors(), 0);
  EXPECT_TRUE(files->remove(directory + "/final").ok());
  EXPECT_EQ(::rmdir(directory.c_str()), 0);
}

TEST(FileSystem, FaultyKeepsTheContract) {
  FaultFileSystem files;
  keeps_the_contract(files, "/data");
}

// Row 10: synced bytes stay, unsynced sectors may come in any subset; over many seeds each outcome is seen.
TEST(FaultFileSystem, CrashKeepsSomeSubsetOfUnsyncedSectors) {
  FaultFileSystem original;
  ASSERT_TRUE(original.make_directories("/d").ok());
  {
    auto file = original.open("/d/f", OpenMode::kCreateNew);
    ASSERT_TRUE(write(**file, 0, std::string(2048, 'a')).ok());
    ASSERT_TRUE((*file)->sync_data().ok());
    ASSERT_TRUE(original.sync_directory("/d").ok());
    ASSERT_TRUE(write(**file, 512, std::string(1024, 'b')).ok());
    ASSERT_TRUE(write(**file, 2048, std::string(512, 'c')).ok());
  }
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto files = original.clone();
    files->crash(seed);
    const std::string content = files->content("/d/f");
    ASSERT_GE(content.size(), 2048U);
    EXPECT_EQ(content.substr(0, 512), std::string(512, 'a'));
    EXPECT_EQ(content.substr(1536, 512), std::string(512, 'a'));
    std::string outcome;
    for (std::size_t sector = 1; sector * 512 < content.size(); ++sector) outcome += content[sector * 512];
    outcomes.insert(outcome);
  }
  EXPECT_TRUE(outcomes.contains("aaa"));
  EXPECT_TRUE(outcomes.contains("bbac"));
  const auto starts_with = [&](std::string_view beginning) {
    return std::ranges::any_of(outcomes, [&](const std::string& outcome) { return outcome.starts_with(beginning); });
  };
  EXPECT_TRUE(starts_with("baa"));
  EXPECT_TRUE(starts_with("aba"));
}

// Row 13: a name without a directory sync may be gone, whatever was synced in the file; a removed one may be back.
TEST(FaultFileSystem, CrashKeepsSomeSubsetOfUnsyncedNames) {
  FaultFileSystem original;
  ASSERT_TRUE(original.make_directories("/d").ok());
  original.set_content("/d/old", "old");
  {
    auto file = original.open("/d/new.tmp", OpenMode::kCreateNew);
    ASSERT_TRUE(write(**file, 0, "new").ok());
    ASSERT_TRUE((*file)->sync_data().ok());
    ASSERT_TRUE(original.rename("/d/new.tmp", "/d/new").ok());
    ASSERT_TRUE(original.remove("/d/old").ok());
  }
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto files = original.clone();
    files->crash(seed);
    std::string outcome;
    for (const std::string& path : files->paths()) outcome += path.substr(3) + " ";
    outcomes.insert(outcome);
    if (files->exists("/d/new")) {
      EXPECT_EQ(files->content("/d/new"), "new");
    }
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"old ", "", "new ", "new old ", "new.tmp ", "new.tmp old "}));
}

// Row 5: after a failed sync the pages look clean; a later sync that succeeds does not bring them to disk.
TEST(FaultFileSystem, FailedSyncIsNotMadeGoodByTheNext) {
  bool lost = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    FaultFileSystem files;
    files.set_content("/d/f", std::string(512, 'a'));
    auto file = files.open("/d/f", OpenMode::kReadWrite);
    ASSERT_TRUE(write(**file, 0, std::string(512, 'b')).ok());
    files.fail(Operation::kSyncData, 1, Fault::kIo);
    EXPECT_FALSE((*file)->sync_data().ok());
    EXPECT_TRUE((*file)->sync_data().ok());
    EXPECT_EQ(files.content("/d/f")[0], 'b');
    files.crash(seed);
    lost = lost || files.content("/d/f")[0] == 'a';
  }
  EXPECT_TRUE(lost);
}

TEST(FaultFileSystem, FaultsComeWhenAskedFor) {
  FaultFileSystem files;
  ASSERT_TRUE(files.make_directories("/d").ok());
  auto file = files.open("/d/f", OpenMode::kCreateNew);
  files.fail(Operation::kWrite, 2, Fault::kNoSpace, "/f");
  EXPECT_TRUE(write(**file, 0, "1234").ok());
  EXPECT_EQ(write(**file, 4, "5678").error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(files.content("/d/f"), "123456");
  files.set_capacity(8);
  EXPECT_EQ(write(**file, 6, "abcdef").error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(files.content("/d/f"), "123456ab");
  EXPECT_TRUE(write(**file, 0, "again123").ok());
  files.set_capacity(std::nullopt);
  files.stop_at_change(2);
  EXPECT_TRUE(write(**file, 0, "x").ok());
  EXPECT_FALSE((*file)->sync_data().ok());
  EXPECT_FALSE(files.rename("/d/f", "/d/g").ok());
  EXPECT_TRUE(files.stopped());
  files.kill();
  EXPECT_FALSE(write(**file, 0, "x").ok());
  EXPECT_EQ(files.count(Operation::kSyncData), 1U);
}

}  // namespace
}  // namespace redraft
