// Points that the blocks could not certify, one by one.
#pragma once

#include "freeconv/solver/status.hpp"
#include "freeconv/spectrum/potential.hpp"
#include "freeconv/spectrum/skeleton.hpp"

namespace freeconv {

// Relative distance within which a point inside the reported support may lie outside the true one.
inline constexpr double kEdgeRounding = 4e-12;

// Below this dlog z/dlog c is taken for the rounding of a zero.
inline constexpr double kSmallestSlope = 1e-7;

// Relative error of a density after double-double: of the division by pi and by the scales.
inline constexpr double kRefinedError = 4.0 * kEpsilon;

struct Recovered {
  Status status = Status::uncertified;
  double density = 0.0;  // of the core, times pi
  double cdf = __builtin_nan("");
  double potential = __builtin_nan("");
  bool blurred = false;  // F may be off by more than it promises
  double residual = kInfinity;
  double accuracy = kRefinedError;  // estimated relative error of the density
  int iterations = 0;
};

class Recovery {
 public:
  // `atoms` may lie inside an interval of the support.
  Recovery(const Program& program, Tracer tracer, const std::vector<Atom>& atoms)
      : program_(program),
        tracer_(std::move(tracer)),
        refiner_(program),
        potential_(program),
        wide_potential_(program),
        atoms_(atoms) {}

  bool stopped() const { return tracer_.stopped(); }
  double width() const { return tracer_.width(); }

  // The density at x, in the interval of `piece`.
  Recovered at(DoubleDouble x, const Skeleton& piece) {
    const bool by_low = x.hi - piece.low < piece.high - x.hi;
    const double distance = by_low ? x.hi - piece.low : piece.high - x.hi;
    const double blur = by_low ? piece.blur_low : piece.blur_high;
    const double rounding = kEdgeRounding * fabs_(x.hi) > blur ? kEdgeRounding * fabs_(x.hi) : blur;
    // dlog z/dlog c may be as small as the relative distance to a blow-up.
    const double slope = 1e-3 * distance / fabs_(x.hi);
    Recovered r = solved(x, slope < kSmallestSlope ? slope : kSmallestSlope);
    if (r.status == Status::recovered || (r.status == Status::uncertified && distance > blur)) return r;
    // Between the edge as it is and the double that stands for it.
    if (distance <= rounding) r.status = Status::edge;
    if (r.status == Status::outside || distance <= rounding) return r;
    return beside(x, distance, r);
  }

  // The point at x if it is off the support, from a state whose real part is next to the solution.
  Recovered off_axis(double x, State<double, 1> u) {
    const Located at = tracer_.locate_real(x, u);
    Recovered r;
    if (at.where == Where::outside) outside(at, u, r);
    return r;
  }

  double rule_error(double x, const State<double, 1>& u, Complex<double> c) { return tracer_.rule_error(x, u, c); }

  // F at a cusp between two intervals, NaN if it cannot be had.
  double cdf_beside(double x, double h) {
    Recovered r;
    mean_beside(DoubleDouble(x), h, r);
    return r.cdf;
  }

  // Re U at an edge, where no equation can be solved, from x + h, x + 4h and x + 16h: the exponent p of Re U(x) + c h^p
  // is 1 where the density vanishes and less where it diverges.
  double potential_limit(double x, double h) {
    const double near = solved(DoubleDouble(x) + DoubleDouble(h), 0.0).potential;
    const double middle = solved(DoubleDouble(x) + DoubleDouble(4.0 * h), 0.0).potential;
    const double far = solved(DoubleDouble(x) + DoubleDouble(16.0 * h), 0.0).potential;
    const double first = middle - near;
    const double second = far - middle;
    // Aitken: the differences grow by 4^p.
    const double grown = second - first;
    return first == 0.0 || !(grown * first > 0.0) ? near : near - first * first / grown;
  }

 private:
  Recovered solved(DoubleDouble x, double smallest_slope) {
    State<double, 1> u = tracer_.make_state();
    const Located at = tracer_.locate(x.hi, u);
    Recovered r;
    r.iterations = at.iterations;
    r.residual = at.residual;
    if (at.where == Where::inside) {
      Block<DoubleDouble, 1> z;
      z.set(0, {x, DoubleDouble(0.0)});
      Block<double, 1> c;
      c.set(0, at.c);
      const int wanted[1] = {1};
      int done[1] = {0};
      refiner_.run(z, wanted, u, c, done);
      r.density = root_density(program_.root(), c.get(0), x.hi);
      if (done[0] != 0) {
        integrate(wide_potential_, refiner_.settled(), refiner_.state(), r);
      } else {
        tracer_.sweeps().up(u);
        integrate(potential_, tracer_.sweeps(), u, r);
      }
      if (done[0] == 0 || !(r.density >= 0.0)) return r;
      r.accuracy += tracer_.rule_error(x.hi, u, c.get(0));
      // Where c moves by itself (the map is the identity) its value is noise: ask beside.
      r.status = is_determined(x.hi, smallest_slope) ? Status::recovered : Status::edge;
    } else if (at.where == Where::outside) {
      outside(at, u, r);
    } else if (at.where == Where::edge) {
      r.status = Status::edge;
      r.density = 0.0;
      r.residual = 0.0;
    }
    return r;
  }

