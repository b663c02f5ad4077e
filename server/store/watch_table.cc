#include "server/store/watch_table.h"

#include <algorithm>

#include "server/store/part.h"

namespace redraft::store {

void WatchTable::touch_all(std::uint64_t index) {
  std::fill(places_.begin(), places_.end(), index);
}

// Runs of the same index, as most places of a young cluster have none.
void WatchTable::encode(std::string& to) const {
  put_number(to, places_.size());
  for (auto run = places_.begin(); run != places_.end();) {
    const auto end = std::find_if(run, places_.end(), [&](std::uint64_t index) { return index != *run; });
    put_number(to, static_cast<std::uint64_t>(end - run));
    put_number(to, *run);
    run = end;
  }
  for (const std::uint64_t index : databases_) put_number(to, index);
}

bool WatchTable::decode(std::string_view& from) {
  std::uint64_t size = 0;
  if (!take_number(from, size) || size != places_.size()) return false;
  for (std::size_t at = 0; at < places_.size();) {
    std::uint64_t run = 0;
    std::uint64_t index = 0;
    if (!take_number(from, run) || !take_number(from, index) || run == 0 || run > places_.size() - at) return false;
    std::fill_n(places_.begin() + static_cast<std::ptrdiff_t>(at), run, index);
    at += run;
  }
  return std::all_of(databases_.begin(), databases_.end(),
                     [&](std::uint64_t& index) { return take_number(from, index); });
}

}  // namespace redraft::store
