// The masses of the pieces of the support, and the inverse of the distribution function.
#include <algorithm>
#include <cmath>

#include "freeconv/spectrum/points.hpp"
#include "freeconv/spectrum/workers.hpp"

namespace freeconv {
namespace {

constexpr int kLanes = Points::kLanes;
// Of the table's steps in t: the cubic between two nodes is good to 1e-7 or better.
constexpr double kTableStep = 0.0625;
// Of the laws of many samples, whose pieces may be hundreds: good to 1e-5, a Newton step more.
constexpr double kCoarseStep = 0.25;
constexpr std::size_t kFewPieces = 8;
// Masses at either end of a piece below this are rounding: F is good to about 1e-16.
constexpr double kTableMass = 4e-15;
// A Newton step in t below this is the last: the next one is of the order of its square. (Of its 4/3 power at a cusp.)
constexpr double kLastStep = 3e-9;
constexpr int kMostSteps = 60;
// Quantiles looked for together.
constexpr std::size_t kSearches = 512;
// Positions are 1 - 1/(1 + e^t): e^-760 is 0.
constexpr double kReach = 760.0;

// The core's results in a block.
struct Lanes {
  double density[kLanes], cdf[kLanes];
  signed char status[kLanes];

  Evaluated pointers() {
    Evaluated out;
    out.density = density;
    out.cdf = cdf;
    out.status = status;
    return out;
  }
  bool good(int i) const {
    const auto s = static_cast<Status>(status[i]);
    return s == Status::certified || s == Status::recovered;
  }
};

double position(const Skeleton& piece, double t) {
  const double width = piece.high - piece.low;
  if (t < 0.0) {
    const double e = std::exp(t);
    return piece.low + width * (e / (1.0 + e));
  }
  return piece.high - width / (1.0 + std::exp(t));
}

// logit of the part of the piece's mass to the left, and its derivative to t.
struct Level {
  double value, slope;
};

Level level_of(const Skeleton& piece, double x, double cdf, double density) {
  const double mass = piece.cdf_high - piece.cdf_low;
  const double left = cdf - piece.cdf_low;
  const double right = piece.cdf_high - cdf;
  const double rate = (x - piece.low) * ((piece.high - x) / (piece.high - piece.low));
  return {std::log(left / right), density * rate * mass / (left * right)};
}

}  // namespace

// A quantile that is being looked for in a piece, with its bracket.
struct Spectrum::Search {
  std::size_t at;  // where it goes
  int piece;
  double wanted;  // logit of the mass to the left
  double target;  // F, the same as a mass
  double t, low, high;

