#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "raft/raft.h"
#include "server/replica/joining.h"
#include "server/replica/member_rules.h"
#include "server/replica/peers.h"

namespace redraft::replica {

// Nodes that come, go and change their role (docs/membership.md). On a node without cluster: its way in (Joining). On a
// member: clients' CLUSTER MEET, FORGET, PROMOTE and DEMOTE, which are answered when their effect is committed; on the
// leader also whoever asks to join, the promotion of learners that have caught up, and members that moved to another
// address. One change of the configuration at a time; what comes meanwhile waits its turn.
class Membership final : public Peers::Newcomers {
 public:
  // What the rest of the node does for it.
  class Node {
   public:
    virtual ~Node() = default;
    // Null while this node has no cluster, and once it was removed from it.
    [[nodiscard]] virtual const raft::Raft* group() const = 0;
    [[nodiscard]] virtual raft::ProposalStatus change_members(std::vector<raft::MemberChange> changes) = 0;
    // +OK, or the error if there is one.
    virtual void answer_change(std::uint64_t session, const std::string& error) = 0;
    // This node is that member from now on: to be made durable, then Raft starts.
    virtual void assigned(const ClusterId& cluster, std::uint64_t node) = 0;
    // A peer says, and is to be believed, that this node was removed, or that its id belongs to somebody else.
    virtual void was_removed(const std::string& sentence) = 0;
    virtual void must_join(const std::string& sentence) = 0;
  };
  Membership(Host& host, const Settings& settings, Peers& peers, Node& node);

  // This node has no cluster: it asks for one there.
  void join(std::vector<MemberAddress> contacts) { joining_.begin(std::move(contacts)); }
  void joined() { joining_.end(); }
  [[nodiscard]] bool joining() const { return joining_.active(); }

  void meet(std::uint64_t session, const MemberAddress& address);
  void change(std::uint64_t session, ChangeRequest request);
  // Once a turn, after what is committed was applied.
  void turn(Time now, const ClusterId& cluster);
  // Entries that a learner still lacks of its present round and that round's number; nothing for others.
  struct Progress {
    std::uint64_t missing = 0;
    std::uint32_t round = 0;
  };
  [[nodiscard]] std::optional<Progress> progress(std::uint64_t node) const;

  // Peers::Newcomers
  void contact_ready(std::uint64_t contact, const raft::Handshake& peer) override;
  void contact_lost(std::uint64_t contact, const std::string& reason) override;
  void join_asked(LinkId link, const raft::Handshake& joiner) override;
  void join_answered(std::uint64_t contact, const JoinAnswer& answer) override;
  void invited(const std::string& address) override { joining_.invited(address); }
  void refused(Refusal why, const std::string& sentence) override;
  void change_asked(std::uint64_t from, std::uint64_t request, ChangeRequest change) override;
  void change_refused(std::uint64_t request, const std::string& error) override;

 private:
  // CLUSTER FORGET and its like: of a client here, or of another node's.
  struct Wanted {
    std::uint64_t session = 0;  // 0: another node's
    std::uint64_t from = 0;
    std::uint64_t request = 0;
    ChangeRequest change;
    std::uint64_t until_us = 0;
    bool proposed = false;         // by this node, at any time: then it may take effect
    std::uint64_t asked_node = 0;  // the leader that was asked
  };
  struct Meet {
    std::uint64_t session = 0;
    std::uint64_t contact = 0;
    MemberAddress address;
    raft::Incarnation incarnation;  // once it shook hands
    std::uint64_t until_us = 0;
    std::string reason;  // why it was not reached yet
  };
  struct Join {
    LinkId link;
    raft::Member member;  // without an id
  };

  void settle_clients(const raft::Raft& raft);
  void end_clients(raft::NodeId removed);
  void pass_on(const raft::Raft& raft);
  void answer_joins(const raft::Raft& raft, const ClusterId& cluster);
  void lead(const raft::Raft& raft);
  bool change_wanted(const raft::Raft& raft);
  bool add_joiner(const raft::Raft& raft);
  bool record_address(const raft::Raft& raft);
  bool promote(const raft::Raft& raft);
  void follow_learners(const raft::Raft& raft);
  [[nodiscard]] bool took_effect(const raft::Raft& raft, const ChangeRequest& change) const;
  [[nodiscard]] Health health(const raft::Raft& raft) const;
  void refuse(const Wanted& wanted, const std::string& error);
  void log_change(const std::string& what);

  Host& host_;
  const Settings& settings_;
  Peers& peers_;
  Node& node_;
  Joining joining_;
  Time now_;
  std::vector<Wanted> wanted_;
  std::vector<Meet> meets_;
  std::vector<Join> joins_;
  std::uint64_t next_request_ = 1;
  std::map<std::uint64_t, CatchUp> learners_;  // leader: those that are to be promoted
  std::map<std::uint64_t, bool> caught_up_;
  raft::Term led_term_;  // the newest that this node led, and since when
  std::uint64_t leads_since_us_ = 0;
  std::uint64_t next_look_us_ = 0;
  std::uint64_t next_progress_us_ = 0;
  std::string said_;  // why nobody is promoted
};

}  // namespace redraft::replica
