// Quantiles of a chain: from a mass to a point that is 1e-9 off at most, and one Newton step of F from there.
#pragma once

#include "freeconv/chain/cells.hpp"
#include "freeconv/numeric/double_double.hpp"

namespace freeconv::FREECONV_ISA {

// A step of less, relative to the distance from the end, is the last: of a power law the next is less than its square.
inline constexpr double kQuantileStep = 3e-8;

class ChainQuantile {
 public:
  // From the masses of the piece on both sides of each quantile to lanes that can be solved. Those off the cells are in
  // the middle of the piece, and not known.
  [[gnu::noinline]] static void aim(const ChainGraded& inverse, const ChainPiece& piece, const double* below,
                                    const double* above, ChainAim& aimed, ChainLanes& lanes) {
    Cells cells;
    cells.find(inverse, [&](int at, Doubles& mass, Longs& upper) {
      const Doubles left = load(below + at);
      const Doubles right = load(above + at);
      upper = right < left;
      mass = upper ? right : left;
      store(aimed.above + at, upper);
      store(aimed.mass + at, mass);
    });
    cells.evaluate(inverse.graded, kInverseRow, 0, aimed.s);
    cells.read(inverse.graded, kInverseRow, kChainTerms, aimed.upper);
    for (int i = 0; i < kWidth; ++i) aimed.s[i] = exp_(aimed.s[i]);
    const Doubles low = every(piece.low);
    const Doubles high = every(piece.high);
    const Doubles middle = every(piece.low + 0.5 * (piece.high - piece.low));
    for (int at = 0; at < kWidth; at += kVector) {
      const Doubles s = load(aimed.s + at);
      const Longs upper = load(aimed.upper + at) > 0.0;
      const Doubles end = upper ? high : low;
      const Doubles signed_s = upper ? -s : s;
      const Doubles x = end + signed_s;
      const Longs known = (x > low) & (x < high) & ~load(cells.near + at);
      // As two_sum.
      const Doubles back = x - end;
      const Doubles rest = ((end - (x - back)) + (signed_s - back)) / x;
      store(aimed.known + at, known);
      store(lanes.x + at, known ? x : middle);
      store(lanes.x_rest + at, known ? rest : every(0.0));
    }
    lanes.piece[0] = &piece;
    lanes.together = true;
    lanes.live = kWidth;
  }

  // Newton's step from lanes that are solved and measured; which of them it takes to their quantiles.
  [[gnu::noinline]] static void land(const ChainPiece& piece, const ChainMasses& masses, const ChainLanes& lanes,
                                     ChainAim& aimed) {
    const Doubles least = every(masses.low - masses.rounding);
    const Doubles most = every(masses.high + masses.rounding);
    for (int at = 0; at < kWidth; at += kVector) {
      const Longs above = load(aimed.above + at);
      const Longs upper = load(aimed.upper + at) > 0.0;
      const Doubles s = load(aimed.s + at);
      const Doubles cdf = load(lanes.cdf + at);
      const Doubles mass = load(aimed.mass + at);
      const Doubles off = above ? mass - (masses.high - cdf) : (cdf - masses.low) - mass;  // F - p
      const Doubles move = off * kPi / load(lanes.density + at);
      const Doubles step = upper ? -move : move;
      const Longs good = load(aimed.known + at) & (load(lanes.proven + at) > 0.0) &
                         (load(lanes.error + at) <= masses.error) & (load(lanes.cdf_error + at) <= masses.displaced) &
                         (cdf >= least) & (cdf <= most) & (magnitude(step) <= kQuantileStep * s);
      const Doubles to = s - step;
      store(aimed.x + at, upper ? piece.high - to : piece.low + to);
      store(aimed.good + at, good);
    }
  }
};

}  // namespace freeconv::FREECONV_ISA