  // Newton from what was found at t, within the bracket; true if it was the last step.
  bool move(const Level& level, double cdf, bool good, int step) {
    if (!good) {
      // No value here: the bracket is halved beside the point, without moving its ends.
      t += 0.37 * ((step % 2 == 0 ? high : low) - t) * std::ldexp(1.0, -step);
      return false;
    }
    (level.value < wanted ? low : high) = t;
    const double newton = t - (level.value - wanted) / level.slope;
    const bool inside = std::isfinite(level.value) && newton >= low && newton <= high;
    const double next = inside ? newton : 0.5 * (low + high);
    const bool met = std::fabs(cdf - target) <= kEpsilon * target;
    const bool last =
        (inside && (met || std::fabs(next - t) <= kLastStep)) || high - low <= 4.0 * kEpsilon * std::fabs(t);
    t = next;
    return last;
  }
};

// Continuous mass to the left of what lies between two neighbours.
double Spectrum::mass_between(const Skeleton& left, const Skeleton& right, Tracer& tracer, Recovery& recovery) const {
  const auto without_atoms = [&](double mass, double x) {
    for (const Atom& a : facts_.atoms) mass -= a.location < x ? a.weight : 0.0;
    return mass;
  };
  if (right.low - left.high > kTouching * std::fabs(right.low)) {
    State<double, 1> u = tracer.make_state();
    // In the widest part between atoms: an ulp beside one the masses are rounding.
    double low = left.high;
    double high = right.low;
    double from = left.high;
    double widest = 0.0;
    for (std::size_t i = 0; i <= facts_.atoms.size(); ++i) {
      const double to = i < facts_.atoms.size() ? facts_.atoms[i].location : right.low;
      if (!(to > left.high && to <= right.low)) continue;
      if (to - from > widest) {
        low = from;
        high = to;
        widest = to - from;
      }
      from = to;
    }
    for (const double part : {0.5, 0.37, 0.63, 0.21, 0.83}) {
      const double x = low + part * (high - low);
      const Located at = tracer.locate(x, u);
      if (at.where == Where::outside) return without_atoms((DoubleDouble(1.0) - at.mass_right).hi, x);
    }
    return __builtin_nan("");
  }
  for (std::size_t i = 0; i < facts_.singular.size(); ++i) {
    const double s = facts_.singular[i];
    if (std::fabs(s - right.low) <= kTouching * std::fabs(s)) return without_atoms(facts_.below_singular[i], s);
  }
  const double h = 1e-9 * std::min(left.high - left.low, right.high - right.low);
  return without_atoms(recovery.cdf_beside(right.low, h), right.low);
}

void Spectrum::weigh(Interrupt* interrupt) {
  Tracer tracer = make_tracer(program_, interrupt);
  Recovery recovery(program_, make_tracer(program_, interrupt), facts_.atoms);
  double continuous = 1.0;
  for (const Atom& a : facts_.atoms) continuous -= a.weight;
  mass_before_.assign(pieces_.size() + 1, 0.0);
  mass_before_.back() = continuous;
  for (std::size_t k = 1; k < pieces_.size(); ++k) {
    mass_before_[k] = complete_ ? mass_between(pieces_[k - 1], pieces_[k], tracer, recovery) : __builtin_nan("");
  }
  inverses_ = std::vector<Inverse>(pieces_.size());
  for (std::size_t k = 0; k < pieces_.size(); ++k) {
    Skeleton& piece = pieces_[k];
    piece.cdf_low = mass_before_[k];
    piece.cdf_high = mass_before_[k + 1];
    for (const Atom& a : facts_.atoms) {
      const double slack = kTouching * std::fabs(a.location);
      if (a.location <= piece.low + slack) piece.cdf_low += a.weight;
      if (a.location < piece.high - slack) piece.cdf_high += a.weight;
    }
  }
}

// F of the core at the user's point x, not in an open piece. Atoms are compared as the user sees them, so that each
// counts from its own location on.
double Spectrum::cdf_off(double x, double core) const {
  if (!(x == x)) return x;
  if (std::isinf(core)) return core > 0.0 ? 1.0 : 0.0;
  std::size_t k = 0;
  while (k < pieces_.size() && pieces_[k].high <= core) ++k;
  double mass = mass_before_[k];
  for (std::size_t i = 0; i < facts_.atoms.size(); ++i)
    mass += facts_.atom_points[i] <= x ? facts_.atoms[i].weight : 0.0;
  return mass;
}

double Spectrum::potential_at_edge(double core, Recovery& recovery) const {
  for (const Atom& a : facts_.atoms) {
    if (a.location == core) return -kInfinity;
  }
  for (const Skeleton& piece : pieces_) {
    // At 0 steps may be as short as one likes, but not beside a cusp, which is not at 0 exactly.
    const double width = piece.high - piece.low;
    if (core == piece.low) {
      const bool sharp = core == 0.0 && piece.blur_low == 0.0;
      return recovery.potential_limit(core, (sharp ? 1e-30 : 1e-12) * width);
    }
    if (core == piece.high) {
      const bool sharp = core == 0.0 && piece.blur_high == 0.0;
      return recovery.potential_limit(core, (sharp ? -1e-30 : -1e-12) * width);
    }
  }
  return __builtin_nan("");
}

InverseTable Spectrum::tabulate(std::size_t k) const {
  Points points = make_points(nullptr);
  Lanes lanes;
  const Skeleton& piece = pieces_[k];
  const double longest = pieces_.size() > kFewPieces ? kCoarseStep : kTableStep;
  InverseTable table;
  std::vector<double> nodes;
  for (std::size_t i = 0; i + 1 < piece.t.size(); ++i) {
    const double h = piece.t[i + 1] - piece.t[i];
    const int parts = static_cast<int>(std::ceil(h / longest));
    for (int p = 0; p < parts; ++p) nodes.push_back(piece.t[i] + h * p / parts);
  }
  // From the middle outwards, until the masses are rounding.
  struct Row {
    double level, t, slope;
  };
  std::vector<Row> rows;
  const auto middle = std::lower_bound(nodes.begin(), nodes.end(), 0.0);
  const auto walk = [&](std::vector<double> places) {
    for (std::size_t at = 0; at < places.size(); at += kLanes) {
      const int count = static_cast<int>(std::min<std::size_t>(kLanes, places.size() - at));
      DoubleDouble x[kLanes];
      int where[kLanes];
      for (int i = 0; i < count; ++i) {
        x[i] = DoubleDouble(position(piece, places[at + static_cast<std::size_t>(i)]));
        where[i] = x[i].hi > piece.low && x[i].hi < piece.high ? static_cast<int>(k) : -1;
      }
      points.run(x, where, 0, count, lanes.pointers());
      bool any = false;
      for (int i = 0; i < count; ++i) {
        if (where[i] < 0 || !lanes.good(i)) continue;
        if (!(lanes.cdf[i] - piece.cdf_low > kTableMass && piece.cdf_high - lanes.cdf[i] > kTableMass)) continue;
        const Level level = level_of(piece, x[i].hi, lanes.cdf[i], lanes.density[i] / program_.factor);
        if (!(level.slope > 0.0)) continue;
        rows.push_back({level.value, places[at + static_cast<std::size_t>(i)], 1.0 / level.slope});
        any = true;
      }
      if (!any) return;
    }
  };
  walk({middle, nodes.end()});
  walk({std::make_reverse_iterator(middle), nodes.rend()});
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.t < b.t; });
  for (const Row& row : rows) {
    if (!table.level.empty() && !(row.level > table.level.back())) continue;
    table.level.push_back(row.level);
    table.t.push_back(row.t);
    table.slope.push_back(row.slope);
  }
  return table;
}

