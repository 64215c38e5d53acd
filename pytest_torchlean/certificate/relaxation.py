"""Backward substitution in exact integers, step for step as lean/PytestTorchLean/Check/Relaxation does it.

The same steps build a relaxation and forecast what a given one proves. How far coefficients are shortened
is chosen while the rows go back, from the coefficients themselves. One box at a time: slopes belong to a box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.crown import SLOPE_BITS
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.branches import Branches
from pytest_torchlean.certificate.choosing import bits_of_choice, chosen_choice
from pytest_torchlean.certificate.convolution import chosen_layout
from pytest_torchlean.certificate.curves import curve_step
from pytest_torchlean.certificate.following import followed
from pytest_torchlean.certificate.links import (
    bend,
    bits_needed,
    chosen_link,
    fits_frame,
    product_of,
    rounded,
    slide,
    through,
    width_for,
)
from pytest_torchlean.certificate.model import RelaxedData
from pytest_torchlean.certificate.multipliers import Float64, chosen_multipliers, multiplied
from pytest_torchlean.certificate.origins import end_at_inputs, origins_of
from pytest_torchlean.certificate.pairing import chosen_pairs
from pytest_torchlean.certificate.reframing import Span, with_frames
from pytest_torchlean.certificate.rows import Box, NotRelaxable, PassedNode, Rows, Slopes, require, size_of
from pytest_torchlean.certificate.statement import AffineData, CurveData, MaximumData, MinimumData, ReluData
from pytest_torchlean.certificate.substitution import (
    BendData,
    LinkData,
    RelaxationData,
    SkipData,
    SlideData,
    ThroughData,
)
from pytest_torchlean.certificate.words import pack_digits, pack_words, unpack_words

COEFFICIENT_BITS = 20
"""Coefficients are shortened to so many bits after each affine node, or to fewer where digits end before."""
NO_MULTIPLIERS: Mapping[int, Float64] = MappingProxyType({})
DIFFERENCE_BITS = 30
"""The same where differences are bounded: they are far smaller than the values they are formed of."""
_BITS_OF_CURVES, _BITS_AT_POSITIONS, _MANY_SLOTS = 64, 30, 4000
"""With so many slots: where rows are shortened they are charged for each slot of a long run, and with curves
they join often."""
_BITS_OF_JOINS = 72
"""Further bits of a digit with curves, as numbers get longer where rows join before they are shortened."""
_FEWEST_BITS = 6
_SHORTER_BITS = 16
"""Bits that suffice where shorter digits save products: a row's bound is off by 2^-16 of what it sums up."""
_SHARED_WEIGHTS, _SHARED_ROWS = 16384, 64
"""Matrices from so many weights on meet so many rows or fewer with columns that share digits."""
_SPARE_BITS = 3
"""For multipliers of rows whose coefficients have become smaller than those of the goals."""
_EVEN_BITS = 8
"""Digits of relaxations with multipliers are multiples of it: Lean prepares weights for each size."""


@dataclass(frozen=True, eq=False)
class Relaxed:
    """A relaxation and the lower bounds that it proves, fixed-point integers, one per goal."""

    data: RelaxationData
    bounds: Integers


def relax(
    box: Box,
    passed: Sequence[PassedNode],
    slopes: Mapping[int, Slopes],
    goals: NDArray[np.int64],
    multipliers: Mapping[int, Float64] = NO_MULTIPLIERS,
    peak: float = 0.0,
) -> Relaxed:
    """Bound slots of the last passed node; goals are words, see RelaxationData.

    passed: in the order of the graph. slopes, multipliers: by the first slot of each ReLU node; see
    `go_back`. peak: see `digits_for`. Raises NotRelaxable.
    """
    last = passed[-1]
    digit, most = digits_for(passed, slopes, multipliers, bits_for(box, passed), peak)
    rows = goal_rows(last, goals, digit)
    rows, width, links = go_back(box, passed, slopes, rows, most, multipliers)
    data = RelaxationData(digit, width, len(goals), last.start, size_of(last.node), pack_words(goals), links)
    return Relaxed(data, finished(box, rows))


