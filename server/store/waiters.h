#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace redraft::store {

// Names the one command of one connection that waits.
struct WaiterId {
  std::uint64_t node = 0;
  std::uint64_t connection = 0;
  std::uint64_t number = 0;
  friend auto operator<=>(const WaiterId&, const WaiterId&) = default;
};

// A blocking pop that found nothing.
struct Waiter {
  WaiterId id;
  std::uint32_t db = 0;
  std::uint16_t command = 0;     // commands::CommandId
  bool on_every_change = false;  // also when a key goes or gets a value of another type: XREADGROUP
  std::vector<std::string> keys;
  std::vector<std::string> arguments;  // the command as it was sent
};

// The waiters of all connections of the cluster, in the order in which they began to wait: replicated state, so that a
// push serves the longest waiting on whatever node it is connected to (redis-semantics, "Blocking").
class Waiters {
 public:
  void add(Waiter waiter);
  // False when nobody by that name waits.
  bool remove(const WaiterId& id);
  void clear();

  [[nodiscard]] const Waiter* find(const WaiterId& id) const;
  [[nodiscard]] bool any() const { return !waiting_.empty(); }
  [[nodiscard]] bool waits_for(std::uint32_t db, std::string_view key) const;
  // Of those that wait for the key the one after `after` in their order (0: the longest waiting); nullptr at the end.
  // `position` becomes its place, for the next call.
  [[nodiscard]] const Waiter* next(std::uint32_t db, std::string_view key, std::uint64_t& position) const;
  [[nodiscard]] bool any_on_every_change() const { return on_every_change_ > 0; }
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  [[nodiscard]] std::size_t key_count() const { return by_key_.size(); }
  // Keys that the entry being applied has changed, in the order in which they became ready; whoever applies serves
  // their waiters before the entry ends. Transient: empty between entries, so in neither snapshot nor digest. Keeps
  // only keys that somebody waits for, and each once until it is taken.
  void mark_ready(std::uint32_t db, std::string_view key);
  // All keys of a database that somebody waits for.
  void mark_database(std::uint32_t db);
  [[nodiscard]] bool any_ready() const { return !ready_.empty(); }
  // False when there is none left.
  bool take_ready(std::uint32_t& db, std::string& key);

  // In the order in which they began to wait.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [position, waiter] : waiting_) visit(waiter);
  }

  void encode(std::string& to) const;
  [[nodiscard]] Status decode(std::string_view& from);

 private:
  using Place = std::pair<std::uint32_t, std::string>;
  std::map<std::uint64_t, Waiter> waiting_;  // by position
  std::map<WaiterId, std::uint64_t> by_id_;
  std::map<Place, std::set<std::uint64_t>, std::less<>> by_key_;
  std::deque<Place> ready_;
  std::set<Place, std::less<>> marked_;  // what `ready_` holds
  std::uint64_t last_position_ = 0;
  std::size_t on_every_change_ = 0;  // of those who wait
};

}  // namespace redraft::store
