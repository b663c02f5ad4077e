#include "server/commands/geo.h"

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/containers.h"
#include "server/commands/geo_arguments.h"
#include "server/commands/geohash.h"
#include "server/commands/scores.h"
#include "server/commands/zadd.h"

// GEOADD, GEODIST, GEOHASH, GEOPOS; searches are in geo_search.cc (redis.io/commands/?group=geo).

namespace redraft::commands {

namespace {

// As printf's %.*f: correctly rounded decimals.
std::string fixed_text(double value, int decimals) {
  std::array<char, 400> text;
  const auto end = std::to_chars(text.begin(), text.end(), value, std::chars_format::fixed, decimals).ptr;
  return {text.begin(), end};
}

// The position of a member; nothing if it is not there.
std::optional<Position> position_of(const store::SortedSet* set, std::string_view member) {
  const std::optional<double> score = set == nullptr ? std::nullopt : set->score(member);
  if (!score) return std::nullopt;
  return GeoCell::of_score(*score).centre();
}

// For each member from argument 2 on: `answer(position)`, or null.
template <class Answer>
void answer_members(Context& context, Answer answer, void (resp::Writer::*null)()) {
  const store::SortedSet* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  const auto members = context.arguments.subspan(2);
  context.reply.array(members.size());
  Breaths breaths(context);
  for (const std::string_view member : members) {
    const std::optional<Position> position = position_of(set, member);
    position ? answer(*position) : (context.reply.*null)();
    breaths.step();
  }
}

}  // namespace

std::optional<Position> position_argument(Context& context, std::size_t i) {
  const std::optional<double> longitude = score_argument(context, i, kNotAFloat);
  const std::optional<double> latitude = longitude ? score_argument(context, i + 1, kNotAFloat) : std::nullopt;
  if (!latitude) return std::nullopt;
  const Position position{*longitude, *latitude};
  if (is_on_map(position)) return position;
  context.reply.error("ERR invalid longitude,latitude pair " + fixed_text(*longitude, 6) + "," +
                      fixed_text(*latitude, 6));
  return std::nullopt;
}

std::optional<double> unit_argument(Context& context, std::size_t i) {
  if (option_is(context, i, "m")) return 1;
  if (option_is(context, i, "km")) return 1000;
  if (option_is(context, i, "ft")) return 0.3048;
  if (option_is(context, i, "mi")) return 1609.34;
  context.reply.error("ERR unsupported unit provided. please use M, KM, FT, MI");
  return std::nullopt;
}

void answer_distance(Context& context, double distance) {
  context.reply.bulk(fixed_text(distance, 4));
}

void answer_position(Context& context, const Position& position) {
  context.reply.array(2);
  context.reply.human_long_double(position.longitude);
  context.reply.human_long_double(position.latitude);
}

void geoadd(Context& context) {
  AddOptions options;
  for (; options.first_pair < context.argument_count(); ++options.first_pair) {
    if (option_is(context, options.first_pair, "nx")) {
      options.only_new = true;
    } else if (option_is(context, options.first_pair, "xx")) {
      options.only_present = true;
    } else if (option_is(context, options.first_pair, "ch")) {
      options.count_changed = true;
    } else {
      break;
    }
  }
  const std::size_t left = context.argument_count() - options.first_pair;
  if (left == 0 || left % 3 != 0 || (options.only_new && options.only_present)) return answer_syntax_error(context);
  ScoredViews members;
  members.reserve(left / 3);
  for (std::size_t i = options.first_pair; i < context.argument_count(); i += 3) {
    const std::optional<Position> position = position_argument(context, i);
    if (!position) return;
    members.push_back({context.argument(i + 2), GeoCell::of(*position, kGeoSteps).first_score()});
  }
  add_members(context, options, members);
}

void geodist(Context& context) {
  if (context.argument_count() > 5) return answer_syntax_error(context);
  const std::optional<double> unit = context.argument_count() == 5 ? unit_argument(context, 4) : 1;
  if (!unit) return;
  const store::SortedSet* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  const std::optional<Position> from = position_of(set, context.argument(2));
  const std::optional<Position> to = position_of(set, context.argument(3));
  if (!from || !to) return context.reply.null();
  answer_distance(context, distance(*from, *to) / *unit);
}

void geohash(Context& context) {
  answer_members(
      context, [&](const Position& position) { context.reply.bulk(geohash_text(position)); }, &resp::Writer::null);
}

void geopos(Context& context) {
  answer_members(
      context, [&](const Position& position) { answer_position(context, position); }, &resp::Writer::null_array);
}

}  // namespace redraft::commands
