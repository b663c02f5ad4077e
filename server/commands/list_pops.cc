#include "server/commands/list_pops.h"

#include <algorithm>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"

namespace redraft::commands {

namespace {

std::optional<End> end_argument(Context& context, std::size_t i, EndWords words) {
  if (option_is(context, i, words.head)) return End::kHead;
  if (option_is(context, i, words.tail)) return End::kTail;
  answer_syntax_error(context);
  return std::nullopt;
}

}  // namespace

std::optional<End> end_argument(Context& context, std::size_t i) {
  return end_argument(context, i, {});
}

Attempt pop_with_key(Context& context, std::size_t first, std::size_t last, End end) {
  for (std::size_t i = first; i < last; ++i) {
    const std::string_view key = context.argument(i);
    store::List* list = nullptr;
    if (!find_for_write(context, key, list)) return Attempt::kAnswered;
    if (list == nullptr) continue;
    context.reply.array(2);
    context.reply.bulk(key);
    context.reply.bulk(element_at_end(*list, end));
    pop_element(*list, end);
    popped(context, key, *list, end);
    return Attempt::kAnswered;
  }
  return Attempt::kNothingThere;
}

Attempt pop_many_with_key(Context& context, std::size_t first, std::size_t last, End end, std::int64_t count) {
  for (std::size_t i = first; i < last; ++i) {
    const std::string_view key = context.argument(i);
    store::List* list = nullptr;
    if (!find_for_write(context, key, list)) return Attempt::kAnswered;
    if (list == nullptr) continue;
    context.reply.array(2);
    context.reply.bulk(key);
    pop_and_answer(context, key, *list, end, count);
    return Attempt::kAnswered;
  }
  return Attempt::kNothingThere;
}

Attempt move_element(Context& context, std::string_view source, std::string_view destination, End from, End to) {
  store::List* list = nullptr;
  if (!find_for_write(context, source, list)) return Attempt::kAnswered;
  if (list == nullptr) return Attempt::kNothingThere;
  store::List* target = nullptr;
  if (!find_for_write(context, destination, target)) return Attempt::kAnswered;
  // The element is copied, since it may live in memory that the push moves.
  const std::string element(element_at_end(*list, from));
  if (list == target) {
    pop_element(*list, from);
    push_element(*list, to, element);
  } else {
    if (target == nullptr) target = &create_list(context, destination);
    push_element(*target, to, element);
  }
  context.reply.bulk(element);
  changed(context, destination);
  // As in Redis the destination's event comes first.
  context.notify(Event::kList, push_event(to), destination);
  if (list != target) {
    // Creating the destination may have moved the source.
    if (!find_for_write(context, source, list)) return Attempt::kAnswered;
    pop_element(*list, from);
  }
  popped(context, source, *list, from);
  return Attempt::kAnswered;
}

std::optional<MultiPop> parse_multi_pop(Context& context, std::size_t at, EndWords words) {
  const std::optional<std::int64_t> keys =
      integer_in_range(context, at, 1, kInt64Max, "ERR numkeys should be greater than 0");
  if (!keys) return std::nullopt;
  MultiPop pop;
  pop.first_key = at + 1;
  if (static_cast<std::uint64_t>(*keys) >= context.argument_count() - pop.first_key) {
    answer_syntax_error(context);
    return std::nullopt;
  }
  pop.behind_keys = pop.first_key + static_cast<std::size_t>(*keys);
  const std::optional<End> end = end_argument(context, pop.behind_keys, words);
  if (!end) return std::nullopt;
  pop.end = *end;
  bool has_count = false;
  for (std::size_t i = pop.behind_keys + 1; i < context.argument_count(); i += 2) {
    if (has_count || !option_is(context, i, "count") || i + 1 >= context.argument_count()) {
      answer_syntax_error(context);
      return std::nullopt;
    }
    const std::optional<std::int64_t> count =
        integer_in_range(context, i + 1, 1, kInt64Max, "ERR count should be greater than 0");
    if (!count) return std::nullopt;
    pop.count = *count;
    has_count = true;
  }
  return pop;
}

}  // namespace redraft::commands
