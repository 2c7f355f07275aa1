// The inverse of the distribution function.
#include <algorithm>
#include <cmath>

#include "freeconv/spectrum/grading.hpp"
#include "freeconv/spectrum/points.hpp"
#include "freeconv/spectrum/workers.hpp"

namespace freeconv {
namespace {

constexpr int kLanes = Points::kLanes;
// Of the table's steps in t: the cubic between two nodes is good to 1e-7 or better. Far out, where the level is close
// to a line, steps are a part of |t|: ten thousand nodes become four hundred where masses reach to e^-650.
constexpr double kTableStep = 0.0625;
constexpr double kTablePart = 1.0 / 64.0;
// Of the laws of many samples, whose pieces may be hundreds: good to 1e-5, a Newton step more.
constexpr double kCoarseStep = 0.25;
constexpr std::size_t kFewPieces = 8;
// Masses at either end of a piece below this are rounding: F is good to about 1e-16.
constexpr double kTableMass = 4e-15;
// A Newton step in t below this is the last: the next one is of the order of its square. (Of its 4/3 power at a cusp.)
constexpr double kLastStep = 3e-9;
constexpr int kMostSteps = 60;
constexpr int kFewSteps = 3;  // after which few searches go on
// Octaves of the mass from an end that have graded cells: F, good to 1e-16, tells the last one's to 1e-8 of itself.
constexpr int kGradedOctaves = 24;
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
  // Whether F is known: off the support and at edges, too.
  bool good(int i) const { return static_cast<Status>(status[i]) != Status::uncertified && cdf[i] == cdf[i]; }
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

// A table that is not to be kept, since the caller has interrupted it.
struct Interrupted {};

}  // namespace

// A quantile that is being looked for in a piece, with its bracket.
struct Spectrum::Search {
  std::size_t at;  // where it goes
  int piece;
  double wanted;  // logit of the mass to the left
  double target;  // F, the same as a mass
  double t;
  double low = -kReach, high = kReach;
  int missed = 0;  // points in a row without a value
  double without;  // the first of them
  bool found = false;

  // No value here: beside the point, on its sides in turn, there may be one. If not, anywhere in the bracket, whose
  // ends stay: beyond a gap of forty decades there may be none in most of it.
  void miss() {
    constexpr int kBeside = 6;
    constexpr double kGolden = 0.6180339887498949;
    if (++missed == 1) without = t;
    if (missed <= kBeside) {
      t = without + ((missed % 2 == 0 ? low : high) - without) * std::ldexp(0.37, -4 * missed);
    } else {
      const double turns = kGolden * (missed - kBeside);
      t = low + (high - low) * (turns - std::floor(turns));
    }
  }

  // Where F jumps from one double x to the next (of a law 1e-12 wide beside 1) the quantile is the upper one, of a
  // reflected law the lower one here. Newton creeps there: F at t is that of the nearest double.
  void settle(const Skeleton& s, double x, bool reflected) {
    const double right = position(s, high);
    if (std::nextafter(position(s, low), right) >= right) {
      t = reflected ? low : high;
      found = true;
    } else if (position(s, t) == x) {
      t = 0.5 * (low + high);
    }
  }

