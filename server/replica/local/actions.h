#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "server/commands/acl.h"
#include "server/replica/local/node_view.h"
#include "server/replica/session.h"
#include "server/replica/settings.h"
#include "server/replica/statistics.h"

namespace redraft::replica {
class PubSub;
class Tracking;
}  // namespace redraft::replica
namespace redraft::commands {
class ScriptHost;
}

namespace redraft::replica::local {

class AclLog;
class SlowLog;
class LatencyMonitor;

enum class PauseMode : std::uint8_t { kNone, kWrite, kAll };

struct ShutdownOptions {
  enum class Save : std::uint8_t { kDefault, kSave, kNoSave } save = Save::kDefault;
  bool now = false;    // do not wait for a leadership transfer
  bool force = false;  // even if the snapshot fails
};

// What CLUSTER FORGET, PROMOTE and DEMOTE do to nodes.
enum class MemberChange : std::uint8_t { kForget, kPromote, kDemote };

struct WaitRequest {
  std::uint64_t local = 0;     // WAITAOF's numlocal: 0 or 1
  std::uint64_t replicas = 0;  // nodes besides this one
  std::uint64_t timeout_ms = 0;
  bool aof = false;  // WAITAOF's reply: an array of two
};

// All that node-local commands ask of the node they run on. The engine implements it; tests have a small one. Called
// from the loop thread, inside the handler only.
//
// "Answers later" means: the handler writes no reply; the implementation holds the session (Hold::kBlocked or kOrder)
// and writes exactly one reply when it knows the outcome. Never used when LocalContext::in_transaction is set.
class Actions {
 public:
  virtual ~Actions() = default;

  // Facts.
  [[nodiscard]] virtual NodeView view() const = 0;
  [[nodiscard]] virtual Settings& settings() = 0;
  [[nodiscard]] virtual Statistics& statistics() = 0;
  [[nodiscard]] virtual SlowLog& slow_log() = 0;
  [[nodiscard]] virtual LatencyMonitor& latency() = 0;
  // The replicated value of a setting with Scope::kCluster; nothing while the store has none, then the file's counts.
  [[nodiscard]] virtual std::optional<std::string> cluster_setting(std::string_view name) const = 0;

  // Sessions, ascending by id. Those already closed by the host are left out.
  virtual void each_session(const std::function<void(Session&)>& visit) = 0;
  [[nodiscard]] virtual Session* find_session(std::uint64_t id) = 0;
  // Closes the connection. For the caller's own session the reply still goes out first. A waiter of the session is
  // withdrawn through the log (redis-semantics, "Blocking").
  virtual void kill(Session& session) = 0;
  // Ends the wait of a blocked client as if timed out, or with "UNBLOCKED client unblocked via CLIENT UNBLOCK". False
  // when it does not wait in a command that may be unblocked.
  [[nodiscard]] virtual bool unblock(Session& session, bool with_error) = 0;
  // Holds proposing (kWrite) or all commands of normal clients (kAll) on this node until then; ends at step-down.
  virtual void pause(PauseMode mode, std::uint64_t until_monotonic_ms) = 0;
  virtual void unpause() = 0;
  // RESET: drops the transaction, watched keys, subscriptions, tracking and MONITOR of the session, and its login.
  virtual void forget_connection_state(Session& session) = 0;

  // What clients of this node are told unasked.
  [[nodiscard]] virtual PubSub& pubsub() = 0;
  [[nodiscard]] virtual Tracking& tracking() = 0;
  // To the subscribers on all nodes; returns how many got it on this one.
  virtual std::uint64_t publish(std::string_view channel, std::string_view message, bool sharded) = 0;
  // From now on the session gets a line for every command.
  virtual void start_monitor(Session& session) = 0;

  // Users. `log_in` after the password was found right.
  [[nodiscard]] virtual const commands::AclUsers& users() const = 0;
  [[nodiscard]] virtual AclLog& acl_log() = 0;
  virtual void log_in(Session& session, std::string_view user) = 0;
  // For passwords, from the operating system.
  virtual void random_bytes(std::span<char> into) = 0;

