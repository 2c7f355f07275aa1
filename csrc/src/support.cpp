#include "freeconv/spectrum/support.hpp"

#include <algorithm>
#include <cmath>

namespace freeconv {
namespace {

// A mass that is seen in F in doubles, if z is known to 1e-8; where it is not, the edge is bisected.
constexpr double kPassedOver = 1e-9;
// A would-be atom this near to an end, in widths of the interval, is the end.
constexpr double kSliver = 1e-12;
// Cuts of an interval, of its parts, ...
constexpr int kDeepestCut = 12;

double between(double a, double b, double fraction) {
  if (a > 0.0 && b > 10.0 * a) return a * std::pow(b / a, fraction);
  if (b < 0.0 && a < 10.0 * b) return -((-a) * std::pow(b / a, fraction));
  return a + fraction * (b - a);
}

}  // namespace

Probe SupportFinder::probe(double x) {
  Probe p;
  p.x = x;
  p.u = tracer_.make_state();
  p.at = tracer_.locate(x, p.u);
  return p;
}

// A point at or beside x that is inside or outside for certain: atoms, cusps and G = 0 are single points.
Probe SupportFinder::probe_near(double x, double scale) {
  constexpr double kOffsets[] = {0.0, 0.0137, -0.0213, 0.0571, -0.0849, 0.1313, -0.1701};
  Probe p;
  for (const double offset : kOffsets) {
    p = probe(x + offset * scale);
    if (p.at.where == Where::inside || p.at.where == Where::outside) return p;
  }
  return p;
}

double SupportFinder::continuous_mass(const Probe& left, const Probe& right) const {
  // Masses next to 1 are subtracted: in doubles components of 1e-12 would be within the rounding.
  DoubleDouble mass = left.at.mass_right - right.at.mass_right;
  for (const Atom& a : atoms_) {
    if (a.location > left.x && a.location < right.x) mass = mass - DoubleDouble(a.weight);
  }
  return mass.hi;
}

bool SupportFinder::nothing_between(const Probe& a, const Probe& b) const {
  return (a.x < b.x ? continuous_mass(a, b) : continuous_mass(b, a)) <= kMassTolerance;
}

bool SupportFinder::outer_probes(Probe& left, Probe& right) {
  const auto holds_all = [](const Probe& p, DoubleDouble mass) {
    return p.at.where == Where::outside && std::fabs((p.at.mass_right - mass).hi) <= kMassTolerance;
  };
  const Node& root = program_.root();
  const double center = root.mean;
  double reach = 4.0 * tracer_.width();
  for (int i = 0; i < 60; ++i, reach *= 2.0) {
    right = probe(center + reach);
    if (holds_all(right, DoubleDouble(0.0))) break;
  }
  if (!holds_all(right, DoubleDouble(0.0))) return false;
  if (root.form == Form::product) {
    left = Probe{};
    left.at.where = Where::outside;
    left.at.mass_right = root.p0;
    return true;
  }
  reach = 4.0 * tracer_.width();
  for (int i = 0; i < 60; ++i, reach *= 2.0) {
    left = probe(center - reach);
    if (holds_all(left, DoubleDouble(1.0))) break;
  }
  return holds_all(left, DoubleDouble(1.0));
}

bool SupportFinder::run(std::vector<Interval>& found) {
  Probe left;
  Probe right;
  if (!outer_probes(left, right)) return false;
  complete_ = true;
  search(left, right, 0, found);
  return complete_;
}

bool SupportFinder::split(const Interval& whole, const Probe& inside, const Probe& outside,
                          std::vector<Interval>& found) {
  complete_ = true;
  const Probe& near = outside.x > inside.x ? whole.left : whole.right;
  const Probe& far = outside.x > inside.x ? whole.right : whole.left;
  const Edge edge_here = edge(inside, outside);
  Interval part;
  // The first inside point is a better start than one beside an edge, if it is on this side.
  part.inside = (whole.inside.x < outside.x) == (inside.x < outside.x) ? whole.inside : inside;
  std::vector<Interval> others;
  if (outside.x > inside.x) {
    part.low = whole.low;
    part.blur_low = whole.blur_low;
    part.high = edge_here.x;
    part.left = near;
    part.right = edge_here.outside;
    search(edge_here.outside, far, 0, others);
  } else {
    part.low = edge_here.x;
    part.high = whole.high;
    part.blur_high = whole.blur_high;
    part.left = edge_here.outside;
    part.right = near;
    search(far, edge_here.outside, 0, others);
  }
  found.push_back(part);
  for (Interval& other : others) {
    if (keep_within(whole, other)) found.push_back(other);
  }
  return complete_;
}

// What of an interval lies in `whole`, whose outside points may be beyond would-be atoms at its ends; false if nothing.
bool SupportFinder::keep_within(const Interval& whole, Interval& part) {
  const double rounding = kSliver * (whole.high - whole.low);
  if (part.low >= whole.high - rounding || part.high <= whole.low + rounding) return false;
  const bool over = part.high > whole.high + rounding;
  const bool under = part.low < whole.low - rounding;
  if (over) part.high = whole.high;
  if (under) part.low = whole.low;
  if (!over && !under) return true;
  if (!(part.low < part.inside.x && part.inside.x < part.high)) {
    part.inside = probe_near(0.5 * (part.low + part.high), 0.1 * (part.high - part.low));
    complete_ = complete_ && part.inside.at.where == Where::inside;
  }
  return part.inside.at.where == Where::inside;
}

void SupportFinder::search(const Probe& left, const Probe& right, int depth, std::vector<Interval>& found) {
  if (continuous_mass(left, right) <= kMassTolerance) return;
  const double width = right.x - left.x;
  if (depth > 300 || tracer_.stopped() || width <= 1e-14 * std::max(std::fabs(left.x), std::fabs(right.x))) {
    complete_ = false;
    return;
  }
  // Towards a left end at 0 the steps are decades.
  const double middle = left.x == 0.0 && program_.root().form == Form::product
                            ? (depth < 3 ? 0.4871 * right.x : 0.03 * right.x)
                            : between(left.x, right.x, 0.4871);
  const Probe p = probe_near(middle, std::min(middle - left.x, right.x - middle));
  if (p.at.where == Where::outside) {
    search(p, right, depth + 1, found);
    search(left, p, depth + 1, found);
    return;
  }
  if (p.at.where != Where::inside) {
    complete_ = false;
    return;
  }
  const Edge high = edge(p, right);
  const Edge low = edge(p, left);
  Interval interval;
  interval.low = low.x;
  interval.high = high.x;
  interval.inside = p;
  interval.left = low.outside;
  interval.right = high.outside;
  found.push_back(interval);
  search(high.outside, right, depth + 1, found);
  if (low.x != 0.0 || program_.root().form == Form::sum) search(left, low.outside, depth + 1, found);
}

// Would two atoms meet 1 exactly, the density blows up or vanishes there and F or 1/m passes through 0: no square root.
bool SupportFinder::singular_edge(const Probe& inside, const Probe& outside, Edge& found) {
  std::vector<SingularPoint> points;
  for (const double s : singular_) points.push_back({s, 1e-6 * std::fabs(outside.x - inside.x)});
  return ends_at(std::move(points), inside, outside, found);
}

// An interval may also end at an atom, as that of a product of projections does at 0: of p (1 + q r q) at 1, where the
// bracket's edge is good to 1e-11 only. Not where a square root has been found: a gap may be narrower than `near`.
bool SupportFinder::atom_edge(const Probe& inside, const Probe& outside, double edge, Edge& found) {
  const double width = std::fabs(outside.x - inside.x);
  std::vector<SingularPoint> points;
  for (const Atom& a : atoms_) {
    const double near = std::max(1e-9 * width, 1e-10 * std::fabs(a.location));
    if (std::fabs(a.location - edge) <= near) points.push_back({a.location, near});
  }
  return ends_at(std::move(points), inside, outside, found);
}

// No gap between two points, as far as a few of them can tell.
bool SupportFinder::is_all_inside(double a, double b) {
  for (const double place : {0.5, 0.9, 0.1, 0.75, 0.25, 0.97}) {
    if (probe(a + place * (b - a)).at.where == Where::outside) return false;
  }
  return true;
}

bool SupportFinder::ends_at(std::vector<SingularPoint> points, const Probe& inside, const Probe& outside, Edge& found) {
  const double low = std::min(inside.x, outside.x);
  const double high = std::max(inside.x, outside.x);
  const double side = outside.x > inside.x ? 1.0 : -1.0;
  // The nearest first: more intervals may lie beyond it.
  std::sort(points.begin(), points.end(), [&](const SingularPoint& a, const SingularPoint& b) {
    return std::fabs(a.x - inside.x) < std::fabs(b.x - inside.x);
  });
  for (const SingularPoint& p : points) {
    if (!(p.x > low && p.x < high)) continue;
    const Probe beyond = probe(p.x + side * p.beside);
    if (beyond.at.where != Where::outside) continue;
    if (probe(p.x - side * p.beside).at.where != Where::inside) continue;
    if (!is_all_inside(inside.x, p.x)) continue;
    found = {p.x, beyond};
    return true;
  }
  return false;
}

// Would-be atoms inside an interval are ends of its parts: the solution is not smooth across them, and an interval may
// end at one unseen. Where a gap shows between them, all intervals beside it are looked for again.
bool SupportFinder::cut(const Interval& found_one, std::vector<Interval>& parts, int depth) {
  Interval whole = found_one;
  const double rounding = kSliver * (whole.high - whole.low);
  std::vector<double> middle;
  for (const double s : singular_) {
    if (std::fabs(s - whole.low) <= rounding) {
      whole.low = s;
    } else if (std::fabs(s - whole.high) <= rounding) {
      whole.high = s;
    } else if (s > whole.low && s < whole.high) {
      middle.push_back(s);
    }
  }
  std::vector<double> ends{whole.low};
  ends.insert(ends.end(), middle.begin(), middle.end());
  ends.push_back(whole.high);
  if (ends.size() == 2 || depth > kDeepestCut) {
    parts.push_back(whole);
    return ends.size() == 2;
  }
  std::vector<Probe> gaps;
  std::vector<Interval> between;
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
    const double width = ends[i + 1] - ends[i];
    bool inside = false;
    for (const double place : {1e-3, 0.4871, 1.0 - 1e-3}) {
      const Probe p = probe_near(ends[i] + place * width, 1e-4 * width);
      if (p.at.where == Where::outside) gaps.push_back(p);
      if (p.at.where != Where::inside || inside) continue;
      inside = true;
      between.push_back({ends[i], ends[i + 1], p, whole.left, whole.right});
    }
  }
  if (gaps.empty()) {
    parts.insert(parts.end(), between.begin(), between.end());
    return between.size() + 1 == ends.size();
  }
  complete_ = true;
  std::vector<Interval> found;
  gaps.push_back(whole.right);
  const Probe* left = &whole.left;
  for (const Probe& gap : gaps) {
    search(*left, gap, 0, found);
    left = &gap;
  }
  bool all = complete_;
  for (const Interval& interval : found) all = cut(interval, parts, depth + 1) && all;
  return all;
}

