#pragma once

#include <cstdint>
#include <unordered_set>

#include "server/commands/arguments.h"
#include "server/commands/context.h"
#include "server/commands/keyspace.h"

namespace redraft::commands {

// Choices of SRANDMEMBER, HRANDFIELD and ZRANDMEMBER, as ranks in the container's own order, which every node shares
// (pitfall G1).

// With repetition: `count` independent choices as one array; `answer(rank)` writes each one's replies, `replies` of
// them.
template <class Answer>
void choose_repeated(Context& context, std::uint64_t size, std::uint64_t count, std::size_t replies, Answer answer) {
  const resp::Writer::Deferred whole = context.reply.defer();
  const std::size_t begin = context.reply.out().size();
  Breaths breaths(context);
  for (std::uint64_t i = 0; i < count; ++i) {
    answer(context.random.below(size));
    breaths.step();
    // A negative count is not bounded by the container. Redis would fill its output buffer until the client is cut off;
    // a reply inside a logged transaction must not exhaust every node's memory (architecture, "Long work and poison").
    if (context.reply.out().size() - begin > string_size_max(context)) {
      context.reply.rollback(whole);
      return context.reply.error("ERR value is out of range, the reply would exceed proto-max-bulk-len");
    }
  }
  context.reply.end_array(whole, count * replies);
}

// Without repetition: Floyd's choice of `count` ranks out of fewer than all (Bentley, CACM 30/9, 1987).
template <class Answer>
void choose_distinct(Context& context, std::uint64_t size, std::uint64_t count, Answer answer) {
  std::unordered_set<std::uint64_t> chosen;  // asked for membership only, never walked
  chosen.reserve(count);
  Breaths breaths(context);
  for (std::uint64_t last = size - count; last < size; ++last) {
    std::uint64_t at = context.random.below(last + 1);
    if (!chosen.insert(at).second) {
      at = last;
      chosen.insert(at);
    }
    answer(at);
    breaths.step();
  }
}

// The arguments of HRANDFIELD and ZRANDMEMBER behind the key: a count, negative for choices with repetition, and one
// word more.
struct RandomChoice {
  bool one = true;  // no count: the reply is no array
  std::int64_t count = 1;
  bool with_values = false;
};
[[nodiscard]] inline std::optional<RandomChoice> parse_random_choice(Context& context, std::string_view with_values) {
  RandomChoice choice;
  if (context.argument_count() == 2) return choice;
  const std::optional<std::int64_t> count = integer_in_range(context, 2, -kInt64Max, kInt64Max);
  if (!count) return std::nullopt;
  choice.one = false;
  choice.count = *count;
  if (context.argument_count() == 3) return choice;
  if (context.argument_count() > 4 || !option_is(context, 3, with_values)) {
    answer_syntax_error(context);
    return std::nullopt;
  }
  if (*count < -kInt64Max / 2 || *count > kInt64Max / 2) {
    context.reply.error("ERR value is out of range");
    return std::nullopt;
  }
  choice.with_values = true;
  return choice;
}

// All of such a reply but the case of no count; `answer(rank)` writes the element, and its value too if that is wanted.
// RESP3 has a pair for each, RESP2 one flat array.
template <class Answer>
void answer_random_choice(Context& context, std::uint64_t size, const RandomChoice& choice, Answer answer) {
  if (size == 0 || choice.count == 0) return context.reply.array(0);
  const bool pairs = choice.with_values && context.reply.resp3();
  const std::size_t replies = choice.with_values && !pairs ? 2 : 1;
  const auto answer_one = [&](std::uint64_t rank) {
    if (pairs) context.reply.array(2);
    answer(rank);
  };
  if (choice.count < 0) {
    return choose_repeated(context, size, static_cast<std::uint64_t>(-choice.count), replies, answer_one);
  }
  const auto count = static_cast<std::uint64_t>(choice.count);
  if (count < size) {
    context.reply.array(count * replies);
    return choose_distinct(context, size, count, answer_one);
  }
  context.reply.array(size * replies);
  Breaths breaths(context);
  for (std::uint64_t rank = 0; rank < size; ++rank) {
    answer_one(rank);
    breaths.step();
  }
}

}  // namespace redraft::commands
