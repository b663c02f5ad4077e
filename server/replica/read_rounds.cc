#include "server/replica/read_rounds.h"

#include <utility>

namespace redraft::replica {

std::uint64_t ReadRounds::join(Session* session) {
  gathering_.push_back(session);
  return next_;
}

std::uint64_t ReadRounds::begin() {
  if (gathering_.empty() || (!under_way_.empty() && !under_way_.back().confirmed)) return 0;
  Round& round = under_way_.emplace_back();
  round.number = next_++;
  round.sessions = std::exchange(gathering_, {});
  if (!spare_.empty()) {
    gathering_ = std::move(spare_.back());
    spare_.pop_back();
  }
  return round.number;
}

void ReadRounds::confirmed(std::uint64_t number, raft::LogIndex index, bool by_lease) {
  for (Round& round : under_way_) {
    if (round.number == number) {
      round.confirmed = true;
      round.by_lease = by_lease;
      round.index = index;
    }
  }
}

bool ReadRounds::take_passed(raft::LogIndex applied, Round& round) {
  if (under_way_.empty() || !under_way_.front().confirmed || applied < under_way_.front().index) return false;
  round = std::move(under_way_.front());
  under_way_.pop_front();
  passed_ = round.number;
  if (!round.by_lease) passed_by_quorum_ = round.number;
  return true;
}

std::vector<ReadRounds::Round> ReadRounds::take_all() {
  std::vector<Round> all;
  while (!under_way_.empty()) {
    all.push_back(std::move(under_way_.front()));
    under_way_.pop_front();
  }
  if (!gathering_.empty()) {
    Round& last = all.emplace_back();
    last.number = next_++;
    last.sessions = std::exchange(gathering_, {});
  }
  return all;
}

void ReadRounds::recycle(Round round) {
  round.sessions.clear();
  if (spare_.size() < 2) spare_.push_back(std::move(round.sessions));
}

}  // namespace redraft::replica
