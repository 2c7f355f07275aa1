#include "freeconv/solver/tracer.hpp"

#include <cmath>

namespace freeconv {
namespace {

// Sweeps after which a continuation is given up; the hardest that succeeded took 6000. (Without an end, steps of 0.1 %
// with a restart each made single points take a minute.)
constexpr int kMostWork = 40000;
constexpr int kWideWork = 60;  // of a solution in double-double

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
// In widths of the law: a step of this size from a real solution leaves an error of its square.
constexpr double kNearAxis = 1e-8;
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
// Estimated relative rounding of Im c up to which a converged root needs no confirmation.
constexpr double kClearError = 1e-9;

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
    case Kind::contour: return contour(n).gap(p.z.re) > 0.0;
    case Kind::arcsine:
    case Kind::uniform: return p.z.re > n.parameters[1] || p.z.re < n.parameters[0];
    default: return true;
  }
}

}  // namespace

bool Tracer::correct(Point z, Leaves& u, int limit) {
  if (stopped() || spent()) return false;
  Block<double, 1> target;
  target.set(0, root_target(program_.root(), z));
  newton_.run(target, u, limit, result_);
  newton_.take_last_step(u, result_);
  total_ += result_.iterations[0];
  work_ += result_.iterations[0];
  if (result_.state[0] == 0) return false;
  int violations[1];
  count_violations(newton_.sweeps(), violations);
  return violations[0] == 0;
}

// dz/ds of a node's own point along its own parameter.
static Point own_slope(const Node& n, const NodeLanes<double, 1>& lanes, const NodePoint& p) {
  const Point a = lanes.a.get(0);
  const Point b = lanes.b.get(0);
  if (n.form == Form::sum) return a + b;
  return p.z * (b - a / (p.m * p.one_plus_m));
}

void Tracer::tangent(Point z, Leaves& du) {
  const Node& root = program_.root();
  const NodeLanes<double, 1>& top = sweeps().root();
  const RootStep<double> r = root_step(root, top.c.get(0), top.k.get(0), top.a.get(0), top.b.get(0), Point{0.0, 0.0});
  const Point rate = root.form == Form::product ? reciprocal(z) : Point{1.0, 0.0};
  Block<double, 1> step;
  step.set(0, rate / r.slope);
  sweeps().down_tangent(step);
  for (std::size_t l = 0; l < du.size(); ++l) du[l] = sweeps().leaf_step(static_cast<int>(l));
}

void Tracer::tangent_at(Point z, const Leaves& u, Leaves& du) {
  sweeps().up(u);
  tangent(z, du);
}

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

