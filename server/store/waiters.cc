#include "server/store/waiters.h"

#include "base/check.h"
#include "server/store/object.h"

namespace redraft::store {

void Waiters::add(Waiter waiter) {
  ensure(!by_id_.contains(waiter.id), "a connection's command waits once");
  const std::uint64_t position = ++last_position_;
  by_id_[waiter.id] = position;
  if (waiter.on_every_change) ++on_every_change_;
  for (const std::string& key : waiter.keys) by_key_[{waiter.db, key}].insert(position);
  waiting_.emplace(position, std::move(waiter));
}

bool Waiters::remove(const WaiterId& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return false;
  const auto waiter = waiting_.find(found->second);
  for (const std::string& key : waiter->second.keys) {
    const auto place = by_key_.find(Place{waiter->second.db, key});
    if (place == by_key_.end()) continue;  // the key was named twice
    place->second.erase(found->second);
    if (place->second.empty()) by_key_.erase(place);
  }
  if (waiter->second.on_every_change) --on_every_change_;
  waiting_.erase(waiter);
  by_id_.erase(found);
  return true;
}

void Waiters::clear() {
  waiting_.clear();
  by_id_.clear();
  by_key_.clear();
  ready_.clear();
  marked_.clear();
  on_every_change_ = 0;
}

void Waiters::mark_ready(std::uint32_t db, std::string_view key) {
  if (!waits_for(db, key)) return;
  Place place{db, std::string(key)};
  if (marked_.insert(place).second) ready_.push_back(std::move(place));
}

void Waiters::mark_database(std::uint32_t db) {
  std::vector<Place> places;
  for (auto at = by_key_.lower_bound(Place{db, {}}); at != by_key_.end() && at->first.first == db; ++at)
    places.push_back(at->first);
  for (const Place& place : places) mark_ready(place.first, place.second);
}

bool Waiters::take_ready(std::uint32_t& db, std::string& key) {
  if (ready_.empty()) return false;
  marked_.erase(ready_.front());
  db = ready_.front().first;
  key = std::move(ready_.front().second);
  ready_.pop_front();
  return true;
}

const Waiter* Waiters::find(const WaiterId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &waiting_.at(found->second);
}

bool Waiters::waits_for(std::uint32_t db, std::string_view key) const {
  return !by_key_.empty() && by_key_.contains(Place{db, std::string(key)});
}

const Waiter* Waiters::next(std::uint32_t db, std::string_view key, std::uint64_t& position) const {
  const auto place = by_key_.find(Place{db, std::string(key)});
  if (place == by_key_.end()) return nullptr;
  const auto found = place->second.upper_bound(position);
  if (found == place->second.end()) return nullptr;
  position = *found;
  return &waiting_.at(position);
}

void Waiters::encode(std::string& to) const {
  put_number(to, waiting_.size());
  for (const auto& [position, waiter] : waiting_) {
    put_number(to, waiter.id.node);
    put_number(to, waiter.id.connection);
    put_number(to, waiter.id.number);
    put_number(to, waiter.db);
    put_number(to, waiter.command);
    put_number(to, waiter.on_every_change ? 1 : 0);
    put_number(to, waiter.keys.size());
    for (const std::string& key : waiter.keys) put_bytes(to, key);
    put_number(to, waiter.arguments.size());
    for (const std::string& argument : waiter.arguments) put_bytes(to, argument);
  }
}

Status Waiters::decode(std::string_view& from) {
  std::uint64_t count = 0;
  if (!take_number(from, count)) return malformed("list of waiters");
  const auto take_all = [&](std::vector<std::string>& all) {
    std::uint64_t size = 0;
    if (!take_number(from, size)) return false;
    for (std::uint64_t i = 0; i < size; ++i) {
      std::string_view bytes;
      if (!take_bytes(from, bytes)) return false;
      all.emplace_back(bytes);
    }
    return true;
  };
  for (std::uint64_t i = 0; i < count; ++i) {
    Waiter waiter;
    std::uint64_t db = 0;
    std::uint64_t command = 0;
    std::uint64_t every = 0;
    if (!take_number(from, waiter.id.node) || !take_number(from, waiter.id.connection) ||
        !take_number(from, waiter.id.number) || !take_number(from, db) || !take_number(from, command) ||
        !take_number(from, every) || !take_all(waiter.keys) || !take_all(waiter.arguments) ||
        by_id_.contains(waiter.id)) {
      return malformed("waiter");
    }
    waiter.db = static_cast<std::uint32_t>(db);
    waiter.command = static_cast<std::uint16_t>(command);
    waiter.on_every_change = every != 0;
    add(std::move(waiter));
  }
  return Done{};
}

}  // namespace redraft::store