// Whether F, integrated up to an inside point next to an edge, agrees with the mass at the outside point beyond it:
// else an interval between the two was passed over.
bool SupportFinder::is_next_to(const Probe& inside, double edge, const Probe& outside) {
  tracer_.sweeps().up(inside.u);
  potential_.run(tracer_.sweeps(), inside.u, false);
  DoubleDouble below = DoubleDouble(1.0) - outside.at.mass_right;
  for (const Atom& a : atoms_) {
    if (outside.x < a.location && a.location <= inside.x) below = below + DoubleDouble(a.weight);
    if (inside.x < a.location && a.location < outside.x) below = below - DoubleDouble(a.weight);
  }
  // The density falls towards the edge.
  const double density = root_density(program_.root(), inside.at.c, inside.x) / kPi;
  const double left = density * std::fabs(edge - inside.x);
  return std::fabs(potential_.left_mass(0) - below.hi) <= 2.0 * left + kPassedOver;
}

// Steps to a thirtieth of the distance, until the edge no longer moves.
bool SupportFinder::square_root_edge(Probe inside, const Probe& outside, Edge& found) {
  const double side = outside.x > inside.x ? 1.0 : -1.0;
  double previous = kInfinity;
  for (int i = 0; i < 40; ++i) {
    double x = 0.0;
    if (!tracer_.extrapolate_edge(inside.x, inside.u, x)) return false;
    if (!((x - inside.x) * side > 0.0 && (outside.x - x) * side > 0.0)) return false;
    const double distance = std::fabs(x - inside.x);
    // The edge is off by the square of the distance, of a component 1e-6 wide by more than of a wide one.
    const double moved = std::fabs(x - previous);
    const bool near = distance <= 1e-9 * std::fabs(x) && moved <= 1e-12 * std::fabs(x);
    if (near || moved <= 1e-15 * std::fabs(x) || distance <= 1e-13 * std::fabs(x)) {
      // The first outside point beyond it; beside an edge where G = 0 the next ones cannot be solved in doubles.
      for (const double part : {1e-5, 1e-3, 1e-2, 0.1, 0.5}) {
        const Probe beyond = probe(x + side * std::max(part * std::fabs(outside.x - x), 1e-13 * std::fabs(x)));
        if (beyond.at.where != Where::outside) continue;
        if (!nothing_between(beyond, outside) || !is_next_to(inside, x, beyond)) return false;
        found = {x, beyond};
        return true;
      }
      return false;
    }
    previous = x;
    inside.x = x - side * distance / 30.0;
    inside.at = tracer_.locate_from(inside.x, inside.u);
    if (inside.at.where != Where::inside) return false;
  }
  return false;
}

