#include "server/replica/users.h"

#include <array>
#include <map>
#include <vector>

#include "base/check.h"
#include "server/replica/local/handlers.h"
#include "server/replica/local/password_hash.h"
#include "server/replica/pubsub.h"

namespace redraft::replica {

using commands::AclDenial;
using commands::AclUser;
using commands::AclVerdict;
using commands::Command;
using commands::CommandId;

namespace {

constexpr std::string_view kOnlySubscriptions =
    "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";

bool permitted_while_subscribed(CommandId id) {
  switch (id) {
    case CommandId::kSubscribe:
    case CommandId::kUnsubscribe:
    case CommandId::kPsubscribe:
    case CommandId::kPunsubscribe:
    case CommandId::kSsubscribe:
    case CommandId::kSunsubscribe:
    case CommandId::kPing:
    case CommandId::kQuit:
    case CommandId::kReset:
      return true;
    default:
      return false;
  }
}

std::string_view reason_of(AclDenial denial) {
  return denial == AclDenial::kCommand ? "command" : denial == AclDenial::kKey ? "key" : "channel";
}

}  // namespace

std::string Users::objection(const Session& session, const Command& command, Arguments arguments, Time now) {
  if (session.restricted && !command.is(commands::kNoAuth)) {
    const AclVerdict verdict = check(session.user_id, command, arguments);
    if (!verdict.ok()) {
      note_denial(&session, command, arguments, session.transaction.open ? "multi" : "toplevel", now);
      return "NOPERM " + commands::describe_denial(session.user, command, verdict);
    }
  }
  if (session.subscribed() && !session.writer().resp3() && !permitted_while_subscribed(command.id)) {
    return "ERR Can't execute '" + std::string(command.name) + std::string(kOnlySubscriptions);
  }
  if (session.monitor && (command.is(commands::kWrite) || command.is(commands::kReadonly))) {
    return "ERR Replica can't interact with the keyspace";
  }
  return {};
}

std::string Users::refusal(std::uint32_t user_id, const Command& command, Arguments arguments) const {
  if (users_.unrestricted(user_id)) return {};
  if (users_.find(user_id) == nullptr) return "NOPERM The user of this command was deleted";
  const AclVerdict verdict = check(user_id, command, arguments);
  return verdict.ok() ? std::string()
                      : "NOPERM " + commands::describe_denial(users_.name_of(user_id), command, verdict);
}

AclVerdict Users::check(std::uint32_t user_id, const Command& command, Arguments arguments) const {
  const AclUser* user = users_.find(user_id);
  return user == nullptr ? AclVerdict{AclDenial::kCommand, 0} : commands::check_acl(*user, command, arguments);
}

void Users::note_denial(const Session* session, const Command& command, Arguments arguments, std::string_view context,
                        Time now) {
  if (session == nullptr) return;
  const AclVerdict verdict = check(session->user_id, command, arguments);
  if (verdict.ok()) return;
  local::AclLog::Entry entry;
  entry.reason = reason_of(verdict.denial);
  entry.context = context;
  entry.object = verdict.denial == AclDenial::kCommand ? command.name : arguments[verdict.position];
  entry.username = session->user;
  entry.client = local::describe_client(*session, now.monotonic_us / 1000);
  log_.add(std::move(entry), now.wall_ms, settings_.values().acllog_max_len);
}

// ---- Logging in

void Users::log_in(Session& session, std::string_view name) {
  const AclUser* user = users_.find(name);
  ensure(user != nullptr, "only a user that exists logs in");
  session.user = name;
  session.user_id = user->id;
  session.restricted = !user->unrestricted();
  session.authenticated = true;
  session.parser.set_authenticated(true);  // lifts the small limits for strangers
}

void Users::log_out(Session& session) {
  session.user = "default";
  session.user_id = 0;
  session.restricted = !users_.unrestricted(0);
  session.authenticated = users_.open_to_strangers();
  session.parser.set_authenticated(session.authenticated);
}

// ---- Changes

Result<std::int64_t> Users::change(Arguments change, store::Store& store) {
  const bool reloads = change[0] == "load";
  std::map<std::string, std::string> before;
  for (const auto& [name, user] : users_.all()) {
    if (reloads) before.emplace(name, user.describe());
  }
  Result<std::int64_t> result = users_.change(change, store);
  std::set<std::string> replaced;
  for (const auto& [name, text] : before) {
    const AclUser* user = users_.find(name);
    if (user == nullptr || user->describe() != text) replaced.insert(name);
  }
  changed(replaced);
  return result;
}

void Users::set_default_password(std::string_view password, store::Store& store) {
  const std::string rule = password.empty() ? "nopass" : "#" + local::password_hash(password);
  const std::array<std::string_view, 4> change{"setuser", "default", "resetpass", rule};
  ensure(users_.change(change, store).ok(), "a password's hash is a valid rule");
  changed({});
}

// Connections of users that are gone, or that were replaced as a whole, are closed; of those that lost a channel too,
// if they listen to it.
void Users::changed(const std::set<std::string>& replaced) {
  sessions_.for_each([&](Session& session) {
    const AclUser* user = users_.find(session.user_id);
    if (user == nullptr || (replaced.contains(session.user) && session.authenticated && session.user != "default")) {
      if (!session.closing) close_(session);
      return;
    }
    session.restricted = !user->unrestricted();
    if (!session.authenticated && session.user_id == 0 && users_.open_to_strangers()) log_in(session, "default");
    if (session.restricted && session.subscribed() && !may_listen(session) && !session.closing) {
      close_(session);
    }
  });
}

bool Users::may_listen(const Session& session) const {
  const AclUser* user = users_.find(session.user_id);
  const auto all = [&](std::string_view command_name, CommandId id, const Subscriptions::Names& names) {
    const Command command{.name = command_name, .id = id, .flags = commands::kNoAuth};  // the channels alone count
    std::vector<std::string_view> arguments{command_name};
    arguments.insert(arguments.end(), names.begin(), names.end());
    return commands::check_acl(*user, command, arguments).ok();
  };
  return all("subscribe", CommandId::kSubscribe, PubSub::names_of(session, PubSub::Kind::kChannel)) &&
         all("psubscribe", CommandId::kPsubscribe, PubSub::names_of(session, PubSub::Kind::kPattern)) &&
         all("ssubscribe", CommandId::kSsubscribe, PubSub::names_of(session, PubSub::Kind::kShardChannel));
}

void Users::adopt(const store::Store* store) {
  const bool channels_by_default = store != nullptr && store->setting("acl-pubsub-default") == "allchannels";
  if (store != nullptr && !store->users().empty()) {
    users_.adopt(store->users(), channels_by_default);
  } else {
    const std::string& password = settings_.values().require_pass;
    const std::string proof = password.empty() ? "nopass" : "#" + local::password_hash(password);
    store::Store::Users users;
    users["default"].rules = "on " + proof + " ~* &* +@all";
    users_.adopt(users, channels_by_default);
  }
  changed({});
}

}  // namespace redraft::replica
