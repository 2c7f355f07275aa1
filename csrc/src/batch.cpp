#include "freeconv/spectrum/batch.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "freeconv/chain/solve.hpp"
#include "freeconv/solver/refine.hpp"
#include "freeconv/spectrum/density.hpp"
#include "freeconv/spectrum/workers.hpp"

namespace freeconv {
namespace {

using Point = Complex<double>;

// Laws a thread takes at once.
constexpr std::size_t kLawsAtOnce = 8;
// Relative distance to an edge within which a Spectrum decides what is inside: edges are good to a few ulp here.
constexpr double kEdgeBlur = 1e-12;
// Knots in t: the cubic between two of them is one or two Newton steps from the solution.
constexpr double kKnotStep = 0.5;
// Where the march begins at least: there the square root at b is good to start Newton.
constexpr double kMarchStart = 4.0;
// Of a knot's last step, relative to Im c: the next one is its square, below what the cubic between knots is good to.
constexpr double kKnotTolerance = 3e-3;
constexpr int kKnotSteps = 12;
// Of t: beyond, e^t leaves the doubles.
constexpr double kReach = 700.0;
constexpr int kMostKnots = 3000;

// log z and its derivatives by c.
class FlatCurve {
 public:
  explicit FlatCurve(const ChainView& chain) : chain_(chain) {
    const ChainStage& stage = chain.stages[0];
    p0_ = stage.p0;
    for (int g = stage.group_begin; g < stage.group_end; ++g) {
      const ChainGroup& group = chain.groups[g];
      scale_ += group.exponent * std::log(group.scale);
      for (int k = group.begin; k < group.end; ++k) {
        const ChainFactor& f = chain.factors[k];
        if (f.offset == 0.0) order_ += f.weight;
        if (f.offset > 0.0 && f.weight > 0.0) next_zero_ = std::min(next_zero_, f.offset);
        terms_.push_back({f.offset, f.weight});
      }
    }
  }

  double p0() const { return p0_; }
  double order() const { return order_; }
  double next_zero() const { return next_zero_; }

  double slope(double c) const {
    double sum = 0.0;
    for (const Term& t : terms_) sum += t.weight / (c + t.offset);
    return sum;
  }
  double curvature(double c) const {
    double sum = 0.0;
    for (const Term& t : terms_) sum -= t.weight / ((c + t.offset) * (c + t.offset));
    return sum;
  }
  // log |z|
  double value(double c) const {
    double sum = scale_;
    for (const Term& t : terms_) sum += t.weight * std::log(std::fabs(c + t.offset));
    return sum;
  }
  // z by products, and d log z/dc: no logarithm of a complex number, five times as fast.
  Point value(Point c, Point& slope) const {
    Point product{1.0, 0.0};
    slope = {0.0, 0.0};
    for (int g = chain_.stages[0].group_begin; g < chain_.stages[0].group_end; ++g) {
      const ChainGroup& group = chain_.groups[g];
      Point base{group.scale, 0.0};
      for (int k = group.begin; k < group.end; ++k) {
        const ChainFactor& f = chain_.factors[k];
        const Point factor{c.re + f.offset, c.im};
        const double unit = 1.0 / (factor.re * factor.re + factor.im * factor.im);
        const Point over{factor.re * unit, -(factor.im * unit)};
        slope = slope + f.weight * over;
        const Point& times = f.power < 0 ? over : factor;
        for (int n = f.power < 0 ? -f.power : f.power; n > 0; --n) base = base * times;
      }
      Point power = base;
      for (int bit = 30 - __builtin_clz(static_cast<unsigned>(group.exponent)); bit >= 0; --bit) {
        power = power * power;
        if (((group.exponent >> bit) & 1) != 0) power = power * base;
      }
      product = product * power;
    }
    return product;
  }