def relax_earlier(
    box: Box,
    passed: Sequence[PassedNode],
    number: int,
    slopes: Mapping[int, Slopes],
    goals: NDArray[np.int64],
    multipliers: Mapping[int, Float64] = NO_MULTIPLIERS,
    peak: float = 0.0,
) -> Relaxed:
    """`relax` for slots of node `number`, which later ones may follow. Raises NotRelaxable."""
    found = relax(box, passed[: number + 1], slopes, goals, multipliers, peak)
    later = (SkipData(),) * (len(passed) - number - 1)
    return replace(found, data=replace(found.data, links=(*later, *found.data.links)))


def conclude(
    box: Box,
    passed: Sequence[PassedNode],
    slopes: Mapping[int, Slopes],
    forms: PassedNode,
    multipliers: Mapping[int, Float64] = NO_MULTIPLIERS,
    peak: float = 0.0,
) -> tuple[RelaxedData, Integers]:
    """The property's forms as goals, and by how much each row's gain exceeds its loss.

    forms: the property's matrix as a node that starts at slot 0. multipliers: as in `go_back`, in
    units of the forms. peak: see `digits_for`. Without multipliers coefficients are shorter where Lean then
    takes less time and all rows still hold. Raises NotRelaxable.
    """
    digit, most = digits_for((*passed, forms), slopes, multipliers, bits_for(box, passed), peak)
    fewer = None if multipliers else _fewer_bits(passed, size_of(forms.node), digit, most)
    if fewer is not None:
        found = _concluded_with(box, passed, slopes, forms, multipliers, *fewer)
        if (found[1] > 0).all():
            return found
    return _concluded_with(box, passed, slopes, forms, multipliers, digit, most)


def _fewer_bits(passed: Sequence[PassedNode], rows: int, digit: int, most: int) -> tuple[int, int] | None:
    """Bits of a digit and of coefficients with which one more column shares a digit of a large matrix."""
    nodes = [own.node for own in passed if isinstance(own.node, AffineData)]
    large = [32 * node.lanes for node in nodes if node.rows * node.columns >= _SHARED_WEIGHTS]
    if not large or rows > _SHARED_ROWS:
        return None
    shorter = min(large) // (min(large) // digit + 1) // 2 * 2
    fewer = most - (digit - shorter)
    return (shorter, fewer) if fewer >= _SHORTER_BITS else None


def _concluded_with(
    box: Box,
    passed: Sequence[PassedNode],
    slopes: Mapping[int, Slopes],
    forms: PassedNode,
    multipliers: Mapping[int, Float64],
    digit: int,
    most: int,
) -> tuple[RelaxedData, Integers]:
    """`conclude` with digits of `digit` bits and coefficients of `most`."""
    rows = goal_rows(forms, 2 * np.arange(size_of(forms.node)), digit)
    product = product_of(forms, rows)
    link = chosen_link(product, most)
    rows = through(box, forms, link, rows, product, 1)
    rows, width, links = go_back(box, passed, slopes, rows, most, multipliers)
    data = RelaxationData(digit, width, size_of(forms.node), link.first, link.count, 0, links)
    return RelaxedData(forms.decoding, link.shift, link.size, data), margins(box, rows)


def concluded(
    box: Box, passed: Sequence[PassedNode], forms: PassedNode, how: RelaxedData
) -> tuple[Integers, bool]:
    """By how much each row's gain exceeds its loss, and whether the relaxation is accepted."""
    data = how.rows
    try:
        require(data.rows == size_of(forms.node))
        rows = goal_rows(forms, 2 * np.arange(size_of(forms.node)), data.digit)
        link = ThroughData(data.start, data.count, how.shift, how.size)
        rows = through(box, forms, link, rows, product_of(forms, rows), 1)
        rows = followed(box, passed, data, rows)
        return margins(box, rows), fits_frame(box, rows, data)
    except NotRelaxable:
        return np.zeros(size_of(forms.node), dtype=object) - 1, False


def margins(box: Box, rows: Rows) -> Integers:
    """gain - loss of every row, once its slots are replaced by their bounds: Check.Relaxation.finish."""
    here = rows.slots
    require(rows.count << (rows.size + 1) < 1 << rows.digit)
    positive, negative = np.maximum(rows.form, 0), np.maximum(-rows.form, 0)
    least = rounded(box, rows, positive, box.lower[here]) + rounded(
        box, rows, negative, box.scale.top - box.upper[here]
    )
    mass = (positive + negative).sum(axis=1)
    total: Integers = rows.gain - rows.loss + rows.weight * (least - box.scale.center * mass)
    return total


