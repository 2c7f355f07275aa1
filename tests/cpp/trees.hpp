// Programs written by hand, as the arrays that Python sends.
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
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

// Gauss-Legendre nodes and weights on [-1, 1].
inline std::vector<std::pair<double, double>> legendre(int n) {
  std::vector<std::pair<double, double>> rule;
  for (int k = 0; k < n; ++k) {
    double x = std::cos(kPi * (k + 0.75) / (n + 0.5));
    double slope = 0.0;
    for (int iteration = 0; iteration < 10; ++iteration) {
      double before = 1.0;
      double value = x;
      for (int j = 2; j <= n; ++j) {
        const double next = ((2.0 * j - 1.0) * x * value - (j - 1.0) * before) / j;
        before = value;
        value = next;
      }
      slope = n * (x * value - before) / (x * x - 1.0);
      x -= value / slope;
    }
    rule.emplace_back(x, 2.0 / ((1.0 - x * x) * slope * slope));
  }
  return rule;
}

// The uniform law on [0, 1] as a contour: real nodes far away, else those of half a circle below the axis.
inline std::vector<double> uniform_contour(int far, int near) {
  std::vector<double> p{2, 1, 0, 2, 0.5, 4e-16, 1, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.5, -0.5, 1.0};
  p.insert(p.end(), {0.6, double(far), 0.0, 0.0, double(near), 0.0});
  std::vector<double> columns[Contour::kNode];
  const auto flush = [&] {
    for (std::vector<double>& column : columns) {
      p.insert(p.end(), column.begin(), column.end());
      column.clear();
    }
  };
  const auto node = [&](Complex<double> at, Complex<double> weight, Complex<double> element) {
    const double values[] = {at.re, at.im, weight.re, weight.im, element.re, element.im};
    for (std::size_t j = 0; j < Contour::kNode; ++j) columns[j].push_back(values[j]);
  };
  for (const auto& [x, w] : legendre(far)) node({0.5 + 0.5 * x, 0.0}, {0.5 * w, 0.0}, {0.0, 0.0});
  flush();
  // From 0 at -pi to the split at -pi/2, and on to 1 at 0; the mass up to a point is what it is from 0.
  for (const double side : {-1.0, 1.0}) {
    for (const auto& [x, w] : legendre(near / 2)) {
      const double angle = 0.25 * kPi * (side + x) - 0.5 * kPi;
      const Complex<double> arm{0.5 * std::cos(angle), 0.5 * std::sin(angle)};
      const Complex<double> weight = (0.25 * kPi * w) * Complex<double>{-arm.im, arm.re};
      const Complex<double> mass{arm.re - 0.5 * side, arm.im};
      node({0.5 + arm.re, arm.im}, weight, mass * weight);
    }
  }
  flush();
  return p;
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
