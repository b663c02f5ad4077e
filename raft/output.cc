#include "raft/output.h"

namespace redraft::raft {

void Output::clear() {
  messages.clear();
  disk.ticket = Ticket{};
  disk.restart_after.reset();
  disk.keep_entries_after_snapshot = false;
  disk.hard_state.reset();
  disk.entries.clear();
  disk.commit_index = LogIndex{};
  promises.clear();
  promises_after = Ticket{};
  committed.clear();
  reads.clear();
  lost_reads.clear();
  proposal.reset();
  leader_status.reset();
  became_leader = false;
  truncated_from.reset();
  configuration_changed = false;
  log_reads.clear();
  snapshots_to_send.clear();
  snapshot_to_receive.reset();
  snapshot_installed.reset();
  snapshot_discarded = false;
  snapshot_wanted = false;
  repaired = false;
  compacted_to.reset();
}

}  // namespace redraft::raft
