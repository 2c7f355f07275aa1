// All intervals of the continuous part, found by bisection with exact masses.
//
// Off the support the mass to the right of x is a sum of leaf weights (Tracer::certified_real), so two outside
// points prove that nothing lies between them, or how much does. Intervals are searched until every bit of mass is
// accounted for: no scan, no grid that a small interval could slip through.
#pragma once

#include <functional>
#include <vector>

#include "freeconv/solver/tracer.hpp"
#include "freeconv/spectrum/potential.hpp"

namespace freeconv {

// A continuous component lighter than this is beyond the rounding of the atoms' weights (doubles, after up to hundreds
// of powers), and is not looked for. The masses themselves are double-double.
inline constexpr double kMassTolerance = 1e-13;

// An interval that goes on below this part of the law's width is taken to reach 0. (No gap is looked for there either:
// rounding leaves real and complex solutions too close to tell.)
inline constexpr double kDeep = 1e-40;

struct Atom {
  double location, weight;
};

struct Probe {
  double x = 0.0;
  Located at;
  State<double, 1> u;
};

// One interval (low, high), an inside point of it and the outside points that enclose it.
struct Interval {
  double low = 0.0, high = 0.0;
  Probe inside, left, right;
  double blur_low = 0.0, blur_high = 0.0;  // how far off an end may be that is a cusp; other ends are good to an ulp
};

class SupportFinder {
 public:
  SupportFinder(const Program& program, Tracer& tracer, std::vector<Atom> atoms, std::vector<double> singular)
      : program_(program),
        tracer_(tracer),
        potential_(program),
        atoms_(std::move(atoms)),
        singular_(std::move(singular)) {}

  // False if some mass could not be located.
  bool run(std::vector<Interval>& found);
  // Splits an interval in which an outside point turned up.
  bool split(const Interval& whole, const Probe& inside, const Probe& outside, std::vector<Interval>& found);

  // Cuts an interval at the would-be atoms inside it.
  bool cut(const Interval& whole, std::vector<Interval>& parts, int depth = 0);

 private:
  struct Edge {
    double x;
    Probe outside;
  };
  // Where an interval may end without a square root, and how far from it that shows.
  struct SingularPoint {
    double x, beside;
  };

  Probe probe(double x);
  Probe probe_near(double x, double scale);
  bool outer_probes(Probe& left, Probe& right);
  double continuous_mass(const Probe& left, const Probe& right) const;
  bool nothing_between(const Probe& a, const Probe& b) const;
  void search(const Probe& left, const Probe& right, int depth, std::vector<Interval>& found);
  Edge edge(Probe inside, Probe outside);
  bool keep_within(const Interval& whole, Interval& part);
  bool singular_edge(const Probe& inside, const Probe& outside, Edge& found);
  bool atom_edge(const Probe& inside, const Probe& outside, double edge, Edge& found);
  bool is_all_inside(double a, double b);
  bool ends_at(std::vector<SingularPoint> points, const Probe& inside, const Probe& outside, Edge& found);
  bool is_next_to(const Probe& inside, double edge, const Probe& outside);
  bool square_root_edge(Probe inside, const Probe& outside, Edge& found);
  bool reaches_zero(const Probe& inside, Probe& outside, Probe& last_inside);

  const Program& program_;
  Tracer& tracer_;
  Potential<double, 1> potential_;
  std::vector<Atom> atoms_;
  std::vector<double> singular_;
  bool complete_ = true;
};

}  // namespace freeconv
