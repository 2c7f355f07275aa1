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

// Laws a thread takes at once, followed together.
constexpr std::size_t kLawsAtOnce = kFlatLaws;
// Relative distance to an edge within which a Spectrum decides what is inside, at least: edges are good to some ulps of
// the terms of log z, a hundred thousand of those of a product of as many laws.
constexpr double kEdgeBlur = 1e-12;
constexpr double kEdgeUlps = 8.0;
// Of t: beyond, e^t leaves the doubles.
constexpr double kReach = 700.0;

// log z = scale + sum of weight log|c + offset| on the real axis, and its derivatives by c.
class FlatCurve {
 public:
  struct Term {
    double offset, weight;
  };

  void read(const ChainView& chain) {
    const ChainStage& stage = chain.stages[0];
    terms_.clear();
    scale_ = scale_size_ = order_ = 0.0;
    next_zero_ = kInfinity;
    p0_ = stage.p0;
    for (int g = stage.group_begin; g < stage.group_end; ++g) {
      const ChainGroup& group = chain.groups[g];
      const double term = group.exponent * std::log(group.scale);
      scale_ += term;
      scale_size_ += std::fabs(term) + group.exponent;
      for (int k = group.begin; k < group.end; ++k) {
        const ChainFactor& f = chain.factors[k];
        if (f.offset == 0.0) order_ += f.weight;
        if (f.offset < 0.0 && f.weight > 0.0) order_ = -kInfinity;  // a zero above c = 0: none is expected there
        if (f.offset > 0.0 && f.weight > 0.0) next_zero_ = std::min(next_zero_, f.offset);
        terms_.push_back({f.offset, f.weight});
      }
    }
  }

  const std::vector<Term>& terms() const { return terms_; }
  double scale() const { return scale_; }
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
  // log z and the size of its terms.
  struct Value {
    double sum, size;
  };
  Value value(double c) const {
    Value value{scale_, scale_size_};
    for (const Term& t : terms_) {
      const double term = t.weight * std::log(std::fabs(c + t.offset));
      value.sum += term;
      value.size += std::fabs(term) + std::fabs(t.weight);
    }
    return value;
  }

 private:
  std::vector<Term> terms_;
  double scale_ = 0.0, scale_size_ = 0.0, p0_ = 0.0, order_ = 0.0, next_zero_ = kInfinity;
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
  double top = 0.0;                   // c at b
  double blur_a = 0.0, blur_b = 0.0;  // how far off they may be
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
  const auto place = [&](double c, double& blur) {
    const FlatCurve::Value value = curve.value(c);
    const double x = std::exp(value.sum);
    blur = x * std::max(kEdgeBlur, kEdgeUlps * kEpsilon * value.size);
    return x;
  };
  ends.b = place(ends.top, ends.blur_b);
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
    ends.a = place(c, ends.blur_a);
  }
  ends.found = ends.a < ends.b;
  return ends;
}

// One of the laws that are followed together.
struct FlatLaw {
  Program program;
  ForwardChain chain;
  FlatCurve curve;
  Ends ends;
  ChainPiece piece{};
  std::vector<ChainEntry> steps;
  double below = 0.0;  // the atom at 0; there is no other
  const double* x = nullptr;
  double first = 0.0, last = 0.0;  // t of the outermost points inside, or last < first
  bool known = false;              // a flat law with the ends found
  bool followed = false;           // there is a curve between them

  void read(const Batch& batch, std::int64_t law) {
    known = followed = false;
    x = batch.x + (batch.shared_x ? 0 : batch.rows[law] * batch.points);
    ProgramArrays in = batch.structure;
    in.parameters = batch.parameters + law * in.parameter_count;
    in.multiplicities = batch.multiplicities + law * in.child_count;
    if (*refill_program(in, true, Offsets::at_zero, program) != '\0') return;
    chain = ForwardChain(program);
    if (!chain || !is_flat(chain.view())) return;
    curve.read(chain.view());
    ends = find_ends(curve);
    if (!ends.found) return;
    below = 1.0 - program.root().own_p0.hi;
    steps.clear();
    for (const Program::Step& step : program.peeled) steps.push_back({step.shift, step.scale});
    find_range(batch);
    known = true;
  }

