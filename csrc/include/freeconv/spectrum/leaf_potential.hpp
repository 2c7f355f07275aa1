// What each leaf adds to the logarithmic potential of its tree, at its own unknown: pi F and Re U, in doubles or in
// double-double. U(z) = int log(z - t) dmu(t); for a law of closed S, U = (1 + m) log z(m) - int log z(m) dm.
#pragma once

#include "freeconv/tree/program.hpp"

namespace freeconv {

// log x of a real x > 0, and the angle of a point.
[[gnu::always_inline]] inline double real_log(double x) { return log_(x); }
inline DoubleDouble real_log(DoubleDouble x) { return log(Complex<DoubleDouble>{x, DoubleDouble(0.0)}).re; }
[[gnu::always_inline]] inline double angle(double y, double x) { return atan2_(y, x); }
inline DoubleDouble angle(DoubleDouble y, DoubleDouble x) { return log(Complex<DoubleDouble>{x, y}).im; }

// log(1 + x), also where 1 + x rounds x away (Kahan).
template <class R>
[[gnu::always_inline]] inline R log1p_(R x) {
  const R u = R(1.0) + x;
  const R rest = u - R(1.0);
  return to_double(rest) == 0.0 ? x : real_log(u) * (x / rest);
}

inline constexpr DoubleDouble kWidePi{3.141592653589793, 1.2246467991473532e-16};

template <class R, int W>
class LeafPotential {
 protected:
  struct Value {
    alignas(64) R left[W];  // pi (F - turns)
    alignas(64) R turns[W];
    alignas(64) R re[W];          // Re U
    alignas(64) double noise[W];  // of F in doubles, an estimate
  };

  // `by_parts`: see Program::slopes_by_parts.
  void leaf(const Node& n, const Block<R, W>& x, bool by_parts, bool real, Value& out) {
    switch (n.kind) {
      case Kind::discrete: discrete_leaf(discrete(n), x, real, out); break;
      case Kind::contour: contour_leaf(contour(n), x, by_parts, real, out); break;
      case Kind::bernoulli: bernoulli_leaf(bernoulli(n), x, real, out); break;
      case Kind::marchenko_pastur: poisson_leaf(marchenko_pastur(n), n.p0, x, real, out); break;
      case Kind::isometry: isometry_leaf(isometry(n), x, real, out); break;
      case Kind::semicircle: semicircle_leaf(semicircle(n), x, real, out); break;
      case Kind::arcsine: arcsine_leaf(arcsine(n), x, real, out); break;
      default: uniform_leaf(uniform(n), x, real, out);
    }
  }

  static void clear(Value& out) {
    for (int i = 0; i < W; ++i) {
      out.left[i] = out.turns[i] = out.re[i] = R(0.0);
      out.noise[i] = 0.0;
    }
  }

  template <class Body>
  [[gnu::always_inline]] void lanes(const Body& body) const {
    for (int i = 0; i < W; ++i) {
      if constexpr (sizeof(R) > sizeof(double)) {
        if (wanted_ != nullptr && wanted_[i] == 0) continue;
      }
      body(i);
    }
  }

  // Adds weight times the angle pi - arg a, Im a > 0.
  [[gnu::always_inline]] static void add_left(Complex<R> a, R weight, R& left, R& turns) {
    const R rotated = weight * angle(a.im, fabs_(a.re));
    const bool on_left = to_double(a.re) < 0.0;
    left = left + (on_left ? rotated : -rotated);
    turns = turns + (on_left ? R(0.0) : weight);
  }
  [[gnu::always_inline]] static double modulus(Complex<R> a) { return sqrt_(squared_modulus(a)); }
  [[gnu::always_inline]] static R log_abs(Complex<R> a) { return log(a).re; }

  void discrete_leaf(const Discrete& law, const Block<R, W>& u, bool real, Value& out) {
    clear(out);
    if (law.clusters != nullptr) {
      lanes([&](int i) {
        const auto add = [&](Complex<R> difference, R w) {
          add_left(difference, w, out.left[i], out.turns[i]);
          if (real) out.re[i] = out.re[i] + w * log_abs(difference);
        };
        if constexpr (sizeof(R) > sizeof(double)) {
          law.clusters->add_logarithms(u.get(i), out.left[i], out.turns[i], out.re[i]);
        } else {
          law.clusters->visit(u.get(i), [&](Complex<R> difference, R w, double) { add(difference, w); });
        }
        if (law.at_zero.hi > 0.0) add(u.get(i), constant<R>(law.at_zero));
      });
      return;
    }
    for (std::size_t j = 0; j < law.count; ++j) {
      const R a = R(law.locations[j]);
      const R w = constant<R>(law.weights[j]);
      lanes([&](int i) { add_left(u.get(i) - a, w, out.left[i], out.turns[i]); });
      if (!real) continue;
      lanes([&](int i) { out.re[i] = out.re[i] + w * log_abs(u.get(i) - a); });
    }
  }

