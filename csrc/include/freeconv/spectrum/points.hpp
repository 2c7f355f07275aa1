// Points of the support, solved by the chain's kernel where the law is a chain and the kernel can prove its result, and
// by the general blocks otherwise.
#pragma once

#include <memory>

#include "freeconv/chain/solve.hpp"
#include "freeconv/spectrum/density.hpp"

namespace freeconv {

class Points {
 public:
  static constexpr int kLanes = kChainLanes;

  Points(const Program& program, const std::vector<Skeleton>& pieces, const CoreFacts& facts, Interrupt* interrupt,
         const ForwardChain& chain, const std::vector<ChainTable>& tables)
      : program_(program), pieces_(pieces), facts_(facts), interrupt_(interrupt), chain_(chain), tables_(tables) {
    for (const Program::Step& step : program.peeled) steps_.push_back({step.shift, step.scale});
  }

  Recovery& recovery() { return blocks().recovery(); }
  void recover(const Evaluated& out, std::size_t j, DoubleDouble x, const Skeleton& piece, const Recovered& spent) {
    blocks().recover(out, j, x, piece, spent);
  }

  // Solves kLanes of the user's points, if the law is a chain and they all lie in one piece, that of the last block;
  // else does nothing. As run() would, to the last bit.
  bool run_together(const double* x, std::size_t at, const Evaluated& out) {
    if (!chain_ || out.potential != nullptr || last_ < 0) return false;
    const ChainPiece& piece = tables_[static_cast<std::size_t>(last_)].piece;
    const auto steps = static_cast<int>(steps_.size());
    if (!kernels().enter(steps_.data(), steps, x, piece.low, piece.high, lanes_)) return false;
    lanes_.piece[0] = &piece;
    lanes_.together = true;
    const bool all = solve_chain(chain_.view(), lanes_, kChainAllowedError, kRefinedError) == kLanes;
    if (out.cdf != nullptr) measure_chain(chain_.view(), lanes_, kDisplacedCdf);
    if (all && (out.cdf == nullptr || masses_are_known())) {
      store(at, out);
      return true;
    }
    DoubleDouble core[kLanes];
    int piece_of[kLanes];
    for (int i = 0; i < kLanes; ++i) {
      core[i] = program_.core_point(x[i]);
      piece_of[i] = last_;
      known_[i] = 0;
    }
    settle(piece_of, at, kLanes, out);
    run_blocks(core, piece_of, at, kLanes, out);
    return true;
  }

  // kLanes quantiles of a chain's piece from the masses on both sides of each: aimed() has x in the core's units, and
  // which of them were found.
  void aim_together(std::size_t k, const ChainGraded& inverse, const double* below, const double* above) {
    const ChainPiece& piece = tables_[k].piece;
    kernels().aim(inverse, piece, below, above, aim_, lanes_);
    solve_chain(chain_.view(), lanes_, kChainAllowedError, kRefinedError);
    measure_chain(chain_.view(), lanes_, kDisplacedCdf);
    const ChainMasses masses{pieces_[k].cdf_low, pieces_[k].cdf_high, kCdfRounding, kDisplacedCdf, kChainAllowedError};
    kernels().land(piece, masses, lanes_, aim_);
  }
  const ChainAim& aimed() const { return aim_; }

  // As DensityBlocks::run, for `count` <= kLanes points whose results go to `at` and after.
  void run(const DoubleDouble* core, const int* piece, std::size_t at, int count, const Evaluated& out) {
    int left[kLanes];  // pieces of those that are not done
    for (int i = 0; i < count; ++i) {
      left[i] = piece[i];
      known_[i] = 0;
      last_ = piece[i] >= 0 ? piece[i] : last_;
    }
    if (chain_ && out.potential == nullptr) run_chain(core, left, at, count, out);
    run_blocks(core, left, at, count, out);
  }

 private:
  static constexpr int kBlock = 16;

  // Made when they are first needed: of a scalar call for a chain they would be half.
  DensityBlocks<kBlock>& blocks() {
    if (blocks_ == nullptr) {
      Tracer tracer(program_, facts_.mean, facts_.deviation, interrupt_);
      blocks_ = std::make_unique<DensityBlocks<kBlock>>(program_, pieces_, facts_.atoms, std::move(tracer));
    }
    return *blocks_;
  }

  // Whether F is known in all lanes, within rounding between its values at the ends of the piece.
  bool masses_are_known() const {
    const Skeleton& here = pieces_[static_cast<std::size_t>(last_)];
    int wrong = 0;
    for (int i = 0; i < kLanes; ++i) {
      wrong += lanes_.cdf_error[i] <= kDisplacedCdf && within(here, lanes_.cdf[i]) ? 0 : 1;
    }
    return wrong == 0;
  }

