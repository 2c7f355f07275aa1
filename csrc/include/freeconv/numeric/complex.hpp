// Complex numbers over any real type (double, DoubleDouble). std::complex is avoided: its product and
// quotient test for NaN and call into libgcc, which stops vectorisation.
#pragma once

#include "freeconv/numeric/double_double.hpp"
#include "freeconv/numeric/real.hpp"

namespace freeconv {

template <class R>
struct Complex {
  R re{};
  R im{};
};

template <class R>
[[gnu::always_inline]] inline Complex<R> operator+(Complex<R> a, Complex<R> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class R>
[[gnu::always_inline]] inline Complex<R> operator-(Complex<R> a, Complex<R> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class R>
[[gnu::always_inline]] inline Complex<R> operator-(Complex<R> a) {
  return {-a.re, -a.im};
}
template <class R>
[[gnu::always_inline]] inline Complex<R> operator*(Complex<R> a, Complex<R> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
template <class R>
[[gnu::always_inline]] inline Complex<R> operator*(R a, Complex<R> b) {
  return {a * b.re, a * b.im};
}
template <class R>
[[gnu::always_inline]] inline Complex<R> operator+(R a, Complex<R> b) {
  return {a + b.re, b.im};
}
template <class R>
[[gnu::always_inline]] inline Complex<R> operator-(Complex<R> a, R b) {
  return {a.re - b, a.im};
}

// 1/a, scaled by the larger part: |a|^2 would underflow below 1e-154 (hard edges reach 1e-100).
template <class R>
[[gnu::always_inline]] inline Complex<R> reciprocal(Complex<R> a) {
  const R big = fabs_(a.re) > fabs_(a.im) ? fabs_(a.re) : fabs_(a.im);
  const R unit = R(1.0) / big;
  const R x = a.re * unit;
  const R y = a.im * unit;
  const R scale = unit / (x * x + y * y);
  return {x * scale, -(y * scale)};
}
template <class R>
[[gnu::always_inline]] inline Complex<R> operator/(Complex<R> a, Complex<R> b) {
  return a * reciprocal(b);
}

template <class R>
[[gnu::always_inline]] inline double squared_modulus(Complex<R> a) {
  const double x = to_double(a.re);
  const double y = to_double(a.im);
  return x * x + y * y;
}

template <class R>
[[gnu::always_inline]] inline Complex<double> leading(Complex<R> a) {
  return {to_double(a.re), to_double(a.im)};
}

// Principal logarithm, Im in (-pi, pi]. The modulus is scaled by a power of two first.
[[gnu::always_inline]] inline Complex<double> log(Complex<double> a) {
  const double ax = fabs_(a.re);
  const double ay = fabs_(a.im);
  const double big = ax > ay ? ax : ay;
  const std::uint64_t exponent = std::bit_cast<std::uint64_t>(big) & 0x7ff0000000000000ULL;
  const double unit = std::bit_cast<double>(0x7fe0000000000000ULL - exponent);  // 2^-k, exact
  const double k = std::bit_cast<double>((exponent >> 52) | 0x4330000000000000ULL) - (4503599627370496.0 + 1023.0);
  const double x = ax * unit;
  const double y = ay * unit;
  return {0.5 * log_(x * x + y * y) + k * 0.6931471805599453, atan2_(a.im, a.re)};
}

[[gnu::always_inline]] inline Complex<double> exp(Complex<double> a) {
  double s = 0.0;
  double c = 0.0;
  sincos_(a.im, s, c);
  const double r = exp_(a.re);
  return {r * c, r * s};
}

// exp in double-double: (Taylor at a / 2^10)^(2^10); the ten squarings lose three of 32 digits:
// exp(log a) = a to 5e-29.
inline Complex<DoubleDouble> exp(Complex<DoubleDouble> a) {
  constexpr double kScale = 1.0 / 1024.0;
  const DoubleDouble ln2{0.6931471805599453, 2.3190468138462996e-17};
  const double quotient = a.re.hi / 0.6931471805599453;
  const double k = fabs_(quotient) < 4096.0 ? static_cast<double>(static_cast<long long>(quotient)) : 0.0;
  const DoubleDouble reduced = a.re - DoubleDouble(k) * ln2;
  const Complex<DoubleDouble> t{reduced * kScale, a.im * kScale};
  Complex<DoubleDouble> sum{DoubleDouble(1.0), DoubleDouble(0.0)};
  // 1/n for Horner's rule; |t| < 4e-3, so ten terms leave 1e-30.
  constexpr DoubleDouble kInverse[] = {
      {1.0, 0.0},
      {0.5, 0.0},
      {0.3333333333333333, 1.850371707708594e-17},
      {0.25, 0.0},
      {0.2, -1.1102230246251566e-17},
      {0.16666666666666666, 9.25185853854297e-18},
      {0.14285714285714285, 7.93016446160826e-18},
      {0.125, 0.0},
      {0.1111111111111111, 6.1679056923619804e-18},
      {0.1, -5.551115123125783e-18},
  };
  for (int n = 10; n >= 1; --n) {
    sum = t * sum;
    sum = {sum.re * kInverse[n - 1] + DoubleDouble(1.0), sum.im * kInverse[n - 1]};
  }
  for (int i = 0; i < 10; ++i) {
    const DoubleDouble product = sum.re * sum.im;
    sum = {(sum.re - sum.im) * (sum.re + sum.im), product + product};
  }
  const double half = static_cast<double>(static_cast<long long>(k * 0.5));
  const DoubleDouble first = __builtin_ldexp(1.0, static_cast<int>(half));
  const DoubleDouble second = __builtin_ldexp(1.0, static_cast<int>(k - half));
  return {sum.re * first * second, sum.im * first * second};
}

// log in double-double: y0 = log in double, y = y0 + log1p(a exp(-y0) - 1), the last argument ~1e-16.
inline Complex<DoubleDouble> log(Complex<DoubleDouble> a) {
  const Complex<double> y0 = log(leading(a));
  const Complex<DoubleDouble> start{DoubleDouble(y0.re), DoubleDouble(y0.im)};
  Complex<DoubleDouble> w = a * exp(-start);
  w.re = w.re - DoubleDouble(1.0);
  const Complex<DoubleDouble> half = DoubleDouble(0.5) * (w * w);
  return start + (w - half);
}

// Principal square root, Re >= 0; for a on the negative axis reached from above it is +i sqrt|a|.
template <class R>
[[gnu::always_inline]] inline Complex<R> sqrt(Complex<R> a) {
  const R modulus = [&] {
    const R ax = fabs_(a.re);
    const R ay = fabs_(a.im);
    const R big = ax > ay ? ax : ay;
    const R small = ax > ay ? ay : ax;
    const R ratio = to_double(big) > 0.0 ? small / big : R(0.0);
    return big * sqrt_(R(1.0) + ratio * ratio);
  }();
  const R t = sqrt_(R(0.5) * (fabs_(a.re) + modulus));
  const R other = to_double(t) > 0.0 ? fabs_(a.im) / (t + t) : R(0.0);
  const bool right = to_double(a.re) >= 0.0;
  const R re = right ? t : other;
  const R im = right ? other : t;
  return {re, to_double(a.im) < 0.0 ? -im : im};
}

}  // namespace freeconv
