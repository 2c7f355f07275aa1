// Every state of Newton, every Where of the tracer and every Status of a spectrum has a case that produces it;
// masses to the right are exact; edges, densities and transforms meet their closed forms.
#include <set>
#include <string>
#include <vector>

#include "check.hpp"
#include "freeconv/solver/tracer.hpp"
#include "freeconv/solver/transform.hpp"
#include "freeconv/spectrum/spectrum.hpp"
#include "random.hpp"
#include "trees.hpp"

namespace freeconv::test {
namespace {

using Point = Complex<double>;
using Outcome = freeconv::Where;  // Where alone is check.hpp's source location

// Marchenko-Pastur of ratio 1 on [0, 4], and its square of edge 27/4 and K = (1 + m)^2.
Tree square_tree() { return marchenko_pastur_tree(1.0); }
Tree fuss_catalan_tree() { return marchenko_pastur_tree(1.0, 1.0, 2.0); }
// No law: a product with a factor of mean 0 on both sides of 0. It loads, since signs are the caller's business.
Tree no_law_tree() {
  Tree tree;
  const int coin = tree.add(Kind::discrete, {-1.0, 1.0, 0.5, 0.5});
  tree.add(Kind::boxtimes, {1.0}, {{coin, 2.0}});
  return tree;
}

const Program& square_law() {
  static const LoadResult loaded = square_tree().load();
  return loaded.program;
}
const Program& fuss_catalan() {
  static const LoadResult loaded = fuss_catalan_tree().load();
  return loaded.program;
}
const Program& no_law() {
  static const LoadResult loaded = no_law_tree().load();
  return loaded.program;
}

// As the bindings make it: near 0 with offsets, far away without.
Spectrum spectrum_of(const Tree& tree, double mean, double deviation) {
  CoreFacts facts;
  facts.mean = mean;
  facts.deviation = deviation;
  return {tree.load(true).program, tree.load(true, Offsets::none).program, facts};
}

double square_density(double x) { return std::sqrt((4.0 - x) * x) / (2.0 * kPi * x); }

void newton_states() {
  const Program& program = fuss_catalan();
  Tracer tracer(program, 1.0, 1.4);
  const double edge = 6.75;
  std::set<int> seen;
  for (int decade = 2; decade <= 13; ++decade) {
    const double x = edge * (1.0 - std::pow(10.0, -decade));
    State<double, 1> u = tracer.make_state();
    const Located at = tracer.locate(x, u);
    if (at.where != Outcome::inside) continue;
    Newton<1> newton(program);
    Block<double, 1> target;
    target.set(0, root_target(program.root(), Point{x, 0.0}));
    // Off the solution by a tenth of the distance, as a start from a neighbour would be.
    State<double, 1> start = u;
    start[0].im[0] *= 1.1;
    NewtonResult<1> result{};
    newton.run(target, start, 12, result);
    seen.insert(result.state[0]);
    if (result.state[0] == 2) {
      check_close(start[0].im[0], u[0].im[0], 1e-3 * std::fabs(u[0].im[0]), "converged: back at the solution");
      check_below(result.iterations[0], 12, "converged: within the limit");
    }
    if (result.state[0] == 1) {
      check(result.error[0] > kFloorError && result.error[0] < kFloorLimit, "floor: rounding explains it");
      check_close(start[0].im[0], u[0].im[0], 0.05 * std::fabs(u[0].im[0]), "floor: still beside the solution");
    }
    NewtonResult<1> cut{};
    State<double, 1> far = u;
    far[0].im[0] *= 3.0;
    newton.run(target, far, 1, cut);
    seen.insert(cut.state[0]);
    check(cut.state[0] != 2, "one step from far off is not converged");
  }
  check(seen == std::set<int>{0, 1, 2}, "states 0, 1 and 2 were met");
}

void located() {
  Tracer tracer(square_law(), 1.0, 1.0);
  State<double, 1> u = tracer.make_state();
  const Located inside = tracer.locate(1.0, u);
  check(inside.where == Outcome::inside, "inside");
  check_close(root_density(square_law().root(), inside.c, 1.0) / kPi, square_density(1.0), 1e-14, "density inside");
  check(inside.iterations > 0 && inside.residual < 1e-6, "the record of an inside point");
  State<double, 1> neighbour = u;
  const Located again = tracer.locate_from(1.0 + 1e-3, neighbour);
  check(again.where == Outcome::inside && again.iterations < inside.iterations, "a neighbour starts nearer");

  const Located right = tracer.locate(4.5, u);
  check(right.where == Outcome::outside && right.mass_right.hi == 0.0, "outside, to the right");
  const Located left = tracer.locate(-0.5, u);
  check(left.where == Outcome::outside && left.mass_right.hi == 1.0, "outside, to the left");

  const Located lost = tracer.locate(std::nan(""), u);
  check(lost.where == Outcome::lost, "lost: x is NaN");
  Tracer nowhere(no_law(), 0.0, 1.0);
  State<double, 1> v = nowhere.make_state();
  check(nowhere.locate(0.3, v).where == Outcome::lost, "lost: not a law");

  // Coins of +-1 and a semicircle of variance 1 touch at 0, with density |x|^(1/3) there.
  const LoadResult cusp = noisy_atoms_tree({-1.0, 1.0, 0.5, 0.5}, 1.0).load();
  Tracer at_cusp(cusp.program, 0.0, std::sqrt(2.0));
  State<double, 1> w = at_cusp.make_state();
  check(at_cusp.locate(0.0, w).where == Outcome::edge, "edge: the cusp");
  check(at_cusp.locate(0.01, w).where == Outcome::inside, "beside the cusp");
  check(at_cusp.locate(-0.01, w).where == Outcome::inside, "on its other side");
}

void check_mass(const LoadResult& loaded, double center, double width, double x, double wanted, const std::string& name,
                const Where& where = Where::current()) {
  check(*loaded.error == '\0', name + ": " + loaded.error, where);
  Tracer tracer(loaded.program, center, width);
  State<double, 1> u = tracer.make_state();
  const Located at = tracer.locate(x, u);
  check(at.where == Outcome::outside, name + ": outside", where);
  check_close(at.mass_right.hi, wanted, 1e-15, name + ": mass to the right", where);
}

void masses() {
  const LoadResult atoms = noisy_atoms_tree({0.0, 10.0, 20.0, 0.2, 0.3, 0.5}, 0.01).load();
  const double wanted[] = {1.0, 0.8, 0.5, 0.0};
  for (int i = 0; i < 4; ++i) check_mass(atoms, 13.0, 8.0, 10.0 * i - 5.0, wanted[i], "noisy atoms");

  Tree product;  // {1, 100} spread a little: two intervals of mass .25 and .75
  const int pair = product.add(Kind::discrete, {1.0, 100.0, 0.25, 0.75});
  const int narrow = product.add(Kind::marchenko_pastur, {1.0, 1.0, 0.001, 1.0});
  product.add(Kind::boxtimes, {1.0}, {{pair, 1.0}, {narrow, 1.0}});
  const LoadResult spread = product.load();
  check_mass(spread, 75.25, 43.0, 0.1, 1.0, "a product, below");
  check_mass(spread, 75.25, 43.0, 30.0, 0.75, "a product, in the gap");
  check_mass(spread, 75.25, 43.0, 200.0, 0.0, "a product, above");

  Tree coins;  // an atom of .7 at 0 and one interval
  const int coin = coins.add(Kind::bernoulli, {0.3, 2.0});
  const int thin = coins.add(Kind::marchenko_pastur, {1.0, 1.0, 0.01, 1.0});
  coins.add(Kind::boxtimes, {0.3}, {{coin, 1.0}, {thin, 1.0}});
  const LoadResult masked = coins.load();
  check_mass(masked, 0.6, 0.9, -0.5, 1.0, "an atom at 0, below");
  check_mass(masked, 0.6, 0.9, 0.5, 0.3, "an atom at 0, above it");

  const LoadResult tall = marchenko_pastur_tree(4.0).load();  // an atom of 3/4, then [1, 9]
  check_mass(tall, 1.0, 2.0, 0.5, 0.25, "Marchenko-Pastur of ratio 4, in the gap");

  Tree poisson;  // negative jumps: [-(1 + 2)^2, -(1 - 2)^2] from rate 4
  const int jumps = poisson.add(Kind::marchenko_pastur, {-1.0, 4.0, 1.0, 1.0});
  poisson.add(Kind::boxplus, {}, {{jumps, 1.0}});
  const LoadResult negative = poisson.load();
  check_mass(negative, -4.0, 2.0, -10.0, 1.0, "negative jumps, below");
  check_mass(negative, -4.0, 2.0, -0.5, 0.0, "negative jumps, above");

  Tree moved;  // a resized and shifted product below a sum: half of the mass at 1, the rest around 1 + 2
  const int flat = moved.add(Kind::uniform, {0.9, 1.1});
  const int one = moved.add(Kind::boxtimes, {1.0}, {{flat, 1.0}});
  const int doubled = moved.add(Kind::resize, {2.0}, {{one, 1.0}});
  const int shifted = moved.add(Kind::affine, {2.0, 1.0}, {{doubled, 1.0}});
  const int noise = moved.add(Kind::semicircle, {0.0, 1e-4});
  moved.add(Kind::boxplus, {}, {{shifted, 1.0}, {noise, 1.0}});
  const LoadResult resized = moved.load();
  check_mass(resized, 2.0, 1.0, 0.5, 1.0, "a resized law, below");
  check_mass(resized, 2.0, 1.0, 2.0, 0.5, "a resized law, in the gap");
  check_mass(resized, 2.0, 1.0, 4.0, 0.0, "a resized law, above");
}

struct Grid {
  explicit Grid(std::size_t n) : density(n), cdf(n), status(n), residual(n), accuracy(n), iterations(n) {}
  Evaluated out() {
    Evaluated pointers;
    pointers.density = density.data();
    pointers.cdf = cdf.data();
    pointers.status = status.data();
    pointers.residual = residual.data();
    pointers.accuracy = accuracy.data();
    pointers.iterations = iterations.data();
    return pointers;
  }
  std::vector<double> density;
  std::vector<double> cdf;
  std::vector<signed char> status;
  std::vector<double> residual;
  std::vector<double> accuracy;
  std::vector<int> iterations;
};

Grid evaluated(const Spectrum& spectrum, const std::vector<double>& x) {
  Grid grid(x.size());
  spectrum.evaluate(x.data(), x.size(), grid.out());
  return grid;
}

bool is(signed char status, Status wanted) { return status == static_cast<signed char>(wanted); }

void statuses() {
  const Spectrum spectrum = spectrum_of(square_tree(), 1.0, 1.0);
  check(spectrum.complete(), "all of the mass was found");
  check(spectrum.support().size() == 2, "one interval");
  check_close(spectrum.support()[0], 0.0, 0.0, "its lower end");
  check_close(spectrum.support()[1], 4.0, 4e-14, "its upper end");
  const double upper = spectrum.support()[1];
  const std::vector<double> x{1.0, 4.5, upper, 1e-250, std::nan(""), kInfinity, -kInfinity, -1.0, 0.0};
  const Grid grid = evaluated(spectrum, x);
  check(is(grid.status[0], Status::certified), "certified");
  check_close(grid.density[0], square_density(1.0), 1e-14, "certified: the density");
  check(is(grid.status[1], Status::outside) && grid.density[1] == 0.0, "outside");
  check(is(grid.status[2], Status::edge) && grid.density[2] == 0.0, "edge");
  check(is(grid.status[3], Status::certified), "certified: 250 decades below the edge");
  check_close(grid.density[3] * kPi * 1e-125, 1.0, 1e-10, "certified: the density 1/(pi sqrt x)");
  check(is(grid.status[4], Status::not_a_number) && std::isnan(grid.density[4]), "not a number");
  for (const std::size_t i : {5UL, 6UL, 7UL}) {
    check(is(grid.status[i], Status::outside) && grid.density[i] == 0.0, "outside: far and on the left");
  }
  check(is(grid.status[8], Status::edge) && grid.density[8] == 0.0, "edge: the hard one");

  // Beside the cusp of noisy coins f = (sqrt 3 / 2 pi) |x|^(1/3), where doubles end at x = 1e-11.
  const Spectrum cusp = spectrum_of(noisy_atoms_tree({-1.0, 1.0, 0.5, 0.5}, 1.0), 0.0, std::sqrt(2.0));
  const Grid beside = evaluated(cusp, {1e-9, 1e-15, 0.0});
  check(is(beside.status[0], Status::certified), "certified: the interval is cut at the cusp");
  check(is(beside.status[1], Status::recovered), "recovered: by the cusp");
  check_close(beside.density[0], std::sqrt(3.0) / (2.0 * kPi) * 1e-3, 1e-8, "certified: the density at 1e-9");
  check_close(beside.density[1], std::sqrt(3.0) / (2.0 * kPi) * 1e-5, 1e-13, "recovered: the density at 1e-15");
  check(beside.iterations[1] > grid.iterations[0], "recovered: at more cost");
  check(is(beside.status[2], Status::edge) && beside.density[2] == 0.0, "edge: the cusp itself");

  const Spectrum nowhere = spectrum_of(no_law_tree(), 0.0, 1.0);
  check(!nowhere.complete(), "mass that cannot be found");
  const Grid none = evaluated(nowhere, {0.3, std::nan("")});
  check(is(none.status[0], Status::uncertified) && std::isnan(none.density[0]), "uncertified");
  check(is(none.status[1], Status::not_a_number), "not a number, uncertified or not");
}

void block_values() {
  // Each point alone has the bits that it has among others, at any place of the block.
  const Spectrum spectrum = spectrum_of(fuss_catalan_tree(), 1.0, std::sqrt(2.0));
  Random random(41);
  std::vector<double> x;
  for (int i = 0; i < 203; ++i) x.push_back(random.uniform(-1.0, 8.0));
  for (int i = 1; i < 14; ++i) x.push_back(6.75 * (1.0 - std::pow(10.0, -i)));
  const Grid all = evaluated(spectrum, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Grid one = evaluated(spectrum, {x[i]});
    check(one.density[0] == all.density[i] && one.status[0] == all.status[i] &&
              one.iterations[0] == all.iterations[i] && one.residual[0] == all.residual[i],
          "a point's value depends on the point alone");
    check(x[i] > 0.0 && x[i] < 6.75 ? all.density[i] > 0.0 : all.density[i] == 0.0, "positive inside, 0 outside");
  }
  // x(phi) = sin^3(3 phi)/(sin phi sin^2 2 phi), f = sin^2(phi) sin(2 phi)/(pi sin^2(3 phi))  (Fuss-Catalan).
  for (int i = 0; i < 100; ++i) {
    const double phi = random.uniform(0.02, 1.0);
    const double s1 = std::sin(phi);
    const double s2 = std::sin(2.0 * phi);
    const double s3 = std::sin(3.0 * phi);
    const Grid one = evaluated(spectrum, {s3 * s3 * s3 / (s1 * s2 * s2)});
    const double wanted = s1 * s1 * s2 / (kPi * s3 * s3);
    check_close(one.density[0] / wanted, 1.0, 1e-11, "the Fuss-Catalan density");
  }
}

void edges() {
  Tracer tracer(fuss_catalan(), 1.0, std::sqrt(2.0));
  State<double, 1> u = tracer.make_state();
  for (const double distance : {1e-2, 1e-3, 1e-4}) {
    const double x = 6.75 * (1.0 - distance);
    check(tracer.locate(x, u).where == Outcome::inside, "beside the edge");
    double edge = 0.0;
    check(tracer.extrapolate_edge(x, u, edge), "the edge can be extrapolated");
    check_close(edge, 6.75, std::pow(6.75 * distance, 2.0), "to the square of the distance");
  }
  const Spectrum gap = spectrum_of(noisy_atoms_tree({-2.0, 2.0, 0.5, 0.5}, 1.0), 0.0, std::sqrt(5.0));
  check(gap.support().size() == 4, "two intervals");
  // z(G) of +-a coins and variance 1: G = zeta/(zeta^2 - a^2) at zeta = z - G; edges where dz/dzeta = 0.
  const double a2 = 4.0;
  const double disc = std::sqrt(1.0 + 8.0 * a2);
  for (const double sign : {-1.0, 1.0}) {
    const double zeta = std::sqrt(0.5 * (2.0 * a2 + 1.0 + sign * disc));
    const double edge = zeta + zeta / (zeta * zeta - a2);
    const std::size_t at = sign > 0.0 ? 3 : 2;
    check_close(gap.support()[at], edge, 1e-13, "an edge of noisy coins");
    check_close(gap.support()[3 - at], -edge, 1e-13, "and its mirror image");
  }
}

void half_plane() {
  const Spectrum spectrum = spectrum_of(square_tree(), 1.0, 1.0);
  const std::vector<double> z{1.0, 0.5, -3.0, 1e-3, 4.5, 0.0, 2.0, 0.0, std::nan(""), 1.0, 1e6, 1e6};
  const std::size_t n = z.size() / 2;
  std::vector<double> g(2 * n);
  std::vector<double> omega(2 * n * spectrum.child_count());
  std::vector<signed char> status(n);
  Solved out;
  out.cauchy = g.data();
  out.omega = omega.data();
  out.status = status.data();
  spectrum.solve(z.data(), n, out);
  const Status wanted[] = {Status::certified, Status::certified,    Status::outside,
                           Status::certified, Status::not_a_number, Status::certified};
  for (std::size_t j = 0; j < n; ++j) {
    check(is(status[j], wanted[j]), "status in the closed half-plane");
    if (is(status[j], Status::not_a_number)) {
      check(std::isnan(g[2 * j]) && std::isnan(g[2 * j + 1]), "NaN at NaN");
      continue;
    }
    const Point at{z[2 * j], z[2 * j + 1]};
    const Point value{g[2 * j], g[2 * j + 1]};
    // z G^2 - z G + 1 = 0
    const Point residual = at * (value * value) - at * value + 1.0 * Point{1.0, 0.0};
    check_below(std::sqrt(squared_modulus(residual)), 1e-13, "the quadratic equation of Marchenko-Pastur");
    check(value.im <= 0.0, "Im G <= 0");
    check_close(omega[2 * j], at.re, 1e-9 * (1.0 + std::fabs(at.re)), "one factor: its point is z");
  }
  check(g[5] == 0.0, "G is real off the support");
}

void transforms() {
  Point k{};
  Transform product(fuss_catalan());
  for (const Point m : {Point{-0.5, 0.0}, Point{0.3, 0.2}, Point{-0.2, -0.4}}) {
    check(product.k_at(Argument::m, m, k), "K at m can be followed");
    const Point wanted = (Point{1.0, 0.0} + m) * (Point{1.0, 0.0} + m);
    check_below(std::sqrt(squared_modulus(k - wanted)), 1e-12, "K(m) = (1 + m)^2");
  }
  const LoadResult sum = noisy_atoms_tree({-1.0, 1.0, 0.5, 0.5}, 0.5).load();
  Transform additive(sum.program);
  for (const double g : {0.1, 0.3, -0.2}) {
    check(additive.k_at(Argument::g, {g, 0.0}, k), "K at G can be followed");
    const double coin = (std::sqrt(1.0 + 4.0 * g * g) - 1.0) / (2.0 * g);
    check_close(k.re, coin + 0.5 * g, 1e-12, "R of a coin and a semicircle");
  }
  Transform none(square_law());
  check(!none.k_at(Argument::m, {std::nan(""), 0.0}, k), "NaN cannot be followed");
}

void fixed_point() {
  // The averaged iteration alone goes to the solution that the tracer certifies.
  const LoadResult loaded = noisy_atoms_tree({-1.0, 1.0, 0.5, 0.5}, 0.5).load();
  FixedPoint iteration(loaded.program);
  Tracer tracer(loaded.program, 0.0, 1.2);
  for (const double y : {1.0, 0.1}) {
    const Point z{0.4, y};
    State<double, 1> wanted = tracer.make_state();
    check(tracer.descend_to(z, wanted), "certified");
    iteration.start(z);
    iteration.iterate(z, 2000);
    State<double, 1> u = tracer.make_state();
    iteration.leaves(u);
    for (std::size_t l = 0; l < u.size(); ++l) {
      const double distance = std::sqrt(squared_modulus(u[l].get(0) - wanted[l].get(0)));
      check_below(distance, 1e-10, "the fixed point of the iteration");
    }
  }
}

void certificate() {
  // The conjugate solution satisfies the equations as well; the certificate refuses it.
  Tracer tracer(fuss_catalan(), 1.0, 1.4);
  State<double, 1> u = tracer.make_state();
  check(tracer.locate(1.0, u).where == Outcome::inside, "inside");
  Sweeps<double, 1> sweeps(fuss_catalan());
  int violations[1];
  sweeps.up(u);
  count_violations(sweeps, violations);
  check(violations[0] == 0, "the solution violates nothing");
  u[0].im[0] = -u[0].im[0];
  sweeps.up(u);
  count_violations(sweeps, violations);
  check(violations[0] > 0, "its conjugate does");
}

}  // namespace
}  // namespace freeconv::test

int main() {
  freeconv::test::newton_states();
  freeconv::test::located();
  freeconv::test::masses();
  freeconv::test::statuses();
  freeconv::test::block_values();
  freeconv::test::edges();
  freeconv::test::half_plane();
  freeconv::test::transforms();
  freeconv::test::fixed_point();
  freeconv::test::certificate();
  return freeconv::test::finish();
}