  void contour_leaf(const Contour& law, const Block<R, W>& u, bool by_parts, bool real, Value& out) {
    clear(out);
    int chosen[W];
    law.template choose<R, W>(u, chosen);
    if (by_parts) {
      for (int i = 0; i < W; ++i) chosen[i] = chosen[i] == 0 ? 1 : chosen[i];  // the first rule has no elements
    }
    if (wanted_ != nullptr) {
      for (int i = 0; i < W; ++i) chosen[i] = wanted_[i] != 0 ? chosen[i] : -1;
    }
    R mass = R(1.0);
    for (std::size_t j = 0; j < law.atom_count; ++j) mass = mass - R(law.atoms[law.atom_count + j]);
    if (by_parts) {
      Elements elements{u, chosen, out, 0, {}, {}};
      law.template visit<W>(chosen, elements);
      add_splits(law, u, mass, real, out);
    } else {
      Logarithms logarithms{u, chosen, real, out, lacking_, mass, 0, {R(0.0), R(0.0)}, {}, {}};
      law.template visit<W>(chosen, logarithms);
    }
    for (std::size_t j = 0; j < law.atom_count; ++j) {
      const R a = R(law.atoms[j]);
      const R w = R(law.atoms[law.atom_count + j]);
      lanes([&](int i) { add_left(u.get(i) - a, w, out.left[i], out.turns[i]); });
      if (!real) continue;
      lanes([&](int i) { out.re[i] = out.re[i] + w * log_abs(u.get(i) - a); });
    }
  }

  // U = sum w log(z - zeta) with Im(z - zeta) > 0. The weights' imaginary parts sum to 0, so that for each node the
  // angle on the left is w.re (pi - arg) - w.im log|z - zeta|.
  struct Logarithms {
    const Block<R, W>& z;
    const int* chosen;
    bool real;
    Value& out;
    Complex<R>* lacking;
    R mass;  // what the weights should sum to
    int rule;
    Complex<R> sum;
    R left[W], re[W];

    void begin(int k) {
      rule = k;
      sum = {R(0.0), R(0.0)};
      for (int i = 0; i < W; ++i) left[i] = re[i] = R(0.0);
    }
    void group(double x, const Contour::Nodes& nodes) {
      const double* vr = nodes.re();
      const double* vi = nodes.im();
      const double* wr = nodes.weight_re();
      const double* wi = nodes.weight_im();
      for (std::size_t j = 0; j < nodes.n; ++j) {
        sum = sum + Complex<R>{R(wr[j]), R(wi[j])};
        for (int i = 0; i < W; ++i) {
          if constexpr (sizeof(R) > sizeof(double)) {  // slow
            if (chosen[i] != rule) continue;
          }
          const Complex<R> logarithm = log(Complex<R>{(z.re[i] - R(x)) - R(vr[j]), z.im[i] - R(vi[j])});
          const R angle = pi() - logarithm.im;
          left[i] = left[i] + (R(wr[j]) * angle - R(wi[j]) * logarithm.re);
          if (real) re[i] = re[i] + (R(wr[j]) * logarithm.re + R(wi[j]) * angle);
        }
      }
    }
    void end(int k) {
      for (int i = 0; i < W; ++i) {
        if (chosen[i] != k) continue;
        out.left[i] = left[i];
        out.re[i] = re[i];
        lacking[i] = {mass - sum.re, -sum.im};
      }
    }
    static R pi() { return constant<R>(kWidePi); }
  };

  // U = sum of mass log(z - split) + sum y/(z - zeta), see law/contour.hpp.
  struct Elements {
    const Block<R, W>& z;
    const int* chosen;
    Value& out;
    int rule;
    R left[W], re[W];