  // Newton from what was found at t, within the bracket.
  void move(const Level& level, double cdf, bool good, int step) {
    if (!good) return miss();
    missed = 0;
    (level.value < wanted ? low : high) = t;
    const double newton = t - (level.value - wanted) / level.slope;
    const bool inside = std::isfinite(level.value) && newton >= low && newton <= high;
    const double next = inside ? newton : 0.5 * (low + high);
    // F of a mass of 1e-14 may not come nearer than its noise, which then moves the bracket.
    const bool met = std::fabs(cdf - target) <= kEpsilon * (step < kMostSteps / 2 ? target : 1.0);
    found = (inside && (met || std::fabs(next - t) <= kLastStep)) || high - low <= 4.0 * kEpsilon * std::fabs(t);
    t = next;
  }
};

InverseTable Spectrum::tabulate(std::size_t k, Points& points) const {
  Lanes lanes;
  const Skeleton& piece = pieces_[k];
  const double longest = pieces_.size() > kFewPieces ? kCoarseStep : kTableStep;
  InverseTable table;
  // From the middle outwards, until the masses are rounding.
  struct Row {
    double level, t, slope;
  };
  std::vector<Row> rows;
  const auto walk = [&](double t, double direction) {
    for (;;) {
      DoubleDouble x[kLanes];
      double places[kLanes];
      int where[kLanes];
      int count = 0;
      for (; count < kLanes && t >= piece.t.front() && t < piece.t.back(); ++count) {
        places[count] = t;
        x[count] = DoubleDouble(position(piece, t));
        where[count] = x[count].hi > piece.low && x[count].hi < piece.high ? static_cast<int>(k) : -1;
        t += direction * std::max(longest, kTablePart * std::fabs(t));
      }
      if (count == 0) return;
      points.run(x, where, 0, count, lanes.pointers());
      bool any = false;
      for (int i = 0; i < count; ++i) {
        if (where[i] < 0 || !lanes.good(i)) continue;
        if (!(lanes.cdf[i] - piece.cdf_low > kTableMass && piece.cdf_high - lanes.cdf[i] > kTableMass)) continue;
        const Level level = level_of(piece, x[i].hi, lanes.cdf[i], lanes.density[i] / program_.factor);
        if (!(level.slope > 0.0)) continue;
        rows.push_back({level.value, places[i], 1.0 / level.slope});
        any = true;
      }
      if (!any) return;
    }
  };
  const double middle = std::clamp(0.0, piece.t.front(), piece.t.back());
  walk(middle, 1.0);
  walk(middle - longest, -1.0);
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.t < b.t; });
  for (const Row& row : rows) {
    if (!table.level.empty() && !(row.level > table.level.back())) continue;
    table.level.push_back(row.level);
    table.t.push_back(row.t);
    table.slope.push_back(row.slope);
  }
  return table;
}

// The graded cells of a chain's piece, from quantiles that were searched for.
void Spectrum::grade(std::size_t k, Points& points, Inverse& inverse, Interrupt* interrupt) const {
  const Skeleton& piece = pieces_[k];
  const double whole = piece.cdf_high - piece.cdf_low;
  const Grading grading(0.5 * whole, kGradedOctaves);
  if (!grading) return;
  std::vector<Search> searches;
  const std::vector<Grading::Place> nodes = grading.nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const double other = whole - nodes[i].s;
    const Search one =
        search_for(k, nodes[i].upper ? other : nodes[i].s, nodes[i].upper ? nodes[i].s : other, i, inverse.table);
    // Beyond the table points may be nearer to the end than a double can be: 1e-300 of a hard edge has much mass.
    const std::vector<double>& levels = inverse.table.level;
    if (!levels.empty() && one.wanted > levels.front() && one.wanted < levels.back()) searches.push_back(one);
  }
  search(points, searches, false, interrupt);
  // log of the distance from the end that is nearer where the cell's nodes begin; NaN, which no step accepts, where it
  // is not known.
  const double width = piece.high - piece.low;
  std::vector<double> places(nodes.size(), __builtin_nan(""));
  for (const Search& one : searches) {
    if (one.found) places[one.at] = one.t;
  }
  std::vector<double> rows(grading.cells() * kInverseRow, 0.0);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    double* row = rows.data() + nodes[i].cell * kInverseRow;
    const bool upper = places[i - i % kChainTerms] > 0.0;
    const double t = upper ? -places[i] : places[i];
    grading.add(i, std::log(width) + (t < 0.0 ? t - std::log1p(std::exp(t)) : -std::log1p(std::exp(-t))), row);
    row[kChainTerms] = upper ? 1.0 : 0.0;
  }
  inverse.graded = std::move(rows);
  inverse.cells = grading.view(inverse.graded.data());
}

