// What a law tells the tree at one value of its own coordinate u: a point of its curve and the tangent.
//
// Every law is the set of pairs (z, G) with G its Cauchy transform, z in the upper half-plane. Written in
//   F = 1/G,   K = z - F,   m = z G - 1 = K / F
// the operations need no cancellation: K adds at equal F under boxplus (K is the R-transform) and
// multiplies at equal m under boxtimes (K = 1/S).
//
// A law is handed over either with (F, K) or with (eta, K), eta = m + p0. The offset p0 = 1 - mu{0} of the
// product that the law stands in makes eta -> 0 at x -> 0, where m itself would keep only the absolute
// accuracy 1e-16 (Marchenko-Pastur at x = 1e-20: 1 + m = 1e-10, six digits left).
#pragma once

#include "freeconv/numeric/complex.hpp"

namespace freeconv {

template <class R>
struct SumPoint {
  Complex<R> f, k, df, dk;
};

template <class R>
struct ProductPoint {
  Complex<R> eta, k, deta, dk;
};

// A parameter known to double-double; kernels take what their precision can use.
template <class R>
inline R constant(DoubleDouble value);
template <>
inline double constant<double>(DoubleDouble value) {
  return value.hi;
}
template <>
inline DoubleDouble constant<DoubleDouble>(DoubleDouble value) {
  return value;
}

}  // namespace freeconv
