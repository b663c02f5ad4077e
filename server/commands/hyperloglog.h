#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace redraft::commands {

// HyperLogLog in Redis's representation, byte for byte, since GET shows it and DUMP carries it
// (redis/redis:src/hyperloglog.c explains the format): a header of 16 bytes ("HYLL", encoding, three unused, the cached
// count whose highest bit says that it is stale), then 16384 registers, either run-length coded ("sparse") or six bits
// each ("dense"). The estimate is Ertl's (arXiv:1702.01284).
class HyperLogLog {
 public:
  static constexpr std::size_t kRegisters = 16384;
  static constexpr std::size_t kHeaderSize = 16;
  static constexpr std::size_t kDenseSize = kHeaderSize + kRegisters * 6 / 8;
  using Registers = std::array<std::uint8_t, kRegisters>;

  // An empty one, sparse.
  HyperLogLog();
  // A string that `looks_valid`. What lies behind its header may be damaged all the same.
  explicit HyperLogLog(std::string bytes) : bytes_(std::move(bytes)) {}

  // By size and header, as Redis judges before it answers WRONGTYPE. `head` has at least the first kHeaderSize bytes.
  [[nodiscard]] static bool looks_valid(std::string_view head, std::size_t size);
  // Nothing when it must be counted anew.
  [[nodiscard]] static std::optional<std::uint64_t> cached_count(std::string_view head);

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] bool sparse() const { return bytes_[4] == 1; }

  enum class Change : std::uint8_t { kNone, kChanged, kCorrupt };
  // A representation that would grow beyond `sparse_bytes_max` becomes dense (hll-sparse-max-bytes).
  Change add(std::string_view element, std::size_t sparse_bytes_max);
  Change raise(std::size_t index, std::uint8_t count, std::size_t sparse_bytes_max);
  // False when corrupt.
  [[nodiscard]] bool make_dense();
  void forget_count();
  void remember_count(std::uint64_t count);

  // Each register becomes the larger of both. False when corrupt.
  [[nodiscard]] bool merge_into(Registers& registers) const;
  [[nodiscard]] std::optional<std::uint64_t> count() const;
  // PFDEBUG DECODE's text of the sparse representation; nothing when corrupt.
  [[nodiscard]] std::optional<std::string> describe() const;

 private:
  Change raise_sparse(std::size_t index, std::uint8_t count, std::size_t sparse_bytes_max);
  Change promote(std::size_t index, std::uint8_t count);
  void merge_neighbours(std::size_t from);
  bool raise_dense(std::size_t index, std::uint8_t count);

  std::string bytes_;
};

[[nodiscard]] std::uint64_t estimate_count(const HyperLogLog::Registers& registers);

}  // namespace redraft::commands
