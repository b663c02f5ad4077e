#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "raft/input.h"
#include "raft/output.h"
#include "server/replica/host.h"
#include "server/replica/peers.h"
#include "server/replica/settings.h"
#include "server/replica/snapshot_files.h"
#include "server/replica/snapshot_pace.h"

namespace redraft::replica {

// Snapshots of one node on the loop's side: when to take one and the walk in slices, the transfer to a follower that
// lags too far, the receipt of one. The files are SnapshotFiles' work on the bulk thread (architecture, section 5).
//
// Sender and receiver take turns: the receiver says how far it is, the sender sends the next piece from there, so a
// broken link, a restart of either side or a lost frame costs one piece (pitfall E7).
class Snapshots {
 public:
  // What the rest of the node does for snapshots. Called from `turn`, `raft_wants`, `bulk_done` and `frame` only.
  class Node {
   public:
    virtual ~Node() = default;
    [[nodiscard]] virtual store::Store& live_store() = 0;
    [[nodiscard]] virtual const Fragments& live_fragments() const = 0;
    // Of the state as applied now.
    [[nodiscard]] virtual raft::SnapshotMetadata present_state() const = 0;
    virtual void tell_raft(raft::Input input) = 0;
    virtual bool send_bulk(std::uint64_t to, std::string header, SharedBytes bytes) = 0;
    // SAVE: the clients that wait for it.
    virtual void snapshot_over(const std::optional<Error>& error) = 0;
  };

  Snapshots(Host& host, const Settings& settings, Node& node) : host_(host), settings_(settings), node_(node) {}

  void start(raft::LogIndex index, std::uint64_t log_bytes);
  // What else the node does: a snapshot keeps out of its way (SnapshotPace).
  struct Load {
    std::uint64_t served = 0;  // commands of clients, counted anyhow
    bool hurry = false;        // somebody waits for the snapshot
  };
  // Each turn, between applies: begins one when due, goes on with the walk and with transfers.
  void turn(Time now, const Load& load);
  // An entry was applied: counts towards the next snapshot.
  void applied(std::size_t payload_bytes) {
    ++entries_since_;
    bytes_since_ += payload_bytes;
  }
  // One is taken at the next chance: the log should become shorter.
  void want_soon() { wanted_ = true; }
  // SAVE, BGSAVE: kInvalid when one is being taken.
  [[nodiscard]] Status begin(Time now);
  void raft_wants(const raft::Output& output);
  // Nobody outside is sent anything any more (pitfall E8). `self`: this node.
  void follow(const raft::Configuration& configuration, raft::NodeId self);
  void bulk_done(BulkDone done);
  void frame(std::uint64_t from, const SharedBytes& frame);

  [[nodiscard]] bool taking() const { return taking_.has_value(); }
  [[nodiscard]] bool busy() const { return taking_.has_value() || !sending_.empty() || receiving_.has_value(); }
  [[nodiscard]] raft::LogIndex index() const { return index_; }
  // The state loaded from what was received, once Raft has taken it; empty otherwise.
  [[nodiscard]] std::unique_ptr<LoadedSnapshot> take_installed() { return std::move(installed_); }
  void drop_walk();  // the live store is about to be replaced

  std::uint64_t log_bytes = 0;

 private:
  struct Taking {
    raft::SnapshotMetadata metadata;
    bool walked = false;
    std::size_t unwritten_bytes = 0;
    std::string gathered;  // walked, not yet worth a chunk
  };
  struct Sending {
    raft::SnapshotMetadata metadata;
    std::uint64_t offset = 0;
    bool reading = false;
    bool waiting = false;  // for the receiver's word
    std::uint64_t sent_us = 0;
  };
  struct Receiving {
    std::uint64_t from = 0;
    raft::SnapshotMetadata metadata;
    bool writing = false;
    bool loading = false;
    bool told = false;  // the operator: from where on
    std::uint64_t heard_us = 0;
  };

  void walk(const Load& load);
  void submit_gathered();
  [[nodiscard]] double log_share() const;
  [[nodiscard]] bool due() const;
  void send(std::uint64_t to, Sending& sending);
  void took(BulkDone done);
  void read(BulkDone done);
  void received(BulkDone done);
  void loaded(BulkDone done);
  void give_up_receiving();

  Host& host_;
  const Settings& settings_;
  Node& node_;
  Time now_;
  raft::LogIndex index_;  // of the newest durable one
  std::uint64_t entries_since_ = 0;
  std::uint64_t bytes_since_ = 0;
  std::uint64_t retry_at_us_ = 0;  // after a failure
  bool wanted_ = false;
  double first_share_ = 1;  // of the log that makes a snapshot due, for the first one
  std::optional<Taking> taking_;
  SnapshotPace pace_;                         // of `taking_`
  std::uint64_t served_ = 0;                  // Load's, in the turn before
  std::uint64_t applied_ = 0;                 // entries_since_, likewise
  std::map<std::uint64_t, Sending> sending_;  // by node
  std::optional<Receiving> receiving_;
  std::unique_ptr<LoadedSnapshot> offered_;  // told to Raft, not yet taken
  std::unique_ptr<LoadedSnapshot> installed_;
};

}  // namespace redraft::replica