    void begin(int k) {
      rule = k;
      for (int i = 0; i < W; ++i) left[i] = re[i] = R(0.0);
    }
    void group(double x, const Contour::Nodes& nodes) {
      constexpr int kLanes = W % 4 == 0 ? 4 : 1;  // so many that their sums stay in registers
      for (int first = 0; first < W; first += kLanes) {
        if constexpr (sizeof(R) > sizeof(double)) {  // slow
          bool wanted = false;
          for (int l = 0; l < kLanes; ++l) wanted = wanted || chosen[first + l] == rule;
          if (!wanted) continue;
        }
        R yr[kLanes], sum_re[kLanes], sum_im[kLanes];
        for (int l = 0; l < kLanes; ++l) {
          yr[l] = z.re[first + l] - R(x);
          sum_re[l] = sum_im[l] = R(0.0);
        }
        for (std::size_t j = 0; j < nodes.n; ++j) {
          const R a = R(nodes.re()[j]);
          const R b = R(nodes.im()[j]);
          const R c = R(nodes.element_re()[j]);
          const R d = R(nodes.element_im()[j]);
          for (int l = 0; l < kLanes; ++l) {
            const R dx = yr[l] - a;
            const R dy = z.im[first + l] - b;
            const R inverse = R(1.0) / (dx * dx + dy * dy);
            const R rr = dx * inverse;
            const R ri = -(dy * inverse);
            sum_re[l] = sum_re[l] + (c * rr - d * ri);
            sum_im[l] = sum_im[l] + (c * ri + d * rr);
          }
        }
        for (int l = 0; l < kLanes; ++l) {
          left[first + l] = left[first + l] - sum_im[l];
          re[first + l] = re[first + l] + sum_re[l];
        }
      }
    }
    void end(int k) {
      for (int i = 0; i < W; ++i) {
        if (chosen[i] != k) continue;
        out.left[i] = left[i];
        out.re[i] = re[i];
      }
    }
  };

  void add_splits(const Contour& law, const Block<R, W>& u, R mass, bool real, Value& out) {
    for (std::size_t k = 0; k < law.split_count; ++k) {
      const double* split = law.splits + k * Contour::kSplit;
      const double x = law.singular[static_cast<std::size_t>(split[0])];
      const R part = R(split[3]);
      mass = mass - part;
      lanes([&](int i) {
        const Complex<R> apart{(u.re[i] - R(x)) - R(split[1]), u.im[i] - R(split[2])};
        if (!real) {
          out.left[i] = out.left[i] + part * angle(apart.im, -apart.re);
          return;
        }
        const Complex<R> logarithm = log(apart);
        out.left[i] = out.left[i] + part * (constant<R>(kWidePi) - logarithm.im);
        out.re[i] = out.re[i] + part * logarithm.re;
      });
    }
    for (int i = 0; i < W; ++i) lacking_[i] = {mass, R(0.0)};
  }

  // U = (1-p) log z + p log(z - v) with z = v (p + m)/m.
  void bernoulli_leaf(const Bernoulli& law, const Block<R, W>& u, bool real, Value& out) {
    clear(out);
    const R rest = R(1.0) - R(law.p);
    const R p0 = constant<R>(law.p0);
    const R offset = constant<R>(law.top);
    const R constant_part = real_log(R(law.value)) + R(law.p) * real_log(R(law.p));
    lanes([&](int i) {
      const Complex<R> m = u.get(i) - p0;
      const Complex<R> top = offset + u.get(i);
      add_left({m.re, -m.im}, R(1.0), out.left[i], out.turns[i]);
      add_left({-top.re, -top.im}, rest, out.left[i], out.turns[i]);
      out.re[i] = real ? constant_part + rest * log_abs(top) - log_abs(m) : R(0.0);
    });
  }

  // U = (1 + m) log z - int log z dm with z = K(m) (1 + m)/m, K = (alpha (beta + gamma m))^t:
  //   t log(alpha beta) - log m + t m + t (1 - beta/gamma) log(1 + m gamma/beta).
  void poisson_leaf(const MarchenkoPastur& law, DoubleDouble wide_p0, const Block<R, W>& u, bool real, Value& out) {
    clear(out);
    const R t = R(law.power);
    const R slope = t * (R(1.0) - R(law.beta) / R(law.gamma));
    const R side = R(law.alpha > 0.0 ? -1.0 : 1.0);  // of Im m
    const R log_beta = real_log(R(law.beta));
    const R constant_part = t * (real_log(R(fabs_(law.alpha))) + log_beta);
    const R ratio = R(law.gamma) / R(law.beta);
    const R p0 = constant<R>(wide_p0);
    const R offset = constant<R>(law.offset);
    lanes([&](int i) {
      const Complex<R> m = u.get(i) - p0;
      const Complex<R> base = offset + R(law.gamma) * u.get(i);
      out.left[i] = -(t * m.im);
      add_left({-(side * m.re), side * m.im}, R(1.0), out.left[i], out.turns[i]);
      add_left({-base.re, side * base.im}, -(side * slope), out.left[i], out.turns[i]);
      if (!real) {
        out.re[i] = R(0.0);
        return;
      }
      // A small gamma m must not be lost in 1 + gamma m: slope is as large as 1/gamma.
      const Complex<R> w = ratio * m;
      const R size = w.re * w.re + w.im * w.im;
      const R moved = to_double(size) < 0.25 ? R(0.5) * log1p_(R(2.0) * w.re + size) : log_abs(base) - log_beta;
      out.re[i] = constant_part - log_abs(m) + t * m.re + slope * moved;
    });
  }

