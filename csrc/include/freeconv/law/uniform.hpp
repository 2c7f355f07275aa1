// Uniform law on [low, high]: G = atanh(1/y) / h, y = (z - c)/h, h the half width. Coordinate: u = z.
#pragma once

#include "freeconv/law/curve.hpp"

namespace freeconv {

struct Uniform {
  double low, high;

  template <class R>
  [[gnu::always_inline]] SumPoint<R> sum(Complex<R> u) const {
    const R c = R(0.5) * (R(low) + R(high));
    const R h = R(0.5) * (R(high) - R(low));
    const Complex<R> y = (R(1.0) / h) * (u - c);
    // y atanh(1/y) = 1 + S, S = q/3 + q^2/5 + ..., q = 1/y^2; K - c = h y S/(1 + S). Formed as a difference
    // S would lose log10|y|^2 digits, so the series takes over at |q| < 1/4 (60 terms: below 1e-35).
    const Complex<R> inverse = reciprocal(y);
    const Complex<R> q = inverse * inverse;
    Complex<R> s;
    const bool far = squared_modulus(q) < 0.0625;
    if (far) {
      s = {R(0.0), R(0.0)};
      for (int n = 60; n >= 1; --n) s = q * (R(1.0) / R(2.0 * n + 1.0) + s);
    } else {
      // arg(z-low) - arg(z-high) is in [-pi, 0]: the principal logarithm of the quotient, of which left of the support
      // the tiny argument keeps its digits. From z itself and not from y, so that z -> low keeps them too.
      const Complex<R> difference = log((u - R(low)) / (u - R(high)));
      s = (R(0.5) * (y * difference)) - R(1.0);
    }
    const Complex<R> inverse_sum = reciprocal(R(1.0) + s);
    const Complex<R> f = h * (y * inverse_sum);
    const Complex<R> k = far ? c + h * (y * (s * inverse_sum)) : u - f;
    // dF/dz = -G' F^2, G' = -1/(h^2 (y^2 - 1)).
    // Factor by factor: squares leave the doubles, and double-doubles before them, at scales of 1e150.
    const Complex<R> df = (f / (u - R(low))) * (f / (u - R(high)));
    return {f, k, df, R(1.0) + (-df)};
  }

  double mean() const { return 0.5 * (low + high); }
};

}  // namespace freeconv
