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
// unknowns are not (beside an edge they have half of the digits).
#pragma once

#include <vector>

#include "freeconv/solver/certificate.hpp"
#include "freeconv/solver/root.hpp"

namespace freeconv {

// log(1 + x), also where 1 + x rounds x away (Kahan).
[[gnu::always_inline]] inline double log1p_(double x) {
  const double u = 1.0 + x;
  const double rest = u - 1.0;
  return rest == 0.0 ? x : log_(u) * (x / rest);
}

inline constexpr double kMostBlur = 1e-11;

template <int W>
class Potential {
 public:
  explicit Potential(const Program& program) : program_(program), values_(program.nodes.size()) {}

  // From the lanes of an upward sweep at `u`: pi F(x), and Re U if `real` is set, of the root.
  void run(const Sweeps<double, W>& sweeps, const State<double, W>& u, bool real) {
    for (int i = 0; i < W; ++i) noise_[i] = 0.0;
    for (std::size_t v = 0; v < program_.nodes.size(); ++v) {
      const Node& n = program_.nodes[v];
      Value& out = values_[v];
      if (n.leaf < 0) {
        operation(n, sweeps, u, static_cast<int>(v), real, out);
        continue;
      }
      const Block<double, W>& x = u[static_cast<std::size_t>(n.leaf)];
      switch (n.kind) {
        case Kind::discrete: discrete_leaf(discrete(n), x, real, out); break;
        case Kind::contour: contour_leaf(contour(n), x, real, out); break;
        case Kind::bernoulli: bernoulli_leaf(bernoulli(n), x, real, out); break;
        case Kind::marchenko_pastur: poisson_leaf(marchenko_pastur(n), n.p0.hi, x, real, out); break;
        case Kind::semicircle: semicircle_leaf(semicircle(n), x, real, out); break;
        case Kind::arcsine: arcsine_leaf(arcsine(n), x, real, out); break;
        default: uniform_leaf(uniform(n), x, real, out);
      }
    }
  }

  // Carries the root from the z of its lanes to `target` (root_target of z), dU = G dz, but for lanes that are there up
  // to rounding.
  void take_last_step(const Sweeps<double, W>& sweeps, const Block<double, W>& target, const int* there) {
    const Node& root = program_.root();
    const NodeLanes<double, W>& top = sweeps.root();
    const double rest = (DoubleDouble(1.0) - root.p0).hi;
    const bool sum = root.form == Form::sum;
    Value& out = values_.back();
    for (int i = 0; i < W; ++i) {
      const Complex<double> c = top.c.get(i);
      const Complex<double> residual =
          root_step(root, c, top.k.get(i), top.a.get(i), top.b.get(i), target.get(i)).residual;
      const Complex<double> moved = sum ? residual / c : (rest + c) * residual;
      const bool stays = there[i] != 0;
      out.left[i] -= stays ? 0.0 : moved.im;
      out.re[i] += stays ? 0.0 : moved.re;
    }
  }

  double left_mass(int i) const { return values_.back().turns[i] + values_.back().left[i] / kPi; }
  // Whether F may be off by more than 1e-11.
  bool is_blurred(int i) const { return noise_[i] > kMostBlur; }
  double log_modulus(int i) const { return values_.back().re[i]; }

 private:
  struct Value {
    alignas(64) double left[W];  // pi (F - turns)
    alignas(64) double turns[W];
    alignas(64) double re[W];  // Re U
  };

  // Adds weight times the angle pi - arg a, Im a > 0.
  [[gnu::always_inline]] static void add_left(Complex<double> a, double weight, double& left, double& turns) {
    const double angle = atan2_(a.im, fabs_(a.re));
    left += a.re < 0.0 ? weight * angle : -(weight * angle);
    turns += a.re < 0.0 ? 0.0 : weight;
  }
  [[gnu::always_inline]] static double log_abs(Complex<double> a) { return log(a).re; }

