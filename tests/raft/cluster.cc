#include "tests/raft/cluster.h"

#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"
#include "raft/stored.h"
#include "tests/raft/describe.h"

namespace redraft::raft::testing {

Entry configuration_entry(LogIndex index, Term term, const Configuration& configuration) {
  Entry entry;
  entry.index = index;
  entry.term = term;
  entry.type = EntryType::kConfiguration;
  entry.payload = SharedBytes::copy_of(encode_configuration(configuration));
  entry.payload_crc = crc32c(entry.payload.view());
  return entry;
}

Entry command_entry(std::uint64_t index, std::uint64_t term, const std::string& command) {
  Entry entry;
  entry.index = LogIndex{index};
  entry.term = Term{term};
  entry.payload = SharedBytes::copy_of(command);
  entry.payload_crc = crc32c(command);
  return entry;
}

// --- disk ---

void Disk::cut_to(LogIndex first) {
  if (first <= first_index) return;
  const auto gone = std::min<std::uint64_t>(first - first_index, entries.size());
  entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(gone));
  first_index = first;
}

// As the storage judges it (server/replica/log_contents).
bool Disk::leads_to_snapshot() const {
  if (snapshot.index < first_index) return entries.empty() || entries.front().term >= snapshot.term;
  const std::uint64_t place = snapshot.index - first_index;
  return place < entries.size() && entries[place].term == snapshot.term;
}

void Disk::write(const DiskRequest& request) {
  if (request.restart_after.has_value()) {
    snapshot = *request.restart_after;
    if (request.keep_entries_after_snapshot) {
      cut_to(snapshot.index + 1);
    } else {
      entries.clear();
      first_index = snapshot.index + 1;
    }
    commit_index = std::max(commit_index, snapshot.index);
  }
  if (request.hard_state.has_value()) hard_state = *request.hard_state;
  if (!request.entries.empty()) {
    const LogIndex first = request.entries.front().index;
    ensure(first >= first_index && first <= first_index + entries.size(), "the log on disk has no gap");
    entries.resize(first - first_index);
    entries.insert(entries.end(), request.entries.begin(), request.entries.end());
  }
  const LogIndex last = first_index + entries.size() - 1;
  commit_index = std::max(commit_index, std::min(request.commit_index, last));
}

// --- nodes ---

std::vector<Member> Cluster::voters(std::uint64_t count) {
  std::vector<Member> members;
  for (std::uint64_t id = 1; id <= count; ++id) {
    Member member;
    member.id = NodeId{id};
    member.incarnation = Incarnation{100 + id};
    member.address = "n" + std::to_string(id);
    member.voter = true;
    members.push_back(member);
  }
  return members;
}

Cluster::Cluster(Options options) : options_(std::move(options)) {
  const Configuration configuration("test", options_.members);
  for (const Member& member : configuration.members()) {
    Node& node = nodes_[member.id.value];
    node.id = member.id;
    node.incarnation = member.incarnation;
    if (!options_.bootstrap) {
      node.disk.hard_state.term = Term{1};
      node.disk.commit_index = LogIndex{1};
      node.disk.entries.push_back(configuration_entry(LogIndex{1}, Term{1}, configuration));
      entries_[{1, 1}] = {Term{0}, std::string(node.disk.entries[0].payload.view())};
      committed_[1] = {Term{1}, entries_[{1, 1}].second};
    }
    restart(member.id.value);
  }
  if (options_.bootstrap) step(1, Bootstrap{configuration});
}

Node& Cluster::node(std::uint64_t id) {
  return nodes_.at(id);
}

Raft& Cluster::raft(std::uint64_t id) {
  return *nodes_.at(id).raft;
}

std::uint64_t Cluster::leader() const {
  std::uint64_t best = 0;
  Term term;
  for (const auto& [id, node] : nodes_) {
    if (node.raft != nullptr && node.raft->is_leader() && node.raft->term() >= term) {
      best = id;
      term = node.raft->term();
    }
  }
  return best;
}

void Cluster::restart(std::uint64_t id) {
  Node& node = nodes_.at(id);
  ensure(node.raft == nullptr, "only a node that is down starts");
  Restored restored;
  restored.hard_state = node.disk.hard_state;
  restored.commit_index = node.disk.commit_index;
  restored.applied_index = node.disk.snapshot.index;
  restored.snapshot = node.disk.snapshot;
  restored.restart_log = !node.disk.leads_to_snapshot();
  for (const Entry& entry : node.disk.entries) {
    if (!restored.restart_log && entry.index > node.disk.snapshot.index) restored.entries.push_back(entry);
  }
  restored.may_vote = node.may_vote;
  node.state = node.disk.snapshot_state;
  node.applied = node.disk.snapshot.index;
  start(node, std::move(restored));
}

