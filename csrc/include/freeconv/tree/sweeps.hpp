// The two sweeps that make one Newton step of the whole tree.
//
// Upwards every node is linearised to a point and a tangent of its curve, (c, k) + (a, b) s, in the pair
// that its parent wants: (eta, log K) under a product, (F, K) under a sum. An operation picks one common c
// for its children and adds their k:
//     k(s) = sum_i t_i (k_i + b_i s_i),   c_i + a_i s_i = c_p + a_p s  for all i.
// The parameter s is that of the pivot p, the child with the steepest tangent. (With c itself as parameter
// the step would divide by a_i = 0 where dF_i/dz = 0 inside the upper half-plane, e.g. +-1 coins at z = i;
// two children cannot both be steep at the solution, since then f' = 1 there.)
// Downwards each child is handed its s_i. The cost is one evaluation per leaf, whatever the nesting.
#pragma once

#include <vector>

#include "freeconv/tree/program.hpp"

namespace freeconv {

template <class R, int W>
struct NodeLanes {
  Block<R, W> c, k, a, b;  // point and tangent, in the parent's form
  Block<R, W> pivot_c, pivot_a;
  Block<R, W> inverse_f;  // 1/F of a sum inside a product
  Block<R, W> step;
  double sheet[W];  // boxtimes: Im log K, unwrapped, before a sum parent takes exp of it
  int pivot[W];
};

// One complex unknown a leaf.
template <class R, int W>
using State = std::vector<Block<R, W>>;

template <class R, int W>
class Sweeps {
 public:
  explicit Sweeps(const Program& program) : program_(program), lanes_(program.nodes.size()) {}

  const Program& program() const { return program_; }
  const NodeLanes<R, W>& node(int index) const { return lanes_[static_cast<std::size_t>(index)]; }
  const NodeLanes<R, W>& root() const { return lanes_.back(); }

  void up(const State<R, W>& state) {
    const int n = static_cast<int>(program_.nodes.size());
    for (int v = 0; v < n; ++v) {
      const Node& node = program_.nodes[static_cast<std::size_t>(v)];
      NodeLanes<R, W>& out = lanes_[static_cast<std::size_t>(v)];
      switch (node.kind) {
        case Kind::discrete: measure_leaf(node, discrete(node), state[static_cast<std::size_t>(node.leaf)], out); break;
        case Kind::contour: measure_leaf(node, contour(node), state[static_cast<std::size_t>(node.leaf)], out); break;
        case Kind::bernoulli:
          product_leaf(node, bernoulli(node), state[static_cast<std::size_t>(node.leaf)], out);
          break;
        case Kind::marchenko_pastur:
          product_leaf(node, marchenko_pastur(node), state[static_cast<std::size_t>(node.leaf)], out);
          break;
        case Kind::isometry: product_leaf(node, isometry(node), state[static_cast<std::size_t>(node.leaf)], out); break;
        case Kind::semicircle: sum_leaf(node, semicircle(node), state[static_cast<std::size_t>(node.leaf)], out); break;
        case Kind::arcsine: sum_leaf(node, arcsine(node), state[static_cast<std::size_t>(node.leaf)], out); break;
        case Kind::uniform: sum_leaf(node, uniform(node), state[static_cast<std::size_t>(node.leaf)], out); break;
        case Kind::boxtimes:
          combine(node, out);
          leave_product(node, out);
          break;
        case Kind::boxplus:
          combine(node, out);
          if (node.form == Form::product) sum_to_product(node, out);
          break;
        case Kind::affine: affine(node, out); break;
        case Kind::resize: resize(node, out); break;
      }
    }
  }

