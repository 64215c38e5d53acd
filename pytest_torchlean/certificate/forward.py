"""Forms carried forward through the layers, in exact integers: Check.Forward, on many parts of a box at once.

A layer's forms are digits of the lower and the upper form, (values, 1 + inputs, parts): the constant first,
then the coefficient of each input's deviation from the middle of its range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.concluding import Unforeseen, composable, decoded
from pytest_torchlean.certificate.model import ComposedData, ForwardData, ScaleData
from pytest_torchlean.certificate.products import exact_product
from pytest_torchlean.certificate.rows import Box, PassedNode
from pytest_torchlean.certificate.statement import AffineData, PropertyData, ReluData
from pytest_torchlean.certificate.words import factor_of, sources_of

_ERROR_SPARE = 8
"""Check.Forward.errorBits: the errors of a node's rows have this many bits less than a half digit."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Check.Forward.Substitution: rows over the values of a layer, and bounds of what else they hold."""

    positive: Integers
    negative: Integers
    shift: int
    low: Integers
    high: Integers
    offset: Integers

    @property
    def mass(self) -> Integers:
        total: Integers = (self.positive + self.negative).sum(axis=1)
        return total


@dataclass(frozen=True, eq=False)
class Bend:
    """Check.Forward.Layer.relu: how far the memory lets each value reach below 0 and above."""

    negative: Integers
    positive: Integers


@dataclass(frozen=True, eq=False)
class Layers:
    """Check.Forward.conclude, prepared: the layers, the property's rows, the ranges of the inputs."""

    layers: tuple[Rows | Bend, ...]
    last: Rows
    low: Integers
    high: Integers


def prepared(box: Box, history: Sequence[PassedNode], about: PropertyData, how: ForwardData) -> Layers:
    """What Lean prepares once for all parts. Raises Unforeseen where it refuses."""
    if not history or not isinstance(history[-1].node, AffineData):
        raise Unforeseen("the last node is not affine")
    last, first, count = _last(box, history[-1], about, how)
    layers: list[Rows | Bend] = []
    for passed in reversed(history[:-1]):
        if first == how.origin:
            break
        if passed.start != first:
            continue
        node = passed.node
        if isinstance(node, AffineData) and node.rows == count:
            rows, first, count = _affine(box, passed)
            layers.append(rows)
        elif isinstance(node, ReluData) and node.count == count:
            first = node.first
            here = slice(first, first + count)
            center = box.scale.center
            layers.append(
                Bend(np.maximum(center - box.lower[here], 0), np.maximum(box.upper[here] - center, 0))
            )
        else:
            raise Unforeseen("a node that forms do not pass")
    if first != how.origin or first + count > len(box.lower):
        raise Unforeseen("the layers begin elsewhere")
    here = slice(first, first + count)
    return Layers(tuple(reversed(layers)), last, box.lower[here], box.upper[here])


def property_rows(
    scale: ScaleData, ready: Layers, how: ForwardData, low: Integers, high: Integers
) -> Integers:
    """Lower bounds of the rows of the property (rows, parts) on parts of the box, (inputs, parts).

    Raises Unforeseen where Lean refuses a part.
    """
    middle = (low + high) // 2
    magnitudes = high - middle
    total = magnitudes.sum(axis=0) if len(magnitudes) else np.zeros(low.shape[1], dtype=object)
    require(scale, how, middle, total)
    step = (total >> how.fraction) + 1
    if (step > scale.center).any():
        raise Unforeseen("deviations without room")
    inputs, parts = low.shape
    lower = np.full((inputs, 1 + inputs, parts), scale.center, dtype=object)
    lower[:, 0] = middle
    for place in range(inputs):
        lower[place, 1 + place] += 1 << how.fraction
    upper = lower.copy()
    for layer in ready.layers:
        if isinstance(layer, Rows):
            lower, upper = _substituted(scale, layer, step, lower, upper)
        elif how.symbols:
            lower, upper, magnitudes = _bent_with_symbols(scale, how, layer, magnitudes, lower, upper)
            step = (magnitudes.sum(axis=0) >> how.fraction) + 1
            if (step > scale.center).any():
                raise Unforeseen("deviations without room")
        else:
            lower, upper = _bent(scale, how, layer, magnitudes, step, lower, upper)
    last = ready.last
    if (magnitudes.sum(axis=0) > 1 << (scale.half - 1)).any():
        raise Unforeseen("deviations without room")
    products = _below(scale, last, lower, upper)
    mass = scale.center * last.mass
    reach = (magnitudes * abs(products[:, 1:] - mass[:, None, None])).sum(axis=1) >> how.fraction
    found: Integers = products[:, 0] + (last.low - mass - last.offset)[:, None] - reach - 1
    return found


def require(scale: ScaleData, how: ForwardData, middle: Integers, total: Integers) -> None:
    """Check.Forward.roomy and measure, for every part."""
    half, top = scale.half, scale.top
    fits = (
        how.slope + 1 <= half
        and top << how.slope < 1 << half
        and 3 * top + 3 < 1 << (half - 1)
        and how.fraction <= 2 * half
        and (total <= 1 << (half - 1)).all()
        and (top * (total + 1) + 1 < 1 << (2 * half - 1)).all()
        and (middle <= top).all()
    )
    if not fits:
        raise Unforeseen("a part without room")


