"""Specifications in simpler words: networks layer by layer, samples and constant slopes as atoms.

``{"Network": {"widths": [...], "activation": ..., "weights": ..., "weight_variance": ..., "bias_variance": ...,
"input_variance": ..., "law": "jacobian" or "ntk", "side": "output" or "input"}}`` stands for a law of `freeconv.MLP`.
Here it is written from the input to the output,

    W X Wᵀ ~ resize(X ⊠ WᵀW, N_l/N_{l−1}),
    J_l J_lᵀ = D_l² ⊠ (W_l J_{l−1} J_{l−1}ᵀ W_lᵀ),   H_{l+1} = q̂_l + W D H D Wᵀ,

each layer at its own size, where the package cuts at the narrowest place and merges: two formulas for one law.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import freeconv as fc
from tests.oracles import specs
from tests.oracles.specs import Law as Spec
from tests.stress import slopes


def network(data: dict[str, Any]) -> fc.MLP:
    """The network of a specification."""
    return fc.MLP(**{key: value for key, value in data.items() if key not in ("law", "side")})


def network_law(data: dict[str, Any]) -> fc.Law:
    """The law that the package makes of it."""
    net = network(data)
    return net.ntk() if data["law"] == "ntk" else net.jacobian(data["side"])


def expanded(spec: Spec) -> Spec:
    """The same law in convolutions of simple leaves."""
    (kind, data), *_ = spec.items()
    if kind in ("boxtimes", "boxplus"):
        return {kind: [{**factor, "law": expanded(factor["law"])} for factor in data]}
    if kind in ("affine", "compress", "resize"):
        return {kind: {**data, "law": expanded(data["law"])}}
    if kind == "Network":
        return _layers(data)
    if kind == "Empirical":
        places, counts = np.unique(np.array(data["samples"]), return_counts=True)
        return specs.discrete(places.tolist(), (counts / counts.sum()).tolist())
    if kind == "SlopeLaw" and data["activation"] in slopes.PIECEWISE_LINEAR:
        return _slope(data["activation"], data["variance"])
    return spec


def _slope(name: str, variance: float) -> Spec:
    if name not in slopes.PIECEWISE_LINEAR:
        return specs.slope_law(name, variance)
    places, weights = slopes.atoms(name, variance)
    if len(places) == 1 or weights[0] == 0.0:
        return {"PointMass": {"location": places[-1]}}
    return specs.bernoulli(weights[1], places[1]) if places[0] == 0.0 else specs.discrete(places, weights)


def _product(*factors: Spec) -> Spec:
    """⊠; a point mass scales."""
    scale, rest = 1.0, []
    for factor in factors:
        point = factor.get("PointMass")
        scale *= 1.0 if point is None else point["location"]
        rest += [factor] if point is None else []
    if not rest:
        return {"PointMass": {"location": scale}}
    law = rest[0] if len(rest) == 1 else specs.boxtimes(*rest)
    return law if scale == 1.0 else specs.affine(law, scale, 0.0)


def _through(law: Spec | None, orthogonal: bool, variance: float, before: float, after: float) -> Spec:
    """W X Wᵀ; None is the identity of the size before."""
    ratio = after / before
    inner: Spec = {"PointMass": {"location": 1.0}} if law is None else law
    if orthogonal:
        gram = specs.bernoulli(ratio, variance) if ratio < 1.0 else {"PointMass": {"location": variance}}
    else:
        gram = specs.marchenko_pastur(before / after, variance * ratio)
    grown = _product(inner, gram)
    if ratio == 1.0:
        return grown
    if "PointMass" in grown:  # a multiple of the identity of the size before, and zeros
        return specs.bernoulli(1.0 / ratio, grown["PointMass"]["location"])
    return specs.resize(grown, ratio)


def _layers(data: dict[str, Any]) -> Spec:
    net = network(data)
    field = net.mean_field()
    widths = data["widths"]
    orthogonal = data["weights"] == "orthogonal"
    law: Spec | None = None
    last = len(widths) - 2
    for layer, (before, after) in enumerate(pairwise(widths)):
        parameters = net.layers[layer]
        slope = _slope(parameters.activation.name, float(field.preactivation_variance[layer]))
        if data["law"] == "jacobian":
            law = _product(slope, _through(law, orthogonal, parameters.weight_variance, before, after))
            continue
        if layer == 0:
            law = {"PointMass": {"location": net.input_variance}}
        else:
            grown = _through(law, orthogonal, parameters.weight_variance, before, after)
            shift = float(field.activation_variance[layer - 1])
            point = grown.get("PointMass")
            law = {"PointMass": {"location": point["location"] + shift}} if point else specs.affine(grown, 1.0, shift)
        if layer < last:
            law = _product(slope, law)
    assert law is not None
    if data["law"] == "jacobian" and data["side"] == "input" and widths[0] != widths[-1]:
        law = specs.resize(law, widths[0] / widths[-1])
    return law
