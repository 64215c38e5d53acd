"""The data of a certificate, field for field what lean/PytestTorchLean/Check declares.

Structures and constructors are dataclasses as in `certificate.statement`; `certificate.substitution` has the
rows that pass nodes backward.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from pytest_torchlean.certificate.statement import AffineData, ClaimData, GraphData, Semantics
from pytest_torchlean.certificate.substitution import RelaxationData


@dataclass(frozen=True)
class DecodingData:
    """Check.Decoding: smallest exponent field, bits of the exponents above it, bits of the integers."""

    base: int
    stages: int
    bits: int


@dataclass(frozen=True)
class StepData:
    """Check.Step: how a node is bounded. A ReLU uses none of it; only binary32 uses first and radius.

    first: where the radius is 0, how many of the first columns read consecutive slots, see
    `bounding.consecutive`; otherwise the first slot that is read. For a curve `first` is the number of stages
    of its exponential, `radius` their bits after the point.
    """

    decoding: DecodingData
    first: int
    radius: int


NO_STEP = StepData(DecodingData(1, 0, 0), 0, 0)
"""The step of a node that needs none."""


@dataclass(frozen=True)
class DirectData:
    """Check.Conclusion.direct: bounds of the slots bound the forms."""

    forms: DecodingData


@dataclass(frozen=True)
class ComposedData:
    """Check.Conclusion.composed: the last affine node is substituted; `bits` of the new weights."""

    forms: DecodingData
    last: DecodingData
    bits: int


@dataclass(frozen=True)
class RelaxedData:
    """Check.Conclusion.relaxed: rows of the forms substituted backward, after their own shortening."""

    forms: DecodingData
    shift: int
    size: int
    rows: RelaxationData


@dataclass(frozen=True)
class WeightedData:
    """Check.Conclusion.weighted: of every clause a sum of its rows, each times a number up to 2^bits.

    size: bits of the sums' coefficients. weights: a tuple for each clause.
    """

    forms: DecodingData
    bits: int
    size: int
    weights: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class LeafData:
    """Check.Forward.Cuts.leaf: a part of the box."""


@dataclass(frozen=True)
class CutData:
    """Check.Forward.Cuts.cut: the input's fixed-point number at most `value`, and at least."""

    input: int
    value: int
    below: CutsData
    above: CutsData


CutsData = LeafData | CutData
"""Check.Forward.Cuts."""


@dataclass(frozen=True)
class ForwardData:
    """Check.Conclusion.forward: forms of a layer, carried forward, on every part of the box.

    origin: the first slot of that layer, an input or a value close behind; the cuts are of its slots.
    size: bits of the composed weights of the last layer. slope, fraction: bits after the point of the slopes
    of lines and of the forms' coefficients. symbols: whether undecided ReLUs get noise symbols.
    """

    forms: DecodingData
    size: int
    slope: int
    fraction: int
    origin: int
    symbols: bool
    cuts: CutsData


ConclusionData = DirectData | ComposedData | RelaxedData | WeightedData | ForwardData
"""Check.Conclusion."""


@dataclass(frozen=True)
class NodeScript:
    """Check.Script.node: bound the next node by interval arithmetic."""

    step: StepData
    rest: ScriptData


@dataclass(frozen=True)
class SplitScript:
    """Check.Script.split: two cases, the slot's fixed-point number at most `value` and at least."""

    slot: int
    value: int
    below: ScriptData
    above: ScriptData


@dataclass(frozen=True)
class TightenScript:
    """Check.Script.tighten: tighter bounds of some slots of the last node by backward substitution."""

    rows: RelaxationData
    rest: ScriptData


@dataclass(frozen=True)
class ConcludeScript:
    """Check.Script.conclude."""

    how: ConclusionData


@dataclass(frozen=True)
class KnownScript:
    """Check.Script.known: the case at this place of the path that a part of a proof assumes."""

    place: int
    rest: ScriptData


@dataclass(frozen=True)
class DifferScript:
    """Check.Script.differ: bounds of the differences of `count` slots from place `right` on and those from
    `left` on, of the run that was written last; goals as in RelaxationData, of these places."""

    rows: RelaxationData
    left: int
    right: int
    count: int
    rest: ScriptData


@dataclass(frozen=True)
class LinearizationData:
    """Check.Linearization: rows that stand for the node passed last.

    entries: the rows' weights row by row in the order of the node's products, see certificate.linearization.
    """

    rows: AffineData
    decoding: DecodingData
    entries: int


@dataclass(frozen=True)
class LinearizeScript:
    """Check.Script.linearize: the node passed last is an affine one of its factors from now on."""

    how: LinearizationData
    rest: ScriptData


ScriptData = (
    NodeScript | SplitScript | TightenScript | ConcludeScript | KnownScript | DifferScript | LinearizeScript
)
"""Check.Script."""


@dataclass(frozen=True)
class ScaleData:
    """Check.Scale: fixed-point 1, fixed-point 0, bits of half a digit."""

    unit: int
    center: int
    half: int

    @property
    def top(self) -> int:
        """Largest fixed-point number."""
        return 2 * self.center

    def nearest(self, value: float) -> int:
        """The fixed-point number that is nearest to a value, ties to even."""
        return round(Fraction(value) * self.unit) + self.center


@dataclass(frozen=True)
class CertificateData:
    """Check.Certificate: for every claim its boxes' scripts; the last one serves all boxes that follow."""

    scale: ScaleData
    scripts: tuple[tuple[ScriptData, ...], ...]


@dataclass(frozen=True)
class CaseData:
    """Check.Case: the slot's fixed-point number is at most `value` (`below`), or at least."""

    slot: int
    value: int
    below: bool


@dataclass(frozen=True)
class PartScript:
    """What `checkPart` is given for one part of a tree: the cases it assumes, the innermost first."""

    path: tuple[CaseData, ...]
    script: ScriptData


@dataclass(frozen=True)
class Emission:
    """Everything that one Lean theorem speaks about.

    apart: the parts of a tree whose theorems are joined to that one; then there is one box, and the
    certificate has no scripts.
    """

    semantics: Semantics
    graph: GraphData
    claims: tuple[ClaimData, ...]
    certificate: CertificateData
    apart: tuple[PartScript, ...] = ()
