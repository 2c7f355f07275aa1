// Densities and distribution functions a block of points at a time: start from the skeleton, Newton on the axis itself,
// certificate, double-double where rounding would show, continuation from infinity where any of it fails.
#pragma once

#include "freeconv/solver/refine.hpp"
#include "freeconv/solver/rounding.hpp"
#include "freeconv/spectrum/spectrum.hpp"

namespace freeconv {

// A distribution function beyond its values at the ends of an interval by more is that of another branch.
inline constexpr double kCdfRounding = 1e-9;

// What the running estimate may say of a distribution function that is good to 1e-13: 10 to 100 times the error, where
// a kernel's stages cancel.
inline constexpr double kDisplacedCdf = 1e-12;

// A residual of doubles from which double-double is tried where squared slopes' density has faded into rounding.
inline constexpr double kFaintResidual = 1e-8;

// Of a faint tail's density, in units of 1/width. (Im c over Re c is as small beside an atom.)
inline constexpr double kFaint = 1e-8;

// Whether F lies between its values at the ends of the interval, which are sums of leaf weights: a proof of its own.
inline bool within(const Skeleton& piece, double cdf) {
  return !(cdf < piece.cdf_low - kCdfRounding) && !(cdf > piece.cdf_high + kCdfRounding);
}

inline void record(const Program& program, const Evaluated& out, std::size_t j, const Skeleton& piece,
                   const Recovered& r, double accuracy) {
  out.density[j] = program.factor * (r.density / kPi);
  out.status[j] = static_cast<signed char>(r.status);
  if (out.residual != nullptr) out.residual[j] = r.residual;
  if (out.accuracy != nullptr) out.accuracy[j] = accuracy;
  if (out.iterations != nullptr) out.iterations[j] = r.iterations;
  if (out.cdf != nullptr) {
    const double below = r.cdf > piece.cdf_high ? piece.cdf_high : r.cdf;
    out.cdf[j] = below < piece.cdf_low ? piece.cdf_low : below;
  }
  if (out.potential != nullptr) out.potential[j] = r.potential;
}

template <int W>
class DensityBlocks {
 public:
  DensityBlocks(const Program& program, const std::vector<Skeleton>& pieces, const std::vector<Atom>& atoms,
                Tracer tracer)
      : program_(program),
        pieces_(pieces),
        recovery_(program, std::move(tracer), atoms),
        newton_(program),
        refiner_(program),
        rounding_(program),
        potential_(program),
        wide_potential_(program),
        u_(program.leaf_nodes.size()) {}

  Recovery& recovery() { return recovery_; }

