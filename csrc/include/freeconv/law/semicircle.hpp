// Semicircle law of mean a and variance v: K = a + v G. Coordinate: u = F = 1/G.
#pragma once

#include "freeconv/law/curve.hpp"

namespace freeconv {

struct Semicircle {
  double center, variance;

  template <class R>
  [[gnu::always_inline]] SumPoint<R> sum(Complex<R> u) const {
    const Complex<R> g = reciprocal(u);
    const R root = sqrt_(R(variance));
    const Complex<R> vg = root * (root * g);  // a variance of 1e300 is too large to be split
    return {u, R(center) + vg, {R(1.0), R(0.0)}, -(vg * g)};
  }

  // F = (y + sqrt(y^2 - 4v)) / 2, y = z - a; the product of two principal roots is the branch ~ y.
  Complex<double> locate(Complex<double> z) const {
    const double radius = 2.0 * sqrt_(variance);
    const Complex<double> y = z - center;
    return 0.5 * (y + sqrt(y - radius) * sqrt(y - (-radius)));
  }

  double mean() const { return center; }
};

}  // namespace freeconv
