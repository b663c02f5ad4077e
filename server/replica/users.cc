#include <array>

#include "server/replica/engine.h"
#include "server/replica/local/handlers.h"
#include "server/replica/local/password_hash.h"

// Who is connected and what they may do. Users are replicated state: an entry changes them on every node at once, and
// every command is checked twice, before it is proposed and when it is applied, so that none runs after the change that
// forbids it.

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

// Why this session may not have that command, as a whole error line; empty when it may. Only asked for the few sessions
// that are limited somehow.
std::string Engine::objection(Session& session, const Command& command, Arguments arguments) {
  if (session.restricted && !command.is(commands::kNoAuth)) {
    const AclUser* user = users_.find(session.user_id);
    const AclVerdict verdict =
        user == nullptr ? AclVerdict{AclDenial::kCommand, 0} : commands::check_acl(*user, command, arguments);
    if (!verdict.ok()) {
      note_denial(session, command, arguments, verdict, session.transaction.open ? "multi" : "toplevel");
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

// The same at apply, where the entry's user is all there is.
std::string Engine::refusal(std::uint32_t user_id, const Command& command, Arguments arguments) const {
  if (users_.unrestricted(user_id)) return {};
  const AclUser* user = users_.find(user_id);
  if (user == nullptr) return "NOPERM The user of this command was deleted";
  const AclVerdict verdict = commands::check_acl(*user, command, arguments);
  return verdict.ok() ? std::string()
                      : "NOPERM " + commands::describe_denial(users_.name_of(user_id), command, verdict);
}

// ACL LOG is the node's own: a line where the client is connected, none on the others, none when the log is replayed.
void Engine::note_denial_at_apply(const Command& command, Arguments arguments, std::string_view context) {
  const Session* session = sessions_.find(executing_);
  if (session == nullptr) return;
  const AclUser* user = users_.find(session->user_id);
  const AclVerdict verdict =
      user == nullptr ? AclVerdict{AclDenial::kCommand, 0} : commands::check_acl(*user, command, arguments);
  if (!verdict.ok()) note_denial(*session, command, arguments, verdict, context);
}

void Engine::refused(const Command& command, Arguments arguments) {
  note_denial_at_apply(command, arguments, "lua");
}

void Engine::note_denial(const Session& session, const Command& command, Arguments arguments, AclVerdict verdict,
                         std::string_view context) {
  local::AclLog::Entry entry;
  entry.reason = reason_of(verdict.denial);
  entry.context = context;
  entry.object = verdict.denial == AclDenial::kCommand ? command.name : arguments[verdict.position];
  entry.username = session.user;
  entry.client = local::describe_client(session, now_.monotonic_us / 1000);
  acl_log_.add(std::move(entry), now_.wall_ms, settings_.values().acllog_max_len);
}

// ---- Logging in

void Engine::log_in(Session& session, std::string_view name) {
  const AclUser* user = users_.find(name);
  ensure(user != nullptr, "only a user that exists logs in");
  session.user = name;
  session.user_id = user->id;
  session.restricted = !user->unrestricted();
  session.authenticated = true;
  session.parser.set_authenticated(true);  // lifts the small limits for strangers
}

// As a new connection: "default", whom a password may protect.
void Engine::log_out(Session& session) {
  session.user = "default";
  session.user_id = 0;
  session.restricted = !users_.unrestricted(0);
  session.authenticated = users_.open_to_strangers();
  session.parser.set_authenticated(session.authenticated);
}

// ---- Changes

void Engine::apply_users(commands::Context& context) {
  const Arguments change = context.arguments.subspan(1);
  std::map<std::string, std::string> before;
  for (const auto& [name, user] : users_.all()) before.emplace(name, user.describe());
  const Result<std::int64_t> changed = users_.change(change, *store_);
  if (!changed) {
    context.reply.error(changed.error().message);
  } else if (change[0] == "deluser") {
    context.reply.integer(*changed);
  } else {
    context.reply.ok();
  }
  std::set<std::string> reloaded;
  if (change[0] == "load") {
    for (const auto& [name, text] : before) {
      const AclUser* user = users_.find(name);
      if (user == nullptr || user->describe() != text) reloaded.insert(name);
    }
  }
  users_changed(reloaded);
  // The first argument names the node whose client asked, if that was not the leader itself.
  const bool ours = context.arguments[0] == std::to_string(node_) && context.origin.connection >> 32 == boot_;
  if (ours) {
    actions_.answer_forwarded(context.origin.connection & 0xffffffff, context.origin.number, context.reply.out());
  }
}

// requirepass is the password of "default" (redis.io/docs/management/security/acl).
void Engine::set_default_password(std::string_view password) {
  const std::string rule = password.empty() ? "nopass" : "#" + local::password_hash(password);
  const std::array<std::string_view, 4> change{"setuser", "default", "resetpass", rule};
  ensure(users_.change(change, *store_).ok(), "a password's hash is a valid rule");
  users_changed({});
}

// Connections of users that are gone, or that were replaced as a whole, are closed; of those that lost a channel too,
// if they listen to it.
void Engine::users_changed(const std::set<std::string>& replaced) {
  sessions_.for_each([&](Session& session) {
    const AclUser* user = users_.find(session.user_id);
    if (user == nullptr || (replaced.contains(session.user) && session.authenticated && session.user != "default")) {
      if (!session.closing) close_after_replies(session);
      return;
    }
    session.restricted = !user->unrestricted();
    if (!session.authenticated && session.user_id == 0 && users_.open_to_strangers()) log_in(session, "default");
    if (session.restricted && session.subscribed() && !may_listen(session) && !session.closing) {
      close_after_replies(session);
    }
  });
}

bool Engine::may_listen(const Session& session) const {
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

// After a start or a snapshot: what the store has. Before there is a cluster only this node's requirepass can tell
// whom to let in.
void Engine::adopt_users() {
  const bool channels_by_default = store_ != nullptr && store_->setting("acl-pubsub-default") == "allchannels";
  if (store_ != nullptr && !store_->users().empty()) {
    users_.adopt(store_->users(), channels_by_default);
  } else {
    const std::string& password = settings_.values().require_pass;
    const std::string proof = password.empty() ? "nopass" : "#" + local::password_hash(password);
    store::Store::Users users;
    users["default"].rules = "on " + proof + " ~* &* +@all";
    users_.adopt(users, channels_by_default);
  }
  users_changed({});
}

// The founder's `user` lines and ACL file begin the cluster's users; from then on the log has them.
void Engine::seed_users() {
  const Values& values = settings_.values();
  std::string text;
  for (const std::string& user : values.users) text += "user " + user + "\n";
  if (!values.acl_file.empty()) text += host_.read_config_file(values.acl_file).value_or("");
  const Result<std::vector<std::string>> words = local::read_acl_file(text);
  if (!words) {
    host_.log(LogLevel::kWarning, "The ACL file is not used" + words.error().message);
    return;
  }
  for (std::size_t i = 1; i + 1 < words->size(); i += 2) {
    std::vector<std::string_view> change{"setuser", (*words)[i]};
    std::string_view rest = (*words)[i + 1];
    while (!rest.empty()) {
      change.push_back(rest.substr(0, rest.find(' ')));
      rest.remove_prefix(std::min(rest.size(), change.back().size() + 1));
    }
    if (Status fits = users_.check(change, false); !fits) {
      host_.log(LogLevel::kWarning, "User " + (*words)[i] + " is not made: " + fits.error().message);
      continue;
    }
    change.insert(change.begin(), "0");
    pipeline_.add(nullptr, {.id = CommandId::kChangeUsers}, change);
  }
}

}  // namespace redraft::replica
