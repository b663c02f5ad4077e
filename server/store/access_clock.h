#pragma once

#include <cstdint>

#include "server/store/key.h"

namespace redraft::store {

// When, or how often, keys were used: Redis's two clocks in the 24 bits that a key has for them
// (redis.io/docs/reference/eviction). LRU: the second of the last use. LFU: a minute in 16 bits, and a counter in 8
// that grows with the logarithm of the uses and shrinks as time passes.
//
// Node-local: it follows the logical clock, but reads move it on the node that served them only, so it is outside
// digest and snapshot, and nothing that apply decides may look at it. Its dice are therefore its own.
class AccessClock {
 public:
  static constexpr std::uint32_t kMask = 0xffffff;
  static constexpr std::uint32_t kNewFrequency = 5;  // so that a new key is not the first to go

  void advance(std::uint64_t clock_ms) {
    seconds_ = static_cast<std::uint32_t>(clock_ms / 1000) & kMask;
    minutes_ = static_cast<std::uint32_t>(clock_ms / 60000) & 0xffff;
  }
  // Which of the two; keys keep bits of the other kind until they are used again, as in Redis.
  void count_frequency(bool on) { by_frequency_ = on; }
  [[nodiscard]] bool counts_frequency() const { return by_frequency_; }
  // lfu-log-factor and lfu-decay-time (minutes; 0: the counter never shrinks).
  void set_frequency_rules(std::uint32_t log_factor, std::uint32_t decay_minutes) {
    log_factor_ = log_factor;
    decay_minutes_ = decay_minutes;
  }
  // Off while a command runs that only looks (OBJECT, TTL ...) or a client asked for CLIENT NO-TOUCH.
  void set_touching(bool on) { touching_ = on; }
  [[nodiscard]] bool touching() const { return touching_; }

  // The key is used.
  void touch(const Key& key) {
    if (!touching_) return;
    if (by_frequency_) return count_use(key);
    if (key.access() != seconds_) key.set_access(seconds_);
  }
  // The bits of a value that is new, or takes the place of `old`'s.
  [[nodiscard]] std::uint32_t of_value(const Key* old) const {
    if (!by_frequency_) return seconds_;
    return old != nullptr ? old->access() : of_frequency(kNewFrequency);
  }
  // RESTORE's IDLETIME and FREQ.
  [[nodiscard]] std::uint32_t of_idle_seconds(std::uint64_t idle) const {
    return (seconds_ - static_cast<std::uint32_t>(idle)) & kMask;
  }
  [[nodiscard]] std::uint32_t of_frequency(std::uint32_t counter) const { return minutes_ << 8 | counter; }

  [[nodiscard]] std::uint32_t idle_seconds(const Key& key) const { return (seconds_ - key.access()) & kMask; }
  // The counter as time has shrunk it by now.
  [[nodiscard]] std::uint32_t frequency(const Key& key) const;

 private:
  void count_use(const Key& key);

  std::uint32_t seconds_ = 0;
  std::uint32_t minutes_ = 0;
  std::uint32_t log_factor_ = 10;
  std::uint32_t decay_minutes_ = 1;
  std::uint64_t dice_ = 0x9e3779b97f4a7c15u;
  bool by_frequency_ = false;
  bool touching_ = true;
};

}  // namespace redraft::store
