#include <utility>

#include "server/replica/engine.h"
#include "server/replica/reply_scope.h"

// XREAD BLOCK: a read that waits on its own node, without an entry (redis-semantics, "Blocking"). It ran behind its
// barrier and found nothing; each later entry was committed after the request came, so the state behind any of them may
// answer it. It stays at its session's front, and runs again when one of its streams changes.

namespace redraft::replica {

// `head` is the session's front, and its command's arguments are what the wait says from now on: "$" was the last id of
// this moment.
void Engine::begin_read_wait(Session& session, Pending& head, commands::ReadWait wait) {
  if (session.blocked_command == nullptr) {
    session.blocked_command = head.command;
    session.hold(Hold::kBlocked);
    if (wait.timeout_ms != 0) session.blocked_until_us = now_.monotonic_us + wait.timeout_ms * 1000;
    const std::vector<std::string_view> arguments(wait.arguments.begin(), wait.arguments.end());
    head.offset = static_cast<std::uint32_t>(session.arena.size());
    append_command(session.arena, {.id = head.command->id, .db = head.db}, arguments);
    head.size = static_cast<std::uint32_t>(session.arena.size() - head.offset);
  }
  head.blocked = true;
  read_waits_.add(session.id(), head.db, std::move(wait.keys), session.blocked_until_us);
  store_->observe_for_readers(&read_waits_);
}

// Whatever ended it: the read at the front is answered.
void Engine::end_read_wait(Session& session) {
  if (session.blocked_command == nullptr) return;
  session.blocked_command = nullptr;
  session.blocked_until_us = 0;
  session.release(Hold::kBlocked);
}

// As in Redis a key that goes or becomes something else than a stream wakes nobody.
void Engine::wake_reads() {
  if (!read_waits_.any_changed()) return;
  const auto is_stream = [&](std::uint32_t db, std::string_view name) {
    const store::Key* key = store_->find(db, name);
    return key != nullptr && key->type() == store::Type::kStream;
  };
  for (const std::uint64_t id : read_waits_.take_woken(is_stream)) {
    Session* session = sessions_.find(id);
    if (session == nullptr) continue;
    session->pending.front().blocked = false;
    drain(*session);
  }
  if (read_waits_.empty()) store_->observe_for_readers(nullptr);
}

// By its time or by CLIENT UNBLOCK. Redis answers the null array.
void Engine::finish_read_wait(Session& session, bool with_error) {
  read_waits_.remove(session.id());
  {
    ReplyScope scope(*this, session, session.pending.front().silent);
    with_error ? session.writer().error("UNBLOCKED client unblocked via CLIENT UNBLOCK")
               : session.writer().null_array();
  }
  session.pending.pop_front();
  end_read_wait(session);
  drain(session);
}

void Engine::time_out_reads() {
  for (const std::uint64_t id : read_waits_.due(now_.monotonic_us)) {
    if (Session* session = sessions_.find(id)) finish_read_wait(*session, false);
  }
}

// Another node leads, or the state was replaced: who came for the leader's answer is redirected, who reads here looks
// again.
void Engine::restart_read_waits() {
  for (const std::uint64_t id : read_waits_.take_all()) {
    Session* session = sessions_.find(id);
    if (session == nullptr) continue;
    Pending& head = session->pending.front();
    head.blocked = false;
    head.cancelled = !leading() && !session->readonly;
    drain(*session);
  }
}

}  // namespace redraft::replica
