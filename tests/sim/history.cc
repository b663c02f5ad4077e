#include "tests/sim/history.h"

#include <algorithm>
#include <set>
#include <utility>

namespace redraft::sim {
namespace {

std::string at(std::uint64_t time_us) {
  return time_us == kNever ? "never" : std::to_string(time_us) + " us";
}

}  // namespace

// ---- OrderHistory

std::size_t OrderHistory::begin_change(std::uint64_t now_us) {
  operations_.push_back({.change = true, .begin_us = now_us});
  return operations_.size() - 1;
}

std::size_t OrderHistory::begin_read(std::uint64_t now_us) {
  operations_.push_back({.change = false, .begin_us = now_us});
  return operations_.size() - 1;
}

void OrderHistory::answered(std::size_t operation, std::uint64_t now_us, std::uint64_t value) {
  operations_[operation].end_us = now_us;
  operations_[operation].value = value;
}

std::uint64_t OrderHistory::changes_min() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      operations_, [](const Operation& operation) { return operation.change && operation.end_us != kNever; }));
}

std::uint64_t OrderHistory::changes_max() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      operations_, [](const Operation& operation) { return operation.change && !operation.refused; }));
}

Verdict OrderHistory::check(const std::string& name) const {
  std::set<std::uint64_t> places;
  std::vector<const Operation*> by_begin;
  std::vector<const Operation*> by_end;
  std::vector<std::uint64_t> changes_begun;
  for (const Operation& operation : operations_) {
    if (operation.change && !operation.refused) changes_begun.push_back(operation.begin_us);
    if (operation.end_us == kNever) continue;
    if (operation.change && !places.insert(operation.value).second) {
      return name + ": two changes were answered with " + std::to_string(operation.value) + " (one at " +
             at(operation.end_us) + "): one is lost";
    }
    by_begin.push_back(&operation);
    by_end.push_back(&operation);
  }
  std::ranges::sort(changes_begun);
  std::ranges::stable_sort(by_begin, {}, [](const Operation* operation) { return operation->begin_us; });
  std::ranges::stable_sort(by_end, {}, [](const Operation* operation) { return operation->end_us; });
  // A change that made the value v lies at 2v, a read of v just behind it.
  const auto place = [](const Operation& operation) { return operation.value * 2 + (operation.change ? 0 : 1); };
  const Operation* newest = nullptr;
  std::size_t ended = 0;
  for (const Operation* operation : by_begin) {
    while (ended < by_end.size() && by_end[ended]->end_us < operation->begin_us) {
      if (newest == nullptr || place(*by_end[ended]) > place(*newest)) newest = by_end[ended];
      ++ended;
    }
    if (newest != nullptr && place(*operation) < place(*newest)) {
      return name + ": " + std::to_string(newest->value) + " was answered at " + at(newest->end_us) + ", and " +
             (operation->change ? "a change" : "a read") + " that began later, at " + at(operation->begin_us) +
             ", got " + std::to_string(operation->value);
    }
    const auto begun = std::ranges::upper_bound(changes_begun, operation->end_us) - changes_begun.begin();
    if (static_cast<std::uint64_t>(begun) < operation->value) {
      return name + ": the value " + std::to_string(operation->value) + " was answered at " + at(operation->end_us) +
             " when only " + std::to_string(begun) + " changes had begun: one took effect twice, or after a refusal";
    }
  }
  return std::nullopt;
}

// ---- RegisterHistory

std::size_t RegisterHistory::begin_write(std::uint64_t now_us, std::string value) {
  writes_.push_back({.value = std::move(value), .begin_us = now_us});
  return writes_.size() - 1;
}

void RegisterHistory::read(std::uint64_t begin_us, std::uint64_t end_us, std::string value) {
  reads_.push_back({std::move(value), begin_us, end_us});
}

Verdict RegisterHistory::check(const std::string& name) const {
  struct Zone {
    std::uint64_t first_end = kNever;
    std::uint64_t last_begin = 0;
    bool written = false;
    bool refused = false;
    std::uint64_t write_begin = 0;
    std::string value;
  };
  std::map<std::string, Zone> zones;
  zones[""] = {.first_end = 0, .last_begin = 0, .written = true, .value = "nothing"};
  for (const Write& write : writes_) {
    Zone& zone = zones[write.value];
    zone = {.first_end = write.end_us,
            .last_begin = write.begin_us,
            .written = true,
            .refused = write.refused,
            .write_begin = write.begin_us,
            .value = write.value};
  }
  for (const Read& read : reads_) {
    Zone& zone = zones[read.value];
    if (!zone.written) return name + ": a read at " + at(read.end_us) + " got \"" + read.value + "\" of nobody";
    if (zone.refused) return name + ": \"" + read.value + "\" was refused and read at " + at(read.end_us);
    if (read.end_us < zone.write_begin) return name + ": \"" + read.value + "\" was read before it was written";
    zone.first_end = std::min(zone.first_end, read.end_us);
    zone.last_begin = std::max(zone.last_begin, read.begin_us);
  }
  std::vector<const Zone*> forward;
  std::vector<const Zone*> backward;
  for (const auto& [value, zone] : zones) {
    if (zone.first_end == kNever) continue;  // in doubt and never seen
    (zone.first_end < zone.last_begin ? forward : backward).push_back(&zone);
  }
  std::ranges::sort(forward, {}, [](const Zone* zone) { return zone->first_end; });
  for (std::size_t i = 1; i < forward.size(); ++i) {
    if (forward[i]->first_end < forward[i - 1]->last_begin) {
      return name + ": \"" + forward[i - 1]->value + "\" and \"" + forward[i]->value + "\" were each read after the " +
             "other was there (around " + at(forward[i]->first_end) + ")";
    }
  }
  for (const Zone* zone : backward) {
    // The only forward zone that can hold it is the last to begin before it.
    const auto after =
        std::ranges::lower_bound(forward, zone->last_begin, {}, [](const Zone* other) { return other->first_end; });
    if (after == forward.begin()) continue;
    const Zone* holder = *(after - 1);
    if (holder->first_end < zone->last_begin && zone->first_end < holder->last_begin) {
      return name + ": \"" + zone->value + "\" was there from " + at(zone->last_begin) + " to " + at(zone->first_end) +
             ", but \"" + holder->value + "\" was there before and after";
    }
  }
  return std::nullopt;
}

// ---- ElementHistory

Verdict ElementHistory::check(const std::string& name) const {
  std::uint64_t missing = 0;
  std::string example;
  for (const auto& [element, what] : elements_) {
    const std::string called = name + ": element " + element;
    if (!what.adding) return called + " came from nowhere";
    if (what.refused && what.taken + what.left > 0) return called + " was refused and is there";
    if (what.taken > 1) return called + " was taken twice";
    if (what.left > 1) return called + " is there twice";
    if (what.taken + what.left > 1) return called + " was taken and is still there";
    if (what.added && what.taken + what.left == 0) {
      ++missing;
      example = element;
    }
  }
  if (missing > unknown_) {
    return name + ": " + std::to_string(missing) + " acknowledged elements are gone (" + example + "), and only " +
           std::to_string(unknown_) + " takings are in doubt";
  }
  return std::nullopt;
}

}  // namespace redraft::sim
