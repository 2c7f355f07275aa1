// Limits of ever more layers at dynamical isometry, mean 1 and variance s: log K = s m/(1 + m) for activations that
// are piecewise linear, log K = s m for smooth ones; K = 1/S. Any boxtimes power t > 0 is one with t s.
// Coordinate: u = eta. Pennington, Schoenholz, Ganguli, AISTATS 2018 (arXiv:1802.09979), section 4.
#pragma once

#include "freeconv/law/curve.hpp"

namespace freeconv {

struct Isometry {
  double variance;
  bool smooth;
  DoubleDouble p0;
  DoubleDouble bottom;  // 1 - p0

  static Isometry make(double variance, bool smooth, DoubleDouble p0) {
    return {variance, smooth, p0, DoubleDouble(1.0) - p0};
  }

  // log K and its derivative to m.
  template <class R>
  [[gnu::always_inline]] void logarithm(Complex<R> u, Complex<R>& l, Complex<R>& dl) const {
    const R s = R(variance);
    const Complex<R> m = u - constant<R>(p0);
    if (smooth) {
      l = s * m;
      dl = {s, R(0.0)};
      return;
    }
    // 1 + m = eta next to 0, where log K -> -inf: from m itself it would lose log10|eta| digits.
    const Complex<R> inverse = reciprocal(constant<R>(bottom) + u);
    l = s * (m * inverse);
    dl = s * (inverse * inverse);
  }

  template <class R>
  [[gnu::always_inline]] ProductPoint<R> product(Complex<R> u) const {
    Complex<R> l;
    Complex<R> dl;
    logarithm(u, l, dl);
    const Complex<R> k = exp(l);
    return {u, k, {R(1.0), R(0.0)}, k * dl};
  }

  // Of x where K is real, off the support: between the bulk and the atom of a law of variance < 1, or outside of both.
  DoubleDouble mass_right(double x, double m) const {
    if (m > 0.0) return 0.0;
    return smooth || !(x > 0.0) ? DoubleDouble(1.0) : DoubleDouble(1.0) - DoubleDouble(variance);
  }

  double mean() const { return 1.0; }
};

}  // namespace freeconv
