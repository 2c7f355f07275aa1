"""Activations: what a wide layer needs to know of φ, and φ itself for simulations."""

from __future__ import annotations

from freeconv.activations.base import Activation, Piece
from freeconv.activations.custom import Custom
from freeconv.activations.exponential import ELU, SELU, Softplus
from freeconv.activations.gated import GELU, SiLU
from freeconv.activations.names import KNOWN, from_name, parameters_of, resolve
from freeconv.activations.periodic import Cos, Sin
from freeconv.activations.piecewise_linear import HardTanh, LeakyReLU, Linear, ReLU
from freeconv.activations.sigmoidal import Erf, Sigmoid, Tanh

__all__ = [
    "ELU",
    "GELU",
    "KNOWN",
    "SELU",
    "Activation",
    "Cos",
    "Custom",
    "Erf",
    "HardTanh",
    "LeakyReLU",
    "Linear",
    "Piece",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Sin",
    "Softplus",
    "Tanh",
    "from_name",
    "parameters_of",
    "resolve",
]
