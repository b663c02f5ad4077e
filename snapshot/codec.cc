#include "snapshot/codec.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/little_endian.h"

namespace redraft::snapshot {
namespace {

constexpr std::string_view kMagic = "RDRFTSNP";
constexpr std::string_view kChunkTag = "CHNK";
constexpr std::string_view kFooterTag = "SEND";
constexpr std::string_view kNameStart = "snapshot-";
constexpr std::string_view kNameEnd = ".rsnap";
constexpr std::size_t kNumberDigits = 16;

std::string hex(std::uint64_t number) {
  std::string digits(kNumberDigits, '0');
  for (std::size_t i = kNumberDigits; i-- > 0; number >>= 4) digits[i] = "0123456789abcdef"[number & 15];
  return digits;
}

std::optional<std::uint64_t> unhex(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string to_hex(const Digest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string encode_header(const Metadata& metadata) {
  ensure(metadata.membership.size() <= kMetadataSizeMax && metadata.application.size() <= kMetadataSizeMax,
         "metadata keeps the limits of the format (pitfall F3)");
  const std::size_t size = kHeaderSizeFixed + metadata.membership.size() + metadata.application.size() + 4;
  std::string bytes(kHeaderSizeFixed, '\0');
  kMagic.copy(bytes.data(), kMagic.size());
  store_little(bytes.data() + 8, kFormatVersion);
  store_little(bytes.data() + 12, static_cast<std::uint32_t>(size));
  store_little(bytes.data() + 16, metadata.index);
  store_little(bytes.data() + 24, metadata.term);
  store_little(bytes.data() + 32, metadata.clock_ms);
  store_little(bytes.data() + 40, metadata.feature_level);
  store_little(bytes.data() + 44, static_cast<std::uint32_t>(metadata.membership.size()));
  store_little(bytes.data() + 48, static_cast<std::uint32_t>(metadata.application.size()));
  bytes += metadata.membership;
  bytes += metadata.application;
  const std::uint32_t crc = crc32c(bytes);
  bytes.resize(size);
  store_little(bytes.data() + size - 4, crc);
  return bytes;
}

Result<std::size_t> decode_header_size(std::string_view prefix) {
  if (prefix.size() < kHeaderSizePrefix || !prefix.starts_with(kMagic)) {
    return Error{ErrorCode::kCorrupt, "is no snapshot"};
  }
  const std::size_t size = load_little<std::uint32_t>(prefix.data() + 12);
  if (size < kHeaderSizeFixed + 4 || size > kHeaderSizeFixed + 4 + 2 * kMetadataSizeMax) {
    return Error{ErrorCode::kCorrupt, "the header is damaged"};
  }
  return size;
}

Result<Metadata> decode_header(std::string_view bytes) {
  auto size = decode_header_size(bytes);
  if (!size) return size.error();
  const Error damaged{ErrorCode::kCorrupt, "the header is damaged"};
  if (bytes.size() != *size) return damaged;
  const std::string_view covered = bytes.substr(0, *size - 4);
  if (load_little<std::uint32_t>(bytes.data() + covered.size()) != crc32c(covered)) return damaged;
  const auto version = load_little<std::uint32_t>(bytes.data() + 8);
  if (version != kFormatVersion) {
    return Error{ErrorCode::kUnsupported, "snapshot format version " + std::to_string(version) + " is not known here"};
  }
  const std::size_t membership_size = load_little<std::uint32_t>(bytes.data() + 44);
  const std::size_t application_size = load_little<std::uint32_t>(bytes.data() + 48);
  if (membership_size > kMetadataSizeMax || kHeaderSizeFixed + membership_size + application_size != covered.size()) {
    return damaged;
  }
  return Metadata{.index = load_little<std::uint64_t>(bytes.data() + 16),
                  .term = load_little<std::uint64_t>(bytes.data() + 24),
                  .clock_ms = load_little<std::uint64_t>(bytes.data() + 32),
                  .feature_level = load_little<std::uint32_t>(bytes.data() + 40),
                  .membership = std::string(bytes.substr(kHeaderSizeFixed, membership_size)),
                  .application = std::string(bytes.substr(kHeaderSizeFixed + membership_size, application_size))};
}

void encode(const ChunkHeader& header, char* into) {
  kChunkTag.copy(into, kChunkTag.size());
  store_little(into + 4, header.kind);
  store_little(into + 8, header.raw_size);
  store_little(into + 12, header.stored_size);
  store_little(into + 16, header.number);
  store_little(into + 24, header.stored_crc);
  store_little(into + 28, crc32c({into, 28}));
}

std::optional<ChunkHeader> decode_chunk_header(std::string_view bytes) {
  if (bytes.size() < kChunkHeaderSize || !bytes.starts_with(kChunkTag)) return std::nullopt;
  if (load_little<std::uint32_t>(bytes.data() + 28) != crc32c(bytes.substr(0, 28))) return std::nullopt;
  const ChunkHeader header{.kind = load_little<std::uint32_t>(bytes.data() + 4),
                           .raw_size = load_little<std::uint32_t>(bytes.data() + 8),
                           .stored_size = load_little<std::uint32_t>(bytes.data() + 12),
                           .number = load_little<std::uint64_t>(bytes.data() + 16),
                           .stored_crc = load_little<std::uint32_t>(bytes.data() + 24)};
  if (header.raw_size > kChunkSizeMax || header.stored_size > header.raw_size) return std::nullopt;
  return header;
}

void encode(const Footer& footer, char* into) {
  std::memset(into, 0, kFooterSize);
  kFooterTag.copy(into, kFooterTag.size());
  store_little(into + 8, footer.chunk_count);
  store_little(into + 16, footer.raw_size);
  store_little(into + 24, footer.file_size);
  std::memcpy(into + 32, footer.digest.data(), footer.digest.size());
  store_little(into + 52, crc32c({into, 52}));
}

std::optional<Footer> decode_footer(std::string_view bytes) {
  if (bytes.size() != kFooterSize || !bytes.starts_with(kFooterTag)) return std::nullopt;
  if (load_little<std::uint32_t>(bytes.data() + 52) != crc32c(bytes.substr(0, 52))) return std::nullopt;
  Footer footer{.chunk_count = load_little<std::uint64_t>(bytes.data() + 8),
                .raw_size = load_little<std::uint64_t>(bytes.data() + 16),
                .file_size = load_little<std::uint64_t>(bytes.data() + 24)};
  std::memcpy(footer.digest.data(), bytes.data() + 32, footer.digest.size());
  return footer;
}

std::string finished_name(std::uint64_t index, std::uint64_t term) {
  return std::string(kNameStart) + hex(index) + "-" + hex(term) + std::string(kNameEnd);
}

std::string part_name(const FileKey& key) {
  return finished_name(key.index, key.term) + "." + hex(key.size) + "." + to_hex(key.digest) + std::string(kPartSuffix);
}

std::optional<FileName> parse_name(std::string_view name) {
  constexpr std::size_t kBaseSize = kNameStart.size() + 2 * kNumberDigits + 1 + kNameEnd.size();
  if (name.size() < kBaseSize || !name.starts_with(kNameStart)) return std::nullopt;
  const std::string_view base = name.substr(0, kBaseSize);
  if (!base.ends_with(kNameEnd) || base[kNameStart.size() + kNumberDigits] != '-') return std::nullopt;
  const auto index = unhex(base.substr(kNameStart.size(), kNumberDigits));
  const auto term = unhex(base.substr(kNameStart.size() + kNumberDigits + 1, kNumberDigits));
  if (!index || !term) return std::nullopt;
  FileName parsed{.index = *index, .term = *term};
  const std::string_view rest = name.substr(kBaseSize);
  if (rest == kTemporarySuffix) {
    parsed.kind = FileName::Kind::kTemporary;
  } else if (rest.ends_with(kPartSuffix)) {
    parsed.kind = FileName::Kind::kPart;
  } else if (!rest.empty()) {
    return std::nullopt;
  }
  return parsed;
}

}  // namespace redraft::snapshot
