// Compiled once per instruction set, with FREECONV_ISA the name of its namespace.
#include "freeconv/chain/dispatch.hpp"
#include "freeconv/chain/flat_march.hpp"
#include "freeconv/chain/kernel.hpp"
#include "freeconv/chain/passage.hpp"
#include "freeconv/chain/quantile.hpp"
#include "freeconv/chain/refiner.hpp"
#include "freeconv/compiled/kernel.hpp"

namespace freeconv::FREECONV_ISA {

extern const Kernels kKernels;
const Kernels kKernels = {nullptr,
                          &ChainPassage::enter,
                          &ChainKernel::solve,
                          &ChainPassage::finish,
                          &ChainQuantile::aim,
                          &ChainQuantile::land,
                          &ChainKernel::measure,
                          &ChainRefiner::refine,
                          &ChainRefiner::measure,
                          &FlatMarch::follow,
                          &TableKernel::evaluate};

}  // namespace freeconv::FREECONV_ISA
