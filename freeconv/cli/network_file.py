"""Networks from keywords and from TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from freeconv._validate import integer
from freeconv.activations import KNOWN, Activation, from_name, parameters_of
from freeconv.networks import MLP

__all__ = ["FORMAT", "build", "load"]

FORMAT = """\
network files (TOML):
  input_variance = 1.0          # mean square of the input's entries
  weights = "orthogonal"        # or "gaussian"
  weight_variance = 2.0         # at the top: holds for every layer ...
  [[layers]]                    # one such table per group of equal layers, from the input on
  repeat = 5                    # how many of them; 1 if left out
  activation = "leaky_relu"     # linear, relu, leaky_relu (slope), hard_tanh (clip), erf (scale), tanh, sigmoid,
                                # silu, gelu, elu (alpha), selu, softplus (beta), sin, cos
  slope = 0.1
  [[layers]]
  activation = "hard_tanh"
  clip = 2.0
  weight_variance = 1.05        # ... that does not say otherwise
  bias_variance = 0.01
Instead of [[layers]], depth = 5 and, per layer, lists as for fc.MLP: activation = ["relu", "linear", ...].
widths = [784, 500, ..., 10] at the top, one more than layers: sizes, or numbers in proportion; equal by default."""

PARAMETERS = tuple(dict.fromkeys(parameter for name in KNOWN for parameter in parameters_of(name)))
PER_LAYER = ("activation", *PARAMETERS, "weight_variance", "bias_variance")
WHOLE = ("weights", "input_variance", "widths")


def build(options: Mapping[str, Any]) -> MLP:
    """Build a network from the keywords of `MLP`, activations by name and their parameters beside them.

    Parameters
    ----------
    options : mapping
        Keywords of `MLP`, with `activation` a name or a list of names, and the parameters of activations (slope, clip,
        …) as keywords of their own.  A parameter goes to every activation that takes it.

    Returns
    -------
    MLP

    Raises
    ------
    TypeError, ValueError
        If `MLP` refuses the values, or if no activation takes a given parameter.

    Examples
    --------
    >>> from freeconv.cli.network_file import build
    >>> build({"depth": 2, "activation": "leaky_relu", "slope": 0.1}).activation
    LeakyReLU(slope=0.1)
    """
    keywords = {key: value for key, value in options.items() if key not in PARAMETERS}
    parameters = {key: value for key, value in options.items() if key in PARAMETERS}
    given = keywords.pop("activation", "relu")
    names = given if isinstance(given, list) else [given]
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"activation must be a name ({', '.join(KNOWN)}), got {name!r}")
    for parameter in parameters:
        if not any(parameter in parameters_of(name) for name in names):
            takers = ", ".join(name for name in KNOWN if parameter in parameters_of(name))
            raise ValueError(f"{parameter} is a parameter of {takers}, got it with {', '.join(dict.fromkeys(names))}")
    activations = [_activation(name, parameters) for name in names]
    keywords["activation"] = activations if isinstance(given, list) else activations[0]
    return MLP(**keywords)


def load(path: str | Path) -> MLP:
    """Read a network from a TOML file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    MLP

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not TOML, or does not describe a network; the message starts with the path.

    Notes
    -----
    The format is described by `FORMAT`, which ``freeconv jacobian --help`` prints.
    """
    with Path(path).open("rb") as file:
        try:
            return _network(tomllib.load(file))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from error


def _network(document: Mapping[str, Any]) -> MLP:
    if "layers" not in document:
        _check_keys(document, ("depth", *PER_LAYER, *WHOLE, "layers"))
        if "depth" not in document and "widths" not in document:
            raise ValueError("a network needs depth, widths or [[layers]], got none of them")
        return build(document)
    _check_keys(document, (*PER_LAYER, *WHOLE, "layers"))
    tables = document["layers"]
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise TypeError(f"layers must be one or more [[layers]] tables, got {tables!r}")
    for key in PER_LAYER:
        if isinstance(document.get(key), list):
            raise TypeError(f"{key} must be one value where there are [[layers]], got {document[key]!r}")
    groups = []
    for number, table in enumerate(tables, start=1):
        try:
            groups.append(_group(table, document))
        except (TypeError, ValueError) as error:
            raise ValueError(f"[[layers]] number {number}: {error}") from error
    layers = [layer for group in groups for layer in group.layers]
    return MLP(
        len(layers),
        [layer.activation for layer in layers],
        weight_variance=[layer.weight_variance for layer in layers],
        bias_variance=[layer.bias_variance for layer in layers],
        weights=groups[0].weights,
        input_variance=groups[0].input_variance,
        widths=document.get("widths"),
    )


def _group(table: Mapping[str, Any], document: Mapping[str, Any]) -> MLP:
    """One [[layers]] table as a network of its own, which also checks its values."""
    _check_keys(table, ("repeat", *PER_LAYER))
    for key, value in table.items():
        if isinstance(value, list):
            raise TypeError(f"{key} must be one value, got {value!r}")
    defaults = {key: value for key, value in document.items() if key not in ("layers", "widths")}
    name = table.get("activation", defaults.get("activation", "relu"))
    if isinstance(name, str) and name in KNOWN:
        # A parameter at the top is for those layers that take it; one in the table must be taken, which `build` checks.
        defaults = {k: v for k, v in defaults.items() if k not in PARAMETERS or k in parameters_of(name)}
    own = {key: value for key, value in table.items() if key != "repeat"}
    return build({**defaults, **own, "depth": integer("repeat", table.get("repeat", 1))})


def _activation(name: str, parameters: Mapping[str, Any]) -> Activation:
    return from_name(name, {key: value for key, value in parameters.items() if key in parameters_of(name)})


def _check_keys(table: Mapping[str, Any], known: Iterable[str]) -> None:
    known = tuple(known)
    for key in table:
        if key not in known:
            raise ValueError(f"unknown key {key!r}; known are {', '.join(known)}")
