#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/shared_bytes.h"

namespace redraft::wal {

// The log's own number of a record: the first record ever is 1, the next is always one more. The log is never truncated
// logically; whoever writes it decides what a later record overrides. Only records that recovery cut, which nobody was
// ever told to be durable, give their numbers back.
struct Sequence {
  std::uint64_t value = 0;  // 0: no record
  friend auto operator<=>(Sequence, Sequence) = default;
};

// Limits of one record, checked before memory is reserved (pitfall F3): 1 MiB of commands plus the writer's own
// framing.
inline constexpr std::size_t kPayloadSizeMax = (std::size_t{1} << 20) + 4096;
inline constexpr std::size_t kHeaderSizeMax = 4096;

// What is appended. `kind` and `header` mean nothing to the log; `header` is borrowed for the duration of the call.
struct Record {
  std::uint8_t kind = 0;
  std::string_view header;
  SharedBytes payload;
  std::uint32_t payload_crc = 0;  // crc32c(payload), computed once by whoever encoded it and checked at each hop
};

// Where a record lies: a segment's number and the offset in its file, in bytes.
struct Position {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

// What is read back. Both checksums have been verified. `header` is a view that lasts as long as the call it is handed
// to; `payload` owns its bytes.
struct RecordView {
  Sequence sequence;
  std::uint8_t kind = 0;
  std::string_view header;
  SharedBytes payload;
  std::uint32_t payload_crc = 0;
  Position position;
};

}  // namespace redraft::wal
