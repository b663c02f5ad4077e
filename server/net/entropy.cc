#include "server/net/entropy.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace redraft::net {

void random_bytes(std::span<char> into) {
  while (!into.empty()) {
    const ssize_t got = getrandom(into.data(), into.size(), 0);
    if (got < 0 && errno == EINTR) continue;  // a signal, in the middle of many
    ensure(got > 0, "the system has random bytes");
    into = into.subspan(static_cast<std::size_t>(got));
  }
}

std::uint64_t random_seed() {
  std::array<char, sizeof(std::uint64_t)> bytes{};
  random_bytes(bytes);
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), bytes.size());
  return seed;
}

}  // namespace redraft::net
