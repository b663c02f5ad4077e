#pragma once

// Frames between nodes, as bytes: their kinds; numbers are little-endian. For peers.cc and admission.cc.
#include <cstddef>

namespace redraft::replica {

inline constexpr std::size_t kNonceSize = 16;

// The first byte of every frame; never renumbered.
enum FrameKind : char {
  kHelloControl = 1,  // Handshake with a nonce
  kHelloBulk = 2,
  kProof = 3,    // Handshake with the proof of the cluster secret
  kCluster = 4,  // to a member without cluster: the id of the one that it belongs to
  kMessage = 5,  // u32 length of the header, raft::encode's header, payloads
  kBulk = 6,     // snapshots (snapshots.cc)
  kStatus = 7,
  kTransfer = 8,       // hand leadership to this node
  kForward = 9,        // propose this command
  kRelay = 10,         // published messages (relay.h), on the bulk lane
  kRefusal = 11,       // u8 Refusal, then a sentence; the link is closed behind it
  kJoin = 12,          // make the sender a member; who it is, the handshake says
  kJoinAnswer = 13,    // u8 JoinAnswer::Kind, u64 node, 20 bytes of the cluster's id, text
  kInvite = 14,        // to a node that waits for it: u16 length, the host it was dialled at, the sender's address
  kChange = 15,        // change the members: u64 request, u8 kind, u8 force, u64 nodes
  kChangeAnswer = 16,  // refused: u64 request, text
  kAuditReport = 17,   // u64 index of the audit entry, the digest
};

}  // namespace redraft::replica
