// The logarithmic potential U(z) = int log(z - t) dmu(t) of a solved tree. Integrating U' = G through the relations of
// the nodes, with every z_i, m and G taken at the solution:
//   boxtimes:       U = sum t_i U_i + (T - 1) log m,    boxplus: U = sum t_i U_i + (T - 1) log G,   T = sum t_i
//   affine:         U = U_c + log a,                    resize:  U = U_c/r + (1 - 1/r) log z.
// At z = x + i0 the mass of (-inf, x] is F = 1 - Im U/pi, and int log|x - t| dmu is Re U: one logarithm a node.
//
// Im U itself is pi at a left end, and F would be left over from a subtraction. So every node keeps pi F instead, made
// of the angles on the left, pi - arg: at a hard edge at 0 all of them are small, and F keeps its relative accuracy.
//
// U is stationary in the unknowns up to the residual of the equations, so it is exact to rounding even where the
// unknowns are not (beside an edge they have half of the digits). What moves z by more than its rounding (a free
// Poisson law of jumps 1e8 next to laws of width 1: by 1e-8) is solved in double-double, and so is U then.
#pragma once

#include <vector>

#include "freeconv/solver/certificate.hpp"
#include "freeconv/solver/root.hpp"

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

inline constexpr double kMostBlur = 1e-13;
// Of a common F or m that is computed and not an unknown, relative, and of F by it.
inline constexpr double kCommonRounding = 2.0 * kEpsilon / kPi;
inline constexpr double kRoughest = 0.02;

template <class R, int W>
class Potential {
 public:
  explicit Potential(const Program& program) : program_(program), values_(program.nodes.size()) {}

  // From the lanes of an upward sweep at `u`: pi F(x), and Re U if `real` is set, of the root. In double-double the
  // lanes with wanted[i] == 0 are left out; in doubles all are done, so that loops vectorise.
  void run(const Sweeps<R, W>& sweeps, const State<R, W>& u, bool real, const int* wanted = nullptr) {
    wanted_ = wanted;
    for (std::size_t v = 0; v < program_.nodes.size(); ++v) {
      const Node& n = program_.nodes[v];
      Value& out = values_[v];
      if (n.leaf < 0) {
        operation(n, sweeps, u, static_cast<int>(v), real, out);
        continue;
      }
      const Block<R, W>& x = u[static_cast<std::size_t>(n.leaf)];
      switch (n.kind) {
        case Kind::discrete: discrete_leaf(discrete(n), x, real, out); break;
        case Kind::contour: contour_leaf(contour(n), x, real, out); break;
        case Kind::bernoulli: bernoulli_leaf(bernoulli(n), x, real, out); break;
        case Kind::marchenko_pastur: poisson_leaf(marchenko_pastur(n), n.p0, x, real, out); break;
        case Kind::semicircle: semicircle_leaf(semicircle(n), x, real, out); break;
        case Kind::arcsine: arcsine_leaf(arcsine(n), x, real, out); break;
        default: uniform_leaf(uniform(n), x, real, out);
      }
    }
  }

  // Carries the root from the z of its lanes to `target` (root_target of z), dU = G dz.
  void take_last_step(const Sweeps<R, W>& sweeps, const Block<R, W>& target) {
    const Node& root = program_.root();
    const NodeLanes<R, W>& top = sweeps.root();
    const R rest = constant<R>(DoubleDouble(1.0) - root.p0);
    const bool sum = root.form == Form::sum;
    Value& out = values_.back();
    lanes([&](int i) {
      const Complex<R> c = top.c.get(i);
      const Complex<R> residual = root_step(root, c, top.k.get(i), top.a.get(i), top.b.get(i), target.get(i)).residual;
      const Complex<R> moved = sum ? residual / c : (rest + c) * residual;
      out.left[i] = out.left[i] - moved.im;
      out.re[i] = out.re[i] + moved.re;
    });
  }

  double left_mass(int i) const {
    return to_double(values_.back().turns[i] + values_.back().left[i] / constant<R>(kWidePi));
  }
  // Whether doubles may be off by more than F promises.
  bool is_blurred(int i) const { return values_.back().noise[i] > kMostBlur; }
  double log_modulus(int i) const { return to_double(values_.back().re[i]); }

