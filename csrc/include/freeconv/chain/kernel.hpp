// Newton's method for forward chains, a block of points at a time, with the certificate. Compiled once per instruction
// set into a namespace of its own; plain loops over lanes and nothing that is linked from std:: (templates of two
// builds would merge).
//
// The certificate is that of solver/certificate.hpp: Im c < 0, and every stage's z in the upper half-plane on the
// sheet that is continued from infinity (the last one's on the axis). Then each leaf is on its physical branch: all
// arguments of K are <= 0, so none of them alone exceeds their sum. The sheet is proven without an arctangent: a
// product carries the number of half-turns of its argument along, exact as the signs of imaginary parts are.
#pragma once

#include "freeconv/chain/flat.hpp"
#include "freeconv/chain/measure.hpp"
#include "freeconv/chain/start.hpp"

namespace freeconv::FREECONV_ISA {

class ChainKernel {
 public:
  // Solves the lanes; see ChainLanes.
  [[gnu::noinline]] static void solve(const ChainView& chain, ChainLanes& lanes) {
    const bool rough = ChainStart::run(lanes);
    if (is_flat(chain)) {
      if (rough) FlatKernel::polish(chain, lanes);
      return FlatKernel::solve(chain, rough, lanes);
    }
    alignas(64) long long done[kWidth];
    for (int i = 0; i < kWidth; ++i) {
      done[i] = 0;
      lanes.proven[i] = 0.0;
      lanes.height[i] = lanes.residual[i] = lanes.error[i] = lanes.cdf_error[i] = lanes.steps[i] = 0.0;
    }
    ChainState state;
    for (int iteration = 1; iteration <= kChainIterations; ++iteration) {
      evaluate(chain, lanes, state);
      if (step(chain.stages[chain.stage_count - 1], iteration, state, lanes, done) == kWidth) break;
    }
  }

  // F at the solutions: pi F = arg(-m) - slope Im m + sum of angles. Whether its estimated error is above `displaced`
  // somewhere.
  [[gnu::noinline]] static bool measure(const ChainView& chain, ChainLanes& lanes, double displaced) {
    ChainState state;
    Angles total;
    const double first_p0 = chain.stages[0].p0;
    for (int i = 0; i < kWidth; ++i) total.turns[i] = total.rest[i] = 0.0;
    // int log(z - t) of the measure, or -log m of a first stage without one.
    const double times = chain.measure.multiplicity;
    if (chain.atom_count > 0) left_of_atoms(chain, lanes, total);
    if (chain.contour.rule_count > 0) {
      alignas(64) double left[kWidth];
      ChainMeasureStart::left_of_contour(chain.contour, lanes, left);
      for (int i = 0; i < kWidth; ++i) total.rest[i] += times * left[i];
    }
    const double zero = has_measure(chain) ? times * chain.measure.at_zero : 0.0;
    if (zero > 0.0) {
      for (int i = 0; i < kWidth; ++i) total.add(i, -lanes.u_re[i], lanes.u_im[i], zero);
    }
    if (!has_measure(chain)) {
      for (int i = 0; i < kWidth; ++i) total.add(i, first_p0 - lanes.u_re[i], lanes.u_im[i], 1.0);
    }
    begin<false>(chain, lanes, state);
    // ... T times, and (T - 1) log m: by m itself, which c = m + p0 has to 1/|m| ulps only.
    const double more = has_measure(chain) ? times - 1.0 : 0.0;
    if (more > 0.0) {
      for (int i = 0; i < kWidth; ++i) total.add(i, -state.m_re[i], state.m_im[i], -more);
    }
    for (int j = 0; j < chain.stage_count; ++j) {
      const ChainStage& stage = chain.stages[j];
      for (int k = stage.angle_begin; k < stage.angle_end; ++k) {
        const ChainAngle angle = chain.angles[k];
        for (int i = 0; i < kWidth; ++i) total.add(i, state.c_re[i] + angle.offset, state.c_im[i], angle.weight);
        if (j == 0 && !has_measure(chain)) continue;
        // What rounding of c does to the angle.
        const double part = kEpsilon / kPi * fabs_(angle.weight);
        for (int i = 0; i < kWidth; ++i) {
          lanes.cdf_error[i] += part * state.noise_c[i] / size(state.c_re[i] + angle.offset, state.c_im[i]);
        }
      }
      for (int i = 0; i < kWidth; ++i) total.rest[i] -= stage.slope * state.c_im[i];
      if (j + 1 == chain.stage_count) break;
      factors(chain, stage, state);
      leave(stage, chain.stages[j + 1].p0, state);
    }
    for (int i = 0; i < kWidth; ++i) lanes.cdf[i] = (total.turns[i] + total.rest[i] / kPi) + lanes.cdf_shift[i];
    long long rough = 0;
    for (int i = 0; i < kWidth; ++i) {
      rough |= (i < lanes.live) & (lanes.proven[i] > 0.0) & !(lanes.cdf_error[i] <= displaced) ? 1 : 0;
    }
    return rough != 0;
  }

