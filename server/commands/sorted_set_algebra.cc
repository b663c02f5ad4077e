#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/containers.h"
#include "server/commands/sorted_set_results.h"
#include "server/commands/sorted_sets.h"

// ZUNION, ZINTER, ZDIFF, their STORE forms and ZINTERCARD. Sets are sorted sets whose scores are all 1. Scores are
// added in the order of the inputs' sizes, as in Redis, since the order decides the last bit of a sum.

namespace redraft::commands {

namespace {

// One input; of an absent key, nothing.
class Source {
 public:
  Source() = default;
  explicit Source(const store::Set* set) : set_(set) {}
  explicit Source(const store::SortedSet* sorted) : sorted_(sorted) {}

  [[nodiscard]] std::size_t size() const {
    return sorted_ != nullptr ? sorted_->size() : set_ != nullptr ? set_->size() : 0;
  }
  [[nodiscard]] std::optional<double> score(std::string_view member) const {
    if (sorted_ != nullptr) return sorted_->score(member);
    return set_ != nullptr && set_->contains(member) ? std::optional<double>(1) : std::nullopt;
  }
  // Calls visit(member, score) until it answers false.
  template <class Visit>
  void for_each(Visit visit) const {
    if (sorted_ != nullptr) return sorted_->visit(0, sorted_->size(), false, visit);
    if (set_ != nullptr) for_each_member(*set_, [&](std::string_view member) { return visit(member, 1.0); });
  }

  double weight = 1;

