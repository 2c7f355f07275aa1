// The root's equation: the pair that the tree offers must lie at the wanted z.
//   product form: log z = log((1+m)/m) + log K,   sum form: z = F + K.
// The logarithms are unwrapped (log K is a sum over the factors), so a wrong sheet has a residual of 2 pi i t.
#pragma once

#include "freeconv/tree/sweeps.hpp"

namespace freeconv {

template <class R>
struct RootStep {
  Complex<R> residual;
  Complex<R> slope;  // d(log z)/ds or dz/ds
};

// What the residual compares with: log z (product form) or z.
inline Complex<double> root_target(const Node& root, Complex<double> z) {
  return root.form == Form::product ? log(z) : z;
}
inline Complex<DoubleDouble> root_target(const Node& root, Complex<DoubleDouble> z) {
  return root.form == Form::product ? log(z) : z;
}

// One form's equation, with the constants taken out of the lanes' loop.
template <class R>
struct ProductRoot {
  R p0, rest;  // and 1 - p0
  explicit ProductRoot(const Node& root) : p0(constant<R>(root.p0)), rest(constant<R>(DoubleDouble(1.0) - root.p0)) {}

  [[gnu::always_inline]] RootStep<R> step(Complex<R> c, Complex<R> k, Complex<R> a, Complex<R> b,
                                          Complex<R> target) const {
    const Complex<R> one_plus_m = rest + c;
    const Complex<R> inverse = reciprocal(c - p0);
    return {target - (log(one_plus_m * inverse) + k), b - (a * inverse) / one_plus_m};
  }
};

template <class R>
struct SumRoot {
  [[gnu::always_inline]] RootStep<R> step(Complex<R> c, Complex<R> k, Complex<R> a, Complex<R> b,
                                          Complex<R> target) const {
    return {target - (c + k), a + b};
  }
};

template <class R>
inline RootStep<R> root_step(const Node& root, Complex<R> c, Complex<R> k, Complex<R> a, Complex<R> b,
                             Complex<R> target) {
  return root.form == Form::sum ? SumRoot<R>{}.step(c, k, a, b, target) : ProductRoot<R>(root).step(c, k, a, b, target);
}

// G at a root whose common coordinate is c, at z.
template <class R>
inline Complex<R> root_cauchy(const Node& root, Complex<R> c, Complex<R> z) {
  if (root.form == Form::sum) return reciprocal(c);
  return (constant<R>(DoubleDouble(1.0) - root.p0) + c) / z;
}

// pi times the density at real z = x, with no division of the small by the large: -Im G.
inline double root_density(const Node& root, Complex<double> c, double x) {
  if (root.form == Form::product) return -c.im / x;
  const Complex<double> g = reciprocal(c);
  return -g.im;
}

}  // namespace freeconv