  // All lanes, as record() would.
  void store(std::size_t at, const Evaluated& out) const {
    for (int i = 0; i < kLanes; ++i) out.density[at + i] = program_.factor * (lanes_.density[i] / kPi);
    for (int i = 0; i < kLanes; ++i) out.status[at + i] = static_cast<signed char>(Status::certified);
    if (out.residual != nullptr) std::copy_n(lanes_.residual, kLanes, out.residual + at);
    if (out.accuracy != nullptr) std::copy_n(lanes_.error, kLanes, out.accuracy + at);
    if (out.iterations != nullptr) {
      for (int i = 0; i < kLanes; ++i) out.iterations[at + i] = static_cast<int>(lanes_.steps[i]);
    }
    if (out.cdf == nullptr) return;
    const Skeleton& here = pieces_[static_cast<std::size_t>(last_)];
    for (int i = 0; i < kLanes; ++i) {
      const double below = lanes_.cdf[i] > here.cdf_high ? here.cdf_high : lanes_.cdf[i];
      out.cdf[at + i] = below < here.cdf_low ? here.cdf_low : below;
    }
  }

  // Sets the pieces of points that are done to -1.
  void run_chain(const DoubleDouble* core, int* piece, std::size_t at, int count, const Evaluated& out) {
    int idle = -1;
    bool together = true;
    for (int i = 0; i < count; ++i) {
      together = together && (idle < 0 || piece[i] < 0 || piece[i] == idle);
      idle = piece[i] >= 0 ? piece[i] : idle;
    }
    if (idle < 0) return;
    lanes_.together = together;
    lanes_.live = count;
    for (int i = 0; i < kLanes; ++i) {
      const bool live = i < count && piece[i] >= 0;
      lanes_.piece[i] = &tables_[static_cast<std::size_t>(live ? piece[i] : idle)].piece;
      lanes_.x[i] = live ? core[i].hi : pieces_[static_cast<std::size_t>(idle)].start_x;
      lanes_.x_rest[i] = live && core[i].lo != 0.0 ? core[i].lo / core[i].hi : 0.0;
    }
    solve_chain(chain_.view(), lanes_, kChainAllowedError, kRefinedError);
    if (out.cdf != nullptr) measure_chain(chain_.view(), lanes_, kDisplacedCdf);
    settle(piece, at, count, out);
  }

  // Records the lanes that are solved, and sets their pieces to -1.
  void settle(int* piece, std::size_t at, int count, const Evaluated& out) {
    for (int i = 0; i < count; ++i) {
      if (piece[i] < 0 || !is_solved(lanes_, i, kChainAllowedError)) continue;
      const Skeleton& here = pieces_[static_cast<std::size_t>(piece[i])];
      Recovered r;
      r.status = Status::certified;
      r.density = lanes_.density[i];
      r.residual = lanes_.residual[i];
      r.iterations = static_cast<int>(lanes_.steps[i]);
      if (out.cdf != nullptr) {
        r.cdf = lanes_.cdf[i];
        if (!(lanes_.cdf_error[i] <= kDisplacedCdf) || !within(here, r.cdf)) {
          known_[i] = 1;
          continue;
        }
      }
      record(program_, out, at + static_cast<std::size_t>(i), here, r, lanes_.error[i]);
      piece[i] = -1;
    }
  }

  // Those that are left, by the general blocks.
  void run_blocks(const DoubleDouble* core, const int* left, std::size_t at, int count, const Evaluated& out) {
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
      blocks().run(x, piece_of, where, waiting, out);
      waiting = 0;
    }
    // A density does not depend on whether F is asked for, to the last bit, nor what is told of it.
    for (int i = 0; i < count; ++i) {
      if (known_[i] == 0) continue;
      const std::size_t j = at + static_cast<std::size_t>(i);
      if (out.status[j] != static_cast<signed char>(Status::certified)) continue;
      out.density[j] = program_.factor * (lanes_.density[i] / kPi);
      if (out.residual != nullptr) out.residual[j] = lanes_.residual[i];
      if (out.accuracy != nullptr) out.accuracy[j] = lanes_.error[i];
      if (out.iterations != nullptr) out.iterations[j] = static_cast<int>(lanes_.steps[i]);
    }
  }

  const Program& program_;
  const std::vector<Skeleton>& pieces_;
  const CoreFacts& facts_;
  Interrupt* interrupt_;
  const ForwardChain& chain_;
  const std::vector<ChainTable>& tables_;
  std::unique_ptr<DensityBlocks<kBlock>> blocks_;
  std::vector<ChainEntry> steps_;
  ChainLanes lanes_{};
  ChainAim aim_{};
  int last_ = -1;           // the piece of the last point that lay in one
  int known_[kLanes] = {};  // points whose density the chain could tell, but not F
};

}  // namespace freeconv