  // The whole chain at the lanes' unknowns.
  [[gnu::noinline]] static void evaluate(const ChainView& chain, const ChainLanes& lanes, ChainState& state) {
    begin<true>(chain, lanes, state);
    for (int j = 0; j < chain.stage_count; ++j) {
      factors(chain, chain.stages[j], state);
      if (j + 1 < chain.stage_count) leave(chain.stages[j], chain.stages[j + 1].p0, state);
    }
  }

 private:
  static constexpr int kAtomsAtOnce = 8;

  template <bool kSlopes>
  static void begin(const ChainView& chain, const ChainLanes& lanes, ChainState& s) {
    if (has_measure(chain)) return ChainMeasureStart::run<kSlopes>(chain, lanes, s);
    for (int i = 0; i < kWidth; ++i) {
      s.c_re[i] = lanes.u_re[i];
      s.c_im[i] = lanes.u_im[i];
      s.dc_re[i] = 1.0;
      s.dc_im[i] = 0.0;
      s.s_re[i] = s.s_im[i] = 0.0;
      s.k.re[i] = 1.0;
      s.k.im[i] = 0.0;
      s.k.turns[i] = 0;
      s.noise[i] = s.noise_c[i] = 0.0;
      s.wrong[i] = 0;
    }
  }

  // Angles of location - u, those of atoms of the same weight as that of their product: a quarter of the time.
  [[gnu::noinline]] static void left_of_atoms(const ChainView& chain, const ChainLanes& __restrict lanes,
                                              Angles& __restrict total) {
    const double* weights = chain.atoms + 2 * chain.atom_count;
    Turning product;
    for (int k = 0; k < chain.atom_count;) {
      const double weight = weights[k];
      int end = k + 1;
      while (end < chain.atom_count && end < k + kAtomsAtOnce && weights[end] == weight) ++end;
      for (int i = 0; i < kWidth; ++i) {
        product.re[i] = chain.atoms[k] - lanes.u_re[i];
        product.im[i] = lanes.u_im[i];
        product.turns[i] = 0;
      }
      for (++k; k < end; ++k) {
        const double location = chain.atoms[k];
        for (int i = 0; i < kWidth; ++i) {
          // By a power of two, so that eight of them stay within the doubles.
          const double unit = power_of_two_over(size(product.re[i], product.im[i]));
          const double re = unit * product.re[i];
          const double im = unit * product.im[i];
          const double next_re = location - lanes.u_re[i];
          const double next_im = lanes.u_im[i];
          product.re[i] = re * next_re - im * next_im;
          product.im[i] = re * next_im + im * next_re;
          product.turns[i] = half_turns(product.turns[i], product.im[i]);
        }
      }
      const double share = chain.measure.multiplicity * weight;
      for (int i = 0; i < kWidth; ++i) {
        const bool odd = (product.turns[i] & 1) != 0;
        total.add(i, odd ? -product.re[i] : product.re[i], product.im[i], share);
        total.turns[i] += share * static_cast<double>(product.turns[i]);
      }
    }
  }

  // K times the stage's own factors, with their logarithmic derivative and rounding.
  [[gnu::noinline]] static void factors(const ChainView& chain, const ChainStage& stage, ChainState& s) {
    for (int i = 0; i < kWidth; ++i) {
      s.l_re[i] = s.l_im[i] = 0.0;
      s.own[i] = stage.rounding;
      s.wrong[i] += s.c_im[i] < 0.0 ? 0 : 1;
    }
    Turning base;
    Turning factor;
    for (int g = stage.group_begin; g < stage.group_end; ++g) {
      const ChainGroup& group = chain.groups[g];
      for (int i = 0; i < kWidth; ++i) {
        base.re[i] = group.scale;
        base.im[i] = 0.0;
        base.turns[i] = 0;
      }
      for (int k = group.begin; k < group.end; ++k) {
        const ChainFactor f = chain.factors[k];
        linear(f, s, factor);
        const int count = f.power < 0 ? -f.power : f.power;
        for (int n = 0; n < count; ++n) multiply(base, factor);
      }
      raise(base, group.exponent);
      if (group.steep) keep_in_range(base, s.own);
      multiply(s.k, base);
      if (group.steep) keep_in_range(s.k, s.own);
    }
  }

