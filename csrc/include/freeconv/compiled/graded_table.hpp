// A table that owns its arrays, and its values at many points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "freeconv/compiled/table.hpp"

namespace freeconv {

class Interrupt;

struct TableArrays {
  const double* cuts;
  std::size_t cut_count;
  const double* regions;  // anchor, sign, base and bottom of each
  const std::int64_t* octave_offsets;
  std::size_t region_count;
  const double* octaves;  // cells and first row of each
  std::size_t octave_count;
  const double* rows;
  std::size_t row_count;
};

class GradedTable {
 public:
  // Null if the arrays make a table, else what is wrong with them. All places that a double can lead to are checked, so
  // that no argument reads beyond an array.
  static const char* check(const TableArrays& arrays);

  // Of arrays that passed.
  explicit GradedTable(const TableArrays& arrays);

  // Writes the value at each of n points; NaN at those nearer to an end than the table goes, whose number it returns.
  std::size_t evaluate(const double* x, std::size_t n, double* values, int workers, Interrupt* interrupt) const;

  std::size_t bytes() const;

 private:
  struct alignas(64) Row {
    double terms[kTableTerms];
  };

  TableView view() const;

  std::vector<double> cuts_;
  std::vector<TableRegion> regions_;
  std::vector<TableOctave> octaves_;
  std::vector<Row> rows_;
};

}  // namespace freeconv