  // U = (1 + m) log K - log m - int log K dm: s log(1 + m) - log m, or for smooth activations s m + s m^2/2 - log m.
  void isometry_leaf(const Isometry& law, const Block<R, W>& u, bool real, Value& out) {
    clear(out);
    const R s = R(law.variance);
    const R p0 = constant<R>(law.p0);
    const R rest = constant<R>(law.bottom);
    lanes([&](int i) {
      const Complex<R> m = u.get(i) - p0;
      add_left({m.re, -m.im}, R(1.0), out.left[i], out.turns[i]);
      out.re[i] = real ? -log_abs(m) : R(0.0);
      if (law.smooth) {
        const Complex<R> part = s * (m + R(0.5) * (m * m));
        out.left[i] = out.left[i] - part.im;
        out.re[i] = out.re[i] + part.re;
        return;
      }
      const Complex<R> top = rest + u.get(i);
      add_left({-top.re, -top.im}, s, out.left[i], out.turns[i]);
      if (real) out.re[i] = out.re[i] + s * log_abs(top);
    });
  }

  // U = -log G + v G^2/2
  void semicircle_leaf(const Semicircle& law, const Block<R, W>& u, bool real, Value& out) {
    clear(out);
    lanes([&](int i) {
      const Complex<R> g = reciprocal(u.get(i));
      const Complex<R> square = (R(0.5) * R(law.variance)) * (g * g);
      out.left[i] = -square.im;
      add_left(u.get(i), R(1.0), out.left[i], out.turns[i]);
      out.re[i] = real ? log_abs(u.get(i)) + square.re : R(0.0);
    });
  }

  // U = log((y + F)/2), y = z - c
  void arcsine_leaf(const Arcsine& law, const Block<R, W>& u, bool real, Value& out) {
    clear(out);
    const R low = R(law.low);
    const R high = R(law.high);
    const R c = R(0.5) * (low + high);
    lanes([&](int i) {
      const Complex<R> z = u.get(i);
      const Complex<R> sum = (z - c) + sqrt(z - low) * sqrt(z - high);
      add_left(sum, R(1.0), out.left[i], out.turns[i]);
      out.re[i] = real ? log_abs(R(0.5) * sum) : R(0.0);
    });
  }

  // U = ((z - a) log(z - a) - (z - b) log(z - b))/(b - a) - 1, which loses log10|z/(b - a)| digits far out; there
  // U = log(z - c) - sum_k q^k/(2k (2k + 1)), q = (h/(z - c))^2.
  void uniform_leaf(const Uniform& law, const Block<R, W>& u, bool real, Value& out) {
    clear(out);
    const R low_end = R(law.low);
    const R high_end = R(law.high);
    const R h = R(0.5) * (high_end - low_end);
    const R c = R(0.5) * (low_end + high_end);
    lanes([&](int i) {
      const Complex<R> z = u.get(i);
      const Complex<R> y = h * reciprocal(z - c);
      const Complex<R> q = y * y;
      if (squared_modulus(q) < 0.0625) {
        Complex<R> s{R(0.0), R(0.0)};
        constexpr int kTerms = sizeof(R) > sizeof(double) ? 60 : 30;
        for (int k = kTerms; k >= 1; --k) s = q * (R(1.0) / R(2.0 * k * (2.0 * k + 1.0)) + s);
        out.left[i] = s.im;
        add_left(z - c, R(1.0), out.left[i], out.turns[i]);
        out.re[i] = real ? log_abs(z - c) - s.re : R(0.0);
        return;
      }
      const Complex<R> low = z - low_end;
      const Complex<R> high = z - high_end;
      const R angle_low = angle(low.im, -low.re);
      const R angle_high = angle(high.im, -high.re);
      const R log_low = log_abs(low);
      const R log_high = log_abs(high);
      const R over = R(0.5) / h;
      out.left[i] = over * (low.re * angle_low - high.re * angle_high - z.im * (log_low - log_high));
      out.re[i] = over * (low.re * log_low - high.re * log_high + z.im * (angle_low - angle_high)) - R(1.0);
    });
  }

  const int* wanted_ = nullptr;
  Complex<R> lacking_[W];  // of the last contour's rules to a mass of 1
};

}  // namespace freeconv
