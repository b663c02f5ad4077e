#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "raft/handshake.h"
#include "raft/message.h"
#include "raft/types.h"
#include "raft/wire.h"
#include "server/replica/host.h"
#include "server/replica/settings.h"
#include "wal/data_directory.h"

namespace redraft::replica {

using ClusterId = std::array<std::uint8_t, 20>;  // all zero: this node has none yet

// What a node tells its peers once a second.
struct PeerStatus {
  std::uint64_t wall_ms = 0;
  std::uint64_t applied_index = 0;
};

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
    // The way to that node's subscribers is open (bulk lane, handshake done), and a frame of its publishers (relay.h).
    virtual void relay_ready(std::uint64_t node) = 0;
    virtual void relay_frame(std::uint64_t from, std::uint64_t boot, SharedBytes frame) = 0;
  };

  Peers(Host& host, const Settings& settings, Listener& listener);
  ~Peers();

  // From the data directory, before any link comes up; again when the directory has joined a cluster.
  void set_identity(const wal::Identity& identity, const std::string& own_address);
  // Members to keep links to; called with each new configuration. For a directory without cluster, the initial members.
  void set_members(std::span<const PeerAddress> members);
  // Once Raft runs: which incarnations are its members, so that fresh ones among them are told the cluster's id.
  void set_configuration(const raft::Configuration& configuration);

  void link_up(LinkId link, std::uint64_t dialled_node, Lane lane, Time now);
  void link_input(LinkId link, SharedBytes frame, Time now);
  void link_down(LinkId link);
  void dial_failed(std::uint64_t node, Lane lane, bool refused);

  // Queue a frame; false when there is no link that has shaken hands.
  bool send(const raft::Envelope& envelope);
  bool send_bulk(std::uint64_t to, std::string header, SharedBytes bytes);
  bool send_relay(std::uint64_t to, const std::string& header, const SharedBytes& bytes);
  void send_status(const PeerStatus& status);
  // Asks the leader to hand leadership to a node.
  bool ask_transfer(std::uint64_t leader, std::uint64_t to_node);

  // A follower's CONFIG SET of cluster-wide settings, encoded like a command of an entry.
  bool forward(std::uint64_t leader, const std::string& command);

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
    bool ready = false;              // both sides are proven and of one cluster
    std::string nonce;
    std::string peer_nonce;
    raft::Handshake peer;
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
  };

  void send_handshake(Link& link, bool with_proof);
  void receive_hello(Link& link, std::string_view bytes);
  void receive_proof(Link& link, std::string_view bytes, Time now);
  void receive_cluster(Link& link, std::string_view bytes);
  void receive_message(Link& link, const SharedBytes& frame);
  void become_ready(Link& link, Time now);
  void try_bootstrap();
  void offer_cluster(Link& link);
  void refuse(Link& link, const std::string& reason);
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
  std::string own_address_;
  std::vector<PeerAddress> members_;
  raft::Configuration configuration_;
  std::map<std::uint64_t, Link> links_;  // by LinkId
  std::map<std::uint64_t, Peer> peers_;  // by node
  raft::WireFrame frame_;                // reused by every send
};

// "host:port@peer-port", Redis Cluster's notation; the host of an IPv6 address has colons of its own.
struct MemberAddress {
  std::string host;
  std::uint16_t port = 0;
  std::uint16_t peer_port = 0;
};
[[nodiscard]] std::optional<MemberAddress> parse_member_address(std::string_view text);
[[nodiscard]] std::string to_text(const MemberAddress& address);
[[nodiscard]] std::string to_hex(const ClusterId& id);

}  // namespace redraft::replica
