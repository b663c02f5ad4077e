#include <array>

#include "resp/number.h"
#include "server/replica/local/handlers.h"
#include "server/replica/local/node_names.h"
#include "server/replica/version.h"

namespace redraft::replica::local {

void time(LocalContext& context) {
  const std::uint64_t now_us = context.actions.view().wall_us;
  context.reply.array(2);
  context.reply.bulk_integer(static_cast<std::int64_t>(now_us / 1000000));
  context.reply.bulk_integer(static_cast<std::int64_t>(now_us % 1000000));
}

// redis.io/commands/role: the leader is the master; offsets are log indexes.
void role(LocalContext& context) {
  const NodeView view = context.actions.view();
  if (view.role == NodeRole::kLeader) {
    context.reply.array(3);
    context.reply.bulk("master");
    context.reply.integer(static_cast<std::int64_t>(view.last_index));
    const resp::Writer::Deferred replicas = context.reply.defer();
    std::size_t count = 0;
    for (const MemberView& member : view.members) {
      if (member.self || !member.link_up) continue;
      context.reply.array(3);
      context.reply.bulk(member.host);
      context.reply.bulk_integer(member.port);
      context.reply.bulk_integer(static_cast<std::int64_t>(member.match_index));
      ++count;
    }
    return context.reply.end_array(replicas, count);
  }
  const MemberView* leader = member_of(view, slot_owner(view));
  context.reply.array(5);
  context.reply.bulk("slave");
  context.reply.bulk(leader != nullptr ? leader->host : "");
  context.reply.integer(leader != nullptr ? leader->port : 0);
  context.reply.bulk(view.leader != 0 ? "connected" : "connect");
  context.reply.integer(static_cast<std::int64_t>(view.last_index));
}

void lastsave(LocalContext& context) {
  context.reply.integer(static_cast<std::int64_t>(context.actions.statistics().last_save_s));
}

void save(LocalContext& context) {
  if (context.in_transaction) return context.reply.error(kNotInTransaction);
  if (context.actions.statistics().save_in_progress) {
    return context.reply.error("ERR Background save already in progress");
  }
  context.actions.snapshot_and_answer(context.session);
}

void bgsave(LocalContext& context) {
  bool schedule = false;
  if (context.arguments.size() > 1) {
    if (context.arguments.size() != 2 || !argument_is(context, 1, "schedule")) {
      return context.reply.error(kSyntaxError);
    }
    schedule = true;
  }
  if (context.actions.statistics().save_in_progress) {
    if (schedule) return context.reply.simple("Background saving scheduled");
    return context.reply.error("ERR Background save already in progress");
  }
  Status started = context.actions.start_snapshot();
  if (!started) return context.reply.error(started.error().message);
  context.reply.simple("Background saving started");
}

// The log's rewrite is a snapshot, behind which the log is cut.
void bgrewriteaof(LocalContext& context) {
  if (context.actions.statistics().save_in_progress) {
    return context.reply.error("ERR Background append only file rewriting already in progress");
  }
  Status started = context.actions.start_snapshot();
  if (!started) return context.reply.error(started.error().message);
  context.reply.simple("Background append only file rewriting started");
}

void shutdown(LocalContext& context) {
  ShutdownOptions options;
  bool abort = false;
  for (std::size_t i = 1; i < context.arguments.size(); ++i) {
    const auto pick = [&options](ShutdownOptions::Save choice) {
      if (options.save != ShutdownOptions::Save::kDefault && options.save != choice) return false;
      options.save = choice;
      return true;
    };
    bool fine = true;
    if (argument_is(context, i, "nosave")) {
      fine = pick(ShutdownOptions::Save::kNoSave);
    } else if (argument_is(context, i, "save")) {
      fine = pick(ShutdownOptions::Save::kSave);
    } else if (argument_is(context, i, "now")) {
      options.now = true;
    } else if (argument_is(context, i, "force")) {
      options.force = true;
    } else if (argument_is(context, i, "abort")) {
      abort = true;
    } else {
      fine = false;
    }
    if (!fine || (abort && context.arguments.size() != 2)) return context.reply.error(kSyntaxError);
  }
  if (abort) {
    if (!context.actions.abort_shutdown()) return context.reply.error("ERR No shutdown in progress.");
    return context.reply.ok();
  }
  if (context.in_transaction) return context.reply.error(kNotInTransaction);
  Status going = context.actions.shutdown(context.session, options);
  if (!going) context.reply.error(going.error().message);
}

void wait(LocalContext& context) {
  if (context.actions.view().role != NodeRole::kLeader) {
    return context.reply.error(
        "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is "
        "configured to be writable (which is not the default) writes to replicas are just local and are not "
        "propagated.");
  }
  const std::optional<std::int64_t> replicas = resp::parse_int64(context.arguments[1]);
  if (!replicas) return context.reply.error(kNotAnInteger);
  const std::optional<std::uint64_t> timeout_ms = timeout_argument(context, 2);
  if (!timeout_ms) return;
  const std::uint64_t present = context.actions.durable_replicas(context.session);
  if (context.in_transaction || *replicas <= 0 || present >= static_cast<std::uint64_t>(*replicas)) {
    return context.reply.integer(static_cast<std::int64_t>(present));
  }
  context.actions.wait(context.session, {0, static_cast<std::uint64_t>(*replicas), *timeout_ms, false});
}

// redis.io/commands/waitaof, new in 7.2
void waitaof(LocalContext& context) {
  const std::optional<std::int64_t> local = resp::parse_int64(context.arguments[1]);
  if (!local) return context.reply.error(kNotAnInteger);
  if (*local < 0 || *local > 1) {
    return context.reply.error("ERR value is out of range, value must between 0 and 1");
  }
  const std::optional<std::int64_t> replicas = resp::parse_int64(context.arguments[2]);
  if (!replicas || *replicas < 0) return context.reply.error("ERR value is out of range, must be positive");
  const std::optional<std::uint64_t> timeout_ms = timeout_argument(context, 3);
  if (!timeout_ms) return;
  if (context.actions.view().role != NodeRole::kLeader) {
    return context.reply.error(
        "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local "
        "and are not propagated.");
  }
  const std::uint64_t here = context.actions.durable_here(context.session) ? 1 : 0;
  const std::uint64_t present = context.actions.durable_replicas(context.session);
  const bool enough = here >= static_cast<std::uint64_t>(*local) && present >= static_cast<std::uint64_t>(*replicas);
  if (context.in_transaction || enough) {
    context.reply.array(2);
    context.reply.integer(static_cast<std::int64_t>(here));
    return context.reply.integer(static_cast<std::int64_t>(present));
  }
  context.actions.wait(context.session,
                       {static_cast<std::uint64_t>(*local), static_cast<std::uint64_t>(*replicas), *timeout_ms, true});
}

// Raft decides who leads and what is copied; Redis's own replication has no part in it.
void refuse_replication(LocalContext& context) {
  switch (context.command.id) {
    case commands::CommandId::kReplicaof:
    case commands::CommandId::kSlaveof:
      return context.reply.error("ERR REPLICAOF not allowed in cluster mode.");
    case commands::CommandId::kFailover:
      return context.reply.error("ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.");
    default:
      break;
  }
  std::string name(context.command.name);
  for (char& c : name) c = commands::to_upper(c);
  context.reply.error("ERR " + name + " is not allowed: nodes replicate by Raft, not by Redis's protocol");
}

void module_list(LocalContext& context) {
  context.reply.array(0);
}

void module_refuse(LocalContext& context) {
  context.reply.error(
      "ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you can run it from a "
      "local connection, otherwise you need to set this option in the configuration file, and then restart the "
      "server.");
}

void module_help(LocalContext& context) {
  constexpr auto kLines = std::to_array<std::string_view>({
      "LIST",
      "    Return a list of loaded modules.",
      "LOAD <path> [<arg> ...]",
      "    Load a module library from <path>, passing to it any optional arguments.",
      "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
      "    Load a module library from <path>, while passing it module configurations and optional arguments.",
      "UNLOAD <name>",
      "    Unload a module.",
  });
  answer_help(context, "MODULE", kLines);
}

// No pictures; VERSION chooses none of them (redis.io/commands/lolwut).
void lolwut(LocalContext& context) {
  if (context.arguments.size() >= 3 && commands::equals_ignoring_case(context.arguments[1], "version") &&
      !resp::parse_int64(context.arguments[2])) {
    context.reply.error("ERR value is not an integer or out of range");
    return;
  }
  context.reply.verbatim("txt", "redraft ver. " + std::string(kRedraftVersion) + ", speaking as Redis ver. " +
                                    std::string(kRedisVersion) + "\n");
}

}  // namespace redraft::replica::local
