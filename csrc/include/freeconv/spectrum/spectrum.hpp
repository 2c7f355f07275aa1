// One law, ready to be evaluated: its program, its support and the skeleton of every interval.
#pragma once

#include <mutex>
#include <vector>

#include "freeconv/chain/forward_chain.hpp"
#include "freeconv/solver/status.hpp"
#include "freeconv/spectrum/recovery.hpp"

namespace freeconv {

// Relative distance at which two pieces are one interval of the closed support.
inline constexpr double kTouching = 4e-15;

// What Python knows of the core law (the root's shifts, scales and size changes peeled off).
struct CoreFacts {
  double mean = 0.0;
  double deviation = 1.0;
  double lowest = -kInfinity, highest = kInfinity;  // outer bounds of the support
  std::vector<Atom> atoms;
  std::vector<double> atom_points;     // the same locations as the user sees them
  std::vector<double> singular;        // would-be atoms, ascending: where weights meet 1 exactly
  std::vector<double> below_singular;  // the mass to the left of each
};

// Arrays of n results; all but density and status may be null.
struct Evaluated {
  double* density = nullptr;
  double* cdf = nullptr;
  double* potential = nullptr;
  signed char* status = nullptr;
  double* residual = nullptr;
  double* accuracy = nullptr;
  int* iterations = nullptr;
};

// Arrays of n results of which all but the status may be null; omega is [child][point].
struct Solved {
  double* cauchy = nullptr;
  double* omega = nullptr;
  double* potential = nullptr;
  signed char* status = nullptr;
};

// Along one piece: t = logit of the position as a function of l = logit of the mass to the left, with dt/dl. At an edge
// where F ~ d^p this is the line l = p t.
struct InverseTable {
  std::vector<double> level, t, slope;
  double at(double l) const;
  bool is_straight(bool upper) const;
};

class Points;

class Spectrum {
 public:
  // `far` is the same program without offsets, for points far from the law.
  Spectrum(Program program, Program far, CoreFacts facts, Interrupt* interrupt = nullptr);

  // Intervals of the continuous part, ascending, as the user sees them.
  std::vector<double> support() const;
  // For each open piece of it (would-be atoms and cusps cut intervals): ends, and F at the ends from inside.
  std::vector<double> pieces() const;
  bool complete() const { return complete_; }
  std::size_t child_count() const { return child_nodes_.size(); }

  // Density, distribution function and the core's int log|x - t| dmu at n real points. Lanes are independent: no value
  // depends on its neighbours.
  void evaluate(const double* x, std::size_t n, const Evaluated& out, int workers = 1,
                Interrupt* interrupt = nullptr) const;

  // The points of the open intervals of the support where F, or 1 - F if `upper`, takes the values p; NaN where it
  // takes them elsewhere.
  void invert(const double* p, std::size_t n, bool upper, double* x, int workers = 1,
              Interrupt* interrupt = nullptr) const;

  // G, Re U and the children's points at n points of the closed upper half-plane (re, im interleaved).
  void solve(const double* z, std::size_t n, const Solved& out, Interrupt* interrupt = nullptr) const;

 private:
  void build(Interrupt* interrupt);
  void separate();
  Interval settled(Interval interval) const;
  void weigh(Interrupt* interrupt);
  static bool reaches_its_ends(const Skeleton& piece, Recovery& recovery);
  double mass_between(const Skeleton& left, const Skeleton& right, Tracer& tracer, Recovery& recovery) const;
  double cdf_off(double x, double core) const;
  void take_outwards(const double* x, int count, double* cdf) const;
  void evaluate_part(Points& points, const double* x, std::size_t begin, std::size_t end, const Evaluated& out,
                     Interrupt* interrupt) const;
  struct Search;
  struct Inverse {
    std::once_flag made;
    InverseTable table;
    std::vector<double> graded;
    ChainGraded cells;  // of a chain
  };
  class Inversion;
  Search search_for(std::size_t k, double below, double above, std::size_t at, const InverseTable& table) const;
  void search(Points& points, std::vector<Search>& all, bool reflected, Interrupt* interrupt) const;
  Points make_points(Interrupt* interrupt) const;
  InverseTable tabulate(std::size_t k, Points& points) const;
  void grade(std::size_t k, Points& points, Inverse& inverse, Interrupt* interrupt) const;
  const Inverse& inverse(std::size_t k, Interrupt* interrupt) const;
  double potential_at_edge(double core, Recovery& recovery) const;
  int piece_of(double x) const;
  int joint_of(double x) const;
  double touching(double x) const;
  Tracer make_tracer(const Program& program, Interrupt* interrupt) const {
    return {program, facts_.mean, facts_.deviation, interrupt};
  }

  Program program_;
  Program far_;
  CoreFacts facts_;
  std::vector<int> child_nodes_;
  std::vector<Skeleton> pieces_;
  ForwardChain chain_;
  mutable std::vector<ChainTable> tables_;  // of every piece, for the chain
  mutable std::once_flag graded_;
  std::vector<double> mass_before_;        // continuous mass to the left of each piece, and of all; NaN if not known
  mutable std::vector<Inverse> inverses_;  // of every piece, made when a level first falls on it
  bool complete_ = true;
};

}  // namespace freeconv
