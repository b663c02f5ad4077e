#include "server/commands/watch.h"

#include "server/store/store.h"

namespace redraft::commands {

WatchedKey watch_key(const store::Store& store, std::uint32_t db, std::string_view key, std::uint64_t clock_ms,
                     std::uint64_t index) {
  WatchedKey seen;
  seen.db = db;
  seen.index = index;
  const store::Key* found = store.find(db, key);
  if (found == nullptr) return seen;
  const std::uint64_t deadline_ms = found->deadline_ms();
  if (deadline_ms != 0 && deadline_ms <= clock_ms) return seen;
  seen.absent = false;
  seen.deadline_ms = deadline_ms;
  return seen;
}

// A key that was absent cannot expire; and one that has gone by its deadline leaves no other trace, since nodes free
// its memory by themselves (redis-semantics, "Transactions").
bool watched_key_changed(const store::Store& store, const WatchedKey& seen, std::string_view key) {
  if (store.changed_since(seen.db, key, seen.index)) return true;
  return !seen.absent && store.has_passed(seen.deadline_ms);
}

}  // namespace redraft::commands
