#include "server/replica/lookahead.h"

#include <algorithm>

#include "base/check.h"

namespace redraft::replica {

void KeyGroup::add(const commands::Command& command, std::uint32_t db, std::span<const std::string_view> arguments) {
  const commands::KeyRange& range = command.range;
  if (range.first <= 0) return;
  const auto size = static_cast<std::ptrdiff_t>(arguments.size());
  const std::ptrdiff_t last = std::min<std::ptrdiff_t>(range.last >= 0 ? range.last : size + range.last, size - 1);
  for (std::ptrdiff_t at = range.first; at <= last && !full(); at += std::max<std::ptrdiff_t>(range.step, 1)) {
    names_[count_++] = {db, arguments[static_cast<std::size_t>(at)]};
  }
}

void KeyGroup::prefetch(const store::Store& store) const {
  if (count_ > 1) store.prefetch(std::span(names_).first(count_));
}

void Lookahead::look() {
  KeyGroup group;
  CommandHeader header;
  while (!group.full() && reader_.next(header, arguments_)) {
    ++ahead_;
    if (const commands::Command* command = commands::find_command(header.id)) {
      group.add(*command, header.db, arguments_);
    }
  }
  ensure(ahead_ > 0, "whoever steps has another command");
  group.prefetch(store_);
}

}  // namespace redraft::replica
