// Points of the support, solved by the chain's kernel where the law is a chain and the kernel can prove its result, and
// by the general blocks otherwise.
#pragma once

#include "freeconv/chain/solve.hpp"
#include "freeconv/spectrum/density.hpp"

namespace freeconv {

class Points {
 public:
  static constexpr int kLanes = kChainLanes;

  Points(const Program& program, const std::vector<Skeleton>& pieces, const std::vector<Atom>& atoms, Tracer tracer,
         const ForwardChain& chain, const std::vector<ChainTable>& tables)
      : program_(program),
        pieces_(pieces),
        chain_(chain),
        tables_(tables),
        blocks_(program, pieces, atoms, std::move(tracer)) {}

  Recovery& recovery() { return blocks_.recovery(); }
  void recover(const Evaluated& out, std::size_t j, DoubleDouble x, const Skeleton& piece, const Recovered& spent) {
    blocks_.recover(out, j, x, piece, spent);
  }

  // As DensityBlocks::run, for `count` <= kLanes points whose results go to `at` and after.
  void run(const DoubleDouble* core, const int* piece, std::size_t at, int count, const Evaluated& out) {
    int left[kLanes];  // pieces of those that are not done
    for (int i = 0; i < count; ++i) {
      left[i] = piece[i];
      known_[i] = 0;
    }
    if (chain_ && out.potential == nullptr) run_chain(core, left, at, count, out);
    DoubleDouble x[kBlock];
    int piece_of[kBlock];
    std::size_t where[kBlock];
    int waiting = 0;
    for (int i = 0; i < count; ++i) {
      if (left[i] >= 0) {
        x[waiting] = core[i];
        piece_of[waiting] = left[i];
        where[waiting++] = at + static_cast<std::size_t>(i);
      }
      if (waiting == 0 || (waiting < kBlock && i + 1 < count)) continue;
      blocks_.run(x, piece_of, where, waiting, out);
      waiting = 0;
    }
    // A density does not depend on whether F is asked for, to the last bit.
    for (int i = 0; i < count; ++i) {
      if (known_[i] == 0) continue;
      const std::size_t j = at + static_cast<std::size_t>(i);
      if (out.status[j] == static_cast<signed char>(Status::certified)) out.density[j] = density_[i];
    }
  }

 private:
  static constexpr int kBlock = 16;

  // Sets the pieces of points that are done to -1.
  void run_chain(const DoubleDouble* core, int* piece, std::size_t at, int count, const Evaluated& out) {
    int idle = -1;
    for (int i = 0; i < count; ++i) idle = piece[i] >= 0 ? piece[i] : idle;
    if (idle < 0) return;
    for (int i = 0; i < kLanes; ++i) {
      const bool live = i < count && piece[i] >= 0;
      lanes_.piece[i] = &tables_[static_cast<std::size_t>(live ? piece[i] : idle)].piece;
      lanes_.x[i] = live ? core[i].hi : pieces_[static_cast<std::size_t>(idle)].start_x;
      lanes_.x_rest[i] = live && core[i].lo != 0.0 ? core[i].lo / core[i].hi : 0.0;
    }
    solve_chain(chain_.view(), lanes_, kAllowedError, kRefinedError);
    if (out.cdf != nullptr) kernels().measure(chain_.view(), lanes_);
    for (int i = 0; i < count; ++i) {
      if (piece[i] < 0) continue;
      const double density = -lanes_.height[i] / lanes_.x[i];
      if (lanes_.proven[i] == 0.0 || !(lanes_.error[i] <= kAllowedError) || !(density >= 0.0)) continue;
      const Skeleton& here = pieces_[static_cast<std::size_t>(piece[i])];
      Recovered r;
      r.status = Status::certified;
      r.density = density;
      r.residual = lanes_.residual[i];
      r.iterations = static_cast<int>(lanes_.steps[i]);
      if (out.cdf != nullptr) {
        r.cdf = lanes_.cdf[i];
        if (!(lanes_.cdf_error[i] <= kDisplacedCdf) || !within(here, r.cdf)) {
          known_[i] = 1;
          density_[i] = program_.factor * (density / kPi);
          continue;
        }
      }
      record(program_, out, at + static_cast<std::size_t>(i), here, r, lanes_.error[i]);
      piece[i] = -1;
    }
  }

  const Program& program_;
  const std::vector<Skeleton>& pieces_;
  const ForwardChain& chain_;
  const std::vector<ChainTable>& tables_;
  DensityBlocks<kBlock> blocks_;
  ChainLanes lanes_{};
  int known_[kLanes] = {};  // points whose density the chain could tell, but not F
  double density_[kLanes] = {};
};

}  // namespace freeconv
