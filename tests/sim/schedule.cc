#include "tests/sim/schedule.h"

#include <algorithm>
#include <utility>

namespace redraft::sim {

void Schedule::at(std::uint64_t time_us, Action action) {
  std::uint32_t place = 0;
  if (free_.empty()) {
    place = static_cast<std::uint32_t>(actions_.size());
    actions_.push_back(std::move(action));
  } else {
    place = free_.back();
    free_.pop_back();
    actions_[place] = std::move(action);
  }
  heap_.push_back({std::max(time_us, now_us_), next_number_++, place});
  std::push_heap(heap_.begin(), heap_.end(), Later());
}

bool Schedule::step() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), Later());
  const Event event = heap_.back();
  heap_.pop_back();
  now_us_ = event.time_us;
  ++steps_;
  const Action action = std::exchange(actions_[event.action], nullptr);
  free_.push_back(event.action);
  action();
  return true;
}

}  // namespace redraft::sim
