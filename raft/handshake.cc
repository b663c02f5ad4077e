#include "raft/handshake.h"

#include "raft/messages.pb.h"

namespace redraft::raft {

std::string encode_handshake(const Handshake& handshake) {
  wire::Handshake proto;
  proto.mutable_protocol()->set_lowest(handshake.protocol.lowest);
  proto.mutable_protocol()->set_highest(handshake.protocol.highest);
  proto.mutable_features()->set_lowest(handshake.features.lowest);
  proto.mutable_features()->set_highest(handshake.features.highest);
  proto.set_cluster_id(handshake.cluster_id);
  proto.set_group(handshake.group.value);
  proto.set_node(handshake.node.value);
  proto.set_expected_peer(handshake.expected_peer.value);
  proto.set_incarnation(handshake.incarnation.value);
  proto.set_boot(handshake.boot);
  proto.set_address(handshake.address);
  proto.set_hostname(handshake.hostname);
  proto.set_nonce(handshake.nonce);
  proto.set_proof(handshake.proof);
  return proto.SerializeAsString();
}

Result<Handshake> decode_handshake(std::string_view bytes) {
  wire::Handshake proto;
  if (bytes.size() > kHandshakeSizeMax || !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      (proto.node() == 0 && !proto.cluster_id().empty()) || proto.protocol().lowest() > proto.protocol().highest() ||
      proto.features().lowest() > proto.features().highest()) {
    return Error{ErrorCode::kCorrupt, "not a handshake"};
  }
  Handshake handshake;
  handshake.protocol = {proto.protocol().lowest(), proto.protocol().highest()};
  handshake.features = {proto.features().lowest(), proto.features().highest()};
  handshake.cluster_id = proto.cluster_id();
  handshake.group = GroupId{proto.group()};
  handshake.node = NodeId{proto.node()};
  handshake.expected_peer = NodeId{proto.expected_peer()};
  handshake.incarnation = Incarnation{proto.incarnation()};
  handshake.boot = proto.boot();
  handshake.address = proto.address();
  handshake.hostname = proto.hostname();
  handshake.nonce = proto.nonce();
  handshake.proof = proto.proof();
  return handshake;
}

}  // namespace redraft::raft
