// Finitely many atoms. Coordinate: u = z. Atoms are the outer loop, lanes the inner one.
#pragma once

#include <cstddef>

#include "freeconv/law/curve.hpp"
#include "freeconv/numeric/block.hpp"

namespace freeconv {

struct Discrete {
  const double* locations;
  const double* weights;
  std::size_t count;

  // Sums over the atoms a != 0, r = 1/(z - a): t = sum w r, t2 = sum w r^2, m = sum w a r, m2 = sum w a r^2.
  // m is summed by itself: as z G - 1 it loses log10|z| digits far out.
  template <class R, int W>
  struct Sums {
    Block<R, W> t, t2, m, m2;
  };

  template <class R, int W>
  void accumulate(const Block<R, W>& u, Sums<R, W>& sums) const {
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
      const double w = weights[j];
      for (int i = 0; i < W; ++i) {
        const Complex<R> r = reciprocal(u.get(i) - R(a));
        const Complex<R> wr = R(w) * r;
        const Complex<R> wr2 = wr * r;
        sums.t.set(i, sums.t.get(i) + wr);
        sums.t2.set(i, sums.t2.get(i) + wr2);
        sums.m.set(i, sums.m.get(i) + R(a) * wr);
        sums.m2.set(i, sums.m2.get(i) + R(a) * wr2);
      }
    }
  }

  double weight_at_zero() const {
    for (std::size_t j = 0; j < count; ++j) {
      if (locations[j] == 0.0) return weights[j];
    }
    return 0.0;
  }

  // Sum of the nonzero weights: 1 - mu{0} without the subtraction.
  double weight_off_zero() const {
    double total = 0.0;
    for (std::size_t j = 0; j < count; ++j) total += locations[j] == 0.0 ? 0.0 : weights[j];
    return total;
  }

  double mean() const {
    double total = 0.0;
    for (std::size_t j = 0; j < count; ++j) total += weights[j] * locations[j];
    return total;
  }
};

}  // namespace freeconv
