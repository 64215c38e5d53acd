"""From a program and goals to the integers of an emission: forms, boxes, scale, lanes, decodings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.interval import propagate
from pytest_torchlean.bounds.program import ONE_SLOT, AffineNode, Program, ProgramNode
from pytest_torchlean.certificate.model import (
    AffineData,
    BoxData,
    CertificateData,
    ClaimCertificateData,
    ClaimData,
    DecodingData,
    Emission,
    GraphData,
    PropertyData,
    ReluData,
    ScaleData,
)
from pytest_torchlean.certificate.words import EXPONENT_OF_SCALED, affine_data, decoding_of, pack_digits
from pytest_torchlean.errors import CertificateError

FRACTION_BITS = 32
"""Bounds are computed in steps of 2^-32."""
_LONGEST_DENOMINATOR = 64
"""Bits of a common denominator of all boxes that the fixed-point unit may take over."""
_LANES_MARGIN = 64
"""Padding adds fewer columns than this to a matrix."""


@dataclass(frozen=True)
class RationalBox:
    """A closed box of the inputs, exact."""

    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]


@dataclass(frozen=True, eq=False)
class Forms:
    """Rows `coefficients @ outputs + constants`, all positive (strict) or none negative.

    coefficients: Python integers (rows, outputs), dtype object. constants: (rows,), dtype object.
    """

    coefficients: NDArray[np.object_]
    constants: NDArray[np.object_]
    strict: bool


@dataclass(frozen=True, eq=False)
class Goal:
    """The forms hold for every input of every box."""

    forms: Forms
    boxes: tuple[RationalBox, ...]


def build_emission(program: Program, goals: Sequence[Goal]) -> Emission:
    """Everything Lean needs, with the smallest digits that are large enough.

    Raises CertificateError TL0601 where a number of the property has no exact form.
    """
    node_words = [_bits(node.weights) for node in program.nodes if isinstance(node, AffineNode)]
    decodings = tuple(decoding_of(words) for words in node_words)
    form_words = [_form_words(goal.forms) for goal in goals]
    form_decodings = [decoding_of(words) for words in form_words]
    composed = _last_affine(program)
    boxes = [[_box_digits(box) for box in goal.boxes] for goal in goals]
    scale, sizes = _scale(program, goals, decodings, form_words, form_decodings, composed, boxes)
    lanes = scale.half // 16
    claims = tuple(
        ClaimData(
            PropertyData(_forms(program, goal, words, lanes), goal.forms.strict),
            tuple(box.data(scale) for box in own),
        )
        for goal, words, own in zip(goals, form_words, boxes, strict=True)
    )
    nodes = tuple(_node(node, lanes) for node in program.nodes)
    certificates = tuple(
        ClaimCertificateData(decoding, size) for decoding, size in zip(form_decodings, sizes, strict=True)
    )
    return Emission(GraphData(program.inputs, nodes), claims, CertificateData(scale, decodings, certificates))


def margin_forms(label: int, classes: int) -> Forms:
    """output[label] - output[k] > 0 for every other class k."""
    others = [k for k in range(classes) if k != label]
    coefficients = np.zeros((len(others), classes), dtype=object)
    for row, k in enumerate(others):
        coefficients[row, label] = 1
        coefficients[row, k] = -1
    return Forms(coefficients, np.zeros(len(others), dtype=object), strict=True)


def bound_forms(
    lower: Sequence[Fraction] | None, upper: Sequence[Fraction] | None, outputs: int, strict: bool
) -> Forms:
    """lower <= outputs <= upper element by element (or < where strict), each row scaled to integers."""
    rows, constants = [], []
    for bounds, sign in ((lower, 1), (upper, -1)):
        for index, bound in enumerate(bounds or ()):
            row = [0] * outputs
            row[index] = sign * bound.denominator
            rows.append(row)
            constants.append(-sign * bound.numerator)
    coefficients = np.empty((len(rows), outputs), dtype=object)
    column = np.empty(len(rows), dtype=object)
    if rows:
        coefficients[:] = rows
        column[:] = constants
    return Forms(coefficients, column, strict)


def _bits(weights: NDArray[np.float32]) -> NDArray[np.uint32]:
    return np.ascontiguousarray(weights, dtype=np.float32).view(np.uint32)


def _last_affine(program: Program) -> AffineNode | None:
    """The node whose rows are exactly the outputs, if it can be substituted into forms."""
    last = program.nodes[-1] if program.nodes else None
    if not isinstance(last, AffineNode) or len(last.sources) != 1:
        return None
    expected = np.arange(last.start, last.start + last.size)
    return last if np.array_equal(program.outputs, expected) else None


def _form_words(forms: Forms) -> NDArray[np.uint32]:
    """Patterns (rows, outputs + constant columns); any common positive factor leaves the claim as it is.

    Integers below 2^23 are subnormal patterns, which decode to themselves. Larger ones become normal
    numbers, a constant as a sum of several columns.
    """
    columns = [forms.coefficients]
    if any(forms.constants):
        columns.append(forms.constants.reshape(-1, 1))
    table = np.concatenate(columns, axis=1)
    if all(abs(number) < 1 << 23 for number in table.reshape(-1)):
        words = [abs(number) | (number < 0) << 31 for number in table.reshape(-1)]
        return np.array(words, dtype=np.uint32).reshape(table.shape)
    normal = [_exact_float(forms.coefficients)]
    rest = forms.constants.copy()
    while any(rest):
        part = np.empty_like(rest)
        part[:] = [_leading(number) for number in rest]
        normal.append(_exact_float(part.reshape(-1, 1)))
        rest = rest - part
    return np.concatenate(normal, axis=1)


def _leading(number: int) -> int:
    """The number with all but its 24 leading bits cleared."""
    drop = max(0, abs(number).bit_length() - 24)
    magnitude = abs(number) >> drop << drop
    return -magnitude if number < 0 else magnitude


def _exact_float(numbers: NDArray[np.object_]) -> NDArray[np.uint32]:
    for number in numbers.reshape(-1):
        if _leading(number) != number or abs(number).bit_length() > 127:
            raise CertificateError(
                "TL0601",
                f"the property's coefficient {number} is not a binary32 number",
                fix="use bounds whose denominators are below 2^24",
            )
    return numbers.astype(np.float64).astype(np.float32).view(np.uint32).reshape(numbers.shape)


def _forms(program: Program, goal: Goal, words: NDArray[np.uint32], lanes: int) -> AffineData:
    outputs = program.outputs
    ones = np.full(words.shape[1] - outputs.size, ONE_SLOT, dtype=np.int64)
    return affine_data(words, np.concatenate([outputs, ones]).reshape(1, -1), 1, lanes)


def _node(node: ProgramNode, lanes: int) -> AffineData | ReluData:
    """A single position's columns in the order of their slots, constants last: Lean takes runs at once."""
    if isinstance(node, AffineNode):
        weights, sources = _bits(node.weights), node.sources
        if len(sources) == 1:
            order = np.argsort(
                np.where(sources[0] <= ONE_SLOT, np.iinfo(np.int64).max, sources[0]), kind="stable"
            )
            weights, sources = weights[:, order], sources[:, order]
        return affine_data(weights, sources, node.divisor, lanes)
    return ReluData(node.first, node.size)


