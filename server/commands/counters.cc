#include <cmath>
#include <optional>
#include <string>

#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/string_text.h"
#include "server/commands/strings.h"

// INCR, DECR, INCRBY, DECRBY and INCRBYFLOAT.

namespace redraft::commands {

namespace {

void add(Context& context, std::int64_t increment) {
  const std::string_view key = context.argument(1);
  StringText text;
  if (!text.find_or_answer(context, key)) return;
  const std::optional<std::int64_t> value = text.integer();
  if (!value) return context.reply.error(kNotAnInteger);
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*value, increment, &sum)) {
    return context.reply.error("ERR increment or decrement would overflow");
  }
  const bool is_new = !text.present();
  context.store.set_integer(context.db, key, sum, text.deadline_ms());
  if (is_new) context.notify(Event::kNew, "new", key);
  changed(context, key);
  context.notify(Event::kString, "incrby", key);
  context.reply.integer(sum);
}

}  // namespace

void incr(Context& context) {
  add(context, 1);
}

void decr(Context& context) {
  add(context, -1);
}

void incrby(Context& context) {
  const std::optional<std::int64_t> increment = integer_argument(context, 2);
  if (increment) add(context, *increment);
}

void decrby(Context& context) {
  const std::optional<std::int64_t> decrement = integer_argument(context, 2);
  if (!decrement) return;
  if (*decrement == kInt64Min) return context.reply.error("ERR decrement would overflow");
  add(context, -*decrement);
}

// Long double arithmetic, whose text form Redis fixed at 17 decimals so that replicas agree; all nodes are of one
// architecture (docs of resp/number.h).
void incrbyfloat(Context& context) {
  const std::string_view key = context.argument(1);
  StringText text;
  if (!text.find_or_answer(context, key)) return;
  const std::optional<long double> value = text.present() ? resp::parse_long_double(text.view()) : 0.0L;
  const std::optional<long double> increment = resp::parse_long_double(context.argument(2));
  if (!value || !increment) return context.reply.error(kNotAFloat);
  const long double sum = *value + *increment;
  if (std::isnan(sum) || std::isinf(sum)) return context.reply.error("ERR increment would produce NaN or Infinity");
  const std::string sum_text = resp::format_human_long_double(sum);
  const bool is_new = !text.present();
  context.store.set_string(context.db, key, sum_text, text.deadline_ms());
  if (is_new) context.notify(Event::kNew, "new", key);
  changed(context, key);
  context.notify(Event::kString, "incrbyfloat", key);
  context.reply.bulk(sum_text);
}

}  // namespace redraft::commands
