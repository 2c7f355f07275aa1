// The tracer on the real axis off the support: a real solution, and the proof that it is the one.
#include <cmath>

#include "freeconv/solver/tracer.hpp"

namespace freeconv {
namespace {

using Point = Complex<double>;

// The imaginary part that keeps a real unknown on the upper side of its cuts: m below, F and z above the axis. It is
// relative, so that it does not underflow in a law of scale 1e-100, where its sign would be lost.
double real_side(const Node& n, double u) {
  const bool mirrored = n.kind == Kind::marchenko_pastur && n.parameters[0] < 0.0;
  return (is_product_leaf(n.kind) && !mirrored ? -1e-100 : 1e-100) * std::fabs(u);
}

// Near x^2 + e^2 = 0 no real Newton step is shorter than e: a step this short means that there is no height e above it.
constexpr double kRealStepTolerance = 1e-12;
constexpr double kRealResidual = 1e-8;
// Newton's steps before short ones count as stalled.
constexpr int kStallAfter = 6;
constexpr double kSheetRounding = kRealSheet;
// A negative K has no real power t = 1 + e: where it is taken there is a density, of a mass of the order of e. (Masses
// below 1e-13 are not looked for.)
constexpr double kRealPower = 1e-13 * kPi;
// Steps this short that get no shorter are rounding: double-double goes on.
constexpr double kRealStall = 1e-3;
constexpr double kRealFloor = 8.0;
// A mass beyond 0 or 1 tells of a solution of the rounded equations only (an ulp beside an atom).
constexpr double kMassRounding = 1e-9;
// Of G in the terms of a sum and m in the factors of a product, which agree to far less where they are solved.
constexpr double kAgreement = 1e-3;
// In units of the rules' noise: above it the density of squared slopes shows (its error is less than kDrowned of it).
constexpr double kHiddenDensity = 1.0 / kDrowned;

// Mass of a leaf to the right of z, z off its support.
DoubleDouble leaf_mass_right(const Node& n, const NodePoint& p) {
  const double x = p.z.re;
  switch (n.kind) {
    case Kind::discrete: return discrete(n).mass_right(x);
    case Kind::contour: return contour(n).mass_right(x);
    case Kind::bernoulli: return x > n.parameters[1] ? 0.0 : (x > 0.0 ? n.parameters[0] : 1.0);
    case Kind::marchenko_pastur: {
      // Off its support m is of the sign of x - bulk (mirrored for negative jumps).
      const bool atom = n.parameters[1] < n.parameters[2];
      const DoubleDouble off_zero =
          atom ? DoubleDouble(n.parameters[1]) / DoubleDouble(n.parameters[2]) : DoubleDouble(1.0);
      const bool beyond = p.m.re > 0.0;
      if (n.parameters[0] > 0.0) return x > 0.0 ? (beyond ? DoubleDouble(0.0) : off_zero) : DoubleDouble(1.0);
      return x < 0.0 ? (beyond ? DoubleDouble(1.0) : DoubleDouble(1.0) - off_zero) : DoubleDouble(0.0);
    }
    case Kind::isometry: return isometry(n).mass_right(x, p.m.re);
    case Kind::semicircle: return p.f.re > 0.0 ? 0.0 : 1.0;
    default: return x > n.parameters[1] ? 0.0 : 1.0;
  }
}

// A leaf's real point lies off its support on the physical branch (dm/dz < 0, dF/dz > 0).
bool leaf_is_physical(const Node& n, const NodePoint& p, double slope) {
  switch (n.kind) {
    case Kind::marchenko_pastur: return n.parameters[0] > 0.0 ? slope < 0.0 : slope > 0.0;
    case Kind::isometry: return slope < 0.0;
    case Kind::semicircle: return slope > 0.0;
    case Kind::contour:
      // In a tail where rounding hides the density it counts as 0.
      return contour(n).gap(p.z.re) > 0.0 || contour(n).hides(p.z.re, kHiddenDensity);
    case Kind::arcsine:
    case Kind::uniform: return p.z.re > n.parameters[1] || p.z.re < n.parameters[0];
    default: return true;
  }
}

// dz/ds of a node's own point along its own parameter.
static Point own_slope(const Node& n, const NodeLanes<double, 1>& lanes, const NodePoint& p) {
  const Point a = lanes.a.get(0);
  const Point b = lanes.b.get(0);
  if (n.form == Form::sum) return a + b;
  return p.z * (b - a / (p.m * p.one_plus_m));
}

}  // namespace

bool Tracer::correct_real(double x, Leaves& u, int limit) {
  const Node& root = program_.root();
  const Point target = root_target(root, Point{x, 1e-250});
  Block<double, 1> step;
  for (int iteration = 1; iteration <= limit; ++iteration) {
    for (std::size_t l = 0; l < u.size(); ++l) {
      u[l].im[0] = real_side(program_.nodes[static_cast<std::size_t>(program_.leaf_nodes[l])], u[l].re[0]);
    }
    sweeps().up(u);
    ++total_;
    const NodeLanes<double, 1>& top = sweeps().root();
    const RootStep<double> r = root_step(root, top.c.get(0), top.k.get(0), top.a.get(0), top.b.get(0), target);
    step.set(0, {r.residual.re / r.slope.re, 0.0});
    if (!std::isfinite(step.re[0])) return false;
    sweeps().down(step);
    // A short step alone can be a run to infinity (m -> 0, where the slope is 1/m).
    // Of a sum both parts of the residual are as large as z.
    const double unit = root.form == Form::product ? 1.0 : std::fabs(x) + width_;
    bool fine = std::fabs(r.residual.im) <= kSheetRounding * unit && std::fabs(r.residual.re) <= kRealResidual * unit;
    // Where the residual itself is rounding, beside an edge where F is large, steps need not be short.
    const double terms = std::fabs(top.c.re[0]) + std::fabs(top.k.re[0]) + std::fabs(target.re);
    const bool rounded = root.form == Form::sum && std::fabs(r.residual.re) <= kRealFloor * kEpsilon * terms;
    bool stalls = fine && iteration > kStallAfter;
    for (std::size_t l = 0; l < u.size(); ++l) {
      const double s = sweeps().leaf_step(static_cast<int>(l)).re[0];
      if (!std::isfinite(s)) return false;
      fine = fine && std::fabs(s) <= kRealStepTolerance * std::fabs(u[l].re[0]);
      stalls = stalls && (rounded || std::fabs(s) <= kRealStall * std::fabs(u[l].re[0]));
      u[l].re[0] += s;
    }
    if (fine) {
      result_.c.set(0, top.c.get(0) + top.a.get(0) * step.get(0));
      result_.residual[0] = std::fabs(r.residual.re);
      result_.iterations[0] = iteration;
      return certified_real(x);
    }
    if (stalls) {
      total_ += 8;
      if (!refiner_.run_real(x, u, unit)) return false;
      sweeps().up(u);
      result_.c.set(0, sweeps().root().c.get(0));
      return certified_real(x);
    }
  }
  return false;
}

// Whether the terms of every sum have its G, and the factors of every product its m. One that has run to infinity,
// where m is 1e-15, moves so little in z for a step of its own that steps and the root's residual pass for rounding: a
// density of 8e-4 was told to be 0.
bool Tracer::terms_agree() {
  const auto at = [&](int v) { return node_point(program_.nodes[static_cast<std::size_t>(v)], sweeps().node(v), 0); };
  for (std::size_t v = 0; v < program_.nodes.size(); ++v) {
    const Node& n = program_.nodes[v];
    const bool sum = n.kind == Kind::boxplus;
    if (!sum && n.kind != Kind::boxtimes) continue;
    const NodePoint p = at(static_cast<int>(v));
    const double own = sum ? 1.0 / p.f.re : p.m.re;
    const double unit = sum ? 1.0 / width_ : 1.0;
    for (const Child& c : n.children) {
      const NodePoint q = at(c.index);
      const double other = sum ? 1.0 / q.f.re : q.m.re;
      if (!(std::fabs(other - own) <= kAgreement * (std::fabs(own) + unit))) return false;
    }
  }
  return true;
}

// On the axis the certificate is a derivative: z_i(x) is real with dz_i/dz > 0 exactly where z_i(x + i0) is the
// limit of points of the upper half-plane (for w = f(z, w): w' (1 - f_w) = f_z > 0, and f_w < 1 is Denjoy-Wolff's
// condition for a boundary point). The masses to the right follow from Im U / pi = mass (the logarithmic potentials U
// of a tree add).
bool Tracer::certified_real(double x) {
  if (!terms_agree()) return false;
  Leaves du = make_state();
  tangent({x, 0.0}, du);
  for (std::size_t v = 0; v < program_.nodes.size(); ++v) {
    const Node& n = program_.nodes[v];
    const NodeLanes<double, 1>& lanes = sweeps().node(static_cast<int>(v));
    const NodePoint p = node_point(n, lanes, 0);
    const Point own = own_slope(n, lanes, p);
    // Im log K of a real K is 0 or -pi: of a negative K^t neither, it has no real power. Hidden densities show in it.
    double factors = 0.0;
    for (const Child& c : n.children) factors += c.multiplicity;
    const double hidden = kHiddenDensity * program_.rule_noise * factors / std::fabs(p.m.re);
    const bool real_power = n.kind != Kind::boxtimes || std::fabs(lanes.sheet[0]) <= kRealPower + hidden ||
                            std::fabs(lanes.sheet[0] + kPi) <= kRealPower + hidden;
    if (!real_power) return false;
    const double moves = (own * lanes.step.get(0)).re;
    if (!(moves > 0.0)) return false;
    if (n.leaf >= 0) {
      if (!leaf_is_physical(n, p, own.re)) return false;
      mass_[v] = leaf_mass_right(n, p);
      continue;
    }
    DoubleDouble mass;
    DoubleDouble total;
    for (const Child& c : n.children) {
      mass = mass + DoubleDouble(c.multiplicity) * mass_[static_cast<std::size_t>(c.index)];
      total = total + DoubleDouble(c.multiplicity);
    }
    const DoubleDouble excess = total - DoubleDouble(1.0);
    switch (n.kind) {
      case Kind::affine: break;
      case Kind::resize: {
        const DoubleDouble r(n.parameters[0]);
        mass = mass / r;
        if (p.z.re < 0.0) mass = mass + (DoubleDouble(1.0) - DoubleDouble(1.0) / r);
        break;
      }
      case Kind::boxtimes: mass = p.m.re < 0.0 ? mass - excess : mass; break;
      default: mass = p.f.re < 0.0 ? mass - excess : mass;
    }
    if (!(mass.hi > -kMassRounding && mass.hi < 1.0 + kMassRounding)) return false;
    mass_[v] = mass;
  }
  return true;
}

}  // namespace freeconv
