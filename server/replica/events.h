#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string_view>

#include "server/commands/context.h"
#include "server/replica/relay.h"
#include "server/replica/session.h"
#include "server/store/store.h"

namespace redraft::replica {

class Engine;

// What happened, here or on another node, as clients of this node are told unasked: published messages, keyspace
// events, invalidations of their caches (redis-semantics, "Pub/sub, keyspace events, tracking"). Who notices that some
// of it was missed ends what clients rely on. A part of the engine and its friend.
class Events final : public store::Observer {
 public:
  explicit Events(Engine& engine) : engine_(engine) {}

  // PUBLISH: to the subscribers here and on the other nodes; returns how many got it here. Takes no entry. The
  // connection's earlier writes are committed, since node-local commands wait for them.
  std::uint64_t publish(std::string_view channel, std::string_view message, bool sharded);
  // The same out of an entry, which every node applies.
  std::uint64_t publish_applied(std::string_view channel, std::string_view message, bool sharded);
  void relay_ready(std::uint64_t node);
  void relay_frame(std::uint64_t from, std::uint64_t boot, SharedBytes frame);

  // A keyspace event, if notify-keyspace-events wants it.
  void notify(commands::Event event, std::string_view name, std::string_view key, std::uint32_t db);
  // The store is another one.
  void attach_store();
  // What is asked of the store follows from the settings and from who tracks keys.
  void observe_keys();

  // store::Observer
  void key_changed(std::uint32_t db, std::string_view name) override;
  void database_changed(std::uint32_t db) override;
  void key_missed(std::uint32_t db, std::string_view name) override;

  // A command begins.
  void command_begins() { told_to_forget_ = false; }
  // The session tracks keys and read those of this command.
  void remember_read(Session& session, const commands::Command& command, std::span<const std::string_view> arguments,
                     bool caching);

  // This node will not notice changes, or has not.
  void forget_tracked();
  // Subscribers that may wait for what will never come notice by losing their connection, and subscribe anew.
  void miss_messages();
  void heard(std::uint64_t node);
  // Each turn: without leader and majority for a while this node may be cut off from where things happen.
  void notice_lost_touch();

 private:
  [[nodiscard]] bool in_touch() const;

  Engine& engine_;
  Relay relay_;
  std::uint32_t event_bits_ = 0;                           // notify-keyspace-events
  bool told_to_forget_ = false;                            // by the command that runs
  std::map<std::uint64_t, std::uint64_t> peers_heard_us_;  // by node: its last status
  std::uint64_t out_of_touch_us_ = 0;                      // since when no leader is known; 0: one is
  bool told_out_of_touch_ = false;
};

}  // namespace redraft::replica
