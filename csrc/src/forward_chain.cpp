#include "freeconv/chain/forward_chain.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace freeconv {
namespace {

// Powers are products: more factors than this are left to logarithms.
constexpr double kMostFactors = 1e6;

// Of a discrete law to start from: more atoms are left to the general blocks.
constexpr std::size_t kMostAtoms = 64;

// The kernels form cubes of 1/z: at locations of 1e120 they would lose d log K/dz, and densities were off by 5e-6.
constexpr double kLargestLocation = 1e70;
constexpr double kLeastLocation = 1e-70;

// Powers of so many octaves are looked at: 2^-960 is among the least doubles.
constexpr double kSteep = 16.0;

bool is_measure(const Node& n) { return n.kind == Kind::discrete || n.kind == Kind::contour; }

// Two atoms, both off 0.
bool is_shifted_coin(const Node& n) {
  return n.kind == Kind::discrete && n.parameters.size() == 4 && n.parameters[0] > 0.0 &&
         n.parameters[0] < n.parameters[1];
}

double in_epsilons(double x) { return std::abs(x) / kEpsilon; }

bool is_power_of_two(double x) {
  int exponent = 0;
  return std::frexp(x, &exponent) == 0.5;
}

bool whole(double t) { return t >= 1.0 && t <= kMostFactors && t == std::floor(t); }

}  // namespace

// The linear factors of a stage, ordered by exponent t and offset.
struct ForwardChain::Draft {
  struct Group {
    int exponent = 0;
    DoubleDouble scale = 1.0;
  };
  struct Power {
    int exponent = 0;
    double offset = 0.0;
    int count = 0;
    double rests = 0.0;  // of all of them
  };
  struct Angle {
    double offset = 0.0;
    double weight = 0.0;
    double rest = 0.0;
  };
  std::vector<Group> groups;
  std::vector<Power> powers;
  std::vector<Angle> angles;
  double slope = 0.0;

  // Maps would take longer to build than all else of a law among thousands.
  Draft() {
    groups.reserve(4);
    powers.reserve(12);
    angles.reserve(8);
  }

  // The one with that key, made where there is none.
  template <class Entry, class Before>
  static Entry& at(std::vector<Entry>& entries, const Entry& key, const Before& before) {
    auto it = std::lower_bound(entries.begin(), entries.end(), key, before);
    if (it == entries.end() || before(key, *it)) it = entries.insert(it, key);
    return *it;
  }

  void scale(int exponent, DoubleDouble by) {
    Group key;
    key.exponent = exponent;
    Group& group = at(groups, key, [](const Group& a, const Group& b) { return a.exponent < b.exponent; });
    group.scale = group.scale * by;
  }

  void multiply(int exponent, DoubleDouble offset, int power) {
    Power key;
    key.exponent = exponent;
    key.offset = offset.hi;
    Power& p = at(powers, key, [](const Power& a, const Power& b) {
      return a.exponent != b.exponent ? a.exponent < b.exponent : a.offset < b.offset;
    });
    p.count += power;
    p.rests += power * offset.lo;
  }

  void turn(DoubleDouble offset, double weight) {
    if (weight == 0.0) return;
    Angle key;
    key.offset = offset.hi;
    Angle& angle = at(angles, key, [](const Angle& a, const Angle& b) { return a.offset < b.offset; });
    angle.weight += weight;
    angle.rest = offset.lo;
  }

  // False if the leaf's K is no product of whole powers.
  bool add(const Node& leaf, double multiplicity) {
    if (leaf.kind == Kind::bernoulli) {
      if (!whole(multiplicity)) return false;
      const Bernoulli law = bernoulli(leaf);
      const int exponent = static_cast<int>(multiplicity);
      scale(exponent, DoubleDouble(law.value));
      multiply(exponent, law.top, 1);
      multiply(exponent, law.bottom, -1);
      turn(law.top, multiplicity * (1.0 - law.p));
      return true;
    }
    if (leaf.kind != Kind::marchenko_pastur) return false;
    const MarchenkoPastur law = marchenko_pastur(leaf);
    const double exponent = multiplicity * law.power;
    if (!(law.alpha > 0.0) || !whole(exponent)) return false;
    const DoubleDouble offset = law.offset / DoubleDouble(law.gamma);
    scale(static_cast<int>(exponent), DoubleDouble(law.alpha) * DoubleDouble(law.gamma));
    multiply(static_cast<int>(exponent), offset, 1);
    turn(offset, exponent * (1.0 - law.beta / law.gamma));
    slope += exponent;
    return true;
  }