@dataclass(frozen=True)
class _BoxDigits:
    """Numerators over the least common denominator, shifted to be natural."""

    denominator: int
    offset: int
    lower: tuple[int, ...]
    upper: tuple[int, ...]

    @property
    def width(self) -> int:
        """Bits of the longest numerator, at least 1."""
        return max(1, max(digit.bit_length() for digit in (*self.lower, *self.upper)))

    def data(self, scale: ScaleData) -> BoxData:
        """Digits as far apart as the memory's where Lean can then take all inputs at once."""
        width = 2 * scale.half if scale.unit % self.denominator == 0 else self.width
        lower, upper = pack_digits(self.lower, width), pack_digits(self.upper, width)
        return BoxData(self.denominator, self.offset, width, lower, upper)


def _box_digits(box: RationalBox) -> _BoxDigits:
    denominator = math.lcm(*(bound.denominator for bound in (*box.lower, *box.upper)))
    lower = [bound.numerator * (denominator // bound.denominator) for bound in box.lower]
    upper = [bound.numerator * (denominator // bound.denominator) for bound in box.upper]
    offset = max(0, -min(lower, default=0))
    return _BoxDigits(
        denominator,
        offset,
        tuple(digit + offset for digit in lower),
        tuple(digit + offset for digit in upper),
    )


def _unit(boxes: Sequence[Sequence[_BoxDigits]]) -> int:
    """At least 2^32 and, if it stays below 2^64, a multiple of every box's denominator."""
    common = math.lcm(*(box.denominator for own in boxes for box in own))
    if common.bit_length() > _LONGEST_DENOMINATOR:
        common = 1
    return common << max(0, FRACTION_BITS + 1 - common.bit_length())


def _scale(
    program: Program,
    goals: Sequence[Goal],
    decodings: Sequence[DecodingData],
    form_words: Sequence[NDArray[np.uint32]],
    form_decodings: Sequence[DecodingData],
    composed: AffineNode | None,
    boxes: Sequence[Sequence[_BoxDigits]],
) -> tuple[ScaleData, list[int]]:
    """Fixed-point numbers that hold every bound, half digits that hold every sum; composed sizes.

    A half digit is half of a matrix's digit, so that Lean appends the bounds of a whole node at once.
    """
    unit = _unit(boxes)
    largest = _largest_value(program, goals)
    center = unit << max(1, math.ceil(math.log2(largest * 1.001 + 1.0)) + 1)
    top = 2 * center
    limits = [4 * top]
    for box in (box for own in boxes for box in own):
        if unit % box.denominator == 0:
            limits.append((unit // box.denominator) * max(*box.lower, *box.upper, box.offset, 1) << 4)
        else:
            limits += [unit << box.width, math.isqrt(unit * box.offset) + 1]
    matrices = [node for node in program.nodes if isinstance(node, AffineNode)]
    for node, decoding in zip(matrices, decodings, strict=True):
        reach = (node.weights.shape[1] + _LANES_MARGIN) * (top << (decoding.bits + 1))
        limits.append(reach + _factor(node, decoding) * (center + 1))
    sizes = []
    for words, decoding in zip(form_words, form_decodings, strict=True):
        if composed is None:
            sizes.append(0)
            limits.append((words.shape[1] + _LANES_MARGIN) * (top << (decoding.bits + 1)))
            continue
        last = decodings[-1]
        size = (composed.weights.shape[0] << (last.bits + decoding.bits + 1)).bit_length()
        sizes.append(size)
        limits.append(
            (composed.weights.shape[1] + _LANES_MARGIN) * (top << (size + 1))
            + (words.shape[1] + _LANES_MARGIN) * (2 * top * _factor(composed, last) << decoding.bits)
        )
    lanes = _lanes(max(limits).bit_length() + 1, (*decodings, *form_decodings))
    return ScaleData(unit, center, 16 * lanes), sizes


def _factor(node: AffineNode, decoding: DecodingData) -> int:
    """What a decoded row is divided by to give the node's result."""
    return node.divisor << (EXPONENT_OF_SCALED + 1 - decoding.base)


def _largest_value(program: Program, goals: Sequence[Goal]) -> float:
    largest = 1.0
    for goal in goals:
        if not goal.boxes:
            continue
        lower = np.array([[to_float(bound) for bound in box.lower] for box in goal.boxes])
        upper = np.array([[to_float(bound) for bound in box.upper] for box in goal.boxes])
        with np.errstate(all="ignore"):
            low, high = propagate(program, lower, upper)
        largest = max(largest, float(np.abs(low).max()), float(np.abs(high).max()))
    if not math.isfinite(largest):
        raise CertificateError("TL0602", "interval bounds overflow on this region")
    return largest


def to_float(number: Fraction) -> float:
    """The nearest binary64 number, infinite beyond their range."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _lanes(half: int, decodings: Sequence[DecodingData]) -> int:
    """An even number of 32-bit lanes that holds two halves and every decoding."""
    bits = max(2 * half, *(max(d.bits, 23 + (1 << d.stages)) for d in decodings))
    lanes = -(-bits // 32)
    return lanes + lanes % 2
