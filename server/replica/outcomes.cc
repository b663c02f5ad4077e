#include <algorithm>

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
      reply.error(Migrations::kCopiedOnly);
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

}  // namespace redraft::replica
