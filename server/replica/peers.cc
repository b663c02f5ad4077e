#include "server/replica/peers.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/little_endian.h"
#include "base/planted.h"
#include "server/replica/peer_frames.h"

namespace redraft::replica {
namespace {

// As long as a connection may have unacknowledged bytes (server/net/peer_network.cc).
constexpr std::uint64_t kHandshakeMax_us = 2'000'000;

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return port;
}

}  // namespace

std::optional<MemberAddress> parse_member_address(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t colon = text.substr(0, at).rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint16_t> port = parse_port(text.substr(colon + 1, at - colon - 1));
  const std::optional<std::uint16_t> peer_port = parse_port(text.substr(at + 1));
  if (!port || !peer_port) return std::nullopt;
  return MemberAddress{std::string(text.substr(0, colon)), *port, *peer_port};
}

std::string to_text(const MemberAddress& address) {
  return address.host + ":" + std::to_string(address.port) + "@" + std::to_string(address.peer_port);
}

std::string to_hex(const ClusterId& id) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : id) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

Peers::Peers(Host& host, const Settings& settings, Listener& listener)
    : host_(host), settings_(settings), listener_(listener) {}

Peers::~Peers() = default;

bool Peers::has_cluster() const {
  return identity_.cluster_id != ClusterId{};
}

std::string Peers::cluster_hex() const {
  return has_cluster() ? to_hex(identity_.cluster_id) : std::string();
}

void Peers::set_identity(const wal::Identity& identity) {
  const bool another = identity_.incarnation != 0 &&
                       (identity.cluster_id != identity_.cluster_id || identity.node_id != identity_.node_id);
  identity_ = identity;
  if (!another) return;
  // Every handshake so far said something else: shake hands anew.
  std::vector<LinkId> all;
  for (const auto& [id, link] : links_) all.push_back(link.id);
  for (const LinkId id : all) {
    host_.close_link(id);
    link_down(id, false);
  }
}

void Peers::set_members(std::span<const PeerAddress> members) {
  std::vector<PeerAddress> others;
  for (const PeerAddress& member : members) {
    // An emptied directory has joined under a new id; the old one's record still says this address.
    const bool here = member.host == own_address_.host && member.peer_port == own_address_.peer_port;
    if (member.node != identity_.node_id && !here) others.push_back(member);
  }
  if (others == members_) return;
  members_ = std::move(others);
  // Whoever is now recorded where it said it was.
  std::erase_if(adopted_, [&](const auto& one) { return std::ranges::find(members_, one.second) != members_.end(); });
  dial();
}

void Peers::dial() {
  std::vector<PeerAddress> all;
  for (const PeerAddress& member : members_) {
    if (!adopted_.contains(member.node)) all.push_back(member);
  }
  for (const auto& [node, address] : adopted_) all.push_back(address);
  for (const auto& [number, contact] : contacts_)
    all.push_back({number, contact.address.host, contact.address.peer_port});
  host_.set_peers(all);
}

void Peers::set_configuration(const raft::Configuration& configuration, const raft::Configuration& committed) {
  configuration_ = configuration;
  committed_ = committed;
  const std::size_t gone = std::erase_if(adopted_, [&](const auto& one) {
    return one.first <= configuration.highest_id().value && !configuration.contains(raft::NodeId{one.first});
  });
  if (gone != 0) dial();
  std::vector<LinkId> all;
  for (const auto& [id, link] : links_) all.push_back(link.id);
  for (const LinkId id : all) {
    Link* link = find(id);
    if (link == nullptr || !link->proven || link->peer.node.value == 0) continue;
    std::string reason;
    const Refusal why = standing(link->peer, reason);
    if (!reason.empty()) {
      refuse(*link, why, reason);  // removed meanwhile: it is told (pitfall D4)
    } else {
      offer_cluster(*link);  // shook hands before the first configuration was there
    }
  }
}

Peers::Link* Peers::find(LinkId id) {
  const auto found = links_.find(id.value);
  return found == links_.end() ? nullptr : &found->second;
}

