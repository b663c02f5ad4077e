#include "server/commands/sphere.h"

#include <cmath>
#include <limits>

namespace redraft::commands {

namespace {

// Half of pi in two pieces; the first has 33 bits, so that its products with small integers are exact.
constexpr double kHalfPiHigh = 1.57079632673412561417e+00;
constexpr double kHalfPiLow = 6.07710050650619224932e-11;
constexpr double kQuartersMax = 4.0e5;

// An angle as a count of quarter turns and a rest of at most an eighth.
struct Reduced {
  int quarter = 0;  // modulo 4
  double rest = 0;
};

Reduced reduce(double radians) {
  const double quarters = std::floor(radians / (kPi / 2) + 0.5);  // floor is exact
  const double rest = (radians - quarters * kHalfPiHigh) - quarters * kHalfPiLow;
  return {static_cast<int>(static_cast<long>(quarters) & 3), rest};
}

// Taylor series, the last term first. For |x| <= pi/4 the terms left out are below the last bit.
double sine_series(double x) {
  const double square = x * x;
  double sum = 1;
  for (int k = 9; k >= 1; --k) sum = 1 - square * sum / ((2 * k) * (2 * k + 1));
  return x * sum;
}

double cosine_series(double x) {
  const double square = x * x;
  double sum = 1;
  for (int k = 9; k >= 1; --k) sum = 1 - square * sum / ((2 * k - 1) * (2 * k));
  return sum;
}

double sine_of(const Reduced& angle) {
  const double value = angle.quarter % 2 == 0 ? sine_series(angle.rest) : cosine_series(angle.rest);
  return angle.quarter >= 2 ? -value : value;
}

bool reducible(double radians) {
  return radians > -kQuartersMax && radians < kQuartersMax;
}

// For x <= 1/2: the angle is halved first, sin(a/2) = sin a / sqrt(2 (1 + cos a)), so that the series is short.
double small_arc_sine(double x) {
  const double half = x / std::sqrt(2 * (1 + std::sqrt(1 - x * x)));
  const double square = half * half;
  double sum = 1;
  for (int k = 15; k >= 1; --k) sum = 1 + square * sum * ((2 * k - 1) * (2 * k - 1)) / ((2 * k) * (2 * k + 1));
  return 2 * half * sum;
}

}  // namespace

double exact_sine(double radians) {
  if (!reducible(radians)) return std::numeric_limits<double>::quiet_NaN();
  return sine_of(reduce(radians));
}

double exact_cosine(double radians) {
  if (!reducible(radians)) return std::numeric_limits<double>::quiet_NaN();
  Reduced angle = reduce(radians);
  angle.quarter = (angle.quarter + 1) % 4;
  return sine_of(angle);
}

double exact_arc_sine(double sine) {
  if (sine >= 1) return kPi / 2;
  if (sine <= 0.5) return small_arc_sine(sine);
  return kPi / 2 - 2 * small_arc_sine(std::sqrt((1 - sine) / 2));
}

double latitude_distance(double latitude, double other) {
  return kEarthRadiusMeters * std::fabs(radians(other) - radians(latitude));
}

double distance(const Position& a, const Position& b) {
  const double across = exact_sine((radians(b.longitude) - radians(a.longitude)) / 2);
  if (across == 0) return latitude_distance(a.latitude, b.latitude);
  const double latitude = radians(a.latitude);
  const double other = radians(b.latitude);
  const double along = exact_sine((other - latitude) / 2);
  const double haversine = along * along + exact_cosine(latitude) * exact_cosine(other) * across * across;
  return 2.0 * kEarthRadiusMeters * exact_arc_sine(std::sqrt(haversine));
}

}  // namespace redraft::commands
