// Many atoms, seen from afar: a binary tree of clusters. docs/many_atoms.md.
//
// A cluster in [c - r, c + r] is its Gauss rule of kNodes nodes for every point with |z - c| > kFar r; nearer ones open
// it, and its smallest parts are the atoms themselves. A rule is a measure with weights > 0 in the cluster's hull, of
// the same mass to 32 digits: signs, sheets and masses are those of the law. Its error falls like (z/r)^(-2 kNodes),
// so that the same rules serve double-doubles, from farther away. Each lane walks the tree alone: its sums are a
// function of its point and the law.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "freeconv/numeric/complex.hpp"

namespace freeconv {

template <class R>
struct MeasureSums {
  Complex<R> t, t2, m, m2;
};

class Clusters {
 public:
  static constexpr std::size_t kFewest = 96;  // atoms, below which they are summed one by one
  static constexpr int kNodes = 12;
  static constexpr std::size_t kLeaf = 48;  // atoms at most that are not split
  // With rho + sqrt(rho^2 - 1) to the power -2 kNodes: 3e-17 and 1e-28.
  static constexpr double kFar = 2.6;
  static constexpr double kFarWide = 7.8;

  // Locations in any order, those at 0 left out.
  Clusters(const double* locations, const DoubleDouble* weights, std::size_t count);

  // t = sum w r, t2 = sum w r^2, m = sum w a r, m2 = sum w a r^2 with r = 1/(z - a).
  template <class R>
  MeasureSums<R> sums(Complex<R> z) const {
    Complex<R> zero{R(0.0), R(0.0)};
    MeasureSums<R> out{zero, zero, zero, zero};
    if (!(fabs_(to_double(z.re)) + fabs_(to_double(z.im)) < kInfinity)) {
      const R nothing(std::numeric_limits<double>::quiet_NaN());
      zero = {nothing, nothing};
      return {zero, zero, zero, zero};
    }
    walk<R>(z, [&](const Cluster& k) { add_rule(k, z, out); }, [&](const Cluster& k) { add_atoms(k, z, out); });
    return out;
  }

  // Adds sum |w r| and sum |w a r|.
  void add_moduli(Complex<double> z, double& of_weights, double& of_moments) const {
    visit<double>(z, [&](Complex<double> difference, double w, double a) {
      const double wr = w / sqrt_(difference.re * difference.re + difference.im * difference.im);
      of_weights += wr;
      of_moments += wr * fabs_(a);
    });
  }

  // Calls f(z - a, weight, a) for the nodes and atoms that z sees.
  template <class R, class F>
  void visit(Complex<R> z, F&& f) const {
    const Columns<R>& c = columns<R>();
    walk<R>(
        z,
        [&](const Cluster& k) {
          const Complex<R> y = z - R(k.center);
          for (std::size_t j = k.rule; j < k.rule + k.nodes; ++j) {
            f(y - R(k.unit) * c.shifts[j], c.weights[j], to_double(c.locations[j]));
          }
        },
        [&](const Cluster& k) {
          for (std::size_t j = k.first; j < k.first + k.count; ++j) f(z - R(atoms_[j]), c.masses[j], atoms_[j]);
        });
  }

  // Adds sum w log(z - a) in double-double to pi F (`left` and whole `turns` of it, see leaf_potential.hpp) and Re U.
  void add_logarithms(Complex<DoubleDouble> z, DoubleDouble& left, DoubleDouble& turns, DoubleDouble& re) const;

  // Mass to the right of x, an exact sum.
  DoubleDouble mass_right(double x) const;
  double reach() const {
    return fabs_(atoms_.front()) > fabs_(atoms_.back()) ? fabs_(atoms_.front()) : fabs_(atoms_.back());
  }

 private:
  struct Cluster {
    double center, unit, inverse;  // unit = 2^k, about the radius
    double far, far_wide;          // beyond which |z - c|^2/unit^2 the rule serves; inf if there is none
    std::uint32_t first, count;    // atoms
    std::uint32_t rule, padded;    // first node; all of them, and some of weight 0
    std::uint32_t nodes;
    std::uint32_t moments;  // the first
    std::uint32_t next;     // after all of its parts
    bool leaf;
  };

  template <class R>
  struct Columns {
    std::vector<R> shifts;  // (node - center)/unit
    std::vector<R> locations, weights;
    std::vector<R> masses;  // of the atoms
  };

  template <class R>
  const Columns<R>& columns() const {
    if constexpr (sizeof(R) == sizeof(double)) {
      return narrow_;
    } else {
      return wide_;
    }
  }

