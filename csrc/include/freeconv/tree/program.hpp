// A law's tree as plain data: nodes in topological order, children before parents, the root last.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "freeconv/law/arcsine.hpp"
#include "freeconv/law/bernoulli.hpp"
#include "freeconv/law/contour.hpp"
#include "freeconv/law/discrete.hpp"
#include "freeconv/law/isometry.hpp"
#include "freeconv/law/marchenko_pastur.hpp"
#include "freeconv/law/semicircle.hpp"
#include "freeconv/law/uniform.hpp"

namespace freeconv {

// The order is the wire format of Program.arrays() in Python.
enum class Kind : std::int32_t {
  discrete = 0,
  bernoulli,
  marchenko_pastur,
  semicircle,
  arcsine,
  uniform,
  boxtimes,
  boxplus,
  affine,
  resize,
  contour,
  isometry,
};
inline constexpr int kKindCount = 12;

constexpr bool is_leaf(Kind kind) { return kind < Kind::boxtimes || kind == Kind::contour || kind == Kind::isometry; }

// Leaves whose coordinate is eta (or m, in a sum): the side of their unknowns is below the axis.
constexpr bool is_product_leaf(Kind kind) {
  return kind == Kind::bernoulli || kind == Kind::marchenko_pastur || kind == Kind::isometry;
}

// In which pair a node hands itself to its parent: (eta, log K) to a product, (F, K) to a sum.
enum class Form { product, sum };

struct Child {
  int index;
  double multiplicity;
};

struct Node {
  Kind kind{};
  Form form{};      // what the parent wants
  DoubleDouble p0;  // the offset of eta in the parent's product
  std::vector<double> parameters;
  std::vector<DoubleDouble> weights;         // of a discrete law, with sum 1
  std::shared_ptr<const Clusters> clusters;  // of a discrete law with many atoms
  DoubleDouble at_zero, off_zero;            // its weight at 0, and elsewhere; of a contour, too
  std::vector<Child> children;
  DoubleDouble known_off_zero;  // 1 - mu{0} where the parameters tell it, else 0
  int parent = -1;
  int leaf = -1;          // number of the unknown, -1 for operations
  DoubleDouble own_p0;    // boxtimes, resize: the offset of its children's eta
  DoubleDouble shift_p0;  // product -> product: p0(parent) - p0(own) (resize: - p0(child)/ratio)
  double mean = 0.0;      // K at z = infinity
  bool same_z = false;    // its z is the root's
};

// Of eta = m + p0 with m from a leaf's z, p0 + m has the digits where p0 is small (a product almost all at 0, where m
// is as small), z G - (1 - p0) where p0 is near 1 (a hard edge).
inline bool is_light(const Node& n) { return n.p0.hi < 0.5; }

struct Program {
  std::vector<Node> nodes;
  std::vector<int> leaf_nodes;  // node index of every unknown

  // The operations peeled off the root, outermost first: density = factor * density_core(core_point(x)).
  struct Step {
    double scale, shift, ratio;
  };
  std::vector<Step> peeled;
  double factor = 1.0;
  double rule_noise = 0.0;  // largest of squared slopes among the leaves, 0 without
  // Whether int log(z - t) of squared slopes is taken by parts (law/contour.hpp). It is good to 3e-15 for each of them
  // then, where the logarithms' sum has G for its derivative to the last digit; of 7000 equal ones F would be off by
  // 1e-11.
  bool slopes_by_parts = true;

  // The core's point for x, unrounded: near an edge (1 - 1e-6) e a rounded (x - b)/a costs 5e-11 of the density.
  DoubleDouble core_point(double x) const;
  double outer_point(double x) const;

  // F = factor * F_core + shift at the law's point x.
  struct Outwards {
    double factor, shift;
  };
  Outwards outer_cdf(double x) const;

  const Node& root() const { return nodes.back(); }
  int leaf_count() const { return static_cast<int>(leaf_nodes.size()); }
};

// Result of loading; `error` is a static message, empty on success. No input may crash it.
struct LoadResult {
  Program program;
  const char* error = "";
};

struct ProgramArrays {
  const std::int32_t* kinds;
  std::int64_t node_count;
  const std::int64_t* parameter_offsets;
  const double* parameters;
  std::int64_t parameter_count;
  const std::int64_t* child_offsets;
  const std::int64_t* children;
  const double* multiplicities;
  std::int64_t child_count;
};

// Whether eta = m + p0 with p0 = 1 - mu{0}, for digits at z -> 0, or eta = m, for digits at z -> infinity.
enum class Offsets { at_zero, none };

// `peel` takes shifts, scales and size changes off the root. Clusters are taken from `same`, if given: a program of the
// same arrays.
LoadResult load_program(const ProgramArrays& arrays, bool peel, Offsets offsets, const Program* same = nullptr);

// The same into a program that there is, for its memory; the error.
const char* refill_program(const ProgramArrays& arrays, bool peel, Offsets offsets, Program& program,
                           const Program* same = nullptr);

// Typed views of a leaf's parameters.
inline Discrete discrete(const Node& n) {
  const std::size_t count = n.parameters.size() / 2;
  return {n.parameters.data(), n.weights.data(), count, n.at_zero, n.off_zero, n.clusters.get()};
}
inline Contour contour(const Node& n) { return Contour::view(n.parameters.data(), n.at_zero, n.off_zero); }
inline MarchenkoPastur marchenko_pastur(const Node& n) {
  return MarchenkoPastur::make(n.parameters[0], n.parameters[1], n.parameters[2], n.parameters[3], n.p0);
}
inline Bernoulli bernoulli(const Node& n) { return Bernoulli::make(n.parameters[0], n.parameters[1], n.p0); }
inline Isometry isometry(const Node& n) { return Isometry::make(n.parameters[1], n.parameters[0] != 0.0, n.p0); }
inline Semicircle semicircle(const Node& n) { return {n.parameters[0], n.parameters[1]}; }
inline Arcsine arcsine(const Node& n) { return {n.parameters[0], n.parameters[1]}; }
inline Uniform uniform(const Node& n) { return {n.parameters[0], n.parameters[1]}; }

}  // namespace freeconv