 private:
  struct Term {
    double offset, weight;
  };
  ChainView chain_;
  std::vector<Term> terms_;
  double scale_ = 0.0, p0_ = 0.0, order_ = 0.0, next_zero_ = kInfinity;
};

// The zero of f' between `low` and `high`, where it is of the signs of low_sign and its opposite.
double critical_point(const FlatCurve& curve, double low, double high, double low_sign) {
  double c = 0.5 * (low + high);
  for (int i = 0; i < 200; ++i) {
    const double value = curve.slope(c);
    (value * low_sign > 0.0 ? low : high) = c;
    double next = c - value / curve.curvature(c);
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    // The next step would be the square of this one.
    if (std::fabs(next - c) <= 1e-9 * std::fabs(next) || next == low || next == high) return next;
    c = next;
  }
  return c;
}

struct Ends {
  double a = 0.0, b = 0.0;
  double top = 0.0;  // c at b
  bool found = false;
};

Ends find_ends(const FlatCurve& curve) {
  Ends ends;
  double high = 1e-3;
  while (curve.slope(curve.p0() + high) < 0.0) {
    high *= 4.0;
    if (high > 1e12) return ends;
  }
  ends.top = critical_point(curve, curve.p0(), curve.p0() + high, -1.0);
  ends.b = std::exp(curve.value(ends.top));
  if (!(curve.order() >= 1.0 && ends.b > 0.0 && ends.b < kInfinity)) return ends;
  if (curve.order() < 2.0) {
    double low = -1.0;
    if (curve.next_zero() < kInfinity) {
      low = -curve.next_zero();
    } else {
      while (curve.slope(low) < 0.0) {
        low *= 4.0;
        if (low < -1e12) return ends;
      }
    }
    const double c = critical_point(curve, low, 0.0, 1.0);
    ends.a = std::exp(curve.value(c));
  }
  ends.found = ends.a < ends.b;
  return ends;
}

// Cells of the curve for t in [first, last] at least.
class Knots {
 public:
  // Down from kMarchStart, and up from there if `last` is beyond: no knot depends on which points there are.
  bool follow(const FlatCurve& curve, const Ends& ends, double first, double last) {
    cells_.clear();
    Knot start;
    Point slope;
    start.t = kMarchStart;
    const Place at = place_of(ends, start.t);
    start.c = {ends.top, -std::sqrt(-2.0 * std::log1p(-at.near / ends.b) / curve.curvature(ends.top))};
    if (!correct(curve, 1.0 / at.x, start.c, slope)) return false;
    start.slope = at.rate * reciprocal(slope);
    if (!march(curve, ends, start, -kKnotStep, std::min(first, kMarchStart))) return false;
    std::reverse(cells_.begin(), cells_.end());
    if (last >= kMarchStart - kKnotStep && !march(curve, ends, start, kKnotStep, last)) return false;
    index();
    return true;
  }

  ChainPiece piece(const Ends& ends) const {
    ChainPiece piece{};
    piece.low = ends.a;
    piece.high = ends.b;
    piece.first = first_;
    piece.last = last_;
    piece.cells = cells_.data();
    piece.bins = bins_.data();
    piece.cell_count = static_cast<int>(cells_.size());
    return piece;
  }

 private:
  struct Knot {
    double t = 0.0;
    Point c, slope;  // dc/dt
  };

  struct Place {
    double x, near;  // and the distance to the nearer end
    double rate;     // d log x/dt
  };

  static Place place_of(const Ends& ends, double t) {
    const double width = ends.b - ends.a;
    const double e = std::exp(-std::fabs(t));
    const double near = width * (e / (1.0 + e));
    const double x = t < 0.0 ? ends.a + near : ends.b - near;
    return {x, near, near * ((width - near) / width) / x};
  }

  // Knots from one to beyond `last`, in steps of h.
  bool march(const FlatCurve& curve, const Ends& ends, Knot from, double h, double last) {
    Knot before;  // the one that was before `from`
    const int count = 2 + static_cast<int>(std::fabs(last - from.t) / std::fabs(h));
    if (count > kMostKnots) return false;
    for (int k = 1; k <= count; ++k) {
      Knot knot;
      knot.t = kMarchStart + k * h;
      // Along the cubic of the last two knots, as soon as there are two.
      knot.c = from.c + h * from.slope;
      if (k > 1) knot.c = (5.0 * before.c - 4.0 * from.c) + h * (4.0 * from.slope + 2.0 * before.slope);
      if (!(knot.c.im < 0.0)) knot.c = {knot.c.re, 0.5 * from.c.im};
      const Place at = place_of(ends, knot.t);
      // Where (x - a)(b - x) vanishes to rounding there is nothing to follow: a Spectrum does.
      Point slope;
      if (!correct(curve, 1.0 / at.x, knot.c, slope)) return false;
      knot.slope = at.rate * reciprocal(slope);
      if (h < 0.0) {
        add(knot, from);
      } else {
        add(from, knot);
      }
      before = from;
      from = knot;
    }
    return true;
  }

