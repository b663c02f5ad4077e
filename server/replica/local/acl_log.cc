#include "server/replica/local/acl_log.h"

#include <utility>

namespace redraft::replica::local {

namespace {

constexpr std::uint64_t kSameWithin_ms = 60'000;
constexpr std::size_t kLookedBack = 10;

}  // namespace

void AclLog::add(Entry entry, std::uint64_t now_ms, std::uint64_t entries_max) {
  ++denied_[entry.reason];
  entry.updated_ms = now_ms;
  for (std::size_t i = 0; i < entries_.size() && i < kLookedBack; ++i) {
    Entry& known = entries_[i];
    if (known.reason != entry.reason || known.context != entry.context || known.object != entry.object ||
        known.username != entry.username || now_ms > known.updated_ms + kSameWithin_ms) {
      continue;
    }
    Entry again = std::move(known);
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(i));
    ++again.count;
    again.updated_ms = now_ms;
    again.client = std::move(entry.client);
    entries_.push_front(std::move(again));
    return;
  }
  entry.id = next_id_++;
  entry.created_ms = now_ms;
  entries_.push_front(std::move(entry));
  while (entries_.size() > entries_max) entries_.pop_back();
}

}  // namespace redraft::replica::local
