#include "server/replica/membership.h"

#include <algorithm>

namespace redraft::replica {
namespace {

using raft::MemberChange;
using raft::MemberChangeKind;

constexpr std::uint64_t kAnswerMax_us = 10'000'000;
constexpr std::size_t kJoinsMax = 16;
constexpr std::uint64_t kLookInterval_us = 100'000;
constexpr std::uint64_t kProgressInterval_us = 1'000'000;
constexpr std::uint64_t kBehindMax = 1000;  // entries, of a learner that is promoted by name

std::string named(const raft::Member& member) {
  return "node " + std::to_string(member.id.value) + " (" + member.address + ")";
}

std::vector<MemberChange> changes_of(const ChangeRequest& request) {
  std::vector<MemberChange> changes;
  for (const std::uint64_t node : request.nodes) {
    MemberChange& change = changes.emplace_back();
    change.kind = request.kind;
    change.member.id = raft::NodeId{node};
  }
  return changes;
}

const raft::Member* find_incarnation(const raft::Configuration& configuration, raft::Incarnation incarnation) {
  const auto& members = configuration.members();
  const auto found = std::ranges::find(members, incarnation, &raft::Member::incarnation);
  return found == members.end() ? nullptr : &*found;
}

const char* verb(MemberChangeKind kind) {
  switch (kind) {
    case MemberChangeKind::kPromote:
      return "Promoting";
    case MemberChangeKind::kDemote:
      return "Demoting";
    default:
      return "Removing";
  }
}

}  // namespace

Membership::Membership(Host& host, const Settings& settings, Peers& peers, Node& node)
    : host_(host), settings_(settings), peers_(peers), node_(node), joining_(host, peers) {
  peers_.set_newcomers(*this);
}

// ---- Clients

void Membership::meet(std::uint64_t session, const MemberAddress& address) {
  Meet& meet = meets_.emplace_back();
  meet.session = session;
  meet.address = address;
  meet.until_us = now_.monotonic_us + kAnswerMax_us;
  meet.contact = peers_.dial_contact(address);
}

void Membership::change(std::uint64_t session, ChangeRequest request) {
  Wanted& wanted = wanted_.emplace_back();
  wanted.session = session;
  wanted.request = next_request_++;
  wanted.change = std::move(request);
  wanted.until_us = now_.monotonic_us + kAnswerMax_us;
}

bool Membership::took_effect(const raft::Raft& raft, const ChangeRequest& change) const {
  const raft::Configuration& committed = raft.committed_configuration();
  if (committed.is_joint()) return false;
  return std::ranges::all_of(change.nodes, [&](std::uint64_t node) {
    const raft::Member* member = committed.find(raft::NodeId{node});
    if (member == nullptr) return change.kind == MemberChangeKind::kRemove;
    return change.kind == MemberChangeKind::kPromote ? member->voter
                                                     : change.kind == MemberChangeKind::kDemote && member->learner;
  });
}

// By what is committed here, whoever proposed it. An answer is given once.
void Membership::settle_clients(const raft::Raft& raft) {
  std::erase_if(wanted_, [&](const Wanted& wanted) {
    const bool begun = wanted.proposed || wanted.asked_node != 0;
    const bool done = begun && took_effect(raft, wanted.change);
    if (!done && now_.monotonic_us < wanted.until_us) return false;
    if (wanted.session == 0) return true;
    if (done) {
      node_.answer_change(wanted.session, {});
    } else {
      node_.answer_change(wanted.session, begun ? "INDOUBT outcome unknown: the change of members is not committed yet"
                                                : "TRYAGAIN No leader, or another change of members has not ended");
    }
    return true;
  });
  std::erase_if(meets_, [&](const Meet& meet) {
    const bool known =
        meet.incarnation.value != 0 && find_incarnation(raft.committed_configuration(), meet.incarnation) != nullptr;
    if (!known && now_.monotonic_us < meet.until_us) return false;
    node_.answer_change(meet.session, known ? std::string()
                                            : "ERR The node at " + to_text(meet.address) + " did not join" +
                                                  (meet.reason.empty() ? "" : ": " + meet.reason));
    peers_.drop_contact(meet.contact);
    return true;
  });
}

// This node is no member; `removed` is the one it was, if its peers have just said so. They may before it sees that
// committed (pitfall B10).
void Membership::end_clients(raft::NodeId removed) {
  const std::string no_member = "CLUSTERDOWN This node belongs to no cluster";
  for (const Wanted& wanted : std::exchange(wanted_, {})) {
    if (wanted.session == 0) continue;
    const bool begun = wanted.proposed || wanted.asked_node != 0;
    const bool done =
        wanted.change.kind == MemberChangeKind::kRemove &&
        std::ranges::all_of(wanted.change.nodes, [&](std::uint64_t node) { return node == removed.value; });
    const std::string doubt = "INDOUBT outcome unknown: this node was removed from the cluster meanwhile";
    node_.answer_change(wanted.session, done ? std::string() : begun ? doubt : no_member);
  }
  for (const Meet& meet : std::exchange(meets_, {})) {
    peers_.drop_contact(meet.contact);
    node_.answer_change(meet.session, no_member);
  }
}

// Not the leader: clients' wishes go to it; those of others are theirs to pass on again.
void Membership::pass_on(const raft::Raft& raft) {
  std::erase_if(wanted_, [](const Wanted& wanted) { return wanted.session == 0; });
  const std::uint64_t leader = raft.leader().value;
  for (Wanted& wanted : wanted_) {
    if (leader == 0 || wanted.asked_node == leader) continue;
    // A second leader may find done what the first was asked: then its refusal says nothing.
    wanted.proposed = wanted.proposed || wanted.asked_node != 0;
    if (peers_.ask_change(leader, wanted.request, wanted.change)) wanted.asked_node = leader;
  }
}

void Membership::refuse(const Wanted& wanted, const std::string& error) {
  if (wanted.session != 0) {
    node_.answer_change(wanted.session, error);
  } else {
    static_cast<void>(peers_.refuse_change(wanted.from, wanted.request, error));
  }
}

void Membership::change_refused(std::uint64_t request, const std::string& error) {
  std::erase_if(wanted_, [&](const Wanted& wanted) {
    if (wanted.session == 0 || wanted.request != request || wanted.proposed) return false;
    node_.answer_change(wanted.session, error);
    return true;
  });
}

void Membership::change_asked(std::uint64_t from, std::uint64_t request, ChangeRequest change) {
  const raft::Raft* raft = node_.group();
  if (raft == nullptr || !raft->is_leader()) return;
  Wanted& wanted = wanted_.emplace_back();
  wanted.from = from;
  wanted.request = request;
  wanted.change = std::move(change);
  wanted.until_us = now_.monotonic_us + kAnswerMax_us;
}

// ---- Nodes on their way in

void Membership::contact_ready(std::uint64_t contact, const raft::Handshake& peer) {
  joining_.ready(contact);
  const auto meet = std::ranges::find(meets_, contact, &Meet::contact);
  if (meet == meets_.end()) return;
  meet->incarnation = peer.incarnation;  // a member already, or the one to expect
  if (peer.node.value == 0) {
    static_cast<void>(peers_.invite(contact));
  } else if (peer.cluster_id.empty()) {
    meet->reason = "it is to found a cluster of its own with its initial-cluster";
    meet->until_us = now_.monotonic_us;
  }
}

void Membership::contact_lost(std::uint64_t contact, const std::string& reason) {
  joining_.lost(contact, reason);
  const auto meet = std::ranges::find(meets_, contact, &Meet::contact);
  if (meet == meets_.end() || reason.empty()) return;
  meet->reason = reason;
  // Another cluster's node will not change its mind (pitfall D10); a process that is not there yet may come.
  if (reason.starts_with("it ") && !reason.starts_with("it can")) meet->until_us = now_.monotonic_us;
}

void Membership::join_asked(LinkId link, const raft::Handshake& joiner) {
  std::erase_if(joins_, [&](const Join& known) { return known.member.incarnation == joiner.incarnation; });
  const std::optional<MemberAddress> address = parse_member_address(joiner.address);
  JoinAnswer no;
  if (joins_.size() >= kJoinsMax || node_.group() == nullptr) {
    peers_.answer_join(link, no);
    return;
  }
  if (!address || address->host.empty() || address->port == 0 || address->peer_port == 0) {
    no.kind = JoinAnswer::Kind::kRefused;
    no.text = "\"" + joiner.address + "\" is no address that others could reach it at";
    peers_.answer_join(link, no);
    return;
  }
  Join& join = joins_.emplace_back();
  join.link = link;
  join.member.incarnation = joiner.incarnation;
  join.member.address = joiner.address;
  join.member.hostname = joiner.hostname;
  join.member.promote = true;
}

void Membership::join_answered(std::uint64_t contact, const JoinAnswer& answer) {
  if (!joining_.active()) return;
  joining_.answered(contact, answer);
  if (answer.kind != JoinAnswer::Kind::kWelcome) return;
  host_.log(LogLevel::kNotice, "This node is node " + std::to_string(answer.node) + " of cluster " +
                                   to_hex(answer.cluster) + ", as a learner until it has caught up");
  node_.assigned(answer.cluster, answer.node);
}

void Membership::refused(Refusal why, const std::string& sentence) {
  if (why == Refusal::kRemoved && node_.group() != nullptr) {
    end_clients(node_.group()->id());
    node_.was_removed(sentence);
  }
  if (why == Refusal::kNoMember && !peers_.has_cluster() && !joining_.active()) node_.must_join(sentence);
}

// Members hear of a new one's id only when that is committed: an id that is rolled back goes to somebody else.
void Membership::answer_joins(const raft::Raft& raft, const ClusterId& cluster) {
  std::erase_if(joins_, [&](const Join& join) {
    JoinAnswer answer;
    if (const raft::Member* member = find_incarnation(raft.committed_configuration(), join.member.incarnation)) {
      answer.kind = JoinAnswer::Kind::kWelcome;
      answer.node = member->id.value;
      answer.cluster = cluster;
    } else if (raft.is_leader()) {
      return false;
    } else if (const raft::Member* leader = raft.configuration().find(raft.leader())) {
      answer.kind = JoinAnswer::Kind::kElsewhere;
      answer.text = leader->address;
    }
    peers_.answer_join(join.link, answer);
    return true;
  });
}

// ---- Turns

void Membership::turn(Time now, const ClusterId& cluster) {
  now_ = now;
  joining_.turn(now);
  const raft::Raft* raft = node_.group();
  if (raft == nullptr) return end_clients({});
  answer_joins(*raft, cluster);
  if (raft->is_leader()) {
    if (led_term_ != raft->term()) leads_since_us_ = now_.monotonic_us;
    led_term_ = raft->term();
    follow_learners(*raft);
    lead(*raft);
  } else {
    learners_.clear();
    caught_up_.clear();
    pass_on(*raft);
  }
  settle_clients(*raft);
  // A leader that removed itself hands over first.
  const raft::Configuration& committed = raft->committed_configuration();
  const bool gone = !committed.contains(raft->id()) && raft->id() <= committed.highest_id() && !raft->is_leader();
  if (gone) node_.was_removed("node " + std::to_string(raft->id().value) + " was removed from this cluster");
}

Health Membership::health(const raft::Raft& raft) const {
  // A link that broke says so at once; silence takes an election timeout.
  return {[this, &raft](raft::NodeId node) {
            return raft.hears(node) && (node == raft.id() || peers_.view(node.value).up);
          },
          [this, &raft](raft::NodeId node) {
            const auto known = caught_up_.find(node.value);
            if (known != caught_up_.end()) return known->second;
            // A learner that is not being followed, as after CLUSTER DEMOTE: it is in step or it is not.
            const auto progress = std::ranges::find(raft.progress(), node, &raft::Progress::node);
            return progress != raft.progress().end() && progress->state == raft::ProgressState::kReplicate &&
                   raft.hears(node) && progress->match_index + kBehindMax >= raft.commit_index();
          }};
}

// The first of these that has something to do; the others have their turn when it is committed.
void Membership::lead(const raft::Raft& raft) {
  const bool possible = raft.has_committed_in_term() && raft.configuration_index() <= raft.commit_index() &&
                        !raft.configuration().is_joint() && raft.transfer_target().value == 0;
  if (!possible) return;
  if (change_wanted(raft) || add_joiner(raft) || now_.monotonic_us < next_look_us_) return;
  next_look_us_ = now_.monotonic_us + kLookInterval_us;
  if (!record_address(raft)) promote(raft);
}

// As many of those that wait as can be made at once.
bool Membership::change_wanted(const raft::Raft& raft) {
  std::vector<MemberChange> changes;
  std::vector<Wanted*> together;
  bool force = false;
  std::erase_if(wanted_, [&](const Wanted& wanted) {
    if (wanted.proposed) return false;
    const auto changes_wanted = changes_of(wanted.change);
    const auto why = objection_to(raft.configuration(), changes_wanted, health(raft), wanted.change.force);
    // A new leader has not heard of everybody who is well yet.
    const std::uint64_t timeout_us = std::uint64_t{settings_.values().election_timeout_ms} * 1000;
    const bool too_early = now_.monotonic_us < leads_since_us_ + timeout_us;
    if (why && too_early && raft::changed(raft.configuration(), changes_wanted).ok()) return false;
    // The leader before, which was asked, may have made it already: then this says nothing.
    if (why && wanted.asked_node != 0) return false;
    if (why) refuse(wanted, "ERR The members were not changed: " + *why);
    return why.has_value();
  });
  for (Wanted& wanted : wanted_) {
    if (wanted.proposed) continue;
    std::vector<MemberChange> more = changes;
    for (MemberChange& change : changes_of(wanted.change)) more.push_back(std::move(change));
    if (objection_to(raft.configuration(), more, health(raft), force || wanted.change.force)) continue;
    force = force || wanted.change.force;
    changes = std::move(more);
    together.push_back(&wanted);
  }
  if (changes.empty()) return false;
  for (const MemberChange& change : changes) {
    log_change(std::string(verb(change.kind)) + " " + named(*raft.configuration().find(change.member.id)));
  }
  if (node_.change_members(std::move(changes)) != raft::ProposalStatus::kAccepted) return false;
  for (Wanted* wanted : together) wanted->proposed = true;
  return true;
}

bool Membership::add_joiner(const raft::Raft& raft) {
  for (auto join = joins_.begin(); join != joins_.end(); ++join) {
    if (find_incarnation(raft.configuration(), join->member.incarnation) != nullptr) continue;
    const auto& members = raft.configuration().members();
    const auto there = std::ranges::find(members, join->member.address, &raft::Member::address);
    MemberChange add;
    add.member = join->member;
    add.member.id = raft::NodeId{raft.configuration().highest_id().value + 1};
    std::string why;
    if (there != members.end() && raft.hears(there->id)) why = named(*there) + " answers at its address";
    if (const auto objection = objection_to(raft.configuration(), {add}, health(raft), false); objection) {
      why = *objection;
    }
    if (!why.empty()) {
      peers_.answer_join(join->link, {JoinAnswer::Kind::kRefused, 0, {}, why});
      joins_.erase(join);
      return false;
    }
    log_change("Adding " + named(add.member) + " as a learner");
    return node_.change_members({std::move(add)}) == raft::ProposalStatus::kAccepted;
  }
  return false;
}

// A member that shook hands under its recorded incarnation from another address has moved (pitfall D7: its role does
// not change by that). Only what a link that is up announced: an older word may be older than the record.
bool Membership::record_address(const raft::Raft& raft) {
  for (const raft::Member& member : raft.configuration().members()) {
    MemberChange update{MemberChangeKind::kUpdate, member};
    if (member.id == raft.id()) {
      update.member.address = to_text(peers_.own_address());
      update.member.hostname = settings_.values().announce_hostname;
    } else {
      const auto announced = peers_.announced(member.id.value);
      if (!announced || announced->incarnation != member.incarnation || !peers_.view(member.id.value).up) continue;
      if (!parse_member_address(announced->address)) continue;
      update.member.address = announced->address;
      update.member.hostname = announced->hostname;
    }
    if (update.member == member) continue;
    log_change("Recording " + named(update.member) + ", which was at " + member.address);
    return node_.change_members({std::move(update)}) == raft::ProposalStatus::kAccepted;
  }
  return false;
}

// ---- Learners that are to be voters

void Membership::follow_learners(const raft::Raft& raft) {
  std::erase_if(learners_, [&](const auto& one) {
    const raft::Member* member = raft.configuration().find(raft::NodeId{one.first});
    return member == nullptr || !member->promote;
  });
  std::erase_if(caught_up_, [&](const auto& one) { return !learners_.contains(one.first); });
  const bool tell = now_.monotonic_us >= next_progress_us_;
  if (tell) next_progress_us_ = now_.monotonic_us + kProgressInterval_us;
  for (const raft::Progress& progress : raft.progress()) {
    const raft::Member* member = raft.configuration().find(progress.node);
    if (member == nullptr || !member->promote) continue;
    CatchUp& learner = learners_[progress.node.value];
    const bool in_step =
        progress.state == raft::ProgressState::kReplicate && progress.vouches && raft.hears(progress.node);
    bool& caught_up = caught_up_[progress.node.value];
    // Its own addition is in the first round's target, so nobody is promoted that never started (pitfall D7).
    caught_up = in_step && learner.advance(progress.match_index, raft.last_index(), now_.monotonic_us,
                                           std::uint64_t{settings_.values().election_timeout_ms} * 1000);
    if (!tell || caught_up) continue;
    std::string line = "Learner " + named(*member);
    if (!raft.hears(progress.node)) {
      line += " is not heard of";
    } else if (progress.state == raft::ProgressState::kSnapshot) {
      line += " receives the snapshot at index " + std::to_string(progress.pending_snapshot.index.value);
    } else {
      line += " lacks " + std::to_string(raft.last_index().value - progress.match_index.value) + " entries, round " +
              std::to_string(learner.round());
    }
    host_.log(LogLevel::kNotice, line);
  }
}

// All that have caught up, at once; and in the same change goes whoever is replaced: a voter that is not heard of and
// whose address the new node has.
bool Membership::promote(const raft::Raft& raft) {
  const raft::Configuration& now = raft.configuration();
  std::vector<MemberChange> changes;
  for (const raft::Member& member : now.members()) {
    const auto ready = caught_up_.find(member.id.value);
    if (!member.promote || ready == caught_up_.end() || !ready->second) continue;
    std::vector<MemberChange> more = changes;
    more.push_back({MemberChangeKind::kPromote, member});
    for (const raft::Member& old : now.members()) {
      const bool replaced = old.id != member.id && old.address == member.address && !raft.hears(old.id);
      if (replaced) more.push_back({MemberChangeKind::kRemove, old});
    }
    if (const auto why = objection_to(now, more, health(raft), false); why) {
      if (said_ != *why) host_.log(LogLevel::kWarning, "Not promoting " + named(member) + " yet: " + *why);
      said_ = *why;
      continue;
    }
    changes = std::move(more);
  }
  if (changes.empty()) return false;
  for (const MemberChange& change : changes) log_change(std::string(verb(change.kind)) + " " + named(change.member));
  said_.clear();
  return node_.change_members(std::move(changes)) == raft::ProposalStatus::kAccepted;
}

std::optional<Membership::Progress> Membership::progress(std::uint64_t node) const {
  const raft::Raft* raft = node_.group();
  const auto learner = learners_.find(node);
  if (raft == nullptr || learner == learners_.end()) return std::nullopt;
  const auto progress = std::ranges::find(raft->progress(), raft::NodeId{node}, &raft::Progress::node);
  if (progress == raft->progress().end()) return std::nullopt;
  const std::uint64_t match = progress->match_index.value;
  const std::uint64_t target = learner->second.target().value;
  return Progress{target > match ? target - match : 0, learner->second.round()};
}

void Membership::log_change(const std::string& what) {
  host_.log(LogLevel::kNotice, what);
}

}  // namespace redraft::replica
