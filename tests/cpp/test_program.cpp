// load_program: what it refuses and why, what it derives, and that no arrays whatever crash it.
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "check.hpp"
#include "random.hpp"
#include "trees.hpp"

namespace freeconv::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

// MP boxtimes {1, 3}, scaled and shifted, plus a semicircle: every array has entries.
Tree valid_tree() {
  Tree tree;
  const int wishart = tree.add(Kind::marchenko_pastur, {1.0, 1.0, 0.5, 1.0});
  const int atoms = tree.add(Kind::discrete, {1.0, 3.0, 0.5, 0.5});
  const int product = tree.add(Kind::boxtimes, {1.0}, {{wishart, 2.0}, {atoms, 1.0}});
  const int moved = tree.add(Kind::affine, {2.0, 1.0}, {{product, 1.0}});
  const int noise = tree.add(Kind::semicircle, {0.0, 0.25});
  tree.add(Kind::boxplus, {}, {{moved, 1.0}, {noise, 1.0}});
  return tree;
}

void expect(const std::string& message, const Tree& tree, const Where& where = Where::current()) {
  for (const bool peel : {false, true}) {
    const LoadResult loaded = tree.load(peel);
    check(message == loaded.error, "wanted \"" + message + "\", got \"" + loaded.error + "\"", where);
  }
}

void expect_after(const std::string& message, const std::function<void(Tree&)>& spoil,
                  const Where& where = Where::current()) {
  Tree tree = valid_tree();
  spoil(tree);
  expect(message, tree, where);
}

Tree one_leaf(Kind kind, const std::vector<double>& parameters) {
  Tree tree;
  tree.add(kind, parameters);
  return tree;
}

void shapes() {
  expect("", valid_tree());
  expect("a program needs at least one node", Tree{});
  const char* const offsets = "offsets must start at 0 and end at the array's length";
  expect_after(offsets, [](Tree& t) { t.parameter_offsets.front() = 1; });
  expect_after(offsets, [](Tree& t) { t.parameter_offsets.back() += 1; });
  expect_after(offsets, [](Tree& t) { t.parameter_offsets.back() -= 1; });
  expect_after(offsets, [](Tree& t) { t.child_offsets.front() = -1; });
  expect_after(offsets, [](Tree& t) { t.child_offsets.back() += 1; });
  expect_after(offsets, [](Tree& t) { t.parameter_values.pop_back(); });
  const char* const decreasing = "offsets must not decrease";
  expect_after(decreasing, [](Tree& t) { t.parameter_offsets[1] = -1; });
  expect_after(decreasing, [](Tree& t) { t.parameter_offsets[1] = std::numeric_limits<std::int64_t>::max(); });
  expect_after(decreasing, [](Tree& t) { t.parameter_offsets[1] = std::numeric_limits<std::int64_t>::min(); });
  expect_after(decreasing, [](Tree& t) { t.child_offsets[1] = 1000; });
  expect_after(decreasing, [](Tree& t) { t.child_offsets[1] = -1; });
  expect_after("unknown node kind", [](Tree& t) { t.kinds[1] = -1; });
  expect_after("unknown node kind", [](Tree& t) { t.kinds[1] = kKindCount; });
  expect_after("unknown node kind", [](Tree& t) { t.kinds[1] = std::numeric_limits<std::int32_t>::min(); });
}

// One singular value and one node, spoilt in one place each.
std::vector<std::vector<double>> unfit_contours() {
  const std::vector<double> good = uniform_contour(1, 2);
  std::vector<std::vector<double>> bad{{}, {1.0, 1.0, 0.0, 1.0}};
  const auto spoil = [&](std::size_t place, double value) { bad.emplace_back(good)[place] = value; };
  for (std::size_t place = 0; place < 4; ++place) {
    for (const double value : {-1.0, 0.5, 3.0, 1e9, 1e300}) spoil(place, value);
  }
  for (const double value : {-1.0, 0.0, 0.5, 3.0, 1e300}) spoil(6, value);  // splits
  spoil(5, -1.0);                                                           // noise
  spoil(9, 2.0);                                                            // low above high
  spoil(11, -1.0);                                                          // mass
  for (const double value : {-1.0, 0.5, 2.0}) spoil(12, value);             // singular value of the split
  spoil(14, 0.0);                                                           // a split on the axis
  spoil(15, -1.0);                                                          // its mass
  spoil(16, -1.0);                                                          // distance
  spoil(19, 0.1);                                                           // of the last rule
  for (const std::size_t count : {17, 18, 20, 21}) spoil(count, 1.5);
  spoil(17, 1e6);
  spoil(23, 1.0);  // a node above the axis
  spoil(30, 0.0);  // on it, in the last rule
  // By parts the second rule serves the first one's points.
  bad.push_back(
      {1, 1, 0, 1, 0.5, 0.0, 1, 0.0, 0.0, 1.0, 1.0, 0.0, 0.5, -0.5, 1.0, 0.0, 1, 0.5, -0.5, 1.0, 0.0, 0.0, 0.0});
  bad.emplace_back(good).push_back(0.0);
  bad.emplace_back(good).pop_back();
  return bad;
}

