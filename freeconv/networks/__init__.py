"""Wide networks as laws: activations, the mean field, and the spectra of Jacobians and tangent kernels."""

from __future__ import annotations

from freeconv.networks import activations
from freeconv.networks.finite import FiniteNetwork
from freeconv.networks.mean_field import MeanField
from freeconv.networks.mlp import MLP
from freeconv.networks.torch_modules import NetworkReading, from_torch

__all__ = ["MLP", "FiniteNetwork", "MeanField", "NetworkReading", "activations", "from_torch"]
