#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "server/commands/command.h"
#include "server/replica/local/actions.h"

namespace redraft::replica {

class Engine;

// What commands that run on one node may ask of it, and the clients for whom such a command is not done yet: they wait
// for copies of their writes, for a snapshot, for the leader's answer to what was forwarded, or for the end of CLIENT
// PAUSE. A part of the engine, which owns it, and its friend: what is asked reaches into nearly every other part.
class NodeActions final : public local::Actions {
 public:
  explicit NodeActions(Engine& engine) : engine_(engine) {}

  // local::Actions
  [[nodiscard]] local::NodeView view() const override;  // node_view.cc
  [[nodiscard]] Settings& settings() override;
  [[nodiscard]] Statistics& statistics() override;
  [[nodiscard]] local::SlowLog& slow_log() override;
  [[nodiscard]] local::LatencyMonitor& latency() override;
  [[nodiscard]] std::optional<std::string> cluster_setting(std::string_view name) const override;
  void each_session(const std::function<void(Session&)>& visit) override;
  [[nodiscard]] Session* find_session(std::uint64_t id) override;
  void kill(Session& session) override;
  [[nodiscard]] bool unblock(Session& session, bool with_error) override;
  void pause(local::PauseMode mode, std::uint64_t until_monotonic_ms) override;
  void unpause() override;
  void forget_connection_state(Session& session) override;
  [[nodiscard]] PubSub& pubsub() override;
  [[nodiscard]] Tracking& tracking() override;
  std::uint64_t publish(std::string_view channel, std::string_view message, bool sharded) override;
  void start_monitor(Session& session) override;
  [[nodiscard]] const commands::AclUsers& users() const override;
  [[nodiscard]] local::AclLog& acl_log() override;
  void log_in(Session& session, std::string_view user) override;
  void random_bytes(std::span<char> into) override;
  void change_users(Session& session, std::span<const std::string_view> change) override;
  void set_cluster_settings(Session& session, std::span<const std::pair<std::string, std::string>> settings) override;
  void wait(Session& session, const local::WaitRequest& request) override;
  [[nodiscard]] std::uint64_t durable_replicas(const Session& session) const override;
  [[nodiscard]] bool durable_here(const Session& session) const override;
  void meet(Session& session, const std::string& host, std::uint16_t port, std::uint16_t peer_port) override;
  void change_members(Session& session, local::MemberChange change, std::span<const std::uint64_t> nodes,
                      bool force) override;
  void snapshot_and_answer(Session& session) override;
  void sleep(Session& session, std::uint64_t microseconds) override;
  void populate(Session& session, std::uint64_t count, std::string_view prefix,
                std::uint64_t size) override;  // populating.cc
  [[nodiscard]] Status start_snapshot() override;
  [[nodiscard]] Status start_audit() override;
  [[nodiscard]] Status transfer_leadership(std::uint64_t to_node) override;
  [[nodiscard]] Status shutdown(Session& session, const local::ShutdownOptions& options) override;
  [[nodiscard]] bool abort_shutdown() override;
  [[nodiscard]] Status write_config_file(const std::string& path, const std::string& text) override;
  [[nodiscard]] std::optional<std::string> read_config_file(const std::string& path) override;
  void setting_changed(std::string_view name) override;
  [[nodiscard]] std::uint64_t count_keys_in_slot(std::uint32_t slot) override;
  [[nodiscard]] std::vector<std::string> keys_in_slot(std::uint32_t slot, std::uint64_t count) override;
  [[nodiscard]] std::string digest() override;
  [[nodiscard]] std::string value_digest(std::uint32_t db, std::string_view key) override;
  [[nodiscard]] std::optional<std::string> debug_object(std::uint32_t db, std::string_view key) override;
  void set_active_expire(bool on) override;
  [[nodiscard]] commands::ScriptHost* script_host() override;
  [[nodiscard]] LibraryCounts library_counts() const override;

  // For the engine: an entry that a client of this node had forwarded to the leader is applied here, `reply` is its
  // reply. Whoever is not known to wait is not answered.
  void answer_forwarded(std::uint64_t session, std::uint64_t number, std::string_view reply);
  void snapshot_over(const std::optional<Error>& error);
  [[nodiscard]] bool awaits_snapshot() const { return !waiting_for_snapshot_.empty(); }
  // CLIENT PAUSE holds clients of this node, never peers (redis-semantics, "Node-local things").
  [[nodiscard]] bool paused(const Session& session, const commands::Command& command) const;
  // Each turn: who waits no longer.
  void doubt_forwarded();
  void end_pause();
  void check_copies();

 private:
  struct Forwarded {
    std::uint64_t session = 0;
    std::uint64_t number = 0;
    std::uint64_t until_us = 0;
  };
  struct WaitingForCopies {
    local::WaitRequest request;
    std::uint64_t session = 0;
    std::uint64_t until_us = 0;
  };

  void view_raft(local::NodeView& view) const;
  void view_data(local::NodeView& view) const;
  void propose_or_forward(Session& session, const commands::Command& command,
                          std::span<const std::string_view> arguments);

  Engine& engine_;
  std::deque<Forwarded> forwarded_;  // the oldest first
  std::vector<WaitingForCopies> waiting_for_copies_;
  std::vector<std::uint64_t> waiting_for_snapshot_;  // sessions
  local::PauseMode pause_mode_ = local::PauseMode::kNone;
  std::uint64_t pause_until_ms_ = 0;
};

}  // namespace redraft::replica
