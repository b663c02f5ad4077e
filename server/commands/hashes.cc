#include "server/commands/hashes.h"

#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/containers.h"
#include "server/commands/random_ranks.h"

// redis.io/commands/?group=hash.

namespace redraft::commands {

namespace {

// Makes the hash where there is none; nullptr after WRONGTYPE.
store::Hash* hash_for_fields(Context& context, std::string_view key) {
  store::Hash* hash = nullptr;
  if (!find_for_write(context, key, hash)) return nullptr;
  return hash != nullptr ? hash : &create_hash(context, key);
}

// The fields and values from argument 2 on; how many are new. Nothing after an error was answered.
std::optional<std::int64_t> set_fields(Context& context) {
  if (context.argument_count() % 2 != 0) {
    answer_wrong_arity(context);
    return std::nullopt;
  }
  const std::string_view key = context.argument(1);
  store::Hash* const hash = hash_for_fields(context, key);
  if (hash == nullptr) return std::nullopt;
  hash->expect(context.argument_count() / 2 - 1);
  std::int64_t added = 0;
  Breaths breaths(context);
  for (std::size_t i = 2; i < context.argument_count(); i += 2) {
    if (hash->set(context.argument(i), context.argument(i + 1))) ++added;
    breaths.step();
  }
  changed(context, key);
  context.notify(Event::kHash, "hset", key);
  return added;
}

void answer_value(Context& context, const store::Hash* hash, std::string_view field) {
  store::NumberText scratch;
  const std::optional<std::string_view> value = hash == nullptr ? std::nullopt : hash->get(field, scratch);
  value ? context.reply.bulk(*value) : context.reply.null();
}

enum class Half : std::uint8_t { kFields, kValues };

void answer_half(Context& context, Half half) {
  const store::Hash* hash = nullptr;
  if (!find_for_read(context, context.argument(1), hash)) return;
  context.reply.array(hash == nullptr ? 0 : hash->size());
  if (hash == nullptr) return;
  Breaths breaths(context);
  hash->for_each([&](std::string_view field, std::string_view value) {
    context.reply.bulk(half == Half::kFields ? field : value);
    breaths.step();
  });
}

}  // namespace

void hset(Context& context) {
  const std::optional<std::int64_t> added = set_fields(context);
  if (added) context.reply.integer(*added);
}

void hmset(Context& context) {
  if (set_fields(context)) context.reply.ok();
}

void hsetnx(Context& context) {
  const std::string_view key = context.argument(1);
  store::Hash* hash = nullptr;
  if (!find_for_write(context, key, hash)) return;
  if (hash != nullptr && hash->contains(context.argument(2))) return context.reply.integer(0);
  if (hash == nullptr) hash = &create_hash(context, key);
  hash->set(context.argument(2), context.argument(3));
  changed(context, key);
  context.notify(Event::kHash, "hset", key);
  context.reply.integer(1);
}

void hget(Context& context) {
  const store::Hash* hash = nullptr;
  if (!find_for_read(context, context.argument(1), hash)) return;
  answer_value(context, hash, context.argument(2));
}

void hmget(Context& context) {
  const store::Hash* hash = nullptr;
  if (!find_for_read(context, context.argument(1), hash)) return;
  const auto fields = context.arguments.subspan(2);
  context.reply.array(fields.size());
  Breaths breaths(context);
  for (const std::string_view field : fields) {
    answer_value(context, hash, field);
    breaths.step();
  }
}

void hgetall(Context& context) {
  const store::Hash* hash = nullptr;
  if (!find_for_read(context, context.argument(1), hash)) return;
  context.reply.map(hash == nullptr ? 0 : hash->size());
  if (hash == nullptr) return;
  Breaths breaths(context);
  hash->for_each([&](std::string_view field, std::string_view value) {
    context.reply.bulk(field);
    context.reply.bulk(value);
    breaths.step();
  });
}

void hkeys(Context& context) {
  answer_half(context, Half::kFields);
}

void hvals(Context& context) {
  answer_half(context, Half::kValues);
}

void hdel(Context& context) {
  remove_elements<store::Hash>(context, Event::kHash, "hdel");
}

void hlen(Context& context) {
  const store::Hash* hash = nullptr;
  if (!find_for_read(context, context.argument(1), hash)) return;
  context.reply.integer(hash == nullptr ? 0 : static_cast<std::int64_t>(hash->size()));
}

void hexists(Context& context) {
  const store::Hash* hash = nullptr;
  if (!find_for_read(context, context.argument(1), hash)) return;
  context.reply.integer(hash != nullptr && hash->contains(context.argument(2)) ? 1 : 0);
}

void hstrlen(Context& context) {
  const store::Hash* hash = nullptr;
  if (!find_for_read(context, context.argument(1), hash)) return;
  store::NumberText scratch;
  const std::optional<std::string_view> value =
      hash == nullptr ? std::nullopt : hash->get(context.argument(2), scratch);
  context.reply.integer(value ? static_cast<std::int64_t>(value->size()) : 0);
}

void hincrby(Context& context) {
  const std::optional<std::int64_t> increment = integer_argument(context, 3);
  if (!increment) return;
  const std::string_view key = context.argument(1);
  const std::string_view field = context.argument(2);
  store::Hash* const hash = hash_for_fields(context, key);
  if (hash == nullptr) return;
  store::NumberText scratch;
  const std::optional<std::string_view> text = hash->get(field, scratch);
  const std::optional<std::int64_t> value = text ? resp::parse_int64(*text) : 0;
  if (!value) return context.reply.error("ERR hash value is not an integer");
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*value, *increment, &sum)) {
    return context.reply.error("ERR increment or decrement would overflow");
  }
  hash->set(field, resp::to_text(sum));
  changed(context, key);
  context.notify(Event::kHash, "hincrby", key);
  context.reply.integer(sum);
}

