#include "server/replica/eviction.h"

#include <algorithm>

namespace redraft::replica {
namespace {

constexpr std::size_t kVictimsMax = 128;  // of one entry: it should not take longer than the writes around it
constexpr int kTriesMax = 16;
constexpr std::size_t kPoolMax = 16;

}  // namespace

void Eviction::adopt(const store::Store& store, std::uint32_t samples) {
  pool_.clear();
  bytes_max_ = store.setting_number("maxmemory", 0);
  samples_ = std::clamp<std::uint32_t>(samples, 1, 64);
  const std::string policy = store.setting("maxmemory-policy").value_or("noeviction");
  with_deadline_ = policy.starts_with("volatile-");
  const std::string_view kind = std::string_view(policy).substr(policy.find('-') + 1);
  by_ = kind == "lru"      ? By::kLru
        : kind == "lfu"    ? By::kLfu
        : kind == "ttl"    ? By::kTtl
        : kind == "random" ? By::kRandom
                           : By::kNothing;
}

// xorshift64*: only the leader's choice depends on it.
std::uint64_t Eviction::draw() {
  dice_ ^= dice_ >> 12;
  dice_ ^= dice_ << 25;
  dice_ ^= dice_ >> 27;
  return dice_ * 0x2545f4914f6cdd1du;
}

std::uint64_t Eviction::score(const store::Store& store, const store::Key& key) {
  switch (by_) {
    case By::kLru:
      return store.access_clock().idle_seconds(key);
    case By::kLfu:
      return 255 - std::min<std::uint32_t>(store.access_clock().frequency(key), 255);
    case By::kTtl:
      return ~key.deadline_ms();
    case By::kRandom:
    case By::kNothing:
      break;
  }
  return draw();
}

void Eviction::add_candidate(Victim victim) {
  const auto same = [&](const Victim& other) { return other.db == victim.db && other.key == victim.key; };
  if (leaving_.contains({victim.db, victim.key}) || std::ranges::any_of(pool_, same)) return;
  if (pool_.size() >= kPoolMax) {
    if (pool_.front().score >= victim.score) return;
    pool_.erase(pool_.begin());
  }
  pool_.insert(std::ranges::lower_bound(pool_, victim.score, {}, &Victim::score), std::move(victim));
}

// The best of the pool, after some keys of every database had their chance to enter it.
std::optional<Eviction::Victim> Eviction::next_victim(const store::Store& store) {
  if (by_ == By::kRandom) pool_.clear();
  for (std::uint32_t db = 0; db < store.database_count(); ++db) {
    const store::DatabaseCounts counts = store.counts(db);
    if (counts.keys == 0 || (with_deadline_ && counts.expires == 0)) continue;
    store.sample(db, draw(), samples_, with_deadline_, [&](const store::Key& key) {
      const std::uint64_t bytes = key.memory() + (key.object() == nullptr ? 0 : key.object()->memory());
      add_candidate({db, std::string(key.name()), bytes, score(store, key)});
    });
  }
  if (pool_.empty()) return std::nullopt;
  std::optional<Victim> best = std::move(pool_.back());
  pool_.pop_back();
  return best;
}

std::vector<std::string> Eviction::choose(const store::Store& store, std::uint64_t index) {
  std::vector<std::string> arguments;
  if (by_ == By::kNothing) return arguments;
  std::uint64_t bytes = 0;
  int tries = 0;
  while (over(store) && leaving_.size() < kVictimsMax && tries < kTriesMax) {
    std::optional<Victim> victim = next_victim(store);
    if (!victim) {
      ++tries;
      continue;
    }
    if (arguments.empty()) arguments = {"evict", ""};
    arguments.push_back(std::to_string(victim->db));
    arguments.push_back(std::to_string(index));
    arguments.push_back(victim->key);
    bytes += victim->bytes;
    leaving_bytes_ += victim->bytes;
    leaving_.emplace(victim->db, std::move(victim->key));
  }
  if (!arguments.empty()) arguments[1] = std::to_string(bytes);
  return arguments;
}

void Eviction::applied(std::uint64_t bytes) {
  leaving_bytes_ -= std::min(bytes, leaving_bytes_);
  if (leaving_bytes_ == 0) leaving_.clear();
}

void Eviction::forget() {
  leaving_bytes_ = 0;
  leaving_.clear();
  pool_.clear();
}

}  // namespace redraft::replica
