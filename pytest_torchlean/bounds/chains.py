"""Rows carried back through dense layers and ReLUs in turn, with the phases that a case knows.

A program of this shape is kept as a list of matrices, in binary32: level i is what the ReLU behind affine
layer i reads, the last level is the outputs. All rows that climb together share their slopes, as they do in a
certificate, and each has multipliers of its own (Wang et al., Beta-CROWN, 2021). What is found is bounded
once more in binary64, with the slopes that a certificate states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.layers import AffineLayer, Dense, Float64, ReluLayer, prepared
from pytest_torchlean.bounds.program import ONE_SLOT, Program
from pytest_torchlean.bounds.slopes import Adam, Ascent
from pytest_torchlean.bounds.sweeps import Lines, relu_lines

Float32 = NDArray[np.float32]
FINE_BITS = 12
"""Slopes are multiples of 2^-FINE_BITS: over wide intervals fewer bits cost as much as a split gains."""
_LEAST_SIZE = 1e-9
"""Keeps steps of multipliers from being 0."""
_FEW = 5
"""An ascent of no more steps only compares cases: binary32 is enough for it."""


@dataclass(frozen=True, eq=False)
class Chain:
    """weights: float64 (size of a level, size of the one before), biases: float64 (size,); the first level
    reads the inputs. relus: the numbers of the nodes that read each level but the last.
    """

    weights: tuple[Float64, ...]
    biases: tuple[Float64, ...]
    relus: tuple[int, ...]
    short: tuple[Float32, ...] = field(init=False, repr=False)
    """The weights in binary32."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "short", tuple(own.astype(np.float32) for own in self.weights))

    @property
    def depth(self) -> int:
        """The number of ReLUs, and that of the last level."""
        return len(self.relus)

    def until(self, number: int) -> Chain:
        """The chain that ends at a level: what its ReLUs read are the outputs."""
        end = number + 1
        return Chain(self.weights[:end], self.biases[:end], self.relus[:number])

    def units(self, number: int, places: NDArray[np.int64], signs: Float64) -> Float64:
        """Values of a level at these places, or their opposites, as rows: float64 (places, size + 1), the
        constant last. signs: 1 or -1 for each.
        """
        rows = np.zeros((places.size, len(self.biases[number]) + 1))
        rows[np.arange(places.size), places] = signs
        return rows

    def outputs(self, program: Program, rows: Float64) -> Float64 | None:
        """Forms of the slots, (rows, slots), over the last level, the constant after it, (rows, size + 1);
        None where they read anything else.
        """
        here = prepared(program).here(2 * self.depth + 1)
        found = np.concatenate([rows[:, here], rows[:, ONE_SLOT : ONE_SLOT + 1]], axis=1)
        return found if np.count_nonzero(found) == np.count_nonzero(rows) else None


def chain_of(program: Program) -> Chain | None:
    """The program as a chain, None where it is none."""
    layers = prepared(program).layers
    weights, biases, relus = [], [], []
    for number, layer in enumerate(layers):
        if number % 2 == 0:
            if not isinstance(layer, AffineLayer) or len(layer.reads) != 1:
                return None
            read = layer.reads[0]
            if not isinstance(read, Dense) or not read.whole or read.part != number:
                return None
            weights.append(read.weights)
            biases.append(layer.bias)
        else:
            if not isinstance(layer, ReluLayer) or len(layer.source) != 1:
                return None
            source = layer.source[0]
            own = np.arange(layer.size)
            if source.part != number or not np.array_equal(own[source.slots], own[source.own]):
                return None
            if layer.size != len(weights[-1]):
                return None
            relus.append(number)
    if len(layers) % 2 == 0 or not relus:
        return None
    return Chain(tuple(weights), tuple(biases), tuple(relus))


@dataclass(frozen=True, eq=False)
class Level:
    """Bounds of what a ReLU reads, float64 (n,). known: -1 where a phase says not negative, 1 where it says
    not positive, 0 elsewhere.
    """

    low: Float64
    high: Float64
    known: Float32
    lines: Lines = field(init=False, repr=False)
    free: NDArray[np.bool_] = field(init=False, repr=False)
    """Where the slope below may move."""

    def __post_init__(self) -> None:
        lines = relu_lines(self.low[:, None], np.maximum(self.high, self.low)[:, None], FINE_BITS)
        object.__setattr__(self, "lines", lines)
        object.__setattr__(self, "free", (self.low < 0) & (self.high > 0))

    @property
    def phases(self) -> NDArray[np.int64]:
        """The places with a phase."""
        return np.flatnonzero(self.known)