const Spectrum::Inverse& Spectrum::inverse(std::size_t k, Interrupt* interrupt) const {
  Inverse& one = inverses_[k];
  std::call_once(one.made, [&] {
    Points points = make_points(interrupt);
    one.table = tabulate(k, points);
    if (chain_ && pieces_.size() <= kFewPieces) grade(k, points, one, interrupt);
    if (interrupt != nullptr && interrupt->stopped()) throw Interrupted();
  });
  return one;
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

// The levels of one thread.
class Spectrum::Inversion {
 public:
  Inversion(const Spectrum& spectrum, const double* p, bool upper, double* x, Interrupt* interrupt)
      : spectrum_(spectrum),
        pieces_(spectrum.pieces_),
        points_(spectrum.make_points(interrupt)),
        p_(p),
        upper_(upper),
        x_(x),
        interrupt_(interrupt) {
    for (const Skeleton& piece : pieces_) {
      outwards_.push_back(spectrum.program_.outer_cdf(spectrum.program_.outer_point(piece.start_x)));
    }
  }

  void run(std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end; at += kSearches) {
      const std::size_t stop = std::min(end, at + kSearches);
      open_.clear();
      for (std::size_t j = at; j < stop; j += kLanes) run_block(j, std::min<std::size_t>(kLanes, stop - j));
      spectrum_.search(points_, open_, upper_, interrupt_);
      for (const Search& one : open_) {
        const Skeleton& piece = pieces_[static_cast<std::size_t>(one.piece)];
        if (one.found) x_[one.at] = spectrum_.program_.outer_point(position(piece, one.t));
      }
    }
  }

 private:
  // Levels j and after: those of one piece together.
  void run_block(std::size_t j, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      x_[j + i] = __builtin_nan("");
      piece_[i] = find(p_[j + i], below_[i], above_[i]);
    }
    for (std::size_t first = 0; first < count;) {
      const std::size_t k = piece_[first];
      std::size_t stop = first + 1;
      while (stop < count && piece_[stop] == k) ++stop;
      if (k < pieces_.size()) run_piece(k, j, first, stop);
      first = stop;
    }
  }

  void run_piece(std::size_t k, std::size_t j, std::size_t first, std::size_t stop) {
    const Inverse& inverse = spectrum_.inverse(k, interrupt_);
    const bool graded = inverse.cells.graded != nullptr;
    if (graded) {
      double below[kLanes];
      double above[kLanes];
      for (std::size_t i = 0; i < kLanes; ++i) {
        const std::size_t from = std::min(first + i, stop - 1);
        below[i] = below_[from];
        above[i] = above_[from];
      }
      points_.aim_together(k, inverse.cells, below, above);
    }
    for (std::size_t i = first; i < stop; ++i) {
      if (graded && points_.aimed().good[i - first] != 0) {
        const double core = points_.aimed().x[i - first];
        x_[j + i] = spectrum_.program_.peeled.empty() ? core : spectrum_.program_.outer_point(core);
      } else {
        begin_search(inverse.table, k, below_[i], above_[i], j + i);
      }
    }
  }

  void begin_search(const InverseTable& table, std::size_t k, double below, double above, std::size_t at) {
    const Search one = spectrum_.search_for(k, below, above, at, table);
    const bool beyond = !table.level.empty() && !(one.wanted > table.level.front() && one.wanted < table.level.back());
    if (beyond && std::min(below, above) <= 4.0 * kTableMass && table.is_straight(one.wanted > 0.0)) {
      // So near to an end F is rounding, and the table's straight line is better.
      x_[at] = spectrum_.program_.outer_point(position(pieces_[k], one.t));
      return;
    }
    open_.push_back(one);
  }

  // The piece in whose inside the level lies, that of the last one before all others, with the masses of the piece on
  // both sides, the smaller one with its digits. The number of pieces if there is none.
  std::size_t find(double level, double& below, double& above) {
    for (std::size_t n = 0; n <= pieces_.size() && !pieces_.empty(); ++n) {
      const std::size_t k = n == 0 ? last_ : n - 1;
      const Skeleton& piece = pieces_[k];
      const Program::Outwards& outwards = outwards_[k];
      const double whole = piece.cdf_high - piece.cdf_low;
      const double top = (1.0 - outwards.shift) / outwards.factor;  // of the core where F = 1
      const double left = (level - outwards.shift) / outwards.factor - piece.cdf_low;
      const double right = level / outwards.factor - (top - piece.cdf_high);
      below = upper_ ? whole - right : left;
      above = upper_ ? right : whole - left;
      if (below > 0.0 && above > 0.0) return last_ = k;
    }
    return pieces_.size();
  }

  const Spectrum& spectrum_;
  const std::vector<Skeleton>& pieces_;
  Points points_;
  const double* p_;
  bool upper_;
  double* x_;
  Interrupt* interrupt_;
  std::vector<Program::Outwards> outwards_;
  std::vector<Search> open_;
  std::size_t last_ = 0;
  std::size_t piece_[kLanes];
  double below_[kLanes], above_[kLanes];
};

