// All that a Spectrum tells of some points, as values to compare bit for bit.
#pragma once

#include <algorithm>
#include <bit>

#include "freeconv/spectrum/spectrum.hpp"
#include "trees.hpp"

namespace freeconv::test {

struct Row {
  std::vector<double> values;
  signed char status = -1;
  int iterations = -1;
};

// NaNs are equal: which of their bits are set is up to the compiler.
inline bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
    return (x != x && y != y) || std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  });
}
inline bool same(const Row& a, const Row& b) {
  return a.status == b.status && a.iterations == b.iterations && same(a.values, b.values);
}
inline bool same(const std::vector<Row>& a, const std::vector<Row>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Row& x, const Row& y) { return same(x, y); });
}

// As the bindings make it: near 0 with offsets, far away without.
inline Spectrum make_spectrum(const Tree& tree, CoreFacts facts) {
  // One for each atom, one for each singular point.
  for (const Atom& atom : facts.atoms) facts.atom_points.push_back(atom.location);
  facts.below_singular.resize(facts.singular.size(), 0.5);
  return {tree.load(true).program, tree.load(true, Offsets::none).program, facts};
}

inline std::vector<Row> evaluated(const Spectrum& spectrum, const std::vector<double>& x, bool integrals = true) {
  const std::size_t n = x.size();
  std::vector<double> density(n);
  std::vector<double> residual(n);
  std::vector<double> accuracy(n);
  std::vector<double> cdf(integrals ? n : 0);
  std::vector<double> potential(integrals ? n : 0);
  std::vector<signed char> status(n, -1);
  std::vector<int> iterations(n, -1);
  Evaluated out{};
  out.density = density.data();
  out.residual = residual.data();
  out.status = status.data();
  out.iterations = iterations.data();
  out.accuracy = accuracy.data();
  out.cdf = integrals ? cdf.data() : nullptr;
  out.potential = integrals ? potential.data() : nullptr;
  spectrum.evaluate(x.data(), n, out);
  std::vector<Row> rows(n);
  for (std::size_t i = 0; i < n; ++i) {
    rows[i] = {{density[i], residual[i], accuracy[i]}, status[i], iterations[i]};
    if (integrals) rows[i].values.insert(rows[i].values.end(), {cdf[i], potential[i]});
  }
  return rows;
}

// z interleaved.
inline std::vector<Row> solved(const Spectrum& spectrum, const std::vector<double>& z) {
  const std::size_t n = z.size() / 2;
  const std::size_t children = spectrum.child_count();
  std::vector<double> cauchy(2 * n);
  std::vector<double> omega(2 * n * children);
  std::vector<double> potential(n);
  std::vector<signed char> status(n, -1);
  Solved out{};
  out.cauchy = cauchy.data();
  out.omega = omega.data();
  out.potential = potential.data();
  out.status = status.data();
  spectrum.solve(z.data(), n, out);
  std::vector<Row> rows(n);
  for (std::size_t j = 0; j < n; ++j) {
    rows[j] = {{cauchy[2 * j], cauchy[2 * j + 1], potential[j]}, status[j], 0};
    for (std::size_t k = 0; k < children; ++k) {
      rows[j].values.push_back(omega[2 * (k * n + j)]);
      rows[j].values.push_back(omega[2 * (k * n + j) + 1]);
    }
  }
  return rows;
}

// Quantiles. Their tables are made by the first call: what threads could get wrong.
inline std::vector<double> inverted(const Spectrum& spectrum, const std::vector<double>& p) {
  std::vector<double> x(p.size());
  spectrum.invert(p.data(), p.size(), false, x.data());
  return x;
}

}  // namespace freeconv::test
