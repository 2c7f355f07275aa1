// Bytes -> the arrays of a program and the facts beside it. Nodes are read for a stack machine (a leaf is pushed, an
// operation takes its children off the top), so that most inputs are whole trees; flags let parameters be anything and
// overwrite entries of the arrays. The arrays' lengths stay consistent: the bindings see to that.
//
//   flags, [mean, deviation], [atoms], [singular points], two points x, [overwritten entries], nodes until the end
#pragma once

#include <algorithm>

#include "bytes.hpp"
#include "freeconv/spectrum/spectrum.hpp"
#include "trees.hpp"

namespace freeconv::fuzz {

using test::Tree;

enum Flag : std::uint8_t {
  kWild = 1,         // parameters as they come; otherwise they are made to fit their node
  kOverwritten = 2,  // some entries of the arrays are replaced
  kFacts = 4,        // mean and deviation are given; otherwise they are the program's
  kAtoms = 8,
  kSingular = 16,
  kSpectrum = 32,  // go on to a Spectrum, which takes a thousand times as long as loading
};

inline constexpr std::size_t kMostNodes = 64;
inline constexpr std::size_t kMostAtoms = 8;
inline constexpr std::size_t kContourStart = 13;  // parameters before the nodes of one rule

struct Input {
  Tree tree;
  CoreFacts facts;
  bool facts_given = false;
  bool with_spectrum = false;
  double x[2] = {};
};

inline double finite(double value, double otherwise) { return std::isfinite(value) ? value : otherwise; }
inline double positive(double value, double otherwise = 1.0) {
  return std::isfinite(value) && value > 0.0 ? value : otherwise;
}

// Counts that agree with the length, and nodes below the axis.
inline void tame_contour(std::vector<double>& p) {
  const std::vector<double> shape{1, 1, 0, 1};
  std::copy(shape.begin(), shape.end(), p.begin());
  p[5] = std::fabs(p[5]);
  p[6] = 0.0;
  if (p[8] > p[9]) std::swap(p[8], p[9]);
  p[10] = 1.0;
  p[11] = 0.0;
  const std::size_t nodes = (p.size() - kContourStart) / Contour::kNode;
  p[12] = static_cast<double>(nodes);
  for (std::size_t j = 0; j < nodes; ++j) {
    double& height = p[kContourStart + nodes + j];
    height = height == 0.0 ? -1.0 : -std::fabs(height);
  }
}

// Made to fit the kind, and changed only if they do not.
inline void tame(Kind kind, std::vector<double>& p) {
  for (double& value : p) value = finite(value, 1.0);
  switch (kind) {
    case Kind::discrete:
      for (std::size_t j = p.size() / 2; j < p.size(); ++j) p[j] = positive(p[j]);
      return;
    case Kind::bernoulli:
      p[0] = p[0] > 0.0 && p[0] < 1.0 ? p[0] : 0.5;
      p[1] = positive(p[1]);
      return;
    case Kind::marchenko_pastur:
      for (std::size_t j = 1; j < 4; ++j) p[j] = positive(p[j]);
      if (p[0] == 0.0) p[0] = 1.0;
      if (p[0] < 0.0) p[3] = 1.0;
      return;
    case Kind::semicircle: p[1] = positive(p[1]); return;
    case Kind::arcsine:
    case Kind::uniform:
      std::sort(p.begin(), p.end());
      if (!(p[0] < p[1])) p = {0.0, 1.0};
      return;
    case Kind::boxtimes: p[0] = p[0] > 0.0 && p[0] <= 1.0 ? p[0] : 1.0; return;
    case Kind::boxplus: return;
    case Kind::affine:
    case Kind::resize: p[0] = positive(p[0]); return;
    case Kind::contour: tame_contour(p); return;
    case Kind::isometry:
      p[0] = p[0] > 0.0 ? 1.0 : 0.0;
      p[1] = positive(p[1]);
      return;
  }
}

inline std::size_t parameter_count(Kind kind, Reader& in) {
  switch (kind) {
    case Kind::discrete: return 2 * (1 + in.below(kMostAtoms));
    case Kind::marchenko_pastur: return 4;
    case Kind::boxtimes:
    case Kind::resize: return 1;
    case Kind::boxplus: return 0;
    case Kind::contour: return kContourStart + Contour::kNode * (1 + in.below(kMostAtoms));
    default: return 2;
  }
}

inline void read_node(Reader& in, bool wild, Tree& tree, std::vector<int>& stack) {
  const auto kind = static_cast<Kind>(in.below(kKindCount));
  std::vector<double> parameters(parameter_count(kind, in));
  for (double& value : parameters) value = in.number();
  std::vector<Child> children;
  if (!is_leaf(kind)) {
    const bool one = kind == Kind::affine || kind == Kind::resize;
    const std::size_t count = std::min(one ? 1 : 1 + in.below(8), stack.size());
    if (count == 0 && !wild) return;
    for (std::size_t j = stack.size() - count; j < stack.size(); ++j) {
      const double multiplicity = one ? 1.0 : in.number();
      children.push_back({stack[j], wild ? multiplicity : positive(multiplicity)});
    }
    stack.resize(stack.size() - count);
  }
  if (!wild) tame(kind, parameters);
  stack.push_back(tree.add(kind, parameters, children));
}

struct Overwritten {
  std::size_t array, index;
  std::int64_t integer;
  double number;
};

inline void overwrite(const Overwritten& one, Tree& tree) {
  const auto put = [&](auto& values, auto value) {
    if (!values.empty()) values[one.index % values.size()] = static_cast<std::decay_t<decltype(values[0])>>(value);
  };
  switch (one.array) {
    case 0: put(tree.kinds, one.integer); return;
    case 1: put(tree.parameter_offsets, one.integer); return;
    case 2: put(tree.parameter_values, one.number); return;
    case 3: put(tree.child_offsets, one.integer); return;
    case 4: put(tree.children, one.integer); return;
    case 5: put(tree.multiplicities, one.number); return;
    case 6: tree.parameter_values.push_back(one.number); return;
    case 7:  // a root too few, no nodes at all in the end
      if (tree.kinds.empty()) return;
      tree.kinds.pop_back();
      tree.parameter_offsets.pop_back();
      tree.child_offsets.pop_back();
      return;
    default: tree.children.push_back(one.integer); tree.multiplicities.push_back(one.number);
  }
}
inline constexpr std::size_t kOverwrites = 9;

inline Input decode(const std::uint8_t* data, std::size_t size) {
  Reader in(data, size);
  Input out;
  const std::uint8_t flags = in.byte();
  out.facts_given = (flags & kFacts) != 0;
  out.with_spectrum = (flags & kSpectrum) != 0;
  if (out.facts_given) {
    out.facts.mean = finite(in.number(), 0.0);
    out.facts.deviation = positive(in.number());
  }
  // The bindings pass atoms as they are, and no singular point that is not finite.
  if ((flags & kAtoms) != 0) {
    for (std::size_t j = in.below(4); j > 0; --j) {
      const double location = in.number();
      out.facts.atoms.push_back({location, in.number()});
    }
  }
  if ((flags & kSingular) != 0) {
    for (std::size_t j = in.below(4); j > 0; --j) out.facts.singular.push_back(finite(in.number(), 0.0));
    std::sort(out.facts.singular.begin(), out.facts.singular.end());
  }
  for (double& x : out.x) x = in.number();
  std::vector<Overwritten> overwritten((flags & kOverwritten) != 0 ? 1 + in.below(3) : 0);
  for (Overwritten& one : overwritten) one = {in.below(kOverwrites), in.byte(), in.integer(), in.number()};
  std::vector<int> stack;
  Tree tree;
  while (!in.empty() && tree.kinds.size() < kMostNodes) read_node(in, (flags & kWild) != 0, tree, stack);
  if (stack.size() > 1 && (flags & kWild) == 0) {
    std::vector<Child> all;
    for (const int v : stack) all.push_back({v, 1.0});
    tree.add(Kind::boxplus, {}, all);
  }
  for (const Overwritten& one : overwritten) overwrite(one, tree);
  out.tree = tree;  // a copy has no spare capacity, so that the address sanitizer sees the arrays' ends
  return out;
}

}  // namespace freeconv::fuzz
