// Solved points along an interval of the support, close enough that a cubic between two of them starts Newton
// within two or three steps of the solution. They depend on the law alone, so that a point's value does not
// depend on which other points are asked for.
#pragma once

#include <vector>

#include "freeconv/chain/forward_chain.hpp"
#include "freeconv/spectrum/support.hpp"

namespace freeconv {

// The coordinate t = log((x - low)/(high - x)) makes square-root edges and powers at 0 smooth.
struct Skeleton {
  double low = 0.0, high = 0.0;
  double blur_low = 0.0, blur_high = 0.0;
  double cdf_low = 0.0, cdf_high = 1.0;  // F at the ends, from inside; NaN if not known
  double start_x = 0.0;                  // an inside point, for lanes that have nothing to do
  std::vector<double> t;                 // ascending
  std::vector<double> values;            // [node][leaf][u.re, u.im, du/dt.re, du/dt.im]
  std::vector<int> bins;                 // first node at or after each bin's start
  double first_bin = 0.0;

  static constexpr double kBin = 1.0 / kChainBins;

  void index();
  // The cell [k, k+1] that holds t.
  int cell(double at) const;
};

// A skeleton as the chain's kernels read it: the cubics of the chain's unknown.
struct ChainTable {
  std::vector<ChainCell> cells;
  std::vector<int> bins;
  std::vector<double> graded;
  ChainPiece piece{};

  ChainTable(const Skeleton& skeleton, const ForwardChain& chain, int leaf_count);

  // Solves the nodes of the graded cells, see ChainStart, from the cubics: one Newton step a point is enough then.
  void grade(const ChainView& chain);
  ChainTable(const ChainTable&) = delete;  // `piece` points into the vectors
  ChainTable(ChainTable&&) = default;

 private:
  Complex<double> cubic(double t) const;
};

// What turned up inside an interval: a gap, with a point on its edge's inner side and one within it; or a cusp, with
// points on both sides of it.
struct Interruption {
  enum class Kind { none, gap, cusp } kind = Kind::none;
  Probe inside, outside;  // of a gap
  double cusp = 0.0;
  Probe before, after;  // of a cusp
  explicit operator bool() const { return kind != Kind::none; }
};

class SkeletonBuilder {
 public:
  SkeletonBuilder(const Program& program, Tracer& tracer) : program_(program), tracer_(tracer) {}

  // Fills `out` for the interval, unless it is interrupted.
  Interruption build(const Interval& interval, Skeleton& out);

 private:
  struct Knot {
    double t = 0.0, x = 0.0;
    double density = 0.0, density_slope = 0.0;
    State<double, 1> u, du;
    bool broken = false;  // a point that could not be solved lies between this knot and the next
    bool faint = false;   // solved in double-double: the density is within rounding of |G|
  };

  // Whether the density falls from the lower knot and rises towards the upper one.
  static bool is_valley(const Knot& lower, const Knot& upper) {
    return lower.density_slope < 0.0 && upper.density_slope > 0.0;
  }

  Knot start_of(const Interval& interval);
  Interruption march(const Interval& interval, const Knot& start, double direction, std::vector<Knot>& knots);
  Interruption gap_beyond(const Interval& interval, const Knot& last, double direction, double error);
  Interruption refine(const Interval& interval, std::vector<Knot>& knots);
  Interruption gap(const Knot& inside, const Knot& outside, const Located& at);
  Probe probe(const Knot& knot);
  double position(const Interval& interval, double t) const;
  double coordinate(const Interval& interval, double x) const;
  bool fine_enough(double length) const;
  bool deep(const Interval& interval, double x) const;
  bool follow(Knot& to, double length, bool faint);
  void finish(const Interval& interval, Knot& knot);
  State<double, 1> interpolate(const Knot& a, const Knot& b, double t) const;

  const Program& program_;
  Tracer& tracer_;
};

// The cubic from a to b over a step h in t, with its slopes there times h.
inline ChainCell cubic_cell(double start, double h, Complex<double> a, Complex<double> b, Complex<double> from,
                            Complex<double> at_end) {
  const Complex<double> rise = b - a;
  const Complex<double> second = (3.0 * rise - 2.0 * from) - at_end;
  const Complex<double> third = (from + at_end) - 2.0 * rise;
  return {start, 1.0 / h, {a.re, from.re, second.re, third.re}, {a.im, from.im, second.im, third.im}};
}

// Cubic Hermite weights on [0, 1].
struct Hermite {
  double a, b, da, db;
  static Hermite at(double s) {
    const double r = 1.0 - s;
    return {r * r * (1.0 + 2.0 * s), s * s * (3.0 - 2.0 * s), s * r * r, -s * s * r};
  }
};

}  // namespace freeconv
