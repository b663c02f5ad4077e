// What a BlockWriter writes is what was put, in its place, by whole blocks from aligned memory; what may not be touched
// stays.

#include "wal/block_writer.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <string>

namespace redraft::wal {
namespace {

constexpr std::uint64_t kSize = 6 << 20;
constexpr std::uint64_t kLimit = kSize - 512;

// A file in memory that takes only what File::write_directly wants.
class StrictFile final : public File {
 public:
  Status write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
    EXPECT_TRUE(direct);
    EXPECT_EQ(parts.size(), 1U);
    EXPECT_EQ(std::bit_cast<std::uintptr_t>(parts[0].data()) % BlockWriter::kBlock, 0U);
    EXPECT_EQ(offset % BlockWriter::kBlock, 0U);
    const std::uint64_t end = offset + parts[0].size();
    EXPECT_TRUE(end % BlockWriter::kBlock == 0 || end == kLimit) << end;
    ++writes;
    if (writes == fails_at) return Error{ErrorCode::kNoSpace, "full"};
    content.replace(offset, parts[0].size(), parts[0]);
    return Done{};
  }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    ++reads;
    return content.copy(into.data(), into.size(), offset);
  }
  void write_directly() override { direct = true; }
  Status sync_data() override { return Done{}; }
  Result<std::uint64_t> size() override { return content.size(); }
  Status truncate(std::uint64_t) override { return Error{ErrorCode::kInvalid, "nobody asks for this"}; }

  std::string content = std::string(kSize, 'o');
  bool direct = false;
  int writes = 0;
  int reads = 0;
  int fails_at = 0;
};

std::string some(std::mt19937_64& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>('a' + random() % 26);
  return bytes;
}

TEST(BlockWriter, WritesWhatWasPut) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    StrictFile file;
    BlockWriter writer;
    std::uint64_t offset = 512;
    std::string expected = file.content.substr(0, offset);
    while (true) {
      std::string batch;
      for (std::uint64_t n = random() % 5; n > 0; --n) {
        const bool large = random() % 8 == 0;
        batch += some(random, random() % (large ? 1'500'000 : 6000));
      }
      if (offset + batch.size() > kLimit) break;
      ASSERT_TRUE(writer.begin(file, 7, offset, kLimit).ok());
      std::string_view rest = batch;
      while (!rest.empty()) {
        const auto in_room = std::min<std::size_t>(rest.size(), random() % BlockWriter::kRoomMax);
        rest.copy(writer.room(in_room), in_room);
        rest.remove_prefix(in_room);
        const std::size_t put = random() % (rest.size() + 1);
        writer.put(rest.substr(0, put));
        rest.remove_prefix(put);
      }
      ASSERT_TRUE(writer.finish().ok());
      offset += batch.size();
      expected += batch;
      ASSERT_EQ(file.content.substr(0, offset), expected);
    }
    EXPECT_EQ(file.content.substr(kLimit), std::string(512, 'o'));
    EXPECT_EQ(file.content.size(), kSize);
    EXPECT_EQ(file.reads, 1) << "only what stood in front of the first write";
  }
}

TEST(BlockWriter, ASmallBatchIsOneWrite) {
  StrictFile file;
  BlockWriter writer;
  ASSERT_TRUE(writer.begin(file, 1, 5000, kLimit).ok());
  writer.put(std::string(500'000, 'x'));
  ASSERT_TRUE(writer.finish().ok());
  EXPECT_EQ(file.writes, 1);
  EXPECT_EQ(file.content.substr(4096, 904), std::string(904, 'o'));
  EXPECT_EQ(file.content.substr(505'000, 3), std::string(3, '\0')) << "the last block is filled up";
}

// After a failure the caller may have changed the file by other means.
TEST(BlockWriter, AfterAFailureItLooksAgain) {
  StrictFile file;
  BlockWriter writer;
  ASSERT_TRUE(writer.begin(file, 1, 512, kLimit).ok());
  writer.put("first");
  ASSERT_TRUE(writer.finish().ok());
  file.fails_at = file.writes + 2;
  ASSERT_TRUE(writer.begin(file, 1, 517, kLimit).ok());
  writer.put(std::string(3'000'000, 'x'));  // several writes, of which the second fails
  const Status failed = writer.finish();
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(file.writes, file.fails_at) << "nothing is written behind what failed";
  file.content.replace(512, 5, "FIRST");
  ASSERT_TRUE(writer.begin(file, 1, 517, kLimit).ok());
  writer.put("second");
  ASSERT_TRUE(writer.finish().ok());
  EXPECT_EQ(file.content.substr(510, 15), std::string("ooFIRSTsecond\0\0", 15));
}

TEST(BlockWriter, AnotherFileIsNotTakenForTheLastOne) {
  StrictFile file;
  BlockWriter writer;
  ASSERT_TRUE(writer.begin(file, 1, 512, kLimit).ok());
  ASSERT_TRUE(writer.finish().ok());
  file.content.replace(0, 512, std::string(512, 'n'));
  ASSERT_TRUE(writer.begin(file, 2, 512, kLimit).ok());
  writer.put("x");
  ASSERT_TRUE(writer.finish().ok());
  EXPECT_EQ(file.content.substr(0, 513), std::string(512, 'n') + "x");
}

}  // namespace
}  // namespace redraft::wal
