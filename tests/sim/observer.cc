#include "tests/sim/observer.h"

#include <algorithm>

#include "raft/raft.h"
#include "raft/wire.h"
#include "server/replica/entry_payload.h"
#include "server/store/store.h"

namespace redraft::sim {
namespace {

// peers.cc's kind of a frame with a message of Raft; u32 length and header follow.
constexpr char kMessageFrame = 5;
constexpr std::size_t kPrefix = 5;
// The state of every so many-th index is digested.
constexpr std::uint64_t kDigestEvery = 64;

std::string text(std::uint64_t number) {
  return std::to_string(number);
}

}  // namespace

// ---- What a node said

Verdict Observer::frame_sent(Node& node, const replica::Frame& frame) {
  was_promise = was_vote = was_transfer = was_of_old_term = false;
  if (frame.header.size() < kPrefix || frame.header[0] != kMessageFrame || !frame.payloads.empty()) {
    return std::nullopt;
  }
  const auto envelope = raft::decode(std::string_view(frame.header).substr(kPrefix), {});
  if (!envelope) return "node " + text(node.id()) + " sends what cannot be read: " + envelope.error().message;
  was_transfer = std::holds_alternative<raft::TimeoutNow>(envelope->message);
  Life& life = lives_[envelope->from.value];
  if (const auto* vote = std::get_if<raft::RequestVoteReply>(&envelope->message)) {
    if (vote->pre_vote || !vote->granted) return std::nullopt;
    was_promise = was_vote = true;
    life.vouched_term = std::max(life.vouched_term, vote->term);
    const auto [given, first] = life.votes.emplace(vote->term.value, envelope->to.value);
    if (!first && given->second != envelope->to.value) {
      return "node " + text(node.id()) + " votes twice in term " + text(vote->term.value) + ": for " +
             text(given->second) + " and for " + text(envelope->to.value) + " (pitfall A1)";
    }
  } else if (const auto* request = std::get_if<raft::RequestVote>(&envelope->message)) {
    if (request->pre_vote) return std::nullopt;
    was_promise = was_vote = true;
    life.vouched_term = std::max(life.vouched_term, request->term);
    const auto [given, first] = life.votes.emplace(request->term.value, envelope->from.value);
    if (!first && given->second != envelope->from.value) {
      return "node " + text(node.id()) + " is a candidate of term " + text(request->term.value) +
             " in which it voted for " + text(given->second);
    }
  } else if (const auto* reply = std::get_if<raft::AppendEntriesReply>(&envelope->message)) {
    life.vouched_term = std::max(life.vouched_term, reply->term);
    const raft::Raft* raft = node.replica().raft();
    if (reply->rejected || raft == nullptr) return std::nullopt;
    const auto term = raft->term_of(reply->match_index);
    if (term) life.acknowledged = {reply->match_index, *term};
    was_promise = true;
    was_of_old_term = term && *term < reply->term && reply->match_index.value > committed_.size();
  }
  return std::nullopt;
}

// ---- The end of a process, and the next start

// What it has in memory and vouched for must be on its disk: a log that lost the rest by truncation lost it rightly.
void Observer::lost_process(Node& node) {
  const raft::Raft* raft = node.replica().raft();
  if (raft == nullptr) return;
  Life& life = lives_[node.member()];
  life.promised.clear();
  if (!life.acknowledged) return;
  const raft::LogIndex index = life.acknowledged->index;
  if (raft->term_of(index) == life.acknowledged->term) life.promised[index.value] = life.acknowledged->term.value;
}

void Observer::forgets(std::uint64_t member) {
  Life& life = lives_[member];
  life.promised.clear();
  life.votes.clear();
  life.acknowledged.reset();
  life.vouched_term = {};
  life.term = {};
}

Verdict Observer::started(Node& node, const replica::Recovered& recovered) {
  // An empty directory has promised nothing, and an old member's id, should it claim one, is not its own.
  if (recovered.identity.cluster_id == replica::ClusterId{}) return std::nullopt;
  Life& life = lives_[recovered.identity.node_id];
  const std::string who = "node " + text(node.id());
  const raft::HardState& hard_state = recovered.restored.hard_state;
  if (!recovered.restored.may_vote) {
    if (!disks_rot) return who + " takes its disk for damaged, and nobody damaged it";
    life.promised.clear();
  } else if (hard_state.term < life.vouched_term) {
    return who + " spoke in term " + text(life.vouched_term.value) + " and starts in term " +
           text(hard_state.term.value) + " (storage-faults row 10)";
  }
  const auto vote = life.votes.find(hard_state.term.value);
  if (recovered.restored.may_vote && vote != life.votes.end() && hard_state.voted_for.value != vote->second) {
    return who + " voted for " + text(vote->second) + " in term " + text(vote->first) + " and has forgotten it";
  }
  if (Verdict broken = look_at_log(node, recovered)) return broken;
  if (Verdict broken = look_at_snapshot(node, recovered)) return broken;
  const std::uint64_t snapshot = recovered.restored.snapshot.index.value;
  const auto& entries = recovered.restored.entries;
  for (const auto& [index, term] : life.promised) {
    if (index <= snapshot) continue;
    const auto place = static_cast<std::size_t>(index - snapshot - 1);
    if (place >= entries.size() || entries[place].term.value != term) {
      return who + " acknowledged entry " + text(index) + " of term " + text(term) +
             ", and its disk does not have it (it ends at " + text(snapshot + entries.size()) + ")";
    }
  }
  life.term = hard_state.term;
  life.looked_at = recovered.restored.snapshot.index;
  life.digested = 0;
  life.led = false;
  life.acknowledged.reset();
  if (!life.promised.empty()) {
    life.acknowledged = {raft::LogIndex{life.promised.begin()->first}, raft::Term{life.promised.begin()->second}};
  }
  return std::nullopt;
}

// What a disk brings back is a log: behind its snapshot, without a gap, terms never decreasing (storage-faults row 11).
Verdict Observer::look_at_log(const Node& node, const replica::Recovered& recovered) {
  const raft::SnapshotMetadata& snapshot = recovered.restored.snapshot;
  raft::LogIndex index = snapshot.index;
  raft::Term term = snapshot.term;
  for (const raft::Entry& entry : recovered.restored.entries) {
    if (entry.index == index + 1 && entry.term >= term) {
      index = entry.index;
      term = entry.term;
      continue;
    }
    return "node " + text(node.id()) + " starts with a snapshot of index " + text(snapshot.index.value) + ", term " +
           text(snapshot.term.value) + ", and a log in which entry " + text(entry.index.value) + " of term " +
           text(entry.term.value) + " follows entry " + text(index.value) + " of term " + text(term.value);
  }
  return std::nullopt;
}

// What a snapshot brings back is what applying gave: the clock of its last entry, and the state if somebody was seen
// there (pitfall E12).
Verdict Observer::look_at_snapshot(const Node& node, const replica::Recovered& recovered) const {
  const store::Store& store = *recovered.store;
  const std::uint64_t index = recovered.restored.snapshot.index.value;
  const std::string who = "node " + text(node.id()) + "'s snapshot of index " + text(index);
  for (std::uint64_t last = std::min<std::uint64_t>(index, committed_.size()); last > 0; --last) {
    const Committed& committed = committed_[last - 1];
    if (!committed.crc) break;
    if (committed.type == raft::EntryType::kConfiguration) continue;
    const Result<replica::Payload> payload = replica::read_payload(committed.payload.view());
    if (!payload) return "entry " + text(last) + " has no payload";
    if (payload->header.clock_ms == store.clock_ms()) break;
    return who + " has the clock " + text(store.clock_ms()) + ", entry " + text(last) + " has " +
           text(payload->header.clock_ms);
  }
  const auto state = states_.find(index);
  if (state == states_.end()) return std::nullopt;
  store::NoBreather breather;
  const std::string digest = store.digest(breather);
  if (digest != state->second) return who + " has the state " + digest + " instead of " + state->second;
  return std::nullopt;
}

// ---- After each turn

Verdict Observer::turn_over(Node& node) {
  was_elected = false;
  const raft::Raft* raft = node.replica().raft();
  if (raft == nullptr) return std::nullopt;
  Life& life = lives_[node.member()];
  if (raft->term() < life.term) return "node " + text(node.id()) + " goes back in term";
  life.term = raft->term();
  if (Verdict broken = look_at_leadership(node, life)) return broken;
  if (Verdict broken = look_at_commits(node, life)) return broken;
  return look_at_state(node, life);
}

Verdict Observer::look_at_leadership(Node& node, Life& life) {
  const raft::Raft& raft = *node.replica().raft();
  if (!raft.is_leader()) {
    life.led = false;
    return std::nullopt;
  }
  if (life.led && leaders_.contains(raft.term().value)) return std::nullopt;
  life.led = true;
  was_elected = true;
  const auto [leader, first] = leaders_.emplace(raft.term().value, node.member());
  if (!first && leader->second != node.member()) {
    return "members " + text(leader->second) + " and " + text(node.member()) + " both lead in term " +
           text(raft.term().value) + " (election safety)";
  }
  // Leader completeness: the newest entry that was known committed in an earlier term, and so all before it.
  for (std::size_t place = committed_.size(); place > 0; --place) {
    const Committed& committed = committed_[place - 1];
    if (committed.term.value == 0 || committed.seen_in >= raft.term()) continue;
    const raft::LogIndex index{place};
    const bool compacted = index < raft.first_index();
    if (!compacted && raft.term_of(index) != committed.term) {
      return "node " + text(node.id()) + " leads term " + text(raft.term().value) + " without the committed entry " +
             text(place) + " of term " + text(committed.term.value) + " (leader completeness)";
    }
    break;
  }
  return std::nullopt;
}

void Observer::entries_written(const std::vector<raft::Entry>& entries) {
  for (const raft::Entry& entry : entries) {
    const bool shown = entry.index.value <= committed_.size() && committed_[entry.index.value - 1].crc;
    if (!shown) written_[{entry.index, entry.term}] = entry;
  }
}

Verdict Observer::look_at_commits(Node& node, Life& life) {
  const raft::Raft& raft = *node.replica().raft();
  const raft::LogIndex commit = raft.commit_index();
  if (commit < life.looked_at) life.looked_at = commit;
  life.looked_at = std::max(life.looked_at, raft.snapshot_index());
  while (life.looked_at < commit) {
    ++life.looked_at;
    const raft::LogIndex index = life.looked_at;
    const auto term = raft.term_of(index);
    if (!term) continue;
    if (committed_.size() < index.value) committed_.resize(index.value);
    Committed& committed = committed_[index.value - 1];
    if (committed.term.value == 0) {
      committed.term = *term;
      committed.seen_in = raft.term();
    }
    if (committed.term != *term) {
      return "entry " + text(index.value) + " is committed with term " + text(committed.term.value) + " and, on node " +
             text(node.id()) + ", with term " + text(term->value) + " (state machine safety)";
    }
    committed.seen_in = std::min(committed.seen_in, raft.term());
    const raft::Entry* entry = raft.log().find(index);
    const auto written = written_.find({index, *term});
    if (entry == nullptr && written != written_.end()) entry = &written->second;
    if (entry == nullptr) continue;
    if (committed.crc && *committed.crc != entry->payload_crc) {
      return "entry " + text(index.value) + " differs on node " + text(node.id());
    }
    if (committed.crc) continue;
    committed.crc = entry->payload_crc;
    committed.type = entry->type;
    committed.payload = entry->payload;
    written_.erase(written_.lower_bound({index, raft::Term{}}), written_.lower_bound({index + 1, raft::Term{}}));
  }
  return std::nullopt;
}

Verdict Observer::look_at_state(Node& node, Life& life) {
  store::Store* store = node.replica().store();
  if (store == nullptr || store->index() == life.digested) return std::nullopt;
  life.digested = store->index();
  if (life.digested % kDigestEvery != 0 || memory_rots) return std::nullopt;
  ++digests;
  store::NoBreather breather;
  const std::string digest = store->digest(breather);
  const auto [state, first] = states_.emplace(life.digested, digest);
  if (!first && state->second != digest) {
    return "node " + text(node.id()) + " has another state at index " + text(life.digested) +
           " than others: " + digest + " instead of " + state->second + " (pitfall G1)";
  }
  return std::nullopt;
}

Verdict Observer::no_lease(Node& elected, const std::vector<Node*>& nodes) {
  for (Node* other : nodes) {
    if (other == &elected || !other->leads()) continue;
    const raft::Raft& raft = *other->replica().raft();
    if (raft.term() > elected.replica().raft()->term()) continue;  // its votes came late; nobody follows it
    if (!raft.lease_holds(other->monotonic_us())) continue;
    return "node " + text(elected.id()) + " is elected while the lease of node " + text(other->id()) + " in term " +
           text(raft.term().value) + " holds";
  }
  return std::nullopt;
}

Verdict Observer::same_state(const std::vector<Node*>& nodes) {
  store::NoBreather breather;
  std::string digest;
  for (Node* node : nodes) {
    const std::string own = node->replica().store()->digest(breather);
    if (digest.empty()) digest = own;
    if (own != digest) {
      return "in the end the state of node " + text(node->id()) + " differs from that of node " +
             text(nodes.front()->id());
    }
  }
  return std::nullopt;
}

}  // namespace redraft::sim