def _substituted(
    scale: ScaleData, rows: Rows, step: Integers, lower: Integers, upper: Integers
) -> tuple[Integers, Integers]:
    """Check.Forward.substitute."""
    factor = 1 << rows.shift
    low, high = _below(scale, rows, lower, upper), _below(scale, rows, upper, lower)
    shift = (factor * scale.center - scale.center * rows.mass)[:, None, None]
    low, high = low + shift, high + shift
    charge = factor * step
    low[:, 0] += (rows.low - rows.offset)[:, None] - charge
    high[:, 0] += (rows.high - rows.offset)[:, None] + charge
    high = high + (factor - 1)
    if (low < 0).any() or (high < 0).any():
        raise Unforeseen("a form below the smallest number")
    return _kept(scale, low >> rows.shift, high >> rows.shift)


def _bent(
    scale: ScaleData,
    how: ForwardData,
    layer: Bend,
    magnitudes: Integers,
    step: Integers,
    lower: Integers,
    upper: Integers,
) -> tuple[Integers, Integers]:
    """Check.Forward.bend."""
    center, one = scale.center, 1 << how.slope
    radius = ((magnitudes * abs(upper[:, 1:] - center)).sum(axis=1) >> how.fraction) + 1
    down = np.minimum(np.maximum(center + radius - upper[:, 0], 0), layer.negative[:, None])
    up = np.minimum(np.maximum(upper[:, 0] + radius - center, 0), layer.positive[:, None])
    chord = (up << how.slope) // (down + up + 1) + (down == 0).astype(object)
    floor = np.where((lower[:, 0] >= center).astype(bool), one, 0).astype(object)
    offset = (np.maximum(down * chord, up * (one - chord)) + one - 1) >> how.slope
    lower = (lower * floor[:, None] + center * (one - floor)[:, None]) >> how.slope
    upper = (upper * chord[:, None] + center * (one - chord)[:, None]) >> how.slope
    lower[:, 0] -= step
    upper[:, 0] += offset + step + 1
    if (lower[:, 0] < 0).any():
        raise Unforeseen("a form below the smallest number")
    return _kept(scale, lower, upper)


def _bent_with_symbols(
    scale: ScaleData, how: ForwardData, layer: Bend, magnitudes: Integers, lower: Integers, upper: Integers
) -> tuple[Integers, Integers, Integers]:
    """Check.Forward.bendWithSymbols: the forms, and the magnitudes of all deviations.

    A symbol that a part has not has magnitude 0 there, which changes nothing.
    """
    center, one = scale.center, 1 << how.slope
    total = magnitudes.sum(axis=0)
    step = (total >> how.fraction) + 1
    fits = (
        how.slope + 1 <= how.fraction
        and (scale.top * (total + 1) + 1 < 1 << (2 * scale.half - 1)).all()
        and (step <= center).all()
    )
    if not fits:
        raise Unforeseen("deviations without room")
    above, below = (
        ((magnitudes * abs(form[:, 1:] - center)).sum(axis=1) >> how.fraction) + 1 for form in (upper, lower)
    )
    down = np.minimum(np.maximum(center + below - lower[:, 0], 0), layer.negative[:, None])
    up = np.minimum(np.maximum(upper[:, 0] + above - center, 0), layer.positive[:, None])
    chord = (up << how.slope) // (down + up + 1) + (down == 0).astype(object)
    misses = (np.maximum(down * chord, up * (one - chord)) + one - 1) >> how.slope
    lower, upper = (
        (form * chord[:, None] + center * (one - chord)[:, None]) >> how.slope for form in (lower, upper)
    )
    lower[:, 0] -= step
    upper[:, 0] += step + 2
    if (lower < 0).any():
        raise Unforeseen("a form below the smallest number")
    _kept(scale, lower, upper)
    lower[:, 0] += misses >> 1
    upper[:, 0] += misses >> 1
    _kept(scale, lower, upper)
    undecided = np.flatnonzero((misses > 0).any(axis=1))
    symbols = np.full((len(misses), undecided.size, misses.shape[1]), center, dtype=object)
    symbols[undecided, np.arange(undecided.size)] += 1 << (how.fraction - how.slope - 1)
    lower, upper = (np.concatenate([form, symbols], axis=1) for form in (lower, upper))
    return lower, upper, np.concatenate([magnitudes, misses[undecided] << how.slope])


def _kept(scale: ScaleData, lower: Integers, upper: Integers) -> tuple[Integers, Integers]:
    if (lower > scale.top).any() or (upper > scale.top).any():
        raise Unforeseen("a form above the largest number")
    return lower, upper


