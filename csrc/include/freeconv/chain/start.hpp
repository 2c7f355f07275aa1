// Where Newton starts in a chain's lanes: the unknown as a polynomial of the distance from the nearer end of the piece,
// or, nearer to it than those cells go, the skeleton's cubic in t. Which of the two depends on the point alone.
#pragma once

#include "freeconv/chain/cells.hpp"
#include "freeconv/chain/flat_laws.hpp"

namespace freeconv::FREECONV_ISA {

class ChainStart {
 public:
  // Sets the unknowns; whether some lanes started from the skeleton, and which.
  [[gnu::noinline]] static bool run(ChainLanes& lanes) {
    Cells cells;
    if (lanes.together && lanes.piece[0]->even != nullptr) {
      for (int i = 0; i < kWidth; ++i) lanes.near[i] = 0;
      from_even(*lanes.piece[0], lanes);
      return false;
    }
    if (lanes.together) {
      const ChainPiece piece = *lanes.piece[0];
      cells.find(piece, [&](int at, Doubles& s, Longs& upper) {
        const Doubles x = load(lanes.x + at);
        const Doubles left = x - piece.low;
        const Doubles right = piece.high - x;
        upper = right < left;
        s = upper ? right : left;
      });
      if (piece.graded != nullptr) {
        cells.evaluate(piece.graded, 2 * kChainTerms, 0, lanes.u_re);
        cells.evaluate(piece.graded, 2 * kChainTerms, kChainTerms, lanes.u_im);
      }
      if (cells.one) return false;
    } else {
      find(lanes, cells);
      from_many(cells, lanes);
    }
    long long any_near = 0;
    for (int i = 0; i < kWidth; ++i) {
      lanes.near[i] = cells.near[i];
      any_near |= cells.near[i];
    }
    if (any_near != 0) from_skeleton(cells.near, lanes);
    return any_near != 0;
  }

 private:
  // Each lane in its own piece.
  [[gnu::noinline]] static void find(const ChainLanes& lanes, Cells& cells) {
    for (int i = 0; i < kWidth; ++i) {
      const ChainPiece& piece = *lanes.piece[i];
      const double left = lanes.x[i] - piece.low;
      const double right = piece.high - lanes.x[i];
      const bool upper = right < left;
      cells.find_one(i, piece, upper ? right : left, upper);
    }
  }

  [[gnu::noinline]] static void from_many(const Cells& __restrict cells, ChainLanes& __restrict lanes) {
    const auto row = [&](int i) { return lanes.piece[i]->graded + 2 * kChainTerms * cells.cell[i]; };
    cells.evaluate_rows(row, 0, lanes.u_re);
    cells.evaluate_rows(row, kChainTerms, lanes.u_im);
  }

  // Beyond the skeleton's ends the unknown is 0, which no certificate accepts.
  [[gnu::noinline]] static void from_skeleton(const long long* near, ChainLanes& lanes) {
    // Whole vectors, and no more than are wanted.
    const int live = lanes.live + kVector - 1 - (lanes.live + kVector - 1) % kVector;
    alignas(64) double t[kWidth];
    alignas(64) double low[kWidth];
    alignas(64) double high[kWidth];
    for (int i = 0; i < live; ++i) {
      low[i] = piece_of(lanes, i).low;
      high[i] = piece_of(lanes, i).high;
    }
    for (int i = 0; i < live; ++i) t[i] = log_((lanes.x[i] - low[i]) / (high[i] - lanes.x[i]));
    alignas(64) double s[kWidth];
    alignas(64) double re[4][kWidth];
    alignas(64) double im[4][kWidth];
    for (int i = 0; i < live; ++i) {
      const ChainPiece& piece = piece_of(lanes, i);
      const bool within = near[i] != 0 && t[i] >= piece.first && t[i] < piece.last;
      const ChainCell& cell = piece.cells[within ? find_cell(piece, t[i]) : 0];
      s[i] = (t[i] - cell.start) * cell.over_h;
      for (int k = 0; k < 4; ++k) {
        re[k][i] = within ? cell.re[k] : 0.0;
        im[k][i] = within ? cell.im[k] : 0.0;
      }
    }
    for (int i = 0; i < live; ++i) {
      const double u_re = re[0][i] + s[i] * (re[1][i] + s[i] * (re[2][i] + s[i] * re[3][i]));
      const double u_im = im[0][i] + s[i] * (im[1][i] + s[i] * (im[2][i] + s[i] * im[3][i]));
      lanes.u_re[i] = near[i] != 0 ? u_re : lanes.u_re[i];
      lanes.u_im[i] = near[i] != 0 ? u_im : lanes.u_im[i];
    }
  }

  // A run of lanes in one cell at a time: neighbours mostly are. 0 beyond the cells.
  [[gnu::noinline]] static void from_even(const ChainPiece& piece, ChainLanes& lanes) {
    constexpr double kOverStep = 1.0 / kFlatKnotStep;
    constexpr double kRound = 6755399441055744.0;  // beside 1.5 2^52 doubles are whole
    alignas(64) double place[kWidth];
    alignas(64) int cell[kWidth];
    const double low = piece.low;
    const double high = piece.high;
    // The place in a cell does not depend on where the cells begin.
    const double first = piece.first * kOverStep;
    const double last = piece.last * kOverStep;
    for (int i = 0; i < kWidth; ++i) {
      const double x = lanes.x[i];
      const double at = log_((x - low) / (high - x)) * kOverStep;
      const bool within = at >= first && at < last;
      const double whole = ((at - 0.5) + kRound) - kRound;
      cell[i] = within ? static_cast<int>(whole - first) : -1;
      place[i] = at - whole;
    }
    for (int from = 0; from < lanes.live;) {
      int to = from + 1;
      while (to < kWidth && cell[to] == cell[from]) ++to;
      const double* row = piece.even + (cell[from] < 0 ? 0 : cell[from]) * kFlatCell;
      const double scale = cell[from] < 0 ? 0.0 : 1.0;
      double re[kFlatTerms];
      double im[kFlatTerms];
      for (int k = 0; k < kFlatTerms; ++k) {
        re[k] = scale * row[k * kFlatLaws];
        im[k] = scale * row[(kFlatTerms + k) * kFlatLaws];
      }
      for (int at = from - from % kVector; at < to; at += kVector) {
        const Doubles s = load(place + at);
        Doubles u_re = every(re[kFlatTerms - 1]);
        Doubles u_im = every(im[kFlatTerms - 1]);
        for (int k = kFlatTerms - 2; k >= 0; --k) {
          u_re = re[k] + s * u_re;
          u_im = im[k] + s * u_im;
        }
        const Longs lane = lane_numbers() + static_cast<long long>(at);
        const Longs kept = lane < static_cast<long long>(from);
        store(lanes.u_re + at, kept ? load(lanes.u_re + at) : u_re);
        store(lanes.u_im + at, kept ? load(lanes.u_im + at) : u_im);
      }
      from = to;
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
