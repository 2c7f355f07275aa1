// The law of g(h), h Gaussian, g analytic in pieces: quadrature on a contour on which Im g < 0. Coordinate: u = z.
//
// After quadrature the law is a fixed discrete measure with complex nodes zeta below the axis and complex weights, good
// for every z in the closed upper half-plane, the support included. Where the contour touches the axis, at singular
// values x_s, nodes are kept as zeta - x_s. There are several rules: the farther z is from all x_s, the fewer nodes.
// Each lane has its own, so that its bits do not depend on its neighbours. docs/slope_laws.md.
//
// int log(z - t) dmu(t) is an integral by parts: a piece's mass at its split, a point of the contour, and nodes with
// elements y, steps of g times the mass up to there. A quotient a node, where weights would take a logarithm.
#pragma once

#include <cstddef>
#include <limits>

#include "freeconv/law/discrete.hpp"

namespace freeconv {

struct Contour {
  // Parameters: kHeader numbers, the singular values, low, high and mass of the intervals of the support, locations and
  // weights of the atoms, the splits; of each rule its distance and the numbers of its nodes at each singular value; of
  // each rule and singular value the nodes' real and imaginary parts, those of the weights and those of the elements,
  // of which the first rule has none.
  static constexpr std::size_t kHeader = 7;  // counts of singular values, intervals, atoms, rules; mean; noise; splits
  static constexpr std::size_t kNode = 6;
  static constexpr std::size_t kSplit = 4;  // number of a singular value, offset from it, mass

  std::size_t singular_count, interval_count, atom_count, rule_count, split_count;
  double mean_value;
  double noise;  // of G by any rule, relative to |G|
  const double* singular;
  const double* intervals;
  const double* atoms;  // all locations, then all weights
  const double* splits;
  const double* rules;
  const double* nodes;
  DoubleDouble at_zero;   // weight of the atom at 0, or 0
  DoubleDouble off_zero;  // 1 - at_zero

  template <class R, int W>
  using Sums = Discrete::Sums<R, W>;

  static Contour view(const double* p, DoubleDouble at_zero, DoubleDouble off_zero) {
    Contour law{};
    law.singular_count = static_cast<std::size_t>(p[0]);
    law.interval_count = static_cast<std::size_t>(p[1]);
    law.atom_count = static_cast<std::size_t>(p[2]);
    law.rule_count = static_cast<std::size_t>(p[3]);
    law.mean_value = p[4];
    law.noise = p[5];
    law.singular = p + kHeader;
    law.intervals = law.singular + law.singular_count;
    law.atoms = law.intervals + 3 * law.interval_count;
    law.split_count = static_cast<std::size_t>(p[6]);
    law.splits = law.atoms + 2 * law.atom_count;
    law.rules = law.splits + kSplit * law.split_count;
    law.nodes = law.rules + law.rule_count * (1 + law.singular_count);
    law.at_zero = at_zero;
    law.off_zero = off_zero;
    return law;
  }

  // The nodes of a rule at a singular value.
  struct Nodes {
    const double* at;
    std::size_t n;
    const double* re() const { return at; }
    const double* im() const { return at + n; }
    const double* weight_re() const { return at + 2 * n; }
    const double* weight_im() const { return at + 3 * n; }
    const double* element_re() const { return at + 4 * n; }
    const double* element_im() const { return at + 5 * n; }
  };

  double mean() const { return mean_value; }

  double distance(std::size_t rule) const { return rules[rule * (1 + singular_count)]; }
  std::size_t count(std::size_t rule, std::size_t s) const {
    return static_cast<std::size_t>(rules[rule * (1 + singular_count) + 1 + s]);
  }

  // The first rule whose domain a lane's point lies in; the last one's is everything.
  template <class R, int W>
  void choose(const Block<R, W>& u, int* chosen) const {
    double nearest[W];
    for (int i = 0; i < W; ++i) nearest[i] = std::numeric_limits<double>::infinity();
    for (std::size_t s = 0; s < singular_count; ++s) {
      for (int i = 0; i < W; ++i) {
        const double x = fabs_(to_double(u.re[i]) - singular[s]);
        const double y = fabs_(to_double(u.im[i]));
        const double d = x > 1e100 || y > 1e100 ? 1e100 : sqrt_(x * x + y * y);  // NaN is the last rule's
        nearest[i] = d < nearest[i] ? d : nearest[i];
      }
    }
    for (int i = 0; i < W; ++i) {
      int rule = 0;
      while (rule + 1 < static_cast<int>(rule_count) && !(nearest[i] >= distance(static_cast<std::size_t>(rule))))
        ++rule;
      chosen[i] = rule;
    }
  }

