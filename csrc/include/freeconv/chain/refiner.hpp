// The last Newton step of a chain with its residual in double-double, for points whose rounding would show: next to an
// edge, where d log z/du is small, and deep in a chain. With N and D of chain/wide.hpp
//   z/x - 1 = (N - x D)/(x D).
// (Chains that start from a measure are left to solver/refine.hpp.)
#pragma once

#include "freeconv/chain/kernel.hpp"
#include "freeconv/chain/wide.hpp"

namespace freeconv::FREECONV_ISA {

// The square of a last step below this part of Im u is below rounding.
inline constexpr double kChainLastStep = 1e-9;

// An error that is no more than this leaves a lane on the branch that doubles have proven.
inline constexpr double kChainRough = 1e-3;

// One step is not the last where it is more than kChainLastStep: it may be 1e-5 of Im u.
inline constexpr int kChainRounds = 2;

class ChainRefiner {
 public:
  // Lanes that are proven with an error above `allowed`; sets sharp, and their height and unknown.
  [[gnu::noinline]] static void refine(const ChainView& chain, ChainLanes& lanes, double allowed) {
    alignas(64) long long wanted[kWidth];
    for (int i = 0; i < kWidth; ++i) {
      lanes.sharp[i] = 0.0;
      const bool rough = (lanes.error[i] > allowed) & (lanes.error[i] < kChainRough);
      wanted[i] = (i < lanes.live) & (lanes.proven[i] > 0.0) & rough ? 1 : 0;
    }
    if (has_measure(chain)) return;
    Step step;
    for (int round = 0; round < kChainRounds && any(wanted); ++round) {
      step.find(chain, lanes, nullptr);
      sharpen(rest_of(chain), step, wanted, lanes);
    }
  }

