#include "freeconv/solver/tracer.hpp"

#include <cmath>

namespace freeconv {
namespace {

// Sweeps after which a continuation is given up; the hardest that succeeded took 6000. (Without an end, steps of 0.1 %
// with a restart each made single points take a minute.)
constexpr int kMostWork = 40000;
constexpr int kWideWork = 60;  // of a solution in double-double

using Point = Complex<double>;

// In widths of the law: a step of this size from a real solution leaves an error of its square.
constexpr double kNearAxis = 1e-8;
// Estimated relative rounding of Im c up to which a converged root needs no confirmation.
constexpr double kClearError = 1e-9;

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

double Tracer::rule_error(double x, const Leaves& u, Point c) {
  if (program_.rule_noise == 0.0) return 0.0;
  sweeps().up(u);
  Block<double, 1> target;
  target.set(0, root_target(program_.root(), Point{x, 0.0}));
  double error = kInfinity;
  rounding_.run(sweeps(), u, target, &c.im, &error, Displaced::by_rules);
  return error;
}

Located Tracer::locate_from(double x, Leaves& u) {
  total_ = 0;
  work_ = 0;
  Leaves attempt = u;
  if (correct_surely({x, 0.0}, attempt) && rule_error(x, attempt, result_.c.get(0)) < kDrowned) {
    u = attempt;
    return found(Where::inside);
  }
  return locate(x, u);
}

Located Tracer::locate_real(double x, Leaves& u) {
  total_ = 0;
  work_ = 0;
  return correct_real(x, u) ? found(Where::outside) : Located{};
}

// A density that may be the rules' error is 0 if there is a real solution as well; else it is kept.
bool Tracer::shows(double x, const Leaves& u) {
  if (rule_error(x, u, result_.c.get(0)) < kDrowned) return true;
  drowned_ = u;
  of_drowned_ = result_;
  return false;
}

Located Tracer::locate(double x, Leaves& u) {
  drowned_.clear();
  const Located at = search(x, u);
  if ((at.where != Where::edge && at.where != Where::lost) || drowned_.empty() || stopped()) return at;
  u = drowned_;
  result_ = of_drowned_;
  return found(Where::inside);
}

Located Tracer::search(double x, Leaves& u) {
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
    if (correct_surely({x, 0.0}, attempt) && shows(x, attempt)) {
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
    if (correct_wide({x, 0.0}, attempt) && shows(x, attempt)) {
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
