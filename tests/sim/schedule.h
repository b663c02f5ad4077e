#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace redraft::sim {

// Virtual time: everything that is going to happen, by microsecond and, within one, in the order it was asked for.
class Schedule {
 public:
  using Action = std::function<void()>;

  [[nodiscard]] std::uint64_t now_us() const { return now_us_; }
  void at(std::uint64_t time_us, Action action);
  void after(std::uint64_t delay_us, Action action) { at(now_us_ + delay_us, std::move(action)); }
  // Goes to the next event and does it. False when there is none.
  bool step();
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  // The heap moves small things; the actions stay where they are.
  struct Event {
    std::uint64_t time_us;
    std::uint64_t number;
    std::uint32_t action;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.time_us != b.time_us ? a.time_us > b.time_us : a.number > b.number;
    }
  };
  std::vector<Event> heap_;
  std::vector<Action> actions_;
  std::vector<std::uint32_t> free_;  // places in actions_
  std::uint64_t now_us_ = 0;
  std::uint64_t next_number_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace redraft::sim
