// Cells graded geometrically towards both ends of a piece, see chain/cells.hpp, and the interpolation in them. With a
// ratio of 34 of the distance of a singularity at the end to half a cell, a square root is a polynomial of degree 5 to
// 3e-11 of itself.
#pragma once

#include <cstddef>
#include <vector>

#include "freeconv/chain/chain.hpp"

namespace freeconv {

class Grading {
 public:
  struct Place {
    std::size_t cell;
    double s;  // from the end
    bool upper;
  };

  // Of distances (or masses) up to `half` from either end, that many octaves down.
  Grading(double half, int octaves);

  // Whether the lowest of them is a normal number.
  explicit operator bool() const { return valid_; }
  std::size_t cells() const;  // of both ends, those of the lower one first
  double bottom() const { return bottom_; }
  long long first_cell() const;

  // kChainTerms to a cell, cell by cell; none in cells beyond `half`.
  std::vector<Place> nodes() const;
  // Rows of coefficients as the kernels take them.
  ChainGraded view(const double* rows) const {
    return {rows, bottom_, first_cell(), static_cast<long long>(cells() / 2)};
  }
  // Adds the node's part of its cell's ascending coefficients.
  void add(std::size_t node, double value, double* row) const;

 private:
  double half_;
  int octaves_;
  double bottom_ = 0.0;
  bool valid_ = false;
};

}  // namespace freeconv
