#include "server/commands/strings.h"

#include <optional>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/set_options.h"
#include "server/commands/string_text.h"

// Whole values: GET, SET and their variants. Parts of values are in string_ranges.cc, arithmetic in counters.cc, LCS in
// lcs.cc.

namespace redraft::commands {

namespace {

// Answers the value or null; false after WRONGTYPE.
bool answer_string(Context& context, std::string_view key) {
  StringText text;
  if (!text.find_or_answer(context, key)) return false;
  text.answer(context);
  return true;
}

// What SET, SETNX, SETEX and PSETEX have in common.
struct SetPlan {
  std::string_view key;
  std::string_view value;
  SetOptions options;
  std::optional<std::uint64_t> deadline_ms;
};

// False when NX or XX forbids it; then nothing has changed and nothing but GET's value was answered.
bool set_value(Context& context, const SetPlan& plan) {
  const store::Key* present = context.store.find(context.db, plan.key);
  if (plan.options.only_if_absent && present != nullptr) return false;
  if (plan.options.only_if_present && present == nullptr) return false;
  std::uint64_t deadline_ms = plan.deadline_ms.value_or(0);
  if (plan.options.keep_ttl && present != nullptr) deadline_ms = present->deadline_ms();
  const bool due = plan.deadline_ms && *plan.deadline_ms <= context.clock_ms;
  // A deadline in the past leaves nothing (redis-semantics, "Time and expiry"); the events are those of a key that was
  // there for a moment.
  due ? static_cast<void>(remove_key(context, plan.key))
      : context.store.set_string(context.db, plan.key, plan.value, deadline_ms);
  changed(context, plan.key);
  if (present == nullptr) context.notify(Event::kNew, "new", plan.key);
  context.notify(Event::kString, "set", plan.key);
  if (plan.deadline_ms) context.notify(Event::kGeneric, "expire", plan.key);
  if (due) context.notify(Event::kExpired, "expired", plan.key);
  return true;
}

void set_with_deadline(Context& context, SetOptions::Deadline kind) {
  const std::optional<std::uint64_t> deadline_ms = deadline_argument(context, 2, kind);
  if (!deadline_ms) return;
  set_value(context, {context.argument(1), context.argument(3), {}, deadline_ms});
  context.reply.ok();
}

}  // namespace

void get(Context& context) {
  answer_string(context, context.argument(1));
}

void set_command(Context& context) {
  SetPlan plan{context.argument(1), context.argument(2), {}, std::nullopt};
  if (context.argument_count() > 3) {
    const std::optional<SetOptions> options = parse_set_options(context);
    if (!options) return;
    plan.options = *options;
    if (options->deadline != SetOptions::Deadline::kNone) {
      plan.deadline_ms = deadline_argument(context, options->deadline_argument, options->deadline);
      if (!plan.deadline_ms) return;
    }
    if (options->get && !answer_string(context, plan.key)) return;
  }
  const bool done = set_value(context, plan);
  if (plan.options.get) return;
  done ? context.reply.ok() : context.reply.null();
}

void setnx(Context& context) {
  SetPlan plan{context.argument(1), context.argument(2), {}, std::nullopt};
  plan.options.only_if_absent = true;
  context.reply.integer(set_value(context, plan) ? 1 : 0);
}

void setex(Context& context) {
  set_with_deadline(context, SetOptions::Deadline::kEx);
}

void psetex(Context& context) {
  set_with_deadline(context, SetOptions::Deadline::kPx);
}

void getset(Context& context) {
  if (!answer_string(context, context.argument(1))) return;
  set_value(context, {context.argument(1), context.argument(2), {}, std::nullopt});
}

void getdel(Context& context) {
  const std::string_view key = context.argument(1);
  if (!answer_string(context, key)) return;
  delete_key(context, key);
}

void getex(Context& context) {
  const std::optional<SetOptions> options = parse_getex_options(context);
  if (!options) return;
  const std::string_view key = context.argument(1);
  StringText text;
  if (!text.find_or_answer(context, key)) return;
  if (!text.present()) return context.reply.null();
  std::optional<std::uint64_t> deadline_ms;
  if (options->deadline != SetOptions::Deadline::kNone) {
    deadline_ms = deadline_argument(context, options->deadline_argument, options->deadline);
    if (!deadline_ms) return;
  }
  text.answer(context);
  if (deadline_ms && options->absolute() && *deadline_ms <= context.clock_ms) {
    delete_key(context, key);
  } else if (deadline_ms) {
    set_deadline(context, key, *deadline_ms);
    changed(context, key);
    context.notify(Event::kGeneric, "expire", key);
  } else if (options->persist && clear_deadline(context, key)) {
    changed(context, key);
    context.notify(Event::kGeneric, "persist", key);
  }
}

void mget(Context& context) {
  const auto keys = context.arguments.subspan(1);
  context.reply.array(keys.size());
  Breaths breaths(context);
  for (const std::string_view key : keys) {
    breaths.step();
    // Another type counts as nothing here, never as an error.
    StringText text;
    text.find(context, key) ? text.answer(context) : context.reply.null();
  }
}

namespace {

void set_pairs(Context& context) {
  Breaths breaths(context);
  for (std::size_t i = 1; i + 1 < context.argument_count(); i += 2) {
    set_value(context, {context.argument(i), context.argument(i + 1), {}, std::nullopt});
    breaths.step();
  }
}

}  // namespace

void mset(Context& context) {
  if (context.argument_count() % 2 == 0) return answer_wrong_arity(context);
  set_pairs(context);
  context.reply.ok();
}

void msetnx(Context& context) {
  if (context.argument_count() % 2 == 0) return answer_wrong_arity(context);
  for (std::size_t i = 1; i < context.argument_count(); i += 2) {
    if (key_exists(context, context.argument(i))) return context.reply.integer(0);
  }
  set_pairs(context);
  context.reply.integer(1);
}

}  // namespace redraft::commands
