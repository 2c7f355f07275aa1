// Finitely many atoms. Coordinate: u = z. Few atoms are the outer loop, lanes the inner one; many are seen as clusters,
// lane by lane (clusters.hpp).
//
// Weights are double-double: doubles such as .2, .4, .4 miss 1 by 5e-17, which (1 - 1e-6) of an edge shows as 5e-11 of
// the density. They are divided by their exact sum; of two atoms one of which is 0 the other's weight is exact.
#pragma once

#include <cstddef>

#include "freeconv/law/clusters.hpp"
#include "freeconv/law/curve.hpp"
#include "freeconv/numeric/block.hpp"

namespace freeconv {

struct Discrete {
  const double* locations;
  const DoubleDouble* weights;
  std::size_t count;
  DoubleDouble at_zero;                // weight of the atom at 0, or 0
  DoubleDouble off_zero;               // 1 - at_zero
  const Clusters* clusters = nullptr;  // of the atoms off 0, if there are many

  // Sums over the atoms a != 0, r = 1/(z - a): t = sum w r, t2 = sum w r^2, m = sum w a r, m2 = sum w a r^2.
  // m is summed by itself: as z G - 1 it loses log10|z| digits far out.
  template <class R, int W>
  struct Sums {
    Block<R, W> t, t2, m, m2;
  };

  template <class R, int W>
  void accumulate(const Block<R, W>& u, Sums<R, W>& sums) const {
    if (clusters != nullptr) {
      for (int i = 0; i < W; ++i) {
        const MeasureSums<R> own = clusters->sums(u.get(i));
        sums.t.set(i, own.t);
        sums.t2.set(i, own.t2);
        sums.m.set(i, own.m);
        sums.m2.set(i, own.m2);
      }
      return;
    }
    for (int i = 0; i < W; ++i) {
      const Complex<R> zero{R(0.0), R(0.0)};
      sums.t.set(i, zero);
      sums.t2.set(i, zero);
      sums.m.set(i, zero);
      sums.m2.set(i, zero);
    }
    for (std::size_t j = 0; j < count; ++j) {
      const double a = locations[j];
      if (a == 0.0) continue;
      const R w = constant<R>(weights[j]);
      for (int i = 0; i < W; ++i) {
        const Complex<R> r = reciprocal(u.get(i) - R(a));
        const Complex<R> wr = w * r;
        const Complex<R> wr2 = wr * r;
        sums.t.set(i, sums.t.get(i) + wr);
        sums.t2.set(i, sums.t2.get(i) + wr2);
        sums.m.set(i, sums.m.get(i) + R(a) * wr);
        sums.m2.set(i, sums.m2.get(i) + R(a) * wr2);
      }
    }
  }

  // Adds sum |w r| and sum |w a r|.
  template <int W>
  void add_moduli(const Block<double, W>& u, double* of_weights, double* of_moments) const {
    if (clusters != nullptr) {
      for (int i = 0; i < W; ++i) {
        clusters->add_moduli(u.get(i), of_weights[i], of_moments[i]);
        if (at_zero.hi > 0.0) of_weights[i] += at_zero.hi / sqrt_(squared_modulus(u.get(i)));
      }
      return;
    }
    for (std::size_t j = 0; j < count; ++j) {
      const double a = locations[j];
      const double w = weights[j].hi;
      for (int i = 0; i < W; ++i) {
        const double x = u.re[i] - a;
        const double wr = w / sqrt_(x * x + u.im[i] * u.im[i]);
        of_weights[i] += wr;
        of_moments[i] += wr * fabs_(a);
      }
    }
  }

  // Mass to the right of x.
  DoubleDouble mass_right(double x) const {
    if (clusters != nullptr) return clusters->mass_right(x) + (x < 0.0 ? at_zero : DoubleDouble(0.0));
    DoubleDouble mass;
    for (std::size_t j = 0; j < count; ++j) {
      if (locations[j] > x) mass = mass + weights[j];
    }
    return mass;
  }

  // The largest |location|.
  double reach() const {
    if (clusters != nullptr) return clusters->reach();
    double largest = 0.0;
    for (std::size_t j = 0; j < count; ++j) largest = fabs_(locations[j]) > largest ? fabs_(locations[j]) : largest;
    return largest;
  }

  double mean() const {
    double total = 0.0;
    for (std::size_t j = 0; j < count; ++j) total += weights[j].hi * locations[j];
    return total;
  }
};

}  // namespace freeconv
