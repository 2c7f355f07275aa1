#include "freeconv/solver/transform.hpp"

#include <cmath>

namespace freeconv {
namespace {

using Point = Complex<double>;

double modulus(Point a) { return std::hypot(a.re, a.im); }

// The root's argument and K, with their slopes along the root's parameter.
struct RootValue {
  Point argument, slope, k, k_slope;
};

RootValue root_value(const Node& root, const NodeLanes<double, 1>& top, Argument kind) {
  const Point c = top.c.get(0);
  const Point a = top.a.get(0);
  const Point b = top.b.get(0);
  if (root.form == Form::sum) {
    const Point g = reciprocal(c);
    const Point k = top.k.get(0);
    if (kind == Argument::g) return {g, -(g * g * a), k, b};
    const Point m = k * g;
    return {m, (b - m * a) * g, k, b};
  }
  const Point m = c - root.p0;
  const Point k = exp(top.k.get(0));
  const Point k_slope = k * b;
  if (kind == Argument::m) return {m, a, k, k_slope};
  const Point g = m / k;
  return {g, (a - g * k_slope) / k, k, k_slope};
}

}  // namespace

bool Transform::correct(Argument kind, Point value, State<double, 1>& u, Point& k) {
  for (int iteration = 0; iteration < 20; ++iteration) {
    sweeps_.up(u);
    const RootValue at = root_value(program_.root(), sweeps_.root(), kind);
    Block<double, 1> step;
    step.set(0, (value - at.argument) / at.slope);
    sweeps_.down(step);
    bool fine = true;
    for (std::size_t l = 0; l < u.size(); ++l) {
      const Point s = sweeps_.leaf_step(static_cast<int>(l)).get(0);
      const Point v = u[l].get(0);
      if (!(modulus(s) <= 0.7 * modulus(v) + 1e-300)) return false;
      fine = fine && modulus(s) <= kEpsilon * 64.0 * modulus(v);
      u[l].set(0, v + s);
    }
    k = at.k + at.k_slope * step.get(0);
    if (fine) return true;
    // The floor of rounding: the steps no longer shrink, K no longer moves.
    if (iteration > 8 && modulus(at.k_slope * step.get(0)) <= 1e-13 * modulus(k)) return true;
  }
  return false;
}

bool Transform::k_at(Argument kind, Point value, Point& k) {
  const double mean = program_.root().mean;
  // Far out: |z| of 1e4 times the size of the law, on the ray of the argument.
  double part = 1.0;
  const auto start = [&](double fraction) {
    const Point v = fraction * value;
    const Point z = kind == Argument::g ? mean + reciprocal(v) : Point{mean, 0.0} + mean * reciprocal(v);
    fixed_point_.start(z);
    fixed_point_.iterate(z, 1);
    fixed_point_.leaves(state_);
    return correct(kind, v, state_, k);
  };
  part = 0.5;
  while (!start(part)) {
    part *= 0.25;
    if (part < 1e-12) return false;
  }
  // A start that was too near may have landed on another sheet; one that is much farther out cannot.
  part *= 0.01;
  if (!start(part)) return false;
  double grow = 2.0;
  State<double, 1> next = state_;
  while (part < 1.0) {
    const double to = part * grow > 1.0 ? 1.0 : part * grow;
    next = state_;
    // Tangent: leaves per unit of the argument.
    sweeps_.up(next);
    const RootValue at = root_value(program_.root(), sweeps_.root(), kind);
    Block<double, 1> step;
    step.set(0, ((to - part) * value) / at.slope);
    sweeps_.down_tangent(step);
    double change = 0.0;
    for (std::size_t l = 0; l < next.size(); ++l) {
      const Point s = sweeps_.leaf_step(static_cast<int>(l)).get(0);
      change = std::max(change, modulus(s) / modulus(next[l].get(0)));
      next[l].set(0, next[l].get(0) + s);
    }
    if (change < 0.8 && correct(kind, to * value, next, k)) {
      state_ = next;
      part = to;
      grow = grow * 1.5 > 2.0 ? 2.0 : grow * 1.5;
      continue;
    }
    grow = std::sqrt(grow);
    if (grow < 1.0 + 1e-7) return false;
  }
  return true;
}

}  // namespace freeconv
