// One point at a time, from nothing: where x lies, with proof. Slow and sure; blocks of points start from what it
// finds.
#pragma once

#include "freeconv/solver/fixed_point.hpp"
#include "freeconv/solver/interrupt.hpp"
#include "freeconv/solver/newton.hpp"
#include "freeconv/solver/refine.hpp"
#include "freeconv/solver/rounding.hpp"

namespace freeconv {

enum class Where {
  inside,   // a solution with every point in the open half-plane: the density is positive
  outside,  // a real solution whose points all move with z: no mass nearby
  edge,     // neither, down to the last digits: an edge, a cusp or an atom
  lost,     // no certified solution was found, or the call was interrupted
};

struct Located {
  Where where = Where::lost;
  Complex<double> c{};      // the root's common coordinate
  DoubleDouble mass_right;  // outside: the mass of (x, inf), exact
  double residual = kInfinity;
  int iterations = 0;
};

// A density whose relative error by squared slopes' rules is at least this counts as 0 beside a real solution.
inline constexpr double kDrowned = 0.5;

class Tracer {
 public:
  Tracer(const Program& program, double center, double width, Interrupt* interrupt = nullptr)
      : program_(program),
        newton_(program),
        refiner_(program),
        rounding_(program),
        fixed_point_(program),
        center_(center),
        width_(width),
        interrupt_(interrupt),
        mass_(program.nodes.size()) {}

  using Leaves = State<double, 1>;

  Leaves make_state() const { return Leaves(program_.leaf_nodes.size()); }
  Sweeps<double, 1>& sweeps() { return newton_.sweeps(); }

  // Forgets the sweeps spent, which end a continuation that goes nowhere.
  void begin() { work_ = 0; }
  // Newton from `u` at z, Im z >= 0; true if it converged to the certified solution.
  bool correct(Complex<double> z, Leaves& u, int limit = 12);
  // The same in double-double, from a state of the right order of magnitude.
  bool correct_wide(Complex<double> z, Leaves& u);
  // The same on the real axis off the support: all unknowns real.
  bool correct_real(double x, Leaves& u, int limit = 30);
  // From infinity down to z, Im z > 0.
  bool descend_to(Complex<double> z, Leaves& u);
  // From infinity down to x + iy' with y' <= y, in double-double below 1e-3 of the law's width.
  bool approach(double x, double y, Leaves& u);
  // Just above the axis off the support, where Im c is rounding: a step of i Im z from the real solution.
  bool step_off_axis(Complex<double> z, Leaves& u);
  // From infinity down to the axis.
  Located locate(double x, Leaves& u);
  // First from the state given, then from infinity.
  Located locate_from(double x, Leaves& u);
  // A real solution from the state given: outside, or lost.
  Located locate_real(double x, Leaves& u);

  // Steps of the leaves per unit of z, after correct(): du/dz.
  void tangent(Complex<double> z, Leaves& du);
  // du/dz at a state that solves the equations at z; refreshes the sweep.
  void tangent_at(Complex<double> z, const Leaves& u, Leaves& du);

  // The edge next to an inside point; its error is of the order of the square of the distance.
  bool extrapolate_edge(double x, const Leaves& u, double& edge);

  // Relative error of Im c at a solution for real x that squared slopes' rules leave, however it was found; 0 without
  // such a law.
  double rule_error(double x, const Leaves& u, Complex<double> c);

  const NewtonResult<1>& result() const { return result_; }
  double width() const { return width_; }
  bool stopped() const { return interrupt_ != nullptr && interrupt_->stopped(); }

 private:
  bool descend(Complex<double> z, Leaves& u);
  bool spent() const;
  bool far_start(Complex<double> z, Leaves& u);
  bool certified_real(double x);
  bool terms_agree();
  Located descend_wide(double x, double y, Leaves& u);
  bool correct_surely(Complex<double> z, Leaves& u);
  bool shows(double x, const Leaves& u);
  Located search(double x, Leaves& u);
  Located found(Where where) const;

  const Program& program_;
  Newton<1> newton_;
  Refiner<1> refiner_;
  RoundingEstimate<1> rounding_;
  FixedPoint fixed_point_;
  double center_, width_;
  Interrupt* interrupt_;
  std::vector<DoubleDouble> mass_;
  NewtonResult<1> result_{};
  Leaves drowned_;  // the last inside solution whose density does not show, with its result
  NewtonResult<1> of_drowned_{};
  int total_ = 0;
  int work_ = 0;  // sweeps since the continuation began
};

}  // namespace freeconv