def tightened(
    box: Box, passed: Sequence[PassedNode], data: RelaxationData
) -> tuple[Integers, Integers, bool]:
    """Bounds of all slots after Check.Relaxation.tighten, and whether the relaxation is accepted."""
    lower, upper = box.lower.copy(), box.upper.copy()
    try:
        run = data.start, data.count
        node = next((own for own in reversed(passed) if (own.start, size_of(own.node)) == run), None)
        if node is None:
            raise NotRelaxable("goals that are no node's results")
        require(data.rows <= 4 * data.count and data.goals.bit_length() <= 32 * data.rows)
        goals = unpack_words(data.goals, data.rows).astype(np.int64)
        require(int(goals.max(initial=0)) < 2 * data.count and bool((np.diff(goals) > 0).all()))
        rows = goal_rows(node, goals, data.digit)
        rows = followed(box, passed, data, rows)
        bounds = finished(box, rows)
        fits = fits_frame(box, rows, data)
    except NotRelaxable:
        return lower, upper, False
    lower, upper = improved(box, data, bounds)
    return lower, upper, fits and bool((lower <= upper).all())


def improved(box: Box, data: RelaxationData, bounds: Integers) -> tuple[Integers, Integers]:
    """Bounds of all slots, tighter where a relaxation has proved `bounds` of its goals."""
    lower, upper = box.lower.copy(), box.upper.copy()
    goals = unpack_words(data.goals, data.rows).astype(np.int64)
    slots, below = data.start + goals // 2, goals % 2 == 0
    lower[slots[below]] = np.maximum(lower[slots[below]], bounds[below])
    upper[slots[~below]] = np.minimum(upper[slots[~below]], box.scale.top - bounds[~below])
    return lower, upper


