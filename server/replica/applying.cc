#include <algorithm>

#include "base/planted.h"
#include "resp/number.h"
#include "server/commands/populate.h"
#include "server/commands/waiters.h"
#include "server/replica/engine.h"
#include "server/replica/lookahead.h"
#include "server/replica/reply_scope.h"

// Committed entries, in log order, become state and replies. State is a function of the entries alone; what only this
// node knows of its own batches (whose commands they hold) decides where replies go and nothing else.

namespace redraft::replica {

using commands::Command;
using commands::CommandId;

void Engine::apply_committed() {
  if (applying_) return;  // a pump inside apply: the outer call goes on with what it queues
  applying_ = true;
  while (!condemned_ && (installing_ || !committed_.empty())) {
    if (installing_) {
      swap_in_snapshot();
      continue;
    }
    const raft::Entry entry = std::move(committed_.front());
    committed_.pop_front();
    apply(entry);
    if (!committed_.empty()) host_.pump();
  }
  applying_ = false;
  if (condemned_) return;
  wake_reads();
  pass_read_rounds();
}

void Engine::apply(const raft::Entry& entry) {
  ensure(entry.index.value == applied_.value + 1, "entries are applied without a gap and once (pitfall G2)");
  Batch mine;
  const bool own = take_own_batch(entry, mine);
  if (own) timings_.stage(local::LatencyMonitor::Stage::kCommit, now_.monotonic_us - mine.proposed_us, now_.wall_ms);
  const std::uint64_t begin_ns = host_.measure_ns();
  applied_ = entry.index;
  applied_term_ = entry.term;
  applied_commands_ = 0;
  if (entry.type == raft::EntryType::kCommand || entry.type == raft::EntryType::kTermStart) {
    Result<Payload> payload = read_payload(entry.payload.view());
    ensure(payload.ok(), "a committed entry has a payload this version reads");
    note_clock(payload->header.clock_ms);
    const bool local = planted::is(planted::Bug::kLocalClock);
    store_->begin_entry(entry.index.value, local ? now_.wall_ms : payload->header.clock_ms);
    store_->seed_hashes(payload->header.seed);
    if (entry.type == raft::EntryType::kTermStart) begin_term();
    apply_commands(*payload, own ? &mine : nullptr);
    serve_expired(payload->header.clock_ms);
  }
  applied_commands_ = ReadPlace::kWhole;
  // Committed here: peers of removed members are told, clients of the change answered (membership.cc).
  if (entry.type == raft::EntryType::kConfiguration) configuration_change_due_ = true;
  if (own) finish_batch(std::move(mine));
  snapshots_.applied(entry.payload.size());
  timings_.stage(local::LatencyMonitor::Stage::kApply, (host_.measure_ns() - begin_ns) / 1000, now_.wall_ms);
}

// The oldest batch of this node, if this entry is it. An entry of another term at its index, committed, proves that it
// was never executed and never will be (architecture, "Outcome of a proposed write"; pitfall B10).
bool Engine::take_own_batch(const raft::Entry& entry, Batch& mine) {
  while (!pipeline_.in_flight().empty() && pipeline_.in_flight().front().index <= entry.index) {
    Batch batch = pipeline_.take_oldest();
    if (batch.index == entry.index && batch.term == entry.term) {
      mine = std::move(batch);
      return true;
    }
    lose_batch(std::move(batch), Outcome::kNotExecuted);
  }
  return false;
}

void Engine::apply_commands(const Payload& payload, Batch* mine) {
  CommandReader reader(payload.commands);
  CommandHeader header;
  std::vector<std::string_view>& arguments = apply_arguments_;
  std::size_t ordinal = 0;
  Lookahead lookahead(*store_, payload.commands, lookahead_arguments_);
  while (reader.next(header, arguments)) {
    lookahead.step();
    Session* session = nullptr;
    if (mine != nullptr && ordinal < mine->writers.size()) session = mine->writers[ordinal];
    const std::uint64_t seed = payload.header.seed + ordinal * 0x9e3779b97f4a7c15u;
    apply_command({payload.header.node, header, arguments, seed, payload.header.clock_ms}, session);
    ++statistics_.changes_since_save;
    ++ordinal;
  }
  ensure(!reader.malformed(), "a committed entry's commands are whole");
}

// The entry's clock may have ended streams that somebody waits for in XREADGROUP, and an entry need not have commands.
void Engine::serve_expired(std::uint64_t clock_ms) {
  if (!store_->waiters().any_ready()) return;
  const Pushes::Running running(pushes_);
  scratch_.clear();
  resp::Writer writer(scratch_, resp::Writer::Protocol::kResp2);
  commands::Random random(clock_ms);
  commands::Context context{*store_, *this, *this, writer, random};
  context.clock_ms = clock_ms;
  context.index = applied_.value;
  context.applying = true;
  commands::serve_waiters(context);
  blocked_.finish_served();
}

void Engine::apply_command(const Applied& applied, Session* session) {
  events_.command_begins();
  if (session == nullptr || session->closed) {
    apply_for_nobody(applied, session != nullptr);
    return;
  }
  answer_overtaken(*session);
  ensure(!session->pending.empty() && session->pending.front().number == applied.header.number,
         "a connection's writes are applied in the order they were sent (pitfall H1)");
  if (apply_for(applied, *session)) {
    blocked_.begin(*session, wait_timeout_ms_);
  } else {
    answered_write(*session);
  }
  blocked_.finish_served();
}

// Another node's client, or one of this node that is gone: nobody reads the reply.
void Engine::apply_for_nobody(const Applied& applied, bool gone) {
  const Pushes::Running running(pushes_);
  scratch_.clear();
  resp::Writer writer(scratch_, resp::Writer::Protocol::kResp2);
  executing_ = 0;
  if (monitors_.any()) monitor_applied(applied);
  const bool waits = execute_applied(applied, nullptr, writer);
  ++applied_commands_;
  blocked_.finish_served();
  // A client that is gone waits for nothing: its waiter is withdrawn by an entry, so that every node does the same.
  if (gone && waits) blocked_.withdraw({applied.node, applied.header.connection, applied.header.number});
}

// Reads that came before this write on its connection: the write was proposed after them and is their barrier.
void Engine::answer_overtaken(Session& session) {
  while (!session.pending.empty() && session.pending.front().kind != Pending::Kind::kWrite) {
    Pending& head = session.pending.front();
    if (head.kind == Pending::Kind::kRead) {
      head.batch = 0;
      head.round = 0;
      head.settled = true;
      if (!run_read(session)) fail("a read that its own connection's write overtakes needs no later clock");
    } else {
      ReplyScope scope(*this, session, head.silent);
      session.output().append(session.arena, head.offset, head.size);
    }
    session.pending.pop_front();
  }
}

// The write at the session's front. True when it waits from now on.
bool Engine::apply_for(const Applied& applied, Session& session) {
  const Pushes::Running running(pushes_);
  const Pending& head = session.pending.front();
  ReplyScope scope(*this, session, head.silent);
  executing_ = session.id();
  caching_ = head.caching;
  const std::size_t begin = session.output().size();
  const std::uint64_t begin_ns = host_.measure_ns();
  const bool blocked = execute_applied(applied, &session, session.writer());
  ++applied_commands_;
  if (head.command != nullptr && static_cast<std::size_t>(head.command->id) < statistics_.per_command.size()) {
    const bool failed = session.output().size() > begin && session.output()[begin] == '-';
    // The inside of a transaction or the last piece of a large command is not what the client sent.
    const std::string_view name = head.command->name;
    const bool as_sent = applied.header.id == head.command->id;
    executed(session, *head.command, as_sent ? applied.arguments : Arguments(&name, 1), begin_ns, failed);
  }
  return blocked;
}

void Engine::feed_monitors(const Session* session, std::uint64_t node, std::uint32_t db,
                           const commands::Command& command, Arguments arguments) {
  if (!replaying()) monitors_.show(now_, Monitors::name_of(session, node), db, command, arguments);
}

void Engine::monitor_applied(const Applied& applied) {
  const Command* command = commands::find_command(applied.header.id);
  if (command != nullptr) feed_monitors(nullptr, applied.node, applied.header.db, *command, applied.arguments);
}

bool Engine::execute_applied(const Applied& applied, Session* session, resp::Writer& reply) {
  commands::Random random(applied.seed + (planted::is(planted::Bug::kLocalRandom) ? node_ : 0));
  commands::Context context{*store_, *this, *this, reply, random};
  context.arguments = applied.arguments;
  context.db = applied.header.db;
  context.clock_ms = applied.clock_ms;
  context.index = applied_.value;
  context.origin = {applied.node, applied.header.connection, applied.header.number};
  context.user = applied.header.user;
  context.applying = true;
  switch (applied.header.id) {
    case CommandId::kTransaction:
      run_transaction(context, session);
      return false;
    case CommandId::kUnblockWaiter:
      commands::unblock_waiter_command(context);
      return false;
    case CommandId::kSetSetting:
      apply_setting(context);
      return false;
    case CommandId::kChangeUsers:
      apply_users(context);
      return false;
    case CommandId::kEvict:
      apply_eviction(context, applied.node == node_);
      return false;
    case CommandId::kPopulate:
      commands::populate(context);
      return false;
    case CommandId::kDropMigrated:
      commands::drop_migrated(context);
      return false;
    case CommandId::kAudit:
      apply_audit(context, applied.node);
      return false;
    case CommandId::kAuditResult:
      apply_verdict(context, applied.node);
      return false;
    case CommandId::kFragment:
      return apply_fragment(context, applied, session);
    default:
      return execute_command(context, applied.header.id, session);
  }
}

// A command of a client, as its user may run it now. Whether it waits.
bool Engine::execute_command(commands::Context& context, CommandId id, const Session* session) {
  context.command = commands::find_command(id);
  ensure(context.command != nullptr && context.command->handler != nullptr,
         "every command in the log is known to every node that applies it");
  if (!users_.all().unrestricted(context.user)) {
    const std::string why = refusal(context.user, *context.command, context.arguments);
    if (!why.empty()) {
      note_denial(*context.command, context.arguments, "toplevel");
      context.reply.error(why);
      return false;
    }
  }
  store_->access_clock().set_touching(session == nullptr || !session->no_touch);
  commands::execute(context);
  if (context.blocked) wait_timeout_ms_ = context.block_timeout_ms;
  return context.blocked;
}

// The reply to the write at the session's front is written.
void Engine::answered_write(Session& session) {
  const Pending done = session.pending.front();
  session.pending.pop_front();
  session.last_write_index = applied_.value;
  settled_write(session, done.command);
  drain(session);
}

void Engine::settled_write(Session& session, const Command* command) {
  --session.writes_pending;
  if (command != nullptr && command->is(commands::kBlocking)) resume(session, Hold::kBlocked);
  if (session.held(Hold::kFragments)) resume(session, Hold::kFragments);
}

void Engine::finish_batch(Batch batch) {
  resolved_batch_ = batch.number;
  for (Session* session : batch.writers) {
    if (session == nullptr) continue;
    if (!session->closed) drain(*session);
    sessions_.release(*session);
  }
  for (Session* session : batch.readers) {
    if (!session->closed) drain(*session);
    sessions_.release(*session);
  }
  pipeline_.recycle(std::move(batch));
}

// Settings that decide state are part of it: the same on every node from this entry on.
void Engine::apply_setting(commands::Context& context) {
  for (std::size_t i = 1; i + 1 < context.arguments.size(); i += 2) {
    store_->set_setting(context.arguments[i], context.arguments[i + 1]);
    if (context.arguments[i] == "requirepass") users_.set_default_password(context.arguments[i + 1], *store_);
  }
  adopt_cluster_settings();
  context.reply.ok();
  answer_forwarder(context, "+OK\r\n");
}

void Engine::apply_users(commands::Context& context) {
  const Arguments change = context.arguments.subspan(1);
  const Result<std::int64_t> changed = users_.change(change, *store_);
  if (!changed) {
    context.reply.error(changed.error().message);
  } else if (change[0] == "deluser") {
    context.reply.integer(*changed);
  } else {
    context.reply.ok();
  }
  answer_forwarder(context, context.reply.out());
}

// The first argument names the node whose client asked, if that was not the leader itself.
void Engine::answer_forwarder(const commands::Context& context, std::string_view reply) {
  const bool ours = context.arguments[0] == std::to_string(node_) && context.origin.connection >> 32 == boot_;
  if (ours) actions_.answer_forwarded(context.origin.connection & 0xffffffff, context.origin.number, reply);
}

void Engine::note_denial(const Command& command, Arguments arguments, std::string_view context) {
  users_.note_denial(sessions_.find(executing_), command, arguments, context, now_);
}

// What this node derives from the cluster-wide settings.
void Engine::adopt_cluster_settings() {
  adopt_memory_settings();
  adopt_dispute();
  const auto text = [&](std::string_view name) { return store_->setting(name); };
  if (const auto password = text("requirepass")) settings_.values().require_pass = *password;
  if (const auto bulk = text("proto-max-bulk-len")) {
    if (const auto bytes = resp::parse_int64(*bulk)) {
      settings_.values().proto_max_bulk_len = static_cast<std::uint64_t>(*bytes);
      sessions_.for_each([&](Session& session) { session.parser.set_bulk_max(*bytes); });
    }
  }
}

}  // namespace redraft::replica
