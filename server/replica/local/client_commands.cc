#include <algorithm>
#include <array>

#include "resp/number.h"
#include "server/replica/local/handlers.h"
#include "server/replica/pubsub.h"

namespace redraft::replica::local {

namespace {

enum class ClientType : std::uint8_t { kNormal, kMaster, kReplica, kPubsub };

std::optional<ClientType> type_named(std::string_view name) {
  if (equals_ignoring_case(name, "normal")) return ClientType::kNormal;
  if (equals_ignoring_case(name, "master")) return ClientType::kMaster;
  if (equals_ignoring_case(name, "replica") || equals_ignoring_case(name, "slave")) return ClientType::kReplica;
  if (equals_ignoring_case(name, "pubsub")) return ClientType::kPubsub;
  return std::nullopt;
}

// Nodes do not replicate over client connections, so there are no masters and replicas here.
ClientType type_of(const Session& session) {
  return session.subscribed() ? ClientType::kPubsub : ClientType::kNormal;
}

std::string flags_of(const Session& session) {
  std::string flags;
  if (session.monitor) flags += 'O';
  if (session.subscribed()) flags += 'P';
  if (session.transaction.open) flags += 'x';
  if (session.held(Hold::kBlocked)) flags += 'b';
  if (session.tracking != nullptr) {
    flags += 't';
    if (session.tracking->broken_redirect) flags += 'R';
    if (session.tracking->broadcast) flags += 'B';
  }
  if (session.closing) flags += 'c';
  if (session.address().unix_socket) flags += 'U';
  if (session.readonly) flags += 'r';
  if (session.no_evict) flags += 'e';
  if (session.no_touch) flags += 'T';
  return flags.empty() ? "N" : flags;
}

// redis.io/commands/client-list has the fields. Replies are one buffer, and `oll` and `omem` tell of what
// the socket has not taken of an earlier one.
std::string line_of(const Session& session, std::uint64_t now_ms) {
  const auto seconds_since = [now_ms](std::uint64_t then_ms) {
    return now_ms < then_ms ? 0 : (now_ms - then_ms) / 1000;
  };
  const auto listens = [&session](PubSub::Kind kind) { return PubSub::names_of(session, kind).size(); };
  const std::size_t unparsed = session.input.size() - std::min(session.input_begin, session.input.size());
  const std::size_t unsent = session.output().size() - std::min(session.output_sent, session.output().size());
  std::string line;
  const auto field = [&line](std::string_view name, std::string_view value) {
    if (!line.empty()) line += ' ';
    line += name;
    line += '=';
    line += value;
  };
  const auto number = [&field](std::string_view name, std::uint64_t value) { field(name, std::to_string(value)); };
  number("id", session.id());
  field("addr", session.address().peer);
  field("laddr", session.address().local);
  field("fd", std::to_string(session.address().fd));
  field("name", session.name);
  number("age", seconds_since(session.connected_ms));
  number("idle", seconds_since(session.active_ms));
  field("flags", flags_of(session));
  number("db", session.db);
  number("sub", listens(PubSub::Kind::kChannel));
  number("psub", listens(PubSub::Kind::kPattern));
  number("ssub", listens(PubSub::Kind::kShardChannel));
  field("multi", session.transaction.open ? std::to_string(session.transaction.count) : "-1");
  number("qbuf", unparsed);
  number("qbuf-free", session.input.capacity() - session.input.size());
  number("argv-mem", 0);
  number("multi-mem", session.transaction.commands.size());
  number("rbs", session.output().capacity());
  number("rbp", session.output().capacity());
  number("obl", unsent);
  number("oll", session.output_at_host > 0 ? 1 : 0);
  number("omem", session.output_at_host);
  number("tot-mem", session.memory());
  field("events", unsent + session.output_at_host > 0 ? "rw" : "r");
  field("cmd", session.last_command);
  field("user", session.user);
  field("redir", session.tracking == nullptr ? "-1" : std::to_string(session.tracking->redirect));
  number("resp", session.writer().resp3() ? 3 : 2);
  field("lib-name", session.library_name);
  field("lib-ver", session.library_version);
  return line + "\n";
}

std::optional<bool> on_or_off(LocalContext& context) {
  if (argument_is(context, 2, "on")) return true;
  if (argument_is(context, 2, "off")) return false;
  context.reply.error(kSyntaxError);
  return std::nullopt;
}

// What CLIENT KILL's options select.
struct Filter {
  std::optional<std::uint64_t> id;
  std::optional<ClientType> type;
  std::optional<std::string_view> address;
  std::optional<std::string_view> local_address;
  std::optional<std::string_view> user;
  bool skip_me = true;
};

bool read_filter(LocalContext& context, Filter& filter) {
  const std::span<const std::string_view> arguments = context.arguments;
  for (std::size_t i = 2; i < arguments.size(); i += 2) {
    if (i + 1 >= arguments.size()) {
      context.reply.error(kSyntaxError);
      return false;
    }
    const std::string_view value = arguments[i + 1];
    if (argument_is(context, i, "id")) {
      const std::optional<std::int64_t> id = resp::parse_int64(value);
      if (!id || *id < 1) {
        context.reply.error("ERR client-id should be greater than 0");
        return false;
      }
      filter.id = static_cast<std::uint64_t>(*id);
    } else if (argument_is(context, i, "type")) {
      filter.type = type_named(value);
      if (!filter.type) {
        context.reply.error("ERR Unknown client type '" + std::string(value) + "'");
        return false;
      }
    } else if (argument_is(context, i, "addr")) {
      filter.address = value;
    } else if (argument_is(context, i, "laddr")) {
      filter.local_address = value;
    } else if (argument_is(context, i, "user")) {
      if (context.actions.users().find(value) == nullptr) {
        context.reply.error("ERR No such user '" + std::string(value) + "'");
        return false;
      }
      filter.user = value;
    } else if (argument_is(context, i, "skipme")) {
      if (equals_ignoring_case(value, "yes")) {
        filter.skip_me = true;
      } else if (equals_ignoring_case(value, "no")) {
        filter.skip_me = false;
      } else {
        context.reply.error(kSyntaxError);
        return false;
      }
    } else {
      context.reply.error(kSyntaxError);
      return false;
    }
  }
  return true;
}

}  // namespace

std::string describe_client(const Session& session, std::uint64_t now_ms) {
  std::string line = line_of(session, now_ms);
  line.pop_back();
  return line;
}

void client_id(LocalContext& context) {
  context.reply.integer(static_cast<std::int64_t>(context.session.id()));
}

void client_getname(LocalContext& context) {
  if (context.session.name.empty()) return context.reply.null();
  context.reply.bulk(context.session.name);
}

void client_setname(LocalContext& context) {
  if (!printable_word(context.arguments[2])) {
    return context.reply.error("ERR Client names cannot contain spaces, newlines or special characters.");
  }
  context.session.name = std::string(context.arguments[2]);
  context.reply.ok();
}

// redis.io/commands/client-setinfo, new in 7.2
void client_setinfo(LocalContext& context) {
  std::string* field = nullptr;
  if (argument_is(context, 2, "lib-name")) field = &context.session.library_name;
  if (argument_is(context, 2, "lib-ver")) field = &context.session.library_version;
  const std::string attribute(context.arguments[2]);
  if (field == nullptr) return context.reply.error("ERR Unrecognized option '" + attribute + "'");
  if (!printable_word(context.arguments[3])) {
    return context.reply.error("ERR " + attribute + " cannot contain spaces, newlines or special characters.");
  }
  *field = std::string(context.arguments[3]);
  context.reply.ok();
}

void client_info(LocalContext& context) {
  context.reply.verbatim("txt", line_of(context.session, context.actions.view().monotonic_ms));
}

void client_list(LocalContext& context) {
  const std::size_t count = context.arguments.size();
  std::optional<ClientType> type;
  std::vector<std::uint64_t> ids;
  const bool by_id = count >= 4 && argument_is(context, 2, "id");
  if (count == 4 && argument_is(context, 2, "type")) {
    type = type_named(context.arguments[3]);
    if (!type) return context.reply.error("ERR Unknown client type '" + std::string(context.arguments[3]) + "'");
  } else if (by_id) {
    for (std::size_t i = 3; i < count; ++i) {
      const std::optional<std::int64_t> id = resp::parse_int64(context.arguments[i]);
      if (!id) return context.reply.error("ERR Invalid client ID");
      ids.push_back(static_cast<std::uint64_t>(*id));
    }
  } else if (count != 2) {
    return context.reply.error(kSyntaxError);
  }
  const std::uint64_t now_ms = context.actions.view().monotonic_ms;
  std::string text;
  if (by_id) {
    for (const std::uint64_t id : ids) {
      Session* session = context.actions.find_session(id);
      if (session != nullptr) text += line_of(*session, now_ms);
    }
  } else {
    context.actions.each_session([&](Session& session) {
      if (!type || type_of(session) == *type) text += line_of(session, now_ms);
    });
  }
  context.reply.verbatim("txt", text);
}

// redis.io/commands/client-kill: the old form with one address, or options.
void client_kill(LocalContext& context) {
  const bool old_form = context.arguments.size() == 3;
  Filter filter;
  if (old_form) {
    filter.address = context.arguments[2];
    filter.skip_me = false;
  } else if (!read_filter(context, filter)) {
    return;
  }
  std::vector<std::uint64_t> chosen;
  context.actions.each_session([&](Session& session) {
    if (filter.address && session.address().peer != *filter.address) return;
    if (filter.local_address && session.address().local != *filter.local_address) return;
    if (filter.type && type_of(session) != *filter.type) return;
    if (filter.id && session.id() != *filter.id) return;
    if (filter.user && (!session.authenticated || session.user != *filter.user)) return;
    if (&session == &context.session && filter.skip_me) return;
    chosen.push_back(session.id());
  });
  // The reply first: killing the caller itself must not lose it.
  if (!old_form) {
    context.reply.integer(static_cast<std::int64_t>(chosen.size()));
  } else if (chosen.empty()) {
    context.reply.error("ERR No such client");
  } else {
    context.reply.ok();
  }
  for (const std::uint64_t id : chosen) {
    Session* session = context.actions.find_session(id);
    if (session != nullptr) context.actions.kill(*session);
  }
}

void client_unblock(LocalContext& context) {
  bool with_error = false;
  if (context.arguments.size() > 4) return context.reply.error(kSyntaxError);
  if (context.arguments.size() == 4) {
    if (argument_is(context, 3, "error")) {
      with_error = true;
    } else if (!argument_is(context, 3, "timeout")) {
      return context.reply.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
  }
  const std::optional<std::int64_t> id = resp::parse_int64(context.arguments[2]);
  if (!id) return context.reply.error(kNotAnInteger);
  Session* session = context.actions.find_session(static_cast<std::uint64_t>(*id));
  const bool unblocked = session != nullptr && context.actions.unblock(*session, with_error);
  context.reply.integer(unblocked ? 1 : 0);
}

void client_pause(LocalContext& context) {
  PauseMode mode = PauseMode::kAll;
  if (context.arguments.size() == 4) {
    if (argument_is(context, 3, "write")) {
      mode = PauseMode::kWrite;
    } else if (!argument_is(context, 3, "all")) {
      return context.reply.error("ERR CLIENT PAUSE mode must be WRITE or ALL");
    }
  } else if (context.arguments.size() > 4) {
    return context.reply.error(kSyntaxError);
  }
  const std::optional<std::uint64_t> timeout_ms = timeout_argument(context, 2);
  if (!timeout_ms) return;
  context.actions.pause(mode, context.actions.view().monotonic_ms + *timeout_ms);
  context.reply.ok();
}

void client_unpause(LocalContext& context) {
  context.actions.unpause();
  context.reply.ok();
}

// redis.io/commands/client-reply: only ON is answered.
void client_reply(LocalContext& context) {
  if (argument_is(context, 2, "on")) {
    context.session.reply_mode = Session::ReplyMode::kOn;
    context.session.silent = false;  // this very reply is the first that goes out again
    context.reply.ok();
  } else if (argument_is(context, 2, "off")) {
    context.session.reply_mode = Session::ReplyMode::kOff;
  } else if (argument_is(context, 2, "skip")) {
    if (context.session.reply_mode != Session::ReplyMode::kOff) {
      context.session.reply_mode = Session::ReplyMode::kSkip;
    }
  } else {
    context.reply.error(kSyntaxError);
  }
}

void client_no_evict(LocalContext& context) {
  const std::optional<bool> on = on_or_off(context);
  if (!on) return;
  context.session.no_evict = *on;
  context.reply.ok();
}

void client_no_touch(LocalContext& context) {
  const std::optional<bool> on = on_or_off(context);
  if (!on) return;
  context.session.no_touch = *on;
  context.reply.ok();
}

void client_help(LocalContext& context) {
  constexpr auto kLines = std::to_array<std::string_view>({
      "CACHING (YES|NO)",
      "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
      "GETREDIR",
      "    Return the client ID we are redirecting to when tracking is enabled.",
      "GETNAME",
      "    Return the name of the current connection.",
      "ID",
      "    Return the ID of the current connection.",
      "INFO",
      "    Return information about the current client connection.",
      "KILL <ip:port>",
      "    Kill connection made from <ip:port>.",
      "KILL <option> <value> [<option> <value> [...]]",
      "    Kill connections. Options are:",
      "    * ADDR (<ip:port>|<unixsocket>:0)",
      "      Kill connections made from the specified address",
      "    * LADDR (<ip:port>|<unixsocket>:0)",
      "      Kill connections made to specified local address",
      "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
      "      Kill connections by type.",
      "    * USER <username>",
      "      Kill connections authenticated by <username>.",
      "    * SKIPME (YES|NO)",
      "      Skip killing current connection (default: yes).",
      "LIST [options ...]",
      "    Return information about client connections. Options:",
      "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
      "      Return clients of specified type.",
      "UNPAUSE",
      "    Stop the current client pause, resuming traffic.",
      "PAUSE <timeout> [WRITE|ALL]",
      "    Suspend all, or just write, clients for <timeout> milliseconds.",
      "REPLY (ON|OFF|SKIP)",
      "    Control the replies sent to the current connection.",
      "SETNAME <name>",
      "    Assign the name <name> to the current connection.",
      "SETINFO <option> <value>",
      "    Set client meta attr. Options are:",
      "    * LIB-NAME: the client lib name.",
      "    * LIB-VER: the client lib version.",
      "UNBLOCK <clientid> [TIMEOUT|ERROR]",
      "    Unblock the specified blocked client.",
      "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
      "         [OPTIN] [OPTOUT] [NOLOOP]",
      "    Control server assisted client side caching.",
      "TRACKINGINFO",
      "    Report tracking status for the current connection.",
      "NO-EVICT (ON|OFF)",
      "    Protect current client connection from eviction.",
      "NO-TOUCH (ON|OFF)",
      "    Will not touch LRU/LFU stats when this mode is on.",
  });
  answer_help(context, "CLIENT", kLines);
}

}  // namespace redraft::replica::local
