"""How rows pass the nodes backward, field for field what lean/PytestTorchLean/Check/Relaxation declares."""

from __future__ import annotations

from dataclasses import dataclass


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
    """Check.Relaxation.Link.slide: a slope for each neuron of a curve, digits of `size` bits, times 2^bits;
    behind them for each neuron what is taken off its slope, where its line falls.

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


@dataclass(frozen=True)
class ReframeData:
    """Check.Relaxation.Link.reframe: keep rows `width` digits apart from here on, and pass no node."""

    width: int


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
    | ReframeData
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
