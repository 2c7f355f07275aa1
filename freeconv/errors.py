"""What can go wrong after all arguments are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freeconv.evaluation import Evaluation

__all__ = ["ConvergenceError"]


class ConvergenceError(ArithmeticError):
    """Some points could not be certified.

    Parameters
    ----------
    message : str
    evaluation : Evaluation, optional
        All points, the good ones included; those that failed have the status `Status.UNCERTIFIED` and are NaN.
    """

    def __init__(self, message: str, evaluation: Evaluation | None = None) -> None:
        super().__init__(message)
        self.evaluation = evaluation
