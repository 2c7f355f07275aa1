// The two sweeps against a dense oracle: the same equations written with std::complex<long double>, their Jacobian
// by central differences, and Gaussian elimination.
//
// The oracle knows every node by its pair (F, K): sums share F and add K, products share m = K/F and multiply K.
#include <complex>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "freeconv/solver/newton.hpp"
#include "freeconv/solver/tracer.hpp"
#include "random.hpp"
#include "trees.hpp"

namespace freeconv::test {
namespace {

using Value = std::complex<long double>;
using Vector = std::vector<Value>;

// Differences of width 1e-5 in long double: 1e-10 from truncation, 1e-14 from rounding.
constexpr long double kStep = 1e-5L;
constexpr double kAgreement = 1e-7;

struct Pair {
  Value f, k;
};

Value power(Value base, long double t) { return std::exp(t * std::log(base)); }

long double offset(const Node& n) { return static_cast<long double>(n.p0.hi) + static_cast<long double>(n.p0.lo); }

// A leaf's pair from its own coordinate u.
Pair leaf_pair(const Node& n, Value u) {
  const std::vector<double>& p = n.parameters;
  const auto parameter = [&](std::size_t i) { return static_cast<long double>(p[i]); };
  switch (n.kind) {
    case Kind::bernoulli: {
      const Value m = u - offset(n);
      const Value k = parameter(1) * (parameter(0) + m) / (1.0L + m);
      return {k / m, k};
    }
    case Kind::marchenko_pastur: {
      const Value m = u - offset(n);
      const Value k = power(parameter(0) * (parameter(1) + parameter(2) * m), parameter(3));
      return {k / m, k};
    }
    case Kind::isometry: {
      const Value m = u - offset(n);
      const Value k = std::exp(parameter(1) * (p[0] != 0.0 ? m : m / (1.0L + m)));
      return {k / m, k};
    }
    case Kind::semicircle: return {u, parameter(0) + parameter(1) / u};
    case Kind::arcsine: {
      const Value f = std::sqrt(u - parameter(0)) * std::sqrt(u - parameter(1));
      return {f, u - f};
    }
    case Kind::uniform: {
      const Value f = (parameter(1) - parameter(0)) / (std::log(u - parameter(0)) - std::log(u - parameter(1)));
      return {f, u - f};
    }
    default: {
      Value g(0.0L);
      const std::size_t count = p.size() / 2;
      for (std::size_t j = 0; j < count; ++j) g += parameter(count + j) / (u - parameter(j));
      return {1.0L / g, u - 1.0L / g};
    }
  }
}

// The equations: differences of what the children of each operation share, then z of the root, or if `logarithmic` (for
// a product) log z as the sum of its factors' logarithms.
// `references` names the child of each operation that the others are compared with.
Vector residuals(const Program& program, const Vector& u, const std::vector<int>& references, bool logarithmic) {
  std::vector<Pair> at(program.nodes.size());
  Vector out;
  Value log_z(0.0L);
  for (std::size_t v = 0; v < program.nodes.size(); ++v) {
    const Node& n = program.nodes[v];
    if (n.leaf >= 0) {
      at[v] = leaf_pair(n, u[static_cast<std::size_t>(n.leaf)]);
      continue;
    }
    const auto child = [&](std::size_t j) { return at[static_cast<std::size_t>(n.children[j].index)]; };
    if (n.kind == Kind::affine) {
      const auto scale = static_cast<long double>(n.parameters[0]);
      at[v] = {scale * child(0).f, scale * child(0).k + static_cast<long double>(n.parameters[1])};
      continue;
    }
    if (n.kind == Kind::resize) {
      const auto r = static_cast<long double>(n.parameters[0]);
      const Value m = child(0).k / child(0).f;
      const Value k = child(0).k * (1.0L + m) / (r + m);
      at[v] = {k / (m / r), k};
      continue;
    }
    const bool product = n.kind == Kind::boxtimes;
    const auto common = [&](std::size_t j) { return product ? child(j).k / child(j).f : child(j).f; };
    const auto reference = static_cast<std::size_t>(references[v]);
    Value sum(0.0L);
    for (std::size_t j = 0; j < n.children.size(); ++j) {
      const auto t = static_cast<long double>(n.children[j].multiplicity);
      sum += product ? t * std::log(child(j).k) : t * child(j).k;
      if (j != reference) out.push_back(common(j) - common(reference));
    }
    log_z = sum + std::log(1.0L + 1.0L / common(reference));
    at[v] = product ? Pair{std::exp(sum) / common(reference), std::exp(sum)} : Pair{common(reference), sum};
  }
  out.push_back(logarithmic ? log_z : at.back().f + at.back().k);
  return out;
}

// Solves the linearised equations: all differences become 0, the last residual `target`.
Vector dense_step(const Program& program, const Vector& u, const std::vector<int>& references, bool logarithmic,
                  Value target) {
  const std::size_t n = u.size();
  Vector right = residuals(program, u, references, logarithmic);
  for (Value& r : right) r = -r;
  right.back() += target;
  std::vector<Vector> rows(n, Vector(n));
  for (std::size_t l = 0; l < n; ++l) {
    const long double h = kStep * std::abs(u[l]);
    Vector plus = u;
    Vector minus = u;
    plus[l] += h;
    minus[l] -= h;
    const Vector high = residuals(program, plus, references, logarithmic);
    const Vector low = residuals(program, minus, references, logarithmic);
    for (std::size_t i = 0; i < n; ++i) rows[i][l] = (high[i] - low[i]) / (2.0L * h);
  }
  for (std::size_t column = 0; column < n; ++column) {
    std::size_t best = column;
    for (std::size_t i = column; i < n; ++i) best = std::abs(rows[i][column]) > std::abs(rows[best][column]) ? i : best;
    std::swap(rows[column], rows[best]);
    std::swap(right[column], right[best]);
    for (std::size_t i = 0; i < n; ++i) {
      if (i == column) continue;
      const Value factor = rows[i][column] / rows[column][column];
      for (std::size_t j = column; j < n; ++j) rows[i][j] -= factor * rows[column][j];
      right[i] -= factor * right[column];
    }
  }
  for (std::size_t i = 0; i < n; ++i) right[i] /= rows[i][i];
  return right;
}

template <class R>
State<R, 1> state_of(const Vector& u) {
  State<R, 1> state(u.size());
  for (std::size_t l = 0; l < u.size(); ++l) {
    state[l].set(0, {R(static_cast<double>(u[l].real())), R(static_cast<double>(u[l].imag()))});
  }
  return state;
}

Vector vector_of(const State<double, 1>& state) {
  Vector u;
  for (const Block<double, 1>& leaf : state) u.emplace_back(leaf.re[0], leaf.im[0]);
  return u;
}

// The sweeps' step from `u` towards z.
template <class R>
Vector swept_step(const Program& program, const Vector& u, Complex<double> z, std::vector<int>* pivots = nullptr) {
  Sweeps<R, 1> sweeps(program);
  sweeps.up(state_of<R>(u));
  const NodeLanes<R, 1>& top = sweeps.root();
  const Complex<R> target = root_target(program.root(), Complex<R>{R(z.re), R(z.im)});
  const RootStep<R> r = root_step(program.root(), top.c.get(0), top.k.get(0), top.a.get(0), top.b.get(0), target);
  Block<R, 1> step;
  step.set(0, r.residual / r.slope);
  sweeps.down(step);
  Vector out;
  for (int leaf = 0; leaf < program.leaf_count(); ++leaf) {
    const Complex<double> s = leading(sweeps.leaf_step(leaf).get(0));
    out.emplace_back(s.re, s.im);
  }
  if (pivots != nullptr) {
    for (std::size_t v = 0; v < program.nodes.size(); ++v) {
      (*pivots)[v] = program.nodes[v].children.size() > 1 ? sweeps.node(static_cast<int>(v)).pivot[0] : 0;
    }
  }
  return out;
}

void compare(const Vector& got, const Vector& wanted, const Vector& u, double tolerance, const std::string& name) {
  for (std::size_t l = 0; l < got.size(); ++l) {
    // A step is a correction of its unknown: it matters next to it, too.
    const auto size = static_cast<double>(std::abs(wanted[l]) + 1e-9L * std::abs(u[l]));
    check_below(static_cast<double>(std::abs(got[l] - wanted[l])) / size, tolerance, name);
  }
}

struct Named {
  std::string name;
  Tree tree;
  double center, width;
};

std::vector<Named> flat_trees() {
  std::vector<Named> trees;
  Tree sum;
  const int atoms = sum.add(Kind::discrete, {-1.0, 0.0, 2.0, 0.3, 0.3, 0.4});
  const int noise = sum.add(Kind::semicircle, {0.3, 0.5});
  const int flat = sum.add(Kind::uniform, {-1.0, 1.0});
  const int poisson = sum.add(Kind::marchenko_pastur, {-0.7, 0.8, 1.0, 1.0});
  const int arcsine = sum.add(Kind::arcsine, {0.0, 2.0});
  sum.add(Kind::boxplus, {}, {{atoms, 1.0}, {noise, 2.0}, {flat, 1.5}, {poisson, 1.0}, {arcsine, 1.0}});
  trees.push_back({"a sum of five", sum, 1.0, 3.0});
  Tree product;
  const int coin = product.add(Kind::bernoulli, {0.6, 2.0});
  const int wishart = product.add(Kind::marchenko_pastur, {1.0, 1.0, 0.5, 1.0});
  const int root = product.add(Kind::marchenko_pastur, {2.0, 1.0, 0.5, 0.5});
  const int slopes = product.add(Kind::discrete, {0.0, 1.0, 4.0, 0.2, 0.3, 0.5});
  const int spread = product.add(Kind::uniform, {0.5, 1.5});
  product.add(Kind::boxtimes, {0.6}, {{coin, 1.0}, {wishart, 3.0}, {root, 1.0}, {slopes, 1.25}, {spread, 1.0}});
  trees.push_back({"a product of five", product, 4.0, 10.0});
  return trees;
}

std::vector<Named> nested_trees() {
  std::vector<Named> trees;
  Tree kernel;  // (MP x coin x (1 + MP^2 x coin)) + 2, unpeeled
  const int first = kernel.add(Kind::marchenko_pastur, {1.0, 1.0, 1.0, 1.0});
  const int coin = kernel.add(Kind::bernoulli, {0.5, 1.0});
  const int inner = kernel.add(Kind::boxtimes, {0.5}, {{first, 2.0}, {coin, 1.0}});
  const int moved = kernel.add(Kind::affine, {1.5, 1.0}, {{inner, 1.0}});
  const int second = kernel.add(Kind::marchenko_pastur, {1.0, 1.0, 1.0, 1.0});
  const int again = kernel.add(Kind::bernoulli, {0.7, 1.0});
  const int outer = kernel.add(Kind::boxtimes, {0.7}, {{second, 1.0}, {again, 1.0}, {moved, 1.0}});
  kernel.add(Kind::affine, {1.0, 2.0}, {{outer, 1.0}});
  trees.push_back({"a tangent kernel", kernel, 4.0, 4.0});
  Tree mixed;  // MP x resize(uniform + atoms + affine(MP x MP)), plus a semicircle
  const int flat = mixed.add(Kind::uniform, {0.5, 1.5});
  const int atoms = mixed.add(Kind::discrete, {1.0, 2.0, 0.5, 0.5});
  const int left = mixed.add(Kind::marchenko_pastur, {1.0, 1.0, 0.5, 1.0});
  const int right = mixed.add(Kind::marchenko_pastur, {1.0, 1.0, 0.25, 1.0});
  const int product = mixed.add(Kind::boxtimes, {1.0}, {{left, 1.0}, {right, 1.0}});
  const int scaled = mixed.add(Kind::affine, {0.5, 0.25}, {{product, 1.0}});
  const int sum = mixed.add(Kind::boxplus, {}, {{flat, 1.0}, {atoms, 2.0}, {scaled, 1.0}});
  const int resized = mixed.add(Kind::resize, {2.0}, {{sum, 1.0}});
  const int last = mixed.add(Kind::marchenko_pastur, {1.0, 1.0, 2.0, 1.0});
  const int top = mixed.add(Kind::boxtimes, {0.5}, {{resized, 1.0}, {last, 1.0}});
  const int noise = mixed.add(Kind::semicircle, {0.0, 0.5});
  mixed.add(Kind::boxplus, {}, {{top, 1.0}, {noise, 1.0}});
  trees.push_back({"everything at once", mixed, 3.0, 6.0});
  Tree pushed;  // resize at the root, over a sum of products
  const int mp = pushed.add(Kind::marchenko_pastur, {1.0, 1.0, 0.5, 1.0});
  const int pair = pushed.add(Kind::discrete, {1.0, 3.0, 0.5, 0.5});
  const int both = pushed.add(Kind::boxtimes, {1.0}, {{mp, 1.0}, {pair, 1.0}});
  const int poisson = pushed.add(Kind::marchenko_pastur, {1.0, 2.0, 1.0, 1.0});
  const int total = pushed.add(Kind::boxplus, {}, {{both, 1.0}, {poisson, 1.5}});
  pushed.add(Kind::resize, {1.5}, {{total, 1.0}});
  trees.push_back({"a resized sum", pushed, 4.0, 4.0});
  return trees;
}

// One operation: the step from any state at all.
void any_state() {
  Random random(31);
  for (const Named& named : flat_trees()) {
    const LoadResult loaded = named.tree.load(false);
    check(*loaded.error == '\0', named.name + ": " + loaded.error);
    const Program& program = loaded.program;
    const bool logarithmic = program.root().form == Form::product;
    for (int draw = 0; draw < 200; ++draw) {
      Vector u;
      for (const int leaf : program.leaf_nodes) {
        const Node& n = program.nodes[static_cast<std::size_t>(leaf)];
        const bool below = is_product_leaf(n.kind) && !(n.kind == Kind::marchenko_pastur && n.parameters[0] < 0.0);
        const double height = std::fabs(random.wide(-0.7, 0.7));
        u.emplace_back(random.uniform(-3.0, 3.0), below ? -height : height);
      }
      std::vector<int> pivots(program.nodes.size());
      const Complex<double> z{random.uniform(-2.0, 8.0), random.uniform(0.1, 2.0)};
      const Vector swept = swept_step<double>(program, u, z, &pivots);
      const Vector dense =
          dense_step(program, u, pivots, logarithmic, logarithmic ? std::log(Value(z.re, z.im)) : Value(z.re, z.im));
      compare(swept, dense, u, kAgreement, named.name + ": the step from any state");
      compare(swept_step<DoubleDouble>(program, u, z), dense, u, kAgreement, named.name + ": in double-double");
    }
  }
}

// Nested operations: at a solution the step is the derivative du/dz, whatever form the equations have.
void derivative_at_solutions() {
  Random random(32);
  std::vector<Named> trees = nested_trees();
  for (const Named& flat : flat_trees()) trees.push_back(flat);
  for (const Named& named : trees) {
    const LoadResult loaded = named.tree.load(false);
    check(*loaded.error == '\0', named.name + ": " + loaded.error);
    const Program& program = loaded.program;
    const std::vector<int> references(program.nodes.size(), 0);
    Tracer tracer(program, named.center, named.width);
    for (int draw = 0; draw < 20; ++draw) {
      const Complex<double> z{named.center + named.width * random.uniform(-2.0, 2.0),
                              named.width * random.uniform(0.05, 1.0)};
      State<double, 1> state = tracer.make_state();
      check(tracer.descend_to(z, state), named.name + ": solved in the upper half-plane");
      const Vector u = vector_of(state);
      const Vector r = residuals(program, u, references, false);
      for (std::size_t i = 0; i + 1 < r.size(); ++i) {
        check_below(static_cast<double>(std::abs(r[i])), 1e-9 * named.width, named.name + ": the equations hold");
      }
      const Value wanted(z.re, z.im);
      check_below(static_cast<double>(std::abs(r.back() - wanted) / std::abs(wanted)), 1e-11, named.name + ": at z");
      const Value unit = residuals(program, u, references, false).back() + 1.0L;
      State<double, 1> du = tracer.make_state();
      tracer.tangent_at(z, state, du);
      compare(vector_of(du), dense_step(program, u, references, false, unit), u, kAgreement, named.name + ": du/dz");
    }
  }
}

// Off a solution of a nested tree the two linearise at different points: they differ by the square of the error.
void second_order() {
  Random random(33);
  for (const Named& named : nested_trees()) {
    const LoadResult loaded = named.tree.load(false);
    const Program& program = loaded.program;
    Tracer tracer(program, named.center, named.width);
    const Complex<double> z{named.center, 0.5 * named.width};
    State<double, 1> state = tracer.make_state();
    check(tracer.descend_to(z, state), named.name + ": solved");
    const Vector solution = vector_of(state);
    for (const double size : {1e-3, 1e-4}) {
      Vector u = solution;
      for (Value& one : u) one *= Value(1.0 + size * random.uniform(-1.0, 1.0), size * random.uniform(-1.0, 1.0));
      const Vector step = swept_step<double>(program, u, z);
      for (std::size_t l = 0; l < u.size(); ++l) {
        const auto left = static_cast<double>(std::abs(u[l] + step[l] - solution[l]) / std::abs(solution[l]));
        check_below(left, 300.0 * size * size, named.name + ": one step leaves the square of the error");
      }
    }
  }
}

// A lane's bits do not depend on its neighbours, in sixteen lanes or alone.
void lanes() {
  constexpr int kLanes = 16;
  Random random(34);
  for (const Named& named : nested_trees()) {
    const LoadResult loaded = named.tree.load(false);
    const Program& program = loaded.program;
    Newton<kLanes> block(program);
    Newton<1> alone(program);
    Tracer tracer(program, named.center, named.width);
    State<double, kLanes> u(program.leaf_nodes.size());
    std::vector<State<double, 1>> starts;
    Block<double, kLanes> target;
    for (int i = 0; i < kLanes; ++i) {
      const Complex<double> z{named.center + named.width * random.uniform(-1.0, 1.0), 0.3 * named.width};
      State<double, 1> start = tracer.make_state();
      check(tracer.descend_to(z, start), named.name + ": solved");
      for (std::size_t l = 0; l < u.size(); ++l) u[l].set(i, start[l].get(0));
      starts.push_back(start);
      target.set(i, root_target(program.root(), Complex<double>{z.re + 0.05 * named.width, z.im}));
    }
    NewtonResult<kLanes> many{};
    block.run(target, u, 12, many);
    for (int i = 0; i < kLanes; ++i) {
      Block<double, 1> own;
      own.set(0, target.get(i));
      NewtonResult<1> one{};
      alone.run(own, starts[static_cast<std::size_t>(i)], 12, one);
      check(one.state[0] == many.state[i] && one.iterations[0] == many.iterations[i], named.name + ": lane's steps");
      check(one.c.re[0] == many.c.re[i] && one.c.im[0] == many.c.im[i], named.name + ": lane's bits");
      check(many.state[i] == 2, named.name + ": converged");
    }
  }
}

}  // namespace
}  // namespace freeconv::test

int main() {
  freeconv::test::any_state();
  freeconv::test::derivative_at_solutions();
  freeconv::test::second_order();
  freeconv::test::lanes();
  return freeconv::test::finish();
}