void hincrbyfloat(Context& context) {
  const std::optional<long double> increment = resp::parse_long_double(context.argument(3));
  if (!increment) return context.reply.error(kNotAFloat);
  if (std::isinf(*increment)) return context.reply.error("ERR value is NaN or Infinity");
  const std::string_view key = context.argument(1);
  const std::string_view field = context.argument(2);
  store::Hash* hash = nullptr;
  if (!find_for_write(context, key, hash)) return;
  store::NumberText scratch;
  const std::optional<std::string_view> text = hash == nullptr ? std::nullopt : hash->get(field, scratch);
  const std::optional<long double> value = text ? resp::parse_long_double(*text) : 0.0L;
  if (!value) return context.reply.error("ERR hash value is not a float");
  const long double sum = *value + *increment;
  if (std::isnan(sum) || std::isinf(sum)) return context.reply.error("ERR increment would produce NaN or Infinity");
  const std::string sum_text = resp::format_human_long_double(sum);
  if (hash == nullptr) hash = &create_hash(context, key);
  hash->set(field, sum_text);
  changed(context, key);
  context.notify(Event::kHash, "hincrbyfloat", key);
  context.reply.bulk(sum_text);
}

void hrandfield(Context& context) {
  const std::optional<RandomChoice> choice = parse_random_choice(context, "withvalues");
  if (!choice) return;
  const store::Hash* hash = nullptr;
  if (!find_for_read(context, context.argument(1), hash)) return;
  const auto answer = [&](std::uint64_t rank) {
    hash->at(rank, [&](std::string_view field, std::string_view value) {
      context.reply.bulk(field);
      if (choice->with_values) context.reply.bulk(value);
    });
  };
  if (!choice->one) return answer_random_choice(context, hash == nullptr ? 0 : hash->size(), *choice, answer);
  if (hash == nullptr) return context.reply.null();
  answer(context.random.below(hash->size()));
}

}  // namespace redraft::commands
