// The curves c(t) of flat chains, t = log((x - low)/(high - x)), followed from the square root at their upper ends: a
// knot at a time of all laws at once. A knot has c and its first two derivatives, and quintics join it to the one
// before.
#pragma once

#include "freeconv/chain/flat_laws.hpp"
#include "freeconv/chain/state.hpp"

namespace freeconv::FREECONV_ISA {

class FlatMarch {
 public:
  [[gnu::noinline]] static void follow(const FlatLaws& laws, const FlatCells& cells) {
    State first;
    for (int i = 0; i < kFlatLaws; ++i) {
      const double width = laws.high[i] - laws.low[i];
      const double near = width * share_of(kFlatKnotStart);
      first.re[i] = laws.top[i];
      // log(x/b) = -near/b - ... = curvature (c - top)^2/2: b is a least value of z on the real axis.
      first.im[i] = -sqrt_(2.0 * near / (laws.high[i] * laws.curvature[i]));
      first.lost[i] = 0;
    }
    correct(laws, kFlatKnotStart, first);
    march(laws, first, -1, cells.below, cells.rows, cells.below - 1);
    march(laws, first, 1, cells.above, cells.rows, cells.below);
  }

 private:
  static constexpr int kN = kFlatLaws;
  // Of a knot's last step, relative to Im c: what is left is the square of it.
  static constexpr double kTolerance = 3e-5;
  static constexpr int kSteps = 12;

  struct State {
    alignas(64) double re[kN], im[kN];    // c
    alignas(64) double re1[kN], im1[kN];  // h dc/dt
    alignas(64) double re2[kN], im2[kN];  // h^2 d^2c/dt^2
    alignas(64) long long lost[kN];       // -1: could not be followed to here
  };

  // log z less log x, and the derivatives of log z.
  struct Curve {
    alignas(64) double re[kN], im[kN];
    alignas(64) double s1_re[kN], s1_im[kN];
    alignas(64) double s2_re[kN], s2_im[kN];
    alignas(64) double s3_re[kN], s3_im[kN];
  };

  // Of the width, from the nearer end.
  [[gnu::always_inline]] static double share_of(double t) {
    const double e = exp_(-fabs_(t));
    return e / (1.0 + e);
  }

  [[gnu::noinline]] static void evaluate(const FlatLaws& laws, const double* __restrict log_x,
                                         const State& __restrict at, Curve& __restrict f) {
    for (int i = 0; i < kN; ++i) {
      f.re[i] = laws.scale[i] - log_x[i];
      f.im[i] = f.s1_re[i] = f.s1_im[i] = f.s2_re[i] = f.s2_im[i] = f.s3_re[i] = f.s3_im[i] = 0.0;
    }
    for (int k = 0; k < laws.terms; ++k) {
      const double* __restrict offset = laws.offset + k * kN;
      const double* __restrict weight = laws.weight + k * kN;
      for (int i = 0; i < kN; ++i) {
        const double re = at.re[i] + offset[i];
        const double im = at.im[i];
        const double square = re * re + im * im;
        const double unit = 1.0 / square;
        const double over_re = re * unit;
        const double over_im = -(im * unit);
        const double o2_re = over_re * over_re - over_im * over_im;
        const double o2_im = 2.0 * over_re * over_im;
        const double w = weight[i];
        f.re[i] += 0.5 * w * log_(square);
        f.im[i] += w * atan2_(im, re);
        f.s1_re[i] += w * over_re;
        f.s1_im[i] += w * over_im;
        f.s2_re[i] -= w * o2_re;
        f.s2_im[i] -= w * o2_im;
        f.s3_re[i] += 2.0 * w * (o2_re * over_re - o2_im * over_im);
        f.s3_im[i] += 2.0 * w * (o2_re * over_im + o2_im * over_re);
      }
    }
  }

  // A step of Newton in the lanes that are not done; whether all are then. The derivatives move along.
  [[gnu::noinline]] static bool step(const Curve& __restrict f, State& __restrict at, Curve& __restrict kept,
                                     long long* __restrict done) {
    long long all = -1;
    for (int i = 0; i < kN; ++i) {
      const double over = -1.0 / (f.s1_re[i] * f.s1_re[i] + f.s1_im[i] * f.s1_im[i]);
      double d_re = (f.re[i] * f.s1_re[i] + f.im[i] * f.s1_im[i]) * over;
      double d_im = (f.im[i] * f.s1_re[i] - f.re[i] * f.s1_im[i]) * over;
      // Stay below the axis.
      const double limit = at.im[i] + d_im >= 0.0 ? -0.9 * at.im[i] / d_im : 1.0;
      d_re *= limit;
      d_im *= limit;
      const long long fine = size(d_re, d_im) <= kTolerance * fabs_(at.im[i]) ? -1 : 0;
      const bool fresh = done[i] == 0;
      const double s2_re = f.s2_re[i] + 0.5 * (f.s3_re[i] * d_re - f.s3_im[i] * d_im);
      const double s2_im = f.s2_im[i] + 0.5 * (f.s3_re[i] * d_im + f.s3_im[i] * d_re);
      kept.s1_re[i] = fresh ? f.s1_re[i] + (s2_re * d_re - s2_im * d_im) : kept.s1_re[i];
      kept.s1_im[i] = fresh ? f.s1_im[i] + (s2_re * d_im + s2_im * d_re) : kept.s1_im[i];
      kept.s2_re[i] = fresh ? f.s2_re[i] + (f.s3_re[i] * d_re - f.s3_im[i] * d_im) : kept.s2_re[i];
      kept.s2_im[i] = fresh ? f.s2_im[i] + (f.s3_re[i] * d_im + f.s3_im[i] * d_re) : kept.s2_im[i];
      at.re[i] = fresh ? at.re[i] + d_re : at.re[i];
      at.im[i] = fresh ? at.im[i] + d_im : at.im[i];
      done[i] |= fine;
      all &= done[i];
    }
    return all != 0;
  }

