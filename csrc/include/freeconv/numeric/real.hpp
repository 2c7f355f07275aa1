// Elementary functions of one double, free of branches and of libm calls, so that a plain loop over
// lanes vectorises and every instruction set gives the same bits.
//
// Accuracy on the ranges stated: 1.5 ulp for log_ and exp_, 2.5 ulp for atan2_ and sincos_; tests/cpp/test_numeric.cpp
// measures it against long double.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace freeconv {

inline constexpr double kPi = 3.141592653589793;
inline constexpr double kHalfPi = 1.5707963267948966;
inline constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

[[gnu::always_inline]] inline double fabs_(double x) { return __builtin_fabs(x); }
[[gnu::always_inline]] inline double sqrt_(double x) { return __builtin_sqrt(x); }

// log x for x > 0 and normal. x = 2^k f with f in [sqrt(1/2), sqrt 2), then the odd series of
// log((1+s)/(1-s)), s = (f-1)/(f+1), with the minimax coefficients of Sun's fdlibm e_log.c.
[[gnu::always_inline]] inline double log_(double x) {
  constexpr std::uint64_t kOffset = 0x3fe6a09e00000000ULL;
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x) + (0x3ff0000000000000ULL - kOffset);
  // The exponent becomes a double through the mantissa of 2^52: int64 -> double has no SSE2/AVX2 form.
  const double k = std::bit_cast<double>((bits >> 52) | 0x4330000000000000ULL) - (4503599627370496.0 + 1023.0);
  const double f = std::bit_cast<double>((bits & 0x000fffffffffffffULL) + kOffset) - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  const double tail = z * (6.666666666666735130e-01 +
                           z * (3.999999999940941908e-01 +
                                z * (2.857142874366239149e-01 +
                                     z * (2.222219843214978396e-01 +
                                          z * (1.818357216161805012e-01 +
                                               z * (1.531383769920937332e-01 + z * 1.479819860511658591e-01))))));
  const double half = 0.5 * f * f;
  const double result =
      k * 6.93147180369123816490e-01 - ((half - (s * (half + tail) + k * 1.90821492927058770002e-10)) - f);
  return x > 0.0 ? (x < kInfinity ? result : x) : (x == 0.0 ? -kInfinity : x - x);
}

// exp x, |x| < 708; beyond, the exponent saturates (0 and inf are not reached: the callers' laws are
// normalised, a step that far out is rejected anyway).
[[gnu::always_inline]] inline double exp_(double x) {
  const double clamped = x > 708.0 ? 708.0 : (x < -708.0 ? -708.0 : x);
  const double shifted = clamped * 1.4426950408889634 + 6755399441055744.0;
  const double k = shifted - 6755399441055744.0;
  const double r = (clamped - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
  // Taylor to r^13/13!: |r| <= ln2/2, remainder below 5e-18.
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  const double value = 1.0 + (r + r * r * p);
  // The low bits of `shifted` hold k; 2^k is assembled in two halves so that k = -1021 stays normal.
  const std::uint64_t n = std::bit_cast<std::uint64_t>(shifted) - 0x4338000000000000ULL;
  const double scale = std::bit_cast<double>((n + 1023ULL) << 52);
  const double result = value * scale;
  return x == x ? result : x;
}

// atan2(y, x) in (-pi, pi]; the rational approximation of Moshier's Cephes atan.c on [0, tan(pi/8)]
// after one reduction by pi/4.
[[gnu::always_inline]] inline double atan2_(double y, double x) {
  const double ax = fabs_(x);
  const double ay = fabs_(y);
  const double big = ax > ay ? ax : ay;
  const double small = ax > ay ? ay : ax;
  // tan(pi/8) = 0.41421356: above it use atan(t) = pi/4 + atan((t-1)/(t+1)), formed without t.
  const bool high = small > 0.41421356237309503 * big;
  const double numerator = high ? small - big : small;
  const double denominator = high ? small + big : big;
  const double t = denominator == 0.0 ? 0.0 : numerator / denominator;
  const double z = t * t;
  double p = -8.750608600031904122785e-1;
  p = p * z - 1.615753718733365076637e1;
  p = p * z - 7.500855792314704667340e1;
  p = p * z - 1.228866684490136173410e2;
  p = p * z - 6.485021904942025371773e1;
  double q = z + 2.485846490142306297962e1;
  q = q * z + 1.650270098316988542046e2;
  q = q * z + 4.328810604912902668951e2;
  q = q * z + 4.853903996359136964868e2;
  q = q * z + 1.945506571482613964425e2;
  const double core = t + t * (z * p / q);
  const double first = high ? 0.78539816339744830962 + (core + 3.061616997868383018e-17) : core;
  const double octant = ay > ax ? (kHalfPi - first) + 6.123233995736766036e-17 : first;
  const double half = x < 0.0 ? (kPi - octant) + 1.2246467991473532e-16 : octant;
  return y < 0.0 ? -half : half;
}

// sin and cos for |x| <= 2^20: reduction by multiples of pi/2 in three parts, then Taylor on pi/4.
[[gnu::always_inline]] inline void sincos_(double x, double& sine, double& cosine) {
  const double shifted = x * 0.6366197723675814 + 6755399441055744.0;
  const double k = shifted - 6755399441055744.0;
  const double r =
      ((x - k * 1.57079632673412561417e+00) - k * 6.07710050630396597660e-11) - k * 2.02226624879595063154e-21;
  const double z = r * r;
  double p = 1.0 / 355687428096000.0;
  p = p * z - 1.0 / 1307674368000.0;
  p = p * z + 1.0 / 6227020800.0;
  p = p * z - 1.0 / 39916800.0;
  p = p * z + 1.0 / 362880.0;
  p = p * z - 1.0 / 5040.0;
  p = p * z + 1.0 / 120.0;
  p = p * z - 1.0 / 6.0;
  const double s = r + r * (z * p);
  double q = -1.0 / 6402373705728000.0;
  q = q * z + 1.0 / 20922789888000.0;
  q = q * z - 1.0 / 87178291200.0;
  q = q * z + 1.0 / 479001600.0;
  q = q * z - 1.0 / 3628800.0;
  q = q * z + 1.0 / 40320.0;
  q = q * z - 1.0 / 720.0;
  q = q * z + 1.0 / 24.0;
  const double c = (1.0 - 0.5 * z) + z * z * q;
  const std::uint64_t n = std::bit_cast<std::uint64_t>(shifted);
  const bool swap = (n & 1ULL) != 0;
  const double s0 = swap ? c : s;
  const double c0 = swap ? s : c;
  sine = (n & 2ULL) != 0 ? -s0 : s0;
  cosine = ((n + 1ULL) & 2ULL) != 0 ? -c0 : c0;
}

}  // namespace freeconv
