// An append reuses its buffers: no memory is reserved between an entry's payload and the kernel (architecture, section
// 1).

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <new>

#include "tests/wal/log_kit.h"

namespace {
std::size_t allocations = 0;  // of the one thread that this test has
}

// Sanitizers bring their own operators, which check more; there the count stays 0.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define REDRAFT_SANITIZED
#endif
#endif
#ifndef REDRAFT_SANITIZED
void* operator new(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif

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
  const std::size_t before = allocations;
  bool done = true;
  for (int i = 0; i < 16; ++i) done = append() && done;
  EXPECT_EQ(allocations, before);
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
