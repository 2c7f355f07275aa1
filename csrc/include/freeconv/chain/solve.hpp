// A chain's lanes solved, those whose rounding would show with their last step in double-double.
#pragma once

#include "freeconv/chain/dispatch.hpp"

namespace freeconv {

// Above `allowed` an error is refined to `refined`, where that can be done. Returns the number of lanes that are
// solved: proven, with an error of at most `allowed`.
inline int solve_chain(const ChainView& chain, ChainLanes& lanes, double allowed, double refined) {
  const Kernels& kernel = kernels();
  kernel.solve(chain, lanes);
  const int solved = kernel.finish(lanes, allowed);
  if (solved == kChainLanes || !is_flat(chain)) return solved;
  int rough = 0;
  for (int i = 0; i < kChainLanes; ++i) rough += lanes.proven[i] > 0.0 && !(lanes.error[i] <= allowed) ? 1 : 0;
  if (rough == 0) return solved;
  ChainLanes sharp = lanes;
  kernel.refine(chain, sharp);
  for (int i = 0; i < kChainLanes; ++i) {
    if (lanes.error[i] <= allowed || sharp.sharp[i] == 0.0) continue;
    lanes.height[i] = sharp.height[i];
    lanes.u_re[i] = sharp.u_re[i];
    lanes.u_im[i] = sharp.u_im[i];
    lanes.error[i] = refined;
  }
  return kernel.finish(lanes, allowed);
}

// Whether lane i is one of those.
inline bool is_solved(const ChainLanes& lanes, int i, double allowed) {
  return lanes.proven[i] > 0.0 && lanes.error[i] <= allowed && lanes.density[i] >= 0.0;
}

}  // namespace freeconv
