// Valid programs as bytes for decode(): one or more of each kind, shape and hard case, to mutate.
#pragma once

#include "bytes.hpp"
#include "input.hpp"

namespace freeconv::fuzz {

using Bytes = std::vector<std::uint8_t>;

// Children have to stand in the order of a stack: the last nodes without a parent.
inline Bytes encode(const Tree& tree) {
  Writer out;
  out.byte(kSpectrum);
  out.number(0.5);  // x
  out.number(1.5);
  for (std::size_t v = 0; v < tree.kinds.size(); ++v) {
    const auto kind = static_cast<Kind>(tree.kinds[v]);
    out.byte(static_cast<std::size_t>(tree.kinds[v]));
    const auto p0 = static_cast<std::size_t>(tree.parameter_offsets[v]);
    const auto p1 = static_cast<std::size_t>(tree.parameter_offsets[v + 1]);
    const auto c0 = static_cast<std::size_t>(tree.child_offsets[v]);
    const auto c1 = static_cast<std::size_t>(tree.child_offsets[v + 1]);
    if (kind == Kind::discrete) out.byte((p1 - p0) / 2 - 1);
    if (kind == Kind::contour) out.byte((p1 - p0 - kContourStart) / Contour::kNode - 1);
    for (std::size_t p = p0; p < p1; ++p) out.number(tree.parameter_values[p]);
    if (kind != Kind::boxtimes && kind != Kind::boxplus) continue;
    out.byte(c1 - c0 - 1);
    for (std::size_t c = c0; c < c1; ++c) out.number(tree.multiplicities[c]);
  }
  return out.bytes;
}

inline std::vector<Tree> valid_trees() {
  std::vector<Tree> trees{test::marchenko_pastur_tree(0.5), test::marchenko_pastur_tree(4.0, 2.0, 3.0),
                          test::marchenko_pastur_tree(1.0, 1.0, 2.0),
                          // A cusp; a small gap; atoms that survive.
                          test::noisy_atoms_tree({-1.0, 1.0, 0.5, 0.5}, 1.0),
                          test::noisy_atoms_tree({-1.0, 1.0, 0.5, 0.5}, 0.99),
                          test::noisy_atoms_tree({-2.0, 0.0, 1.0, 3.0, 0.25, 0.25, 0.25, 0.25}, 0.01)};
  const auto one = [&](Kind kind, const std::vector<double>& parameters) {
    trees.emplace_back().add(kind, parameters);
  };
  one(Kind::semicircle, {0.5, 2.0});
  one(Kind::arcsine, {0.0, 2.0});
  one(Kind::uniform, {-1.0, 1.0});
  one(Kind::discrete, {-1.0, 2.0, 0.5, 0.5});
  // Half of a circle, coarsely.
  const std::vector<double> contour{1,    1,    0,     1,     0.5, 4e-16, 0,    0.0, 0.0, 1.0, 1.0, 0.0, 2,
                                    0.15, 0.85, -0.35, -0.35, 0.5, 0.5,   -0.1, 0.1, 0.0, 0.0, 0.0, 0.0};
  one(Kind::contour, contour);
  const auto two = [&](Kind kind, const std::vector<double>& own, Kind a, const std::vector<double>& of_a, Kind b,
                       const std::vector<double>& of_b, double s = 1.0, double t = 1.0) {
    Tree& tree = trees.emplace_back();
    tree.add(a, of_a);
    tree.add(b, of_b);
    tree.add(kind, own, {{0, s}, {1, t}});
  };
  const std::vector<double> square{1.0, 1.0, 1.0, 1.0};
  two(Kind::boxtimes, {0.5}, Kind::bernoulli, {0.5, 2.0}, Kind::marchenko_pastur, square, 3.0, 3.0);
  two(Kind::boxtimes, {1.0}, Kind::marchenko_pastur, {2.0, 1.0, 0.5, 0.5}, Kind::uniform, {0.5, 1.5}, 1.0, 1.5);
  two(Kind::boxtimes, {1.0}, Kind::discrete, {1e-6, 1.0, 0.5, 0.5}, Kind::marchenko_pastur, square, 1.0, 20.0);
  two(Kind::boxplus, {}, Kind::discrete, {0.0, 1.0, 0.5, 0.5}, Kind::discrete, {0.0, 1.0, 0.5, 0.5});  // arcsine
  two(Kind::boxplus, {}, Kind::marchenko_pastur, {-1.0, 4.0, 1.0, 1.0}, Kind::arcsine, {-1.0, 1.0}, 1.0, 2.0);
  two(Kind::boxplus, {}, Kind::semicircle, {0.0, 1e-12}, Kind::uniform, {0.0, 1e6}, 1.0, 1.0);

  two(Kind::boxtimes, {0.5}, Kind::isometry, {0.0, 0.5}, Kind::bernoulli, {0.5, 1.0}, 1.0, 2.0);
  two(Kind::boxplus, {}, Kind::isometry, {1.0, 0.5}, Kind::semicircle, {0.0, 1.0}, 1.0, 2.0);
  two(Kind::boxtimes, {1.0}, Kind::contour, contour, Kind::marchenko_pastur, square, 2.0, 1.0);

  Tree& nested = trees.emplace_back();  // a tangent kernel
  const int first = nested.add(Kind::marchenko_pastur, square);
  const int coin = nested.add(Kind::bernoulli, {0.5, 1.0});
  const int inner = nested.add(Kind::boxtimes, {0.5}, {{first, 2.0}, {coin, 1.0}});
  const int moved = nested.add(Kind::affine, {1.5, 1.0}, {{inner, 1.0}});
  const int second = nested.add(Kind::marchenko_pastur, square);
  const int outer = nested.add(Kind::boxtimes, {1.0}, {{moved, 1.0}, {second, 1.0}});
  nested.add(Kind::affine, {1.0, 2.0}, {{outer, 1.0}});

  Tree& mixed = trees.emplace_back();
  const int flat = mixed.add(Kind::uniform, {0.5, 1.5});
  const int atoms = mixed.add(Kind::discrete, {1.0, 2.0, 0.5, 0.5});
  const int sum = mixed.add(Kind::boxplus, {}, {{flat, 1.0}, {atoms, 2.0}});
  const int resized = mixed.add(Kind::resize, {2.0}, {{sum, 1.0}});
  const int last = mixed.add(Kind::marchenko_pastur, {1.0, 1.0, 2.0, 1.0});
  const int top = mixed.add(Kind::boxtimes, {0.5}, {{resized, 1.0}, {last, 1.0}});
  const int noise = mixed.add(Kind::semicircle, {0.0, 0.5});
  mixed.add(Kind::boxplus, {}, {{top, 1.0}, {noise, 1.0}});
  return trees;
}

}  // namespace freeconv::fuzz
