#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "raft/handshake.h"
#include "raft/membership.h"
#include "raft/message.h"
#include "raft/types.h"
#include "raft/wire.h"
#include "server/replica/host.h"
#include "server/replica/settings.h"
#include "wal/data_directory.h"

namespace redraft::replica {

using ClusterId = std::array<std::uint8_t, 20>;  // all zero: this node has none yet

// "host:port@peer-port", Redis Cluster's notation; the host of an IPv6 address has colons of its own.
struct MemberAddress {
  std::string host;
  std::uint16_t port = 0;
  std::uint16_t peer_port = 0;
  friend bool operator==(const MemberAddress&, const MemberAddress&) = default;
};
[[nodiscard]] std::optional<MemberAddress> parse_member_address(std::string_view text);
[[nodiscard]] std::string to_text(const MemberAddress& address);

// What a node tells its peers once a second.
struct PeerStatus {
  std::uint64_t wall_ms = 0;
  std::uint64_t applied_index = 0;
  std::uint64_t clock_ms = 0;  // of a leader: the logical clock
};

// Why a proven peer's link is closed, told to it.
enum class Refusal : std::uint8_t {
  kOther = 0,
  kRemoved = 1,   // it was a member, and the group has committed that it no longer is
  kNoMember = 2,  // its directory is new or another one than the member's of that id: it can join as a new member
};

// What a member says to who wants to join.
struct JoinAnswer {
  enum class Kind : std::uint8_t {
    kWelcome = 1,    // it is a member, committed: `node` and `cluster` are its own from now on
    kElsewhere = 2,  // ask at `text`, where the leader is
    kLater = 3,      // no leader at the moment, or another change is in progress: ask again
    kRefused = 4,    // `text` says why
  };
  Kind kind = Kind::kLater;
  std::uint64_t node = 0;
  ClusterId cluster{};
  std::string text;
};

// What is asked for by CLUSTER FORGET, PROMOTE and DEMOTE; several nodes are changed at once.
struct ChangeRequest {
  raft::MemberChangeKind kind = raft::MemberChangeKind::kRemove;
  bool force = false;
  std::vector<std::uint64_t> nodes;
};

// A node that is known by an address only is dialled as one of these instead of a node id.
inline constexpr std::uint64_t kContactBase = std::uint64_t{1} << 63U;

// The links to the other nodes: handshake with identity and proof of the cluster secret, then frames of four kinds:
// Raft messages, snapshot chunks, status, published messages. Also how a cluster is formed: the first configuration
// needs every initial member once (architecture, section 3, "Identity"). Frames of a peer that has not proven itself
// are dropped with its link.
class Peers {
 public:
  // Who is told. Called from `link_*` only.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void peer_message(raft::Envelope envelope) = 0;
    virtual void peer_ready(std::uint64_t node) = 0;    // control lane, handshake done
    virtual void peer_lost(std::uint64_t node) = 0;     // control lane
    virtual void peer_refused(std::uint64_t node) = 0;  // lost, and nobody listens at its address any more
    virtual void peer_status(std::uint64_t node, const PeerStatus& status) = 0;
    // This directory has no cluster yet and belongs to this one from now on: to be made durable, then Raft starts. The
    // one node that founds it gets the first configuration too; for the others it is empty.
    virtual void cluster_agreed(const ClusterId& cluster, const raft::Configuration& configuration) = 0;
    virtual void bulk_frame(std::uint64_t from, SharedBytes frame) = 0;
    virtual void transfer_asked(std::uint64_t to_node) = 0;
    virtual void settings_forwarded(SharedBytes command) = 0;
    virtual void audit_reported(std::uint64_t node, std::uint64_t index, std::string digest) = 0;
    // The way to that node's subscribers is open (bulk lane, handshake done), and a frame of its publishers (relay.h).
    virtual void relay_ready(std::uint64_t node) = 0;
    virtual void relay_frame(std::uint64_t from, std::uint64_t boot, SharedBytes frame) = 0;
  };