  // Hands the root's step to all nodes; leaves read theirs with `step`.
  void down(const Block<R, W>& root_step) {
    lanes_.back().step = root_step;
    for (int v = static_cast<int>(program_.nodes.size()) - 1; v >= 0; --v) {
      const Node& node = program_.nodes[static_cast<std::size_t>(v)];
      const NodeLanes<R, W>& from = lanes_[static_cast<std::size_t>(v)];
      if (node.children.size() == 1) {
        lanes_[static_cast<std::size_t>(node.children[0].index)].step = from.step;
        continue;
      }
      for (std::size_t j = 0; j < node.children.size(); ++j) {
        NodeLanes<R, W>& to = lanes_[static_cast<std::size_t>(node.children[j].index)];
        for (int i = 0; i < W; ++i) {
          const Complex<R> s = from.step.get(i);
          const Complex<R> gap = from.pivot_c.get(i) - to.c.get(i);
          const Complex<R> other = (gap + from.pivot_a.get(i) * s) / to.a.get(i);
          const bool own = from.pivot[i] == static_cast<int>(j);
          to.step.set(i, own ? s : other);
        }
      }
    }
  }

  // The tangent only: steps of the leaves for a unit of the root's parameter, all offsets taken as zero.
  void down_tangent(const Block<R, W>& root_step) {
    lanes_.back().step = root_step;
    for (int v = static_cast<int>(program_.nodes.size()) - 1; v >= 0; --v) {
      const Node& node = program_.nodes[static_cast<std::size_t>(v)];
      const NodeLanes<R, W>& from = lanes_[static_cast<std::size_t>(v)];
      for (std::size_t j = 0; j < node.children.size(); ++j) {
        NodeLanes<R, W>& to = lanes_[static_cast<std::size_t>(node.children[j].index)];
        for (int i = 0; i < W; ++i) {
          const Complex<R> s = from.step.get(i);
          if (node.children.size() == 1 || from.pivot[i] == static_cast<int>(j)) {
            to.step.set(i, s);
          } else {
            to.step.set(i, (from.pivot_a.get(i) * s) / to.a.get(i));
          }
        }
      }
    }
  }

  const Block<R, W>& leaf_step(int leaf) const {
    return lanes_[static_cast<std::size_t>(program_.leaf_nodes[static_cast<std::size_t>(leaf)])].step;
  }

 private:
  template <class Law>
  void product_leaf(const Node& node, const Law& law, const Block<R, W>& u, NodeLanes<R, W>& out) {
    if (node.form == Form::product) {
      if constexpr (requires(Complex<R> x) { law.logarithm(x, x, x); }) {
        for (int i = 0; i < W; ++i) {
          Complex<R> k;
          Complex<R> b;
          law.logarithm(u.get(i), k, b);
          out.c.set(i, u.get(i));
          out.k.set(i, k);
          out.a.set(i, {R(1.0), R(0.0)});
          out.b.set(i, b);
        }
        return;
      }
      for (int i = 0; i < W; ++i) {
        const ProductPoint<R> p = law.template product<R>(u.get(i));
        out.c.set(i, p.eta);
        out.k.set(i, log(p.k));
        out.a.set(i, p.deta);
        out.b.set(i, p.dk / p.k);
      }
    } else {
      for (int i = 0; i < W; ++i) {  // p0 = 0 here: eta is m, F = K/m
        const ProductPoint<R> p = law.template product<R>(u.get(i));
        const Complex<R> inverse = reciprocal(p.eta);
        const Complex<R> f = p.k * inverse;
        out.c.set(i, f);
        out.k.set(i, p.k);
        out.a.set(i, (p.dk - f * p.deta) * inverse);
        out.b.set(i, p.dk);
      }
    }
  }

  template <class Law>
  void sum_leaf(const Node& node, const Law& law, const Block<R, W>& u, NodeLanes<R, W>& out) {
    for (int i = 0; i < W; ++i) {
      const SumPoint<R> p = law.template sum<R>(u.get(i));
      out.c.set(i, p.f);
      out.k.set(i, p.k);
      out.a.set(i, p.df);
      out.b.set(i, p.dk);
    }
    if (node.form != Form::product) return;
    sum_to_product(node, out);
    if constexpr (requires { law.low; }) {
      if (is_light(node)) return;  // K/F + p0
      // Here u = z, and 1 + m = z/F is known without the cancellation of 1 + K/F at z -> 0.
      const R offset = constant<R>(node.p0 - DoubleDouble(1.0));
      for (int i = 0; i < W; ++i) out.c.set(i, offset + u.get(i) * out.inverse_f.get(i));
    }
  }

