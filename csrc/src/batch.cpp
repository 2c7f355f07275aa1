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
constexpr double kMarchStart = 6.0;
constexpr double kKnotTolerance = 1e-9;
constexpr int kKnotSteps = 12;
constexpr int kMostKnots = 3000;

// log z and its derivatives by c.
class FlatCurve {
 public:
  explicit FlatCurve(const ChainView& chain) {
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
  Point value(Point c) const {
    Point sum{scale_, 0.0};
    for (const Term& t : terms_) sum = sum + t.weight * log(c - (-t.offset));
    return sum;
  }
  Point slope(Point c) const {
    Point sum{0.0, 0.0};
    for (const Term& t : terms_) sum = sum + t.weight * reciprocal(c - (-t.offset));
    return sum;
  }

 private:
  struct Term {
    double offset, weight;
  };
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
    if (std::fabs(next - c) <= 1e-15 * std::fabs(next) || next == low || next == high) return next;
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
  bool follow(const FlatCurve& curve, const Ends& ends, double first, double last) {
    cells_.clear();
    // Where (x - a)(b - x) vanishes to rounding there is nothing to follow: a Spectrum does.
    const double from = kKnotStep * std::ceil(std::max(last, kMarchStart) / kKnotStep + 1.0);
    const double to = kKnotStep * std::floor(first / kKnotStep - 1.0);
    const double width = ends.b - ends.a;
    const double curvature = curve.curvature(ends.top);
    Knot right;
    double t = from;
    for (int count = 0; t >= to; t -= kKnotStep, ++count) {
      if (count > kMostKnots) return false;
      Knot knot;
      knot.t = t;
      const double e = std::exp(-std::fabs(t));
      const double near = width * (e / (1.0 + e));  // to the nearer end
      const double x = t < 0.0 ? ends.a + near : ends.b - near;
      const double log_x = t < 0.0 ? std::log(x) : std::log(ends.b) + std::log1p(-near / ends.b);
      if (count == 0) {
        knot.c = {ends.top, -std::sqrt(-2.0 * std::log1p(-near / ends.b) / curvature)};
      } else {
        knot.c = right.c - kKnotStep * right.slope;
        if (!(knot.c.im < 0.0)) knot.c = {knot.c.re, 0.5 * right.c.im};
      }
      Point slope;
      if (!correct(curve, log_x, knot.c, slope)) return false;
      // dx/dt = (x - a)(b - x)/(b - a)
      const double rate = near * ((width - near) / width) / x;
      knot.slope = rate * reciprocal(slope);
      if (count > 0) add(knot, right);
      right = knot;
    }
    std::reverse(cells_.begin(), cells_.end());
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

  static bool correct(const FlatCurve& curve, double log_x, Point& c, Point& slope) {
    for (int i = 0; i < kKnotSteps; ++i) {
      const Point residual = curve.value(c) - Point{log_x, 0.0};
      slope = curve.slope(c);
      Point step = residual / slope;
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
    const Point from = h * left.slope;
    const Point at_end = h * right.slope;
    const Point rise = right.c - left.c;
    const Point second = (3.0 * rise - 2.0 * from) - at_end;
    const Point third = (from + at_end) - 2.0 * rise;
    cells_.push_back(
        {left.t, 1.0 / h, {left.c.re, from.re, second.re, third.re}, {left.c.im, from.im, second.im, third.im}});
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

  void run(std::int64_t law, double* density, double* cdf, signed char* status) {
    const std::int64_t n = batch_.points;
    const double* x = batch_.x + (batch_.shared_x ? 0 : law * n);
    std::fill(status, status + n, static_cast<signed char>(Status::uncertified));
    std::fill(density, density + n, __builtin_nan(""));
    if (cdf != nullptr) std::fill(cdf, cdf + n, __builtin_nan(""));
    ProgramArrays in = batch_.structure;
    in.parameters = batch_.parameters + law * in.parameter_count;
    in.multiplicities = batch_.multiplicities + law * in.child_count;
    const LoadResult loaded = load_program(in, true, Offsets::at_zero);
    if (*loaded.error != '\0') return;
    const Program& program = loaded.program;
    const ForwardChain chain(program);
    if (!chain || !is_flat(chain.view())) return;
    const FlatCurve curve(chain.view());
    const Ends ends = find_ends(curve);
    if (!ends.found) return;
    // Masses: an atom at 0, none elsewhere.
    const double below = 1.0 - program.root().own_p0.hi;
    core_.clear();
    place_.clear();
    double first = kInfinity;
    double last = -kInfinity;
    for (std::int64_t i = 0; i < n; ++i) {
      if (!std::isfinite(x[i])) {
        const bool nan = std::isnan(x[i]);
        status[i] = static_cast<signed char>(nan ? Status::not_a_number : Status::outside);
        if (!nan) density[i] = 0.0;
        if (cdf != nullptr && !nan) cdf[i] = x[i] > 0.0 ? 1.0 : 0.0;
        continue;
      }
      const DoubleDouble core = program.core_point(x[i]);
      if (!std::isfinite(core.hi) || core.hi == 0.0) continue;
      if (std::fabs(core.hi - ends.a) <= kEdgeBlur * ends.a || std::fabs(core.hi - ends.b) <= kEdgeBlur * ends.b)
        continue;
      if (core.hi < ends.a || core.hi > ends.b) {
        status[i] = static_cast<signed char>(Status::outside);
        density[i] = 0.0;
        if (cdf == nullptr) continue;
        const double mass = core.hi > ends.b ? 1.0 : (core.hi > 0.0 ? below : 0.0);
        cdf[i] = outer(program, x[i], mass);
        continue;
      }
      const double t = std::log((core.hi - ends.a) / (ends.b - core.hi));
      first = std::min(first, t);
      last = std::max(last, t);
      core_.push_back(core);
      place_.push_back(i);
    }
    if (core_.empty() || !knots_.follow(curve, ends, first, last)) return;
    const ChainPiece piece = knots_.piece(ends);
    for (std::size_t at = 0; at < core_.size(); at += kChainLanes) {
      const std::size_t count = std::min<std::size_t>(kChainLanes, core_.size() - at);
      lanes_.together = true;
      for (std::size_t i = 0; i < kChainLanes; ++i) {
        const DoubleDouble core = core_[at + (i < count ? i : 0)];
        lanes_.piece[i] = &piece;
        lanes_.x[i] = core.hi;
        lanes_.x_rest[i] = core.lo == 0.0 ? 0.0 : core.lo / core.hi;
      }
      solve_chain(chain.view(), lanes_, kAllowedError, kRefinedError);
      if (cdf != nullptr) kernels().measure(chain.view(), lanes_);
      for (std::size_t i = 0; i < count; ++i) {
        const std::int64_t j = place_[at + i];
        if (!is_solved(lanes_, static_cast<int>(i), kAllowedError)) continue;
        if (cdf != nullptr) {
          const double mass = lanes_.cdf[i];
          const bool between = mass >= below - kCdfRounding && mass <= 1.0 + kCdfRounding;
          if (!(lanes_.cdf_error[i] <= kDisplacedCdf) || !between) continue;
          cdf[j] = outer(program, x[j], std::clamp(mass, below, 1.0));
        }
        density[j] = program.factor * (lanes_.density[i] / kPi);
        status[j] = static_cast<signed char>(Status::certified);
      }
    }
  }

 private:
  static double outer(const Program& program, double x, double mass) {
    const Program::Outwards outwards = program.outer_cdf(x);
    return std::clamp(outwards.factor * mass + outwards.shift, 0.0, 1.0);
  }

  const Batch& batch_;
  Knots knots_;
  ChainLanes lanes_{};
  std::vector<DoubleDouble> core_;
  std::vector<std::int64_t> place_;
};

}  // namespace

void evaluate_batch(const Batch& batch, double* density, double* cdf, signed char* status, int workers,
                    Interrupt* interrupt) {
  share_out(static_cast<std::size_t>(batch.count), workers, kLawsAtOnce, [&] {
    return [&, blocks = LawBlocks(batch)](std::size_t begin, std::size_t end) mutable {
      for (std::size_t k = begin; k < end; ++k) {
        if (interrupt != nullptr && interrupt->stopped()) return;
        const std::size_t at = k * static_cast<std::size_t>(batch.points);
        blocks.run(static_cast<std::int64_t>(k), density + at, cdf == nullptr ? nullptr : cdf + at, status + at);
      }
    };
  });
}

}  // namespace freeconv
