#include "server/replica/member_rules.h"

namespace redraft::replica {

using raft::MemberChange;
using raft::MemberChangeKind;

bool CatchUp::advance(raft::LogIndex match, raft::LogIndex end, std::uint64_t now_us,
                      std::uint64_t election_timeout_us) {
  if (round_ != 0 && match < target_) return false;
  const bool kept_up = round_ != 0 && now_us - began_us_ < election_timeout_us;
  if (kept_up) return true;
  ++round_;
  target_ = end;
  began_us_ = now_us;
  return false;
}

std::optional<std::string> objection_to(const raft::Configuration& now, const std::vector<MemberChange>& changes,
                                        const Health& health, bool force) {
  const Result<raft::Configuration> to = raft::changed(now, changes);
  if (!to.ok()) return to.error().message;
  if (force) return std::nullopt;
  for (const MemberChange& change : changes) {
    if (change.kind != MemberChangeKind::kPromote || health.caught_up(change.member.id)) continue;
    return "node " + std::to_string(change.member.id.value) + " has not caught up with the log yet";
  }
  std::size_t voters = 0;
  std::size_t heard = 0;
  for (const raft::Member& member : to->members()) {
    if (!member.voter) continue;
    ++voters;
    heard += health.heard(member.id) ? 1 : 0;
  }
  if (heard >= voters / 2 + 1) return std::nullopt;
  return "of the " + std::to_string(voters) + " voters there would be, only " + std::to_string(heard) +
         " are heard of: no majority";
}

}  // namespace redraft::replica
