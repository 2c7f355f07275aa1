// Each leaf: its derivatives against central differences, its own z against locate(), K = z - F, G from the textbook.
#include <complex>
#include <string>
#include <tuple>
#include <vector>

#include "check.hpp"
#include "freeconv/tree/program.hpp"
#include "random.hpp"
#include "trees.hpp"

namespace freeconv::test {
namespace {

using Wide = DoubleDouble;
using Point = Complex<double>;
using WidePoint = Complex<Wide>;
using Reference = std::complex<long double>;

constexpr int kDraws = 300;
// Central differences with h = 1e-9 |u|: truncation h^2, rounding 1e-31/h, both times the derivatives' growth towards
// the support (the points stay 1e-2 of its width away from it).
constexpr double kStep = 1e-9;
constexpr double kDifference = 1e-12;
constexpr double kDouble = 1e-12;  // double against double-double: a few ulp times the condition of the formula
constexpr double kExact = 1e-27;   // identities in double-double

WidePoint wide(Point a) { return {Wide(a.re), Wide(a.im)}; }
double modulus(Point a) { return std::hypot(a.re, a.im); }
double modulus(WidePoint a) { return modulus(leading(a)); }
double relative(WidePoint got, WidePoint wanted) { return modulus(got - wanted) / modulus(wanted); }
double relative(Point got, Point wanted) { return modulus(got - wanted) / modulus(wanted); }
double relative(Point got, Reference wanted) {
  return static_cast<double>(std::abs(Reference(got.re, got.im) - wanted) / std::abs(wanted));
}

// A point of the upper half-plane, near or far, never closer than 1e-2 of the width.
Point upper(Random& random, double center, double width) {
  const double reach = random.below(4) == 0 ? 1e6 : 2.0;
  return {center + width * random.uniform(-reach, reach),
          width * std::fabs(random.wide(-2.0, reach > 10.0 ? 5.0 : 1.0))};
}

template <class Evaluate>
void check_differences(const Evaluate& evaluate, Point u, const std::string& name) {
  const WidePoint at = wide(u);
  const Wide h = kStep * modulus(u);
  for (const WidePoint& direction : {WidePoint{h, Wide(0.0)}, WidePoint{Wide(0.0), h}}) {
    const auto [c1, k1, a1, b1] = evaluate(at + direction);
    const auto [c0, k0, a0, b0] = evaluate(at - direction);
    const auto [c, k, a, b] = evaluate(at);
    const WidePoint twice = direction + direction;
    check_below(relative((c1 - c0) / twice, a), kDifference, name + ": slope of the common coordinate");
    check_below(relative((k1 - k0) / twice, b), kDifference, name + ": slope of K");
  }
}

template <class Law>
void check_precisions(const SumPoint<double>& p, const SumPoint<Wide>& w, const Law&, const std::string& name) {
  check_below(relative(p.f, leading(w.f)), kDouble, name + ": F in double");
  check_below(relative(p.k, leading(w.k)), kDouble, name + ": K in double");
  check_below(relative(p.df, leading(w.df)), kDouble, name + ": dF in double");
}

// A law in the coordinate u = z (arcsine, uniform) or u = F (semicircle).
template <class Law, class Locate, class Cauchy>
void sum_law(const Law& law, double width, const std::string& name, const Locate& locate, const Cauchy& cauchy) {
  Random random(11);
  for (int i = 0; i < kDraws; ++i) {
    const Point z = upper(random, law.mean(), width);
    const Point u = locate(z);
    const SumPoint<double> p = law.template sum<double>(u);
    const SumPoint<Wide> w = law.template sum<Wide>(wide(u));
    check_precisions(p, w, law, name);
    check_below(relative(p.f + p.k, z), 1e-13, name + ": z = F + K at the located point");
    check_below(relative(reciprocal(p.f), cauchy(Reference(z.re, z.im))), 1e-12, name + ": G by its formula");
    check(p.f.im > 0.0, name + ": Im F > 0");
    const auto fields = [&](WidePoint x) {
      const SumPoint<Wide> at = law.template sum<Wide>(x);
      return std::tuple{at.f, at.k, at.df, at.dk};
    };
    check_differences(fields, u, name);
    // The far form of K, where a difference would lose digits, is the same function.
    const WidePoint here = locate(z).re == z.re && u.im == z.im ? wide(u) : w.f + w.k;
    check_below(relative(w.f + w.k, here), kExact, name + ": K = z - F in double-double");
  }
}

void leaves_of_sums() {
  const Semicircle semicircle{0.7, 2.25};
  const auto own = [](Point z) { return z; };
  sum_law(
      semicircle, 3.0, "semicircle", [&](Point z) { return semicircle.locate(z); },
      [](Reference z) {
        const Reference y = z - Reference(0.7L);
        return 2.0L / (y + std::sqrt(y - 3.0L) * std::sqrt(y + 3.0L));
      });
  const Arcsine arcsine{-1.0, 4.0};
  sum_law(arcsine, 5.0, "arcsine", own, [](Reference z) { return 1.0L / (std::sqrt(z + 1.0L) * std::sqrt(z - 4.0L)); });
  const Uniform uniform{-1.0, 4.0};
  sum_law(uniform, 5.0, "uniform", own, [](Reference z) {
    const Reference inverse = 5.0L / (2.0L * z - 3.0L);
    if (std::abs(inverse) > 1e-3L) return (std::log(z + 1.0L) - std::log(z - 4.0L)) / 5.0L;
    const Reference q = inverse * inverse;
    return 0.4L * inverse * (1.0L + q * (1.0L / 3.0L + q * (1.0L / 5.0L + q / 7.0L)));
  });
}

// The series or the product form takes over at a modulus; both sides of it agree.
void switches() {
  Random random(12);
  const Arcsine arcsine{-1.0, 4.0};
  const Uniform uniform{-1.0, 4.0};
  for (int i = 0; i < kDraws; ++i) {
    const double angle = random.uniform(0.05, 3.09);
    for (const double radius : {2.5 * 2.0, 2.5 * 4.0, 2.5 * std::sqrt(2.0)}) {
      const Point inner{1.5 + (1.0 - 1e-13) * radius * std::cos(angle), (1.0 - 1e-13) * radius * std::sin(angle)};
      const Point outer{1.5 + (1.0 + 1e-13) * radius * std::cos(angle), (1.0 + 1e-13) * radius * std::sin(angle)};
      check_below(relative(arcsine.sum<double>(inner).k, arcsine.sum<double>(outer).k), 1e-11, "arcsine: the switch");
      check_below(relative(uniform.sum<double>(inner).k, uniform.sum<double>(outer).k), 1e-11, "uniform: the switch");
    }
  }
  // Towards an end the digits of z - low are kept.
  const Arcsine hard{0.0, 4.0};
  const Point near{1e-200, 1e-200};
  const Reference f = std::sqrt(Reference(1e-200L, 1e-200L)) * std::sqrt(Reference(-4.0L, 1e-200L));
  check_below(relative(hard.sum<double>(near).f, f), 1e-14, "arcsine: F at a hard edge");
}

// z of a product leaf from its coordinate: z = K (1 + m)/m.
Point product_z(Point eta, Point k, double p0) {
  const Point m = eta - p0;
  return k * ((1.0 + m) / m);
}

template <class Law, class Locate>
void product_law(const Law& law, double p0, double width, const std::string& name, const Locate& locate) {
  Random random(13);
  for (int i = 0; i < kDraws; ++i) {
    const Point z = upper(random, law.mean(), width);
    const Point u = locate(z);
    const ProductPoint<double> p = law.template product<double>(u);
    const ProductPoint<Wide> w = law.template product<Wide>(wide(u));
    check_below(relative(p.k, leading(w.k)), kDouble, name + ": K in double");
    check_below(relative(p.dk, leading(w.dk)), kDouble, name + ": dK in double");
    check(u.re == p.eta.re && u.im == p.eta.im, name + ": eta is the coordinate");
    // m = K/F and z = F + K are one statement; far out m itself is 1/|z| of eta.
    const double condition = 1.0 + 1.0 / modulus(u - p0);
    check_below(relative(product_z(u, p.k, p0), z), 1e-14 * condition, name + ": z at the located point");
    // m(z) = E a/(z - a): below the axis for laws on [0, inf), above it for their reflections.
    check((u - p0).im * law.mean() < 0.0, name + ": the side of m");
    const auto fields = [&](WidePoint x) {
      const ProductPoint<Wide> at = law.template product<Wide>(x);
      return std::tuple{at.eta, at.k, at.deta, at.dk};
    };
    check_differences(fields, u, name);
  }
  const ProductPoint<double> far = law.template product<double>({p0, 0.0});
  check_close(far.k.re, law.mean(), 1e-13 * std::fabs(law.mean()), name + ": K at m = 0 is the mean");
}

void leaves_of_products() {
  for (const double p0 : {0.0, 0.3, 1.0}) {
    const Bernoulli coin = Bernoulli::make(0.3, 2.0, p0);
    product_law(coin, p0, 2.0, "bernoulli", [&](Point z) { return coin.locate(z); });
    for (const double ratio : {0.2, 1.0, 5.0}) {
      const MarchenkoPastur law = MarchenkoPastur::make(2.0, 1.0, ratio, 1.0, p0);
      product_law(law, p0, 2.0 * (1.0 + std::sqrt(ratio)) * (1.0 + std::sqrt(ratio)), "marchenko_pastur",
                  [&](Point z) { return law.locate(z, p0); });
    }
  }
  const MarchenkoPastur mirrored = MarchenkoPastur::make(-1.5, 0.7, 1.0, 1.0, 0.0);
  product_law(mirrored, 0.0, 6.0, "negative jumps", [&](Point z) { return mirrored.locate(z, 0.0); });
}

void powers() {
  // Whole powers and roots by multiplication; locate() is the first guess only.
  Random random(14);
  for (const double t : {0.25, 0.5, 3.0}) {
    const MarchenkoPastur power = MarchenkoPastur::make(2.0, 1.0, 0.5, t, 1.0);
    const MarchenkoPastur base = MarchenkoPastur::make(2.0, 1.0, 0.5, 1.0, 1.0);
    for (int i = 0; i < kDraws; ++i) {
      const Point u{random.uniform(-0.5, 3.0), -std::fabs(random.wide(-3.0, 1.0))};
      const WidePoint k = power.product<Wide>(wide(u)).k;
      const WidePoint root = base.product<Wide>(wide(u)).k;
      const WidePoint undone = t < 0.3 ? (k * k) * (k * k) : k * k;
      check_below(t > 1.0 ? relative(k, (root * root) * root) : relative(undone, root), 1e-27, "power: K");
      const auto fields = [&](WidePoint x) {
        const ProductPoint<Wide> at = power.product<Wide>(x);
        return std::tuple{at.eta, at.k, at.deta, at.dk};
      };
      // The power's own exp and log are good to 5e-29, its differences to 5e-29/h.
      check_differences(fields, u, "power");
    }
    check_close(power.mean(), std::pow(2.0, t), 1e-14 * std::pow(2.0, t), "power: mean");
    const Point far = power.locate({1e9, 1.0}, 1.0);
    check_close((far.re - 1.0) * 1e9, power.mean(), 1e-6, "power: the first guess is mean/z");
  }
}

void discrete_sums() {
  Random random(15);
  const std::vector<double> locations{-1.0, 0.0, 0.5, 3.0};
  const std::vector<Wide> weights{0.125, 0.25, 0.375, 0.25};
  const freeconv::Discrete law{locations.data(), weights.data(), 4, Wide(0.25), Wide(0.75)};
  check_close(law.mean(), 0.8125, 1e-16, "discrete: mean");
  const auto sums = [&](WidePoint x) {
    Block<Wide, 1> u;
    u.set(0, x);
    freeconv::Discrete::Sums<Wide, 1> out;
    law.accumulate(u, out);
    return std::tuple{out.t.get(0), out.m.get(0), -out.t2.get(0), -out.m2.get(0)};
  };
  for (int i = 0; i < kDraws; ++i) {
    const Point z = upper(random, 1.0, 4.0);
    check_differences(sums, z, "discrete");
    const auto [t, m, dt, dm] = sums(wide(z));
    Reference g(0.0L);
    for (std::size_t j = 0; j < 4; ++j) {
      g += static_cast<long double>(weights[j].hi) / (Reference(z.re, z.im) - static_cast<long double>(locations[j]));
    }
    const WidePoint cauchy = t + Wide(0.25) * reciprocal(wide(z));
    check_below(relative(leading(cauchy), g), 1e-15, "discrete: G");
    check_below(relative(wide(z) * cauchy - Wide(1.0), m), 1e-22, "discrete: m = z G - 1");
    // Sixteen lanes at once give each lane's own bits.
    Block<double, 16> lanes;
    for (int lane = 0; lane < 16; ++lane) lanes.set(lane, {z.re + lane, z.im});
    freeconv::Discrete::Sums<double, 16> many;
    law.accumulate(lanes, many);
    Block<double, 1> one;
    one.set(0, lanes.get(7));
    freeconv::Discrete::Sums<double, 1> single;
    law.accumulate(one, single);
    check(many.t.re[7] == single.t.re[0] && many.m2.im[7] == single.m2.im[0], "discrete: lanes are independent");
  }
}

// Half a circle of nodes below the axis is the uniform law.
void contour_sums() {
  Random random(16);
  const std::vector<double> parameters = test::uniform_contour(24, 100);
  const freeconv::Contour law = freeconv::Contour::view(parameters.data(), Wide(0.0), Wide(1.0));
  const freeconv::Uniform exact{0.0, 1.0};
  check_close(law.mean(), 0.5, 0.0, "contour: mean");
  const auto sums = [&](WidePoint x) {
    Block<Wide, 1> u;
    u.set(0, x);
    freeconv::Contour::Sums<Wide, 1> out;
    law.accumulate(u, out);
    return std::tuple{out.t.get(0), out.m.get(0), -out.t2.get(0), -out.m2.get(0)};
  };
  int far = 0;
  for (int i = 0; i < kDraws; ++i) {
    Point z = upper(random, 1.0, 1.0);
    if (i % 3 == 0) z = {0.25 + 0.5 * z.re * z.re / (1.0 + z.re * z.re), 0.0};  // on the support itself
    if (std::hypot(z.re, z.im) < 0.2 || std::hypot(z.re - 1.0, z.im) < 0.2) continue;
    far += std::hypot(z.re, z.im) > 0.6 && std::hypot(z.re - 1.0, z.im) > 0.6 ? 1 : 0;
    const freeconv::SumPoint<double> p = exact.sum<double>({z.re, z.im == 0.0 ? 1e-300 : z.im});
    const auto [t, m, dt, dm] = sums(wide(z));
    const Point g = reciprocal(p.f);
    check_below(relative(leading(t), Reference(g.re, g.im)), 2e-14, "contour: G");
    const Point of_m = p.k * g;
    check_below(relative(leading(m), Reference(of_m.re, of_m.im)), 1e-13, "contour: m");
    const Point slope = -(p.df * (g * g));
    check_below(relative(leading(dt), Reference(slope.re, slope.im)), 1e-12, "contour: G'");
    Block<double, 16> lanes;
    for (int lane = 0; lane < 16; ++lane) lanes.set(lane, {z.re + 0.2 * lane, z.im});
    freeconv::Contour::Sums<double, 16> many;
    law.accumulate(lanes, many);
    for (const int lane : {0, 7}) {
      Block<double, 1> one;
      one.set(0, lanes.get(lane));
      freeconv::Contour::Sums<double, 1> single;
      law.accumulate(one, single);
      check(many.t.re[lane] == single.t.re[0] && many.m2.im[lane] == single.m2.im[0], "contour: lanes are independent");
    }
  }
  check(far > 10, "contour: both rules are met");
  // Off the support, beside the axis, imaginary parts are those of a real measure.
  for (const double x : {-3.0, -0.5, 1.5, 7.0}) {
    const auto [t, m, dt, dm] = sums({Wide(x), Wide(1e-250)});
    const double square = 1.0 / (x * (x - 1.0));
    check_close(t.im.hi / (-1e-250 * square), 1.0, 1e-12, "contour: Im G beside the axis");
    check(law.gap(x) > 0.0 && law.mass_right(x) == (x < 0.0 ? 1.0 : 0.0), "contour: masses off the support");
  }
  check(law.gap(0.5) == 0.0, "contour: no gap inside");
}

void loaded_weights() {
  // .2 + .4 + .4 misses 1 by 5e-17: the loaded weights do not.
  Tree tree;
  const int atoms = tree.add(Kind::discrete, {1.0, 2.0, 3.0, 0.2, 0.4, 0.4});
  tree.add(Kind::boxplus, {}, {{atoms, 1.0}});
  const LoadResult loaded = tree.load();
  Wide sum(0.0);
  for (const Wide& w : loaded.program.nodes[0].weights) sum = sum + w;
  check_close(to_double(sum - Wide(1.0)), 0.0, 1e-31, "discrete: weights sum to 1");
  Tree coin_tree;
  const int coin = coin_tree.add(Kind::discrete, {0.0, 2.0, 0.9, 0.1});
  coin_tree.add(Kind::boxplus, {}, {{coin, 1.0}});
  const LoadResult coin_loaded = coin_tree.load();
  const Node& n = coin_loaded.program.nodes[0];
  check(n.weights[1].hi == 0.1 && n.weights[1].lo == 0.0, "discrete: the weight off 0 of two atoms is exact");
  check_close(to_double(n.at_zero + n.off_zero - Wide(1.0)), 0.0, 1e-31, "discrete: at_zero + off_zero = 1");
}

}  // namespace
}  // namespace freeconv::test

int main() {
  freeconv::test::leaves_of_sums();
  freeconv::test::switches();
  freeconv::test::leaves_of_products();
  freeconv::test::powers();
  freeconv::test::discrete_sums();
  freeconv::test::contour_sums();
  freeconv::test::loaded_weights();
  return freeconv::test::finish();
}