  void outside(const Located& at, const State<double, 1>& u, Recovered& r) {
    r.status = Status::outside;
    r.density = 0.0;
    r.residual = 0.0;
    r.iterations = at.iterations;
    tracer_.sweeps().up(u);
    integrate(potential_, tracer_.sweeps(), u, r);
    r.cdf = (DoubleDouble(1.0) - at.mass_right).hi;
    r.blurred = false;
  }

  template <class R>
  static void integrate(Potential<R, 1>& potential, const Sweeps<R, 1>& sweeps, const State<R, 1>& u, Recovered& r) {
    potential.run(sweeps, u, true);
    r.cdf = potential.left_mass(0);
    r.potential = potential.log_modulus(0);
    r.blurred = potential.is_blurred(0);
  }

  // Whether z moves with the root's coordinate, at the refined state: dlog z/dlog c is not the rounding of a zero.
  // (Beside a blow-up it is as small as the distance.)
  bool is_determined(double x, double smallest_slope) {
    const Node& root = program_.root();
    const NodeLanes<DoubleDouble, 1>& top = refiner_.sweeps().root();
    const RootStep<DoubleDouble> r = root_step(root, top.c.get(0), top.k.get(0), top.a.get(0), top.b.get(0), {});
    const double size = root.form == Form::product ? 1.0 : fabs_(x);
    const double moved = squared_modulus(r.slope * top.c.get(0));
    return moved > smallest_slope * smallest_slope * size * size * squared_modulus(top.a.get(0));
  }

  // A point that cannot be solved though its neighbours can. The density is analytic where it is positive and
  // finite, so the means over x +- h and x +- h/10 agree to h^2 if it is one of these: an atom, or a point where the
  // map of the fixed point is the identity (the centre of two equal coins). At a cusp they fall with h, towards 0.
  Recovered beside(DoubleDouble x, double distance, Recovered r) {
    const double h = 1e-6 * (distance < tracer_.width() ? distance : tracer_.width());
    const double wide = mean_beside(x, h, r);
    const double narrow = mean_beside(x, 0.1 * h, r);
    if (!(narrow > 0.0) || !(wide > 0.0)) {
      r.status = Status::uncertified;
    } else if (fabs_(wide - narrow) <= 1e-9 * narrow) {
      r.status = Status::recovered;
      r.density = narrow;
      r.accuracy = fabs_(wide - narrow) / narrow + 1e-11;
    } else {
      // A power of x: x^(1/3) falls by 2.15, x^(-1/2) grows by 3.2.
      r.status = wide > 1.5 * narrow || narrow > 1.5 * wide ? Status::edge : Status::uncertified;
    }
    return r;
  }

  // Also sets F, which is continuous but for atoms, and Re U.
  double mean_beside(DoubleDouble x, double h, Recovered& r) {
    const Recovered left = solved(x - DoubleDouble(h), 0.0);
    const Recovered right = solved(x + DoubleDouble(h), 0.0);
    r.iterations += left.iterations + right.iterations;
    const bool both = left.status == Status::recovered && right.status == Status::recovered;
    r.cdf = 0.5 * (left.cdf + right.cdf);
    r.potential = 0.5 * (left.potential + right.potential);
    // The atoms between the two count on one side only.
    for (const Atom& a : atoms_) {
      if (a.location == x.hi) r.potential = -kInfinity;
      if (!(fabs_(a.location - x.hi) < h)) continue;
      r.cdf += a.location <= x.hi ? 0.5 * a.weight : -0.5 * a.weight;
    }
    return both ? 0.5 * (left.density + right.density) : 0.0;
  }

  const Program& program_;
  Tracer tracer_;
  Refiner<1> refiner_;
  Potential<double, 1> potential_;
  Potential<DoubleDouble, 1> wide_potential_;
  const std::vector<Atom>& atoms_;
};

}  // namespace freeconv
