"""Run a graph on exact rationals, through the same steps that certificates use.

A value is a vector of Python integers over one common denominator, so an affine step costs one integer
multiplication per weight and no fraction is reduced before the end. Smooth activations have no exact
rational value: theirs are taken to within 2^-180.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.enclosure import MorePrecision
from pytest_torchlean.binary32.real_functions import DEFINITIONS
from pytest_torchlean.errors import DataError, UnsupportedError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.linear import (
    AffineBlock,
    BilinearStep,
    CurveStep,
    ExtremumStep,
    IndexStep,
    LinearStep,
    PickStep,
    QuotientStep,
    ReluStep,
    Step,
)
from pytest_torchlean.ir.names import quoted
from pytest_torchlean.ops.certifiability import step_of, uncertifiable_ends

Integers = NDArray[Any]
"""An array of Python integers (dtype object)."""


@dataclass(frozen=True, eq=False)
class Vector:
    """numbers / denominator, element-wise."""

    numbers: Integers
    denominator: int


@dataclass(frozen=True, eq=False)
class _Block:
    """output[scatter] = columns[gather] @ weights + bias * denominator, all integers."""

    weights: Integers
    bias: Integers | None
    gather: NDArray[np.int64]
    scatter: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Affine:
    sources: tuple[str, ...]
    size: int
    scale: int
    blocks: tuple[_Block, ...]


@dataclass(frozen=True, eq=False)
class _Extremum:
    operands: tuple[_Prepared, ...]
    maximum: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Bilinear:
    left: _Prepared
    right: _Prepared
    terms: int


@dataclass(frozen=True, eq=False)
class _Quotient:
    left: _Prepared
    right: _Prepared


@dataclass(frozen=True, eq=False)
class _Relu:
    source: str | _Prepared


@dataclass(frozen=True, eq=False)
class _Curve:
    source: str | _Prepared
    function: str


@dataclass(frozen=True, eq=False)
class _Linear:
    operands: tuple[_Prepared, ...]
    affine: _Affine


@dataclass(frozen=True, eq=False)
class _Picked:
    operand: _Prepared
    index: NDArray[np.int64]


_Prepared = _Picked | _Affine | IndexStep | _Relu | _Curve | _Linear | _Extremum | _Bilinear | _Quotient


@dataclass(frozen=True, eq=False)
class ExactProgram:
    """A graph prepared for many exact runs; made by `prepare_exact`."""

    graph: Graph
    steps: tuple[tuple[str, _Prepared], ...]
    constants: Mapping[str, Vector]

    def run(
        self, inputs: Mapping[str, Sequence[Fraction]], values: Iterable[str] | None = None
    ) -> dict[str, list[Fraction]]:
        """Exact values of the graph's outputs, or of the values named, flat in row-major order.

        inputs: flat, one Fraction per element of each graph input. DataError TL0450 when they do not fit.
        """
        state = dict(self.constants)
        for name in self.graph.inputs:
            size = self.graph.types[name].size
            if name not in inputs or len(inputs[name]) != size:
                given = len(inputs[name]) if name in inputs else "nothing"
                raise DataError("TL0450", f"input {quoted(name)} needs {size} numbers, but got {given}")
            state[name] = _from_fractions(inputs[name])
        for name, step in self.steps:
            state[name] = _apply(step, state)
        wanted = self.graph.outputs if values is None else tuple(values)
        return {
            name: [Fraction(number, state[name].denominator) for number in state[name].numbers]
            for name in wanted
        }


def evaluate_exact(graph: Graph, inputs: Mapping[str, Sequence[Fraction]]) -> dict[str, list[Fraction]]:
    """Exact values of the graph's outputs by name; see `ExactProgram.run` and `prepare_exact`."""
    return prepare_exact(graph).run(inputs)


def prepare_exact(graph: Graph) -> ExactProgram:
    """Turn every node into integer arithmetic once.

    UnsupportedError TL0204 listing every node that has no certificate step.
    """
    steps: list[tuple[str, _Prepared]] = []
    refused: list[str] = []
    refused += [f"  {line}" for line in uncertifiable_ends(graph)]
    for node in graph.nodes:
        step = step_of(node, graph)
        if isinstance(step, str):
            refused.append(f"  {node.op} giving {quoted(node.outputs[0])}: {step}")
        else:
            steps.append((node.outputs[0], _prepare(step)))
    if refused:
        raise UnsupportedError("TL0204", "the graph has no exact linear form:\n" + "\n".join(refused))
    constants = {}
    for name, value in graph.constants.items():
        if value.dtype != np.float32:
            continue
        numbers, exponent = integers_of(value.astype(np.float32).reshape(-1))
        constants[name] = Vector(numbers, 1 << exponent)
    return ExactProgram(graph, tuple(steps), constants)


