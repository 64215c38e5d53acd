"""From a program and goals to the integers of an emission: scale, lanes, decodings and scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.interval import evaluate, propagate
from pytest_torchlean.bounds.program import (
    FIRST_INPUT,
    ONE_SLOT,
    AffineNode,
    BilinearNode,
    CurveNode,
    ExtremumNode,
    Program,
    ProgramNode,
    QuotientNode,
)
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.bounding import rounding_limit
from pytest_torchlean.certificate.boxes import BoxDigits, RationalBox, all_float_bounds, box_digits
from pytest_torchlean.certificate.forms import CONSTANT, Columns, Forms, form_columns
from pytest_torchlean.certificate.model import (
    CertificateData,
    ComposedData,
    ConcludeScript,
    ConclusionData,
    DecodingData,
    DirectData,
    Emission,
    NodeScript,
    ScaleData,
    ScriptData,
    StepData,
)
from pytest_torchlean.certificate.statement import (
    AffineData,
    BilinearData,
    ClaimData,
    CurveData,
    CurveFunction,
    GraphData,
    MaximumData,
    MinimumData,
    NodeData,
    PropertyData,
    QuotientData,
    ReluData,
    Semantics,
)
from pytest_torchlean.certificate.words import affine_data, decoding_of, factor_of, pack_words
from pytest_torchlean.errors import CertificateError, UnsupportedError

FRACTION_BITS = 32
"""Bounds are computed in steps of 2^-32."""
_NOT_EXACT = (
    "certificates do not cover Gelu with tanh under `semantics: real`: its constant sqrt(2 / pi) is no "
    "binary32 number; under `binary32` its budget covers that"
)
_LARGE = 1024
"""Weights of a last node whose substitution takes Lean longer than its bounds."""
_MOST = 2.0**40
"""Interval bounds beyond which a model with products is given room for its values instead."""
_ROOM = 64.0
"""How many times as large as in the middle of a box values may be then."""
_LONGEST_DENOMINATOR = 64
"""Bits of a common denominator of all boxes that the fixed-point unit may take over."""
WEIGHT_BITS = 8
"""Bits of the weights of a clause's rows."""
_LANES_MARGIN = 64
"""Padding adds fewer columns than this to a matrix."""


@dataclass(frozen=True, eq=False)
class Goal:
    """The forms hold for every input of every box."""

    forms: Forms
    boxes: tuple[RationalBox, ...]


def build_emission(
    program: Program, goals: Sequence[Goal], semantics: Semantics = Semantics.REAL
) -> Emission:
    """Everything Lean needs, see `prepare`."""
    return prepare(program, goals, semantics).emission


def prepare(
    program: Program,
    goals: Sequence[Goal],
    semantics: Semantics = Semantics.REAL,
    budget: Budget = UNLIMITED,
) -> Account:
    """The account of an emission with the smallest digits that are large enough.

    Raises UnsupportedError TL0601 where a number of the property has no exact form, TL0204 where a constant
    of an activation has none under `real`, CertificateError TL0602 where interval bounds overflow, OutOfTime
    when the budget ends.
    """
    if semantics is Semantics.REAL and any(
        isinstance(node, CurveNode) and node.function == "fused_gelu_tanh" for node in program.nodes
    ):
        raise UnsupportedError("TL0204", _NOT_EXACT)
    matrices = [node for node in program.nodes if isinstance(node, AffineNode)]
    decodings = [decoding_of(_bits(node.weights)) for node in matrices]
    columns = [form_columns(goal.forms) for goal in goals]
    patterns = [own.patterns for own in columns]
    composed = _last_affine(program)
    conclusions = [_conclusion(own, composed, decodings, semantics) for own in columns]
    boxes = [[box_digits(box) for box in goal.boxes] for goal in goals]
    scale = _scale(program, goals, semantics, decodings, patterns, conclusions, boxes)
    emission = _without_scripts(program, goals, semantics, scale, columns, boxes)
    account = Account(emission, budget)
    scripts = tuple(
        (chain(account.steps(claim.boxes), how, semantics),)
        for claim, how in zip(emission.claims, conclusions, strict=True)
    )
    return replace(account, emission=replace(emission, certificate=CertificateData(scale, scripts)))


def without_scripts(
    program: Program, goals: Sequence[Goal], semantics: Semantics, scale: ScaleData
) -> Emission:
    """The graph and the claims in digits of a given scale, for scripts that were found before.

    Raises UnsupportedError TL0601 as `prepare` does.
    """
    columns = [form_columns(goal.forms) for goal in goals]
    boxes = [[box_digits(box) for box in goal.boxes] for goal in goals]
    return _without_scripts(program, goals, semantics, scale, columns, boxes)


