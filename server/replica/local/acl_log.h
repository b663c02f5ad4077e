#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace redraft::replica::local {

// ACL LOG of this node: commands and logins that were refused, the newest first (redis.io/commands/acl-log). What
// repeats within a minute is counted once more instead.
class AclLog {
 public:
  struct Entry {
    std::uint64_t count = 1;
    std::string_view reason;   // command, key, channel or auth
    std::string_view context;  // toplevel, multi or lua
    std::string object;        // what was refused: the command, the key, the channel
    std::string username;
    std::string client;  // as CLIENT LIST shows it
    std::uint64_t id = 0;
    std::uint64_t created_ms = 0;  // Unix time
    std::uint64_t updated_ms = 0;
  };

  void add(Entry entry, std::uint64_t now_ms, std::uint64_t entries_max);
  void clear() { entries_.clear(); }
  [[nodiscard]] const std::deque<Entry>& entries() const { return entries_; }
  // How often for that reason since the node started, whatever was forgotten.
  [[nodiscard]] std::uint64_t denied(std::string_view reason) const {
    const auto found = denied_.find(reason);
    return found == denied_.end() ? 0 : found->second;
  }

 private:
  std::deque<Entry> entries_;
  std::map<std::string_view, std::uint64_t> denied_;
  std::uint64_t next_id_ = 0;
};

}  // namespace redraft::replica::local
