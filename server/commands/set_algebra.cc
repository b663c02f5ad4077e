#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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

// A member is taken from the first set that has it. Looking it up in all earlier ones is cheaper than remembering what
// was taken, as long as the sets are few; otherwise all members are sorted.
template <class Take>
void unite(Context& context, const Sources& sources, Take take) {
  constexpr std::size_t kFew = 8;
  Breaths breaths(context);
  if (sources.size() <= kFew) {
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (sources[i] == nullptr) continue;
      for_each_member(*sources[i], [&](std::string_view member) {
        breaths.step();
        for (std::size_t j = 0; j < i; ++j) {
          if (sources[j] != nullptr && sources[j]->contains(member)) return true;
        }
        return take(member);
      });
    }
    return;
  }
  std::vector<std::string> members;
  for (const store::Set* source : sources) {
    if (source == nullptr) continue;
    for_each_member(*source, [&](std::string_view member) {
      members.emplace_back(member);
      breaths.step();
      return true;
    });
  }
  std::sort(members.begin(), members.end(), [&](const std::string& a, const std::string& b) {
    breaths.step();
    return a < b;
  });
  members.erase(std::unique(members.begin(), members.end()), members.end());
  for (const std::string& member : members) take(member);
}

enum class Operation : std::uint8_t { kIntersect, kUnite, kSubtract };

template <class Take>
void operate(Context& context, Operation operation, const Sources& sources, Take take) {
  switch (operation) {
    case Operation::kIntersect:
      return intersect(context, sources, take);
    case Operation::kUnite:
      return unite(context, sources, take);
    case Operation::kSubtract:
      return subtract(context, sources, take);
  }
}

void answer_operation(Context& context, Operation operation) {
  const std::optional<Sources> sources = find_sources(context, 1, context.argument_count());
  if (!sources) return;
  const resp::Writer::Deferred whole = context.reply.defer();
  std::size_t count = 0;
  operate(context, operation, *sources, [&](std::string_view member) {
    context.reply.bulk(member);
    ++count;
    return true;
  });
  context.reply.end_set(whole, count);
}

void store_operation(Context& context, Operation operation, std::string_view event) {
  const std::optional<Sources> sources = find_sources(context, 2, context.argument_count());
  if (!sources) return;
  const std::string_view key = context.argument(1);
  std::vector<std::string> members;
  operate(context, operation, *sources, [&](std::string_view member) {
    members.emplace_back(member);
    return true;
  });
  if (members.empty()) {
    delete_key(context, key);
    return context.reply.integer(0);
  }
  store_set(context, key, members);
  changed(context, key);
  context.notify(Event::kSet, event, key);
  context.reply.integer(static_cast<std::int64_t>(members.size()));
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
