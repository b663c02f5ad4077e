#include <algorithm>
#include <array>

#include "base/planted.h"
#include "resp/number.h"
#include "server/commands/scripts.h"
#include "server/commands/watch.h"
#include "server/replica/engine.h"
#include "server/replica/local/local.h"

// MULTI, EXEC, DISCARD, WATCH and UNWATCH (redis-semantics, "Transactions"). A transaction is one entry: what WATCH
// saw, then the queued commands, each encoded as it would be alone.

namespace redraft::replica {

using commands::Command;
using commands::CommandId;

namespace {

// Ends the arguments of a transaction that was taken when there was no memory.
constexpr std::string_view kLacksMemory = "oom";

bool watched_changed(const store::Store& store, std::string_view seen) {
  CommandReader reader(seen);
  CommandHeader header;
  std::vector<std::string_view> key;
  while (reader.next(header, key)) {
    const commands::WatchedKey watched{
        .db = header.db, .absent = header.session != 0, .deadline_ms = header.sequence, .index = header.number};
    if (commands::watched_key_changed(store, watched, key[0])) return true;
  }
  return false;
}

// SELECT inside a transaction is state: later queued commands run in that database on every node.
std::uint32_t select_queued(const store::Store& store, std::span<const std::string_view> arguments, resp::Writer& reply,
                            std::uint32_t db) {
  const std::optional<std::int64_t> wanted = resp::parse_int64(arguments[1]);
  if (!wanted) {
    reply.error("ERR invalid DB index");
    return db;
  }
  if (*wanted < 0 || *wanted >= static_cast<std::int64_t>(store.database_count())) {
    reply.error("ERR DB index is out of range");
    return db;
  }
  reply.ok();
  return static_cast<std::uint32_t>(*wanted);
}

}  // namespace

bool Engine::transaction_control(CommandId id) {
  return id == CommandId::kMulti || id == CommandId::kExec || id == CommandId::kDiscard || id == CommandId::kWatch ||
         id == CommandId::kUnwatch;
}

bool Engine::take_transaction_control(Session& session, const Command& command, Arguments arguments) {
  const auto say = [&](std::string_view error) {
    answer(session, [&](resp::Writer& reply) { error.empty() ? reply.ok() : reply.error(error); });
    return true;
  };
  Transaction& transaction = session.transaction;
  const auto done = [&] {
    count(session, command);
    if (monitors_.any()) feed_monitors(&session, node_, session.db, command, arguments);
  };
  switch (command.id) {
    case CommandId::kMulti:
      if (transaction.open) return say("ERR MULTI calls can not be nested");
      done();
      transaction.open = true;
      return say("");
    case CommandId::kDiscard:
      if (!transaction.open) return say("ERR DISCARD without MULTI");
      done();
      forget_transaction(session);
      return say("");
    case CommandId::kUnwatch:
      if (transaction.open) return queue(session, command, arguments);
      done();
      session.watched.clear();
      return say("");
    case CommandId::kWatch:
      if (transaction.open) return say("ERR WATCH inside MULTI is not allowed");
      return take_watch(session, command, arguments);
    default:
      if (!transaction.open) return say("ERR EXEC without MULTI");
      return take_exec(session, command);
  }
}

// Waits for its barrier alone on the connection, so that an EXEC that follows knows what was seen.
bool Engine::take_watch(Session& session, const Command& command, Arguments arguments) {
  if (!session.pending.empty()) {
    session.hold(Hold::kOrder);
    return false;
  }
  if (!leading()) return take_elsewhere(session, command, arguments);
  take_read(session, command, arguments);
  session.hold(Hold::kOrder);
  return true;
}

void Engine::run_watch(Session& session, Arguments arguments) {
  for (const std::string_view key : arguments.subspan(1)) {
    const bool known = std::ranges::any_of(
        session.watched, [&](const Watched& watched) { return watched.seen.db == session.db && watched.key == key; });
    if (known) continue;
    session.watched.push_back(
        {std::string(key), commands::watch_key(*store_, session.db, key, store_->clock_ms(), applied_.value)});
  }
  session.writer().ok();
}

bool Engine::queue(Session& session, const Command& command, Arguments arguments) {
  Transaction& transaction = session.transaction;
  if (command.where != commands::Where::kLocal && !leading()) {
    if (!leader_known() && !session.leaderless_over) return take_elsewhere(session, command, arguments);
    transaction.aborted = true;
    return take_elsewhere(session, command, arguments);
  }
  CommandId id = command.id;
  std::vector<std::string_view> replaced;
  const bool script = commands::is_script_call(command) && store_ != nullptr;
  const Arguments logged = script ? for_log(command, arguments, id, replaced) : arguments;
  append_command(transaction.commands, {.id = id}, logged);
  ++transaction.count;
  // PUBLISH too: as a part of the entry it reaches the subscribers of every node at its place.
  const bool publishes = command.where == commands::Where::kForward;
  transaction.writes =
      transaction.writes || command.is(commands::kWrite) || publishes || commands::changes_scripts(command);
  if (script) {
    transaction.needs_memory =
        transaction.needs_memory || commands::script_needs_memory(command, arguments, *store_, script_host_);
    transaction.scripts = transaction.scripts || commands::script_path(command, arguments, *store_, script_host_) !=
                                                     commands::ScriptPath::kRead;
    transaction.writes = transaction.writes || transaction.scripts;
  }
  transaction.needs_memory = transaction.needs_memory || command.is(commands::kDenyOom);
  transaction.selects = transaction.selects || command.id == CommandId::kSelect;
  transaction.data = transaction.data || command.where != commands::Where::kLocal;
  answer(session, [](resp::Writer& reply) { reply.simple("QUEUED"); });
  return true;
}

bool Engine::take_exec(Session& session, const Command& command) {
  Transaction& transaction = session.transaction;
  if (transaction.aborted) {
    forget_transaction(session);
    answer(session,
           [](resp::Writer& reply) { reply.error("EXECABORT Transaction discarded because of previous errors."); });
    return true;
  }
  if (!leading() && (transaction.data || !session.watched.empty())) {
    const bool taken = take_elsewhere(session, command, {});
    if (taken) forget_transaction(session);
    return taken;
  }
  std::string seen;
  for (const Watched& watched : session.watched) {
    const std::string_view key = watched.key;
    append_command(seen,
                   {.number = watched.seen.index,
                    .db = watched.seen.db,
                    .session = watched.seen.absent ? 1u : 0u,
                    .sequence = watched.seen.deadline_ms},
                   std::span(&key, 1));
  }
  if (planted::is(planted::Bug::kWatchAtProposal) && watched_changed(*store_, seen)) {
    forget_transaction(session);
    answer(session, [](resp::Writer& reply) { reply.null_array(); });
    return true;
  }
  const std::array<std::string_view, 4> arguments{"exec", seen, transaction.commands, kLacksMemory};
  if (transaction.writes) {
    if (transaction.scripts) make_room();
    const std::size_t count = transaction.scripts && script_lacks_memory() ? 4 : 3;
    if (!propose(session, CommandId::kTransaction, command, std::span(arguments).first(count))) return false;
  } else {
    take_read(session, command, std::span(arguments).first(3));
  }
  // What comes after it on the connection runs in the database that it selects.
  if (transaction.selects) session.hold(Hold::kOrder);
  forget_transaction(session);
  return true;
}

void Engine::forget_transaction(Session& session) {
  session.transaction = {};
  session.watched.clear();
}

// At apply on every node, or behind a read barrier on one. `session` is the client's where it is connected here: only
// there do the node-local commands among the queued ones run, at their place.
void Engine::run_transaction(commands::Context& context, Session* session) {
  const bool lacks_memory = context.arguments.size() == 4 && context.arguments[3] == kLacksMemory;
  ensure(context.arguments.size() == 3 || lacks_memory, "a transaction has what was watched and what was queued");
  const bool judged = planted::is(planted::Bug::kWatchAtProposal);
  if (!judged && watched_changed(*store_, context.arguments[1])) {
    context.reply.null_array();
    return;
  }
  CommandReader reader(context.arguments[2]);
  CommandHeader header;
  std::vector<std::string_view> arguments;
  const auto whole = context.reply.defer();
  std::size_t replies = 0;
  const std::uint32_t outer_db = context.db;
  std::uint32_t db = outer_db;
  script_host_.set_entry_lacks_memory(lacks_memory);
  while (reader.next(header, arguments)) {
    const Command* command = commands::find_command(header.id);
    ensure(command != nullptr, "a queued command is in the table of every node that applies it");
    ++replies;
    if (command->id == CommandId::kSelect) {
      db = select_queued(*store_, arguments, context.reply, db);
      continue;
    }
    context.db = db;
    if (!users_.all().unrestricted(context.user) && refuse_queued(context, *command, arguments)) continue;
    run_queued(context, session, *command, arguments);
    if (monitors_.any()) feed_monitors(session, context.origin.node, db, *command, arguments);
  }
  script_host_.set_entry_lacks_memory(false);
  ensure(!reader.malformed(), "an entry's queued commands are whole");
  context.reply.end_array(whole, replies);
  context.may_block = true;
  commands::serve_waiters(context);
  if (session != nullptr) session->db = db;
}

void Engine::run_queued(commands::Context& context, Session* session, const Command& command, Arguments arguments) {
  if (command.where == commands::Where::kForward) {
    const bool sharded = command.id == CommandId::kSpublish;
    context.reply.integer(static_cast<std::int64_t>(events_.publish_applied(arguments[1], arguments[2], sharded)));
    return;
  }
  if (command.where == commands::Where::kLocal || command.id == CommandId::kUnwatch) {
    run_queued_local(session, command, arguments, context.reply);
    return;
  }
  context.command = &command;
  context.arguments = arguments;
  context.may_block = false;
  commands::execute(context);
  if (session != nullptr && session->tracking != nullptr) events_.remember_read(*session, command, arguments, caching_);
}

// The user's rights may have changed since the command was queued. Then the others run all the same.
bool Engine::refuse_queued(commands::Context& context, const Command& command, Arguments arguments) {
  const commands::AclVerdict verdict = users_.check(context.user, command, arguments);
  if (verdict.ok()) return false;
  note_denial(command, arguments, "multi");
  const std::string_view why = verdict.denial == commands::AclDenial::kCommand
                                   ? "no permission to execute the command or subcommand"
                               : verdict.denial == commands::AclDenial::kKey
                                   ? "no permission to touch the specified keys"
                                   : "no permission to access one of the channels used as arguments to the command";
  context.reply.error(
      "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is "
      "no longer allowed for the following reason: " +
      std::string(why));
  return true;
}

void Engine::run_queued_local(Session* session, const Command& command, Arguments arguments, resp::Writer& reply) {
  if (session == nullptr) {
    reply.null();  // nobody reads it on this node
    return;
  }
  if (command.id == CommandId::kUnwatch) {
    reply.ok();
    return;
  }
  answer_local(*session, command, arguments, reply, true);
}

}  // namespace redraft::replica
