#include "raft/membership.h"

#include <algorithm>

#include "base/check.h"
#include "raft/quorum.h"

namespace redraft::raft {

namespace {

Error refuse(const Member& member, const char* why) {
  return Error{ErrorCode::kInvalid, "node " + std::to_string(member.id.value) + " " + why};
}

using Members = std::vector<Member>;

Status apply(const MemberChange& change, Members& members, NodeId& highest_id) {
  const Member& named = change.member;
  const auto known = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.id == named.id; });
  if (change.kind == MemberChangeKind::kAdd) {
    if (known != members.end()) return refuse(named, "is a member already");
    if (named.id <= highest_id) return refuse(named, "has been a member before, and ids are not used twice");
    if (members.size() == kMembersMax) return refuse(named, "would be one member too many");
    highest_id = named.id;
    Member& added = members.emplace_back(named);
    added.voter = added.outgoing_voter = false;
    added.learner = true;
    return Done{};
  }
  if (known == members.end()) return refuse(named, "is not a member");
  switch (change.kind) {
    case MemberChangeKind::kAdd:
      break;
    case MemberChangeKind::kPromote:
      if (known->voter) return refuse(named, "is a voter already");
      known->voter = true;
      known->learner = known->promote = false;
      break;
    case MemberChangeKind::kDemote:
      if (!known->voter) return refuse(named, "is a learner already");
      known->voter = known->promote = false;
      known->learner = true;
      break;
    case MemberChangeKind::kRemove:
      members.erase(known);
      break;
    case MemberChangeKind::kUpdate:
      if (known->incarnation != named.incarnation) return refuse(named, "is another incarnation than the member");
      known->address = named.address;
      known->hostname = named.hostname;
      break;
  }
  return Done{};
}

}  // namespace

Result<Configuration> changed(const Configuration& from, std::span<const MemberChange> changes) {
  ensure(!from.is_joint(), "a change begins where the one before has ended (thesis 4.1)");
  Members members = from.members();
  NodeId highest_id = from.highest_id();
  for (const MemberChange& change : changes) {
    if (Status applied = apply(change, members, highest_id); !applied) return applied.error();
  }
  if (std::none_of(members.begin(), members.end(), [](const Member& member) { return member.voter; })) {
    return Error{ErrorCode::kInvalid, "no voter would be left"};
  }
  Configuration to(from.cluster_id(), std::move(members), highest_id);
  if (to == from) return Error{ErrorCode::kInvalid, "nothing would change"};
  return to;
}

Configuration first_step(const Configuration& from, const Configuration& to) {
  std::size_t differing = 0;
  for (const Member& member : from.members()) {
    if (member.voter && !to.is_voter(member.id)) ++differing;
  }
  for (const Member& member : to.members()) {
    if (member.voter && !from.is_voter(member.id)) ++differing;
  }
  if (differing <= 1) return to;
  Members members = to.members();
  for (Member& member : members) member.outgoing_voter = from.is_voter(member.id);
  for (const Member& member : from.members()) {
    if (!member.voter || to.contains(member.id)) continue;
    Member& leaving = members.emplace_back(member);
    leaving.voter = false;
    leaving.outgoing_voter = true;
  }
  return Configuration(to.cluster_id(), std::move(members), to.highest_id());
}

Configuration second_step(const Configuration& joint) {
  ensure(joint.is_joint(), "only a joint configuration is left");
  Members members;
  for (const Member& member : joint.members()) {
    if (!member.voter && !member.learner) continue;
    members.push_back(member);
    members.back().outgoing_voter = false;
  }
  return Configuration(joint.cluster_id(), std::move(members), joint.highest_id());
}

}  // namespace redraft::raft
