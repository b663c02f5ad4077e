#pragma once

#include <cstdint>
#include <string_view>

namespace redraft::store {
class Store;
}

namespace redraft::commands {

// What WATCH saw of one key, as EXEC's entry carries it; judged at apply on every node from replicated state alone, so
// that all decide the same (architecture, "What keeps replicas identical").
struct WatchedKey {
  std::uint32_t db = 0;
  bool absent = true;             // it did not exist at `clock_ms`, or its deadline had passed
  std::uint64_t deadline_ms = 0;  // 0: none
  std::uint64_t index = 0;        // the last applied entry when it was looked at
};

// After a read barrier, with the clock and applied index of a read.
[[nodiscard]] WatchedKey watch_key(const store::Store& store, std::uint32_t db, std::string_view key,
                                   std::uint64_t clock_ms, std::uint64_t index);

// At apply or inside a read: whether `key` was written, flushed, swapped or has expired since. A collision of hashes
// may answer true for an untouched key, never false for a touched one.
[[nodiscard]] bool watched_key_changed(const store::Store& store, const WatchedKey& seen, std::string_view key);

}  // namespace redraft::commands
