"""All tolerances, each with its derivation.  To loosen one needs a reason in the commit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REFERENCE = 1e-11
"""Relative error of a density at 1e-6 of an edge or farther: the package's promise.  (The core estimates each
point's rounding and goes to double-double above 7e-12.)"""

NEAREST = 1e-6
"""Relative distance from an edge down to which REFERENCE is promised."""

EDGE = 1e-12
"""Relative error of the ends of the support.  They are extrapolated in double-double; two ulp are seen."""

ATOM = 1e-13
"""Absolute error of the atoms' weights and relative error of their locations: sums of a few hundred doubles."""

CDF = 1e-13
"""Absolute error of the distribution function: a few hundred logarithms' arguments, each within an ulp of π, times
their multiplicities, at points whose own error enters by the density times an ulp of x."""

MOMENT = 1e-12
"""Relative error of the first eight moments: power series of positive terms, 1e-14 seen."""

QUANTILE_ULPS = 16.0
"""Ulps of x by which a quantile may differ from x beyond the error of F over the density: Newton's last step, the logit
of a position in its piece, shift and scale, each rounded."""

POTENTIAL = 1e-13
"""Absolute error of the logarithmic potential at moderate points: real parts of the sums that give the distribution
function."""

COEFFICIENT = 1e-9
"""Relative error of the coefficient at an edge: densities from 1e-10 of the width on, extrapolated, the distance to an
edge that is known to an ulp."""

ESTIMATE = 100.0
"""Factor by which an expectation's error may exceed its estimate, which sees neither the density's own
error, REFERENCE, nor a singularity between the nodes."""

CAUCHY = 5e-15
"""Relative error of Cauchy transforms of squared slopes: hundreds of terms of both signs, rules that agree to 1e-14."""

SLOPE_NETWORK = 5e-14
"""Relative error of densities of networks with curved activations where they are no small part of |G|, whose rounding
they have: depth 50 multiplies the rounding of one leaf; 1.1e-14 was seen."""

COMPILED = 1e-12
"""Error of a compiled law: of the density in units of its maximum, of F and of p absolutely.  The default `tol`, to
which the tables are checked where they are made."""

COMPILED_RELATIVE = 1e-10
"""Relative error of a compiled density: 100 times `tol`."""

GAUSS = 1e-12
"""Error of the moments of a Gauss rule, in powers of the law's size: a fine rule's mass is checked to 1e-12 a panel."""


def density_tolerance(x: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Relative tolerance of densities at `x`.

    At a square-root edge the density's condition number is x/(2 distance).  Nearer than NEAREST the parameters, rounded
    to doubles when shifts and scales are folded into leaves, move the value by that times an ulp.
    """
    if edges.size == 0:
        return np.full(x.shape, REFERENCE)
    distance = np.min(np.abs(x[:, None] - edges.reshape(1, -1)), axis=1)
    near = distance < NEAREST * (1.0 - 1e-9) * np.abs(x)
    ulp = np.finfo(float).eps * np.abs(x)
    return np.where(near, ulp / np.where(near, np.maximum(distance, ulp), 1.0), REFERENCE)
