// Arcsine law on [low, high]: F = sqrt((z - low)(z - high)). Coordinate: u = z.
#pragma once

#include "freeconv/law/curve.hpp"

namespace freeconv {

struct Arcsine {
  double low, high;

  template <class R>
  [[gnu::always_inline]] SumPoint<R> sum(Complex<R> u) const {
    const R c = R(0.5) * (R(low) + R(high));
    const R r = R(0.5) * (R(high) - R(low));
    const Complex<R> y = u - c;
    const Complex<R> f = sqrt(u - R(low)) * sqrt(u - R(high));
    const Complex<R> part = r * (r * reciprocal(y + f));
    // Far out K = z - F loses 2 log10|y/r| digits, so K - c = y - F = r^2/(y + F); near the support the difference
    // is the better one (K -> 0 with F at a hard edge at 0).
    const bool far = squared_modulus(y) > 4.0 * to_double(r) * to_double(r);
    return {f, far ? c + part : u - f, y / f, -(part / f)};
  }

  double mean() const { return 0.5 * (low + high); }
};

}  // namespace freeconv
