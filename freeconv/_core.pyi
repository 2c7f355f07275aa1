import numpy as np
from numpy.typing import NDArray

from freeconv.laws import Law

__version__: str
isa: str
available_isas: tuple[str, ...]
compiler: str

_Program = tuple[
    NDArray[np.int32],
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.float64],
]

class Spectrum:
    def __init__(
        self,
        program: _Program,
        mean: float,
        deviation: float,
        lowest: float,
        highest: float,
        atom_locations: NDArray[np.float64],
        atom_weights: NDArray[np.float64],
        atom_points: NDArray[np.float64],
        singular: NDArray[np.float64],
        below_singular: NDArray[np.float64],
    ) -> None: ...
    @property
    def complete(self) -> bool: ...
    @property
    def child_count(self) -> int: ...
    def support(self) -> NDArray[np.float64]: ...
    def pieces(self) -> NDArray[np.float64]: ...
    def evaluate(
        self,
        x: NDArray[np.float64],
        cdf: bool = False,
        potential: bool = False,
        record: bool = True,
        workers: int = 1,
    ) -> tuple[
        NDArray[np.float64],
        NDArray[np.float64] | None,
        NDArray[np.float64] | None,
        NDArray[np.int8],
        NDArray[np.float64] | None,
        NDArray[np.float64] | None,
        NDArray[np.int32] | None,
    ]: ...
    def invert(self, p: NDArray[np.float64], upper: bool = False, workers: int = 1) -> NDArray[np.float64]: ...
    def solve(
        self, z: NDArray[np.complex128]
    ) -> tuple[NDArray[np.complex128], NDArray[np.complex128], NDArray[np.float64], NDArray[np.int8]]: ...

class GradedTable:
    def __init__(
        self,
        cuts: NDArray[np.float64],
        regions: NDArray[np.float64],
        octave_offsets: NDArray[np.int64],
        octaves: NDArray[np.float64],
        rows: NDArray[np.float64],
    ) -> None: ...
    @property
    def nbytes(self) -> int: ...
    def evaluate(self, x: NDArray[np.float64], workers: int = 1) -> tuple[NDArray[np.float64], int]: ...

def r_parts(program: _Program, at_m: bool, values: NDArray[np.complex128]) -> NDArray[np.complex128]: ...
def flat_rows(
    laws: list[Law], types: tuple[type, ...]
) -> tuple[list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]], list[int]]: ...
def evaluate_laws(
    structure: _Program,
    parameters: NDArray[np.float64],
    multiplicities: NDArray[np.float64],
    x: NDArray[np.float64],
    shared: bool,
    rows: NDArray[np.int64],
    values: NDArray[np.float64],
    cdf: bool = False,
    workers: int = 1,
) -> NDArray[np.bool_]: ...
