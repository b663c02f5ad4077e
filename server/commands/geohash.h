#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/commands/sphere.h"

namespace redraft::commands {

// Places as scores: longitude and latitude become 26 bits each, interleaved (redis.io/commands/geoadd). Arithmetic
// only, so that all nodes store the same.

inline constexpr double kLongitudeMax = 180;
inline constexpr double kLatitudeMax = 85.05112878;  // of the Mercator projection of EPSG:3857
inline constexpr unsigned kGeoSteps = 26;

[[nodiscard]] inline bool is_on_map(const Position& position) {
  return position.longitude >= -kLongitudeMax && position.longitude <= kLongitudeMax &&
         position.latitude >= -kLatitudeMax && position.latitude <= kLatitudeMax;
}

// One cell of the map cut into 2^steps by 2^steps.
struct GeoCell {
  std::uint32_t longitude = 0;
  std::uint32_t latitude = 0;
  unsigned steps = kGeoSteps;
  friend bool operator==(const GeoCell&, const GeoCell&) = default;

  [[nodiscard]] static GeoCell of(const Position& position, unsigned steps);
  // Any score, as Redis reads it: its integer's bits.
  [[nodiscard]] static GeoCell of_score(double score);
  // Around the map's edge it goes on at the other side.
  [[nodiscard]] GeoCell neighbour(int east, int north) const;

  // Scores of the cells of 26 steps inside lie in [first, behind).
  [[nodiscard]] double first_score() const;
  [[nodiscard]] double behind_score() const;

  [[nodiscard]] double west() const { return edge(longitude, kLongitudeMax); }
  [[nodiscard]] double east() const { return edge(longitude + 1.0, kLongitudeMax); }
  [[nodiscard]] double south() const { return edge(latitude, kLatitudeMax); }
  [[nodiscard]] double north() const { return edge(latitude + 1.0, kLatitudeMax); }
  [[nodiscard]] Position centre() const;

 private:
  [[nodiscard]] std::uint64_t bits() const;
  [[nodiscard]] double edge(double index, double max) const;
};

// The eleven letters of geohash.org; the last is always "0", as in Redis, since 52 bits fill ten.
[[nodiscard]] std::string geohash_text(const Position& position);

// The area of a search: a circle, or a box that lies along the meridians. Meters.
struct GeoShape {
  Position centre;
  bool is_box = false;
  double radius = 0;
  double width = 0;
  double height = 0;

  // How far the place lies from the centre; nothing if it is outside.
  [[nodiscard]] std::optional<double> distance_inside(const Position& place) const;
  // The cells that cover it, each once: that of the centre, then of its neighbours those that are needed. Redis's
  // choice and order (redis/redis:src/geohash_helper.c), which replies without an order show.
  [[nodiscard]] std::vector<GeoCell> cells() const;

 private:
  struct Bounds {
    double west;
    double south;
    double east;
    double north;
  };
  [[nodiscard]] Bounds bounds() const;
  [[nodiscard]] unsigned estimated_steps() const;
};

}  // namespace redraft::commands