 private:
  struct Value {
    alignas(64) R left[W];  // pi (F - turns)
    alignas(64) R turns[W];
    alignas(64) R re[W];          // Re U
    alignas(64) double noise[W];  // of F in doubles, an estimate
  };

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

  // The children agree on c to their own rounding only (1e-12 of F beside a cusp at G = 0; 1e-16 p0 of eta, which far
  // from a law that is almost all at 0 is 1e-9 of m): each is carried to the common one by dU_i = G_i dz_i. Then the
  // common one may be off, since U is stationary. Far from a law U ~ log F ~ -log m: it is carried along the
  // logarithms. (A term 1e14 times smaller than the sum has an F that is off by 1 %.)
  void move_children(const Node& n, const Sweeps<R, W>& sweeps, const State<R, W>& u, const NodeLanes<R, W>& own_lanes,
                     Value& out) {
    const bool product = n.kind == Kind::boxtimes;
    const R p0 = product ? constant<R>(n.own_p0) : R(0.0);
    for (const Child& child : n.children) {
      const Node& node = program_.nodes[static_cast<std::size_t>(child.index)];
      const NodeLanes<R, W>& x = sweeps.node(child.index);
      const R t = R(child.multiplicity);
      const double weight = is_computed(node) ? child.multiplicity * kCommonRounding : 0.0;
      // m = eta - offset of an operation is rounded by its offset, and so is F = K/m.
      const bool nested = node.kind == Kind::boxtimes || node.kind == Kind::resize;
      const double offset = nested ? (product ? node.p0.hi : node.own_p0.hi) : 0.0;
      lanes([&](int i) {
        const Complex<R> own = product ? sharp_m(node, x, u, i) : x.c.get(i);
        const Complex<R> slope = x.b.get(i) / x.a.get(i);
        const Complex<R> inverse = reciprocal(own);  // 1/m or G
        // G dz/dF = G (1 + dK/dF);  G dz/dm = (1 + m) dlog K/dm - 1/m.
        const Complex<R> rate = product ? slope + own * slope - inverse : inverse + inverse * slope;
        // Of eta and m the smaller one is the sharper one: beside a hard edge at 0 eta, far away m.
        const Complex<R> by_c = own_lanes.pivot_c.get(i) - x.c.get(i);
        const Complex<R> by_m = (own_lanes.pivot_c.get(i) - p0) - own;
        const bool by_eta = product && squared_modulus(x.c.get(i)) < squared_modulus(own);
        const Complex<R> moved = rate * (by_eta ? by_c : own * turned((product ? by_m : by_c) * inverse, i, out));
        const double size = modulus(by_eta ? x.c.get(i) : own);
        const double rough = product ? (by_eta ? 0.0 : offset) : size * offset * (size / modulus(x.k.get(i)));
        out.noise[i] += weight * modulus(rate) * (size + rough);
        out.left[i] = out.left[i] - t * moved.im;
        out.re[i] = out.re[i] + t * moved.re;
      });
    }
  }

  // Whether the c of a node has rounding of its own: where it is the unknown, the gap to the common one is exact.
  // (Between atoms 1e8 apart m hardly moves with z, and its rounding is a factor 1e4 larger in F.)
  static bool is_computed(const Node& n) {
    if (sizeof(R) > sizeof(double)) return false;
    const bool exact = n.form == Form::product ? n.kind == Kind::bernoulli || n.kind == Kind::marchenko_pastur
                                               : n.kind == Kind::semicircle;
    return !exact;
  }

  // log(1 + w) = 2 artanh(w/(2 + w)). Beyond 2 % it is off by more than 1e-17, and the unknowns are rounding.
  static Complex<R> turned(Complex<R> w, int i, Value& out) {
    const Complex<R> s = w / (R(2.0) + w);
    const Complex<R> q = s * s;
    const bool rough = squared_modulus(w) > kRoughest * kRoughest;
    out.noise[i] = rough ? 1.0 : out.noise[i];
    return R(2.0) * (s + s * (q * (R(1.0) / R(3.0) + q * (R(0.2) + (R(1.0) / R(7.0)) * q))));
  }

