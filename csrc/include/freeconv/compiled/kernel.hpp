// Values of a table at a block of points. Compiled once per instruction set into a namespace of its own; plain loops
// over lanes and nothing from std:: (templates of two builds would merge).
#pragma once

#include "freeconv/compiled/table.hpp"

#ifndef FREECONV_ISA
#define FREECONV_ISA baseline
#endif

namespace freeconv::FREECONV_ISA {

struct TableKernel {
  // The number of points nearer to an end than the table goes; their values are NaN. NaN stays NaN.
  static long long evaluate(const TableView& table, const double* x, double* values) {
    constexpr int kLanes = kTableLanes;
    constexpr unsigned long long kMantissa = 0x000fffffffffffffULL;
    constexpr unsigned long long kOne = 0x3ff0000000000000ULL;
    alignas(64) long long region[kLanes];
    find(table, x, region);
    alignas(64) double base[kLanes];
    alignas(64) double t[kLanes];
    alignas(64) long long row[kLanes];
    alignas(64) long long missing[kLanes];
    for (int i = 0; i < kLanes; ++i) {
      const TableRegion& r = table.regions[region[i]];
      const double s = (x[i] - r.anchor) * r.sign;
      const bool inside = s >= r.bottom;
      missing[i] = !inside && r.bottom == r.bottom;
      base[i] = r.base;
      const auto bits = __builtin_bit_cast(unsigned long long, s);
      const TableOctave& octave = table.octaves[inside ? static_cast<long long>(bits >> 52) + r.octave : 0];
      const double mantissa = __builtin_bit_cast(double, (bits & kMantissa) | kOne) - 1.0;
      const double place = mantissa * octave.cells;
      const int cell = static_cast<int>(place);
      t[i] = (place - static_cast<double>(cell)) - 0.5;
      row[i] = kTableTerms * (static_cast<long long>(octave.first) + (inside ? cell : 0));
    }
    alignas(64) double sum[kLanes];
    for (int i = 0; i < kLanes; ++i) sum[i] = table.rows[row[i] + kTableTerms - 1];
    for (int j = kTableTerms - 2; j >= 0; --j) {
      for (int i = 0; i < kLanes; ++i) sum[i] = sum[i] * t[i] + table.rows[row[i] + j];
    }
    long long missed = 0;
    for (int i = 0; i < kLanes; ++i) {
      const double value = missing[i] ? __builtin_nan("") : base[i] + sum[i];
      values[i] = x[i] == x[i] ? value : x[i];
      missed += x[i] == x[i] ? missing[i] : 0;
    }
    return missed;
  }

 private:
  // How many cuts are <= x: counted if they are few, else halved, for all lanes alike.
  [[gnu::always_inline]] static void find(const TableView& table, const double* x, long long* region) {
    for (int i = 0; i < kTableLanes; ++i) region[i] = 0;
    if (table.cut_count <= 12) {
      for (long long k = 0; k < table.cut_count; ++k) {
        const double cut = table.cuts[k];
        for (int i = 0; i < kTableLanes; ++i) region[i] += x[i] >= cut ? 1 : 0;
      }
      return;
    }
    long long left = table.cut_count;
    while (left > 0) {
      const long long half = (left + 1) / 2;
      for (int i = 0; i < kTableLanes; ++i) region[i] += x[i] >= table.cuts[region[i] + half - 1] ? half : 0;
      left -= half;
    }
  }
};

}  // namespace freeconv::FREECONV_ISA
