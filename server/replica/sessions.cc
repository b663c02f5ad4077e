#include "server/replica/sessions.h"

#include <utility>

#include "base/check.h"

namespace redraft::replica {

Session& Sessions::open(ClientAddress address) {
  const std::uint64_t id = next_id_++;
  return *by_id_.emplace_hint(by_id_.end(), id, std::make_unique<Session>(id, std::move(address)))->second;
}

void Sessions::close(Session& session) {
  ensure(!session.closed, "a session is closed once");
  session.closed = true;
  ++closed_;
  acquire(session);
  release(session);
}

void Sessions::release(Session& session) {
  ensure(session.references > 0, "a session is released as often as it was acquired");
  if (--session.references == 0 && session.closed) {
    --closed_;
    by_id_.erase(session.id());
  }
}

Session* Sessions::find(std::uint64_t id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() || found->second->closed ? nullptr : found->second.get();
}

}  // namespace redraft::replica
