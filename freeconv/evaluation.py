"""What is known of a point: its values, its status, and how they were found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

__all__ = ["Evaluation", "Status"]


class Status(IntEnum):
    """What is known of a point's value."""

    CERTIFIED = 0
    """Inside the support, and proved to be on the right branch."""
    OUTSIDE = 1
    """Off the support, proved by the masses on both sides: the density is exactly 0.

    With laws of squared slopes also where it is less than twice the error of their rules, about 1e-15 of |G|.
    """
    EDGE = 2
    """Within rounding of an edge, a cusp or a point where the density is infinite: the density is its limit there."""
    RECOVERED = 3
    """As CERTIFIED, but Newton had to start again from infinity."""
    UNCERTIFIED = 4
    """No proof was found: the value is NaN."""
    NOT_A_NUMBER = 5
    """The argument was NaN."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Density and distribution function with the record of each point; all arrays have the shape of the argument.

    Attributes
    ----------
    density : float or ndarray
        The density of the continuous part, NaN where the status is UNCERTIFIED or NOT_A_NUMBER.
    cdf : float or ndarray
        F(x) = μ((−∞, x]), atoms included; NaN as the density is.
    status : int or ndarray of int8
        A `Status` for each point.
    residual : float or ndarray
        |log z − log z(u)| (products) or |z − z(u)| (sums) at the unknowns u before the last Newton step.
    iterations : int or ndarray of int32
        Newton steps in double precision, those of a restart included.
    accuracy : float or ndarray
        Estimated relative error of the density: the residual and the rounding of every operation in the tree, times
        the conditioning of the solution.  Against 50-digit tables it is 1.5 to 100 times the error.  With laws of
        squared slopes it includes the error of their rules, large where the density is below 1e-12 of |G|.  0 off the
        support, inf where the status is UNCERTIFIED.
    """

    density: Any
    cdf: Any
    status: Any
    residual: Any
    iterations: Any
    accuracy: Any
