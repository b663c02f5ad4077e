#pragma once

#include <cstdint>
#include <string>

namespace redraft::testing {

// The source of chance in tests and simulations: SplitMix64 (Steele, Lea, Flood 2014), the same on every machine and
// library, unlike std's distributions. A seed repeats a test exactly.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
  }
  // In [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  // In [low, high].
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  // Many small and few large ones: every order of magnitude up to `high` is as likely as any other.
  std::uint64_t skewed(std::uint64_t low, std::uint64_t high) {
    std::uint64_t top = low;
    while (top < high && chance(2, 3)) top = top * 2 + 1;
    return between(low, top < high ? top : high);
  }
  bool one_in(std::uint64_t whole) { return below(whole) == 0; }
  bool chance(std::uint64_t part, std::uint64_t whole) { return below(whole) < part; }
  std::string letters(std::size_t size) {
    std::string text(size, ' ');
    for (char& letter : text) letter = static_cast<char>('a' + below(26));
    return text;
  }

 private:
  std::uint64_t state_;
};

}  // namespace redraft::testing
