// The standard deviation that Python would tell the core: from a program, by the rules of free cumulants.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "freeconv/tree/program.hpp"

namespace freeconv::fuzz {

inline double leaf_variance(const Node& n) {
  const std::vector<double>& p = n.parameters;
  switch (n.kind) {
    case Kind::discrete: {
      double sum = 0.0;
      const Discrete law = discrete(n);
      for (std::size_t j = 0; j < law.count; ++j) sum += law.weights[j].hi * std::pow(law.locations[j] - n.mean, 2);
      return sum;
    }
    case Kind::bernoulli: return p[0] * (1.0 - p[0]) * p[1] * p[1];
    case Kind::marchenko_pastur: return n.mean * n.mean * p[3] * p[2] / p[1];
    case Kind::isometry:
    case Kind::semicircle: return p[1];
    case Kind::contour: {
      const Contour law = contour(n);
      double largest = 0.0;
      for (std::size_t j = 0; j < law.singular_count; ++j) largest = std::max(largest, std::fabs(law.singular[j]));
      return 0.1 * largest * largest;
    }
    case Kind::arcsine: return (p[1] - p[0]) * (p[1] - p[0]) / 8.0;
    default: return (p[1] - p[0]) * (p[1] - p[0]) / 12.0;
  }
}

// NaN or infinite where it leaves the doubles.
inline double deviation(const Program& program) {
  std::vector<double> variance(program.nodes.size());
  for (std::size_t v = 0; v < program.nodes.size(); ++v) {
    const Node& n = program.nodes[v];
    if (n.leaf >= 0) {
      variance[v] = leaf_variance(n);
      continue;
    }
    double sum = 0.0;
    double relative = 0.0;  // variances over squared means add under a product
    for (const Child& c : n.children) {
      const auto child = static_cast<std::size_t>(c.index);
      const double mean = program.nodes[child].mean;
      sum += c.multiplicity * variance[child];
      relative += c.multiplicity * variance[child] / (mean * mean);
    }
    switch (n.kind) {
      case Kind::boxtimes: variance[v] = relative * n.mean * n.mean; break;
      case Kind::affine: variance[v] = n.parameters[0] * n.parameters[0] * sum; break;
      case Kind::resize: {  // all moments are divided by the ratio
        const double r = n.parameters[0];
        const double mean = r * n.mean;
        variance[v] = (sum + mean * mean) / r - n.mean * n.mean;
        break;
      }
      default: variance[v] = sum;
    }
  }
  return std::sqrt(variance.back());
}

}  // namespace freeconv::fuzz