  // The children agree on c to their own rounding only (1e-12 of F beside a cusp at G = 0; 1e-16 p0 of eta, which far
  // from a law that is almost all at 0 is 1e-9 of m): each is carried to the common one by dU_i = G_i dz_i. Then the
  // common one may be off, since U is stationary.
  void move_children(const Node& n, const Sweeps<double, W>& sweeps, const State<double, W>& u,
                     const NodeLanes<double, W>& lanes, Value& out) {
    const bool product = n.kind == Kind::boxtimes;
    const double p0 = product ? n.own_p0.hi : 0.0;
    for (const Child& child : n.children) {
      const Node& node = program_.nodes[static_cast<std::size_t>(child.index)];
      const NodeLanes<double, W>& x = sweeps.node(child.index);
      for (int i = 0; i < W; ++i) {
        const Complex<double> own = product ? sharp_m(node, x, u, i) : x.c.get(i);
        const Complex<double> slope = x.b.get(i) / x.a.get(i);
        const Complex<double> inverse = reciprocal(own);  // 1/m or G
        // G dz/dF = G (1 + dK/dF);  G dz/dm = (1 + m) dlog K/dm - 1/m.
        const Complex<double> rate = product ? slope + own * slope - inverse : inverse + inverse * slope;
        // Of eta and m the smaller one is the sharper one: beside a hard edge at 0 eta, far away m.
        const Complex<double> by_eta = lanes.pivot_c.get(i) - x.c.get(i);
        const Complex<double> by_m = (lanes.pivot_c.get(i) - p0) - own;
        const bool near = !product || squared_modulus(x.c.get(i)) < squared_modulus(own);
        const Complex<double> moved = rate * (near ? by_eta : by_m);
        out.left[i] -= child.multiplicity * moved.im;
        out.re[i] += child.multiplicity * moved.re;
      }
    }
  }

  // m of a factor at its own unknowns, to full relative accuracy: eta - p0 is that where eta is the unknown, but where
  // it is computed m = K/F = K/(z - K) is.
  static Complex<double> sharp_m(const Node& node, const NodeLanes<double, W>& x, const State<double, W>& u, int i) {
    switch (node.kind) {
      case Kind::discrete:
      case Kind::contour:
      case Kind::arcsine:
      case Kind::uniform: {
        const Complex<double> k = exp(x.k.get(i));
        return k / (u[static_cast<std::size_t>(node.leaf)].get(i) - k);
      }
      case Kind::semicircle: return exp(x.k.get(i)) / u[static_cast<std::size_t>(node.leaf)].get(i);
      case Kind::boxplus:
      case Kind::affine: return exp(x.k.get(i)) * x.inverse_f.get(i);
      default: return x.c.get(i) - node.p0.hi;
    }
  }

  // The parent's eta has another offset, so that m as the parent knows it is rounded anew, by 1e-16 p0/|m| (1e-9 far
  // from a law that is almost all at 0): dU = G dz = -dm/m.
  static void hand_over(const Node& n, const NodeLanes<double, W>& lanes, int i, Complex<double> m, Value& out) {
    if (n.form != Form::product) return;
    const Complex<double> moved = ((lanes.c.get(i) - n.p0.hi) - m) / m;
    out.left[i] += moved.im;
    out.re[i] -= moved.re;
  }

  static void clear(Value& out) {
    for (int i = 0; i < W; ++i) out.left[i] = out.turns[i] = out.re[i] = 0.0;
  }