  // Calls f.group(singular value, nodes, count) for the groups of each rule that a lane has chosen, f.begin(rule)
  // before the groups of a rule and f.end(rule) after them.
  template <int W, class F>
  void visit(const int* chosen, F&& f) const {
    const double* at = nodes;
    for (std::size_t k = 0; k < rule_count; ++k) {
      bool wanted = false;
      for (int i = 0; i < W; ++i) wanted = wanted || chosen[i] == static_cast<int>(k);
      if (wanted) f.begin(static_cast<int>(k));
      for (std::size_t s = 0; s < singular_count; ++s) {
        const std::size_t n = count(k, s);
        if (wanted && n > 0) f.group(singular[s], Nodes{at, n});
        at += kNode * n;
      }
      if (wanted) f.end(static_cast<int>(k));
    }
  }

  // The sums of discrete.hpp, but for the atom at 0.
  template <class R, int W>
  void accumulate(const Block<R, W>& u, Sums<R, W>& sums) const {
    int chosen[W];
    choose<R, W>(u, chosen);
    Accumulator<R, W> accumulator{u, chosen, sums, {}};
    visit<W>(chosen, accumulator);
    for (std::size_t j = 0; j < atom_count; ++j) {
      const double a = atoms[j];
      if (a == 0.0) continue;
      const R w = R(atoms[atom_count + j]);
      for (int i = 0; i < W; ++i) add<R, W>(i, w * reciprocal(u.get(i) - R(a)), u.get(i), R(a), sums);
    }
    for (int i = 0; i < W; ++i) {
      if constexpr (sizeof(R) > sizeof(double)) balance(u.get(i), i, sums);
      settle(u.get(i), i, sums);
    }
  }

  // Adds sum |w r| and sum |w zeta r|, atoms included.
  template <int W>
  void add_moduli(const Block<double, W>& u, double* of_weights, double* of_moments) const {
    int chosen[W];
    choose<double, W>(u, chosen);
    Moduli<W> moduli{u, chosen, of_weights, of_moments, {}, {}};
    visit<W>(chosen, moduli);
    for (std::size_t j = 0; j < atom_count; ++j) {
      for (int i = 0; i < W; ++i) {
        const double x = u.re[i] - atoms[j];
        const double wr = atoms[atom_count + j] / sqrt_(x * x + u.im[i] * u.im[i]);
        of_weights[i] += wr;
        of_moments[i] += wr * fabs_(atoms[j]);
      }
    }
  }

  // The atoms' part of G.
  Complex<double> atoms_at(Complex<double> z) const {
    Complex<double> total{0.0, 0.0};
    for (std::size_t j = 0; j < atom_count; ++j) total = total + atoms[atom_count + j] * reciprocal(z - atoms[j]);
    return total;
  }

  // Whether the density at a real point is less than `factor` times the rules' error.
  bool hides(double x, double factor) const {
    double re = 0.0;
    double im = 0.0;
    last_rule([&](double s, double a, double b, double wr, double wi) {
      const double dx = (x - s) - a;
      const double over = 1.0 / (dx * dx + b * b);
      re += (wr * dx - wi * b) * over;
      im += (wr * b + wi * dx) * over;
    });
    return fabs_(im) <= factor * noise * sqrt_(re * re + im * im);
  }

  // Distance of a real point from the support, atoms off 0 included; 0 inside.
  double gap(double x) const {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < interval_count; ++j) {
      const double below = intervals[3 * j] - x;
      const double above = x - intervals[3 * j + 1];
      const double d = below > above ? below : above;
      least = d < least ? d : least;
    }
    for (std::size_t j = 0; j < atom_count; ++j) {
      const double d = fabs_(x - atoms[j]);
      if (atoms[j] != 0.0) least = d < least ? d : least;
    }
    return least > 0.0 ? least : 0.0;
  }

