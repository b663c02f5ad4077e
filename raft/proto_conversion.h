#pragma once

// Between our values and protobuf's; for the files of this module that make bytes, and nobody else.
#include "base/result.h"
#include "raft/message.h"
#include "raft/messages.pb.h"
#include "raft/quorum.h"

namespace redraft::raft {

inline void to_proto(const Configuration& configuration, wire::Configuration& proto) {
  proto.set_format(1);
  proto.set_cluster_id(configuration.cluster_id());
  proto.set_highest_id(configuration.highest_id().value);
  for (const Member& member : configuration.members()) {
    wire::Member& into = *proto.add_members();
    into.set_id(member.id.value);
    into.set_incarnation(member.incarnation.value);
    into.set_address(member.address);
    into.set_voter(member.voter);
    into.set_outgoing_voter(member.outgoing_voter);
    into.set_learner(member.learner);
    into.set_hostname(member.hostname);
    into.set_promote(member.promote);
  }
}

inline Result<Configuration> from_proto(const wire::Configuration& proto) {
  if (proto.format() > 1) return Error{ErrorCode::kUnsupported, "a configuration of a later version"};
  if (proto.format() == 0 && proto.members_size() == 0) return Configuration{};
  if (proto.format() != 1 || proto.members_size() > static_cast<int>(kMembersMax)) {
    return Error{ErrorCode::kCorrupt, "not a configuration"};
  }
  std::vector<Member> members;
  for (const wire::Member& member : proto.members()) {
    const NodeId id{member.id()};
    bool valid = id.value != 0;
    for (const Member& other : members) valid = valid && other.id != id;
    if (!valid) return Error{ErrorCode::kCorrupt, "a configuration lists nobody, or somebody twice"};
    Member into;
    into.id = id;
    into.incarnation = Incarnation{member.incarnation()};
    into.address = member.address();
    into.voter = member.voter();
    into.outgoing_voter = member.outgoing_voter();
    into.learner = member.learner();
    into.hostname = member.hostname();
    into.promote = member.promote();
    members.push_back(std::move(into));
  }
  return Configuration(proto.cluster_id(), std::move(members), NodeId{proto.highest_id()});
}

inline void to_proto(const SnapshotMetadata& snapshot, wire::SnapshotMetadata& proto) {
  proto.set_index(snapshot.index.value);
  proto.set_term(snapshot.term.value);
  to_proto(snapshot.configuration, *proto.mutable_configuration());
}

inline Result<SnapshotMetadata> from_proto(const wire::SnapshotMetadata& proto) {
  Result<Configuration> configuration = from_proto(proto.configuration());
  if (!configuration.ok()) return configuration.error();
  SnapshotMetadata snapshot;
  snapshot.index = LogIndex{proto.index()};
  snapshot.term = Term{proto.term()};
  snapshot.configuration = std::move(configuration).value();
  return snapshot;
}

}  // namespace redraft::raft
