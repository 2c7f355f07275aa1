// Forward chains: what is one, and that a kernel's proof never accepts a wrong root, wherever Newton starts.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "check.hpp"
#include "freeconv/chain/solve.hpp"
#include "random.hpp"
#include "spectra.hpp"

namespace freeconv::test {
namespace {

ForwardChain chain_of(const Tree& tree) { return ForwardChain(tree.load().program); }

Tree product(const std::vector<std::pair<Kind, std::vector<double>>>& leaves, const std::vector<double>& powers,
             double p0) {
  Tree tree;
  std::vector<Child> children;
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    children.push_back({tree.add(leaves[k].first, leaves[k].second), powers[k]});
  }
  tree.add(Kind::boxtimes, {p0}, children);
  return tree;
}

Tree relu(double depth) {
  return product({{Kind::bernoulli, {0.5, 1.0}}, {Kind::marchenko_pastur, {2.0, 1.0, 1.0, 1.0}}}, {depth, depth}, 0.5);
}

Tree atoms(double multiplicity) {
  return product({{Kind::marchenko_pastur, {1.0, 1.0, 0.3, 1.0}}, {Kind::discrete, {1.0, 2.0, 3.0, 0.2, 0.3, 0.5}}},
                 {1.0, multiplicity}, 1.0);
}

// q + s (nu_l boxtimes ...), innermost two atoms off 0 or a coin.
Tree kernel(int layers, double p, bool shifted_coin) {
  Tree tree;
  int inner = shifted_coin ? tree.add(Kind::discrete, {1.0, 3.0, 1.0 - p, p}) : tree.add(Kind::bernoulli, {p, 2.0});
  if (!shifted_coin) inner = tree.add(Kind::affine, {1.5, 0.7}, {{inner, 1.0}});
  for (int l = 0; l < layers; ++l) {
    const int coin = tree.add(Kind::bernoulli, {p, 1.0 + 0.1 * l});
    inner = tree.add(Kind::boxtimes, {p}, {{coin, 1.0}, {inner, 1.0}});
    if (l + 1 < layers) inner = tree.add(Kind::affine, {1.0, 0.5}, {{inner, 1.0}});
  }
  return tree;
}

void test_what_is_a_chain() {
  check(static_cast<bool>(chain_of(relu(3.0))), "whole powers");
  check(chain_of(relu(3.0)).view().stage_count == 1, "a flat chain has one stage");
  check(chain_of(relu(1000.0)).view().stages[0].group_end <= 2, "equal layers are one group");
  check(!chain_of(relu(2.5)), "fractional powers");
  check(chain_of(kernel(4, 0.4, false)).view().stage_count == 5, "a stage for each layer");
  check(chain_of(kernel(4, 0.4, true)).view().stage_count == 5, "two atoms off 0 are a stage");
  check(chain_of(atoms(3.0)).view().atom_count == 3, "a discrete law to start from");
  check(!chain_of(product(
            {{Kind::discrete, {1.0, 2.0, 3.0, 0.2, 0.3, 0.5}}, {Kind::discrete, {1.0, 2.0, 4.0, 0.2, 0.3, 0.5}}},
            {1.0, 1.0}, 1.0)),
        "two discrete laws");
  check(!chain_of(product({{Kind::bernoulli, {0.5, 1.0}}, {Kind::uniform, {1.0, 2.0}}}, {1.0, 1.0}, 0.5)), "uniform");
  Tree sum;
  const int a = sum.add(Kind::semicircle, {0.0, 1.0});
  const int b = sum.add(Kind::bernoulli, {0.5, 1.0});
  sum.add(Kind::boxplus, {}, {{a, 1.0}, {b, 1.0}});
  check(!chain_of(sum), "a sum");
}

// Newton from anywhere: what is proven is the root that continuation from infinity finds.
void test_no_wrong_root_is_proven(const Tree& tree, const std::string& name, double mean, double deviation,
                                  Random& random) {
  const Program program = tree.load().program;
  const ForwardChain chain(program);
  CoreFacts facts;
  facts.mean = mean;
  facts.deviation = deviation;
  facts.lowest = 0.0;
  facts.atoms = {{0.0, 1.0 - program.root().own_p0.hi}};
  const Spectrum spectrum = make_spectrum(tree, facts);
  const std::vector<double> edges = spectrum.support();
  const double side = chain.view().atom_count > 0 ? 1.0 : -1.0;  // of the unknown: z, or m
  int proven = 0;
  int inside = 0;
  for (int block = 0; block < 60; ++block) {
    ChainLanes lanes{};
    std::vector<ChainCell> cells(kChainLanes);
    std::vector<ChainPiece> pieces(kChainLanes);
    const std::vector<int> bins(4000, 0);
    std::vector<double> z;
    for (int i = 0; i < kChainLanes; ++i) {
      const double x = edges.front() + (edges.back() - edges.front()) * random.uniform(0.001, 0.999);
      const double size = std::pow(10.0, random.uniform(-2.0, 1.0));
      cells[static_cast<std::size_t>(i)] = {-500.0,
                                            1e-3,
                                            {random.uniform(-1.0, 1.0) * size, 0.0, 0.0, 0.0},
                                            {side * random.uniform(0.001, 1.0) * size, 0.0, 0.0, 0.0}};
      pieces[static_cast<std::size_t>(i)] = {
          {}, 0.0, 2.0 * edges.back(), -500.0, 499.0, &cells[static_cast<std::size_t>(i)], bins.data(), 1};
      lanes.piece[i] = &pieces[static_cast<std::size_t>(i)];
      lanes.x[i] = x;
      z.insert(z.end(), {x, 0.0});
    }
    std::vector<double> cauchy(2 * kChainLanes);
    std::vector<signed char> status(kChainLanes);
    Solved out{};
    out.cauchy = cauchy.data();
    out.status = status.data();
    spectrum.solve(z.data(), kChainLanes, out);
    kernels().solve(chain.view(), lanes);
    for (int i = 0; i < kChainLanes; ++i) {
      const auto j = static_cast<std::size_t>(i);
      const bool certified = status[j] == static_cast<signed char>(Status::certified);
      inside += certified ? 1 : 0;
      if (lanes.proven[i] == 0.0) continue;
      ++proven;
      check(certified, name + ": proven where continuation finds nothing inside");
      check_close(lanes.height[i], lanes.x[i] * cauchy[2 * j + 1], 1e-9 * std::fabs(lanes.x[i] * cauchy[2 * j + 1]),
                  name + ": Im m");
    }
  }
  check(proven > 10, name + ": Newton gets somewhere, " + std::to_string(proven));
  check(proven < 60 * kChainLanes, name + ": and not always");
  check(inside > 1000, name + ": the points are inside");
}

// Beside an edge, double-double's height against that of the general refinement.
void test_refinement(const Tree& tree, const std::string& name, double mean, double deviation) {
  const Program program = tree.load().program;
  CoreFacts facts;
  facts.mean = mean;
  facts.deviation = deviation;
  facts.lowest = 0.0;
  facts.atoms = {{0.0, 1.0 - program.root().own_p0.hi}};
  const Spectrum spectrum = make_spectrum(tree, facts);
  const double edge = spectrum.support().back();
  std::vector<double> x;
  for (int k = 0; k < 24; ++k) x.push_back(edge * (1.0 - std::pow(10.0, -6.0 - 0.2 * k)));
  const std::vector<Row> by_chain = evaluated(spectrum, x, false);
  const std::vector<Row> by_tree = evaluated(spectrum, x, true);  // the potential is the general blocks' only
  for (std::size_t i = 0; i < x.size(); ++i) {
    check_close(by_chain[i].values[0], by_tree[i].values[0], 4e-15 * by_tree[i].values[0], name + ": refined density");
    check_below(by_chain[i].values[2], 1e-14, name + ": refined accuracy");
  }
}

void test_every_instruction_set_is_named() {
  int count = 0;
  bool found = false;
  for (const char* const* name = available_isas(); *name != nullptr; ++name) {
    ++count;
    found = found || std::string(*name) == kernels().isa;
  }
  check(count >= 1 && found, "the kernels in use are available");
}

}  // namespace
}  // namespace freeconv::test

int main() {
  using namespace freeconv::test;
  Random random(7);
  test_what_is_a_chain();
  test_no_wrong_root_is_proven(relu(1.0), "relu 1", 1.0, 1.5, random);
  test_no_wrong_root_is_proven(relu(3.0), "relu 3", 1.0, 3.0, random);
  test_no_wrong_root_is_proven(relu(8.0), "relu 8", 1.0, 5.0, random);
  test_no_wrong_root_is_proven(kernel(2, 0.4, true), "kernel 2", 1.0, 1.0, random);
  test_no_wrong_root_is_proven(kernel(4, 0.6, false), "kernel 4", 1.0, 1.0, random);
  test_no_wrong_root_is_proven(atoms(1.0), "atoms", 2.3, 1.5, random);
  test_no_wrong_root_is_proven(atoms(3.0), "atoms, three times", 12.0, 9.0, random);
  test_refinement(relu(3.0), "relu 3", 1.0, 3.0);
  test_refinement(kernel(2, 0.4, true), "kernel 2", 1.0, 1.0);
  test_refinement(kernel(4, 0.6, false), "kernel 4", 1.0, 1.0);
  test_every_instruction_set_is_named();
  return finish();
}