  // Later answers.
  // AclUsers::change as one entry, on whatever node this is called; its reply when applied.
  virtual void change_users(Session& session, std::span<const std::string_view> change) = 0;
  // CONFIG SET of names with Scope::kCluster, checked already: one entry; +OK when applied.
  virtual void set_cluster_settings(Session& session,
                                    std::span<const std::pair<std::string, std::string>> settings) = 0;
  // WAIT, WAITAOF: until that many nodes have this connection's writes durable.
  virtual void wait(Session& session, const WaitRequest& request) = 0;
  // How many nodes besides this one have the connection's last write durable now; for WAIT inside a transaction.
  [[nodiscard]] virtual std::uint64_t durable_replicas(const Session& session) const = 0;
  [[nodiscard]] virtual bool durable_here(const Session& session) const = 0;
  // CLUSTER MEET: +OK when the node there is a member, by what is committed here.
  virtual void meet(Session& session, const std::string& host, std::uint16_t port, std::uint16_t peer_port) = 0;
  // All these nodes at once; +OK when that is committed. `force`: also if no healthy majority would be left.
  virtual void change_members(Session& session, MemberChange change, std::span<const std::uint64_t> nodes,
                              bool force) = 0;
  // SAVE, DEBUG RELOAD: +OK when the snapshot that starts now is durable, an error when it failed.
  virtual void snapshot_and_answer(Session& session) = 0;
  // DEBUG SLEEP: applies nothing for that long but serves peers (Host::pump), then +OK.
  virtual void sleep(Session& session, std::uint64_t microseconds) = 0;
  // DEBUG POPULATE, in slices of the log; +OK when the last is applied.
  virtual void populate(Session& session, std::uint64_t count, std::string_view prefix, std::uint64_t size) = 0;

  // The node. Errors carry the whole error line, "ERR ..." included.
  [[nodiscard]] virtual Status start_snapshot() = 0;
  // A comparison of all nodes' data begins, if this node leads.
  [[nodiscard]] virtual Status start_audit() = 0;
  // Hands leadership to that node, on whatever node this is called. Returns once it is under way.
  [[nodiscard]] virtual Status transfer_leadership(std::uint64_t to_node) = 0;
  // Never answers when it succeeds: the process ends.
  [[nodiscard]] virtual Status shutdown(Session& session, const ShutdownOptions& options) = 0;
  // SHUTDOWN ABORT. False when none is in progress.
  [[nodiscard]] virtual bool abort_shutdown() = 0;
  // CONFIG REWRITE's file work. Errors as for the others.
  [[nodiscard]] virtual Status write_config_file(const std::string& path, const std::string& text) = 0;
  // The present text of the file, or nothing if it cannot be read.
  [[nodiscard]] virtual std::optional<std::string> read_config_file(const std::string& path) = 0;
  // A node setting was set by CONFIG SET, its typed value is in settings().values(): whoever copied it takes it anew.
  virtual void setting_changed(std::string_view name) = 0;

  // Data, as far as node-local commands show it.
  [[nodiscard]] virtual std::uint64_t count_keys_in_slot(std::uint32_t slot) = 0;
  [[nodiscard]] virtual std::vector<std::string> keys_in_slot(std::uint32_t slot, std::uint64_t count) = 0;
  [[nodiscard]] virtual std::string digest() = 0;  // DEBUG DIGEST: 40 hex digits
  [[nodiscard]] virtual std::string value_digest(std::uint32_t db, std::string_view key) = 0;  // the same for one key
  // DEBUG OBJECT's status line, or nothing for a missing key.
  [[nodiscard]] virtual std::optional<std::string> debug_object(std::uint32_t db, std::string_view key) = 0;
  virtual void set_active_expire(bool on) = 0;

  // Scripts: the run under way, and how many libraries and functions there are.
  [[nodiscard]] virtual commands::ScriptHost* script_host() = 0;
  struct LibraryCounts {
    std::size_t libraries = 0;
    std::size_t functions = 0;
  };
  [[nodiscard]] virtual LibraryCounts library_counts() const = 0;
};

}  // namespace redraft::replica::local