  [[gnu::always_inline]] static void keep_in_range(const Turning& w, double* noise) {
    for (int i = 0; i < kWidth; ++i) {
      noise[i] = size(w.re[i], w.im[i]) >= kChainLeastProduct ? noise[i] : kInfinity;
    }
  }

  // One linear factor, or its inverse: w = c + d has a negative imaginary part, 1/w a positive one.
  [[gnu::always_inline]] static void linear(const ChainFactor& f, ChainState& s, Turning& out) {
    const double weight = f.weight;
    const double offset = f.offset;
    const double count = fabs_(weight);
    const double rounding = f.rounding;
    const bool inverse = f.power < 0;
    const long long turns = inverse ? 0 : -1;
    for (int i = 0; i < kWidth; ++i) {
      const double re = s.c_re[i] + offset;
      const double im = s.c_im[i];
      const double unit = 1.0 / (re * re + im * im);
      const double over_re = re * unit;
      const double over_im = -(im * unit);
      s.l_re[i] += weight * over_re;
      s.l_im[i] += weight * over_im;
      s.own[i] += rounding * size(over_re, over_im) + count;
      out.re[i] = inverse ? over_re : re;
      out.im[i] = inverse ? over_im : im;
      out.turns[i] = turns;
    }
  }

  // Through a z + b into the next stage, with the conditions on the stage that is left: log K in (-pi, 0), arg z > 0.
  [[gnu::noinline]] static void leave(const ChainStage& stage, double next_p0, ChainState& s) {
    const double scale = stage.scale;
    const double shift = stage.shift;
    const double p0 = stage.p0;
    const double sum = fabs_(p0) + fabs_(next_p0);
    for (int i = 0; i < kWidth; ++i) {
      const double m_re = s.c_re[i] - p0;
      const double m_im = s.c_im[i];
      const double k_re = s.k.re[i];
      const double k_im = s.k.im[i];
      // Im z = Im(K/m + K)
      const double square_m = m_re * m_re + m_im * m_im;
      const double above = (k_im * m_re - k_re * m_im) + k_im * square_m;
      const double square_k = k_re * k_re + k_im * k_im;
      const bool in_range = (square_k >= kChainLeastSquare) & (square_k <= kChainLargestSquare);
      s.wrong[i] += ((s.k.turns[i] == -1) & (above > 0.0) & in_range) ? 0 : 1;
      // d log K/du of the whole stage.
      const double t_re = s.s_re[i] + (s.l_re[i] * s.dc_re[i] - s.l_im[i] * s.dc_im[i]);
      const double t_im = s.s_im[i] + (s.l_re[i] * s.dc_im[i] + s.l_im[i] * s.dc_re[i]);
      const double noise = s.noise[i] + s.own[i] + size(s.l_re[i], s.l_im[i]) * s.noise_c[i];
      // 1 + q
      const double unit = shift / square_k;
      const double q_re = k_re * unit;
      const double q_im = -(k_im * unit);
      const double r_re = 1.0 + q_re;
      const double mq_re = m_re * q_re - m_im * q_im;
      const double mq_im = m_re * q_im + m_im * q_re;
      const double m2_re = m_re + mq_re;
      const double m2_im = m_im + mq_im;
      s.c_re[i] = next_p0 + m2_re;
      s.c_im[i] = m2_im;
      const double d_re = (s.dc_re[i] * r_re - s.dc_im[i] * q_im) - (mq_re * t_re - mq_im * t_im);
      const double d_im = (s.dc_re[i] * q_im + s.dc_im[i] * r_re) - (mq_re * t_im + mq_im * t_re);
      s.dc_re[i] = d_re;
      s.dc_im[i] = d_im;
      const double inverse = 1.0 / (r_re * r_re + q_im * q_im);
      s.s_re[i] = (t_re * r_re + t_im * q_im) * inverse;
      s.s_im[i] = (t_im * r_re - t_re * q_im) * inverse;
      s.k.re[i] = scale * (k_re + shift);
      s.k.im[i] = scale * k_im;
      s.k.turns[i] = -1;
      s.noise_c[i] = size(mq_re, mq_im) * noise + size(r_re, q_im) * s.noise_c[i] + sum + 3.0 * size(m2_re, m2_im);
      s.noise[i] = 3.0 + noise * (size(r_re, q_im) * inverse);
    }
  }

