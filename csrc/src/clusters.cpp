// Building a tree of clusters: split in space, then rules from the smallest to the largest.
#include "freeconv/law/clusters.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "freeconv/numeric/gauss_rule.hpp"

namespace freeconv {
namespace {

// Radii whose powers of two, and squares in units of them, are normal numbers.
constexpr double kSmallest = 1e-290;
constexpr double kLargest = 1e290;
constexpr std::size_t kPadding = 4;
// What a rule may miss of its mass, and by how much its nodes may leave the hull.
constexpr double kMassTolerance = 1e-26;
constexpr double kHullTolerance = 1e-12;

}  // namespace

Clusters::Clusters(const double* locations, const DoubleDouble* weights, std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
    return locations[i] < locations[j] || (locations[i] == locations[j] && i < j);
  });
  for (const std::size_t j : order) {
    if (locations[j] == 0.0) continue;
    if (!atoms_.empty() && atoms_.back() == locations[j]) {
      wide_.masses.back() = wide_.masses.back() + weights[j];
      continue;
    }
    atoms_.push_back(locations[j]);
    wide_.masses.push_back(weights[j]);
  }
  right_.assign(atoms_.size() + 1, DoubleDouble(0.0));
  for (std::size_t j = atoms_.size(); j-- > 0;) right_[j] = right_[j + 1] + wide_.masses[j];
  if (!atoms_.empty()) split();
  for (std::size_t k = clusters_.size(); k-- > 0;) {
    if (!clusters_[k].leaf) summarize(k);
  }
  const auto narrow = [](const std::vector<DoubleDouble>& from, std::vector<double>& to) {
    to.reserve(from.size());
    for (const DoubleDouble& value : from) to.push_back(value.hi);
  };
  narrow(wide_.shifts, narrow_.shifts);
  narrow(wide_.locations, narrow_.locations);
  narrow(wide_.weights, narrow_.weights);
  narrow(wide_.masses, narrow_.masses);
}

// The middle of the hull, not of the atoms: parts have half the radius, so that a point opens few of each size. No
// recursion: atoms like 2^-j are as many levels.
void Clusters::split() {
  struct Range {
    std::uint32_t first, end;
    std::size_t whole;  // the cluster that ends with this one, or none
  };
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::vector<Range> waiting{{0, static_cast<std::uint32_t>(atoms_.size()), kNone}};
  std::vector<std::size_t> wholes;
  while (!waiting.empty()) {
    const Range range = waiting.back();
    waiting.pop_back();
    const double low = atoms_[range.first];
    const double high = atoms_[range.end - 1];
    Cluster cluster{};
    cluster.center = 0.5 * low + 0.5 * high;
    const double radius = std::max(high - cluster.center, cluster.center - low);
    const bool scalable = radius > kSmallest && radius < kLargest;
    cluster.unit = scalable ? std::ldexp(1.0, std::ilogb(radius)) : 1.0;
    cluster.inverse = 1.0 / cluster.unit;
    cluster.first = range.first;
    cluster.count = range.end - range.first;
    cluster.leaf = cluster.count <= kLeaf;
    cluster.far = cluster.far_wide = kInfinity;
    if (scalable && !cluster.leaf) {  // provisional: summarize() takes it back where there is no rule
      cluster.far = kFar * kFar * (radius * cluster.inverse) * (radius * cluster.inverse);
      cluster.far_wide = kFarWide * kFarWide * (radius * cluster.inverse) * (radius * cluster.inverse);
    }
    const auto from = atoms_.begin() + range.first;
    const auto to = atoms_.begin() + range.end;
    const auto middle = static_cast<std::uint32_t>(std::upper_bound(from, to, cluster.center) - atoms_.begin());
    const std::uint32_t cut = std::clamp(middle, range.first + 1, std::max(range.end - 1, range.first + 1));
    clusters_.push_back(cluster);
    if (cluster.leaf) continue;
    waiting.push_back({cut, range.end, kNone});
    waiting.push_back({range.first, cut, kNone});
  }
  // A cluster ends where the first one begins that is beyond its atoms.
  std::vector<std::size_t> open;
  for (std::size_t k = 0; k <= clusters_.size(); ++k) {
    while (!open.empty()) {
      const Cluster& last = clusters_[open.back()];
      if (k < clusters_.size() && clusters_[k].first < last.first + last.count) break;
      clusters_[open.back()].next = static_cast<std::uint32_t>(k);
      open.pop_back();
    }
    open.push_back(k);
  }
}

