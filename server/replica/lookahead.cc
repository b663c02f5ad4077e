#include "server/replica/lookahead.h"

#include <algorithm>

#include "base/check.h"

namespace redraft::replica {

void KeyGroup::add(const commands::Command& command, std::uint32_t db, std::span<const std::string_view> arguments) {
  const commands::KeyRange& range = command.range;
  if (range.first <= 0) return add_movable(command, db, arguments);
  const auto size = static_cast<std::ptrdiff_t>(arguments.size());
  const std::ptrdiff_t last = std::min<std::ptrdiff_t>(range.last >= 0 ? range.last : size + range.last, size - 1);
  const bool is_only = range.first == range.last && range.first + 1 < size;
  for (std::ptrdiff_t at = range.first; at <= last && !full(); at += std::max<std::ptrdiff_t>(range.step, 1)) {
    const auto place = static_cast<std::size_t>(at);
    store::Store::KeyName& name = names_[count_++];
    name = {.db = db, .name = arguments[place]};
    if (!is_only) continue;
    name.first = arguments[place + 1];
    name.last = arguments.back();
  }
}

void KeyGroup::add_movable(const commands::Command& command, std::uint32_t db,
                           std::span<const std::string_view> arguments) {
  if (command.find_keys == nullptr || !commands::arity_fits(command, arguments.size())) return;
  positions_.clear();
  command.find_keys(arguments, positions_);
  for (const std::uint32_t place : positions_) {
    if (full()) return;
    names_[count_++] = {.db = db, .name = arguments[place]};
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
