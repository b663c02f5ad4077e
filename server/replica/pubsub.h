#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/replica/pushes.h"

namespace redraft::replica {

// Who listens to what on this node (redis.io/docs/interact/pubsub). Every node has its own; a message reaches the
// others over the peer links (relay.h). Sessions are borrowed: `forget` comes before one goes.
class PubSub {
 public:
  enum class Kind : std::uint8_t { kChannel, kPattern, kShardChannel };

  explicit PubSub(Pushes& pushes) : pushes_(pushes) {}

  // False when it was so already.
  bool subscribe(Session& session, Kind kind, std::string_view name);
  bool unsubscribe(Session& session, Kind kind, std::string_view name);
  void forget(Session& session);

  // To this node's subscribers; returns how many got it. A client that listens to the channel and to a matching pattern
  // gets it twice and counts twice.
  std::uint64_t publish(std::string_view channel, std::string_view message, bool sharded);

  // Names that somebody listens to, in their order.
  [[nodiscard]] std::vector<std::string_view> names(Kind kind) const;
  [[nodiscard]] std::uint64_t subscribers(Kind kind, std::string_view name) const;
  [[nodiscard]] bool any() const { return !channels_.empty() || !patterns_.empty() || !shard_channels_.empty(); }
  [[nodiscard]] bool listens(Kind kind) const { return !listeners(kind).empty(); }
  [[nodiscard]] std::size_t pattern_count() const { return patterns_.size(); }

  // What a session listens to; no names when it never did.
  [[nodiscard]] static const Subscriptions::Names& names_of(const Session& session, Kind kind);

 private:
  // By id, so that the order of delivery does not depend on addresses.
  using Listeners = std::map<std::string, std::map<std::uint64_t, Session*>, std::less<>>;
  [[nodiscard]] Listeners& listeners(Kind kind);
  [[nodiscard]] const Listeners& listeners(Kind kind) const;
  std::uint64_t send_all(const std::map<std::uint64_t, Session*>& sessions, std::string_view word,
                         std::string_view pattern, std::string_view channel, std::string_view message);

  Pushes& pushes_;
  Listeners channels_;
  Listeners patterns_;
  Listeners shard_channels_;
};

}  // namespace redraft::replica
