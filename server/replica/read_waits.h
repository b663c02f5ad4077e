#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/store/store.h"

namespace redraft::replica {

// Reads of this node's clients that found nothing and wait for a key to change: XREAD BLOCK. Nothing of them is
// replicated (redis-semantics, "Blocking"). Told by the store which keys change; whoever runs the node takes those that
// woke and runs their reads again.
class ReadWaits final : public store::Observer {
 public:
  // `until_us`: monotonic time, 0 for ever. A session waits once.
  void add(std::uint64_t session, std::uint32_t db, std::vector<std::string> keys, std::uint64_t until_us);
  // False when it does not wait.
  bool remove(std::uint64_t session);
  [[nodiscard]] bool contains(std::uint64_t session) const { return waiting_.contains(session); }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

  [[nodiscard]] bool any_changed() const { return !changed_.empty(); }
  // Those who wait for a key that has changed and for which `concerns` (db, name) answers true; they wait no longer. In
  // the order of their ids, as the others.
  template <class Concerns>
  [[nodiscard]] std::vector<std::uint64_t> take_woken(Concerns concerns) {
    Sessions woken;
    for (const auto& [db, name] : std::exchange(changed_, {})) {
      if (!concerns(db, std::string_view(name))) continue;
      const Sessions& sessions = by_key_[db][name];
      woken.insert(sessions.begin(), sessions.end());
    }
    return take({woken.begin(), woken.end()});
  }
  [[nodiscard]] std::vector<std::uint64_t> take_all();
  // Whose time is over; they still wait.
  [[nodiscard]] std::vector<std::uint64_t> due(std::uint64_t now_us) const;

  void key_changed(std::uint32_t db, std::string_view name) override;
  void database_changed(std::uint32_t db) override;
  void key_missed(std::uint32_t, std::string_view) override {}

 private:
  struct Wait {
    std::uint32_t db = 0;
    std::vector<std::string> keys;
    std::uint64_t until_us = 0;
  };
  using Sessions = std::set<std::uint64_t>;

  [[nodiscard]] std::vector<std::uint64_t> take(std::vector<std::uint64_t> sessions);

  std::map<std::uint64_t, Wait> waiting_;
  std::map<std::uint32_t, std::map<std::string, Sessions, std::less<>>> by_key_;  // databases, then keys
  std::map<std::uint64_t, Sessions> by_end_;                                      // of those whose time ends
  std::set<std::pair<std::uint32_t, std::string>> changed_;                       // awaited keys
};

}  // namespace redraft::replica
