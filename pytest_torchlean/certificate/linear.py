"""Scripts that bound by backward rows wherever intervals leave a ReLU undecided, one box at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.program import FIRST_INPUT
from pytest_torchlean.bounds.splitting import Cut, Leaf, Tree
from pytest_torchlean.bounds.stated import StatedSlopes
from pytest_torchlean.bounds.weights import weighted_clauses
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.bounding import Integers, matrix_of, rounding_step
from pytest_torchlean.certificate.choosing import holds_constants
from pytest_torchlean.certificate.curves import curve_step
from pytest_torchlean.certificate.differences import copies, relax_differences
from pytest_torchlean.certificate.goals import arguments_read, both_bounds, factors_read, operands_read
from pytest_torchlean.certificate.linearization import planes, tangents
from pytest_torchlean.certificate.lines import (
    box_of,
    choice_lines,
    curve_lines,
    in_binary64,
    lines_of,
    with_lower,
)
from pytest_torchlean.certificate.model import (
    NO_STEP,
    ConcludeScript,
    ConclusionData,
    DecodingData,
    DifferScript,
    DirectData,
    LinearizationData,
    LinearizeScript,
    NodeScript,
    ScriptData,
    SplitScript,
    StepData,
    TightenScript,
    WeightedData,
)
from pytest_torchlean.certificate.phased import Cases, Refine, Seek, unrefined, unsought
from pytest_torchlean.certificate.plan import WEIGHT_BITS
from pytest_torchlean.certificate.relaxation import conclude, relax
from pytest_torchlean.certificate.retightened import MOST_GOALS, ROWS_BITS, Resume, Retightened, hopeless
from pytest_torchlean.certificate.rows import NotRelaxable, PassedNode, Slopes, size_of
from pytest_torchlean.certificate.statement import (
    AffineData,
    BilinearData,
    BoxData,
    ClaimData,
    CurveData,
    MaximumData,
    MinimumData,
    PropertyData,
    QuotientData,
    ReluData,
    Semantics,
)
from pytest_torchlean.certificate.states import State, cut
from pytest_torchlean.certificate.substitution import RelaxationData
from pytest_torchlean.certificate.words import decoding_of, pairs_of, patterns_of

_DIFFERENCES = 64
"""Differences that one relaxation bounds at most."""
_FEWEST = (4, 16)
"""Goals of a relaxation however long its rows are; behind convolutions more share the places of slots."""

Piece = StepData | RelaxationData | LinearizationData | tuple[RelaxationData, tuple[int, int, int]]
"""A step, a relaxation that tightens, rows in the stead of the last node, or a relaxation that bounds
differences with its places: left, right, count."""


def relaxed_script(
    account: Account,
    claim: ClaimData,
    box: BoxData,
    cases: Tree | None = None,
    refine: Refine = unrefined,
    resume: Resume = hopeless,
    seek: Seek = unsought,
) -> tuple[ScriptData, bool, Integers]:
    """A script for one box of a claim; whether Lean will accept it; the smallest clause of any case, scaled.

    cases: cuts of the box, each with bounds of its own. refine: see `phased.Cases`. resume: see
    `retightened.Resume`. seek: finds ReLU phases where neither rows nor intervals suffice; not behind cuts.
    Where no row can go back there are intervals only. Raises OutOfTime.
    """
    forms = claim.property.forms
    own = decoding_of(patterns_of(forms))
    node, start = PassedNode(forms, 0, own, matrix_of(forms, own)), account.start((box,))
    if not isinstance(cases, Cut):
        return _chain(account, claim, node, start, cases, refine, resume, seek)
    return _case(account, claim, node, start, cases, refine)


def relaxed_chain(
    account: Account, claim: ClaimData, state: State, leaf: Leaf
) -> tuple[ScriptData, bool, Integers]:
    """The same for one part of a box, where `state` starts; the script begins behind the cuts."""
    forms = claim.property.forms
    own = decoding_of(patterns_of(forms))
    return _chain(account, claim, PassedNode(forms, 0, own, matrix_of(forms, own)), state, leaf, unrefined)


def _case(
    account: Account,
    claim: ClaimData,
    forms: PassedNode,
    state: State,
    cases: Tree | None,
    refine: Refine,
) -> tuple[ScriptData, bool, Integers]:
    if not isinstance(cases, Cut):
        return _chain(account, claim, forms, state, cases, refine)
    scale, slot = account.emission.certificate.scale, FIRST_INPUT + cases.element
    value = scale.nearest(cases.value)
    value = min(max(value, int(state.lower[slot, 0])), int(state.upper[slot, 0]))
    below, fine, least = _case(
        account, claim, forms, cut(state, slot, value, below=True), cases.below, refine
    )
    above, other, also = _case(
        account, claim, forms, cut(state, slot, value, below=False), cases.above, refine
    )
    return SplitScript(slot, value, below, above), fine and other, np.minimum(least, also)


def _chain(
    account: Account,
    claim: ClaimData,
    forms: PassedNode,
    state: State,
    leaf: Leaf | None,
    refine: Refine,
    resume: Resume = hopeless,
    seek: Seek = unsought,
) -> tuple[ScriptData, bool, Integers]:
    stated = None if leaf is None else leaf.slopes
    phased = leaf is not None and leaf.phases is not None
    pieces, state, slopes = _pieces(account, state, stated, everywhere=phased)
    cases = partial(Cases, account, claim, forms, slopes, refine)
    if leaf is not None and leaf.phases is not None:
        script, fine, least = cases(state).script(leaf.phases, state)
        return behind(pieces, script), fine, least
    if leaf is not None and leaf.refined is not None:
        own = Retightened(account, claim, forms, slopes, refine, state, resume)
        script, fine, least = own.refined(leaf.refined, state)
        return behind(pieces, script), fine, least
    last = slopes if stated is None else with_lower(account, slopes, stated.last)
    how: ConclusionData = conclude(box_of(account, state), state.history_of(0), last, forms)[0]
    seen = account.conclude(how, claim.property, state)
    if not seen.accepted[0]:
        how = DirectData(forms.decoding)
        state = _tighten_outputs(account, state, slopes, pieces)
        seen = account.conclude(how, claim.property, state)
    if not seen.accepted[0] and claim.property.alternatives > 1:
        how = _weighted(account, claim.property, forms, state)
        seen = account.conclude(how, claim.property, state)
    tree = None if seen.accepted[0] else seek(state, slopes)
    if tree is not None:
        script, fine, least = cases(state).script(tree, state)
        return behind(pieces, script), fine, least
    return behind(pieces, ConcludeScript(how)), bool(seen.accepted[0]), seen.least


def behind(pieces: Sequence[Piece], script: ScriptData) -> ScriptData:
    """A script that does some steps before another one."""
    for piece in reversed(pieces):
        if isinstance(piece, StepData):
            script = NodeScript(piece, script)
        elif isinstance(piece, RelaxationData):
            script = TightenScript(piece, script)
        elif isinstance(piece, LinearizationData):
            script = LinearizeScript(piece, script)
        else:
            rows, places = piece
            script = DifferScript(rows, *places, script)
    return script


def bounded_by_rows(account: Account, box: BoxData) -> tuple[list[Piece], State]:
    """Steps and relaxations for all nodes on one box, and the bounds that they give. Raises OutOfTime."""
    return from_rows(account, account.start((box,)))


def from_rows(account: Account, state: State) -> tuple[list[Piece], State]:
    """The same for one part of a box, where `state` starts."""
    pieces, state, _ = _pieces(account, state)
    return pieces, state


def _pieces(
    account: Account, state: State, stated: StatedSlopes | None = None, *, everywhere: bool = False
) -> tuple[list[Piece], State, dict[int, Slopes]]:
    """everywhere: whether rows bound what nodes with several positions write, too, at Lean's expense."""
    left = iter(account.decodings)
    slopes: dict[int, Slopes] = {}
    pieces: list[Piece] = []
    scale = account.emission.certificate.scale
    for index, node in enumerate(account.emission.graph.nodes):
        if isinstance(node, AffineData):
            step = _step(account, index, node, next(left), state)
        else:
            step = curve_step(node.function, scale) if isinstance(node, CurveData) else NO_STEP
            if isinstance(node, ReluData):
                state = _differ(account, node, state, slopes, pieces)
                slopes[len(state.lower)] = lines_of(account, node, state)
            elif isinstance(node, CurveData):
                slopes[len(state.lower)] = curve_lines(account, node, state)
            elif isinstance(node, MaximumData | MinimumData):
                slopes[len(state.lower)] = choice_lines(account, node, state)
        pieces.append(step)
        state = account.node(step, state)
        if isinstance(node, BilinearData | QuotientData):
            state = _linearize(account, node, state, pieces)
        last = state.history[-1].node
        stacked = everywhere or any(isinstance(piece, LinearizationData) for piece in pieces)
        if isinstance(last, AffineData) and (last.positions == 1 or stacked):
            state = _tighten_for_readers(account, state, slopes, pieces, stated, _FEWEST[everywhere])
    return pieces, state, slopes