  // F of lanes that are proven, where its error is above `displaced`: the angles of every stage from double-double.
  [[gnu::noinline]] static void measure(const ChainView& chain, ChainLanes& lanes, double displaced) {
    if (has_measure(chain)) return;
    alignas(64) long long wanted[kWidth];
    for (int i = 0; i < kWidth; ++i) {
      const bool rough = !(lanes.cdf_error[i] <= displaced) & (lanes.error[i] < kChainRough);
      wanted[i] = (i < lanes.live) & (lanes.proven[i] > 0.0) & rough ? 1 : 0;
    }
    // A density does not depend on whether F is asked for: the unknowns that it came from are kept.
    ChainLanes at = lanes;
    Step step;
    Terms terms;
    for (int round = 0; round < kChainRounds && any(wanted); ++round) {
      step.find(chain, at, &terms);
      take(rest_of(chain), step, terms, at, wanted, lanes);
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

  // The terms of pi F with the sum of their moduli: of a Marchenko-Pastur law of ratio 1e-22 two of 1e11 cancel.
  struct Terms {
    Angles angles;
    alignas(64) double moduli[kWidth];
  };

  // Newton's step from the lanes' unknowns to the solution at their x.
  struct Step {
    alignas(64) double re[kWidth], im[kWidth];          // of the unknown
    alignas(64) double height[kWidth];                  // Im c of the last stage, where it leads
    alignas(64) double log_re[kWidth], log_im[kWidth];  // log(z/x) where it comes from
    alignas(64) long long last[kWidth];                 // 1: what it leaves is below rounding
    Slopes slopes;
    WideChain wide;

    // With the terms of F at the unknowns, if they are wanted.
    void find(const ChainView& chain, const ChainLanes& lanes, Terms* terms) {
      if (is_flat(chain)) {
        slopes.find_flat(chain, lanes);
      } else {
        slopes.find(chain, lanes);
      }
      wide.begin(lanes.u_re, lanes.u_im);
      if (terms != nullptr) begin_terms(chain.stages[0], wide.c, *terms);
      for (int j = 0; j < chain.stage_count; ++j) {
        if (terms != nullptr) add_terms(chain, chain.stages[j], wide.c, *terms);
        wide.factors(chain, chain.stages[j]);
        if (j + 1 < chain.stage_count) wide.leave(chain.stages[j], chain.stages[j + 1]);
      }
      newton(lanes, slopes, wide, *this);
    }
  };

  // pi F = arg(-m) - slope Im m + sum of angles, as in chain/kernel.hpp.
  [[gnu::noinline]] static void begin_terms(const ChainStage& first, const WideLanes& __restrict c,
                                            Terms& __restrict out) {
    const DoubleDouble p0{first.p0, first.p0_rest};
    for (int i = 0; i < kWidth; ++i) out.angles.turns[i] = out.angles.rest[i] = 0.0;
    for (int i = 0; i < kWidth; ++i) out.angles.add(i, sum_of(p0, minus(c.real(i))).hi, c.im[i], 1.0);
    for (int i = 0; i < kWidth; ++i) out.moduli[i] = fabs_(out.angles.rest[i]);
  }

  [[gnu::noinline]] static void add_terms(const ChainView& chain, const ChainStage& stage,
                                          const WideLanes& __restrict c, Terms& __restrict out) {
    for (int k = stage.angle_begin; k < stage.angle_end; ++k) {
      const ChainAngle angle = chain.angles[k];
      const DoubleDouble offset{angle.offset, angle.offset_rest};
      for (int i = 0; i < kWidth; ++i) {
        const double before = out.angles.rest[i];
        out.angles.add(i, sum_of(c.real(i), offset).hi, c.im[i], angle.weight);
        out.moduli[i] += fabs_(out.angles.rest[i] - before);
      }
    }
    for (int i = 0; i < kWidth; ++i) {
      const double term = stage.slope * c.im[i];
      out.angles.rest[i] -= term;
      out.moduli[i] += fabs_(term);
    }
  }

  [[gnu::noinline]] static void newton(const ChainLanes& __restrict lanes, const Slopes& __restrict slopes,
                                       const WideChain& __restrict wide, Step& __restrict out) {
    for (int i = 0; i < kWidth; ++i) {
      const DoubleDouble x = quick_two_sum(lanes.x[i], lanes.x[i] * lanes.x_rest[i]);
      const DoubleDouble y_re = product_of(x, wide.d.real(i));
      const DoubleDouble y_im = product_of(x, wide.d.imag(i));
      // e = (N - x D)/(x D), log(1 + e) = e - e^2/2. In units of x D: at 1e-153 products of it and of N - x D leave the
      // doubles.
      const double of_one = power_of_two_over(size(y_re.hi, y_im.hi));
      const double a_re = of_one * y_re.hi;
      const double a_im = of_one * y_im.hi;
      const double r_re = of_one * sum_of(wide.n.real(i), minus(y_re)).hi;
      const double r_im = of_one * sum_of(wide.n.imag(i), minus(y_im)).hi;
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
      const double height = wide.c.im[i] + c_im;
      const bool last = (fabs_(d_re) + fabs_(d_im) <= kChainLastStep * fabs_(lanes.u_im[i])) &
                        (fabs_(c_re) + fabs_(c_im) <= kChainLastStep * fabs_(height)) & (height < 0.0) & (unit > 0.0) &
                        (wide.faint[i] == 0);
      out.re[i] = d_re;
      out.im[i] = d_im;
      out.height[i] = height;
      out.log_re[i] = l_re;
      out.log_im[i] = l_im;
      out.last[i] = last ? 1 : 0;
    }
  }

  // The lanes that are wanted, where the step leads; those that are sharp then are not wanted any more.
  [[gnu::noinline]] static void sharpen(double rest, const Step& __restrict step, long long* __restrict wanted,
                                        ChainLanes& __restrict lanes) {
    for (int i = 0; i < kWidth; ++i) {
      const bool moved = wanted[i] != 0;
      lanes.sharp[i] = moved ? (step.last[i] != 0 ? 1.0 : 0.0) : lanes.sharp[i];
      lanes.height[i] = moved ? step.height[i] : lanes.height[i];
      const double to_re = lanes.u_re[i] + step.re[i];
      const double to_im = lanes.u_im[i] + step.im[i];
      // As in chain/flat.hpp.
      const double off_re = step.re[i] - (to_re - lanes.u_re[i]);
      const double off_im = step.im[i] - (to_im - lanes.u_im[i]);
      const double t_re = step.slopes.re[i];
      const double t_im = step.slopes.im[i];
      const double off_z_re = t_re * off_re - t_im * off_im;
      const double off_z_im = t_re * off_im + t_im * off_re;
      const double shift = moved_cdf(step.wide.c.re[i] + rest, step.wide.c.im[i], off_z_re, off_z_im);
      lanes.cdf_shift[i] = moved ? shift : lanes.cdf_shift[i];
      lanes.u_re[i] = moved ? to_re : lanes.u_re[i];
      lanes.u_im[i] = moved ? to_im : lanes.u_im[i];
      wanted[i] = moved & (step.last[i] == 0) ? 1 : 0;
    }
  }

  // F of those for which this is the last step: at the unknowns, and what the step takes from log z.
  [[gnu::noinline]] static void take(double rest, const Step& __restrict step, const Terms& __restrict terms,
                                     ChainLanes& __restrict at, long long* __restrict wanted,
                                     ChainLanes& __restrict lanes) {
    for (int i = 0; i < kWidth; ++i) {
      const double shift = moved_cdf(step.wide.c.re[i] + rest, step.wide.c.im[i], -step.log_re[i], -step.log_im[i]);
      const double cdf = (terms.angles.turns[i] + terms.angles.rest[i] / kPi) + shift;
      const double error = kEpsilon * (1.0 + terms.moduli[i]);
      const bool found = (wanted[i] != 0) & (step.last[i] != 0);
      lanes.cdf[i] = found ? cdf : lanes.cdf[i];
      lanes.cdf_error[i] = found ? error : lanes.cdf_error[i];
      at.u_re[i] += step.re[i];
      at.u_im[i] += step.im[i];
      wanted[i] = (wanted[i] != 0) & (step.last[i] == 0) ? 1 : 0;
    }
  }

  // dF = -Im((1 + m) dlog z)/pi
  [[gnu::always_inline]] static double moved_cdf(double whole_re, double m_im, double z_re, double z_im) {
    return (-1.0 / kPi) * (whole_re * z_im + m_im * z_re);
  }

  [[gnu::always_inline]] static double rest_of(const ChainView& chain) {
    return chain.stages[chain.stage_count - 1].rest;
  }

  [[gnu::always_inline]] static bool any(const long long* wanted) {
    long long sum = 0;
    for (int i = 0; i < kWidth; ++i) sum |= wanted[i];
    return sum != 0;
  }
};

}  // namespace freeconv::FREECONV_ISA
