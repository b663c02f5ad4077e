#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/sets.h"

// SINTER, SUNION, SDIFF, their STORE forms and SINTERCARD. Results are made in an order that is a function of the sets'
// own orders, so that a stored result iterates alike on every node.

namespace redraft::commands {

namespace {

using Sources = std::vector<const store::Set*>;  // nullptr: the key is absent, an empty set

// All sets at arguments [first, last). Nothing after WRONGTYPE was answered.
std::optional<Sources> find_sources(Context& context, std::size_t first, std::size_t last) {
  Sources sources;
  sources.reserve(last - first);
  for (std::size_t i = first; i < last; ++i) {
    const store::Set* set = nullptr;
    if (!find_for_read(context, context.argument(i), set)) return std::nullopt;
    sources.push_back(set);
  }
  return sources;
}

// Calls `take(member)` for each common member until it answers false.
template <class Take>
void intersect(Context& context, Sources sources, Take take) {
  if (std::find(sources.begin(), sources.end(), nullptr) != sources.end()) return;
  // The smallest is walked; equal sizes keep their order, so that every node walks the same one.
  std::stable_sort(sources.begin(), sources.end(),
                   [](const store::Set* a, const store::Set* b) { return a->size() < b->size(); });
  Breaths breaths(context);
  for_each_member(*sources.front(), [&](std::string_view member) {
    for (const store::Set* other : sources) {
      breaths.step();
      if (other != sources.front() && !other->contains(member)) return true;
    }
    return take(member);
  });
}

template <class Take>
void subtract(Context& context, const Sources& sources, Take take) {
  const store::Set* minuend = sources.front();
  if (minuend == nullptr) return;
  Breaths breaths(context);
  for_each_member(*minuend, [&](std::string_view member) {
    for (std::size_t i = 1; i < sources.size(); ++i) {
      breaths.step();
      if (sources[i] != nullptr && sources[i]->contains(member)) return true;
    }
    breaths.step();
    take(member);
    return true;
  });
}

void unite(Context& context, const Sources& sources, store::Set& result) {
  Breaths breaths(context);
  for (const store::Set* source : sources) {
    if (source == nullptr) continue;
    for_each_member(*source, [&](std::string_view member) {
      result.add(member);
      breaths.step();
      return true;
    });
  }
}

enum class Operation : std::uint8_t { kIntersect, kUnite, kSubtract };

void answer_operation(Context& context, Operation operation) {
  const std::optional<Sources> sources = find_sources(context, 1, context.argument_count());
  if (!sources) return;
  if (operation == Operation::kUnite) {
    NewSet result(context);
    unite(context, *sources, result.set());
    return answer_set(context, &result.set());
  }
  const resp::Writer::Deferred whole = context.reply.defer();
  std::size_t count = 0;
  const auto take = [&](std::string_view member) {
    context.reply.bulk(member);
    ++count;
    return true;
  };
  operation == Operation::kIntersect ? intersect(context, *sources, take) : subtract(context, *sources, take);
  context.reply.end_set(whole, count);
}

void store_operation(Context& context, Operation operation, std::string_view event) {
  const std::optional<Sources> sources = find_sources(context, 2, context.argument_count());
  if (!sources) return;
  const std::string_view key = context.argument(1);
  NewSet result(context);
  const auto take = [&](std::string_view member) {
    result.set().add(member);
    return true;
  };
  if (operation == Operation::kUnite) {
    unite(context, *sources, result.set());
  } else if (operation == Operation::kIntersect) {
    intersect(context, *sources, take);
  } else {
    subtract(context, *sources, take);
  }
  const std::size_t size = result.set().size();
  if (size == 0) {
    if (remove_key(context, key)) {
      changed(context, key);
      context.notify(Event::kGeneric, "del", key);
    }
    return context.reply.integer(0);
  }
  std::move(result).store(key);
  changed(context, key);
  context.notify(Event::kSet, event, key);
  context.reply.integer(static_cast<std::int64_t>(size));
}

}  // namespace

void sinter(Context& context) {
  answer_operation(context, Operation::kIntersect);
}

void sunion(Context& context) {
  answer_operation(context, Operation::kUnite);
}

void sdiff(Context& context) {
  answer_operation(context, Operation::kSubtract);
}

void sinterstore(Context& context) {
  store_operation(context, Operation::kIntersect, "sinterstore");
}

void sunionstore(Context& context) {
  store_operation(context, Operation::kUnite, "sunionstore");
}

void sdiffstore(Context& context) {
  store_operation(context, Operation::kSubtract, "sdiffstore");
}

void sintercard(Context& context) {
  const std::optional<std::int64_t> keys =
      integer_in_range(context, 1, 1, kInt64Max, "ERR numkeys should be greater than 0");
  if (!keys) return;
  if (static_cast<std::uint64_t>(*keys) > context.argument_count() - 2) {
    return context.reply.error("ERR Number of keys can't be greater than number of args");
  }
  const std::size_t behind_keys = 2 + static_cast<std::size_t>(*keys);
  std::int64_t limit = 0;
  for (std::size_t i = behind_keys; i < context.argument_count(); i += 2) {
    if (!option_is(context, i, "limit") || i + 1 >= context.argument_count()) return answer_syntax_error(context);
    const std::optional<std::int64_t> argument = positive_argument(context, i + 1, "ERR LIMIT can't be negative");
    if (!argument) return;
    limit = *argument;
  }
  const std::optional<Sources> sources = find_sources(context, 2, behind_keys);
  if (!sources) return;
  std::int64_t count = 0;
  intersect(context, *sources, [&](std::string_view) { return ++count != limit; });
  context.reply.integer(count);
}

}  // namespace redraft::commands