def _linearize(
    account: Account, node: BilinearData | QuotientData, state: State, pieces: list[Piece]
) -> State:
    """The node as rows, so that those that follow go back through it; as it is where a divisor may be 0, or
    where numbers are too large for the rows.
    """
    scale = account.emission.certificate.scale
    low, high, lanes = state.lower[:, 0], state.upper[:, 0], scale.half // 16
    try:
        if isinstance(node, BilinearData):
            how = planes(scale, node, low, high, lanes)
        else:
            start = state.history[-1].start
            if (low[pairs_of(node)[:, 1]] <= scale.center).any():
                return state
            how = tangents(scale, node, start, low, high, lanes)
    except NotRelaxable:
        return state
    pieces.append(how)
    return account.linearize(how, state)


def _weighted(account: Account, about: PropertyData, forms: PassedNode, state: State) -> WeightedData:
    """Of every clause the sum of rows whose lower bound is largest."""
    matrix = forms.matrix or matrix_of(about.forms, forms.decoding)
    reads = matrix.sources[0]
    low, high = (in_binary64(account, side[:, 0])[reads] for side in (state.lower, state.upper))
    numbers = matrix.positive - matrix.negative
    rows = np.asarray(numbers / max(1, *np.abs(numbers).reshape(-1).tolist()), dtype=np.float64)
    chosen, _ = weighted_clauses(rows, about.alternatives, low, high)
    weights = tuple(tuple(int(w) for w in np.rint(own * (1 << WEIGHT_BITS))) for own in chosen)
    size = (about.forms.rows << (forms.decoding.bits + WEIGHT_BITS + 1)).bit_length()
    return WeightedData(forms.decoding, WEIGHT_BITS, size, weights)


