// A chain in double-double, a block of lanes at a time: c of a stage, and K = N/D with N and D the factors of positive
// and of negative power, which needs no quotient: each stage but the last one multiplies m by (N + b/a D)/N.
#pragma once

#include "freeconv/chain/state.hpp"
#include "freeconv/numeric/double_double.hpp"

namespace freeconv::FREECONV_ISA {

// Of powers less than this double-double's lower half may be rounded to the least doubles: (c + d)^1000 is 1e-310 where
// K is 1e-153, and densities would be off by 1e-13. The general blocks divide first.
inline constexpr double kChainLeastPower = 1e-250;

// A double-double complex number in every lane; or 1, which nothing is multiplied with.
struct WideLanes {
  alignas(64) double re[kWidth], re_rest[kWidth], im[kWidth], im_rest[kWidth];
  bool one = true;

  [[gnu::always_inline]] DoubleDouble real(int i) const { return {re[i], re_rest[i]}; }
  [[gnu::always_inline]] DoubleDouble imag(int i) const { return {im[i], im_rest[i]}; }
  [[gnu::always_inline]] void set(int i, DoubleDouble x, DoubleDouble y) {
    re[i] = x.hi;
    re_rest[i] = x.lo;
    im[i] = y.hi;
    im_rest[i] = y.lo;
  }
};

[[gnu::always_inline]] inline DoubleDouble minus(DoubleDouble a) { return {-a.hi, -a.lo}; }

class WideChain {
 public:
  WideLanes c, n, d;
  alignas(64) long long faint[kWidth];  // 1: N or D has been too small

  // At the first stage's c.
  [[gnu::noinline]] void begin(const double* __restrict c_re, const double* __restrict c_im) {
    for (int i = 0; i < kWidth; ++i) {
      c.set(i, DoubleDouble{c_re[i], 0.0}, DoubleDouble{c_im[i], 0.0});
      faint[i] = 0;
    }
    c.one = false;
    n.one = d.one = true;
  }

  // N and D times the stage's own factors.
  void factors(const ChainView& chain, const ChainStage& stage) {
    for (int g = stage.group_begin; g < stage.group_end; ++g) {
      const ChainGroup& group = chain.groups[g];
      for (int side = 0; side < 2; ++side) {
        const bool below = side == 1;
        const DoubleDouble scale{group.scale, group.scale_rest};
        WideLanes base;
        for (int k = group.begin; k < group.end; ++k) {
          const ChainFactor f = chain.factors[k];
          if ((f.power < 0) != below) continue;
          WideLanes factor;
          for (int i = 0; i < kWidth; ++i) {
            factor.set(i, sum_of(c.real(i), DoubleDouble{f.offset, f.offset_rest}), c.imag(i));
          }
          factor.one = false;
          const int count = below ? -f.power : f.power;
          for (int m = 0; m < count; ++m) multiply(base, factor);
        }
        if (!below && (scale.hi != 1.0 || scale.lo != 0.0)) multiply(base, scale);
        if (base.one) continue;
        raise(base, group.exponent);
        mark_faint(base, faint);
        multiply(below ? d : n, base);
      }
    }
    write_out(n);
    write_out(d);
    mark_faint(n, faint);
    mark_faint(d, faint);
  }

