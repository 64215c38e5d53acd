"""Search for inputs where several linear forms are at most zero together, for many such wishes at once.

Projected gradient descent from the best of many samples, from corners and from the middle; sign steps,
scaled steps, and Newton steps to the boundary of the largest form; three losses: the largest form alone
(Carlini and Wagner), the sum of what is positive, and a soft maximum. Most descents first follow a random
direction of the outputs (Tashiro, Song and Ermon, Diversity can be Transferred, 2020). The best points are
then moved at random where inputs are few, and to the faces of the box, one input at a time. Every point is a
binary32 vector of its box, the seed is fixed, and the work is counted in passes: results repeat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.falsify import Candidate
from pytest_torchlean.bounds.passes import Passes
from pytest_torchlean.bounds.program import Program

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

_NUMBERS = 1 << 22
"""Slots of all points that are followed at once."""
_FACES = 64
"""Inputs that are moved to a face of the box, those with the largest share of the slope."""
_STARTS = 4
_MOVES = 12
"""Random moves of a point in each round."""
_MOVED = 4.0
"""How many inputs a random move changes on average."""
_LOSSES = 3
_SIGN, _SMOOTH, _NEWTON = range(3)


@dataclass(frozen=True, eq=False)
class Wish:
    """All rows `on_outputs @ outputs + on_inputs @ inputs + constants` at most zero, in a box.

    lower, upper: float32 (inputs,). on_outputs: float64 (rows, outputs). on_inputs: float64 (rows, inputs)
    or None. constants: float64 (rows,). At least one row.
    """

    lower: Float32
    upper: Float32
    on_outputs: Float64
    on_inputs: Float64 | None
    constants: Float64


@dataclass(frozen=True)
class Effort:
    """Work for each wish: samples, descents that start from them, steps of each, moves to faces, and rounds
    of random moves, which follow the narrow ridges between forms that gradients zigzag across."""

    samples: int
    descents: int
    steps: int
    moves: int = 2
    rounds: int = 0


def attack(
    program: Program,
    wishes: list[Wish],
    effort: Effort,
    *,
    seed: int = 0,
    budget: Budget = UNLIMITED,
    passes: Passes | None = None,
) -> list[list[Candidate]]:
    """For each wish its best points, the lowest first; a value is the largest row in binary64.

    passes: those of the program, where they are prepared already. Raises OutOfTime when the budget ends.
    """
    prepared = passes or Passes(program)
    found = []
    for number, wish in enumerate(wishes):
        generator = np.random.default_rng([seed, number])
        found.append(_Search(prepared, program, wish, generator, budget).run(effort))
    return found


class _Search:
    """The search for one wish."""

    def __init__(
        self, passes: Passes, program: Program, wish: Wish, generator: np.random.Generator, budget: Budget
    ) -> None:
        self._passes, self._program, self._wish = passes, program, wish
        self._generator, self._budget = generator, budget
        self._lower, self._upper = wish.lower.astype(np.float64), wish.upper.astype(np.float64)
        self._width = self._upper - self._lower
        self._together = max(1, _NUMBERS // program.size)

    def run(self, effort: Effort) -> list[Candidate]:
        starts = self._starts(effort)
        points, values = self._descend(starts, effort.steps)
        if effort.rounds and values.min() > 0:
            points, values = self._wander(points, values, effort.rounds)
        order = np.argsort(values, kind="stable")[:_STARTS]
        points, values = points[order], values[order]
        if values[0] > 0:
            for _ in range(effort.moves):
                points, values = self._to_faces(points, values)
        order = np.argsort(values, kind="stable")
        return [Candidate(points[place].astype(np.float32), float(values[place])) for place in order]

    def _starts(self, effort: Effort) -> Float64:
        """The middle, then in turn a corner, two winners among some samples each, and a sample as it comes.

        The best samples of all would lie around one low place, which need not be low enough.
        """
        middle = self._inside((self._lower + self._upper) / 2)[None]
        quarter = -(-effort.descents // 4)
        corners = np.where(self._generator.random((quarter, middle.size)) < 0.5, 0.0, 1.0)
        samples = self._generator.random((max(effort.samples, 2 * quarter), middle.size))
        corners, samples = (self._inside(self._lower + part * self._width) for part in (corners, samples))
        values = np.concatenate([self._values(part) for part in self._batches(samples)])
        rivals = len(samples) // (2 * quarter)
        groups = values[: 2 * quarter * rivals].reshape(2 * quarter, rivals)
        best = samples[np.arange(2 * quarter) * rivals + groups.argmin(axis=1)]
        mixed = np.stack([corners, best[:quarter], best[quarter:], samples[:quarter]], axis=1)
        return np.concatenate([middle, mixed.reshape(-1, middle.size)])[: max(1, effort.descents)]

    def _descend(self, starts: Float64, steps: int) -> tuple[Float64, Float64]:
        """The lowest point of each descent and its value."""
        parts = [
            self._descend_together(part, number, steps) for number, part in enumerate(self._batches(starts))
        ]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _descend_together(self, starts: Float64, number: int, steps: int) -> tuple[Float64, Float64]:
        points = starts
        best, best_values = starts.copy(), np.full(len(starts), np.inf)
        places = number * self._together + np.arange(len(starts))
        losses, kinds = places % _LOSSES, (places // _LOSSES) % 3
        losses[kinds == _NEWTON] = 0
        # some first follow a random direction of the outputs, which spreads them over the model's pieces
        spread = np.where((places % 4 != 0) & (kinds != _NEWTON), steps // 5, 0)
        wanted = self._generator.uniform(-1.0, 1.0, (len(starts), self._program.outputs.size))
        mean = np.zeros_like(points)
        for step in range(steps + 1):
            self._budget.spend()
            slots = self._passes.values(points)
            rows = self._rows(slots, points)
            reached = rows.max(axis=1)
            better = reached < best_values
            best[better], best_values[better] = points[better], reached[better]
            if step == steps or (best_values <= 0).all():
                break
            slope = self._slope(slots, rows, losses)
            if step < steps // 5:
                spreading = step < spread
                slope[spreading] = self._passes.gradient(slots[spreading], wanted[spreading])
            self._wake(slope, slots, rows)
            share = 0.3 * 0.02 ** (step / max(1, steps - 1))
            scaled = slope * self._width
            mean = 0.75 * mean + scaled / np.maximum(np.abs(scaled).max(axis=1, keepdims=True), 1e-300)
            smooth = mean / np.maximum(np.abs(mean).max(axis=1, keepdims=True), 1e-300)
            towards = share * np.where((kinds == _SIGN)[:, None], np.sign(slope), smooth)
            steep = np.maximum((scaled**2).sum(axis=1), 1e-300)
            newton = scaled * (np.maximum(reached, 0.0) / steep)[:, None]
            towards = np.where((kinds == _NEWTON)[:, None], newton, towards)
            moved = self._inside(points - towards * self._width)
            if step == 0:
                # some go all the way to the corner at once: exact where the graph is affine
                corner = np.where(slope > 0, self._lower, np.where(slope < 0, self._upper, points))
                moved = np.where((places % 4 == 0)[:, None], corner, moved)
            points = moved
        return best, best_values

    def _wake(self, slope: Float64, slots: Float64, rows: Float64) -> None:
        """Where the slope is 0 everywhere, the model is constant around: a direction that wakes its ReLUs."""
        flat = ~slope.any(axis=1)
        if flat.any():
            largest = self._wish.on_outputs[rows[flat].argmax(axis=1)]
            slope[flat] = self._passes.gradient(slots[flat], largest, leak=1.0)

    def _wander(self, points: Float64, values: Float64, rounds: int) -> tuple[Float64, Float64]:
        """Each point after the best of some random moves, round for round, their size adapted to success."""
        count, size = points.shape
        points, values, reach = points.copy(), values.copy(), np.full(count, 0.05)
        for _ in range(rounds):
            moves = self._generator.standard_normal((count, _MOVES, size)) * reach[:, None, None]
            moves *= self._generator.random((count, _MOVES, size)) < _MOVED / size
            tries = self._inside((points[:, None] + moves * self._width).reshape(-1, size))
            found = np.concatenate([self._values(part) for part in self._batches(tries)])
            found = found.reshape(count, _MOVES)
            least = found.argmin(axis=1)
            lowest = found[np.arange(count), least]
            better = lowest < values
            points[better] = tries.reshape(count, _MOVES, size)[better, least[better]]
            values[better] = lowest[better]
            reach = np.clip(np.where(better, 1.5 * reach, 0.6 * reach), 1e-7, 0.3)
            if (values <= 0).any():
                break
        return points, values

    def _to_faces(self, points: Float64, values: Float64) -> tuple[Float64, Float64]:
        """Each point after the best single move of an input to a face of the box."""
        slots = self._passes.values(points)
        slope = self._slope(slots, self._rows(slots, points), np.zeros(len(points), dtype=np.int64))
        chosen = np.argsort(-np.abs(slope) * self._width, axis=1, kind="stable")[:, :_FACES]
        moved, reached = points.copy(), values.copy()
        for place, point in enumerate(points):
            tries = np.repeat(point[None], 2 * chosen.shape[1], axis=0)
            tries[np.arange(chosen.shape[1]), chosen[place]] = self._lower[chosen[place]]
            tries[chosen.shape[1] + np.arange(chosen.shape[1]), chosen[place]] = self._upper[chosen[place]]
            found = np.concatenate([self._values(part) for part in self._batches(tries)])
            least = int(np.argmin(found))
            if found[least] < reached[place]:
                moved[place], reached[place] = tries[least], found[least]
        return moved, reached

    def _slope(self, slots: Float64, rows: Float64, loss: NDArray[np.int64]) -> Float64:
        """The gradient of each point's loss with respect to the inputs."""
        largest = rows.max(axis=1, keepdims=True)
        alone = np.zeros_like(rows)
        alone[np.arange(len(rows)), rows.argmax(axis=1)] = 1.0
        positive = np.where(largest > 0, (rows > 0).astype(np.float64), alone)
        spread = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-300)
        soft = np.exp(8.0 * (rows - largest) / spread)
        weights = np.choose(loss[:, None], [alone, positive, soft / soft.sum(axis=1, keepdims=True)])
        slope = self._passes.gradient(slots, weights @ self._wish.on_outputs)
        return slope if self._wish.on_inputs is None else slope + weights @ self._wish.on_inputs

    def _values(self, points: Float64) -> Float64:
        self._budget.spend()
        found: Float64 = self._rows(self._passes.values(points), points).max(axis=1)
        return found

    def _rows(self, slots: Float64, points: Float64) -> Float64:
        rows = slots[:, self._program.outputs] @ self._wish.on_outputs.T + self._wish.constants
        if self._wish.on_inputs is not None:
            rows += points @ self._wish.on_inputs.T
        return np.where(np.isnan(rows), np.inf, rows)

    def _inside(self, points: Float64) -> Float64:
        """The nearest binary32 vectors, in the box."""
        return np.clip(points.astype(np.float32).astype(np.float64), self._lower, self._upper)

    def _batches(self, points: Float64) -> list[Float64]:
        return [points[start : start + self._together] for start in range(0, len(points), self._together)]
