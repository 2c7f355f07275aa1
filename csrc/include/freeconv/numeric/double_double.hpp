// Double-double arithmetic (about 32 digits), for the last step near edges.
//
// Near a square-root edge e the density's condition number is x / (2 |e - x|): at |e - x| = 1e-6 e a
// residual that is good to one ulp leaves a relative error of 5e-11. One Newton step with the residual in
// double-double removes it. The algorithms are Dekker's (1971) and Knuth's; products are split instead of
// using fma, so that all instruction sets agree to the bit.
#pragma once

#include "freeconv/numeric/real.hpp"

namespace freeconv {

struct DoubleDouble {
  double hi = 0.0;
  double lo = 0.0;

  constexpr DoubleDouble() = default;
  constexpr DoubleDouble(double value) : hi(value) {}  // NOLINT: doubles embed exactly
  constexpr DoubleDouble(double high, double low) : hi(high), lo(low) {}
};

[[gnu::always_inline]] inline DoubleDouble two_sum(double a, double b) {
  const double s = a + b;
  const double bb = s - a;
  return {s, (a - (s - bb)) + (b - bb)};
}

[[gnu::always_inline]] inline DoubleDouble quick_two_sum(double a, double b) {
  const double s = a + b;
  return {s, b - (s - a)};
}

// The leading 26 bits, rounded. By the bits: Dekker's product with 2^27 + 1 leaves the doubles above 1e300, where
// slopes dF/dm ~ F^2 of a law of scale 1e-150 are.
[[gnu::always_inline]] inline double leading_half(double a) {
  return std::bit_cast<double>((std::bit_cast<std::uint64_t>(a) + 0x4000000ULL) & ~0x7ffffffULL);
}

[[gnu::always_inline]] inline DoubleDouble two_product(double a, double b) {
  const double ah = leading_half(a);
  const double al = a - ah;
  const double bh = leading_half(b);
  const double bl = b - bh;
  const double p = a * b;
  return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

// For kernels that are compiled per instruction set: nothing of them may stand outside of the kernel.
[[gnu::always_inline]] inline DoubleDouble sum_of(DoubleDouble a, DoubleDouble b) {
  const DoubleDouble s = two_sum(a.hi, b.hi);
  const DoubleDouble t = two_sum(a.lo, b.lo);
  const DoubleDouble u = quick_two_sum(s.hi, s.lo + t.hi);
  return quick_two_sum(u.hi, u.lo + t.lo);
}
[[gnu::always_inline]] inline DoubleDouble product_of(DoubleDouble a, DoubleDouble b) {
  const DoubleDouble p = two_product(a.hi, b.hi);
  return quick_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}
[[gnu::always_inline]] inline DoubleDouble difference_of(DoubleDouble a, DoubleDouble b) {
  return sum_of(a, {-b.hi, -b.lo});
}
[[gnu::always_inline]] inline DoubleDouble quotient_of(DoubleDouble a, DoubleDouble b) {
  const double q1 = a.hi / b.hi;
  const DoubleDouble r1 = difference_of(a, product_of({q1, 0.0}, b));
  const double q2 = r1.hi / b.hi;
  const DoubleDouble r2 = difference_of(r1, product_of({q2, 0.0}, b));
  const double q3 = r2.hi / b.hi;
  return sum_of(quick_two_sum(q1, q2), {q3, 0.0});
}

inline DoubleDouble operator+(DoubleDouble a, DoubleDouble b) { return sum_of(a, b); }
inline DoubleDouble operator-(DoubleDouble a) { return {-a.hi, -a.lo}; }
inline DoubleDouble operator-(DoubleDouble a, DoubleDouble b) { return a + (-b); }
inline DoubleDouble operator*(DoubleDouble a, DoubleDouble b) { return product_of(a, b); }
inline DoubleDouble operator/(DoubleDouble a, DoubleDouble b) { return quotient_of(a, b); }
inline bool operator<(DoubleDouble a, DoubleDouble b) { return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo); }
inline bool operator>(DoubleDouble a, DoubleDouble b) { return b < a; }

inline DoubleDouble fabs_(DoubleDouble a) { return a.hi < 0.0 ? -a : a; }
inline DoubleDouble sqrt_(DoubleDouble a) {
  if (a.hi <= 0.0) return DoubleDouble(0.0);
  const double x = 1.0 / sqrt_(a.hi);
  const double ax = a.hi * x;
  // Karp's trick: one Newton step on a.hi * x.
  return two_sum(ax, (a - DoubleDouble(ax) * DoubleDouble(ax)).hi * (x * 0.5));
}

inline double to_double(double a) { return a; }
inline double to_double(DoubleDouble a) { return a.hi; }

}  // namespace freeconv