def integers_of(values: NDArray[np.float32]) -> tuple[Integers, int]:
    """Finite binary32 numbers as integers N with values = N / 2^e for the least e >= 0.

    Returns the Python integers (dtype object, same shape) and e.
    """
    mantissa, exponent = np.frexp(values.astype(np.float64))
    odd = (mantissa * 2.0**24).astype(np.int64)
    power = exponent.astype(np.int64) - 24
    _, trailing = np.frexp((odd & -odd).astype(np.float64))
    zeros = np.where(odd == 0, 0, trailing - 1)
    odd, power = odd >> zeros, np.where(odd == 0, 0, power + zeros)
    shared = max(0, -int(power.min(initial=0)))
    shift = power + shared
    if int(shift.max(initial=0)) <= 38:
        return (odd << shift).astype(object), shared
    shifted = [int(number) << int(by) for number, by in zip(odd.reshape(-1), shift.reshape(-1), strict=True)]
    result = np.empty(odd.size, dtype=object)
    result[:] = shifted
    return result.reshape(values.shape), shared


_CURVE_BITS = 192
_NAMES = {
    "cosine": "Cos",
    "erf": "Erf",
    "exp": "Exp",
    "log": "Log",
    "sigmoid": "Sigmoid",
    "sine": "Sin",
    "softplus": "Softplus",
    "tanh": "Tanh",
}