  // Through a z + b into the next stage, N and D scaled by a power of 2 that keeps squares of N in the doubles.
  [[gnu::noinline]] void leave(const ChainStage& stage, const ChainStage& next) {
    const DoubleDouble shift{stage.shift, stage.shift_rest};
    const DoubleDouble p0{stage.p0, stage.p0_rest};
    const DoubleDouble next_p0{next.p0, next.p0_rest};
    for (int i = 0; i < kWidth; ++i) {
      const double unit = power_of_two_over(size(n.re[i], n.im[i]));
      const DoubleDouble n_re{unit * n.re[i], unit * n.re_rest[i]};
      const DoubleDouble n_im{unit * n.im[i], unit * n.im_rest[i]};
      const DoubleDouble d_re{unit * d.re[i], unit * d.re_rest[i]};
      const DoubleDouble d_im{unit * d.im[i], unit * d.im_rest[i]};
      const DoubleDouble s_re = sum_of(n_re, product_of(shift, d_re));
      const DoubleDouble s_im = sum_of(n_im, product_of(shift, d_im));
      // r = s/n, m' = m r
      const DoubleDouble square = sum_of(product_of(n_re, n_re), product_of(n_im, n_im));
      const DoubleDouble r_re = quotient_of(sum_of(product_of(s_re, n_re), product_of(s_im, n_im)), square);
      const DoubleDouble r_im = quotient_of(sum_of(product_of(s_im, n_re), minus(product_of(s_re, n_im))), square);
      const DoubleDouble m_re = sum_of(c.real(i), minus(p0));
      const DoubleDouble m_im = c.imag(i);
      const DoubleDouble to_re = sum_of(product_of(m_re, r_re), minus(product_of(m_im, r_im)));
      const DoubleDouble to_im = sum_of(product_of(m_re, r_im), product_of(m_im, r_re));
      c.set(i, sum_of(next_p0, to_re), to_im);
      const DoubleDouble scale{stage.scale, 0.0};
      n.set(i, product_of(scale, s_re), product_of(scale, s_im));
      d.set(i, d_re, d_im);
    }
    mark_faint(d, faint);
  }

 private:
  [[gnu::noinline]] static void multiply(WideLanes& __restrict a, const WideLanes& __restrict b) {
    if (a.one) {
      a = b;
      return;
    }
    for (int i = 0; i < kWidth; ++i) {
      const DoubleDouble re = sum_of(product_of(a.real(i), b.real(i)), minus(product_of(a.imag(i), b.imag(i))));
      const DoubleDouble im = sum_of(product_of(a.real(i), b.imag(i)), product_of(a.imag(i), b.real(i)));
      a.set(i, re, im);
    }
  }

  // (a - b)(a + b) loses nothing that a a - b b keeps.
  [[gnu::noinline]] static void square(WideLanes& a) {
    for (int i = 0; i < kWidth; ++i) {
      const DoubleDouble re = product_of(sum_of(a.real(i), minus(a.imag(i))), sum_of(a.real(i), a.imag(i)));
      const DoubleDouble half = product_of(a.real(i), a.imag(i));
      a.set(i, re, DoubleDouble{2.0 * half.hi, 2.0 * half.lo});
    }
  }

  [[gnu::noinline]] static void multiply(WideLanes& a, DoubleDouble scale) {
    write_out(a);
    for (int i = 0; i < kWidth; ++i) a.set(i, product_of(scale, a.real(i)), product_of(scale, a.imag(i)));
  }

  [[gnu::noinline]] static void mark_faint(const WideLanes& __restrict a, long long* __restrict faint) {
    for (int i = 0; i < kWidth; ++i) faint[i] |= size(a.re[i], a.im[i]) >= kChainLeastPower ? 0 : 1;
  }

  static void write_out(WideLanes& a) {
    if (!a.one) return;
    for (int i = 0; i < kWidth; ++i) a.set(i, DoubleDouble{1.0, 0.0}, DoubleDouble{0.0, 0.0});
    a.one = false;
  }

  static void raise(WideLanes& base, int exponent) {
    while (exponent % 5 == 0) {
      const WideLanes first = base;
      square(base);
      square(base);
      multiply(base, first);
      exponent /= 5;
    }
    const WideLanes first = base;
    int bit = 31 - __builtin_clz(static_cast<unsigned>(exponent));
    while (--bit >= 0) {
      square(base);
      if (((exponent >> bit) & 1) != 0) multiply(base, first);
    }
  }
};

}  // namespace freeconv::FREECONV_ISA
