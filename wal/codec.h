#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/little_endian.h"
#include "base/result.h"
#include "wal/record.h"

// The bytes of docs/wal-format.md: segment headers and record headers, and nothing that does input or output.
namespace redraft::wal {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kSegmentHeaderSize = 64;
// The header stands at 0 and again in the last sector; records lie between. A sector is written as a whole or not at
// all, so neither copy shares one with the other.
inline constexpr std::uint64_t kSectorSize = 512;
inline constexpr std::uint64_t kRecordsBegin = kSectorSize;
inline constexpr std::uint64_t kSegmentSizeMin = 4096;

struct SegmentHeader {
  std::uint64_t number = 0;
  std::uint64_t salt = 0;
  std::uint64_t size = 0;  // of the file, in bytes
  [[nodiscard]] std::uint64_t records_end() const { return size - kSectorSize; }
};

void encode(const SegmentHeader& header, char* into);
// Nothing if it is damaged; kUnsupported if it is whole and of a later version (storage-faults row 20).
[[nodiscard]] Result<std::optional<SegmentHeader>> decode_segment_header(std::string_view bytes);

// Names are 16 hex digits of the segment's number and ".wal"; while it is being made, ".new" follows.
[[nodiscard]] std::string segment_name(std::uint64_t number);
[[nodiscard]] std::optional<std::uint64_t> segment_number_of(std::string_view name);

enum class RecordType : std::uint8_t {
  kCaller = 0,
  kSegmentStart = 1,  // first in each segment
  kIdleMarker = 2,
  kRelease = 3,
};
inline constexpr std::size_t kRecordHeaderSize = 48;
inline constexpr std::size_t kRecordAlignment = 8;
inline constexpr std::size_t kSaltOffset = 16;

struct RecordHeader {
  std::uint32_t header_crc = 0;
  std::uint32_t previous_crc = 0;  // header_crc of the record before
  std::uint32_t payload_crc = 0;
  std::uint32_t payload_size = 0;
  std::uint64_t salt = 0;
  Sequence sequence = {};  // of the log's own records: what the caller's next one will have
  Sequence synced_to = {};
  RecordType type = RecordType::kCaller;
  std::uint8_t kind = 0;
  std::uint16_t header_size = 0;

  [[nodiscard]] std::uint64_t payload_offset() const { return kRecordHeaderSize + header_size; }
  // With the padding behind.
  [[nodiscard]] std::uint64_t size() const {
    return (payload_offset() + payload_size + kRecordAlignment - 1) / kRecordAlignment * kRecordAlignment;
  }
};

// Writes the fixed part and then `header_bytes`, and sets header.header_crc, which also covers `offset`: the same bytes
// at another place are no record (row 15, and a payload that contains a copy of a log).
void encode(RecordHeader& header, std::uint64_t offset, std::string_view header_bytes, char* into);
// The header at the beginning of `bytes`, if its checksum is right for this offset; `bytes` needs kRecordHeaderSize
// plus the caller's header. The payload is not looked at. Limits are checked before the sizes are used (pitfall F3).
[[nodiscard]] std::optional<RecordHeader> decode_record_header(std::string_view bytes, std::uint64_t offset);

// What the log's own records carry.
struct InternalBody {
  std::uint64_t previous_segment = 0;  // of the segment before, in a segment's start; 0: there was none
  std::uint64_t previous_end = 0;      // where its records end: what follows there was cut
  std::uint64_t first_segment = 0;     // the log begins there: older segments were given up
  Sequence first_sequence;
};
inline constexpr std::size_t kInternalBodySize = 32;
inline constexpr std::size_t kInternalRecordSize = kRecordHeaderSize + kInternalBodySize;
void encode(const InternalBody& body, char* into);
[[nodiscard]] InternalBody decode_internal_body(const char* bytes);

}  // namespace redraft::wal
