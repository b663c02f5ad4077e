// Not everybody is needed at once. What a quorum needs is sent to the fewest voters that make one together with this
// node (the "thrifty" option of EPaxos: Moraru, Andersen and Kaminsky, SOSP 2013, 6.1); the others get theirs a moment
// later, several entries in one message and so with one sync. Safety asks for no more: who is a quorum is counted from
// answers, as always. When those chosen are late, everybody is asked until what is late is committed; then, and with
// every heartbeat, the leader chooses anew.
#include <algorithm>
#include <utility>

#include "raft/raft.h"

namespace redraft::raft {

void Raft::need_everybody() {
  for (Progress& progress : progress_) progress.needed = true;
}

// The voters whose logs are the furthest; of equals the first. Everybody while more than one configuration counts,
// while our own disk lags, so that a quorum must do without us, and when too few are in touch.
void Raft::choose_needed() {
  choose_again_at_ = LogIndex{};
  need_everybody();
  if (config_.held_back_bytes_max == 0 || configuration().is_joint() || !configuration().is_voter(config_.id)) return;
  if (durable_index_ < commit_index_) return;
  std::vector<Progress*> able;
  std::size_t voters = 1;
  for (Progress& progress : progress_) {
    if (!configuration().is_voter(progress.node)) continue;
    ++voters;
    if (progress.state == ProgressState::kReplicate && progress.vouches && hears(progress.node)) {
      able.push_back(&progress);
    }
  }
  const std::size_t wanted = voters / 2;
  if (able.size() < wanted) return;
  std::ranges::stable_sort(able, [](const Progress* a, const Progress* b) { return a->match_index > b->match_index; });
  for (Progress& progress : progress_) progress.needed = false;
  for (std::size_t i = 0; i < wanted; ++i) able[i]->needed = true;
}

bool Raft::is_held_back(const Progress& progress) const {
  return !progress.needed && progress.next_index > spread_index_;
}

LogIndex Raft::held_back_from() const {
  LogIndex from;
  for (const Progress& progress : progress_) {
    if (progress.state != ProgressState::kReplicate || !is_held_back(progress)) continue;
    if (progress.next_index > log_.last_index()) continue;
    if (from.value == 0 || progress.next_index < from) from = progress.next_index;
  }
  return from;
}

// Before entries go out. Small ones cost their messages and syncs, which is what waiting saves; large ones cost what
// they cost.
void Raft::count_held_back(std::size_t bytes) {
  held_back_bytes_ += bytes;
  if (held_back_bytes_ > config_.held_back_bytes_max) hold_back_no_more();
}

void Raft::hold_back_no_more() {
  held_back_bytes_ = 0;
  held_back_spreads_ = 0;
  spread_index_ = log_.last_index();
}

// Those chosen are late or gone.
void Raft::ask_everybody() {
  need_everybody();
  choose_again_at_ = log_.last_index();
  for (Progress& progress : progress_) replicate(progress);
  if (!round_reads_.empty()) flush_round();
}

void Raft::on(Spread& /*spread*/) {
  if (!is_leader()) return;
  // What has waited for a whole moment: the first entry, and all that was there at the last Spread.
  const LogIndex waited = std::max(held_back_from(), std::exchange(waited_index_, log_.last_index()));
  const bool late = waited > commit_index_;
  if (!late && ++held_back_spreads_ < config_.held_back_spreads_max) return;
  hold_back_no_more();
  if (late) return ask_everybody();
  for (Progress& progress : progress_) replicate(progress);
}

// A read round is much shorter than a tick unless somebody is away.
void Raft::hurry_late_round() {
  const bool late = !round_reads_.empty() && reads_round_ == round_at_tick_;
  round_at_tick_ = round_reads_.empty() ? 0 : reads_round_;
  if (late) ask_everybody();
}

}  // namespace redraft::raft
