"""Laws: probability measures on the real line as immutable expression trees."""

from __future__ import annotations

from freeconv.laws.base import Law
from freeconv.laws.empirical import Empirical
from freeconv.laws.isometry import IsometryLimit, isometry_limit
from freeconv.laws.leaves import (
    Arcsine,
    Bernoulli,
    Discrete,
    FreePoisson,
    MarchenkoPastur,
    MarchenkoPasturPower,
    PointMass,
    Semicircle,
    Uniform,
)
from freeconv.laws.operations import Affine, Boxplus, Boxtimes, Operation, Resize
from freeconv.laws.slopes import CurvedSlopes, SlopeLaw

__all__ = [
    "Affine",
    "Arcsine",
    "Bernoulli",
    "Boxplus",
    "Boxtimes",
    "CurvedSlopes",
    "Discrete",
    "Empirical",
    "FreePoisson",
    "IsometryLimit",
    "Law",
    "MarchenkoPastur",
    "MarchenkoPasturPower",
    "Operation",
    "PointMass",
    "Resize",
    "Semicircle",
    "SlopeLaw",
    "Uniform",
    "isometry_limit",
]
