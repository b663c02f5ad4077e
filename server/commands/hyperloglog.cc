#include "server/commands/hyperloglog.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/little_endian.h"

namespace redraft::commands {
namespace {

constexpr int kIndexBits = 14;
constexpr int kHashBits = 64 - kIndexBits;
constexpr std::size_t kCountOffset = 8;
constexpr std::uint8_t kSparseValueMax = 32;
constexpr std::size_t kValueRunMax = 4;
constexpr std::size_t kZeroRunMax = 64;
constexpr std::uint64_t kHashSeed = 0xadc83b19;

// MurmurHash64A (Austin Appleby, public domain): what Redis hashes elements with.
std::uint64_t murmur_hash(std::string_view bytes, std::uint64_t seed) {
  constexpr std::uint64_t kMultiplier = 0xc6a4a7935bd1e995u;
  std::uint64_t hash = seed ^ (bytes.size() * kMultiplier);
  std::size_t at = 0;
  for (; bytes.size() - at >= 8; at += 8) {
    auto word = load_little<std::uint64_t>(bytes.data() + at) * kMultiplier;
    word ^= word >> 47;
    hash = (hash ^ word * kMultiplier) * kMultiplier;
  }
  if (at < bytes.size()) {
    std::uint64_t tail = 0;
    std::memcpy(&tail, bytes.data() + at, bytes.size() - at);
    hash = (hash ^ tail) * kMultiplier;
  }
  hash ^= hash >> 47;
  hash *= kMultiplier;
  return hash ^ hash >> 47;
}

// The sparse representation's three opcodes.
struct Run {
  enum class Kind : std::uint8_t { kZeros, kManyZeros, kValue };
  Kind kind = Kind::kZeros;
  std::size_t size = 0;    // in bytes
  std::size_t length = 0;  // in registers
  std::uint8_t value = 0;
};

// At a position inside `bytes`. A second byte that is missing counts as zero: the caller notices by the end.
Run run_at(std::string_view bytes, std::size_t at) {
  const auto byte = static_cast<unsigned char>(bytes[at]);
  if ((byte & 0x80) != 0) {
    return {Run::Kind::kValue, 1, (byte & 3u) + 1u, static_cast<std::uint8_t>((byte >> 2 & 0x1f) + 1)};
  }
  if ((byte & 0x40) == 0) return {Run::Kind::kZeros, 1, (byte & 0x3fu) + 1u, 0};
  const unsigned second = at + 1 < bytes.size() ? static_cast<unsigned char>(bytes[at + 1]) : 0;
  return {Run::Kind::kManyZeros, 2, ((byte & 0x3fu) << 8 | second) + 1u, 0};
}

char value_run(std::uint8_t value, std::size_t length) {
  return static_cast<char>(0x80 | (value - 1) << 2 | static_cast<int>(length - 1));
}

void append_zeros(std::string& to, std::size_t length) {
  if (length == 0) return;
  if (length <= kZeroRunMax) {
    to.push_back(static_cast<char>(length - 1));
    return;
  }
  to.push_back(static_cast<char>(0x40 | (length - 1) >> 8));
  to.push_back(static_cast<char>((length - 1) & 0xff));
}

void append_values(std::string& to, std::uint8_t value, std::size_t length) {
  if (length > 0) to.push_back(value_run(value, length));
}

// Register `index` of the dense registers: six bits from bit 6 * index on, the lowest first.
std::uint8_t dense_register(std::string_view registers, std::size_t index) {
  const std::size_t at = index * 6 / 8;
  const unsigned shift = index * 6 & 7;
  const unsigned low = static_cast<unsigned char>(registers[at]);
  const unsigned high = at + 1 < registers.size() ? static_cast<unsigned char>(registers[at + 1]) : 0;
  return static_cast<std::uint8_t>((low >> shift | high << (8 - shift)) & 63);
}

double tau(double x) {
  if (x == 0.0 || x == 1.0) return 0.0;
  double y = 1.0;
  double z = 1 - x;
  for (double before = z + 1; before != z;) {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

double sigma(double x) {
  if (x == 1.0) return std::numeric_limits<double>::infinity();
  double y = 1;
  double z = x;
  for (double before = z + 1; before != z;) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

}  // namespace

// Only exact operations of IEEE 754, square roots among them: every node computes the same.
std::uint64_t estimate_count(const HyperLogLog::Registers& registers) {
  std::array<std::uint32_t, 64> histogram{};
  for (const std::uint8_t value : registers) ++histogram[value & 63];
  constexpr double kAlpha = 0.721347520444481703680;
  const auto m = static_cast<double>(HyperLogLog::kRegisters);
  double z = m * tau((m - histogram[kHashBits + 1]) / m);
  for (std::size_t j = kHashBits; j >= 1; --j) z = (z + histogram[j]) * 0.5;
  z += m * sigma(histogram[0] / m);
  return static_cast<std::uint64_t>(std::llround(kAlpha * m * m / z));
}

HyperLogLog::HyperLogLog() : bytes_(kHeaderSize, '\0') {
  bytes_.replace(0, 5, "HYLL\x01");
  append_zeros(bytes_, kRegisters);
}

bool HyperLogLog::looks_valid(std::string_view head, std::size_t size) {
  if (size < kHeaderSize || !head.starts_with("HYLL")) return false;
  const auto encoding = static_cast<unsigned char>(head[4]);
  return encoding <= 1 && (encoding == 1 || size == kDenseSize);
}

std::optional<std::uint64_t> HyperLogLog::cached_count(std::string_view head) {
  const auto count = load_little<std::uint64_t>(head.data() + kCountOffset);
  return count >> 63 == 0 ? std::optional(count) : std::nullopt;
}

void HyperLogLog::forget_count() {
  bytes_[kHeaderSize - 1] = static_cast<char>(bytes_[kHeaderSize - 1] | '\x80');
}

void HyperLogLog::remember_count(std::uint64_t count) {
  store_little(bytes_.data() + kCountOffset, count);
}

HyperLogLog::Change HyperLogLog::add(std::string_view element, std::size_t sparse_bytes_max) {
  const std::uint64_t hash = murmur_hash(element, kHashSeed);
  // The run of zeros behind the index's bits, ended by a bit that is set for it.
  const std::uint64_t rest = hash >> kIndexBits | std::uint64_t{1} << kHashBits;
  const auto count = static_cast<std::uint8_t>(std::countr_zero(rest) + 1);
  return raise(hash & (kRegisters - 1), count, sparse_bytes_max);
}

HyperLogLog::Change HyperLogLog::raise(std::size_t index, std::uint8_t count, std::size_t sparse_bytes_max) {
  if (sparse()) return raise_sparse(index, count, sparse_bytes_max);
  return raise_dense(index, count) ? Change::kChanged : Change::kNone;
}

bool HyperLogLog::raise_dense(std::size_t index, std::uint8_t count) {
  const std::string_view registers = std::string_view(bytes_).substr(kHeaderSize);
  if (dense_register(registers, index) >= count) return false;
  const std::size_t at = kHeaderSize + index * 6 / 8;
  const unsigned shift = index * 6 & 7;
  const unsigned mask = 63u << shift;
  const unsigned value = static_cast<unsigned>(count) << shift;
  const auto mix = [&](std::size_t where, unsigned part_mask, unsigned part) {
    const unsigned before = static_cast<unsigned char>(bytes_[where]);
    bytes_[where] = static_cast<char>((before & ~part_mask) | part);
  };
  mix(at, mask & 0xff, value & 0xff);
  if (shift > 2) mix(at + 1, mask >> 8, value >> 8);
  return true;
}

// The opcode that covers the register is split, and what then can be joined with its neighbours is. The order of steps
// decides the bytes, so it is Redis's (redis/redis:src/hyperloglog.c, hllSparseSet).
HyperLogLog::Change HyperLogLog::raise_sparse(std::size_t index, std::uint8_t count, std::size_t sparse_bytes_max) {
  if (count > kSparseValueMax) return promote(index, count);
  std::size_t at = kHeaderSize;
  std::size_t previous = kHeaderSize;
  std::size_t first = 0;
  Run run;
  for (; at < bytes_.size(); at += run.size, first += run.length) {
    run = run_at(bytes_, at);
    if (index < first + run.length) break;
    previous = at;
  }
  if (at >= bytes_.size() || at + run.size > bytes_.size()) return Change::kCorrupt;
  if (run.kind == Run::Kind::kValue && run.value >= count) return Change::kNone;
  if (run.length == 1 && run.kind != Run::Kind::kManyZeros) {
    bytes_[at] = value_run(count, 1);
  } else {
    const std::size_t before = index - first;
    const std::size_t behind = run.length - before - 1;
    std::string split;
    const auto append_rest = [&](std::size_t length) {
      run.kind == Run::Kind::kValue ? append_values(split, run.value, length) : append_zeros(split, length);
    };
    append_rest(before);
    append_values(split, count, 1);
    append_rest(behind);
    if (split.size() > run.size && bytes_.size() + split.size() - run.size > sparse_bytes_max) {
      return promote(index, count);
    }
    bytes_.replace(at, run.size, split);
  }
  merge_neighbours(previous);
  forget_count();
  return Change::kChanged;
}

// Equal values side by side, among the five opcodes from there on.
void HyperLogLog::merge_neighbours(std::size_t from) {
  std::size_t at = from;
  for (int scanned = 0; at < bytes_.size() && scanned < 5; ++scanned) {
    const Run run = run_at(bytes_, at);
    if (run.kind == Run::Kind::kValue && at + 1 < bytes_.size()) {
      const Run next = run_at(bytes_, at + 1);
      const std::size_t length = run.length + next.length;
      if (next.kind == Run::Kind::kValue && next.value == run.value && length <= kValueRunMax) {
        bytes_[at + 1] = value_run(run.value, length);
        bytes_.erase(at, 1);
        continue;  // the joined one may join what follows
      }
    }
    at += run.size;
  }
}

HyperLogLog::Change HyperLogLog::promote(std::size_t index, std::uint8_t count) {
  if (!make_dense()) return Change::kCorrupt;
  raise_dense(index, count);
  return Change::kChanged;
}

bool HyperLogLog::make_dense() {
  if (!sparse()) return true;
  Registers registers{};
  if (!merge_into(registers)) return false;
  bytes_.resize(kHeaderSize);
  bytes_[4] = 0;
  bytes_.resize(kDenseSize, '\0');
  for (std::size_t i = 0; i < kRegisters; ++i) {
    if (registers[i] != 0) raise_dense(i, registers[i]);
  }
  return true;
}

bool HyperLogLog::merge_into(Registers& registers) const {
  if (!sparse()) {
    const std::string_view dense = std::string_view(bytes_).substr(kHeaderSize);
    for (std::size_t i = 0; i < kRegisters; ++i) registers[i] = std::max(registers[i], dense_register(dense, i));
    return true;
  }
  std::size_t index = 0;
  for (std::size_t at = kHeaderSize; at < bytes_.size();) {
    const Run run = run_at(bytes_, at);
    if (index + run.length > kRegisters) return false;
    for (std::size_t i = 0; run.value != 0 && i < run.length; ++i) {
      registers[index + i] = std::max(registers[index + i], run.value);
    }
    index += run.length;
    at += run.size;
  }
  return index == kRegisters;
}

std::optional<std::uint64_t> HyperLogLog::count() const {
  Registers registers{};
  if (!merge_into(registers)) return std::nullopt;
  return estimate_count(registers);
}

std::optional<std::string> HyperLogLog::describe() const {
  std::string text;
  for (std::size_t at = kHeaderSize; at < bytes_.size();) {
    const Run run = run_at(bytes_, at);
    const std::string length = std::to_string(run.length);
    if (!text.empty()) text += ' ';
    switch (run.kind) {
      case Run::Kind::kZeros:
        text += "z:" + length;
        break;
      case Run::Kind::kManyZeros:
        text += "Z:" + length;
        break;
      case Run::Kind::kValue:
        text += "v:" + std::to_string(run.value) + "," + length;
        break;
    }
    at += run.size;
  }
  return text;
}

}  // namespace redraft::commands