void parameters() {
  for (const double bad : {kNan, kInf, -kInf}) {
    for (std::size_t i = 0; i < valid_tree().parameter_values.size(); ++i) {
      expect_after("parameters must be finite", [&](Tree& t) { t.parameter_values[i] = bad; });
    }
  }
  struct Case {
    Kind kind;
    std::vector<std::vector<double>> bad;
    std::vector<double> good;
  };
  const std::vector<Case> leaves{
      {Kind::discrete, {{}, {1.0}, {1.0, 2.0, 1.0}, {1.0, 2.0, 1.0, 0.0}, {1.0, -1.0}}, {1.0, 2.0, 0.5, 0.5}},
      {Kind::bernoulli, {{}, {0.5}, {0.0, 1.0}, {1.0, 1.0}, {0.5, 0.0}, {0.5, -1.0}, {0.5, 1.0, 1.0}}, {0.5, 2.0}},
      {Kind::marchenko_pastur,
       {{1.0, 1.0, 1.0},
        {0.0, 1.0, 1.0, 1.0},
        {1.0, 0.0, 1.0, 1.0},
        {1.0, 1.0, 0.0, 1.0},
        {1.0, 1.0, 1.0, 0.0},
        {1.0, 1.0, -1.0, 1.0},
        {-1.0, 1.0, 1.0, 0.5},
        {1.0, 1.0, 1.0, 1.0, 1.0}},
       {1.0, 1.0, 1.0, 0.5}},
      {Kind::semicircle, {{}, {0.0}, {0.0, 0.0}, {0.0, -1.0}, {0.0, 1.0, 1.0}}, {0.0, 1.0}},
      {Kind::arcsine, {{0.0}, {1.0, 1.0}, {1.0, 0.0}, {0.0, 1.0, 2.0}}, {0.0, 1.0}},
      {Kind::uniform, {{0.0}, {1.0, 1.0}, {1.0, 0.0}, {0.0, 1.0, 2.0}}, {0.0, 1.0}},
      {Kind::isometry, {{}, {0.0}, {0.0, 0.0}, {0.5, 1.0}, {0.0, -1.0}, {0.0, 1.0, 1.0}}, {1.0, 2.0}},
      {Kind::contour, unfit_contours(), uniform_contour(1, 2)},
  };
  for (const Case& leaf : leaves) {
    expect("", one_leaf(leaf.kind, leaf.good));
    for (const std::vector<double>& bad : leaf.bad) {
      expect("parameters do not fit the node's kind", one_leaf(leaf.kind, bad));
    }
  }
  const std::vector<Case> operations{
      {Kind::boxtimes, {{}, {-0.5}, {1.5}, {1.0, 1.0}}, {0.5}},
      {Kind::boxplus, {{1.0}}, {}},
      {Kind::affine, {{}, {1.0}, {0.0, 1.0}, {-1.0, 0.0}, {1.0, 1.0, 1.0}}, {2.0, -1.0}},
      {Kind::resize, {{}, {0.0}, {-1.0}, {1.0, 1.0}}, {2.0}},
  };
  for (const Case& operation : operations) {
    const auto above_a_leaf = [&](const std::vector<double>& values) {
      Tree tree = one_leaf(Kind::marchenko_pastur, {1.0, 1.0, 1.0, 1.0});
      tree.add(operation.kind, values, {{0, 1.0}});
      return tree;
    };
    expect("", above_a_leaf(operation.good));
    for (const std::vector<double>& bad : operation.bad) {
      expect("parameters do not fit the node's kind", above_a_leaf(bad));
    }
  }
}

