"""What the command line says about a law: a readable report, JSON and CSV."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from freeconv.activations import Activation
    from freeconv.curves import Curve
    from freeconv.laws import Law
    from freeconv.networks import MLP
    from freeconv.networks.mlp import LayerParameters

__all__ = [
    "CSV_FORMAT",
    "JSON_FORMAT",
    "MATRICES",
    "XLABELS",
    "Report",
    "as_csv",
    "as_json",
    "as_text",
    "headline",
    "summarize",
]

MATRICES = {
    "jacobian": "J Jᵀ, J the input-output Jacobian",
    "ntk": "the tangent kernel H of one sample",
}

XLABELS = {"jacobian": "squared singular value $x$ of $J$", "ntk": "eigenvalue $x$ of the tangent kernel"}

JSON_FORMAT = """\
--json prints one object, numbers with all digits, null for what is infinite:
  freeconv, spectrum            version; "jacobian" or "ntk"
  network                       {depth, weights, input_variance, widths (unless all are equal),
                                layers: groups of equal layers from the input on,
                                [{repeat, activation, its parameters, weight_variance, bias_variance}, ...]}
  atoms                         [{location, weight}, ...]
  support                       [[from, to], ...], the intervals of the continuous part
  mean, variance                of the eigenvalues
  largest_eigenvalue, smallest_eigenvalue, condition      atoms included; condition = largest/smallest
  largest_stable_learning_rate  2/largest_eigenvalue, for ntk only"""

CSV_FORMAT = """\
--csv writes the line "x,density", then one line "# atom,LOCATION,WEIGHT" for each atom, then the points:
ascending x, --points of them for each interval of the support, without the ends where the density does not fall to 0.
numpy.genfromtxt(FILE, delimiter=",", names=True) and pandas.read_csv(FILE, comment="#") read it."""


@dataclass(frozen=True)
class Report:
    """The numbers of a report.

    Attributes
    ----------
    spectrum : str
        "jacobian" or "ntk".
    network : MLP
    atoms : tuple of (location, weight)
    support : tuple of (from, to)
    mean, variance : float
    largest_eigenvalue, smallest_eigenvalue : float
        The ends of the support, atoms included.
    """

    spectrum: str
    network: MLP
    atoms: tuple[tuple[float, float], ...]
    support: tuple[tuple[float, float], ...]
    mean: float
    variance: float
    largest_eigenvalue: float
    smallest_eigenvalue: float

    @property
    def condition(self) -> float:
        """The largest eigenvalue over the smallest; infinite where that is 0."""
        return self.largest_eigenvalue / self.smallest_eigenvalue if self.smallest_eigenvalue > 0.0 else math.inf

    @property
    def largest_stable_learning_rate(self) -> float | None:
        """2/λ_max for the tangent kernel: gradient descent on |f − y|²/(2·width) is stable below it."""
        if self.spectrum != "ntk":
            return None
        return 2.0 / self.largest_eigenvalue if self.largest_eigenvalue > 0.0 else math.inf


def summarize(spectrum: str, network: MLP, law: Law) -> Report:
    """Gather the numbers of a report.

    Parameters
    ----------
    spectrum : {"jacobian", "ntk"}
    network : MLP
    law : Law
        The law of that spectrum of the network.

    Returns
    -------
    Report
    """
    atoms = law.atoms()
    support = np.asarray(law.support(), dtype=np.float64).reshape(-1, 2)
    ends = np.concatenate([atoms.locations, support.ravel()])
    return Report(
        spectrum=spectrum,
        network=network,
        atoms=tuple(zip(atoms.locations.tolist(), atoms.weights.tolist(), strict=True)),
        support=tuple((low, high) for low, high in support.tolist()),
        mean=float(law.mean()),
        variance=float(law.variance()),
        largest_eigenvalue=float(ends.max()),
        smallest_eigenvalue=float(ends.min()),
    )


def as_text(report: Report) -> str:
    """Return the report as aligned lines of text, numbers to 8 significant digits.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        Ends in a newline.
    """
    network = report.network
    title = f"Limit spectrum of {MATRICES[report.spectrum]}\n{headline(network)}"
    law_table = [
        *_section("atoms", ("location", "weight"), report.atoms),
        *_section("support", ("from", "to"), report.support),
        ["mean", _show(report.mean)],
        ["variance", _show(report.variance)],
        ["largest eigenvalue", _show(report.largest_eigenvalue)],
        ["smallest eigenvalue", _show(report.smallest_eigenvalue)],
        ["condition number", _show(report.condition)],
    ]
    rate = report.largest_stable_learning_rate
    if rate is not None:
        law_table.append(["largest stable learning rate", _show(rate), "= 2/λ_max"])
    return "\n\n".join([title, _align(_network_table(network)), _align(law_table)]) + "\n"


def as_json(report: Report) -> str:
    """Return the report as one JSON object; `JSON_FORMAT` describes it.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        Ends in a newline.
    """
    from freeconv import __version__

    network = report.network
    document: dict[str, Any] = {
        "freeconv": __version__,
        "spectrum": report.spectrum,
        "network": {
            "depth": network.depth,
            "weights": network.weights,
            "input_variance": network.input_variance,
            **({} if network.widths is None else {"widths": network.widths}),
            "layers": [
                {
                    "repeat": repeat,
                    "activation": layer.activation.name,
                    **_parameters(layer.activation),
                    "weight_variance": layer.weight_variance,
                    "bias_variance": layer.bias_variance,
                }
                for repeat, layer in _groups(network)
            ],
        },
        "atoms": [{"location": _finite(location), "weight": weight} for location, weight in report.atoms],
        "support": [[_finite(low), _finite(high)] for low, high in report.support],
    }
    for name in ("mean", "variance", "largest_eigenvalue", "smallest_eigenvalue", "condition"):
        document[name] = _finite(getattr(report, name))
    rate = report.largest_stable_learning_rate
    if rate is not None:
        document["largest_stable_learning_rate"] = _finite(rate)
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def as_csv(curve: Curve) -> str:
    """Return a sampled law as CSV; `CSV_FORMAT` describes it.

    Parameters
    ----------
    curve : Curve

    Returns
    -------
    str
        Ends in a newline.
    """
    atoms = zip(curve.atoms.locations.tolist(), curve.atoms.weights.tolist(), strict=True)
    lines = [
        "x,density",
        *(f"# atom,{location!r},{weight!r}" for location, weight in atoms),
        *(f"{x!r},{density!r}" for x, density in zip(curve.x.tolist(), curve.density.tolist(), strict=True)),
    ]
    return "\n".join(lines) + "\n"


def headline(network: MLP) -> str:
    """Return what holds for a whole network, in one line.

    Parameters
    ----------
    network : MLP

    Returns
    -------
    str
    """
    layers = "1 layer" if network.depth == 1 else f"{network.depth} layers"
    inputs = "" if network.widths is None else f"input width {_show(network.widths[0])}, "
    return f"{layers}, {network.weights} weights, {inputs}input variance {_show(network.input_variance)}"


def _network_table(network: MLP) -> list[list[str]]:
    """One row for each group of equal consecutive layers, with their widths where these differ."""
    rows = [["layer", "activation", "weight variance", "bias variance"]]
    widths = network.widths
    columns = network.layers if widths is None else tuple(zip(network.layers, widths[1:], strict=True))
    first = 1
    for _, equal in groupby(columns):
        last = first + sum(1 for _ in equal) - 1
        layer = network.layers[first - 1]
        rows.append(
            [
                f"{first}" if first == last else f"{first}-{last}",
                _call(layer.activation),
                _show(layer.weight_variance),
                _show(layer.bias_variance),
            ]
        )
        if widths is not None:
            rows[-1].insert(1, _show(widths[last]))
        first = last + 1
    if widths is not None:
        rows[0].insert(1, "width")
    return rows


def _groups(network: MLP) -> Iterator[tuple[int, LayerParameters]]:
    """Equal consecutive layers as one, with their number."""
    for layer, equal in groupby(network.layers):
        yield sum(1 for _ in equal), layer


def _parameters(activation: Activation) -> dict[str, float]:
    return {field.name: getattr(activation, field.name) for field in fields(activation)}  # type: ignore[arg-type]  # the command line builds dataclasses only


def _call(activation: Activation) -> str:
    """Write an activation as its name, with its parameters in parentheses."""
    parameters = ", ".join(f"{name}={_show(value)}" for name, value in _parameters(activation).items())
    return f"{activation.name}({parameters})" if parameters else activation.name


def _section(name: str, heads: tuple[str, str], rows: Sequence[tuple[float, float]]) -> Iterator[list[str]]:
    """A heading, then one line of two numbers per row."""
    if not rows:
        yield [name, "none"]
        return
    yield [name, *heads]
    for first, second in rows:
        yield ["", _show(first), _show(second)]


def _align(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out in columns."""
    count = max(len(row) for row in rows)
    widths = [max((len(row[column]) for row in rows if column < len(row)), default=0) for column in range(count)]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows)
    return "\n".join(lines)


def _show(value: float) -> str:
    return f"{value:.8g}"


def _finite(value: float) -> float | None:
    """A number JSON knows: null for what is infinite."""
    return value if math.isfinite(value) else None
