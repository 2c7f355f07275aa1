// A forward chain: a tree in which every product has at most one factor that is not a closed leaf, and that one is a
// shifted and scaled product again. All of it follows from the innermost m by an explicit map: one complex unknown,
// whatever the depth. Jacobians of piecewise-linear networks are chains of one stage, their tangent kernels of one
// stage a layer. The innermost factor may be a discrete law or squared slopes as well: its z is
// the unknown then.
//
// With c = m + p0 the common coordinate of a stage, K is a product of linear factors (1/S of Bernoulli and
// Marchenko-Pastur laws):
//   K = K_inner prod_g (s_g prod_k (c + d_k)^e_k)^t_g,   z = K (1 + m)/m,
// and a shifted and scaled product a z + b enters the next stage as
//   q = b/(a K),  m' = m (1 + q),  K' = a K (1 + q).
// The last stage holds (1 + m)/m among its factors, and its K is z itself.
#pragma once

namespace freeconv {

// Points a call of a kernel: enough independent work to hide the latency of divisions.
inline constexpr int kChainLanes = 32;
// Bins of t per unit, in which cells are looked up.
inline constexpr double kChainBins = 4.0;

// (c + offset)^power inside a group; weight = t_g e_k is what it counts in d log K/dc. What doubles leave of an offset
// or a scale is for double-double; times 1/(c + offset), `rounding` is what it does to log K, in units of epsilon.
struct ChainFactor {
  double offset, weight;
  int power;
  double offset_rest, rounding;
};

struct ChainGroup {
  double scale, scale_rest;
  int begin, end;  // factors
  int exponent;    // t_g
  bool steep;      // may leave the doubles
};

// One angle of the distribution function: left += weight |arg(c + offset)|. The first stage's angle of -m belongs to it
// as well, pi F = arg(-m) + sum of angles; or those of the atoms do.
struct ChainAngle {
  double offset, weight;
  double offset_rest;  // for double-double
};

struct ChainStage {
  int group_begin, group_end;
  int angle_begin, angle_end;
  double p0, rest;      // m = c - p0, 1 + m = c + rest
  double p0_rest;       // what doubles leave of p0, for double-double
  double slope;         // of pi F in -Im m (Marchenko-Pastur)
  double rounding;      // of log K by the scales and the last products, in units of epsilon
  double scale, shift;  // a and b/a of the map into the next stage
  double shift_rest;
};

// A measure that a chain may start from. The unknown is its z then, and with sums over its atoms or nodes a != 0
//   t = sum w/(z - a), m = sum w a/(z - a), K = m/(t + w_0/z), c = offset + z t.
struct ChainMeasure {
  double at_zero;    // weight of an atom at 0
  double offset;     // p0 - (1 - at_zero)
  int multiplicity;  // of the law in its product: K is raised to it
};

// The nodes of squared slopes, laid out as in law/contour.hpp: six numbers a node, four a split.
inline constexpr int kContourNode = 6;
inline constexpr int kContourSplit = 4;
struct ChainContour {
  int singular_count, rule_count;  // 0 rules: no such law
  int split_count;                 // 0: the potential is that of the weights, not by parts
  const double* singular;
  const double* splits;
  const double* rules;
  const double* nodes;
  double noise = 1.0;  // of the rules' G, in units of what its rounding is taken for; at least 1
};

struct ChainView {
  const ChainStage* stages;
  const ChainGroup* groups;
  const ChainFactor* factors;
  const ChainAngle* angles;
  const double* atoms;  // locations, zeros, weights, zeros: real and imaginary parts, as of a contour's nodes
  int stage_count;
  int atom_count;
  ChainMeasure measure;
  ChainContour contour;
};

// Whether the unknown is a measure's z, and not the first stage's c.
[[gnu::always_inline]] inline bool has_measure(const ChainView& chain) {
  return chain.atom_count > 0 || chain.contour.rule_count > 0;
}

// One stage, with its c as the unknown.
[[gnu::always_inline]] inline bool is_flat(const ChainView& chain) {
  return chain.stage_count == 1 && !has_measure(chain);
}

// The unknown between two nodes of a skeleton: cubics in s = (t - start)/h, 0 <= s < 1.
struct ChainCell {
  double start, over_h;
  double re[4], im[4];
};

// Coefficients of the unknown's real part, and as many of its imaginary part, in a graded cell.
inline constexpr int kChainTerms = 6;

// Cells graded towards both ends of a piece, see chain/cells.hpp: where the distance s from the nearer end (or the
// mass) is at least `bottom`.
struct ChainGraded {
  const double* graded = nullptr;
  double bottom = __builtin_inf();
  long long first_cell = 0;  // s by its upper 15 bits, of the lowest cell
  long long side_cells = 0;  // cells of each end, those of the lower one first
};

// One piece of the support with the cells of its unknown, t = log((x - low)/(high - x)); bins as in Skeleton. Or, of a
// flat chain that was followed beside others (chain/flat_laws.hpp), one lane of their cells of equal width.
struct ChainPiece : ChainGraded {
  double low, high;
  double first, last;  // t where the cells begin and end
  const ChainCell* cells;
  const int* bins;
  int cell_count;
  const double* even = nullptr;
};

// The inverse of F on a piece: log of the distance from an end as polynomials of the mass from the end with less of it,
// in cells as those of a ChainPiece. After a cell's terms stands the end that the distance is from, that which is
// nearer there (of a hard edge most of the mass may lie within 1e-100): 0 the lower one, 1 the upper one.
inline constexpr int kInverseRow = kChainTerms + 1;

// What F has to keep for a point to be taken: ends of the piece from inside, and the estimates' bounds.
struct ChainMasses {
  double low, high;
  double rounding;   // of F beyond its ends
  double displaced;  // of its estimated error
  double error;      // of the density's
};

// kChainLanes quantiles on their way.
struct ChainAim {
  alignas(64) double mass[kChainLanes];      // between the point and the end with less of it
  alignas(64) long long above[kChainLanes];  // -1: that is the upper one
  alignas(64) double s[kChainLanes];         // the point's distance from an end
  alignas(64) double upper[kChainLanes];     // 1: from the upper one
  alignas(64) long long known[kChainLanes];  // -1: it has a cell
  alignas(64) double x[kChainLanes];         // the quantile
  alignas(64) long long good[kChainLanes];   // -1: it is one
};

// One affine step from the user's x towards a chain's: (x - shift)/scale.
struct ChainEntry {
  double shift, scale;
};

// What goes in and comes out of a kernel, for kChainLanes points.
struct ChainLanes {
  alignas(64) double x[kChainLanes];       // the point, > 0 and inside its piece, and
  alignas(64) double x_rest[kChainLanes];  // what rounding took off it, relative
  const ChainPiece* piece[kChainLanes];
  bool together = false;                    // all lanes are in that of the first
  int live = kChainLanes;                   // those after this many need not be solved
  alignas(64) long long near[kChainLanes];  // -1: started from the skeleton
  alignas(64) double u_re[kChainLanes];     // the unknown
  alignas(64) double u_im[kChainLanes];
  alignas(64) double height[kChainLanes];    // Im of the root's c
  alignas(64) double residual[kChainLanes];  // |z/x - 1| before the last step
  alignas(64) double error[kChainLanes];     // estimated relative rounding error of `height`
  alignas(64) double cdf[kChainLanes];
  alignas(64) double cdf_shift[kChainLanes];  // from F at the rounded unknown to F at what it was rounded from
  alignas(64) double cdf_error[kChainLanes];  // estimated, by the displacement of z
  alignas(64) double steps[kChainLanes];
  alignas(64) double proven[kChainLanes];   // 1: converged, and the certificate holds
  alignas(64) double sharp[kChainLanes];    // after refine(), 1: `height` is good to double-double's last step
  alignas(64) double density[kChainLanes];  // after finish(), in the chain's own units
};

}  // namespace freeconv
