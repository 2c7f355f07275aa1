#include "freeconv/spectrum/grading.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "freeconv/chain/chain.hpp"
#include "freeconv/numeric/real.hpp"

namespace freeconv {
namespace {

// Cells of an octave: three bits of the mantissa.
constexpr int kOctaveCells = 8;

// The matrix from values at Chebyshev nodes of [-1/2, 1/2] to ascending coefficients.
struct Interpolation {
  double nodes[kChainTerms];
  double inverse[kChainTerms][kChainTerms];  // [node][term]

  Interpolation() {
    for (int j = 0; j < kChainTerms; ++j) nodes[j] = 0.5 * std::cos(kPi * (j + 0.5) / kChainTerms);
    for (int j = 0; j < kChainTerms; ++j) {
      // Lagrange's polynomial of node j, a factor at a time.
      double terms[kChainTerms] = {1.0};
      for (int k = 0, degree = 0; k < kChainTerms; ++k) {
        if (k == j) continue;
        const double over = 1.0 / (nodes[j] - nodes[k]);
        for (int d = ++degree; d >= 0; --d) terms[d] = over * ((d > 0 ? terms[d - 1] : 0.0) - nodes[k] * terms[d]);
      }
      for (int d = 0; d < kChainTerms; ++d) inverse[j][d] = terms[d];
    }
  }
};

const Interpolation& interpolation() {
  static const Interpolation made;
  return made;
}

}  // namespace

// Rounding may lift a distance above half of the whole: no octave may be missing for that.
Grading::Grading(double half, int octaves) : half_(half * (1.0 + 4.0 * kEpsilon)), octaves_(octaves) {
  if (!(half_ > 0.0) || !(half_ < kInfinity)) return;
  bottom_ = std::ldexp(1.0, std::ilogb(half_) + 1 - octaves_);
  valid_ = bottom_ >= std::numeric_limits<double>::min();
}

std::size_t Grading::cells() const { return static_cast<std::size_t>(2 * octaves_ * kOctaveCells); }

long long Grading::first_cell() const { return static_cast<long long>(std::bit_cast<std::uint64_t>(bottom_) >> 49); }

std::vector<Grading::Place> Grading::nodes() const {
  std::vector<Place> places;
  const int side = octaves_ * kOctaveCells;
  for (int upper = 0; upper < 2; ++upper) {
    for (int cell = 0; cell < side; ++cell) {
      const double octave = std::ldexp(bottom_, cell / kOctaveCells);
      const double length = octave / kOctaveCells;
      const double start = octave + length * (cell % kOctaveCells);
      if (start > half_) break;
      for (const double node : interpolation().nodes) {
        places.push_back({static_cast<std::size_t>(upper * side + cell), start + length * (0.5 + node), upper != 0});
      }
    }
  }
  return places;
}

void Grading::add(std::size_t node, double value, double* row) const {
  const double* terms = interpolation().inverse[node % kChainTerms];
  for (int d = 0; d < kChainTerms; ++d) row[d] += terms[d] * value;
}

}  // namespace freeconv
