// The last step in double-double, for points whose rounding error in doubles would show.
#pragma once

#include <limits>

#include "freeconv/solver/root.hpp"

namespace freeconv {

// Relative error that doubles may leave in the density, by the estimate of rounding.hpp.
inline constexpr double kAllowedError = 7e-12;

// Sheets of a real power t differ by pi (t - 1), which is small for t next to 1.
inline constexpr double kRealSheet = 1e-9;

template <int W>
class Refiner {
 public:
  explicit Refiner(const Program& program) : sweeps_(program), state_(program.leaf_nodes.size()) {}

  Sweeps<DoubleDouble, W>& sweeps() { return sweeps_; }
  const State<DoubleDouble, W>& state() const { return state_; }
  // The last step of Im c, relative.
  double last_step(int i) const { return moved_[i]; }
  // The lanes at the state that run() ended with.
  const Sweeps<DoubleDouble, W>& settled() {
    sweeps_.up(state_);
    return sweeps_;
  }

  // Newton steps from `u`, until the last is below 1e-9 of Im c (its square is below 1e-17), for the lanes with
  // wanted[i] != 0. c and u receive the result; done[i] tells whether it got there.
  void run(const Block<DoubleDouble, W>& z, const int* wanted, State<double, W>& u, Block<double, W>& c, int* done) {
    const Program& program = sweeps_.program();
    const Node& root = program.root();
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    for (int leaf = 0; leaf < program.leaf_count(); ++leaf) {
      const auto l = static_cast<std::size_t>(leaf);
      for (int i = 0; i < W; ++i) {
        // What is no number costs no sums over many atoms.
        const bool live = wanted[i] != 0;
        state_[l].set(i, {DoubleDouble(live ? u[l].re[i] : nothing), DoubleDouble(live ? u[l].im[i] : nothing)});
      }
    }
    Block<DoubleDouble, W> target;
    for (int i = 0; i < W; ++i) {
      target.set(i, root_target(root, z.get(i)));
      done[i] = 0;
    }
    Block<DoubleDouble, W> step;
    for (int iteration = 0; iteration < 12; ++iteration) {
      sweeps_.up(state_);
      const NodeLanes<DoubleDouble, W>& top = sweeps_.root();
      int remaining = 0;
      for (int i = 0; i < W; ++i) {
        if (wanted[i] == 0 || done[i] != 0) {
          step.set(i, {DoubleDouble(0.0), DoubleDouble(0.0)});
          continue;
        }
        const RootStep<DoubleDouble> r =
            root_step(root, top.c.get(i), top.k.get(i), top.a.get(i), top.b.get(i), target.get(i));
        step.set(i, r.residual / r.slope);
        const Complex<DoubleDouble> moved = top.a.get(i) * step.get(i);
        const Complex<double> value = leading(top.c.get(i) + moved);
        const Complex<double> change = leading(moved);
        c.set(i, value);
        const double size = fabs_(change.re) + fabs_(change.im);
        moved_[i] = size / fabs_(value.im);
        // A real solution sinks to a height of nothing, and its steps with it.
        const bool high = fabs_(value.im) > 1e-24 * fabs_(value.re);
        done[i] = high && size <= 1e-9 * fabs_(value.im) ? 1 : 0;
        remaining += done[i] == 0 ? 1 : 0;
      }
      // The last step is taken, too: a state 1e-9 off would show in the distribution function beside a cusp.
      sweeps_.down(step);
      for (int leaf = 0; leaf < program.leaf_count(); ++leaf) {
        const auto l = static_cast<std::size_t>(leaf);
        const Block<DoubleDouble, W>& s = sweeps_.leaf_step(leaf);
        for (int i = 0; i < W; ++i) state_[l].set(i, state_[l].get(i) + s.get(i));
      }
      if (remaining == 0) break;
    }
    for (int leaf = 0; leaf < program.leaf_count(); ++leaf) {
      const auto l = static_cast<std::size_t>(leaf);
      for (int i = 0; i < W; ++i) {
        if (wanted[i] != 0 && done[i] != 0) u[l].set(i, leading(state_[l].get(i)));
      }
    }
  }

  // The same for the first lane with all unknowns real (u.im is the side of the cuts, and stays): off the support,
  // where doubles end at steps of 1e-16 |F dz/dF|, 1e-9 in a narrow gap. `unit` is the size of the residual's terms.
  bool run_real(double x, State<double, W>& u, double unit) {
    const Program& program = sweeps_.program();
    const Node& root = program.root();
    const Complex<DoubleDouble> target =
        root_target(root, Complex<DoubleDouble>{DoubleDouble(x), DoubleDouble(1e-250)});
    for (std::size_t l = 0; l < u.size(); ++l) {
      for (int i = 0; i < W; ++i) state_[l].set(i, {DoubleDouble(u[l].re[i]), DoubleDouble(u[l].im[i])});
    }
    Block<DoubleDouble, W> step{};
    for (int iteration = 0; iteration < 12; ++iteration) {
      sweeps_.up(state_);
      const NodeLanes<DoubleDouble, W>& top = sweeps_.root();
      const RootStep<DoubleDouble> r = root_step(root, top.c.get(0), top.k.get(0), top.a.get(0), top.b.get(0), target);
      step.set(0, {r.residual.re / r.slope.re, DoubleDouble(0.0)});
      sweeps_.down(step);
      bool fine = fabs_(to_double(r.residual.im)) <= kRealSheet * unit;
      for (std::size_t l = 0; l < u.size(); ++l) {
        const DoubleDouble s = sweeps_.leaf_step(static_cast<int>(l)).re[0];
        if (!(fabs_(s.hi) < kInfinity)) return false;
        fine = fine && fabs_(s.hi) <= 1e-22 * fabs_(state_[l].re[0].hi);
        state_[l].re[0] = state_[l].re[0] + s;
      }
      if (!fine) continue;
      for (std::size_t l = 0; l < u.size(); ++l) u[l].re[0] = state_[l].re[0].hi;
      return true;
    }
    return false;
  }

 private:
  Sweeps<DoubleDouble, W> sweeps_;
  State<DoubleDouble, W> state_;
  double moved_[W] = {};
};

}  // namespace freeconv
