"""Small networks with true claims, and the literal meaning of an emission, written down a second time.

`slots_of` and `broken` follow lean/PytestTorchLean/Spec word by word and share no code with the package:
they decide whether the statement of an emission is false at a given input.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import onnx
from onnx import helper
from onnx_models import lowered, model

from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import (
    AffineData,
    BilinearData,
    BoxData,
    ClaimData,
    GraphData,
    MaximumData,
    QuotientData,
    ReluData,
    Semantics,
)

Point = tuple[Fraction, ...]


@dataclass(frozen=True)
class Network:
    """A model and the number of its inputs and outputs."""

    proto: onnx.ModelProto
    inputs: int
    outputs: int

    @property
    def program(self) -> Program:
        return lower_to_program(lowered(self.proto))


def weights(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(0, 1 / np.sqrt(max(1, shape[-1])), shape).astype(np.float32)


def linear(seed: int) -> Network:
    rng = np.random.default_rng(seed)
    proto = model(
        [helper.make_node("Gemm", ["x", "w", "b"], ["z"], transB=1)],
        {"x": [1, 4]}, ["z"], {"w": weights(rng, 3, 4), "b": weights(rng, 3)},
    )  # fmt: skip
    return Network(proto, 4, 3)


def mlp(seed: int) -> Network:
    rng = np.random.default_rng(seed)
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v", "c"], ["z"], transB=1),
    ]
    values = {"w": weights(rng, 5, 3), "b": weights(rng, 5), "v": weights(rng, 3, 5), "c": weights(rng, 3)}
    return Network(model(nodes, {"x": [1, 3]}, ["z"], values), 3, 3)


def conv(seed: int) -> Network:
    """Conv, ReLU, AveragePool over 9 elements, Gemm."""
    rng = np.random.default_rng(seed)
    nodes = [
        helper.make_node("Conv", ["x", "k", "a"], ["h"], pads=[0, 0, 1, 1]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("AveragePool", ["r"], ["p"], kernel_shape=[3, 3]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "v", "c"], ["z"], transB=1),
    ]
    values = {
        "k": weights(rng, 2, 1, 2, 2),
        "a": weights(rng, 2),
        "v": weights(rng, 2, 2),
        "c": weights(rng, 2),
    }
    return Network(model(nodes, {"x": [1, 1, 3, 3]}, ["z"], values), 9, 2)


def residual(seed: int) -> Network:
    """A skip connection, an average over 3 elements, and a ReLU at the end (so nothing is composed)."""
    rng = np.random.default_rng(seed)
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["h"], pads=[1, 1]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Add", ["r", "x"], ["s"]),
        helper.make_node("AveragePool", ["s"], ["p"], kernel_shape=[3], pads=[1, 1], count_include_pad=1),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "v", "c"], ["g"], transB=1),
        helper.make_node("Relu", ["g"], ["z"]),
    ]
    values = {"k": weights(rng, 1, 1, 3), "v": weights(rng, 2, 4), "c": weights(rng, 2)}
    return Network(model(nodes, {"x": [1, 1, 4]}, ["z"], values), 4, 2)


def piecewise(
    seed: int,
    alpha: float = 0.125,
    slopes: tuple[float, ...] = (0.5, 1.5, -0.25),
    low: float = -0.5,
) -> Network:
    """Conv, LeakyRelu, MaxPool, Gemm, PRelu with slopes below and above 1, Clip, Min, Gemm."""
    rng = np.random.default_rng(seed)
    nodes = [
        helper.make_node("Conv", ["x", "k", "a"], ["h"]),
        helper.make_node("LeakyRelu", ["h"], ["l"], alpha=alpha),
        helper.make_node("MaxPool", ["l"], ["p"], kernel_shape=[2, 2], pads=[1, 0, 0, 0]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "v", "c"], ["g"], transB=1),
        helper.make_node("PRelu", ["g", "s"], ["q"]),
        helper.make_node("Clip", ["q", "low"], ["t"]),
        helper.make_node("Min", ["t", "g"], ["n"]),
        helper.make_node("Gemm", ["n", "u"], ["z"]),
    ]
    values = {
        "k": weights(rng, 2, 1, 2, 2),
        "a": weights(rng, 2),
        "v": weights(rng, 3, 4),
        "c": weights(rng, 3),
        "s": np.float32(slopes),
        "low": np.float32(low),
        "u": weights(rng, 3, 2),
    }
    return Network(model(nodes, {"x": [1, 1, 3, 3]}, ["z"], values), 9, 2)


def quadratic(seed: int) -> Network:
    """A layer, its ReLU times the input, a square and a cube, a product of matrices, and a Gemm."""
    rng = np.random.default_rng(seed)
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Mul", ["r", "x"], ["p"]),
        helper.make_node("Pow", ["x", "two"], ["s"]),
        helper.make_node("Pow", ["x", "three"], ["c"]),
        helper.make_node("Sum", ["p", "s", "c"], ["t"]),
        helper.make_node("Transpose", ["t"], ["u"]),
        helper.make_node("MatMul", ["u", "x"], ["m"]),
        helper.make_node("Reshape", ["m", "flat"], ["f"]),
        helper.make_node("Gemm", ["f", "v"], ["z"], transB=1),
    ]
    values = {
        "w": weights(rng, 3, 3),
        "b": weights(rng, 3),
        "v": weights(rng, 2, 9),
        "two": np.float32(2),
        "three": np.float32(3),
        "flat": np.array([1, 9]),
    }
    return Network(model(nodes, {"x": [1, 3]}, ["z"], values), 3, 2)


def rational(seed: int) -> Network:
    """A layer's ReLU over a sum of squares that is at least 1, the reciprocal of that sum, and a Gemm."""
    rng = np.random.default_rng(seed)
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("ReduceSumSquare", ["x"], ["q"], axes=[1], keepdims=1),
        helper.make_node("Add", ["q", "one"], ["d"]),
        helper.make_node("Div", ["r", "d"], ["p"]),
        helper.make_node("Reciprocal", ["d"], ["i"]),
        helper.make_node("Add", ["p", "i"], ["s"]),
        helper.make_node("Gemm", ["s", "v"], ["z"], transB=1),
    ]
    values = {"w": weights(rng, 3, 3), "b": weights(rng, 3), "v": weights(rng, 2, 3), "one": np.float32([1])}
    return Network(model(nodes, {"x": [1, 3]}, ["z"], values, 13), 3, 2)


