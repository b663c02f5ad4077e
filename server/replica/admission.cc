#include <algorithm>

#include "base/little_endian.h"
#include "base/planted.h"
#include "server/replica/peer_frames.h"
#include "server/replica/peers.h"

// Who may be a peer and who is told why not; and the frames by which nodes come, leave and are changed (membership.h).

namespace redraft::replica {
namespace {

// A peer that is refused dials again twice a second; the operator reads of it once.
constexpr std::size_t kToldMax = 64;

}  // namespace

// Why this speaker is not listened to, or nothing. What only the proof of the secret entitles to know is `standing`'s.
std::string Peers::objection(const raft::Handshake& peer) const {
  if (peer.protocol.lowest > 1 || peer.protocol.highest < 1) return "speaks another version of the peer protocol";
  if (peer.expected_peer.value != 0 && peer.expected_peer.value != identity_.node_id) {
    return "looks for node " + std::to_string(peer.expected_peer.value) + " at the address of this node";
  }
  if (peer.node.value == 0 && !has_cluster()) return "wants to join, but this node belongs to no cluster itself";
  if (has_cluster() && !peer.cluster_id.empty() && peer.cluster_id != cluster_hex()) {
    return "belongs to cluster " + peer.cluster_id + ", this node to " + cluster_hex();
  }
  if (peer.node.value == identity_.node_id) return "says it is this node itself";
  if (peer.nonce.size() != kNonceSize) return "has a nonce of the wrong size";
  const auto known = peers_.find(peer.node.value);
  if (known != peers_.end() && known->second.incarnation == peer.incarnation && peer.boot < known->second.boot) {
    return "has boot number " + std::to_string(peer.boot) + " after " + std::to_string(known->second.boot) +
           " was seen: its directory is an old copy";
  }
  return {};
}

// What a proven peer is to this cluster; a sentence in `reason` if nothing. Only ids beyond all that this node knows of
// may be members that an entry it lacks has added; a lower one that the committed configuration does not list has been
// removed, since ids are not used twice (pitfalls D4, D10).
Refusal Peers::standing(const raft::Handshake& peer, std::string& reason) const {
  if (configuration_.empty() || peer.node.value == 0) return Refusal::kOther;
  const raft::Member* member = configuration_.find(peer.node);
  if (member == nullptr) member = committed_.find(peer.node);
  const bool unchecked = planted::is(planted::Bug::kIncarnationUnchecked);
  if (member != nullptr && (member->incarnation == peer.incarnation || unchecked)) return Refusal::kOther;
  if (member != nullptr) {
    reason =
        "is another incarnation than the member of that id: its directory was emptied or replaced, and must join as a "
        "new member";
    return peer.cluster_id.empty() ? Refusal::kNoMember : Refusal::kOther;
  }
  if (peer.cluster_id.empty()) {
    reason = "is not a member of this cluster, and must join it first";
    return Refusal::kNoMember;
  }
  if (peer.node > committed_.highest_id()) return Refusal::kOther;
  reason = "was removed from this cluster";
  return Refusal::kRemoved;
}

void Peers::refuse(Link& link, Refusal why, const std::string& reason) {
  std::string body(1, static_cast<char>(why));
  body += "node " + std::to_string(link.peer.node.value) + " " + reason;
  send_small(link.id, kRefusal, body);
  refuse(link, reason);
}

// Once as a warning, not for each attempt of a peer that keeps trying.
void Peers::log_refusal(const Link& link, const std::string& reason) {
  const std::uint64_t who = link.peer.node.value != 0 ? link.peer.node.value : link.dialled_node;
  const bool contact = who >= kContactBase;
  const std::string name = who == 0 || contact ? std::string("the peer") : "node " + std::to_string(who);
  if (told_.size() > kToldMax) told_.clear();
  std::string& told = told_[name];
  host_.log(told == reason ? LogLevel::kVerbose : LogLevel::kWarning, "Peer link refused: " + name + " " + reason);
  told = reason;
}

void Peers::refuse(Link& link, const std::string& reason) {
  log_refusal(link, reason);
  const LinkId id = link.id;
  const std::uint64_t dialled = link.dialled_node;
  link.dialled_node = 0;  // told once, with the reason
  host_.close_link(id);
  link_down(id, false);
  if (dialled < kContactBase) return;
  if (const auto found = contacts_.find(dialled); found != contacts_.end()) {
    found->second.link.reset();
    newcomers_->contact_lost(dialled, "it " + reason);
  }
}

// A member that this node's configuration lists elsewhere, or not yet: answers to it need a link that is dialled from
// here, so it is dialled where it says it is. The leader makes that the recorded address (membership.cc).
void Peers::adopt(const Link& link) {
  if (!link.ready || link.lane != Lane::kControl) return;
  const std::optional<MemberAddress> address = parse_member_address(link.peer.address);
  if (!address || address->peer_port == 0) return;
  const PeerAddress announced{link.node, address->host, address->peer_port};
  if (std::ranges::find(members_, announced) != members_.end()) {
    if (adopted_.erase(link.node) != 0) dial();
    return;
  }
  if (const auto known = adopted_.find(link.node); known != adopted_.end() && known->second == announced) return;
  adopted_[link.node] = announced;
  dial();
}

void Peers::set_own_address(const MemberAddress& address, bool guessed) {
  own_address_ = address;
  own_host_guessed_ = guessed;
}

// Nothing names this node's host: the end of a link from another machine does.
void Peers::learn_own_host(LinkId link) {
  if (!own_host_guessed_) return;
  const std::string host = host_.local_host(link);
  if (host.empty() || host.starts_with("127.") || host == "::1" || !own_address_.host.starts_with("127.")) return;
  own_address_.host = host;
}

std::optional<Peers::Announcement> Peers::announced(std::uint64_t node) const {
  const auto peer = peers_.find(node);
  if (peer == peers_.end() || peer->second.incarnation.value == 0) return std::nullopt;
  return Announcement{peer->second.incarnation, peer->second.address, peer->second.hostname};
}

// ---- Contacts

std::uint64_t Peers::dial_contact(const MemberAddress& address) {
  const std::uint64_t number = next_contact_++;
  contacts_[number].address = address;
  dial();
  return number;
}

void Peers::drop_contact(std::uint64_t number) {
  const auto contact = contacts_.find(number);
  if (contact == contacts_.end()) return;
  contacts_.erase(contact);
  dial();
}

bool Peers::ask_to_join(std::uint64_t number) {
  const auto contact = contacts_.find(number);
  return contact != contacts_.end() && contact->second.link && send_small(*contact->second.link, kJoin, {});
}

bool Peers::invite(std::uint64_t number) {
  const auto contact = contacts_.find(number);
  if (contact == contacts_.end() || !contact->second.link) return false;
  const std::string& host = contact->second.address.host;
  std::string body;
  body.push_back(static_cast<char>(host.size() & 0xffU));
  body.push_back(static_cast<char>(host.size() >> 8U));
  body += host + to_text(own_address_);
  return send_small(*contact->second.link, kInvite, body);
}

bool Peers::answer_join(LinkId link, const JoinAnswer& answer) {
  std::string body(1, static_cast<char>(answer.kind));
  append_little<std::uint64_t>(body, answer.node);
  body.append(reinterpret_cast<const char*>(answer.cluster.data()), answer.cluster.size());
  body += answer.text;
  return find(link) != nullptr && send_small(link, kJoinAnswer, body);
}

bool Peers::ask_change(std::uint64_t leader, std::uint64_t request, const ChangeRequest& change) {
  std::string body;
  append_little<std::uint64_t>(body, request);
  body.push_back(static_cast<char>(change.kind));
  body.push_back(change.force ? 1 : 0);
  for (const std::uint64_t node : change.nodes) append_little<std::uint64_t>(body, node);
  return send_small_to(leader, kChange, body);
}

bool Peers::refuse_change(std::uint64_t node, std::uint64_t request, const std::string& error) {
  std::string body;
  append_little<std::uint64_t>(body, request);
  return send_small_to(node, kChangeAnswer, body + error);
}

bool Peers::send_small(LinkId link, char kind, std::string_view body) {
  Frame frame;
  frame.header.push_back(kind);
  frame.header += body;
  return host_.send(link, std::move(frame));
}

bool Peers::send_small_to(std::uint64_t node, char kind, std::string_view body) {
  const Link* link = sending_link(node, Lane::kControl);
  return link != nullptr && send_small(link->id, kind, body);
}

// True if the frame was one of these; the link may be gone then.
bool Peers::receive_newcomers(Link& link, char kind, std::string_view body) {
  switch (kind) {
    case kRefusal:
      if (!body.empty()) {
        const auto why = static_cast<Refusal>(body.front());
        newcomers_->refused(why, std::string(body.substr(1)));
      }
      return true;
    case kJoin:
      if (link.peer.node.value == 0) newcomers_->join_asked(link.id, link.peer);
      return true;
    case kJoinAnswer:
      if (link.dialled_node >= kContactBase) receive_join_answer(link.dialled_node, body);
      return true;
    case kInvite: {
      const std::size_t size = body.size() < 2 ? body.size() : load_little<std::uint16_t>(body.data());
      if (body.size() < 2 || size > body.size() - 2 || has_cluster() || identity_.node_id != 0) return true;
      if (own_host_guessed_) own_address_.host = body.substr(2, size);
      newcomers_->invited(std::string(body.substr(2 + size)));
      return true;
    }
    case kChange:
      if (link.ready) receive_change(link.node, body);
      return true;
    case kChangeAnswer:
      if (link.ready && body.size() >= 8) {
        newcomers_->change_refused(load_little<std::uint64_t>(body.data()), std::string(body.substr(8)));
      }
      return true;
    default:
      return false;
  }
}

void Peers::receive_join_answer(std::uint64_t contact, std::string_view body) {
  JoinAnswer answer;
  constexpr std::size_t kFixed = 1 + 8 + std::tuple_size_v<ClusterId>;
  if (body.size() < kFixed || has_cluster()) return;
  answer.kind = static_cast<JoinAnswer::Kind>(body.front());
  answer.node = load_little<std::uint64_t>(body.data() + 1);
  std::copy_n(body.begin() + 9, answer.cluster.size(), reinterpret_cast<char*>(answer.cluster.data()));
  answer.text = body.substr(kFixed);
  newcomers_->join_answered(contact, answer);
}

void Peers::receive_change(std::uint64_t from, std::string_view body) {
  if (body.size() < 18 || (body.size() - 10) % 8 != 0) return;
  const auto kind = static_cast<std::uint8_t>(body[8]);
  if (kind > static_cast<std::uint8_t>(raft::MemberChangeKind::kRemove)) return;
  ChangeRequest change{static_cast<raft::MemberChangeKind>(kind), body[9] != 0, {}};
  for (std::size_t at = 10; at < body.size(); at += 8) {
    change.nodes.push_back(load_little<std::uint64_t>(body.data() + at));
  }
  newcomers_->change_asked(from, load_little<std::uint64_t>(body.data()), std::move(change));
}

}  // namespace redraft::replica
