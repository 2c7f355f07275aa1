// A running estimate of the rounding error of a solved block: how far Im c may be off in doubles.
//
// Each node's curve is displaced by rounding. The displacement in k at fixed c (first order, half an ulp an operation,
// signs adding up) travels up the tree like k itself, and the root's slope turns it into an error of Im c. Against
// 50-digit tables the estimate is 1.5 to 100 times the error.
#pragma once

#include <vector>

#include "freeconv/solver/root.hpp"

namespace freeconv {

// What may be off: everything in doubles, or only the squared slopes' own nodes and weights, which no precision of the
// solver mends.
enum class Displaced { by_rounding, by_rules };

template <int W>
class RoundingEstimate {
 public:
  explicit RoundingEstimate(const Program& program) : error_(program.nodes.size() * W) {}

  // Relative error of Im c (`height`) in each lane, from the lanes of the last upward sweep.
  void run(const Sweeps<double, W>& sweeps, const State<double, W>& u, const Block<double, W>& target,
           const double* height, double* error, Displaced by = Displaced::by_rounding) {
    const Program& program = sweeps.program();
    own_ = by == Displaced::by_rounding ? 1.0 : 0.0;
    for (std::size_t v = 0; v < program.nodes.size(); ++v) {
      const Node& n = program.nodes[v];
      const NodeLanes<double, W>& lanes = sweeps.node(static_cast<int>(v));
      double* out = error_.data() + v * W;
      if (n.leaf >= 0 && by == Displaced::by_rules) {
        rule_leaf(n, lanes, u[static_cast<std::size_t>(n.leaf)], out);
      } else if (n.leaf >= 0) {
        leaf(n, lanes, u[static_cast<std::size_t>(n.leaf)], out);
      } else {
        operation(n, lanes, out);
      }
    }
    const Node& root = program.root();
    const NodeLanes<double, W>& top = sweeps.root();
    const double* residual = root_error();
    if (root.form == Form::sum) {
      for (int i = 0; i < W; ++i) {
        const double terms = modulus(target.get(i)) + modulus(top.k.get(i)) + modulus(top.c.get(i));
        const double total = residual[i] + own_ * terms;
        const double rate = modulus(top.a.get(i)) / modulus(top.a.get(i) + top.b.get(i));
        error[i] = kEpsilon * total * rate / fabs_(height[i]);
      }
      return;
    }
    const ProductRoot<double> equation(root);
    for (int i = 0; i < W; ++i) {
      const Complex<double> c = top.c.get(i);
      const Complex<double> a = top.a.get(i);
      const Complex<double> spread = (c - equation.p0) * (equation.rest + c);  // m (1 + m)
      const double terms =
          modulus(target.get(i)) + modulus(top.k.get(i)) + 2.0 + (modulus(c) + equation.p0) / modulus(spread);
      const double total = residual[i] + own_ * terms;
      const double rate = modulus(a) / modulus(top.b.get(i) - a / spread);
      error[i] = kEpsilon * total * rate / fabs_(height[i]);
    }
  }

  // After run(): how far F may be off at the same unknowns, dU = G dz with dz the displacement of the root's curve.
  void of_cdf(const Sweeps<double, W>& sweeps, double* error) const {
    const Node& root = sweeps.program().root();
    const NodeLanes<double, W>& top = sweeps.root();
    const double rest = (DoubleDouble(1.0) - root.p0).hi;
    for (int i = 0; i < W; ++i) {
      const Complex<double> c = top.c.get(i);
      const double rate = root.form == Form::sum ? 1.0 / modulus(c) : modulus(rest + c);
      error[i] = kEpsilon / kPi * root_error()[i] * rate;
    }
  }

 private:
  [[gnu::always_inline]] static double modulus(Complex<double> a) { return sqrt_(a.re * a.re + a.im * a.im); }

  // All in units of kEpsilon. The loops over lanes are free of choices between kinds and forms, so that they vectorise.
  void leaf(const Node& n, const NodeLanes<double, W>& lanes, const Block<double, W>& u, double* out) {
    const bool product = n.form == Form::product;
    if (n.kind == Kind::discrete) {
      measure_leaf(discrete(n), product, n.p0.hi, is_light(n), lanes, u, out);
    } else if (n.kind == Kind::contour) {
      measure_leaf(contour(n), product, n.p0.hi, is_light(n), lanes, u, out);
    } else if (n.kind == Kind::arcsine || n.kind == Kind::uniform) {
      const double ends = fabs_(n.parameters[0]) + fabs_(n.parameters[1]);
      for (int i = 0; i < W; ++i) {
        const double steep = steepness(lanes, i);
        const double own = 6.0 * (modulus(u.get(i)) + ends);
        // In a product the pair is (1 + m = z/F, log K).
        out[i] = product
                     ? own * (exp_(-lanes.k.re[i]) + steep * (1.0 + modulus(lanes.c.get(i)))) + modulus(lanes.k.get(i))
                     : own * (1.0 + steep);
      }
    } else if (n.kind == Kind::marchenko_pastur) {
      poisson_leaf(marchenko_pastur(n), product, lanes, u, out);
    } else if (product) {
      // The coordinate is c itself; only K is rounded (two operations and the logarithm, half an ulp each).
      for (int i = 0; i < W; ++i) out[i] = 1.0 + 0.5 * modulus(lanes.k.get(i));
    } else {
      const double center = n.kind == Kind::semicircle ? 2.0 * fabs_(n.parameters[0]) : 0.0;
      for (int i = 0; i < W; ++i) {
        out[i] = center + 2.0 * (modulus(lanes.k.get(i)) + steepness(lanes, i) * modulus(lanes.c.get(i)));
      }
    }
  }

