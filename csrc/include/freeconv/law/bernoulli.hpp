// (1-p) delta_0 + p delta_v inside a product: K(m) = v (p + m) / (1 + m), coordinate u = eta.
#pragma once

#include "freeconv/law/curve.hpp"

namespace freeconv {

struct Bernoulli {
  double p, value;
  DoubleDouble p0;
  DoubleDouble top;     // p - p0
  DoubleDouble bottom;  // 1 - p0

  static Bernoulli make(double p, double value, DoubleDouble p0) {
    return {p, value, p0, DoubleDouble(p) - p0, DoubleDouble(1.0) - p0};
  }

  template <class R>
  [[gnu::always_inline]] ProductPoint<R> product(Complex<R> u) const {
    const Complex<R> inverse = reciprocal(constant<R>(bottom) + u);
    const Complex<R> k = R(value) * ((constant<R>(top) + u) * inverse);
    const Complex<R> dk = (R(value) * (R(1.0) - R(p))) * (inverse * inverse);
    return {u, k, {R(1.0), R(0.0)}, dk};
  }

  // m = p v / (z - v)
  Complex<double> locate(Complex<double> z) const { return p0.hi + (p * value) * reciprocal(z - value); }

  double mean() const { return p * value; }
};

}  // namespace freeconv
