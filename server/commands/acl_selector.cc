#include <algorithm>

#include "server/commands/acl.h"
#include "server/commands/command_command.h"
#include "server/commands/glob.h"
#include "server/commands/letter_case.h"
#include "server/commands/table.h"

// What one selector's rules mean, and whether it permits a command (redis/redis 7.2:src/acl.c has the words).

namespace redraft::commands {

namespace {

Status wrong(std::string_view why) {
  return Error{ErrorCode::kInvalid, std::string(why)};
}

constexpr std::string_view kSyntax = "Syntax error";
constexpr std::string_view kUnknownName = "Unknown command or category name in ACL";

bool has_spaces(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; });
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = to_lower(c);
  return lower;
}

// Rules do not depend on what is offered: a name in a container must be the whole one, "config|get".
const Command* command_named(std::string_view name) {
  return find_command_named(name);
}

}  // namespace

std::uint32_t acl_category(std::string_view name) {
  for (const auto& [mask, known] : category_names()) {
    if (equals_ignoring_case(name, known)) return mask;
  }
  return 0;
}

Status AclSelector::apply(std::string_view rule) {
  const auto is = [rule](std::string_view word) { return equals_ignoring_case(rule, word); };
  if (is("allkeys") || rule == "~*") {
    all_keys = true;
    keys.clear();
  } else if (is("resetkeys")) {
    all_keys = false;
    keys.clear();
  } else if (is("allchannels") || rule == "&*") {
    all_channels = true;
    channels.clear();
  } else if (is("resetchannels")) {
    all_channels = false;
    channels.clear();
  } else if (is("allcommands") || is("+@all")) {
    set_all(true);
  } else if (is("nocommands") || is("-@all")) {
    set_all(false);
  } else if (rule.starts_with('~') || rule.starts_with('%')) {
    return add_keys(rule);
  } else if (rule.starts_with('&')) {
    if (all_channels) {
      return wrong(
          "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. "
          "Try 'resetchannels' to start with an empty list of channels");
    }
    if (has_spaces(rule)) return wrong(kSyntax);
    const std::string pattern(rule.substr(1));
    if (std::ranges::find(channels, pattern) == channels.end()) channels.push_back(pattern);
  } else if (rule.starts_with("+@") || rule.starts_with("-@")) {
    return set_category(rule.substr(1), rule.front() == '+');
  } else if (rule.starts_with('+') && rule.find('|') != std::string_view::npos) {
    return allow_subcommand(rule.substr(1));
  } else if (rule.starts_with('+') || rule.starts_with('-')) {
    const Command* command = command_named(rule.substr(1));
    if (command == nullptr) return wrong(kUnknownName);
    set_command(*command, rule.front() == '+');
    note_rule(command->name, rule.front() == '+');
  } else {
    return wrong(kSyntax);
  }
  return Done{};
}

void AclSelector::set_all(bool allow) {
  all_commands = allow;
  future_commands = allow;
  allowed.fill(allow ? ~std::uint64_t{0} : 0);
  first_arguments.clear();
  command_rules.clear();
}

// A container stands for all its subcommands.
void AclSelector::set_command(const Command& command, bool allow) {
  const auto bit = static_cast<std::size_t>(command.id);
  const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
  if (allow) {
    allowed[bit / 64] |= mask;
  } else {
    allowed[bit / 64] &= ~mask;
    all_commands = false;
  }
  first_arguments.erase(command.id);
  for (const Command& subcommand : subcommands(command)) set_command(subcommand, allow);
}

// The newest word about a command or category is the one that counts; what was said of it or its subcommands before is
// left out, so that the text does not grow for ever.
void AclSelector::note_rule(std::string_view rule, bool allow) {
  const std::string name = lower_case(rule);
  std::string kept;
  std::string_view rest = command_rules;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const std::string_view about = one.substr(1);
    const bool undone = about.starts_with(name) && (about.size() == name.size() || about[name.size()] == '|');
    if (undone) continue;
    if (!kept.empty()) kept += ' ';
    kept += one;
  }
  if (!kept.empty()) kept += ' ';
  kept += allow ? '+' : '-';
  command_rules = kept + name;
}