void Cluster::start(Node& node, Restored restored) {
  ++node.boot;
  Config config = options_.config;
  config.id = node.id;
  config.incarnation = node.incarnation;
  config.boot = node.boot;
  node.raft = std::make_unique<Raft>(config, std::move(restored), options_.seed * 1000 + node.boot);
  node.invariants = RaftInvariants();
}

void Cluster::spawn(std::uint64_t id) {
  ensure(!nodes_.contains(id), "ids are not used twice");
  nodes_[id].id = NodeId{id};
  nodes_[id].incarnation = Incarnation{100 + id};
  restart(id);
}

Proposal Cluster::change(std::uint64_t id, std::vector<MemberChange> changes) {
  for (MemberChange& change : changes) {
    if (change.kind != MemberChangeKind::kAdd && change.kind != MemberChangeKind::kUpdate) continue;
    const auto known = nodes_.find(change.member.id.value);
    change.member.incarnation =
        known != nodes_.end() ? known->second.incarnation : Incarnation{100 + change.member.id.value};
    if (change.member.address.empty()) change.member.address = "n" + std::to_string(change.member.id.value);
  }
  step(id, ChangeMembers{std::move(changes)});
  return *last_proposal_;
}

void Cluster::wipe(std::uint64_t id) {
  Node& node = nodes_.at(id);
  crash(id);
  node.disk = Disk{};
  node.incarnation.value += 1000;
  node.boot = 0;
  restart(id);
}

void Cluster::damage(std::uint64_t id, LogIndex from) {
  Node& node = nodes_.at(id);
  crash(id);
  Disk& disk = node.disk;
  std::erase_if(disk.entries, [from](const Entry& entry) { return entry.index >= from; });
  disk.commit_index = std::max(disk.snapshot.index, std::min(disk.commit_index, from - 1));
  node.may_vote = false;
}

void Cluster::crash(std::uint64_t id, std::size_t requests, std::size_t entries) {
  Node& node = nodes_.at(id);
  for (std::size_t i = 0; i < requests && i < node.pending.size(); ++i) {
    Node::Pending& pending = node.pending[i];
    if (!pending.request.wanted()) continue;
    if (i + 1 == requests && entries < pending.request.entries.size()) {
      if (entries == 0 && !pending.request.hard_state.has_value()) break;
      // Records are found in the order they were written, up to where the power went.
      pending.request.entries.resize(entries);
      pending.request.commit_index = LogIndex{};
    }
    if (pending.request.restart_after.has_value()) node.disk.snapshot_state = pending.snapshot_state;
    node.disk.write(pending.request);
  }
  node.pending.clear();
  node.raft.reset();
  node.receiving.reset();
  node.state.clear();
  std::erase_if(log_reads_, [id](const PendingRead& read) { return read.node == id; });
}

void Cluster::take_snapshot(std::uint64_t id) {
  Node& node = nodes_.at(id);
  // Never ahead of the own durable log.
  if (node.applied > node.raft->durable_index() || node.applied <= node.raft->snapshot_index()) return;
  persist(id);
  SnapshotMetadata snapshot{node.applied, *node.raft->term_of(node.applied), node.raft->configuration_at(node.applied)};
  node.disk.snapshot = snapshot;
  node.disk.snapshot_state = node.state;
  snapshot_states_[node.applied.value] = node.state;
  step(id, Applied{node.applied});
  step(id, SnapshotTaken{snapshot});
}

void Cluster::finish_snapshot(std::uint64_t id, bool success) {
  Node& node = nodes_.at(id);
  if (!node.receiving.has_value()) return;
  const SnapshotToReceive receiving = *node.receiving;
  node.receiving.reset();
  if (success) {
    step(id, SnapshotReceived{receiving.snapshot});
  } else {
    step(id, SnapshotReceiveFailed{receiving.snapshot.index});
  }
}

// --- steps ---

void Cluster::step(std::uint64_t id, Input input) {
  Node& node = nodes_.at(id);
  ensure(node.raft != nullptr, "a node that is down does nothing");
  Output output;
  node.raft->step(std::move(input), output);
  node.invariants.check(*node.raft, output);
  const bool became_leader = output.became_leader;
  const bool repaired = output.repaired;
  if (output.proposal.has_value()) last_proposal_ = output.proposal;
  handle(node, output);
  if (keep_outputs) outputs.push_back(output);
  if (became_leader) check_leader(*node.raft);
  if (repaired) {
    say(std::to_string(id) + " is whole again");
    node.may_vote = true;
    step(id, VotingRestored{});
  }
  if (became_leader && auto_term_start) {
    Propose start;
    start.type = EntryType::kTermStart;
    step(id, std::move(start));
  }
}

