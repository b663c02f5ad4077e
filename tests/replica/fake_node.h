#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/script_host.h"
#include "server/replica/local/acl_log.h"
#include "server/replica/local/latency_monitor.h"
#include "server/replica/local/local.h"
#include "server/replica/local/password_hash.h"
#include "server/replica/local/slow_log.h"
#include "server/replica/pubsub.h"
#include "server/replica/tracking.h"

namespace redraft::replica::local {

using commands::CommandId;

// A node without Raft, store or network: node-local commands see no more of one than this.
class FakeNode final : public Actions {
 public:
  FakeNode() {
    node.cluster_id = "cluster";
    node.node = 1;
    node.boot = 3;
    node.cluster_enabled = true;
    node.wall_us = 1700000000123000;
    node.monotonic_ms = 50000;
    node.started_monotonic_ms = 20000;
    node.role = NodeRole::kLeader;
    node.term = 7;
    node.leader = node.last_leader = 1;
    node.commit_index = 90;
    node.applied_index = 89;
    node.last_index = 91;
    node.snapshot_index = 40;
    for (std::uint64_t id = 1; id <= 3; ++id) {
      MemberView member;
      member.node = id;
      member.host = "10.0.0." + std::to_string(id);
      member.port = static_cast<std::uint16_t>(7000 + id);
      member.peer_port = static_cast<std::uint16_t>(17000 + id);
      member.self = id == 1;
      member.match_index = 80 + id;
      node.members.push_back(member);
    }
    add_session(5);
  }

  Session& add_session(std::uint64_t id) {
    sessions.push_back(std::make_unique<Session>(
        id, ClientAddress{"127.0.0.1:" + std::to_string(50000 + id), "127.0.0.1:7001", 9, false, true}));
    sessions.back()->authenticated = true;
    return *sessions.back();
  }

  // Runs a command on the first session and returns its reply.
  std::string run(CommandId id, std::vector<std::string_view> arguments, bool in_transaction = false) {
    Session& session = *sessions.front();
    session.output().clear();
    const commands::Command command{.name = arguments[0], .id = id};
    LocalContext context{*this, session, arguments, session.writer(), command, in_transaction};
    find_local(id)(context);
    return session.output();
  }
  // The payload of a bulk or verbatim reply.
  std::string text(CommandId id, std::vector<std::string_view> arguments) {
    const std::string reply = run(id, std::move(arguments));
    const std::size_t begin = reply.find("\r\n") + 2;
    return reply.size() < begin + 2 ? reply : reply.substr(begin, reply.size() - begin - 2);
  }

