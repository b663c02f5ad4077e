#include <algorithm>

#include "server/commands/waiters.h"
#include "server/replica/engine.h"
#include "server/replica/reply_scope.h"
#include "server/store/slot.h"

// What a client is told when its command did not simply run here: redirects, the park time without a leader, writes
// whose entry was lost or is uncertain, waits that end (redis-semantics, "Who answers what" and "Outcomes").

namespace redraft::replica {

using commands::Command;

// Not the leader. True when answered; false when the request stays in the buffer until there is a leader or the park
// time is over.
bool Engine::take_elsewhere(Session& session, const Command& command, Arguments arguments) {
  if (!removed_ && !leader_known() && !session.leaderless_over) {
    if (!session.held(Hold::kNoLeader)) {
      session.hold(Hold::kNoLeader);
      parked_.push_back({now_.monotonic_us + settings_.values().leaderless_wait_ms * 1000, session.id()});
    }
    return false;
  }
  session.leaderless_over = false;
  if (session.transaction.open) session.transaction.aborted = true;
  answer(session, [&](resp::Writer& reply) { redirect(session, command, arguments, reply); });
  return true;
}

// Only for a command that certainly did not run and will not: clients send it again when they read this.
void Engine::redirect(Session& session, const Command& command, Arguments arguments, resp::Writer& reply) {
  if (removed_) return reply.error("CLUSTERDOWN This node was removed from the cluster and serves nothing any more");
  if (!cluster_enabled()) {
    if (leader_known() || leading()) {
      reply.error("READONLY You can't write against a read only replica.");
    } else {
      reply.error("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");
    }
    return;
  }
  const std::optional<MemberAddress> leader = leader_address();
  if (!leader) {
    reply.error("CLUSTERDOWN The cluster is down");
    return;
  }
  std::vector<std::uint32_t> positions;
  if (!arguments.empty()) commands::find_key_positions(command, arguments, positions);
  const std::uint32_t slot = positions.empty() ? 0 : store::slot_of(arguments[positions.front()]);
  const std::string& host = session.address().unix_socket || !leader->host.empty() ? leader->host : std::string();
  reply.error("MOVED " + std::to_string(slot) + " " + host + ":" + std::to_string(leader->port));
}

void Engine::release_parked(bool leader_is_known) {
  const auto due = std::partition(parked_.begin(), parked_.end(), [&](const Parked& parked) {
    return !leader_is_known && now_.monotonic_us < parked.until_us;
  });
  for (auto it = due; it != parked_.end(); ++it) {
    Session* session = sessions_.find(it->session);
    if (session == nullptr || !session->held(Hold::kNoLeader)) continue;
    session->leaderless_over = !leader_is_known;
    resume(*session, Hold::kNoLeader);
  }
  parked_.erase(due, parked_.end());
}

// The batch will not be applied here as this node's own. Every writer gets its answer in its turn.
void Engine::lose_batch(Batch batch, Outcome outcome) {
  Result<Payload> payload = read_payload(batch.payload.view());
  ensure(payload.ok(), "a batch of this node has a payload");
  CommandReader reader(payload->commands);
  CommandHeader header;
  std::vector<std::string_view> arguments;
  // One that Raft refused may have older ones in flight, which are not resolved by this.
  const bool oldest = pipeline_.in_flight().empty() || pipeline_.in_flight().front().number > batch.number;
  if (oldest) resolved_batch_ = batch.number;
  for (std::size_t i = 0; reader.next(header, arguments); ++i) {
    Session* session = i < batch.writers.size() ? batch.writers[i] : nullptr;
    if (session == nullptr) continue;
    if (!session->closed) lose_write(*session, header, arguments, outcome);
  }
  for (Session* session : batch.writers) {
    if (session != nullptr) sessions_.release(*session);
  }
  for (Session* session : batch.readers) {
    for (Pending& pending : session->pending) {
      if (pending.kind == Pending::Kind::kRead && pending.batch == batch.number) pending.cancelled = true;
    }
    if (!session->closed) drain(*session);
    sessions_.release(*session);
  }
  pipeline_.recycle(std::move(batch));
}

void Engine::lose_write(Session& session, const CommandHeader& header, Arguments arguments, Outcome outcome) {
  // Reads that came before it were not answered either, unless their round was passed already.
  while (!session.pending.empty() && session.pending.front().kind != Pending::Kind::kWrite) {
    session.pending.front().cancelled = true;
    drain(session);
  }
  const auto lost = std::ranges::find_if(session.pending, [&](const Pending& pending) {
    return pending.kind == Pending::Kind::kWrite && pending.number == header.number;
  });
  if (lost == session.pending.end()) return;  // a fragment, answered once
  const std::uint64_t batch = lost->batch;
  const bool whole = header.id != commands::CommandId::kTransaction && header.id != commands::CommandId::kFragment;
  const auto say = [&](resp::Writer& reply) {
    if (outcome == Outcome::kUnknown) {
      reply.error("INDOUBT outcome unknown: the write may or may not take effect");
    } else if (lost->command->id == commands::CommandId::kMigrate) {
      reply.error(kCopiedOnly);
    } else {
      redirect(session, *lost->command, whole ? arguments : Arguments{}, reply);
    }
  };
  if (batch != 0) {
    for (Pending& pending : session.pending) {
      if (pending.kind == Pending::Kind::kRead && pending.batch == batch) pending.cancelled = true;
    }
  }
  if (lost == session.pending.begin()) {
    {
      ReplyScope scope(*this, session, lost->silent);
      say(session.writer());
    }
    answered_write(session);
    return;
  }
  // Older writes of the connection are still in flight: the answer waits for its turn (pitfall H1).
  const commands::Command* command = lost->command;
  lost->offset = static_cast<std::uint32_t>(session.arena.size());
  resp::Writer writer(session.arena, session.writer().protocol());
  say(writer);
  lost->size = static_cast<std::uint32_t>(session.arena.size() - lost->offset);
  lost->kind = Pending::Kind::kReply;
  settled_write(session, command);
}

// After a step-down: what is not resolved within the bound is in doubt. Its batch is forgotten; should the entry commit
// after all, it is applied like anybody's.
void Engine::doubt_old_batches() {
  const bool waiting = leading() && raft_->commit_index() < raft_->last_index();
  if (!waiting) commit_progress_us_ = now_.monotonic_us;
  // The links are up, or this node would not lead, and yet nothing commits: the disks of a majority are full or stuck.
  commit_stalled_ = waiting && now_.monotonic_us >= commit_progress_us_ + kDoubtAfter_us;
  // A leader whose disk is full goes on answering reads, and cannot say either when what it proposed will commit.
  if (leading() && !disk_full_ && !commit_stalled_) return;
  const std::uint64_t since_us = !leading() ? stepped_down_us_ : disk_full_ ? disk_full_since_us_ : commit_progress_us_;
  if (now_.monotonic_us < since_us + kDoubtAfter_us) return;
  while (!pipeline_.in_flight().empty()) {
    if (leading() && pipeline_.in_flight().front().index <= raft_->commit_index()) return;  // about to be applied
    lose_batch(pipeline_.take_oldest(), Outcome::kUnknown);
  }
}

// ---- Waiting in a blocking pop

void Engine::begin_wait(Session& session) {
  Pending& head = session.pending.front();
  head.blocked = true;
  head.batch = 0;
  session.blocked_command = head.command;
  if (session.blocked_until_us == 0 && wait_timeout_ms_ != 0) {
    session.blocked_until_us = now_.monotonic_us + wait_timeout_ms_ * 1000;
  }
  waiting_.insert(session.id());
  note_wait_end(session.blocked_until_us);
}

resp::Writer* Engine::waiting_client(const commands::Origin& origin) {
  if (origin.node != node_ || (origin.connection >> 32) != (boot_ & 0xffffffff)) return nullptr;
  Session* session = sessions_.find(origin.connection & 0xffffffff);
  if (session == nullptr || session->pending.empty()) return nullptr;
  const Pending& head = session->pending.front();
  if (!head.blocked || head.number != origin.number) return nullptr;
  served_.push_back(session);
  return &session->writer();
}

// The clients that got their reply through `waiting_client` go on with their next request.
void Engine::finish_served_clients() {
  for (Session* session : served_) end_wait(*session);
  served_.clear();
}

void Engine::end_wait(Session& session) {
  {
    ReplyScope scope(*this, session, false);  // the reply is in the output already
  }
  session.blocked_until_us = 0;
  session.blocked_command = nullptr;
  waiting_.erase(session.id());
  answered_write(session);
}

void Engine::propose_unblock(Session& session, commands::UnblockReason reason) {
  const std::string node = std::to_string(node_);
  const std::string connection = std::to_string(connection_of(session));
  const std::string number = std::to_string(session.pending.back().number);
  const std::string why = std::to_string(static_cast<int>(reason));
  const std::array<std::string_view, 5> arguments{"unblock", node, connection, number, why};
  CommandHeader header{.id = commands::CommandId::kUnblockWaiter};
  pipeline_.add(nullptr, header, arguments);
}

// Nobody is there to be served any more: behind its own entry, which may not be applied yet, and before whatever is
// pushed from now on.
void Engine::withdraw_wait(Session& session) {
  if (session.pending.empty() || !leading()) return;
  const Pending& last = session.pending.back();
  const bool waits =
      last.kind == Pending::Kind::kWrite && last.command != nullptr && last.command->is(commands::kBlocking);
  if (waits) propose_unblock(session, commands::UnblockReason::kClosed);
}

void Engine::time_out_waits() {
  time_out_reads();
  if (!leading() || next_wait_end_us_ == 0 || now_.monotonic_us < next_wait_end_us_) return;
  next_wait_end_us_ = 0;
  for (const std::uint64_t id : waiting_) {
    Session* session = sessions_.find(id);
    if (session == nullptr || session->blocked_until_us == 0) continue;
    if (session->blocked_until_us > now_.monotonic_us) {
      note_wait_end(session->blocked_until_us);
      continue;
    }
    session->blocked_until_us = 0;  // once
    propose_unblock(*session, commands::UnblockReason::kTimeout);
  }
}

// So that many who wait are not looked at in every turn.
void Engine::note_wait_end(std::uint64_t until_us) {
  if (until_us != 0 && (next_wait_end_us_ == 0 || until_us < next_wait_end_us_)) next_wait_end_us_ = until_us;
}

// A deposed leader that learns nothing of the next term: whether a push served a waiter is in doubt, a read certainly
// has not been answered.
void Engine::doubt_waits() {
  if (leading() || waits_doubted_us_ == stepped_down_us_) return;
  if (now_.monotonic_us < stepped_down_us_ + kDoubtAfter_us) return;
  waits_doubted_us_ = stepped_down_us_;
  restart_read_waits();
  for (const std::uint64_t id : std::exchange(waiting_, {})) {
    Session* session = sessions_.find(id);
    if (session == nullptr || session->pending.empty() || !session->pending.front().blocked) continue;
    {
      ReplyScope scope(*this, *session, session->pending.front().silent);
      session->writer().error("INDOUBT outcome unknown: the wait may or may not have been served");
    }
    session->blocked_until_us = 0;
    session->blocked_command = nullptr;
    answered_write(*session);
  }
}

// A new term's first entry released the waiters of earlier terms: those connected here either wait anew, on the same
// node that leads again, or go to the new leader. Their pops certainly did not happen.
void Engine::restart_waits() {
  restart_read_waits();
  const std::set<std::uint64_t> ids = std::exchange(waiting_, {});
  for (const std::uint64_t id : ids) {
    Session* session = sessions_.find(id);
    if (session == nullptr || session->pending.empty() || !session->pending.front().blocked) continue;
    Pending& head = session->pending.front();
    CommandReader reader(std::string_view(session->arena).substr(head.offset, head.size));
    CommandHeader header;
    std::vector<std::string_view> arguments;
    const bool whole = reader.next(header, arguments);
    ensure(whole, "a waiting request is kept whole");
    if (leading()) {
      head.blocked = false;
      head.batch = pipeline_.add(session, header, arguments);
      session->last_write_batch = head.batch;
      sessions_.acquire(*session);
      continue;
    }
    {
      ReplyScope scope(*this, *session, head.silent);
      redirect(*session, *head.command, arguments, session->writer());
    }
    session->blocked_until_us = 0;
    session->blocked_command = nullptr;
    answered_write(*session);
  }
}

}  // namespace redraft::replica
