"""Scripts that conclude by forms of the inputs on many parts of a box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pytest_torchlean.bounds import forward as floating
from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.splitting import Cut, Tree, folded
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.concluding import Unforeseen
from pytest_torchlean.certificate.forward import Layers, Rows, leading, prepared
from pytest_torchlean.certificate.forward_parts import least
from pytest_torchlean.certificate.linear import Piece, behind, bounded_by_rows
from pytest_torchlean.certificate.model import (
    ConcludeScript,
    CutData,
    CutsData,
    ForwardData,
    LeafData,
    ScaleData,
    ScriptData,
)
from pytest_torchlean.certificate.rows import Box
from pytest_torchlean.certificate.statement import AffineData, BoxData, ClaimData, ReluData
from pytest_torchlean.certificate.states import State
from pytest_torchlean.certificate.substitution import RelaxationData
from pytest_torchlean.certificate.words import decoding_of, patterns_of, sources_of

SLOPE_BITS = 10
"""Bits of the slopes of lines."""
FRACTION_BITS = 24
"""Bits after the point of the forms' coefficients."""
_MOST_FRACTION_BITS, _COEFFICIENT_BITS = 36, 11
"""With symbols, whose coefficients begin with fewer bits: as many as leave so many before the point."""
_SLACKS = (1e-5, 1e-3)
"""Tried in turn: by how much a row must be positive in binary64. The largest weight is 1."""


def carried_script(
    account: Account,
    claim: ClaimData,
    box: BoxData,
    *,
    most_parts: int,
    symbols: bool = False,
    budget: Budget = UNLIMITED,
) -> ScriptData | None:
    """A script for one box of a claim that Lean will accept, or None.

    symbols: whether undecided ReLUs get noise symbols: fewer parts, each of which takes longer.

    The nodes are bounded once, by backward rows where intervals leave a ReLU undecided; then the box is cut.
    Raises OutOfTime.
    """
    pieces, state = bounded_by_rows(account, box)
    how = conclusion(account, claim, state, most_parts=most_parts, symbols=symbols, budget=budget)
    if how is None:
        return None
    return behind(needed(pieces), ConcludeScript(how))


def needed(pieces: Sequence[Piece]) -> list[Piece]:
    """Without bounds of differences that no rows read any more; forms do not."""
    last = max((place for place, piece in enumerate(pieces) if isinstance(piece, RelaxationData)), default=0)
    return [piece for place, piece in enumerate(pieces) if place < last or not isinstance(piece, tuple)]


def conclusion(
    account: Account,
    claim: ClaimData,
    state: State,
    *,
    most_parts: int,
    symbols: bool = False,
    budget: Budget = UNLIMITED,
) -> ForwardData | None:
    """Forms of a layer and cuts of its values that show the claim's property for the one box of `state`.

    None where none are found. Raises OutOfTime.
    """
    scale, about = account.emission.certificate.scale, claim.property
    decoding = decoding_of(patterns_of(about.forms))
    origin = _origin(state)
    if origin is None or not state.bounded.all():
        return None
    last = state.history[-1]
    if not isinstance(last.node, AffineData):
        return None
    size = (last.node.rows << (last.decoding.bits + decoding.bits + 1)).bit_length()
    fraction = _fraction(scale) if symbols else FRACTION_BITS
    how = ForwardData(decoding, size, SLOPE_BITS, fraction, origin, symbols, LeafData())
    here = Box(scale, state.lower[:, 0], state.upper[:, 0])
    history = state.history_of(0)
    try:
        ready = prepared(here, history, about, how)
        chain = floating_chain(scale, ready, about.alternatives, symbols=symbols)
        low, high = (_values(scale, side) for side in (ready.low, ready.high))
        for slack in _SLACKS:
            found = floating.split(
                chain, low, high, most_parts=most_parts, slack=slack * _largest(chain), budget=budget
            )
            if found.tree is None:
                return None
            how = replace(how, cuts=_cuts(scale, found.tree))
            surplus = least(here, history, about, how, budget)
            if surplus > 0 or (surplus == 0 and not about.strict):
                return how
    except Unforeseen:
        return None
    return None


def floating_chain(
    scale: ScaleData, ready: Layers, alternatives: int, *, symbols: bool = False
) -> floating.Chain:
    """The prepared layers in binary64."""
    layers: list[floating.Layer] = []
    for layer in ready.layers:
        if isinstance(layer, Rows):
            layers.append(_affine(scale, layer))
        else:
            reaches = (side.astype(np.float64) / scale.unit for side in (layer.negative, layer.positive))
            layers.append(floating.Relu(*reaches))
    return floating.Chain(layers, _affine(scale, ready.last), alternatives, SLOPE_BITS, symbols)


def _affine(scale: ScaleData, rows: Rows) -> floating.Affine:
    factor = 1 << rows.shift
    low, high = ((side - rows.offset) / (scale.unit * factor) for side in (rows.low, rows.high))
    weights = (rows.positive - rows.negative) / factor
    return floating.Affine(weights.astype(np.float64), low.astype(np.float64), high.astype(np.float64))


def _fraction(scale: ScaleData) -> int:
    return max(FRACTION_BITS, min(_MOST_FRACTION_BITS, scale.center.bit_length() - 1 - _COEFFICIENT_BITS))


def _largest(chain: floating.Chain) -> float:
    return float(np.abs(chain.last.weights).max(initial=0.0)) or 1.0


def _values(scale: ScaleData, numbers: np.ndarray) -> np.ndarray:
    return np.asarray((numbers - scale.center) / scale.unit, dtype=np.float64)


def _cuts(scale: ScaleData, tree: Tree) -> CutsData:
    """The tree with fixed-point values."""

    def joined(node: Cut, below: CutsData, above: CutsData) -> CutsData:
        return CutData(node.element, scale.nearest(node.value), below, above)

    return folded(tree, lambda _: LeafData(), joined)


def _origin(state: State) -> int | None:
    """The first slot of the first layer of the chain that ends in the last node."""
    if not state.history:
        return None
    starts = {passed.start: passed for passed in state.history}
    first, count = state.history[-1].start, 0
    while first in starts:
        node = starts[first].node
        if isinstance(node, AffineData) and node.positions == 1 and count in (0, node.rows):
            first, count = leading(sources_of(node)[0])
        elif isinstance(node, ReluData) and node.count == count:
            first = node.first
        else:
            return first if count else None
    return first
