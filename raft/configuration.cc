#include "raft/configuration.h"

#include <algorithm>

#include "base/check.h"

namespace redraft::raft {

Configuration::Configuration(std::string cluster_id, std::vector<Member> members, NodeId highest_id)
    : cluster_id_(std::move(cluster_id)), members_(std::move(members)), highest_id_(highest_id) {
  std::sort(members_.begin(), members_.end(), [](const Member& a, const Member& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < members_.size(); ++i) {
    ensure(members_[i - 1].id != members_[i].id, "a configuration lists each member once");
  }
  if (!members_.empty()) highest_id_ = std::max(highest_id_, members_.back().id);
  is_joint_ = std::any_of(members_.begin(), members_.end(), [](const Member& member) { return member.outgoing_voter; });
}

const Member* Configuration::find(NodeId id) const {
  // A handful of members: scanning beats searching.
  for (const Member& member : members_) {
    if (member.id == id) return &member;
  }
  return nullptr;
}

bool Configuration::is_voter(NodeId id) const {
  const Member* member = find(id);
  return member != nullptr && (member->voter || member->outgoing_voter);
}

bool Configuration::is_recorded(NodeId id, Incarnation incarnation) const {
  const Member* member = find(id);
  return member != nullptr && member->incarnation == incarnation;
}

void ConfigurationHistory::reset(LogIndex index, Configuration configuration) {
  history_.clear();
  history_.emplace_back(index, std::move(configuration));
}

void ConfigurationHistory::append(LogIndex index, Configuration configuration) {
  ensure(index > newest_index(), "configurations are appended in log order");
  history_.emplace_back(index, std::move(configuration));
}

bool ConfigurationHistory::truncate_from(LogIndex index) {
  bool changed = false;
  while (history_.size() > 1 && newest_index() >= index) {
    history_.pop_back();
    changed = true;
  }
  return changed;
}

void ConfigurationHistory::compact_to(LogIndex index) {
  std::size_t superseded = 0;
  while (superseded + 1 < history_.size() && history_[superseded + 1].first <= index) ++superseded;
  history_.erase(history_.begin(), history_.begin() + static_cast<std::ptrdiff_t>(superseded));
}

const Configuration& ConfigurationHistory::at(LogIndex index) const {
  for (std::size_t i = history_.size(); i > 1; --i) {
    if (history_[i - 1].first <= index) return history_[i - 1].second;
  }
  return history_.front().second;
}

}  // namespace redraft::raft
