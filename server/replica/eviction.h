#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/store/store.h"

namespace redraft::replica {

// Which keys go when the data set is past maxmemory (redis.io/docs/reference/eviction). The leader chooses by its own
// access clocks and logs the choice; a choice is no more than a proposal to delete keys as they were at some index, so
// apply on every node leaves alone what was written meanwhile. Node-local; not thread-safe.
class Eviction {
 public:
  // The cluster's settings maxmemory and maxmemory-policy, and this node's maxmemory-samples.
  void adopt(const store::Store& store, std::uint32_t samples);

  [[nodiscard]] bool limits() const { return bytes_max_ != 0; }
  // The data set is past the limit, even without what is on its way out.
  [[nodiscard]] bool over(const store::Store& store) const {
    return limits() && store.used_memory() > bytes_max_ + leaving_bytes_;
  }
  // Some choice is in the log and not applied yet.
  [[nodiscard]] bool under_way() const { return leaving_bytes_ != 0; }

  // The arguments of the next kEvict entry (see commands/evict.h), or none when the policy lets nothing go.
  [[nodiscard]] std::vector<std::string> choose(const store::Store& store, std::uint64_t index);
  // An entry that this leader chose was applied.
  void applied(std::uint64_t bytes);
  // Leadership changed: what was chosen before may or may not come.
  void forget();

 private:
  enum class By : std::uint8_t { kNothing, kLru, kLfu, kTtl, kRandom };
  struct Victim {
    std::uint32_t db = 0;
    std::string key;
    std::uint64_t bytes = 0;
    std::uint64_t score = 0;  // the higher, the sooner it goes
  };
  [[nodiscard]] std::optional<Victim> next_victim(const store::Store& store);
  void add_candidate(Victim victim);
  [[nodiscard]] std::uint64_t score(const store::Store& store, const store::Key& key);
  [[nodiscard]] std::uint64_t draw();

  std::uint64_t bytes_max_ = 0;
  By by_ = By::kNothing;
  bool with_deadline_ = false;
  std::uint32_t samples_ = 5;
  std::uint64_t dice_ = 0x2545f4914f6cdd1du;
  // The best of what was sampled lately, the best last (redis/redis:src/evict.c, evictionPoolPopulate): a few samples
  // at a time then come close to what looking at every key would choose.
  std::vector<Victim> pool_;
  // Chosen and not applied.
  std::uint64_t leaving_bytes_ = 0;
  std::set<std::pair<std::uint32_t, std::string>> leaving_;
};

}  // namespace redraft::replica
