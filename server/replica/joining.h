#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "server/replica/peers.h"

namespace redraft::replica {

// A node without a cluster on its way into one: it asks the addresses it was given, one after the other, follows the
// answers to the leader, and asks again until it is a member. Asking twice does no harm: the leader knows it by its
// incarnation.
class Joining {
 public:
  Joining(Host& host, Peers& peers) : host_(host), peers_(peers) {}

  // May be called again. Without addresses it waits for an invitation (CLUSTER MEET on a member).
  void begin(std::vector<MemberAddress> contacts);
  void end();
  [[nodiscard]] bool active() const { return active_; }
  void turn(Time now);

  // As Peers::Newcomers, of this node's contact.
  void ready(std::uint64_t contact);
  void lost(std::uint64_t contact, const std::string& reason);
  void invited(const std::string& address);
  void answered(std::uint64_t contact, const JoinAnswer& answer);

 private:
  void dial(const MemberAddress& address);
  void say(const std::string& what);

  Host& host_;
  Peers& peers_;
  bool active_ = false;
  std::deque<MemberAddress> contacts_;  // the front is dialled; each try that fails puts it at the back
  std::uint64_t contact_ = 0;           // 0: none
  bool ready_ = false;
  std::uint64_t now_us_ = 0;
  std::uint64_t next_us_ = 0;  // when to ask again, or somebody else
  std::string said_;           // the newest line of the log
};

}  // namespace redraft::replica
