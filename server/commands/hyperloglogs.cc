#include "server/commands/hyperloglogs.h"

#include <optional>
#include <string>

#include "server/commands/arguments.h"
#include "server/commands/hyperloglog.h"
#include "server/commands/keyspace.h"
#include "server/commands/string_text.h"

namespace redraft::commands {

namespace {

constexpr std::string_view kNotHyperLogLog = "WRONGTYPE Key is not a valid HyperLogLog string value.";
constexpr std::string_view kCorrupt = "INVALIDOBJ Corrupted HLL object detected";

std::size_t sparse_bytes_max(const Context& context) {
  return context.store.setting_number("hll-sparse-max-bytes", 3000);
}

struct Found {
  bool usable = false;  // absent, or one
  bool present = false;
  std::string bytes;
};

// Its bytes, or an error answered.
Found find_hyperloglog(Context& context, std::string_view key) {
  Found found;
  StringText text;
  if (!text.find_or_answer(context, key)) return found;
  found.present = text.present();
  if (found.present) {
    const std::string_view head = text.piece(0);
    // An integer is kept as one and so never begins with the magic word; short pieces are whole strings.
    if (!HyperLogLog::looks_valid(head, text.size())) {
      context.reply.error(kNotHyperLogLog);
      return found;
    }
    found.bytes = text.view();
  }
  found.usable = true;
  return found;
}

// Writes back what differs: of a dense one of three pages usually one.
void store_hyperloglog(Context& context, std::string_view key, const std::string& bytes) {
  constexpr std::size_t kSlice = 2048;
  StringText text;
  std::ignore = text.find(context, key);
  if (!text.present() || text.size() != bytes.size()) {
    context.store.set_raw_string(context.db, key, bytes, text.deadline_ms());
    return;
  }
  const std::string before(text.view());
  for (std::size_t at = 0; at < bytes.size(); at += kSlice) {
    const std::string_view slice = std::string_view(bytes).substr(at, kSlice);
    if (std::string_view(before).substr(at, kSlice) != slice) context.store.write_range(context.db, key, at, slice);
  }
}

void stored(Context& context, std::string_view key, bool is_new) {
  changed(context, key);
  if (is_new) context.notify(Event::kNew, "new", key);
  context.notify(Event::kString, "pfadd", key);
}

void count_one(Context& context, std::string_view key) {
  Found found = find_hyperloglog(context, key);
  if (!found.usable) return;
  if (!found.present) return context.reply.integer(0);
  if (const auto cached = HyperLogLog::cached_count(found.bytes)) {
    return context.reply.integer(static_cast<std::int64_t>(*cached));
  }
  HyperLogLog hll(std::move(found.bytes));
  const std::optional<std::uint64_t> count = hll.count();
  if (!count) return context.reply.error(kCorrupt);
  if (context.applying) {
    hll.remember_count(*count);
    store_hyperloglog(context, key, hll.bytes());
    changed(context, key);
  }
  context.reply.integer(static_cast<std::int64_t>(*count));
}

// Merges the keys' registers. False after an error was answered.
bool merge_keys(Context& context, std::span<const std::string_view> keys, HyperLogLog::Registers& registers,
                bool& any_dense) {
  Breaths breaths(context);
  for (const std::string_view key : keys) {
    breaths.step();
    Found found = find_hyperloglog(context, key);
    if (!found.usable) return false;
    if (!found.present) continue;
    const HyperLogLog hll(std::move(found.bytes));
    any_dense = any_dense || !hll.sparse();
    if (hll.merge_into(registers)) continue;
    context.reply.error(kCorrupt);
    return false;
  }
  return true;
}

}  // namespace

bool count_is_stale(const store::Store& store, std::uint32_t db, std::string_view key) {
  const store::Key* found = store.find(db, key);
  if (found == nullptr || !found->is_string() || found->is_integer()) return false;
  std::string scratch;
  const std::string_view head =
      found->is_inline() ? found->inline_bytes() : static_cast<const store::LongString*>(found->object())->piece(0);
  return HyperLogLog::looks_valid(head, found->string_size()) && !HyperLogLog::cached_count(head);
}

void pfadd(Context& context) {
  const std::string_view key = context.argument(1);
  Found found = find_hyperloglog(context, key);
  if (!found.usable) return;
  HyperLogLog hll = found.present ? HyperLogLog(std::move(found.bytes)) : HyperLogLog();
  bool updated = !found.present;
  Breaths breaths(context);
  for (const std::string_view element : context.arguments.subspan(2)) {
    breaths.step();
    const HyperLogLog::Change change = hll.add(element, sparse_bytes_max(context));
    if (change == HyperLogLog::Change::kCorrupt) return context.reply.error(kCorrupt);
    updated = updated || change == HyperLogLog::Change::kChanged;
  }
  if (updated) {
    hll.forget_count();
    store_hyperloglog(context, key, hll.bytes());
    stored(context, key, !found.present);
  }
  context.reply.integer(updated ? 1 : 0);
}

void pfcount(Context& context) {
  if (context.argument_count() == 2) return count_one(context, context.argument(1));
  HyperLogLog::Registers registers{};
  bool any_dense = false;
  if (!merge_keys(context, context.arguments.subspan(1), registers, any_dense)) return;
  context.reply.integer(static_cast<std::int64_t>(estimate_count(registers)));
}

void pfmerge(Context& context) {
  const std::string_view to = context.argument(1);
  HyperLogLog::Registers registers{};
  bool any_dense = false;
  if (!merge_keys(context, context.arguments.subspan(1), registers, any_dense)) return;
  Found found = find_hyperloglog(context, to);
  if (!found.usable) return;
  HyperLogLog hll = found.present ? HyperLogLog(std::move(found.bytes)) : HyperLogLog();
  if (any_dense && !hll.make_dense()) return context.reply.error(kCorrupt);
  for (std::size_t i = 0; i < registers.size(); ++i) {
    if (registers[i] != 0) hll.raise(i, registers[i], sparse_bytes_max(context));
  }
  hll.forget_count();
  store_hyperloglog(context, to, hll.bytes());
  stored(context, to, !found.present);
  context.reply.ok();
}

namespace {

// GETREG and TODENSE turn a sparse one into a dense one, as in Redis.
void debug_dense(Context& context, std::string_view key, HyperLogLog& hll, bool registers_wanted) {
  const bool was_sparse = hll.sparse();
  if (!hll.make_dense()) return context.reply.error(kCorrupt);
  // The same to whoever watches the key, as Redis sees it.
  if (was_sparse) store_hyperloglog(context, key, hll.bytes());
  if (!registers_wanted) return context.reply.integer(was_sparse ? 1 : 0);
  HyperLogLog::Registers registers{};
  if (!hll.merge_into(registers)) return context.reply.error(kCorrupt);
  context.reply.array(registers.size());
  for (const std::uint8_t value : registers) context.reply.integer(value);
}

}  // namespace

void pfdebug(Context& context) {
  const std::string_view key = context.argument(2);
  if (!key_exists(context, key)) return context.reply.error("ERR The specified key does not exist");
  Found found = find_hyperloglog(context, key);
  if (!found.usable) return;
  HyperLogLog hll(std::move(found.bytes));
  if (option_is(context, 1, "getreg")) return debug_dense(context, key, hll, true);
  if (option_is(context, 1, "todense")) return debug_dense(context, key, hll, false);
  if (option_is(context, 1, "encoding")) return context.reply.simple(hll.sparse() ? "sparse" : "dense");
  if (option_is(context, 1, "decode")) {
    if (!hll.sparse()) return context.reply.error("ERR HLL encoding is not sparse");
    return context.reply.bulk(hll.describe().value_or(std::string()));
  }
  context.reply.error("ERR Unknown PFDEBUG subcommand '" + std::string(context.argument(1)) + "'");
}

// Both representations must agree with each other and, within the usual error, with the truth.
void pfselftest(Context& context) {
  constexpr std::uint64_t kElements = 100000;
  constexpr std::size_t kSparseBytes = 3000;
  HyperLogLog sparse;
  HyperLogLog dense;
  bool same = dense.make_dense();
  Breaths breaths(context);
  std::uint64_t checkpoint = 1;
  for (std::uint64_t i = 1; same && i <= kElements; ++i) {
    const std::string element = std::to_string(i * 0x9e3779b97f4a7c15u);
    same = sparse.add(element, kSparseBytes) == dense.add(element, kSparseBytes);
    breaths.step();
    if (i != checkpoint) continue;
    checkpoint *= 10;
    const std::uint64_t counted = dense.count().value_or(0);
    const std::uint64_t off = counted > i ? counted - i : i - counted;
    // Six standard errors of 1.04 / sqrt(16384), and one for small counts.
    same = same && sparse.count() == dense.count() && off <= i / 20 + 1;
  }
  same ? context.reply.ok() : context.reply.error("ERR TESTFAILED sparse and dense HyperLogLogs differ");
}

}  // namespace redraft::commands
