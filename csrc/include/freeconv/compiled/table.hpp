// A function of one real variable as polynomials on cells that are graded geometrically towards both ends of each
// interval: plain data, made by freeconv/graded.py.
//
// Cut points divide the axis into regions. In each, s = sign (x - anchor) is the distance from an end, exact where it
// is small; an octave 2^e <= s < 2^(e+1) has a number of equal cells, and a cell a polynomial in its own -1/2 <= t <
// 1/2. On a cell of s0 <= s < s0 (1 + 1/8) any power s^a times a power series is a polynomial of degree 7 to 1e-13 of
// itself, so that no edge needs a variable or a function of its own: exponent and mantissa of s are index and argument.
#pragma once

namespace freeconv {

inline constexpr int kTableLanes = 16;
// Coefficients of a cell: one cache line.
inline constexpr int kTableTerms = 8;

struct TableRegion {
  double anchor;
  double sign;
  double base;       // value = base + polynomial
  double bottom;     // nearer than this the table says nothing; NaN where the value is base throughout
  long long octave;  // place of the octave of s, less the biased exponent of s
};

struct TableOctave {
  double cells;
  double first;  // its first row
};

struct TableView {
  const double* cuts;  // ascending; region k has cuts[k - 1] <= x < cuts[k]
  long long cut_count;
  const TableRegion* regions;
  const TableOctave* octaves;  // the 0th has one cell, of row 0
  const double* rows;          // kTableTerms ascending coefficients a cell; row 0 is 0
};

}  // namespace freeconv
