// The averaged joint fixed point w <- (1-s) w + s f(w) over the whole tree: the start of every continuation and
// the fallback where Newton fails. Belinschi and Bercovici (2007) prove that f has one fixed point in the upper
// half-plane and attracts it; averaging keeps that point and makes the approach geometric near the real axis,
// where the plain map needs O(1/y) steps.
#pragma once

#include <vector>

#include "freeconv/solver/root.hpp"

namespace freeconv {

// A leaf's coordinate at z, on its physical branch. `previous_k` serves the leaves without a closed inverse.
inline Complex<double> leaf_coordinate(const Node& n, Complex<double> z, Complex<double> previous_k) {
  switch (n.kind) {
    case Kind::bernoulli: return bernoulli(n).locate(z);
    case Kind::marchenko_pastur:
      if (n.parameters[3] == 1.0) return marchenko_pastur(n).locate(z, n.p0.hi);
      return n.p0.hi + previous_k / (z - previous_k);  // m = K/(z - K)
    case Kind::isometry: return n.p0.hi + previous_k / (z - previous_k);
    case Kind::semicircle: return semicircle(n).locate(z);
    default: return z;
  }
}

template <class Law>
inline Complex<double> measure_k(const Law& law, Complex<double> u) {
  Block<double, 1> z;
  z.set(0, u);
  Discrete::Sums<double, 1> sums;
  law.accumulate(z, sums);
  return sums.m.get(0) / (sums.t.get(0) + law.at_zero.hi * reciprocal(u));
}

inline Complex<double> leaf_k(const Node& n, Complex<double> u) {
  switch (n.kind) {
    case Kind::bernoulli: return bernoulli(n).product<double>(u).k;
    case Kind::marchenko_pastur: return marchenko_pastur(n).product<double>(u).k;
    case Kind::isometry: return isometry(n).product<double>(u).k;
    case Kind::semicircle: return semicircle(n).sum<double>(u).k;
    case Kind::arcsine: return arcsine(n).sum<double>(u).k;
    case Kind::uniform: return uniform(n).sum<double>(u).k;
    case Kind::contour: return measure_k(contour(n), u);
    default: return measure_k(discrete(n), u);
  }
}

class FixedPoint {
 public:
  explicit FixedPoint(const Program& program) : program_(program), z_(program.nodes.size()), k_(program.nodes.size()) {}

  // Forgets everything: all K at their value at infinity.
  void start(Complex<double> z) {
    for (std::size_t v = 0; v < program_.nodes.size(); ++v) {
      z_[v] = z;
      k_[v] = {program_.nodes[v].mean, 0.0};
    }
    down(z, false);
  }

  void iterate(Complex<double> z, int count) {
    for (int i = 0; i < count; ++i) {
      up();
      down(z, true);
    }
  }

  void leaves(State<double, 1>& u) const {
    for (std::size_t l = 0; l < u.size(); ++l) {
      const auto v = static_cast<std::size_t>(program_.leaf_nodes[l]);
      u[l].set(0, leaf_coordinate(program_.nodes[v], z_[v], k_[v]));
    }
  }

 private:
  void up() {
    for (std::size_t v = 0; v < program_.nodes.size(); ++v) {
      const Node& n = program_.nodes[v];
      if (n.leaf >= 0) {
        k_[v] = leaf_k(n, leaf_coordinate(n, z_[v], k_[v]));
        continue;
      }
      const auto first = static_cast<std::size_t>(n.children[0].index);
      switch (n.kind) {
        case Kind::affine: k_[v] = n.parameters[1] + n.parameters[0] * k_[first]; break;
        case Kind::resize: {
          const Complex<double> m = k_[first] / (z_[first] - k_[first]);
          k_[v] = k_[first] * ((1.0 + m) / (n.parameters[0] + m));
          break;
        }
        case Kind::boxtimes: {
          Complex<double> sum{0.0, 0.0};
          for (const Child& c : n.children) sum = sum + c.multiplicity * log(k_[static_cast<std::size_t>(c.index)]);
          k_[v] = exp(sum);
          break;
        }
        default: {
          Complex<double> sum{0.0, 0.0};
          for (const Child& c : n.children) sum = sum + c.multiplicity * k_[static_cast<std::size_t>(c.index)];
          k_[v] = sum;
        }
      }
    }
  }

  void down(Complex<double> z, bool average) {
    z_.back() = z;
    for (std::size_t v = program_.nodes.size(); v-- > 0;) {
      const Node& n = program_.nodes[v];
      double total = 0.0;
      for (const Child& c : n.children) total += c.multiplicity;
      const double s = average ? 1.0 / (total > 2.0 ? total : 2.0) : 1.0;
      for (const Child& c : n.children) {
        const auto child = static_cast<std::size_t>(c.index);
        if (n.kind == Kind::affine) {
          z_[child] = (1.0 / n.parameters[0]) * (z_[v] - n.parameters[1]);
        } else if (n.kind == Kind::resize || total == 1.0) {
          z_[child] = z_[v];
        } else if (n.kind == Kind::boxplus) {
          const Complex<double> wanted = z_[v] - k_[v] + k_[child];
          z_[child] = (1.0 - s) * z_[child] + s * wanted;
        } else {
          const Complex<double> wanted = log(z_[v]) - log(k_[v]) + log(k_[child]);
          z_[child] = exp(average ? (1.0 - s) * log(z_[child]) + s * wanted : wanted);
        }
      }
    }
  }

  const Program& program_;
  std::vector<Complex<double>> z_, k_;
};

}  // namespace freeconv
