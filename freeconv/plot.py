"""Draw a law with matplotlib: the density as a curve, the atoms as stems, eigenvalues beside it as a histogram."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from freeconv.curves import Curve, sample
from freeconv.histogram import Histogram, histogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from freeconv.laws import Law

__all__ = ["check_format", "draw", "save"]

DENSITY_COLOR = "#1f5fa8"
ATOM_COLOR = "#c8452d"
SAMPLE_COLOR = "#8c8c8c"

DECADES = 3.0
"""A law that spans more decades than this is drawn on logarithmic axes."""

VISIBLE = 0.1
"""A law spans the decades over which x f(x) is at least this fraction of its maximum."""

LEFT_MARGIN = 0.08
"""The part of a logarithmic x axis that is kept free on the left, for an atom at 0."""


def draw(
    law: Law | Curve,
    axes: Axes | None = None,
    *,
    points: int = 500,
    title: str | None = None,
    xlabel: str = "eigenvalue $x$",
    eigenvalues: ArrayLike | None = None,
) -> Axes:
    """Draw the density of a law, and its atoms as stems with their weights.

    Parameters
    ----------
    law : Law or Curve
        A law, or the `freeconv.curves.Curve` of one already sampled.
    axes : matplotlib Axes, optional
        Where to draw; by default the current axes of `matplotlib.pyplot`.
    points : int
        Abscissae in each interval of the support; of no effect on a curve.
    title : str, optional
    xlabel : str
    eigenvalues : array_like, optional
        Of finite matrices, to draw as a histogram behind the density; those at an atom as a circle at their part of the
        sample.

    Returns
    -------
    matplotlib Axes
        The axes of the density.  If there are atoms, a second y axis on the right holds their weights.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Both axes are logarithmic where the law spans more than three decades of positive x.  An atom at 0 then is a dashed
    stem near the left border.  On linear axes an infinite density is cut at the top of the frame.

    Examples
    --------
    >>> import freeconv as fc
    >>> from freeconv import plot
    >>> axes = plot.draw(fc.Semicircle(), title="Semicircle")  # doctest: +SKIP
    """
    curve = law if isinstance(law, Curve) else sample(law, points)
    if axes is None:
        _require_matplotlib()
        from matplotlib import pyplot

        axes = pyplot.gca()
    logarithmic = _spans_decades(curve)
    counted = None if eigenvalues is None else histogram(curve.atoms, eigenvalues, logarithmic=logarithmic)
    _draw_density(axes, curve, logarithmic)
    if counted is not None and counted.heights.size:
        _draw_histogram(axes, counted, logarithmic)
    if curve.atoms.weights.size:
        _draw_atoms(axes, curve, logarithmic, counted)
    axes.set_xlabel(xlabel)
    axes.set_ylabel("density $f(x)$", color=DENSITY_COLOR if curve.atoms.weights.size else "black")
    if title:
        axes.set_title(title)
    axes.grid(visible=True, which="major", alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    return axes


def save(
    law: Law | Curve,
    path: str | Path,
    *,
    points: int = 500,
    title: str | None = None,
    xlabel: str = "eigenvalue $x$",
    eigenvalues: ArrayLike | None = None,
) -> None:
    """Draw a law into a new figure and write it to a file; no display is needed.

    Parameters
    ----------
    law, points, title, xlabel, eigenvalues
        As in `draw`.
    path : str or Path
        The file; its ending chooses the format (png, pdf, svg, …).

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If matplotlib does not know the format.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import freeconv as fc
    >>> from freeconv import plot
    >>> plot.save(fc.MarchenkoPastur(0.5), "marchenko_pastur.png")  # doctest: +SKIP
    """
    _require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), dpi=150, layout="constrained")
    draw(law, figure.add_subplot(), points=points, title=title, xlabel=xlabel, eigenvalues=eigenvalues)
    figure.savefig(path)


def check_format(path: str | Path) -> None:
    """Raise what `save` would raise for want of matplotlib or of a known format, before anything is computed.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If matplotlib does not know the format.

    Examples
    --------
    >>> from freeconv import plot
    >>> plot.check_format("spectrum.png")  # doctest: +SKIP
    """
    _require_matplotlib()
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    ending = Path(path).suffix.lower()
    if ending[1:] not in known:
        raise ValueError(f"the ending of a figure must be one of {', '.join(sorted(known))}, got {str(path)!r}")


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401  # imported only to learn whether it is there
    except ImportError as error:
        raise ImportError('plotting needs matplotlib: pip install "freeconv[plot]"') from error


def _spans_decades(curve: Curve) -> bool:
    """Whether most of the law covers several decades of x > 0, and none of it x < 0."""
    if np.any(curve.support < 0.0) or np.any(curve.atoms.locations < 0.0):
        return False
    per_log = curve.x * curve.density
    seen = (curve.x > 0.0) & (per_log > VISIBLE * np.max(per_log, initial=0.0, where=np.isfinite(per_log)))
    ends = np.concatenate([curve.x[seen], curve.atoms.locations[curve.atoms.locations > 0.0]])
    return bool(ends.size) and math.log10(ends.max()) - math.log10(ends.min()) > DECADES


def _draw_density(axes: Axes, curve: Curve, logarithmic: bool) -> None:
    """One filled line per interval, on axes whose limits show the bulk."""
    for index in range(len(curve.support)):
        here = curve.interval == index
        if logarithmic:
            here &= (curve.x > 0.0) & (curve.density > 0.0)
        x, density = curve.x[here], curve.density[here]
        axes.plot(x, density, color=DENSITY_COLOR, linewidth=1.6)
        axes.fill_between(x, density, color=DENSITY_COLOR, alpha=0.15, linewidth=0.0)
    if logarithmic:
        axes.set_xscale("log")
        axes.set_yscale("log" if curve.x.size else "linear")
        _limit_logarithmic(axes, curve)
    else:
        _limit_linear(axes, curve)


def _draw_histogram(axes: Axes, counted: Histogram, logarithmic: bool) -> None:
    """Bars behind the density; a peak much narrower than a bin is cut, so that the bars can be seen."""
    axes.stairs(counted.heights, counted.edges, fill=True, color=SAMPLE_COLOR, alpha=0.45, zorder=0.5)
    if not logarithmic:
        axes.set_ylim(0.0, min(axes.get_ylim()[1], 2.5 * float(counted.heights.max())))


def _limit_logarithmic(axes: Axes, curve: Curve) -> None:
    shown = (curve.x > 0.0) & (curve.density > 0.0) & np.isfinite(curve.density)
    positive = np.concatenate([curve.x[shown], curve.atoms.locations[curve.atoms.locations > 0.0]])
    span = positive.max() / positive.min()
    axes.set_xlim(positive.min() * span**-LEFT_MARGIN, positive.max() * span**0.04)
    if shown.any():
        density, per_log = curve.density[shown], (curve.x * curve.density)[shown]
        # The line falls to 0 at every edge; the frame ends where there is hardly any mass left.
        bulk = density[per_log > 0.03 * per_log.max()]
        axes.set_ylim(bulk.min() / 3.0, density.max() * 3.0)


def _limit_linear(axes: Axes, curve: Curve) -> None:
    ends = np.concatenate([curve.support.ravel(), curve.atoms.locations])
    width = ends.max() - ends.min()
    margin = 0.05 * width if width > 0.0 else 0.5 * max(abs(float(ends.max())), 1.0)
    axes.set_xlim(ends.min() - margin, ends.max() + margin)
    if not curve.x.size:
        axes.set_ylim(0.0, 1.0)
        return
    # A typical height: the density at evenly spaced points of every interval.  Blow-ups are cut at a few times that.
    evenly = [np.interp(np.linspace(low, high, 101)[1:-1], curve.x, curve.density) for low, high in curve.support]
    typical = max(float(np.nanpercentile(np.where(np.isfinite(row), row, np.nan), 90.0)) for row in evenly)
    highest = float(np.max(curve.density, initial=0.0, where=np.isfinite(curve.density)))
    axes.set_ylim(0.0, 1.08 * min(highest, 2.5 * typical) or 1.0)


def _draw_atoms(axes: Axes, curve: Curve, logarithmic: bool, counted: Histogram | None) -> None:
    """Stems on a second axis of weights from 0 to 1, each annotated with its weight; circles for the sample."""
    weights = axes.twinx()
    left, right = axes.get_xlim()
    counts = [None] * len(curve.atoms) if counted is None else counted.atom_weights.tolist()
    for location, weight, count in zip(
        curve.atoms.locations.tolist(), curve.atoms.weights.tolist(), counts, strict=True
    ):
        off_scale = logarithmic and location <= 0.0
        x = left * (right / left) ** (0.4 * LEFT_MARGIN) if off_scale else location
        style = "--" if off_scale else "-"
        weights.plot([x, x], [0.0, weight], style, color=ATOM_COLOR, linewidth=1.8, clip_on=False)
        weights.plot([x], [weight], "o", color=ATOM_COLOR, markersize=5.0, clip_on=False)
        if count is not None:
            weights.plot(
                *([x], [count], "o"), color=SAMPLE_COLOR, markersize=9.0, fillstyle="none", clip_on=False, zorder=0.5
            )
        weights.annotate(
            f"{weight:.4g} at {location:.4g}",
            (x, weight),
            xytext=(6, 3) if _in_left_half(axes, x) else (-6, 3),
            textcoords="offset points",
            horizontalalignment="left" if _in_left_half(axes, x) else "right",
            color=ATOM_COLOR,
            fontsize="small",
        )
    weights.set_ylim(0.0, 1.08)
    weights.set_ylabel("weight of the atoms", color=ATOM_COLOR)


def _in_left_half(axes: Axes, x: float) -> bool:
    """Whether a point lies left of the middle of the frame, so that its label has room on the right."""
    to_axes = axes.transData + axes.transAxes.inverted()
    return float(to_axes.transform((x, axes.get_ylim()[1]))[0]) < 0.5