void Cluster::handle(Node& node, Output& output) {
  const std::string who = std::to_string(node.id.value);
  if (output.leader_status.has_value()) {
    say(who + " is " + name(output.leader_status->role) + ", term " + std::to_string(output.leader_status->term.value) +
        ", leader " + std::to_string(output.leader_status->leader.value));
  }
  if (output.truncated_from.has_value()) say(who + " cut its log from " + std::to_string(output.truncated_from->value));
  check_appended(*node.raft, output.disk.entries);
  if (output.snapshot_to_receive.has_value()) {
    node.receiving = output.snapshot_to_receive;
    say(who + " receives snapshot " + std::to_string(node.receiving->snapshot.index.value));
  }
  for (const SnapshotToSend& send : output.snapshots_to_send) {
    say(who + " sends snapshot " + std::to_string(send.snapshot.index.value) + " to " +
        std::to_string(send.node.value));
  }
  if (output.snapshot_installed.has_value()) {
    node.applied = output.snapshot_installed->index;
    node.state = snapshot_states_.at(node.applied.value);
    say(who + " installed snapshot " + std::to_string(node.applied.value));
  }
  if (output.compacted_to.has_value()) {
    node.disk.cut_to(*output.compacted_to + 1);
    say(who + " compacted to " + std::to_string(output.compacted_to->value));
  }
  for (Envelope& message : output.messages) send(std::move(message));
  if (output.disk.wanted() || !output.promises.empty()) {
    Node::Pending pending;
    pending.request = output.disk;
    pending.ticket = output.promises.empty() ? output.disk.ticket : output.promises_after;
    pending.promises = output.promises;
    if (output.disk.restart_after.has_value()) pending.snapshot_state = node.state;
    node.pending.push_back(std::move(pending));
  }
  for (const Entry& entry : output.committed) apply(node, entry);
  for (const ReadState& read : output.reads) {
    ensure(read.index >= read_floor_.at(read.id.value), "a read sees all that was committed before it came (C2)");
    read_results.push_back({node.id.value, read.id.value, read.index});
    say(who + " may run read " + std::to_string(read.id.value) + " at " + std::to_string(read.index.value) +
        (read.by_lease ? " by its lease" : ""));
  }
  for (const ReadId read : output.lost_reads) {
    read_results.push_back({node.id.value, read.value, std::nullopt});
    say(who + " lost read " + std::to_string(read.value));
  }
  for (const LogRead& read : output.log_reads) log_reads_.push_back({node.id.value, read});
  if (!output.committed.empty() && !node.holds_apply) step(node.id.value, Applied{node.applied});
}

void Cluster::apply(Node& node, const Entry& entry) {
  ensure(entry.index == node.applied + 1, "entries are applied in order, each once (pitfall G3)");
  node.applied = entry.index;
  const std::string payload(entry.payload.view());
  // Paper figure 3, state machine safety.
  const auto [known, fresh] = committed_.try_emplace(entry.index.value, Known{entry.term, payload});
  ensure(known->second.term == entry.term && known->second.payload == payload, "state machine safety (paper 5.4.3)");
  if (entry.type == EntryType::kCommand) {
    node.state.push_back(payload);
    say(std::to_string(node.id.value) + " applies " + std::to_string(entry.index.value) + " \"" + payload + "\"");
  }
}

// Paper figure 3, log matching: whoever has an entry of this index and term has this one, and the same before it.
void Cluster::check_appended(const Raft& raft, const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    const Term before = raft.term_of(entry.index - 1).value_or(Term{});
    const auto [known, fresh] =
        entries_.try_emplace({entry.index.value, entry.term.value}, before, std::string(entry.payload.view()));
    ensure(known->second.first == before && known->second.second == entry.payload.view(), "log matching (paper 5.3)");
  }
}

void Cluster::check_leader(const Raft& raft) {
  const auto [known, fresh] = leaders_.try_emplace(raft.term().value, raft.id().value);
  ensure(fresh && known->second == raft.id().value, "election safety (paper 5.2)");
  for (const auto& [index, entry] : committed_) {
    const auto term = raft.term_of(LogIndex{index});
    ensure(LogIndex{index} < raft.first_index() || (term.has_value() && *term == entry.term),
           "leader completeness (paper 5.4.3)");
  }
}

