#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/crc32c.h"

namespace redraft::sim {

// What happened, condensed into one number: two runs of one seed must agree on it. Printed as it happens when asked.
class Trace {
 public:
  bool printing = false;

  void note(std::uint64_t time_us, std::string_view what, std::uint64_t a = 0, std::uint64_t b = 0,
            std::string_view bytes = {}) {
    mix(time_us);
    mix(crc32c(what));
    mix(a);
    mix(b);
    mix(crc32c(bytes));
    if (printing) print(time_us, what, a, b, bytes);
  }
  [[nodiscard]] std::uint64_t digest() const { return digest_; }

 private:
  void mix(std::uint64_t value) {
    digest_ = (digest_ ^ value) * 0xff51afd7ed558ccdU;
    digest_ ^= digest_ >> 32;
  }
  static void print(std::uint64_t time_us, std::string_view what, std::uint64_t a, std::uint64_t b,
                    std::string_view bytes);

  std::uint64_t digest_ = 0x6a09e667f3bcc908U;
};

}  // namespace redraft::sim
