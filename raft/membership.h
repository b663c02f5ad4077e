#pragma once

#include <span>

#include "base/result.h"
#include "raft/configuration.h"

namespace redraft::raft {

// Arithmetic of configuration changes (thesis 4; paper 6): which configuration a change leads to. No state, no log.

enum class MemberChangeKind : std::uint8_t {
  kAdd,      // as a learner, whatever the flags say; its id has never been used (Configuration::highest_id)
  kPromote,  // a learner becomes a voter
  kDemote,   // a voter becomes a learner, and stays one until it is promoted by name
  kRemove,   // out of the group, for ever: ids are not used twice
  kUpdate,   // address and hostname; never the role (pitfall D7: promoted by an address update)
};

struct MemberChange {
  MemberChangeKind kind = MemberChangeKind::kAdd;
  Member member;  // kAdd, kUpdate: what is to be recorded; otherwise only its id counts
};

// All changes at once. kInvalid with a sentence for the operator: somebody unknown, already so, no voter left, more
// than kMembersMax, or nothing changes. Needs a simple `from`.
[[nodiscard]] Result<Configuration> changed(const Configuration& from, std::span<const MemberChange> changes);

// The configuration to append in order to get from one simple configuration to another: `to` itself when at most one
// voter differs, for then any two majorities share a member (thesis 4.1), else the joint one of both (thesis 4.3).
[[nodiscard]] Configuration first_step(const Configuration& from, const Configuration& to);
// What follows a committed joint configuration: its new half.
[[nodiscard]] Configuration second_step(const Configuration& joint);

}  // namespace redraft::raft
