// The proof that a root of the equations is THE root.
//
// For z in the upper half-plane the subordination points are the only fixed point of a holomorphic
// self-map of the upper half-plane (Belinschi and Bercovici 2007; boxtimes in the sector arg z <= arg z_i < pi),
// and by the lemmas of Schwarz and Pick the same holds on the real axis whenever there is a fixed point in the open
// half-plane, unless the map is the identity. (It is at the centre of two equal coins, say; then Newton's matrix is
// singular, so that no converged point is one.) So a solution of the equations is the right one as soon as every node's
// own point lies in the open upper half-plane, on the sheet that is continued from infinity, and every leaf is on its
// physical branch (Im F > 0, Im m < 0). No step of the solver has to be trusted.
#pragma once

#include "freeconv/tree/sweeps.hpp"

namespace freeconv {

// The point of a node, from what it hands to its parent.
struct NodePoint {
  Complex<double> z, f, m, one_plus_m;
};

template <class R, int W>
inline NodePoint node_point(const Node& node, const NodeLanes<R, W>& lanes, int i) {
  const Complex<double> c = leading(lanes.c.get(i));
  const Complex<double> k = leading(lanes.k.get(i));
  if (node.form == Form::sum) return {c + k, c, k / c, (c + k) / c};
  const Complex<double> m = c - node.p0.hi;
  const Complex<double> inverse = reciprocal(m);
  const Complex<double> value = exp(k);
  const Complex<double> one_plus_m = (DoubleDouble(1.0) - node.p0).hi + c;
  return {value * (one_plus_m * inverse), value * inverse, m, one_plus_m};
}

// Angles below this are rounding: beside a hard edge at 0 a point's true angle falls like a power of x.
inline constexpr double kAngleRounding = 1e-12;
inline constexpr double kSheetRange = 1e-9;

// Number of violated conditions in each lane. (Plain loops without exp or a choice of form in them: they vectorise.)
template <class R, int W>
inline void count_violations(const Sweeps<R, W>& sweeps, int* violations) {
  const Program& program = sweeps.program();
  for (int i = 0; i < W; ++i) violations[i] = 0;
  for (std::size_t v = 0; v < program.nodes.size(); ++v) {
    const Node& node = program.nodes[v];
    const NodeLanes<R, W>& lanes = sweeps.node(static_cast<int>(v));
    const bool product = node.kind == Kind::boxtimes;
    const bool free = !node.same_z;  // its z is its own, and has to lie above the axis
    if (node.form == Form::product) {
      const double p0 = node.p0.hi;
      const double rest = (DoubleDouble(1.0) - node.p0).hi;
      for (int i = 0; i < W; ++i) {
        const Complex<double> c = leading(lanes.c.get(i));
        // arg z = Im log K + arg((1+m)/m), unwrapped.
        const Complex<double> turn = (rest + c) / (c - p0);
        const double sheet = to_double(lanes.k.im[i]);
        const double argument = sheet + atan2_(turn.im, turn.re);
        const bool branch = c.im < 0.0;
        const bool above = argument > -kAngleRounding;
        const bool on_sheet = (sheet <= kSheetRange) & (sheet > -kPi - kSheetRange);
        violations[i] += (branch & (above | !free) & (on_sheet | !product)) ? 0 : 1;
      }
      continue;
    }
    for (int i = 0; i < W; ++i) {
      const Complex<double> f = leading(lanes.c.get(i));
      const Complex<double> k = leading(lanes.k.get(i));
      const Complex<double> z = f + k;
      // z = F + K is rounded in units of |F|, which is large where G is near 0.
      const double rounding =
          kAngleRounding * (fabs_(z.re) + fabs_(z.im)) + 4.0 * kEpsilon * (fabs_(f.re) + fabs_(f.im));
      const bool branch = f.im > 0.0;
      const bool above = z.im > -rounding;
      bool right_sheet = true;
      if (product) {
        const Complex<double> turn = z / k;
        const double argument = lanes.sheet[i] + atan2_(turn.im, turn.re);
        right_sheet = (lanes.sheet[i] <= kSheetRange) & (lanes.sheet[i] > -kPi - kSheetRange) &
                      ((argument > -kAngleRounding) | !free);
      }
      violations[i] += (branch & (above | !free) & right_sheet) ? 0 : 1;
    }
  }
}

}  // namespace freeconv
