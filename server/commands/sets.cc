#include "server/commands/sets.h"

#include <optional>
#include <string>

#include "server/commands/arguments.h"
#include "server/commands/containers.h"
#include "server/commands/keyspace.h"
#include "server/commands/random_ranks.h"

// Membership, SPOP and SRANDMEMBER; the algebra of several sets is in set_algebra.cc. Random choices are positions in
// the set's dense order, which every node shares (pitfall G1).

namespace redraft::commands {

void sadd(Context& context) {
  const std::string_view key = context.argument(1);
  store::Set* set = nullptr;
  if (!find_for_write(context, key, set)) return;
  if (set == nullptr) set = &create_set(context, key);
  std::int64_t added = 0;
  Breaths breaths(context);
  for (const std::string_view member : context.arguments.subspan(2)) {
    if (set->add(member)) ++added;
    breaths.step();
  }
  if (added > 0) {
    changed(context, key);
    context.notify(Event::kSet, "sadd", key);
  }
  context.reply.integer(added);
}

void srem(Context& context) {
  remove_elements<store::Set>(context, Event::kSet, "srem");
}

void smembers(Context& context) {
  const store::Set* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  answer_set(context, set);
}

void sismember(Context& context) {
  const store::Set* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  context.reply.integer(set != nullptr && set->contains(context.argument(2)) ? 1 : 0);
}

void smismember(Context& context) {
  const store::Set* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  const auto members = context.arguments.subspan(2);
  context.reply.array(members.size());
  Breaths breaths(context);
  for (const std::string_view member : members) {
    context.reply.integer(set != nullptr && set->contains(member) ? 1 : 0);
    breaths.step();
  }
}

void scard(Context& context) {
  const store::Set* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  context.reply.integer(set == nullptr ? 0 : static_cast<std::int64_t>(set->size()));
}

void smove(Context& context) {
  const std::string_view source_key = context.argument(1);
  const std::string_view destination_key = context.argument(2);
  const std::string_view member = context.argument(3);
  store::Set* source = nullptr;
  if (!find_for_write(context, source_key, source)) return;
  if (source == nullptr) return context.reply.integer(0);
  store::Set* destination = nullptr;
  if (!find_for_write(context, destination_key, destination)) return;
  if (source == destination) return context.reply.integer(source->contains(member) ? 1 : 0);
  if (!source->remove(member)) return context.reply.integer(0);
  changed(context, source_key);
  context.notify(Event::kSet, "srem", source_key);
  remove_if_empty(context, source_key, *source);
  if (destination == nullptr) {
    destination = &create_set(context, destination_key);
  } else if (!find_for_write(context, destination_key, destination)) {
    return;  // found again, since taking the source out may have moved it
  }
  if (destination->add(member)) {
    changed(context, destination_key);
    context.notify(Event::kSet, "sadd", destination_key);
  }
  context.reply.integer(1);
}

namespace {

void take_random(Context& context, store::Set& set) {
  set.take(context.random.below(set.size()), [&](std::string_view member) { context.reply.bulk(member); });
}

void pop_one(Context& context, std::string_view key) {
  store::Set* set = nullptr;
  if (!find_for_write(context, key, set)) return;
  if (set == nullptr) return context.reply.null();
  take_random(context, *set);
  changed(context, key);
  context.notify(Event::kSet, "spop", key);
  remove_if_empty(context, key, *set);
}

void pop_many(Context& context, std::string_view key, std::uint64_t count) {
  store::Set* set = nullptr;
  if (!find_for_write(context, key, set)) return;
  if (set == nullptr || count == 0) return context.reply.set(0);
  context.notify(Event::kSet, "spop", key);
  changed(context, key);
  if (count >= set->size()) {
    answer_set(context, set);
    remove_key(context, key);
    context.notify(Event::kGeneric, "del", key);
    return;
  }
  context.reply.set(count);
  Breaths breaths(context);
  for (; count > 0; --count) {
    take_random(context, *set);
    breaths.step();
  }
}

}  // namespace

void spop(Context& context) {
  if (context.argument_count() > 3) return answer_syntax_error(context);
  const std::string_view key = context.argument(1);
  if (context.argument_count() == 2) return pop_one(context, key);
  const std::optional<std::int64_t> count = positive_argument(context, 2);
  if (count) pop_many(context, key, static_cast<std::uint64_t>(*count));
}

void srandmember(Context& context) {
  if (context.argument_count() > 3) return answer_syntax_error(context);
  const bool one = context.argument_count() == 2;
  std::int64_t count = 1;
  if (!one) {
    const std::optional<std::int64_t> argument = integer_in_range(context, 2, -kInt64Max, kInt64Max);
    if (!argument) return;
    count = *argument;
  }
  const store::Set* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  if (one) {
    return set == nullptr ? context.reply.null() : context.reply.bulk(set->at(context.random.below(set->size())));
  }
  answer_random_choice(context, set == nullptr ? 0 : set->size(), {false, count, false},
                       [&](std::uint64_t rank) { context.reply.bulk(set->at(rank)); });
}

}  // namespace redraft::commands
