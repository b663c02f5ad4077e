#include "server/commands/evict.h"

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"

namespace redraft::commands {

std::uint64_t evicted_bytes(const Context& context) {
  return entry_number(context, 1);
}

std::uint64_t evict(Context& context) {
  std::uint64_t removed = 0;
  Breaths breaths(context);
  for (std::size_t i = 2; i + 2 < context.argument_count(); i += 3) {
    breaths.step();
    const std::uint64_t db = entry_number(context, i);
    const std::uint64_t index = entry_number(context, i + 1);
    const std::string_view key = context.argument(i + 2);
    if (db >= context.store.database_count()) continue;
    context.db = static_cast<std::uint32_t>(db);
    if (context.store.changed_since(context.db, key, index) || !remove_key(context, key)) continue;
    changed(context, key);
    context.notify(Event::kEvicted, "evicted", key);
    ++removed;
  }
  context.reply.integer(static_cast<std::int64_t>(removed));
  return removed;
}

}  // namespace redraft::commands
