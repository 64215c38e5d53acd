"""The data of a certificate, field for field what lean/PytestTorchLean/Spec and Check declare.

A Lean structure is one dataclass with the same fields in the same order. A constructor of an inductive
type is a dataclass of its own; the type is the union of its constructors.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction


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
    FUSED_SWISH = "Curve.fusedSwish"
    FUSED_ELU = "Curve.fusedElu"
    FUSED_SELU = "Curve.fusedSelu"
    FUSED_GELU_TANH = "Curve.fusedGeluTanh"
    FUSED_GELU = "Curve.fusedGelu"
    FUSED_MISH = "Curve.fusedMish"
    FUSED_HARD_SWISH_GATE = "Curve.fusedHardSwishGate"
    FUSED_HARD_SWISH = "Curve.fusedHardSwish"
    FUSED_SOFTSIGN = "Curve.fusedSoftsign"

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


@dataclass(frozen=True)
class DecodingData:
    """Check.Decoding: smallest exponent field, bits of the exponents above it, bits of the integers."""

    base: int
    stages: int
    bits: int


@dataclass(frozen=True)
class StepData:
    """Check.Step: how a node is bounded. A ReLU uses none of it; only binary32 uses first and radius.

    For a curve `first` is the number of stages of its exponential, `radius` their bits after the point.
    """

    decoding: DecodingData
    first: int
    radius: int


NO_STEP = StepData(DecodingData(1, 0, 0), 0, 0)
"""The step of a node that needs none."""


@dataclass(frozen=True)
class ThroughData:
    """Check.Relaxation.Link.through: substitute an affine node that reads `count` slots from `first` on, then
    divide the coefficients by 2^shift, which leaves at most `size` bits."""

    first: int
    count: int
    shift: int
    size: int


@dataclass(frozen=True)
class BendData:
    """Check.Relaxation.Link.bend: lines for a ReLU; slopes are digits of bits + 1 bits, times 2^bits."""

    bits: int
    lower: int
    upper: int


@dataclass(frozen=True)
class SlideData:
    """Check.Relaxation.Link.slide: a slope for each neuron of a curve, digits of `size` bits, times 2^bits.

    Intervals are halved `depth` times; the function is enclosed by `stages` stages of `precision` bits.
    """

    bits: int
    size: int
    slopes: int
    depth: int
    stages: int
    precision: int


@dataclass(frozen=True)
class SkipData:
    """Check.Relaxation.Link.skip: the rows do not read the node."""


@dataclass(frozen=True)
class LayoutData:
    """Check.Relaxation.Layout: the slot in each of `count` places, for each column its shift, and a bound of
    the error radii of the node's results."""

    count: int
    places: int
    shifts: int
    radius: int


@dataclass(frozen=True)
class ArrangementData:
    """Check.Relaxation.Arrangement: `count` blocks of places that become the slots from `first` on; three
    words each: slots that have no place, first place, length."""

    first: int
    count: int
    blocks: int


@dataclass(frozen=True)
class ConvolveData:
    """Check.Relaxation.Link.convolve: substitute an affine node with several positions, then shorten."""

    layout: LayoutData
    arrangement: ArrangementData
    shift: int
    size: int


@dataclass(frozen=True)
class SettleData:
    """Check.Relaxation.Link.settle: the same, then replace what it reads by its bounds."""

    layout: LayoutData
    shift: int
    size: int


@dataclass(frozen=True)
class MultiplierData:
    """Check.Relaxation.Multiplier: `amount` times (slot - upper bound), or (lower bound - slot), for one row.

    The slot is the `place`-th that the rows read.
    """

    row: int
    place: int
    amount: int
    upper: bool


@dataclass(frozen=True)
class MultiplyData:
    """Check.Relaxation.Link.multiply: add multipliers, and pass no node; coefficients get `size` bits."""

    multipliers: tuple[MultiplierData, ...]
    size: int


@dataclass(frozen=True)
class WidenData:
    """Check.Relaxation.Link.widen: speak of `count` slots from `first` on, and pass no node."""

    first: int
    count: int


@dataclass(frozen=True)
class ForkData:
    """Check.Relaxation.Link.fork: `keep` slots wait, those from place `cut` on go on; pass no node."""

    keep: int
    cut: int


@dataclass(frozen=True)
class JoinData:
    """Check.Relaxation.Link.join: `own` and `other` times the coefficients of what goes on and of what waited
    last, at most `size` bits, divided by 2^shift, which leaves `short` bits; pass no node."""

    weight: int
    own: int
    other: int
    size: int
    shift: int
    short: int


@dataclass(frozen=True)
class PairData:
    """Check.Relaxation.Link.pair: lines for the differences of number `fact`, where the bit of `chosen` is 1;
    slopes as in BendData; pass no node."""

    fact: int
    bits: int
    slopes: int
    chosen: int


@dataclass(frozen=True)
class ChooseData:
    """Check.Relaxation.Link.choose: lines for a maximum or a minimum of two slots each; slopes of the first
    slot as in BendData.

    Slots outside of the run of `count` from `first` on are replaced by their bounds; then coefficients are
    shortened as in ThroughData.
    """

    bits: int
    lower: int
    upper: int
    first: int
    count: int
    shift: int
    size: int


BranchData = WidenData | ForkData | JoinData
LinkData = (
    ThroughData
    | BendData
    | SkipData
    | ConvolveData
    | SettleData
    | MultiplyData
    | BranchData
    | SlideData
    | PairData
    | ChooseData
)
"""Check.Relaxation.Link."""


@dataclass(frozen=True)
class RelaxationData:
    """Check.Relaxation: rows substituted backward through the passed nodes, the last one first.

    digit: bits of a coefficient. width: digits from one row to the next. goals: a word for every row, twice
    the place in the run of `count` slots from `start` on, plus 1 to bound the slot from above.
    """

    digit: int
    width: int
    rows: int
    start: int
    count: int
    goals: int
    links: tuple[LinkData, ...]


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
