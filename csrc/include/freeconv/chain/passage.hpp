// Into a block of lanes and out of it: the user's points as the chain's, its heights as densities.
#pragma once

#include "freeconv/chain/state.hpp"
#include "freeconv/numeric/double_double.hpp"

namespace freeconv::FREECONV_ISA {

class ChainPassage {
 public:
  // Takes kChainLanes points through `count` steps, in double-double; whether all of them lie between low and high.
  // If so they are the lanes' points, with the bits of Program::core_point.
  [[gnu::noinline]] static bool enter(const ChainEntry* steps, int count, const double* x, double low, double high,
                                      ChainLanes& lanes) {
    for (int i = 0; i < kWidth; ++i) {
      lanes.x[i] = x[i];
      lanes.x_rest[i] = 0.0;
    }
    for (int k = 0; k < count; ++k) {
      const DoubleDouble shift{steps[k].shift, 0.0};
      const DoubleDouble scale{steps[k].scale, 0.0};
      for (int i = 0; i < kWidth; ++i) {
        const DoubleDouble at = quotient_of(difference_of(DoubleDouble{lanes.x[i], lanes.x_rest[i]}, shift), scale);
        lanes.x[i] = at.hi;
        lanes.x_rest[i] = at.lo;
      }
    }
    long long outside = 0;
    for (int i = 0; i < kWidth; ++i) outside += (lanes.x[i] > low) & (lanes.x[i] < high) ? 0 : 1;
    if (outside != 0) return false;
    lanes.live = kWidth;
    if (count > 0) {
      for (int i = 0; i < kWidth; ++i) lanes.x_rest[i] = lanes.x_rest[i] / lanes.x[i];
    }
    return true;
  }

  // pi times the densities; how many lanes are proven, with an error of at most `allowed`, or not live.
  [[gnu::noinline]] static int finish(ChainLanes& lanes, double allowed) {
    long long good = kWidth - lanes.live;
    for (int i = 0; i < kWidth; ++i) {
      const double density = -lanes.height[i] / lanes.x[i];
      lanes.density[i] = density;
      good += (i < lanes.live) & (lanes.proven[i] > 0.0) & (lanes.error[i] <= allowed) & (density >= 0.0) ? 1 : 0;
    }
    return static_cast<int>(good);
  }
};

}  // namespace freeconv::FREECONV_ISA
