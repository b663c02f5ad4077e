#include "server/commands/populate.h"

#include <string>

#include "base/check.h"
#include "resp/number.h"
#include "server/commands/keyspace.h"

namespace redraft::commands {

namespace {

std::uint64_t number_argument(const Context& context, std::size_t i) {
  const std::optional<std::uint64_t> number = resp::parse_uint64(context.argument(i));
  ensure(number.has_value(), "the entry that populates is made of numbers and a prefix (populate.h)");
  return *number;
}

}  // namespace

void populate(Context& context) {
  const std::uint64_t end = number_argument(context, 3);
  const std::uint64_t size = number_argument(context, 4);
  Breaths breaths(context);
  std::string key;
  std::string value;
  for (std::uint64_t i = number_argument(context, 2); i < end; ++i) {
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
