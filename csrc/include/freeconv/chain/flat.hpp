// Newton's method for chains of one stage whose unknown is its c (Jacobians of piecewise-linear networks): all of a
// step in registers, a vector of lanes at a time. The formulas and the certificate are those of chain/kernel.hpp.
#pragma once

#include "freeconv/chain/state.hpp"
#include "freeconv/chain/vector.hpp"

namespace freeconv::FREECONV_ISA {

class FlatKernel {
 public:
  // Solves the lanes from where they start; see ChainLanes. If they are `polished` those still marked near have had a
  // step.
  [[gnu::noinline]] static void solve(const ChainView& chain, bool polished, ChainLanes& lanes) {
    alignas(64) long long done[kWidth];
    const int live = lanes.live;
    if (!polished) {
      for (int i = 0; i < kWidth; ++i) lanes.near[i] = 0;
    }
    for (int at = 0; at < live; at += kVector) step(chain, 1, at, lanes, done);
    for (int iteration = 2; iteration <= kChainIterations; ++iteration) {
      long long all = -1;
      for (int i = 0; i < live; ++i) all &= done[i];
      if (all != 0) return;
      for (int at = 0; at < live; at += kVector) step(chain, iteration, at, lanes, done);
    }
  }

  // One step for lanes that started from the skeleton, which need two: without certificate and estimates.
  [[gnu::noinline]] static void polish(const ChainView& chain, ChainLanes& lanes) {
    for (int at = 0; at < lanes.live; at += kVector) {
      const Doubles u_re = load(lanes.u_re + at);
      const Doubles u_im = load(lanes.u_im + at);
      const Point p = evaluate<false>(chain, u_re, u_im);
      const Doubles over_x = 1.0 / load(lanes.x + at);
      const Move d = newton(p, p.k.re * over_x - 1.0, p.k.im * over_x);
      const Doubles to = u_im + d.im;
      // (Not so for NaN.)
      const Longs taken = load(lanes.near + at) & (to < 0.5 * u_im) & (to > 2.0 * u_im);
      store(lanes.near + at, taken);
      store(lanes.u_re + at, taken ? u_re + d.re : u_re);
      store(lanes.u_im + at, taken ? to : u_im);
    }
  }

 private:
  // Smaller powers count their half-turns while they are made.
  static constexpr int kManyTurns = 8;

  // A complex number with the half-turns of its argument, as Turning.
  struct Turned {
    Doubles re, im;
    Longs turns;
  };

  // The chain at the unknown: K = z, d log K/dc, and its rounding in units of epsilon.
  struct Point {
    Turned k;
    Doubles l_re, l_im, own;
  };

  struct Move {
    Doubles re, im;
  };

  // Newton's step for log w = 0 with w = 1 + e: 2 e/(2 + e) up to e^3/12.
  [[gnu::always_inline]] static Move newton(const Point& p, Doubles e_re, Doubles e_im) {
    const Doubles n_re = (2.0 + e_re) * p.l_re - e_im * p.l_im;
    const Doubles n_im = (2.0 + e_re) * p.l_im + e_im * p.l_re;
    const Doubles unit = -2.0 / (n_re * n_re + n_im * n_im);
    return {(e_re * n_re + e_im * n_im) * unit, (e_im * n_re - e_re * n_im) * unit};
  }

  template <bool kFull>
  [[gnu::always_inline]] static Turned product(const Turned& a, const Turned& b) {
    Turned out;
    out.re = a.re * b.re - a.im * b.im;
    out.im = a.re * b.im + a.im * b.re;
    if (!kFull) return out;
    const Longs sum = a.turns + b.turns;
    out.turns = sum + ((sum ^ sign_bit(out.im)) & 1LL);
    return out;
  }

  template <bool kFull>
  [[gnu::always_inline]] static Turned square(const Turned& one) {
    Turned out;
    out.re = (one.re - one.im) * (one.re + one.im);
    out.im = 2.0 * one.re * one.im;
    if (kFull) out.turns = one.turns + one.turns + sign_bit(out.im);
    return out;
  }

  // Whether the argument of base^exponent lies in (-3, 0) in every lane: |tan| bounds an angle. At solutions it lies in
  // (-pi, 0), as that of any part of K.
  [[gnu::always_inline]] static bool is_narrow(const Turned& base, int exponent) {
    return all((base.turns == -1LL) & (base.re > 0.0) & (-exponent * base.im <= 3.0 * base.re));
  }

  // Half-turns of a narrow power need not be counted, which would be two fifths of its work.
  template <bool kFull>
  [[gnu::always_inline]] static Turned power(const Turned& base, int exponent) {
    if (!kFull || exponent < kManyTurns || !is_narrow(base, exponent)) return counted_power<kFull>(base, exponent);
    Turned out = counted_power<false>(base, exponent);
    out.turns = base.turns;
    return out;
  }

  // A factor 5 of the exponent is two squares and a product: of 1000 twelve multiplications and not fourteen.
  template <bool kFull>
  [[gnu::always_inline]] static Turned counted_power(Turned base, int exponent) {
    while (exponent % 5 == 0) {
      base = product<kFull>(square<kFull>(square<kFull>(base)), base);
      exponent /= 5;
    }
    Turned out = base;
    int bit = 31 - __builtin_clz(static_cast<unsigned>(exponent));
    while (--bit >= 0) {
      out = square<kFull>(out);
      if (((exponent >> bit) & 1) != 0) out = product<kFull>(out, base);
    }
    return out;
  }

