#include "server/replica/blocked_clients.h"

#include <array>
#include <string>
#include <utility>

#include "server/replica/engine.h"
#include "server/replica/reply_scope.h"

namespace redraft::replica {
namespace {

bool may_wait(const Pending& pending) {
  return pending.kind == Pending::Kind::kWrite && pending.command != nullptr &&
         pending.command->is(commands::kBlocking);
}

}  // namespace

void BlockedClients::begin(Session& session, std::uint64_t timeout_ms) {
  Pending& head = session.pending.front();
  head.blocked = true;
  head.batch = 0;
  session.blocked_command = head.command;
  if (session.blocked_until_us == 0 && timeout_ms != 0) {
    session.blocked_until_us = engine_.now_.monotonic_us + timeout_ms * 1000;
  }
  waiting_.insert(session.id());
  note_end(session.blocked_until_us);
}

resp::Writer* BlockedClients::serve(const commands::Origin& origin) {
  if (origin.node != engine_.node_ || (origin.connection >> 32) != (engine_.boot_ & 0xffffffff)) return nullptr;
  Session* session = engine_.sessions_.find(origin.connection & 0xffffffff);
  if (session == nullptr || session->pending.empty()) return nullptr;
  const Pending& head = session->pending.front();
  if (!head.blocked || head.number != origin.number) return nullptr;
  served_.push_back(session);
  return &session->writer();
}

void BlockedClients::finish_served() {
  for (Session* session : served_) end(*session);
  served_.clear();
}

void BlockedClients::end(Session& session) {
  {
    Engine::ReplyScope scope(engine_, session, false);  // the reply is in the output already
  }
  waiting_.erase(session.id());
  answered(session);
}

void BlockedClients::answered(Session& session) {
  session.blocked_until_us = 0;
  session.blocked_command = nullptr;
  engine_.answered_write(session);
}

// ---- Its end through the log

void BlockedClients::unblock(Session& session, commands::UnblockReason reason) {
  propose({engine_.node_, engine_.connection_of(session), session.pending.back().number}, reason);
}

// Nobody is there to be served any more: behind its own entry, which may not be applied yet, and before whatever is
// pushed from now on.
void BlockedClients::withdraw(Session& session) {
  if (session.pending.empty() || !engine_.leading()) return;
  if (may_wait(session.pending.back())) unblock(session, commands::UnblockReason::kClosed);
}

void BlockedClients::withdraw(const commands::Origin& origin) {
  if (engine_.leading()) propose(origin, commands::UnblockReason::kClosed);
}

void BlockedClients::remove(Session& session) {
  withdraw(session);
  waiting_.erase(session.id());
}

void BlockedClients::propose(const commands::Origin& origin, commands::UnblockReason reason) {
  const std::string node = std::to_string(origin.node);
  const std::string connection = std::to_string(origin.connection);
  const std::string number = std::to_string(origin.number);
  const std::string why = std::to_string(static_cast<int>(reason));
  const std::array<std::string_view, 5> arguments{"unblock", node, connection, number, why};
  engine_.pipeline_.add(nullptr, {.id = commands::CommandId::kUnblockWaiter}, arguments);
}

// ---- Time

void BlockedClients::time_out() {
  if (!engine_.leading() || next_end_us_ == 0 || engine_.now_.monotonic_us < next_end_us_) return;
  next_end_us_ = 0;
  for (const std::uint64_t id : waiting_) {
    Session* session = engine_.sessions_.find(id);
    if (session == nullptr || session->blocked_until_us == 0) continue;
    if (session->blocked_until_us > engine_.now_.monotonic_us) {
      note_end(session->blocked_until_us);
      continue;
    }
    session->blocked_until_us = 0;  // once
    unblock(*session, commands::UnblockReason::kTimeout);
  }
}

// So that many who wait are not looked at in every turn.
void BlockedClients::note_end(std::uint64_t until_us) {
  if (until_us != 0 && (next_end_us_ == 0 || until_us < next_end_us_)) next_end_us_ = until_us;
}

// ---- The end of a term

void BlockedClients::doubt() {
  if (engine_.leading() || doubted_us_ == engine_.stepped_down_us_) return;
  if (engine_.now_.monotonic_us < engine_.stepped_down_us_ + Engine::kDoubtAfter_us) return;
  doubted_us_ = engine_.stepped_down_us_;
  end_in_doubt();
}

void BlockedClients::end_in_doubt() {
  engine_.restart_read_waits();
  for (const std::uint64_t id : std::exchange(waiting_, {})) {
    Session* session = engine_.sessions_.find(id);
    if (session == nullptr || session->pending.empty() || !session->pending.front().blocked) continue;
    {
      Engine::ReplyScope scope(engine_, *session, session->pending.front().silent);
      session->writer().error("INDOUBT outcome unknown: the wait may or may not have been served");
    }
    answered(*session);
  }
}

void BlockedClients::restart() {
  engine_.restart_read_waits();
  for (const std::uint64_t id : std::exchange(waiting_, {})) {
    Session* session = engine_.sessions_.find(id);
    if (session == nullptr || session->pending.empty() || !session->pending.front().blocked) continue;
    Pending& head = session->pending.front();
    CommandReader reader(std::string_view(session->arena).substr(head.offset, head.size));
    CommandHeader header;
    std::vector<std::string_view> arguments;
    const bool whole = reader.next(header, arguments);
    ensure(whole, "a waiting request is kept whole");
    if (engine_.leading()) {
      head.blocked = false;
      head.batch = engine_.pipeline_.add(session, header, arguments);
      session->last_write_batch = head.batch;
      engine_.sessions_.acquire(*session);
      continue;
    }
    {
      Engine::ReplyScope scope(engine_, *session, head.silent);
      engine_.redirect(*session, *head.command, arguments, session->writer());
    }
    answered(*session);
  }
}

}  // namespace redraft::replica