  // Newton for log(z/x) = 0, as 2 (w - 1)/(w + 1) with w = z/x.
  static bool correct(const FlatCurve& curve, double over_x, Point& c, Point& slope) {
    for (int i = 0; i < kKnotSteps; ++i) {
      const Point ratio = over_x * curve.value(c, slope);
      const Point below = (ratio - (-1.0)) * slope;
      const double unit = 2.0 / (below.re * below.re + below.im * below.im);
      Point step = unit * ((ratio - 1.0) * Point{below.re, -below.im});
      const double size = std::fabs(step.re) + std::fabs(step.im);
      if (!(size < kInfinity)) return false;
      // Stay below the axis.
      if (c.im - step.im >= 0.0) step = (0.9 * c.im / step.im) * step;
      c = c - step;
      if (size <= kKnotTolerance * std::fabs(c.im)) return true;
    }
    return false;
  }

  void add(const Knot& left, const Knot& right) {
    const double h = right.t - left.t;
    cells_.push_back(cubic_cell(left.t, h, left.c, right.c, h * left.slope, h * right.slope));
  }

  void index() {
    first_ = cells_.front().start;
    last_ = cells_.back().start + kKnotStep;
    const auto per_cell = static_cast<std::size_t>(kKnotStep * kChainBins);
    bins_.assign(cells_.size() * per_cell + 1, 0);
    for (std::size_t b = 0; b < bins_.size(); ++b) {
      bins_[b] = static_cast<int>(std::min(b / per_cell, cells_.size() - 1));
    }
  }

  std::vector<ChainCell> cells_;
  std::vector<int> bins_;
  double first_ = 0.0, last_ = 0.0;
};

class LawBlocks {
 public:
  explicit LawBlocks(const Batch& batch) : batch_(batch) {}

  // False if points are left.
  bool run(std::int64_t law, double* values) {
    const std::int64_t n = batch_.points;
    const double* x = batch_.x + (batch_.shared_x ? 0 : batch_.rows[law] * n);
    std::fill(values, values + n, __builtin_nan(""));
    ProgramArrays in = batch_.structure;
    in.parameters = batch_.parameters + law * in.parameter_count;
    in.multiplicities = batch_.multiplicities + law * in.child_count;
    const LoadResult loaded = load_program(in, true, Offsets::at_zero);
    if (*loaded.error != '\0') return false;
    const Program& program = loaded.program;
    const ForwardChain chain(program);
    if (!chain || !is_flat(chain.view())) return false;
    const FlatCurve curve(chain.view());
    const Ends ends = find_ends(curve);
    if (!ends.found) return false;
    below_ = 1.0 - program.root().own_p0.hi;  // masses: an atom at 0, none elsewhere
    steps_.clear();
    for (const Program::Step& step : program.peeled) steps_.push_back({step.shift, step.scale});
    double first = kInfinity;
    double last = -kInfinity;
    const double low = program.outer_point(ends.a);
    const double high = program.outer_point(ends.b);
    if (batch_.shared_x) {
      const auto from = std::upper_bound(batch_.sorted.begin(), batch_.sorted.end(), low);
      const auto to = std::lower_bound(from, batch_.sorted.end(), high);
      if (from != to) {
        first = *from;
        last = *std::prev(to);
      }
    } else {
      for (std::int64_t i = 0; i < n; ++i) {
        const bool inside = x[i] > low && x[i] < high;
        first = inside && x[i] < first ? x[i] : first;
        last = inside && x[i] > last ? x[i] : last;
      }
    }
    if (first <= last) {
      const auto coordinate = [&](double at) {
        const double core = program.core_point(at).hi;
        return std::log((core - ends.a) / (ends.b - core));
      };
      if (!knots_.follow(curve, ends, std::max(coordinate(first), -kReach), std::min(coordinate(last), kReach)))
        return false;
      piece_ = knots_.piece(ends);
    }
    bool complete = true;
    for (std::int64_t at = 0; at < n; at += kChainLanes) {
      const int count = static_cast<int>(std::min<std::int64_t>(kChainLanes, n - at));
      complete = run_block(program, chain.view(), ends, x + at, count, values + at) && complete;
    }
    return complete;
  }

