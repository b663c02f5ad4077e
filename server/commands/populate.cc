#include "server/commands/populate.h"

#include <string>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"

namespace redraft::commands {

void populate(Context& context) {
  const std::uint64_t end = entry_number(context, 3);
  const std::uint64_t size = entry_number(context, 4);
  Breaths breaths(context);
  std::string key;
  std::string value;
  for (std::uint64_t i = entry_number(context, 2); i < end; ++i) {
    breaths.step();
    const std::string number = std::to_string(i);
    key.assign(context.argument(1)).append(":").append(number);
    if (key_exists(context, key)) continue;
    value.assign("value:").append(number);
    if (size != 0) value.resize(size, '\0');
    context.store.set_string(context.db, key, value, 0);
    context.notify(Event::kNew, "new", key);
    changed(context, key);
  }
  context.reply.ok();
}

}  // namespace redraft::commands
