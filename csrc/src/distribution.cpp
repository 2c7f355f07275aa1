// The masses of the pieces of the support, and F off them.
#include <algorithm>
#include <cmath>

#include "freeconv/spectrum/points.hpp"

namespace freeconv {
namespace {

// A jump of F that is an interval's, and not rounding.
constexpr double kJump = 1e-8;

}  // namespace

// Continuous mass to the left of what lies between two neighbours.
double Spectrum::mass_between(const Skeleton& left, const Skeleton& right, Tracer& tracer, Recovery& recovery) const {
  const auto without_atoms = [&](double mass, double x) {
    for (const Atom& a : facts_.atoms) mass -= a.location < x ? a.weight : 0.0;
    return mass;
  };
  if (right.low - left.high > kTouching * std::fabs(right.low)) {
    State<double, 1> u = tracer.make_state();
    // In the widest part between atoms: an ulp beside one the masses are rounding.
    double low = left.high;
    double high = right.low;
    double from = left.high;
    double widest = 0.0;
    for (std::size_t i = 0; i <= facts_.atoms.size(); ++i) {
      const double to = i < facts_.atoms.size() ? facts_.atoms[i].location : right.low;
      if (!(to > left.high && to <= right.low)) continue;
      if (to - from > widest) {
        low = from;
        high = to;
        widest = to - from;
      }
      from = to;
    }
    for (const double part : {0.5, 0.37, 0.63, 0.21, 0.83}) {
      const double x = low + part * (high - low);
      const Located at = tracer.locate(x, u);
      if (at.where == Where::outside) return without_atoms((DoubleDouble(1.0) - at.mass_right).hi, x);
    }
    return __builtin_nan("");
  }
  for (std::size_t i = 0; i < facts_.singular.size(); ++i) {
    const double s = facts_.singular[i];
    if (std::fabs(s - right.low) <= kTouching * std::fabs(s)) return without_atoms(facts_.below_singular[i], s);
  }
  const double h = 1e-9 * std::min(left.high - left.low, right.high - right.low);
  return without_atoms(recovery.cdf_beside(right.low, h), right.low);
}

void Spectrum::weigh(Interrupt* interrupt) {
  Tracer tracer = make_tracer(program_, interrupt);
  Recovery recovery(program_, make_tracer(program_, interrupt), facts_.atoms);
  double continuous = 1.0;
  for (const Atom& a : facts_.atoms) continuous -= a.weight;
  mass_before_.assign(pieces_.size() + 1, 0.0);
  mass_before_.back() = continuous;
  for (std::size_t k = 1; k < pieces_.size(); ++k) {
    mass_before_[k] = complete_ ? mass_between(pieces_[k - 1], pieces_[k], tracer, recovery) : __builtin_nan("");
  }
  inverses_ = std::vector<Inverse>(pieces_.size());
  for (std::size_t k = 0; k < pieces_.size(); ++k) {
    Skeleton& piece = pieces_[k];
    piece.cdf_low = mass_before_[k];
    piece.cdf_high = mass_before_[k + 1];
    for (const Atom& a : facts_.atoms) {
      const double slack = kTouching * std::fabs(a.location);
      if (a.location <= piece.low + slack) piece.cdf_low += a.weight;
      if (a.location < piece.high - slack) piece.cdf_high += a.weight;
    }
  }
  if (facts_.singular.empty()) return;
  for (const Skeleton& piece : pieces_) complete_ = complete_ && reaches_its_ends(piece, recovery);
}

// Whether F comes to its values at the ends of a piece without a jump, which would be the mass of an interval that was
// passed over. (At 0 a power of x may rise as steeply as one likes.)
bool Spectrum::reaches_its_ends(const Skeleton& piece, Recovery& recovery) {
  const double distance = 1e-6 * (piece.high - piece.low);
  for (const bool upper : {false, true}) {
    const double end = upper ? piece.high : piece.low;
    if (end == 0.0) continue;
    const Recovered r = recovery.at(DoubleDouble(upper ? end - distance : end + distance), piece);
    if (r.status != Status::recovered) continue;
    const double left = std::fabs((upper ? piece.cdf_high : piece.cdf_low) - r.cdf);
    // x^(-2/3) has three times this mass.
    if (left > 30.0 * r.density * distance + kJump) return false;
  }
  return true;
}

// F of the core at the user's point x, not in an open piece. Atoms are compared as the user sees them, so that each
// counts from its own location on.
double Spectrum::cdf_off(double x, double core) const {
  if (!(x == x)) return x;
  if (std::isinf(core)) return core > 0.0 ? 1.0 : 0.0;
  std::size_t k = 0;
  while (k < pieces_.size() && pieces_[k].high <= core) ++k;
  double mass = mass_before_[k];
  for (std::size_t i = 0; i < facts_.atoms.size(); ++i)
    mass += facts_.atom_points[i] <= x ? facts_.atoms[i].weight : 0.0;
  return mass;
}

double Spectrum::potential_at_edge(double core, Recovery& recovery) const {
  for (const Atom& a : facts_.atoms) {
    if (a.location == core) return -kInfinity;
  }
  for (const Skeleton& piece : pieces_) {
    // At 0 steps may be as short as one likes, but not beside a cusp, which is not at 0 exactly.
    const double width = piece.high - piece.low;
    if (core == piece.low) {
      const bool sharp = core == 0.0 && piece.blur_low == 0.0;
      return recovery.potential_limit(core, (sharp ? 1e-30 : 1e-12) * width);
    }
    if (core == piece.high) {
      const bool sharp = core == 0.0 && piece.blur_high == 0.0;
      return recovery.potential_limit(core, (sharp ? -1e-30 : -1e-12) * width);
    }
  }
  return __builtin_nan("");
}

}  // namespace freeconv
