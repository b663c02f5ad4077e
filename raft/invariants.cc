#include "raft/invariants.h"

#include <algorithm>

#include "base/check.h"
#include "raft/quorum.h"

namespace redraft::raft {

void RaftInvariants::check(const Raft& raft, const Output& output) {
  const Log& log = raft.log();
  ensure(log.first_index() <= raft.last_index() + 1, "the log begins at most behind its end");
  ensure(log.last_term() <= raft.term(), "no entry is from a later term than ours (paper 5.1)");
  ensure(raft.commit_index() <= raft.last_index(), "what is committed is in the log (pitfall B5)");
  ensure(raft.applied_index() <= raft.commit_index(), "what is applied is committed (paper figure 2)");
  ensure(raft.durable_index() <= raft.last_index(), "what is durable is in the log (pitfall B9)");
  ensure(raft.snapshot_index() <= raft.commit_index(), "a snapshot holds committed entries only");
  ensure(raft.first_index() <= raft.snapshot_index() + 1, "the log reaches back to the snapshot (pitfall E1)");
  ensure(log.first_cached_index() <= raft.applied_index() + 1, "what is not applied is in memory");
  ensure(raft.configuration_index() <= raft.last_index(), "the configuration is the log's newest (pitfall D5)");

  if (seen_) {
    ensure(raft.term() >= term_, "a term never goes back (pitfall A4)");
    ensure(raft.term() > term_ || voted_for_.value == 0 || raft.voted_for() == voted_for_,
           "one vote for each term (pitfall A1)");
    ensure(raft.commit_index() >= commit_index_, "the commit index never goes back");
    ensure(raft.last_ticket() >= last_ticket_, "tickets only grow");
    ensure(raft.term() > term_ || leader_.value == 0 || raft.leader().value == 0 || raft.leader() == leader_,
           "one leader for each term (paper 5.2)");
    ensure(!(raft.is_leader() && role_ == Role::kLeader && raft.term() == term_) ||
               raft.last_index() >= leader_last_index_,
           "a leader never removes from its log (paper figure 3)");
  }

  switch (raft.role()) {
    case Role::kLeader:
      ensure(raft.leader() == raft.id(), "a leader knows itself as leader (pitfall A10)");
      ensure(raft.voted_for() == raft.id(), "a leader voted for itself");
      break;
    case Role::kCandidate:
      ensure(raft.voted_for() == raft.id() && raft.leader().value == 0,
             "a candidate voted for itself and has no leader");
      break;
    case Role::kPreCandidate:
      ensure(raft.leader().value == 0, "a pre-candidate has no leader (pitfall A6)");
      break;
    case Role::kFollower:
      ensure(raft.leader() != raft.id(), "who follows does not lead (pitfall A10)");
      break;
  }
  ensure(raft.is_leader() || (raft.progress().empty() && raft.uncommitted_bytes() == 0),
         "only a leader has followers and a backlog");
  for (const Progress& progress : raft.progress()) {
    ensure(progress.match_index < progress.next_index, "what matched is not sent again (pitfall B3)");
    ensure(progress.next_index <= raft.last_index() + 1, "nothing is sent that is not there");
    ensure(progress.match_index <= raft.last_index(), "nobody matches more than the leader has (pitfall B4)");
    ensure(progress.acked_round <= raft.round(), "only begun rounds are acknowledged (pitfall C3)");
    ensure(progress.node != raft.id() && raft.configuration().contains(progress.node), "the members are followed");
    ensure(progress.state == ProgressState::kReplicate || progress.inflight.count() == 0, "only Replicate pipelines");
  }
  if (raft.is_leader()) {
    std::size_t uncommitted = 0;
    for (LogIndex i = raft.commit_index() + 1; i <= raft.last_index(); ++i) uncommitted += log.find(i)->payload.size();
    ensure(raft.uncommitted_bytes() == uncommitted, "the backlog is what is not committed (pitfall B8)");
  }

  check_disk(raft, output);
  check_committed(raft, output);
  seen_ = true;
  term_ = raft.term();
  voted_for_ = raft.voted_for();
  role_ = raft.role();
  leader_ = raft.leader();
  commit_index_ = raft.commit_index();
  last_ticket_ = raft.last_ticket();
  leader_last_index_ = raft.last_index();
}

void RaftInvariants::check_disk(const Raft& raft, const Output& output) {
  const DiskRequest& disk = output.disk;
  ensure(disk.wanted() || (disk.entries.empty() && !disk.hard_state.has_value() && !disk.restart_after.has_value()),
         "work for the disk has a ticket");
  ensure(!disk.wanted() || !seen_ || disk.ticket > last_ticket_, "tickets only grow");
  ensure(disk.commit_index <= raft.last_index(), "a commit index on disk is of entries on disk");
  for (std::size_t i = 1; i < disk.entries.size(); ++i) {
    ensure(disk.entries[i].index == disk.entries[i - 1].index + 1, "entries for the disk are consecutive (pitfall B7)");
  }
  ensure(disk.entries.empty() || disk.entries.back().index == raft.last_index(), "the disk gets the log as it is");
  ensure(output.promises.empty() || output.promises_after > raft.persisted_ticket(), "promises wait for something");
  const bool votes_wait = std::all_of(output.messages.begin(), output.messages.end(), [&](const Envelope& envelope) {
    const auto* vote = std::get_if<RequestVoteReply>(&envelope.message);
    const auto* request = std::get_if<RequestVote>(&envelope.message);
    const bool promise =
        (vote != nullptr && vote->granted && !vote->pre_vote) || (request != nullptr && !request->pre_vote);
    return !promise || raft.persisted_ticket() == raft.last_ticket();
  });
  ensure(votes_wait, "no vote leaves before it is durable (pitfall A2)");
}

void RaftInvariants::check_committed(const Raft& raft, const Output& output) {
  if (output.snapshot_installed.has_value()) emitted_index_ = output.snapshot_installed->index;
  for (const Entry& entry : output.committed) {
    ensure(!seen_ || entry.index == emitted_index_ + 1 || emitted_index_.value == 0,
           "committed entries come in order and once (pitfall G3)");
    ensure(!raft.term_of(entry.index).has_value() || *raft.term_of(entry.index) == entry.term,
           "what is committed is what the log has");
    emitted_index_ = entry.index;
  }
  ensure(output.committed.empty() || emitted_index_ == raft.commit_index(), "all that is committed is handed out");
}

}  // namespace redraft::raft
