// The starting values of a chain along one piece of the support.
#include <algorithm>
#include <cmath>

#include "freeconv/chain/solve.hpp"
#include "freeconv/spectrum/grading.hpp"
#include "freeconv/spectrum/skeleton.hpp"

namespace freeconv {
namespace {

// Octaves of the distance from an end that have graded cells: down to 1e-12 of the width.
constexpr int kGradedOctaves = 40;
// A node may be solved to this, whatever a density may be.
constexpr double kNodeError = 1e-9;

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
    cells.push_back(cubic_cell(skeleton.t[k], h, chain.innermost(left), chain.innermost(right),
                               h * (chain.innermost_slope(left) * left_slope),
                               h * (chain.innermost_slope(right) * right_slope)));
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
  const double width = piece.high - piece.low;
  const Grading grading(0.5 * width, kGradedOctaves);
  if (!grading) return;
  std::vector<double> rows(grading.cells() * 2 * kChainTerms, 0.0);  // of the real part, and of the imaginary part
  const std::vector<Grading::Place> nodes = grading.nodes();
  ChainLanes lanes{};
  Complex<double> values[kChainLanes];
  for (std::size_t at = 0; at < nodes.size(); at += kChainLanes) {
    const std::size_t count = std::min<std::size_t>(kChainLanes, nodes.size() - at);
    lanes.together = true;
    for (std::size_t i = 0; i < kChainLanes; ++i) {
      const Grading::Place& node = nodes[at + (i < count ? i : 0)];
      const DoubleDouble x = node.upper ? two_sum(piece.high, -node.s) : two_sum(piece.low, node.s);
      lanes.piece[i] = &piece;
      lanes.x[i] = x.hi;
      lanes.x_rest[i] = x.lo / x.hi;
      values[i] = cubic(node.upper ? std::log((width - node.s) / node.s) : std::log(node.s / (width - node.s)));
    }
    solve_chain(chain, lanes, kNodeError, kNodeError);
    for (std::size_t i = 0; i < count; ++i) {
      if (is_solved(lanes, static_cast<int>(i), kNodeError)) values[i] = {lanes.u_re[i], lanes.u_im[i]};
      double* row = rows.data() + nodes[at + i].cell * 2 * kChainTerms;
      grading.add(at + i, values[i].re, row);
      grading.add(at + i, values[i].im, row + kChainTerms);
    }
  }
  graded = std::move(rows);
  static_cast<ChainGraded&>(piece) = grading.view(graded.data());
}

}  // namespace freeconv
