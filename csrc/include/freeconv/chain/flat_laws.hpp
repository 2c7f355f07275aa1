// Flat chains side by side, one in each lane: where their curves are followed together (chain/flat_march.hpp).
#pragma once

namespace freeconv {

inline constexpr int kFlatLaws = 8;
// Between knots, in t = log((x - low)/(high - x)): quintics between two of them are good to some 1e-9.
inline constexpr double kFlatKnotStep = 0.25;
// The first knot: there the square root at the upper end is good to start Newton.
inline constexpr double kFlatKnotStart = 4.0;
// Coefficients of the unknown's real part, and as many of its imaginary part, in a cell between two knots.
inline constexpr int kFlatTerms = 6;
inline constexpr int kFlatCell = 2 * kFlatTerms * kFlatLaws;

// log z = scale + sum of weight log(c + offset), and the ends of its support.
struct FlatLaws {
  int terms = 0;                   // of the law with most of them
  const double* offset = nullptr;  // [terms][kFlatLaws]
  const double* weight = nullptr;  // the same; 0 where a law has less terms
  alignas(64) double scale[kFlatLaws] = {};
  alignas(64) double low[kFlatLaws] = {};
  alignas(64) double high[kFlatLaws] = {};
  alignas(64) double top[kFlatLaws] = {};        // c at the upper end, and
  alignas(64) double curvature[kFlatLaws] = {};  // (log z)'' there
};

// Cells that are followed from the first knot, downwards and upwards. None depends on how many there are, nor on the
// other laws. Of one that could not be followed, and of those beyond it, all is 0.
struct FlatCells {
  int below = 0;
  int above = 0;
  double* rows = nullptr;  // [below + above][2 kFlatTerms][kFlatLaws]
};

}  // namespace freeconv
