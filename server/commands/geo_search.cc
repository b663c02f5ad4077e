#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/containers.h"
#include "server/commands/geo.h"
#include "server/commands/geo_arguments.h"
#include "server/commands/geohash.h"
#include "server/commands/scores.h"
#include "server/commands/sorted_set_results.h"

// GEOSEARCH, GEOSEARCHSTORE and the elder GEORADIUS family, which are one command with two kinds of arguments.

namespace redraft::commands {

namespace {

enum class Kind : std::uint8_t { kSearch, kSearchStore, kRadius, kRadiusByMember };

struct Query {
  GeoShape shape;
  double unit = 1;  // meters
  bool has_centre = false;
  bool has_shape = false;
  bool with_distance = false;
  bool with_hash = false;
  bool with_position = false;
  bool stores_distance = false;
  bool any = false;
  std::int64_t count = 0;  // 0: all
  enum class Order : std::uint8_t { kNone, kAscending, kDescending } order = Order::kNone;
  std::optional<std::string_view> destination;
};

struct Found {
  std::string member;
  Position position;
  double distance = 0;  // meters
  double score = 0;
};

// Reads the arguments of one of these commands.
class QueryParser {
 public:
  QueryParser(Context& context, Kind kind, bool may_store, const store::SortedSet* set)
      : context_(context), set_(set), kind_(kind), may_store_(may_store) {}
  [[nodiscard]] std::optional<Query> parse();

 private:
  enum class Taken : std::uint8_t { kNo, kYes, kFailed };

  [[nodiscard]] bool searches() const { return kind_ == Kind::kSearch || kind_ == Kind::kSearchStore; }
  [[nodiscard]] std::size_t left() const { return context_.argument_count() - at_ - 1; }
  [[nodiscard]] bool word(std::string_view lower, std::size_t followed_by = 0) const {
    return left() >= followed_by && option_is(context_, at_, lower);
  }
  [[nodiscard]] static Taken taken(bool valid) { return valid ? Taken::kYes : Taken::kFailed; }
  [[nodiscard]] bool parse_fixed();
  [[nodiscard]] Taken take_flag();
  [[nodiscard]] Taken take_option();
  [[nodiscard]] Taken take_store();
  [[nodiscard]] Taken take_area();
  [[nodiscard]] bool take_count();
  [[nodiscard]] bool take_member(std::size_t i);
  [[nodiscard]] bool take_position(std::size_t i);
  [[nodiscard]] bool take_circle(std::size_t i);
  [[nodiscard]] bool take_box(std::size_t i);
  [[nodiscard]] std::optional<double> length(std::size_t i, std::string_view no_number) const;
  [[nodiscard]] bool check();
  bool fail(std::string_view error) {
    context_.reply.error(error);
    return false;
  }

