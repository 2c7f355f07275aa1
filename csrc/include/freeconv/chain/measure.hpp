// The start of a chain at z of a measure: atoms, or the complex nodes of squared slopes (law/contour.hpp).
#pragma once

#include "freeconv/chain/state.hpp"

namespace freeconv::FREECONV_ISA {

// t = sum w/(z - a), t2 = sum w/(z - a)^2, m = sum w a/(z - a), m2 = sum w a/(z - a)^2 in every lane.
struct MeasureSums {
  alignas(64) double t_re[kWidth], t_im[kWidth], t2_re[kWidth], t2_im[kWidth];
  alignas(64) double m_re[kWidth], m_im[kWidth], m2_re[kWidth], m2_im[kWidth];
  alignas(64) double of_t[kWidth], of_m[kWidth];  // sums of moduli

  [[gnu::always_inline]] void clear() {
    for (int i = 0; i < kWidth; ++i) {
      t_re[i] = t_im[i] = t2_re[i] = t2_im[i] = m_re[i] = m_im[i] = m2_re[i] = m2_im[i] = of_t[i] = of_m[i] = 0.0;
    }
  }
};

class ChainMeasureStart {
 public:
  // The point of a law on [0, inf) is above the axis where its m is below. Without kSlopes dc and s are not set.
  template <bool kSlopes>
  [[gnu::noinline]] static void run(const ChainView& chain, const ChainLanes& lanes, ChainState& s) {
    MeasureSums sums;
    sums.clear();
    if (chain.contour.rule_count > 0) contour<kSlopes>(chain.contour, lanes, sums);
    if (chain.atom_count > 0) add<true, kSlopes>(0.0, chain.atoms, chain.atom_count, lanes, sums);
    finish(chain.measure, chain.contour.noise, lanes, sums, s);
  }

  // pi F of squared slopes without their atoms, at the lanes' unknowns.
  [[gnu::noinline]] static void left_of_contour(const ChainContour& law, const ChainLanes& lanes, double* left) {
    int chosen[kWidth];
    find_rules(law, lanes, chosen);
    const bool by_parts = law.split_count > 0;
    // The first rule has no elements.
    for (int i = 0; i < kWidth; ++i) chosen[i] = by_parts && chosen[i] == 0 ? 1 : chosen[i];
    alignas(64) double own[kWidth];
    each_rule(
        law, chosen,
        [&] {
          for (int i = 0; i < kWidth; ++i) own[i] = 0.0;
        },
        [&](double x, const double* at, int n) {
          by_parts ? add_elements(x, at, n, lanes, own) : add_logarithms(x, at, n, lanes, own);
        },
        [&](int k) {
          for (int i = 0; i < kWidth; ++i) left[i] = chosen[i] == k ? own[i] : left[i];
        });
    for (int k = 0; k < law.split_count; ++k) {
      const double* split = law.splits + kContourSplit * k;
      const double x = law.singular[static_cast<int>(split[0])];
      const double re = split[1];
      const double im = split[2];
      const double mass = split[3];
      for (int i = 0; i < kWidth; ++i) {
        left[i] += mass * atan2_(lanes.u_im[i] - im, re - (lanes.u_re[i] - x));
      }
    }
  }