void Spectrum::invert(const double* p, std::size_t n, bool upper, double* x, int workers, Interrupt* interrupt) const {
  share_out(n, workers, kChunk, [&] {
    return [inversion = Inversion(*this, p, upper, x, interrupt)](std::size_t begin, std::size_t end) mutable {
      try {
        inversion.run(begin, end);
      } catch (const Interrupted&) {
      }
    };
  });
}

Spectrum::Search Spectrum::search_for(std::size_t k, double below, double above, std::size_t at,
                                      const InverseTable& table) const {
  const Skeleton& piece = pieces_[k];
  Search one{};
  one.at = at;
  one.piece = static_cast<int>(k);
  one.wanted = std::log(below / above);
  one.target = below < above ? piece.cdf_low + below : piece.cdf_high - above;
  one.t = std::clamp(table.at(one.wanted), -kReach, kReach);
  return one;
}

// Those that go on are moved together at each step, so that no block waits for its slowest point. `reflected`: by
// masses to the right, which are asked for where the law is a reflected one.
void Spectrum::search(Points& points, std::vector<Search>& all, bool reflected, Interrupt* interrupt) const {
  Lanes lanes;
  std::vector<Search*> open;
  for (Search& one : all) open.push_back(&one);
  for (int step = 0; step < kMostSteps && !open.empty(); ++step) {
    std::size_t kept = 0;
    for (std::size_t from = 0; from < open.size(); from += kLanes) {
      if (interrupt != nullptr && interrupt->stopped()) return;
      Search** group = open.data() + from;
      const int count = static_cast<int>(std::min<std::size_t>(kLanes, open.size() - from));
      DoubleDouble core[kLanes];
      int piece[kLanes];
      for (int i = 0; i < count; ++i) {
        const Skeleton& s = pieces_[static_cast<std::size_t>(group[i]->piece)];
        core[i] = DoubleDouble(position(s, group[i]->t));
        piece[i] = core[i].hi > s.low && core[i].hi < s.high ? group[i]->piece : -1;
      }
      points.run(core, piece, 0, count, lanes.pointers());
      for (int i = 0; i < count; ++i) {
        Search& one = *group[i];
        const Skeleton& s = pieces_[static_cast<std::size_t>(one.piece)];
        if (piece[i] < 0) {  // t so far out is an end of the piece, which only moves the bracket
          const double end = core[i].hi < s.high ? -__builtin_inf() : __builtin_inf();
          one.move({end, 0.0}, end, true, step);
        } else {
          const Level level = level_of(s, core[i].hi, lanes.cdf[i], lanes.density[i] / program_.factor);
          one.move(level, lanes.cdf[i], lanes.good(i), step);
        }
        if (!one.found && step >= kFewSteps) one.settle(s, core[i].hi, reflected);
        if (!one.found) open[kept++] = &one;
      }
    }
    open.resize(kept);
  }
}

}  // namespace freeconv
