// The last Newton step of a chain with its residual in double-double, for points whose rounding would show: next to an
// edge, where d log z/du is small, and deep in a chain. With N and D the factors of positive and of negative power,
//   z/x - 1 = (N - x D)/(x D)
// needs no quotient in double-double, and each stage but the last one: 1 + q = (N + b/a D)/N. (Chains that start from a
// measure are left to solver/refine.hpp.)
#pragma once

#include "freeconv/chain/kernel.hpp"
#include "freeconv/numeric/double_double.hpp"

namespace freeconv::FREECONV_ISA {

// The square of a last step below this part of Im u is below rounding.
inline constexpr double kChainLastStep = 1e-9;

// An error that is no more than this leaves a lane on the branch that doubles have proven.
inline constexpr double kChainRough = 1e-3;

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

class ChainRefiner {
 public:
  // Lanes that are proven with an error above `allowed`; sets sharp, and their height and unknown. Two rounds if the
  // first one's step was not the last: it may be 1e-5 of Im u.
  [[gnu::noinline]] static void refine(const ChainView& chain, ChainLanes& lanes, double allowed) {
    alignas(64) long long wanted[kWidth];
    for (int i = 0; i < kWidth; ++i) {
      lanes.sharp[i] = 0.0;
      const bool rough = (lanes.error[i] > allowed) & (lanes.error[i] < kChainRough);
      wanted[i] = (i < lanes.live) & (lanes.proven[i] > 0.0) & rough ? 1 : 0;
    }
    if (has_measure(chain)) return;
    Slopes slopes;
    WideLanes c;
    WideLanes n;
    WideLanes d;
    alignas(64) long long faint[kWidth];
    for (int i = 0; i < kWidth; ++i) faint[i] = 0;
    for (int round = 0; round < 2; ++round) {
      if (is_flat(chain)) {
        slopes.find_flat(chain, lanes);
      } else {
        slopes.find(chain, lanes);
      }
      for (int i = 0; i < kWidth; ++i) {
        c.set(i, DoubleDouble{lanes.u_re[i], 0.0}, DoubleDouble{lanes.u_im[i], 0.0});
      }
      n.one = d.one = true;
      for (int j = 0; j < chain.stage_count; ++j) {
        factors(chain, chain.stages[j], c, n, d, faint);
        if (j + 1 == chain.stage_count) break;
        leave(chain.stages[j], chain.stages[j + 1], c, n, d);
        mark_faint(d, faint);
      }
      step(chain.stages[chain.stage_count - 1].rest, slopes, c, n, d, faint, wanted, lanes);
      long long left = 0;
      for (int i = 0; i < kWidth; ++i) left |= wanted[i];
      if (left == 0) return;
    }
  }

 private:
  // d log z/du, and dc/du of the last stage.
  struct Slopes {
    alignas(64) double re[kWidth], im[kWidth];
    alignas(64) double c_re[kWidth], c_im[kWidth];

    [[gnu::noinline]] void find_flat(const ChainView& chain, const ChainLanes& lanes) {
      const ChainStage& stage = chain.stages[0];
      for (int i = 0; i < kWidth; ++i) {
        re[i] = im[i] = c_im[i] = 0.0;
        c_re[i] = 1.0;
      }
      for (int k = chain.groups[stage.group_begin].begin; k < chain.groups[stage.group_end - 1].end; ++k) {
        const double weight = chain.factors[k].weight;
        const double offset = chain.factors[k].offset;
        for (int i = 0; i < kWidth; ++i) {
          const double x = lanes.u_re[i] + offset;
          const double y = lanes.u_im[i];
          const double unit = weight / (x * x + y * y);
          re[i] += x * unit;
          im[i] -= y * unit;
        }
      }
    }

    [[gnu::noinline]] void find(const ChainView& chain, const ChainLanes& lanes) {
      ChainState s;
      ChainKernel::evaluate(chain, lanes, s);
      for (int i = 0; i < kWidth; ++i) {
        re[i] = s.s_re[i] + (s.l_re[i] * s.dc_re[i] - s.l_im[i] * s.dc_im[i]);
        im[i] = s.s_im[i] + (s.l_re[i] * s.dc_im[i] + s.l_im[i] * s.dc_re[i]);
        c_re[i] = s.dc_re[i];
        c_im[i] = s.dc_im[i];
      }
    }
  };

