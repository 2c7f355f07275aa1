"""The command line: parse, build the network, compute, write."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from freeconv.cli.compare import add_simulation, compare
from freeconv.cli.network_file import FORMAT, build, load
from freeconv.cli.report import CSV_FORMAT, JSON_FORMAT, MATRICES, XLABELS, as_csv, as_json, as_text, summarize
from freeconv.curves import sample
from freeconv.errors import ConvergenceError
from freeconv.plot import check_format, save

if TYPE_CHECKING:
    from freeconv.networks import MLP

__all__ = ["main"]

NOT_CERTIFIED, USER_ERROR = 1, 2
NETWORK_OPTIONS = (
    "depth",
    "activation",
    "slope",
    "clip",
    "scale",
    "alpha",
    "beta",
    "weights",
    "weight_variance",
    "bias_variance",
    "input_variance",
    "widths",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command `freeconv`.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default those of the process.

    Returns
    -------
    int
        The exit code: 0; 2 after an error of the user, 1 if the spectrum could not be certified, each with one line on
        standard error.

    Examples
    --------
    >>> from freeconv.cli.main import main
    >>> main(["jacobian", "--depth", "0"])
    2
    """
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as done:
        # argparse leaves this way after --help and --version as well.
        return int(done.code or 0)
    try:
        return _run(arguments)
    except BrokenPipeError:
        # The reader of a pipe has gone (`| head`): nothing to say, and nothing more to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail(arguments, f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except ConvergenceError as error:
        return _fail(arguments, str(error), NOT_CERTIFIED)
    except KeyboardInterrupt:
        return 130


def _run(arguments: argparse.Namespace) -> int:
    if arguments.plot is not None:
        try:
            check_format(arguments.plot)
        except (ImportError, ValueError) as error:
            return _fail(arguments, str(error))
    # A network may be refused for its values, or its law for being beyond the range of doubles.  A ValueError further
    # on would be a defect and keeps its traceback.
    try:
        network = _network(arguments)
        if arguments.command == "compare":
            _print(compare(network, arguments))
            return 0
        law = network.jacobian() if arguments.command == "jacobian" else network.ntk()
        report = summarize(arguments.command, network, law)
    except (TypeError, ValueError, ImportError) as error:
        return _fail(arguments, str(error))
    if arguments.csv is not None or arguments.plot is not None:
        curve = sample(law, arguments.points)
        if arguments.csv is not None:
            Path(arguments.csv).write_text(as_csv(curve), encoding="ascii")
        if arguments.plot is not None:
            title = f"Limit spectrum of {MATRICES[arguments.command]} (depth {network.depth})"
            save(curve, arguments.plot, title=title, xlabel=XLABELS[arguments.command])
    _print(as_json(report) if arguments.json else as_text(report))
    return 0


