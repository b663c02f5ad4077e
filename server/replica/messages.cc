#include <algorithm>

#include "base/planted.h"
#include "server/replica/engine.h"

// What comes from the other nodes, and the snapshot that takes the place of the state.

namespace redraft::replica {

void Engine::peer_message(raft::Envelope envelope) {
  if (raft_ == nullptr) return;
  // A new leader's clock goes on from the newest in its log, so entries are looked at as they come.
  if (const auto* append = std::get_if<raft::AppendEntries>(&envelope.message);
      append != nullptr && !append->entries.empty()) {
    note_clock(append->entries.back());
  }
  if (planted::is(planted::Bug::kRefusedAfterOverwrite)) refuse_overwritten(envelope);
  feed(raft::Receive{std::move(envelope)});
}

// What another leader's entries take the place of was not executed so far. It may be yet (planted).
void Engine::refuse_overwritten(const raft::Envelope& envelope) {
  const auto* append = std::get_if<raft::AppendEntries>(&envelope.message);
  if (append == nullptr || append->entries.empty() || raft_leads()) return;
  const raft::Entry& first = append->entries.front();
  while (!pipeline_.in_flight().empty() && pipeline_.in_flight().back().index >= first.index &&
         pipeline_.in_flight().back().term < first.term && pipeline_.in_flight().size() == 1) {
    lose_batch(pipeline_.take_oldest(), Outcome::kNotExecuted);
  }
}

void Engine::peer_ready(std::uint64_t node) {
  host_.log(LogLevel::kVerbose, "Connected to node " + std::to_string(node));
  // Its clock has to be known before this node leads.
  peers_.send_status_to(node, status());
  if (raft_ != nullptr) feed(raft::LinkRestored{raft::NodeId{node}});
}

void Engine::peer_lost(std::uint64_t node) {
  host_.log(LogLevel::kNotice, "Lost the connection to node " + std::to_string(node));
  clock_.forget_peer(node);
  if (raft_ != nullptr) feed(raft::PeerUnreachable{raft::NodeId{node}});
}

void Engine::peer_refused(std::uint64_t node) {
  host_.log(LogLevel::kNotice, "Node " + std::to_string(node) + " is down: nobody listens at its address");
  if (raft_ != nullptr) feed(raft::LinkRefused{raft::NodeId{node}});
}

void Engine::peer_status(std::uint64_t node, const PeerStatus& status) {
  clock_.peer_wall(node, status.wall_ms, now_);
  events_.heard(node);
  if (status.clock_ms != 0) clock_.heard(status.clock_ms, now_);
}

void Engine::transfer_asked(std::uint64_t to_node) {
  if (raft_leads() && to_node != node_) feed(raft::TransferLeadership{raft::NodeId{to_node}});
}

// A follower's client sets cluster-wide settings: proposed here, answered there.
void Engine::settings_forwarded(SharedBytes command) {
  if (!leading()) return;
  CommandReader reader(command.view());
  CommandHeader header;
  std::vector<std::string_view> arguments;
  if (!reader.next(header, arguments)) return;
  if (header.id != commands::CommandId::kSetSetting && header.id != commands::CommandId::kChangeUsers) return;
  if (pipeline_.full(command.size())) close_batch();
  pipeline_.add(nullptr, header, arguments);
}

void Engine::bulk_frame(std::uint64_t from, SharedBytes frame) {
  snapshots_.frame(from, frame);
  feed_later();
}

void Engine::bulk_done(BulkDone done) {
  snapshots_.bulk_done(std::move(done));
  feed_later();
}

raft::SnapshotMetadata Engine::present_state() const {
  return {applied_, applied_term_, raft_->configuration_at(applied_)};
}

void Engine::snapshot_over(const std::optional<Error>& error) {
  statistics_.save_in_progress = false;
  statistics_.last_save_ok = !error;
  if (!error) {
    statistics_.last_save_s = now_.wall_ms / 1000;
    statistics_.changes_since_save = 0;
  }
  actions_.snapshot_over(error);
}

// Between two entries: the received state takes the place of the live one. What this node had proposed up to there is
// covered, but the snapshot does not say whose commands it holds.
void Engine::swap_in_snapshot() {
  installing_ = false;
  std::unique_ptr<LoadedSnapshot> loaded = snapshots_.take_installed();
  ensure(loaded != nullptr, "a snapshot that Raft installed was loaded before");
  if (loaded->metadata.index <= applied_) return;
  snapshots_.drop_walk();
  // Freeing the old state can take seconds; the bulk thread has them.
  BulkRequest discard{.kind = BulkRequest::Kind::kFreeStore};
  discard.old_store = std::exchange(store_, std::move(loaded->store));
  host_.submit(std::move(discard));
  events_.attach_store();
  fragments_ = std::move(loaded->fragments);
  audit_.forget_digests();
  applied_ = loaded->metadata.index;
  applied_term_ = loaded->metadata.term;
  last_clock_ms_ = std::max(last_clock_ms_, store_->clock_ms());  // of some time ago
  while (!committed_.empty() && committed_.front().index <= applied_) committed_.pop_front();
  while (!pipeline_.in_flight().empty() && pipeline_.in_flight().front().index <= applied_) {
    lose_batch(pipeline_.take_oldest(), Outcome::kUnknown);
  }
  adopt_cluster_settings();
  users_.adopt(store_.get());
  // What happened up to here was not told to anybody, whether a waiter was served neither.
  events_.forget_tracked();
  events_.miss_messages();
  blocked_.end_in_doubt();
  host_.log(LogLevel::kNotice, "Installed the snapshot at index " + std::to_string(applied_.value));
}

}  // namespace redraft::replica
