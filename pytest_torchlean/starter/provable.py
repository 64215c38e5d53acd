"""Claims about a model that Lean is expected to accept, found by a short search."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import Budget, OutOfTime
from pytest_torchlean.bounds.interval import evaluate, propagate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.margins import least_margins
from pytest_torchlean.bounds.program import AffineNode, Program
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.costs import COLUMN, DECODED_WEIGHT, PRODUCT, READ_WEIGHT, START, text_cost
from pytest_torchlean.certificate.forms import bound_forms
from pytest_torchlean.certificate.plan import Goal
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.properties.proving import forecast
from pytest_torchlean.spec.dataset import Dataset
from pytest_torchlean.spec.exact import number

SECONDS = 12.0
"""For all searches about one model."""
MOST_PRODUCTS = 40_000_000
"""Weights times positions of a model whose bounds are still computed here."""
MOST_LISTED = 10
"""Inputs of a data file that a first robustness property lists."""
_SHARES = (Fraction(1), Fraction(1, 10), Fraction(1, 100), Fraction(1, 1000))
"""Boxes around the centre that are tried, as shares of the plausible one."""
_LARGEST = 1e30
_MOST_MEGABYTES = 1000.0
"""Foreseen for a theorem; convolutions may take several times that."""
_RADII = ("1/10", "1/20", "8/255", "4/255", "2/255", "1/255", "1/1000", "1/10000")
_SAMPLES = 256


@dataclass(frozen=True)
class ProvableRange:
    """Outputs stay in [lower, upper] for inputs in [low, high]; seen: what samples gave. Texts for a spec."""

    low: str
    high: str
    lower: str
    upper: str
    seen: tuple[str, str]
    whole: bool
    """Whether the box is the whole plausible one."""
    heavy: bool
    """Whether a theorem in Lean's kernel would take much memory."""


@dataclass(frozen=True)
class ProvableBalls:
    """Of the first `listed` inputs, `count` look provable within `epsilon`; `right` are classified right."""

    epsilon: str
    listed: int
    count: int
    right: int


def program_of(graph: Graph) -> Program | None:
    """The graph for bounds; None where it has none, or is too large for a quick look."""
    try:
        program = lower_to_program(graph)
    except TorchleanError:
        return None
    return program if program.inputs and products(program) <= MOST_PRODUCTS else None


def products(program: Program) -> int:
    """Weights times positions."""
    return sum(
        int(node.weights.size) * len(node.sources) for node in program.nodes if isinstance(node, AffineNode)
    )


def kernel_seconds(program: Program) -> float:
    """What Lean's kernel is expected to take for one box by intervals."""
    matrices = [node for node in program.nodes if isinstance(node, AffineNode)]
    stored = sum(int(node.weights.size) for node in matrices)
    columns = sum(int(node.sources.size) for node in matrices)
    cost = START + READ_WEIGHT.times(stored) + DECODED_WEIGHT.times(stored)
    return (cost + COLUMN.times(columns) + PRODUCT.times(products(program))).seconds


def provable_range(program: Program, low: str, high: str) -> ProvableRange | None:
    """The largest box tried whose output bounds the exact forecast accepts; None where there is none."""
    stop = time.monotonic() + SECONDS
    least, most = number(low), number(high)
    centre, reach = (least + most) / 2, (most - least) / 2
    for share in _SHARES:
        box = (centre - reach * share, centre + reach * share)
        bounds = _interval_bounds(program, box)
        if bounds is None:
            continue
        room = 1e-3 * (bounds[1] - bounds[0]) + 1e-6
        lower, upper = _outward(bounds[0] - room, -1), _outward(bounds[1] + room, 1)
        megabytes = _accepted(program, box, (lower, upper), Budget(stop))
        if megabytes is not None:
            seen, heavy = _sampled(program, box), megabytes > _MOST_MEGABYTES
            return ProvableRange(_text(box[0]), _text(box[1]), lower, upper, seen, share == 1, heavy)
        if time.monotonic() > stop:
            return None
    return None


