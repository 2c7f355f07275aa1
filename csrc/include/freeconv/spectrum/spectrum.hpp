// One law, ready to be evaluated: its program, its support and the skeleton of every interval.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "freeconv/solver/status.hpp"
#include "freeconv/spectrum/skeleton.hpp"

namespace freeconv {

// What Python knows of the core law (the root's shifts, scales and size changes peeled off).
struct CoreFacts {
  double mean = 0.0;
  double deviation = 1.0;
  std::vector<Atom> atoms;
  std::vector<double> singular;  // would-be atoms: where weights meet 1 exactly
};

struct Evaluated {
  double* density;
  signed char* status;
  double* residual;
  int* iterations;
};

class Spectrum {
 public:
  // `far` is the same program without offsets, for points far from the law.
  Spectrum(Program program, Program far, CoreFacts facts);

  // Intervals of the continuous part, ascending, as the user sees them.
  std::vector<double> support() const;
  bool complete() const { return complete_; }
  std::size_t child_count() const { return child_nodes_.size(); }

  // Density at n real points, 0 off the support. Lanes are independent: no value depends on its neighbours.
  void evaluate(const double* x, std::size_t n, const Evaluated& out) const;

  // G and the children's points at n points of the closed upper half-plane (re, im interleaved).
  // omega is [child][point]; either output may be null.
  void solve(const double* z, std::size_t n, double* cauchy, double* omega, signed char* status) const;

 private:
  void build();
  int piece_of(double x) const;
  int joint_of(double x) const;
  double touching(double x) const;
  Tracer make_tracer(const Program& program) const { return {program, facts_.mean, facts_.deviation}; }

  Program program_;
  Program far_;
  CoreFacts facts_;
  std::vector<int> child_nodes_;
  std::vector<Skeleton> pieces_;
  bool complete_ = true;
};

}  // namespace freeconv
