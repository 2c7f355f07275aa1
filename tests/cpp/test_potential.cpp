// U' = G for every kind of node and of leaf, in both forms: along short steps through the upper half-plane the
// potential moves by the integral of G (Simpson's rule), and far away it is log z.
#include <string>
#include <vector>

#include "check.hpp"
#include "freeconv/solver/tracer.hpp"
#include "freeconv/spectrum/potential.hpp"
#include "trees.hpp"

namespace freeconv::test {
namespace {

using Point = Complex<double>;

struct Law {
  const char* name;
  Tree tree;
  double mean, deviation;
};

struct Values {
  Point u, g;  // Re U and Im U, G
};

class SolvedLaw {
 public:
  explicit SolvedLaw(const Law& law, Offsets offsets)
      : loaded_(law.tree.load(false, offsets)),
        tracer_(loaded_.program, law.mean, law.deviation),
        potential_(loaded_.program) {
    check(std::string(loaded_.error).empty(), std::string(law.name) + ": loads");
  }

  double mean() const { return loaded_.program.root().mean; }

  Values at(Point z) {
    State<double, 1> u = tracer_.make_state();
    check(tracer_.descend_to(z, u), "solved");
    tracer_.sweeps().up(u);
    potential_.run(tracer_.sweeps(), u, true);
    return {{potential_.log_modulus(0), kPi * (1.0 - potential_.left_mass(0))},
            root_cauchy(loaded_.program.root(), tracer_.result().c.get(0), z)};
  }

 private:
  LoadResult loaded_;
  Tracer tracer_;
  Potential<double, 1> potential_;
};

Law leaf(const char* name, Kind kind, const std::vector<double>& parameters, double mean, double deviation, double p0) {
  Law law{name, {}, mean, deviation};
  const int node = law.tree.add(kind, parameters);
  if (p0 > 0.0) {
    law.tree.add(Kind::boxtimes, {p0}, {{node, 1.0}});
  } else {
    law.tree.add(Kind::boxplus, {}, {{node, 1.0}});
  }
  return law;
}

std::vector<Law> laws() {
  std::vector<Law> all;
  all.push_back(leaf("contour", Kind::contour, test::uniform_contour(24, 100), 0.4, 0.5, 0.0));
  all.push_back(leaf("atoms", Kind::discrete, {-1.0, 0.5, 2.0, 0.25, 0.25, 0.5}, 0.875, 1.2, 0.0));
  all.push_back(leaf("atoms in a product", Kind::discrete, {0.0, 0.5, 2.0, 0.25, 0.25, 0.5}, 1.1, 0.9, 0.75));
  all.push_back(leaf("a coin", Kind::bernoulli, {0.3, 2.0}, 0.6, 0.9, 0.3));
  for (const double ratio : {0.3, 1.0, 2.5, 1e-9}) {
    const double p0 = ratio > 1.0 ? 1.0 / ratio : 1.0;
    all.push_back(leaf("Marchenko-Pastur", Kind::marchenko_pastur, {1.5, 1.0, ratio, 1.0}, 1.5, 1.5, p0));
  }
  all.push_back(leaf("its root", Kind::marchenko_pastur, {1.5, 1.0, 0.7, 0.4}, 1.2, 0.7, 1.0));
  all.push_back(leaf("free Poisson", Kind::marchenko_pastur, {2.0, 0.4, 1.0, 1.0}, 0.8, 1.3, 0.4));
  all.push_back(leaf("free Poisson, falling", Kind::marchenko_pastur, {-2.0, 0.4, 1.0, 1.0}, -0.8, 1.3, 0.0));
  for (const double smooth : {0.0, 1.0}) {
    all.push_back(leaf("an isometry's limit", Kind::isometry, {smooth, 0.4}, 1.0, 0.6, 1.0));
  }
  all.push_back(leaf("semicircle", Kind::semicircle, {0.5, 2.0}, 0.5, 1.4, 0.0));
  all.push_back(leaf("arcsine", Kind::arcsine, {-1.0, 2.0}, 0.5, 1.1, 0.0));
  all.push_back(leaf("uniform", Kind::uniform, {-1.0, 2.0}, 0.5, 0.9, 0.0));
  all.push_back(leaf("a narrow uniform law", Kind::uniform, {0.5, 0.5001}, 0.5, 1.0, 0.0));
  Law nested{"a product in a sum in a product, resized, scaled and shifted", {}, 4.6, 4.0};
  Tree& tree = nested.tree;
  const int coin = tree.add(Kind::bernoulli, {0.5, 1.0});
  const int square = tree.add(Kind::marchenko_pastur, {2.0, 1.0, 1.0, 1.0});
  const int product = tree.add(Kind::boxtimes, {0.5}, {{coin, 1.0}, {square, 2.0}});
  const int resized = tree.add(Kind::resize, {0.75}, {{product, 1.0}});
  const int scaled = tree.add(Kind::affine, {0.5, 1.0}, {{resized, 1.0}});
  const int noise = tree.add(Kind::arcsine, {0.0, 1.0});
  const int sum = tree.add(Kind::boxplus, {}, {{scaled, 1.5}, {noise, 1.0}});
  const int other = tree.add(Kind::discrete, {0.5, 1.5, 0.5, 0.5});
  const int whole = tree.add(Kind::boxtimes, {1.0}, {{sum, 1.0}, {other, 1.0}});
  tree.add(Kind::affine, {1.0, 0.25}, {{whole, 1.0}});
  all.push_back(nested);
  return all;
}

void derivative() {
  for (const Law& law : laws()) {
    for (const Offsets offsets : {Offsets::at_zero, Offsets::none}) {
      SolvedLaw solved(law, offsets);
      for (const double x : {-1.3, 0.2, 1.1, 2.6}) {
        for (const double y : {0.3, 2.0}) {
          const Point z{law.mean + x * law.deviation, y * law.deviation};
          const double h = 0.004 * law.deviation;
          const Values a = solved.at(z);
          const Values b = solved.at({z.re + 0.5 * h, z.im});
          const Values c = solved.at({z.re + h, z.im});
          const Point integral = (h / 6.0) * (a.g + 4.0 * b.g + c.g);
          const Point moved = c.u - a.u;
          check_close(moved.re, integral.re, 1e-11, std::string(law.name) + ": Re U'");
          check_close(moved.im, integral.im, 1e-11, std::string(law.name) + ": Im U'");
        }
      }
    }
  }
}

void far_away() {
  for (const Law& law : laws()) {
    SolvedLaw solved(law, Offsets::none);
    const Point z{-3e5 * law.deviation, 4e5 * law.deviation};
    const Point wanted = log(Point{z.re - solved.mean(), z.im});  // up to variance/2 z^2
    const Values found = solved.at(z);
    check_close(found.u.re, wanted.re, 1e-10, std::string(law.name) + ": log |z|");
    check_close(found.u.im, wanted.im, 1e-10, std::string(law.name) + ": arg z");
  }
}

}  // namespace
}  // namespace freeconv::test

int main() {
  freeconv::test::derivative();
  freeconv::test::far_away();
  return freeconv::test::finish();
}
