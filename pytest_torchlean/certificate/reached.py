"""What a state of a certificate bounds, in binary64: its nodes as layers, for a search of ReLU phases.

Rows that stand for products, quotients and curves are affine layers whose results may be off by a radius.
Nothing is proved of these bounds: what a search makes of them is put before the forecast again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pytest_torchlean.bounds.alive import Alive
from pytest_torchlean.bounds.crown import SLOPE_BITS, LinearBounds, argument_bounds, has_lines
from pytest_torchlean.bounds.curves import CURVES
from pytest_torchlean.bounds.layers import AffineLayer, Float64, Layer, Layers, prepared
from pytest_torchlean.bounds.program import (
    ONE_SLOT,
    AffineNode,
    BilinearNode,
    CurveNode,
    Program,
    ProgramNode,
    QuotientNode,
)
from pytest_torchlean.bounds.sweeps import relu_lines
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.lines import in_binary64
from pytest_torchlean.certificate.rows import PassedNode, Slopes
from pytest_torchlean.certificate.statement import AffineData
from pytest_torchlean.certificate.states import State
from pytest_torchlean.certificate.words import factor_of, patterns_of, sources_of

_SAMPLES = 33
"""Places at which a curve is compared with its line."""


def reached_bounds(
    account: Account, program: Program, state: State, slopes: Mapping[int, Slopes]
) -> LinearBounds:
    """Bounds of the first box of a state behind all nodes, and lines of its ReLUs and extrema.

    slopes: by the first slot of each curve that rows pass. A node that no row passes keeps its bounds.
    """
    low, high = (in_binary64(account, side[:, 0]) for side in (state.lower, state.upper))
    unit = account.emission.certificate.scale.unit
    nodes: list[ProgramNode] = []
    spreads: dict[int, Float64] = {}
    for number, (node, passed) in enumerate(zip(program.nodes, state.history, strict=True)):
        if isinstance(node, BilinearNode | QuotientNode) and isinstance(passed.node, AffineData):
            node = _affine(passed, passed.node)
        elif isinstance(node, CurveNode) and node.start in slopes:
            node, spreads[number] = _chords(node, slopes[node.start], low, high)
        if isinstance(passed.node, AffineData) and passed.error is not None:
            spreads[number] = _radii(passed, passed.node, unit)
        nodes.append(node)
    own = prepared(replace(program, nodes=tuple(nodes)))
    layers = replace(own, layers=tuple(_spread(layer, spreads.get(k)) for k, layer in enumerate(own.layers)))
    return _with_lines(layers, low[:, None], high[:, None])


def _with_lines(layers: Layers, low: Float64, high: Float64) -> LinearBounds:
    """These bounds of the slots, (slots, 1), and by them a line for each ReLU and extremum."""
    lines = {
        number: relu_lines(*argument_bounds(layers, number, low, high), SLOPE_BITS)
        for number, layer in enumerate(layers.layers)
        if has_lines(layer, extrema=True)
    }
    return LinearBounds(layers, low, high, lines, Alive(layers, lines, {}))


def _affine(passed: PassedNode, data: AffineData) -> AffineNode:
    """The rows that stand for a node, as binary32 weights."""
    weights = patterns_of(data).view(np.float32)
    return AffineNode(passed.start, np.ascontiguousarray(weights), sources_of(data), data.divisor)


def _radii(passed: PassedNode, data: AffineData, unit: int) -> Float64:
    """Radii of a node's results, (results,): of its rows, at every position."""
    assert passed.error is not None
    factor = factor_of(data.divisor, passed.decoding) * unit
    radii = np.array([float(int(radius) / factor) for radius in passed.error[:, 0]])
    return np.resize(radii, data.rows * data.positions)


def _chords(node: CurveNode, own: Slopes, low: Float64, high: Float64) -> tuple[AffineNode, Float64]:
    """A curve's results as lines of their arguments, and how far they lie from these at the sampled places,
    (size,)."""
    here = slice(node.first, node.first + node.size)
    slope = own.lower / float(1 << own.bits)
    ends = np.linspace(low[here], high[here], _SAMPLES)
    beyond = CURVES[node.function].value(ends) - slope * ends
    least, most = beyond.min(axis=0), beyond.max(axis=0)
    weights = np.concatenate([np.diag(slope), ((least + most) / 2)[:, None]], axis=1)
    sources = np.append(np.arange(node.first, node.first + node.size), ONE_SLOT)[None]
    return AffineNode(node.start, weights.astype(np.float32), sources, 1), (most - least) / 2


def _spread(layer: Layer, spread: Float64 | None) -> Layer:
    """The layer with how far its results may be off; None is not at all."""
    if isinstance(layer, AffineLayer) and spread is not None:
        return replace(layer, spread=spread)
    return layer