  // m of a factor at its own unknowns, to full relative accuracy: eta - p0 is that where eta is the unknown, but where
  // it is computed m = K/F = K/(z - K) is.
  static Complex<R> sharp_m(const Node& node, const NodeLanes<R, W>& x, const State<R, W>& u, int i) {
    switch (node.kind) {
      case Kind::discrete:
      case Kind::contour:
      case Kind::arcsine:
      case Kind::uniform: {
        const Complex<R> k = exp(x.k.get(i));
        return k / (u[static_cast<std::size_t>(node.leaf)].get(i) - k);
      }
      case Kind::semicircle: return exp(x.k.get(i)) / u[static_cast<std::size_t>(node.leaf)].get(i);
      case Kind::boxplus:
      case Kind::affine: return exp(x.k.get(i)) * x.inverse_f.get(i);
      default: return x.c.get(i) - constant<R>(node.p0);
    }
  }

  // The parent's eta has another offset, so that m as the parent knows it is rounded anew, by 1e-16 p0/|m| (1e-9 far
  // from a law that is almost all at 0): dU = G dz = -dm/m.
  static void hand_over(const Node& n, const NodeLanes<R, W>& own_lanes, int i, Complex<R> m, Value& out) {
    if (n.form != Form::product) return;
    const Complex<R> moved = turned(((own_lanes.c.get(i) - constant<R>(n.p0)) - m) / m, i, out);
    out.left[i] = out.left[i] + moved.im;
    out.re[i] = out.re[i] - moved.re;
  }

  static void clear(Value& out) {
    for (int i = 0; i < W; ++i) {
      out.left[i] = out.turns[i] = out.re[i] = R(0.0);
      out.noise[i] = 0.0;
    }
  }

  void operation(const Node& n, const Sweeps<R, W>& sweeps, const State<R, W>& u, int index, bool real, Value& out) {
    const NodeLanes<R, W>& own_lanes = sweeps.node(index);
    R total = R(0.0);
    clear(out);
    for (const Child& c : n.children) {
      const Value& x = values_[static_cast<std::size_t>(c.index)];
      const R t = R(c.multiplicity);
      total = total + t;
      lanes([&](int i) {
        out.left[i] = out.left[i] + t * x.left[i];
        out.turns[i] = out.turns[i] + t * x.turns[i];
        out.re[i] = out.re[i] + t * x.re[i];
        out.noise[i] += c.multiplicity * x.noise[i];
      });
    }
    if (n.kind == Kind::boxtimes || n.children.size() > 1) move_children(n, sweeps, u, own_lanes, out);
    const R excess = total - R(1.0);
    switch (n.kind) {
      case Kind::boxtimes: {
        const R p0 = constant<R>(n.own_p0);
        lanes([&](int i) {
          const Complex<R> m = own_lanes.pivot_c.get(i) - p0;
          add_left({m.re, -m.im}, -excess, out.left[i], out.turns[i]);
          if (real) out.re[i] = out.re[i] + excess * log_abs(m);
          hand_over(n, own_lanes, i, m, out);
        });
        return;
      }
      case Kind::boxplus:
        if (to_double(excess) == 0.0) return;
        lanes([&](int i) {
          const Complex<R> f = own_lanes.pivot_c.get(i);
          add_left(f, -excess, out.left[i], out.turns[i]);
          if (real) out.re[i] = out.re[i] - excess * log_abs(f);
        });
        return;
      case Kind::affine:
        if (real) {
          const R shift = real_log(R(n.parameters[0]));
          lanes([&](int i) { out.re[i] = out.re[i] + shift; });
        }
        return;
      default: resize(n, sweeps, own_lanes, real, out);
    }
  }

