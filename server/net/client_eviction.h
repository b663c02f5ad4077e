#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/net/client.h"

namespace redraft::net {

// maxmemory-clients (redis.io/docs/reference/clients, "Client eviction"): what all connections hold together, and which
// of them leave when that is too much. Counts only between `begin` and `end`, so that a server without the setting pays
// nothing. Owns nothing; a client is forgotten before it goes.
class ClientEviction {
 public:
  // From here on what `count` has seen makes up `bytes`; the caller counts every client then.
  void begin();
  void end() { counting_ = false; }
  [[nodiscard]] bool idle() const { return !counting_; }

  // What it holds may have changed.
  void count(Client& client);
  void forget(Client& client);
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  // Those of `clients` that have to go until the others hold less than `bytes_max`: the largest first, and nobody who
  // said CLIENT NO-EVICT ON.
  [[nodiscard]] std::vector<Client*> choose(std::vector<Client*> clients, std::uint64_t bytes_max) const;

 private:
  bool counting_ = false;
  std::uint64_t epoch_ = 0;  // of the counting, so that what an earlier one saw of a client is not taken off
  std::uint64_t bytes_ = 0;
};

}  // namespace redraft::net