def provable_balls(program: Program, data: Dataset, low: str, high: str) -> ProvableBalls | None:
    """The largest radius tried within which intervals seem to prove the inputs that are classified right.

    Where no radius is small enough for all, half of them; None where not even that.
    """
    listed = min(len(data), MOST_LISTED)
    points = data.inputs[:listed].reshape(listed, -1).astype(np.float64)
    labels = data.labels[:listed]
    right = evaluate(program, points)[:, program.outputs].argmax(axis=1) == labels
    least, most = float(number(low)), float(number(high))
    if not right.any() or points.min() < least or points.max() > most:
        return None
    found = [
        (radius, _looking_provable(program, points, labels, float(number(radius)), (least, most)) & right)
        for radius in _RADII
    ]
    for enough in (
        1,
        2,
    ):  # all that are classified right, so that the first proof is quick, else half of them
        for radius, fine in found:
            if enough * int(fine.sum()) >= int(right.sum()):
                epsilon = number(radius) * (number(high) - number(low))
                return ProvableBalls(_text(epsilon), listed, int(fine.sum()), int(right.sum()))
    return None


def _looking_provable(
    program: Program,
    points: NDArray[np.float64],
    labels: NDArray[np.int64],
    radius: float,
    domain: tuple[float, float],
) -> NDArray[np.bool_]:
    """Of which points intervals seem to prove that no rival wins within a share of the domain's width."""
    least, most = domain
    reach = radius * (most - least)
    bounds = propagate(program, np.maximum(points - reach, least), np.minimum(points + reach, most))
    margins = least_margins(program, *bounds, labels)
    slack = 1e-4 * (1.0 + np.abs(bounds[1][:, program.outputs]).max(axis=1, initial=0.0))
    return np.asarray((margins > slack[:, None]).all(axis=1))


def _interval_bounds(program: Program, box: tuple[Fraction, Fraction]) -> tuple[float, float] | None:
    sides = (np.full((1, program.inputs), float(side)) for side in box)
    with np.errstate(all="ignore"):
        low, high = propagate(program, *sides)
    least, most = float(low[0, program.outputs].min()), float(high[0, program.outputs].max())
    largest = max(float(np.abs(low).max()), float(np.abs(high).max()))
    return (least, most) if math.isfinite(largest) and largest < _LARGEST else None


def _accepted(
    program: Program, box: tuple[Fraction, Fraction], bounds: Sequence[str], budget: Budget
) -> float | None:
    """The megabytes foreseen for a theorem that Lean is expected to accept; None where it is not."""
    outputs = int(program.outputs.size)
    lower, upper = ((number(side),) * outputs for side in bounds)
    region = RationalBox((box[0],) * program.inputs, (box[1],) * program.inputs)
    goal = Goal(bound_forms(lower, upper, outputs, False), (region,))
    try:
        seen = forecast(program, [goal], Semantics.BINARY32, budget)
    except (TorchleanError, OutOfTime):
        return None
    return text_cost([seen.emission]).megabytes if seen.forecasts[0].accepted[0] else None


def _sampled(program: Program, box: tuple[Fraction, Fraction]) -> tuple[str, str]:
    generator = np.random.default_rng(0)
    points = generator.uniform(float(box[0]), float(box[1]), (_SAMPLES, program.inputs))
    together = max(1, 20_000_000 // program.size)
    outputs = [
        evaluate(program, points[at : at + together])[:, program.outputs]
        for at in range(0, _SAMPLES, together)
    ]
    values = np.concatenate(outputs)
    return f"{float(values.min()):.3g}", f"{float(values.max()):.3g}"


def _text(value: Fraction) -> str:
    """A decimal where that is exact and short, else the fraction."""
    decimal = f"{float(value):.6g}"
    return decimal if "e" not in decimal and Fraction(decimal) == value else str(value)


def _outward(bound: float, direction: int) -> str:
    """A number of two digits at or beyond the bound in the given direction."""
    if bound == 0:
        return "0"
    step = 10.0 ** (math.floor(math.log10(abs(bound))) - 1)
    whole = math.floor(bound / step) if direction < 0 else math.ceil(bound / step)
    return f"{whole * step:.10g}"