void children() {
  const char* const unfit = "children do not fit the node's kind";
  expect(unfit, one_leaf(Kind::boxplus, {}));
  expect(unfit, one_leaf(Kind::boxtimes, {1.0}));
  expect(unfit, one_leaf(Kind::affine, {1.0, 0.0}));
  expect(unfit, one_leaf(Kind::resize, {2.0}));
  for (const Kind kind : {Kind::affine, Kind::resize}) {
    Tree two = one_leaf(Kind::semicircle, {0.0, 1.0});
    two.add(Kind::semicircle, {0.0, 1.0});
    two.add(kind, kind == Kind::affine ? std::vector<double>{1.0, 0.0} : std::vector<double>{2.0},
            {{0, 1.0}, {1, 1.0}});
    expect(unfit, two);
  }
  Tree parent_leaf = one_leaf(Kind::semicircle, {0.0, 1.0});
  parent_leaf.add(Kind::semicircle, {0.0, 1.0}, {{0, 1.0}});
  expect(unfit, parent_leaf);
  const char* const order = "a child must stand before its parent";
  expect_after(order, [](Tree& t) { t.children[0] = 2; });
  expect_after(order, [](Tree& t) { t.children[0] = 5; });
  expect_after(order, [](Tree& t) { t.children[0] = -1; });
  expect_after(order, [](Tree& t) { t.children[0] = std::numeric_limits<std::int64_t>::max(); });
  for (const double bad : {0.0, -1.0, kNan, kInf}) {
    expect_after("multiplicities must be positive", [&](Tree& t) { t.multiplicities[0] = bad; });
  }
  expect_after("a node must have one parent", [](Tree& t) { t.children[1] = 0; });
  Tree forest = one_leaf(Kind::semicircle, {0.0, 1.0});
  forest.add(Kind::semicircle, {0.0, 1.0});
  expect("only the last node may be a root", forest);
}

void derived() {
  const LoadResult loaded = valid_tree().load();
  const Program& program = loaded.program;
  check(program.leaf_count() == 3 && program.leaf_nodes == std::vector<int>{0, 1, 4}, "leaves in order");
  check(program.root().form == Form::sum && program.nodes[0].form == Form::product, "forms");
  check(program.nodes[0].p0.hi == 1.0 && program.nodes[2].own_p0.hi == 1.0 && program.nodes[3].p0.hi == 0.0, "offsets");
  check_close(program.nodes[2].mean, 2.0, 1e-15, "mean of a product");
  check_close(program.root().mean, 5.0, 1e-15, "mean of the sum");
  check(program.root().same_z && !program.nodes[3].same_z, "identities");

  const LoadResult plain = valid_tree().load(true, Offsets::none);
  for (const Node& n : plain.program.nodes) check(n.p0.hi == 0.0 && n.p0.lo == 0.0, "no offsets where none are wanted");

  Tree peeled_tree;
  const int leaf = peeled_tree.add(Kind::marchenko_pastur, {1.0, 1.0, 1.0, 1.0});
  const int product = peeled_tree.add(Kind::boxtimes, {1.0}, {{leaf, 3.0}});
  const int resized = peeled_tree.add(Kind::resize, {2.0}, {{product, 1.0}});
  const int scaled = peeled_tree.add(Kind::affine, {4.0, 1.0}, {{resized, 1.0}});
  peeled_tree.add(Kind::affine, {0.5, -3.0}, {{scaled, 1.0}});
  const Program peeled = peeled_tree.load(true).program;
  check(peeled.nodes.size() == 2 && peeled.peeled.size() == 3 && peeled.root().parent == -1, "peeled to the product");
  check_close(peeled.factor, 1.0 / (2.0 * 4.0 * 0.5), 0.0, "density factor");
  for (const double x : {-2.5, 0.1, 7.0}) {
    const DoubleDouble core = peeled.core_point(x);
    check_close(to_double(core), ((x + 3.0) / 0.5 - 1.0) / 4.0, 1e-15 * (1.0 + std::fabs(x)), "core point");
    check_close(peeled.outer_point(to_double(core)), x, 4e-16 * (4.0 + std::fabs(x)), "outer point");
  }
  // A core F of 1/4 is (1/4)/2 + 1/2 right of the resized law's 0, which is at -2.5, and 1/8 left of it.
  for (const double x : {-2.6, -2.5, 7.0}) {
    const Program::Outwards outwards = peeled.outer_cdf(x);
    check_close(0.25 * outwards.factor + outwards.shift, x < -2.5 ? 0.125 : 0.625, 0.0, "F of a resized law");
  }
  const Program whole = peeled_tree.load(false).program;
  check(whole.nodes.size() == 5 && whole.peeled.empty() && whole.factor == 1.0, "not peeled");
  check(whole.nodes[1].form == Form::product && whole.nodes[2].form == Form::sum, "a resize wants a product below");
}

