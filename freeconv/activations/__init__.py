"""Activations: what a wide layer needs to know of φ, and φ itself for simulations."""

from __future__ import annotations

from freeconv.activations.base import Activation, Piece
from freeconv.activations.names import KNOWN, from_name, parameters_of, resolve
from freeconv.activations.piecewise_linear import HardTanh, LeakyReLU, Linear, ReLU
from freeconv.activations.sigmoidal import Erf, Sigmoid, Tanh

__all__ = [
    "KNOWN",
    "Activation",
    "Erf",
    "HardTanh",
    "LeakyReLU",
    "Linear",
    "Piece",
    "ReLU",
    "Sigmoid",
    "Tanh",
    "from_name",
    "parameters_of",
    "resolve",
]