  // At x off the support or in a tail whose mass is rounding.
  double mass_right(double x) const {
    double mass = 0.0;
    double beyond = 0.0;  // in whole intervals
    for (std::size_t j = 0; j < interval_count; ++j) {
      const double low = intervals[3 * j];
      const double all = intervals[3 * j + 2];
      if (low >= x || intervals[3 * j + 1] <= x) {
        beyond += low >= x ? all : 0.0;
        continue;
      }
      const double part = density_right(x) - beyond_of(j + 1);
      mass += part < kNoMass ? 0.0 : (part > all - kNoMass ? all : part);
    }
    for (std::size_t j = 0; j < atom_count; ++j) mass += atoms[j] > x ? atoms[atom_count + j] : 0.0;
    return mass + beyond;
  }

 private:
  static constexpr double kNoMass = 1e-13;  // of a tail: below it, rounding

  double beyond_of(std::size_t first) const {
    double mass = 0.0;
    for (std::size_t j = first; j < interval_count; ++j) mass += intervals[3 * j + 2];
    return mass;
  }

  // pi times the mass is Im sum w log(x - zeta), by the rule that serves all points.
  double density_right(double x) const {
    double total = 0.0;
    last_rule([&](double s, double a, double b, double wr, double wi) {
      const double dx = (x - s) - a;
      total += wr * atan2_(-b, dx) + 0.5 * wi * log_(dx * dx + b * b);
    });
    return total / kPi;
  }

  // Calls f(singular value, offset re, im, weight re, im) for the nodes of the last rule.
  template <class F>
  void last_rule(F&& f) const {
    const double* at = nodes;
    for (std::size_t k = 0; k < rule_count; ++k) {
      for (std::size_t s = 0; s < singular_count; ++s) {
        const std::size_t n = count(k, s);
        for (std::size_t j = 0; j < n && k + 1 == rule_count; ++j) {
          f(singular[s], at[j], at[n + j], at[2 * n + j], at[3 * n + j]);
        }
        at += kNode * n;
      }
    }
  }

  template <class R, int W>
  static void add(int i, Complex<R> wr, Complex<R> z, R a, Sums<R, W>& sums) {
    const Complex<R> wr2 = wr * reciprocal(z - a);
    sums.t.set(i, sums.t.get(i) + wr);
    sums.t2.set(i, sums.t2.get(i) + wr2);
    sums.m.set(i, sums.m.get(i) + a * wr);
    sums.m2.set(i, sums.m2.get(i) + a * wr2);
  }

  // z t = off_zero + m for weights whose sum is exact. In doubles it is off by an ulp, which is e/m of log m: F would
  // be off by 1e-10 beside masses of 1e-6. The larger one of the two tells the other.
  template <class R, int W>
  void balance(Complex<R> z, int i, Sums<R, W>& sums) const {
    const Complex<R> mass{constant<R>(off_zero), R(0.0)};
    const Complex<R> m = sums.m.get(i);
    if (squared_modulus(m) < squared_modulus(mass + m)) {
      sums.t.set(i, (mass + m) / z);
    } else {
      sums.m.set(i, z * sums.t.get(i) + (-mass));
    }
  }

  // Off the support, beside the axis, the complex weights' rounding would drown the imaginary parts, which are those of
  // a real measure: t(x + iy) = t(x) - i y t2(x) up to (y/gap)^2.
  template <class R, int W>
  void settle(Complex<R> u, int i, Sums<R, W>& sums) const {
    constexpr double kNear = sizeof(R) == sizeof(double) ? 1e-7 : 1e-13;
    const double y = fabs_(to_double(u.im));
    if (!(y < kNear * gap(to_double(u.re)))) return;
    sums.t.im[i] = -(u.im * sums.t2.re[i]);
    sums.m.im[i] = -(u.im * sums.m2.re[i]);
    sums.t2.im[i] = R(0.0);
    sums.m2.im[i] = R(0.0);
  }

  template <int W>
  struct Moduli {
    const Block<double, W>& u;
    const int* chosen;
    double* of_weights;
    double* of_moments;
    double weights[W], moments[W];