def _below(scale: ScaleData, rows: Rows, lower: Integers, upper: Integers) -> Integers:
    """The lower products of all columns, (rows, 1 + inputs, parts)."""
    shape = (len(rows.positive), *lower.shape[1:])
    first = exact_product(rows.positive, lower.reshape(len(lower), -1))
    second = exact_product(rows.negative, (scale.top - upper).reshape(len(upper), -1))
    return (first + second).reshape(shape)


# --- preparing --------------------------------------------------------------------------------------


def _affine(box: Box, passed: PassedNode) -> tuple[Rows, int, int]:
    """Check.Forward.affineLayer: the rows, and the slots they read as a layer."""
    node, decoding, matrix = passed.node, passed.decoding, passed.matrix
    if not isinstance(node, AffineData) or matrix is None or node.positions != 1:
        raise Unforeseen("a node with several positions")
    scale, factor = box.scale, factor_of(node.divisor, decoding)
    first, count = leading(sources_of(node)[0])
    half = scale.half
    reach = node.columns * (scale.top << (decoding.bits + 1))
    spare = max(0, half - _ERROR_SPARE)
    error = passed.error if passed.error is not None else np.zeros(node.rows, dtype=object)
    fits = (
        32 * node.lanes == 2 * half
        and factor & (factor - 1) == 0
        and (error < 1 << spare).all()
        and reach + (2 << spare) + factor * (scale.top + scale.center + 1) <= 1 << (half - 1)
    )
    if not fits:
        raise Unforeseen("an affine node whose forms have no room")
    shift = factor.bit_length() - 1
    rest = _rest(box, matrix.positive[:, count:], matrix.negative[:, count:], matrix.sources[0, count:])
    low, high, offset = rest[0], rest[1] + 2 * error, rest[2] + error
    return (
        Rows(matrix.positive[:, :count], matrix.negative[:, :count], shift, low, high, offset),
        first,
        count,
    )


def _last(box: Box, passed: PassedNode, about: PropertyData, how: ForwardData) -> tuple[Rows, int, int]:
    """Check.Forward.finalLayer: the rows of the property over what the last node reads."""
    node, decoding, matrix = passed.node, passed.decoding, passed.matrix
    if not isinstance(node, AffineData) or matrix is None or node.positions != 1:
        raise Unforeseen("a node with several positions")
    forms = decoded(about.forms, how.forms)
    scale, factor = box.scale, factor_of(node.divisor, decoding)
    reads = forms.sources[0]
    if len(reads) < node.rows or (reads[: node.rows] != passed.start + np.arange(node.rows)).any():
        raise Unforeseen("forms of other slots than the outputs")
    composed = ComposedData(how.forms, decoding, how.size)
    first, count = leading(sources_of(node)[0])
    half, tails = scale.half, forms.positive.shape[1] - node.rows
    error = passed.error if passed.error is not None else np.zeros(node.rows, dtype=object)
    rounded = bool((error != 0).any())
    spare = max(0, half - (how.forms.bits + node.rows.bit_length() - 1 + 8)) if rounded else 0
    charge = node.rows << (spare + how.forms.bits + 1)
    reach = node.columns * (scale.top << (how.size + 1)) + tails * (2 * scale.top * factor << how.forms.bits)
    fits = (
        composable(scale, about.forms, composed, node, rounded=rounded)
        and (error < 1 << spare).all()
        and 32 * about.forms.lanes == 2 * half
        and reach + 2 * charge + scale.top + scale.center + 1 <= 1 << (half - 1)
    )
    if not fits:
        raise Unforeseen("forms without room")
    weights = forms.positive - forms.negative
    table = weights[:, : node.rows] @ (matrix.positive - matrix.negative)
    positive, negative = np.maximum(table, 0), np.maximum(-table, 0)
    rest = _rest(box, positive[:, count:], negative[:, count:], matrix.sources[0, count:])
    other = _rest(
        box,
        factor * forms.positive[:, node.rows :],
        factor * forms.negative[:, node.rows :],
        reads[node.rows :],
    )
    charged = (forms.positive + forms.negative)[:, : node.rows] @ error
    low, high, offset = rest[0] + other[0], rest[1] + other[1] + 2 * charged, rest[2] + other[2] + charged
    return Rows(positive[:, :count], negative[:, :count], 0, low, high, offset), first, count


def _rest(
    box: Box, positive: Integers, negative: Integers, sources: NDArray[np.int64]
) -> tuple[Integers, Integers, Integers]:
    """What the memory says of columns that do not read the layer: both sums, and the center's."""
    if sources.size and int(sources.max()) >= len(box.lower):
        raise Unforeseen("a node that reads what is not written")
    low, high = box.lower[sources], box.upper[sources]
    top, zero = box.scale.top, np.zeros(len(positive), dtype=object)
    below = zero + positive @ low + negative @ (top - high)
    above = zero + positive @ high + negative @ (top - low)
    return below, above, zero + box.scale.center * (positive + negative).sum(axis=1)


def leading(sources: NDArray[np.int64]) -> tuple[int, int]:
    """The first slot that columns read, and how many of them read on from there: Check.Dense.run."""
    first = int(sources[0])
    steps = sources == first + np.arange(sources.size)
    return first, int(sources.size if steps.all() else np.argmin(steps))
