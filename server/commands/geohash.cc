#include "server/commands/geohash.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace redraft::commands {

namespace {

// Bit i of the result's even places is bit i of `value`.
std::uint64_t spread(std::uint32_t value) {
  std::uint64_t bits = value;
  bits = (bits | bits << 16) & 0x0000ffff0000ffffu;
  bits = (bits | bits << 8) & 0x00ff00ff00ff00ffu;
  bits = (bits | bits << 4) & 0x0f0f0f0f0f0f0f0fu;
  bits = (bits | bits << 2) & 0x3333333333333333u;
  return (bits | bits << 1) & 0x5555555555555555u;
}

std::uint32_t gather(std::uint64_t bits) {
  bits &= 0x5555555555555555u;
  bits = (bits | bits >> 1) & 0x3333333333333333u;
  bits = (bits | bits >> 2) & 0x0f0f0f0f0f0f0f0fu;
  bits = (bits | bits >> 4) & 0x00ff00ff00ff00ffu;
  bits = (bits | bits >> 8) & 0x0000ffff0000ffffu;
  return static_cast<std::uint32_t>(bits | bits >> 16);
}

// Which of 2^steps pieces of [-max, max] the value lies in; the upper border itself is one more.
std::uint32_t index_of(double value, double max, unsigned steps) {
  return static_cast<std::uint32_t>((value + max) / (2 * max) * static_cast<double>(std::uint64_t{1} << steps));
}

}  // namespace

GeoCell GeoCell::of(const Position& position, unsigned steps) {
  return {index_of(position.longitude, kLongitudeMax, steps), index_of(position.latitude, kLatitudeMax, steps), steps};
}

GeoCell GeoCell::of_score(double score) {
  const auto bits = score >= 0 && score < 9.0e18 ? static_cast<std::uint64_t>(score) : 0;
  return {gather(bits >> 1), gather(bits), kGeoSteps};
}

GeoCell GeoCell::neighbour(int to_east, int to_north) const {
  const std::uint32_t mask = (1u << steps) - 1;
  return {(longitude + static_cast<std::uint32_t>(to_east)) & mask,
          (latitude + static_cast<std::uint32_t>(to_north)) & mask, steps};
}

std::uint64_t GeoCell::bits() const {
  return spread(latitude) | spread(longitude) << 1;
}

double GeoCell::first_score() const {
  return static_cast<double>(bits() << (2 * (kGeoSteps - steps)));
}

double GeoCell::behind_score() const {
  return static_cast<double>((bits() + 1) << (2 * (kGeoSteps - steps)));
}

double GeoCell::edge(double index, double max) const {
  return -max + index / static_cast<double>(std::uint64_t{1} << steps) * (2 * max);
}

Position GeoCell::centre() const {
  return {std::clamp((west() + east()) / 2, -kLongitudeMax, kLongitudeMax),
          std::clamp((south() + north()) / 2, -kLatitudeMax, kLatitudeMax)};
}

std::string geohash_text(const Position& position) {
  constexpr std::string_view kAlphabet = "0123456789bcdefghjkmnpqrstuvwxyz";
  constexpr double kPole = 90;  // geohash.org reaches the poles
  constexpr unsigned kLetters = 10;
  const std::uint64_t bits = spread(index_of(position.latitude, kPole, kGeoSteps)) |
                             spread(index_of(position.longitude, kLongitudeMax, kGeoSteps)) << 1;
  std::string text;
  for (unsigned i = 1; i <= kLetters; ++i) text.push_back(kAlphabet[bits >> (2 * kGeoSteps - 5 * i) & 31]);
  text.push_back('0');
  return text;
}

std::optional<double> GeoShape::distance_inside(const Position& place) const {
  if (is_box) {
    // Along the place's own parallel, and along the meridian.
    const Position beside{centre.longitude, place.latitude};
    if (latitude_distance(place.latitude, centre.latitude) > height / 2 || distance(place, beside) > width / 2) {
      return std::nullopt;
    }
    return distance(centre, place);
  }
  const double found = distance(centre, place);
  if (found > radius) return std::nullopt;
  return found;
}

GeoShape::Bounds GeoShape::bounds() const {
  const double up = degrees((is_box ? height / 2 : radius) / kEarthRadiusMeters);
  const double angle = (is_box ? width / 2 : radius) / kEarthRadiusMeters;
  // The nearer to the pole, the more degrees a length spans.
  const double widest = centre.latitude < 0 ? centre.latitude - up : centre.latitude + up;
  const double across = degrees(angle / exact_cosine(radians(widest)));
  return {centre.longitude - across, centre.latitude - up, centre.longitude + across, centre.latitude + up};
}

unsigned GeoShape::estimated_steps() const {
  constexpr double kMercatorMax = 20037726.37;
  double range = is_box ? std::sqrt(width / 2 * (width / 2) + height / 2 * (height / 2)) : radius;
  if (range == 0) return kGeoSteps;
  int steps = 1;
  for (; range < kMercatorMax && steps < 64; ++steps) range *= 2;
  steps -= 2;  // so that the range lies inside in most cases
  const double latitude = std::fabs(centre.latitude);
  if (latitude > 66) --steps;
  if (latitude > 80) --steps;
  return static_cast<unsigned>(std::clamp(steps, 1, static_cast<int>(kGeoSteps)));
}

std::vector<GeoCell> GeoShape::cells() const {
  const Bounds area = bounds();
  unsigned steps = estimated_steps();
  GeoCell middle = GeoCell::of(centre, steps);
  // Near a cell's edge the neighbour may not reach far enough.
  if (steps > 1 && (middle.neighbour(0, 1).north() < area.north || middle.neighbour(0, -1).south() > area.south ||
                    middle.neighbour(1, 0).east() < area.east || middle.neighbour(-1, 0).west() > area.west)) {
    middle = GeoCell::of(centre, --steps);
  }
  const bool all = steps < 2;
  const bool north = all || !(middle.north() > area.north);
  const bool south = all || !(middle.south() < area.south);
  const bool east = all || !(middle.east() > area.east);
  const bool west = all || !(middle.west() < area.west);
  std::vector<GeoCell> cells{middle};
  const auto add = [&](bool needed, int to_east, int to_north) {
    if (!needed) return;
    const GeoCell cell = middle.neighbour(to_east, to_north);
    // On a map of few cells, opposite neighbours are one.
    if (cells.size() == 1 || cells.back() != cell) cells.push_back(cell);
  };
  add(north, 0, 1);
  add(south, 0, -1);
  add(east, 1, 0);
  add(west, -1, 0);
  add(north && east, 1, 1);
  add(north && west, -1, 1);
  add(south && east, 1, -1);
  add(south && west, -1, -1);
  return cells;
}

}  // namespace redraft::commands