Peers::Link* Peers::sending_link(std::uint64_t node, Lane lane) {
  const auto peer = peers_.find(node);
  if (peer == peers_.end()) return nullptr;
  const std::optional<LinkId>& id = lane == Lane::kControl ? peer->second.control : peer->second.bulk;
  if (!id) return nullptr;
  Link* link = find(*id);
  return link != nullptr && link->ready ? link : nullptr;
}

// ---- Links and handshake

void Peers::link_up(LinkId id, std::uint64_t dialled_node, Lane lane, Time now) {
  // Still loading: this node does not know yet who it is. The peer dials again.
  if (identity_.incarnation == 0) {
    host_.close_link(id);
    return;
  }
  learn_own_host(id);
  Link& link = links_[id.value];
  link = {};
  link.id = id;
  link.lane = lane;
  link.dialled_node = dialled_node;
  link.since_us = now.monotonic_us;
  link.nonce.resize(kNonceSize);
  host_.random_bytes(std::span(link.nonce.data(), link.nonce.size()));
  if (dialled_node != 0) send_handshake(link, false);
}

// Found by redraft-sim --first 402144: a power cut in mid-handshake left a link that nobody closed.
void Peers::advance(Time now) {
  std::vector<LinkId> silent;
  for (const auto& [id, link] : links_) {
    if (!link.proven && now.monotonic_us >= link.since_us + kHandshakeMax_us) silent.push_back(link.id);
  }
  for (const LinkId id : silent) {
    if (Link* link = find(id)) refuse(*link, "can not be heard: no handshake within two seconds");
  }
}

void Peers::send_handshake(Link& link, bool with_proof) {
  raft::Handshake own;
  own.cluster_id = cluster_hex();
  own.node = raft::NodeId{identity_.node_id};
  own.expected_peer = raft::NodeId{link.dialled_node < kContactBase ? link.dialled_node : 0};
  own.incarnation = raft::Incarnation{identity_.incarnation};
  own.boot = identity_.boot;
  own.address = to_text(own_address_);
  own.hostname = settings_.values().announce_hostname;
  own.nonce = link.nonce;
  if (with_proof) own.proof = proof_of(link.peer_nonce, link.nonce, identity_.node_id);
  Frame frame;
  frame.header.push_back(with_proof ? kProof : (link.lane == Lane::kControl ? kHelloControl : kHelloBulk));
  frame.header += raft::encode_handshake(own);
  host_.send(link.id, std::move(frame));
}

std::string Peers::proof_of(const std::string& to_nonce, const std::string& from_nonce, std::uint64_t node) const {
  std::string text = "redraft-peer-1";
  text += to_nonce;
  text += from_nonce;
  append_little<std::uint64_t>(text, node);
  const std::string& secret = settings_.values().cluster_secret;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* done =
      HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes, text.size(), digest.data(), &size);
  ensure(done != nullptr, "an HMAC over a short text succeeds");
  return {reinterpret_cast<const char*>(digest.data()), size};
}

void Peers::link_input(LinkId id, SharedBytes frame, Time now) {
  Link* link = find(id);
  if (link == nullptr || frame.empty()) return;
  const std::string_view body = frame.view().substr(1);
  const char kind = frame.view().front();
  if (kind == kHelloControl || kind == kHelloBulk) {
    if (link->dialled_node == 0) link->lane = kind == kHelloControl ? Lane::kControl : Lane::kBulk;
    receive_hello(*link, body);
    return;
  }
  if (kind == kProof) {
    receive_proof(*link, body, now);
    return;
  }
  if (!link->proven) {
    refuse(*link, "sent a frame before it had proven who it is");
    return;
  }
  if (receive_newcomers(*link, kind, body)) return;
  if (kind == kCluster) {
    receive_cluster(*link, body);
    return;
  }
  if (link->ready) receive_frame(*link, kind, frame);
}

