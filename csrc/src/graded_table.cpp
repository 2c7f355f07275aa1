#include "freeconv/compiled/graded_table.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>

#include "freeconv/chain/dispatch.hpp"
#include "freeconv/solver/interrupt.hpp"
#include "freeconv/spectrum/workers.hpp"

namespace freeconv {
namespace {

constexpr double kMostCells = 65536.0;

std::int64_t exponent(double s) { return static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(s) >> 52); }

bool whole(double value, double least, double most) {
  return value >= least && value <= most && value == std::floor(value);
}

}  // namespace

const char* GradedTable::check(const TableArrays& in) {
  if (in.region_count != in.cut_count + 1) return "a table has one region more than cuts";
  if (in.octave_count == 0 || in.row_count == 0) return "a table has at least one octave and one row";
  for (std::size_t k = 0; k < in.cut_count; ++k) {
    if (!std::isfinite(in.cuts[k])) return "cuts must be finite";
    if (k > 0 && !(in.cuts[k] > in.cuts[k - 1])) return "cuts must be ascending";
  }
  const double rows = static_cast<double>(in.row_count);
  const auto octaves = static_cast<std::int64_t>(in.octave_count);
  for (std::size_t k = 0; k < in.octave_count; ++k) {
    if (!whole(in.octaves[2 * k], 1.0, kMostCells)) return "cells of an octave must be an integer in [1, 65536]";
    if (!whole(in.octaves[2 * k + 1], 0.0, rows - 1.0)) return "an octave's first row must be one of the rows";
  }
  if (in.octaves[0] != 1.0 || in.octaves[1] != 0.0) return "the first octave must be one cell, of row 0";
  for (std::size_t k = 0; k < in.region_count; ++k) {
    const double* region = in.regions + 4 * k;
    if (!std::isfinite(region[0])) return "anchors must be finite";
    if (std::fabs(region[1]) != 1.0) return "signs must be 1 or -1";
    if (!std::isfinite(region[2])) return "bases must be finite";
    const double bottom = region[3];
    if (std::isnan(bottom) || bottom == std::numeric_limits<double>::infinity()) continue;
    if (!(bottom >= std::numeric_limits<double>::min())) return "bottoms must be normal numbers > 0, inf or NaN";
    // The farthest point of the region: where it has no other end, nothing bounds s.
    const bool upwards = region[1] > 0.0;
    if (upwards ? k == in.cut_count : k == 0) return "a region with cells must end where they do";
    const double far = upwards ? std::nextafter(in.cuts[k], -std::numeric_limits<double>::infinity()) : in.cuts[k - 1];
    const double farthest = (far - region[0]) * region[1];
    if (!(farthest < std::numeric_limits<double>::infinity())) return "regions must have finite lengths";
    if (!(farthest >= bottom)) continue;
    const std::int64_t offset = in.octave_offsets[k];
    if (offset < -4096 || offset > octaves) return "a region's octaves must be those of the table";
    const std::int64_t low = exponent(bottom) + offset;
    const std::int64_t high = exponent(farthest) + offset;
    if (low < 1 || high >= octaves) return "a region's octaves must be those of the table";
    for (std::int64_t o = low; o <= high; ++o) {
      double last = in.octaves[2 * o] - 1.0;
      if (o == high) {
        const double mantissa = std::bit_cast<double>((std::bit_cast<std::uint64_t>(farthest) & 0x000fffffffffffffULL) |
                                                      0x3ff0000000000000ULL) -
                                1.0;
        last = std::floor(mantissa * in.octaves[2 * o]);
      }
      if (in.octaves[2 * o + 1] + last >= rows) return "a region's cells must be rows of the table";
    }
  }
  return nullptr;
}

GradedTable::GradedTable(const TableArrays& in) : cuts_(in.cuts, in.cuts + in.cut_count) {
  for (std::size_t k = 0; k < in.region_count; ++k) {
    const double* region = in.regions + 4 * k;
    regions_.push_back({region[0], region[1], region[2], region[3], in.octave_offsets[k]});
  }
  for (std::size_t k = 0; k < in.octave_count; ++k) octaves_.push_back({in.octaves[2 * k], in.octaves[2 * k + 1]});
  rows_.resize(in.row_count);
  for (std::size_t k = 0; k < in.row_count; ++k) {
    std::copy(in.rows + kTableTerms * k, in.rows + kTableTerms * (k + 1), rows_[k].terms);
  }
  std::fill(rows_[0].terms, rows_[0].terms + kTableTerms, 0.0);
}

TableView GradedTable::view() const {
  return {cuts_.data(), static_cast<long long>(cuts_.size()), regions_.data(), octaves_.data(), rows_[0].terms};
}

std::size_t GradedTable::bytes() const {
  return cuts_.size() * sizeof(double) + regions_.size() * sizeof(TableRegion) + octaves_.size() * sizeof(TableOctave) +
         rows_.size() * sizeof(Row);
}

std::size_t GradedTable::evaluate(const double* x, std::size_t n, double* values, int workers,
                                  Interrupt* interrupt) const {
  const TableView table = view();
  const auto evaluate_block = kernels().tabulated;
  std::atomic<std::size_t> missed{0};
  share_out(n, workers, kChunk, [&] {
    return [&](std::size_t begin, std::size_t end) {
      if (interrupt != nullptr && interrupt->stopped()) return;
      std::size_t count = 0;
      std::size_t i = begin;
      for (; i + kTableLanes <= end; i += kTableLanes) {
        count += static_cast<std::size_t>(evaluate_block(table, x + i, values + i));
      }
      if (i < end) {  // the last block, filled up with a point that has no value
        double points[kTableLanes];
        double found[kTableLanes];
        std::fill(points, points + kTableLanes, std::numeric_limits<double>::quiet_NaN());
        std::copy(x + i, x + end, points);
        count += static_cast<std::size_t>(evaluate_block(table, points, found));
        std::copy(found, found + (end - i), values + i);
      }
      missed += count;
    };
  });
  return missed;
}

}  // namespace freeconv
