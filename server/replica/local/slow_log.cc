#include "server/replica/local/slow_log.h"

#include <algorithm>

namespace redraft::replica::local {

namespace {
constexpr std::size_t kArgumentsMax = 32;
constexpr std::size_t kBytesMax = 128;
}  // namespace

void SlowLog::add(std::uint64_t time_s, std::uint64_t microseconds, std::span<const std::string_view> arguments,
                  std::string_view peer, std::string_view client_name, std::uint64_t length_max) {
  Entry entry{next_id_++, time_s, microseconds, {}, std::string(peer), std::string(client_name)};
  const std::size_t shown = std::min(arguments.size(), kArgumentsMax);
  for (std::size_t i = 0; i < shown; ++i) {
    if (arguments.size() > kArgumentsMax && i + 1 == shown) {
      entry.arguments.push_back("... (" + std::to_string(arguments.size() - kArgumentsMax + 1) + " more arguments)");
    } else if (arguments[i].size() > kBytesMax) {
      entry.arguments.push_back(std::string(arguments[i].substr(0, kBytesMax)) + "... (" +
                                std::to_string(arguments[i].size() - kBytesMax) + " more bytes)");
    } else {
      entry.arguments.emplace_back(arguments[i]);
    }
  }
  entries_.push_front(std::move(entry));
  while (entries_.size() > length_max) entries_.pop_back();
}

}  // namespace redraft::replica::local