// "config|get", or the old "select|0" for a command that has no subcommands: its first argument.
Status AclSelector::allow_subcommand(std::string_view rule) {
  const std::size_t bar = rule.rfind('|');
  const Command* command = command_named(rule.substr(0, bar));
  if (command == nullptr) return wrong(kUnknownName);
  if (command->name.find('|') != std::string_view::npos) {
    return wrong("Allowing first-arg of a subcommand is not supported");
  }
  const std::string_view argument = rule.substr(bar + 1);
  if (argument.empty()) return wrong(kSyntax);
  if (subcommands(*command).empty()) {
    std::vector<std::string>& arguments = first_arguments[command->id];
    const std::string lower = lower_case(argument);
    if (std::ranges::find(arguments, lower) == arguments.end()) arguments.push_back(lower);
  } else {
    const Command* subcommand = command_named(rule);
    if (subcommand == nullptr) return wrong(kUnknownName);
    set_command(*subcommand, true);
  }
  note_rule(rule, true);
  return Done{};
}

Status AclSelector::set_category(std::string_view category, bool allow) {
  const std::uint32_t mask = acl_category(category.substr(1));
  if (mask == 0) return wrong(kUnknownName);
  note_rule(category, allow);
  for (const Command& command : redraft::commands::all_commands()) {
    if ((command.categories & mask) != 0) set_command(command, allow);
  }
  return Done{};
}

Status AclSelector::add_keys(std::string_view rule) {
  if (all_keys) {
    return wrong(
        "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try "
        "'resetkeys' to start with an empty list of patterns");
  }
  KeyPattern added{{}, true, true};
  std::size_t at = 1;
  if (rule.front() == '%') {
    added.read = added.write = false;
    for (; at < rule.size() && rule[at] != '~'; ++at) {
      bool& permission = to_lower(rule[at]) == 'r' ? added.read : added.write;
      if ((to_lower(rule[at]) != 'r' && to_lower(rule[at]) != 'w') || permission) return wrong(kSyntax);
      permission = true;
    }
    if (!added.read && !added.write) return wrong(kSyntax);
    ++at;
  }
  added.pattern = rule.substr(std::min(at, rule.size()));
  if (has_spaces(added.pattern)) return wrong(kSyntax);
  const auto known = std::ranges::find(keys, added.pattern, &KeyPattern::pattern);
  if (known == keys.end()) {
    keys.push_back(std::move(added));
  } else {
    known->read = known->read || added.read;
    known->write = known->write || added.write;
  }
  return Done{};
}

std::string AclSelector::describe_commands() const {
  std::string text = future_commands ? "+@all" : "-@all";
  if (!command_rules.empty()) text += " " + command_rules;
  return text;
}

std::string AclSelector::describe_keys() const {
  if (all_keys) return "~*";
  std::string text;
  for (const KeyPattern& key : keys) {
    if (!text.empty()) text += ' ';
    text += key.read && key.write ? "~" : key.read ? "%R~" : "%W~";
    text += key.pattern;
  }
  return text;
}

std::string AclSelector::describe_channels() const {
  if (all_channels) return "&*";
  std::string text;
  for (const std::string& channel : channels) text += (text.empty() ? "&" : " &") + channel;
  return text;
}

std::string AclSelector::describe() const {
  std::string text = describe_keys();
  if (!text.empty()) text += ' ';
  if (!all_channels) text += "resetchannels ";
  const std::string listed = describe_channels();
  if (!listed.empty()) text += listed + " ";
  return text + describe_commands();
}

// ---- Verdicts

