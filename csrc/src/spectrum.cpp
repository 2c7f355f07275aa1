#include "freeconv/spectrum/spectrum.hpp"

#include <algorithm>
#include <cmath>

#include "freeconv/spectrum/points.hpp"
#include "freeconv/spectrum/workers.hpp"

namespace freeconv {
namespace {

constexpr int kLanes = Points::kLanes;
// Points between two looks at the interrupt.
constexpr std::size_t kPatience = 256;
// More pieces than these have no graded cells for their chain: 60 kB and 0.1 ms each.
constexpr std::size_t kFewPieces = 8;
// In standard deviations: an edge nearer to 0 is 0.
constexpr double kZero = 1e-40;
// An edge of a sum nearer to an atom is at it.
constexpr double kByAtom = 1e-13;
// Gaps and cusps that may turn up while the skeletons are built, and as many more for each atom of a leaf.
constexpr int kMostSplits = 64;
constexpr int kSplitsOfAtom = 2;
// How far off a cusp may be, in widths of its interval.
constexpr double kCuspBlur = 1e-13;
// In standard deviations from the mean: beyond, m = eta - p0 loses a digit and more of what is left of it.
constexpr double kFar = 10.0;

}  // namespace

Spectrum::Spectrum(Program program, Program far, CoreFacts facts, Interrupt* interrupt)
    : program_(std::move(program)), far_(std::move(far)), facts_(std::move(facts)) {
  const Node& root = program_.root();
  for (const Child& c : root.children) child_nodes_.push_back(c.index);
  if (child_nodes_.empty()) child_nodes_.push_back(static_cast<int>(program_.nodes.size()) - 1);
  build(interrupt);
  chain_ = ForwardChain(program_);
  if (chain_) {
    for (const Skeleton& piece : pieces_) tables_.emplace_back(piece, chain_, program_.leaf_count());
  }
  weigh(interrupt);
}

// Ends where they can only be.
Interval Spectrum::settled(Interval interval) const {
  // Bisection in a sum may end on the wrong side of what cannot be exceeded.
  interval.low = std::max(interval.low, facts_.lowest);
  interval.high = std::min(interval.high, facts_.highest);
  for (double* edge : {&interval.low, &interval.high}) {
    // A sum on [0, inf) that reaches 0 has its edge there; bisection ends at the smallest height it can tell.
    if (std::fabs(*edge) <= kZero * facts_.deviation) *edge = 0.0;
    if (program_.root().form == Form::product) continue;
    // So does an interval that an atom touches: no gap of rounding between the two.
    for (const Atom& a : facts_.atoms) {
      if (std::fabs(*edge - a.location) <= kByAtom * (facts_.deviation + std::fabs(a.location))) *edge = a.location;
    }
  }
  return interval;
}

void Spectrum::build(Interrupt* interrupt) {
  Tracer tracer = make_tracer(program_, interrupt);
  SupportFinder finder(program_, tracer, facts_.atoms, facts_.singular);
  std::vector<Interval> pending;
  complete_ = finder.run(pending);
  std::vector<Interval> cut;
  for (const Interval& whole : pending) complete_ = finder.cut(whole, cut) && complete_;
  pending = std::move(cut);
  SkeletonBuilder builder(program_, tracer);
  int left = kMostSplits;
  for (const Node& n : program_.nodes) {
    if (n.kind == Kind::discrete) left += kSplitsOfAtom * static_cast<int>(n.weights.size());
  }
  while (!pending.empty()) {
    const Interval interval = settled(pending.back());
    pending.pop_back();
    // An interval of the size of its own rounding.
    if (!(interval.low < interval.inside.x && interval.inside.x < interval.high)) {
      complete_ = false;
      continue;
    }
    Skeleton piece;
    const Interruption met = builder.build(interval, piece);
    if (met && --left > 0) {
      if (met.kind == Interruption::Kind::gap) {
        complete_ = finder.split(interval, met.inside, met.outside, pending) && complete_;
      } else {
        const double blur = kCuspBlur * (interval.high - interval.low);
        const double cusp = std::fabs(met.cusp) < blur ? 0.0 : met.cusp;
        Interval part = interval;
        part.high = cusp;
        part.blur_high = blur;
        part.inside = met.before;
        pending.push_back(part);
        part = interval;
        part.low = cusp;
        part.blur_low = blur;
        part.inside = met.after;
        pending.push_back(part);
      }
      continue;
    }
    if (met) complete_ = false;
    if (!piece.t.empty()) pieces_.push_back(std::move(piece));
  }
  std::sort(pieces_.begin(), pieces_.end(), [](const Skeleton& a, const Skeleton& b) { return a.low < b.low; });
  separate();
}

// Pieces do not overlap. Where a would-be atom is within rounding of an edge one interval may turn up twice; other
// overlaps are a failure.
void Spectrum::separate() {
  std::vector<Skeleton> apart;
  for (Skeleton& piece : pieces_) {
    if (!apart.empty() && piece.low < apart.back().high - kTouching * std::fabs(apart.back().high)) {
      const Skeleton& last = apart.back();
      const bool same = std::fabs(piece.low - last.low) <= kTouching * std::fabs(last.low) &&
                        std::fabs(piece.high - last.high) <= kTouching * std::fabs(last.high);
      complete_ = complete_ && same;
      continue;
    }
    apart.push_back(std::move(piece));
  }
  pieces_ = std::move(apart);
}

std::vector<double> Spectrum::support() const {
  std::vector<double> edges;
  for (const Skeleton& piece : pieces_) {
    // Pieces that touch (at a cusp or a would-be atom) are one interval of the closed support.
    if (!edges.empty() && piece.low - edges.back() <= kTouching * std::fabs(piece.low)) {
      edges.back() = piece.high;
    } else {
      edges.push_back(piece.low);
      edges.push_back(piece.high);
    }
  }
  for (double& e : edges) e = program_.outer_point(e);
  return edges;
}

std::vector<double> Spectrum::pieces() const {
  std::vector<double> rows;
  for (const Skeleton& piece : pieces_) {
    const Program::Outwards outwards = program_.outer_cdf(program_.outer_point(piece.start_x));
    rows.insert(rows.end(),
                {program_.outer_point(piece.low), program_.outer_point(piece.high),
                 outwards.factor * piece.cdf_low + outwards.shift, outwards.factor * piece.cdf_high + outwards.shift});
  }
  return rows;
}

int Spectrum::piece_of(double x) const {
  const auto it = std::upper_bound(pieces_.begin(), pieces_.end(), x,
                                   [](double value, const Skeleton& piece) { return value < piece.low; });
  if (it == pieces_.begin()) return -1;
  const auto index = static_cast<int>(it - pieces_.begin()) - 1;
  const Skeleton& piece = pieces_[static_cast<std::size_t>(index)];
  return x > piece.low && x < piece.high ? index : -1;
}

// A chain's cells are made when points are first asked for: who wants the support alone would pay a seventh more.
Points Spectrum::make_points(Interrupt* interrupt) const {
  std::call_once(graded_, [&] {
    if (tables_.size() > kFewPieces) return;
    for (ChainTable& table : tables_) table.grade(chain_.view());
  });
  return {program_, pieces_, facts_, interrupt, chain_, tables_};
}

void Spectrum::evaluate(const double* x, std::size_t n, const Evaluated& out, int workers, Interrupt* interrupt) const {
  share_out(n, workers, kChunk, [&] {
    return [&, points = make_points(interrupt)](std::size_t begin, std::size_t end) mutable {
      evaluate_part(points, x, begin, end, out, interrupt);
    };
  });
}

void Spectrum::evaluate_part(Points& points, const double* x, std::size_t begin, std::size_t end, const Evaluated& out,
                             Interrupt* interrupt) const {
  std::vector<std::size_t> off;  // points whose potential has to be asked for one by one
  for (std::size_t at = begin; at < end; at += kLanes) {
    if (interrupt != nullptr && at % kPatience == 0 && interrupt->stopped()) return;
    const int count = static_cast<int>(std::min<std::size_t>(kLanes, end - at));
    if (count == kLanes && points.run_together(x + at, at, out)) {
      if (out.cdf == nullptr) continue;
      // In one piece, which no jump of a size change can divide.
      const Program::Outwards outwards = program_.outer_cdf(x[at]);
      for (std::size_t j = at; j < at + kLanes; ++j) {
        const double mass = outwards.factor * out.cdf[j] + outwards.shift;
        out.cdf[j] = mass > 1.0 ? 1.0 : (mass < 0.0 ? 0.0 : mass);
      }
      continue;
    }
    DoubleDouble core[kLanes];
    int piece[kLanes];
    for (int i = 0; i < count; ++i) {
      const std::size_t j = at + static_cast<std::size_t>(i);
      core[i] = std::isfinite(x[j]) ? program_.core_point(x[j]) : DoubleDouble(x[j]);
      const bool finite = std::isfinite(core[i].hi);
      piece[i] = finite ? piece_of(core[i].hi) : -1;
      if (piece[i] >= 0) continue;
      const int joint = finite ? joint_of(core[i].hi) : -1;
      if (joint >= 0) {
        Skeleton both;
        both.low = pieces_[static_cast<std::size_t>(joint)].low;
        both.high = pieces_[static_cast<std::size_t>(joint) + 1].high;
        both.cdf_low = pieces_[static_cast<std::size_t>(joint)].cdf_low;
        both.cdf_high = pieces_[static_cast<std::size_t>(joint) + 1].cdf_high;
        Recovered nothing;
        nothing.density = __builtin_nan("");
        points.recover(out, j, core[i], both, nothing);
        // At a would-be atom m or G is infinite, which can pass for a real solution.
        if (out.status[j] == static_cast<signed char>(Status::outside)) {
          out.status[j] = static_cast<signed char>(Status::edge);
        }
        if (out.cdf != nullptr) out.cdf[j] = cdf_off(x[j], core[i].hi);
        if (out.potential != nullptr && out.status[j] == static_cast<signed char>(Status::edge)) {
          out.potential[j] = potential_at_edge(core[i].hi, points.recovery());
        }
        continue;
      }
      const bool nan = !(x[j] == x[j]);
      const bool at_edge = finite && touching(core[i].hi) == 0.0;
      Status status = at_edge ? Status::edge : Status::outside;
      if (!complete_) status = Status::uncertified;
      if (nan) status = Status::not_a_number;
      out.density[j] = nan || !complete_ ? __builtin_nan("") : 0.0;
      const double unknown = nan ? __builtin_nan("") : (complete_ ? 0.0 : kInfinity);
      if (out.residual != nullptr) out.residual[j] = unknown;
      if (out.accuracy != nullptr) out.accuracy[j] = unknown;
      if (out.iterations != nullptr) out.iterations[j] = 0;
      if (out.cdf != nullptr) {
        out.cdf[j] = cdf_off(x[j], core[i].hi);
        if (!nan && !(out.cdf[j] == out.cdf[j])) status = Status::uncertified;
      }
      if (out.potential != nullptr) {
        out.potential[j] = std::isinf(core[i].hi) ? kInfinity : __builtin_nan("");
        if (at_edge) out.potential[j] = potential_at_edge(core[i].hi, points.recovery());
        if (finite && !at_edge) off.push_back(j);
      }
      out.status[j] = static_cast<signed char>(status);
    }
    points.run(core, piece, at, count, out);
    if (out.cdf == nullptr) continue;
    take_outwards(x + at, count, out.cdf + at);
  }
  for (const std::size_t j : off) {
    const double z[2] = {program_.core_point(x[j]).hi, 0.0};
    signed char status = 0;
    Solved solved;
    solved.potential = out.potential + j;
    solved.status = &status;
    solve(z, 1, solved, interrupt);
  }
}

// F of the core as the user's.
void Spectrum::take_outwards(const double* x, int count, double* cdf) const {
  for (int i = 0; i < count; ++i) {
    if (!std::isfinite(x[i])) continue;
    const Program::Outwards outwards = program_.outer_cdf(x[i]);
    cdf[i] = std::clamp(outwards.factor * cdf[i] + outwards.shift, 0.0, 1.0);
  }
}

// The first of two pieces that touch at x.
int Spectrum::joint_of(double x) const {
  for (std::size_t k = 0; k + 1 < pieces_.size(); ++k) {
    const double low = pieces_[k].high;
    const double high = pieces_[k + 1].low;
    if (x >= low && x <= high && high - low <= kTouching * std::fabs(high)) return static_cast<int>(k);
  }
  return -1;
}

// Distance to the nearest end of a piece.
double Spectrum::touching(double x) const {
  double nearest = kInfinity;
  for (const Skeleton& piece : pieces_) {
    nearest = std::min({nearest, std::fabs(x - piece.low), std::fabs(x - piece.high)});
  }
  return nearest;
}

void Spectrum::solve(const double* z, std::size_t n, const Solved& out, Interrupt* interrupt) const {
  Tracer near_tracer = make_tracer(program_, interrupt);
  Tracer far_tracer = make_tracer(far_, interrupt);
  Potential<double, 1> near_potential(program_);
  Potential<double, 1> far_potential(far_);
  State<double, 1> u = near_tracer.make_state();
  const double nan = __builtin_nan("");
  for (std::size_t j = 0; j < n; ++j) {
    Complex<double> point{z[2 * j], z[2 * j + 1]};
    const bool is_far = std::hypot(point.re - facts_.mean, point.im) > kFar * facts_.deviation;
    const Program& program = is_far ? far_ : program_;
    Tracer& tracer = is_far ? far_tracer : near_tracer;
    Potential<double, 1>& potential = is_far ? far_potential : near_potential;
    if (interrupt != nullptr && interrupt->stopped()) return;
    Status here = Status::uncertified;
    bool real_outside = false;
    if (!(point.re == point.re) || !(point.im == point.im)) {
      here = Status::not_a_number;
    } else if (point.im > 0.0) {
      if (tracer.descend_to(point, u) || tracer.step_off_axis(point, u)) here = Status::certified;
    } else {
      const Located at = tracer.locate(point.re, u);
      if (at.where == Where::inside) here = Status::certified;
      if (at.where == Where::outside) {
        here = Status::outside;
        real_outside = true;
      }
      if (at.where == Where::edge || at.where == Where::lost) {
        // G = 0 in a gap is a pole of the unknowns: beside the axis they are finite, and Re G and Re U change by y^2.
        point.im = 1e-7 * facts_.deviation;
        if (piece_of(point.re) < 0 && tracer.approach(point.re, point.im, u)) {
          here = Status::outside;
          real_outside = true;
        }
      }
    }
    const bool good = here != Status::uncertified && here != Status::not_a_number;
    out.status[j] = static_cast<signed char>(here);
    if (out.cauchy != nullptr) {
      const Complex<double> g =
          good ? root_cauchy(program.root(), tracer.result().c.get(0), point) : Complex<double>{nan, nan};
      out.cauchy[2 * j] = g.re;
      out.cauchy[2 * j + 1] = real_outside ? 0.0 : g.im;
    }
    if (good) tracer.sweeps().up(u);
    if (out.potential != nullptr) {
      if (good) potential.run(tracer.sweeps(), u, true);
      out.potential[j] = good ? potential.log_modulus(0) : nan;
    }
    if (out.omega == nullptr) continue;
    for (std::size_t k = 0; k < child_nodes_.size(); ++k) {
      const auto v = static_cast<std::size_t>(child_nodes_[k]);
      const Complex<double> w =
          good ? node_point(program.nodes[v], tracer.sweeps().node(child_nodes_[k]), 0).z : Complex<double>{nan, nan};
      out.omega[2 * (k * n + j)] = w.re;
      out.omega[2 * (k * n + j) + 1] = real_outside ? 0.0 : w.im;
    }
  }
}

}  // namespace freeconv
