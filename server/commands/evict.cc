#include "server/commands/evict.h"

#include "base/check.h"
#include "resp/number.h"
#include "server/commands/keyspace.h"

namespace redraft::commands {

namespace {

std::uint64_t number_argument(const Context& context, std::size_t i) {
  const std::optional<std::uint64_t> number = resp::parse_uint64(context.argument(i));
  ensure(number.has_value(), "the entry that evicts keys is made of numbers and names (server/commands/evict.h)");
  return *number;
}

}  // namespace

std::uint64_t evicted_bytes(const Context& context) {
  return number_argument(context, 1);
}

std::uint64_t evict(Context& context) {
  std::uint64_t removed = 0;
  Breaths breaths(context);
  for (std::size_t i = 2; i + 2 < context.argument_count(); i += 3) {
    breaths.step();
    const std::uint64_t db = number_argument(context, i);
    const std::uint64_t index = number_argument(context, i + 1);
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
