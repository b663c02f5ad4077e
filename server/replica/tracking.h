#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/replica/pushes.h"

namespace redraft::replica {

// Client-side caching (redis.io/docs/manual/client-side-caching): which clients of this node were told which key, so
// that they hear when it changes. Keys are known by name alone, in all databases, as in Redis. Nothing here is
// replicated; a node that can no longer promise to notice changes tells all its clients to forget everything.
class Tracking {
 public:
  // `any_changed` is called when the first session begins to track and when the last one ends: nobody else need look
  // for changes.
  Tracking(Sessions& sessions, Pushes& pushes, std::function<void()> any_changed)
      : sessions_(sessions), pushes_(pushes), any_changed_(std::move(any_changed)) {}

  // Checked by the caller. Again for a session that tracks already: changes its options, adds its prefixes.
  void enable(Session& session, TrackingState options);
  void disable(Session& session);

  // One branch for those who pay nothing: somebody tracks.
  [[nodiscard]] bool any() const { return trackers_ > 0; }

  // A read of that session has just run. At most `keys_max` keys are remembered (0: any number); past that some client
  // is told early that a key has changed.
  void remember(Session& session, std::span<const std::string_view> arguments, std::span<const std::uint32_t> positions,
                std::uint64_t keys_max);
  // The key has changed, by a command of `by` (0: none of this node's sessions).
  void changed(std::string_view key, std::uint64_t by);
  // Everything may have changed.
  void forget_everything();
  // The keys that changed since the last call, for those who want all keys with a prefix.
  void broadcast();

  [[nodiscard]] std::size_t key_count() const { return keys_.size(); }
  [[nodiscard]] std::size_t item_count() const { return items_; }  // a key counts once for each client that was told it
  [[nodiscard]] std::size_t prefix_count() const { return prefixes_.size(); }
  [[nodiscard]] std::uint64_t client_count() const { return trackers_; }

 private:
  struct Prefix {
    std::set<std::uint64_t> sessions;
    std::map<std::string, std::uint64_t, std::less<>> changed;  // key, and by whom
  };
  void drop_prefixes(Session& session);
  void invalidate(Session& session, std::span<const std::string_view> keys);
  void evict(std::uint64_t keys_max);

  Sessions& sessions_;
  Pushes& pushes_;
  std::function<void()> any_changed_;
  std::uint64_t trackers_ = 0;
  std::map<std::string, std::set<std::uint64_t>, std::less<>> keys_;  // the sessions that were told it
  std::size_t items_ = 0;
  std::string evict_after_;  // the next key to be forgotten comes after this
  std::map<std::string, Prefix, std::less<>> prefixes_;
};

}  // namespace redraft::replica
