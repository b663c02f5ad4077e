#include "server/replica/migrations.h"

#include <string>
#include <utility>
#include <vector>

#include "server/replica/engine.h"
#include "server/replica/reply_scope.h"

namespace redraft::replica {

using commands::Command;
using commands::CommandId;

// Alone on its connection, as WATCH: what comes behind it stays unparsed until it is answered.
bool Migrations::take(Session& session, const Command& command, std::span<const std::string_view> arguments) {
  if (!session.pending.empty()) {
    session.hold(Hold::kOrder);
    return false;
  }
  if (!engine_.leading()) return engine_.take_elsewhere(session, command, arguments);
  if (engine_.disk_full_ || engine_.commit_stalled_) return engine_.refuse_write(session);
  engine_.take_read(session, command, arguments);
  session.hold(Hold::kOrder);
  return true;
}

bool Migrations::begin(Session& session, Pending& head) {
  ServerCall call{.id = ++last_call_, .host = wanted_.host, .port = wanted_.port};
  call.patience_ms = wanted_.timeout_ms;
  call.request = std::exchange(wanted_.request, {});
  call.login_size = wanted_.login_size;
  call.replies = wanted_.replies_ahead + wanted_.keys.size();
  if (!engine_.host_.call(std::move(call))) {
    session.writer().error("IOERR error or timeout connecting to the client");
    return true;
  }
  head.blocked = true;
  under_way_.emplace(last_call_, Under{session.id(), std::exchange(wanted_, {})});
  return false;
}

// A connection that is gone has moved its keys all the same, as in Redis; unless they are too many for an entry: then
// they stay here too, and nobody was told otherwise.
void Migrations::call_done(const ServerCallDone& done) {
  const auto node = under_way_.extract(done.id);
  if (node.empty()) return;
  const Under& migrating = node.mapped();
  commands::MigrationReplies replies = commands::judge_replies(migrating.migration, done.errors);
  using End = ServerCallDone::End;
  if (replies.error.empty() && done.end != End::kAnswered) {
    replies.error = done.end == End::kNoConnection ? "IOERR error or timeout connecting to the client"
                    : done.end == End::kNotWritten ? "IOERR error or timeout writing to target instance"
                                                   : "IOERR error or timeout reading to target instance";
  }
  Session* session = engine_.sessions_.find(migrating.session);
  if (session != nullptr && session->pending.empty()) session = nullptr;
  if (replies.taken.empty() || migrating.migration.copy || !engine_.leading()) {
    const bool kept = !replies.taken.empty() && !migrating.migration.copy;
    if (session != nullptr) finish(*session, kept ? kCopiedOnly : std::string_view(replies.error));
    return;
  }
  const std::vector<std::string> words = commands::words_to_drop(replies);
  const std::vector<std::string_view> arguments(words.begin(), words.end());
  if (session != nullptr) {
    const Command* command = session->pending.front().command;
    session->pending.pop_front();
    engine_.propose_for(*session, CommandId::kDropMigrated, *command, arguments);
    return;
  }
  const CommandHeader header{.id = CommandId::kDropMigrated, .db = replies.taken.front()->seen.db};
  const std::size_t size = encoded_size(header, arguments);
  if (!Pipeline::fits(size)) return;
  if (engine_.pipeline_.full(size)) engine_.close_batch();
  engine_.pipeline_.add(nullptr, header, arguments);
}

// Without an entry: nothing changes here.
void Migrations::finish(Session& session, std::string_view error) {
  const Pending head = session.pending.front();
  {
    Engine::ReplyScope scope(engine_, session, head.silent);
    error.empty() ? session.writer().ok() : session.writer().error(error);
  }
  engine_.executed(session, *head.command, std::span(&head.command->name, 1), engine_.host_.measure_ns(),
                   !error.empty());
  session.pending.pop_front();
  engine_.drain(session);
}

}  // namespace redraft::replica
