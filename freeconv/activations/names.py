"""Activations by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from freeconv.activations.base import Activation
from freeconv.activations.exponential import ELU, SELU, Softplus
from freeconv.activations.gated import GELU, SiLU
from freeconv.activations.periodic import Cos, Sin
from freeconv.activations.piecewise_linear import HardTanh, LeakyReLU, Linear, ReLU
from freeconv.activations.sigmoidal import Erf, Sigmoid, Tanh

__all__ = ["KNOWN", "from_name", "parameters_of", "resolve"]

_CLASSES: tuple[type[Activation], ...] = (
    *(Linear, ReLU, LeakyReLU, HardTanh),
    *(Erf, Tanh, Sigmoid),
    *(SiLU, GELU),
    *(ELU, SELU, Softplus),
    *(Sin, Cos),
)

KNOWN: Mapping[str, type[Activation]] = {kind.name: kind for kind in _CLASSES}
"""The activations by name."""


def from_name(name: str, parameters: Mapping[str, float] | None = None) -> Activation:
    """Build a known activation.

    Parameters
    ----------
    name : str
        One of `KNOWN`.
    parameters : mapping of str to float, optional
        Its parameters by name; those left out take their defaults.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If the name or a parameter is not known; the message lists those that are.

    Examples
    --------
    >>> from freeconv.activations import from_name
    >>> from_name("leaky_relu", {"slope": 0.1})
    LeakyReLU(slope=0.1)
    """
    known = parameters_of(name)
    for parameter in parameters or {}:
        if parameter not in known:
            raise ValueError(
                f"unknown parameter {parameter!r} of activation {name!r}; known are {', '.join(known) or 'none'}"
            )
    return KNOWN[name](**(parameters or {}))


def parameters_of(name: str) -> tuple[str, ...]:
    """Return the names of the parameters of a known activation.

    Parameters
    ----------
    name : str
        One of `KNOWN`.

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        If the name is not known; the message lists those that are.

    Examples
    --------
    >>> from freeconv.activations import parameters_of
    >>> parameters_of("hard_tanh")
    ('clip',)
    """
    if name not in KNOWN:
        raise ValueError(f"unknown activation {name!r}; known are {', '.join(KNOWN)}")
    return tuple(field.name for field in fields(KNOWN[name]))  # type: ignore[arg-type]  # all of KNOWN are dataclasses


def resolve(activation: str | Activation) -> Activation:
    """Return the activation a user means by a name or by an object.

    Parameters
    ----------
    activation : str or Activation
        A name of `KNOWN`, for its default parameters, or an activation, returned as it is.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If the name is not known; the message lists those that are.
    TypeError
        If it is neither a name nor an activation.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.activations.resolve("hard_tanh")
    HardTanh(clip=1.0)
    """
    if isinstance(activation, Activation):
        return activation
    if isinstance(activation, str):
        return from_name(activation)
    raise TypeError(f"activation must be a name or an Activation, got {activation!r}")
