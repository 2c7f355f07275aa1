"""Wide networks as laws: the mean field, and the spectra of Jacobians and tangent kernels."""

from __future__ import annotations

from freeconv.networks.correlation import (
    CorrelationFixedPoint,
    correlation_derivative,
    correlation_fixed_points,
    correlation_map,
)
from freeconv.networks.critical import CriticalPoint, critical_point, critical_weight_variance, fixed_point
from freeconv.networks.finite import FiniteNetwork
from freeconv.networks.mean_field import MeanField
from freeconv.networks.mlp import MLP
from freeconv.networks.slopes import slope_law
from freeconv.networks.torch_modules import NetworkReading, from_torch

__all__ = [
    "MLP",
    "CorrelationFixedPoint",
    "CriticalPoint",
    "FiniteNetwork",
    "MeanField",
    "NetworkReading",
    "correlation_derivative",
    "correlation_fixed_points",
    "correlation_map",
    "critical_point",
    "critical_weight_variance",
    "fixed_point",
    "from_torch",
    "slope_law",
]
