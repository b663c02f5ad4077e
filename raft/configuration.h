#pragma once

#include <string>
#include <utility>
#include <vector>

#include "raft/types.h"

namespace redraft::raft {

// One server of the group. In a joint configuration (thesis 4.3) a member may be in the old set, the new one or both.
struct Member {
  NodeId id;
  Incarnation incarnation;
  std::string address;          // host:port@peer-port; the core only carries it
  std::string hostname;         // cluster-announce-hostname; only carried, too
  bool voter = false;           // in the (new) voter set
  bool outgoing_voter = false;  // in the old voter set of a joint configuration
  bool learner = false;         // is sent the log, counts in no majority
  bool promote = false;         // a learner that is to become a voter once it has caught up; whoever leads sees to it
  friend bool operator==(const Member&, const Member&) = default;
};

// Who belongs to the group. A value; members are sorted by id and unique.
class Configuration {
 public:
  Configuration() = default;
  // Sorts; ids must differ. `highest_id`: see there; at least the highest of `members` is taken.
  Configuration(std::string cluster_id, std::vector<Member> members, NodeId highest_id = {});

  [[nodiscard]] const std::string& cluster_id() const { return cluster_id_; }
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  [[nodiscard]] bool empty() const { return members_.empty(); }
  [[nodiscard]] bool is_joint() const { return is_joint_; }
  // No higher id was ever a member's. So a node with an id up to here that is not listed has been removed, and nobody
  // else gets its id.
  [[nodiscard]] NodeId highest_id() const { return highest_id_; }
  // Null for somebody else.
  [[nodiscard]] const Member* find(NodeId id) const;
  // Counts in at least one of the majorities.
  [[nodiscard]] bool is_voter(NodeId id) const;
  [[nodiscard]] bool contains(NodeId id) const { return find(id) != nullptr; }
  // Known under exactly this incarnation: only then a vote or an acknowledgement counts.
  [[nodiscard]] bool is_recorded(NodeId id, Incarnation incarnation) const;

  friend bool operator==(const Configuration&, const Configuration&) = default;

 private:
  std::string cluster_id_;
  std::vector<Member> members_;
  bool is_joint_ = false;
  NodeId highest_id_;
};

// The configurations that the log holds, oldest first: the first is the snapshot's (or empty), each further one came
// with the entry at its index. The newest counts whether or not it is committed (thesis 4.1), so truncating the log
// takes it back (pitfall D5) and a restart finds it by reading the log behind the snapshot (pitfall D6).
class ConfigurationHistory {
 public:
  ConfigurationHistory() : history_{{LogIndex{0}, Configuration{}}} {}
  void reset(LogIndex index, Configuration configuration);
  void append(LogIndex index, Configuration configuration);
  // True if the newest changed.
  bool truncate_from(LogIndex index);
  // Forgets all but the newest at or below `index` and those after it.
  void compact_to(LogIndex index);

  [[nodiscard]] const Configuration& newest() const { return history_.back().second; }
  [[nodiscard]] LogIndex newest_index() const { return history_.back().first; }
  // The configuration in force as of `index`, for the snapshot there.
  [[nodiscard]] const Configuration& at(LogIndex index) const;

 private:
  std::vector<std::pair<LogIndex, Configuration>> history_;
};

}  // namespace redraft::raft