  // Newton's step for log(z/x) = 0 in the lanes that are not done; returns the number of those that are.
  [[gnu::noinline]] static int step(const ChainStage& last, int iteration, const ChainState& __restrict s,
                                    ChainLanes& __restrict lanes, long long* __restrict done) {
    const double rest = last.rest;
    const bool later = iteration > 1;
    long long count = 0;
    for (int i = 0; i < kWidth; ++i) {
      const double over_x = 1.0 / lanes.x[i];
      // w = z/x, and d log z/du.
      const double e_re = (s.k.re[i] * over_x - 1.0) - lanes.x_rest[i];
      const double e_im = s.k.im[i] * over_x;
      const double t_re = s.s_re[i] + (s.l_re[i] * s.dc_re[i] - s.l_im[i] * s.dc_im[i]);
      const double t_im = s.s_im[i] + (s.l_re[i] * s.dc_im[i] + s.l_im[i] * s.dc_re[i]);
      // log w = 2 (w - 1)/(w + 1) up to (w - 1)^3/12.
      const double n_re = (2.0 + e_re) * t_re - e_im * t_im;
      const double n_im = (2.0 + e_re) * t_im + e_im * t_re;
      const double unit = -2.0 / (n_re * n_re + n_im * n_im);
      const double d_re = (e_re * n_re + e_im * n_im) * unit;
      const double d_im = (e_im * n_re - e_re * n_im) * unit;
      const double u_re = lanes.u_re[i];
      const double u_im = lanes.u_im[i];
      const double residual = size(e_re, e_im);
      // A small step of u may be a large one of the last c: what is left of log z is the square of the residual.
      const double moved_re = s.dc_re[i] * d_re - s.dc_im[i] * d_im;
      const double moved_im = s.dc_re[i] * d_im + s.dc_im[i] * d_re;
      const double height = s.c_im[i] + moved_im;
      const bool small = (size(d_re, 0.0) <= kChainStep * size(u_re, u_im)) &
                         (fabs_(d_im) <= kChainStep * fabs_(u_im)) &
                         (fabs_(moved_re) <= kChainStep * size(s.c_re[i], s.c_im[i])) &
                         (fabs_(moved_im) <= kChainStep * fabs_(height)) & (residual <= kChainLastResidual);
      const bool fine = small & (later | (size(d_re, d_im) <= kChainSureStep * fabs_(u_im)));
      // z > 0: its argument is next to 0.
      const bool sheet = (s.k.turns[i] == -sign_bit(s.k.im[i])) & (s.k.re[i] > 0.0);
      const bool proven = fine & sheet & (s.wrong[i] == 0);
      const double noise = 3.0 + s.noise[i] + s.own[i] + size(s.l_re[i], s.l_im[i]) * s.noise_c[i];
      const double rate = size(s.dc_re[i], s.dc_im[i]) / size(t_re, t_im);
      const double error = kEpsilon * (1.5 * noise * rate + s.noise_c[i]) / fabs_(height);
      const bool fresh = done[i] == 0;
      // As in chain/flat.hpp.
      const double to_re = u_re + d_re;
      const double to_im = u_im + d_im;
      const double off_re = d_re - (to_re - u_re);
      const double off_im = d_im - (to_im - u_im);
      const double off_z_re = t_re * off_re - t_im * off_im;
      const double off_z_im = t_re * off_im + t_im * off_re;
      const double shift = (-1.0 / kPi) * ((s.c_re[i] + rest) * off_z_im + s.c_im[i] * off_z_re);
      lanes.cdf_shift[i] = fresh ? shift : lanes.cdf_shift[i];
      lanes.u_re[i] = fresh ? to_re : u_re;
      lanes.u_im[i] = fresh ? to_im : u_im;
      lanes.height[i] = fresh ? height : lanes.height[i];
      lanes.residual[i] = fresh ? residual : lanes.residual[i];
      lanes.error[i] = fresh ? error : lanes.error[i];
      lanes.cdf_error[i] = fresh ? (kEpsilon / kPi) * noise * size(s.c_re[i] + rest, s.c_im[i]) : lanes.cdf_error[i];
      lanes.steps[i] = fresh ? iteration : lanes.steps[i];
      lanes.proven[i] = fresh ? (proven ? 1.0 : 0.0) : lanes.proven[i];
      done[i] |= fine ? 1 : 0;
      count += done[i];
    }
    return static_cast<int>(count);
  }
};

}  // namespace freeconv::FREECONV_ISA
