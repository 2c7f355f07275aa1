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
#include "freeconv/spectrum/leaf_potential.hpp"

namespace freeconv {

inline constexpr double kMostBlur = 1e-13;
// Of a common F or m that is computed and not an unknown, relative, and of F by it.
inline constexpr double kCommonRounding = 2.0 * kEpsilon / kPi;
inline constexpr double kRoughest = 0.02;

template <class R, int W>
class Potential : private LeafPotential<R, W> {
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
      this->leaf(n, x, program_.slopes_by_parts, real, out);
      if constexpr (sizeof(R) > sizeof(double)) {
        if (n.kind == Kind::contour) balance(n, sweeps.node(static_cast<int>(v)), x, out);
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
  using Base = LeafPotential<R, W>;
  using Base::add_left;
  using Base::clear;
  using Base::lacking_;
  using Base::lanes;
  using Base::log_abs;
  using Base::modulus;
  using Base::wanted_;
  using typename Base::Value;

  // Contour::balance gives what the weights lack to a point mass at 0, where it is |m| that is small.
  void balance(const Node& n, const NodeLanes<R, W>& x, const Block<R, W>& u, Value& out) {
    lanes([&](int i) {
      const Complex<R> c = x.c.get(i);
      const Complex<R> m = n.form == Form::product ? c - constant<R>(n.p0) : x.k.get(i) / c;
      if (!(squared_modulus(m) < squared_modulus(R(1.0) + m))) return;
      const Complex<R> logarithm = log(u.get(i));
      const R angle = constant<R>(kWidePi) - logarithm.im;
      out.left[i] = out.left[i] + (lacking_[i].re * angle - lacking_[i].im * logarithm.re);
      out.re[i] = out.re[i] + (lacking_[i].re * logarithm.re + lacking_[i].im * angle);
    });
  }

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
      // eta = p0 + m or z G - (1 - p0) of a leaf is rounded by its offset.
      const double of_eta = node.leaf < 0 ? 0.0 : (is_light(node) ? node.p0.hi : (DoubleDouble(1.0) - node.p0).hi);
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
        const double rough = product ? (by_eta ? of_eta : offset) : size * offset * (size / modulus(x.k.get(i)));
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
    return !(n.form == Form::product ? is_product_leaf(n.kind) : n.kind == Kind::semicircle);
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
    const bool sharp = is_product_leaf(inner.kind) || inner.kind == Kind::boxtimes || inner.kind == Kind::resize;
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

  const Program& program_;
  std::vector<Value> values_;
};

}  // namespace freeconv