def _network(arguments: argparse.Namespace) -> MLP:
    """The network of a file, or of the options; never of both."""
    options = {name: getattr(arguments, name) for name in NETWORK_OPTIONS if getattr(arguments, name) is not None}
    if arguments.network is not None:
        if options:
            flag = "--" + next(iter(options)).replace("_", "-")
            raise ValueError(f"{flag} cannot be given together with a network file, got {arguments.network}")
        return load(arguments.network)
    if "depth" not in options and "widths" not in options:
        raise ValueError("a network is needed: a FILE.toml, or --depth and the other options (see --help)")
    return build(options)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="freeconv",
        description="Limit spectra of wide random neural networks.",
        epilog="freeconv COMMAND --help lists the options, and the formats of files and output.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, matrix in MATRICES.items():
        command = commands.add_parser(
            name,
            help=f"the spectrum of {matrix}",
            description=f"The limit spectrum of {matrix}, for a wide network given by a file or by options.",
            epilog="\n\n".join([FORMAT, CSV_FORMAT, JSON_FORMAT]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        _add_network(command)
        _add_output(command)
    command = commands.add_parser(
        "compare",
        help="a limit spectrum beside finite networks",
        description="A limit spectrum beside the eigenvalues of finite random networks of the same kind.",
        epilog=FORMAT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_simulation(command)
    _add_network(command)
    return parser


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", nargs="?", metavar="FILE.toml", help="a network file, instead of the options")
    network = parser.add_argument_group("network", "N is a number; N[,N...] is one for all layers, or one per layer")
    network.add_argument("--depth", type=_integer, metavar="N", help="number of layers")
    network.add_argument(
        "--activation",
        type=_names,
        metavar="NAME[,NAME...]",
        help="linear, relu (default), leaky_relu, hard_tanh, erf, tanh, sigmoid, silu, gelu, elu, selu, softplus, sin "
        "or cos",
    )
    network.add_argument("--slope", type=_number, metavar="N", help="negative slope of leaky_relu (default 0.01)")
    network.add_argument("--clip", type=_number, metavar="N", help="where hard_tanh saturates (default 1)")
    network.add_argument("--scale", type=_number, metavar="N", help="erf(N h) is meant by erf (default 1)")
    network.add_argument("--alpha", type=_number, metavar="N", help="elu tends to -N (default 1)")
    network.add_argument("--beta", type=_number, metavar="N", help="sharpness of softplus (default 1)")
    network.add_argument("--weights", metavar="KIND", help="gaussian (default) or orthogonal")
    network.add_argument(
        "--weight-variance",
        type=_numbers,
        metavar="N[,N...]",
        help="fan-in times the variance of a weight (default 1)",
    )
    network.add_argument("--bias-variance", type=_numbers, metavar="N[,N...]", help="of the biases (default 0)")
    network.add_argument(
        "--input-variance", type=_number, metavar="N", help="mean square of the input's entries (default 1)"
    )
    network.add_argument(
        "--widths", type=_sizes, metavar="N,N,...", help="of the input and all layers, up to a factor (default equal)"
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument_group("output")
    output.add_argument("--json", action="store_true", help="print JSON instead of the report")
    output.add_argument("--csv", metavar="FILE", help="write the density and the atoms")
    output.add_argument("--plot", metavar="FILE.png", help="draw them; other endings choose other formats")
    output.add_argument(
        "--points",
        type=_points,
        default=500,
        metavar="N",
        help="points of --csv and --plot in each interval of the support (default 500)",
    )


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, without the usage before them."""

    def error(self, message: str) -> NoReturn:
        self.exit(USER_ERROR, f"{self.prog}: error: {message}\n")


class _Version(argparse.Action):
    """Print the version, looked up only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from freeconv import __version__

        print(f"freeconv {__version__}")
        parser.exit(0)


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be an integer, got {text!r}") from None


def _points(text: str) -> int:
    points = _integer(text)
    if points < 3:
        raise argparse.ArgumentTypeError(f"must be an integer >= 3, got {text!r}")
    return points


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, got {text!r}") from None


def _numbers(text: str) -> float | list[float]:
    """One number, or a list where there are commas."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be one number, or one per layer with commas between, got {text!r}"
        ) from None
    return numbers if "," in text else numbers[0]


def _sizes(text: str) -> list[float]:
    """Numbers with commas between; integers stay such."""
    try:
        return [int(part) if part.strip().isdecimal() else float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be numbers with commas between, got {text!r}") from None


def _names(text: str) -> str | list[str]:
    """One name, or a list where there are commas."""
    return [part.strip() for part in text.split(",")] if "," in text else text.strip()


def _fail(arguments: argparse.Namespace, message: str, code: int = USER_ERROR) -> int:
    """Say in one line what went wrong."""
    sys.stderr.write(f"freeconv {arguments.command}: error: {' '.join(message.split())}\n")
    return code


def _print(text: str) -> None:
    """Write to standard output, with replacements for what its encoding lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()
