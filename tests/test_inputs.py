"""What users pass in: bad arguments name themselves, their value and what is allowed; grids of every kind work."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import freeconv as fc
from freeconv.activations import from_name, parameters_of
from freeconv.curves import sample
from freeconv.networks import slope_law

NAN, INF = math.nan, math.inf
HUGE = 10**400  # an integer beyond the doubles

PRODUCT = fc.boxtimes(fc.Bernoulli(0.5), fc.MarchenkoPastur(), fc.MarchenkoPastur())
NOISE = fc.boxplus(fc.Discrete([-2.0, 2.0], [0.5, 0.5]), fc.Semicircle())
KNOWN_ACTIVATIONS = "linear, relu, leaky_relu, hard_tanh"

# --- numbers ----------------------------------------------------------------------------------------------------------

# (callable of one number, its name in messages)
FINITE: list[tuple[Callable[[Any], object], str]] = [
    (fc.PointMass, "location"),
    (lambda v: fc.Bernoulli(v), "p"),
    (lambda v: fc.Bernoulli(0.5, v), "value"),
    (lambda v: fc.Discrete([v], [1.0]), "locations[0]"),
    (lambda v: fc.Discrete([0.0, 1.0], [0.5, v]), "weights[1]"),
    (lambda v: fc.Semicircle(mean=v), "mean"),
    (lambda v: fc.Arcsine(v, 1.0), "low"),
    (lambda v: fc.Arcsine(0.0, v), "high"),
    (lambda v: fc.Uniform(v, 1.0), "low"),
    (lambda v: fc.Uniform(0.0, v), "high"),
    (lambda v: fc.FreePoisson(1.0, v), "jump"),
    (lambda v: fc.affine(PRODUCT, v, 0.0), "scale"),
    (lambda v: fc.affine(PRODUCT, 1.0, v), "shift"),
    (lambda v: fc.activations.LeakyReLU(v), "slope"),
]
POSITIVE: list[tuple[Callable[[Any], object], str]] = [
    (lambda v: fc.Semicircle(variance=v), "variance"),
    (lambda v: fc.MarchenkoPastur(v), "ratio"),
    (lambda v: fc.MarchenkoPastur(1.0, v), "scale"),
    (lambda v: fc.FreePoisson(v), "rate"),
    (lambda v: fc.boxplus_power(NOISE, v), "t"),
    (lambda v: fc.boxtimes_power(PRODUCT, v), "t"),
    (lambda v: fc.compress(NOISE, v), "t"),
    (lambda v: fc.resize(PRODUCT, v), "ratio"),
    (lambda v: fc.activations.HardTanh(v), "clip"),
    (lambda v: fc.activations.Erf(v), "scale"),
    (lambda v: fc.activations.ELU(v), "alpha"),
    (lambda v: fc.activations.Softplus(v), "beta"),
    (lambda v: fc.networks.fixed_point("tanh", v, 0.0), "weight_variance"),
    (lambda v: fc.networks.fixed_point("tanh", 1.0, 0.0, v), "input_variance"),
    (lambda v: fc.networks.correlation_fixed_points("tanh", v, 0.0), "weight_variance"),
    (lambda v: fc.MLP(2, weight_variance=v), "weight_variance"),
    (lambda v: fc.MLP(2, weight_variance=[1.0, v]), "weight_variance[1]"),
    (lambda v: fc.MLP(2, weight_variance=(v, 1.0)), "weight_variance[0]"),
    (lambda v: fc.MLP(2, input_variance=v), "input_variance"),
]
NON_NEGATIVE: list[tuple[Callable[[Any], object], str]] = [
    (lambda v: fc.MLP(2, bias_variance=v), "bias_variance"),
    (lambda v: fc.MLP(2, bias_variance=[0.0, v]), "bias_variance[1]"),
    (lambda v: fc.networks.fixed_point("tanh", 1.0, v), "bias_variance"),
    (lambda v: fc.networks.correlation_fixed_points("tanh", 1.0, v), "bias_variance"),
    (lambda v: fc.networks.critical_point("tanh", v), "bias_variance"),
    (lambda v: fc.critical_weight_variance("tanh", v), "bias_variance"),
    (lambda v: fc.networks.correlation_map("tanh", v, 1.0, 0.0), "q1"),
    (lambda v: fc.networks.correlation_derivative("tanh", 1.0, v, 0.0), "q2"),
    *(
        (method, "variance")
        for activation in (
            fc.activations.Linear(),
            fc.activations.ReLU(),
            fc.activations.LeakyReLU(),
            fc.activations.HardTanh(),
            fc.activations.Erf(),
            fc.activations.Tanh(),
            fc.activations.GELU(),
            fc.activations.SELU(),
            fc.activations.Sin(),
            fc.activations.Cos(),
        )
        for method in (
            activation.second_moment,
            activation.slope_second_moment,
            activation.slope_fourth_moment,
            activation.slope_atoms,
            functools.partial(slope_law, activation),
        )
    ),
]
NUMBERS = [*FINITE, *POSITIVE, *NON_NEGATIVE]


def case_id(value: object) -> str | None:
    return value if isinstance(value, str) else None


@pytest.mark.parametrize(("make", "name"), NUMBERS, ids=case_id)
@pytest.mark.parametrize("value", [NAN, INF, -INF, np.float64(NAN), np.float32(INF), HUGE], ids=lambda v: repr(v)[:12])
def test_numbers_are_finite(make: Callable[[Any], object], name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(name)} must be finite, got (-?inf|nan|1000)"):
        make(value)


@pytest.mark.parametrize(("make", "name"), NUMBERS, ids=case_id)
@pytest.mark.parametrize(
    "value", [True, np.True_, 1j, np.complex128(1.0), "1", b"1", None, {}, object(), fc.Semicircle]
)
def test_numbers_are_real(make: Callable[[Any], object], name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=rf"^{re.escape(name)} must be a real number, got "):
        make(value)


@pytest.mark.parametrize(("make", "name"), POSITIVE, ids=case_id)
@pytest.mark.parametrize("value", [0, 0.0, -0.0, -1, -0.5, -1e300, -5e-324])
def test_numbers_are_positive(make: Callable[[Any], object], name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(name)} must be > 0, got {re.escape(repr(value))}$"):
        make(value)


@pytest.mark.parametrize(("make", "name"), NON_NEGATIVE, ids=case_id)
@pytest.mark.parametrize("value", [-1, -0.5, -5e-324])
def test_numbers_are_not_negative(make: Callable[[Any], object], name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(name)} must be >= 0, got {re.escape(repr(value))}$"):
        make(value)


@pytest.mark.parametrize(
    "value",
    [
        2,
        np.int8(2),
        np.uint8(2),
        np.uint64(2),
        np.float16(2),
        np.float32(2),
        np.float64(2),
        np.longdouble(2),
        Fraction(2),
    ],
)
def test_real_numbers_of_every_type_are_the_same_number(value: Any) -> None:
    assert fc.MarchenkoPastur(value) == fc.MarchenkoPastur(2.0)
    assert fc.MLP(2, weight_variance=value) == fc.MLP(2, weight_variance=2.0)
    assert PRODUCT * value == value * PRODUCT == PRODUCT * 2.0
    assert PRODUCT + value == value + PRODUCT == PRODUCT + 2.0
    assert PRODUCT - value == PRODUCT + -2.0
    assert PRODUCT / value == PRODUCT * 0.5
    assert type(fc.MarchenkoPastur(value).ratio) is float


INTEGERS: list[tuple[Callable[[Any], object], str, int]] = [
    (lambda v: fc.MLP(v), "depth", 1),
    (lambda v: fc.MLP(1).simulate_jacobian(v), "width", 1),
    (lambda v: fc.MLP(1).simulate_jacobian(2, v), "samples", 1),
    (lambda v: fc.MLP(1).simulate_ntk(v), "width", 1),
    (lambda v: fc.MLP(1).simulate_ntk(2, v), "samples", 1),
    (lambda v: sample(fc.Semicircle(), v), "points", 3),
    (lambda v: fc.Semicircle().moment(v), "k", 0),
    (lambda v: PRODUCT.moment(v), "k", 0),
]


@pytest.mark.parametrize(("make", "name", "least"), INTEGERS, ids=case_id)
def test_integers(make: Callable[[Any], object], name: str, least: int) -> None:
    allowed = rf"^{name} must be an integer >= {least}, got "
    for value in (2.0, 2.5, "3", None, 3j, True, np.True_, np.float64(3.0), [3], NAN):
        with pytest.raises(TypeError, match=allowed + re.escape(repr(value))):
            make(value)
    for value in (least - 1, -7, -(10**30)):
        with pytest.raises(ValueError, match=allowed + re.escape(repr(value))):
            make(value)
    make(np.int32(least))


# --- laws -------------------------------------------------------------------------------------------------------------

BAD_LAWS: list[tuple[str, Callable[[], object], type[Exception], str]] = [
    ("p above 1", lambda: fc.Bernoulli(1.5), ValueError, r"p must be in \[0, 1\], got 1.5"),
    ("p below 0", lambda: fc.Bernoulli(-1e-300), ValueError, r"p must be in \[0, 1\], got -1e-300"),
    ("no jump", lambda: fc.FreePoisson(1.0, 0), ValueError, "jump must be != 0, got 0"),
    ("no width", lambda: fc.Uniform(1, 1), ValueError, "low must be < high, got 1.0 and 1.0"),
    ("turned round", lambda: fc.Uniform(2, 1), ValueError, "low must be < high, got 2.0 and 1.0"),
    ("arcsine", lambda: fc.Arcsine(0, 0), ValueError, "low must be < high, got 0.0 and 0.0"),
    ("no atoms", lambda: fc.Discrete([], []), ValueError, "locations must have at least one entry, got none"),
    ("empty arrays", lambda: fc.Discrete(np.empty(0), np.empty(0)), ValueError, "at least one entry, got none"),
    ("lengths", lambda: fc.Discrete([1, 2], [1]), ValueError, "of one length, got 2 and 1"),
    ("negative", lambda: fc.Discrete([1, 2], [1.5, -0.5]), ValueError, r"weights\[1\] must be >= 0, got -0.5"),
    ("sum below 1", lambda: fc.Discrete([1, 2], [0.5, 0.4]), ValueError, "weights must sum to 1 up to 1e-12, got 0.9"),
    ("sum above 1", lambda: fc.Discrete([1], [1 + 1e-11]), ValueError, "weights must sum to 1 up to 1e-12, got 1.0000"),
    ("two dimensions", lambda: fc.Discrete(np.ones((1, 2)), [1]), ValueError, r"one dimension, got .* \(1, 2\)"),
    ("no dimension", lambda: fc.Discrete(np.array(1.0), [1]), ValueError, r"one dimension, got .* \(\)"),
    (
        "nested lists",
        lambda: fc.Discrete([[1.0]], [1]),
        TypeError,
        r"locations\[0\] must be a real number, got \[1.0\]",
    ),
    ("a number", lambda: fc.Discrete(1.0, 1.0), TypeError, "locations must be a sequence of real numbers, got 1.0"),
    ("a text", lambda: fc.Discrete("12", [1]), TypeError, "locations must be a sequence of real numbers, got '12'"),
    ("weights text", lambda: fc.Discrete([1], "1"), TypeError, "weights must be a sequence of real numbers, got '1'"),
    ("complex atoms", lambda: fc.Discrete(np.array([1j]), [1]), TypeError, r"locations\[0\] must be a real number"),
    ("boolean atoms", lambda: fc.Discrete(np.array([True]), [1]), TypeError, r"locations\[0\] must be a real number"),
    ("text atoms", lambda: fc.Discrete(["1"], [1]), TypeError, r"locations\[0\] must be a real number, got '1'"),
    ("NaN atoms", lambda: fc.Discrete(np.array([0, NAN]), [0.5, 0.5]), ValueError, r"locations\[1\] must be finite"),
    ("compress", lambda: fc.compress(NOISE, 1.5), ValueError, "t must be <= 1, got 1.5"),
    ("compress to nothing", lambda: fc.compress(NOISE, 1e-320), ValueError, "1/t must be finite, got inf"),
    ("small size", lambda: fc.resize(PRODUCT, 0.25), ValueError, r"ratio must be >= 0\.5\d*, .*got 0\.25"),
    ("small size of a leaf", lambda: fc.resize(fc.MarchenkoPastur(), 0.5), ValueError, "ratio must be >= 1.0, .* 0.5"),
    ("order", lambda: fc.MarchenkoPastur().moment(-1), ValueError, "k must be an integer >= 0, got -1"),
    ("mean 0", lambda: fc.Semicircle().s_transform(-0.1), ValueError, "needs a law of mean != 0, got Semicircle"),
    ("one leaf", lambda: fc.Semicircle().subordination(1j), ValueError, "needs a free convolution, got Semicircle"),
    ("divided by 0", lambda: PRODUCT / 0, ValueError, "divided by a number != 0, got 0"),
    ("too large a scale", lambda: 1e200 * (1e200 * PRODUCT), ValueError, "scale must be finite, got inf"),
]


@pytest.mark.parametrize(
    ("make", "error", "message"), [case[1:] for case in BAD_LAWS], ids=[case[0] for case in BAD_LAWS]
)
def test_bad_laws(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


OPERATIONS: list[tuple[str, Callable[[Any], object]]] = [
    ("boxplus", lambda v: fc.boxplus(fc.Semicircle(), v)),
    ("boxtimes", lambda v: fc.boxtimes(fc.MarchenkoPastur(), v)),
    ("boxplus_power", lambda v: fc.boxplus_power(v, 2.0)),
    ("boxtimes_power", lambda v: fc.boxtimes_power(v, 2.0)),
    ("compress", lambda v: fc.compress(v, 0.5)),
    ("resize", lambda v: fc.resize(v, 2.0)),
    ("affine", lambda v: fc.affine(v, 1.0, 0.0)),
]


@pytest.mark.parametrize(("name", "operate"), OPERATIONS, ids=case_id)
@pytest.mark.parametrize("value", [None, 1.0, "relu", [fc.Semicircle()], fc.Semicircle, np.zeros(2)])
def test_operations_take_laws(name: str, operate: Callable[[Any], object], value: object) -> None:
    with pytest.raises(TypeError, match=rf"^{name} needs laws, got {re.escape(repr(value)[:20])}"):
        operate(value)


@pytest.mark.parametrize(
    "law",
    [
        fc.Semicircle(),
        fc.PointMass(-1.0),
        fc.Discrete([-1.0, 1.0], [0.5, 0.5]),
        fc.Uniform(-1e-9, 1.0),
        fc.Arcsine(-2.0, -1.0),
        fc.FreePoisson(1.0, -1.0),
        -fc.MarchenkoPastur(),
        NOISE,
        fc.MarchenkoPastur() - 0.5,
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", ["boxtimes", "boxtimes_power", "resize"])
def test_products_are_of_laws_on_the_half_line(name: str, law: fc.Law) -> None:
    with pytest.raises(ValueError, match=rf"^{name} needs laws on \[0, inf\), got .* with support from -"):
        dict(OPERATIONS)[name](law)


@pytest.mark.parametrize("law", [-PRODUCT, 1.0 - PRODUCT], ids=repr)
def test_reflected_products_are_not_multiplied(law: fc.Law) -> None:
    with pytest.raises(ValueError, match=r"^boxtimes cannot take a reflected free product yet, got -1\.0 \* "):
        fc.boxtimes(law, fc.MarchenkoPastur())


@pytest.mark.parametrize("t", [0.5, 0.999, 1e-300])
@pytest.mark.parametrize(
    "law", [fc.Discrete([-1.0, 1.0], [0.5, 0.5]), fc.Uniform(0.0, 1.0), fc.Arcsine(0.0, 1.0), NOISE], ids=repr
)
def test_additive_powers_that_need_not_exist(law: fc.Law, t: float) -> None:
    with pytest.raises(ValueError, match=rf"^t must be >= 1 for .* got a power {re.escape(repr(t))}.*Semicircle"):
        fc.boxplus_power(law, t)


@pytest.mark.parametrize("t", [0.5, 0.999, 1e-300])
@pytest.mark.parametrize(
    "law",
    [fc.Bernoulli(0.5), fc.Uniform(0.0, 1.0), fc.MarchenkoPastur(2.0), fc.FreePoisson(0.5), PRODUCT, fc.Arcsine(1, 2)],
    ids=repr,
)
def test_multiplicative_powers_that_need_not_exist(law: fc.Law, t: float) -> None:
    with pytest.raises(ValueError, match=rf"^t must be >= 1 for .* got a power {re.escape(repr(t))}.*MarchenkoPastur"):
        fc.boxtimes_power(law, t)


@pytest.mark.parametrize(
    ("symbol", "named"), [("+", "boxplus"), ("-", "boxplus"), ("*", "boxtimes"), ("/", "boxtimes")]
)
@pytest.mark.parametrize("other", [fc.Semicircle(), PRODUCT, fc.PointMass(1.0)], ids=repr)
def test_arithmetic_of_two_laws(symbol: str, named: str, other: fc.Law) -> None:
    operations: dict[str, Callable[[Any, Any], object]] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
    }
    with pytest.raises(TypeError, match=rf"^\{symbol} between two laws is not defined.*freeconv\.{named}$"):
        operations[symbol](fc.MarchenkoPastur(), other)


@pytest.mark.parametrize("value", [True, np.True_, 1j, "1", None, [1.0], np.ones(2), {}])
def test_arithmetic_with_what_is_no_number(value: Any) -> None:
    operations: list[Callable[[Any], object]] = [
        lambda law: law + value,
        lambda law: value + law,
        lambda law: law - value,
        lambda law: value - law,
        lambda law: law * value,
        lambda law: value * law,
        lambda law: law / value,
        lambda law: value / law,
    ]
    for law in (PRODUCT, fc.Semicircle(), fc.PointMass(1.0)):
        for operate in operations:
            with pytest.raises(TypeError):
                operate(law)


@pytest.mark.parametrize("value", [NAN, INF, -INF, HUGE], ids=lambda v: repr(v)[:8])
def test_arithmetic_with_what_is_not_finite(value: Any) -> None:
    operations: list[tuple[Callable[[], object], str]] = [
        (lambda: PRODUCT + value, "shift"),
        (lambda: PRODUCT - value, "shift"),
        (lambda: value - PRODUCT, "shift"),
        (lambda: PRODUCT * value, "scale"),
        (lambda: value * PRODUCT, "scale"),
        (lambda: PRODUCT / value, "the divisor"),
    ]
    for operate, name in operations:
        with pytest.raises(ValueError, match=rf"^{name} must be finite, got "):
            operate()


# --- networks ---------------------------------------------------------------------------------------------------------

network: Any = fc.MLP  # untyped: half of the arguments below are of wrong types

BAD_NETWORKS: list[tuple[str, Callable[[], object], type[Exception], str]] = [
    ("unknown", lambda: network(2, "relu6"), ValueError, f"unknown activation 'relu6'; known are {KNOWN_ACTIVATIONS}"),
    ("case", lambda: network(2, "ReLU"), ValueError, f"unknown activation 'ReLU'; known are {KNOWN_ACTIVATIONS}"),
    (
        "one unknown",
        lambda: network(2, ["relu", ""]),
        ValueError,
        f"unknown activation ''; known are {KNOWN_ACTIVATIONS}",
    ),
    ("no activation", lambda: network(2, None), TypeError, "activation must be a name or an Activation, got None"),
    ("a class", lambda: network(2, fc.activations.ReLU), TypeError, "must be a name or an Activation, got <class"),
    ("a function", lambda: network(2, math.tanh), TypeError, "must be a name or an Activation, got <built-in"),
    ("too few", lambda: network(3, ["relu", "relu"]), ValueError, r"activation must be one value or 3,.*got 2"),
    ("too many", lambda: network(1, ["relu", "relu"]), ValueError, r"activation must be one value or 1,.*got 2"),
    ("none", lambda: network(2, []), ValueError, r"activation must be one value or 2,.*got 0"),
    ("variances", lambda: network(3, weight_variance=[1, 2]), ValueError, r"weight_variance must be .* 3,.*got 2"),
    ("biases", lambda: network(3, bias_variance=(0,) * 4), ValueError, r"bias_variance must be .* 3,.*got 4"),
    ("array", lambda: network(3, bias_variance=np.zeros(2)), ValueError, r"bias_variance must be .* 3,.*got 2"),
    ("matrix", lambda: network(2, weight_variance=np.ones((1, 2))), ValueError, r"weight_variance .*shape \(1, 2\)"),
    ("inputs", lambda: network(2, input_variance=[1, 1]), TypeError, r"input_variance must be a real .* got \[1, 1\]"),
    ("weights", lambda: network(2, weights="haar"), ValueError, "one of 'gaussian', 'orthogonal', got 'haar'"),
    ("weights type", lambda: network(2, weights=None), ValueError, "one of 'gaussian', 'orthogonal', got None"),
    ("widths", lambda: network(2, widths=[1, 2]), ValueError, r"widths must be 3 numbers, N_0 to N_2 .*, got 2"),
    ("width", lambda: network(2, widths=[1, 2, -3]), ValueError, r"widths\[2\] must be > 0, got -3"),
    ("side", lambda: network(2).jacobian("left"), ValueError, "side must be one of 'output', 'input', got 'left'"),
    (
        "overflow",
        lambda: network(9, weight_variance=1e40).mean_field(),
        ValueError,
        "layer 8 exceeds the largest double",
    ),
    ("slope", lambda: fc.activations.LeakyReLU(1e200), ValueError, "slope must have a finite square, got 1e"),
    ("by name", lambda: from_name("tanhh"), ValueError, f"unknown activation 'tanhh'; known are {KNOWN_ACTIVATIONS}"),
    ("its names", lambda: parameters_of("x"), ValueError, f"unknown activation 'x'; known are {KNOWN_ACTIVATIONS}"),
    ("parameter", lambda: from_name("relu", {"slope": 1}), ValueError, "parameter 'slope' .* 'relu'; known are none"),
    ("other", lambda: from_name("hard_tanh", {"a": 1}), ValueError, "parameter 'a' .* 'hard_tanh'; known are clip"),
]


@pytest.mark.parametrize(
    ("make", "error", "message"), [case[1:] for case in BAD_NETWORKS], ids=[case[0] for case in BAD_NETWORKS]
)
def test_bad_networks(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


# --- grids ------------------------------------------------------------------------------------------------------------

LAWS: dict[str, fc.Law] = {
    "product": PRODUCT,
    "sum": NOISE,
    "leaf": fc.MarchenkoPastur(0.5),
    "closed": fc.Uniform(0.0, 3.0),
    "atoms": fc.Discrete([0.0, 1.0], [0.25, 0.75]),
    "moved": 2.0 * PRODUCT + 1.0,
    "reflected": 1.0 - PRODUCT,
    "resized": fc.resize(PRODUCT, 2.0),
}
REAL_METHODS = ("density", "evaluate")
COMPLEX_METHODS = ("cauchy", "subordination", "s_transform", "r_transform")

by_law = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())

NO_NUMBERS: list[Any] = [
    None,
    True,
    "1.0",
    b"1",
    object(),
    {},
    fc.Semicircle(),
    ["a", "b"],
    [None, 1.0],
    [True, False],
    np.array([1.0, None], dtype=object),
    np.array([1], dtype="M8[s]"),
    np.array([1], dtype="m8[s]"),
]


@pytest.mark.parametrize("method", [*REAL_METHODS, *COMPLEX_METHODS])
@pytest.mark.parametrize("grid", NO_NUMBERS, ids=lambda v: repr(v)[:20])
def test_grids_are_of_numbers(method: str, grid: Any) -> None:
    name = {"density": "x", "evaluate": "x", "s_transform": "m", "r_transform": "g"}.get(method, "z")
    with pytest.raises(TypeError, match=rf"^{name} must be a number or an array of numbers, got "):
        getattr(PRODUCT, method)(grid)


@pytest.mark.parametrize("method", REAL_METHODS)
@pytest.mark.parametrize(
    "grid", [1j, 1.0 + 0.0j, [1.0, 1j], np.complex64(1), np.zeros((2, 2), complex), np.empty(0, complex)]
)
def test_densities_are_on_the_real_line(method: str, grid: Any) -> None:
    for law in LAWS.values():
        with pytest.raises(TypeError, match=r"^x must be real, got an array of complex"):
            getattr(law, method)(grid)


@by_law
@pytest.mark.parametrize("method", REAL_METHODS)
@pytest.mark.parametrize("grid", [[[1.0], [1.0, 2.0]]])
def test_ragged_grids(law: fc.Law, method: str, grid: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        getattr(law, method)(grid)


VALUES = [-1.0, 0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 7.0, 1000.0]  # float16 has them all


@by_law
def test_every_type_of_number_has_the_same_bits(law: fc.Law) -> None:
    x = np.array(VALUES)
    wanted = law.density(x)
    assert wanted.dtype == np.float64
    for dtype in (np.float16, np.float32, np.longdouble, ">f8"):
        np.testing.assert_array_equal(law.density(x.astype(dtype)), wanted)
    np.testing.assert_array_equal(law.density(VALUES), wanted)
    np.testing.assert_array_equal(law.density(tuple(VALUES)), wanted)
    whole = np.arange(5)
    for integer in (np.int8, np.uint8, np.int32, np.int64, np.uint64):
        np.testing.assert_array_equal(law.density(whole.astype(integer)), law.density(whole.astype(float)))
    np.testing.assert_array_equal(law.density(range(5)), law.density(whole.astype(float)))


@by_law
def test_scalars_in_scalars_out_with_the_bits_of_the_vector(law: fc.Law) -> None:
    wanted = law.evaluate(np.array(VALUES))
    for i, x in enumerate(VALUES):
        for scalar in (x, np.float64(x), np.float32(x), np.array(x)):
            value = law.density(scalar)
            assert type(value) is float
            assert value == wanted.density[i]
        one = law.evaluate(x)
        assert type(one.density) is type(one.residual) is float
        assert type(one.status) is type(one.iterations) is int
        assert (one.density, one.status) == (wanted.density[i], wanted.status[i])
        assert (one.residual, one.iterations) == (wanted.residual[i], wanted.iterations[i])
    assert type(law.density(1)) is float


@by_law
def test_shapes_are_kept(law: fc.Law) -> None:
    x = np.linspace(-1.0, 7.0, 24)
    flat = law.density(x)
    np.testing.assert_array_equal(law.density(x.reshape(2, 3, 4)), flat.reshape(2, 3, 4))
    np.testing.assert_array_equal(law.density(x.reshape(4, 6).T), flat.reshape(4, 6).T)
    np.testing.assert_array_equal(law.density(np.asfortranarray(x.reshape(4, 6))), flat.reshape(4, 6))
    np.testing.assert_array_equal(law.density(x[::-3]), flat[::-3])
    np.testing.assert_array_equal(law.density(np.broadcast_to(x[5], (3, 2))), np.full((3, 2), flat[5]))
    readonly = x.copy()
    readonly.flags.writeable = False
    np.testing.assert_array_equal(law.density(readonly), flat)
    for shape in ((0,), (0, 3), (2, 0, 1)):
        record = law.evaluate(np.empty(shape))
        assert {array.shape for array in (record.density, record.status, record.residual, record.iterations)} == {shape}
    assert law.density([]).shape == (0,)
    assert law.density(np.empty(0, dtype=int)).dtype == np.float64


@by_law
def test_arguments_are_not_changed(law: fc.Law) -> None:
    x = np.linspace(-1.0, 7.0, 9)
    z = x + 1j
    law.density(x)
    law.cauchy(z)
    np.testing.assert_array_equal(x, np.linspace(-1.0, 7.0, 9))
    np.testing.assert_array_equal(z, x + 1j)


@by_law
def test_not_a_number_stays_so(law: fc.Law) -> None:
    record = law.evaluate([NAN, 2.0, -NAN])
    assert np.isnan(record.density[[0, 2]]).all()
    assert np.isnan(record.residual[[0, 2]]).all()
    assert record.status[[0, 2]].tolist() == [fc.Status.NOT_A_NUMBER] * 2
    assert record.density[1] == law.density(2.0)
    assert math.isnan(law.density(NAN))
    assert law.evaluate(NAN).status == fc.Status.NOT_A_NUMBER
    assert np.isnan(law.density(np.float32(NAN)))
    values = law.cauchy([complex(NAN, 1.0), 2.0 + 1.0j, complex(0.0, NAN)])
    assert np.isnan(values).tolist() == [True, False, True]
    assert values[1] == law.cauchy(2.0 + 1.0j)


@by_law
@pytest.mark.parametrize("x", [INF, -INF, 1e300, -1e300, 1.7976931348623157e308])
def test_far_away_there_is_no_density(law: fc.Law, x: float) -> None:
    record = law.evaluate(x)
    assert (record.density, record.status) == (0.0, fc.Status.OUTSIDE)


@by_law
def test_both_zeros_are_one_point(law: fc.Law) -> None:
    positive, negative = law.evaluate(0.0), law.evaluate(-0.0)
    assert (positive.density, positive.status) == (negative.density, negative.status)
    np.testing.assert_array_equal(law.density([0.0, -0.0]), [positive.density] * 2)


@by_law
@pytest.mark.parametrize("x", [5e-324, 1e-310, 2.2250738585072014e-308, -5e-324, -1e-310])
def test_denormal_points_are_told_from_nothing(law: fc.Law, x: float) -> None:
    record = law.evaluate(x)
    assert record.density >= 0.0
    assert record.status in {fc.Status.CERTIFIED, fc.Status.OUTSIDE, fc.Status.EDGE, fc.Status.RECOVERED}
    assert (record.density > 0.0) == (record.status in {fc.Status.CERTIFIED, fc.Status.RECOVERED})


@by_law
def test_transforms_of_every_shape(law: fc.Law) -> None:
    z = np.linspace(-3.0, 3.0, 6) + 1.0j
    flat = law.cauchy(z)
    assert flat.dtype == np.complex128
    np.testing.assert_array_equal(law.cauchy(z.reshape(2, 3)), flat.reshape(2, 3))
    np.testing.assert_array_equal(law.cauchy(z[::-2]), flat[::-2])
    np.testing.assert_array_equal(law.cauchy(z.tolist()), flat)
    np.testing.assert_array_equal(law.cauchy(z.conj()), flat.conj())
    assert type(law.cauchy(1.0 + 1.0j)) is complex
    assert type(law.cauchy(np.array(1.0 + 1.0j))) is complex
    assert law.cauchy(np.uint8(60)) == law.cauchy(60.0)
    assert law.cauchy(np.empty((0, 2))).shape == (0, 2)
    for x in (60, 60.0, np.float32(60.0)):
        assert law.cauchy(x) == law.cauchy(60.0 + 0.0j)
    g = np.array([-0.01, 0.01])
    for grid in (g, g.tolist(), g[::-1][::-1], g.reshape(2, 1)):
        np.testing.assert_array_equal(np.ravel(law.r_transform(grid)), law.r_transform(g))
    assert law.r_transform(g).dtype == np.float64
    assert law.r_transform(g.astype(complex)).dtype == np.complex128
    assert type(law.r_transform(0.01)) is float
    assert type(law.r_transform(0)) is float
    assert math.isnan(law.r_transform(NAN))


@pytest.mark.parametrize("law", [PRODUCT, NOISE, 2.0 * PRODUCT + 1.0, 1.0 - PRODUCT], ids=repr)
def test_subordination_of_every_shape(law: fc.Law) -> None:
    z = np.linspace(-3.0, 3.0, 6) + 1.0j
    flat = law.subordination(z)
    assert flat.shape == (2, 6)
    np.testing.assert_array_equal(law.subordination(z.reshape(2, 3)), flat.reshape(2, 2, 3))
    assert law.subordination(1.0j).shape == (2,)
    assert law.subordination(np.empty(0)).shape == (2, 0)
    assert np.isnan(law.subordination([NAN, 1.0j])).tolist() == [[True, False]] * 2


@pytest.mark.parametrize("law", [law for name, law in LAWS.items() if name not in ("sum", "reflected")], ids=repr)
def test_s_transforms_of_every_shape(law: fc.Law) -> None:
    m = np.array([-0.2, -0.1, 0.0])
    flat = law.s_transform(m)
    assert flat[2] == pytest.approx(1.0 / law.mean(), rel=1e-15)
    np.testing.assert_array_equal(law.s_transform(m.reshape(3, 1)), flat.reshape(3, 1))
    assert type(law.s_transform(-0.1)) is float
    assert law.s_transform(-0.1 + 0.0j) == pytest.approx(flat[1], rel=1e-13)
    assert np.isnan(law.s_transform([NAN, -0.1])).tolist() == [True, False]
