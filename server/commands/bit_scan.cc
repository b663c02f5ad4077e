#include "server/commands/bit_scan.h"

#include <bit>
#include <cstring>

namespace redraft::commands {
namespace {

std::uint64_t word_at(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Inlined into either caller, so that it is compiled for that caller's processor. Four sums, since one would make each
// count wait for the last.
[[gnu::always_inline]] inline std::uint64_t count_words(std::string_view bytes) {
  std::uint64_t sums[4] = {};
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 32; left -= 32, at += 32) {
    for (std::size_t i = 0; i < 4; ++i) sums[i] += static_cast<std::uint64_t>(std::popcount(word_at(at + 8 * i)));
  }
  for (; left > 0; --left, ++at) {
    sums[0] += static_cast<std::uint64_t>(std::popcount(static_cast<unsigned char>(*at)));
  }
  return sums[0] + sums[1] + sums[2] + sums[3];
}

std::uint64_t count_anywhere(std::string_view bytes) {
  return count_words(bytes);
}

#if defined(__x86_64__)
// The instruction is some ten times as fast as the shifts a generic x86-64 must make do with.
[[gnu::target("popcnt")]] std::uint64_t count_by_instruction(std::string_view bytes) {
  return count_words(bytes);
}
bool has_instruction() {
  return __builtin_cpu_supports("popcnt") != 0;
}
#else
std::uint64_t count_by_instruction(std::string_view bytes) {
  return count_words(bytes);
}
bool has_instruction() {
  return false;
}
#endif

}  // namespace

std::uint64_t count_ones(std::string_view bytes) {
  return has_instruction() ? count_by_instruction(bytes) : count_anywhere(bytes);
}

std::optional<std::uint64_t> first_bit(std::string_view bytes, bool bit) {
  const std::uint64_t skipped = bit ? 0 : ~std::uint64_t{0};
  std::size_t at = 0;
  while (bytes.size() - at >= 8 && word_at(bytes.data() + at) == skipped) at += 8;
  for (; at < bytes.size(); ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    const auto wanted = static_cast<unsigned char>(bit ? byte : ~byte);
    if (wanted != 0) return at * 8 + static_cast<unsigned>(std::countl_zero(wanted));
  }
  return std::nullopt;
}

}  // namespace redraft::commands