  void resize(const Node& n, const Sweeps<R, W>& sweeps, const NodeLanes<R, W>& own_lanes, bool real, Value& out) {
    const R part = R(1.0) / R(n.parameters[0]);
    const R other = R(1.0) - part;
    const Node& inner = program_.nodes[static_cast<std::size_t>(n.children[0].index)];
    const NodeLanes<R, W>& x = sweeps.node(n.children[0].index);
    // 1 + m of what has no eta as its unknown is 1 + K/F: next to 0 it is rounding, and the angle of z with it.
    const bool sharp = inner.kind == Kind::bernoulli || inner.kind == Kind::marchenko_pastur ||
                       inner.kind == Kind::boxtimes || inner.kind == Kind::resize;
    const double unit = sharp || sizeof(R) > sizeof(double) ? 0.0 : fabs_(to_double(other)) * kEpsilon;
    lanes([&](int i) {
      const Complex<R> m = x.c.get(i) - constant<R>(inner.p0);
      const Complex<R> one_plus_m = constant<R>(DoubleDouble(1.0) - inner.p0) + x.c.get(i);
      const Complex<R> z = exp(x.k.get(i)) * (one_plus_m / m);
      const double blur = unit / sqrt_(squared_modulus(one_plus_m));
      out.noise[i] = to_double(part) * out.noise[i] + blur;
      out.left[i] = out.left[i] * part;
      out.turns[i] = out.turns[i] * part;
      add_left(z, other, out.left[i], out.turns[i]);
      if (real) out.re[i] = part * out.re[i] + other * log_abs(z);
      hand_over(n, own_lanes, i, part * m, out);
    });
  }

  void discrete_leaf(const Discrete& law, const Block<R, W>& u, bool real, Value& out) {
    clear(out);
    for (std::size_t j = 0; j < law.count; ++j) {
      const R a = R(law.locations[j]);
      const R w = constant<R>(law.weights[j]);
      lanes([&](int i) { add_left(u.get(i) - a, w, out.left[i], out.turns[i]); });
      if (!real) continue;
      lanes([&](int i) { out.re[i] = out.re[i] + w * log_abs(u.get(i) - a); });
    }
  }

  // U = sum w log(z - zeta) with Im(z - zeta) > 0. The weights' imaginary parts sum to 0, so that for each node the
  // angle on the left is w.re (pi - arg) - w.im log|z - zeta|.
  void contour_leaf(const Contour& law, const Block<double, W>& u, bool real, Value& out) {
    clear(out);
    int chosen[W];
    law.template choose<double, W>(u, chosen);
    Logarithms logarithms{u, chosen, real, out, {}};
    law.template visit<W>(chosen, logarithms);
    for (std::size_t j = 0; j < law.atom_count; ++j) {
      const double a = law.atoms[j];
      const double w = law.atoms[law.atom_count + j];
      for (int i = 0; i < W; ++i) add_left(u.get(i) - a, w, out.left[i], out.turns[i]);
      if (!real) continue;
      for (int i = 0; i < W; ++i) out.re[i] += w * log_abs(u.get(i) - a);
    }
  }

  struct Logarithms {
    const Block<double, W>& u;
    const int* chosen;
    bool real;
    Value& out;
    Value rule;

    void begin() { clear(rule); }
    void group(double x, const double* vr, const double* vi, const double* wr, const double* wi, std::size_t n) {
      for (std::size_t j = 0; j < n; ++j) {
        for (int i = 0; i < W; ++i) {
          const Complex<double> apart{(u.re[i] - x) - vr[j], u.im[i] - vi[j]};
          const Complex<double> logarithm = log(apart);
          const double angle = kPi - logarithm.im;
          rule.left[i] += wr[j] * angle - wi[j] * logarithm.re;
          if (real) rule.re[i] += wr[j] * logarithm.re + wi[j] * angle;
        }
      }
    }
    void end(int k) {
      for (int i = 0; i < W; ++i) {
        out.left[i] = chosen[i] == k ? rule.left[i] : out.left[i];
        out.re[i] = chosen[i] == k ? rule.re[i] : out.re[i];
      }
    }
  };

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

  const Program& program_;
  std::vector<Value> values_;
  const int* wanted_ = nullptr;
};

}  // namespace freeconv