  // Laws that are sums over nodes.
  template <class Law>
  void measure_leaf(const Node& node, const Law& law, const Block<R, W>& u, NodeLanes<R, W>& out) {
    typename Discrete::Sums<R, W> sums;
    law.accumulate(u, sums);
    const R w0 = constant<R>(law.at_zero);
    const bool light = is_light(node);
    const R offset = light ? constant<R>(node.p0) : constant<R>(node.p0 - law.off_zero);
    for (int i = 0; i < W; ++i) {
      const Complex<R> z = u.get(i);
      const Complex<R> over_z = reciprocal(z);
      const Complex<R> g = sums.t.get(i) + w0 * over_z;
      const Complex<R> dg = -(sums.t2.get(i) + w0 * (over_z * over_z));
      const Complex<R> f = reciprocal(g);
      const Complex<R> k = sums.m.get(i) * f;
      const Complex<R> dk = -((sums.m2.get(i) + k * dg) * f);
      if (node.form == Form::product) {
        out.c.set(i, offset + (light ? sums.m.get(i) : z * sums.t.get(i)));
        out.k.set(i, log(k));
        out.a.set(i, -sums.m2.get(i));
        out.b.set(i, dk / k);
      } else {
        out.c.set(i, f);
        out.k.set(i, k);
        out.a.set(i, -((dg * f) * f));  // f^2 may be too large for a double-double
        out.b.set(i, dk);
      }
    }
  }

  void combine(const Node& node, NodeLanes<R, W>& out) {
    const auto& children = node.children;
    const NodeLanes<R, W>& first = lanes_[static_cast<std::size_t>(children[0].index)];
    out.pivot_c = first.c;
    out.pivot_a = first.a;
    Block<R, W> pivot_b = first.b;
    for (int i = 0; i < W; ++i) out.pivot[i] = 0;
    for (std::size_t j = 1; j < children.size(); ++j) {
      const NodeLanes<R, W>& x = lanes_[static_cast<std::size_t>(children[j].index)];
      for (int i = 0; i < W; ++i) {
        const bool steeper = squared_modulus(x.a.get(i)) * squared_modulus(pivot_b.get(i)) <
                             squared_modulus(out.pivot_a.get(i)) * squared_modulus(x.b.get(i));
        out.pivot[i] = steeper ? static_cast<int>(j) : out.pivot[i];
        out.pivot_c.set(i, steeper ? x.c.get(i) : out.pivot_c.get(i));
        out.pivot_a.set(i, steeper ? x.a.get(i) : out.pivot_a.get(i));
        pivot_b.set(i, steeper ? x.b.get(i) : pivot_b.get(i));
      }
    }
    for (int i = 0; i < W; ++i) {
      out.k.set(i, {R(0.0), R(0.0)});
      out.b.set(i, {R(0.0), R(0.0)});
    }
    for (std::size_t j = 0; j < children.size(); ++j) {
      const NodeLanes<R, W>& x = lanes_[static_cast<std::size_t>(children[j].index)];
      const R t = R(children[j].multiplicity);
      for (int i = 0; i < W; ++i) {
        const bool own = out.pivot[i] == static_cast<int>(j);
        const Complex<R> slope = x.b.get(i) / x.a.get(i);
        const Complex<R> moved = slope * (out.pivot_c.get(i) - x.c.get(i));
        const Complex<R> along = slope * out.pivot_a.get(i);
        out.k.set(i, out.k.get(i) + t * (own ? x.k.get(i) : x.k.get(i) + moved));
        out.b.set(i, out.b.get(i) + t * (own ? x.b.get(i) : along));
      }
    }
    out.c = out.pivot_c;
    out.a = out.pivot_a;
  }

