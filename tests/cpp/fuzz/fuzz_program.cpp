// No input may crash the core: any arrays to load_program, and what it accepts to Transform and Spectrum.
//
// Beyond the sanitizers: statuses are known ones, NaN is answered by NaN, outputs may be null, and a point's bits do
// not depend on the others.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "freeconv/solver/transform.hpp"
#include "input.hpp"
#include "moments.hpp"
#include "spectra.hpp"

namespace freeconv::fuzz {
namespace {

using test::Row;

constexpr double kTiny = 5e-324;
// The time of a spectrum grows with its tree, what it can trip over does not: more are tried if they are small.
constexpr std::size_t kSmallTree = 10;

void require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "fuzz_program: %s\n", what);
  std::abort();
}

constexpr auto kNotANumber = static_cast<signed char>(Status::not_a_number);
bool known(signed char status) { return status >= 0 && status <= kNotANumber; }

void transforms(const Tree& tree) {
  const LoadResult loaded = tree.load(false);
  Transform transform(loaded.program);
  const Complex<double> values[] = {{0.1, 0.0},   {-0.3, 0.2},  {0.0, 0.0}, {kTiny, -kTiny},
                                    {1e300, 1.0}, {kInf, -1.0}, {1.0, kNan}};
  for (const Argument kind : {Argument::g, Argument::m}) {
    for (const Complex<double> value : values) {
      Complex<double> k{};
      transform.k_at(kind, value, k);
    }
  }
}

void evaluate(const Spectrum& spectrum, const CoreFacts& facts, const Input& input) {
  std::vector<double> x{kNan,
                        kInf,
                        -kInf,
                        0.0,
                        -0.0,
                        kTiny,
                        -1e-310,
                        1e300,
                        std::numeric_limits<double>::lowest(),
                        facts.mean,
                        facts.mean + facts.deviation,
                        facts.mean - 3.0 * facts.deviation,
                        input.x[0],
                        input.x[1]};
  const std::vector<double> support = spectrum.support();
  require(support.size() % 2 == 0, "the support is a list of pairs");
  for (std::size_t i = 0; i < std::min<std::size_t>(support.size(), 8); i += 2) {
    const double low = support[i];
    const double high = support[i + 1];
    x.insert(x.end(), {low, std::nextafter(low, kInf), low + 0.37 * (high - low), std::nextafter(high, -kInf), high});
  }
  const std::vector<Row> rows = test::evaluated(spectrum, x);
  const std::vector<Row> fewer = test::evaluated(spectrum, x, false);
  for (std::size_t i = 0; i < x.size(); ++i) {
    require(known(rows[i].status), "evaluate: a known status");
    require((rows[i].status == kNotANumber) == std::isnan(x[i]), "evaluate: NaN");
    // Without a distribution function it is not checked either, and more is certified.
    require(known(fewer[i].status), "evaluate: outputs may be null");
    if (i % 4 == 1)
      require(same(rows[i], test::evaluated(spectrum, {x[i]})[0]), "evaluate: its bits are a point's own");
  }
}

void solve(const Spectrum& spectrum, const CoreFacts& facts, const Input& input) {
  const std::vector<double> z{kNan,       0.0, 0.0,   kNan,  kInf,       1.0,   0.0,        kInf,       0.0,
                              0.0,        0.0, kTiny, kTiny, 1e-40,      1e300, 1e300,      facts.mean, facts.deviation,
                              facts.mean, 0.0, 1.0,   -1.0,  input.x[0], 0.0,   input.x[0], 1e-9,       1.0,
                              input.x[1]};
  const std::vector<Row> rows = test::solved(spectrum, z);
  std::vector<signed char> status(rows.size(), -1);
  Solved out{};
  out.status = status.data();
  spectrum.solve(z.data(), status.size(), out);
  for (std::size_t j = 0; j < rows.size(); ++j) {
    require(known(rows[j].status), "solve: a known status");
    require((rows[j].status == kNotANumber) == (std::isnan(z[2 * j]) || std::isnan(z[2 * j + 1])), "solve: NaN");
    require(rows[j].status == status[j], "solve: outputs may be null");
  }
}

void spectra(const Input& input, const Program& program) {
  CoreFacts facts = input.facts;
  if (!input.facts_given) {
    facts.mean = finite(program.root().mean, 0.0);
    facts.deviation = positive(deviation(program));
  }
  const Spectrum spectrum = test::make_spectrum(input.tree, facts);
  evaluate(spectrum, facts, input);
  solve(spectrum, facts, input);
  test::inverted(spectrum, {kNan, 0.0, kTiny, 0.3, 0.5, 1.0, kInf, input.x[0]});
}

}  // namespace
}  // namespace freeconv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace freeconv;
  const fuzz::Input input = fuzz::decode(data, size);
  const LoadResult loaded = input.tree.load(true);
  for (const bool peel : {false, true}) {
    for (const Offsets offsets : {Offsets::at_zero, Offsets::none}) {
      const LoadResult again = input.tree.load(peel, offsets);
      fuzz::require(std::strcmp(again.error, loaded.error) == 0, "the same complaint however it is loaded");
      if (*again.error == '\0') fuzz::require(again.program.root().parent == -1, "the last node is the root");
    }
  }
  if (*loaded.error != '\0' || !input.with_spectrum || input.tree.kinds.size() > fuzz::kSmallTree) return 0;
  fuzz::transforms(input.tree);
  fuzz::spectra(input, loaded.program);
  return 0;
}
