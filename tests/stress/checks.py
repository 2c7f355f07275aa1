"""What must hold for every law; each check records violations in a case."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import freeconv as fc
from tests.stress import judge, oracle, trees
from tests.stress.case import Array, Case
from tests.stress.cells import AGREED, REACH, cells, positions

EPS = np.finfo(float).eps
MASS = 1e-12
LIGHT = 1.1e-13  # components lighter than this are not looked for
CDF = 2e-12  # 2e-14 for each of up to a hundred equal factors
QUADRATURE = 1e-8
ORACLE = 1e-8
MOMENTS = 1e-8


def mass(case: Case) -> None:
    """Atoms and pieces hold everything; F goes from 0 to 1."""
    total = float(np.sum(case.pieces[:, 3] - case.pieces[:, 2]) + np.sum(case.atoms.weights))
    for location, weight in zip(case.atoms.locations, case.atoms.weights, strict=True):
        # F over a piece includes the atoms inside it.
        total -= weight * np.count_nonzero((case.pieces[:, 0] < location) & (location < case.pieces[:, 1]))
    case.tried["mass"] += 1
    case.wrong("mass", abs(total - 1.0) > MASS, np.nan, total, 1.0)
    low, high = case.hull
    ends = np.array([low - case.width, high + case.width])
    found = case.law.evaluate(ends)
    known = np.isin(found.status, (0, 1, 2, 3))
    case.wrong("mass", known & (np.abs(found.cdf - [0.0, 1.0]) > MASS), ends, found.cdf, [0.0, 1.0], "far outside")


def order(case: Case) -> None:
    """Densities are not negative; F is in [0, 1] and does not decrease; F is constant where nothing is."""
    x, found, proved = case.x, case.values, case.proved
    case.tried["order"] += x.size
    case.flagged["order"] += int(np.count_nonzero(found.status == fc.Status.UNCERTIFIED))
    case.wrong(
        "order", proved & ~((found.density >= 0.0) & np.isfinite(found.density)), x, found.density, 0.0, "density"
    )
    outside = found.status == fc.Status.OUTSIDE
    case.wrong("order", outside & (found.density != 0.0), x, found.density, 0.0, "density outside")
    case.wrong("order", proved & ~((found.cdf >= -1e-15) & (found.cdf <= 1.0 + 1e-15)), x, found.cdf, 0.5, "cdf")
    x, f = x[proved], found.cdf[proved]
    case.wrong("order", np.diff(f) < -CDF, x[1:], f[1:], f[:-1], "cdf decreases")
    listed = ((x[None, :] > case.pieces[:, :1]) & (x[None, :] < case.pieces[:, 1:2])).any(axis=0)
    found_inside = np.isin(found.status, (0, 3))[proved] & ~listed
    beyond = found_inside & (case.distance(x) > 1e-12 * np.abs(x) + 1e-13 * case.width)
    case.wrong("support", beyond, x, found.density[proved], 0.0, "CERTIFIED outside all listed intervals")


@np.errstate(over="ignore", invalid="ignore")  # fourth moments at scales of 1e150
def derivative(case: Case) -> None:
    """Cell by cell, the integral of the density is the difference of F; their sum is the mass, and the moments."""
    total, complete = float(np.sum(case.atoms.weights)), True
    powers = np.arange(5)
    with np.errstate(over="ignore"):
        moments = np.array([np.sum(case.atoms.weights * case.atoms.locations**k) for k in powers])
        size = np.array([np.sum(case.atoms.weights * np.abs(case.atoms.locations) ** k) for k in powers])
    doubt, unsure = np.zeros(len(powers)), 0.0
    for piece in case.pieces[:8]:
        low, high, below, above = piece.tolist()
        found = cells(case, piece)
        room = np.minimum(
            np.minimum(found.left - low, high - found.left), np.minimum(found.right - low, high - found.right)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            rounding = np.where(room > 0.0, 4.0 * EPS * np.maximum(abs(low), abs(high)) / room, np.inf)
            bound = CDF + np.maximum(found.mass, found.difference) * (1e-9 + np.minimum(rounding, 1.0))
            bound += 4.0 * found.error[0]
            far = found.known & (np.abs(found.mass - found.difference) > bound)
        middle = (found.left + found.right) / 2.0
        case.wrong("derivative", far, middle, found.mass, found.difference, "mass of a cell")
        rough = found.known & (found.error[0] > 1e3 * AGREED * (above - below))
        case.suspicious += middle[rough].tolist()[:8]
        ends, _ = positions(piece, np.array([-REACH, REACH]))
        at_ends = case.law.evaluate(ends)
        tails = np.array([at_ends.cdf[0] - below, above - at_ends.cdf[1]])
        tails -= case.jumps(np.array([low, ends[1]]), np.array([ends[0], high]))
        unsure += float(np.sum(np.minimum(bound, 1.0)))
        complete &= bool(found.known.all() and (at_ends.status <= 3).all() and found.error[0].sum() < QUADRATURE)
        total += float(found.mass.sum() + tails.sum())
        with np.errstate(over="ignore", invalid="ignore"):
            moments += found.moments.sum(axis=1) + np.array([np.sum(tails * ends**k) for k in powers])
            weight = found.mass * np.maximum(np.abs(found.left), np.abs(found.right)) ** powers[:, None]
            corners = np.array([low, high])
            doubt += np.array([np.sum(np.abs(tails * (ends**k - corners**k))) for k in powers])
            doubt += 4.0 * found.error.sum(axis=1) + CDF * np.abs(ends).max() ** powers
            size += np.abs(weight).sum(axis=1) + np.array([np.sum(np.abs(tails * ends**k)) for k in powers])
    if not complete or len(case.pieces) > 8:
        case.flagged["quadrature"] += 1
        return
    case.tried["quadrature"] += 1
    case.wrong("quadrature", abs(total - 1.0) > QUADRATURE + unsure, np.nan, total, 1.0)
    for k in range(1, 5):
        if np.isfinite(size[k] + doubt[k]) and size[k] > 1e-290:
            expected = case.law.moment(k)
            case.tried["moments"] += 1
            # Masses that x itself, rounded, leaves open may be anywhere in the pieces, unseen ones in the hull.
            missing = unsure * np.max(np.abs(case.special)) ** k + LIGHT * case.reach**k
            far_off = not abs(moments[k] - expected) <= MOMENTS * size[k] + doubt[k] + missing
            case.wrong("moments", far_off, float(k), expected, float(moments[k]), "x is the order")


def quantile(case: Case) -> None:
    """F(quantile(p)) = p in the pieces, and quantile(F(x)) is x up to what F resolves."""
    inner = np.isin(case.values.status, (0, 3)) & (case.values.cdf > 0.0) & (case.values.cdf < 1.0)
    x, f = case.x[inner][:40], case.values.cdf[inner][:40]
    if x.size == 0:
        return
    case.tried["quantile"] += x.size
    q = case.law.quantile(f)
    back = case.law.evaluate(q)
    with np.errstate(over="ignore", invalid="ignore"):
        resolved = CDF + 4.0 * EPS * np.abs(x) * np.where(np.isfinite(back.density), back.density, 0.0)
        known = np.isin(back.status, (0, 3))
        near = np.abs(q - x) <= 1e-10 * np.abs(x)
        bad = known & ~near & ~(np.abs(back.cdf - f) <= resolved)
    case.wrong("quantile", bad, x, q, x)


def domain(case: Case) -> None:
    """Im F ≥ Im z, z G → 1, and agreement with the fixed point above the real line."""
    z = case.upper
    try:
        g = case.law.cauchy(z)
    except fc.ConvergenceError:
        case.flagged["domain"] += z.size
        return
    case.tried["domain"] += z.size
    f = 1.0 / g
    slack = 1e-12 * np.abs(f) + 1e-13 * np.abs(z)
    case.wrong("domain", f.imag < z.imag - slack, z, f.imag, z.imag, "Im F")
    case.wrong("domain", ~((g.imag < 0.0) & (-g.imag <= (1.0 + 1e-12) / z.imag)), z, g, 0.0, "G")
    try:
        true, error = oracle.cauchy(case.spec, z, case.width)
    except NotImplementedError:
        return
    known = np.isfinite(true)
    case.tried["above"] += int(np.count_nonzero(known))
    case.flagged["above"] += int(np.count_nonzero(~known))

    def differs(true: NDArray[np.complex128]) -> NDArray[np.bool_]:
        with np.errstate(invalid="ignore"):
            return np.asarray(known & ~(np.abs(g - true) <= ORACLE * np.abs(true) + 10.0 * error))

    true, settled = judge.decided(case.spec, z, differs(true), true)
    case.flagged["undecided"] += int(np.count_nonzero(~settled))
    case.wrong("above", differs(true) & settled, z, g, true)


def axis(case: Case) -> None:
    """Densities returned as certified are those of the fixed point at x itself; outside there is nothing."""
    inner = case.x[np.isin(case.values.status, (0, 3))]
    chosen = np.concatenate([case.rng.permutation(inner)[:10], case.suspicious[:20]])
    found = case.law.evaluate(chosen)
    chosen, density = chosen[found.status <= 3], found.density[found.status <= 3]
    outer = case.rng.permutation(case.x[case.values.status == fc.Status.OUTSIDE])[:5]
    listed = ((outer[:, None] > case.pieces[:, 0]) & (outer[:, None] < case.pieces[:, 1])).any(axis=1)
    chosen = np.concatenate([chosen, outer[listed]])  # a gap that is too small for `support`
    density = np.concatenate([density, np.zeros(np.count_nonzero(listed))])
    outer = outer[~listed]
    away = case.distance(outer)
    height = 1e-3 * away
    where = np.concatenate([chosen + 0j, outer + 1j * height])
    if where.size == 0:
        return
    try:
        g, error = oracle.cauchy(case.spec, where, case.width)
    except NotImplementedError:
        return
    known = np.isfinite(g)
    case.tried["axis"] += int(np.count_nonzero(known))
    case.flagged["axis"] += int(np.count_nonzero(~known))
    n = chosen.size
    true, spread = -g.imag / np.pi, 10.0 * error
    with np.errstate(divide="ignore", over="ignore"):  # parameters are rounded when scales and shifts are taken in
        blur = 50.0 * EPS * (np.abs(chosen) + np.max(np.abs(case.special))) / case.distance(chosen)

    def differs(true: Array) -> NDArray[np.bool_]:
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray(known[:n] & ~(np.abs(density - true) <= (ORACLE + blur) * true + spread[:n]))

    judged, settled = judge.decided(case.spec, where[:n], differs(true[:n]), g[:n])
    case.flagged["undecided"] += int(np.count_nonzero(~settled))
    sure = -judged.imag / np.pi
    case.wrong("axis", differs(sure) & settled, chosen, density, sure, "density")
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ceiling = height / away**2 / np.pi
        bad = known[n:] & (true[n:] > (1.0 + 1e-6) * ceiling + spread[n:])
        case.wrong("axis", bad, outer, ceiling, true[n:], "called OUTSIDE; returned: the ceiling of -Im G/pi above it")


def regrouping(case: Case) -> None:
    """The same law, bracketed otherwise, has the same values."""
    spec = trees.regrouped(case.spec, case.rng)
    try:
        other = trees.build(spec)
    except ValueError:  # a power below 1 is allowed to some shapes only
        return
    if other == case.law or spec == case.spec:
        return
    x = case.x[:60]
    a, b = case.law.evaluate(x), other.evaluate(x)
    known = np.isin(a.status, (0, 1, 3)) & np.isin(b.status, (0, 1, 3))
    case.tried["regrouping"] += int(np.count_nonzero(known))
    # The other one's atoms may be an ulp away.
    apart = ~np.isin(x, case.atoms.locations)
    case.wrong("regrouping", known & apart & ~(np.abs(a.cdf - b.cdf) <= 1e-11 + 1e-10), x, a.cdf, b.cdf, "cdf")
    far = case.distance(x) > 1e-6 * np.maximum(np.abs(x), case.width)
    with np.errstate(invalid="ignore"):
        bad = known & far & ~(np.abs(a.density - b.density) <= 1e-7 * np.maximum(a.density, b.density))
    case.wrong("regrouping", bad, x, a.density, b.density, f"density of {other!r:.300}")


ALL = (mass, order, derivative, quantile, domain, axis, regrouping)
