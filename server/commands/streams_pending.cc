#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/streams.h"
#include "server/commands/streams_kit.h"

// XPENDING, XCLAIM and XAUTOCLAIM: what was delivered and not acknowledged, and who takes it over.

namespace redraft::commands {

using store::Consumer;
using store::ConsumerGroup;
using store::Delivery;
using store::Stream;
using store::StreamId;

namespace {

void answer_no_group(Context& context) {
  context.reply.error("NOGROUP No such key '" + std::string(shown(context.argument(1))) + "' or consumer group '" +
                      std::string(shown(context.argument(2))) + "'");
}

std::int64_t idle_ms(const Context& context, const Delivery& delivery) {
  return static_cast<std::int64_t>(context.clock_ms - delivery.delivered_ms);
}

// The smallest idle time at argument 4; below zero is none.
std::optional<std::int64_t> min_idle_argument(Context& context, std::string_view error) {
  std::optional<std::int64_t> value = integer_argument(context, 4, error);
  if (value && *value < 0) value = 0;
  return value;
}

// ---- XPENDING

struct PendingRange {
  std::int64_t min_idle_ms = 0;
  StreamId start;
  StreamId end;
  std::int64_t count = 0;
  std::optional<std::string_view> consumer;
};

std::optional<PendingRange> pending_range(Context& context) {
  PendingRange range;
  std::size_t at = 3;
  if (option_is(context, at, "idle")) {
    const std::optional<std::int64_t> idle = integer_argument(context, at + 1);
    if (!idle) return std::nullopt;
    if (context.argument_count() < 8) return answer_syntax_error(context), std::nullopt;
    range.min_idle_ms = *idle;
    at += 2;
  }
  const std::optional<std::int64_t> count = integer_argument(context, at + 2);
  if (!count) return std::nullopt;
  range.count = *count;
  const std::optional<StreamId> start = bound_argument(context, at, RangeBound::kStart);
  if (!start) return std::nullopt;
  const std::optional<StreamId> end = bound_argument(context, at + 1, RangeBound::kEnd);
  if (!end) return std::nullopt;
  range.start = *start;
  range.end = *end;
  if (at + 3 < context.argument_count()) range.consumer = context.argument(at + 3);
  return range;
}

// How many, the first and the last, and for each consumer how many.
void answer_summary(Context& context, const ConsumerGroup& group) {
  context.reply.array(4);
  context.reply.integer(static_cast<std::int64_t>(group.pending().size()));
  if (group.pending().size() == 0) {
    context.reply.null();
    context.reply.null();
    context.reply.null_array();
    return;
  }
  answer_id(context, group.pending().at_or_after({})->id);
  answer_id(context, group.pending().last()->id);
  const auto consumers = context.reply.defer();
  std::size_t count = 0;
  for (const auto& [name, consumer] : group.consumers()) {
    if (consumer->owned.size() == 0) continue;
    context.reply.array(2);
    context.reply.bulk(name);
    context.reply.bulk_integer(static_cast<std::int64_t>(consumer->owned.size()));
    ++count;
  }
  context.reply.end_array(consumers, count);
}

void answer_delivery(Context& context, const Delivery& delivery) {
  const std::int64_t idle = idle_ms(context, delivery);
  context.reply.array(4);
  answer_id(context, delivery.id);
  context.reply.bulk(delivery.consumer->name);
  context.reply.integer(idle < 0 ? 0 : idle);
  context.reply.integer(static_cast<std::int64_t>(delivery.count));
}

void answer_range(Context& context, const ConsumerGroup& group, const PendingRange& range) {
  const Consumer* const consumer = range.consumer ? group.find_consumer(*range.consumer) : nullptr;
  if (range.consumer && consumer == nullptr) return context.reply.array(0);
  const auto whole = context.reply.defer();
  std::int64_t answered = 0;
  Breaths breaths(context);
  const auto visit = [&](const Delivery& delivery) {
    breaths.step();
    if (answered >= range.count || delivery.id > range.end) return false;
    if (range.min_idle_ms != 0 && idle_ms(context, delivery) < range.min_idle_ms) return true;
    answer_delivery(context, delivery);
    ++answered;
    return true;
  };
  if (consumer == nullptr) {
    group.pending().for_each(range.start, visit);
  } else {
    consumer->owned.for_each(range.start,
                             [&](const Consumer::Owned& owned) { return visit(*group.pending().find(owned.id)); });
  }
  context.reply.end_array(whole, static_cast<std::size_t>(answered));
}

// ---- Taking over

struct Claim {
  Stream& stream;
  ConsumerGroup& group;
  Consumer& consumer;
  std::int64_t min_idle_ms = 0;
  bool just_id = false;
  bool force = false;
  std::uint64_t delivered_ms = 0;
  std::optional<std::uint64_t> count = {};  // RETRYCOUNT
};

// False when nothing was claimed. An entry that was deleted is not pending any more.
bool claim_entry(Context& context, const Claim& claim, StreamId id) {
  const Delivery* const pending = claim.group.pending().find(id);
  if (!claim.stream.contains(id)) {
    if (pending != nullptr) claim.group.acknowledge(id);
    return false;
  }
  if (pending == nullptr && !claim.force) return false;
  if (pending != nullptr && claim.min_idle_ms != 0 && idle_ms(context, *pending) < claim.min_idle_ms) return false;
  const std::uint64_t deliveries = pending == nullptr ? 1 : pending->count;
  const std::uint64_t count = claim.count ? *claim.count : claim.just_id ? deliveries : deliveries + 1;
  claim.group.deliver(id, claim.consumer, claim.delivered_ms, count);
  claim.group.served(claim.consumer, context.clock_ms);
  return true;
}

void answer_claimed(Context& context, const Claim& claim, StreamId id) {
  if (claim.just_id) return answer_id(context, id);
  const bool there = answer_entry_at(context, claim.stream, id);
  ensure(there, "only an entry of the stream is claimed");
}

struct ClaimOptions {
  bool force = false;
  bool just_id = false;
  std::optional<std::int64_t> delivered_ms;
  std::optional<std::int64_t> count;
  StreamId last_id;
};

std::optional<ClaimOptions> claim_options(Context& context, std::size_t i) {
  ClaimOptions options;
  for (; i < context.argument_count(); ++i) {
    const bool more = i + 1 < context.argument_count();
    if (option_is(context, i, "force")) {
      options.force = true;
    } else if (option_is(context, i, "justid")) {
      options.just_id = true;
    } else if (more && option_is(context, i, "idle")) {
      const auto idle = integer_argument(context, ++i, "ERR Invalid IDLE option argument for XCLAIM");
      if (!idle) return std::nullopt;
      options.delivered_ms = static_cast<std::int64_t>(context.clock_ms - static_cast<std::uint64_t>(*idle));
    } else if (more && option_is(context, i, "time")) {
      options.delivered_ms = integer_argument(context, ++i, "ERR Invalid TIME option argument for XCLAIM");
      if (!options.delivered_ms) return std::nullopt;
    } else if (more && option_is(context, i, "retrycount")) {
      options.count = integer_argument(context, ++i, "ERR Invalid RETRYCOUNT option argument for XCLAIM");
      if (!options.count) return std::nullopt;
    } else if (more && option_is(context, i, "lastid")) {
      const std::optional<StreamId> last = id_argument(context, ++i);
      if (!last) return std::nullopt;
      options.last_id = *last;
    } else {
      context.reply.error("ERR Unrecognized XCLAIM option '" + std::string(shown(context.argument(i))) + "'");
      return std::nullopt;
    }
  }
  return options;
}

}  // namespace

void xpending(Context& context) {
  const std::size_t arguments = context.argument_count();
  if (arguments != 3 && (arguments < 6 || arguments > 9)) return answer_syntax_error(context);
  std::optional<PendingRange> range;
  if (arguments > 3) {
    range = pending_range(context);
    if (!range) return;
  }
  const Stream* stream = nullptr;
  if (!find_stream(context, context.argument(1), stream)) return;
  const ConsumerGroup* const group = stream == nullptr ? nullptr : stream->find_group(context.argument(2));
  if (group == nullptr) return answer_no_group(context);
  range ? answer_range(context, *group, *range) : answer_summary(context, *group);
}

void xclaim(Context& context) {
  const std::string_view key = context.argument(1);
  Stream* stream = nullptr;
  if (!find_stream_for_change(context, key, stream)) return;
  ConsumerGroup* const group = stream == nullptr ? nullptr : stream->find_group(context.argument(2));
  if (group == nullptr) return answer_no_group(context);
  const auto min_idle = min_idle_argument(context, "ERR Invalid min-idle-time argument for XCLAIM");
  if (!min_idle) return;
  // Ids as far as arguments are ids, then options.
  std::vector<StreamId> ids;
  std::size_t at = 5;
  for (; at < context.argument_count(); ++at) {
    const std::optional<StreamId> id = parse_id(context.argument(at));
    if (!id) break;
    ids.push_back(*id);
  }
  const std::optional<ClaimOptions> options = claim_options(context, at);
  if (!options) return;
  if (options->last_id > group->last_id()) group->set_position(options->last_id, group->entries_read());
  Claim claim{*stream, *group, see_consumer(context, key, *group, context.argument(3))};
  claim.min_idle_ms = *min_idle;
  claim.just_id = options->just_id;
  claim.force = options->force;
  claim.delivered_ms = context.clock_ms;
  // A time of the client's own may be off: what cannot be is now.
  const std::int64_t delivered = options->delivered_ms.value_or(-1);
  if (delivered >= 0 && static_cast<std::uint64_t>(delivered) <= context.clock_ms) {
    claim.delivered_ms = static_cast<std::uint64_t>(delivered);
  }
  if (options->count && *options->count >= 0) claim.count = static_cast<std::uint64_t>(*options->count);
  const auto whole = context.reply.defer();
  std::size_t claimed = 0;
  Breaths breaths(context);
  for (const StreamId id : ids) {
    breaths.step();
    if (!claim_entry(context, claim, id)) continue;
    answer_claimed(context, claim, id);
    ++claimed;
  }
  context.reply.end_array(whole, claimed);
}

namespace {

struct AutoclaimOptions {
  StreamId start;
  std::int64_t min_idle_ms = 0;
  std::int64_t count = 100;
  bool just_id = false;
};

std::optional<AutoclaimOptions> autoclaim_options(Context& context) {
  constexpr std::int64_t kCountMax = kInt64Max / static_cast<std::int64_t>(sizeof(StreamId));
  AutoclaimOptions options;
  const auto min_idle = min_idle_argument(context, "ERR Invalid min-idle-time argument for XAUTOCLAIM");
  if (!min_idle) return std::nullopt;
  options.min_idle_ms = *min_idle;
  const std::optional<StreamId> start = bound_argument(context, 5, RangeBound::kStart);
  if (!start) return std::nullopt;
  options.start = *start;
  for (std::size_t i = 6; i < context.argument_count(); ++i) {
    if (option_is(context, i, "count") && i + 1 < context.argument_count()) {
      const std::optional<std::int64_t> count = integer_in_range(context, ++i, 1, kCountMax, "ERR COUNT must be > 0");
      if (!count) return std::nullopt;
      options.count = *count;
    } else if (option_is(context, i, "justid")) {
      options.just_id = true;
    } else {
      answer_syntax_error(context);
      return std::nullopt;
    }
  }
  return options;
}

// What XAUTOCLAIM found from its start on.
struct Autoclaimed {
  std::vector<StreamId> claimed;
  std::vector<StreamId> deleted;  // pending, but no longer in the stream
  StreamId cursor;                // where the next call begins; 0-0 at the end
};

Autoclaimed claim_from(Context& context, const Claim& claim, const AutoclaimOptions& options) {
  constexpr std::int64_t kAttemptsForEach = 10;
  Autoclaimed found;
  Breaths breaths(context);
  std::int64_t left = options.count;
  StreamId next = options.start;
  const Delivery* pending = claim.group.pending().at_or_after(next);
  for (std::int64_t attempts = left * kAttemptsForEach; attempts > 0 && left > 0 && pending != nullptr; --attempts) {
    breaths.step();
    const StreamId id = next = pending->id;
    if (!claim.stream.contains(id)) {
      claim.group.acknowledge(id);
      found.deleted.push_back(id);
      --left;
    } else if (claim_entry(context, claim, id)) {
      found.claimed.push_back(id);
      --left;
    }
    pending = next.increment() ? claim.group.pending().at_or_after(next) : nullptr;
  }
  if (pending != nullptr) found.cursor = pending->id;
  return found;
}

}  // namespace

void xautoclaim(Context& context) {
  const std::optional<AutoclaimOptions> options = autoclaim_options(context);
  if (!options) return;
  const std::string_view key = context.argument(1);
  Stream* stream = nullptr;
  if (!find_stream_for_change(context, key, stream)) return;
  ConsumerGroup* const group = stream == nullptr ? nullptr : stream->find_group(context.argument(2));
  if (group == nullptr) return answer_no_group(context);
  Claim claim{*stream, *group, see_consumer(context, key, *group, context.argument(3))};
  claim.min_idle_ms = options->min_idle_ms;
  claim.just_id = options->just_id;
  claim.delivered_ms = context.clock_ms;
  const Autoclaimed found = claim_from(context, claim, *options);
  context.reply.array(3);
  answer_id(context, found.cursor);
  context.reply.array(found.claimed.size());
  for (const StreamId id : found.claimed) answer_claimed(context, claim, id);
  context.reply.array(found.deleted.size());
  for (const StreamId id : found.deleted) answer_id(context, id);
}

}  // namespace redraft::commands
