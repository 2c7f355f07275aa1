// Many laws at a few hundred points each, where the support and the skeleton of a whole Spectrum would be most of the
// work. Serves flat chains: products of Bernoulli and Marchenko-Pastur laws with whole powers, whatever is peeled off.
//
// Their log z is f(c) = sum w_k log(c + d_k), c = m + p0, and their support is one interval [a, b]:
//   b: for m > 0, m (1 + m) f'(m) is a sum of increasing functions, so that z falls from infinity to b at the one zero
//      of f' (none: an atom at the top);
//   a: z has a zero at c = 0. Of order 2 or more it is a hard edge, a = 0. Of order 1 m is analytic about z = 0, and
//      for c < 0 c f'(c) is a sum of increasing functions: z grows from 0 to a at the one zero of f' before the next
//      zero of z.
// Points beyond are outside, with proof. Within, starting values follow the curve down from b; every point has the
// certificate of the chain's kernel, and what has not (a gap, if there were one) is left to a Spectrum.
#pragma once

#include "freeconv/solver/interrupt.hpp"
#include "freeconv/spectrum/spectrum.hpp"

namespace freeconv {

// `count` laws of the same kinds and children: parameters and multiplicities [law][...]; x is [row][points], or
// [points] for all.
struct Batch {
  ProgramArrays structure;
  std::int64_t count;
  const double* parameters;
  const double* multiplicities;
  const double* x;
  std::int64_t points;
  bool shared_x;
  const std::int64_t* rows;    // of each law, in x and in the values
  bool cdf;                    // the distribution functions, not the densities
  std::vector<double> sorted;  // of an x for all

  // Before the batch is evaluated.
  void sort();
};

// Values [row][points]; those of points that are left to a Spectrum, and of NaN, are NaN. `left` tells of each law
// whether there are such points.
void evaluate_batch(const Batch& batch, double* values, unsigned char* left, int workers, Interrupt* interrupt);

}  // namespace freeconv