void Peers::receive_frame(Link& link, char kind, const SharedBytes& frame) {
  const std::string_view body = frame.view().substr(1);
  switch (kind) {
    case kMessage:
      receive_message(link, frame);
      return;
    case kBulk:
      listener_.bulk_frame(link.node, frame.slice(1, frame.size() - 1));
      return;
    case kStatus:
      if (body.size() == 24) {
        listener_.peer_status(link.node,
                              {load_little<std::uint64_t>(body.data()), load_little<std::uint64_t>(body.data() + 8),
                               load_little<std::uint64_t>(body.data() + 16)});
      }
      return;
    case kTransfer:
      if (body.size() == 8) listener_.transfer_asked(load_little<std::uint64_t>(body.data()));
      return;
    case kForward:
      listener_.settings_forwarded(frame.slice(1, frame.size() - 1));
      return;
    case kAuditReport:
      if (body.size() >= 8) {
        listener_.audit_reported(link.node, load_little<std::uint64_t>(body.data()), std::string(body.substr(8)));
      }
      return;
    case kRelay:
      listener_.relay_frame(link.node, link.peer.boot, frame.slice(1, frame.size() - 1));
      return;
    default:
      refuse(link, "sent a frame of an unknown kind");
  }
}

void Peers::receive_hello(Link& link, std::string_view bytes) {
  Result<raft::Handshake> peer = raft::decode_handshake(bytes);
  if (!peer) {
    refuse(link, "sent a malformed handshake");
    return;
  }
  link.peer = std::move(*peer);
  link.peer_nonce = link.peer.nonce;
  if (const std::string reason = objection(link.peer); !reason.empty()) {
    if (link.dialled_node == 0) send_handshake(link, false);  // who dialled can tell by it what is wrong
    refuse(link, reason);
    return;
  }
  if (link.dialled_node == 0) send_handshake(link, false);
  send_handshake(link, true);
}

void Peers::receive_proof(Link& link, std::string_view bytes, Time now) {
  Result<raft::Handshake> peer = raft::decode_handshake(bytes);
  if (!peer || link.peer_nonce.empty() || peer->nonce != link.peer_nonce || peer->node != link.peer.node ||
      peer->cluster_id != link.peer.cluster_id || peer->incarnation != link.peer.incarnation) {
    refuse(link, "sent a proof that does not go with its handshake");
    return;
  }
  const std::string expected = proof_of(link.nonce, link.peer_nonce, peer->node.value);
  if (peer->proof.size() != expected.size() ||
      CRYPTO_memcmp(peer->proof.data(), expected.data(), expected.size()) != 0) {
    refuse(link, "does not know the cluster-secret");
    return;
  }
  if (const std::string reason = objection(*peer); !reason.empty()) {
    refuse(link, reason);
    return;
  }
  link.proven = true;
  std::string reason;
  const Refusal why = standing(*peer, reason);
  if (!reason.empty()) {
    refuse(link, why, reason);
    return;
  }
  become_ready(link, now);
}

void Peers::become_ready(Link& link, Time now) {
  if (link.dialled_node >= kContactBase) {
    const auto contact = contacts_.find(link.dialled_node);
    if (contact == contacts_.end() || link.lane != Lane::kControl) return;
    contact->second.link = link.id;
    newcomers_->contact_ready(contact->first, link.peer);
    return;
  }
  link.node = link.peer.node.value;
  if (link.node == 0) return;  // wants to join; it says so by itself
  Peer& peer = peers_[link.node];
  if (peer.incarnation != link.peer.incarnation) peer.boot = 0;
  peer.incarnation = link.peer.incarnation;
  peer.boot = std::max(peer.boot, link.peer.boot);
  peer.cluster_id = link.peer.cluster_id;
  peer.address = link.peer.address;
  peer.hostname = link.peer.hostname;
  link.ready = has_cluster() && link.peer.cluster_id == cluster_hex();
  if (!has_cluster()) {
    try_bootstrap();
    return;
  }
  if (link.dialled_node == 0) {
    adopt(link);
    return;
  }
  if (!link.ready) {
    offer_cluster(link);
    return;
  }
  (link.lane == Lane::kControl ? peer.control : peer.bulk) = link.id;
  if (link.lane == Lane::kControl) {
    peer.since_ms = now.wall_ms;
    peer.was_ready = true;
    listener_.peer_ready(link.node);
  } else {
    listener_.relay_ready(link.node);
  }
}

