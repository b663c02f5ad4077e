#pragma once

#include <cstdint>

namespace redraft::commands {

// The randomness of one command, a function of its entry's seed and its place there, so that every node chooses the
// same (pitfall G1). SplitMix64 (Steele, Lea, Flood 2014); no std distribution, whose results differ between libraries.
class Random {
  __extension__ using Wide = unsigned __int128;

 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  [[nodiscard]] std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // Uniform in [0, bound), bound > 0, by Lemire's multiplication; the bias of at most bound / 2^64 is the same
  // everywhere.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
  }

 private:
  std::uint64_t state_;
};

}  // namespace redraft::commands
