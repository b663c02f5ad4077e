#include "server/replica/joining.h"

#include <algorithm>

namespace redraft::replica {
namespace {

constexpr std::uint64_t kContactMax_us = 3'000'000;  // for one address before the next one has its turn
constexpr std::uint64_t kAskAgain_us = 300'000;      // after "later"
constexpr std::uint64_t kAnswerMax_us = 10'000'000;  // a change of members takes a commit
constexpr std::uint64_t kRefusedAgain_us = 1'000'000;
constexpr std::size_t kContactsMax = 16;

}  // namespace

void Joining::begin(std::vector<MemberAddress> contacts) {
  if (!active_) {
    host_.log(LogLevel::kNotice, contacts.empty() ? "This node waits for an invitation: CLUSTER MEET on a member"
                                                  : "This node joins the cluster of " + to_text(contacts.front()));
  }
  active_ = true;
  contacts_.assign(contacts.begin(), contacts.end());
  next_us_ = now_us_;
}

void Joining::end() {
  active_ = false;
  if (contact_ != 0) peers_.drop_contact(contact_);
  contact_ = 0;
  contacts_.clear();
}

void Joining::dial(const MemberAddress& address) {
  if (contact_ != 0) peers_.drop_contact(contact_);
  ready_ = false;
  contact_ = peers_.dial_contact(address);
  next_us_ = now_us_ + kContactMax_us;
}

void Joining::turn(Time now) {
  now_us_ = now.monotonic_us;
  if (!active_ || now_us_ < next_us_ || contacts_.empty()) return;
  if (ready_ && peers_.ask_to_join(contact_)) {
    next_us_ = now_us_ + kAnswerMax_us;
    ready_ = false;  // no answer in time: the next address
    return;
  }
  if (contact_ != 0) std::rotate(contacts_.begin(), contacts_.begin() + 1, contacts_.end());
  dial(contacts_.front());
}

void Joining::ready(std::uint64_t contact) {
  if (!active_ || contact != contact_) return;
  ready_ = true;
  next_us_ = 0;  // asks in the next turn
}

void Joining::lost(std::uint64_t contact, const std::string& reason) {
  if (contact != contact_) return;
  ready_ = false;
  if (!reason.empty()) say("The member at " + to_text(contacts_.front()) + " was not reached: " + reason);
}

void Joining::invited(const std::string& address) {
  const std::optional<MemberAddress> member = parse_member_address(address);
  if (!active_ || !member) return;
  say("Invited by the member at " + address);
  std::erase_if(contacts_, [&](const MemberAddress& known) { return known == *member; });
  contacts_.push_front(*member);
  if (contacts_.size() > kContactsMax) contacts_.pop_back();
  dial(*member);
}

void Joining::answered(std::uint64_t contact, const JoinAnswer& answer) {
  if (!active_ || contact != contact_) return;
  ready_ = true;  // the link is good for another question
  switch (answer.kind) {
    case JoinAnswer::Kind::kWelcome:
      return;  // membership.cc
    case JoinAnswer::Kind::kElsewhere: {
      const std::optional<MemberAddress> leader = parse_member_address(answer.text);
      next_us_ = now_us_ + kAskAgain_us;
      if (!leader || *leader == contacts_.front()) return;
      std::erase_if(contacts_, [&](const MemberAddress& known) { return known == *leader; });
      contacts_.push_front(*leader);
      dial(*leader);
      return;
    }
    case JoinAnswer::Kind::kLater:
      next_us_ = now_us_ + kAskAgain_us;
      return;
    case JoinAnswer::Kind::kRefused:
      say("The cluster refuses this node: " + answer.text);
      next_us_ = now_us_ + kRefusedAgain_us;
      return;
  }
}

void Joining::say(const std::string& what) {
  if (what == said_) return;
  said_ = what;
  host_.log(LogLevel::kNotice, what);
}

}  // namespace redraft::replica
