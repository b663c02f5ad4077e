#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "tests/base/fault_file_system.h"
#include "wal/codec.h"
#include "wal/log.h"

namespace redraft::wal {

inline constexpr const char* kDirectory = "/d/wal";

inline Record record_of(std::string_view payload, std::string_view header = "h", std::uint8_t kind = 7) {
  return {.kind = kind, .header = header, .payload = SharedBytes::copy_of(payload), .payload_crc = crc32c(payload)};
}

// What a log gave back when it was opened.
struct Opened {
  std::unique_ptr<Log> log;
  std::map<std::uint64_t, std::string> records;  // payload by sequence
  std::string error;
  ErrorCode code = ErrorCode::kIo;
};

inline Opened open_log(FileSystem& files, std::uint64_t seed = 1, std::uint64_t segment_size = 4096,
                       const Log::Watermark& watermark = {}) {
  Opened opened;
  auto log = Log::open(
      files, kDirectory, {.segment_size = segment_size, .salt_seed = seed},
      [&](const RecordView& view) {
        EXPECT_TRUE(opened.records.empty() || view.sequence.value > opened.records.rbegin()->first);
        EXPECT_EQ(crc32c(view.payload.view()), view.payload_crc);
        EXPECT_EQ(view.kind, 7);
        opened.records[view.sequence.value] = view.payload.view();
      },
      watermark);
  if (log) {
    opened.log = std::move(*log);
  } else {
    opened.error = log.error().message;
    opened.code = log.error().code;
  }
  return opened;
}

inline Status append_one(Log& log, std::string_view payload) {
  const Record record = record_of(payload);
  auto sequence = log.append({&record, 1});
  return sequence ? Status(Done{}) : Status(sequence.error());
}

inline void must(const Status& status) {
  ASSERT_TRUE(status.ok()) << status.error().message;
}

}  // namespace redraft::wal
