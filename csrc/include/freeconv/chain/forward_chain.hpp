// From a program to its forward chain, if it is one.
#pragma once

#include <vector>

#include "freeconv/chain/chain.hpp"
#include "freeconv/tree/program.hpp"

namespace freeconv {

class ForwardChain {
 public:
  ForwardChain() = default;
  // Empty if the program is no forward chain, or has powers that are not whole numbers. Points into the program.
  explicit ForwardChain(const Program& program);

  explicit operator bool() const { return !stages_.empty(); }
  // The leaf whose unknown tells the chain's own, and how.
  int leaf() const { return leaf_; }
  Complex<double> innermost(Complex<double> u) const;
  Complex<double> innermost_slope(Complex<double> u) const;
  ChainView view() const {
    return {stages_.data(),
            groups_.data(),
            factors_.data(),
            angles_.data(),
            atoms_.data(),
            static_cast<int>(stages_.size()),
            static_cast<int>(atoms_.size() / 4),
            measure_,
            contour_};
  }

 private:
  struct Draft;
  void add(ChainStage stage, const Draft& draft);
  bool is_in_range() const;
  void start_from(const Node& measure, DoubleDouble p0, int multiplicity, bool by_parts);

  // A leaf of two atoms whose unknown is z: the upper atom, the distance between them, the upper one's weight.
  struct Coin {
    double top = 0.0, jump = 0.0, weight = 0.0;
  };

  int leaf_ = -1;
  Coin coin_;
  std::vector<ChainStage> stages_;
  std::vector<ChainGroup> groups_;
  std::vector<ChainFactor> factors_;
  std::vector<ChainAngle> angles_;
  std::vector<double> atoms_;  // of four parts
  ChainMeasure measure_{};
  ChainContour contour_{};
};

}  // namespace freeconv