 private:
  // Nodes x + v with weights w, by their parts; real ones (atoms, x = 0) have no second parts.
  template <bool kReal, bool kSlopes>
  [[gnu::noinline]] static void add(double x, const double* at, int n, const ChainLanes& lanes, MeasureSums& out) {
    MeasureSums shifted;
    MeasureSums& own = kReal ? out : shifted;
    if (!kReal) own.clear();
    for (int j = 0; j < n; ++j) {
      const double a = at[j];
      const double b = kReal ? 0.0 : at[n + j];
      const double c = at[2 * n + j];
      const double d = kReal ? 0.0 : at[3 * n + j];
      const double of_a = fabs_(x + a) + fabs_(b);
      for (int i = 0; i < kWidth; ++i) {
        const double dx = kReal ? lanes.u_re[i] - a : (lanes.u_re[i] - x) - a;
        const double dy = kReal ? lanes.u_im[i] : lanes.u_im[i] - b;
        const double inverse = 1.0 / (dx * dx + dy * dy);
        const double rr = dx * inverse;
        const double ri = -(dy * inverse);
        const double pr = kReal ? c * rr : c * rr - d * ri;  // w r
        const double pi = kReal ? c * ri : c * ri + d * rr;
        own.t_re[i] += pr;
        own.t_im[i] += pi;
        own.m_re[i] += kReal ? a * pr : a * pr - b * pi;
        own.m_im[i] += kReal ? a * pi : a * pi + b * pr;
        if (kSlopes) {
          const double er = pr * rr - pi * ri;  // w r^2
          const double ei = pr * ri + pi * rr;
          own.t2_re[i] += er;
          own.t2_im[i] += ei;
          own.m2_re[i] += kReal ? a * er : a * er - b * ei;
          own.m2_im[i] += kReal ? a * ei : a * ei + b * er;
        }
        const double modulus = size(pr, pi);
        own.of_t[i] += modulus;
        own.of_m[i] += of_a * modulus;
      }
    }
    if (kReal) return;
    for (int i = 0; i < kWidth; ++i) {
      out.t_re[i] += own.t_re[i];
      out.t_im[i] += own.t_im[i];
      out.t2_re[i] += own.t2_re[i];
      out.t2_im[i] += own.t2_im[i];
      out.m_re[i] += own.m_re[i] + x * own.t_re[i];
      out.m_im[i] += own.m_im[i] + x * own.t_im[i];
      out.m2_re[i] += own.m2_re[i] + x * own.t2_re[i];
      out.m2_im[i] += own.m2_im[i] + x * own.t2_im[i];
      out.of_t[i] += own.of_t[i];
      out.of_m[i] += own.of_m[i];
    }
  }

  // Each lane has its own rule: the first whose distance from the singular values its point keeps.
  static void find_rules(const ChainContour& law, const ChainLanes& lanes, int* chosen) {
    alignas(64) double nearest[kWidth];
    for (int i = 0; i < kWidth; ++i) nearest[i] = kInfinity;
    for (int s = 0; s < law.singular_count; ++s) {
      const double x = law.singular[s];
      for (int i = 0; i < kWidth; ++i) {
        const double dx = lanes.u_re[i] - x;
        const double dy = lanes.u_im[i];
        const double d = sqrt_(dx * dx + dy * dy);
        nearest[i] = d < nearest[i] ? d : nearest[i];
      }
    }
    for (int i = 0; i < kWidth; ++i) {
      int rule = 0;
      while (rule + 1 < law.rule_count && !(nearest[i] >= law.rules[rule * (1 + law.singular_count)])) ++rule;
      chosen[i] = rule;
    }
  }

  // Goes through the rules that some lane has chosen: begin(), group(singular value, nodes, count) for each, end(rule).
  template <class Begin, class Group, class End>
  [[gnu::always_inline]] static void each_rule(const ChainContour& law, const int* chosen, const Begin& begin,
                                               const Group& group, const End& end) {
    const double* at = law.nodes;
    for (int k = 0; k < law.rule_count; ++k) {
      const double* rule = law.rules + k * (1 + law.singular_count);
      int wanted = 0;
      for (int i = 0; i < kWidth; ++i) wanted += chosen[i] == k ? 1 : 0;
      if (wanted > 0) begin();
      for (int s = 0; s < law.singular_count; ++s) {
        const int n = static_cast<int>(rule[1 + s]);
        if (wanted > 0) group(law.singular[s], at, n);
        at += kContourNode * n;
      }
      if (wanted > 0) end(k);
    }
  }

  template <bool kSlopes>
  static void contour(const ChainContour& law, const ChainLanes& lanes, MeasureSums& out) {
    int chosen[kWidth];
    find_rules(law, lanes, chosen);
    MeasureSums own;
    each_rule(
        law, chosen, [&] { own.clear(); },
        [&](double x, const double* at, int n) { add<false, kSlopes>(x, at, n, lanes, own); },
        [&](int k) { choose(chosen, k, own, out); });
  }

  // Adds the part of pi F: sum Re w (pi - arg(z - a)) - Im w log|z - a|.
  [[gnu::noinline]] static void add_logarithms(double x, const double* at, int n, const ChainLanes& lanes,
                                               double* left) {
    for (int j = 0; j < n; ++j) {
      const double a = at[j];
      const double b = at[n + j];
      const double c = at[2 * n + j];
      const double d = 0.5 * at[3 * n + j];
      for (int i = 0; i < kWidth; ++i) {
        const double dx = (lanes.u_re[i] - x) - a;
        const double dy = lanes.u_im[i] - b;
        left[i] += c * atan2_(dy, -dx) - d * log_(dx * dx + dy * dy);
      }
    }
  }