def ball(center: Sequence[Fraction], radius: Fraction) -> RationalBox:
    return RationalBox(tuple(c - radius for c in center), tuple(c + radius for c in center))


def centers(network: Network, seed: int, count: int = 1) -> list[Point]:
    """Signed centres with a few binary digits."""
    rng = np.random.default_rng(seed)
    return [tuple(Fraction(int(n), 64) for n in rng.integers(-64, 65, network.inputs)) for _ in range(count)]


def accepted(emission: Emission) -> list[list[bool]]:
    """The forecast for every box of every claim."""
    account = Account(emission)
    return [list(account.forecasts(index)) for index in range(len(emission.claims))]


def largest_radius(
    program: Program,
    forms: Forms,
    center: Point,
    steps: int = 1 << 16,
    semantics: Semantics = Semantics.REAL,
) -> int:
    """The largest k for which the forecast accepts the ball of radius k / 65536; -1 for none."""

    def fits(k: int) -> bool:
        emission = build_emission(program, [Goal(forms, (ball(center, Fraction(k, steps)),))], semantics)
        return accepted(emission) == [[True]]

    if not fits(0):
        return -1
    low, high = 0, steps
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


# --- the meaning of an emission, after Spec/Binary32.lean, Spec/Graph.lean and Spec/Claim.lean ------


def word(packed: int, index: int) -> int:
    return packed // 2 ** (32 * index) % 2**32


def value_of(pattern: int) -> Fraction:
    sign, exponent, fraction = pattern >> 31, pattern >> 23 & 255, pattern % 2**23
    magnitude = fraction if exponent == 0 else (2**23 + fraction) * 2 ** (exponent - 1)
    return Fraction(-magnitude if sign else magnitude, 2**149)


@lru_cache(maxsize=64)
def terms(data: AffineData) -> dict[tuple[int, int], list[tuple[Fraction, int]]]:
    """Weights that are not 0 and the slots they multiply, by position and row."""
    found: dict[tuple[int, int], list[tuple[Fraction, int]]] = {}
    for position, row in itertools.product(range(data.positions), range(data.rows)):
        own = found.setdefault((position, row), [])
        for lane, column in itertools.product(range(data.lanes), range(data.lane_columns)):
            pattern = word(data.weights, lane + data.lanes * (row + data.rows * column))
            source = word(data.sources, column + data.lane_columns * (lane + data.lanes * position))
            if pattern % 2**31:
                own.append((value_of(pattern), source))
    return found