  // Who is told of nodes that come and go (membership.h). Called from `link_*` only; every peer named has proven that
  // it knows the cluster secret.
  class Newcomers {
   public:
    virtual ~Newcomers() = default;
    virtual void contact_ready(std::uint64_t contact, const raft::Handshake& peer) = 0;
    virtual void contact_lost(std::uint64_t contact, const std::string& reason) = 0;
    virtual void join_asked(LinkId link, const raft::Handshake& joiner) = 0;
    virtual void join_answered(std::uint64_t contact, const JoinAnswer& answer) = 0;
    // To a node that waits for an invitation: ask at this address.
    virtual void invited(const std::string& address) = 0;
    virtual void refused(Refusal why, const std::string& sentence) = 0;
    virtual void change_asked(std::uint64_t from, std::uint64_t request, ChangeRequest change) = 0;
    virtual void change_refused(std::uint64_t request, const std::string& error) = 0;
  };

  Peers(Host& host, const Settings& settings, Listener& listener);
  ~Peers();
  // Before the first link.
  void set_newcomers(Newcomers& newcomers) { newcomers_ = &newcomers; }

  // From the data directory, before any link comes up; again when the directory has joined a cluster.
  void set_identity(const wal::Identity& identity);
  // Where this node can be reached, for handshakes. `guessed`: nothing names the host, so a link's own end may.
  void set_own_address(const MemberAddress& address, bool guessed);
  [[nodiscard]] const MemberAddress& own_address() const { return own_address_; }
  // Members to keep links to; called with each new configuration. For a directory without cluster, the initial members.
  void set_members(std::span<const PeerAddress> members);
  // Once Raft runs: which incarnations are its members, so that fresh ones among them are told the cluster's id.
  // `committed` is the newest that is known committed: who is missing there has been removed.
  void set_configuration(const raft::Configuration& configuration, const raft::Configuration& committed);

  void link_up(LinkId link, std::uint64_t dialled_node, Lane lane, Time now);
  void link_input(LinkId link, SharedBytes frame, Time now);
  void link_down(LinkId link, bool garbled);
  void dial_failed(std::uint64_t node, Lane lane, bool refused);

  // Queue a frame; false when there is no link that has shaken hands.
  bool send(const raft::Envelope& envelope);
  bool send_bulk(std::uint64_t to, std::string header, SharedBytes bytes);
  bool send_relay(std::uint64_t to, const std::string& header, const SharedBytes& bytes);
  void send_status(const PeerStatus& status);
  bool send_status_to(std::uint64_t node, const PeerStatus& status);
  // Links whose peer has not proven itself in time go: its machine may have lost the connection, and nothing is sent
  // that would tell. At least once a second.
  void advance(Time now);
  // Asks the leader to hand leadership to a node.
  bool ask_transfer(std::uint64_t leader, std::uint64_t to_node);

  // A follower's CONFIG SET of cluster-wide settings, encoded like a command of an entry.
  bool forward(std::uint64_t leader, const std::string& command);
  // What this node has in the range that the audit entry `index` named.
  bool report_audit(std::uint64_t leader, std::uint64_t index, std::string_view digest);

  // ---- Newcomers (admission.cc)
  // Keeps dialling until dropped; the number names it in Newcomers.
  [[nodiscard]] std::uint64_t dial_contact(const MemberAddress& address);
  void drop_contact(std::uint64_t contact);
  // False when its link is gone.
  bool ask_to_join(std::uint64_t contact);
  bool invite(std::uint64_t contact);
  bool answer_join(LinkId link, const JoinAnswer& answer);
  bool ask_change(std::uint64_t leader, std::uint64_t request, const ChangeRequest& change);
  bool refuse_change(std::uint64_t node, std::uint64_t request, const std::string& error);
  // What a node's last handshake announced: its incarnation, address and hostname.
  struct Announcement {
    raft::Incarnation incarnation;
    std::string address;
    std::string hostname;
  };
  [[nodiscard]] std::optional<Announcement> announced(std::uint64_t node) const;