 private:
  void find_range(const Batch& batch) {
    const double low = program.outer_point(ends.a);
    const double high = program.outer_point(ends.b);
    double from = kInfinity;
    double to = -kInfinity;
    if (batch.shared_x) {
      const auto begin = std::upper_bound(batch.sorted.begin(), batch.sorted.end(), low);
      const auto end = std::lower_bound(begin, batch.sorted.end(), high);
      if (begin != end) {
        from = *begin;
        to = *std::prev(end);
      }
    } else {
      for (std::int64_t i = 0; i < batch.points; ++i) {
        const bool inside = x[i] > low && x[i] < high;
        from = inside && x[i] < from ? x[i] : from;
        to = inside && x[i] > to ? x[i] : to;
      }
    }
    first = kReach;
    last = -kReach;
    if (!(from <= to)) return;
    // Beside the ends points are left to a Spectrum.
    const double least = ends.a + std::max(ends.blur_a, 1e-300 * ends.b);
    const auto coordinate = [&](double at) {
      const double core = std::min(std::max(program.core_point(at).hi, least), ends.b - ends.blur_b);
      return std::log((core - ends.a) / (ends.b - core));
    };
    first = std::max(-kReach, coordinate(from));
    last = std::min(kReach, coordinate(to));
  }
};

class LawBlocks {
 public:
  explicit LawBlocks(const Batch& batch) : batch_(batch) {}

