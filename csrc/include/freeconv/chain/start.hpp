// Where Newton starts in a chain's lanes: the unknown as a polynomial of the distance from the nearer end of the piece,
// or, nearer to it than those cells go, the skeleton's cubic in t. Which of the two depends on the point alone.
#pragma once

#include "freeconv/chain/state.hpp"
#include "freeconv/chain/vector.hpp"

namespace freeconv::FREECONV_ISA {

class ChainStart {
 public:
  [[gnu::noinline]] static void run(ChainLanes& lanes) {
    alignas(64) long long cell[kWidth];
    alignas(64) double place[kWidth];
    alignas(64) long long near[kWidth];  // -1: nearer to an end than the cells go
    const bool spread = lanes.together ? find_together(lanes, cell, place, near) : find(lanes, cell, place, near);
    if (!spread) return from_one(lanes.piece[0]->graded + kChainTerms * 2 * cell[0], place, lanes);
    long long any_near = 0;
    long long all_near = -1;
    for (int i = 0; i < kWidth; ++i) {
      any_near |= near[i];
      all_near &= near[i];
    }
    if (all_near == 0) from_many(cell, place, near, lanes);
    if (any_near != 0) from_skeleton(near, lanes);
  }

 private:
  static constexpr long long kMantissa = 0x000fffffffffffffLL;
  static constexpr long long kOne = 0x3ff0000000000000LL;

  // Cell and place in it of the distance s from the nearer end: eight equal cells to an octave, so that the exponent
  // and three more bits of s are the cell, and the rest of its mantissa the place. Whether there is more than one cell.
  [[gnu::always_inline]] static bool find_together(const ChainLanes& lanes, long long* cell, double* place,
                                                   long long* near) {
    const ChainPiece piece = *lanes.piece[0];
    Longs apart{};
    Longs first{};
    for (int at = 0; at < kWidth; at += kVector) {
      const Doubles x = load(lanes.x + at);
      const Doubles left = x - piece.low;
      const Doubles right = piece.high - x;
      const Longs upper = right < left;
      const Doubles s = upper ? right : left;
      const Longs bits = (Longs)s;
      const Longs outside = ~(s >= piece.bottom);
      const Longs chosen = ((bits >> 49) - piece.first_cell + (upper & piece.side_cells)) & ~outside;
      if (at == 0) first = Longs{} + chosen[0];
      apart |= (chosen ^ first) | outside;
      store(cell + at, chosen);
      store(near + at, outside);
      store(place + at, (Doubles)(((bits << 3) & kMantissa) | kOne) - 1.5);
    }
    long long any = 0;
    for (int i = 0; i < kVector; ++i) any |= apart[i];
    return any != 0;
  }

  // The same, each lane in its own piece.
  [[gnu::noinline]] static bool find(const ChainLanes& lanes, long long* cell, double* place, long long* near) {
    for (int i = 0; i < kWidth; ++i) {
      const ChainPiece& piece = *lanes.piece[i];
      const double left = lanes.x[i] - piece.low;
      const double right = piece.high - lanes.x[i];
      const bool upper = right < left;
      const double s = upper ? right : left;
      const auto bits = std::bit_cast<long long>(s);
      const bool inside = s >= piece.bottom;
      near[i] = inside ? 0 : -1;
      cell[i] = inside ? (bits >> 49) - piece.first_cell + (upper ? piece.side_cells : 0) : 0;
      place[i] = std::bit_cast<double>(((bits << 3) & kMantissa) | kOne) - 1.5;
    }
    return true;
  }

  // All lanes in one cell, as those of a fine sorted grid are.
  [[gnu::always_inline]] static void from_one(const double* terms, const double* place, ChainLanes& lanes) {
    const double* im = terms + kChainTerms;
    for (int at = 0; at < kWidth; at += kVector) {
      const Doubles s = load(place + at);
      store(lanes.u_re + at,
            terms[0] + s * (terms[1] + s * (terms[2] + s * (terms[3] + s * (terms[4] + s * terms[5])))));
      store(lanes.u_im + at, im[0] + s * (im[1] + s * (im[2] + s * (im[3] + s * (im[4] + s * im[5])))));
    }
  }

  [[gnu::noinline]] static void from_many(const long long* cell, const double* place, const long long* near,
                                          ChainLanes& lanes) {
    static_assert(kChainTerms == 6);
    alignas(64) double terms[2 * kChainTerms][kWidth];
    for (int i = 0; i < kWidth; ++i) {
      const double* row = piece_of(lanes, i).graded + (near[i] != 0 ? 0 : kChainTerms * 2 * cell[i]);
      for (int k = 0; k < 2 * kChainTerms; ++k) terms[k][i] = near[i] != 0 ? 0.0 : row[k];
    }
    for (int i = 0; i < kWidth; ++i) {
      const double s = place[i];
      lanes.u_re[i] =
          terms[0][i] + s * (terms[1][i] + s * (terms[2][i] + s * (terms[3][i] + s * (terms[4][i] + s * terms[5][i]))));
      lanes.u_im[i] = terms[6][i] +
                      s * (terms[7][i] + s * (terms[8][i] + s * (terms[9][i] + s * (terms[10][i] + s * terms[11][i]))));
    }
  }

  // Beyond the skeleton's ends the unknown is 0, which no certificate accepts.
  [[gnu::noinline]] static void from_skeleton(const long long* near, ChainLanes& lanes) {
    alignas(64) double t[kWidth];
    alignas(64) double low[kWidth];
    alignas(64) double high[kWidth];
    for (int i = 0; i < kWidth; ++i) {
      low[i] = piece_of(lanes, i).low;
      high[i] = piece_of(lanes, i).high;
    }
    for (int i = 0; i < kWidth; ++i) t[i] = log_((lanes.x[i] - low[i]) / (high[i] - lanes.x[i]));
    alignas(64) double s[kWidth];
    alignas(64) double re[4][kWidth];
    alignas(64) double im[4][kWidth];
    for (int i = 0; i < kWidth; ++i) {
      const ChainPiece& piece = piece_of(lanes, i);
      const bool within = near[i] != 0 && t[i] >= piece.first && t[i] < piece.last;
      const ChainCell& cell = piece.cells[within ? find_cell(piece, t[i]) : 0];
      s[i] = (t[i] - cell.start) * cell.over_h;
      for (int k = 0; k < 4; ++k) {
        re[k][i] = within ? cell.re[k] : 0.0;
        im[k][i] = within ? cell.im[k] : 0.0;
      }
    }
    for (int i = 0; i < kWidth; ++i) {
      const double u_re = re[0][i] + s[i] * (re[1][i] + s[i] * (re[2][i] + s[i] * re[3][i]));
      const double u_im = im[0][i] + s[i] * (im[1][i] + s[i] * (im[2][i] + s[i] * im[3][i]));
      lanes.u_re[i] = near[i] != 0 ? u_re : lanes.u_re[i];
      lanes.u_im[i] = near[i] != 0 ? u_im : lanes.u_im[i];
    }
  }

  [[gnu::always_inline]] static const ChainPiece& piece_of(const ChainLanes& lanes, int i) {
    return *lanes.piece[lanes.together ? 0 : i];
  }

  [[gnu::always_inline]] static int find_cell(const ChainPiece& piece, double t) {
    int k = piece.bins[static_cast<int>((t - piece.first) * kChainBins)];
    while (k + 1 < piece.cell_count && piece.cells[k + 1].start <= t) ++k;
    return k;
  }
};

}  // namespace freeconv::FREECONV_ISA