  [[gnu::always_inline]] static DoubleDouble minus(DoubleDouble a) { return {-a.hi, -a.lo}; }

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

  // N and D times the stage's own factors.
  static void factors(const ChainView& chain, const ChainStage& stage, const WideLanes& c, WideLanes& n, WideLanes& d,
                      long long* faint) {
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
  [[gnu::noinline]] static void leave(const ChainStage& stage, const ChainStage& next, WideLanes& c, WideLanes& n,
                                      WideLanes& d) {
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
  }

  // In the lanes that are wanted; those that are sharp then are not any more.
  [[gnu::noinline]] static void step(double rest, const Slopes& __restrict slopes, const WideLanes& __restrict c,
                                     const WideLanes& __restrict n, const WideLanes& __restrict d,
                                     const long long* __restrict faint, long long* __restrict wanted,
                                     ChainLanes& __restrict lanes) {
    for (int i = 0; i < kWidth; ++i) {
      const DoubleDouble x = quick_two_sum(lanes.x[i], lanes.x[i] * lanes.x_rest[i]);
      const DoubleDouble y_re = product_of(x, d.real(i));
      const DoubleDouble y_im = product_of(x, d.imag(i));
      // e = (N - x D)/(x D), log(1 + e) = e - e^2/2. In units of x D: at 1e-153 products of it and of N - x D leave the
      // doubles.
      const double of_one = power_of_two_over(size(y_re.hi, y_im.hi));
      const double a_re = of_one * y_re.hi;
      const double a_im = of_one * y_im.hi;
      const double r_re = of_one * sum_of(n.real(i), minus(y_re)).hi;
      const double r_im = of_one * sum_of(n.imag(i), minus(y_im)).hi;
      const double unit = 1.0 / (a_re * a_re + a_im * a_im);
      const double e_re = (r_re * a_re + r_im * a_im) * unit;
      const double e_im = (r_im * a_re - r_re * a_im) * unit;
      const double l_re = e_re - 0.5 * (e_re * e_re - e_im * e_im);
      const double l_im = e_im - e_re * e_im;
      const double t_re = slopes.re[i];
      const double t_im = slopes.im[i];
      const double over = -1.0 / (t_re * t_re + t_im * t_im);
      const double d_re = (l_re * t_re + l_im * t_im) * over;
      const double d_im = (l_im * t_re - l_re * t_im) * over;
      const double c_re = slopes.c_re[i] * d_re - slopes.c_im[i] * d_im;
      const double c_im = slopes.c_re[i] * d_im + slopes.c_im[i] * d_re;
      const double height = c.im[i] + c_im;
      const bool fine = (fabs_(d_re) + fabs_(d_im) <= kChainLastStep * fabs_(lanes.u_im[i])) &
                        (fabs_(c_re) + fabs_(c_im) <= kChainLastStep * fabs_(height)) & (height < 0.0) & (unit > 0.0) &
                        (faint[i] == 0);
      const bool moved = wanted[i] != 0;
      lanes.sharp[i] = moved ? (fine ? 1.0 : 0.0) : lanes.sharp[i];
      lanes.height[i] = moved ? height : lanes.height[i];
      const double to_re = lanes.u_re[i] + d_re;
      const double to_im = lanes.u_im[i] + d_im;
      const double off_re = d_re - (to_re - lanes.u_re[i]);
      const double off_im = d_im - (to_im - lanes.u_im[i]);
      const double off_z_re = t_re * off_re - t_im * off_im;
      const double off_z_im = t_re * off_im + t_im * off_re;
      const double shift = (-1.0 / kPi) * ((c.re[i] + rest) * off_z_im + c.im[i] * off_z_re);
      lanes.cdf_shift[i] = moved ? shift : lanes.cdf_shift[i];
      lanes.u_re[i] = moved ? to_re : lanes.u_re[i];
      lanes.u_im[i] = moved ? to_im : lanes.u_im[i];
      wanted[i] = moved & !fine ? 1 : 0;
    }
  }
};

}  // namespace freeconv::FREECONV_ISA
