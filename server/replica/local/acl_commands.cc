#include <array>
#include <vector>

#include "resp/number.h"
#include "server/commands/command_command.h"
#include "server/commands/table.h"
#include "server/replica/local/acl_log.h"
#include "server/replica/local/handlers.h"
#include "server/replica/local/password_hash.h"

// ACL (redis.io/commands/?group=server). What users may do is cluster state: changes go through the log, answers come
// from what is applied here.

namespace redraft::replica::local {

using commands::AclSelector;
using commands::AclUser;
using commands::AclVerdict;
using commands::Command;

namespace {

constexpr std::string_view kNoFile =
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER "
    "command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store "
    "users in the Redis configuration.";

// No password goes into the log: ">" and "<" become hashes on the node that was asked.
std::string hashed(std::string_view rule) {
  if (rule.starts_with('>')) return "#" + password_hash(rule.substr(1));
  if (rule.starts_with('<')) return "!" + password_hash(rule.substr(1));
  return std::string(rule);
}

bool channels_by_default(LocalContext& context) {
  return setting_text(context, "acl-pubsub-default") == "allchannels";
}

// Refuses what apply would refuse, then one entry.
void change(LocalContext& context, const std::vector<std::string>& words) {
  if (context.in_transaction) return context.reply.error(kNotInTransaction);
  const std::vector<std::string_view> views(words.begin(), words.end());
  if (Status fits = context.actions.users().check(views, channels_by_default(context)); !fits) {
    return context.reply.error(fits.error().message);
  }
  context.actions.change_users(context.session, views);
}

void list_category(const Command& command, std::uint32_t mask, std::vector<std::string_view>& names) {
  if ((command.categories & mask) != 0) names.push_back(command.name);
}

void answer_selector(LocalContext& context, const AclSelector& selector) {
  context.reply.bulk("commands");
  context.reply.bulk(selector.describe_commands());
  context.reply.bulk("keys");
  context.reply.bulk(selector.describe_keys());
  context.reply.bulk("channels");
  context.reply.bulk(selector.describe_channels());
}

void answer_log_entry(LocalContext& context, const AclLog::Entry& entry, std::uint64_t now_ms) {
  const auto text = [&context](std::string_view name, std::string_view value) {
    context.reply.bulk(name);
    context.reply.bulk(value);
  };
  const auto number = [&context](std::string_view name, std::uint64_t value) {
    context.reply.bulk(name);
    context.reply.integer(static_cast<std::int64_t>(value));
  };
  context.reply.map(10);
  number("count", entry.count);
  text("reason", entry.reason);
  text("context", entry.context);
  text("object", entry.object);
  text("username", entry.username);
  context.reply.bulk("age-seconds");
  context.reply.number(static_cast<double>(now_ms - entry.updated_ms) / 1000);
  text("client-info", entry.client);
  number("entry-id", entry.id);
  number("timestamp-created", entry.created_ms);
  number("timestamp-last-updated", entry.updated_ms);
}

}  // namespace

void acl_whoami(LocalContext& context) {
  context.reply.bulk(context.session.user);
}

void acl_users(LocalContext& context) {
  const auto& users = context.actions.users().all();
  context.reply.array(users.size());
  for (const auto& [name, user] : users) context.reply.bulk(name);
}

void acl_list(LocalContext& context) {
  const auto& users = context.actions.users().all();
  context.reply.array(users.size());
  for (const auto& [name, user] : users) context.reply.bulk("user " + name + " " + user.describe());
}

void acl_getuser(LocalContext& context) {
  const AclUser* user = context.actions.users().find(context.arguments[2]);
  if (user == nullptr) return context.reply.null();
  context.reply.map(6);
  context.reply.bulk("flags");
  context.reply.set(user->no_password ? 3 : 2);
  context.reply.bulk(user->enabled ? "on" : "off");
  if (user->no_password) context.reply.bulk("nopass");
  context.reply.bulk(user->sanitize_payload ? "sanitize-payload" : "skip-sanitize-payload");
  context.reply.bulk("passwords");
  context.reply.array(user->passwords.size());
  for (const std::string& password : user->passwords) context.reply.bulk(password);
  answer_selector(context, user->selectors.front());
  context.reply.bulk("selectors");
  context.reply.array(user->selectors.size() - 1);
  for (std::size_t i = 1; i < user->selectors.size(); ++i) {
    context.reply.map(3);
    answer_selector(context, user->selectors[i]);
  }
}

void acl_setuser(LocalContext& context) {
  std::vector<std::string> words{"setuser", std::string(context.arguments[2])};
  for (const std::string_view rule : context.arguments.subspan(3)) {
    // Redis names the rule as it was given in its answer, so a password that is not there is looked for here.
    const AclUser* user = context.actions.users().find(context.arguments[2]);
    const std::string word = hashed(rule);
    if (rule.starts_with('<') && (user == nullptr || !user->has_password(std::string_view(word).substr(1)))) {
      return context.reply.error("ERR Error in ACL SETUSER modifier '" + std::string(rule) +
                                 "': The password you are trying to remove from the user does not exist");
    }
    words.push_back(word);
  }
  change(context, words);
}

void acl_deluser(LocalContext& context) {
  std::vector<std::string> words{"deluser"};
  for (const std::string_view name : context.arguments.subspan(2)) words.emplace_back(name);
  change(context, words);
}

void acl_cat(LocalContext& context) {
  if (context.arguments.size() > 3) return answer_too_many(context, "ACL");
  if (context.arguments.size() == 2) {
    const auto categories = commands::category_names();
    context.reply.array(categories.size());
    for (const auto& [mask, name] : categories) context.reply.bulk(name);
    return;
  }
  const std::uint32_t mask = commands::acl_category(context.arguments[2]);
  if (mask == 0) return context.reply.error("ERR Unknown category '" + std::string(context.arguments[2]) + "'");
  std::vector<std::string_view> names;
  for (const Command& command : commands::all_commands()) list_category(command, mask, names);
  context.reply.array(names.size());
  for (const std::string_view name : names) context.reply.bulk(name);
}

void acl_dryrun(LocalContext& context) {
  const auto& users = context.actions.users();
  const AclUser* user = users.find(context.arguments[2]);
  if (user == nullptr) return context.reply.error("ERR User '" + std::string(context.arguments[2]) + "' not found");
  const auto request = context.arguments.subspan(3);
  const Command* command = commands::find_command(request);
  if (command == nullptr) {
    return context.reply.error("ERR Command '" + std::string(context.arguments[3]) + "' not found");
  }
  if (!commands::arity_fits(*command, request.size())) {
    return context.reply.error("ERR wrong number of arguments for '" + std::string(command->name) + "' command");
  }
  const AclVerdict verdict = commands::check_acl(*user, *command, request);
  if (verdict.ok()) return context.reply.ok();
  const std::string_view object =
      verdict.denial == commands::AclDenial::kCommand ? std::string_view() : request[verdict.position];
  context.reply.bulk(commands::describe_denial(context.arguments[2], *command, verdict, object));
}

void acl_genpass(LocalContext& context) {
  if (context.arguments.size() > 3) return answer_too_many(context, "ACL");
  std::int64_t bits = 256;
  if (context.arguments.size() == 3) {
    const std::optional<std::int64_t> given = resp::parse_int64(context.arguments[2]);
    if (!given) return context.reply.error(kNotAnInteger);
    bits = *given;
    if (bits <= 0 || bits > 4096) {
      return context.reply.error(
          "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096");
    }
  }
  std::string random(static_cast<std::size_t>(bits + 7) / 8, '\0');
  context.actions.random_bytes(std::span(random.data(), random.size()));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string password;
  for (const char byte : random) {
    password += kDigits[static_cast<unsigned char>(byte) >> 4];
    password += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  password.resize(static_cast<std::size_t>(bits + 3) / 4);
  context.reply.bulk(password);
}

void acl_log(LocalContext& context) {
  std::size_t count = 10;
  if (context.arguments.size() > 3) return answer_too_many(context, "ACL");
  if (context.arguments.size() == 3) {
    if (argument_is(context, 2, "reset")) {
      context.actions.acl_log().clear();
      return context.reply.ok();
    }
    const std::optional<std::int64_t> given = resp::parse_int64(context.arguments[2]);
    if (!given) return context.reply.error(kNotAnInteger);
    count = *given < 0 ? 0 : static_cast<std::size_t>(*given);
  }
  const auto& entries = context.actions.acl_log().entries();
  count = std::min(count, entries.size());
  const std::uint64_t now_ms = context.actions.view().wall_us / 1000;
  context.reply.array(count);
  for (std::size_t i = 0; i < count; ++i) answer_log_entry(context, entries[i], now_ms);
}

// "user <name> <rules>", one line each; the file takes the place of all users there are.
void acl_load(LocalContext& context) {
  const std::string path = setting_text(context, "aclfile");
  if (path.empty()) return context.reply.error(kNoFile);
  const std::optional<std::string> text = context.actions.read_config_file(path);
  if (!text) return context.reply.error("ERR Error loading ACLs, opening file '" + path + "': cannot be read");
  Result<std::vector<std::string>> words = read_acl_file(*text);
  if (!words) return context.reply.error("ERR " + path + words.error().message);
  change(context, *words);
}

void acl_save(LocalContext& context) {
  const std::string path = setting_text(context, "aclfile");
  if (path.empty()) return context.reply.error(kNoFile);
  std::string text;
  for (const auto& [name, user] : context.actions.users().all()) text += "user " + name + " " + user.describe() + "\n";
  if (Status written = context.actions.write_config_file(path, text); !written) {
    return context.reply.error(
        "ERR There was an error trying to save the ACLs. Please check the server logs for more "
        "information");
  }
  context.reply.ok();
}

Result<std::vector<std::string>> read_acl_file(std::string_view text) {
  std::vector<std::string> words{"load"};
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    while (line.ends_with('\r') || line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
    while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
    if (line.empty() || line.front() == '#') continue;
    const auto wrong = [number](const std::string& why) {
      return Error{ErrorCode::kInvalid, ":" + std::to_string(number) + ": " + why};
    };
    if (!line.starts_with("user ")) return wrong("should start with user keyword.");
    line.remove_prefix(5);
    const std::string_view name = line.substr(0, line.find(' '));
    if (name.empty()) return wrong("username is missing.");
    std::string rules;
    std::string_view rest = line.substr(name.size());
    while (!rest.empty()) {
      const std::string_view rule = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(rest.size(), rule.size() + 1));
      if (!rule.empty()) rules += (rules.empty() ? "" : " ") + hashed(rule);
    }
    words.emplace_back(name);
    words.push_back(std::move(rules));
  }
  return words;
}

void acl_help(LocalContext& context) {
  constexpr auto kLines = std::to_array<std::string_view>({
      "CAT [<category>]",
      "    List all commands that belong to <category>, or all command categories",
      "    when no category is specified.",
      "DELUSER <username> [<username> ...]",
      "    Delete a list of users.",
      "DRYRUN <username> <command> [<arg> ...]",
      "    Returns whether the user can execute the given command without executing the command.",
      "GETUSER <username>",
      "    Get the user's details.",
      "GENPASS [<bits>]",
      "    Generate a secure 256-bit user password. The optional `bits` argument can",
      "    be used to specify a different size.",
      "LIST",
      "    Show users details in config file format.",
      "LOAD",
      "    Reload users from the ACL file.",
      "LOG [<count> | RESET]",
      "    Show the ACL log entries.",
      "SAVE",
      "    Save the current config to the ACL file.",
      "SETUSER <username> <attribute> [<attribute> ...]",
      "    Create or modify a user with the specified attributes.",
      "USERS",
      "    List all the registered usernames.",
      "WHOAMI",
      "    Return the current connection username.",
  });
  answer_help(context, "ACL", kLines);
}

}  // namespace redraft::replica::local