// The rule of a cluster from the rules of its two parts, or from their atoms where they have none.
void Clusters::summarize(std::size_t index) {
  Cluster& cluster = clusters_[index];
  if (!(cluster.far < kInfinity)) return;
  std::vector<std::pair<DoubleDouble, DoubleDouble>> points;
  DoubleDouble mass(0.0);
  const auto add = [&](DoubleDouble shift, DoubleDouble weight) {
    points.emplace_back(shift, weight);
    mass = mass + weight;
  };
  for (std::size_t k = index + 1; k < cluster.next; k = clusters_[k].next) {
    const Cluster& part = clusters_[k];
    if (part.far < kInfinity) {
      const DoubleDouble moved = (DoubleDouble(part.center) - DoubleDouble(cluster.center)) * cluster.inverse;
      const DoubleDouble ratio(part.unit * cluster.inverse);
      for (std::size_t j = part.rule; j < part.rule + part.nodes; ++j) {
        add(moved + ratio * wide_.shifts[j], wide_.weights[j]);
      }
      continue;
    }
    for (std::size_t j = part.first; j < part.first + part.count; ++j) {
      add((DoubleDouble(atoms_[j]) - DoubleDouble(cluster.center)) * cluster.inverse, wide_.masses[j]);
    }
  }
  JacobiMatrix<DoubleDouble, kNodes> matrix;
  for (const auto& [shift, weight] : points) {
    if (weight.hi > 0.0) matrix.add(shift, weight / mass);
  }
  GaussRule<DoubleDouble, kNodes> rule;
  bool good = mass.hi > 0.0 && mass.hi < kInfinity && matrix.solve(rule);
  DoubleDouble sum(0.0);
  const double reach = (1.0 + kHullTolerance) * std::sqrt(cluster.far) / kFar;
  for (int j = 0; good && j < rule.count; ++j) {
    good = std::fabs(rule.nodes[j].hi) <= reach && rule.weights[j].hi >= 0.0;
    sum = sum + rule.weights[j];
  }
  if (!good || !(std::fabs((sum - DoubleDouble(1.0)).hi) <= kMassTolerance)) {
    cluster.far = cluster.far_wide = kInfinity;
    return;
  }
  cluster.rule = static_cast<std::uint32_t>(wide_.shifts.size());
  cluster.nodes = static_cast<std::uint32_t>(rule.count);
  for (int j = 0; j < rule.count; ++j) {
    wide_.shifts.push_back(rule.nodes[j]);
    wide_.locations.push_back(DoubleDouble(cluster.center) + DoubleDouble(cluster.unit) * rule.nodes[j]);
    wide_.weights.push_back(mass * rule.weights[j]);
  }
  while (wide_.shifts.size() % kPadding != 0) {
    wide_.shifts.push_back(DoubleDouble(0.0));
    wide_.locations.push_back(DoubleDouble(0.0));
    wide_.weights.push_back(DoubleDouble(0.0));
  }
  cluster.moments = static_cast<std::uint32_t>(moments_.size());
  for (int k = 0; k <= kMoments; ++k) {
    DoubleDouble moment(0.0);
    for (int j = 0; j < rule.count; ++j) {
      moment = moment + rule.weights[j];
      rule.weights[j] = rule.weights[j] * rule.nodes[j];
    }
    moments_.push_back(mass * moment / DoubleDouble(std::max(k, 1)));
  }
  cluster.padded = static_cast<std::uint32_t>(wide_.shifts.size()) - cluster.rule;
}

