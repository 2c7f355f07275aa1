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

// exp and sin, cos of double-doubles by Taylor series at a small part of the argument and repeated squaring or
// doubling, which loses two of 32 digits: exp(log a) = a to 5e-29.
inline constexpr DoubleDouble kInverseFactorial[] = {
    {1.0, 0.0},
    {0.5, 0.0},
    {0.16666666666666666, 9.25185853854297e-18},
    {0.041666666666666664, 2.3129646346357427e-18},
    {0.008333333333333333, 1.1564823173178714e-19},
    {0.001388888888888889, -5.300543954373577e-20},
    {0.0001984126984126984, 1.7209558293420705e-22},
    {2.48015873015873e-05, 2.1511947866775882e-23},
    {2.7557319223985893e-06, -1.858393274046472e-22},
    {2.755731922398589e-07, 2.3767714622250297e-23},
    {2.505210838544172e-08, -1.448814070935912e-24},
    {2.08767569878681e-09, -1.20734505911326e-25},
    {1.6059043836821613e-10, 1.2585294588752098e-26},
    {1.1470745597729725e-11, 2.0655512752830745e-28},
    {7.647163731819816e-13, 7.03872877733453e-30},
    {4.779477332387385e-14, 4.399205485834081e-31},
    {2.8114572543455206e-15, 1.6508842730861433e-31},
    {1.5619206968586225e-16, 1.1910679660273754e-32},
};

inline DoubleDouble exp_(DoubleDouble a) {
  constexpr DoubleDouble kLn2{0.6931471805599453, 2.3190468138462996e-17};
  const double quotient = a.hi / 0.6931471805599453;
  const double k = fabs_(quotient) < 4096.0 ? static_cast<double>(static_cast<long long>(quotient)) : 0.0;
  const DoubleDouble t = (a - DoubleDouble(k) * kLn2) * 0.015625;
  // |t| < 0.011: the twelfth term is below 1e-32.
  DoubleDouble sum = kInverseFactorial[11];
  for (int n = 10; n >= 0; --n) sum = sum * t + kInverseFactorial[n];
  sum = sum * t + DoubleDouble(1.0);
  for (int i = 0; i < 6; ++i) sum = sum * sum;
  const double half = static_cast<double>(static_cast<long long>(k * 0.5));
  const DoubleDouble first = __builtin_ldexp(1.0, static_cast<int>(half));
  return sum * first * DoubleDouble(__builtin_ldexp(1.0, static_cast<int>(k - half)));
}

inline void sincos_(DoubleDouble a, DoubleDouble& sine, DoubleDouble& cosine) {
  constexpr DoubleDouble kHalf{1.5707963267948966, 6.123233995736766e-17};
  const double quotient = a.hi * 0.6366197723675814;
  const double k = fabs_(quotient) < 1e9 ? __builtin_nearbyint(quotient) : 0.0;
  const DoubleDouble t = (a - DoubleDouble(k) * kHalf) * 0.125;
  const DoubleDouble z = t * t;
  // |t| < 0.0982: t^17/17! is below 1e-31.
  DoubleDouble s = kInverseFactorial[14];
  DoubleDouble c = kInverseFactorial[15];
  for (int n = 6; n >= 0; --n) {
    s = kInverseFactorial[2 * n] - s * z;
    c = kInverseFactorial[2 * n + 1] - c * z;
  }
  s = s * t;
  // 1 - cos is doubled, not cos: it is small.
  DoubleDouble d = c * z;
  for (int i = 0; i < 3; ++i) {
    const DoubleDouble product = s * d;
    const DoubleDouble square = s * s;
    s = (s + s) - (product + product);
    d = square + square;
  }
  c = DoubleDouble(1.0) - d;
  const long long n = static_cast<long long>(k);
  const bool swap = (n & 1) != 0;
  sine = swap ? c : s;
  cosine = swap ? s : c;
  if ((n & 2) != 0) sine = -sine;
  if (((n + 1) & 2) != 0) cosine = -cosine;
}

inline Complex<DoubleDouble> exp(Complex<DoubleDouble> a) {
  DoubleDouble s;
  DoubleDouble c;
  sincos_(a.im, s, c);
  const DoubleDouble r = exp_(a.re);
  return {r * c, r * s};
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