  // weight delta_jump + (1 - weight) delta_0, with p0 = 0.
  void add(DoubleDouble weight, DoubleDouble jump) {
    scale(1, jump);
    multiply(1, weight, 1);
    multiply(1, 1.0, -1);
    turn(weight, (DoubleDouble(1.0) - weight).hi);
  }
};

ForwardChain::ForwardChain(const Program& program) {
  const auto at = [&](const Child& c) -> const Node& { return program.nodes[static_cast<std::size_t>(c.index)]; };
  std::vector<Draft> drafts;
  std::vector<ChainStage> stages;
  if (program.root().kind != Kind::boxtimes) return;
  int leaf = -1;
  double scale = 1.0;
  DoubleDouble shift;
  // From the root inwards.
  for (const Node* node = &program.root(); node != nullptr;) {
    const bool product = node->kind == Kind::boxtimes;
    const DoubleDouble p0 = product ? node->own_p0 : node->p0;
    ChainStage stage{};
    stage.p0 = p0.hi;
    stage.p0_rest = p0.lo;
    stage.rest = (DoubleDouble(1.0) - p0).hi;
    stage.scale = scale;
    stage.shift = shift.hi;
    stage.shift_rest = shift.lo;
    Draft draft;
    const Node* inner = nullptr;
    double times = 1.0;
    leaf = node->leaf;
    if (!product && !draft.add(*node, 1.0)) return;
    for (const Child& c : node->children) {
      const bool single = at(c).kind == Kind::affine && c.multiplicity == 1.0;
      const bool measure = is_measure(at(c)) && whole(c.multiplicity);
      if ((single || measure) && inner == nullptr) {
        inner = &at(c);
        times = c.multiplicity;
      } else if (draft.add(at(c), c.multiplicity)) {
        leaf = at(c).leaf;
      } else {
        return;
      }
    }
    if (stages.empty()) {  // its K is z: (1 + m)/m is one of the factors
      draft.scale(1, 1.0);
      draft.multiply(1, DoubleDouble(1.0) - p0, 1);
      draft.multiply(1, -p0, -1);
    }
    stages.push_back(stage);
    drafts.push_back(std::move(draft));
    node = nullptr;
    if (inner == nullptr) continue;
    if (is_measure(*inner) && !(is_shifted_coin(*inner) && times == 1.0)) {
      if (inner->weights.size() > kMostAtoms) return;
      start_from(*inner, p0, static_cast<int>(times), program.slopes_by_parts);
      if (!is_in_range()) return;
      leaf = inner->leaf;
      continue;
    }
    if (inner->kind == Kind::discrete) {
      // a + v Bernoulli(w): its own stage, whose m is w v/(z - a - v).
      coin_ = {inner->parameters[1], inner->parameters[1] - inner->parameters[0], inner->weights[1].hi};
      leaf = inner->leaf;
      Draft coin;
      // The difference of the atoms may not be a double.
      coin.add(inner->weights[1], DoubleDouble(inner->parameters[1]) - DoubleDouble(inner->parameters[0]));
      drafts.push_back(std::move(coin));
      stages.push_back({});
      stages.back().rest = 1.0;
      stages.back().scale = 1.0;
      stages.back().shift = inner->parameters[0];
      continue;
    }
    scale = inner->parameters[0];
    shift = DoubleDouble(inner->parameters[1]) / DoubleDouble(scale);
    node = &at(inner->children[0]);
    const bool closed = node->kind == Kind::bernoulli || node->kind == Kind::marchenko_pastur;
    if (!(shift.hi >= 0.0) || (node->kind != Kind::boxtimes && !closed)) return;
  }
  for (std::size_t j = stages.size(); j-- > 0;) add(stages[j], drafts[j]);
  leaf_ = leaf;
}

