// Programs written by hand, as the arrays that Python sends.
#pragma once

#include <cstdint>
#include <vector>

#include "freeconv/tree/program.hpp"

namespace freeconv::test {

class Tree {
 public:
  // Returns the node's position.
  int add(Kind kind, const std::vector<double>& parameters, const std::vector<Child>& operands = {}) {
    kinds.push_back(static_cast<std::int32_t>(kind));
    parameter_values.insert(parameter_values.end(), parameters.begin(), parameters.end());
    parameter_offsets.push_back(static_cast<std::int64_t>(parameter_values.size()));
    for (const Child& child : operands) {
      children.push_back(child.index);
      multiplicities.push_back(child.multiplicity);
    }
    child_offsets.push_back(static_cast<std::int64_t>(children.size()));
    return static_cast<int>(kinds.size()) - 1;
  }

  ProgramArrays arrays() const {
    return {kinds.data(),
            static_cast<std::int64_t>(kinds.size()),
            parameter_offsets.data(),
            parameter_values.data(),
            static_cast<std::int64_t>(parameter_values.size()),
            child_offsets.data(),
            children.data(),
            multiplicities.data(),
            static_cast<std::int64_t>(children.size())};
  }

  LoadResult load(bool peel = true, Offsets offsets = Offsets::at_zero) const {
    return load_program(arrays(), peel, offsets);
  }

  std::vector<std::int32_t> kinds;
  std::vector<std::int64_t> parameter_offsets{0};
  std::vector<double> parameter_values;
  std::vector<std::int64_t> child_offsets{0};
  std::vector<std::int64_t> children;
  std::vector<double> multiplicities;
};

inline Tree marchenko_pastur_tree(double ratio, double scale = 1.0, double multiplicity = 1.0) {
  Tree tree;
  const int leaf = tree.add(Kind::marchenko_pastur, {scale, 1.0, ratio, 1.0});
  tree.add(Kind::boxtimes, {ratio > 1.0 ? 1.0 / ratio : 1.0}, {{leaf, multiplicity}});
  return tree;
}

// Atoms plus a semicircle of mean 0.
inline Tree noisy_atoms_tree(const std::vector<double>& locations_then_weights, double variance) {
  Tree tree;
  const int atoms = tree.add(Kind::discrete, locations_then_weights);
  const int noise = tree.add(Kind::semicircle, {0.0, variance});
  tree.add(Kind::boxplus, {}, {{atoms, 1.0}, {noise, 1.0}});
  return tree;
}

}  // namespace freeconv::test