  void operation(const Node& n, const Sweeps<double, W>& sweeps, const State<double, W>& u, int index, bool real,
                 Value& out) {
    const NodeLanes<double, W>& lanes = sweeps.node(index);
    double total = 0.0;
    clear(out);
    for (const Child& c : n.children) {
      const Value& x = values_[static_cast<std::size_t>(c.index)];
      const double t = c.multiplicity;
      total += t;
      for (int i = 0; i < W; ++i) {
        out.left[i] += t * x.left[i];
        out.turns[i] += t * x.turns[i];
        out.re[i] += t * x.re[i];
      }
    }
    if (n.kind == Kind::boxtimes || n.children.size() > 1) move_children(n, sweeps, u, lanes, out);
    const double excess = total - 1.0;
    switch (n.kind) {
      case Kind::boxtimes: {
        const double p0 = n.own_p0.hi;
        for (int i = 0; i < W; ++i) {
          const Complex<double> m = lanes.pivot_c.get(i) - p0;
          add_left({m.re, -m.im}, -excess, out.left[i], out.turns[i]);
          if (real) out.re[i] += excess * log_abs(m);
          hand_over(n, lanes, i, m, out);
        }
        return;
      }
      case Kind::boxplus:
        if (excess == 0.0) return;
        for (int i = 0; i < W; ++i) {
          const Complex<double> f = lanes.pivot_c.get(i);
          add_left(f, -excess, out.left[i], out.turns[i]);
          if (real) out.re[i] -= excess * log_abs(f);
        }
        return;
      case Kind::affine:
        if (real) {
          const double shift = log_(n.parameters[0]);
          for (int i = 0; i < W; ++i) out.re[i] += shift;
        }
        return;
      default: {
        const double part = 1.0 / n.parameters[0];
        const auto inner = static_cast<std::size_t>(n.children[0].index);
        for (int i = 0; i < W; ++i) {
          const NodePoint child = node_point(program_.nodes[inner], sweeps.node(n.children[0].index), i);
          const Complex<double> z = child.z;
          // 1 + m of what has no eta as its unknown is 1 + K/F: next to 0 it is rounding, and the angle of z with it.
          const Kind kind = program_.nodes[inner].kind;
          const bool sharp = kind == Kind::bernoulli || kind == Kind::marchenko_pastur || kind == Kind::boxtimes ||
                             kind == Kind::resize;
          const double blur = sharp ? 0.0 : fabs_(1.0 - part) * kEpsilon / sqrt_(squared_modulus(child.one_plus_m));
          noise_[i] = blur > noise_[i] ? blur : noise_[i];
          out.left[i] *= part;
          out.turns[i] *= part;
          add_left(z, 1.0 - part, out.left[i], out.turns[i]);
          if (real) out.re[i] = part * out.re[i] + (1.0 - part) * log_abs(z);
          hand_over(n, lanes, i, part * child.m, out);
        }
      }
    }
  }