  // The same by parts: -Im sum y/(z - a), see law/contour.hpp.
  [[gnu::noinline]] static void add_elements(double x, const double* at, int n, const ChainLanes& lanes, double* left) {
    for (int j = 0; j < n; ++j) {
      const double a = at[j];
      const double b = at[n + j];
      const double c = at[4 * n + j];
      const double d = at[5 * n + j];
      for (int i = 0; i < kWidth; ++i) {
        const double dx = (lanes.u_re[i] - x) - a;
        const double dy = lanes.u_im[i] - b;
        left[i] += (c * dy - d * dx) / (dx * dx + dy * dy);
      }
    }
  }

  static void choose(const int* chosen, int rule, const MeasureSums& own, MeasureSums& out) {
    for (int i = 0; i < kWidth; ++i) {
      if (chosen[i] != rule) continue;
      out.t_re[i] = own.t_re[i];
      out.t_im[i] = own.t_im[i];
      out.t2_re[i] = own.t2_re[i];
      out.t2_im[i] = own.t2_im[i];
      out.m_re[i] = own.m_re[i];
      out.m_im[i] = own.m_im[i];
      out.m2_re[i] = own.m2_re[i];
      out.m2_im[i] = own.m2_im[i];
      out.of_t[i] = own.of_t[i];
      out.of_m[i] = own.of_m[i];
    }
  }

  // K = m/G with G = t + w0/z, c = offset + z t, and their derivatives by z.
  [[gnu::noinline]] static void finish(const ChainMeasure& law, double ulps, const ChainLanes& __restrict lanes,
                                       const MeasureSums& __restrict q, ChainState& __restrict s) {
    const double zero = law.at_zero;
    const double offset = law.offset;
    for (int i = 0; i < kWidth; ++i) {
      const double z_re = lanes.u_re[i];
      const double z_im = lanes.u_im[i];
      const double unit = 1.0 / (z_re * z_re + z_im * z_im);
      const double o_re = z_re * unit;
      const double o_im = -(z_im * unit);
      const double g_re = q.t_re[i] + zero * o_re;
      const double g_im = q.t_im[i] + zero * o_im;
      const double h_re = q.t2_re[i] + zero * (o_re * o_re - o_im * o_im);
      const double h_im = q.t2_im[i] + zero * (2.0 * o_re * o_im);
      const double m_re = q.m_re[i];
      const double m_im = q.m_im[i];
      s.m_re[i] = m_re;
      s.m_im[i] = m_im;
      const double over_g = 1.0 / (g_re * g_re + g_im * g_im);
      const double over_m = 1.0 / (m_re * m_re + m_im * m_im);
      s.k.re[i] = (m_re * g_re + m_im * g_im) * over_g;
      s.k.im[i] = (m_im * g_re - m_re * g_im) * over_g;
      s.k.turns[i] = -1;
      // d log K/dz = (t2 + w0/z^2)/G - m2/m
      s.s_re[i] = (h_re * g_re + h_im * g_im) * over_g - (q.m2_re[i] * m_re + q.m2_im[i] * m_im) * over_m;
      s.s_im[i] = (h_im * g_re - h_re * g_im) * over_g - (q.m2_im[i] * m_re - q.m2_re[i] * m_im) * over_m;
      s.c_re[i] = offset + (z_re * q.t_re[i] - z_im * q.t_im[i]);
      s.c_im[i] = z_re * q.t_im[i] + z_im * q.t_re[i];
      s.dc_re[i] = -q.m2_re[i];
      s.dc_im[i] = -q.m2_im[i];
      s.noise[i] = 6.0 + ulps * (q.of_m[i] * (size(m_re, m_im) * over_m) +
                                 (q.of_t[i] + zero * size(o_re, o_im)) * (size(g_re, g_im) * over_g));
      s.noise_c[i] = fabs_(offset) + ulps * (4.0 * size(z_re, z_im) * q.of_t[i]);
      s.wrong[i] = (z_im > 0.0) & (s.k.im[i] < 0.0) ? 0 : 1;
    }
    if (law.multiplicity == 1) return;
    const double times = law.multiplicity;
    raise(s.k, law.multiplicity);
    for (int i = 0; i < kWidth; ++i) {
      const bool in_range = size(s.k.re[i], s.k.im[i]) >= kChainLeastProduct;
      s.s_re[i] *= times;
      s.s_im[i] *= times;
      s.noise[i] = in_range ? s.noise[i] * times : kInfinity;
    }
  }
};

}  // namespace freeconv::FREECONV_ISA
