#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "raft/types.h"

namespace redraft::raft {

// The versions or features a build understands; two peers talk in the highest common one.
struct VersionRange {
  std::uint32_t lowest = 1;
  std::uint32_t highest = 1;
  friend bool operator==(const VersionRange&, const VersionRange&) = default;
};

// The first frame in each direction of a peer link: who is speaking, in which life. The proof is an HMAC of the cluster
// secret over the peer's nonce; computing and checking it is the link's matter, as is refusing a boot number lower than
// one seen before (architecture, identity).
struct Handshake {
  VersionRange protocol;
  VersionRange features;
  std::string cluster_id;  // empty: belongs to none yet
  GroupId group;
  NodeId node;           // 0: the speaker wants to join a cluster that will give it an id
  NodeId expected_peer;  // whom the speaker believes to reach; 0: does not know
  Incarnation incarnation;
  std::uint64_t boot = 0;
  std::string address;   // where the speaker can be reached
  std::string hostname;  // what it announces beside it
  std::string nonce;
  std::string proof;  // empty in the first of the two steps
  friend bool operator==(const Handshake&, const Handshake&) = default;
};

inline constexpr std::size_t kHandshakeSizeMax = 4096;

[[nodiscard]] std::string encode_handshake(const Handshake& handshake);
// kCorrupt: not a handshake, or beyond kHandshakeSizeMax.
[[nodiscard]] Result<Handshake> decode_handshake(std::string_view bytes);

}  // namespace redraft::raft