  // Newton from where the state is to the knot at t, with the derivatives there.
  static void correct(const FlatLaws& laws, double t, State& at) {
    alignas(64) double x[kN];
    alignas(64) double log_x[kN];
    const double share = share_of(t);
    for (int i = 0; i < kN; ++i) {
      const double near = (laws.high[i] - laws.low[i]) * share;
      x[i] = t < 0.0 ? laws.low[i] + near : laws.high[i] - near;
      log_x[i] = log_(x[i]);
    }
    alignas(64) long long done[kN];
    for (int i = 0; i < kN; ++i) done[i] = at.lost[i];
    Curve f;
    Curve kept;
    bool all = false;
    for (int k = 0; k < kSteps && !all; ++k) {
      evaluate(laws, log_x, at, f);
      if (k == 0) kept = f;
      all = step(f, at, kept, done);
    }
    // d log x/dt = (x - a)(b - x)/((b - a) x) and its derivative.
    const double both = share * (1.0 - share);
    const double slant = t < 0.0 ? 1.0 - 2.0 * share : 2.0 * share - 1.0;
    for (int i = 0; i < kN; ++i) {
      const double rate = (laws.high[i] - laws.low[i]) * both / x[i];
      const double rate2 = rate * (slant - rate);
      const double over = 1.0 / (kept.s1_re[i] * kept.s1_re[i] + kept.s1_im[i] * kept.s1_im[i]);
      const double c_re = kept.s1_re[i] * over;  // dc/d log x = 1/s1
      const double c_im = -(kept.s1_im[i] * over);
      const double q_re = c_re * c_re - c_im * c_im;
      const double q_im = 2.0 * c_re * c_im;
      const double b_re = c_re * kept.s2_re[i] - c_im * kept.s2_im[i];
      const double b_im = c_re * kept.s2_im[i] + c_im * kept.s2_re[i];
      at.re1[i] = kFlatKnotStep * rate * c_re;
      at.im1[i] = kFlatKnotStep * rate * c_im;
      const double h2 = kFlatKnotStep * kFlatKnotStep;
      at.re2[i] = h2 * (rate2 * c_re - rate * rate * (b_re * q_re - b_im * q_im));  // -s2/s1^3
      at.im2[i] = h2 * (rate2 * c_im - rate * rate * (b_re * q_im + b_im * q_re));
      at.lost[i] = done[i] != 0 && at.lost[i] == 0 ? 0 : -1;
    }
  }

  // `count` cells upwards or downwards, from this one on.
  static void march(const FlatLaws& laws, State from, int direction, int count, double* rows, int cell) {
    State at;
    for (int i = 0; i < kN; ++i) {
      at.re[i] = from.re[i] + direction * from.re1[i] + 0.5 * from.re2[i];
      at.im[i] = from.im[i] + direction * from.im1[i] + 0.5 * from.im2[i];
      at.lost[i] = from.lost[i];
    }
    for (int k = 1; k <= count; ++k, cell += direction) {
      double* row = rows + cell * kFlatCell;
      for (int i = 0; i < kN; ++i) at.im[i] = at.im[i] < 0.0 ? at.im[i] : 0.5 * from.im[i];
      correct(laws, kFlatKnotStart + (direction * k) * kFlatKnotStep, at);
      const State kept = at;
      const State& left = direction < 0 ? kept : from;
      const State& right = direction < 0 ? from : kept;
      join(left.re, left.re1, left.re2, right.re, right.re1, right.re2, kept.lost, direction, row, at.re);
      join(left.im, left.im1, left.im2, right.im, right.im1, right.im2, kept.lost, direction, row + kFlatTerms * kN,
           at.im);
      from = kept;
    }
  }

  // The quintic with these values and two derivatives at 0 and 1; `next` is what it is a cell further on.
  [[gnu::noinline]] static void join(const double* __restrict a, const double* __restrict a1,
                                     const double* __restrict a2, const double* __restrict b,
                                     const double* __restrict b1, const double* __restrict b2,
                                     const long long* __restrict lost, int direction, double* __restrict row,
                                     double* __restrict next) {
    const bool down = direction < 0;
    for (int i = 0; i < kN; ++i) {
      const double second = 0.5 * a2[i];
      const double rise = ((b[i] - a[i]) - a1[i]) - second;
      const double slope = (b1[i] - a1[i]) - a2[i];
      const double bend = 0.5 * (b2[i] - a2[i]);
      const double c3 = (10.0 * rise - 4.0 * slope) + bend;
      const double c4 = (7.0 * slope - 15.0 * rise) - 2.0 * bend;
      const double c5 = (6.0 * rise - 3.0 * slope) + bend;
      const bool keep = lost[i] == 0;
      row[0 * kN + i] = keep ? a[i] : 0.0;
      row[1 * kN + i] = keep ? a1[i] : 0.0;
      row[2 * kN + i] = keep ? second : 0.0;
      row[3 * kN + i] = keep ? c3 : 0.0;
      row[4 * kN + i] = keep ? c4 : 0.0;
      row[5 * kN + i] = keep ? c5 : 0.0;
      const double below = ((a[i] - a1[i]) + (second - c3)) + (c4 - c5);
      const double above = ((a[i] + 2.0 * a1[i]) + (4.0 * second + 8.0 * c3)) + (16.0 * c4 + 32.0 * c5);
      next[i] = down ? below : above;
    }
  }
};

}  // namespace freeconv::FREECONV_ISA
