#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "resp/writer.h"
#include "server/commands/context.h"
#include "server/commands/waiters.h"
#include "server/replica/session.h"

namespace redraft::replica {

class Engine;

// Clients of this node that wait in a blocking pop. That they wait, and for what, is replicated state
// (commands/waiters.h); here is whose reply it is, when a wait ends by its time, and what becomes of it when the term
// does (redis-semantics, "Blocking"). What ends a wait goes through the log. A part of the engine and its friend.
class BlockedClients {
 public:
  explicit BlockedClients(Engine& engine) : engine_(engine) {}

  // The write at the session's front was applied and waits. `timeout_ms` 0: for ever.
  void begin(Session& session, std::uint64_t timeout_ms);
  // Where the reply to that waiting command goes; null if its client is not here any more or does not wait. Followed by
  // `finish_served` when the entry's command has run.
  [[nodiscard]] resp::Writer* serve(const commands::Origin& origin);
  void finish_served();

  // If it waits in its last request, or will when that is applied.
  void unblock(Session& session, commands::UnblockReason reason);
  void withdraw(Session& session);
  // The same for a client that was gone before its command was applied.
  void withdraw(const commands::Origin& origin);
  void remove(Session& session);

  // Each turn.
  void time_out();
  // A deposed leader that learns nothing of the next term ends the waits after a while.
  void doubt();
  // Whether a push served a waiter is in doubt, a read certainly has not been answered.
  void end_in_doubt();
  // A new term's first entry released the waiters of earlier terms: those connected here either wait anew, on the same
  // node that leads again, or go to the new leader. Their pops certainly did not happen.
  void restart();

 private:
  void propose(const commands::Origin& origin, commands::UnblockReason reason);
  void end(Session& session);
  void answered(Session& session);
  void note_end(std::uint64_t until_us);

  Engine& engine_;
  std::set<std::uint64_t> waiting_;  // sessions
  std::uint64_t next_end_us_ = 0;    // the earliest end of their times; 0: none
  std::uint64_t doubted_us_ = 0;     // the step-down whose waits were doubted
  std::vector<Session*> served_;     // got their element inside the command being applied
};

}  // namespace redraft::replica
