#include <algorithm>
#include <array>

#include "resp/number.h"
#include "server/replica/local/handlers.h"

namespace redraft::replica::local {

namespace {

void answer_protocol(LocalContext& context) {
  resp::Writer& reply = context.reply;
  const auto is = [&context](std::string_view type) { return argument_is(context, 2, type); };
  if (is("string")) return reply.bulk("Hello World");
  if (is("integer")) return reply.integer(12345);
  if (is("double")) return reply.number(3.141);
  if (is("null")) return reply.null();
  if (is("array") || is("set")) {
    is("array") ? reply.array(3) : reply.set(3);
    for (std::int64_t i = 0; i < 3; ++i) reply.integer(i);
    return;
  }
  if (is("map")) {
    reply.map(3);
    for (std::int64_t i = 0; i < 3; ++i) {
      reply.integer(i);
      reply.boolean(i == 1);
    }
    return;
  }
  if (is("attrib")) {
    if (!reply.resp3()) return reply.error("ERR Attributes are only supported in RESP3");
    reply.attribute(1);
    reply.bulk("key-popularity");
    reply.array(2);
    reply.bulk("key:123");
    reply.integer(90);
    return reply.bulk("Some real reply following the attribute");
  }
  if (is("push")) {
    if (!reply.resp3()) return reply.error("ERR Push messages are only supported in RESP3");
    reply.push(2);
    reply.bulk("server-cpu-usage");
    reply.integer(42);
    return reply.bulk("Some real reply following the push reply");
  }
  if (is("true")) return reply.boolean(true);
  if (is("false")) return reply.boolean(false);
  if (is("verbatim")) return reply.verbatim("txt", "This is a verbatim\nstring");
  if (is("bignum")) return reply.big_number("1234567999999999999999999999999999999");
  reply.error(
      "ERR Wrong protocol type name. Please use one of the following: "
      "string|integer|double|null|array|set|map|attrib|push|verbatim|true|false|bignum");
}

std::optional<std::uint64_t> positive(LocalContext& context, std::size_t i) {
  const std::optional<std::int64_t> number = resp::parse_int64(context.arguments[i]);
  if (number && *number >= 0) return static_cast<std::uint64_t>(*number);
  context.reply.error("ERR value is out of range, must be positive");
  return std::nullopt;
}

// DEBUG POPULATE count [prefix] [size]. The bound keeps a slip of the finger out of every node's memory.
void populate(LocalContext& context) {
  constexpr std::uint64_t kCountMax = 100'000'000;
  constexpr std::uint64_t kSizeMax = std::uint64_t{512} << 20;
  const std::size_t count = context.arguments.size();
  const std::optional<std::uint64_t> keys = positive(context, 2);
  if (!keys) return;
  std::uint64_t size = 0;
  if (count == 5) {
    const std::optional<std::uint64_t> given = positive(context, 4);
    if (!given) return;
    size = *given;
  }
  if (*keys > kCountMax || size > kSizeMax) return context.reply.error("ERR value is out of range");
  if (context.in_transaction) return context.reply.error(kNotInTransaction);
  context.actions.populate(context.session, *keys, count >= 4 ? context.arguments[3] : "key", size);
}

// The encoding of a key's value by its DEBUG OBJECT line; empty when there is no key, and that was answered.
std::string encoding_of(LocalContext& context, std::string_view key) {
  const std::optional<std::string> line = context.actions.debug_object(context.session.db, key);
  if (!line) {
    context.reply.error("ERR no such key");
    return {};
  }
  constexpr std::string_view kWord = "encoding:";
  const std::size_t begin = line->find(kWord) + kWord.size();
  return line->substr(begin, line->find(' ', begin) - begin);
}

// LISTPACK and QUICKLIST print to Redis's standard output; what suites look at is whether the server still answers.
void answer_structure(LocalContext& context, std::string_view structure) {
  const std::string encoding = encoding_of(context, context.arguments[2]);
  if (encoding.empty()) return;
  if (encoding != structure) return context.reply.error("ERR Not a " + std::string(structure) + " encoded object.");
  std::string line(structure);
  line.front() = static_cast<char>(line.front() - 'a' + 'A');
  context.reply.simple(line + " structure printed on stdout");
}

// Of a keyspace that is no table of buckets there is little to tell.
void answer_table_statistics(LocalContext& context) {
  const std::optional<std::int64_t> db = resp::parse_int64(context.arguments[2]);
  if (!db) return context.reply.error("ERR value is not an integer or out of range");
  const std::optional<std::int64_t> databases = resp::parse_int64(setting_text(context, "databases"));
  if (*db < 0 || (databases && *db >= *databases)) return context.reply.error("ERR Out of range database");
  std::uint64_t keys = 0;
  std::uint64_t expires = 0;
  for (const DatabaseView& one : context.actions.view().databases) {
    if (one.db == static_cast<std::uint64_t>(*db)) {
      keys = one.keys;
      expires = one.expires;
    }
  }
  const auto part = [](std::string_view title, std::uint64_t elements) {
    return "[" + std::string(title) +
           " HT]\nHash table 0 stats (main hash table):\n table size: " + std::to_string(elements) +
           "\n number of elements: " + std::to_string(elements) + "\n";
  };
  context.reply.verbatim("txt", part("Dictionary", keys) + part("Expires", expires));
}

void answer_table_statistics_of_key(LocalContext& context) {
  const std::string encoding = encoding_of(context, context.arguments[2]);
  if (encoding.empty()) return;
  if (encoding != "hashtable" && encoding != "skiplist") {
    return context.reply.error("ERR The value stored at the specified key is not represented using an hash table");
  }
  context.reply.verbatim("txt", "Hash table 0 stats (main hash table):\n its elements are in one dense array\n");
}

void answer_help(LocalContext& context) {
  constexpr auto kLines = std::to_array<std::string_view>({
      "CHANGE-REPL-ID",
      "    Does nothing here: the replication ID is the cluster's.",
      "DICT-RESIZING <0|1>",
      "    Does nothing here: the keyspace grows in bounded steps.",
      "DIGEST",
      "    Output a hex signature representing the current DB content.",
      "DIGEST-VALUE <key> [<key> ...]",
      "    Output a hex signature of the values of all the specified keys.",
      "ERROR <string>",
      "    Return a Redis protocol error with <string> as message. Useful for clients",
      "    unit tests to simulate Redis errors.",
      "HTSTATS <dbid>",
      "    Return how many keys the database has, in the form of Redis's statistics.",
      "HTSTATS-KEY <key>",
      "    The same of the table in a key's value.",
      "JMAP",
      "    Does nothing here.",
      "LISTPACK <key>",
      "    Tells whether the value is a listpack; prints nothing.",
      "LOG <message>",
      "    Accepted; the server log has its own levels.",
      "OBJECT <key>",
      "    Show low level info about `key` and associated value.",
      "PAUSE-CRON <0|1>",
      "    Does nothing here: there is no cron job.",
      "POPULATE <count> [<prefix>] [<size>]",
      "    Create <count> string keys named key:<num>. If <prefix> is specified then",
      "    it is used instead of the 'key' prefix. The log gets a few numbers, not the",
      "    keys.",
      "PROTOCOL <type>",
      "    Reply with a test value of the specified type. <type> can be: string,",
      "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
      "    true, false.",
      "QUICKLIST <key>",
      "    Tells whether the value is a quicklist; prints nothing.",
      "QUICKLIST-PACKED-THRESHOLD <size>",
      "    Does nothing here.",
      "RELOAD",
      "    Write a snapshot and answer when it is durable.",
      "REPLYBUFFER <subcommand> ...",
      "    Does nothing here.",
      "SET-ACTIVE-EXPIRE <0|1>",
      "    Setting it to 0 disables expiring keys in background when they are not",
      "    accessed (otherwise the Redis behavior). Setting it to 1 reenables back the",
      "    default.",
      "SET-DISABLE-DENY-SCRIPTS <0|1>",
      "    Does nothing here.",
      "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
      "    Does nothing here.",
      "SLEEP <seconds>",
      "    Stop the server for <seconds>. Decimals allowed.",
  });
  local::answer_help(context, "DEBUG", kLines);
}

// Redis's knobs for parts that do not exist here: accepted in Redis's form, so that its test scripts run.
bool harmless(LocalContext& context) {
  struct Knob {
    std::string_view name;
    std::size_t words;
  };
  constexpr auto kKnobs = std::to_array<Knob>({{"jmap", 2},
                                               {"change-repl-id", 2},
                                               {"quicklist-packed-threshold", 3},
                                               {"pause-cron", 3},
                                               {"dict-resizing", 3},
                                               {"replybuffer", 4},
                                               {"set-skip-checksum-validation", 3},
                                               {"set-disable-deny-scripts", 3},
                                               {"drop-cluster-packet-filter", 3},
                                               {"log", 3}});
  return std::ranges::any_of(kKnobs, [&context](const Knob& knob) {
    return context.arguments.size() == knob.words && argument_is(context, 1, knob.name);
  });
}

// Lists have no plain nodes here; what Redis would not take as a size is refused all the same.
bool is_node_size(LocalContext& context) {
  const Result<std::string> bytes =
      context.actions.settings().canonical_form("maxmemory", std::string(context.arguments[2]));
  constexpr std::int64_t kMax = std::int64_t{4} << 30;
  return bytes.ok() && resp::parse_int64(*bytes).value_or(kMax) < kMax;
}

}  // namespace

void debug(LocalContext& context) {
  const std::string allowed = setting_text(context, "enable-debug-command");
  if (!protected_action_allowed(allowed, context.session)) {
    return context.reply.error(
        "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a "
        "local connection, otherwise you need to set this option in the configuration file, and then restart the "
        "server.");
  }
  const std::size_t count = context.arguments.size();
  const auto is = [&context](std::string_view name) { return argument_is(context, 1, name); };
  if (is("help")) return answer_help(context);
  if (is("sleep") && count == 3) {
    const std::optional<double> seconds = resp::parse_double(context.arguments[2]);
    constexpr double kLongest = 3600;
    if (!seconds || *seconds < 0 || *seconds > kLongest) return context.reply.error("ERR value is not a valid float");
    if (context.in_transaction) return context.reply.error(kNotInTransaction);
    return context.actions.sleep(context.session, static_cast<std::uint64_t>(*seconds * 1e6));
  }
  if (is("digest") && count == 2) return context.reply.simple(context.actions.digest());
  if (is("digest-value") && count >= 3) {
    context.reply.array(count - 2);
    for (const std::string_view key : context.arguments.subspan(2)) {
      context.reply.simple(context.actions.value_digest(context.session.db, key));
    }
    return;
  }
  if (is("object") && count >= 3) {
    const std::optional<std::string> line = context.actions.debug_object(context.session.db, context.arguments[2]);
    if (!line) return context.reply.error("ERR no such key");
    return context.reply.simple(*line);
  }
  if (is("set-active-expire") && count == 3) {
    context.actions.set_active_expire(context.arguments[2] != "0");
    return context.reply.ok();
  }
  if (is("populate") && count >= 3 && count <= 5) return populate(context);
  if ((is("listpack") && count == 3) || (is("quicklist") && (count == 3 || count == 4))) {
    return answer_structure(context, is("listpack") ? "listpack" : "quicklist");
  }
  if (is("htstats") && count >= 3) return answer_table_statistics(context);
  if (is("htstats-key") && count >= 3) return answer_table_statistics_of_key(context);
  if (is("reload")) {
    for (std::size_t i = 2; i < count; ++i) {
      if (argument_is(context, i, "merge") || argument_is(context, i, "noflush") || argument_is(context, i, "nosave")) {
        continue;
      }
      return context.reply.error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    }
  }
  if (is("reload") || is("loadaof")) {
    if (context.in_transaction) return context.reply.error(kNotInTransaction);
    return context.actions.snapshot_and_answer(context.session);
  }
  if (is("error") && count == 3) return context.reply.error(context.arguments[2]);
  if (is("protocol") && count == 3) return answer_protocol(context);
  if (is("quicklist-packed-threshold") && count == 3 && !is_node_size(context)) {
    return context.reply.error("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  }
  if (harmless(context)) return context.reply.ok();
  context.reply.error("ERR unknown subcommand or wrong number of arguments for '" +
                      std::string(context.arguments[1].substr(0, 128)) + "'. Try DEBUG HELP.");
}

}  // namespace redraft::replica::local
