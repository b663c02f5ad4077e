#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/shared_bytes.h"

namespace redraft::replica {

// Published messages on their way from the node that a client gave them to, to all others. Nothing is stored or sent
// again: a message that a link loses is lost, and its number tells the receiver that one is missing, so that it can
// close the subscribers that may wait for it (redis-semantics, "Pub/sub"). Numbers count from a node's start; each side
// of a link hears the other's newest one when the link comes up.
class Relay {
 public:
  struct Message {
    bool sharded = false;
    std::string_view channel;
    std::string_view text;
  };
  // A frame for every other node: a short header and bytes that all of them share.
  using Send = std::function<void(const std::string& header, const SharedBytes& bytes)>;

  // Larger messages travel in pieces, since no peer frame is larger than an entry.
  static constexpr std::size_t kPieceSize = std::size_t{256} << 10;

  void send(const Message& message, const Send& send);
  // What to tell a node when a link to it comes up.
  [[nodiscard]] std::string greeting() const;

  // A frame from a node in its present boot. `deliver` is called for a message that is whole. False when messages of
  // that node are missing, or the frame is malformed.
  [[nodiscard]] bool receive(std::uint64_t node, std::uint64_t boot, std::string_view frame,
                             const std::function<void(const Message&)>& deliver);

 private:
  struct Heard {
    std::uint64_t boot = 0;
    std::uint64_t number = 0;  // of the newest message that came whole
    std::string pieces;        // of the next one
  };

  std::uint64_t sent_ = 0;
  std::map<std::uint64_t, Heard> heard_;  // by node
};

}  // namespace redraft::replica