    void begin(int) {
      for (int i = 0; i < W; ++i) weights[i] = moments[i] = 0.0;
    }
    void group(double x, const Nodes& nodes) {
      const double* vr = nodes.re();
      const double* vi = nodes.im();
      const double* wr = nodes.weight_re();
      const double* wi = nodes.weight_im();
      for (std::size_t j = 0; j < nodes.n; ++j) {
        const double w = wr[j] * wr[j] + wi[j] * wi[j];
        const double size = sqrt_((x + vr[j]) * (x + vr[j]) + vi[j] * vi[j]);
        for (int i = 0; i < W; ++i) {
          const double dx = (u.re[i] - x) - vr[j];
          const double dy = u.im[i] - vi[j];
          const double term = sqrt_(w / (dx * dx + dy * dy));
          weights[i] += term;
          moments[i] += size * term;
        }
      }
    }
    void end(int k) {
      for (int i = 0; i < W; ++i) {
        of_weights[i] += chosen[i] == k ? weights[i] : 0.0;
        of_moments[i] += chosen[i] == k ? moments[i] : 0.0;
      }
    }
  };

  template <class R, int W>
  struct Accumulator {
    const Block<R, W>& u;
    const int* chosen;
    Sums<R, W>& out;
    Sums<R, W> rule;

    void begin(int) {
      const Complex<R> zero{R(0.0), R(0.0)};
      for (int i = 0; i < W; ++i) {
        rule.t.set(i, zero);
        rule.t2.set(i, zero);
        rule.m.set(i, zero);
        rule.m2.set(i, zero);
      }
    }

    // With v = zeta - x_s and r = 1/((z - x_s) - v): zeta = x_s + v.
    void group(double x, const Nodes& nodes) {
      const double* vr = nodes.re();
      const double* vi = nodes.im();
      const double* wr = nodes.weight_re();
      const double* wi = nodes.weight_im();
      constexpr int kLanes = W % 4 == 0 ? 4 : 1;  // so many that their sums stay in registers
      for (int first = 0; first < W; first += kLanes) {
        R yr[kLanes], yi[kLanes], tr[kLanes], ti[kLanes], sr[kLanes], si[kLanes], mr[kLanes], mi[kLanes], qr[kLanes],
            qi[kLanes];
        for (int l = 0; l < kLanes; ++l) {
          yr[l] = u.re[first + l] - R(x);
          yi[l] = u.im[first + l];
          tr[l] = ti[l] = sr[l] = si[l] = mr[l] = mi[l] = qr[l] = qi[l] = R(0.0);
        }
        for (std::size_t j = 0; j < nodes.n; ++j) {
          const R a = R(vr[j]);
          const R b = R(vi[j]);
          const R c = R(wr[j]);
          const R d = R(wi[j]);
          for (int l = 0; l < kLanes; ++l) {
            const R dx = yr[l] - a;
            const R dy = yi[l] - b;
            const R inverse = R(1.0) / (dx * dx + dy * dy);
            const R rr = dx * inverse;
            const R ri = -(dy * inverse);
            const R pr = c * rr - d * ri;  // w r
            const R pi = c * ri + d * rr;
            const R er = pr * rr - pi * ri;  // w r^2
            const R ei = pr * ri + pi * rr;
            tr[l] = tr[l] + pr;
            ti[l] = ti[l] + pi;
            sr[l] = sr[l] + er;
            si[l] = si[l] + ei;
            mr[l] = mr[l] + (a * pr - b * pi);
            mi[l] = mi[l] + (a * pi + b * pr);
            qr[l] = qr[l] + (a * er - b * ei);
            qi[l] = qi[l] + (a * ei + b * er);
          }
        }
        for (int l = 0; l < kLanes; ++l) {
          const int i = first + l;
          const Complex<R> t{tr[l], ti[l]};
          const Complex<R> t2{sr[l], si[l]};
          rule.t.set(i, rule.t.get(i) + t);
          rule.t2.set(i, rule.t2.get(i) + t2);
          rule.m.set(i, rule.m.get(i) + (Complex<R>{mr[l], mi[l]} + R(x) * t));
          rule.m2.set(i, rule.m2.get(i) + (Complex<R>{qr[l], qi[l]} + R(x) * t2));
        }
      }
    }

    void end(int k) {
      for (int i = 0; i < W; ++i) {
        if (chosen[i] != k) continue;
        out.t.set(i, rule.t.get(i));
        out.t2.set(i, rule.t2.get(i));
        out.m.set(i, rule.m.get(i));
        out.m2.set(i, rule.m2.get(i));
      }
    }
  };
};

}  // namespace freeconv