  // K = alpha (offset + gamma u) is a difference where the law stands in no product whose p0 is its own.
  void poisson_leaf(const MarchenkoPastur& law, bool product, const NodeLanes<double, W>& lanes,
                    const Block<double, W>& u, double* out) {
    const double offset = law.offset.hi;
    const double extra = fabs_(offset) > 0.0 ? law.power : 0.0;
    for (int i = 0; i < W; ++i) {
      const double moved = law.gamma * modulus(u.get(i));
      const double relative = extra * (fabs_(offset) + moved) / modulus(offset + law.gamma * u.get(i));
      const double k = modulus(lanes.k.get(i));
      const double in_sum = (2.0 + relative) * (k + steepness(lanes, i) * modulus(lanes.c.get(i)));
      out[i] = product ? 0.5 * (relative + k) + 0.5 : in_sum;
    }
  }

  // G = t + w0/z and m = z G - 1 are sums of terms of both signs: their condition numbers count.
  template <class Law>
  void measure_leaf(const Law& law, bool product, double p0, bool light, const NodeLanes<double, W>& lanes,
                    const Block<double, W>& u, double* out) {
    double weights[W] = {};  // sum |w r|, r = 1/(z - a)
    double moments[W] = {};  // sum |w a r|
    law.add_moduli(u, weights, moments);
    for (int i = 0; i < W; ++i) {
      const double steep = steepness(lanes, i);
      const double k = modulus(lanes.k.get(i));
      const double c = modulus(lanes.c.get(i));
      const double z = modulus(u.get(i));
      const Complex<double> m = lanes.c.get(i) - p0;
      const double of_c = light ? p0 + moments[i] : 1.0 + z * weights[i];
      const double in_product = 4.0 + k + moments[i] / modulus(m) + weights[i] * z / modulus(1.0 + m) + steep * of_c;
      const double of_g = 4.0 + weights[i] * c;
      const double in_sum = k * of_g + moments[i] * c + steep * c * of_g;
      out[i] = product ? in_product : in_sum;
    }
  }

  // G (1 + e) moves log K by e/m and m by (1 + m) e, or K = z - F by F e and F by -F e: at fixed c by what follows.
  // Atoms have no part in e.
  void rule_leaf(const Node& n, const NodeLanes<double, W>& lanes, const Block<double, W>& u, double* out) {
    for (int i = 0; i < W; ++i) out[i] = 0.0;
    if (n.kind != Kind::contour) return;
    const Contour law = contour(n);
    for (int i = 0; i < W; ++i) {
      const Complex<double> z = u.get(i);
      const Complex<double> slope = lanes.b.get(i) / lanes.a.get(i);
      const Complex<double> c = lanes.c.get(i);
      const Complex<double> m = c - n.p0.hi;
      const Complex<double> moved = n.form == Form::product ? reciprocal(m) - slope * (1.0 + m) : c * (1.0 + slope);
      const Complex<double> g = n.form == Form::product ? (1.0 + m) * reciprocal(z) : reciprocal(c);
      const double part = modulus(1.0 + (-(law.atoms_at(z) / g)));
      out[i] = law.noise / kEpsilon * part * modulus(moved);
    }
  }

  void operation(const Node& n, const NodeLanes<double, W>& lanes, double* out) {
    for (int i = 0; i < W; ++i) out[i] = 0.0;
    for (const Child& child : n.children) {
      const double* in = error_.data() + static_cast<std::size_t>(child.index) * W;
      for (int i = 0; i < W; ++i) out[i] += child.multiplicity * in[i];
    }
    const bool product = n.form == Form::product;
    if (n.kind == Kind::boxtimes || n.kind == Kind::resize) {
      if (product) {
        for (int i = 0; i < W; ++i) out[i] += own_ * (0.5 * modulus(lanes.k.get(i)));
        return;
      }
      // K = e^l, F = K/m: a displacement of l moves both, and m = eta - p0 is rounded.
      const double p0 = n.own_p0.hi;
      for (int i = 0; i < W; ++i) {
        const Complex<double> slope = lanes.b.get(i) / lanes.a.get(i);
        const Complex<double> over_m = lanes.c.get(i) / lanes.k.get(i);
        const double turned = modulus(1.0 + (-(slope * over_m)));
        out[i] = modulus(lanes.k.get(i)) * (out[i] + own_ * 4.0) * turned +
                 own_ * (modulus(slope) * modulus(lanes.c.get(i)) * (4.0 + p0 * modulus(over_m)));
      }
      return;
    }
    const double scale = n.kind == Kind::affine ? n.parameters[0] : 1.0;
    const double shift = n.kind == Kind::affine ? fabs_(n.parameters[1]) : 0.0;
    if (!product) {
      for (int i = 0; i < W; ++i) out[i] = scale * out[i] + own_ * (shift + modulus(lanes.k.get(i)));
      return;
    }
    // c = p0 + K/F, k = log K.
    const double p0 = n.p0.hi;
    for (int i = 0; i < W; ++i) {
      const Complex<double> slope = lanes.b.get(i) / lanes.a.get(i);
      const Complex<double> m = lanes.c.get(i) - p0;
      const double size = exp_(lanes.k.re[i]);
      out[i] = (scale * out[i] + own_ * (shift + size)) / size * modulus(1.0 + (-(slope * m))) +
               own_ * (modulus(slope) * (p0 + 4.0 * modulus(m)) + modulus(lanes.k.get(i)));
    }
  }

  // |dk/dc|.
  [[gnu::always_inline]] static double steepness(const NodeLanes<double, W>& lanes, int i) {
    return modulus(lanes.b.get(i)) / modulus(lanes.a.get(i));
  }

  const double* root_error() const { return error_.data() + error_.size() - W; }

  std::vector<double> error_;
  double own_ = 1.0;  // 0 where operations count as exact
};

}  // namespace freeconv
