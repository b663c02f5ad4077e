#include "server/store/access_clock.h"

namespace redraft::store {
namespace {

constexpr std::uint32_t kCounterMax = 255;

}  // namespace

std::uint32_t AccessClock::frequency(const Key& key) const {
  const std::uint32_t counter = key.access() & 0xff;
  if (decay_minutes_ == 0) return counter;
  const std::uint32_t elapsed = (minutes_ - (key.access() >> 8)) & 0xffff;
  const std::uint32_t periods = elapsed / decay_minutes_;
  return periods > counter ? 0 : counter - periods;
}

// One use in (counter - 5) * log_factor + 1 counts: 8 bits reach a million uses with the default factor.
void AccessClock::count_use(const Key& key) {
  std::uint32_t counter = frequency(key);
  if (counter < kCounterMax) {
    const std::uint64_t base = counter > kNewFrequency ? counter - kNewFrequency : 0;
    dice_ ^= dice_ << 13;
    dice_ ^= dice_ >> 7;
    dice_ ^= dice_ << 17;
    if (dice_ % (base * log_factor_ + 1) == 0) ++counter;
  }
  key.set_access(of_frequency(counter));
}

}  // namespace redraft::store