 private:
  const store::Set* set_ = nullptr;
  const store::SortedSet* sorted_ = nullptr;
};

enum class Operation : std::uint8_t { kUnite, kIntersect, kSubtract };
enum class Aggregate : std::uint8_t { kSum, kMin, kMax };

struct Query {
  std::vector<Source> sources;
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  std::uint64_t limit = 0;  // of ZINTERCARD; 0: none
};

// What a command of this family takes behind its keys.
struct Form {
  Operation operation = Operation::kUnite;
  std::size_t count_at = 1;  // where numkeys stands
  bool stores = false;
  bool only_counts = false;
};

// inf - inf and 0 * inf are 0 here (redis/redis:src/t_zset.c, zunionInterAggregate).
double number_or_zero(double value) {
  return std::isnan(value) ? 0 : value;
}

double combine(Aggregate aggregate, double a, double b) {
  switch (aggregate) {
    case Aggregate::kSum:
      return number_or_zero(a + b);
    case Aggregate::kMin:
      return b < a ? b : a;
    case Aggregate::kMax:
      break;
  }
  return b > a ? b : a;
}

std::optional<Source> find_source(Context& context, std::string_view name) {
  const store::Key* key = context.store.find(context.db, name);
  if (key == nullptr) return Source();
  if (key->type() == store::Type::kSortedSet) return Source(static_cast<const store::SortedSet*>(key->object()));
  if (key->type() == store::Type::kSet) return Source(static_cast<const store::Set*>(key->object()));
  context.reply.error(kWrongType);
  return std::nullopt;
}

bool take_weights(Context& context, std::size_t first, Query& query) {
  for (std::size_t i = 0; i < query.sources.size(); ++i) {
    const std::optional<double> weight = score_argument(context, first + i, "ERR weight value is not a float");
    if (!weight) return false;
    query.sources[i].weight = *weight;
  }
  return true;
}

bool take_aggregate(Context& context, std::size_t i, Query& query) {
  if (option_is(context, i, "sum")) {
    query.aggregate = Aggregate::kSum;
  } else if (option_is(context, i, "min")) {
    query.aggregate = Aggregate::kMin;
  } else if (option_is(context, i, "max")) {
    query.aggregate = Aggregate::kMax;
  } else {
    answer_syntax_error(context);
    return false;
  }
  return true;
}

bool parse_options(Context& context, const Form& form, std::size_t first, Query& query) {
  const bool combines = form.operation != Operation::kSubtract && !form.only_counts;
  for (std::size_t i = first; i < context.argument_count(); ++i) {
    const std::size_t left = context.argument_count() - i - 1;
    if (combines && left >= query.sources.size() && option_is(context, i, "weights")) {
      if (!take_weights(context, i + 1, query)) return false;
      i += query.sources.size();
    } else if (combines && left >= 1 && option_is(context, i, "aggregate")) {
      if (!take_aggregate(context, ++i, query)) return false;
    } else if (!form.stores && !form.only_counts && option_is(context, i, "withscores")) {
      query.with_scores = true;
    } else if (form.only_counts && left >= 1 && option_is(context, i, "limit")) {
      const std::optional<std::int64_t> limit = positive_argument(context, ++i, "ERR LIMIT can't be negative");
      if (!limit) return false;
      query.limit = static_cast<std::uint64_t>(*limit);
    } else {
      answer_syntax_error(context);
      return false;
    }
  }
  return true;
}

std::optional<Query> parse_query(Context& context, const Form& form) {
  const std::optional<std::int64_t> keys = integer_argument(context, form.count_at);
  if (!keys) return std::nullopt;
  if (*keys < 1) {
    context.reply.error("ERR at least 1 input key is needed for '" + std::string(context.command->name) + "' command");
    return std::nullopt;
  }
  const std::size_t first_key = form.count_at + 1;
  if (static_cast<std::uint64_t>(*keys) > context.argument_count() - first_key) {
    answer_syntax_error(context);
    return std::nullopt;
  }
  Query query;
  const std::size_t behind_keys = first_key + static_cast<std::size_t>(*keys);
  for (std::size_t i = first_key; i < behind_keys; ++i) {
    const std::optional<Source> source = find_source(context, context.argument(i));
    if (!source) return std::nullopt;
    query.sources.push_back(*source);
  }
  if (!parse_options(context, form, behind_keys, query)) return std::nullopt;
  if (form.operation != Operation::kSubtract) {
    std::stable_sort(query.sources.begin(), query.sources.end(),
                     [](const Source& a, const Source& b) { return a.size() < b.size(); });
  }
  return query;
}

// Calls take(member, score) for each common member until it answers false.
template <class Take>
void intersect(Context& context, const Query& query, Take take) {
  const Source& smallest = query.sources.front();
  Breaths breaths(context);
  smallest.for_each([&](std::string_view member, double score) {
    double combined = number_or_zero(smallest.weight * score);
    for (std::size_t i = 1; i < query.sources.size(); ++i) {
      breaths.step();
      const std::optional<double> other = query.sources[i].score(member);
      if (!other) return true;
      combined = combine(query.aggregate, combined, query.sources[i].weight * *other);
    }
    breaths.step();
    return take(member, combined);
  });
}

ScoredMembers subtract(Context& context, const Query& query) {
  ScoredMembers members;
  Breaths breaths(context);
  query.sources.front().for_each([&](std::string_view member, double score) {
    breaths.step();
    for (std::size_t i = 1; i < query.sources.size(); ++i) {
      breaths.step();
      if (query.sources[i].score(member)) return true;
    }
    members.push_back({std::string(member), score});
    return true;
  });
  return members;
}

// All members of all inputs, sorted by name; equal names lie together, in the order of the inputs.
ScoredMembers unite(Context& context, const Query& query) {
  ScoredMembers members;
  Breaths breaths(context);
  for (const Source& source : query.sources) {
    source.for_each([&](std::string_view member, double score) {
      members.push_back({std::string(member), number_or_zero(source.weight * score)});
      breaths.step();
      return true;
    });
  }
  if (query.sources.size() == 1) return members;
  std::stable_sort(members.begin(), members.end(), [&](const ScoredMember& a, const ScoredMember& b) {
    breaths.step();
    return a.member < b.member;
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (kept > 0 && members[kept - 1].member == members[i].member) {
      members[kept - 1].score = combine(query.aggregate, members[kept - 1].score, members[i].score);
    } else if (kept++ != i) {
      members[kept - 1] = std::move(members[i]);
    }
  }
  members.resize(kept);
  return members;
}

ScoredMembers operate(Context& context, const Query& query, Operation operation) {
  ScoredMembers members;
  switch (operation) {
    case Operation::kUnite:
      members = unite(context, query);
      break;
    case Operation::kSubtract:
      members = subtract(context, query);
      break;
    case Operation::kIntersect:
      intersect(context, query, [&](std::string_view member, double score) {
        members.push_back({std::string(member), score});
        return true;
      });
  }
  sort_members(context, members);
  return members;
}

void answer_operation(Context& context, Operation operation) {
  const std::optional<Query> query = parse_query(context, {.operation = operation});
  if (!query) return;
  const ScoredMembers members = operate(context, *query, operation);
  MemberReply reply(context, members.size(), query->with_scores);
  Breaths breaths(context);
  for (const ScoredMember& one : members) {
    reply.add(one.member, one.score);
    breaths.step();
  }
}

void store_operation(Context& context, Operation operation, std::string_view event) {
  const std::optional<Query> query = parse_query(context, {.operation = operation, .count_at = 2, .stores = true});
  if (!query) return;
  store_and_answer(context, context.argument(1), operate(context, *query, operation), event);
}

}  // namespace

void zunion(Context& context) {
  answer_operation(context, Operation::kUnite);
}

void zinter(Context& context) {
  answer_operation(context, Operation::kIntersect);
}

void zdiff(Context& context) {
  answer_operation(context, Operation::kSubtract);
}

void zunionstore(Context& context) {
  store_operation(context, Operation::kUnite, "zunionstore");
}

void zinterstore(Context& context) {
  store_operation(context, Operation::kIntersect, "zinterstore");
}

void zdiffstore(Context& context) {
  store_operation(context, Operation::kSubtract, "zdiffstore");
}

void zintercard(Context& context) {
  const std::optional<Query> query = parse_query(context, {.operation = Operation::kIntersect, .only_counts = true});
  if (!query) return;
  std::uint64_t count = 0;
  intersect(context, *query, [&](std::string_view, double) { return ++count != query->limit; });
  context.reply.integer(static_cast<std::int64_t>(count));
}

}  // namespace redraft::commands