  // The core points and the piece each lies in (-1: none, lane idle). The core's results to the places where[i] of
  // `out`, `count` <= W of them.
  void run(const DoubleDouble* core, const int* piece, const std::size_t* where, int count, const Evaluated& out) {
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
    int faint[W] = {};
    int refinements = 0;
    const int hopeful = program_.rule_noise > 0.0 ? recall_faint(piece, count, cells, position, violations, faint) : 0;
    for (int i = 0; i < W; ++i) {
      const bool good = violations[i] == 0 && result_.state[i] != 0;
      wanted[i] = faint[i] != 0 || (good && (result_.state[i] == 1 || !(error[i] <= kAllowedError))) ? 1 : 0;
      refinements += wanted[i];
    }
    int refined[W] = {};
    double turns[W] = {};
    const bool integrals = out.cdf != nullptr || out.potential != nullptr;
    int blurred[W] = {};
    if (integrals) {
      potential_.run(newton_.sweeps(), u_, out.potential != nullptr);
      potential_.take_last_step(newton_.sweeps(), target);
      double displaced[W];
      rounding_.of_cdf(newton_.sweeps(), displaced);
      for (int i = 0; i < W; ++i) {
        const bool solved = violations[i] == 0 && result_.state[i] != 0;
        const bool noisy = potential_.is_blurred(i) || !(displaced[i] <= kDisplacedCdf);
        blurred[i] = wanted[i] == 0 && solved && noisy ? 1 : 0;
        wanted[i] |= blurred[i];
        refinements += blurred[i];
      }
    }
    if (refinements > 0) {
      // A density does not depend on whether F is asked for, to the last bit.
      const Block<double, W> before = result_.c;
      refiner_.run(z, wanted, u_, result_.c, refined);
      for (int i = 0; i < W; ++i) {
        if (blurred[i] != 0) result_.c.set(i, before.get(i));
      }
      if (hopeful > 0) accept_turns(position, faint, refined, turns);
      if (integrals) wide_potential_.run(refiner_.settled(), refiner_.state(), out.potential != nullptr, refined);
    }
    if (hopeful > 0) {
      int wide_violations[W];
      count_violations(refiner_.settled(), wide_violations);
      for (int i = 0; i < W; ++i) {
        if (faint[i] == 0) continue;
        violations[i] = wide_violations[i];
        result_.state[i] = refined[i];
      }
    }
    // What no precision mends.
    double left[W] = {};
    if (program_.rule_noise > 0.0) {
      rounding_.run(newton_.sweeps(), u_, target, result_.c.im, left, Displaced::by_rules);
      for (int i = 0; i < count; ++i) {
        if (faint[i] == 0 || result_.state[i] == 0) continue;
        left[i] = turns[i] + recovery_.rule_error(position[i], lane(i), result_.c.get(i));
      }
    }
    for (int i = 0; i < count; ++i) {
      if (piece[i] < 0) continue;
      const std::size_t j = where[i];
      const double density = root_density(program_.root(), result_.c.get(i), position[i]);
      const Skeleton& here = pieces_[static_cast<std::size_t>(piece[i])];
      Recovered r;
      r.status = Status::certified;
      r.density = density;
      r.residual = result_.residual[i];
      r.iterations = result_.iterations[i];
      if (integrals) {
        const bool wide = refined[i] != 0;
        r.cdf = wide ? wide_potential_.left_mass(i) : potential_.left_mass(i);
        r.potential = wide ? wide_potential_.log_modulus(i) : potential_.log_modulus(i);
        r.blurred = !wide && potential_.is_blurred(i);
      }
      const bool fine = wanted[i] == 0 || refined[i] != 0 || blurred[i] != 0;
      const bool solved = violations[i] == 0 && result_.state[i] != 0 && fine && density >= 0.0;
      const bool proven = solved && !r.blurred && within(here, r.cdf);
      r.accuracy = left[i] + (refined[i] != 0 && blurred[i] == 0 ? kRefinedError : error[i]);
      if (proven && left[i] < kDrowned) {
        record(program_, out, j, here, r, r.accuracy);
        continue;
      }
      if (program_.rule_noise > 0.0 && hide(out, j, i, position[i], here, r, proven)) continue;
      recover(out, j, core[i], here, r);
    }
  }

  // One point by itself; `spent` is what the block had found.
  void recover(const Evaluated& out, std::size_t j, DoubleDouble x, const Skeleton& piece, const Recovered& spent) {
    Recovered r = recovery_.at(x, piece);
    r.iterations += spent.iterations;
    if (r.status == Status::edge && !(r.cdf == r.cdf)) {
      r.cdf = x.hi - piece.low < piece.high - x.hi ? piece.cdf_low : piece.cdf_high;
    }
    if (!within(piece, r.cdf) || (r.blurred && out.cdf != nullptr)) r.status = Status::uncertified;
    if (r.status == Status::uncertified) {  // the last iterates, for those who want to see them
      r.density = spent.density;
      r.cdf = spent.cdf;
      r.potential = spent.potential;
    }
    record(program_, out, j, piece, r, r.status == Status::uncertified ? kInfinity : r.accuracy);
  }

 private:
  bool is_faint(double x, Complex<double> c) const {
    return fabs_(root_density(program_.root(), c, x)) * recovery_.width() <= kFaint;
  }

