// Cells that are graded towards both ends of a piece: eight equal ones to an octave of the distance (or the mass) from
// the nearer end, so that its exponent and three more bits are the cell, and the rest of its mantissa the place in it.
#pragma once

#include "freeconv/chain/state.hpp"
#include "freeconv/chain/vector.hpp"

namespace freeconv::FREECONV_ISA {

struct Cells {
  alignas(64) long long cell[kWidth];
  alignas(64) double place[kWidth];    // from -1/2 to 1/2
  alignas(64) long long near[kWidth];  // -1: nearer to the end than the cells go; its cell is 0
  bool one;                            // all lanes are in one cell

  static constexpr long long kMantissa = 0x000fffffffffffffLL;
  static constexpr long long kOne = 0x3ff0000000000000LL;

  // distances(at, s, upper) gives those of kVector lanes from their ends, and whether these are the upper ones.
  template <class Table, class At>
  [[gnu::always_inline]] void find(const Table& table, const At& distances) {
    Longs apart{};
    Longs first{};
    for (int at = 0; at < kWidth; at += kVector) {
      Doubles s;
      Longs upper;
      distances(at, s, upper);
      const Longs bits = (Longs)s;
      const Longs outside = ~(s >= table.bottom);
      const Longs chosen = ((bits >> 49) - table.first_cell + (upper & table.side_cells)) & ~outside;
      if (at == 0) first = Longs{} + chosen[0];
      apart |= (chosen ^ first) | outside;
      store(cell + at, chosen);
      store(near + at, outside);
      store(place + at, (Doubles)(((bits << 3) & kMantissa) | kOne) - 1.5);
    }
    long long any = 0;
    for (int i = 0; i < kVector; ++i) any |= apart[i];
    one = any == 0;
  }

  // Lane i in a table of its own.
  [[gnu::always_inline]] void find_one(int i, const ChainGraded& table, double s, bool upper) {
    const auto bits = std::bit_cast<long long>(s);
    const bool inside = s >= table.bottom;
    near[i] = inside ? 0 : -1;
    cell[i] = inside ? (bits >> 49) - table.first_cell + (upper ? table.side_cells : 0) : 0;
    place[i] = std::bit_cast<double>(((bits << 3) & kMantissa) | kOne) - 1.5;
  }

  // The polynomial of kChainTerms ascending coefficients from `column` on in the rows of `width` of `graded`; 0 where
  // it is nearer.
  [[gnu::always_inline]] void evaluate(const double* graded, int width, int column, double* values) const {
    static_assert(kChainTerms == 6);
    if (one) {
      const double* c = graded + width * cell[0] + column;
      for (int at = 0; at < kWidth; at += kVector) {
        const Doubles s = load(place + at);
        store(values + at, c[0] + s * (c[1] + s * (c[2] + s * (c[3] + s * (c[4] + s * c[5])))));
      }
      return;
    }
    evaluate_rows([&](int i) { return graded + width * cell[i]; }, column, values);
  }

  // The same with row(lane) of each lane's own table.
  template <class Row>
  [[gnu::always_inline]] void evaluate_rows(const Row& row, int column, double* __restrict values) const {
    alignas(64) double terms[kChainTerms][kWidth];
    for (int i = 0; i < kWidth; ++i) {
      const double* coefficients = row(i) + column;
      for (int k = 0; k < kChainTerms; ++k) terms[k][i] = near[i] != 0 ? 0.0 : coefficients[k];
    }
    for (int i = 0; i < kWidth; ++i) {
      const double s = place[i];
      values[i] =
          terms[0][i] + s * (terms[1][i] + s * (terms[2][i] + s * (terms[3][i] + s * (terms[4][i] + s * terms[5][i]))));
    }
  }

  // What stands at `column` of each lane's row.
  [[gnu::always_inline]] void read(const double* graded, int width, int column, double* values) const {
    for (int i = 0; i < kWidth; ++i) values[i] = graded[width * cell[i] + column];
  }
};

}  // namespace freeconv::FREECONV_ISA