// Arrays of random numbers, small ones more often: the message must be one of the known ones or the program sound.
void fuzz() {
  const std::set<std::string> known{"",
                                    "a program needs at least one node",
                                    "offsets must start at 0 and end at the array's length",
                                    "unknown node kind",
                                    "offsets must not decrease",
                                    "parameters must be finite",
                                    "parameters do not fit the node's kind",
                                    "children do not fit the node's kind",
                                    "a child must stand before its parent",
                                    "multiplicities must be positive",
                                    "a node must have one parent",
                                    "only the last node may be a root"};
  std::set<std::string> seen;
  Random random(20);
  const auto number = [&]() -> double {
    const double special[] = {0.0, 1.0, 0.5, 2.0, -1.0, kNan, kInf, -kInf, 1e308, 5e-324};
    return random.below(3) == 0 ? random.wide(-3.0, 3.0) : special[random.below(10)];
  };
  const auto index = [&]() -> std::int64_t {
    switch (random.below(12)) {
      case 0: return std::numeric_limits<std::int64_t>::max();
      case 1: return std::numeric_limits<std::int64_t>::min();
      case 2: return -random.below(5);
      default: return random.below(8);
    }
  };
  const auto sound = [](const Program& program) {
    const auto count = static_cast<int>(program.nodes.size());
    for (int v = 0; v < count; ++v) {
      const Node& n = program.nodes[static_cast<std::size_t>(v)];
      for (const Child& child : n.children) {
        if (child.index < 0 || child.index >= v) return false;
        if (program.nodes[static_cast<std::size_t>(child.index)].parent != v) return false;
      }
      if ((n.leaf >= 0) != n.children.empty()) return false;
      if (n.leaf >= 0 && program.leaf_nodes[static_cast<std::size_t>(n.leaf)] != v) return false;
    }
    return count > 0 && program.root().parent == -1;
  };
  const auto run = [&](const Tree& tree) {
    for (const bool peel : {false, true}) {
      const LoadResult loaded = tree.load(peel);
      check(known.count(loaded.error) == 1, std::string("unknown message: ") + loaded.error);
      seen.insert(loaded.error);
      if (*loaded.error == '\0') check(sound(loaded.program), "a loaded program is sound");
    }
  };
  for (int round = 0; round < 20000; ++round) {  // noise
    Tree tree;
    const std::int64_t nodes = random.below(6);
    tree.parameter_offsets.clear();
    tree.child_offsets.clear();
    for (std::int64_t v = 0; v < nodes; ++v) tree.kinds.push_back(static_cast<std::int32_t>(random.below(12) - 1));
    for (std::int64_t i = random.below(8); i > 0; --i) tree.parameter_values.push_back(number());
    for (std::int64_t i = random.below(6); i > 0; --i) {
      tree.children.push_back(index());
      tree.multiplicities.push_back(number());
    }
    for (std::int64_t v = 0; v <= nodes; ++v) {
      tree.parameter_offsets.push_back(index());
      tree.child_offsets.push_back(index());
    }
    tree.parameter_offsets.front() = 0;
    tree.child_offsets.front() = 0;
    tree.parameter_offsets.back() = static_cast<std::int64_t>(tree.parameter_values.size());
    tree.child_offsets.back() = static_cast<std::int64_t>(tree.children.size());
    run(tree);
  }
  for (int round = 0; round < 20000; ++round) {  // one to three entries of a good program
    Tree tree = valid_tree();
    for (std::int64_t changes = 1 + random.below(3); changes > 0; --changes) {
      const auto at = [&](const auto& values) {
        return static_cast<std::size_t>(random.below(static_cast<std::int64_t>(values.size())));
      };
      switch (random.below(6)) {
        case 0: tree.kinds[at(tree.kinds)] = static_cast<std::int32_t>(random.below(12) - 1); break;
        case 1: tree.parameter_values[at(tree.parameter_values)] = number(); break;
        case 2: tree.parameter_offsets[at(tree.parameter_offsets)] = index(); break;
        case 3: tree.child_offsets[at(tree.child_offsets)] = index(); break;
        case 4: tree.children[at(tree.children)] = index(); break;
        default: tree.multiplicities[at(tree.multiplicities)] = number(); break;
      }
    }
    run(tree);
  }
  check(seen.size() >= known.size() - 1, "nearly every message was met");
}

}  // namespace
}  // namespace freeconv::test

int main() {
  freeconv::test::shapes();
  freeconv::test::parameters();
  freeconv::test::children();
  freeconv::test::derived();
  freeconv::test::fuzz();
  return freeconv::test::finish();
}
