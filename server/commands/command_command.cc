#include "server/commands/command_command.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "resp/number.h"
#include "server/commands/docs.h"
#include "server/commands/glob.h"
#include "server/commands/letter_case.h"
#include "server/commands/table.h"

namespace redraft::commands {

namespace {

using Arguments = std::span<const std::string_view>;

// What COMMAND INFO shows of the flags, in its order; the others are hidden (server.c, addReplyFlagsForCommand).
constexpr auto kFlagNames = std::to_array<std::pair<Flag, std::string_view>>({
    {kWrite, "write"},
    {kReadonly, "readonly"},
    {kDenyOom, "denyoom"},
    {kAdmin, "admin"},
    {kPubsub, "pubsub"},
    {kNoScript, "noscript"},
    {kBlocking, "blocking"},
    {kLoading, "loading"},
    {kStale, "stale"},
    {kSkipMonitor, "skip_monitor"},
    {kSkipSlowlog, "skip_slowlog"},
    {kAsking, "asking"},
    {kFast, "fast"},
    {kNoAuth, "no_auth"},
    {kMayReplicate, "may_replicate"},
    {kNoMandatoryKeys, "no_mandatory_keys"},
    {kNoAsyncLoading, "no_async_loading"},
    {kNoMulti, "no_multi"},
    {kMovableKeys, "movablekeys"},
    {kAllowBusy, "allow_busy"},
});

constexpr auto kCategoryNames = std::to_array<std::pair<Category, std::string_view>>({
    {kKeyspace, "keyspace"},
    {kRead, "read"},
    {kWriteCategory, "write"},
    {kSet, "set"},
    {kSortedSet, "sortedset"},
    {kList, "list"},
    {kHash, "hash"},
    {kString, "string"},
    {kBitmap, "bitmap"},
    {kHyperLogLog, "hyperloglog"},
    {kGeo, "geo"},
    {kStream, "stream"},
    {kPubsubCategory, "pubsub"},
    {kAdminCategory, "admin"},
    {kFastCategory, "fast"},
    {kSlow, "slow"},
    {kBlockingCategory, "blocking"},
    {kDangerous, "dangerous"},
    {kConnection, "connection"},
    {kTransactionCategory, "transaction"},
    {kScripting, "scripting"},
});

constexpr auto kHelp = std::to_array<std::string_view>({
    "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "(no subcommand)",
    "    Return details about all Redis commands.",
    "COUNT",
    "    Return the total number of commands in this Redis server.",
    "LIST",
    "    Return a list of all commands in this Redis server.",
    "INFO [<command-name> ...]",
    "    Return details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "DOCS [<command-name> ...]",
    "    Return documentation details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "GETKEYS <full-command>",
    "    Return the keys from a full Redis command.",
    "GETKEYSANDFLAGS <full-command>",
    "    Return the keys and the access flags from a full Redis command.",
    "HELP",
    "    Prints this help.",
});

bool is_subcommand(const Command& command) {
  return command.name.find('|') != std::string_view::npos;
}

std::size_t count_top_level() {
  std::size_t count = 0;
  for (const Command& command : all_commands()) count += is_subcommand(command) ? 0 : 1;
  return count;
}

// The word before `separator`; `rest` keeps what stands behind it.
std::string_view take_word(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view word = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return word;
}

std::size_t count_words(std::string_view text, char separator) {
  std::size_t count = 0;
  while (!text.empty()) {
    take_word(text, separator);
    ++count;
  }
  return count;
}

template <class Names>
void write_names(std::uint32_t bits, const Names& names, std::string_view prefix, resp::Writer& reply) {
  std::size_t count = 0;
  for (const auto& [bit, name] : names) count += (bits & bit) != 0 ? 1 : 0;
  reply.set(count);
  for (const auto& [bit, name] : names) {
    if ((bits & bit) != 0) reply.simple(std::string(prefix).append(name));
  }
}

void write_words(std::span<const std::string_view> words, resp::Writer& reply) {
  reply.set(words.size());
  for (const std::string_view word : words) reply.simple(word);
}

void write_key_spec(const KeySpec& spec, resp::Writer& reply) {
  reply.map(spec.note.empty() ? 3 : 4);
  if (!spec.note.empty()) {
    reply.bulk("notes");
    reply.bulk(spec.note);
  }
  reply.bulk("flags");
  write_words(spec.flags, reply);

  const auto write_type = [&reply](std::string_view where, std::string_view type) {
    reply.bulk(where);
    reply.map(2);
    reply.bulk("type");
    reply.bulk(type);
    reply.bulk("spec");
  };
  switch (spec.begin) {
    case KeySpec::Begin::kIndex:
      write_type("begin_search", "index");
      reply.map(1);
      reply.bulk("index");
      reply.integer(spec.begin_number);
      break;
    case KeySpec::Begin::kKeyword:
      write_type("begin_search", "keyword");
      reply.map(2);
      reply.bulk("keyword");
      reply.bulk(spec.keyword);
      reply.bulk("startfrom");
      reply.integer(spec.begin_number);
      break;
    case KeySpec::Begin::kUnknown:
      write_type("begin_search", "unknown");
      reply.map(0);
      break;
  }
  const auto write_numbers = [&](const std::array<std::string_view, 3>& names) {
    reply.map(3);
    for (std::size_t i = 0; i < names.size(); ++i) {
      reply.bulk(names[i]);
      reply.integer(spec.find_numbers[i]);
    }
  };
  switch (spec.find) {
    case KeySpec::Find::kRange:
      write_type("find_keys", "range");
      write_numbers({"lastkey", "keystep", "limit"});
      break;
    case KeySpec::Find::kCount:
      write_type("find_keys", "keynum");
      write_numbers({"keynumidx", "firstkey", "keystep"});
      break;
    case KeySpec::Find::kUnknown:
      write_type("find_keys", "unknown");
      reply.map(0);
      break;
  }
}

void write_info(const Command* command, resp::Writer& reply) {
  if (command == nullptr) return reply.null();
  const DocsEntry entry = find_docs(command->id);
  reply.array(10);
  reply.bulk(command->name);
  reply.integer(command->arity);
  write_names(command->flags, kFlagNames, "", reply);
  reply.integer(command->range.first);
  reply.integer(command->range.last);
  reply.integer(command->range.step);
  write_names(command->categories, kCategoryNames, "@", reply);
  std::string_view tips = entry.docs->tips;
  reply.set(count_words(tips, ' '));
  while (!tips.empty()) reply.bulk(take_word(tips, ' '));
  const std::vector<KeySpec> specs = read_key_specs(entry.docs->key_specs);
  reply.set(specs.size());
  for (const KeySpec& spec : specs) write_key_spec(spec, reply);
  const auto children = subcommands(*command);
  children.empty() ? reply.set(0) : reply.array(children.size());
  for (const Command& child : children) write_info(&child, reply);
}

void write_all_info(resp::Writer& reply) {
  reply.array(count_top_level());
  for (const Command& command : all_commands()) {
    if (!is_subcommand(command)) write_info(&command, reply);
  }
}

void write_arguments(std::string_view notation, resp::Writer& reply);

void write_argument(const Argument& argument, resp::Writer& reply) {
  const bool has_children = argument.type == "oneof" || argument.type == "block";
  const std::size_t flags =
      (argument.optional ? 1u : 0u) + (argument.multiple ? 1u : 0u) + (argument.multiple_token ? 1u : 0u);
  std::size_t fields = 3 + (flags != 0 ? 1u : 0u);  // name, type, and either display_text or arguments
  for (const std::string_view field : {argument.key_spec, argument.since, argument.deprecated_since}) {
    fields += field.empty() ? 0 : 1;
  }
  const bool has_token = !argument.token.empty() || argument.type == "pure-token";  // MIGRATE's is ""
  if (has_token) ++fields;
  const auto write_field = [&reply](std::string_view name, std::string_view text) {
    if (text.empty()) return;
    reply.bulk(name);
    reply.bulk(text);
  };
  reply.map(fields);
  write_field("name", argument.name);
  write_field("type", argument.type);
  if (!has_children) write_field("display_text", argument.display.empty() ? argument.name : argument.display);
  if (!argument.key_spec.empty()) {
    reply.bulk("key_spec_index");
    reply.integer(resp::parse_int64(argument.key_spec).value_or(0));
  }
  if (has_token) {
    reply.bulk("token");
    reply.bulk(argument.token);
  }
  write_field("since", argument.since);
  write_field("deprecated_since", argument.deprecated_since);
  if (flags != 0) {
    reply.bulk("flags");
    reply.set(flags);
    if (argument.optional) reply.simple("optional");
    if (argument.multiple) reply.simple("multiple");
    if (argument.multiple_token) reply.simple("multiple_token");
  }
  if (has_children) {
    reply.bulk("arguments");
    write_arguments(argument.children, reply);
  }
}

void write_arguments(std::string_view notation, resp::Writer& reply) {
  reply.array(count_arguments(notation));
  ArgumentReader reader(notation);
  Argument argument;
  while (reader.next(argument)) write_argument(argument, reply);
}

// The name, then the documentation as a map.
void write_docs(const Command& command, resp::Writer& reply) {
  const DocsEntry entry = find_docs(command.id);
  const CommandDocs& docs = *entry.docs;
  const auto children = subcommands(command);
  const bool deprecated = !docs.deprecated.empty();
  std::size_t fields = 3;  // summary, since, group
  for (const bool present : {!docs.complexity.empty(), deprecated || docs.system, deprecated, deprecated,
                             !docs.history.empty(), !docs.arguments.empty(), !children.empty()}) {
    fields += present ? 1 : 0;
  }
  reply.bulk(command.name);
  reply.map(fields);
  reply.bulk("summary");
  reply.bulk(docs.summary);
  reply.bulk("since");
  reply.bulk(docs.since);
  reply.bulk("group");
  reply.bulk(entry.group);
  if (!docs.complexity.empty()) {
    reply.bulk("complexity");
    reply.bulk(docs.complexity);
  }
  if (deprecated || docs.system) {
    reply.bulk("doc_flags");
    reply.set((deprecated ? 1u : 0u) + (docs.system ? 1u : 0u));
    if (deprecated) reply.simple("deprecated");
    if (docs.system) reply.simple("syscmd");
  }
  if (deprecated) {
    std::string_view replaced_by = docs.deprecated;
    reply.bulk("deprecated_since");
    reply.bulk(take_word(replaced_by, ' '));
    reply.bulk("replaced_by");
    reply.bulk(replaced_by);
  }
  if (!docs.history.empty()) {
    std::string_view history = docs.history;
    reply.bulk("history");
    reply.set(count_words(history, '\n'));
    while (!history.empty()) {
      std::string_view text = take_word(history, '\n');
      reply.array(2);
      reply.bulk(take_word(text, ' '));
      reply.bulk(text);
    }
  }
  if (!docs.arguments.empty()) {
    reply.bulk("arguments");
    write_arguments(docs.arguments, reply);
  }
  if (!children.empty()) {
    reply.bulk("subcommands");
    reply.map(children.size());
    for (const Command& child : children) write_docs(child, reply);
  }
}

void answer_docs(Arguments names, resp::Writer& reply) {
  if (names.empty()) {
    reply.map(count_top_level());
    for (const Command& command : all_commands()) {
      if (!is_subcommand(command)) write_docs(command, reply);
    }
    return;
  }
  const auto deferred = reply.defer();
  std::size_t found = 0;
  for (const std::string_view name : names) {
    const Command* command = find_command_named(name);
    if (command == nullptr) continue;
    write_docs(*command, reply);
    ++found;
  }
  reply.end_map(deferred, found);
}

void answer_list(Arguments options, resp::Writer& reply) {
  const bool filtered = !options.empty();
  const bool well_formed = options.size() == 3 && equals_ignoring_case(options[0], "filterby");
  const bool by_module = well_formed && equals_ignoring_case(options[1], "module");
  const bool by_category = well_formed && equals_ignoring_case(options[1], "aclcat");
  const bool by_pattern = well_formed && equals_ignoring_case(options[1], "pattern");
  if (filtered && !by_module && !by_category && !by_pattern) return reply.error("ERR syntax error");

  std::uint32_t category = 0;
  if (by_category) {
    for (const auto& [bit, name] : kCategoryNames) {
      if (equals_ignoring_case(options[2], name)) category = bit;
    }
  }
  const auto deferred = reply.defer();
  std::size_t found = 0;
  for (const Command& command : all_commands()) {
    if (by_module) break;  // no command comes from a module
    if (by_category && (command.categories & category) == 0) continue;
    if (by_pattern && !glob_matches(options[2], command.name, true)) continue;
    reply.bulk(command.name);
    ++found;
  }
  reply.end_array(deferred, found);
}

// Keys as the specifications tell (db.c, getKeysUsingKeySpecs). False when one of them cannot be followed.
bool follow_key_specs(std::span<const KeySpec> specs, Arguments arguments, std::vector<FoundKey>& keys) {
  const auto count = static_cast<std::int64_t>(arguments.size());
  for (const KeySpec& spec : specs) {
    if (spec.begin != KeySpec::Begin::kIndex || spec.find == KeySpec::Find::kUnknown) return false;
    std::int64_t first = spec.begin_number;
    std::int64_t last = 0;
    std::int64_t step = 1;
    if (spec.find == KeySpec::Find::kRange) {
      last = spec.find_numbers[0] >= 0 ? first + spec.find_numbers[0] : count + spec.find_numbers[0];
      step = spec.find_numbers[1];
    } else {
      const std::int64_t at = first + spec.find_numbers[0];
      if (at >= count) return false;
      const auto keys_named = resp::parse_int64(arguments[static_cast<std::size_t>(at)]);
      if (!keys_named || *keys_named < 0 || *keys_named > count) return false;
      first += spec.find_numbers[1];
      step = spec.find_numbers[2];
      last = first + (*keys_named - 1) * step;
    }
    if (last >= count || last < first || first >= count) return false;
    for (std::int64_t at = first; at <= last; at += step) keys.push_back({static_cast<std::size_t>(at), spec.flags});
  }
  return true;
}

// SET reads the key too when GET is among its options.
std::vector<std::string_view> flags_of_set(Arguments arguments) {
  for (const std::string_view argument : arguments.subspan(3)) {
    if (equals_ignoring_case(argument, "get")) return {"RW", "access", "update"};
  }
  return {"OW", "update"};
}

void answer_getkeys(Arguments arguments, bool with_flags, resp::Writer& reply) {
  const Command* command = find_command(arguments);
  if (command == nullptr) return reply.error("ERR Invalid command specified");
  if (find_docs(command->id).docs->key_specs.empty()) return reply.error("ERR The command has no key arguments");
  if (!arity_fits(*command, arguments.size())) {
    return reply.error("ERR Invalid number of arguments specified for command");
  }
  const std::vector<FoundKey> keys = find_keys_with_flags(*command, arguments);
  if (keys.empty()) {
    if (command->is(kNoMandatoryKeys)) return reply.array(0);
    return reply.error("ERR Invalid arguments specified for command");
  }
  reply.array(keys.size());
  for (const FoundKey& key : keys) {
    if (with_flags) reply.array(2);
    reply.bulk(arguments[key.position]);
    if (with_flags) write_words(key.flags, reply);
  }
}

}  // namespace

std::vector<FoundKey> find_keys_with_flags(const Command& command, Arguments arguments) {
  const std::vector<KeySpec> specs = read_key_specs(find_docs(command.id).docs->key_specs);
  if (command.id == CommandId::kSet) return {{1, flags_of_set(arguments)}};
  std::vector<FoundKey> keys;
  if (follow_key_specs(specs, arguments, keys)) return keys;
  keys.clear();
  if (command.find_keys == nullptr) return keys;
  // SORT: its key by the first specification, the target of STORE by the last.
  std::vector<std::uint32_t> positions;
  command.find_keys(arguments, positions);
  for (const std::uint32_t position : positions) {
    keys.push_back({position, keys.empty() ? specs.front().flags : specs.back().flags});
  }
  return keys;
}

std::span<const std::pair<Category, std::string_view>> category_names() {
  return kCategoryNames;
}

bool is_command_command(const Command& command) {
  return command.name == "command" || command.name.starts_with("command|");
}

void answer_command_command(const Command& command, std::span<const std::string_view> arguments, resp::Writer& reply) {
  switch (command.id) {
    case CommandId::kCommandCount:
      return reply.integer(static_cast<std::int64_t>(count_top_level()));
    case CommandId::kCommandDocs:
      return answer_docs(arguments.subspan(2), reply);
    case CommandId::kCommandGetkeys:
      return answer_getkeys(arguments.subspan(2), false, reply);
    case CommandId::kCommandGetkeysandflags:
      return answer_getkeys(arguments.subspan(2), true, reply);
    case CommandId::kCommandHelp:
      reply.array(kHelp.size());
      for (const std::string_view line : kHelp) reply.simple(line);
      return;
    case CommandId::kCommandInfo:
      if (arguments.size() == 2) return write_all_info(reply);
      reply.array(arguments.size() - 2);
      for (const std::string_view name : arguments.subspan(2)) write_info(find_command_named(name), reply);
      return;
    case CommandId::kCommandList:
      return answer_list(arguments.subspan(2), reply);
    default:
      return write_all_info(reply);
  }
}

}  // namespace redraft::commands
