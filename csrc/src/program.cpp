// Reading a program from flat arrays: every index and parameter is checked here, so that the kernels need not.
#include "freeconv/tree/program.hpp"

#include <algorithm>
#include <cmath>

namespace freeconv {
namespace {

// A count written as a double, or -1.
std::ptrdiff_t count_of(double value) {
  return value >= 0.0 && value <= 1e6 && value == std::floor(value) ? static_cast<std::ptrdiff_t>(value) : -1;
}

// All counts agree with the length, nodes lie on or below the axis, and the last rule serves all points.
bool contour_fits(const std::vector<double>& p) {
  if (p.size() < Contour::kHeader) return false;
  std::ptrdiff_t counts[5];
  for (std::size_t j = 0; j < 5; ++j) {
    counts[j] = count_of(p[j < 4 ? j : 6]);
    if (counts[j] < 0) return false;
  }
  const auto [singular, intervals, atoms, rules, splits] = counts;
  if (singular < 1 || intervals < 1 || rules < (splits > 0 ? 2 : 1) || !(p[5] >= 0.0)) return false;
  const auto size = static_cast<std::ptrdiff_t>(p.size());
  constexpr auto kNode = static_cast<std::ptrdiff_t>(Contour::kNode);
  const auto header = static_cast<std::ptrdiff_t>(Contour::kHeader);
  // The counts are at most 1e6: no product of two overflows.
  const std::ptrdiff_t first_split = header + singular + 3 * intervals + 2 * atoms;
  const std::ptrdiff_t first_rule = first_split + static_cast<std::ptrdiff_t>(Contour::kSplit) * splits;
  std::ptrdiff_t node = first_rule + rules * (1 + singular);
  if (node > size) return false;
  const auto at = [&](std::ptrdiff_t index) { return p[static_cast<std::size_t>(index)]; };
  for (std::ptrdiff_t j = 0; j < intervals; ++j) {
    const std::ptrdiff_t low = header + singular + 3 * j;
    if (!(at(low) <= at(low + 1)) || !(at(low + 2) >= 0.0)) return false;
  }
  for (std::ptrdiff_t j = 0; j < atoms; ++j) {
    if (!(at(header + singular + 3 * intervals + atoms + j) > 0.0)) return false;
  }
  for (std::ptrdiff_t k = 0; k < splits; ++k) {
    const std::ptrdiff_t split = first_split + static_cast<std::ptrdiff_t>(Contour::kSplit) * k;
    const std::ptrdiff_t number = count_of(at(split));
    if (number < 0 || number >= singular || !(at(split + 2) < 0.0) || !(at(split + 3) >= 0.0)) return false;
  }
  for (std::ptrdiff_t k = 0; k < rules; ++k) {
    const std::ptrdiff_t rule = first_rule + k * (1 + singular);
    const bool last = k + 1 == rules;
    if (!(at(rule) >= 0.0) || (last && at(rule) != 0.0)) return false;
    for (std::ptrdiff_t s = 0; s < singular; ++s) {
      const std::ptrdiff_t n = count_of(at(rule + 1 + s));
      if (n < 0 || n > (size - node) / kNode) return false;
      for (std::ptrdiff_t j = 0; j < n; ++j) {
        const double height = at(node + n + j);
        if (!(height <= 0.0) || (last && height == 0.0)) return false;
      }
      node += kNode * n;
    }
  }
  return node == size;
}

bool parameters_fit(Kind kind, const std::vector<double>& p) {
  switch (kind) {
    case Kind::discrete: {
      if (p.empty() || p.size() % 2 != 0) return false;
      const std::size_t n = p.size() / 2;
      return std::all_of(p.begin() + static_cast<std::ptrdiff_t>(n), p.end(), [](double w) { return w > 0.0; });
    }
    case Kind::bernoulli: return p.size() == 2 && p[0] > 0.0 && p[0] < 1.0 && p[1] > 0.0;
    case Kind::marchenko_pastur:
      return p.size() == 4 && p[0] != 0.0 && p[1] > 0.0 && p[2] > 0.0 && p[3] > 0.0 && (p[3] == 1.0 || p[0] > 0.0);
    case Kind::semicircle: return p.size() == 2 && p[1] > 0.0;
    case Kind::arcsine:
    case Kind::uniform: return p.size() == 2 && p[0] < p[1];
    case Kind::boxtimes: return p.size() == 1 && p[0] >= 0.0 && p[0] <= 1.0;
    case Kind::boxplus: return p.empty();
    case Kind::affine: return p.size() == 2 && p[0] > 0.0;
    case Kind::resize: return p.size() == 1 && p[0] > 0.0;
    case Kind::contour: return contour_fits(p);
    case Kind::isometry: return p.size() == 2 && (p[0] == 0.0 || p[0] == 1.0) && p[1] > 0.0;
  }
  return false;
}

bool children_fit(Kind kind, std::size_t count) {
  switch (kind) {
    case Kind::boxtimes:
    case Kind::boxplus: return count >= 1;
    case Kind::affine:
    case Kind::resize: return count == 1;
    default: return count == 0;
  }
}

void set_weights(Node& n) {
  const std::size_t count = n.parameters.size() / 2;
  const double* location = n.parameters.data();
  const double* weight = location + count;
  DoubleDouble sum(0.0);
  for (std::size_t j = 0; j < count; ++j) sum = sum + DoubleDouble(weight[j]);
  const bool coin = count == 2 && (location[0] == 0.0 || location[1] == 0.0);
  n.at_zero = DoubleDouble(0.0);
  for (std::size_t j = 0; j < count; ++j) {
    const double other = weight[count - 1 - j];
    const DoubleDouble rest = DoubleDouble(1.0) - DoubleDouble(other);
    n.weights.push_back(!coin ? DoubleDouble(weight[j]) / sum : (location[j] == 0.0 ? rest : DoubleDouble(weight[j])));
    if (location[j] == 0.0) n.at_zero = n.weights.back();
  }
  n.off_zero = DoubleDouble(1.0) - n.at_zero;
}

void set_atom_at_zero(Node& n) {
  n.at_zero = DoubleDouble(0.0);
  const Contour law = contour(n);
  for (std::size_t j = 0; j < law.atom_count; ++j) {
    if (law.atoms[j] == 0.0) n.at_zero = DoubleDouble(law.atoms[law.atom_count + j]);
  }
  n.off_zero = DoubleDouble(1.0) - n.at_zero;
}

double leaf_mean(const Node& n) {
  switch (n.kind) {
    case Kind::discrete: return discrete(n).mean();
    case Kind::contour: return contour(n).mean();
    case Kind::bernoulli: return n.parameters[0] * n.parameters[1];
    case Kind::marchenko_pastur: return marchenko_pastur(n).mean();
    case Kind::isometry: return 1.0;
    case Kind::semicircle: return n.parameters[0];
    default: return 0.5 * (n.parameters[0] + n.parameters[1]);
  }
}

// K at z = infinity.
double node_mean(const Program& program, const Node& n) {
  if (is_leaf(n.kind)) return leaf_mean(n);
  const auto child = [&](const Child& c) { return program.nodes[static_cast<std::size_t>(c.index)].mean; };
  if (n.kind == Kind::boxtimes) {
    double product = 1.0;
    for (const Child& c : n.children) {
      product *= c.multiplicity == 1.0 ? child(c) : std::pow(child(c), c.multiplicity);
    }
    if (std::isnormal(product)) return product;
    // 2^1100 and 2^-1100 leave the doubles, their product does not.
    double logarithm = 0.0;
    for (const Child& c : n.children) logarithm += c.multiplicity * std::log(child(c));
    return std::exp(logarithm);
  }
  double sum = 0.0;
  for (const Child& c : n.children) sum += c.multiplicity * child(c);
  switch (n.kind) {
    case Kind::affine: return n.parameters[0] * sum + n.parameters[1];
    case Kind::resize: return sum / n.parameters[0];
    default: return sum;
  }
}

// 1 - mu{0} to double-double where it is known from the parameters; {0, 0} where it is not.
DoubleDouble off_zero(const Program& program, const Node& n) {
  switch (n.kind) {
    case Kind::discrete:
    case Kind::contour: return n.off_zero;
    case Kind::bernoulli: return DoubleDouble(n.parameters[0]);
    case Kind::marchenko_pastur:
      return n.parameters[1] < n.parameters[2] ? DoubleDouble(n.parameters[1]) / DoubleDouble(n.parameters[2])
                                               : DoubleDouble(1.0);
    case Kind::isometry:
    case Kind::semicircle:
    case Kind::arcsine:
    case Kind::uniform: return DoubleDouble(1.0);
    case Kind::boxtimes: return n.own_p0;
    case Kind::resize: {
      const Node& child = program.nodes[static_cast<std::size_t>(n.children[0].index)];
      return child.known_off_zero / DoubleDouble(n.parameters[0]);
    }
    default: return DoubleDouble(0.0);
  }
}

// The smallest of the factors', which the parameter tells to double precision; 0 asks for none.
DoubleDouble product_offset(const Program& program, const Node& n) {
  const double known = n.parameters[0];
  if (known == 0.0) return DoubleDouble(0.0);
  // Of several that are as near the smallest one: every other makes offsets negative.
  DoubleDouble least(0.0);
  for (const Child& c : n.children) {
    const DoubleDouble exact = program.nodes[static_cast<std::size_t>(c.index)].known_off_zero;
    if (!(exact.hi > 0.0) || std::fabs(exact.hi - known) > 1e-14) continue;
    if (least.hi == 0.0 || exact < least) least = exact;
  }
  if (least.hi > 0.0) return least;
  return DoubleDouble(known);
}

Form root_form(const Node& n) {
  switch (n.kind) {
    case Kind::boxtimes:
    case Kind::bernoulli:
    case Kind::isometry: return Form::product;
    case Kind::marchenko_pastur: return n.parameters[0] > 0.0 ? Form::product : Form::sum;
    default: return Form::sum;
  }
}

// Forms and offsets travel from the root to the leaves.
void assign_forms(Program& program, Offsets offsets) {
  Node& root = program.nodes.back();
  root.form = root_form(root);
  const bool offset_root = root.form == Form::product && offsets == Offsets::at_zero;
  root.p0 = offset_root ? root.known_off_zero : DoubleDouble(0.0);
  for (auto it = program.nodes.rbegin(); it != program.nodes.rend(); ++it) {
    Node& n = *it;
    Form form = Form::sum;
    if (n.kind == Kind::boxtimes) {
      form = Form::product;
      if (offsets == Offsets::none) n.own_p0 = DoubleDouble(0.0);
      n.shift_p0 = n.p0 - n.own_p0;
    } else if (n.kind == Kind::resize) {
      form = Form::product;
      const double r = n.parameters[0];
      n.own_p0 = n.form == Form::product ? DoubleDouble(r) * n.p0 : DoubleDouble(0.0);
      n.shift_p0 = n.p0 - n.own_p0 / DoubleDouble(r);
    }
    for (const Child& c : n.children) {
      Node& child = program.nodes[static_cast<std::size_t>(c.index)];
      child.form = form;
      child.p0 = form == Form::product ? n.own_p0 : DoubleDouble(0.0);
    }
  }
}

void peel_root(Program& program) {
  while (program.nodes.back().kind == Kind::affine || program.nodes.back().kind == Kind::resize) {
    const Node& n = program.nodes.back();
    program.peeled.push_back(n.kind == Kind::affine ? Program::Step{n.parameters[0], n.parameters[1], 1.0}
                                                    : Program::Step{1.0, 0.0, n.parameters[0]});
    program.factor /= n.parameters[0];
    program.nodes.pop_back();
    program.nodes.back().parent = -1;
  }
}

// Of squared slopes, counted as often as they stand in the law: F is off by up to 1e-15 for each.
constexpr double kMostByParts = 20.0;

bool has_few_slopes(const Program& program) {
  const auto is_slopes = [](const Node& n) { return n.kind == Kind::contour; };
  if (std::none_of(program.nodes.begin(), program.nodes.end(), is_slopes)) return true;
  double count = 0.0;
  std::vector<double> times(program.nodes.size(), 1.0);
  for (std::size_t v = program.nodes.size(); v-- > 0;) {
    const Node& n = program.nodes[v];
    if (is_slopes(n)) count += times[v];
    if (is_slopes(n) && contour(n).split_count == 0) return false;
    for (const Child& c : n.children) times[static_cast<std::size_t>(c.index)] = times[v] * c.multiplicity;
  }
  return count <= kMostByParts;
}

// An identity node has its parent's z: the whole path to the root changes no point.
void mark_identities(Program& program) {
  for (auto it = program.nodes.rbegin(); it != program.nodes.rend(); ++it) {
    Node& n = *it;
    if (n.parent < 0) {
      n.same_z = true;
      continue;
    }
    const Node& p = program.nodes[static_cast<std::size_t>(n.parent)];
    const bool keeps = p.kind == Kind::affine || p.kind == Kind::resize ||
                       (p.children.size() == 1 && p.children[0].multiplicity == 1.0);
    n.same_z = p.same_z && keeps;
  }
}

// As new, with the memory of its vectors.
void clear(Node& n) {
  Node fresh;
  fresh.parameters.swap(n.parameters);
  fresh.weights.swap(n.weights);
  fresh.children.swap(n.children);
  fresh.parameters.clear();
  fresh.weights.clear();
  fresh.children.clear();
  n = std::move(fresh);
}

}  // namespace

const char* refill_program(const ProgramArrays& in, bool peel, Offsets offsets, Program& program, const Program* same) {
  if (in.node_count < 1) return "a program needs at least one node";
  if (in.parameter_offsets[0] != 0 || in.parameter_offsets[in.node_count] != in.parameter_count ||
      in.child_offsets[0] != 0 || in.child_offsets[in.node_count] != in.child_count) {
    return "offsets must start at 0 and end at the array's length";
  }
  program.leaf_nodes.clear();
  program.peeled.clear();
  program.factor = 1.0;
  program.rule_noise = 0.0;
  program.nodes.resize(static_cast<std::size_t>(in.node_count));
  for (std::int64_t v = 0; v < in.node_count; ++v) {
    Node& n = program.nodes[static_cast<std::size_t>(v)];
    clear(n);
    if (in.kinds[v] < 0 || in.kinds[v] >= kKindCount) return "unknown node kind";
    n.kind = static_cast<Kind>(in.kinds[v]);
    const std::int64_t p0 = in.parameter_offsets[v];
    const std::int64_t p1 = in.parameter_offsets[v + 1];
    const std::int64_t c0 = in.child_offsets[v];
    const std::int64_t c1 = in.child_offsets[v + 1];
    if (p1 < p0 || p1 > in.parameter_count || c1 < c0 || c1 > in.child_count) return "offsets must not decrease";
    n.parameters.assign(in.parameters + p0, in.parameters + p1);
    for (const double p : n.parameters) {
      if (!std::isfinite(p)) return "parameters must be finite";
    }
    if (!parameters_fit(n.kind, n.parameters)) return "parameters do not fit the node's kind";
    if (!children_fit(n.kind, static_cast<std::size_t>(c1 - c0))) return "children do not fit the node's kind";
    for (std::int64_t c = c0; c < c1; ++c) {
      if (in.children[c] < 0 || in.children[c] >= v) return "a child must stand before its parent";
      if (!(in.multiplicities[c] > 0.0) || !std::isfinite(in.multiplicities[c])) {
        return "multiplicities must be positive";
      }
      Node& child = program.nodes[static_cast<std::size_t>(in.children[c])];
      if (child.parent >= 0) return "a node must have one parent";
      child.parent = static_cast<int>(v);
      n.children.push_back({static_cast<int>(in.children[c]), in.multiplicities[c]});
    }
    if (n.kind == Kind::discrete) {
      set_weights(n);
      const auto position = static_cast<std::size_t>(v);
      const Node* twin = same != nullptr && position < same->nodes.size() ? &same->nodes[position] : nullptr;
      if (twin != nullptr && twin->clusters && twin->parameters == n.parameters) {
        n.clusters = twin->clusters;
      } else if (n.weights.size() >= Clusters::kFewest) {
        n.clusters = std::make_shared<const Clusters>(n.parameters.data(), n.weights.data(), n.weights.size());
      }
    }
    if (n.kind == Kind::contour) {
      set_atom_at_zero(n);
      program.rule_noise = std::max(program.rule_noise, contour(n).noise);
    }
    if (is_leaf(n.kind)) {
      n.leaf = program.leaf_count();
      program.leaf_nodes.push_back(static_cast<int>(v));
    }
    if (n.kind == Kind::boxtimes) n.own_p0 = product_offset(program, n);
    n.known_off_zero = off_zero(program, n);
    n.mean = node_mean(program, n);
  }
  for (std::int64_t v = 0; v + 1 < in.node_count; ++v) {
    if (program.nodes[static_cast<std::size_t>(v)].parent < 0) return "only the last node may be a root";
  }
  if (peel) peel_root(program);
  assign_forms(program, offsets);
  mark_identities(program);
  program.slopes_by_parts = has_few_slopes(program);
  return "";
}

LoadResult load_program(const ProgramArrays& in, bool peel, Offsets offsets, const Program* same) {
  LoadResult result;
  result.error = refill_program(in, peel, offsets, result.program, same);
  return result;
}

DoubleDouble Program::core_point(double x) const {
  DoubleDouble value(x);
  for (const Step& step : peeled) value = (value - DoubleDouble(step.shift)) / DoubleDouble(step.scale);
  // Beyond the doubles, where double-doubles are NaN: scales are positive, the side is x's.
  return std::isfinite(value.hi) || std::isnan(x) ? value : DoubleDouble(std::copysign(kInfinity, x));
}

double Program::outer_point(double x) const {
  DoubleDouble value(x);
  for (auto it = peeled.rbegin(); it != peeled.rend(); ++it) {
    value = DoubleDouble(it->scale) * value + DoubleDouble(it->shift);
  }
  return value.hi;
}

// resize: F = F_c/r + (1 - 1/r) [x >= 0].
Program::Outwards Program::outer_cdf(double x) const {
  Outwards out{1.0, 0.0};
  bool resized = false;
  for (const Step& step : peeled) resized = resized || step.ratio != 1.0;
  if (!resized) return out;
  DoubleDouble point(x);
  for (const Step& step : peeled) {
    point = (point - DoubleDouble(step.shift)) / DoubleDouble(step.scale);
    if (step.ratio == 1.0) continue;
    const bool right = std::isnan(point.hi) ? x > 0.0 : point.hi >= 0.0;  // NaN: beyond the doubles
    if (right) out.shift += out.factor * (1.0 - 1.0 / step.ratio);
    out.factor /= step.ratio;
  }
  return out;
}

}  // namespace freeconv
