#include "freeconv/spectrum/skeleton.hpp"

#include <algorithm>
#include <cmath>

namespace freeconv {
namespace {

// How near to its ends an interval is covered: 2e-12 of its width, or of the edge if that is less; 1e-282 of the width
// at a hard edge.
constexpr double kEdgeReach = 27.0;
constexpr double kZeroReach = 650.0;
constexpr double kLongestStep = 0.5;
constexpr double kShortestStep = 1e-6;
// Newton's steps from the cubic of a cell that is fine enough, of any length and of a short one.
constexpr int kCellIterations = 2;
constexpr int kShortCellIterations = 3;
constexpr double kShortCell = 0.03;
constexpr double kShortestCell = 1e-4;
constexpr double kShortestValley = 1e-4;
// A valley's floor is flat where its middle is as high as this part of its ends. (Of a cusp, x^(1/3), it is 0.)
constexpr double kFlat = 0.9;
// Valleys are followed to this length in t; from there the cusp is a straight line away, good to 1e-14.
constexpr double kNarrowestValley = 1e-10;
// Where rounding moves Im c by more than this the law's edge is within its last digits: no knots there.
constexpr double kKnotError = 1e-8;
constexpr double kEdgeZone = 8.0;
// Estimated rounding of Im c beside an end, times the relative distance: 1e4 ulps.
constexpr double kEndError = 2e-12;
// Of an end, relative: an edge is known to an ulp, what lies beside it is not.
constexpr double kEndBlur = 1e-10;
// Points where the march stops to ask from infinity; after so many the rest is left to single points.
constexpr int kMostStops = 8;
constexpr int kMostAsked = 64;
constexpr double kNoise = 1e-8;
// Faint tails of squared slopes: the longest step in t that double-double is asked to follow, the error of Im c in
// doubles that calls for it, the factor by which the density may fall over a step, and the most such knots of a march.
constexpr double kFaintStep = 0.125;
constexpr double kFaintError = 1e-6;
constexpr double kFaintFall = 4.0;
constexpr int kMostFaint = 200;
// In widths: nearer to a hard edge at 0 a sum inside a product loses the digits of 1 + m.
constexpr double kByZero = 1e-12;

}  // namespace

void Skeleton::index() {
  bins.clear();
  first_bin = t.front();
  const int count = static_cast<int>((t.back() - first_bin) / kBin) + 2;
  for (int b = 0; b < count; ++b) {
    const auto it = std::upper_bound(t.begin(), t.end(), first_bin + b * kBin);
    bins.push_back(std::max(0, static_cast<int>(it - t.begin()) - 1));
  }
}

int Skeleton::cell(double at) const {
  const int last = static_cast<int>(t.size()) - 2;
  if (!(at > t.front())) return 0;
  if (at >= t.back()) return last;
  int k = bins[static_cast<std::size_t>((at - first_bin) / kBin)];
  while (k < last && t[static_cast<std::size_t>(k) + 1] <= at) ++k;
  return k;
}

double SkeletonBuilder::position(const Interval& interval, double t) const {
  const double width = interval.high - interval.low;
  if (t < 0.0) {
    const double e = std::exp(t);
    return interval.low + width * (e / (1.0 + e));
  }
  return interval.high - width / (1.0 + std::exp(t));
}

double SkeletonBuilder::coordinate(const Interval& interval, double x) const {
  return std::log((x - interval.low) / (interval.high - x));
}

// After a middle point was solved from the cubic. Many steps in a short cell tell of a gap or a cusp within it; only
// at the floor of rounding they tell nothing.
bool SkeletonBuilder::fine_enough(double length) const {
  const NewtonResult<1>& r = tracer_.result();
  if (r.iterations[0] <= kCellIterations || length < kShortestCell) return true;
  return length < kShortCell && (r.iterations[0] <= kShortCellIterations || r.state[0] == 1);
}

bool SkeletonBuilder::deep(const Interval& interval, double x) const {
  return interval.low == 0.0 && program_.root().form == Form::product && x < kDeep * tracer_.width();
}

void SkeletonBuilder::finish(const Interval& interval, Knot& knot) {
  knot.du = tracer_.make_state();
  tracer_.tangent_at({knot.x, 0.0}, knot.u, knot.du);
  // -Im dG/dx, from the root's own point and step of the tangent.
  const NodeLanes<double, 1>& top = tracer_.sweeps().root();
  // In units of the law's width: squares of densities leave the doubles at scales of 1e150.
  const double width = tracer_.width();
  const Complex<double> g = width * root_cauchy(program_.root(), top.c.get(0), Complex<double>{knot.x, 0.0});
  const Complex<double> dc = top.a.get(0) * top.step.get(0);
  const bool product = program_.root().form == Form::product;
  const Complex<double> dg = product ? (width / knot.x) * (width * dc - g) : -(g * g * dc);
  knot.density = -g.im;
  knot.density_slope = -dg.im;
  const double rate = (knot.x - interval.low) * ((interval.high - knot.x) / (interval.high - interval.low));
  for (auto& d : knot.du) d.set(0, rate * d.get(0));
}

State<double, 1> SkeletonBuilder::interpolate(const Knot& a, const Knot& b, double t) const {
  const double h = b.t - a.t;
  const Hermite w = Hermite::at((t - a.t) / h);
  State<double, 1> u(a.u.size());
  for (std::size_t l = 0; l < u.size(); ++l) {
    u[l].set(0, w.a * a.u[l].get(0) + w.b * b.u[l].get(0) + (h * w.da) * a.du[l].get(0) + (h * w.db) * b.du[l].get(0));
  }
  return u;
}

// Where rounding ends a march: at the end of the interval, where it is some ulps of x over the distance, or beside a
// gap.
Interruption SkeletonBuilder::gap_beyond(const Interval& interval, const Knot& last, double direction, double error) {
  const double end = direction < 0.0 ? interval.low : interval.high;
  // At a hard edge at 0 doubles end on their own.
  if (end == 0.0 || error * std::fabs(last.x - end) <= kEndError * std::fabs(last.x)) return {};
  for (const double length : {0.02, 0.1, 0.25, 0.5}) {
    Knot next = last;
    next.x = position(interval, last.t + direction * length);
    const double distance = std::fabs(next.x - end);
    // Deep below the law's width real and complex solutions are too close to tell.
    if (!(distance > kEndBlur * std::fabs(end)) || distance < kByZero * tracer_.width()) return {};
    if (next.x == last.x || tracer_.stopped()) return {};
    const Located at = tracer_.locate(next.x, next.u);
    if (at.where == Where::outside) return gap(last, next, at);
  }
  return {};
}

// Newton from the prediction in `to`. Where squared slopes' density has faded into the rounding of |G| doubles cannot
// follow it, though double-double can: their rules are good to some 1e-16 of |G|.
bool SkeletonBuilder::follow(Knot& to, double length, bool faint) {
  const State<double, 1> guess = to.u;
  to.faint = false;
  if (tracer_.correct({to.x, 0.0}, to.u)) return true;
  if (!faint || length > kFaintStep || program_.rule_noise == 0.0) return false;
  to.u = guess;
  tracer_.begin();
  to.faint = tracer_.correct_wide({to.x, 0.0}, to.u);
  return to.faint;
}

Interruption SkeletonBuilder::march(const Interval& interval, const Knot& start, double direction,
                                    std::vector<Knot>& knots) {
  const bool hard = interval.low == 0.0 && program_.root().form == Form::product;
  // An edge at 1e-10 of a law of width 1 has its own scale: 2e-12 of its distance from 0.
  const double end = std::fabs(direction < 0.0 ? interval.low : interval.high);
  const double width = interval.high - interval.low;
  const double beyond = end > 0.0 && end < width ? std::log(width / end) : 0.0;
  const double reach = direction < 0.0 && hard ? kZeroReach : std::min(kEdgeReach + beyond, kZeroReach);
  Knot from = start;
  double h = kLongestStep;
  int stops = 0;
  int faint = 0;
  double from_error = 0.0;
  while (direction * from.t < reach && stops < kMostStops && !tracer_.stopped()) {
    Knot to;
    to.x = position(interval, from.t + direction * h);
    if (!(to.x > interval.low && to.x < interval.high) || to.x == from.x) break;
    to.t = coordinate(interval, to.x);
    to.u = from.u;
    for (std::size_t l = 0; l < to.u.size(); ++l) {
      to.u[l].set(0, from.u[l].get(0) + (to.t - from.t) * from.du[l].get(0));
    }
    bool asked = false;
    const bool fading = (from.faint || from_error > kFaintError) && faint < kMostFaint;
    if (!follow(to, h, fading)) {
      if (from.faint && h < 0.1 * kFaintStep) return {};  // rounding decides there whether the point is inside
      if (h > kShortestStep) {
        h *= 0.5;
        continue;
      }
      if (direction * from.t > kEdgeZone && from_error > 1e-3 * kKnotError)
        return gap_beyond(interval, from, direction, from_error);
      // Newton cannot follow: ask from infinity what is there.
      if (deep(interval, to.x)) break;
      ++stops;
      to.u = from.u;
      const Located at = tracer_.locate(to.x, to.u);
      if (at.where == Where::outside) return gap(from, to, at);
      if (at.where != Where::inside) {  // a cusp or the like: go past it
        from.t += direction * 1e-3;
        if (!knots.empty()) knots.back().broken = true;
        continue;
      }
      asked = true;
    }
    if (!to.faint) from_error = tracer_.result().error[0];
    if (!to.faint && direction * to.t > kEdgeZone && from_error > kKnotError)
      return gap_beyond(interval, from, direction, from_error);
    finish(interval, to);
    // A gap shorter than the shortest step lies in a valley, which is followed later.
    if (asked && !knots.empty()) knots.back().broken = direction < 0.0 ? !is_valley(to, from) : !is_valley(from, to);
    if (to.faint) {
      if (from.density > kFaintFall * to.density && h > 0.1 * kFaintStep) {
        h *= 0.5;
        continue;
      }
      ++faint;
    }
    knots.push_back(to);
    from = to;
    h = std::min(2.0 * h, kLongestStep);
  }
  return {};
}

Probe SkeletonBuilder::probe(const Knot& knot) {
  Probe found{knot.x, {}, knot.u};
  found.at.where = Where::inside;
  tracer_.correct({knot.x, 0.0}, found.u);
  found.at.c = tracer_.result().c.get(0);
  return found;
}

Interruption SkeletonBuilder::gap(const Knot& inside, const Knot& outside, const Located& at) {
  Interruption met;
  met.kind = Interruption::Kind::gap;
  met.inside = probe(inside);
  met.outside = {outside.x, at, outside.u};
  return met;
}

Interruption SkeletonBuilder::refine(const Interval& interval, std::vector<Knot>& knots) {
  std::vector<Knot> pending(knots.rbegin(), knots.rend());
  std::vector<Knot> done;
  done.push_back(pending.back());
  pending.pop_back();
  int stops = 0;
  while (!pending.empty() && !tracer_.stopped()) {
    const Knot& a = done.back();
    const Knot& b = pending.back();
    Knot middle;
    middle.x = position(interval, 0.5 * (a.t + b.t));
    middle.t = coordinate(interval, middle.x);
    const double length = b.t - a.t;
    const bool valley = is_valley(a, b);
    const bool narrow = (!valley && length < 4.0 * kShortestStep) || !(middle.t > a.t && middle.t < b.t);
    if (narrow || a.broken || (a.faint && b.faint) || stops >= kMostAsked) {
      done.push_back(b);
      pending.pop_back();
      continue;
    }
    const State<double, 1> guess = interpolate(a, b, middle.t);
    middle.u = guess;
    const bool followed = tracer_.correct({middle.x, 0.0}, middle.u);
    if (!followed && deep(interval, middle.x)) {
      done.back().broken = true;
      continue;
    }
    if (!followed) {
      ++stops;
      // A single point may be beyond telling (G = 0 in a gap); those beside it are not.
      Located at;
      for (const double part : {0.5, 0.37, 0.63, 0.45}) {
        middle.x = position(interval, a.t + part * (b.t - a.t));
        middle.t = coordinate(interval, middle.x);
        middle.u = guess;
        at = tracer_.locate(middle.x, middle.u);
        if (at.where == Where::outside || at.where == Where::inside) break;
      }
      if (at.where == Where::outside) return gap(a, middle, at);
      // Inside, but not to be followed in a short cell: the floor of rounding (deep at a hard edge).
      const bool by_zero = interval.low == 0.0 && middle.x < kByZero * tracer_.width();
      const bool noise = !valley && length < kShortCell && (by_zero || tracer_.result().error[0] > kNoise);
      if (at.where != Where::inside || noise) {
        done.back().broken = true;
        continue;
      }
    }
    // A gap or a cusp lies in a valley of the density. A valley is followed until it is flat; one that never is, down
    // to the last digits of x, ends in a cusp.
    finish(interval, middle);
    const bool flat = length <= kShortestValley && middle.density > kFlat * std::max(a.density, b.density);
    if (valley && !flat && length < kNarrowestValley) {
      Interruption met;
      met.kind = Interruption::Kind::cusp;
      // Density^3 is a straight line on either side.
      const double left = a.density * a.density * a.density;
      const double right = b.density * b.density * b.density;
      met.cusp = a.x + (b.x - a.x) * (left / (left + right));
      met.before = probe(done[done.size() / 2]);
      met.after = probe(pending.front());
      return met;
    }
    if (followed && fine_enough(length) && (!valley || flat)) {
      done.push_back(b);
      pending.pop_back();
    } else {
      pending.push_back(middle);
    }
  }
  knots = done;
  return {};
}

// The interval's inside point, or one where the density is high enough for doubles if that one's is within rounding:
// Newton cannot march from there (a density of 1e-13 left of a bulk, where a power is 1 + 1e-12).
SkeletonBuilder::Knot SkeletonBuilder::start_of(const Interval& interval) {
  const auto clear = [&](const Knot& knot) {
    State<double, 1> u = knot.u;
    return tracer_.correct({knot.x, 0.0}, u) && tracer_.result().error[0] <= kKnotError;
  };
  Knot first;
  first.x = interval.inside.x;
  first.u = interval.inside.u;
  if (clear(first)) return first;
  for (const double t : {0.0, -1.0, 1.0, -2.0, 2.0, -4.0, 4.0}) {
    Knot other;
    other.x = position(interval, t);
    other.u = tracer_.make_state();
    if (tracer_.locate(other.x, other.u).where == Where::inside && clear(other)) return other;
  }
  return first;
}

Interruption SkeletonBuilder::build(const Interval& interval, Skeleton& out) {
  Knot start = start_of(interval);
  start.t = coordinate(interval, start.x);
  finish(interval, start);
  std::vector<Knot> left;
  std::vector<Knot> right;
  Interruption met = march(interval, start, -1.0, left);
  if (met) return met;
  met = march(interval, start, 1.0, right);
  if (met) return met;
  // `broken` marks the way to the next knot in the direction of the march; ascending, the left ones move by one.
  std::vector<Knot> knots(left.rbegin(), left.rend());
  for (std::size_t i = 0; i + 1 < knots.size(); ++i) knots[i].broken = knots[i + 1].broken;
  if (!knots.empty()) knots.back().broken = false;
  knots.push_back(start);
  knots.insert(knots.end(), right.begin(), right.end());
  met = refine(interval, knots);
  if (met) return met;
  if (knots.size() == 1) knots.push_back(knots[0]);
  out.low = interval.low;
  out.high = interval.high;
  out.blur_low = interval.blur_low;
  out.blur_high = interval.blur_high;
  out.start_x = start.x;
  out.t.clear();
  out.values.clear();
  for (const Knot& k : knots) {
    out.t.push_back(k.t);
    for (std::size_t l = 0; l < k.u.size(); ++l) {
      out.values.insert(out.values.end(), {k.u[l].re[0], k.u[l].im[0], k.du[l].re[0], k.du[l].im[0]});
    }
  }
  out.index();
  return {};
}

}  // namespace freeconv
