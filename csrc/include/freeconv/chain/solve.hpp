// A chain's lanes solved, those whose rounding would show with their last step in double-double.
#pragma once

#include "freeconv/chain/dispatch.hpp"

namespace freeconv {

// Relative error that doubles may leave in a chain's density: its running estimate counts every rounding.
inline constexpr double kChainAllowedError = 9e-12;

// Above `allowed` an error is refined to `refined`, where that can be done. Returns the number of lanes that are
// solved: proven, with an error of at most `allowed`.
inline int solve_chain(const ChainView& chain, ChainLanes& lanes, double allowed, double refined) {
  const Kernels& kernel = kernels();
  kernel.solve(chain, lanes);
  const int solved = kernel.finish(lanes, allowed);
  if (solved == kChainLanes || has_measure(chain)) return solved;
  int rough = 0;
  for (int i = 0; i < lanes.live; ++i) rough += lanes.proven[i] > 0.0 && !(lanes.error[i] <= allowed) ? 1 : 0;
  if (rough == 0) return solved;
  kernel.refine(chain, lanes, allowed);
  for (int i = 0; i < kChainLanes; ++i) lanes.error[i] = lanes.sharp[i] != 0.0 ? refined : lanes.error[i];
  return kernel.finish(lanes, allowed);
}

// F at the lanes' solutions, from double-double where its estimated error is above `displaced` and that can be done.
inline void measure_chain(const ChainView& chain, ChainLanes& lanes, double displaced) {
  if (kernels().measure(chain, lanes, displaced)) kernels().refine_measure(chain, lanes, displaced);
}

// Whether lane i is one of those.
inline bool is_solved(const ChainLanes& lanes, int i, double allowed) {
  return lanes.proven[i] > 0.0 && lanes.error[i] <= allowed && lanes.density[i] >= 0.0;
}

}  // namespace freeconv