void ForwardChain::start_from(const Node& measure, DoubleDouble p0, int multiplicity, bool by_parts) {
  measure_ = {measure.at_zero.hi, (p0 - measure.off_zero).hi, multiplicity};
  std::vector<double> locations;
  std::vector<double> weights;
  const auto add = [&](double a, double w) {
    if (a == 0.0) return;
    locations.push_back(a);
    weights.push_back(w);
  };
  if (measure.kind == Kind::discrete) {
    for (std::size_t j = 0; j < measure.weights.size(); ++j) add(measure.parameters[j], measure.weights[j].hi);
  } else {
    static_assert(Contour::kNode == kContourNode && Contour::kSplit == kContourSplit);
    const Contour law = contour(measure);
    for (std::size_t j = 0; j < law.atom_count; ++j) add(law.atoms[j], law.atoms[law.atom_count + j]);
    contour_ = {static_cast<int>(law.singular_count),
                static_cast<int>(law.rule_count),
                static_cast<int>(by_parts ? law.split_count : 0),
                law.singular,
                law.splits,
                law.rules,
                law.nodes,
                std::max(1.0, 0.5 * law.noise / kEpsilon)};
  }
  const std::vector<double> zeros(locations.size(), 0.0);
  for (const auto* part : std::initializer_list<const std::vector<double>*>{&locations, &zeros, &weights, &zeros}) {
    atoms_.insert(atoms_.end(), part->begin(), part->end());
  }
}

bool ForwardChain::is_in_range() const {
  const auto fits = [](double a) { return kLeastLocation <= std::fabs(a) && std::fabs(a) <= kLargestLocation; };
  bool all = true;
  for (std::size_t j = 0; j < atoms_.size() / 4; ++j) all = all && fits(atoms_[j]);
  for (int s = 0; s < contour_.singular_count; ++s) all = all && std::fabs(contour_.singular[s]) <= kLargestLocation;
  return all;
}

Complex<double> ForwardChain::innermost(Complex<double> u) const {
  if (coin_.jump == 0.0) return u;
  return (coin_.weight * coin_.jump) * reciprocal(u - coin_.top);
}

Complex<double> ForwardChain::innermost_slope(Complex<double> u) const {
  if (coin_.jump == 0.0) return {1.0, 0.0};
  const Complex<double> over = reciprocal(u - coin_.top);
  return -((coin_.weight * coin_.jump) * (over * over));
}

void ForwardChain::add(ChainStage stage, const Draft& draft) {
  stage.slope = draft.slope;
  stage.rounding = std::max(2.0, static_cast<double>(draft.groups.size()));
  stage.group_begin = static_cast<int>(groups_.size());
  auto power = draft.powers.begin();
  for (const auto& [exponent, scale] : draft.groups) {
    ChainGroup out{scale.hi, scale.lo, static_cast<int>(factors_.size()), 0, exponent, false};
    out.steep = exponent * (1.0 + std::fabs(std::log2(std::fabs(out.scale)))) > kSteep;
    const double product = is_power_of_two(out.scale) ? 0.0 : 0.5;
    stage.rounding += exponent * (product + in_epsilons(out.scale_rest / out.scale));
    for (; power != draft.powers.end() && power->exponent == exponent; ++power) {
      if (power->count == 0) continue;
      const double weight = static_cast<double>(power->count) * exponent;
      const double rest = power->rests / power->count;
      factors_.push_back({power->offset, weight, power->count, rest, in_epsilons(weight * rest)});
    }
    out.end = static_cast<int>(factors_.size());
    groups_.push_back(out);
  }
  stage.group_end = static_cast<int>(groups_.size());
  stage.angle_begin = static_cast<int>(angles_.size());
  for (const Draft::Angle& angle : draft.angles) angles_.push_back({angle.offset, angle.weight, angle.rest});
  stage.angle_end = static_cast<int>(angles_.size());
  stages_.push_back(stage);
}

}  // namespace freeconv