def form(data: AffineData, slots: Sequence[Fraction], position: int, row: int) -> Fraction:
    return sum((weight * slots[source] for weight, source in terms(data)[position, row]), Fraction(0))


def factors(node: BilinearData, index: int) -> list[tuple[int, int]]:
    """The slots of each product of a result."""
    places = [2 * (k + node.terms * index) for k in range(node.terms)]
    return [(word(node.sources, at), word(node.sources, at + 1)) for at in places]


def slots_of(graph: GraphData, inputs: Sequence[Fraction]) -> list[Fraction]:
    """The execution of the graph on an input.

    IndexError where a node reads what is not written yet, ZeroDivisionError for a divisor of 0.
    """
    slots = [Fraction(0), Fraction(1), *inputs]
    for node in graph.nodes:
        if isinstance(node, AffineData):
            before = tuple(slots)
            for position, row in itertools.product(range(node.positions), range(node.rows)):
                slots.append(form(node, before, position, row) / node.divisor)
        elif isinstance(node, ReluData):
            slots.extend([max(slots[node.first + i], Fraction(0)) for i in range(node.count)])
        elif isinstance(node, BilinearData):
            before = tuple(slots)
            for index in range(node.count):
                products = [before[left] * before[right] for left, right in factors(node, index)]
                slots.append(sum(products, Fraction(0)))
        elif isinstance(node, QuotientData):
            pairs = [(word(node.sources, 2 * i), word(node.sources, 2 * i + 1)) for i in range(node.count)]
            slots.extend([slots[left] / slots[right] for left, right in pairs])
        else:
            choose = max if isinstance(node, MaximumData) else min
            pairs = [(word(node.sources, 2 * i), word(node.sources, 2 * i + 1)) for i in range(node.count)]
            slots.extend([choose(slots[left], slots[right]) for left, right in pairs])
    return slots


def summed(products: Sequence[tuple[np.float32, np.float32]], rng: np.random.Generator) -> np.float32:
    """The sum of products in a random order, each step fused or not at random."""
    total = np.float32(0)
    for place in rng.permutation(len(products)):
        weight, value = products[place]
        if rng.random() < 0.5:
            total = np.float32(np.float64(weight) * np.float64(value) + np.float64(total))
        else:
            total = np.float32(total + np.float32(weight * value))
    return total


def binary32_slots(
    graph: GraphData, inputs: Sequence[np.float32], rng: np.random.Generator
) -> list[Fraction]:
    """One binary32 execution: every row summed in a random order, fused or not at random.

    A fused step is binary64 arithmetic rounded once more, so numbers must be few bits apart.
    """
    slots = [np.float32(0), np.float32(1), *inputs]
    for node in graph.nodes:
        if isinstance(node, ReluData):
            slots.extend([max(slots[node.first + i], np.float32(0)) for i in range(node.count)])
            continue
        if isinstance(node, BilinearData):
            before = tuple(slots)
            pairs = [[(before[x], before[z]) for x, z in factors(node, i)] for i in range(node.count)]
            slots.extend([summed(own, rng) for own in pairs])
            continue
        if isinstance(node, QuotientData):
            pairs = [(word(node.sources, 2 * i), word(node.sources, 2 * i + 1)) for i in range(node.count)]
            slots.extend([np.float32(slots[left] / slots[right]) for left, right in pairs])
            continue
        if not isinstance(node, AffineData):
            choose = max if isinstance(node, MaximumData) else min
            pairs = [(word(node.sources, 2 * i), word(node.sources, 2 * i + 1)) for i in range(node.count)]
            slots.extend([choose(slots[left], slots[right]) for left, right in pairs])
            continue
        before = tuple(slots)
        for position, row in itertools.product(range(node.positions), range(node.rows)):
            products = [(np.float32(float(w)), before[source]) for w, source in terms(node)[position, row]]
            total = summed(products, rng)
            slots.append(total if node.divisor == 1 else np.float32(total / np.float32(node.divisor)))
    return [Fraction(float(slot)) for slot in slots]


