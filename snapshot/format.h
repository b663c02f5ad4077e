#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace redraft::snapshot {

// What stands at the beginning of a snapshot: the state is exact at `index`, whose entry had `term`.
struct Metadata {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  std::uint64_t clock_ms = 0;  // the logical clock at that index
  std::uint32_t feature_level = 0;
  std::string membership;   // opaque, at most kMetadataSizeMax
  std::string application;  // opaque, at most kMetadataSizeMax
  friend bool operator==(const Metadata&, const Metadata&) = default;
};

// Limits, checked before memory is reserved (pitfall F3).
inline constexpr std::size_t kMetadataSizeMax = std::size_t{1} << 20;
inline constexpr std::size_t kChunkSizeMax = (std::size_t{1} << 20) + 65536;

// XXH3-128 of every byte before the footer, in its canonical (big-endian) form.
using Digest = std::array<std::uint8_t, 16>;
[[nodiscard]] std::string to_hex(const Digest& digest);

// Tells one snapshot file from every other; a transfer is resumed only for the very same file (pitfall E5).
struct FileKey {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  std::uint64_t size = 0;  // of the whole file, in bytes
  Digest digest{};
  friend bool operator==(const FileKey&, const FileKey&) = default;
};

// A piece of state. `kind` and the bytes are the writer's business.
struct Chunk {
  std::uint32_t kind = 0;
  std::string_view bytes;  // until the next call of the reader it came from
};

}  // namespace redraft::snapshot
