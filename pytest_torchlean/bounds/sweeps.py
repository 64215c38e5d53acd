"""Linear forms carried back through a program's layers, and the gradient with respect to slopes.

A form is bounded from below by replacing, from the last layer to the first, every layer's results by what
bounds them: an affine layer by its equation, a ReLU by a line below where its coefficient is positive and by
one above where it is negative. What remains stands over the inputs and is bounded by their box (Zhang et
al., Efficient Neural Network Robustness Certification with General Activation Functions, 2018).

The bound is a function of the slopes of the lines below. Its gradient needs no recording of operations: at
the corner of the box where the form is least, values are carried forward through the same lines, and the
derivative with respect to a slope is the positive part of the coefficient it was multiplied by times the
value that the ReLU reads there (Xu et al., Fast and Complete, 2021, section 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pytest_torchlean.bounds.layers import (
    AffineLayer,
    BilinearLayer,
    ExtremumLayer,
    Float64,
    Layers,
    Parts,
    QuotientLayer,
    flat,
    give_back,
    picked,
)

_TIE = 1 + 1e-5
"""Boxes symmetric about 0 are common: what rounding adds must not choose other lines than the search did."""


@dataclass(frozen=True, eq=False)
class Lines:
    """lower * x <= max(x, 0) <= upper * x + intercept; float64 (n, boxes or 1, rows or 1).

    Of an extremum x is the difference that `ExtremumLayer` names. push: what is added to the coefficient of
    a ReLU's x, (n, boxes, rows): at most 0 where x is known not to be negative, at least 0 where it is known
    not to be positive, and 0 elsewhere, so that no form grows.
    """

    lower: Float64
    upper: Float64
    intercept: Float64
    push: Float64 | None = None

    def with_lower(self, lower: Float64) -> Lines:
        """The same lines above."""
        return replace(self, lower=lower)


LinesOf = Mapping[int, Lines]
"""By the number of the node; a ReLU or extremum without lines is replaced by its bounds."""


def relu_lines(low: Float64, high: Float64, bits: int | None = None) -> Lines:
    """Lines for inputs between `low` and `high`, both (n, boxes), as (n, boxes, 1).

    The upper line is the chord, its slope rounded up to a multiple of 2^-bits; the lower one is 0 or x,
    whichever leaves the smaller triangle (the adaptive choice of CROWN), 0 where they are as good as equal.
    """
    width = np.maximum(high - low, 1e-300)
    chord = np.maximum(high, 0.0) / width
    if bits is not None:
        unit = 2.0**-bits
        chord = np.clip(np.ceil(chord / unit) * unit, 0.0, 1.0)
    upper = np.where(low >= 0, 1.0, chord)
    lower = ((low >= 0) | (high > -_TIE * low)).astype(np.float64)
    down = upper * np.maximum(-low, 0.0)
    intercept = down if bits is None else np.maximum(down, (1.0 - upper) * np.maximum(high, 0.0))
    return Lines(lower[:, :, None], upper[:, :, None], intercept[:, :, None])


@dataclass(frozen=True, eq=False)
class Swept:
    """least: lower bounds of the forms (boxes, rows). inputs: the coefficients of the inputs in the forms
    that were bounded, (inputs, boxes, rows). met: by the number of the node the coefficients of its results.
    """

    least: Float64
    inputs: Float64
    met: Mapping[int, Float64]


def go_back(
    layers: Layers,
    forms: Parts,
    constant: Float64,
    low: Float64,
    high: Float64,
    lines: LinesOf,
    *,
    keep: bool = False,
) -> Swept:
    """Lower bounds of linear forms.

    forms: by part; taken apart. constant: (1 or boxes, rows). low, high: bounds of all slots, (slots, boxes).
    keep: whether to return the coefficients met at lines. Results are rounded to nearest.
    """
    boxes, rows = low.shape[1], constant.shape[1]
    total = constant
    met: dict[int, Float64] = {}
    for number in range(len(layers.layers) - 1, -1, -1):
        form = forms[number + 1]
        if form is None:
            continue
        forms[number + 1] = None
        layer = layers.layers[number]
        if isinstance(layer, AffineLayer):
            total = total + dot(layer.bias[:, None], form)
            if layer.spread is not None:
                total = total - dot(layer.spread[:, None], np.abs(form))
                if keep:
                    met[number] = form
            for read in layer.reads:
                read.back(form, forms, layers.sizes[read.part])
            continue
        own = lines.get(number)
        if keep:
            met[number] = form
        if own is None or isinstance(layer, BilinearLayer | QuotientLayer):
            here = layers.here(number + 1)
            total = total + least_over_box(form, low[here], high[here])
            continue
        sign = layer.sign if isinstance(layer, ExtremumLayer) else 1.0
        flowing, offset = _bend(form if sign > 0 else -form, own)
        total = total + offset
        if not isinstance(layer, ExtremumLayer):
            pushed = flowing if own.push is None else flowing + own.push
            give_back(forms, layer.source, pushed, layers.sizes)
        else:
            flowing = flowing if sign > 0 else -flowing
            give_back(forms, layer.left, flowing, layers.sizes)
            give_back(forms, layer.right, form - flowing, layers.sizes)
    inputs = layers.here(0)
    form = forms[0]
    if form is None:
        form = np.zeros((layers.sizes[0], 1, rows))
    least = total + least_over_box(form, low[inputs], high[inputs])
    return Swept(np.broadcast_to(least, (boxes, rows)), form, met)


def _bend(form: Float64, lines: Lines) -> tuple[Float64, Float64]:
    negative = np.minimum(form, 0.0)
    offset = dot(lines.intercept[:, :, 0], negative)
    bent = form * lines.lower
    bent += negative * (lines.upper - lines.lower)
    return bent, offset


def dot(numbers: Float64, form: Float64) -> Float64:
    """sum(numbers * form) over the slots: (slots, boxes or 1), (slots, boxes or 1, rows) -> (boxes, rows)."""
    if numbers.shape[1] == 1:
        return np.asarray(numbers[:, 0] @ flat(form)).reshape(form.shape[1:])
    if form.shape[1] == 1:
        return np.asarray(numbers.T @ form[:, 0])
    return np.asarray(np.matmul(numbers.T[:, None, :], form.transpose(1, 0, 2))[:, 0])


def least_over_box(form: Float64, low: Float64, high: Float64) -> Float64:
    """The least value of the form where each slot lies between its bounds, (slots, boxes) each."""
    negative = np.minimum(form, 0.0)
    return dot(low, form) + dot(high - low, negative)


@dataclass(frozen=True, eq=False)
class Gradient:
    """slopes: derivatives of every bound with respect to the slopes of its lines below, (n, boxes, rows), by
    node. values: what the relaxed layers give at the corner where the form is least, by part. pushes: the
    derivatives with respect to what is added to ReLUs' arguments, by node.
    """

    slopes: Mapping[int, Float64]
    values: Parts
    pushes: Mapping[int, Float64]


def gradient(
    layers: Layers, swept: Swept, low: Float64, high: Float64, lines: LinesOf, last: int
) -> Gradient:
    """The gradient of bounds from `go_back` with `keep`, with the same bounds and lines.

    last: the node up to which values are wanted. Where a coefficient is 0 the derivative towards smaller ones
    is taken.
    """
    inputs = layers.here(0)
    values: Parts = [None] * len(layers.sizes)
    values[0] = np.where(swept.inputs > 0, low[inputs][:, :, None], high[inputs][:, :, None])
    found: dict[int, Float64] = {}
    pushes: dict[int, Float64] = {}
    for number in range(max(last, *swept.met, -1) + 1):
        layer = layers.layers[number]
        if isinstance(layer, AffineLayer):
            made = layer.bias[:, None, None]
            for read in layer.reads:
                own = values[read.part]
                assert own is not None
                made = made + read.product(own)
            if layer.spread is not None and number in swept.met:
                made = made - layer.spread[:, None, None] * np.sign(swept.met[number])
            values[number + 1] = made
            continue
        form, here = swept.met.get(number), layers.here(number + 1)
        if number not in lines or isinstance(layer, BilinearLayer | QuotientLayer):
            least = np.ones(1, dtype=np.bool_) if form is None else form > 0
            values[number + 1] = np.where(least, low[here][:, :, None], high[here][:, :, None])
            continue
        other, sign = None, 1.0
        if not isinstance(layer, ExtremumLayer):
            argument = picked(values, layer.source, layer.size)
        else:
            sign = layer.sign
            other = picked(values, layer.right, layer.size)
            argument = sign * (picked(values, layer.left, layer.size) - other)
        own_lines = lines[number]
        below = own_lines.lower * argument
        if form is None:
            chosen = below
        else:
            if own_lines.push is not None:
                pushes[number] = argument
            positive = form > 0 if sign > 0 else form < 0
            found[number] = np.where(positive, np.abs(form) * argument, 0.0)
            chosen = np.where(positive, below, own_lines.upper * argument + own_lines.intercept)
        values[number + 1] = chosen if other is None else other + sign * chosen
    return Gradient(found, values, pushes)