  void discrete_leaf(const Discrete& law, const Block<double, W>& u, bool real, Value& out) {
    clear(out);
    for (std::size_t j = 0; j < law.count; ++j) {
      const double a = law.locations[j];
      const double w = law.weights[j].hi;
      for (int i = 0; i < W; ++i) add_left(u.get(i) - a, w, out.left[i], out.turns[i]);
      if (!real) continue;
      for (int i = 0; i < W; ++i) out.re[i] += w * log_abs(u.get(i) - a);
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
  void bernoulli_leaf(const Bernoulli& law, const Block<double, W>& u, bool real, Value& out) {
    clear(out);
    const double rest = 1.0 - law.p;
    const double constant_part = log_(law.value) + law.p * log_(law.p);
    for (int i = 0; i < W; ++i) {
      const Complex<double> m = u.get(i) - law.p0.hi;
      const Complex<double> top = law.top.hi + u.get(i);
      add_left({m.re, -m.im}, 1.0, out.left[i], out.turns[i]);
      add_left({-top.re, -top.im}, rest, out.left[i], out.turns[i]);
      out.re[i] = real ? constant_part + rest * log_abs(top) - log_abs(m) : 0.0;
    }
  }

  // U = (1 + m) log z - int log z dm with z = K(m) (1 + m)/m, K = (alpha (beta + gamma m))^t:
  //   t log(alpha beta) - log m + t m + t (1 - beta/gamma) log(1 + m gamma/beta).
  void poisson_leaf(const MarchenkoPastur& law, double p0, const Block<double, W>& u, bool real, Value& out) {
    clear(out);
    const double t = law.power;
    const double slope = t * (1.0 - law.beta / law.gamma);
    const double side = law.alpha > 0.0 ? -1.0 : 1.0;  // of Im m
    const double constant_part = t * log_(fabs_(law.alpha) * law.beta);
    const double ratio = law.gamma / law.beta;
    for (int i = 0; i < W; ++i) {
      const Complex<double> m = u.get(i) - p0;
      const Complex<double> base = law.offset.hi + law.gamma * u.get(i);
      out.left[i] = -t * m.im;
      add_left({-side * m.re, side * m.im}, 1.0, out.left[i], out.turns[i]);
      add_left({-base.re, side * base.im}, -side * slope, out.left[i], out.turns[i]);
      if (!real) {
        out.re[i] = 0.0;
        continue;
      }
      // A small gamma m must not be lost in 1 + gamma m: slope is as large as 1/gamma.
      const Complex<double> w = ratio * m;
      const double size = w.re * w.re + w.im * w.im;
      const double moved = size < 0.25 ? 0.5 * log1p_(2.0 * w.re + size) : log_abs(base) - log_(law.beta);
      out.re[i] = constant_part - log_abs(m) + t * m.re + slope * moved;
    }
  }

  // U = -log G + v G^2/2
  void semicircle_leaf(const Semicircle& law, const Block<double, W>& u, bool real, Value& out) {
    clear(out);
    for (int i = 0; i < W; ++i) {
      const Complex<double> g = reciprocal(u.get(i));
      const Complex<double> square = (0.5 * law.variance) * (g * g);
      out.left[i] = -square.im;
      add_left(u.get(i), 1.0, out.left[i], out.turns[i]);
      out.re[i] = real ? log_abs(u.get(i)) + square.re : 0.0;
    }
  }

  // U = log((y + F)/2), y = z - c
  void arcsine_leaf(const Arcsine& law, const Block<double, W>& u, bool real, Value& out) {
    clear(out);
    const double c = 0.5 * (law.low + law.high);
    for (int i = 0; i < W; ++i) {
      const Complex<double> z = u.get(i);
      const Complex<double> sum = (z - c) + sqrt(z - law.low) * sqrt(z - law.high);
      add_left(sum, 1.0, out.left[i], out.turns[i]);
      out.re[i] = real ? log_abs(0.5 * sum) : 0.0;
    }
  }

  // U = ((z - a) log(z - a) - (z - b) log(z - b))/(b - a) - 1, which loses log10|z/(b - a)| digits far out; there
  // U = log(z - c) - sum_k q^k/(2k (2k + 1)), q = (h/(z - c))^2.
  void uniform_leaf(const Uniform& law, const Block<double, W>& u, bool real, Value& out) {
    clear(out);
    const double h = 0.5 * (law.high - law.low);
    const double c = 0.5 * (law.low + law.high);
    for (int i = 0; i < W; ++i) {
      const Complex<double> z = u.get(i);
      const Complex<double> y = h * reciprocal(z - c);
      const Complex<double> q = y * y;
      if (squared_modulus(q) < 0.0625) {
        Complex<double> s{0.0, 0.0};
        for (int k = 30; k >= 1; --k) s = q * (1.0 / (2.0 * k * (2.0 * k + 1.0)) + s);
        out.left[i] = s.im;
        add_left(z - c, 1.0, out.left[i], out.turns[i]);
        out.re[i] = real ? log_abs(z - c) - s.re : 0.0;
        continue;
      }
      const Complex<double> low = z - law.low;
      const Complex<double> high = z - law.high;
      const double angle_low = atan2_(low.im, -low.re);
      const double angle_high = atan2_(high.im, -high.re);
      const double log_low = log_abs(low);
      const double log_high = log_abs(high);
      const double over = 0.5 / h;
      out.left[i] = over * (low.re * angle_low - high.re * angle_high - z.im * (log_low - log_high));
      out.re[i] = over * (low.re * log_low - high.re * log_high + z.im * (angle_low - angle_high)) - 1.0;
    }
  }

  const Program& program_;
  std::vector<Value> values_;
  double noise_[W];
};

}  // namespace freeconv
