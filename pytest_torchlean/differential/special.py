"""Subnormals, signed zeros, infinities and NaN through a node, and what must be equal.

The convention: where IEEE-754 fixes the bits, they are compared, with any NaN for any NaN; where a bound
holds, it decides, and the sign of a zero is free. Where no bound is finite, because an operand is not, the
result must be of the evaluator's kind: NaN, an infinity of its sign, or finite; not so where finite products
may overflow, because then the order of the sum decides. Known differences of the runtime are named
(`surprises.py`), all others are divergences. Numbers so large that an intermediate result may overflow are
compared by the bound alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential.nodes import Outcome
from pytest_torchlean.differential.sharp import PRODUCTS
from pytest_torchlean.differential.surprises import explained
from pytest_torchlean.errors import DataError
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ops import RULES, elementary, elementwise, integral, leaky, logic, relu, thresholds
from pytest_torchlean.ops.rule import DomainError

Array = NDArray[np.generic]
Float32 = NDArray[np.float32]

TINY = 2.0**-149
SPECIAL = np.array(
    [0.0, -0.0, TINY, -TINY, 2.0**-126 - TINY, -(2.0**-126), 1.0, -1.5, np.inf, -np.inf, np.nan],
    dtype=np.float32,
)
EXTREME = np.array([np.finfo(np.float32).max, -np.finfo(np.float32).max, 1.0, -1.0], dtype=np.float32)
_ELEMENTWISE = frozenset(
    name
    for family in (elementary, elementwise, integral, leaky, logic, relu, thresholds)
    for name in family.RULES
)
_MOST_RUNS = 12


def cases(node: Node, types: Mapping[str, ValueType]) -> Iterator[tuple[str, dict[str, Array]]]:
    """Float32 inputs by name, and "special" or "extreme", of the node's own shapes."""
    names = [name for name, kind in types.items() if kind.dtype == "float32"]
    if not names:
        return
    if node.op in _ELEMENTWISE:
        for title, numbers in (("special", SPECIAL), ("extreme", EXTREME)):
            yield from ((title, given) for given in _combined(names, types, numbers))
        return
    for chosen in names[:2]:
        for values in _PLACED:
            generator = np.random.Generator(np.random.PCG64(2))
            given: dict[str, Array] = {
                name: generator.integers(1, 4, types[name].shape).astype(np.float32) for name in names
            }
            given[chosen] = values(generator, given[chosen])
            yield "special", given


def _combined(
    names: list[str], types: Mapping[str, ValueType], numbers: Float32
) -> Iterator[dict[str, Array]]:
    """Every number, for two inputs every pair, as far as a dozen runs hold them."""
    count = len(numbers)
    most = max(types[name].size for name in names)
    wanted = count if len(names) == 1 else count * count
    for run in range(min(_MOST_RUNS, -(-wanted // max(1, most)))):
        given: dict[str, Array] = {}
        for place, name in enumerate(names):
            at = np.arange(run * most, run * most + types[name].size)
            index = at if place == 0 else at // count + at * place
            given[name] = numbers[index % count].reshape(types[name].shape)
        yield given


def _subnormal(generator: np.random.Generator, base: Array) -> Array:
    return (base.astype(np.float64) * TINY).astype(np.float32)


def _negative_zeros(generator: np.random.Generator, base: Array) -> Array:
    return np.full(base.shape, np.float32(-0.0))


def _some(*numbers: float) -> Callable[[np.random.Generator, Array], Array]:
    def placed(generator: np.random.Generator, base: Array) -> Array:
        result = base.astype(np.float32)
        places = generator.permutation(result.size)[: len(numbers)]
        result.reshape(-1)[places] = np.array(numbers, dtype=np.float32)[: len(places)]
        return result

    return placed


_PLACED = (
    _subnormal,
    _negative_zeros,
    _some(np.inf),
    _some(-np.inf),
    _some(np.nan),
    _some(np.inf, -np.inf),
)


def kinds(values: Array) -> NDArray[np.int8]:
    """0 for a finite number, 1 and -1 for the infinities, 2 for NaN."""
    wide = values.astype(np.float64).reshape(-1)
    found = np.where(np.isinf(wide), np.sign(wide), 0.0)
    return np.where(np.isnan(wide), 2, found).astype(np.int8)


def _order_decides(node: Node, operands: Sequence[Array | None]) -> bool:
    """Whether sums of products of the finite numbers may overflow, so that their order decides the kind."""
    if node.op not in PRODUCTS:
        return False
    given = [value.astype(np.float64) for value in operands if value is not None]
    largest = [float(np.abs(value[np.isfinite(value)]).max(initial=1.0)) for value in given]
    terms = max((value.size for value in given), default=1) + 1
    return math.prod(largest) * terms > float(np.finfo(np.float32).max)


def judge_kinds(
    graph: Graph, inputs: Mapping[str, Array], answers: Mapping[str, Array], label: str
) -> Iterator[tuple[Node, int, Outcome, tuple[str, ...]]]:
    """Every float32 answer's kinds against those of the evaluator; the outcome marks those that differ."""
    values: dict[str, Array] = {**graph.constants, **inputs}
    open_kind = False
    for node in graph.nodes:
        operands = [values[name] if name else None for name in node.inputs]
        try:
            results = RULES[node.op].evaluate(node, operands)
        except DomainError as problem:
            raise DataError("TL0451", f"{node.op}: {problem}") from None
        values.update(zip(node.outputs, results, strict=True))
        open_kind = open_kind or _order_decides(node, operands)
        for output, name in enumerate(node.outputs):
            if name not in answers or results[output].dtype != np.float32 or open_kind:
                continue
            expected = results[output].astype(np.float32).reshape(-1)
            wrong = kinds(answers[name]) != kinds(expected)
            read = operands if len(graph.nodes) == 1 else list(inputs.values())
            wrong, met = explained(node, read, answers[name], expected, wrong, label)
            yield node, output, Outcome(expected, wrong, None, 0.0, 0), met
