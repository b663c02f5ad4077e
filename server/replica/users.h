#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/commands/acl.h"
#include "server/commands/command.h"
#include "server/replica/host.h"
#include "server/replica/local/acl_log.h"
#include "server/replica/sessions.h"
#include "server/replica/settings.h"
#include "server/store/store.h"

namespace redraft::replica {

// Who is connected and what they may do. Users are replicated state: an entry changes them on every node at once, and
// every command is checked twice, before it is proposed and when it is applied, so that none runs after the change that
// forbids it. ACL LOG is the node's own.
class Users {
 public:
  using Arguments = std::span<const std::string_view>;

  // All outlive this. `close` ends a connection after its replies.
  Users(const Settings& settings, Sessions& sessions, std::function<void(Session&)> close)
      : settings_(settings), sessions_(sessions), close_(std::move(close)) {}

  [[nodiscard]] const commands::AclUsers& all() const { return users_; }
  [[nodiscard]] local::AclLog& log() { return log_; }

  // The password was found right, or none is needed.
  void log_in(Session& session, std::string_view name);
  // As a new connection: "default", whom a password may protect.
  void log_out(Session& session);

  // Why this session may not have that command, as a whole error line; empty when it may. Only asked for the few
  // sessions that are limited somehow.
  [[nodiscard]] std::string objection(const Session& session, const commands::Command& command, Arguments arguments,
                                      Time now);
  // The same at apply, where the entry's user is all there is.
  [[nodiscard]] std::string refusal(std::uint32_t user_id, const commands::Command& command, Arguments arguments) const;
  [[nodiscard]] commands::AclVerdict check(std::uint32_t user_id, const commands::Command& command,
                                           Arguments arguments) const;
  // A line in ACL LOG, if that session's user may not have the command: where the client is connected, so `session` is
  // null on the other nodes and when the log is replayed.
  void note_denial(const Session* session, const commands::Command& command, Arguments arguments,
                   std::string_view context, Time now);

  // AclUsers::change out of an entry, with what follows for those who are connected.
  [[nodiscard]] Result<std::int64_t> change(Arguments change, store::Store& store);
  // requirepass is the password of "default" (redis.io/docs/management/security/acl).
  void set_default_password(std::string_view password, store::Store& store);
  // After a start or a snapshot: what the store has. Before there is a cluster, with an empty one or none, only this
  // node's requirepass can tell whom to let in.
  void adopt(const store::Store* store);

 private:
  void changed(const std::set<std::string>& replaced);
  [[nodiscard]] bool may_listen(const Session& session) const;

  const Settings& settings_;
  Sessions& sessions_;
  std::function<void(Session&)> close_;
  commands::AclUsers users_;
  local::AclLog log_;
};

}  // namespace redraft::replica