  // Where two rules take turns in a faint tail the steps do not end, but they are within the rules' error.
  [[gnu::noinline]] void accept_turns(const double* position, const int* faint, int* refined, double* turns) {
    for (int i = 0; i < W; ++i) {
      if (faint[i] == 0 || refined[i] != 0 || !is_faint(position[i], result_.c.get(i))) continue;
      const double last = refiner_.last_step(i);
      if (!(last < kDrowned && last <= recovery_.rule_error(position[i], lane(i), result_.c.get(i)))) continue;
      refined[i] = 1;
      turns[i] = last;
    }
  }

  // Where the rules' error hides a faint density it counts as 0 if there is a real solution next to this one, and else
  // it is what it is within that error; false if neither is proven.
  [[gnu::noinline]] bool hide(const Evaluated& out, std::size_t j, int i, double x, const Skeleton& here, Recovered r,
                              bool proven) {
    if (!is_faint(x, result_.c.get(i))) return false;
    const Recovered hidden = recovery_.off_axis(x, lane(i));
    if (hidden.status == Status::outside && within(here, hidden.cdf)) {
      record(program_, out, j, here, hidden, hidden.accuracy);
      return true;
    }
    if (!proven) return false;
    r.status = Status::recovered;
    record(program_, out, j, here, r, r.accuracy);
    return true;
  }

  State<double, 1> lane(int i) const {
    State<double, 1> one(u_.size());
    for (std::size_t l = 0; l < u_.size(); ++l) one[l].set(0, u_[l].get(i));
    return one;
  }

  // Lanes that doubles could not solve though squared slopes stand in the law: faint tails, where Im u is within
  // rounding of |u|. Double-double may solve them, from the skeleton's height and what Newton made of Re u.
  [[gnu::noinline]] int recall_faint(const int* piece, int count, const Skeleton* const* cells, const double* position,
                                     const int* violations, int* faint) {
    int found = 0;
    for (int i = 0; i < W; ++i) {
      const bool live = i < count && piece[i] >= 0;
      const bool solved = violations[i] == 0 && result_.state[i] != 0;
      faint[i] = live && !solved ? 1 : 0;
      found += faint[i];
    }
    if (found == 0) return 0;
    const State<double, W> reached = u_;
    start(cells, position);
    for (std::size_t l = 0; l < u_.size(); ++l) {
      for (int i = 0; i < W; ++i) {
        const bool near = faint[i] == 0 || result_.residual[i] < kFaintResidual;
        u_[l].re[i] = near ? reached[l].re[i] : u_[l].re[i];
        u_[l].im[i] = faint[i] == 0 ? reached[l].im[i] : u_[l].im[i];
      }
    }
    return found;
  }

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
      if (t < s.t.front()) {
        // Beyond the first node, 1e-282 from a hard edge at 0, unknowns are powers of x.
        for (std::size_t l = 0; l < leaves; ++l, a += 4) {
          const Complex<double> u0{a[0], a[1]};
          u_[l].set(i, u0 * exp((t - s.t.front()) * (Complex<double>{a[2], a[3]} / u0)));
        }
        continue;
      }
      for (std::size_t l = 0; l < leaves; ++l, a += 4, b += 4) {
        u_[l].re[i] = w.a * a[0] + w.b * b[0] + h * (w.da * a[2] + w.db * b[2]);
        u_[l].im[i] = w.a * a[1] + w.b * b[1] + h * (w.da * a[3] + w.db * b[3]);
      }
    }
  }

  const Program& program_;
  const std::vector<Skeleton>& pieces_;
  Recovery recovery_;
  Newton<W> newton_;
  Refiner<W> refiner_;
  RoundingEstimate<W> rounding_;
  Potential<double, W> potential_;
  Potential<DoubleDouble, W> wide_potential_;
  State<double, W> u_;
  NewtonResult<W> result_{};
};

}  // namespace freeconv