  NodeView view() const override { return node; }
  Settings& settings() override { return settings_value; }
  Statistics& statistics() override { return statistics_value; }
  SlowLog& slow_log() override { return slow_log_value; }
  LatencyMonitor& latency() override { return latency_value; }
  std::optional<std::string> cluster_setting(std::string_view name) const override {
    const auto found = replicated.find(name);
    return found == replicated.end() ? std::nullopt : std::optional(found->second);
  }
  void each_session(const std::function<void(Session&)>& visit) override {
    for (const auto& session : sessions) visit(*session);
  }
  Session* find_session(std::uint64_t id) override {
    for (const auto& session : sessions) {
      if (session->id() == id) return session.get();
    }
    return nullptr;
  }
  PubSub& pubsub() override { return pubsub_value; }
  Tracking& tracking() override { return tracking_value; }
  std::uint64_t publish(std::string_view channel, std::string_view message, bool sharded) override {
    return pubsub_value.publish(channel, message, sharded);
  }
  void start_monitor(Session& session) override { session.monitor = true; }
  const commands::AclUsers& users() const override { return users_value; }
  AclLog& acl_log() override { return acl_log_value; }
  void log_in(Session& session, std::string_view user) override {
    session.user = user;
    session.authenticated = true;
    session.parser.set_authenticated(true);
  }
  void random_bytes(std::span<char> into) override { std::ranges::fill(into, '\x5a'); }
  void change_users(Session& session, std::span<const std::string_view> change) override {
    const Result<std::int64_t> changed = users_value.change(change, store);
    changed ? session.writer().ok() : session.writer().error(changed.error().message);
  }
  void set_password(std::string_view password) {
    const std::string rule = "#" + password_hash(password);
    const std::vector<std::string_view> change{"setuser", "default", "resetpass", rule};
    EXPECT_TRUE(users_value.change(change, store).ok());
  }
  void kill(Session& session) override { done += "kill " + std::to_string(session.id()) + ";"; }
  bool unblock(Session& session, bool with_error) override {
    done += "unblock " + std::to_string(session.id()) + (with_error ? " error;" : ";");
    return session.held(Hold::kBlocked);
  }
  void pause(PauseMode mode, std::uint64_t until) override {
    done += "pause " + std::to_string(static_cast<int>(mode)) + " until " + std::to_string(until) + ";";
  }
  void unpause() override { done += "unpause;"; }
  void forget_connection_state(Session&) override { done += "forget;"; }
  void set_cluster_settings(Session&, std::span<const std::pair<std::string, std::string>> settings) override {
    for (const auto& [name, value] : settings) done += "replicate " + name + "=" + value + ";";
  }
  void wait(Session&, const WaitRequest& request) override {
    done += "wait " + std::to_string(request.local) + " " + std::to_string(request.replicas) + " " +
            std::to_string(request.timeout_ms) + (request.aof ? " aof;" : ";");
  }
  std::uint64_t durable_replicas(const Session&) const override { return 1; }
  bool durable_here(const Session&) const override { return true; }
  void meet(Session&, const std::string& host, std::uint16_t port, std::uint16_t peer_port) override {
    done += "meet " + host + ":" + std::to_string(port) + "@" + std::to_string(peer_port) + ";";
  }
  void change_members(Session&, MemberChange change, std::span<const std::uint64_t> nodes, bool force) override {
    done += std::string("change ") + std::to_string(static_cast<int>(change)) + (force ? " force" : "");
    for (const std::uint64_t one : nodes) done += " " + std::to_string(one);
    done += ";";
  }
  void snapshot_and_answer(Session&) override { done += "save;"; }
  void sleep(Session&, std::uint64_t microseconds) override { done += "sleep " + std::to_string(microseconds) + ";"; }
  Status start_audit() override { return Done{}; }
  Status start_snapshot() override {
    done += "snapshot;";
    return Done{};
  }
  Status transfer_leadership(std::uint64_t to) override {
    done += "transfer " + std::to_string(to) + ";";
    return Done{};
  }
  Status shutdown(Session&, const ShutdownOptions& options) override {
    done += std::string("shutdown") + (options.now ? " now" : "") + (options.force ? " force" : "") + ";";
    return Done{};
  }
  bool abort_shutdown() override { return false; }
  Status write_config_file(const std::string& path, const std::string& content) override {
    done += "write " + path + ";";
    written = content;
    return Done{};
  }
  std::optional<std::string> read_config_file(const std::string&) override { return file; }
  void setting_changed(std::string_view name) override { done += "changed " + std::string(name) + ";"; }
  std::uint64_t count_keys_in_slot(std::uint32_t slot) override { return slot; }
  std::vector<std::string> keys_in_slot(std::uint32_t, std::uint64_t count) override {
    return std::vector<std::string>(static_cast<std::size_t>(count), "k");
  }
  std::string digest() override { return std::string(40, 'd'); }
  std::string value_digest(std::uint32_t, std::string_view) override { return std::string(40, 'v'); }
  void populate(Session&, std::uint64_t count, std::string_view prefix, std::uint64_t size) override {
    populated = std::string(prefix) + " " + std::to_string(count) + " " + std::to_string(size);
  }
  std::string populated;
  std::optional<std::string> debug_object(std::uint32_t, std::string_view key) override {
    return key == "k" ? std::optional<std::string>("Value at:0x0 refcount:1") : std::nullopt;
  }
  void set_active_expire(bool on) override { done += on ? "expire on;" : "expire off;"; }
  [[nodiscard]] commands::ScriptHost* script_host() override { return &script_host_; }
  [[nodiscard]] LibraryCounts library_counts() const override { return {}; }
  commands::ScriptHost script_host_;

  NodeView node;
  Settings settings_value;
  Statistics statistics_value;
  SlowLog slow_log_value;
  LatencyMonitor latency_value;
  std::map<std::string, std::string, std::less<>> replicated;
  std::vector<std::unique_ptr<Session>> sessions;
  store::Store store{store::Options{}};
  commands::AclUsers users_value;
  AclLog acl_log_value;
  Sessions none;
  Pushes pushes{none, [](Session&) {}};
  PubSub pubsub_value{pushes};
  Tracking tracking_value{none, pushes, [] {}};
  std::string done;
  std::string written;
  std::string file;
};

inline Settings settings_of(std::string_view text) {
  std::vector<std::string> warnings;
  Result<Settings> settings = Settings::from_text(text, warnings);
  EXPECT_TRUE(settings.ok());
  return settings.ok() ? *std::move(settings) : Settings();
}

}  // namespace redraft::replica::local
