#include "resp/number.h"
#include "server/replica/local/acl_log.h"
#include "server/replica/local/handlers.h"
#include "server/replica/local/password_hash.h"
#include "server/replica/version.h"

namespace redraft::replica::local {

namespace {

constexpr std::string_view kWrongPassword = "WRONGPASS invalid username-password pair or user is disabled.";

// redis.io/commands/auth. Whoever may not is noted in ACL LOG.
bool authenticate(LocalContext& context, std::string_view name, std::string_view password) {
  const commands::AclUser* user = context.actions.users().find(name);
  const std::string hash = password_hash(password);  // for an unknown user too: it takes as long
  if (user != nullptr && user->enabled && (user->no_password || user->has_password(hash))) {
    context.actions.log_in(context.session, name);
    return true;
  }
  const NodeView view = context.actions.view();
  AclLog::Entry entry;
  entry.reason = "auth";
  entry.context = context.in_transaction ? "multi" : "toplevel";
  entry.object = context.command.name;
  entry.username = name;
  entry.client = describe_client(context.session, view.monotonic_ms);
  context.actions.acl_log().add(
      std::move(entry), view.wall_us / 1000,
      static_cast<std::uint64_t>(resp::parse_int64(setting_text(context, "acllog-max-len")).value_or(128)));
  return false;
}

}  // namespace

bool printable_word(std::string_view text) {
  for (const char c : text) {
    if (c < '!' || c > '~') return false;
  }
  return true;
}

void ping(LocalContext& context) {
  if (context.arguments.size() > 2) {
    return context.reply.error("ERR wrong number of arguments for 'ping' command");
  }
  const bool has_text = context.arguments.size() == 2;
  if (context.session.subscribed() && !context.reply.resp3()) {
    context.reply.array(2);
    context.reply.bulk("pong");
    context.reply.bulk(has_text ? context.arguments[1] : std::string_view());
  } else if (has_text) {
    context.reply.bulk(context.arguments[1]);
  } else {
    context.reply.simple("PONG");
  }
}

void echo(LocalContext& context) {
  context.reply.bulk(context.arguments[1]);
}

// redis.io/commands/hello
void hello(LocalContext& context) {
  std::int64_t version = 0;
  if (context.arguments.size() >= 2) {
    const std::optional<std::int64_t> given = resp::parse_int64(context.arguments[1]);
    if (!given) return context.reply.error("ERR Protocol version is not an integer or out of range");
    version = *given;
    if (version < 2 || version > 3) return context.reply.error("NOPROTO unsupported protocol version");
  }
  std::optional<std::string_view> name;
  std::optional<std::string_view> user;
  std::string_view password;
  for (std::size_t i = 2; i < context.arguments.size(); ++i) {
    const std::size_t more = context.arguments.size() - 1 - i;
    if (argument_is(context, i, "auth") && more >= 2) {
      user = context.arguments[i + 1];
      password = context.arguments[i + 2];
      i += 2;
    } else if (argument_is(context, i, "setname") && more >= 1) {
      name = context.arguments[++i];
      if (!printable_word(*name)) {
        return context.reply.error("ERR Client names cannot contain spaces, newlines or special characters.");
      }
    } else {
      return context.reply.error("ERR Syntax error in HELLO option '" + std::string(context.arguments[i]) + "'");
    }
  }
  if (user && !authenticate(context, *user, password)) return context.reply.error(kWrongPassword);
  if (!context.session.authenticated) {
    return context.reply.error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> "
        "<pass> option can be used to authenticate the client and select the RESP protocol version at the same time");
  }
  if (name) context.session.name = std::string(*name);
  if (version != 0) {
    const resp::Writer::Protocol protocol =
        version == 3 ? resp::Writer::Protocol::kResp3 : resp::Writer::Protocol::kResp2;
    context.reply.set_protocol(protocol);
    context.session.writer().set_protocol(protocol);
  }
  const NodeView view = context.actions.view();
  context.reply.map(7);
  context.reply.bulk("server");
  context.reply.bulk("redis");
  context.reply.bulk("version");
  context.reply.bulk(kRedisVersion);
  context.reply.bulk("proto");
  context.reply.integer(context.reply.resp3() ? 3 : 2);
  context.reply.bulk("id");
  context.reply.integer(static_cast<std::int64_t>(context.session.id()));
  context.reply.bulk("mode");
  context.reply.bulk(view.cluster_enabled ? "cluster" : "standalone");
  context.reply.bulk("role");
  context.reply.bulk(view.role == NodeRole::kLeader ? "master" : "replica");
  context.reply.bulk("modules");
  context.reply.array(0);
}

// redis.io/commands/auth
void auth(LocalContext& context) {
  if (context.arguments.size() > 3) return context.reply.error(kSyntaxError);
  const bool with_user = context.arguments.size() == 3;
  if (!with_user && context.actions.users().default_user().no_password) {
    return context.reply.error(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
        "configuration is correct?");
  }
  const std::string_view user = with_user ? context.arguments[1] : std::string_view("default");
  if (!authenticate(context, user, context.arguments.back())) return context.reply.error(kWrongPassword);
  context.reply.ok();
}

void select(LocalContext& context) {
  const std::optional<std::int64_t> db = resp::parse_int64(context.arguments[1]);
  if (!db || *db < INT32_MIN || *db > INT32_MAX) return context.reply.error(kNotAnInteger);
  const std::optional<std::int64_t> count = resp::parse_int64(setting_text(context, "databases"));
  if (*db < 0 || *db >= count.value_or(16)) return context.reply.error("ERR DB index is out of range");
  context.session.db = static_cast<std::uint32_t>(*db);
  context.reply.ok();
}

void quit(LocalContext& context) {
  context.reply.ok();
  context.actions.kill(context.session);
}

// redis.io/commands/reset
void reset(LocalContext& context) {
  Session& session = context.session;
  context.actions.forget_connection_state(session);
  session.db = 0;
  session.name.clear();
  session.readonly = false;
  session.asking = false;
  session.no_evict = false;
  session.no_touch = false;
  session.monitor = false;
  session.reply_mode = Session::ReplyMode::kOn;
  session.silent = false;
  session.writer().set_protocol(resp::Writer::Protocol::kResp2);
  context.reply.set_protocol(resp::Writer::Protocol::kResp2);
  context.reply.simple("RESET");
}

void readonly(LocalContext& context) {
  if (!context.actions.view().cluster_enabled) return context.reply.error(kNoClusterSupport);
  context.session.readonly = true;
  context.reply.ok();
}

void readwrite(LocalContext& context) {
  if (!context.actions.view().cluster_enabled) return context.reply.error(kNoClusterSupport);
  context.session.readonly = false;
  context.reply.ok();
}

void asking(LocalContext& context) {
  if (!context.actions.view().cluster_enabled) return context.reply.error(kNoClusterSupport);
  context.session.asking = true;
  context.reply.ok();
}

}  // namespace redraft::replica::local
