"""What a theorem speaks about, field for field what lean/PytestTorchLean/Spec declares.

A Lean structure is one dataclass with the same fields in the same order. A constructor of an inductive
type is a dataclass of its own; the type is the union of its constructors.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Semantics(Enum):
    """Spec.Semantics: what executions a claim speaks about. The values are the constructors' names."""

    REAL = "Semantics.real"
    BINARY32 = "Semantics.binary32"


@dataclass(frozen=True)
class AffineData:
    """Spec.Affine: 32-bit patterns and slot numbers packed into one integer each.

    As a node of a graph it stands for `Node.affine` of itself.
    """

    rows: int
    lanes: int
    lane_columns: int
    weights: int
    positions: int
    sources: int
    divisor: int

    @property
    def columns(self) -> int:
        """Number of columns, padding included."""
        return self.lanes * self.lane_columns


@dataclass(frozen=True)
class ReluData:
    """Spec.Node.relu."""

    first: int
    count: int


@dataclass(frozen=True)
class MaximumData:
    """Spec.Node.maximum: two slots for each result, in words."""

    count: int
    sources: int


@dataclass(frozen=True)
class MinimumData:
    """Spec.Node.minimum: two slots for each result, in words."""

    count: int
    sources: int


class CurveFunction(Enum):
    """Spec.Curve. The values are the constructors' names."""

    EXP = "Curve.exp"
    SIGMOID = "Curve.sigmoid"
    TANH = "Curve.tanh"
    SQRT = "Curve.sqrt"
    LOG = "Curve.log"
    SOFTPLUS = "Curve.softplus"
    ERF = "Curve.erf"
    SINE = "Curve.sine"
    COSINE = "Curve.cosine"
    SIGN = "Curve.sign"
    FUSED_SWISH = "Curve.fusedSwish"
    FUSED_ELU = "Curve.fusedElu"
    FUSED_SELU = "Curve.fusedSelu"
    FUSED_GELU_TANH = "Curve.fusedGeluTanh"
    FUSED_GELU = "Curve.fusedGelu"
    FUSED_MISH = "Curve.fusedMish"
    FUSED_HARD_SWISH_GATE = "Curve.fusedHardSwishGate"
    FUSED_HARD_SWISH = "Curve.fusedHardSwish"
    FUSED_SOFTSIGN = "Curve.fusedSoftsign"
    FUSED_SOFTMAX = "Curve.fusedSoftmax"

    @property
    def label(self) -> str:
        """Its name in `bounds.curves` and in the steps of `ir.linear`."""
        return self.name.lower()

    @property
    def logistic(self) -> bool:
        """Check.Curve.logistic: a fraction of exponentials."""
        return self in (CurveFunction.EXP, CurveFunction.SIGMOID, CurveFunction.TANH)

    @property
    def fused(self) -> bool:
        """Whether it keeps its argument, up to the budget of an operation."""
        return self.value.startswith("Curve.fused")


@dataclass(frozen=True)
class CurveData:
    """Spec.Node.curve: a smooth activation of `count` slots from `first` on."""

    function: CurveFunction
    first: int
    count: int


@dataclass(frozen=True)
class BilinearData:
    """Spec.Node.bilinear: for each result `terms` products of two slots, in words."""

    count: int
    terms: int
    sources: int


@dataclass(frozen=True)
class QuotientData:
    """Spec.Node.quotient: the slots of dividend and divisor for each result, in words."""

    count: int
    sources: int


NodeData = AffineData | ReluData | MaximumData | MinimumData | CurveData | BilinearData | QuotientData
"""Spec.Node."""


@dataclass(frozen=True)
class GraphData:
    """Spec.Graph."""

    inputs: int
    nodes: tuple[NodeData, ...]


@dataclass(frozen=True)
class BoxData:
    """Spec.Box: digits of `width` bits; bound i is (digit_i - offset) / denominator."""

    denominator: int
    offset: int
    width: int
    lower: int
    upper: int


@dataclass(frozen=True)
class PropertyData:
    """Spec.Property: of every `alternatives` rows of `forms` one is positive (strict) or not negative."""

    forms: AffineData
    strict: bool
    alternatives: int


@dataclass(frozen=True)
class ClaimData:
    """Spec.Claim."""

    property: PropertyData
    boxes: tuple[BoxData, ...]
