#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "raft/types.h"
#include "tests/sim/history.h"
#include "tests/sim/node.h"

namespace redraft::sim {

// Watches all nodes from outside and says when they contradict each other or themselves: one leader per term, the same
// entry at every committed index, committed entries in every later leader's log, the same state at the same index; what
// a node promised to its peers still true when it starts again (storage-faults row 10).
class Observer {
 public:
  // All return what is broken, or nothing.
  [[nodiscard]] Verdict started(Node& node, const replica::Recovered& recovered);
  [[nodiscard]] Verdict turn_over(Node& node);
  [[nodiscard]] Verdict frame_sent(Node& node, const replica::Frame& frame);
  // Large ones may have left memory again when `turn_over` asks for what was committed.
  void entries_written(const std::vector<raft::Entry>& entries);
  // What `frame_sent` last looked at: a word that the node must keep.
  bool was_promise = false;
  bool was_vote = false;
  bool was_transfer = false;  // TimeoutNow: a leader hands over
  // An acknowledgement of what nobody knows to be committed, by an entry of an earlier term than the leader's.
  bool was_of_old_term = false;
  // What `turn_over` last looked at: a node that leads since this turn.
  bool was_elected = false;
  void lost_process(Node& node);
  // Its directory was replaced by an old copy: what it vouched for since is not on it.
  void forgets(std::uint64_t member);
  // Asked when all is quiet.
  // A new leader while an earlier one may answer reads by its lease (thesis 6.4.1, pitfall C5).
  [[nodiscard]] static Verdict no_lease(Node& elected, const std::vector<Node*>& nodes);
  [[nodiscard]] Verdict same_state(const std::vector<Node*>& nodes);

  [[nodiscard]] std::uint64_t committed() const { return committed_.size(); }
  [[nodiscard]] std::uint64_t leaders() const { return leaders_.size(); }
  std::uint64_t digests = 0;
  // Disks lose what was durable in this world: a node that says so may have forgotten entries it had acknowledged.
  bool disks_rot = false;
  // Memory changes by itself in this world: states are compared only when all is quiet.
  bool memory_rots = false;

  struct Committed {
    raft::Term term;  // 0: nobody has shown it yet
    std::optional<std::uint32_t> crc;
    raft::Term seen_in;  // somebody of this term knew it committed
    raft::EntryType type = raft::EntryType::kCommand;
    SharedBytes payload = {};
  };
  // From index 1 on.
  [[nodiscard]] const std::vector<Committed>& entries() const { return committed_; }

 private:
  struct Acknowledged {
    raft::LogIndex index;
    raft::Term term;
  };
  // What one node vouched for, over all its lives.
  struct Life {
    raft::Term term;                                  // of the process that runs
    raft::LogIndex looked_at;                         // committed entries up to here
    std::uint64_t digested = 0;                       // state at this index
    std::map<std::uint64_t, std::uint64_t> votes;     // by term
    std::optional<Acknowledged> acknowledged;         // newest word to a leader
    std::map<std::uint64_t, std::uint64_t> promised;  // entries that must be on its disk: index to term
    raft::Term vouched_term;                          // it spoke in this term
    bool led = false;
  };

  [[nodiscard]] static Verdict look_at_log(const Node& node, const replica::Recovered& recovered);
  [[nodiscard]] Verdict look_at_snapshot(const Node& node, const replica::Recovered& recovered) const;
  [[nodiscard]] Verdict look_at_commits(Node& node, Life& life);
  [[nodiscard]] Verdict look_at_leadership(Node& node, Life& life);
  [[nodiscard]] Verdict look_at_state(Node& node, Life& life);

  std::map<std::uint64_t, Life> lives_;             // by member
  std::map<std::uint64_t, std::uint64_t> leaders_;  // by term
  std::vector<Committed> committed_;                // by index - 1
  // By index and term, until its index is shown committed.
  std::map<std::pair<raft::LogIndex, raft::Term>, raft::Entry> written_;
  std::map<std::uint64_t, std::string> states_;  // digest by index
};

}  // namespace redraft::sim
