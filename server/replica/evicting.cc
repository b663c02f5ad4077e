#include "server/commands/evict.h"
#include "server/replica/engine.h"

// maxmemory. What decides is the leader's count of its own data set; followers always apply (redis-semantics,
// "Memory").

namespace redraft::replica {

using commands::Command;
using commands::CommandId;

namespace {

constexpr std::size_t kFreeBeforeEvicting = 4096;  // elements: a slice of about a millisecond
constexpr int kFreeSlicesMax = 8;

}  // namespace

void Engine::adopt_memory_settings() {
  const Values& values = settings_.values();
  eviction_.adopt(*store_, values.maxmemory_samples);
  store_->access_clock().set_frequency_rules(values.lfu_log_factor, values.lfu_decay_minutes);
}

// Proposes deletions until enough is on its way out. What is detached already and not yet freed goes first.
void Engine::make_room() {
  if (!leading() || !eviction_.over(*store_)) return;
  for (int slice = 0; slice < kFreeSlicesMax && store_->garbage() > 0 && eviction_.over(*store_); ++slice) {
    store_->free_some(kFreeBeforeEvicting);
  }
  if (disk_full_ || !may_close() || store_->garbage() > 0 || !eviction_.over(*store_)) return;
  const std::vector<std::string> words = eviction_.choose(*store_, applied_.value);
  if (words.empty()) return;
  const std::vector<std::string_view> arguments(words.begin(), words.end());
  const CommandHeader header{.id = CommandId::kEvict};
  if (pipeline_.full(encoded_size(header, arguments))) close_batch();
  pipeline_.add(nullptr, header, arguments);
}

// Redis refuses what needs memory, and whatever would be queued, when there is nothing to evict.
bool Engine::out_of_memory(const Session& session, const Command& command) {
  if (!eviction_.limits() || !leading()) return false;
  bool needs_memory = command.is(commands::kDenyOom);
  if (session.transaction.open) {
    needs_memory = command.id == CommandId::kExec ? session.transaction.needs_memory
                                                  : !command.is(commands::kNoMulti) && !transaction_control(command.id);
  }
  if (!needs_memory) return false;
  make_room();
  return script_lacks_memory();
}

// Of scripts nobody knows beforehand whether they need memory. So when there is none each is tried as a read, and its
// first write is refused if it needs some; one that comes through to another write goes into the log, where nothing is
// refused any more, since half a script cannot be undone. Those in a transaction are told by its entry.
bool Engine::script_lacks_memory() const {
  return eviction_.limits() && leading() && store_->garbage() == 0 && eviction_.over(*store_) && !eviction_.under_way();
}

void Engine::apply_eviction(commands::Context& context, bool own) {
  statistics_.evicted_keys += commands::evict(context);
  if (own) eviction_.applied(commands::evicted_bytes(context));
}

}  // namespace redraft::replica