const InverseTable& Spectrum::inverse(std::size_t k) const {
  Inverse& one = inverses_[k];
  std::call_once(one.made, [&] { one.table = tabulate(k); });
  return one.table;
}

// Whether the table has come to the power law of an edge at this end.
bool InverseTable::is_straight(bool upper) const {
  constexpr std::size_t kRows = 4;
  if (level.size() <= kRows) return false;
  const double last = upper ? slope.back() : slope.front();
  const double before = upper ? slope[slope.size() - 1 - kRows] : slope[kRows];
  return std::fabs(last - before) <= 0.1 * last;
}

// t at a level: the cubic of the table, straight lines beyond its ends.
double InverseTable::at(double l) const {
  if (level.empty()) return 0.0;
  if (l <= level.front()) return t.front() + (l - level.front()) * slope.front();
  if (l >= level.back()) return t.back() + (l - level.back()) * slope.back();
  const auto k = static_cast<std::size_t>(std::upper_bound(level.begin(), level.end(), l) - level.begin()) - 1;
  const double h = level[k + 1] - level[k];
  const Hermite w = Hermite::at((l - level[k]) / h);
  return w.a * t[k] + w.b * t[k + 1] + h * (w.da * slope[k] + w.db * slope[k + 1]);
}

void Spectrum::invert(const double* p, std::size_t n, bool upper, double* x, int workers, Interrupt* interrupt) const {
  share_out(n, workers, kChunk, [&] {
    return [&, points = make_points(interrupt)](std::size_t begin, std::size_t end) mutable {
      invert_part(points, p, begin, end, upper, x, interrupt);
    };
  });
}

