#include "server/commands/migrate.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/little_endian.h"
#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/rdb/values.h"

namespace redraft::commands {

namespace {

constexpr std::size_t kFirstOption = 6;
constexpr std::int64_t kDefaultTimeout_ms = 1000;
constexpr std::size_t kFirstDropped = 2;  // argument of kDropMigrated
constexpr std::size_t kDroppedWords = 4;  // for each key

struct Options {
  bool copy = false;
  bool replace = false;
  std::vector<std::string_view> auth;  // AUTH's words
  std::span<const std::string_view> keys;
};

bool parse_options(Context& context, Options& options) {
  options.keys = context.arguments.subspan(3, 1);
  for (std::size_t i = kFirstOption; i < context.argument_count(); ++i) {
    const std::size_t left = context.argument_count() - 1 - i;
    if (option_is(context, i, "copy")) {
      options.copy = true;
    } else if (option_is(context, i, "replace")) {
      options.replace = true;
    } else if (option_is(context, i, "auth") && left >= 1) {
      options.auth = {"AUTH", context.argument(i + 1)};
      i += 1;
    } else if (option_is(context, i, "auth2") && left >= 2) {
      options.auth = {"AUTH", context.argument(i + 1), context.argument(i + 2)};
      i += 2;
    } else if (option_is(context, i, "keys")) {
      if (!context.argument(3).empty()) {
        context.reply.error("ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");
        return false;
      }
      options.keys = context.arguments.subspan(i + 1);
      return true;
    } else {
      answer_syntax_error(context);
      return false;
    }
  }
  return true;
}

void append_request(std::string& to, std::span<const std::string_view> words) {
  resp::Writer writer(to, resp::Writer::Protocol::kResp2);
  writer.array(words.size());
  for (const std::string_view word : words) writer.bulk(word);
}

// RESTORE counts from when it runs there; what is all but over still needs a time, since 0 is none.
std::string time_left(const Context& context, std::uint64_t deadline_ms) {
  if (deadline_ms == 0) return "0";
  return std::to_string(std::max<std::uint64_t>(deadline_ms - context.clock_ms, 1));
}

std::string payload_of(const Context& context, const store::Key& key) {
  std::string payload;
  rdb::seal_payload(payload, rdb::save_value(key, payload, context.breather));
  return payload;
}

std::uint64_t checksum_of(std::string_view payload) {
  return load_little<std::uint64_t>(payload.data() + payload.size() - sizeof(std::uint64_t));
}

void add_key(Context& context, std::string_view name, bool replace, Migration& migration) {
  const store::Key* key = context.store.find(context.db, name);
  if (key == nullptr) return;
  const std::string payload = payload_of(context, *key);
  const std::string time = time_left(context, key->deadline_ms());
  std::vector<std::string_view> words{"RESTORE", name, time, payload};
  if (replace) words.push_back("REPLACE");
  append_request(migration.request, words);
  const WatchedKey seen = watch_key(context.store, context.db, name, context.clock_ms, context.index);
  migration.keys.push_back({std::string(name), seen, checksum_of(payload)});
}

// Of the key whose words begin at argument i. One that nobody wrote is the same, or has expired here as it has there.
// WATCH's table may take another key's write for its: then the value itself tells.
bool is_as_copied(const Context& context, std::size_t i) {
  const std::string_view name = context.argument(i + 3);
  if (!context.store.changed_since(context.db, name, entry_number(context, i))) return true;
  const store::Key* key = context.store.find(context.db, name);
  return key != nullptr && key->deadline_ms() == entry_number(context, i + 1) &&
         checksum_of(payload_of(context, *key)) == entry_number(context, i + 2);
}

}  // namespace

void migrate(Context& context) {
  Options options;
  if (!parse_options(context, options)) return;
  const std::optional<std::int64_t> timeout_ms = integer_argument(context, 5);
  if (!timeout_ms) return;
  const std::optional<std::int64_t> db = integer_argument(context, 4);
  if (!db) return;
  if (context.migration == nullptr) {
    return context.reply.error("ERR MIGRATE waits for another server, which no transaction or script can");
  }
  Migration& migration = *context.migration;
  migration = {};
  migration.host = context.argument(1);
  // What is no port leads nowhere, as in Redis.
  const std::optional<std::int64_t> port = resp::parse_int64(context.argument(2));
  if (port && *port > 0 && *port <= UINT16_MAX) migration.port = static_cast<std::uint16_t>(*port);
  migration.timeout_ms = static_cast<std::uint64_t>(*timeout_ms > 0 ? *timeout_ms : kDefaultTimeout_ms);
  migration.copy = options.copy;
  if (!options.auth.empty()) append_request(migration.request, options.auth);
  migration.login_size = migration.request.size();
  const std::string target_db = std::to_string(*db);
  append_request(migration.request, std::array<std::string_view, 2>{"SELECT", target_db});
  migration.replies_ahead = options.auth.empty() ? 1 : 2;
  for (const std::string_view key : options.keys) add_key(context, key, options.replace, migration);
  if (migration.keys.empty()) return context.reply.simple("NOKEY");
  context.blocked = true;
}

// Where AUTH or SELECT failed the keys may be anywhere, and none counts as taken, as in Redis.
MigrationReplies judge_replies(const Migration& migration, std::span<const std::string> errors) {
  MigrationReplies judged;
  const auto ahead = errors.first(std::min(errors.size(), migration.replies_ahead));
  const bool entered = std::ranges::all_of(ahead, [](const std::string& error) { return error.empty(); });
  for (const std::string& error : errors) {
    if (error.empty()) continue;
    judged.error = "ERR Target instance replied with error: " + error;
    break;
  }
  if (!entered) return judged;
  for (std::size_t i = migration.replies_ahead; i < errors.size(); ++i) {
    if (errors[i].empty()) judged.taken.push_back(&migration.keys[i - migration.replies_ahead]);
  }
  return judged;
}

std::vector<std::string> words_to_drop(const MigrationReplies& replies) {
  std::vector<std::string> words{"migrate", replies.error};
  std::set<std::string_view> named;
  for (const Migration::Moving* moving : replies.taken) {
    if (!named.insert(moving->key).second) continue;  // asked for twice, with REPLACE
    words.push_back(std::to_string(moving->seen.index));
    words.push_back(std::to_string(moving->seen.deadline_ms));
    words.push_back(std::to_string(moving->checksum));
    words.push_back(moving->key);
  }
  return words;
}

// All are judged before any goes, since what goes changes what WATCH's table says of its neighbours there.
void drop_migrated(Context& context) {
  std::vector<std::string_view> leaving;
  std::string written;
  Breaths breaths(context);
  for (std::size_t i = kFirstDropped; i + kDroppedWords <= context.argument_count(); i += kDroppedWords) {
    breaths.step();
    const std::string_view key = context.argument(i + 3);
    if (is_as_copied(context, i)) {
      leaving.push_back(key);
    } else {
      written.append(" '").append(key).append("'");
    }
  }
  for (const std::string_view key : leaving) {
    breaths.step();
    delete_key(context, key);
  }
  if (!context.argument(1).empty()) return context.reply.error(context.argument(1));
  if (written.empty()) return context.reply.ok();
  context.reply.error("ERR written while the target took a copy, and not deleted here:" + written);
}

bool is_migrate_secret(std::span<const std::string_view> arguments, std::size_t i) {
  const auto is = [&](std::size_t at, std::string_view word) {
    return at >= kFirstOption && equals_ignoring_case(arguments[at], word);
  };
  if (i <= kFirstOption) return false;
  return is(i - 1, "auth") || is(i - 1, "auth2") || is(i - 2, "auth2");
}

}  // namespace redraft::commands