// log of the mirrored {|x|, y}: the angle from the nearer half of the axis keeps its relative accuracy.
static void add_mirrored(Complex<DoubleDouble> a, DoubleDouble weight, DoubleDouble& left, DoubleDouble& turns,
                         DoubleDouble& re) {
  const bool on_left = a.re.hi < 0.0;
  const Complex<DoubleDouble> value = log(Complex<DoubleDouble>{fabs_(a.re), a.im});
  left = left + (on_left ? weight * value.im : -(weight * value.im));
  turns = turns + (on_left ? DoubleDouble(0.0) : weight);
  re = re + weight * value.re;
}

// sum w log(y - v) = W log y - sum_k (sum w v^k)/(k y^k), whose terms a rule's moments give up to k = 2 kNodes: from
// kFarWide radii on the next one is 4e-22. One logarithm in place of twelve, each thirty times as long as a term.
void Clusters::add_far(const Cluster& k, Complex<DoubleDouble> z, DoubleDouble& left, DoubleDouble& turns,
                       DoubleDouble& re) const {
  const Complex<DoubleDouble> difference = z - DoubleDouble(k.center);
  const DoubleDouble* moments = moments_.data() + k.moments;
  add_mirrored(difference, moments[0], left, turns, re);
  const Complex<DoubleDouble> y = DoubleDouble(k.inverse) * difference;
  if (!(fabs_(y.re.hi) + fabs_(y.im.hi) < kPoint)) return;
  const Complex<DoubleDouble> q = reciprocal(y);
  Complex<DoubleDouble> sum{moments[kMoments], DoubleDouble(0.0)};
  for (int j = kMoments - 1; j >= 1; --j) sum = moments[j] + q * sum;
  sum = q * sum;
  left = left + sum.im;
  re = re - sum.re;
}

// Neighbours of one weight share a logarithm, that of their product: mirrored differences have angles in [0, pi/2]
// (with the sign of their side), and a product that stays in the right half-plane can take one more.
void Clusters::add_near(const Cluster& k, Complex<DoubleDouble> z, DoubleDouble& left, DoubleDouble& turns,
                        DoubleDouble& re) const {
  constexpr double kSmall = 1e-100;
  constexpr double kLarge = 1e100;
  for (std::size_t j = k.first; j < k.first + k.count;) {
    const DoubleDouble weight = wide_.masses[j];
    Complex<DoubleDouble> product{DoubleDouble(1.0), DoubleDouble(0.0)};
    double size = 1.0;
    do {
      const DoubleDouble x = z.re - DoubleDouble(atoms_[j]);
      const bool on_left = x.hi < 0.0;
      if (!on_left) turns = turns + weight;
      const Complex<DoubleDouble> next{fabs_(x), on_left ? z.im : -z.im};
      const double own = fabs_(next.re.hi) + fabs_(next.im.hi);
      if (!(own > kSmall && own < kLarge && size * own > kSmall && size * own < kLarge)) {
        const Complex<DoubleDouble> value = log(next);
        left = left + weight * value.im;
        re = re + weight * value.re;
      } else {
        product = product * next;
        size = fabs_(product.re.hi) + fabs_(product.im.hi);
      }
      ++j;
    } while (j < k.first + k.count && product.re.hi > 0.0 && wide_.masses[j].hi == weight.hi &&
             wide_.masses[j].lo == weight.lo);
    const Complex<DoubleDouble> value = log(product);
    left = left + weight * value.im;
    re = re + weight * value.re;
  }
}

void Clusters::add_logarithms(Complex<DoubleDouble> z, DoubleDouble& left, DoubleDouble& turns,
                              DoubleDouble& re) const {
  walk<DoubleDouble>(
      z, [&](const Cluster& k) { add_far(k, z, left, turns, re); },
      [&](const Cluster& k) { add_near(k, z, left, turns, re); });
}

DoubleDouble Clusters::mass_right(double x) const {
  return right_[static_cast<std::size_t>(std::upper_bound(atoms_.begin(), atoms_.end(), x) - atoms_.begin())];
}

}  // namespace freeconv
