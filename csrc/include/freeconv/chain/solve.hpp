// A chain's lanes solved, those whose rounding would show with their last step in double-double.
#pragma once

#include "freeconv/chain/dispatch.hpp"

namespace freeconv {

// Above `allowed` an error is refined to `refined`, where that can be done.
inline void solve_chain(const ChainView& chain, ChainLanes& lanes, double allowed, double refined) {
  const Kernels& kernel = kernels();
  kernel.solve(chain, lanes);
  int rough = 0;
  for (int i = 0; i < kChainLanes; ++i) rough += lanes.proven[i] > 0.0 && !(lanes.error[i] <= allowed) ? 1 : 0;
  if (rough == 0 || !is_flat(chain)) return;
  ChainLanes sharp = lanes;
  kernel.refine(chain, sharp);
  for (int i = 0; i < kChainLanes; ++i) {
    if (lanes.error[i] <= allowed || sharp.sharp[i] == 0.0) continue;
    lanes.height[i] = sharp.height[i];
    lanes.u_re[i] = sharp.u_re[i];
    lanes.u_im[i] = sharp.u_im[i];
    lanes.error[i] = refined;
  }
}

}  // namespace freeconv
