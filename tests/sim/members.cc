#include <algorithm>

#include "raft/quorum.h"
#include "raft/raft.h"
#include "tests/sim/world.h"

// Nodes that come and go: machines that join by the address of a member, are promoted by the cluster, demoted, promoted
// and forgotten by an operator, and directories that are emptied, whose nodes come back as new members.

namespace redraft::sim {
namespace {

constexpr std::uint64_t kMillisecond_us = 1000;
constexpr std::uint64_t kTend_us = 200 * kMillisecond_us;
constexpr std::uint64_t kOperatorPatience_us = 12'000'000;

std::string address_of(std::uint64_t machine) {
  return "10.0.1." + std::to_string(machine) + ":" + std::to_string(7000 + machine) + "@" +
         std::to_string(17000 + machine);
}

}  // namespace

std::optional<raft::Configuration> World::members() {
  Node* leads = leader();
  if (leads == nullptr) return std::nullopt;
  return leads->replica().raft()->committed_configuration();
}

Node* World::machine_of(std::uint64_t member) {
  for (const auto& node : nodes_) {
    if (node->up() && node->member() == member) return node.get();
  }
  return nullptr;
}

void World::join(Node& node) {
  std::vector<std::uint64_t> others;
  for (const auto& other : nodes_) {
    if (other.get() != &node && other->up() && other->member() != 0) others.push_back(other->id());
  }
  if (others.empty()) return;
  replica::Values& values = node.settings().values();
  values.node_id = 0;
  values.initial_cluster.clear();
  values.join = address_of(others[random_.below(others.size())]);
  enrolled_[node.id()] = true;
  trace_.note(schedule_.now_us(), "joins", node.id(), 0, values.join);
  if (!node.up()) node.start();
}

void World::ask(const std::string& what, std::uint64_t member) {
  if (operator_->busy()) return;
  ++changes_asked_;
  change_open_until_us_ = schedule_.now_us() + kOperatorPatience_us;
  trace_.note(schedule_.now_us(), "operator", member, 0, what);
  operator_->run({{"CLUSTER", what, std::to_string(member)}}, {.patience_us = kOperatorPatience_us},
                 [this](const std::vector<Answer>& answers) {
                   trace_.note(schedule_.now_us(), "answer", 0, 0, answers[0].reply.text);
                   // In doubt: it may stand in somebody's log, which `can_spare` looks at.
                   if (answers[0].reply.text.starts_with("INDOUBT") || answers[0].fate != Fate::kUnknown) {
                     change_open_until_us_ = 0;
                   }
                   if (answers[0].fate == Fate::kDone && answers[0].reply.text == "OK") ++changes_made_;
                 });
}

// One wish at a time. What would leave no majority, the cluster itself refuses; but it takes an election timeout to
// know that a directory is gone.
void World::change_members() {
  const std::optional<raft::Configuration> now = members();
  if (!now || now->members().empty() || !to_forget_.empty()) return;
  const std::uint64_t member = now->members()[random_.below(now->members().size())].id.value;
  const std::uint64_t wish = random_.below(6);
  if (wish < 3) {
    const auto spare = std::ranges::find_if(nodes_, [this](const auto& node) { return !enrolled_[node->id()]; });
    if (spare != nodes_.end()) join(**spare);
  } else if (wish == 3) {
    ask("FORGET", member);
  } else {
    ask(wish == 4 ? "DEMOTE" : "PROMOTE", member);
  }
}

// Whether a majority is there once those are voters that are to become it.
bool World::can_promote(const raft::Configuration& configuration, const std::function<bool(raft::NodeId)>& there) {
  std::size_t voters = 0;
  std::size_t up = 0;
  for (const raft::Member& member : configuration.members()) {
    if (!member.voter && !member.promote) continue;
    ++voters;
    up += there(member.id) ? 1 : 0;
  }
  return up > voters / 2;
}

// The fault atlas of members: whichever configuration stands in any log, committed or not, or comes of it by itself,
// has a majority of machines with their directories without that member. A change that was asked for and stands in no
// log yet is waited for.
bool World::can_spare(std::uint64_t member) {
  if (!to_forget_.empty() || schedule_.now_us() < change_open_until_us_) return false;
  const auto there = [&](raft::NodeId id) { return id.value != member && machine_of(id.value) != nullptr; };
  for (const auto& node : nodes_) {
    if (!enrolled_[node->id()]) continue;
    const raft::Raft* raft = node->up() ? node->replica().raft() : nullptr;
    if (raft == nullptr) return false;  // who knows what is in its log
    for (const raft::Configuration* one : {&raft->committed_configuration(), &raft->configuration()}) {
      if (!one->empty() && (!raft::is_quorum(*one, there) || !can_promote(*one, there))) return false;
    }
  }
  return true;
}

void World::empty(Node& node) {
  const std::uint64_t member = node.member();
  ++crashes_;
  node.cut_power();
  node.wipe();
  old_files_.erase(node.id());
  to_forget_.insert(member);
  ++wiped_;
  trace_.note(schedule_.now_us(), "wiped", node.id(), member);
}

// As good as the end of that member for ever. One at a time.
void World::wipe_one() {
  const std::optional<raft::Configuration> now = members();
  Node& node = any_node();
  if (!now || !node.up() || node.member() == 0 || !now->contains(raft::NodeId{node.member()})) return;
  const std::uint64_t member = node.member();
  if (!can_spare(member)) return;
  empty(node);
  // With --initial-cluster as before, or by the address of a member.
  if (plan_.nodes == 1 || random_.chance(1, 2)) join(node);
  restart_later(node);
}

// What an operator does sooner or later: takes those that are gone for ever out of the cluster, and clears the machines
// of those that were forgotten.
void World::tend_members() {
  if (const std::optional<raft::Configuration> now = members(); now) {
    std::erase_if(to_forget_, [&now](std::uint64_t member) { return !now->contains(raft::NodeId{member}); });
    if (!to_forget_.empty()) ask("FORGET", *to_forget_.begin());
    for (const auto& node : nodes_) {
      const raft::NodeId id{node->member()};
      if (id.value == 0 || now->contains(id) || id > now->highest_id()) continue;
      node->kill();
      node->wipe();
      old_files_.erase(node->id());
      enrolled_[node->id()] = false;
    }
  }
  schedule_.after(kTend_us, [this] { tend_members(); });
}

// Every machine that is to be a member is one, and every member is a machine that runs.
bool World::members_settled() {
  const std::optional<raft::Configuration> now = members();
  if (!now || !to_forget_.empty()) return false;
  for (const auto& node : nodes_) {
    if (enrolled_[node->id()] && (node->member() == 0 || !now->contains(raft::NodeId{node->member()}))) return false;
  }
  // A directory that was emptied before the answer to its wish to join came leaves a learner that nobody is.
  for (const raft::Member& member : now->members()) {
    if (machine_of(member.id.value) == nullptr) to_forget_.insert(member.id.value);
  }
  return to_forget_.empty();
}

// Whoever was to join at an address where nobody is any more is told another one.
void World::settle_members() {
  constexpr std::uint64_t kPatience_us = 20'000'000;
  for (int i = 0; i < 4 && !broken_; ++i) {
    if (run_until(kPatience_us, [this] { return members_settled(); })) return;
    for (const auto& node : nodes_) {
      if (!enrolled_[node->id()] || !node->up() || node->member() != 0) continue;
      node->kill();
      join(*node);
    }
  }
  break_off("members and machines do not agree although all is well:" + describe_members());
}

// For whoever has to find out why: each machine, and the members that its process takes for such.
std::string World::describe_members() {
  std::string text;
  for (const auto& node : nodes_) {
    text += "\n  machine " + std::to_string(node->id());
    if (!enrolled_[node->id()]) text += ", not enrolled";
    const raft::Raft* raft = node->up() ? node->replica().raft() : nullptr;
    if (raft == nullptr) {
      text += ", no process with a log";
      continue;
    }
    text += ", member " + std::to_string(raft->id().value) + ", term " + std::to_string(raft->term().value);
    if (raft->is_leader()) text += ", leads";
    if (!raft->may_vote()) text += ", has a hole";
    text += ", entries to " + std::to_string(raft->last_index().value) + ", committed to " +
            std::to_string(raft->commit_index().value) + ", members of entry " +
            std::to_string(raft->configuration_index().value) + ":";
    for (const raft::Member& member : raft->configuration().members()) {
      text += " " + std::to_string(member.id.value) + (member.voter ? "" : "-learner") +
              (member.outgoing_voter ? "-outgoing" : "");
    }
  }
  return text;
}

}  // namespace redraft::sim
