#include <cmath>

// Lua's `^`, also where the compiler of Lua folds constants, calls `pow`, of which glibc has several versions and takes
// the one that suits the processor: with FMA the last digit may be another. The linker sends that call here instead
// (--wrap, CMakeLists.txt), so that `^` and math.pow are one function, computed in long double and rounded as the rest
// of math_library.cc.
extern "C" double __wrap_pow(double base, double exponent);

double __wrap_pow(double base, double exponent) {
  return static_cast<double>(std::pow(static_cast<long double>(base), static_cast<long double>(exponent)));
}