def curve(function: str, x: Fraction) -> Fraction:
    """A smooth activation's value to within 2^-180: in general it is not a rational number.

    function: a constructor of Spec.Curve. The exponential is cut at 400; the sign of 0 is 0, as ONNX has
    it. DataError TL0451 where the function has no value.
    """
    zero = Fraction(0)
    if function == "sign":
        return Fraction((x > 0) - (x < 0))
    if function not in _NAMES and function != "sqrt":
        return x
    if (x < 0 and function == "sqrt") or (x <= 0 and function == "log"):
        raise DataError("TL0451", f"{function} has no value at {float(x)!r}")
    if function == "sqrt":
        return Fraction(math.isqrt((x.numerator << 4 * _CURVE_BITS) // x.denominator), 1 << 2 * _CURVE_BITS)
    near = Fraction(round(x * (1 << 2 * _CURVE_BITS)), 1 << 2 * _CURVE_BITS)
    bits = _CURVE_BITS
    while True:
        try:
            low, high = DEFINITIONS[_NAMES[function]](near, zero, zero, bits).ends()
        except MorePrecision:
            bits *= 2
        else:
            return (low + high) / 2


def _from_fractions(values: Sequence[Fraction]) -> Vector:
    denominator = math.lcm(*{value.denominator for value in values}) if values else 1
    numbers = np.empty(len(values), dtype=object)
    numbers[:] = [value.numerator * (denominator // value.denominator) for value in values]
    return Vector(numbers, denominator)


def _prepare(step: Step) -> _Prepared:
    """The step with its affine parts in integers."""
    if isinstance(step, ExtremumStep):
        return _Extremum(tuple(_prepare(operand) for operand in step.operands), step.maximum)
    if isinstance(step, BilinearStep):
        return _Bilinear(_prepare(step.left), _prepare(step.right), step.terms)
    if isinstance(step, QuotientStep):
        return _Quotient(_prepare(step.left), _prepare(step.right))
    if isinstance(step, ReluStep):
        return _Relu(_prepare_source(step.source))
    if isinstance(step, CurveStep):
        return _Curve(_prepare_source(step.source), step.function)
    if isinstance(step, LinearStep):
        operands = tuple(_prepare(operand) for operand in step.operands)
        return _Linear(operands, _prepare_blocks((), step.blocks))
    if isinstance(step, PickStep):
        return _Picked(_prepare(step.operand), step.index)
    if isinstance(step, IndexStep):
        return step
    return _prepare_blocks(step.sources, step.blocks)


def _prepare_source(source: str | Step) -> str | _Prepared:
    return source if isinstance(source, str) else _prepare(source)


def _prepare_blocks(sources: tuple[str, ...], given: Sequence[AffineBlock]) -> _Affine:
    """Bring all blocks to one denominator, 2^exponent * lcm of the divisors."""
    divisor = math.lcm(*(block.divisor for block in given))
    parts = []
    for block in given:
        weights, weight_exponent = integers_of(block.weights)
        bias, bias_exponent = (None, 0) if block.bias is None else integers_of(block.bias)
        parts.append((block, weights, weight_exponent, bias, bias_exponent))
    exponent = max((max(part[2], part[4]) for part in parts), default=0)
    blocks = []
    for block, weights, weight_exponent, bias, bias_exponent in parts:
        share = divisor // block.divisor
        factor = (share << (exponent - weight_exponent)) if weights.size else share
        bias_factor = share << (exponent - bias_exponent)
        blocks.append(
            _Block(
                weights=weights.T * factor,
                bias=None if bias is None else bias * bias_factor,
                gather=block.gather,
                scatter=block.scatter,
            )
        )
    size = sum(block.scatter.size for block in given)
    return _Affine(sources, size, divisor << exponent, tuple(blocks))


def _apply(step: _Prepared, state: Mapping[str, Vector]) -> Vector:
    if isinstance(step, _Relu):
        x = _source(step.source, state)
        return Vector(np.where(x.numbers > 0, x.numbers, 0), x.denominator)
    if isinstance(step, _Curve):
        x = _source(step.source, state)
        found = [curve(step.function, Fraction(number, x.denominator)) for number in x.numbers]
        return _from_fractions(found)
    if isinstance(step, _Extremum):
        return _extremum([_apply(operand, state) for operand in step.operands], step.maximum)
    if isinstance(step, _Bilinear):
        left, right = _apply(step.left, state), _apply(step.right, state)
        products = (left.numbers * right.numbers).reshape(-1, step.terms)
        return Vector(products.sum(axis=1), left.denominator * right.denominator)
    if isinstance(step, _Quotient):
        return _divided(_apply(step.left, state), _apply(step.right, state))
    if isinstance(step, _Linear):
        return _affine(step.affine, _joined([_apply(operand, state) for operand in step.operands]))
    if isinstance(step, _Picked):
        picked = _apply(step.operand, state)
        return Vector(picked.numbers[step.index], picked.denominator)
    x = _joined([state[name] for name in step.sources])
    if isinstance(step, IndexStep):
        return Vector(x.numbers[step.index], x.denominator)
    return _affine(step, x)


def _source(source: str | _Prepared, state: Mapping[str, Vector]) -> Vector:
    return state[source] if isinstance(source, str) else _apply(source, state)


def _affine(step: _Affine, x: Vector) -> Vector:
    padded = np.append(x.numbers, 0)
    result = np.empty(step.size, dtype=object)
    for block in step.blocks:
        product = padded[block.gather] @ block.weights
        if block.bias is not None:
            product = product + block.bias * x.denominator
        result[block.scatter] = product
    return Vector(result, x.denominator * step.scale)


def _extremum(operands: Sequence[Vector], maximum: NDArray[np.bool_]) -> Vector:
    size = maximum.size
    every = _joined(operands)
    result = every.numbers[:size]
    for start in range(size, every.numbers.size, size):
        other = every.numbers[start : start + size]
        result = np.where((result < other) == maximum, other, result)
    return Vector(result, every.denominator)


def _divided(left: Vector, right: Vector) -> Vector:
    """DataError TL0450 where a divisor is 0."""
    if not all(right.numbers):
        raise DataError("TL0450", "a value is divided by 0")
    pairs = zip(left.numbers, right.numbers, strict=True)
    return _from_fractions([Fraction(x * right.denominator, z * left.denominator) for x, z in pairs])


def _joined(vectors: Sequence[Vector]) -> Vector:
    """Concatenation over the least common denominator."""
    denominator = math.lcm(*(vector.denominator for vector in vectors))
    scaled = [vector.numbers * (denominator // vector.denominator) for vector in vectors]
    return Vector(scaled[0] if len(scaled) == 1 else np.concatenate(scaled), denominator)
