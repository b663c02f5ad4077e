#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace redraft::replica::local {

// SLOWLOG's entries, newest first. Node-local; the caller measures execution only (redis-semantics, "Node-local
// things").
class SlowLog {
 public:
  struct Entry {
    std::uint64_t id = 0;
    std::uint64_t time_s = 0;  // Unix time
    std::uint64_t microseconds = 0;
    std::vector<std::string> arguments;  // shortened as Redis does: 32 of at most 128 bytes
    std::string peer;
    std::string client_name;
  };

  // The caller compares with slowlog-log-slower-than first.
  void add(std::uint64_t time_s, std::uint64_t microseconds, std::span<const std::string_view> arguments,
           std::string_view peer, std::string_view client_name, std::uint64_t length_max);
  [[nodiscard]] const std::deque<Entry>& entries() const { return entries_; }
  void clear() { entries_.clear(); }

 private:
  std::deque<Entry> entries_;
  std::uint64_t next_id_ = 0;
};

}  // namespace redraft::replica::local