@dataclass(frozen=True, eq=False)
class Carried:
    """least: lower bounds, (rows,). slopes: below the results of each level's ReLU, (n,), rounded.
    multipliers: by level, float64 (rows, phases of the level), not negative. costs: by level how much each of
    its results costs the rows, (rows, n). names: numbers that tell the rows apart, (rows,). places: of the
    phases, by level.
    """

    least: Float64
    slopes: tuple[Float64, ...]
    multipliers: Mapping[int, Float64]
    costs: tuple[Float64, ...]
    names: NDArray[np.int64]
    places: Mapping[int, NDArray[np.int64]]


def carry(
    chain: Chain,
    box: tuple[Float64, Float64],
    levels: tuple[Level, ...],
    rows: Float64,
    how: Ascent,
    *,
    names: NDArray[np.int64],
    own: Level | None = None,
    begun: Carried | None = None,
    enough: float = np.inf,
    budget: Budget = UNLIMITED,
) -> Carried:
    """The best lower bounds of forms of the level after `levels`, a constant after them, (rows, size + 1).

    box: middle and radius of the inputs, (inputs,). own: that level itself, whose phases then count too.
    names: as in Carried. begun: where the ascent begins, for other
    rows and phases perhaps. What a bound is above `enough` does not count. Raises OutOfTime.
    """
    ascent = _Ascent(chain, box, levels, rows, own)
    if begun is not None:
        ascent.begin(names, begun)
    ascent.climb(how, enough, budget)
    return ascent.result(names, np.float64 if how.iterations > _FEW else np.float32)


def restated(
    chain: Chain,
    box: tuple[Float64, Float64],
    levels: tuple[Level, ...],
    rows: Float64,
    slopes: tuple[Float64, ...],
    pushes: Mapping[int, Float64],
) -> Float64:
    """Lower bounds of forms of the level after `levels`, (rows,), in binary64, with given slopes.

    pushes: by level what is added to the coefficients of its values, (rows, n).
    """
    ascent = _Ascent(chain, box, levels, rows, None)
    given = [
        np.where(level.free, own, level.lines.lower[:, 0, 0])
        for level, own in zip(levels, slopes, strict=True)
    ]
    return ascent.bounded(given, pushes)