  struct View {
    bool up = false;
    std::uint64_t since_ms = 0;
    std::uint64_t unsent_bytes = 0;
  };
  [[nodiscard]] View view(std::uint64_t node) const;
  // Bulk bytes on the way to a peer: its budget.
  [[nodiscard]] std::size_t unsent_bulk(std::uint64_t node) const;
  [[nodiscard]] bool has_cluster() const;

 private:
  struct Link {
    LinkId id;
    Lane lane = Lane::kControl;
    std::uint64_t dialled_node = 0;  // 0: it dialled us
    std::uint64_t node = 0;          // who it is, once proven
    std::uint64_t since_us = 0;
    bool ready = false;   // both sides are proven and of one cluster
    bool proven = false;  // the peer knows the cluster secret
    std::string nonce;
    std::string peer_nonce;
    raft::Handshake peer;
  };
  struct Contact {
    MemberAddress address;
    std::optional<LinkId> link;  // once it is proven
  };
  struct Peer {
    std::optional<LinkId> control;  // the links this node dialled: it sends on these
    std::optional<LinkId> bulk;
    bool was_ready = false;  // reported by peer_ready and not yet by peer_lost
    std::uint64_t since_ms = 0;
    raft::Incarnation incarnation;  // 0: never shaken hands
    std::uint64_t boot = 0;         // highest seen of that incarnation
    std::string cluster_id;
    std::string address;
    std::string hostname;
  };

  void send_handshake(Link& link, bool with_proof);
  void receive_frame(Link& link, char kind, const SharedBytes& frame);
  void receive_hello(Link& link, std::string_view bytes);
  void receive_proof(Link& link, std::string_view bytes, Time now);
  void receive_cluster(Link& link, std::string_view bytes);
  void receive_message(Link& link, const SharedBytes& frame);
  void become_ready(Link& link, Time now);
  void try_bootstrap();
  void offer_cluster(Link& link);
  void log_refusal(const Link& link, const std::string& reason);
  void refuse(Link& link, const std::string& reason);
  void refuse(Link& link, Refusal why, const std::string& reason);
  [[nodiscard]] Refusal standing(const raft::Handshake& peer, std::string& reason) const;
  void adopt(const Link& link);
  void learn_own_host(LinkId link);
  void dial();
  bool receive_newcomers(Link& link, char kind, std::string_view body);
  void receive_join_answer(std::uint64_t contact, std::string_view body);
  void receive_change(std::uint64_t from, std::string_view body);
  bool send_small(LinkId link, char kind, std::string_view body);
  bool send_small_to(std::uint64_t node, char kind, std::string_view body);
  [[nodiscard]] std::string objection(const raft::Handshake& peer) const;
  [[nodiscard]] std::string proof_of(const std::string& to_nonce, const std::string& from_nonce,
                                     std::uint64_t node) const;
  [[nodiscard]] Link* find(LinkId id);
  [[nodiscard]] Link* sending_link(std::uint64_t node, Lane lane);
  [[nodiscard]] std::string cluster_hex() const;

  Host& host_;
  const Settings& settings_;
  Listener& listener_;
  wal::Identity identity_;
  Newcomers* newcomers_ = nullptr;
  MemberAddress own_address_;
  bool own_host_guessed_ = false;
  std::vector<PeerAddress> members_;
  // Nodes of this cluster that dialled us and that no configuration here lists yet: an entry that we lack has added
  // them, and our answers to them need a link of our own.
  std::map<std::uint64_t, PeerAddress> adopted_;
  std::map<std::uint64_t, Contact> contacts_;
  std::uint64_t next_contact_ = kContactBase;
  raft::Configuration configuration_;
  raft::Configuration committed_;
  std::map<std::string, std::string> told_;  // refusals already in the log, by peer
  std::map<std::uint64_t, Link> links_;      // by LinkId
  std::map<std::uint64_t, Peer> peers_;      // by node
  raft::WireFrame frame_;                    // reused by every send
};

[[nodiscard]] std::string to_hex(const ClusterId& id);

}  // namespace redraft::replica
