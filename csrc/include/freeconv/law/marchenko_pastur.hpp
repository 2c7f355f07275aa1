// Marchenko-Pastur and free Poisson laws: K(m) = alpha (beta + gamma m), and its boxtimes powers t > 0,
// K(m)^t. W W^T with ratio c and entry variance s/d is (s, 1, c); rate lambda and jump a is (a, lambda, 1).
// Coordinate: u = eta. Voiculescu, Dykema, Nica, Free Random Variables (1992), 3.7.
#pragma once

#include "freeconv/law/curve.hpp"

namespace freeconv {

struct MarchenkoPastur {
  double alpha, beta, gamma, power;
  DoubleDouble offset;  // beta - gamma p0, so that K = alpha (offset + gamma eta) without cancellation

  static MarchenkoPastur make(double alpha, double beta, double gamma, double power, DoubleDouble p0) {
    const DoubleDouble difference = DoubleDouble(beta) - DoubleDouble(gamma) * p0;
    // p0 = beta/gamma to 32 digits: what is left is rounding.
    const bool zero = fabs_(difference.hi) <= 1e-30 * beta;
    return {alpha, beta, gamma, power, zero ? DoubleDouble(0.0) : difference};
  }

  template <class R>
  [[gnu::always_inline]] ProductPoint<R> product(Complex<R> u) const {
    Complex<R> base = R(gamma) * u;
    base.re = base.re + constant<R>(offset);
    Complex<R> k = R(alpha) * base;
    Complex<R> dk{R(alpha * gamma), R(0.0)};
    if (power != 1.0) {
      const Complex<R> l = log(k);
      k = exp(R(power) * l);
      dk = (R(power * gamma) * k) / base;
    }
    return {u, k, {R(1.0), R(0.0)}, dk};
  }

  // m from z: alpha gamma m^2 + (alpha (beta + gamma) - z) m + alpha beta = 0, the root with Im m < 0.
  // (power 1; other powers are started from m = mean/z and left to Newton.)
  Complex<double> locate(Complex<double> z, double p0) const {
    if (power != 1.0) return p0 + mean() * reciprocal(z);
    const double a = alpha * gamma;
    const Complex<double> half{0.5 * (alpha * (beta + gamma) - z.re), -0.5 * z.im};
    Complex<double> root = sqrt(half * half - a * alpha * beta);
    // The stable root is c/(-half -+ root) with the larger denominator being the other one.
    if (root.re * half.re + root.im * half.im < 0.0) root = -root;
    const Complex<double> big = -(half + root);
    const Complex<double> m1 = (1.0 / a) * big;
    const Complex<double> m2 = (alpha * beta) * reciprocal(big);
    // m = int t/(z - t): below the axis for a law on [0, inf), above it for one on (-inf, 0]; m1 m2 > 0, so just one
    // is. At real z (far out, where transforms start) it is the root that vanishes at infinity.
    if (z.im == 0.0) return p0 + (squared_modulus(m1) < squared_modulus(m2) ? m1 : m2);
    return p0 + ((m1.im < m2.im) == (alpha > 0.0) ? m1 : m2);
  }

  double mean() const { return power == 1.0 ? alpha * beta : __builtin_pow(alpha * beta, power); }
};

}  // namespace freeconv
