"""`certificate/forward.py` with noise symbols in words of 64 bits: the same numbers, fifty times sooner.

Forms are kept without the center, so that a product with a slope fits into a word. Products with weights go
through binary64, in limbs of so few bits that every sum is exact. Numbers that may not fit are left to the
Python integers of `certificate/forward.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.concluding import Unforeseen
from pytest_torchlean.certificate.forward import Bend, Layers, Rows, require
from pytest_torchlean.certificate.model import ForwardData, ScaleData
from pytest_torchlean.certificate.products import exact_product

Words = NDArray[np.int64]
Float64 = NDArray[np.float64]

_MOST = 62
"""Bits that a number may have, besides its sign."""
_EXACT = 53
_WEIGHT_LIMB = 22
_COEFFICIENT_LIMB, _MAGNITUDE_LIMB = 26, 24
_MOST_SYMBOLS = 1 << (63 - _COEFFICIENT_LIMB - _MAGNITUDE_LIMB - 1)


@dataclass(frozen=True, eq=False)
class _Matrix:
    """Rows of a layer: all weights, the positive and the opposites of the negative ones, in limbs of `bits`
    bits each. mass: the largest sum of a row's weights. low, high: what is beside them, (rows,): the part
    below the point of the result, then the rest.
    """

    weights: tuple[Float64, ...]
    positive: tuple[Float64, ...]
    negative: tuple[Float64, ...]
    bits: int
    shift: int
    mass: int
    low: tuple[Words, Words]
    high: tuple[Words, Words]


@dataclass(frozen=True, eq=False)
class _Reaches:
    """How far the memory lets the arguments of ReLUs reach, (values, 1)."""

    negative: Words
    positive: Words


@dataclass(frozen=True, eq=False)
class InWords:
    """Layers whose numbers fit, with the rows of the property as they were."""

    layers: tuple[_Matrix | _Reaches, ...]
    last: Rows


class TooLong(Exception):
    """A number of some part does not fit into a word."""


def in_words(scale: ScaleData, ready: Layers, how: ForwardData) -> InWords | None:
    """The layers in words; None without symbols, and where numbers may be too long."""
    short = scale.top.bit_length() <= _MOST and how.fraction + how.slope <= _MOST
    if not how.symbols or not short:
        return None
    layers: list[_Matrix | _Reaches] = []
    for layer in ready.layers:
        if isinstance(layer, Bend):
            sides = [side.astype(np.int64)[:, None] for side in (layer.negative, layer.positive)]
            layers.append(_Reaches(*sides))
            continue
        matrix = _matrix(layer)
        if matrix is None:
            return None
        layers.append(matrix)
    return InWords(tuple(layers), ready.last)


def _matrix(rows: Rows) -> _Matrix | None:
    largest = int(max(rows.positive.max(initial=0), rows.negative.max(initial=0)))
    rest = max(int(abs(side - rows.offset).max(initial=0)) for side in (rows.low, rows.high)) >> rows.shift
    if rest.bit_length() >= _MOST or rows.shift > _EXACT:
        return None
    count = max(1, -(-largest.bit_length() // _WEIGHT_LIMB))
    bits = max(1, -(-largest.bit_length() // count))
    mask = (1 << rows.shift) - 1
    low: Integers = rows.low - rows.offset
    high: Integers = rows.high - rows.offset + mask
    return _Matrix(
        _weight_limbs(rows.positive - rows.negative, bits, count),
        _weight_limbs(rows.positive, bits, count),
        _weight_limbs(rows.negative, bits, count),
        bits,
        rows.shift,
        int(rows.mass.max(initial=0)),
        ((low & mask).astype(np.int64), (low >> rows.shift).astype(np.int64)),
        ((high & mask).astype(np.int64), (high >> rows.shift).astype(np.int64)),
    )


def _weight_limbs(weights: Integers, bits: int, count: int) -> tuple[Float64, ...]:
    signs = np.where(weights < 0, -1.0, 1.0)
    sizes: Integers = np.abs(weights)
    mask = (1 << bits) - 1
    return tuple(((sizes >> bits * place) & mask).astype(np.float64) * signs for place in range(count))


def property_rows(
    scale: ScaleData, ready: InWords, how: ForwardData, low: Integers, high: Integers
) -> Integers:
    """`property_rows` of `certificate/forward.py`. Raises Unforeseen, and TooLong where a part's numbers do
    not fit.
    """
    middle = (low + high) // 2
    given = high - middle
    total = given.sum(axis=0) if len(given) else np.zeros(low.shape[1], dtype=object)
    require(scale, how, middle, total)
    if int(total.max(initial=0)).bit_length() > _MOST - 1 or len(low) > _MOST_SYMBOLS:
        raise TooLong
    magnitudes, inputs = given.astype(np.int64), len(low)
    step = _step(scale, how, magnitudes)
    lower: Words = np.zeros((inputs, 1 + inputs, low.shape[1]), dtype=np.int64)
    lower[:, 0] = (middle - scale.center).astype(np.int64)
    lower[np.arange(inputs), 1 + np.arange(inputs)] = 1 << how.fraction
    upper = lower.copy()
    for layer in ready.layers:
        if isinstance(layer, _Matrix):
            lower, upper = _substituted(scale, layer, step, lower, upper)
        else:
            lower, upper, magnitudes = _bent(scale, how, layer, magnitudes, step, lower, upper)
            step = _step(scale, how, magnitudes)
    return _finished(scale, how, ready.last, magnitudes, lower, upper)


def _step(scale: ScaleData, how: ForwardData, magnitudes: Words) -> Words:
    total = _total(magnitudes)
    step: Words = (total >> how.fraction) + 1
    if int(step.max(initial=0)) > scale.center:
        raise Unforeseen("deviations without room")
    return step


def _total(magnitudes: Words) -> Words:
    if magnitudes.sum(axis=0, dtype=np.float64).max(initial=0.0) >= 2.0 ** (_MOST - 1):
        raise TooLong
    total: Words = magnitudes.sum(axis=0)
    return total


def _substituted(
    scale: ScaleData, rows: _Matrix, step: Words, lower: Words, upper: Words
) -> tuple[Words, Words]:
    """Check.Forward.substitute: the rows of the lower forms, and what both sides add to them."""
    inner, (symbols, parts) = len(lower), lower.shape[1:]
    if ((rows.mass * 3 * max(_largest(lower), _largest(upper))) >> rows.shift).bit_length() > _MOST:
        raise TooLong
    limb = _EXACT - rows.bits - inner.bit_length()
    first = _limbs(lower.reshape(inner, -1), limb)
    width = _limbs((upper - lower).reshape(inner, -1), limb)
    shared = _products({}, rows.weights, rows.bits, first, limb, 1)
    below = _products(dict(shared), rows.negative, rows.bits, width, limb, -1)
    above = _products(shared, rows.positive, rows.bits, width, limb, 1)
    found = []
    for digits, (rest, more), up in ((below, rows.low, False), (above, rows.high, True)):
        least = digits[0].reshape(-1, symbols, parts)
        whole = (1 << rows.shift) - 1 if up else 0
        # `rest` of the high side holds the rounding up of the constants already
        least = least + whole
        least[:, 0] += (rest - whole)[:, None]
        form = _floor({**digits, 0: least.reshape(len(least), -1)}, rows.shift).reshape(least.shape)
        form[:, 0] += more[:, None] + (step if up else -step)
        found.append(form)
    low, high = found
    _kept(scale, low, high)
    return low, high


def _products(
    digits: dict[int, Words],
    left: Sequence[Float64],
    bits: int,
    right: Sequence[Float64],
    limb: int,
    sign: int,
) -> dict[int, Words]:
    """Adds a product of limbs to digits by their powers of two; arrays that there are stay as they are."""
    for place, own in enumerate(left):
        for other, piece in enumerate(right):
            power, product = bits * place + limb * other, sign * (own @ piece).astype(np.int64)
            digits[power] = digits[power] + product if power in digits else product
    return digits


def _largest(numbers: Words) -> int:
    return max(int(numbers.max(initial=0)), -int(numbers.min(initial=0)))


def _limbs(numbers: Words, bits: int) -> list[Float64]:
    """Limbs, least significant first; the last one has the sign."""
    count = max(1, -(-_largest(numbers).bit_length() // bits))
    mask = (1 << bits) - 1
    limbs = [((numbers >> bits * place) & mask).astype(np.float64) for place in range(count - 1)]
    return [*limbs, (numbers >> bits * (count - 1)).astype(np.float64)]


def _floor(digits: dict[int, Words], shift: int) -> Words:
    """The sum of digits times powers of two, divided by 2^shift and rounded down. There is a digit 0."""
    found, at = digits[0], 0
    for power in sorted(digits)[1:]:
        if power <= shift:
            found, at = (found >> (power - at)) + digits[power], power
        else:
            found, at = (found >> (shift - at)) + (digits[power] << (power - shift)), shift
    result: Words = found >> (shift - at)
    return result


def _bent(
    scale: ScaleData,
    how: ForwardData,
    layer: _Reaches,
    magnitudes: Words,
    step: Words,
    lower: Words,
    upper: Words,
) -> tuple[Words, Words, Words]:
    """Check.Forward.bendWithSymbols, with columns for the symbols that a part has."""
    one = 1 << how.slope
    largest = int(_total(magnitudes).max(initial=0))
    fits = how.slope + 1 <= how.fraction and scale.top * (largest + 1) + 1 < 1 << (2 * scale.half - 1)
    if not fits:
        raise Unforeseen("deviations without room")
    above, below = (_reach(how, magnitudes, form[:, 1:]) + 1 for form in (upper, lower))
    down = np.minimum(np.maximum(below - lower[:, 0], 0), layer.negative)
    up = np.minimum(np.maximum(upper[:, 0] + above, 0), layer.positive)
    if max(_largest(form) for form in (down, up, lower, upper)).bit_length() + how.slope > _MOST:
        raise TooLong
    chord = (up << how.slope) // (down + up + 1) + (down == 0)
    misses = (np.maximum(down * chord, up * (one - chord)) + one - 1) >> how.slope
    lower, upper = ((form * chord[:, None]) >> how.slope for form in (lower, upper))
    lower[:, 0] -= step
    upper[:, 0] += step + 2
    _kept(scale, lower, upper)
    lower[:, 0] += misses >> 1
    upper[:, 0] += misses >> 1
    _kept(scale, lower, upper)
    chosen = misses > 0
    most, parts = int(chosen.sum(axis=0).max(initial=0)), misses.shape[1]
    if int(misses.max(initial=0)).bit_length() + how.slope > _MOST or len(magnitudes) + most > _MOST_SYMBOLS:
        raise TooLong
    value, part = np.nonzero(chosen)
    place = (np.cumsum(chosen, axis=0) - 1)[value, part]
    symbols = np.zeros((len(misses), most, parts), dtype=np.int64)
    symbols[value, place, part] = 1 << (how.fraction - how.slope - 1)
    sizes = np.zeros((most, parts), dtype=np.int64)
    sizes[place, part] = misses[value, part] << how.slope
    lower, upper = (np.concatenate([form, symbols], axis=1) for form in (lower, upper))
    return lower, upper, np.concatenate([magnitudes, sizes])


def _reach(how: ForwardData, magnitudes: Words, coefficients: Words) -> Words:
    """How far the deviations move each form, (values, parts), rounded down."""
    digits: dict[int, Words] = {}
    sizes = np.abs(coefficients)
    left = _parts_of(sizes, _COEFFICIENT_LIMB)
    for power, some in _parts_of(magnitudes, _MAGNITUDE_LIMB).items():
        for other, piece in left.items():
            product: Words = np.einsum("vsp,sp->vp", piece, some)
            digits[power + other] = product
    if sum(
        float(digit.max(initial=0)) * 2.0 ** (power - how.fraction) for power, digit in digits.items()
    ) >= (2.0 ** (_MOST - 1)):
        raise TooLong
    return _floor(digits, how.fraction)


def _parts_of(numbers: Words, bits: int) -> dict[int, Words]:
    """Naturals in limbs, by their powers of two."""
    count = max(1, -(-int(numbers.max(initial=0)).bit_length() // bits))
    mask = (1 << bits) - 1
    return {bits * place: (numbers >> bits * place) & mask for place in range(count)}


def _kept(scale: ScaleData, lower: Words, upper: Words) -> None:
    if min(int(form.min(initial=0)) for form in (lower, upper)) < -scale.center:
        raise Unforeseen("a form below the smallest number")
    if max(int(form.max(initial=0)) for form in (lower, upper)) > scale.center:
        raise Unforeseen("a form above the largest number")


def _finished(
    scale: ScaleData, how: ForwardData, last: Rows, magnitudes: Words, lower: Words, upper: Words
) -> Integers:
    """The rows of the property, which may be long: Python integers."""
    if int(_total(magnitudes).max(initial=0)) > 1 << (scale.half - 1):
        raise Unforeseen("deviations without room")
    sides = [form.reshape(len(form), -1) for form in (lower, upper)]
    found = exact_product(last.positive, sides[0]) - exact_product(last.negative, sides[1])
    products = found.reshape(len(found), *lower.shape[1:])
    reach = (magnitudes.astype(object) * abs(products[:, 1:])).sum(axis=1) >> how.fraction
    rows: Integers = products[:, 0] + (last.low - last.offset)[:, None] - reach - 1
    return rows