// On the axis the certificate is a derivative: z_i(x) is real with dz_i/dz > 0 exactly where z_i(x + i0) is the
// limit of points of the upper half-plane (for w = f(z, w): w' (1 - f_w) = f_z > 0, and f_w < 1 is Denjoy-Wolff's
// condition for a boundary point). The masses to the right follow from Im U / pi = mass (the logarithmic potentials U
// of a tree add).
bool Tracer::certified_real(double x) {
  Leaves du = make_state();
  tangent({x, 0.0}, du);
  for (std::size_t v = 0; v < program_.nodes.size(); ++v) {
    const Node& n = program_.nodes[v];
    const NodeLanes<double, 1>& lanes = sweeps().node(static_cast<int>(v));
    const NodePoint p = node_point(n, lanes, 0);
    const Point own = own_slope(n, lanes, p);
    // Im log K of a real K is 0 or -pi: of a negative K^t neither, it has no real power.
    const bool real_power = n.kind != Kind::boxtimes || std::fabs(lanes.sheet[0]) <= kRealPower ||
                            std::fabs(lanes.sheet[0] + kPi) <= kRealPower;
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

bool Tracer::spent() const { return work_ > kMostWork; }

bool Tracer::far_start(Point z, Leaves& u) {
  fixed_point_.start(z);
  fixed_point_.iterate(z, 2);
  fixed_point_.leaves(u);
  if (correct(z, u, 25)) return true;
  for (int round = 0; round < 6 && !stopped() && !spent(); ++round) {
    fixed_point_.iterate(z, 40 << round);
    work_ += 40 << round;
    fixed_point_.leaves(u);
    if (correct(z, u, 25)) return true;
  }
  return false;
}

bool Tracer::descend_to(Point z, Leaves& u) {
  work_ = 0;
  return descend(z, u);
}

bool Tracer::descend(Point z, Leaves& u) {
  double y = 10.0 * (std::fabs(z.re - center_) + width_);
  if (y < z.im) y = z.im;
  int tries = 0;
  while (!far_start({z.re, y}, u)) {
    y *= 30.0;
    if (++tries > 6) return false;
  }
  Leaves next = u;
  Leaves du = make_state();
  double factor = 0.1;
  while (y > z.im) {
    double to = y * factor;
    if (to < z.im * 1.0000001) to = z.im;
    tangent_at({z.re, y}, u, du);
    next = u;
    // The tangent is followed only where it predicts better than standing still: over a step of less than half of y.
    if (to > 0.5 * y) {
      for (std::size_t l = 0; l < u.size(); ++l) next[l].set(0, u[l].get(0) + Point{0.0, to - y} * du[l].get(0));
    }
    if (correct_surely({z.re, to}, next)) {
      u = next;
      y = to;
      factor = factor * factor < 0.1 ? 0.1 : factor * factor;
      continue;
    }
    factor = std::sqrt(factor);
    if (factor > 0.999) {
      if (!far_start({z.re, to}, next)) return false;
      u = next;
      y = to;
      factor = 0.5;
    }
  }
  return true;
}

bool Tracer::step_off_axis(Point z, Leaves& u) {
  if (!(z.im <= kNearAxis * width_)) return false;
  if (locate(z.re, u).where != Where::outside) return false;
  Leaves du = make_state();
  tangent_at({z.re, 0.0}, u, du);
  for (std::size_t l = 0; l < u.size(); ++l) u[l].set(0, u[l].get(0) + Point{0.0, z.im} * du[l].get(0));
  const NodeLanes<double, 1>& top = sweeps().root();
  const Point moved = top.c.get(0) + Point{0.0, z.im} * (top.a.get(0) * top.step.get(0));
  result_.c.set(0, moved);
  return true;
}

Located Tracer::found(Where where) const {
  Located r;
  r.where = where;
  r.c = result_.c.get(0);
  r.residual = result_.residual[0];
  r.iterations = total_;
  if (where == Where::outside) r.mass_right = mass_.back();
  return r;
}

// A root near the floor of rounding counts only if double-double confirms it: beside an edge, in the gap, the noise of
// a real solution can look like a height.
bool Tracer::correct_surely(Point z, Leaves& u) {
  if (!correct(z, u)) return false;
  const bool clear = result_.state[0] == 2 && result_.error[0] < kClearError;
  return clear || correct_wide(z, u);
}

Located Tracer::locate_from(double x, Leaves& u) {
  total_ = 0;
  work_ = 0;
  Leaves attempt = u;
  if (correct_surely({x, 0.0}, attempt)) {
    u = attempt;
    return found(Where::inside);
  }
  return locate(x, u);
}

Located Tracer::locate(double x, Leaves& u) {
  total_ = 0;
  work_ = 0;
  if (stopped()) return Located{};
  // Heights are tried decade by decade; the jump to the axis is certified, so it may be tried from anywhere.
  double y = width_;
  if (!descend({x, y}, u)) return Located{};
  Leaves attempt = u;
  Leaves du = make_state();
  double factor = 0.1;
  const double floor = 1e-18 * (std::fabs(x) > 1e-3 * width_ ? width_ : std::fabs(x) + 1e-290);
  while (true) {
    attempt = u;
    if (correct_surely({x, 0.0}, attempt)) {
      u = attempt;
      return found(Where::inside);
    }
    attempt = u;
    if (correct_real(x, attempt)) {
      u = attempt;
      return found(Where::outside);
    }
    if (y <= floor) return descend_wide(x, y, u);
    while (true) {
      const double to = y * factor;
      tangent_at({x, y}, u, du);
      attempt = u;
      if (factor > 0.5) {
        for (std::size_t l = 0; l < u.size(); ++l) attempt[l].set(0, u[l].get(0) + Point{0.0, to - y} * du[l].get(0));
      }
      if (correct_surely({x, to}, attempt)) {
        u = attempt;
        y = to;
        factor = factor * factor < 0.1 ? 0.1 : factor * factor;
        break;
      }
      factor = std::sqrt(factor);
      if (factor > 0.999) {
        if (y < 1e-6 * width_) return descend_wide(x, y, u);
        if (!far_start({x, to}, attempt)) return descend_wide(x, y, u);
        u = attempt;
        y = to;
        factor = 0.5;
        break;
      }
    }
  }
}

bool Tracer::correct_wide(Point z, Leaves& u) {
  if (stopped() || spent()) return false;
  work_ += kWideWork;
  Block<DoubleDouble, 1> point;
  point.set(0, {DoubleDouble(z.re), DoubleDouble(z.im)});
  const int wanted[1] = {1};
  int done[1] = {0};
  refiner_.run(point, wanted, u, result_.c, done);
  total_ += 8;
  if (done[0] == 0) return false;
  int violations[1];
  count_violations(refiner_.sweeps(), violations);
  return violations[0] == 0;
}

bool Tracer::approach(double x, double y, Leaves& u) {
  double from = 1e-3 * width_;
  work_ = 0;
  if (!descend({x, from}, u)) return false;
  while (from > y) {
    double factor = 0.3;
    Leaves attempt = u;
    while (!correct_wide({x, from * factor}, attempt)) {
      factor = std::sqrt(factor);
      if (factor > 0.99) return false;
      attempt = u;
    }
    u = attempt;
    from *= factor;
  }
  return true;
}

// The last decades in double-double: beside a cusp where G = 0 the terms of z = F + K are y^(-1/3) and cancel, and
// doubles end at y ~ 1e-11.
Located Tracer::descend_wide(double x, double y, Leaves& u) {
  double factor = 0.3;
  while (y > 1e-28 * width_) {
    Leaves attempt = u;
    if (correct_wide({x, 0.0}, attempt)) {
      u = attempt;
      return found(Where::inside);
    }
    attempt = u;
    if (correct_wide({x, y * factor}, attempt)) {
      u = attempt;
      y *= factor;
      factor = 0.3;
      continue;
    }
    factor = std::sqrt(factor);
    if (factor > 0.99) break;
  }
  return found(Where::edge);
}

// z is a real-analytic function of w (c, or its inverse) near the edge, where dz/dw = 0. From x = z(w) and
// h = dz/dw at one inside point, and the same at its conjugate, the cubic through all four values in w - Re w:
//   a0 = x + a2 s^2,  a1 = -Re h / 2,  a2 = Im h / (2 s),  a3 = -Re h / (2 s^2),   s = Im w,
// and its critical point is the edge up to s^4 ~ |x - edge|^2.
bool Tracer::extrapolate_edge(double x, const Leaves& u, double& edge) {
  Leaves state = u;
  if (!correct_wide({x, 0.0}, state)) return false;
  const Node& root = program_.root();
  using Wide = Complex<DoubleDouble>;
  const NodeLanes<DoubleDouble, 1>& top = refiner_.sweeps().root();
  const RootStep<DoubleDouble> r = root_step(root, top.c.get(0), top.k.get(0), top.a.get(0), top.b.get(0), Wide{});
  Point w = leading(top.c.get(0)) - (root.form == Form::product ? root.p0.hi : 0.0);
  Point h = leading(r.slope / top.a.get(0));
  if (root.form == Form::product) h = x * h;
  // Where c runs to infinity (G = 0, or m = infinity) its inverse is the regular one.
  const double large = root.form == Form::product ? 3.0 : 3.0 * width_;
  if (squared_modulus(w) > large * large) {
    h = -((w * w) * h);
    w = reciprocal(w);
  }
  const double s = w.im;
  const double a1 = -0.5 * h.re;
  const double a2 = 0.5 * h.im / s;
  const double a3 = -0.5 * h.re / (s * s);
  const double discriminant = a2 * a2 - 3.0 * a1 * a3;
  if (!(discriminant > 0.0)) return false;
  // The root of a1 + 2 a2 r + 3 a3 r^2 next to 0.
  const double root_part = std::sqrt(discriminant);
  const double q = -(a2 + (a2 > 0.0 ? root_part : -root_part));
  const double t = a1 / q;
  edge = x + (a2 * s * s + t * (a1 + t * (a2 + t * a3)));
  return std::isfinite(edge);
}

}  // namespace freeconv