def _tighten_outputs(account: Account, state: State, slopes: dict[int, Slopes], pieces: list[Piece]) -> State:
    """Both bounds of all results of the last node, so that rows and intervals can serve different bounds."""
    last = state.history[-1].node if state.history else None
    if not isinstance(last, AffineData) or last.positions != 1 or not _bent(slopes, pieces):
        return state
    try:
        found = relax(box_of(account, state), state.history_of(0), slopes, np.arange(2 * last.rows))
    except NotRelaxable:
        return state
    pieces.append(found.data)
    return account.adopt(found, state)


def _step(account: Account, index: int, node: AffineData, decoding: DecodingData, state: State) -> StepData:
    if account.emission.semantics is Semantics.REAL:
        return StepData(decoding, 0, 0)
    matrix = account.matrix(index, node, decoding)
    return rounding_step(account.emission.certificate.scale, node, matrix, decoding, state.lower, state.upper)


def _tighten_for_readers(
    account: Account,
    state: State,
    slopes: dict[int, Slopes],
    pieces: list[Piece],
    stated: StatedSlopes | None,
    fewest: int,
) -> State:
    """Bounds by rows of what the last node wrote and one that is not affine reads, next or later.

    Only the last node's results can be bounded so. The first layer has nothing to gain.
    """
    if not _bent(slopes, pieces) or holds_constants(state.history[-1]):
        return state
    last, goals = state.history[-1], np.zeros(0, dtype=np.int64)
    constant = account.constant
    for index, node in enumerate(account.emission.graph.nodes):
        if isinstance(node, BilinearData | QuotientData):
            goals = np.union1d(goals, factors_read(last, node, constant))
        if isinstance(node, MaximumData | MinimumData):
            goals = np.union1d(goals, operands_read(last, node, state))
        if not isinstance(node, ReluData | CurveData):
            continue
        own = arguments_read(account, last, node, state)
        whole = (node.first, node.count) == (last.start, size_of(last.node))
        groups = stated.arguments.get(index, ()) if stated is not None and whole else ()
        for group in groups:
            lines = with_lower(account, slopes, group.lower)
            state = _tighten(account, state, lines, pieces, own[np.isin(own, group.goals)], fewest)
        if not groups:
            goals = np.union1d(goals, own)
    return _tighten(account, state, slopes, pieces, goals, fewest)


def _bent(slopes: dict[int, Slopes], pieces: list[Piece]) -> bool:
    """Whether rows have passed more than affine nodes."""
    return bool(slopes) or any(isinstance(piece, LinearizationData) for piece in pieces)


def _tighten(
    account: Account,
    state: State,
    slopes: dict[int, Slopes],
    pieces: list[Piece],
    goals: NDArray[np.int64],
    fewest: int,
) -> State:
    """Bounds of slots of the last node by rows; goals are words, see RelaxationData. fewest: see _FEWEST."""
    most = MOST_GOALS
    while goals.size:
        try:
            found = relax(box_of(account, state), state.history_of(0), slopes, goals[:most])
        except NotRelaxable:
            return state
        room = max(fewest, ROWS_BITS // (found.data.digit * found.data.width))
        if len(goals[:most]) > room:
            most = room
            continue
        pieces.append(found.data)
        state = account.adopt(found, state)
        goals = goals[most:]
    return state


def _differ(
    account: Account, node: ReluData, state: State, slopes: dict[int, Slopes], pieces: list[Piece]
) -> State:
    """Bounds of the differences of what a ReLU of two copies reads, where it is undecided."""
    history = state.history_of(0)
    count = copies(history[-1], node) if history else 0
    most = max(1, min(_DIFFERENCES, ROWS_BITS // (2 * 64 * node.count)))
    center = account.emission.certificate.scale.center
    for first in range(0, count, most):
        places = (first, count + first, min(most, count - first))
        undecided = np.zeros(places[2], dtype=bool)
        for start in places[:2]:
            here = slice(node.first + start, node.first + start + places[2])
            undecided |= ((state.lower[here, 0] < center) & (state.upper[here, 0] > center)).astype(bool)
        chosen = np.flatnonzero(undecided)
        if not chosen.size:
            continue
        goals = both_bounds(chosen)
        try:
            found = relax_differences(box_of(account, state), history, slopes, places, goals)
        except NotRelaxable:
            return state
        pieces.append((found, places))
        state = account.differ(found, places, state)
    return state