class _Ascent:
    """Slopes and multipliers while they climb; slopes are shared by all rows."""

    def __init__(
        self,
        chain: Chain,
        box: tuple[Float64, Float64],
        levels: tuple[Level, ...],
        rows: Float64,
        own: Level | None,
    ) -> None:
        self.chain, self.box, self.levels, self.rows = chain, box, levels, rows
        every = levels if own is None else (*levels, own)
        self.places = {number: level.phases for number, level in enumerate(every) if level.known.any()}
        self.signs = {number: every[number].known[own] for number, own in self.places.items()}
        self.slopes = [level.lines.lower[:, 0, 0].astype(np.float32) for level in levels]
        self.multipliers = {
            number: np.zeros((len(rows), own.size), dtype=np.float32) for number, own in self.places.items()
        }

    def begin(self, names: NDArray[np.int64], begun: Carried) -> None:
        """Start at slopes and multipliers that were found, where rows and phases are the same."""
        pairs = zip(self.levels, begun.slopes, self.slopes, strict=False)
        self.slopes = [np.where(level.free, old, own).astype(np.float32) for level, old, own in pairs]
        _, mine, theirs = np.intersect1d(names, begun.names, return_indices=True)
        for number, places in self.places.items():
            if number in begun.places:
                _, here, there = np.intersect1d(places, begun.places[number], return_indices=True)
                known = begun.multipliers[number][np.ix_(theirs, there)]
                self.multipliers[number][np.ix_(mine, here)] = known

    def climb(self, how: Ascent, enough: float, budget: Budget) -> None:
        short = [np.float32(part) for part in self.box]
        slope_steps = [Adam() for _ in self.slopes]
        multiplier_steps = {number: Adam() for number in self.places}
        best = np.full(len(self.rows), -np.inf)
        best_sum = -np.inf
        kept, kept_multipliers = list(self.slopes), dict(self.multipliers)
        for iteration in range(how.iterations + 1):
            budget.spend()
            least, met, sizes, form = self._sweep(np.float32, self.slopes, self.multipliers)
            total = float(np.minimum(least, enough).sum())
            if total > best_sum:
                best_sum, best = total, least
                kept, kept_multipliers = list(self.slopes), dict(self.multipliers)
            if iteration == how.iterations or (best >= enough).all():
                break
            step = how.step * how.decay**iteration
            active = (least < enough)[:, None]
            value: Float32 = short[0] - np.sign(form) * short[1]
            depth = len(self.levels)
            for number in range(depth + 1):
                if number == depth and number not in self.places:
                    break
                value = value @ self.chain.short[number].T + self.chain.biases[number].astype(np.float32)
                if number in self.places:
                    slope: Any = value[:, self.places[number]] * self.signs[number] * active
                    direction = multiplier_steps[number].step(slope)
                    moved = self.multipliers[number] + step * sizes[number] * direction
                    self.multipliers[number] = np.maximum(moved, 0).astype(np.float32)
                if number == depth:
                    break
                level, own = self.levels[number], met[number]
                steep: Any = (np.maximum(own, 0) * value * active).sum(axis=0)
                direction = slope_steps[number].step(steep)
                above = _above(level)
                value = np.where(own > 0, self.slopes[number] * value, above[0] * value + above[1])
                moved = np.clip(self.slopes[number] + step * direction, 0, 1)
                self.slopes[number] = np.where(level.free, moved, self.slopes[number]).astype(np.float32)
        self.slopes, self.multipliers = kept, kept_multipliers

    def result(self, names: NDArray[np.int64], kind: type) -> Carried:
        """Bounds with rounded slopes."""
        unit = float(1 << FINE_BITS)
        slopes = [np.rint(own.astype(np.float64) * unit) / unit for own in self.slopes]
        multipliers = {number: own.astype(np.float64) for number, own in self.multipliers.items()}
        least, met, _, _ = self._sweep(kind, slopes, multipliers)
        costs = tuple(
            np.maximum(-own, 0) * level.lines.intercept[:, 0, 0]
            for own, level in zip(met, self.levels, strict=True)
        )
        return Carried(least, tuple(slopes), multipliers, costs, names, self.places)

    def bounded(self, slopes: Sequence[Float64], pushes: Mapping[int, Float64]) -> Float64:
        """Bounds in binary64 of whatever is added to the coefficients of a level's values."""
        self.places = {number: np.arange(own.shape[1]) for number, own in pushes.items()}
        self.signs = {number: np.ones(own.shape[1], dtype=np.float32) for number, own in pushes.items()}
        return self._sweep(np.float64, slopes, pushes)[0]

    def _sweep(
        self,
        kind: type,
        slopes: Sequence[NDArray[np.floating]],
        multipliers: Mapping[int, NDArray[np.floating]],
    ) -> tuple[Float64, list[NDArray[np.floating]], dict[int, float], NDArray[np.floating]]:
        """Bounds; coefficients met at every ReLU, (rows, n); sizes; the coefficients of the inputs."""
        depth = len(self.levels)
        form: NDArray[np.floating] = self.rows[:, :-1].astype(kind)
        least: NDArray[np.floating] = self.rows[:, -1].astype(kind)
        met: list[NDArray[np.floating]] = [form] * depth
        sizes: dict[int, float] = {}
        weights = self.chain.short if kind is np.float32 else self.chain.weights
        for number in range(depth, -1, -1):
            if number < depth:
                met[number] = form
                above = _above(self.levels[number], kind)
                negative = np.minimum(form, 0)
                least = least + negative @ above[1]
                form = (form - negative) * slopes[number] + negative * above[0]
            if number in self.places:
                sizes[number] = float(np.abs(form).max(initial=0)) + _LEAST_SIZE
                form = form.copy()
                form[:, self.places[number]] += self.signs[number] * multipliers[number]
            least = least + form @ self.chain.biases[number].astype(kind)
            form = form @ weights[number]
        middle: NDArray[np.floating] = self.box[0].astype(kind)
        radius: NDArray[np.floating] = self.box[1].astype(kind)
        least = least + form @ middle - np.abs(form) @ radius
        return least.astype(np.float64), met, sizes, form


def _above(level: Level, kind: type = np.float32) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    return level.lines.upper[:, 0, 0].astype(kind), level.lines.intercept[:, 0, 0].astype(kind)