  // (eta, log K) with the node's own p0 -> the parent's form.
  void leave_product(const Node& node, NodeLanes<R, W>& out) {
    for (int i = 0; i < W; ++i) out.sheet[i] = to_double(out.k.im[i]);
    if (node.form == Form::product) {
      for (int i = 0; i < W; ++i) out.c.set(i, constant<R>(node.shift_p0) + out.c.get(i));
      return;
    }
    for (int i = 0; i < W; ++i) {
      const Complex<R> over_m = reciprocal(out.c.get(i) - constant<R>(node.own_p0));
      const Complex<R> k = exp(out.k.get(i));
      const Complex<R> f = k * over_m;
      out.k.set(i, k);
      out.c.set(i, f);
      out.a.set(i, f * (out.b.get(i) - out.a.get(i) * over_m));
      out.b.set(i, k * out.b.get(i));
    }
  }

  // (F, K) -> (eta, log K), m = K/F.
  void sum_to_product(const Node& node, NodeLanes<R, W>& out) {
    for (int i = 0; i < W; ++i) {
      const Complex<R> over_f = reciprocal(out.c.get(i));
      out.inverse_f.set(i, over_f);
      const Complex<R> k = out.k.get(i);
      const Complex<R> m = k * over_f;
      out.a.set(i, (out.b.get(i) - m * out.a.get(i)) * over_f);
      out.b.set(i, out.b.get(i) / k);
      out.c.set(i, constant<R>(node.p0) + m);
      out.k.set(i, log(k));
    }
  }

  void affine(const Node& node, NodeLanes<R, W>& out) {
    const NodeLanes<R, W>& x = lanes_[static_cast<std::size_t>(node.children[0].index)];
    const R scale = R(node.parameters[0]);
    const R shift = R(node.parameters[1]);
    for (int i = 0; i < W; ++i) {
      out.c.set(i, scale * x.c.get(i));
      out.k.set(i, shift + scale * x.k.get(i));
      out.a.set(i, scale * x.a.get(i));
      out.b.set(i, scale * x.b.get(i));
    }
    if (node.form == Form::product) sum_to_product(node, out);
  }

  // m -> m/r, K -> K (1+m)/(r+m), on (eta, log K); the child's eta has the child's own p0.
  void resize(const Node& node, NodeLanes<R, W>& out) {
    const NodeLanes<R, W>& x = lanes_[static_cast<std::size_t>(node.children[0].index)];
    const R r = R(node.parameters[0]);
    const R over_r = R(1.0) / r;
    // 1 + m and r + m from eta: next to a hard edge at 0 one of them is eta itself.
    const R rest = constant<R>(DoubleDouble(1.0) - node.own_p0);
    const R more = constant<R>(DoubleDouble(node.parameters[0]) - node.own_p0);
    for (int i = 0; i < W; ++i) {
      const Complex<R> top = rest + x.c.get(i);
      const Complex<R> bottom = more + x.c.get(i);
      out.c.set(i, constant<R>(node.shift_p0) + over_r * x.c.get(i));
      out.k.set(i, x.k.get(i) + log(top / bottom));
      out.a.set(i, over_r * x.a.get(i));
      out.b.set(i, x.b.get(i) + x.a.get(i) * (reciprocal(top) - reciprocal(bottom)));
    }
    if (node.form == Form::sum) {
      for (int i = 0; i < W; ++i) {  // shift_p0 is -own_p0/r then: c is m
        const Complex<R> over_m = reciprocal(out.c.get(i));
        const Complex<R> k = exp(out.k.get(i));
        const Complex<R> f = k * over_m;
        out.k.set(i, k);
        out.c.set(i, f);
        out.a.set(i, f * (out.b.get(i) - out.a.get(i) * over_m));
        out.b.set(i, k * out.b.get(i));
      }
    }
  }

  const Program& program_;
  std::vector<NodeLanes<R, W>> lanes_;
};

}  // namespace freeconv