  template <bool kFull>
  [[gnu::always_inline]] static Point evaluate(const ChainView& chain, Doubles c_re, Doubles c_im) {
    Point p;
    p.l_re = p.l_im = every(0.0);
    const ChainStage& stage = chain.stages[0];
    p.own = every(stage.rounding);
    for (int g = stage.group_begin; g < stage.group_end; ++g) {
      const ChainGroup& group = chain.groups[g];
      Turned base{every(group.scale), every(0.0), Longs{}};
      for (int k = group.begin; k < group.end; ++k) {
        const ChainFactor& f = chain.factors[k];
        const bool inverse = f.power < 0;
        const double count = __builtin_fabs(f.weight);
        const Doubles re = c_re + f.offset;
        const Doubles unit = 1.0 / (re * re + c_im * c_im);
        const Doubles over_re = re * unit;
        const Doubles over_im = -(c_im * unit);
        p.l_re += f.weight * over_re;
        p.l_im += f.weight * over_im;
        if (kFull) p.own += count;
        if (kFull && f.rounding != 0.0) p.own += f.rounding * size(over_re, over_im);
        const Turned factor{inverse ? over_re : re, inverse ? over_im : c_im, Longs{} + (inverse ? 0LL : -1LL)};
        int times = inverse ? -f.power : f.power;
        if (k == group.begin) {
          base = {group.scale * factor.re, group.scale * factor.im, factor.turns};
          --times;
        }
        for (int n = 0; n < times; ++n) base = product<kFull>(base, factor);
      }
      base = power<kFull>(base, group.exponent);
      if (kFull && group.steep) p.own = size(base.re, base.im) >= kChainLeastProduct ? p.own : every(kInfinity);
      p.k = g == stage.group_begin ? base : product<kFull>(p.k, base);
    }
    return p;
  }

  // Newton's step for log(z/x) = 0 in those of the lanes from `at` on that are not done.
  [[gnu::always_inline]] static void step(const ChainView& chain, int iteration, int at, ChainLanes& lanes,
                                          long long* done) {
    const Doubles u_re = load(lanes.u_re + at);
    const Doubles u_im = load(lanes.u_im + at);
    const Point p = evaluate<true>(chain, u_re, u_im);
    const Doubles over_x = 1.0 / load(lanes.x + at);
    const Doubles e_re = (p.k.re * over_x - 1.0) - load(lanes.x_rest + at);
    const Doubles e_im = p.k.im * over_x;
    const auto [d_re, d_im] = newton(p, e_re, e_im);
    const Doubles residual = size(e_re, e_im);
    Longs fine = (magnitude(d_re) <= kChainStep * size(u_re, u_im)) &
                 (magnitude(d_im) <= kChainStep * magnitude(u_im)) & (residual <= kChainResidual);
    if (iteration == 1) fine &= load(lanes.near + at) | (size(d_re, d_im) <= kChainSureStep * magnitude(u_im));
    // z > 0: its argument is next to 0.
    const Longs sheet = (p.k.turns == -sign_bit(p.k.im)) & (p.k.re > 0.0);
    const Longs proven = fine & sheet & (u_im < 0.0);
    const Doubles height = u_im + d_im;
    const Doubles noise = 3.0 + p.own;
    const Doubles error = (kEpsilon * 1.5) * noise / (size(p.l_re, p.l_im) * magnitude(height));
    const Doubles displaced = (kEpsilon / kPi) * noise * size(u_re + chain.stages[0].rest, u_im);
    Longs fresh;
    if (iteration == 1) {
      fresh = ~Longs{};
    } else {
      fresh = ~load(done + at);
    }
    const auto put = [&](double* values, Doubles value) { store(values + at, fresh ? value : load(values + at)); };
    // What rounding takes off u moves log z by t of it, and F by -Im((1 + m) dlog z)/pi: 300 ulps of F at depth 1000.
    const Doubles to_re = u_re + d_re;
    const Doubles to_im = u_im + d_im;
    const Doubles off_re = d_re - (to_re - u_re);
    const Doubles off_im = d_im - (to_im - u_im);
    const Doubles moved_re = p.l_re * off_re - p.l_im * off_im;
    const Doubles moved_im = p.l_re * off_im + p.l_im * off_re;
    put(lanes.cdf_shift, (-1.0 / kPi) * ((u_re + chain.stages[0].rest) * moved_im + u_im * moved_re));
    put(lanes.u_re, to_re);
    put(lanes.u_im, to_im);
    put(lanes.height, height);
    put(lanes.residual, residual);
    put(lanes.error, error);
    put(lanes.cdf_error, displaced);
    put(lanes.steps, load(lanes.near + at) ? every(iteration + 1.0) : every(iteration));
    put(lanes.proven, proven ? every(1.0) : every(0.0));
    store(done + at, ~fresh | fine);
  }
};

}  // namespace freeconv::FREECONV_ISA
