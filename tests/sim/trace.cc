#include "tests/sim/trace.h"

#include <algorithm>

namespace redraft::sim {

void Trace::print(std::uint64_t time_us, std::string_view what, std::uint64_t a, std::uint64_t b,
                  std::string_view bytes) {
  std::string shown(bytes.substr(0, 160));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '.');
  std::fprintf(stderr, "%10.3f ms %.*s %llu %llu %s\n", static_cast<double>(time_us) / 1000.0,
               static_cast<int>(what.size()), what.data(), static_cast<unsigned long long>(a),
               static_cast<unsigned long long>(b), shown.c_str());
}

}  // namespace redraft::sim