void Spectrum::invert_part(Points& points, const double* p, std::size_t begin, std::size_t end, bool upper, double* x,
                           Interrupt* interrupt) const {
  std::vector<Program::Outwards> outwards;
  for (const Skeleton& piece : pieces_) outwards.push_back(program_.outer_cdf(program_.outer_point(piece.start_x)));
  Lanes lanes;
  std::vector<Search> open;
  for (std::size_t at = begin; at < end; at += kSearches) {
    open.clear();
    for (std::size_t j = at; j < std::min(end, at + kSearches); ++j) {
      x[j] = __builtin_nan("");
      begin_search(p[j], upper, outwards, j, x[j], open);
    }
    // Those that go on are moved together at each step, so that no block waits for its slowest point.
    for (int step = 0; step < kMostSteps && !open.empty(); ++step) {
      std::size_t kept = 0;
      for (std::size_t from = 0; from < open.size(); from += kLanes) {
        if (interrupt != nullptr && interrupt->stopped()) return;
        Search* group = open.data() + from;
        const int count = static_cast<int>(std::min<std::size_t>(kLanes, open.size() - from));
        DoubleDouble core[kLanes];
        int piece[kLanes];
        for (int i = 0; i < count; ++i) {
          const Skeleton& s = pieces_[static_cast<std::size_t>(group[i].piece)];
          core[i] = DoubleDouble(position(s, group[i].t));
          piece[i] = core[i].hi > s.low && core[i].hi < s.high ? group[i].piece : -1;
          if (piece[i] < 0) x[group[i].at] = program_.outer_point(core[i].hi);  // within rounding of the edge
        }
        points.run(core, piece, 0, count, lanes.pointers());
        for (int i = 0; i < count; ++i) {
          if (piece[i] < 0) continue;
          const Skeleton& s = pieces_[static_cast<std::size_t>(piece[i])];
          const Level level = level_of(s, core[i].hi, lanes.cdf[i], lanes.density[i] / program_.factor);
          if (group[i].move(level, lanes.cdf[i], lanes.good(i), step)) {
            x[group[i].at] = program_.outer_point(position(s, group[i].t));
          } else {
            open[kept++] = group[i];
          }
        }
      }
      open.resize(kept);
    }
  }
}

void Spectrum::begin_search(double mass, bool upper, const std::vector<Program::Outwards>& outwards, std::size_t at,
                            double& x, std::vector<Search>& open) const {
  for (std::size_t k = 0; k < pieces_.size(); ++k) {
    // The masses of the piece on both sides of the point, the smaller one with its digits.
    const double whole = pieces_[k].cdf_high - pieces_[k].cdf_low;
    const double top = (1.0 - outwards[k].shift) / outwards[k].factor;  // of the core where F = 1
    const double left = (mass - outwards[k].shift) / outwards[k].factor - pieces_[k].cdf_low;
    const double right = mass / outwards[k].factor - (top - pieces_[k].cdf_high);
    const double below = upper ? whole - right : left;
    const double above = upper ? right : whole - left;
    if (!(below > 0.0 && above > 0.0)) continue;
    const InverseTable& table = inverse(k);
    Search search;
    search.at = at;
    search.piece = static_cast<int>(k);
    search.wanted = std::log(below / above);
    search.target = below < above ? pieces_[k].cdf_low + below : pieces_[k].cdf_high - above;
    search.t = std::clamp(table.at(search.wanted), -kReach, kReach);
    search.low = -kReach;
    search.high = kReach;
    const bool beyond =
        !table.level.empty() && !(search.wanted > table.level.front() && search.wanted < table.level.back());
    if (beyond && std::min(below, above) <= 4.0 * kTableMass && table.is_straight(search.wanted > 0.0)) {
      // So near to an end F is rounding, and the table's straight line is better.
      x = program_.outer_point(position(pieces_[k], search.t));
      return;
    }
    open.push_back(search);
    return;
  }
}

}  // namespace freeconv
