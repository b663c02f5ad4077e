#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "snapshot/format.h"

// The bytes of docs/snapshot-format.md, without input or output. Messages of errors name no file; the caller does.
namespace redraft::snapshot {

inline constexpr std::uint32_t kFormatVersion = 1;

// The header: its first bytes say how long it is.
inline constexpr std::size_t kHeaderSizePrefix = 16;
inline constexpr std::size_t kHeaderSizeFixed = 56;
[[nodiscard]] std::string encode_header(const Metadata& metadata);
// `prefix` has kHeaderSizePrefix bytes. kCorrupt if this is no snapshot or claims a senseless size (pitfall F3).
[[nodiscard]] Result<std::size_t> decode_header_size(std::string_view prefix);
// `bytes` is the whole header. kUnsupported for an intact one of a later version (storage-faults row 20).
[[nodiscard]] Result<Metadata> decode_header(std::string_view bytes);

struct ChunkHeader {
  std::uint32_t kind = 0;
  std::uint32_t raw_size = 0;
  std::uint32_t stored_size = 0;  // smaller than raw_size: LZ4; equal: as it is
  std::uint64_t number = 0;       // from 0
  std::uint32_t stored_crc = 0;   // CRC32C
};
inline constexpr std::size_t kChunkHeaderSize = 32;
void encode(const ChunkHeader& header, char* into);
// Nothing if it is damaged or breaks a limit.
[[nodiscard]] std::optional<ChunkHeader> decode_chunk_header(std::string_view bytes);

struct Footer {
  std::uint64_t chunk_count = 0;
  std::uint64_t raw_size = 0;   // of all chunks
  std::uint64_t file_size = 0;  // with this footer
  Digest digest{};
};
inline constexpr std::size_t kFooterSize = 56;
void encode(const Footer& footer, char* into);
[[nodiscard]] std::optional<Footer> decode_footer(std::string_view bytes);

inline constexpr std::string_view kTemporarySuffix = ".tmp";
inline constexpr std::string_view kPartSuffix = ".part";
struct FileName {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  enum class Kind { kFinished, kTemporary, kPart } kind = Kind::kFinished;
};
[[nodiscard]] std::string finished_name(std::uint64_t index, std::uint64_t term);
[[nodiscard]] std::string part_name(const FileKey& key);
[[nodiscard]] std::optional<FileName> parse_name(std::string_view name);

}  // namespace redraft::snapshot