def _without_scripts(
    program: Program,
    goals: Sequence[Goal],
    semantics: Semantics,
    scale: ScaleData,
    columns: Sequence[Columns],
    boxes: Sequence[Sequence[BoxDigits]],
) -> Emission:
    lanes = scale.half // 16
    claims = tuple(
        ClaimData(
            PropertyData(_forms(program, own_columns, lanes), goal.forms.strict, goal.forms.alternatives),
            tuple(box.data(scale, semantics) for box in own),
        )
        for goal, own_columns, own in zip(goals, columns, boxes, strict=True)
    )
    return Emission(semantics, graph_data(program, lanes), claims, CertificateData(scale, ()))


def graph_data(program: Program, lanes: int) -> GraphData:
    """A program as the theorem has it."""
    return GraphData(program.inputs, tuple(_node(node, lanes) for node in program.nodes))


def chain(
    steps: Sequence[StepData], how: ConclusionData, semantics: Semantics = Semantics.REAL
) -> ScriptData:
    """One node after the other, then the conclusion.

    In exact arithmetic a composed conclusion needs no bounds of the last node.
    """
    script: ScriptData = ConcludeScript(how)
    left_out = isinstance(how, ComposedData) and semantics is Semantics.REAL
    for step in reversed(steps[:-1] if left_out else steps):
        script = NodeScript(step, script)
    return script


def _bits(weights: NDArray[np.float32]) -> NDArray[np.uint32]:
    return np.ascontiguousarray(weights, dtype=np.float32).view(np.uint32)


def _last_affine(program: Program) -> AffineNode | None:
    """The node whose rows are exactly the outputs, if it can be substituted into forms."""
    last = program.nodes[-1] if program.nodes else None
    if not isinstance(last, AffineNode) or len(last.sources) != 1:
        return None
    expected = np.arange(last.start, last.start + last.size)
    return last if np.array_equal(program.outputs, expected) else None


def _conclusion(
    columns: Columns,
    composed: AffineNode | None,
    decodings: Sequence[DecodingData],
    semantics: Semantics,
) -> DirectData | ComposedData:
    """Direct where there is nothing to substitute; where no row combines outputs, so that substitution gains
    no more than a rounding and a large last node makes it dear; or where a number that continues in a further
    column needs bounds of the node that a composed conclusion leaves out."""
    own = decoding_of(columns.patterns)
    if composed is None:
        return DirectData(own)
    combined = (columns.patterns[:, : composed.size] & np.uint32(0x7FFFFFFF)) != 0
    if composed.weights.size >= _LARGE and combined.sum(axis=1).max(initial=0) <= 1:
        return DirectData(own)
    further = columns.reads[composed.size :]
    if semantics is Semantics.REAL and ((further >= 0) & (further < composed.size)).any():
        return DirectData(own)
    last = decodings[-1]
    size = (composed.weights.shape[0] << (last.bits + own.bits + 1)).bit_length()
    return ComposedData(own, last, size)


def _forms(program: Program, columns: Columns, lanes: int) -> AffineData:
    slots = np.concatenate([program.outputs, FIRST_INPUT + np.arange(program.inputs), [ONE_SLOT]])
    assert CONSTANT == -1
    return affine_data(columns.patterns, slots[columns.reads].reshape(1, -1), 1, lanes)


def _node(node: ProgramNode, lanes: int) -> NodeData:
    """A single position's columns in the order of their slots, constants last: Lean takes runs at once."""
    if isinstance(node, AffineNode):
        weights, sources = _bits(node.weights), node.sources
        if len(sources) == 1:
            order = np.argsort(
                np.where(sources[0] <= ONE_SLOT, np.iinfo(np.int64).max, sources[0]), kind="stable"
            )
            weights, sources = weights[:, order], sources[:, order]
        return affine_data(weights, sources, node.divisor, lanes)
    if isinstance(node, ExtremumNode):
        words = pack_words(np.stack([node.left, node.right], axis=1).reshape(-1))
        return (MaximumData if node.maximum else MinimumData)(node.size, words)
    if isinstance(node, CurveNode):
        return CurveData(CurveFunction[node.function.upper()], node.first, node.size)
    if isinstance(node, QuotientNode):
        return QuotientData(node.size, pack_words(np.stack([node.left, node.right], axis=1).reshape(-1)))
    if isinstance(node, BilinearNode):
        words = pack_words(np.stack([node.left, node.right], axis=2).reshape(-1))
        return BilinearData(node.size, node.left.shape[1], words)
    return ReluData(node.first, node.size)