void Cluster::check_leases() const {
  for (const auto& [id, node] : nodes_) {
    if (node.raft == nullptr || !node.raft->lease_holds(now_us)) continue;
    for (const auto& [other_id, other] : nodes_) {
      ensure(other.raft == nullptr || !other.raft->is_leader() || other.raft->term() <= node.raft->term(),
             "no second leader while a lease holds (thesis 6.4.1, pitfall C4)");
    }
  }
}

void Cluster::tick(std::uint64_t id, std::uint32_t times) {
  for (std::uint32_t i = 0; i < times; ++i) step(id, Tick{now_us});
}

void Cluster::tick_all(std::uint32_t times) {
  for (std::uint32_t i = 0; i < times; ++i) {
    now_us += us_per_tick;
    for (auto& [id, node] : nodes_) {
      if (node.raft != nullptr) step(id, Tick{now_us});
    }
  }
}

Proposal Cluster::propose(std::uint64_t id, const std::string& command) {
  Propose propose;
  propose.payload = SharedBytes::copy_of(command);
  propose.payload_crc = crc32c(command);
  step(id, std::move(propose));
  return *last_proposal_;
}

void Cluster::read(std::uint64_t id, std::uint64_t read_id) {
  read_floor_[read_id] = highest_committed();
  const Raft* raft = nodes_.at(id).raft.get();
  const bool leases = raft != nullptr && raft->config().lease_us != 0;
  step(id, ReadIndex{.id = ReadId{read_id}, .now_us = leases ? now_us : 0});
}

void Cluster::persist(std::uint64_t id, std::size_t count) {
  Node& node = nodes_.at(id);
  for (std::size_t i = 0; i < count && !node.pending.empty() && node.raft != nullptr; ++i) {
    Node::Pending pending = std::move(node.pending.front());
    node.pending.pop_front();
    if (pending.request.wanted()) {
      if (pending.request.restart_after.has_value()) node.disk.snapshot_state = pending.snapshot_state;
      node.disk.write(pending.request);
    }
    for (Envelope& promise : pending.promises) send(std::move(promise));
    step(id, Persisted{pending.ticket});
  }
}

void Cluster::isolate(std::uint64_t id) {
  for (const auto& [other, node] : nodes_) {
    if (other == id) continue;
    cut(id, other);
    cut(other, id);
  }
}

void Cluster::send(Envelope envelope) {
  network_.push_back(std::move(envelope));
}

void Cluster::deliver(std::size_t position) {
  Envelope envelope = std::move(network_[position]);
  network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(position));
  const auto to = nodes_.find(envelope.to.value);
  if (to == nodes_.end() || to->second.raft == nullptr || is_cut(envelope.from.value, envelope.to.value)) return;
  if (trace_messages) say(describe(envelope));
  step(envelope.to.value, Receive{std::move(envelope)});
}

void Cluster::settle() {
  for (int steps = 0; steps < 1000000; ++steps) {
    bool moved = false;
    if (!network_.empty()) {
      deliver(0);
      moved = true;
      continue;
    }
    for (auto& [id, node] : nodes_) {
      if (node.raft == nullptr) continue;
      if (!node.holds_disk && !node.pending.empty()) {
        persist(id);
        moved = true;
      }
      if (node.receiving.has_value()) {
        finish_snapshot(id);
        moved = true;
      }
    }
    while (!log_reads_.empty()) {
      const PendingRead read = log_reads_.front();
      log_reads_.pop_front();
      moved = true;
      const Disk& disk = node(read.node).disk;
      LogLoaded loaded;
      loaded.node = read.read.node;
      std::size_t bytes = 0;
      for (LogIndex i = read.read.first; i <= read.read.last; ++i) {
        if (i < disk.first_index || i - disk.first_index >= disk.entries.size()) break;
        const Entry& entry = disk.entries[i - disk.first_index];
        bytes += entry.payload.size();
        if (bytes > read.read.bytes_max && !loaded.entries.empty()) break;
        loaded.entries.push_back(entry);
      }
      if (loaded.entries.empty() || fail_log_reads) {
        step(read.node, LogUnavailable{read.read.node});
      } else {
        step(read.node, std::move(loaded));
      }
    }
    if (!moved) return;
  }
  fail("the cluster comes to rest");
}

void Cluster::elect(std::uint64_t id) {
  campaign(id);
  settle();
  ensure(raft(id).is_leader(), "nothing stands in the way of this election");
}

}  // namespace redraft::raft::testing
