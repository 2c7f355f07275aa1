// A running estimate of the rounding error of a solved block: how far Im c may be off in doubles.
//
// Each node's curve is displaced by rounding. The displacement in k at fixed c (first order, half an ulp an operation,
// signs adding up) travels up the tree like k itself, and the root's slope turns it into an error of Im c. Against
// 50-digit tables the estimate is 1.5 to 100 times the error.
#pragma once

#include <vector>

#include "freeconv/solver/root.hpp"

namespace freeconv {

template <int W>
class RoundingEstimate {
 public:
  explicit RoundingEstimate(const Program& program) : error_(program.nodes.size() * W) {}

  // Relative error of Im c (`height`) in each lane, from the lanes of the last upward sweep.
  void run(const Sweeps<double, W>& sweeps, const State<double, W>& u, const Block<double, W>& target,
           const double* height, double* error) {
    const Program& program = sweeps.program();
    for (std::size_t v = 0; v < program.nodes.size(); ++v) {
      const Node& n = program.nodes[v];
      const NodeLanes<double, W>& lanes = sweeps.node(static_cast<int>(v));
      double* out = error_.data() + v * W;
      if (n.leaf >= 0) {
        leaf(n, lanes, u[static_cast<std::size_t>(n.leaf)], out);
      } else {
        operation(n, lanes, out);
      }
    }
    const Node& root = program.root();
    const NodeLanes<double, W>& top = sweeps.root();
    const double* residual = error_.data() + (program.nodes.size() - 1) * W;
    for (int i = 0; i < W; ++i) {
      const Complex<double> c = top.c.get(i);
      const RootStep<double> r = root_step(root, c, top.k.get(i), top.a.get(i), top.b.get(i), target.get(i));
      double total = residual[i] + modulus(target.get(i)) + modulus(top.k.get(i));
      if (root.form == Form::product) {
        const Complex<double> m = c - root.p0.hi;
        const Complex<double> one_plus_m = (DoubleDouble(1.0) - root.p0).hi + c;
        total += 2.0 + (modulus(c) + root.p0.hi) / modulus(m * one_plus_m);
      } else {
        total += modulus(c);
      }
      error[i] = kEpsilon * total * modulus(top.a.get(i) / r.slope) / fabs_(height[i]);
    }
  }

 private:
  static double modulus(Complex<double> a) { return sqrt_(a.re * a.re + a.im * a.im); }

  // All in units of kEpsilon.
  void leaf(const Node& n, const NodeLanes<double, W>& lanes, const Block<double, W>& u, double* out) {
    for (int i = 0; i < W; ++i) {
      const Complex<double> slope = lanes.b.get(i) / lanes.a.get(i);
      const double steep = modulus(slope);
      const double k = modulus(lanes.k.get(i));
      const double c = modulus(lanes.c.get(i));
      if (n.kind == Kind::discrete) {
        double weights = 0.0;
        double moments = 0.0;
        sums(discrete(n), u.get(i), weights, moments);
        const Complex<double> z = u.get(i);
        // G = t + w0/z and m = z G - 1 as sums of terms of both signs.
        if (n.form == Form::product) {
          const Complex<double> m = lanes.c.get(i) - n.p0.hi;
          const Complex<double> g = reciprocal(z) * (1.0 + m);
          out[i] = 4.0 + k + moments / modulus(m) + weights / modulus(g) + steep * (1.0 + modulus(z) * weights);
        } else {
          const double relative = 4.0 + weights * c;  // |F| sum |w r|: the condition of G
          const double of_m = moments * c / (k > 1e-300 ? k : 1e-300);
          out[i] = k * (relative + of_m) + steep * c * relative;
        }
      } else if (n.kind == Kind::arcsine || n.kind == Kind::uniform) {
        const double own = 6.0 * (modulus(u.get(i)) + fabs_(n.parameters[0]) + fabs_(n.parameters[1]));
        // In a product the pair is (1 + m = z/F, log K).
        out[i] = n.form == Form::sum ? own * (1.0 + steep)
                                     : own * (1.0 / modulus(exp(lanes.k.get(i))) + steep * (1.0 + c)) + k;
      } else {
        // The coordinate is c itself; only K is rounded
        // (two operations and the logarithm, half an ulp each; kEpsilon is one).
        out[i] = n.form == Form::product ? 1.0 + 0.5 * k : 2.0 * (k + steep * c);
        if (n.kind == Kind::semicircle) out[i] += 2.0 * fabs_(n.parameters[0]);
      }
    }
  }

  void operation(const Node& n, const NodeLanes<double, W>& lanes, double* out) {
    for (int i = 0; i < W; ++i) out[i] = 0.0;
    for (const Child& child : n.children) {
      const double* in = error_.data() + static_cast<std::size_t>(child.index) * W;
      for (int i = 0; i < W; ++i) out[i] += child.multiplicity * in[i];
    }
    for (int i = 0; i < W; ++i) {
      const Complex<double> slope = lanes.b.get(i) / lanes.a.get(i);
      const double k = modulus(lanes.k.get(i));
      const double c = modulus(lanes.c.get(i));
      const bool product = n.form == Form::product;
      switch (n.kind) {
        case Kind::boxtimes:
        case Kind::resize:
          if (product) {
            out[i] += 0.5 * k;
            break;
          }
          // K = e^l, F = K/m: a displacement of l moves both, and m = eta - p0 is rounded.
          {
            const Complex<double> over_m = lanes.c.get(i) / lanes.k.get(i);
            const double turned = modulus(1.0 + (-(slope * over_m)));
            out[i] = k * (out[i] + 4.0) * turned + modulus(slope) * c * (4.0 + n.own_p0.hi * modulus(over_m));
          }
          break;
        case Kind::boxplus:
        case Kind::affine: {
          if (n.kind == Kind::affine) out[i] = out[i] * n.parameters[0] + fabs_(n.parameters[1]);
          if (!product) {
            out[i] += k;
            break;
          }
          // c = p0 + K/F, k = log K.
          const Complex<double> value = exp(lanes.k.get(i));
          const Complex<double> m = lanes.c.get(i) - n.p0.hi;
          const Complex<double> over_k = reciprocal(value);
          out[i] = (out[i] + modulus(value)) * modulus(over_k * (1.0 + (-(slope * m)))) +
                   modulus(slope) * (n.p0.hi + 4.0 * modulus(m)) + k;
          break;
        }
        default: break;
      }
    }
  }

  // sum |w r| and sum |w a r|, r = 1/(z - a).
  static void sums(const Discrete& law, Complex<double> z, double& weights, double& moments) {
    for (std::size_t j = 0; j < law.count; ++j) {
      const Complex<double> d = z - law.locations[j];
      const double wr = law.weights[j].hi / modulus(d);
      // Cancellation of z - a itself is an exact subtraction of rounded z: no error of the curve.
      weights += wr;
      moments += wr * fabs_(law.locations[j]);
    }
  }

  std::vector<double> error_;
};

}  // namespace freeconv