def goal_rows(last: PassedNode, goals: NDArray[np.int64], digit: int) -> Rows:
    """Rows that are slots of a node, or their opposites: Check.Relaxation.begin."""
    form = np.zeros((len(goals), size_of(last.node)), dtype=object)
    form[np.arange(len(goals)), goals // 2] = np.where(goals % 2 == 0, 1, -1)
    zeros = np.zeros(len(goals), dtype=object)
    return Rows(1, 1, 0, last.start, 1, form, zeros, zeros, digit, form.shape[1])


def go_back(
    box: Box,
    passed: Sequence[PassedNode],
    slopes: Mapping[int, Slopes],
    rows: Rows,
    most: int,
    multipliers: Mapping[int, Float64] = NO_MULTIPLIERS,
) -> tuple[Rows, int, tuple[LinkData, ...]]:
    """The rows over the inputs, or as far back as that helps and their nodes let them, the width of the frame
    at the start, and the links there.

    most: bits that coefficients may have after an affine node. multipliers: by the first slot of a ReLU
    node, float64 (goals, n), in units of the goals: to the row is added a positive number times (value before
    the ReLU - its upper bound), or a negative one times (value - its lower bound).
    """
    state, origins, before = Branches(box, rows, most), origins_of(passed), Span(rows.width, rows.count, True)
    for index, node in reversed(list(enumerate(passed))):
        if state.whole and (end_at_inputs(origins, state.rows) or not state.rows.form.any()):
            break
        try:
            if not state.reach(node):
                state.add(SkipData(), state.rows)
                continue
            pairs = _paired(box, node, slopes, state)
            link, rows = _passed(box, passed[:index], node, slopes, state, most)
            state.add(link, rows)
            for _ in range(pairs):
                state.join()
        except NotRelaxable:
            break
        rows = state.rows
        if isinstance(link, BendData) and node.start in multipliers:
            added = chosen_multipliers(rows, multipliers[node.start])
            state.add(added, multiplied(box, added, rows))
        if rows.places is not None:
            break
    while not state.whole:
        state.join()
    links = state.links
    while links and isinstance(links[-1], SkipData):
        links.pop()
    least = width_for(box, replace(state.rows, width=0))
    return state.rows, *with_frames(
        links, before, state.spans[: len(links)], least, width_for(box, state.rows)
    )


def _paired(box: Box, node: PassedNode, slopes: Mapping[int, Slopes], state: Branches) -> int:
    """Replace differences of a ReLU's results by lines; how many links that takes. Raises NotRelaxable."""
    if not isinstance(node.node, ReluData) or node.start not in slopes or not box.differences:
        return 0
    links = chosen_pairs(box, node, state.rows)
    for link in links:
        state.pair(node, link)
    return len(links)


def _passed(
    box: Box,
    earlier: Sequence[PassedNode],
    node: PassedNode,
    slopes: Mapping[int, Slopes],
    state: Branches,
    most: int,
) -> tuple[LinkData, Rows]:
    """The link through a node, and the rows behind it. Raises NotRelaxable."""
    rows = state.rows
    if isinstance(node.node, AffineData) and node.node.positions != 1:
        return chosen_layout(box, earlier, node, rows, most, settle=state.whole)
    if isinstance(node.node, AffineData):
        product = product_of(node, rows)
        link = chosen_link(product, most)
        return link, through(box, node, link, rows, product)
    if node.start not in slopes:
        raise NotRelaxable("a node without lines")
    own = slopes[node.start]
    if isinstance(node.node, MaximumData | MinimumData):
        return chosen_choice(box, earlier, node, own, rows, most)
    if isinstance(node.node, CurveData):
        signed = np.concatenate([np.maximum(own.lower, 0), np.maximum(-own.lower, 0)])
        packed = pack_digits(signed.tolist(), own.size)
        step = curve_step(node.node.function, box.scale)
        slid = SlideData(own.bits, own.size, packed, own.depth, step.first, step.radius)
        return slid, slide(box, node, slid, rows)
    width = own.bits + 1
    bent = BendData(own.bits, *(pack_digits(part.tolist(), width) for part in (own.lower, own.upper)))
    return bent, bend(box, node, bent, rows)


def finished(box: Box, rows: Rows) -> Integers:
    """Lower bounds of the goals, at least 0 in fixed point: Check.Relaxation.finish and record."""
    found = margins(box, rows) + rows.scale * box.scale.center
    bounds: Integers = np.maximum(found, 0) // rows.scale
    return bounds


def bits_for(box: Box, passed: Sequence[PassedNode]) -> int:
    """Bits that coefficients keep."""
    nodes = [own.node for own in passed] if len(box.lower) > _MANY_SLOTS else []
    if any(isinstance(node, CurveData) for node in nodes):
        return _BITS_OF_CURVES
    if any(isinstance(node, AffineData) and node.positions > 1 for node in nodes):
        return _BITS_AT_POSITIONS
    return DIFFERENCE_BITS if box.differences else COEFFICIENT_BITS


def digits_for(
    passed: Sequence[PassedNode],
    slopes: Mapping[int, Slopes],
    multipliers: Mapping[int, Float64],
    bits: int = COEFFICIENT_BITS,
    peak: float = 0.0,
) -> tuple[int, int]:
    """Bits of a digit that serve all nodes, and how many a coefficient may have after an affine node.

    peak: the largest multiplier, if it is not 0, in units of the goals' largest coefficient: where it is
    large, coefficients keep more bits, so that as much is lost as without it; not where no digit has so many.
    """
    slope_bits, usual = max((own.size for own in slopes.values()), default=0), bits
    slope_bits += max((int(np.count_nonzero(own)) for own in multipliers.values()), default=0).bit_length()
    if peak > 0:
        more = max(0, int(np.ceil(np.log2(peak))))
        slope_bits, bits = slope_bits + _SPARE_BITS + more, bits + more
    affine = [node for node in passed if isinstance(node.node, AffineData)]
    if not affine:
        raise NotRelaxable("no affine node to go back through")
    needed = max(bits_needed(node, 0) for node in affine)
    choices = [node.node for node in passed if isinstance(node.node, MaximumData | MinimumData)]
    needed = max([needed, *(bits_of_choice(node.count, SLOPE_BITS) + 1 for node in choices)]) + slope_bits
    longest = min(32 * node.node.lanes for node in affine if isinstance(node.node, AffineData))
    joins = _BITS_OF_JOINS if bits >= _BITS_OF_CURVES else 0
    wanted = needed + bits + joins + 1 + (-(needed + bits + 1) % _EVEN_BITS if peak > 0 else 0)
    digit = min(wanted, longest) // 2 * 2
    most = min(bits, digit - needed)
    if most >= _FEWEST_BITS:
        return digit, most
    if peak <= 0:
        raise NotRelaxable("coefficients longer than a digit")
    return digits_for(passed, slopes, multipliers, usual)
