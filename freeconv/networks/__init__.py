"""Wide networks as laws: the mean field, and the spectra of Jacobians and tangent kernels."""

from __future__ import annotations

from freeconv.networks.mean_field import MeanField
from freeconv.networks.mlp import MLP
from freeconv.networks.slopes import slope_law

__all__ = ["MLP", "MeanField", "slope_law"]
