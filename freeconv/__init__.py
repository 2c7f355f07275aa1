"""Limit spectra of wide neural networks, and the free probability underneath.

>>> import freeconv as fc
>>> law = fc.MLP(3, "relu", weight_variance=2.0).jacobian()
>>> law.support().round(9).tolist()
[[0.0, 16.457756897]]
>>> round(law.density(1.0), 10)
0.0730237041
"""

from __future__ import annotations

from freeconv import activations, networks
from freeconv._core import __version__
from freeconv.algebra import affine, boxplus, boxplus_power, boxtimes, boxtimes_power, compress, resize
from freeconv.atoms import Atoms
from freeconv.batch import cdfs, densities
from freeconv.comparison import Comparison, compare
from freeconv.compiled import CompiledLaw
from freeconv.configuration import show_config
from freeconv.edges import Edge, EdgeKind
from freeconv.errors import ConvergenceError
from freeconv.evaluation import Evaluation, Status
from freeconv.laws import (
    Arcsine,
    Bernoulli,
    Discrete,
    Empirical,
    FreePoisson,
    Law,
    MarchenkoPastur,
    PointMass,
    Semicircle,
    SlopeLaw,
    Uniform,
    isometry_limit,
)
from freeconv.networks import MLP, FiniteNetwork, MeanField, NetworkReading, critical_weight_variance, from_torch

__all__ = [
    "MLP",
    "Arcsine",
    "Atoms",
    "Bernoulli",
    "Comparison",
    "CompiledLaw",
    "ConvergenceError",
    "Discrete",
    "Edge",
    "EdgeKind",
    "Empirical",
    "Evaluation",
    "FiniteNetwork",
    "FreePoisson",
    "Law",
    "MarchenkoPastur",
    "MeanField",
    "NetworkReading",
    "PointMass",
    "Semicircle",
    "SlopeLaw",
    "Status",
    "Uniform",
    "__version__",
    "activations",
    "affine",
    "boxplus",
    "boxplus_power",
    "boxtimes",
    "boxtimes_power",
    "cdfs",
    "compare",
    "compress",
    "critical_weight_variance",
    "densities",
    "from_torch",
    "isometry_limit",
    "networks",
    "resize",
    "show_config",
]
