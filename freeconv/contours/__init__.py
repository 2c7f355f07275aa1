"""Laws of squared slopes: a Gaussian pushed forward by φ'², as quadrature on a contour and in closed form."""

from __future__ import annotations

from freeconv.contours.preimages import ClosedForm, closed_form
from freeconv.contours.pushforward import Pushforward, pushforward
from freeconv.contours.rules import RuleSet
from freeconv.contours.wire import core_parameters, rule_set

__all__ = ["ClosedForm", "Pushforward", "RuleSet", "closed_form", "core_parameters", "pushforward", "rule_set"]
