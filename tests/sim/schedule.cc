#include "tests/sim/schedule.h"

#include <algorithm>

namespace redraft::sim {

void Schedule::at(std::uint64_t time_us, Action action) {
  heap_.push_back({std::max(time_us, now_us_), next_number_++, std::move(action)});
  std::push_heap(heap_.begin(), heap_.end(), Later());
}

bool Schedule::step() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), Later());
  Event event = std::move(heap_.back());
  heap_.pop_back();
  now_us_ = event.time_us;
  ++steps_;
  event.action();
  return true;
}

}  // namespace redraft::sim
