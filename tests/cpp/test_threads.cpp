// One Spectrum used by many threads, many built at once: every bit as in one thread. The preset tsan looks for races.
#include <atomic>
#include <chrono>
#include <cmath>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "check.hpp"
#include "freeconv/spectrum/workers.hpp"
#include "spectra.hpp"

namespace freeconv::test {
namespace {

constexpr int kThreads = 8;

struct Case {
  std::string name;
  Tree tree;
  CoreFacts facts;
};

// Each way through a Spectrum: from a skeleton, a gap, a cusp that is recovered point by point, an atom at 0 and steps
// peeled off the root.
std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](const char* name, const Tree& tree, double deviation) -> Case& {
    Case one{name, tree, {}};
    one.facts.mean = tree.load(true).program.root().mean;
    one.facts.deviation = deviation;
    return all.emplace_back(one);
  };
  add("a power", marchenko_pastur_tree(1.0, 1.0, 2.0), std::sqrt(2.0));
  add("a gap", noisy_atoms_tree({-1.0, 1.0, 0.5, 0.5}, 0.25), std::sqrt(1.25));
  add("a cusp", noisy_atoms_tree({-1.0, 1.0, 0.5, 0.5}, 1.0), std::sqrt(2.0));
  Tree masked;
  const int coin = masked.add(Kind::bernoulli, {0.5, 2.0});
  const int square = masked.add(Kind::marchenko_pastur, {1.0, 1.0, 1.0, 1.0});
  const int product = masked.add(Kind::boxtimes, {0.5}, {{coin, 2.0}, {square, 2.0}});
  masked.add(Kind::affine, {0.5, 1.0}, {{product, 1.0}});
  add("a product, moved", masked, 2.0).facts.atoms.push_back({0.0, 0.5});
  return all;
}

// As the law's user sees it: `masked` is twice as narrow and moved by 1.
std::vector<double> line(const CoreFacts& facts) {
  std::vector<double> x{std::nan(""), 0.0, 1.0, facts.mean};
  for (int i = 0; i < 119; ++i) x.push_back(facts.mean + facts.deviation * (i - 58.7) / 12.0);
  return x;
}

std::vector<double> plane(const CoreFacts& facts) {
  std::vector<double> z;
  for (int i = 0; i < 24; ++i) {
    z.push_back(facts.mean + facts.deviation * (i - 11.7) / 3.0);
    z.push_back(i % 3 == 0 ? 0.0 : facts.deviation * std::pow(10.0, i % 7 - 4));
  }
  return z;
}

const std::vector<double> kLevels{0.01, 0.1, 0.25, 0.5, 0.51, 0.9, 0.999};

// Runs task(0), ..., task(kThreads - 1) at the same time. All must return true; check() itself is for one thread.
template <class Task>
void at_once(const std::string& what, const Task& task, const Where& where = Where::current()) {
  std::latch ready(kThreads);
  std::vector<int> good(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      ready.arrive_and_wait();
      good[static_cast<std::size_t>(t)] = task(t) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int one : good) check(one != 0, what, where);
}

// The t-th part of the points, or of what was found there, `width` entries each.
template <class T>
std::vector<T> part(const std::vector<T>& all, int t, std::size_t width = 1) {
  const std::size_t count = all.size() / width;
  const auto from = [&](int k) {
    return all.begin() + static_cast<std::ptrdiff_t>(count * static_cast<std::size_t>(k) / kThreads * width);
  };
  return {from(t), from(t + 1)};
}

void one_spectrum(const Case& one) {
  const std::vector<double> x = line(one.facts);
  const std::vector<double> z = plane(one.facts);
  const Spectrum alone = make_spectrum(one.tree, one.facts);
  check(alone.complete(), one.name + ": complete");
  const std::vector<Row> densities = evaluated(alone, x);
  const std::vector<Row> transforms = solved(alone, z);
  const std::vector<double> quantiles = inverted(alone, kLevels);

  const Spectrum shared = make_spectrum(one.tree, one.facts);
  at_once(one.name + ": the same points in all threads", [&](int t) {
    // In another order in each thread: all that can be asked runs beside all the rest.
    bool good = true;
    for (int k = 0; k < 3; ++k) {
      switch ((t + k) % 3) {
        case 0: good = good && same(evaluated(shared, x), densities); break;
        case 1: good = good && same(solved(shared, z), transforms); break;
        default: good = good && same(inverted(shared, kLevels), quantiles); break;
      }
    }
    return good;
  });
  at_once(one.name + ": other points in each thread", [&](int t) {
    return same(evaluated(shared, part(x, t)), part(densities, t)) &&
           same(solved(shared, part(z, t, 2)), part(transforms, t));
  });
}

// Each thread builds every law, starting with another one: equal ones and different ones are built side by side.
void many_spectra() {
  const std::vector<Case> all = cases();
  std::vector<std::vector<double>> supports;
  std::vector<std::vector<Row>> densities;
  for (const Case& one : all) {
    const Spectrum spectrum = make_spectrum(one.tree, one.facts);
    supports.push_back(spectrum.support());
    densities.push_back(evaluated(spectrum, line(one.facts)));
  }
  at_once("spectra built in parallel", [&](int t) {
    bool good = true;
    for (std::size_t k = 0; k < all.size(); ++k) {
      const std::size_t i = (k + static_cast<std::size_t>(t)) % all.size();
      const Spectrum spectrum = make_spectrum(all[i].tree, all[i].facts);
      good = good && spectrum.support() == supports[i] && same(evaluated(spectrum, line(all[i].facts)), densities[i]);
    }
    return good;
  });
}

// What a thread throws comes out of the call, once all threads have ended.
void exceptions() {
  std::atomic<int> calls{0};
  std::string said;
  try {
    share_out(1000, 4, 1, [&] {
      return [&](std::size_t begin, std::size_t) {
        ++calls;
        if (begin == 7) throw std::runtime_error("the eighth");
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      };
    });
  } catch (const std::runtime_error& error) {
    said = error.what();
  }
  check(said == "the eighth", "a task's exception");
  check(calls < 1000, "it ends the call");
}

}  // namespace
}  // namespace freeconv::test

int main() {
  for (const freeconv::test::Case& one : freeconv::test::cases()) freeconv::test::one_spectrum(one);
  freeconv::test::many_spectra();
  freeconv::test::exceptions();
  return freeconv::test::finish();
}