  Context& context_;
  const store::SortedSet* set_;  // nullptr: the key is absent
  Kind kind_;
  bool may_store_;
  Query query_;
  bool from_member_ = false;
  std::size_t at_ = 0;
};

std::optional<Query> QueryParser::parse() {
  if (!parse_fixed()) return std::nullopt;
  for (; at_ < context_.argument_count(); ++at_) {
    Taken done = take_flag();
    if (done == Taken::kNo) done = take_option();
    if (done == Taken::kNo) done = searches() ? take_area() : take_store();
    if (done == Taken::kYes) continue;
    if (done == Taken::kNo) answer_syntax_error(context_);
    return std::nullopt;
  }
  if (!check()) return std::nullopt;
  if (query_.count != 0 && query_.order == Query::Order::kNone && !query_.any) {
    query_.order = Query::Order::kAscending;
  }
  return query_;
}

// Keys, and of GEORADIUS what stands in front of the options.
bool QueryParser::parse_fixed() {
  switch (kind_) {
    case Kind::kSearch:
      at_ = 2;
      return true;
    case Kind::kSearchStore:
      at_ = 3;
      query_.destination = context_.argument(1);
      return true;
    case Kind::kRadius:
      at_ = 6;
      return take_position(2) && take_circle(4);
    case Kind::kRadiusByMember:
      break;
  }
  at_ = 5;
  // Without a key nothing can be found, and Redis looks at options only.
  return set_ == nullptr || (take_member(2) && take_circle(3));
}

QueryParser::Taken QueryParser::take_flag() {
  if (word("withdist")) return query_.with_distance = true, Taken::kYes;
  if (word("withhash")) return query_.with_hash = true, Taken::kYes;
  if (word("withcoord")) return query_.with_position = true, Taken::kYes;
  if (word("any")) return query_.any = true, Taken::kYes;
  if (word("asc")) return query_.order = Query::Order::kAscending, Taken::kYes;
  if (word("desc")) return query_.order = Query::Order::kDescending, Taken::kYes;
  if (kind_ == Kind::kSearchStore && word("storedist")) return query_.stores_distance = true, Taken::kYes;
  return Taken::kNo;
}

QueryParser::Taken QueryParser::take_option() {
  if (!word("count", 1)) return Taken::kNo;
  return taken(take_count());
}

bool QueryParser::take_count() {
  const std::optional<std::int64_t> count = integer_argument(context_, ++at_);
  if (!count) return false;
  if (*count <= 0) return fail("ERR COUNT must be > 0");
  query_.count = *count;
  return true;
}

QueryParser::Taken QueryParser::take_store() {
  if (!may_store_) return Taken::kNo;
  const bool distance = word("storedist", 1);
  if (!distance && !word("store", 1)) return Taken::kNo;
  query_.stores_distance = distance;
  query_.destination = context_.argument(++at_);
  return Taken::kYes;
}

QueryParser::Taken QueryParser::take_area() {
  if (word("frommember", 1) && (!query_.has_centre || from_member_)) {
    from_member_ = query_.has_centre = true;
    return taken(take_member(++at_));
  }
  if (word("fromlonlat", 2) && !from_member_) {
    at_ += 2;
    return taken(take_position(at_ - 1));
  }
  if (word("byradius", 2) && (!query_.has_shape || !query_.shape.is_box)) {
    at_ += 2;
    return taken(take_circle(at_ - 1));
  }
  if (word("bybox", 3) && (!query_.has_shape || query_.shape.is_box)) {
    at_ += 3;
    return taken(take_box(at_ - 2));
  }
  return Taken::kNo;
}

bool QueryParser::take_member(std::size_t i) {
  query_.has_centre = true;
  if (set_ == nullptr) return true;
  const std::optional<double> score = set_->score(context_.argument(i));
  if (!score) return fail("ERR could not decode requested zset member");
  query_.shape.centre = GeoCell::of_score(*score).centre();
  return true;
}

bool QueryParser::take_position(std::size_t i) {
  const std::optional<Position> position = position_argument(context_, i);
  if (!position) return false;
  query_.shape.centre = *position;
  query_.has_centre = true;
  return true;
}

std::optional<double> QueryParser::length(std::size_t i, std::string_view no_number) const {
  return score_argument(context_, i, no_number);
}

// A radius and its unit.
bool QueryParser::take_circle(std::size_t i) {
  const std::optional<double> radius = length(i, "ERR need numeric radius");
  if (!radius) return false;
  if (*radius < 0) return fail("ERR radius cannot be negative");
  const std::optional<double> unit = unit_argument(context_, i + 1);
  if (!unit) return false;
  query_.unit = *unit;
  query_.shape.radius = *radius * *unit;
  query_.shape.is_box = false;
  query_.has_shape = true;
  return true;
}

bool QueryParser::take_box(std::size_t i) {
  const std::optional<double> width = length(i, "ERR need numeric width");
  const std::optional<double> height = width ? length(i + 1, "ERR need numeric height") : std::nullopt;
  if (!height) return false;
  if (*width < 0 || *height < 0) return fail("ERR height or width cannot be negative");
  const std::optional<double> unit = unit_argument(context_, i + 2);
  if (!unit) return false;
  query_.unit = *unit;
  query_.shape.width = *width * *unit;
  query_.shape.height = *height * *unit;
  query_.shape.is_box = true;
  query_.has_shape = true;
  return true;
}

// What the options must not be together.
bool QueryParser::check() {
  if (query_.destination && (query_.with_distance || query_.with_hash || query_.with_position)) {
    const std::string who = kind_ == Kind::kSearchStore ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS";
    return fail("ERR " + who + " is not compatible with WITHDIST, WITHHASH and WITHCOORD options");
  }
  const std::string name(context_.argument(0));
  if (searches() && !query_.has_centre) {
    return fail("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for " + name);
  }
  if (searches() && !query_.has_shape) {
    return fail("ERR exactly one of BYRADIUS and BYBOX can be specified for " + name);
  }
  if (query_.any && query_.count == 0) return fail("ERR the ANY argument requires COUNT argument");
  return true;
}

// ---- Searching

// The places inside, cell by cell; with ANY only the first `count`.
std::vector<Found> search(Context& context, const store::SortedSet& set, const Query& query) {
  std::vector<Found> found;
  const std::size_t enough = query.any ? static_cast<std::size_t>(query.count) : ~std::size_t{0};
  Breaths breaths(context);
  for (const GeoCell& cell : query.shape.cells()) {
    const Ranks ranks = ScoreRange::up_to(cell.first_score(), cell.behind_score()).of(set);
    set.visit(ranks.first, ranks.count, false, [&](std::string_view member, double score) {
      breaths.step();
      const Position position = GeoCell::of_score(score).centre();
      const std::optional<double> distance = query.shape.distance_inside(position);
      if (distance) found.push_back({std::string(member), position, *distance, score});
      return found.size() < enough;
    });
    if (found.size() >= enough) break;
  }
  if (query.order != Query::Order::kNone) {
    const bool descending = query.order == Query::Order::kDescending;
    std::stable_sort(found.begin(), found.end(), [&](const Found& a, const Found& b) {
      breaths.step();
      return descending ? a.distance > b.distance : a.distance < b.distance;
    });
  }
  if (query.count != 0 && found.size() > static_cast<std::uint64_t>(query.count)) {
    found.resize(static_cast<std::size_t>(query.count));
  }
  return found;
}

void answer_found(Context& context, const Query& query, const std::vector<Found>& found) {
  const std::size_t details = query.with_distance + query.with_hash + query.with_position;
  context.reply.array(found.size());
  Breaths breaths(context);
  for (const Found& one : found) {
    breaths.step();
    if (details > 0) context.reply.array(details + 1);
    context.reply.bulk(one.member);
    if (query.with_distance) answer_distance(context, one.distance / query.unit);
    if (query.with_hash) context.reply.integer(static_cast<std::int64_t>(one.score));
    if (query.with_position) answer_position(context, one.position);
  }
}

void store_found(Context& context, const Query& query, const std::vector<Found>& found, std::string_view event) {
  ScoredMembers members;
  members.reserve(found.size());
  for (const Found& one : found) {
    members.push_back({one.member, query.stores_distance ? one.distance / query.unit : one.score});
  }
  store_and_answer(context, *query.destination, members, event);
}

void run(Context& context, Kind kind, bool may_store) {
  const store::SortedSet* set = nullptr;
  if (!find_for_read(context, context.argument(kind == Kind::kSearchStore ? 2 : 1), set)) return;
  const std::optional<Query> query = QueryParser(context, kind, may_store, set).parse();
  if (!query) return;
  const std::vector<Found> found = set == nullptr ? std::vector<Found>() : search(context, *set, *query);
  if (!query->destination) return answer_found(context, *query, found);
  store_found(context, *query, found, kind == Kind::kSearchStore ? "geosearchstore" : "georadiusstore");
}

}  // namespace

void geosearch(Context& context) {
  run(context, Kind::kSearch, false);
}

void geosearchstore(Context& context) {
  run(context, Kind::kSearchStore, true);
}

void georadius(Context& context) {
  run(context, Kind::kRadius, true);
}

void georadius_ro(Context& context) {
  run(context, Kind::kRadius, false);
}

void georadiusbymember(Context& context) {
  run(context, Kind::kRadiusByMember, true);
}

void georadiusbymember_ro(Context& context) {
  run(context, Kind::kRadiusByMember, false);
}

}  // namespace redraft::commands
