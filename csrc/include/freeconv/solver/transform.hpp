// R- and S-transforms: K = z - F at a given G or a given m.
//
// Both are followed along the segment from 0 (z = infinity, where K is the mean) to the wanted argument. z itself
// may turn at an edge on the way, K is analytic there.
#pragma once

#include "freeconv/solver/fixed_point.hpp"

namespace freeconv {

enum class Argument { g, m };

class Transform {
 public:
  explicit Transform(const Program& program)
      : program_(program), sweeps_(program), fixed_point_(program), state_(program.leaf_nodes.size()) {}

  // K at the argument; false if it could not be followed there (a branch point lies on the segment).
  bool k_at(Argument kind, Complex<double> value, Complex<double>& k);

 private:
  bool follow(Argument kind, Complex<double> value, Complex<double>& k);
  bool correct(Argument kind, Complex<double> value, State<double, 1>& u, Complex<double>& k);

  const Program& program_;
  Sweeps<double, 1> sweeps_;
  FixedPoint fixed_point_;
  State<double, 1> state_;
};

}  // namespace freeconv
