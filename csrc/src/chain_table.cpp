// The starting values of a chain along one piece of the support.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "freeconv/chain/solve.hpp"
#include "freeconv/spectrum/skeleton.hpp"

namespace freeconv {
namespace {

// Octaves of the distance from an end that have graded cells: down to 1e-12 of the width.
constexpr int kGradedOctaves = 40;
// Cells of an octave: three bits of the mantissa. With a ratio of 34 of the distance of the singularity at the end to
// half a cell, a square root is a polynomial of degree 5 to 3e-11 of itself.
constexpr int kOctaveCells = 8;
// A node may be solved to this, whatever a density may be.
constexpr double kNodeError = 1e-9;

long long upper_bits(double s) { return static_cast<long long>(std::bit_cast<std::uint64_t>(s) >> 49); }

// The matrix from values at Chebyshev nodes of [-1/2, 1/2] to ascending coefficients.
struct Interpolation {
  double nodes[kChainTerms];
  double inverse[kChainTerms][kChainTerms];  // [term][node]

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
      for (int d = 0; d < kChainTerms; ++d) inverse[d][j] = terms[d];
    }
  }
};

}  // namespace

ChainTable::ChainTable(const Skeleton& skeleton, const ForwardChain& chain, int leaf_count) : bins(skeleton.bins) {
  const auto value = [&](std::size_t k) {
    const double* v = skeleton.values.data() +
                      4 * (k * static_cast<std::size_t>(leaf_count) + static_cast<std::size_t>(chain.leaf()));
    return std::pair{Complex<double>{v[0], v[1]}, Complex<double>{v[2], v[3]}};
  };
  for (std::size_t k = 0; k + 1 < skeleton.t.size(); ++k) {
    const double h = skeleton.t[k + 1] - skeleton.t[k];
    const auto [left, left_slope] = value(k);
    const auto [right, right_slope] = value(k + 1);
    const Complex<double> a = chain.innermost(left);
    const Complex<double> rise = chain.innermost(right) - a;
    const Complex<double> from = h * (chain.innermost_slope(left) * left_slope);
    const Complex<double> at_end = h * (chain.innermost_slope(right) * right_slope);
    const Complex<double> second = (3.0 * rise - 2.0 * from) - at_end;
    const Complex<double> third = (from + at_end) - 2.0 * rise;
    cells.push_back(
        {skeleton.t[k], 1.0 / h, {a.re, from.re, second.re, third.re}, {a.im, from.im, second.im, third.im}});
  }
  piece.low = skeleton.low;
  piece.high = skeleton.high;
  piece.first = skeleton.t.front();
  piece.last = skeleton.t.back();
  piece.cells = cells.data();
  piece.bins = bins.data();
  piece.cell_count = static_cast<int>(cells.size());
}

// Of the skeleton, on its last node beyond its ends.
Complex<double> ChainTable::cubic(double t) const {
  const auto next = std::upper_bound(cells.begin(), cells.end(), t,
                                     [](double value, const ChainCell& cell) { return value < cell.start; });
  const ChainCell& cell = next == cells.begin() ? *next : *std::prev(next);
  const double s = std::clamp((t - cell.start) * cell.over_h, 0.0, 1.0);
  return {cell.re[0] + s * (cell.re[1] + s * (cell.re[2] + s * cell.re[3])),
          cell.im[0] + s * (cell.im[1] + s * (cell.im[2] + s * cell.im[3]))};
}

void ChainTable::grade(const ChainView& chain) {
  static const Interpolation interpolation;
  const double width = piece.high - piece.low;
  const double half = 0.5 * width * (1.0 + 4.0 * kEpsilon);  // of either end, rounding included
  const double top = std::ldexp(1.0, std::ilogb(half));
  const double bottom = std::ldexp(top, 1 - kGradedOctaves);
  if (!(bottom >= std::numeric_limits<double>::min()) || !(width < kInfinity)) return;
  constexpr int kSide = kGradedOctaves * kOctaveCells;
  struct Place {
    int cell;
    double s;
  };
  std::vector<Place> nodes;
  for (int side = 0; side < 2; ++side) {
    for (int cell = 0; cell < kSide; ++cell) {
      const double octave = std::ldexp(bottom, cell / kOctaveCells);
      const double length = octave / kOctaveCells;
      const double middle = octave + length * (cell % kOctaveCells + 0.5);
      if (middle - 0.5 * length > half) break;
      for (const double node : interpolation.nodes) nodes.push_back({side * kSide + cell, middle + length * node});
    }
  }
  // Rows of kChainTerms for the real part, and for the imaginary part.
  std::vector<double> rows(static_cast<std::size_t>(2 * kSide * 2 * kChainTerms), 0.0);
  ChainLanes lanes{};
  Complex<double> values[kChainLanes];
  for (std::size_t at = 0; at < nodes.size(); at += kChainLanes) {
    const std::size_t count = std::min<std::size_t>(kChainLanes, nodes.size() - at);
    lanes.together = true;
    for (std::size_t i = 0; i < kChainLanes; ++i) {
      const Place& node = nodes[at + (i < count ? i : 0)];
      const bool upper = node.cell >= kSide;
      const DoubleDouble x = upper ? two_sum(piece.high, -node.s) : two_sum(piece.low, node.s);
      lanes.piece[i] = &piece;
      lanes.x[i] = x.hi;
      lanes.x_rest[i] = x.lo / x.hi;
      values[i] = cubic(upper ? std::log((width - node.s) / node.s) : std::log(node.s / (width - node.s)));
    }
    solve_chain(chain, lanes, kNodeError, kNodeError);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t j = (at + i) % kChainTerms;
      if (is_solved(lanes, static_cast<int>(i), kNodeError)) values[i] = {lanes.u_re[i], lanes.u_im[i]};
      double* row = rows.data() + static_cast<std::size_t>(nodes[at + i].cell) * 2 * kChainTerms;
      for (std::size_t d = 0; d < kChainTerms; ++d) {
        row[d] += interpolation.inverse[d][j] * values[i].re;
        row[kChainTerms + d] += interpolation.inverse[d][j] * values[i].im;
      }
    }
  }
  graded = std::move(rows);
  piece.graded = graded.data();
  piece.bottom = bottom;
  piece.first_cell = upper_bits(bottom);
  piece.side_cells = kSide;
}

}  // namespace freeconv
