#include "freeconv/solver/transform.hpp"

#include <algorithm>
#include <cmath>

namespace freeconv {
namespace {

using Point = Complex<double>;

double modulus(Point a) { return std::hypot(a.re, a.im); }

// The size of a leaf's coordinate: what a step is compared with. eta and z may pass through 0 on the way.
double coordinate_size(const Node& n, Point u) {
  switch (n.kind) {
    case Kind::bernoulli:
    case Kind::isometry:
    case Kind::marchenko_pastur: return modulus(u - n.p0.hi);
    case Kind::semicircle: return modulus(u);
    case Kind::discrete: return modulus(u) + discrete(n).reach();
    case Kind::contour: {
      const Contour law = contour(n);
      double largest = 0.0;
      for (std::size_t j = 0; j < law.singular_count; ++j) largest = std::max(largest, std::fabs(law.singular[j]));
      for (std::size_t j = 0; j < law.atom_count; ++j) largest = std::max(largest, std::fabs(law.atoms[j]));
      return modulus(u) + largest;
    }
    default: return modulus(u) + std::max(std::fabs(n.parameters[0]), std::fabs(n.parameters[1]));
  }
}

// How far a leaf's coordinate may see: to the next pole or end of the law. A step over an atom lands on another branch,
// of z between atoms, where the same m and G are met again.
double clearance(const Node& n, Point u) {
  double least = kInfinity;
  const auto keep = [&](double x) { least = std::min(least, std::hypot(u.re - x, u.im)); };
  switch (n.kind) {
    case Kind::discrete:
      for (std::size_t j = 0; j < discrete(n).count; ++j) keep(n.parameters[j]);
      return least;
    case Kind::contour: {
      const Contour law = contour(n);
      for (std::size_t j = 0; j < law.singular_count; ++j) keep(law.singular[j]);
      for (std::size_t j = 0; j < law.atom_count; ++j) keep(law.atoms[j]);
      return least;
    }
    case Kind::arcsine:
    case Kind::uniform:
      keep(n.parameters[0]);
      keep(n.parameters[1]);
      return least;
    default: return coordinate_size(n, u);
  }
}

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
  const Point m = c - root.p0.hi;
  const Point k = exp(top.k.get(0));
  const Point k_slope = k * b;
  if (kind == Argument::m) return {m, a, k, k_slope};
  const Point g = m / k;
  return {g, (a - g * k_slope) / k, k, k_slope};
}

using Leaves = State<double, 1>;

// A step is taken only if the correction is small beside it: a larger one may have changed the branch.
constexpr double kLongestMove = 0.5;
constexpr double kLargestCorrection = 0.15;

bool follows(const Leaves& predicted, const Leaves& moved, const Leaves& corrected) {
  for (std::size_t l = 0; l < predicted.size(); ++l) {
    const double error = modulus(corrected[l].get(0) - predicted[l].get(0));
    if (error > kLargestCorrection * modulus(moved[l].get(0)) + 1e-12 * modulus(corrected[l].get(0))) return false;
  }
  return true;
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
      const double size = coordinate_size(program_.nodes[static_cast<std::size_t>(program_.leaf_nodes[l])], v);
      if (!(modulus(s) <= 0.7 * size)) return false;
      fine = fine && modulus(s) <= kEpsilon * 64.0 * size;
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
  // z = 1/g + ... or mean/m + ...: the half-plane where the leaves' branches are written is Im z >= 0.
  const bool mirrored = (kind == Argument::g || program_.root().mean > 0.0) ? value.im > 0.0 : value.im < 0.0;
  if (mirrored) value.im = -value.im;
  const bool good = follow(kind, value, k);
  if (mirrored) k.im = -k.im;
  return good;
}

bool Transform::follow(Argument kind, Point value, Point& k) {
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
    bool near = true;
    Leaves moved = next;
    for (std::size_t l = 0; l < next.size(); ++l) {
      const Node& leaf = program_.nodes[static_cast<std::size_t>(program_.leaf_nodes[l])];
      const Point s = sweeps_.leaf_step(static_cast<int>(l)).get(0);
      near = near && modulus(s) < kLongestMove * clearance(leaf, next[l].get(0));
      moved[l].set(0, s);
      next[l].set(0, next[l].get(0) + s);
    }
    const Leaves predicted = next;
    if (near && correct(kind, to * value, next, k) && follows(predicted, moved, next)) {
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
