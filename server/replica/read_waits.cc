#include "server/replica/read_waits.h"

#include <utility>

#include "base/check.h"

namespace redraft::replica {

void ReadWaits::add(std::uint64_t session, std::uint32_t db, std::vector<std::string> keys, std::uint64_t until_us) {
  ensure(!waiting_.contains(session), "a session waits in one read");
  for (const std::string& key : keys) by_key_[db][key].insert(session);
  if (until_us != 0) by_end_[until_us].insert(session);
  waiting_.emplace(session, Wait{db, std::move(keys), until_us});
}

bool ReadWaits::remove(std::uint64_t session) {
  const auto found = waiting_.find(session);
  if (found == waiting_.end()) return false;
  const Wait& wait = found->second;
  auto& keys = by_key_[wait.db];
  for (const std::string& key : wait.keys) {
    const auto place = keys.find(key);
    if (place == keys.end()) continue;  // the key was named twice
    place->second.erase(session);
    if (!place->second.empty()) continue;
    changed_.erase({wait.db, key});
    keys.erase(place);
  }
  const auto end = by_end_.find(wait.until_us);
  if (end != by_end_.end()) {
    end->second.erase(session);
    if (end->second.empty()) by_end_.erase(end);
  }
  waiting_.erase(found);
  return true;
}

std::vector<std::uint64_t> ReadWaits::take(std::vector<std::uint64_t> sessions) {
  for (const std::uint64_t session : sessions) remove(session);
  return sessions;
}

std::vector<std::uint64_t> ReadWaits::take_all() {
  std::vector<std::uint64_t> sessions;
  for (const auto& [session, wait] : waiting_) sessions.push_back(session);
  return take(std::move(sessions));
}

std::vector<std::uint64_t> ReadWaits::due(std::uint64_t now_us) const {
  std::vector<std::uint64_t> sessions;
  for (auto at = by_end_.begin(); at != by_end_.end() && at->first <= now_us; ++at) {
    sessions.insert(sessions.end(), at->second.begin(), at->second.end());
  }
  return sessions;
}

void ReadWaits::key_changed(std::uint32_t db, std::string_view name) {
  const auto database = by_key_.find(db);
  if (database == by_key_.end()) return;
  if (database->second.contains(name)) changed_.emplace(db, name);
}

void ReadWaits::database_changed(std::uint32_t db) {
  const auto database = by_key_.find(db);
  if (database == by_key_.end()) return;
  for (const auto& [name, sessions] : database->second) changed_.emplace(db, name);
}

}  // namespace redraft::replica
