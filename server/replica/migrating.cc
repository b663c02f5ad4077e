#include "server/commands/migrate.h"

#include <utility>

#include "server/replica/engine.h"
#include "server/replica/reply_scope.h"

// MIGRATE's way through a node (commands/migrate.h has its steps): a read behind its barrier, a call of the host, an
// entry. The connection waits, all others go on, and the log has nothing of it before the target has the keys.

namespace redraft::replica {

using commands::Command;
using commands::CommandId;

// Alone on its connection, as WATCH: what comes behind it stays unparsed until it is answered.
bool Engine::take_migrate(Session& session, const Command& command, Arguments arguments) {
  if (!session.pending.empty()) {
    session.hold(Hold::kOrder);
    return false;
  }
  if (!leading()) return take_elsewhere(session, command, arguments);
  if (disk_full_ || commit_stalled_) return refuse_write(session);
  take_read(session, command, arguments);
  session.hold(Hold::kOrder);
  return true;
}

// The read at the session's front has left what is to be sent in `migration_`. True when it was answered.
bool Engine::begin_migration(Session& session, Pending& head) {
  ServerCall call{.id = ++last_call_, .host = migration_.host, .port = migration_.port};
  call.patience_ms = migration_.timeout_ms;
  call.request = std::exchange(migration_.request, {});
  call.login_size = migration_.login_size;
  call.replies = migration_.replies_ahead + migration_.keys.size();
  if (!host_.call(std::move(call))) {
    session.writer().error("IOERR error or timeout connecting to the client");
    return true;
  }
  head.blocked = true;
  migrating_.emplace(last_call_, Migrating{session.id(), std::exchange(migration_, {})});
  return false;
}

// A connection that is gone has moved its keys all the same, as in Redis; unless they are too many for an entry: then
// they stay here too, and nobody was told otherwise.
void Engine::call_done(ServerCallDone done) {
  const auto node = migrating_.extract(done.id);
  if (node.empty()) return;
  const Migrating& migrating = node.mapped();
  commands::MigrationReplies replies = commands::judge_replies(migrating.migration, done.errors);
  using End = ServerCallDone::End;
  if (replies.error.empty() && done.end != End::kAnswered) {
    replies.error = done.end == End::kNoConnection ? "IOERR error or timeout connecting to the client"
                    : done.end == End::kNotWritten ? "IOERR error or timeout writing to target instance"
                                                   : "IOERR error or timeout reading to target instance";
  }
  Session* session = sessions_.find(migrating.session);
  if (session != nullptr && session->pending.empty()) session = nullptr;
  if (replies.taken.empty() || migrating.migration.copy || !leading()) {
    const bool kept = !replies.taken.empty() && !migrating.migration.copy;
    if (session != nullptr) finish_migration(*session, kept ? kCopiedOnly : std::string_view(replies.error));
    return;
  }
  const std::vector<std::string> words = commands::words_to_drop(replies);
  const std::vector<std::string_view> arguments(words.begin(), words.end());
  if (session != nullptr) {
    const Command* command = session->pending.front().command;
    session->pending.pop_front();
    propose_for(*session, CommandId::kDropMigrated, *command, arguments);
    return;
  }
  const CommandHeader header{.id = CommandId::kDropMigrated, .db = replies.taken.front()->seen.db};
  const std::size_t size = encoded_size(header, arguments);
  if (!Pipeline::fits(size)) return;
  if (pipeline_.full(size)) close_batch();
  pipeline_.add(nullptr, header, arguments);
}

// Without an entry: nothing changes here.
void Engine::finish_migration(Session& session, std::string_view error) {
  const Pending head = session.pending.front();
  {
    ReplyScope scope(*this, session, head.silent);
    error.empty() ? session.writer().ok() : session.writer().error(error);
  }
  executed(session, *head.command, Arguments(&head.command->name, 1), host_.measure_ns(), !error.empty());
  session.pending.pop_front();
  drain(session);
}

}  // namespace redraft::replica
