#include "server/commands/keys.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/glob.h"
#include "server/commands/keyspace.h"

namespace redraft::commands {

namespace {

std::int64_t count_present(Context& context) {
  std::int64_t present = 0;
  Breaths breaths(context);
  for (const std::string_view key : context.arguments.subspan(1)) {
    if (key_exists(context, key)) ++present;
    breaths.step();
  }
  return present;
}

void rename_key(Context& context, bool only_if_absent) {
  const std::string_view from = context.argument(1);
  const std::string_view to = context.argument(2);
  if (!key_exists(context, from)) return context.reply.error(kNoSuchKey);
  if (from == to) return only_if_absent ? context.reply.integer(0) : context.reply.ok();
  if (only_if_absent && key_exists(context, to)) return context.reply.integer(0);
  move_value(context, {context.db, from}, {context.db, to});
  context.notify(Event::kGeneric, "rename_from", from);
  context.notify(Event::kGeneric, "rename_to", to);
  only_if_absent ? context.reply.integer(1) : context.reply.ok();
}

struct CopyOptions {
  std::uint32_t db = 0;
  bool replace = false;
};

std::optional<CopyOptions> parse_copy_options(Context& context) {
  CopyOptions options;
  options.db = context.db;
  for (std::size_t i = 3; i < context.argument_count(); ++i) {
    if (option_is(context, i, "replace")) {
      options.replace = true;
    } else if (option_is(context, i, "db") && i + 1 < context.argument_count()) {
      const std::optional<std::uint32_t> db = db_argument(context, ++i);
      if (!db) return std::nullopt;
      options.db = *db;
    } else {
      answer_syntax_error(context);
      return std::nullopt;
    }
  }
  return options;
}

// SYNC and ASYNC are the same here: a flush detaches in O(1), and the memory is freed in slices.
bool flush_arguments_fit(Context& context) {
  const std::size_t count = context.argument_count();
  if (count == 1 || (count == 2 && (option_is(context, 1, "sync") || option_is(context, 1, "async")))) return true;
  answer_syntax_error(context);
  return false;
}

// Both numbers are read before either is looked up, so a bad second one is told before an unknown first one.
std::optional<std::int64_t> swapped_argument(Context& context, std::size_t i, std::string_view error) {
  return integer_in_range(context, i, std::numeric_limits<std::int32_t>::min(),
                          std::numeric_limits<std::int32_t>::max(), error);
}

}  // namespace

void del(Context& context) {
  std::int64_t removed = 0;
  Breaths breaths(context);
  for (const std::string_view key : context.arguments.subspan(1)) {
    if (delete_key(context, key)) ++removed;
    breaths.step();
  }
  context.reply.integer(removed);
}

void unlink(Context& context) {
  del(context);
}

void exists(Context& context) {
  context.reply.integer(count_present(context));
}

void touch(Context& context) {
  context.reply.integer(count_present(context));
}

void type(Context& context) {
  context.reply.simple(type_name(context, context.argument(1)));
}

void rename(Context& context) {
  rename_key(context, false);
}

void renamenx(Context& context) {
  rename_key(context, true);
}

void copy(Context& context) {
  const std::optional<CopyOptions> options = parse_copy_options(context);
  if (!options) return;
  const Place from{context.db, context.argument(1)};
  const Place to{options->db, context.argument(2)};
  if (from.db == to.db && from.key == to.key) return context.reply.error(kSameObject);
  if (!key_exists(context, from) || (!options->replace && key_exists(context, to))) return context.reply.integer(0);
  copy_value(context, from, to);
  context.surroundings.notify(Event::kGeneric, "copy_to", to.key, to.db);
  context.reply.integer(1);
}

void move(Context& context) {
  const std::optional<std::uint32_t> db = db_argument(context, 2);
  if (!db) return;
  if (*db == context.db) return context.reply.error(kSameObject);
  const Place from{context.db, context.argument(1)};
  const Place to{*db, context.argument(1)};
  if (!key_exists(context, from) || key_exists(context, to)) return context.reply.integer(0);
  move_value(context, from, to);
  context.surroundings.notify(Event::kGeneric, "move_from", from.key, from.db);
  context.surroundings.notify(Event::kGeneric, "move_to", to.key, to.db);
  context.reply.integer(1);
}

void randomkey(Context& context) {
  const store::Key* key = context.store.random_key(context.db, context.random.next());
  key == nullptr ? context.reply.null() : context.reply.bulk(key->name());
}

void keys(Context& context) {
  const std::string_view pattern = context.argument(1);
  const bool all = pattern == "*";
  const resp::Writer::Deferred whole = context.reply.defer();
  std::size_t count = 0;
  context.store.for_each_key(context.db, context.breather, [&](const store::Key& key) {
    if (!all && !glob_matches(pattern, key.name())) return;
    context.reply.bulk(key.name());
    ++count;
  });
  context.reply.end_array(whole, count);
}

// Physical keys, as in Redis: those whose deadline has passed count until their memory is freed.
void dbsize(Context& context) {
  context.reply.integer(static_cast<std::int64_t>(context.store.counts(context.db).keys));
}

void flushdb(Context& context) {
  if (!flush_arguments_fit(context)) return;
  context.store.touch_database(context.db);
  context.store.flush(context.db);
  context.reply.ok();
}

void flushall(Context& context) {
  if (!flush_arguments_fit(context)) return;
  for (std::uint32_t db = 0; db < context.store.database_count(); ++db) context.store.touch_database(db);
  context.store.flush_all();
  context.reply.ok();
}

void swapdb(Context& context) {
  const std::optional<std::int64_t> first = swapped_argument(context, 1, "ERR invalid first DB index");
  if (!first) return;
  const std::optional<std::int64_t> second = swapped_argument(context, 2, "ERR invalid second DB index");
  if (!second) return;
  const auto exists = [&](std::int64_t db) {
    return db >= 0 && static_cast<std::uint64_t>(db) < context.store.database_count();
  };
  if (!exists(*first) || !exists(*second)) return context.reply.error(kDbOutOfRange);
  const auto a = static_cast<std::uint32_t>(*first);
  const auto b = static_cast<std::uint32_t>(*second);
  context.reply.ok();
  if (a == b) return;
  context.store.touch_database(a);
  context.store.touch_database(b);
  context.store.swap(a, b);
}

}  // namespace redraft::commands
