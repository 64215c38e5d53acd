"""How a node looks to bounds and certificates: steps over flat vectors of numbers.

Every supported op is one of these shapes. Values are flat in row-major order; `sources` names the
graph values a step reads, concatenated in that order, and an index refers to that concatenation.
Weights stay the file's own binary32 numbers: no product or sum is formed here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ZERO = -1
"""Index that reads the constant 0 (padding)."""


@dataclass(frozen=True, eq=False)
class AffineBlock:
    """One small matrix applied at several positions: divisor * y = weights @ x[gather] + bias.

    weights: float32 (rows, columns). bias: float32 (rows,) or None.
    gather: int64 (positions, columns), entries index the sources or are ZERO.
    scatter: int64 (positions, rows), the flat output element each result goes to.
    divisor: positive integer (1 except for averages).
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32] | None
    gather: NDArray[np.int64]
    scatter: NDArray[np.int64]
    divisor: int = 1


@dataclass(frozen=True)
class AffineStep:
    """Blocks whose scatters together cover every output element exactly once."""

    sources: tuple[str, ...]
    blocks: tuple[AffineBlock, ...]


@dataclass(frozen=True, eq=False)
class IndexStep:
    """Data movement: output[i] = source[index[i]]; index int64 (output size,), never ZERO."""

    sources: tuple[str, ...]
    index: NDArray[np.int64]


@dataclass(frozen=True)
class ReluStep:
    """Element-wise max(x, 0) of one source, a value or the results of another step."""

    source: str | OperandStep


@dataclass(frozen=True, eq=False)
class ExtremumStep:
    """Element-wise maximum or minimum of the results of other steps, all of the output's size.

    maximum: bool (output size,), whether an element is its operands' maximum; else their minimum.
    """

    operands: tuple[OperandStep, ...]
    maximum: NDArray[np.bool_]


@dataclass(frozen=True)
class CurveStep:
    """A smooth activation, element by element, of a value or of the results of another step.

    function: a constructor of Spec.Curve in Lean.
    """

    source: str | OperandStep
    function: str


@dataclass(frozen=True)
class LinearStep:
    """An affine step that reads the results of other steps, concatenated in their order."""

    operands: tuple[OperandStep, ...]
    blocks: tuple[AffineBlock, ...]


@dataclass(frozen=True, eq=False)
class PickStep:
    """Data movement of the results of another step: output[i] = result[index[i]]."""

    operand: OperandStep
    index: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BilinearStep:
    """Sums of products: output i is the sum of left[i * terms + k] * right[i * terms + k] over k < terms.

    left, right: steps of size * terms elements, `size` being the output's.
    """

    left: OperandStep
    right: OperandStep
    terms: int
    size: int


@dataclass(frozen=True, eq=False)
class QuotientStep:
    """Element-wise quotients: left[i] / right[i], steps of the output's size."""

    left: OperandStep
    right: OperandStep


OperandStep = (
    AffineStep
    | IndexStep
    | ReluStep
    | ExtremumStep
    | CurveStep
    | LinearStep
    | PickStep
    | BilinearStep
    | QuotientStep
)
Step = OperandStep


def operands_of(step: OperandStep) -> tuple[OperandStep, ...]:
    """The steps whose results a step reads."""
    if isinstance(step, ExtremumStep | LinearStep):
        return step.operands
    if isinstance(step, BilinearStep | QuotientStep):
        return (step.left, step.right)
    if isinstance(step, PickStep):
        return (step.operand,)
    if isinstance(step, ReluStep | CurveStep):
        return () if isinstance(step.source, str) else (step.source,)
    return ()
