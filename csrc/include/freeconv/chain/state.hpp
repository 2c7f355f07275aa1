// What the kernels of a forward chain keep of every lane, and when they have arrived. In a namespace of the instruction
// set's own.
#pragma once

#include "freeconv/chain/chain.hpp"
#include "freeconv/numeric/real.hpp"

#ifndef FREECONV_ISA
#define FREECONV_ISA baseline
#endif

namespace freeconv::FREECONV_ISA {

inline constexpr int kWidth = kChainLanes;

// A step of less, relative to Im u, is the last: nothing in log z is nearer to u than its own image, so that what is
// left is less than the square.
inline constexpr double kChainSureStep = 1e-9;
// The second step and later ones, as in solver/newton.hpp: beside an edge rounding keeps Re u from such a step, and the
// step before was small already.
inline constexpr double kChainStep = 3e-8;
inline constexpr double kChainResidual = 1e-2;
// Of chains of many stages, where u says less of z.
inline constexpr double kChainLastResidual = 1e-7;
inline constexpr int kChainIterations = 6;
// Powers less than this, among the subnormals in the end, have lost digits: densities were off by 2e-8 where (c +
// d)^1000 is 1e-316 and other factors made up for it. Their rounding counts as infinite.
inline constexpr double kChainLeastProduct = 1e-290;
// |K|^2 of a stage, where 1/K keeps its digits: F was off by 5e-7 where K is 1e-155. Beyond, the general blocks do it.
inline constexpr double kChainLeastSquare = 1e-280;
inline constexpr double kChainLargestSquare = 1e280;

// A complex number w in every lane with its argument theta = pi (turns + part), 0 <= part < 1: the parity of `turns`
// is the sign of Im w.
struct Turning {
  alignas(64) double re[kWidth];
  alignas(64) double im[kWidth];
  alignas(64) long long turns[kWidth];
};

[[gnu::always_inline]] inline long long sign_bit(double x) {
  return static_cast<long long>(std::bit_cast<unsigned long long>(x) >> 63);
}

// Half-turns of a product: the sum of those of its factors, or one more; Im tells which.
[[gnu::always_inline]] inline long long half_turns(long long sum, double im) {
  return sum + ((sum ^ sign_bit(im)) & 1);
}

[[gnu::always_inline]] inline void multiply(Turning& a, const Turning& b) {
  for (int i = 0; i < kWidth; ++i) {
    const double re = a.re[i] * b.re[i] - a.im[i] * b.im[i];
    const double im = a.re[i] * b.im[i] + a.im[i] * b.re[i];
    a.turns[i] = half_turns(a.turns[i] + b.turns[i], im);
    a.re[i] = re;
    a.im[i] = im;
  }
}

[[gnu::always_inline]] inline void square(Turning& a) {
  for (int i = 0; i < kWidth; ++i) {
    const double re = (a.re[i] - a.im[i]) * (a.re[i] + a.im[i]);
    const double im = 2.0 * a.re[i] * a.im[i];
    a.turns[i] = half_turns(2 * a.turns[i], im);
    a.re[i] = re;
    a.im[i] = im;
  }
}

[[gnu::always_inline]] inline void raise(Turning& base, int exponent) {
  if (exponent == 1) return;
  const Turning one = base;
  int bit = 31 - __builtin_clz(static_cast<unsigned>(exponent));
  while (--bit >= 0) {
    square(base);
    if (((exponent >> bit) & 1) != 0) multiply(base, one);
  }
}

[[gnu::always_inline]] inline double size(double re, double im) { return fabs_(re) + fabs_(im); }

// 2^-e of x in [2^e, 2^(e + 1)), a normal number below 2^1023: in its units one near 1e-155 has squares.
[[gnu::always_inline]] inline double power_of_two_over(double x) {
  constexpr std::uint64_t kExponent = 0x7ff0000000000000ULL;
  return std::bit_cast<double>(0x7fe0000000000000ULL - (std::bit_cast<std::uint64_t>(x) & kExponent));
}

// Sums of weights times angles in [0, pi], as multiples of pi and a rest.
struct Angles {
  alignas(64) double turns[kWidth];
  alignas(64) double rest[kWidth];
  [[gnu::always_inline]] void add(int i, double re, double im, double weight) {
    const double angle = weight * atan2_(fabs_(im), fabs_(re));
    const bool left = re < 0.0;
    rest[i] += left ? -angle : angle;
    turns[i] += left ? weight : 0.0;
  }
};

// The chain at one value of the unknown.
struct ChainState {
  alignas(64) double c_re[kWidth], c_im[kWidth];    // of the stage
  alignas(64) double dc_re[kWidth], dc_im[kWidth];  // dc/du
  alignas(64) double s_re[kWidth], s_im[kWidth];    // d log K/du
  alignas(64) double l_re[kWidth], l_im[kWidth];    // d log K/dc of the stage's own factors
  alignas(64) double noise[kWidth];                 // of log K, in units of epsilon
  alignas(64) double noise_c[kWidth];               // of c
  alignas(64) double m_re[kWidth], m_im[kWidth];    // of a measure that the chain starts from
  alignas(64) double own[kWidth];                   // of log K by the stage's own factors
  alignas(64) long long wrong[kWidth];              // violated conditions
  Turning k;
};

}  // namespace freeconv::FREECONV_ISA
