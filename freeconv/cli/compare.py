"""`freeconv compare`: a limit law beside finite networks."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from freeconv.cli.report import MATRICES, XLABELS, headline
from freeconv.comparison import compare as compare_law
from freeconv.plot import save

if TYPE_CHECKING:
    from freeconv.laws import Law
    from freeconv.networks import MLP

__all__ = ["add_simulation", "compare"]


def add_simulation(parser: argparse.ArgumentParser) -> None:
    """Add what `compare` reads, but for the network.

    Parameters
    ----------
    parser : ArgumentParser
    """
    parser.add_argument("spectrum", choices=tuple(MATRICES), help="which matrix")
    group = parser.add_argument_group("simulation")
    group.add_argument("--width", type=int, default=500, metavar="N", help="of the widest layer (default 500)")
    group.add_argument("--samples", type=int, metavar="N", help="number of networks (default 4)")
    group.add_argument(
        "--measured",
        action="store_true",
        help="one network, and the law of the slopes and activations measured on it instead of the limit",
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of the random numbers (default 0)")
    group.add_argument("--progress", action="store_true", help="show a progress bar; needs tqdm")
    group.add_argument("--plot", metavar="FILE.png", help="draw the histogram and the law in one picture")


def compare(network: MLP, arguments: argparse.Namespace) -> str:
    """Simulate, compare with the law, draw if asked to, and return the report.

    Parameters
    ----------
    network : MLP
    arguments : Namespace
        With what `add_simulation` adds.

    Returns
    -------
    str
        Ends in a newline.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or the law beyond the range of doubles.
    ImportError
        If a progress bar is asked for and tqdm is not installed.
    """
    if arguments.seed < 0:
        raise ValueError(f"seed must be an integer >= 0, got {arguments.seed}")
    if arguments.measured and arguments.samples not in (None, 1):
        raise ValueError(f"samples must be 1 with --measured, got {arguments.samples}")
    law, eigenvalues = _measured(network, arguments) if arguments.measured else _limit(network, arguments)
    found = compare_law(law, eigenvalues)
    samples = len(eigenvalues)
    networks = f"{samples} network{'s' * (samples > 1)} of width {arguments.width}"
    matrix, kind = MATRICES[arguments.spectrum], "Predicted" if arguments.measured else "Limit"
    if arguments.plot is not None:
        title = f"{kind} spectrum of {matrix},\nand the eigenvalues of {networks}"
        save(law, arguments.plot, title=title, xlabel=XLABELS[arguments.spectrum], eigenvalues=eigenvalues)
    return f"{kind} spectrum of {matrix},\nand {networks}\n{headline(network)}\n\n{found}\n"


def _limit(network: MLP, arguments: argparse.Namespace) -> tuple[Law, NDArray[np.float64]]:
    samples = 4 if arguments.samples is None else arguments.samples
    how = (arguments.width, samples, arguments.seed)
    if arguments.spectrum == "jacobian":
        return network.jacobian(), network.simulate_jacobian(*how, progress=arguments.progress)
    return network.ntk(), network.simulate_ntk(*how, progress=arguments.progress)


def _measured(network: MLP, arguments: argparse.Namespace) -> tuple[Law, NDArray[np.float64]]:
    drawn = network.draw(arguments.width, arguments.seed)
    if arguments.spectrum == "jacobian":
        return drawn.jacobian_law(), drawn.jacobian_eigenvalues()[np.newaxis]
    return drawn.ntk_law(), drawn.ntk_eigenvalues()[np.newaxis]