 private:
  static bool by_edge(const Ends& ends, double core) {
    return std::fabs(core - ends.a) <= kEdgeBlur * ends.a || std::fabs(core - ends.b) <= kEdgeBlur * ends.b;
  }

  bool run_block(const Program& program, const ChainView& chain, const Ends& ends, const double* x, int count,
                 double* values) {
    int place[kChainLanes];
    bool complete = true;
    int solved = 0;  // points that are to be
    const auto steps = static_cast<int>(steps_.size());
    if (count == kChainLanes &&
        kernels().enter(steps_.data(), steps, x, ends.a + kEdgeBlur * ends.a, ends.b - kEdgeBlur * ends.b, lanes_)) {
      for (int i = 0; i < count; ++i) place[i] = i;
      solved = count;
    } else {
      for (int i = 0; i < count; ++i) {
        if (std::isnan(x[i])) continue;
        const DoubleDouble core = std::isinf(x[i]) ? DoubleDouble(x[i]) : program.core_point(x[i]);
        if (core.hi == 0.0 || by_edge(ends, core.hi) || (std::isinf(core.hi) && !std::isinf(x[i]))) {
          complete = false;
        } else if (core.hi < ends.a || core.hi > ends.b) {
          const double mass = core.hi > ends.b ? 1.0 : (core.hi > 0.0 ? below_ : 0.0);
          values[i] = batch_.cdf ? (std::isinf(x[i]) ? mass : outer(program, x[i], mass)) : 0.0;
        } else {
          lanes_.x[solved] = core.hi;
          lanes_.x_rest[solved] = core.lo / core.hi;
          place[solved++] = i;
        }
      }
      if (solved == 0) return complete;
      for (int i = solved; i < kChainLanes; ++i) {
        lanes_.x[i] = lanes_.x[0];
        lanes_.x_rest[i] = lanes_.x_rest[0];
      }
    }
    lanes_.piece[0] = &piece_;
    lanes_.together = true;
    lanes_.live = solved;
    solve_chain(chain, lanes_, kChainAllowedError, kRefinedError);
    if (batch_.cdf) measure_chain(chain, lanes_, kDisplacedCdf);
    for (int i = 0; i < solved; ++i) {
      double value = program.factor * (lanes_.density[i] / kPi);
      bool good = is_solved(lanes_, i, kChainAllowedError);
      if (batch_.cdf) {
        const double mass = lanes_.cdf[i];
        const bool between = mass >= below_ - kCdfRounding && mass <= 1.0 + kCdfRounding;
        good = good && lanes_.cdf_error[i] <= kDisplacedCdf && between;
        value = good ? outer(program, x[place[i]], std::clamp(mass, below_, 1.0)) : value;
      }
      if (good) values[place[i]] = value;
      complete = complete && good;
    }
    return complete;
  }

  static double outer(const Program& program, double x, double mass) {
    const Program::Outwards outwards = program.outer_cdf(x);
    return std::clamp(outwards.factor * mass + outwards.shift, 0.0, 1.0);
  }

  const Batch& batch_;
  Knots knots_;
  ChainPiece piece_{};
  ChainLanes lanes_{};
  std::vector<ChainEntry> steps_;
  double below_ = 0.0;
};

}  // namespace

void Batch::sort() {
  sorted.clear();
  for (std::int64_t i = 0; shared_x && i < points; ++i) {
    if (!std::isnan(x[i])) sorted.push_back(x[i]);
  }
  std::sort(sorted.begin(), sorted.end());
}

void evaluate_batch(const Batch& batch, double* values, unsigned char* left, int workers, Interrupt* interrupt) {
  share_out(static_cast<std::size_t>(batch.count), workers, kLawsAtOnce, [&] {
    return [&, blocks = LawBlocks(batch)](std::size_t begin, std::size_t end) mutable {
      for (std::size_t k = begin; k < end; ++k) {
        if (interrupt != nullptr && interrupt->stopped()) return;
        const auto law = static_cast<std::int64_t>(k);
        left[k] = blocks.run(law, values + batch.rows[k] * batch.points) ? 0 : 1;
      }
    };
  });
}

}  // namespace freeconv
