#pragma once

namespace redraft::commands {

// Distances on the sphere that Redis takes for the earth. What a stored result holds may depend on them, so they are a
// function of their arguments alone, to the last bit on every machine: sine, cosine and arc sine are made here of sums,
// products, quotients and square roots, which IEEE 754 rounds correctly, and no libm is asked (its last bits differ
// between versions). They agree with exact values within a few units in the last place, that is, far below the tenth
// of a millimetre that replies show.

inline constexpr double kEarthRadiusMeters = 6372797.560856;
inline constexpr double kPi = 3.141592653589793;

[[nodiscard]] inline double radians(double degrees) {
  return degrees * (kPi / 180.0);
}
[[nodiscard]] inline double degrees(double radians) {
  return radians / (kPi / 180.0);
}

// Of angles within about 10^5 turns; farther ones give NaN.
[[nodiscard]] double exact_sine(double radians);
[[nodiscard]] double exact_cosine(double radians);
[[nodiscard]] double exact_arc_sine(double sine);  // of [0, 1]; more counts as 1

// Degrees.
struct Position {
  double longitude = 0;
  double latitude = 0;
};

// Along a meridian, and by the haversine formula; meters.
[[nodiscard]] double latitude_distance(double latitude, double other);
[[nodiscard]] double distance(const Position& a, const Position& b);

}  // namespace redraft::commands
