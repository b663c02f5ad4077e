#pragma once

#include <cstdint>

namespace redraft::scripting {

// math.random's generator: POSIX's lrand48, as in Redis, so that a script that seeds it gets the numbers it gets there.
class LuaRandom {
 public:
  explicit LuaRandom(std::uint64_t state) : state_(state & kMask) {}

  void seed(std::int32_t seed) { state_ = ((std::uint64_t{static_cast<std::uint32_t>(seed)} << 16) | 0x330e) & kMask; }
  // 31 bits.
  [[nodiscard]] std::uint32_t next() {
    state_ = (state_ * 0x5deece66du + 0xb) & kMask;
    return static_cast<std::uint32_t>(state_ >> 17);
  }

 private:
  static constexpr std::uint64_t kMask = (std::uint64_t{1} << 48) - 1;
  std::uint64_t state_;
};

}  // namespace redraft::scripting
