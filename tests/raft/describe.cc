#include "tests/raft/describe.h"

#include <variant>

namespace redraft::raft::testing {

const char* name(Role role) {
  switch (role) {
    case Role::kFollower:
      return "follower";
    case Role::kPreCandidate:
      return "pre-candidate";
    case Role::kCandidate:
      return "candidate";
    case Role::kLeader:
      return "leader";
  }
  return "?";
}

const char* name(ProposalStatus status) {
  switch (status) {
    case ProposalStatus::kAccepted:
      return "accepted";
    case ProposalStatus::kNotLeader:
      return "not leader";
    case ProposalStatus::kTransferring:
      return "transferring";
    case ProposalStatus::kTermStartDue:
      return "term start due";
    case ProposalStatus::kBacklog:
      return "backlog";
    case ProposalStatus::kTooLarge:
      return "too large";
    case ProposalStatus::kNotPermitted:
      return "not permitted";
    case ProposalStatus::kChangePending:
      return "change pending";
  }
  return "?";
}

const char* name(ProgressState state) {
  switch (state) {
    case ProgressState::kProbe:
      return "probe";
    case ProgressState::kReplicate:
      return "replicate";
    case ProgressState::kSnapshot:
      return "snapshot";
  }
  return "?";
}

namespace {

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

std::string at(LogIndex index, Term term) {
  return number(index.value) + "/" + number(term.value);
}

struct Describe {
  std::string operator()(const AppendEntries& m) const {
    std::string text =
        "AppendEntries prev " + at(m.prev_log_index, m.prev_log_term) + " commit " + number(m.commit_index.value);
    if (m.entries.empty()) return text;
    text += " entries";
    for (const Entry& entry : m.entries) text += " " + at(entry.index, entry.term);
    return text;
  }
  std::string operator()(const AppendEntriesReply& m) const {
    if (m.rejected)
      return "AppendEntriesReply rejected " + number(m.rejected_index.value) + " hint " + at(m.hint_index, m.hint_term);
    return "AppendEntriesReply match " + number(m.match_index.value) + (m.vouches ? "" : " without vouching");
  }
  std::string operator()(const RoundReply& m) const { return "RoundReply round " + number(m.round); }
  std::string operator()(const RequestVote& m) const {
    return std::string(m.pre_vote ? "RequestVote (pre)" : "RequestVote") + " last " +
           at(m.last_log_index, m.last_log_term) + (m.leader_transfer ? " transfer" : "") +
           (m.early_election ? " early" : "");
  }
  std::string operator()(const RequestVoteReply& m) const {
    return std::string(m.pre_vote ? "RequestVoteReply (pre) " : "RequestVoteReply ") +
           (m.granted ? "granted" : "refused");
  }
  std::string operator()(const InstallSnapshot& m) const {
    return "InstallSnapshot " + at(m.snapshot.index, m.snapshot.term);
  }
  std::string operator()(const InstallSnapshotReply& m) const {
    return "InstallSnapshotReply " + number(m.snapshot_index.value) +
           (m.rejected ? " rejected" : " match " + number(m.match_index.value));
  }
  std::string operator()(const TimeoutNow& /*m*/) const { return "TimeoutNow"; }
  std::string operator()(const ReadIndexRequest& /*m*/) const { return "ReadIndexRequest"; }
  std::string operator()(const ReadIndexReply& m) const {
    return m.ok ? "ReadIndexReply " + number(m.index.value) : std::string("ReadIndexReply refused");
  }
};

}  // namespace

std::string describe(const Envelope& envelope) {
  const Term term = std::visit([](const auto& message) { return message.term; }, envelope.message);
  return number(envelope.from.value) + "->" + number(envelope.to.value) + " term " + number(term.value) + " " +
         std::visit(Describe{}, envelope.message);
}

}  // namespace redraft::raft::testing
