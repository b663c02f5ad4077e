#include "server/commands/lists.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/list_pops.h"

namespace redraft::commands {

namespace {

// Redis's index arithmetic: negative counts from the end.
std::optional<std::size_t> position(std::int64_t index, std::size_t size) {
  const auto length = static_cast<std::int64_t>(size);
  if (index < 0) index += length;
  if (index < 0 || index >= length) return std::nullopt;
  return static_cast<std::size_t>(index);
}

struct Range {
  std::size_t first = 0;
  std::size_t count = 0;
};

// What is left of [start, stop] inside the list; both inclusive, negative from the end (redis.io/commands/lrange).
Range clip(std::int64_t start, std::int64_t stop, std::size_t size) {
  const auto length = static_cast<std::int64_t>(size);
  if (start < 0) start = std::max<std::int64_t>(start + length, 0);
  if (stop < 0) stop += length;
  stop = std::min(stop, length - 1);
  if (start > stop || start >= length) return {};
  return {static_cast<std::size_t>(start), static_cast<std::size_t>(stop - start + 1)};
}

void push(Context& context, End end, bool only_if_present) {
  const std::string_view key = context.argument(1);
  store::List* list = nullptr;
  if (!find_for_write(context, key, list)) return;
  if (list == nullptr) {
    if (only_if_present) return context.reply.integer(0);
    list = &create_list(context, key);
  }
  Breaths breaths(context);
  for (const std::string_view element : context.arguments.subspan(2)) {
    push_element(*list, end, element);
    breaths.step();
  }
  context.reply.integer(static_cast<std::int64_t>(list->size()));
  changed(context, key);
  context.notify(Event::kList, push_event(end), key);
}

void pop(Context& context, End end) {
  if (context.argument_count() > 3) return answer_wrong_arity(context);
  const bool many = context.argument_count() == 3;
  std::int64_t count = 1;
  if (many) {
    const std::optional<std::int64_t> argument = positive_argument(context, 2);
    if (!argument) return;
    count = *argument;
  }
  const std::string_view key = context.argument(1);
  store::List* list = nullptr;
  if (!find_for_write(context, key, list)) return;
  if (list == nullptr) return many ? context.reply.null_array() : context.reply.null();
  if (count == 0) return context.reply.array(0);
  if (many) {
    pop_and_answer(context, key, *list, end, count);
  } else {
    context.reply.bulk(element_at_end(*list, end));
    pop_element(*list, end);
    popped(context, key, *list, end);
  }
}

}  // namespace

void lpush(Context& context) {
  push(context, End::kHead, false);
}

void rpush(Context& context) {
  push(context, End::kTail, false);
}

void lpushx(Context& context) {
  push(context, End::kHead, true);
}

void rpushx(Context& context) {
  push(context, End::kTail, true);
}

void lpop(Context& context) {
  pop(context, End::kHead);
}

void rpop(Context& context) {
  pop(context, End::kTail);
}

void llen(Context& context) {
  const store::List* list = nullptr;
  if (!find_for_read(context, context.argument(1), list)) return;
  context.reply.integer(list == nullptr ? 0 : static_cast<std::int64_t>(list->size()));
}

void lrange(Context& context) {
  const std::optional<std::int64_t> start = integer_argument(context, 2);
  if (!start) return;
  const std::optional<std::int64_t> stop = integer_argument(context, 3);
  if (!stop) return;
  const store::List* list = nullptr;
  if (!find_for_read(context, context.argument(1), list)) return;
  if (list == nullptr) return context.reply.array(0);
  const Range range = clip(*start, *stop, list->size());
  context.reply.array(range.count);
  answer_range(context, *list, range.first, range.count);
}

void lindex(Context& context) {
  const store::List* list = nullptr;
  if (!find_for_read(context, context.argument(1), list)) return;
  if (list == nullptr) return context.reply.null();
  const std::optional<std::int64_t> index = integer_argument(context, 2);
  if (!index) return;
  const std::optional<std::size_t> at = position(*index, list->size());
  at ? answer_range(context, *list, *at, 1) : context.reply.null();
}

void lset(Context& context) {
  const std::string_view key = context.argument(1);
  store::List* list = nullptr;
  if (!find_for_write(context, key, list)) return;
  if (list == nullptr) return context.reply.error(kNoSuchKey);
  const std::optional<std::int64_t> index = integer_argument(context, 2);
  if (!index) return;
  const std::optional<std::size_t> at = position(*index, list->size());
  if (!at) return context.reply.error(kIndexOutOfRange);
  list->set(*at, context.argument(3));
  context.reply.ok();
  changed(context, key);
  context.notify(Event::kList, "lset", key);
}

void linsert(Context& context) {
  const bool after = option_is(context, 2, "after");
  if (!after && !option_is(context, 2, "before")) return answer_syntax_error(context);
  const std::string_view key = context.argument(1);
  store::List* list = nullptr;
  if (!find_for_write(context, key, list)) return;
  if (list == nullptr) return context.reply.integer(0);
  const std::optional<std::size_t> pivot = find_element(context, *list, context.argument(3));
  if (!pivot) return context.reply.integer(-1);
  list->insert(*pivot + (after ? 1 : 0), context.argument(4));
  changed(context, key);
  context.notify(Event::kList, "linsert", key);
  context.reply.integer(static_cast<std::int64_t>(list->size()));
}

void lrem(Context& context) {
  const std::optional<std::int64_t> limit = integer_in_range(context, 2, -kInt64Max, kInt64Max);
  if (!limit) return;
  const std::string_view key = context.argument(1);
  store::List* list = nullptr;
  if (!find_for_write(context, key, list)) return;
  if (list == nullptr) return context.reply.integer(0);
  const std::uint64_t removed = remove_elements(context, *list, context.argument(3), *limit);
  if (removed > 0) {
    changed(context, key);
    context.notify(Event::kList, "lrem", key);
    remove_if_empty(context, key, *list);
  }
  context.reply.integer(static_cast<std::int64_t>(removed));
}

void ltrim(Context& context) {
  const std::optional<std::int64_t> start = integer_argument(context, 2);
  if (!start) return;
  const std::optional<std::int64_t> stop = integer_argument(context, 3);
  if (!stop) return;
  const std::string_view key = context.argument(1);
  store::List* list = nullptr;
  if (!find_for_write(context, key, list)) return;
  context.reply.ok();
  if (list == nullptr) return;
  const Range kept = clip(*start, *stop, list->size());
  changed(context, key);
  if (kept.count == 0) {
    // Taken out whole, so that trimming to nothing costs what DEL costs.
    context.notify(Event::kList, "ltrim", key);
    remove_key(context, key);
    context.notify(Event::kGeneric, "del", key);
    return;
  }
  list->erase(kept.first + kept.count, list->size() - kept.first - kept.count);
  list->erase(0, kept.first);
  context.notify(Event::kList, "ltrim", key);
}

namespace {

struct PositionOptions {
  std::int64_t rank = 1;
  std::optional<std::int64_t> count;
  std::int64_t length_max = 0;  // 0: all
};

std::optional<PositionOptions> parse_position_options(Context& context) {
  PositionOptions options;
  for (std::size_t i = 3; i < context.argument_count(); i += 2) {
    const bool has_value = i + 1 < context.argument_count();
    std::optional<std::int64_t> value;
    if (has_value && option_is(context, i, "rank")) {
      value = integer_in_range(context, i + 1, -kInt64Max, kInt64Max);
      if (value == 0) {
        context.reply.error(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to "
            "start from the end of the list");
        return std::nullopt;
      }
      if (value) options.rank = *value;
    } else if (has_value && option_is(context, i, "count")) {
      value = positive_argument(context, i + 1, "ERR COUNT can't be negative");
      options.count = value;
    } else if (has_value && option_is(context, i, "maxlen")) {
      value = positive_argument(context, i + 1, "ERR MAXLEN can't be negative");
      if (value) options.length_max = *value;
    } else {
      answer_syntax_error(context);
    }
    if (!value) return std::nullopt;
  }
  return options;
}

}  // namespace

void lpos(Context& context) {
  const std::optional<PositionOptions> options = parse_position_options(context);
  if (!options) return;
  const store::List* list = nullptr;
  if (!find_for_read(context, context.argument(1), list)) return;
  const auto wanted = static_cast<std::uint64_t>(options->count.value_or(1));
  std::uint64_t to_skip = static_cast<std::uint64_t>(options->rank < 0 ? -options->rank : options->rank) - 1;
  std::vector<std::size_t> found;
  if (list != nullptr) {
    const auto length_max = static_cast<std::uint64_t>(options->length_max);
    std::uint64_t compared = 0;
    Breaths breaths(context);
    scan_elements(*list, options->rank < 0, [&](std::size_t at, std::string_view element) {
      breaths.step();
      if (element == context.argument(2)) {
        if (to_skip > 0) {
          --to_skip;
        } else {
          found.push_back(at);
          if (wanted != 0 && found.size() == wanted) return false;
        }
      }
      return ++compared != length_max;
    });
  }
  if (options->count) {
    context.reply.array(found.size());
    for (const std::size_t at : found) context.reply.integer(static_cast<std::int64_t>(at));
  } else if (found.empty()) {
    context.reply.null();
  } else {
    context.reply.integer(static_cast<std::int64_t>(found.front()));
  }
}

void lmove(Context& context) {
  const std::optional<End> from = end_argument(context, 3);
  if (!from) return;
  const std::optional<End> to = end_argument(context, 4);
  if (!to) return;
  if (move_element(context, context.argument(1), context.argument(2), *from, *to) == Attempt::kNothingThere) {
    context.reply.null();
  }
}

void rpoplpush(Context& context) {
  if (move_element(context, context.argument(1), context.argument(2), End::kTail, End::kHead) ==
      Attempt::kNothingThere) {
    context.reply.null();
  }
}

void lmpop(Context& context) {
  const std::optional<MultiPop> pop = parse_multi_pop(context, 1);
  if (!pop) return;
  if (pop_many_with_key(context, pop->first_key, pop->behind_keys, pop->end, pop->count) == Attempt::kNothingThere) {
    context.reply.null_array();
  }
}

}  // namespace redraft::commands
