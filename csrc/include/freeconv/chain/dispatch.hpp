// The kernels that this processor runs best: the same source, compiled for several instruction sets.
#pragma once

#include "freeconv/chain/chain.hpp"
#include "freeconv/chain/flat_laws.hpp"
#include "freeconv/compiled/table.hpp"

namespace freeconv {

struct Kernels {
  const char* isa;
  bool (*enter)(const ChainEntry*, int, const double*, double, double, ChainLanes&);
  void (*solve)(const ChainView&, ChainLanes&);
  int (*finish)(ChainLanes&, double);
  void (*aim)(const ChainGraded&, const ChainPiece&, const double*, const double*, ChainAim&, ChainLanes&);
  void (*land)(const ChainPiece&, const ChainMasses&, const ChainLanes&, ChainAim&);
  bool (*measure)(const ChainView&, ChainLanes&, double);
  void (*refine)(const ChainView&, ChainLanes&, double);
  void (*refine_measure)(const ChainView&, ChainLanes&, double);
  void (*follow)(const FlatLaws&, const FlatCells&);
  long long (*tabulated)(const TableView&, const double*, double*);
};

// Those in use: of FREECONV_ISA if it is set, else the best.
const Kernels& kernels();

// Names of the instruction sets that were compiled and that this processor has, worst first; null at the end.
const char* const* available_isas();

// Whether FREECONV_ISA is unset or names one of them. If not, kernels() are the best ones.
bool isa_is_valid();

}  // namespace freeconv
