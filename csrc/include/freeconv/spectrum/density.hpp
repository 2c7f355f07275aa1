// Densities a block of points at a time: start from the skeleton, Newton on the axis itself, certificate,
// double-double where rounding would show, continuation from infinity where any of it fails.
#pragma once

#include "freeconv/solver/refine.hpp"
#include "freeconv/solver/rounding.hpp"
#include "freeconv/spectrum/recovery.hpp"
#include "freeconv/spectrum/spectrum.hpp"

namespace freeconv {

template <int W>
class DensityBlocks {
 public:
  DensityBlocks(const Program& program, const std::vector<Skeleton>& pieces, Tracer tracer)
      : program_(program),
        pieces_(pieces),
        recovery_(program, std::move(tracer)),
        newton_(program),
        refiner_(program),
        rounding_(program),
        u_(program.leaf_nodes.size()) {}

  // The core points and the piece each lies in (-1: none, lane idle). Results to `out` from index `at` on, `count` <= W
  // of them.
  void run(const DoubleDouble* core, const int* piece, std::size_t at, int count, const Evaluated& out) {
    Block<double, W> target;
    Block<DoubleDouble, W> z;
    const Skeleton* idle = nullptr;
    for (int i = 0; i < count; ++i) {
      if (piece[i] >= 0) idle = &pieces_[static_cast<std::size_t>(piece[i])];
    }
    if (idle == nullptr) return;
    const Skeleton* cells[W];
    double position[W];
    for (int i = 0; i < W; ++i) {
      const bool live = i < count && piece[i] >= 0;
      cells[i] = live ? &pieces_[static_cast<std::size_t>(piece[i])] : idle;
      z.set(i, {live ? core[i] : DoubleDouble(idle->start_x), DoubleDouble(0.0)});
      position[i] = z.re[i].hi;
    }
    for (int i = 0; i < W; ++i) target.set(i, root_target(program_.root(), Complex<double>{position[i], 0.0}));
    start(cells, position);
    newton_.run(target, u_, 10, result_);
    int violations[W];
    count_violations(newton_.sweeps(), violations);
    double error[W];
    rounding_.run(newton_.sweeps(), u_, target, result_.c.im, error);
    int wanted[W];
    int refinements = 0;
    for (int i = 0; i < W; ++i) {
      const bool good = violations[i] == 0 && result_.state[i] != 0;
      wanted[i] = (good && (result_.state[i] == 1 || !(error[i] <= kAllowedError))) ? 1 : 0;
      refinements += wanted[i];
    }
    int refined[W] = {};
    if (refinements > 0) refiner_.run(z, wanted, u_, result_.c, refined);
    for (int i = 0; i < count; ++i) {
      if (piece[i] < 0) continue;
      const std::size_t j = at + static_cast<std::size_t>(i);
      const double density = root_density(program_.root(), result_.c.get(i), position[i]);
      const bool certified = violations[i] == 0 && result_.state[i] != 0 && (wanted[i] == 0 || refined[i] != 0);
      if (certified && density >= 0.0) {
        record(out, j, density, Status::certified, result_.residual[i], result_.iterations[i]);
      } else {
        recover(out, j, core[i], pieces_[static_cast<std::size_t>(piece[i])], result_.iterations[i]);
      }
    }
  }

  // One point by itself.
  void recover(const Evaluated& out, std::size_t j, DoubleDouble x, const Skeleton& piece, int spent) {
    const Recovered r = recovery_.at(x, piece);
    const bool lost = r.status == Status::uncertified;
    record(out, j, lost ? __builtin_nan("") : r.density, r.status, r.residual, spent + r.iterations);
  }

 private:
  void start(const Skeleton* const* cells, const double* position) {
    const std::size_t leaves = u_.size();
    for (int i = 0; i < W; ++i) {
      const Skeleton& s = *cells[i];
      const double t = log_((position[i] - s.low) / (s.high - position[i]));
      const auto k = static_cast<std::size_t>(s.cell(t));
      const double h = s.t[k + 1] - s.t[k];
      const double fraction = (t - s.t[k]) / h;
      // Beyond the last node: stay on it (a cubic there would leave the domain).
      const Hermite w = Hermite::at(fraction > 0.0 ? (fraction < 1.0 ? fraction : 1.0) : 0.0);
      const double* a = s.values.data() + 4 * leaves * k;
      const double* b = a + 4 * leaves;
      for (std::size_t l = 0; l < leaves; ++l, a += 4, b += 4) {
        u_[l].re[i] = w.a * a[0] + w.b * b[0] + h * (w.da * a[2] + w.db * b[2]);
        u_[l].im[i] = w.a * a[1] + w.b * b[1] + h * (w.da * a[3] + w.db * b[3]);
      }
    }
  }

  // `density` is that of the core, times pi.
  void record(const Evaluated& out, std::size_t j, double density, Status status, double residual, int iterations) {
    out.density[j] = program_.factor * (density / kPi);
    out.status[j] = static_cast<signed char>(status);
    out.residual[j] = residual;
    out.iterations[j] = iterations;
  }

  const Program& program_;
  const std::vector<Skeleton>& pieces_;
  Recovery recovery_;
  Newton<W> newton_;
  Refiner<W> refiner_;
  RoundingEstimate<W> rounding_;
  State<double, W> u_;
  NewtonResult<W> result_{};
};

}  // namespace freeconv