// To a member that has no cluster yet, once the first configuration is on disk here. `objection` made sure that it is
// the recorded incarnation.
void Peers::offer_cluster(Link& link) {
  if (link.node == 0 || link.dialled_node == 0 || !link.peer.cluster_id.empty()) return;
  const bool unchecked = planted::is(planted::Bug::kIncarnationUnchecked);
  if (!configuration_.is_recorded(link.peer.node, link.peer.incarnation) && !unchecked) return;
  Frame frame;
  frame.header.push_back(kCluster);
  frame.header.append(reinterpret_cast<const char*>(identity_.cluster_id.data()), identity_.cluster_id.size());
  host_.send(link.id, std::move(frame));
}

void Peers::link_down(LinkId id, bool garbled) {
  const auto found = links_.find(id.value);
  if (found == links_.end()) return;
  const Link link = std::move(found->second);
  if (garbled) log_refusal(link, "sent what is no frame; a client that uses the port of the peers?");
  links_.erase(found);
  if (const auto contact = contacts_.find(link.dialled_node); contact != contacts_.end()) {
    contact->second.link.reset();
    newcomers_->contact_lost(contact->first, {});
  }
  const auto peer = peers_.find(link.node);
  if (link.node == 0 || peer == peers_.end()) return;
  if (peer->second.bulk == link.id) peer->second.bulk.reset();
  if (peer->second.control == link.id) {
    peer->second.control.reset();
    listener_.peer_lost(link.node);
  }
}

void Peers::dial_failed(std::uint64_t node, Lane lane, bool refused) {
  if (contacts_.contains(node) && lane == Lane::kControl) {
    newcomers_->contact_lost(node, refused ? "nobody listens there" : "it can not be reached");
    return;
  }
  const auto peer = peers_.find(node);
  if (!refused || lane != Lane::kControl || peer == peers_.end() || !peer->second.was_ready) return;
  peer->second.was_ready = false;
  listener_.peer_refused(node);
}

// ---- Forming a cluster

// The member with the lowest id founds it, once it has shaken hands with every initial member and all are without
// cluster: a wiped node alone can not make a second cluster (storage-faults row 16, pitfall D10).
void Peers::try_bootstrap() {
  if (identity_.node_id == 0) return;  // it waits for an invitation
  std::vector<raft::Member> members;
  raft::Member self;
  self.id = raft::NodeId{identity_.node_id};
  self.incarnation = raft::Incarnation{identity_.incarnation};
  self.address = to_text(own_address_);
  self.hostname = settings_.values().announce_hostname;
  self.voter = true;
  members.push_back(self);
  for (const PeerAddress& initial : members_) {
    const auto peer = peers_.find(initial.node);
    if (initial.node < identity_.node_id || peer == peers_.end() || !peer->second.cluster_id.empty()) return;
    raft::Member member;
    member.id = raft::NodeId{initial.node};
    member.incarnation = peer->second.incarnation;
    member.address = peer->second.address;
    member.hostname = peer->second.hostname;
    member.voter = true;
    members.push_back(member);
  }
  ClusterId cluster;
  host_.random_bytes(std::span(reinterpret_cast<char*>(cluster.data()), cluster.size()));
  cluster[0] |= 1;  // never the id that means none
  listener_.cluster_agreed(cluster, raft::Configuration(to_hex(cluster), std::move(members)));
}

void Peers::receive_cluster(Link& link, std::string_view bytes) {
  ClusterId cluster;
  if (bytes.size() != cluster.size()) {
    refuse(link, "sent a malformed cluster id");
    return;
  }
  if (has_cluster()) return;
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(cluster.data()));
  listener_.cluster_agreed(cluster, {});
}

// ---- Frames

bool Peers::send(const raft::Envelope& envelope) {
  Link* link = sending_link(envelope.to.value, Lane::kControl);
  if (link == nullptr) return false;
  raft::encode(envelope, frame_);
  Frame frame;
  frame.header.reserve(5 + frame_.header.size());
  frame.header.push_back(kMessage);
  append_little<std::uint32_t>(frame.header, static_cast<std::uint32_t>(frame_.header.size()));
  frame.header += frame_.header;
  frame.payloads = std::move(frame_.payloads);
  return host_.send(link->id, std::move(frame));
}