  template <class R, class OnRule, class OnAtoms>
  void walk(Complex<R> z, OnRule&& on_rule, OnAtoms&& on_atoms) const {
    const double re = to_double(z.re);
    const double im = to_double(z.im);
    const std::size_t end = clusters_.size();
    for (std::size_t k = 0; k < end;) {
      const Cluster& cluster = clusters_[k];
      const double x = (re - cluster.center) * cluster.inverse;
      const double y = im * cluster.inverse;
      if (x * x + y * y > (sizeof(R) == sizeof(double) ? cluster.far : cluster.far_wide)) {
        on_rule(cluster);
        k = cluster.next;
      } else if (cluster.leaf) {
        on_atoms(cluster);
        k = cluster.next;
      } else {
        ++k;
      }
    }
  }

  // Beyond this distance a cluster is a point to 1e-100 of itself, and squares would overflow.
  static constexpr double kPoint = 1e100;
  static constexpr int kMoments = 2 * kNodes;

  template <class R>
  void add_rule(const Cluster& k, Complex<R> z, MeasureSums<R>& out) const {
    const R inverse(k.inverse);
    const Complex<R> y = inverse * (z - R(k.center));
    const Columns<R>& c = columns<R>();
    if (!(fabs_(to_double(y.re)) + fabs_(to_double(y.im)) < kPoint)) {
      const Complex<R> r = reciprocal(z - R(k.center));
      for (std::size_t j = k.rule; j < k.rule + k.nodes; ++j) add(c.weights[j], c.locations[j], r, out);
      return;
    }
    constexpr int kLanes = 4;
    R tr[kLanes], ti[kLanes], sr[kLanes], si[kLanes], mr[kLanes], mi[kLanes], qr[kLanes], qi[kLanes];
    for (int l = 0; l < kLanes; ++l) tr[l] = ti[l] = sr[l] = si[l] = mr[l] = mi[l] = qr[l] = qi[l] = R(0.0);
    const R* shifts = c.shifts.data() + k.rule;
    const R* locations = c.locations.data() + k.rule;
    const R* weights = c.weights.data() + k.rule;
    const R square = y.im * y.im;
    for (std::size_t j = 0; j < k.padded; j += kLanes) {
      for (int l = 0; l < kLanes; ++l) {
        const R dx = y.re - shifts[j + static_cast<std::size_t>(l)];
        const R a = locations[j + static_cast<std::size_t>(l)];
        const R scale = R(1.0) / (dx * dx + square);
        const R rr = dx * scale;
        const R ri = -(y.im * scale);
        const R w = weights[j + static_cast<std::size_t>(l)];
        const R pr = w * rr;  // w r
        const R pi = w * ri;
        const R er = pr * rr - pi * ri;  // w r^2
        const R ei = pr * ri + pi * rr;
        tr[l] = tr[l] + pr;
        ti[l] = ti[l] + pi;
        sr[l] = sr[l] + er;
        si[l] = si[l] + ei;
        mr[l] = mr[l] + a * pr;
        mi[l] = mi[l] + a * pi;
        qr[l] = qr[l] + a * er;
        qi[l] = qi[l] + a * ei;
      }
    }
    const auto total = [](const R* part) { return (part[0] + part[1]) + (part[2] + part[3]); };
    out.t = out.t + inverse * Complex<R>{total(tr), total(ti)};
    out.m = out.m + inverse * Complex<R>{total(mr), total(mi)};
    out.t2 = out.t2 + inverse * (inverse * Complex<R>{total(sr), total(si)});
    out.m2 = out.m2 + inverse * (inverse * Complex<R>{total(qr), total(qi)});
  }

  template <class R>
  void add_atoms(const Cluster& k, Complex<R> z, MeasureSums<R>& out) const {
    const R* masses = columns<R>().masses.data();
    for (std::size_t j = k.first; j < k.first + k.count; ++j) {
      add(masses[j], R(atoms_[j]), reciprocal(z - R(atoms_[j])), out);
    }
  }

  template <class R>
  [[gnu::always_inline]] static void add(R w, R a, Complex<R> r, MeasureSums<R>& out) {
    const Complex<R> wr = w * r;
    const Complex<R> wr2 = wr * r;
    out.t = out.t + wr;
    out.t2 = out.t2 + wr2;
    out.m = out.m + a * wr;
    out.m2 = out.m2 + a * wr2;
  }

  void add_far(const Cluster& k, Complex<DoubleDouble> z, DoubleDouble& left, DoubleDouble& turns,
               DoubleDouble& re) const;
  void add_near(const Cluster& k, Complex<DoubleDouble> z, DoubleDouble& left, DoubleDouble& turns,
                DoubleDouble& re) const;

  void split();
  void summarize(std::size_t index);

  std::vector<double> atoms_;          // ascending, all different
  std::vector<DoubleDouble> right_;    // mass of the atoms from each one on
  std::vector<DoubleDouble> moments_;  // of each rule: its mass, and sum w v^k/k for k = 1 to kMoments
  std::vector<Cluster> clusters_;      // each before its parts
  Columns<double> narrow_;
  Columns<DoubleDouble> wide_;
};

}  // namespace freeconv
