// Clusters against sums over all atoms, for measures that are spread, clustered, heavy at one end, huge and tiny.
#include <algorithm>
#include <vector>

#include "check.hpp"
#include "freeconv/numeric/gauss_rule.hpp"
#include "random.hpp"
#include "trees.hpp"

namespace freeconv::test {
namespace {

using Wide = DoubleDouble;
using Point = Complex<double>;
using WidePoint = Complex<Wide>;

constexpr int kMeasures = 9;
constexpr std::size_t kAtoms = 700;
// Of sums of moduli: hundreds of rounded terms, and the rules' 3e-17; in double-double the rules' 1e-28.
constexpr double kRounding = 1e-14;
constexpr double kWideError = 1e-26;
// Tests of F need 1e-17; series of 24 terms end at 4e-22.
constexpr double kLogarithms = 1e-20;

struct Measure {
  std::vector<double> atoms;
  std::vector<Wide> weights;
};

Measure measure(int kind, Random& random) {
  Measure out;
  Wide total(0.0);
  for (std::size_t j = 0; j < kAtoms; ++j) {
    double x = random.uniform(0.5, 2.0);
    double w = 1.0;
    switch (kind) {
      case 0: break;
      case 1: x = std::fabs(random.wide(-10.0, 2.0)); break;
      case 2:
        x = random.uniform(-1.0, 1.0);
        w = std::fabs(random.wide(-12.0, 0.0));
        break;
      case 3: x = static_cast<double>(random.below(5)) + 1e-6 * random.uniform(-1.0, 1.0); break;
      case 4: x = std::pow(random.uniform(0.0, 1.0), 8.0) * 1e100; break;
      case 5: x *= 1e-100; break;
      case 6: x = 1000.0 + random.uniform(-1e-3, 1e-3); break;
      case 7:
        x = j == 0 ? 1.0 : 1e-9 * random.uniform(0.0, 1.0);
        w = j == 0 ? 1e8 : 1.0;
        break;
      default: x = static_cast<double>(random.below(120)); break;  // equal ones, some at 0
    }
    out.atoms.push_back(x);
    out.weights.emplace_back(w);
    total = total + Wide(w);
  }
  for (Wide& w : out.weights) w = w / total;
  return out;
}

WidePoint wide(Point z) { return {Wide(z.re), Wide(z.im)}; }
double distance(WidePoint a, WidePoint b) { return std::sqrt(squared_modulus(a - b)); }
double modulus(WidePoint a) { return std::sqrt(squared_modulus(a)); }

struct Exact {
  MeasureSums<Wide> sums{};
  double of_t = 0.0, of_m = 0.0, of_t2 = 0.0, of_m2 = 0.0;  // the moduli's
};

Exact exact(const Measure& law, Point z) {
  Exact out;
  for (std::size_t j = 0; j < kAtoms; ++j) {
    const Wide a(law.atoms[j]);
    if (a.hi == 0.0) continue;
    const WidePoint r = reciprocal(wide(z) - a);
    const WidePoint wr = law.weights[j] * r;
    const WidePoint wr2 = wr * r;
    out.sums.t = out.sums.t + wr;
    out.sums.t2 = out.sums.t2 + wr2;
    out.sums.m = out.sums.m + a * wr;
    out.sums.m2 = out.sums.m2 + a * wr2;
    out.of_t += modulus(wr);
    out.of_t2 += modulus(wr2);
    out.of_m += modulus(wr) * std::fabs(a.hi);
    out.of_m2 += modulus(wr2) * std::fabs(a.hi);
  }
  return out;
}

void sums_and_logarithms() {
  Random random(21);
  for (int kind = 0; kind < kMeasures; ++kind) {
    const Measure law = measure(kind, random);
    const Clusters clusters(law.atoms.data(), law.weights.data(), kAtoms);
    const auto [low, high] = std::minmax_element(law.atoms.begin(), law.atoms.end());
    const double width = *high - *low;
    const std::string name = "measure " + std::to_string(kind) + ": ";
    for (int i = 0; i < 60; ++i) {
      const auto one = static_cast<std::size_t>(random.below(kAtoms));
      const double x = i % 3 == 0 ? *low + width * random.uniform(-3.0, 4.0) : law.atoms[one];
      const Point z{x, width * std::fabs(random.wide(-17.0, 1.0))};
      const Exact wanted = exact(law, z);
      const MeasureSums<double> got = clusters.sums(z);
      check_below(distance(wanted.sums.t, wide(got.t)), kRounding * wanted.of_t, name + "t");
      check_below(distance(wanted.sums.m, wide(got.m)), kRounding * wanted.of_m, name + "m");
      check(got.t.im < 0.0, name + "Im G < 0");
      if (width > 1e-90 && width < 1e90) {  // squares of other differences leave the moduli's doubles
        check_below(distance(wanted.sums.t2, wide(got.t2)), kRounding * wanted.of_t2, name + "t2");
        check_below(distance(wanted.sums.m2, wide(got.m2)), kRounding * wanted.of_m2, name + "m2");
      }
      const MeasureSums<Wide> fine = clusters.sums(wide(z));
      check_below(distance(wanted.sums.t, fine.t), kWideError * wanted.of_t, name + "t, wide");
      check_below(distance(wanted.sums.m, fine.m), kWideError * wanted.of_m, name + "m, wide");
      double of_t = 0.0;
      double of_m = 0.0;
      clusters.add_moduli(z, of_t, of_m);
      check_below(std::fabs(of_t - wanted.of_t), 0.5 * wanted.of_t, name + "moduli of weights");
      check_below(std::fabs(of_m - wanted.of_m), 0.5 * wanted.of_m, name + "moduli of moments");

      if (i % 4 != 0) continue;
      WidePoint potential{};
      Wide mass(0.0);
      double size = 0.0;
      for (std::size_t j = 0; j < kAtoms; ++j) {
        if (law.atoms[j] == 0.0) continue;
        const WidePoint value = law.weights[j] * log(wide(z) - Wide(law.atoms[j]));
        potential = potential + value;
        mass = mass + law.weights[j];
        size += modulus(value);
      }
      Wide left(0.0), turns(0.0), re(0.0);
      clusters.add_logarithms(wide(z), left, turns, re);
      const Wide pi{3.141592653589793, 1.2246467991473532e-16};
      check_below(std::fabs((pi * (mass - turns) - left - potential.im).hi), kLogarithms * size, name + "angles");
      check_below(std::fabs((re - potential.re).hi), kLogarithms * size, name + "log moduli");
      Point narrow{0.0, 0.0};
      clusters.visit(z, [&](Point difference, double w, double) { narrow = narrow + w * log(difference); });
      check_below(distance(wide(narrow), potential), kRounding * size, name + "logarithms in doubles");
    }
  }
}

void masses() {
  Random random(22);
  for (int kind = 0; kind < kMeasures; ++kind) {
    const Measure law = measure(kind, random);
    const Clusters clusters(law.atoms.data(), law.weights.data(), kAtoms);
    for (std::size_t i = 0; i < 20; ++i) {
      const double x = law.atoms[i];
      Wide mass(0.0);
      for (std::size_t j = 0; j < kAtoms; ++j) {
        if (law.atoms[j] > x && law.atoms[j] != 0.0) mass = mass + law.weights[j];
      }
      check_below(std::fabs((clusters.mass_right(x) - mass).hi), 1e-29, "mass to the right of an atom");
    }
  }
}

// What is no number costs no walk and is none; beyond the squares' range a cluster is a point.
void far_out() {
  Random random(23);
  const Measure law = measure(0, random);
  const Clusters clusters(law.atoms.data(), law.weights.data(), kAtoms);
  check(std::isnan(clusters.sums(Point{std::nan(""), 1.0}).t.re), "NaN in, NaN out");
  check(std::isnan(clusters.sums(Point{kInfinity, 1.0}).m.im), "inf in, NaN out");
  for (const double scale : {1e120, 1e200, 1e300}) {
    check_close(clusters.sums(Point{scale, scale}).t.re * scale, 0.5, 1e-14, "far out");
  }
}

// Gauss-Legendre's rule from equal weights at many points, and a measure with fewer points than nodes.
void gauss_rules() {
  JacobiMatrix<Wide, 5> matrix;
  const auto fine = legendre(40);
  for (const auto& [x, w] : fine) matrix.add(Wide(x), Wide(0.5 * w));
  GaussRule<Wide, 5> rule;
  check(matrix.solve(rule) && rule.count == 5, "a rule of five nodes");
  std::sort(rule.nodes, rule.nodes + 5);
  check_close(rule.nodes[4].hi, 0.9061798459386640, 1e-15, "Legendre's fifth node");
  check_close(rule.nodes[2].hi, 0.0, 1e-15, "and third");

  JacobiMatrix<double, 8> few;
  for (const double x : {0.5, -0.25, 0.125}) few.add(x, x == 0.5 ? 0.5 : 0.25);
  GaussRule<double, 8> same;
  check(few.solve(same) && same.count == 3, "three points are their own rule");
  double mean = 0.0;
  for (int j = 0; j < 3; ++j) mean += same.weights[j] * same.nodes[j];
  check_close(mean, 0.21875, 1e-15, "three points: mean");

  JacobiMatrix<double, 4> none;
  none.add(std::nan(""), 0.5);
  none.add(0.5, 0.5);
  GaussRule<double, 4> nothing;
  check(!none.solve(nothing), "NaN has no rule");
}

// A program's law of many atoms does not depend on the order in which they come, and small laws have no clusters.
void programs() {
  Random random(24);
  Measure law = measure(8, random);
  std::replace(law.atoms.begin() + 1, law.atoms.end(), 0.0, 119.0);
  law.atoms[0] = 0.0;
  std::vector<double> forwards = law.atoms;
  forwards.resize(2 * kAtoms, 1.0);
  std::vector<double> backwards(law.atoms.rbegin(), law.atoms.rend());
  backwards.resize(2 * kAtoms, 1.0);
  const LoadResult one = noisy_atoms_tree(forwards, 1.0).load();
  const LoadResult other = noisy_atoms_tree(backwards, 1.0).load();
  const Discrete first = discrete(one.program.nodes[0]);
  const Discrete second = discrete(other.program.nodes[0]);
  check(first.clusters != nullptr && second.clusters != nullptr, "many atoms have clusters");
  for (const double x : {-1.0, 0.0, 3.5, 60.0, 200.0}) {
    const Point z{x, 0.25};
    check_close(first.clusters->sums(z).t.re, second.clusters->sums(z).t.re, 0.0, "the order of atoms");
    check_close((first.mass_right(x) - second.mass_right(x)).hi, 0.0, 1e-29, "mass, the atom at 0 included");
  }
  check_close(first.reach(), 119.0, 0.0, "the largest atom");
  check_close(first.mass_right(-1.0).hi, 1.0, 1e-15, "all mass");
  check(discrete(noisy_atoms_tree({1.0, 2.0, 0.5, 0.5}, 1.0).load().program.nodes[0]).clusters == nullptr, "few atoms");
  const LoadResult again = noisy_atoms_tree(forwards, 1.0).load(true, Offsets::none);
  check(again.program.nodes[0].clusters != one.program.nodes[0].clusters, "clusters of their own");
}

}  // namespace
}  // namespace freeconv::test

int main() {
  using namespace freeconv::test;
  sums_and_logarithms();
  masses();
  far_out();
  gauss_rules();
  programs();
  return finish();
}
