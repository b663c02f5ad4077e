#include "server/replica/engine.h"
#include "server/replica/node_actions.h"

// The facts that node-local commands show, out of the engine's parts.

namespace redraft::replica {

local::NodeView NodeActions::view() const {
  local::NodeView view;
  view.cluster_id = std::string(reinterpret_cast<const char*>(engine_.cluster_.data()), engine_.cluster_.size());
  view.node = engine_.node_;
  view.boot = engine_.boot_;
  view.cluster_enabled = engine_.cluster_enabled();
  view.wall_us = engine_.now_.wall_ms * 1000;
  view.monotonic_ms = engine_.now_.monotonic_us / 1000;
  view.started_monotonic_ms = engine_.started_.monotonic_us / 1000;
  view.loading = engine_.phase_ == Phase::kLoading;
  view.stopping = engine_.phase_ == Phase::kStopping;
  view.joining = engine_.membership_.joining();
  view.removed = engine_.removed_;
  view.loading_started_s = engine_.started_.wall_ms / 1000;
  view.loading_bytes_total = engine_.loading_bytes_total_;
  view.loading_bytes_read = engine_.loading_bytes_read_;
  view.process = engine_.host_.process();
  if (engine_.raft_ != nullptr) view_raft(view);
  if (engine_.store_ != nullptr) view_data(view);
  view.audit = {.running = engine_.audit_.in_pass(),
                .disputed = engine_.disputed_.has_value(),
                .passes = engine_.audit_.passes,
                .ranges = engine_.audit_.ranges,
                .undecided = engine_.audit_.undecided,
                .differences = engine_.audit_.differences,
                .last_differed = engine_.audit_.last_differed};
  return view;
}

void NodeActions::view_raft(local::NodeView& view) const {
  switch (engine_.raft_->role()) {
    case raft::Role::kLeader:
      view.role = local::NodeRole::kLeader;
      break;
    case raft::Role::kCandidate:
      view.role = local::NodeRole::kCandidate;
      break;
    case raft::Role::kPreCandidate:
      view.role = local::NodeRole::kPreCandidate;
      break;
    case raft::Role::kFollower:
      break;
  }
  view.term = engine_.raft_->term().value;
  view.leader = engine_.raft_->leader().value;
  view.last_leader = view.leader != 0 ? view.leader : engine_.last_leader_;
  view.commit_index = engine_.raft_->commit_index().value;
  view.applied_index = engine_.applied_.value;
  view.last_index = engine_.raft_->last_index().value;
  view.snapshot_index = engine_.snapshots_.index().value;
  view.log_bytes = engine_.snapshots_.log_bytes;
  for (const raft::Member& member : engine_.raft_->configuration().members()) {
    const std::optional<MemberAddress> address = parse_member_address(member.address);
    local::MemberView& shown = view.members.emplace_back();
    shown.node = member.id.value;
    if (address) {
      shown.host = address->host;
      shown.port = address->port;
      shown.peer_port = address->peer_port;
    }
    shown.self = member.id.value == engine_.node_;
    shown.voter = member.voter;
    shown.hostname = member.hostname;
    if (const auto progress = engine_.membership_.progress(member.id.value)) {
      shown.catch_up_round = progress->round;
      shown.missing = progress->missing;
    }
    if (shown.self) {
      shown.match_index = view.last_index;
      continue;
    }
    const Peers::View link = engine_.peers_.view(member.id.value);
    shown.link_up = link.up;
    shown.link_since_ms = link.since_ms;
    shown.unsent_bytes = link.unsent_bytes;
    for (const raft::Progress& peer : engine_.raft_->progress()) {
      if (peer.node != member.id) continue;
      shown.match_index = peer.match_index.value;
      shown.receiving_snapshot = peer.state == raft::ProgressState::kSnapshot;
    }
  }
}

void NodeActions::view_data(local::NodeView& view) const {
  for (std::uint32_t db = 0; db < engine_.store_->database_count(); ++db) {
    const store::DatabaseCounts counts = engine_.store_->counts(db);
    if (counts.keys == 0) continue;
    view.databases.push_back({db, counts.keys, counts.expires, 0});
  }
  view.dataset_memory = engine_.store_->used_memory();
  view.pending_free_objects = engine_.store_->garbage();
  view.clients_memory = 0;
  engine_.sessions_.for_each([&](const Session& session) { view.clients_memory += session.memory(); });
  view.log_memory = engine_.raft_ == nullptr ? 0 : engine_.raft_->log().cached_bytes();
  view.used_memory = view.dataset_memory + view.clients_memory + view.log_memory;
  view.waiting_keys = engine_.store_->waiters().key_count();
}

}  // namespace redraft::replica