  // Laws [begin, end), at most kFlatLaws.
  void run(std::size_t begin, std::size_t end, double* values, unsigned char* left) {
    const std::size_t count = end - begin;
    for (std::size_t k = 0; k < count; ++k) laws_[k].read(batch_, static_cast<std::int64_t>(begin + k));
    follow(count);
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t law = begin + k;
      left[law] = evaluate(laws_[k], values + batch_.rows[law] * batch_.points) ? 0 : 1;
    }
  }

 private:
  // The curves of the laws that have points inside.
  void follow(std::size_t count) {
    FlatLaws together;
    FlatCells cells;
    std::size_t terms = 0;
    double first = kFlatKnotStart;
    double last = kFlatKnotStart;
    const FlatLaw* one = nullptr;
    for (std::size_t k = 0; k < count; ++k) {
      FlatLaw& law = laws_[k];
      law.followed = law.known && law.first <= law.last;
      if (!law.followed) continue;
      one = &law;
      terms = std::max(terms, law.curve.terms().size());
      first = std::min(first, law.first);
      last = std::max(last, law.last);
    }
    if (one == nullptr) return;
    // A cell more than is needed, for rounding of t.
    cells.below = 2 + static_cast<int>((kFlatKnotStart - first) / kFlatKnotStep);
    cells.above = last > kFlatKnotStart - kFlatKnotStep
                      ? 1 + static_cast<int>((last - kFlatKnotStart + kFlatKnotStep) / kFlatKnotStep)
                      : 0;
    const std::size_t all = static_cast<std::size_t>(cells.below + cells.above);
    if (rows_.size() < all * kFlatCell) rows_.resize(all * kFlatCell);
    cells.rows = rows_.data();
    numbers_.assign(2 * terms * kFlatLaws, 0.0);
    double* offsets = numbers_.data();
    double* weights = offsets + terms * kFlatLaws;
    // Lanes without a law of their own do as another does.
    for (std::size_t lane = 0; lane < kFlatLaws; ++lane) {
      const bool own = lane < count && laws_[lane].followed;
      const FlatLaw& law = own ? laws_[lane] : *one;
      const std::vector<FlatCurve::Term>& of_law = law.curve.terms();
      for (std::size_t k = 0; k < terms; ++k) {
        const bool there = k < of_law.size();
        offsets[k * kFlatLaws + lane] = there ? of_law[k].offset : 0.0;
        weights[k * kFlatLaws + lane] = there ? of_law[k].weight : 0.0;
      }
      together.scale[lane] = law.curve.scale();
      together.low[lane] = law.ends.a;
      together.high[lane] = law.ends.b;
      together.top[lane] = law.ends.top;
      together.curvature[lane] = law.curve.curvature(law.ends.top);
    }
    together.terms = static_cast<int>(terms);
    together.offset = offsets;
    together.weight = weights;
    kernels().follow(together, cells);
    for (std::size_t k = 0; k < count; ++k) {
      ChainPiece& piece = laws_[k].piece;
      piece.low = laws_[k].ends.a;
      piece.high = laws_[k].ends.b;
      piece.first = kFlatKnotStart - cells.below * kFlatKnotStep;
      piece.last = kFlatKnotStart + cells.above * kFlatKnotStep;
      piece.cell_count = static_cast<int>(all);
      piece.even = rows_.data() + k;
    }
  }

  // False if points are left.
  bool evaluate(const FlatLaw& law, double* values) {
    const std::int64_t n = batch_.points;
    if (!law.known) {
      std::fill(values, values + n, __builtin_nan(""));
      return false;
    }
    bool complete = true;
    for (std::int64_t at = 0; at < n; at += kChainLanes) {
      const int count = static_cast<int>(std::min<std::int64_t>(kChainLanes, n - at));
      complete = run_block(law, law.x + at, count, values + at) && complete;
    }
    return complete;
  }

  static bool by_edge(const Ends& ends, double core) {
    return std::fabs(core - ends.a) <= ends.blur_a || std::fabs(core - ends.b) <= ends.blur_b;
  }

  bool run_block(const FlatLaw& law, const double* x, int count, double* values) {
    const Program& program = law.program;
    const Ends& ends = law.ends;
    const ChainView chain = law.chain.view();
    int place[kChainLanes];
    bool complete = true;
    int solved = 0;  // points that are to be
    const auto steps = static_cast<int>(law.steps.size());
    if (count == kChainLanes && law.followed &&
        kernels().enter(law.steps.data(), steps, x, ends.a + ends.blur_a, ends.b - ends.blur_b, lanes_)) {
      for (int i = 0; i < count; ++i) place[i] = i;
      solved = count;
    } else {
      std::fill(values, values + count, __builtin_nan(""));
      for (int i = 0; i < count; ++i) {
        if (std::isnan(x[i])) continue;
        const DoubleDouble core = std::isinf(x[i]) ? DoubleDouble(x[i]) : program.core_point(x[i]);
        if (core.hi == 0.0 || by_edge(ends, core.hi) || (std::isinf(core.hi) && !std::isinf(x[i]))) {
          complete = false;
        } else if (core.hi < ends.a || core.hi > ends.b) {
          const double mass = core.hi > ends.b ? 1.0 : (core.hi > 0.0 ? law.below : 0.0);
          values[i] = batch_.cdf ? (std::isinf(x[i]) ? mass : outer(program, x[i], mass)) : 0.0;
        } else if (!law.followed) {
          complete = false;
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
    lanes_.piece[0] = &law.piece;
    lanes_.together = true;
    lanes_.live = solved;
    const bool all = solve_chain(chain, lanes_, kChainAllowedError, kRefinedError) == kChainLanes;
    if (batch_.cdf) measure_chain(chain, lanes_, kDisplacedCdf);
    if (all && !batch_.cdf) {
      for (int i = 0; i < solved; ++i) values[place[i]] = program.factor * (lanes_.density[i] / kPi);
      return complete;
    }
    for (int i = 0; i < solved; ++i) {
      double value = program.factor * (lanes_.density[i] / kPi);
      bool good = is_solved(lanes_, i, kChainAllowedError);
      if (batch_.cdf) {
        const double mass = lanes_.cdf[i];
        const bool between = mass >= law.below - kCdfRounding && mass <= 1.0 + kCdfRounding;
        good = good && lanes_.cdf_error[i] <= kDisplacedCdf && between;
        value = good ? outer(program, x[place[i]], std::clamp(mass, law.below, 1.0)) : value;
      }
      values[place[i]] = good ? value : __builtin_nan("");
      complete = complete && good;
    }
    return complete;
  }

  static double outer(const Program& program, double x, double mass) {
    const Program::Outwards outwards = program.outer_cdf(x);
    return std::clamp(outwards.factor * mass + outwards.shift, 0.0, 1.0);
  }

  const Batch& batch_;
  FlatLaw laws_[kFlatLaws];
  std::vector<double> numbers_;  // offsets and weights
  std::vector<double> rows_;     // of cells
  ChainLanes lanes_{};
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
      if (interrupt == nullptr || !interrupt->stopped()) blocks.run(begin, end, values, left);
    };
  });
}

}  // namespace freeconv