void Peers::receive_message(Link& link, const SharedBytes& frame) {
  const std::string_view bytes = frame.view();
  const std::size_t size = bytes.size() < 5 ? 0 : load_little<std::uint32_t>(bytes.data() + 1);
  if (bytes.size() < 5 || size > bytes.size() - 5) {
    refuse(link, "sent a message without a whole header");
    return;
  }
  Result<raft::Envelope> envelope = raft::decode(bytes.substr(5, size), frame.slice(5 + size, bytes.size() - 5 - size));
  if (!envelope) {
    refuse(link, "sent a message that can not be read: " + envelope.error().message);
    return;
  }
  // Nobody speaks for another node, group or incarnation (pitfall B13).
  if (envelope->from.value != link.node || envelope->incarnation != link.peer.incarnation ||
      envelope->to.value != identity_.node_id) {
    refuse(link, "sent a message in another node's name");
    return;
  }
  listener_.peer_message(std::move(*envelope));
}

bool Peers::send_bulk(std::uint64_t to, std::string header, SharedBytes bytes) {
  Link* link = sending_link(to, Lane::kBulk);
  if (link == nullptr) return false;
  Frame frame;
  frame.header.push_back(kBulk);
  frame.header += header;
  if (!bytes.empty()) frame.payloads.push_back(std::move(bytes));
  return host_.send(link->id, std::move(frame));
}

bool Peers::send_relay(std::uint64_t to, const std::string& header, const SharedBytes& bytes) {
  Link* link = sending_link(to, Lane::kBulk);
  if (link == nullptr) return false;
  Frame frame;
  frame.header.push_back(kRelay);
  frame.header += header;
  if (!bytes.empty()) frame.payloads.push_back(bytes);
  return host_.send(link->id, std::move(frame));
}

void Peers::send_status(const PeerStatus& status) {
  for (const auto& [node, peer] : peers_) send_status_to(node, status);
}

bool Peers::send_status_to(std::uint64_t node, const PeerStatus& status) {
  Link* link = sending_link(node, Lane::kControl);
  if (link == nullptr) return false;
  Frame frame;
  frame.header.push_back(kStatus);
  append_little<std::uint64_t>(frame.header, status.wall_ms);
  append_little<std::uint64_t>(frame.header, status.applied_index);
  append_little<std::uint64_t>(frame.header, status.clock_ms);
  return host_.send(link->id, std::move(frame));
}

bool Peers::ask_transfer(std::uint64_t leader, std::uint64_t to_node) {
  Link* link = sending_link(leader, Lane::kControl);
  if (link == nullptr) return false;
  Frame frame;
  frame.header.push_back(kTransfer);
  append_little<std::uint64_t>(frame.header, to_node);
  return host_.send(link->id, std::move(frame));
}

bool Peers::forward(std::uint64_t leader, const std::string& command) {
  Link* link = sending_link(leader, Lane::kControl);
  if (link == nullptr) return false;
  Frame frame;
  frame.header.push_back(kForward);
  frame.header += command;
  return host_.send(link->id, std::move(frame));
}

bool Peers::report_audit(std::uint64_t leader, std::uint64_t index, std::string_view digest) {
  std::string body;
  append_little<std::uint64_t>(body, index);
  body += digest;
  return send_small_to(leader, kAuditReport, body);
}

Peers::View Peers::view(std::uint64_t node) const {
  const auto peer = peers_.find(node);
  if (peer == peers_.end() || !peer->second.control) return {};
  return {true, peer->second.since_ms, host_.unsent_bytes(*peer->second.control)};
}

std::size_t Peers::unsent_bulk(std::uint64_t node) const {
  const auto peer = peers_.find(node);
  return peer == peers_.end() || !peer->second.bulk ? 0 : host_.unsent_bytes(*peer->second.bulk);
}

}  // namespace redraft::replica
