// Arcsine law on [low, high]: F = sqrt((z - low)(z - high)). Coordinate: u = z.
#pragma once

#include "freeconv/law/curve.hpp"

namespace freeconv {

struct Arcsine {
  double low, high;

  template <class R>
  SumPoint<R> sum(Complex<R> u) const {
    const R c = R(0.5) * (R(low) + R(high));
    const R r = R(0.5) * (R(high) - R(low));
    const Complex<R> y = u - c;
    const Complex<R> f = sqrt(u - R(low)) * sqrt(u - R(high));
    // K - c = y - F = r^2 / (y + F): the difference loses 2 log10|y/r| digits at large |z|.
    const Complex<R> part = (r * r) * reciprocal(y + f);
    return {f, c + part, y / f, -(part / f)};
  }

  double mean() const { return 0.5 * (low + high); }
};

}  // namespace freeconv
