// Geohashes and distances: exact where stored values depend on them, near enough to libm for replies to be Redis's.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "server/commands/geohash.h"
#include "server/commands/random.h"
#include "server/commands/sphere.h"

namespace redraft::commands {
namespace {

double between(Random& random, double least, double most) {
  return least + static_cast<double>(random.below(1u << 30)) / (1u << 30) * (most - least);
}

TEST(Sphere, TrigonometryAgreesWithLibm) {
  Random random(1);
  for (int i = 0; i < 20000; ++i) {
    const double angle = between(random, -7, 7);
    ASSERT_NEAR(exact_sine(angle), std::sin(angle), 5e-16) << angle;
    ASSERT_NEAR(exact_cosine(angle), std::cos(angle), 5e-16) << angle;
    const double sine = between(random, 0, 1);
    ASSERT_NEAR(exact_arc_sine(sine), std::asin(sine), 1e-15) << sine;
    const double tiny = sine * 1e-9;
    ASSERT_NEAR(exact_arc_sine(tiny) / tiny, 1, 1e-15);
  }
  EXPECT_EQ(exact_sine(0), 0);
  EXPECT_EQ(exact_arc_sine(1), std::asin(1.0));
  EXPECT_TRUE(std::isnan(exact_cosine(1e300)));
}

// STOREDIST stores distances, and a search that is stored keeps or drops a place by its distance: these bits must be
// the same on every machine and in every build (pitfall G1).
TEST(Sphere, DistancesAreTheSameToTheLastBit_G1) {
  const Position palermo{13.361389338970184, 38.1155563954963};
  const Position catania{15.087267458438873, 37.50266842333162};
  EXPECT_EQ(std::bit_cast<std::uint64_t>(distance(palermo, catania)), 0x41044c11366a1f65u);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(distance({0, 0}, {179.5, -0.25})), 0x417308b1cc4130ffu);
  EXPECT_NEAR(distance(palermo, catania), 166274.1516, 0.0001);
}

// Whatever the cells are, a search finds what a look at every place finds.
TEST(GeoShape, CellsCoverTheArea) {
  Random random(2);
  std::vector<Position> places;
  for (int i = 0; i < 3000; ++i) places.push_back({between(random, -180, 180), between(random, -80, 80)});
  for (int i = 0; i < 300; ++i) {
    GeoShape shape;
    shape.centre = {between(random, -170, 170), between(random, -60, 60)};
    shape.is_box = i % 2 == 0;
    shape.radius = between(random, 1000, 900'000);
    shape.width = between(random, 1000, 1'500'000);
    shape.height = between(random, 1000, 1'500'000);
    const std::vector<GeoCell> cells = shape.cells();
    for (const Position& place : places) {
      if (!shape.distance_inside(place)) continue;
      const double score = GeoCell::of(place, kGeoSteps).first_score();
      ASSERT_TRUE(std::ranges::any_of(
          cells, [&](const GeoCell& cell) { return score >= cell.first_score() && score < cell.behind_score(); }))
          << place.longitude << ' ' << place.latitude << " around " << shape.centre.longitude << ' '
          << shape.centre.latitude;
    }
    for (std::size_t a = 0; a < cells.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b) ASSERT_NE(cells[a], cells[b]);
    }
  }
}

TEST(GeoCell, AScoreIsTheCellAgain) {
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    const Position place{between(random, -180, 180), between(random, -85, 85)};
    const GeoCell cell = GeoCell::of(place, kGeoSteps);
    const GeoCell again = GeoCell::of_score(cell.first_score());
    ASSERT_EQ(again, cell);
    ASSERT_NEAR(again.centre().longitude, place.longitude, 3e-6);
    ASSERT_NEAR(again.centre().latitude, place.latitude, 3e-6);
  }
  EXPECT_EQ(GeoCell::of_score(-5), GeoCell::of_score(0));
  EXPECT_EQ(GeoCell::of_score(1e300), GeoCell::of_score(0));
}

}  // namespace
}  // namespace redraft::commands
