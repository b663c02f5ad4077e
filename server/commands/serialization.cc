#include "server/commands/serialization.h"

#include <optional>
#include <string>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/rdb/values.h"

namespace redraft::commands {

namespace {

struct RestoreOptions {
  bool replace = false;
  bool absolute_ttl = false;
  std::optional<std::int64_t> idle_seconds;
  std::optional<std::int64_t> frequency;
};

bool parse_restore_options(Context& context, RestoreOptions& options) {
  for (std::size_t i = 4; i < context.argument_count(); ++i) {
    const bool has_value = i + 1 < context.argument_count();
    if (option_is(context, i, "replace")) {
      options.replace = true;
    } else if (option_is(context, i, "absttl")) {
      options.absolute_ttl = true;
    } else if (option_is(context, i, "idletime") && has_value && !options.frequency) {
      options.idle_seconds = integer_argument(context, ++i);
      if (!options.idle_seconds) return false;
      if (*options.idle_seconds < 0) {
        context.reply.error("ERR Invalid IDLETIME value, must be >= 0");
        return false;
      }
    } else if (option_is(context, i, "freq") && has_value && !options.idle_seconds) {
      options.frequency = integer_argument(context, ++i);
      if (!options.frequency) return false;
      if (*options.frequency < 0 || *options.frequency > 255) {
        context.reply.error("ERR Invalid FREQ value, must be >= 0 and <= 255");
        return false;
      }
    } else {
      answer_syntax_error(context);
      return false;
    }
  }
  return true;
}

// Milliseconds of the logical clock, 0 for none.
std::optional<std::uint64_t> restore_deadline(Context& context, bool absolute) {
  const std::optional<std::int64_t> ttl = integer_argument(context, 2);
  if (!ttl) return std::nullopt;
  const auto clock = static_cast<std::int64_t>(context.clock_ms);
  if (*ttl < 0 || (!absolute && *ttl > kInt64Max - clock)) {
    context.reply.error("ERR Invalid TTL value, must be >= 0");
    return std::nullopt;
  }
  if (*ttl == 0) return 0;
  return static_cast<std::uint64_t>(absolute ? *ttl : *ttl + clock);
}

std::optional<rdb::Loaded> load_payload(Context& context, std::string_view payload) {
  const Result<std::string_view> opened = rdb::open_payload(payload);
  if (!opened) {
    context.reply.error("ERR " + opened.error().message);
    return std::nullopt;
  }
  rdb::Reader reader(*opened);
  const std::uint8_t type = reader.byte();
  Result<rdb::Loaded> loaded = rdb::load_value(context.store, type, reader, context.breather);
  if (!loaded || !reader.at_end()) {
    context.reply.error("ERR Bad data format");
    return std::nullopt;
  }
  return std::move(*loaded);
}

// Leader-local, as all access data: what the other nodes remember of the key decides nothing.
void set_access(Context& context, std::string_view key, const RestoreOptions& options) {
  const store::AccessClock& clock = context.store.access_clock();
  const store::Key* made = context.store.find(context.db, key);
  if (made == nullptr) return;
  if (options.frequency && clock.counts_frequency()) {
    made->set_access(clock.of_frequency(static_cast<std::uint32_t>(*options.frequency)));
  } else if (options.idle_seconds && !clock.counts_frequency()) {
    made->set_access(clock.of_idle_seconds(static_cast<std::uint64_t>(*options.idle_seconds)));
  }
}

}  // namespace

void dump(Context& context) {
  const store::Key* key = context.store.find(context.db, context.argument(1));
  if (key == nullptr) return context.reply.null();
  std::string payload;
  rdb::seal_payload(payload, rdb::save_value(*key, payload, context.breather));
  context.reply.bulk(payload);
}

// A payload is read whole before anything changes, so a bad one leaves all as it was.
void restore(Context& context) {
  const std::string_view key = context.argument(1);
  RestoreOptions options;
  if (!parse_restore_options(context, options)) return;
  if (!options.replace && key_exists(context, key)) {
    return context.reply.error("BUSYKEY Target key name already exists.");
  }
  const std::optional<std::uint64_t> deadline_ms = restore_deadline(context, options.absolute_ttl);
  if (!deadline_ms) return;
  std::optional<rdb::Loaded> loaded = load_payload(context, context.argument(3));
  if (!loaded) return;
  const bool replaced = remove_key(context, key);
  if (*deadline_ms != 0 && *deadline_ms <= context.clock_ms) {
    if (replaced) {
      changed(context, key);
      context.notify(Event::kGeneric, "del", key);
    }
    return context.reply.ok();
  }
  loaded->object != nullptr ? context.store.put_object(context.db, key, std::move(loaded->object), *deadline_ms)
                            : context.store.set_string(context.db, key, loaded->string, *deadline_ms);
  set_access(context, key, options);
  // A list may be what somebody waits for.
  context.notify(Event::kNew, "new", key);
  if (context.store.waiters().any()) context.store.waiters().mark_ready(context.db, key);
  changed(context, key);
  context.notify(Event::kGeneric, "restore", key);
  context.reply.ok();
}

void restore_asking(Context& context) {
  restore(context);
}

}  // namespace redraft::commands