def _unit(boxes: Sequence[Sequence[BoxDigits]]) -> int:
    """At least 2^32 and, if it stays below 2^64, a multiple of every box's denominator."""
    common = math.lcm(*(box.denominator for own in boxes for box in own))
    if common.bit_length() > _LONGEST_DENOMINATOR:
        common = 1
    return common << max(0, FRACTION_BITS + 1 - common.bit_length())


def _scale(
    program: Program,
    goals: Sequence[Goal],
    semantics: Semantics,
    decodings: Sequence[DecodingData],
    patterns: Sequence[NDArray[np.uint32]],
    conclusions: Sequence[DirectData | ComposedData],
    boxes: Sequence[Sequence[BoxDigits]],
) -> ScaleData:
    """Fixed-point numbers that hold every bound, half digits that hold every sum.

    A half digit is half of a matrix's digit, so that Lean appends the bounds of a whole node at once.
    """
    unit = _unit(boxes)
    largest = _largest_value(program, goals)
    center = unit << max(1, math.ceil(math.log2(largest * 1.001 + 1.0)) + 1)
    top = 2 * center
    limits = [4 * top, *(limit for own in boxes for box in own for limit in box.limits(unit, semantics))]
    matrices = [node for node in program.nodes if isinstance(node, AffineNode)]
    for node, decoding in zip(matrices, decodings, strict=True):
        columns = node.weights.shape[1] + _LANES_MARGIN
        limit = columns * (top << (decoding.bits + 1)) + factor_of(node.divisor, decoding) * (center + 1)
        if semantics is Semantics.BINARY32:
            limit += rounding_limit(unit, center, columns, node.divisor, decoding)
        limits.append(limit)
    for words, how, goal in zip(patterns, conclusions, goals, strict=True):
        columns = words.shape[1] + _LANES_MARGIN
        if goal.forms.alternatives > 1:
            # Check.Weighted.fits
            size = (len(words) << (how.forms.bits + WEIGHT_BITS + 1)).bit_length()
            limits.append(columns * (top << (size + 1)))
        if isinstance(how, DirectData):
            limits.append(columns * (top << (how.forms.bits + 1)))
        else:
            last = matrices[-1]
            width = last.weights.shape[1] + _LANES_MARGIN
            limits.append(
                width * (top << (how.bits + 1))
                + columns * (2 * top * factor_of(last.divisor, how.last) << how.forms.bits)
            )
            if semantics is Semantics.BINARY32:
                # Check.Compose.errorBits
                spare = how.forms.bits + last.weights.shape[0].bit_length() + 8
                limits.append(rounding_limit(unit, center, width, last.divisor, how.last) << spare)
    lanes = _lanes(max(limits).bit_length() + 1, (*decodings, *(how.forms for how in conclusions)))
    return ScaleData(unit, center, 16 * lanes)


def _largest_value(program: Program, goals: Sequence[Goal]) -> float:
    """The largest interval bound; a multiple of the values in the middle of the boxes where intervals say
    nothing of products and quotients: rows bound these more closely, or Lean refuses what has no room.
    """
    boxes = [box for goal in goals for box in goal.boxes]
    if not boxes:
        return 1.0
    lower, upper = all_float_bounds(boxes)
    with np.errstate(all="ignore"):
        low, high = propagate(program, lower, upper)
        largest = float(np.maximum(np.abs(low), np.abs(high)).max())
        if largest <= _MOST or not any(isinstance(node, BilinearNode) for node in program.nodes):
            return _finite(largest if math.isnan(largest) else max(1.0, largest))
        middle = float(np.abs(evaluate(program, (lower + upper) / 2)).max())
    return _finite(max(1.0, _ROOM * middle))


def _finite(largest: float) -> float:
    if not math.isfinite(largest):
        raise CertificateError("TL0602", "interval bounds overflow on this region")
    return largest


def _lanes(half: int, decodings: Sequence[DecodingData]) -> int:
    """An even number of 32-bit lanes that holds two halves and every decoding."""
    bits = max(2 * half, *(max(d.bits, 23 + (1 << d.stages)) for d in decodings))
    lanes = -(-bits // 32)
    return lanes + lanes % 2