namespace {

bool command_allowed(const AclSelector& selector, const Command& command, std::span<const std::string_view> arguments) {
  if (selector.all_commands || command.is(kNoAuth) || selector.allows(command.id)) return true;
  const auto found = selector.first_arguments.find(command.id);
  if (found == selector.first_arguments.end() || arguments.size() < 2) return false;
  return std::ranges::any_of(found->second,
                             [&](const std::string& argument) { return equals_ignoring_case(arguments[1], argument); });
}

bool key_allowed(const AclSelector& selector, const FoundKey& found, std::string_view key) {
  bool reads = false;
  bool writes = false;
  for (const std::string_view flag : found.flags) {
    reads = reads || flag == "access";
    writes = writes || flag == "insert" || flag == "delete" || flag == "update";
  }
  return std::ranges::any_of(selector.keys, [&](const AclSelector::KeyPattern& pattern) {
    if ((reads && !pattern.read) || (writes && !pattern.write)) return false;
    return glob_matches(pattern.pattern, key);
  });
}

AclVerdict check_keys(const AclSelector& selector, const Command& command,
                      std::span<const std::string_view> arguments) {
  if (selector.all_keys || (command.range.first == 0 && command.find_keys == nullptr)) return {};
  for (const FoundKey& found : find_keys_with_flags(command, arguments)) {
    if (std::ranges::find(found.flags, "not_key") != found.flags.end()) continue;
    if (!key_allowed(selector, found, arguments[found.position])) return {AclDenial::kKey, found.position};
  }
  return {};
}

AclVerdict check_channels(const AclSelector& selector, const Command& command,
                          std::span<const std::string_view> arguments) {
  if (selector.all_channels) return {};
  std::size_t last = 0;
  const bool patterns = command.id == CommandId::kPsubscribe;
  if (command.id == CommandId::kPublish || command.id == CommandId::kSpublish) {
    last = 1;
  } else if (patterns || command.id == CommandId::kSubscribe || command.id == CommandId::kSsubscribe) {
    last = arguments.size() - 1;
  }
  for (std::size_t i = 1; i <= last && i < arguments.size(); ++i) {
    // A pattern may match anything, so it must be one of the user's own, letter by letter.
    const bool allowed = std::ranges::any_of(selector.channels, [&](const std::string& channel) {
      return patterns ? channel == arguments[i] : glob_matches(channel, arguments[i]);
    });
    if (!allowed) return {AclDenial::kChannel, i};
  }
  return {};
}

AclVerdict check_selector(const AclSelector& selector, const Command& command,
                          std::span<const std::string_view> arguments) {
  if (!command_allowed(selector, command, arguments)) return {AclDenial::kCommand, 0};
  const AclVerdict by_keys = check_keys(selector, command, arguments);
  return by_keys.ok() ? check_channels(selector, command, arguments) : by_keys;
}

}  // namespace

// One selector must permit all of it. Of several refusals the one that came furthest is told.
AclVerdict check_acl(const AclUser& user, const Command& command, std::span<const std::string_view> arguments) {
  AclVerdict told{AclDenial::kCommand, 0};
  for (const AclSelector& selector : user.selectors) {
    const AclVerdict verdict = check_selector(selector, command, arguments);
    if (verdict.ok()) return verdict;
    if (verdict.denial > told.denial || (verdict.denial == told.denial && verdict.position > told.position)) {
      told = verdict;
    }
  }
  return told;
}

std::string describe_denial(std::string_view user, const Command& command, AclVerdict verdict,
                            std::string_view object) {
  const std::string who = "User " + std::string(user) + " has no permissions to ";
  if (verdict.denial == AclDenial::kCommand) return who + "run the '" + std::string(command.name) + "' command";
  const std::string_view what = verdict.denial == AclDenial::kKey ? "key" : "channel";
  if (object.empty()) return "No permissions to access a " + std::string(what);
  return who + "access the '" + std::string(object) + "' " + std::string(what);
}

}  // namespace redraft::commands
