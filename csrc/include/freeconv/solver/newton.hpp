// Newton's method for the whole tree, a block of points at a time.
#pragma once

#include <algorithm>

#include "freeconv/solver/certificate.hpp"
#include "freeconv/solver/root.hpp"

namespace freeconv {

// A step below this part of Re u and of Im u is the last: Newton's next one is its square.
inline constexpr double kStepTolerance = 3e-8;
// ... if log z was met to this before it.
inline constexpr double kLargestResidual = 1e-2;
// Where rounding alone moves Im c by more than kFloorError (relative), the steps end at that floor: one within
// kFloorSlack of it is accepted for double-double to finish, unless the floor is so high that the root is in doubt.
inline constexpr double kFloorError = 1e-10;
inline constexpr double kFloorSlack = 100.0;
inline constexpr double kFloorLimit = 3e-4;

template <int W>
struct NewtonResult {
  Block<double, W> c;  // the root's common coordinate
  double residual[W];  // |root residual| before the last step
  double error[W];     // estimated relative rounding error of Im c
  int iterations[W];
  int state[W];  // 2 converged, 1 at the floor of rounding, 0 neither
};

template <int W>
class Newton {
 public:
  explicit Newton(const Program& program) : sweeps_(program) {
    for (const Node& n : program.nodes) {
      for (const Child& c : n.children) multiplicity_ += c.multiplicity;
    }
  }

  Sweeps<double, W>& sweeps() { return sweeps_; }

  // Moves `u` to the solution at `target` (root_target of z). Lanes are independent: one that has converged
  // is left alone, so that its result does not depend on its neighbours. Its last step is taken by c only: the sweeps
  // that neighbours need meet the same u again, and whatever is read off their lanes is the same. take_last_step() is
  // for those who want u.
  void run(const Block<double, W>& target, State<double, W>& u, int limit, NewtonResult<W>& out) {
    const Program& program = sweeps_.program();
    const Node& root = program.root();
    for (int i = 0; i < W; ++i) {
      out.state[i] = 0;
      out.iterations[i] = 0;
      out.residual[i] = kInfinity;
      out.error[i] = kInfinity;
    }
    Block<double, W> step;
    double shrink[W];
    int rough[W];
    int fine[W];
    int active = W;
    for (int iteration = 1; iteration <= limit && active > 0; ++iteration) {
      sweeps_.up(u);
      const NodeLanes<double, W>& top = sweeps_.root();
      double residual[W];
      double error[W];
      if (root.form == Form::product) {
        solve_root(ProductRoot<double>(root), multiplicity_, target, step, residual, error);
      } else {
        solve_root(SumRoot<double>{}, 0.0, target, step, residual, error);
      }
      sweeps_.down(step);
      for (int i = 0; i < W; ++i) {
        shrink[i] = 1.0;
        rough[i] = error[i] > kFloorError && error[i] < kFloorLimit ? 1 : 0;
        // Steps can be short on a run to infinity, too (m -> 0, where the slope is 1/m).
        // And in a gap Im u sinks to the noise of a real solution.
        fine[i] = (root.form == Form::sum || residual[i] < kLargestResidual) && error[i] < kFloorLimit ? 1 : 0;
      }
      for (int leaf = 0; leaf < program.leaf_count(); ++leaf) {
        const Block<double, W>& s = sweeps_.leaf_step(leaf);
        const Block<double, W>& v = u[static_cast<std::size_t>(leaf)];
        for (int i = 0; i < W; ++i) {
          const double size = fabs_(v.re[i]) + fabs_(v.im[i]);  // squares underflow below 1e-154
          const double imaginary = fabs_(v.im[i]);
          const double dx = fabs_(s.re[i]);
          const double dy = fabs_(s.im[i]);
          fine[i] &= (dx <= kStepTolerance * size && dy <= kStepTolerance * imaginary) ? 1 : 0;
          rough[i] &= (dx + dy <= kFloorSlack * error[i] * imaginary) ? 1 : 0;
          // Never cross the real axis: keep a tenth of the height.
          const bool crosses = s.im[i] * v.im[i] < 0.0 && dy > 0.9 * imaginary;
          const double allowed = 0.9 * imaginary / dy;
          shrink[i] = crosses && allowed < shrink[i] ? allowed : shrink[i];
        }
      }
      for (int leaf = 0; leaf < program.leaf_count(); ++leaf) {
        const Block<double, W>& s = sweeps_.leaf_step(leaf);
        Block<double, W>& v = u[static_cast<std::size_t>(leaf)];
        for (int i = 0; i < W; ++i) {
          const bool moves = out.state[i] != 2 && fine[i] == 0;
          v.re[i] = moves ? v.re[i] + shrink[i] * s.re[i] : v.re[i];
          v.im[i] = moves ? v.im[i] + shrink[i] * s.im[i] : v.im[i];
        }
      }
      active = 0;
      for (int i = 0; i < W; ++i) {
        if (out.state[i] == 2) continue;
        out.c.set(i, top.c.get(i) + top.a.get(i) * step.get(i));
        out.residual[i] = residual[i];
        out.error[i] = error[i];
        out.iterations[i] = iteration;
        out.state[i] = fine[i] != 0 ? 2 : (rough[i] != 0 ? 1 : 0);
        active += out.state[i] == 2 ? 0 : 1;
      }
    }
  }

  // After run(), for lanes that have converged.
  void take_last_step(State<double, W>& u, const NewtonResult<W>& result) {
    for (int leaf = 0; leaf < sweeps_.program().leaf_count(); ++leaf) {
      const Block<double, W>& s = sweeps_.leaf_step(leaf);
      Block<double, W>& v = u[static_cast<std::size_t>(leaf)];
      for (int i = 0; i < W; ++i) {
        if (result.state[i] == 2) v.set(i, v.get(i) + s.get(i));
      }
    }
  }

 private:
  // The root's step in every lane; rounding of the residual: an ulp for each factor's logarithm and of each term.
  template <class Root>
  void solve_root(const Root& root, double multiplicity, const Block<double, W>& target, Block<double, W>& step,
                  double* residual, double* error) {
    const NodeLanes<double, W>& top = sweeps_.root();
    for (int i = 0; i < W; ++i) {
      const RootStep<double> r = root.step(top.c.get(i), top.k.get(i), top.a.get(i), top.b.get(i), target.get(i));
      const Complex<double> inverse = reciprocal(r.slope);
      const Complex<double> s = r.residual * inverse;
      step.set(i, s);
      residual[i] = modulus(r.residual);
      const double magnitude = multiplicity + modulus(top.k.get(i)) + modulus(target.get(i));
      const Complex<double> moved = top.a.get(i) * s;
      error[i] = kEpsilon * magnitude * modulus(top.a.get(i) * inverse) / fabs_(top.c.im[i] + moved.im);
    }
  }

  [[gnu::always_inline]] static double modulus(Complex<double> a) { return sqrt_(a.re * a.re + a.im * a.im); }

  Sweeps<double, W> sweeps_;
  double multiplicity_ = 1.0;
};

}  // namespace freeconv
