#include "wal/codec.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/check.h"
#include "base/crc32c.h"

namespace redraft::wal {
namespace {

constexpr std::string_view kMagic = "RDRFTWAL";
constexpr std::string_view kNameEnd = ".wal";
constexpr std::size_t kNumberDigits = 16;

std::uint32_t record_crc(const char* record, std::size_t size, std::uint64_t offset) {
  char place[sizeof offset];
  store_little(place, offset);
  return crc32c_extend(crc32c({place, sizeof place}), {record + 4, size - 4});
}

}  // namespace

void encode(const SegmentHeader& header, char* into) {
  std::memset(into, 0, kSegmentHeaderSize);
  std::memcpy(into, kMagic.data(), kMagic.size());
  store_little(into + 8, kFormatVersion);
  store_little(into + 16, header.number);
  store_little(into + 24, header.salt);
  store_little(into + 32, header.size);
  store_little(into + 60, crc32c({into, 60}));
}

Result<std::optional<SegmentHeader>> decode_segment_header(std::string_view bytes) {
  std::optional<SegmentHeader> none;
  if (bytes.size() < kSegmentHeaderSize || !bytes.starts_with(kMagic)) return none;
  if (load_little<std::uint32_t>(bytes.data() + 60) != crc32c(bytes.substr(0, 60))) return none;
  const auto version = load_little<std::uint32_t>(bytes.data() + 8);
  if (version != kFormatVersion) {
    return Error{ErrorCode::kUnsupported, "log format version " + std::to_string(version) + " is not known here"};
  }
  const SegmentHeader header{.number = load_little<std::uint64_t>(bytes.data() + 16),
                             .salt = load_little<std::uint64_t>(bytes.data() + 24),
                             .size = load_little<std::uint64_t>(bytes.data() + 32)};
  // A salt of 0 would make every zero-filled place look like a trace of a record.
  if (header.size < kSegmentSizeMin || header.size % kSectorSize != 0 || header.salt == 0) return none;
  return std::optional<SegmentHeader>(header);
}

std::string segment_name(std::uint64_t number) {
  std::string name(kNumberDigits, '0');
  for (std::size_t i = kNumberDigits; i-- > 0; number >>= 4) name[i] = "0123456789abcdef"[number & 15];
  return name.append(kNameEnd);
}

std::optional<std::uint64_t> segment_number_of(std::string_view name) {
  if (name.size() != kNumberDigits + kNameEnd.size() || !name.ends_with(kNameEnd)) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kNumberDigits, number, 16);
  if (error != std::errc() || end != name.data() + kNumberDigits) return std::nullopt;
  return number;
}

void encode(RecordHeader& header, std::uint64_t offset, std::string_view header_bytes, char* into) {
  ensure(header_bytes.size() <= kHeaderSizeMax && header.payload_size <= kPayloadSizeMax,
         "a record keeps the limits of the format (pitfall F3)");
  header.header_size = static_cast<std::uint16_t>(header_bytes.size());
  store_little(into + 4, header.previous_crc);
  store_little(into + 8, header.payload_crc);
  store_little(into + 12, header.payload_size);
  store_little(into + kSaltOffset, header.salt);
  store_little(into + 24, header.sequence.value);
  store_little(into + 32, header.synced_to.value);
  into[40] = static_cast<char>(header.type);
  into[41] = static_cast<char>(header.kind);
  store_little(into + 42, header.header_size);
  store_little(into + 44, std::uint32_t{0});
  std::copy(header_bytes.begin(), header_bytes.end(), into + kRecordHeaderSize);
  header.header_crc = record_crc(into, kRecordHeaderSize + header_bytes.size(), offset);
  store_little(into, header.header_crc);
}

std::optional<RecordHeader> decode_record_header(std::string_view bytes, std::uint64_t offset) {
  if (bytes.size() < kRecordHeaderSize) return std::nullopt;
  const char* at = bytes.data();
  RecordHeader header{.header_crc = load_little<std::uint32_t>(at),
                      .previous_crc = load_little<std::uint32_t>(at + 4),
                      .payload_crc = load_little<std::uint32_t>(at + 8),
                      .payload_size = load_little<std::uint32_t>(at + 12),
                      .salt = load_little<std::uint64_t>(at + kSaltOffset),
                      .sequence = {load_little<std::uint64_t>(at + 24)},
                      .synced_to = {load_little<std::uint64_t>(at + 32)},
                      .type = static_cast<RecordType>(at[40]),
                      .kind = static_cast<std::uint8_t>(at[41]),
                      .header_size = load_little<std::uint16_t>(at + 42)};
  if (header.header_size > kHeaderSizeMax || header.payload_size > kPayloadSizeMax) return std::nullopt;
  if (header.type > RecordType::kRelease || bytes.size() < header.payload_offset()) return std::nullopt;
  if (header.type != RecordType::kCaller && header.header_size != kInternalBodySize) return std::nullopt;
  if (header.header_crc != record_crc(at, header.payload_offset(), offset)) return std::nullopt;
  return header;
}

void encode(const InternalBody& body, char* into) {
  store_little(into, body.previous_segment);
  store_little(into + 8, body.previous_end);
  store_little(into + 16, body.first_segment);
  store_little(into + 24, body.first_sequence.value);
}

InternalBody decode_internal_body(const char* bytes) {
  return {.previous_segment = load_little<std::uint64_t>(bytes),
          .previous_end = load_little<std::uint64_t>(bytes + 8),
          .first_segment = load_little<std::uint64_t>(bytes + 16),
          .first_sequence = {load_little<std::uint64_t>(bytes + 24)}};
}

}  // namespace redraft::wal