def meaning(emission: Emission) -> object:
    """What is stated, however it is laid out."""

    def of(data: AffineData, positions: int) -> object:
        sums = {at: sorted(own) for at, own in terms(data).items() if at[0] < positions}
        return data.rows, positions, sums

    nodes = [
        (of(node, node.positions), node.divisor) if isinstance(node, AffineData) else node
        for node in emission.graph.nodes
    ]
    claims = [
        (of(about.forms, 1), about.strict, about.alternatives, claim.boxes)
        for claim in emission.claims
        for about in (claim.property,)
    ]
    return emission.semantics, emission.graph.inputs, nodes, claims


def bounds_of(box: BoxData, inputs: int) -> tuple[Point, Point]:
    def bound(packed: int, index: int) -> Fraction:
        digit = packed // 2 ** (box.width * index) % 2**box.width
        return Fraction(digit - box.offset, box.denominator)

    return (
        tuple(bound(box.lower, i) for i in range(inputs)),
        tuple(bound(box.upper, i) for i in range(inputs)),
    )


def points_of(box: BoxData, inputs: int, seed: int = 0) -> Iterator[Point]:
    """The middle and corners of a box."""
    lower, upper = bounds_of(box, inputs)
    yield tuple((low + high) / 2 for low, high in zip(lower, upper, strict=True))
    rng = np.random.default_rng(seed)
    corners = itertools.product((0, 1), repeat=inputs) if inputs <= 5 else rng.integers(0, 2, (40, inputs))
    for corner in corners:
        yield tuple(high if up else low for low, high, up in zip(lower, upper, corner, strict=True))


def broken(graph: GraphData, claim: ClaimData, inputs: Sequence[Fraction]) -> bool:
    """Whether the property fails at this input, computed exactly."""
    return broken_by(claim, slots_of(graph, inputs))


def broken_by(claim: ClaimData, slots: Sequence[Fraction]) -> bool:
    """Whether the property fails of an execution: a clause in which no row has the sign."""
    own = claim.property
    rows = [form(own.forms, slots, 0, row) for row in range(own.forms.rows)]
    clauses = [rows[start : start + own.alternatives] for start in range(0, len(rows), own.alternatives)]
    return any(all(value <= 0 if own.strict else value < 0 for value in clause) for clause in clauses)


_NEAR = 1e-6


@lru_cache(maxsize=64)
def _float_terms(data: AffineData) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights and the slots they multiply, position after position and row after row."""
    return [
        (np.array([float(w) for w, _ in own]), np.array([source for _, source in own], dtype=int))
        for own in terms(data).values()
    ]


def may_be_broken(graph: GraphData, claim: ClaimData, inputs: Sequence[Fraction]) -> bool:
    """Whether binary64 arithmetic leaves it open that the property fails; for numbers of moderate size."""
    slots = [0.0, 1.0, *(float(x) for x in inputs)]
    for node in graph.nodes:
        if isinstance(node, AffineData):
            before = np.array(slots)
            slots.extend([float(w @ before[sources]) / node.divisor for w, sources in _float_terms(node)])
        elif isinstance(node, ReluData):
            slots.extend([max(x, 0.0) for x in slots[node.first : node.first + node.count]])
        elif isinstance(node, BilinearData):
            own = [factors(node, index) for index in range(node.count)]
            slots += [sum(slots[left] * slots[right] for left, right in pairs) for pairs in own]
        elif isinstance(node, QuotientData):
            pairs = [(word(node.sources, 2 * i), word(node.sources, 2 * i + 1)) for i in range(node.count)]
            slots.extend([slots[left] / slots[right] for left, right in pairs])
        else:
            choose = max if isinstance(node, MaximumData) else min
            pairs = [(word(node.sources, 2 * i), word(node.sources, 2 * i + 1)) for i in range(node.count)]
            slots.extend([choose(slots[left], slots[right]) for left, right in pairs])
    about, after = claim.property, np.array(slots)
    rows = [(w @ after[sources], np.abs(w).sum()) for w, sources in _float_terms(about.forms)]
    size = about.alternatives
    clauses = [rows[start : start + size] for start in range(0, len(rows), size)]
    return any(all(value <= _NEAR * size for value, size in clause) for clause in clauses)


def false_at(emission: Emission) -> Point | None:
    """An input of some box that breaks a claim of the emission, if one is found."""
    inputs = emission.graph.inputs
    for claim in emission.claims:
        for box in claim.boxes:
            for point in points_of(box, inputs):
                if may_be_broken(emission.graph, claim, point) and broken(emission.graph, claim, point):
                    return point
    return None
