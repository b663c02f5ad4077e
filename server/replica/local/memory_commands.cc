#include <algorithm>

#include "server/replica/local/handlers.h"

namespace redraft::replica::local {

void memory_doctor(LocalContext& context) {
  const NodeView view = context.actions.view();
  constexpr std::uint64_t kLittle = 5 * 1024 * 1024;
  if (view.used_memory < kLittle) {
    return context.reply.verbatim(
        "txt",
        "Hi Sam, this instance is empty or is using very little memory, my issues detector can't be used in these "
        "conditions. Please, leave for your mission on Earth and fill it with some data. The new Sam and I will be "
        "back to our programming as soon as I finished rebooting.\n");
  }
  std::string problems;
  const std::uint64_t peak = context.actions.statistics().peak_memory;
  if (peak > view.used_memory + view.used_memory / 2) {
    problems +=
        " * Peak memory: In the past this instance used more than 150% the memory that is currently using. The "
        "allocator is normally not able to release memory after a peak, so you can expect to see a big "
        "fragmentation ratio, however this is actually harmless and is only due to the memory peak.\n\n";
  } else if (view.process.resident_bytes > view.used_memory + view.used_memory / 2) {
    problems +=
        " * High total RSS: This instance has a memory fragmentation and RSS overhead greater than 1.4 (this "
        "means that the Resident Set Size of the process is much larger than the sum of the logical "
        "allocations performed).\n\n";
  }
  if (problems.empty()) {
    return context.reply.verbatim("txt",
                                  "Hi Sam, I can't find any memory issue in your instance. I can only account "
                                  "for what occurs on this base.\n");
  }
  context.reply.verbatim("txt", "Sam, I detected a few issues in this Redis instance memory implants:\n\n" + problems +
                                    "I'm here to keep you safe, Sam. I want to help you.\n");
}

// redis.io/commands/memory-stats, the fields that have a meaning here.
void memory_stats(LocalContext& context) {
  const NodeView view = context.actions.view();
  std::uint64_t keys = 0;
  for (const DatabaseView& db : view.databases) keys += db.keys;
  const std::uint64_t overhead = view.used_memory - std::min(view.used_memory, view.dataset_memory);
  const auto ratio = [](std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  const std::uint64_t peak = std::max(context.actions.statistics().peak_memory, view.used_memory);
  const std::uint64_t allocated =
      view.process.allocator_allocated_bytes != 0 ? view.process.allocator_allocated_bytes : view.used_memory;
  resp::Writer& reply = context.reply;
  const resp::Writer::Deferred begin = reply.defer();
  std::size_t fields = 0;
  const auto number = [&](std::string_view name, std::uint64_t value) {
    reply.bulk(name);
    reply.integer(static_cast<std::int64_t>(value));
    ++fields;
  };
  const auto real = [&](std::string_view name, double value) {
    reply.bulk(name);
    reply.number(value);
    ++fields;
  };
  number("peak.allocated", peak);
  number("total.allocated", view.used_memory);
  number("startup.allocated", 0);
  number("replication.backlog", view.log_memory);
  number("clients.slaves", 0);
  number("clients.normal", view.clients_memory);
  number("cluster.links", 0);
  number("aof.buffer", 0);
  number("lua.caches", 0);
  number("functions.caches", 0);
  for (const DatabaseView& db : view.databases) {
    reply.bulk("db." + std::to_string(db.db));
    reply.map(3);
    reply.bulk("overhead.hashtable.main");
    reply.integer(0);
    reply.bulk("overhead.hashtable.expires");
    reply.integer(0);
    reply.bulk("overhead.hashtable.slot-to-keys");
    reply.integer(0);
    ++fields;
  }
  number("overhead.total", overhead);
  number("keys.count", keys);
  number("keys.bytes-per-key", keys == 0 ? 0 : view.dataset_memory / keys);
  number("dataset.bytes", view.dataset_memory);
  real("dataset.percentage", ratio(view.dataset_memory, view.used_memory) * 100);
  real("peak.percentage", ratio(view.used_memory, peak) * 100);
  number("allocator.allocated", allocated);
  number("allocator.active", allocated);
  number("allocator.resident", view.process.resident_bytes);
  real("allocator-fragmentation.ratio", 1);
  number("allocator-fragmentation.bytes", 0);
  real("allocator-rss.ratio", ratio(view.process.resident_bytes, allocated));
  number("allocator-rss.bytes", view.process.resident_bytes - std::min(view.process.resident_bytes, allocated));
  real("rss-overhead.ratio", 1);
  number("rss-overhead.bytes", 0);
  real("fragmentation", ratio(view.process.resident_bytes, view.used_memory));
  number("fragmentation.bytes", view.process.resident_bytes - std::min(view.process.resident_bytes, view.used_memory));
  reply.end_map(begin, fields);
}

void memory_malloc_stats(LocalContext& context) {
  context.reply.verbatim("txt", "Stats not supported for the current allocator");
}

void memory_purge(LocalContext& context) {
  context.reply.ok();
}

}  // namespace redraft::replica::local
