// An append reuses its buffers: no memory is reserved between an entry's payload and the kernel (architecture, section
// 1).

#include <gtest/gtest.h>
#include <stdlib.h>

#include "tests/base/allocations.h"
#include "tests/wal/log_kit.h"

namespace redraft::wal {
namespace {

TEST(Log, AppendReservesNoMemory) {
  std::string base = ::testing::TempDir() + "redraft-wal-XXXXXX";
  ASSERT_NE(::mkdtemp(base.data()), nullptr);
  const auto files = posix_file_system();
  auto log = Log::open(*files, base + "/wal", {.segment_size = 1 << 20, .salt_seed = 5}, [](const RecordView&) {});
  ASSERT_TRUE(log.ok());
  const std::vector<Record> batch = {record_of(std::string(1500, 'x')), record_of("small"), record_of("")};
  const auto append = [&] { return (*log)->append(batch).ok() && (*log)->sync().ok(); };
  for (int i = 0; i < 24; ++i) ASSERT_TRUE(append());  // 72 records; where they are is noted in a vector that doubles
  const std::uint64_t before = allocation_count();
  bool done = true;
  for (int i = 0; i < 16; ++i) done = append() && done;
  EXPECT_EQ(allocation_count(), before);
  EXPECT_TRUE(done);
  // And the same on a real file system: what was appended is there.
  log = Error{ErrorCode::kInvalid, "closed"};
  std::size_t records = 0;
  log = Log::open(*files, base + "/wal", {.segment_size = 1 << 20, .salt_seed = 6},
                  [&](const RecordView&) { ++records; });
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(records, 120U);
}

}  // namespace
}  // namespace redraft::wal
