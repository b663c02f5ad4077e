#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "server/commands/command.h"
#include "server/commands/migrate.h"
#include "server/replica/server_call.h"
#include "server/replica/session.h"

namespace redraft::replica {

class Engine;

// MIGRATE's way through a node (commands/migrate.h has its steps): a read behind its barrier, a call of the host, an
// entry. The connection waits, all others go on, and the log has nothing of it before the target has the keys. A part
// of the engine and its friend.
class Migrations {
 public:
  // Of one whose last step came to nothing. It did something, so no word that clients send again for.
  static constexpr std::string_view kCopiedOnly =
      "ERR the target has the keys, but another node leads here now: they were not deleted";

  explicit Migrations(Engine& engine) : engine_(engine) {}

  // The command came. False when its session has to wait; it is given again then.
  bool take(Session& session, const commands::Command& command, std::span<const std::string_view> arguments);
  // Where a MIGRATE that is executed leaves what it wants sent.
  [[nodiscard]] commands::Migration* wanted() { return &wanted_; }
  // It was the read at the session's front. True when it was answered.
  bool begin(Session& session, Pending& head);
  void call_done(const ServerCallDone& done);

 private:
  // Its target has not answered yet.
  struct Under {
    std::uint64_t session = 0;
    commands::Migration migration;
  };

  void finish(Session& session, std::string_view error);

  Engine& engine_;
  commands::Migration wanted_;
  std::map<std::uint64_t, Under> under_way_;  // by the number of their calls
  std::uint64_t last_call_ = 0;
};

}  // namespace redraft::replica
