// The Gauss rule of a discrete measure: N nodes and weights > 0 with its first 2N moments.
//
// Its Jacobi matrix is updated point by point, by the rational form of the Pal-Walker-Kahan rotations (W. Gragg and
// W. Harwood, Numerische Mathematik 44 (1984)): no subtraction but of locations, while moments or Lanczos' vectors lose
// digits wherever weights differ in size. Only the first N rows are kept; those below do not act on them. Nodes and
// weights are the eigenvalues and squared first components (G. Golub and J. Welsch, Math. Comp. 23 (1969)).
#pragma once

#include <limits>

#include "freeconv/numeric/double_double.hpp"

namespace freeconv {

template <class R, int N>
struct GaussRule {
  int count = 0;
  R nodes[N], weights[N];
};

template <class R, int N>
class JacobiMatrix {
 public:
  // Locations of size 1, weights of total 1: there is no scaling below.
  void add(R x, R weight) {
    R gamma(1.0), sigma(0.0), t(0.0);
    if (points_ < N) {
      diagonal_[points_] = x;
      square_[points_] = R(0.0);
    }
    const int rows = points_ < N ? points_ + 1 : N;
    if (points_ == 0) {
      square_[0] = weight;
      points_ = 1;
      return;
    }
    for (int k = 0; k < rows; ++k) {
      const R sum = square_[k] + weight;
      const R kept = gamma * sum;
      const R before = sigma;
      const bool empty = !(to_double(sum) > 0.0);
      const R over = inverse(empty ? R(1.0) : sum);
      gamma = empty ? R(1.0) : square_[k] * over;
      sigma = empty ? R(0.0) : weight * over;
      const R turned = sigma * (diagonal_[k] - x) - gamma * t;
      diagonal_[k] = diagonal_[k] - (turned - t);
      t = turned;
      weight = to_double(sigma) > 0.0 ? t * t * inverse(sigma) : before * square_[k];
      square_[k] = kept;
    }
    if (points_ < N) ++points_;
  }

  // False if the matrix is not of numbers, or the QL iteration does not converge. Weights sum to 1.
  bool solve(GaussRule<R, N>& out) const {
    R off[N + 1];
    R first[N];
    int n = 1;
    while (n < points_ && to_double(square_[n]) > kNothing) ++n;
    for (int i = 0; i < n; ++i) {
      out.nodes[i] = diagonal_[i];
      off[i] = i + 1 < n ? sqrt_(square_[i + 1]) : R(0.0);
      first[i] = R(i == 0 ? 1.0 : 0.0);
    }
    for (int l = 0; l < n; ++l) {
      for (int iteration = 0;; ++iteration) {
        int m = l;
        while (m + 1 < n && !small(off[m], out.nodes[m], out.nodes[m + 1])) ++m;
        if (m == l) break;
        if (iteration == kMostIterations) return false;
        if (!rotate(l, m, out.nodes, off, first)) return false;
      }
    }
    out.count = n;
    bool numbers = true;
    for (int i = 0; i < n; ++i) {
      out.weights[i] = first[i] * first[i];
      numbers = numbers && fabs_(to_double(out.nodes[i])) < std::numeric_limits<double>::infinity();
    }
    return numbers;
  }

 private:
  // A next row this light is rounding of the rows above it.
  static constexpr double kNothing = 1e-60;
  static constexpr int kMostIterations = 60;
  static constexpr double kUnit = sizeof(R) > sizeof(double) ? 1e-32 : std::numeric_limits<double>::epsilon();

  static bool small(R off, R a, R b) {
    return fabs_(to_double(off)) <= kUnit * (1e-3 + fabs_(to_double(a)) + fabs_(to_double(b)));
  }

  // 1/a, in double-double by one Newton step from the double: a third of the time of its quotient.
  static double inverse(double a) { return 1.0 / a; }
  static DoubleDouble inverse(DoubleDouble a) {
    const double start = 1.0 / a.hi;
    return quick_two_sum(start, start * (DoubleDouble(1.0) - a * DoubleDouble(start)).hi);
  }

  // One implicit QL step with Wilkinson's shift on rows l..m.
  static bool rotate(int l, int m, R* d, R* e, R* first) {
    R g = (d[l + 1] - d[l]) / (R(2.0) * e[l]);
    R r = sqrt_(g * g + R(1.0));
    g = d[m] - d[l] + e[l] / (g + (to_double(g) < 0.0 ? -r : r));
    R s(1.0), c(1.0), p(0.0);
    for (int i = m - 1; i >= l; --i) {
      const R f = s * e[i];
      const R b = c * e[i];
      r = sqrt_(f * f + g * g);
      if (!(to_double(r) < std::numeric_limits<double>::infinity())) return false;
      e[i + 1] = r;
      if (to_double(r) == 0.0) {
        d[i + 1] = d[i + 1] - p;
        e[m] = R(0.0);
        return true;
      }
      s = f / r;
      c = g / r;
      g = d[i + 1] - p;
      r = (d[i] - g) * s + R(2.0) * (c * b);
      p = s * r;
      d[i + 1] = g + p;
      g = c * r - b;
      const R x = first[i + 1];
      first[i + 1] = s * first[i] + c * x;
      first[i] = c * first[i] - s * x;
    }
    d[l] = d[l] - p;
    e[l] = g;
    e[m] = R(0.0);
    return true;
  }

  int points_ = 0;
  R diagonal_[N], square_[N];
};

}  // namespace freeconv