// Does the interval run down to 0? Steps of squared size, to kDeep of the law's width.
bool SupportFinder::reaches_zero(const Probe& inside, Probe& outside, Probe& last_inside) {
  last_inside = inside;
  const double floor = std::min(kDeep * tracer_.width(), 1e-6 * inside.x);
  for (double decades = 1.0; last_inside.x > floor && decades < 400.0; decades *= 2.0) {
    Probe p = last_inside;
    p.x = std::max(inside.x * std::pow(10.0, -decades), floor);
    p.at = tracer_.locate_from(p.x, p.u);
    if (p.at.where == Where::outside) {
      outside = p;
      return false;
    }
    if (p.at.where == Where::inside) last_inside = p;
  }
  return true;
}

SupportFinder::Edge SupportFinder::edge(Probe inside, Probe outside) {
  if (outside.x == 0.0 && program_.root().form == Form::product) {
    const Probe zero = outside;
    Probe last;
    if (reaches_zero(inside, outside, last)) return {0.0, zero};
    inside = last;
  }
  Edge found{};
  if (singular_edge(inside, outside, found)) return found;
  const Probe first_inside = inside;
  const Probe first_outside = outside;
  for (int i = 0; i < 200; ++i) {
    if (square_root_edge(inside, outside, found)) return found;
    const double width = std::fabs(outside.x - inside.x);
    if (width <= 4e-16 * std::fabs(inside.x)) break;
    Probe p = inside;
    const double low = std::min(inside.x, outside.x);
    const double high = std::max(inside.x, outside.x);
    p.x = between(low, high, inside.x < outside.x ? 0.6 : 0.4);
    if (p.x <= low || p.x >= high) break;
    p.at = tracer_.locate_from(p.x, p.u);
    if (p.at.where == Where::inside) {
      inside = p;
    } else if (p.at.where == Where::outside) {
      outside = p;
    } else {
      // A cusp or a singular point inside the bracket: step beside it.
      p = probe_near(p.x, 0.3 * (high - low));
      if (p.at.where == Where::inside) {
        inside = p;
      } else if (p.at.where == Where::outside) {
        outside = p;
      } else {
        break;
      }
    }
  }
  if (atom_edge(first_inside, first_outside, outside.x, found)) return found;
  return {outside.x, outside};
}

}  // namespace freeconv
