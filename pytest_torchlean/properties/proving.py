"""From goals to Lean's word: forecast, emit, guard, check. The only way to PROVED."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.ulp import round_nearest
from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.falsify import Float32, binary32_box, binary32_hull
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.certificate.account import Account, Forecast
from pytest_torchlean.certificate.binary import DocumentData, UnreadableDocument, decode, encode
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.guard import (
    MINIMUM_POINTS,
    require_box,
    require_forms,
    require_same_function,
)
from pytest_torchlean.certificate.model import ClaimData, Emission, GraphData, ScriptData, Semantics
from pytest_torchlean.certificate.nodewise import require_same_nodes
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.text import THEOREM, UnreadableText, parse, render
from pytest_torchlean.checker import (
    BuiltLibrary,
    CheckResult,
    EvaluationResult,
    LeanInstall,
    ensure_built,
    find_lean,
)
from pytest_torchlean.checker import check as ask_lean
from pytest_torchlean.checker.evaluate import evaluate_bytes
from pytest_torchlean.errors import CertificateError, CheckerError
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.levels import (
    EVALUATED,
    EVALUATED_TRUST,
    KERNEL_TRUST,
    chosen_level,
    placed_document,
    weights_line,
)
from pytest_torchlean.runtime import nodes_of
from pytest_torchlean.spec.model import PropertySpec
from pytest_torchlean.verdict import Theorem

SOUNDNESS = "PytestTorchLean.sound"
MOST_BOXES_PER_THEOREM = 40
SLOTS_PER_THEOREM = 2200
"""One theorem takes fewer boxes of a larger graph: the kernel keeps what it computes until its end."""
DEFAULT_MEMORY_MB = 4096

REAL_RUNTIME_LINE = (
    "not claimed: the proof is about exact arithmetic on the stored weights; `check: runtime` compares "
    "the runtime's rounding"
)


@dataclass(frozen=True, eq=False)
class Prospect:
    """Goals turned into integers, with the forecast for every box."""

    emission: Emission
    goals: tuple[Goal, ...]
    forecasts: tuple[Forecast, ...]
    account: Account
    program: Program

    def output_bounds(self, outputs: NDArray[np.int64]) -> tuple[Integers, Integers]:
        """Fixed-point bounds of the outputs over the first goal's first box."""
        script = self.emission.certificate.scripts[0][0]
        lower, upper = self.account.all_bounds(self.emission.claims[0].boxes[:1], script)
        return lower[outputs, 0], upper[outputs, 0]


@dataclass(frozen=True)
class Proof:
    """Lean accepted. `share` is the largest part of the guard's allowance that was seen."""

    assurance: str
    theorem: Theorem | None
    """None at the level `evaluated`, where no theorem is made."""
    trust: tuple[str, ...]
    lean: Mapping[str, str]
    seconds: Mapping[str, float]
    memory_mb: float
    share: float


def semantics_of(prop: PropertySpec) -> Semantics:
    """What executions the property speaks about."""
    return Semantics.BINARY32 if prop.chosen_semantics == "binary32" else Semantics.REAL


def runtime_line(prop: PropertySpec, executions: Executions) -> str:
    """The ledger's line about onnxruntime. Raises RuntimeFailure TL0702 where it refuses the model."""
    return executions.runtime_line if prop.chosen_semantics == "binary32" else REAL_RUNTIME_LINE


def points_of(prop: PropertySpec, box: RationalBox) -> tuple[Float32, Float32] | None:
    """The least and largest binary32 inputs the property speaks of; None where it speaks of none."""
    if prop.chosen_semantics == "binary32":
        return binary32_hull(box.lower, box.upper)
    return binary32_box(box.lower, box.upper)


def forecast(program: Program, goals: Sequence[Goal], semantics: Semantics, budget: Budget) -> Prospect:
    """What Lean will say of every box of every goal. Raises CertificateError TL0601, TL0602, OutOfTime."""
    account = prepare(program, goals, semantics, budget)
    emission = account.emission
    forecasts = tuple(
        account.forecast(claim, script)
        for claim, (script,) in zip(emission.claims, emission.certificate.scripts, strict=True)
    )
    return Prospect(emission, tuple(goals), forecasts, account, program)


def prove(context: PropertyContext, prop: PropertySpec, executions: Executions, prospect: Prospect) -> Proof:
    """Have Lean check every box that the forecast accepts.

    Raises CheckerError TL05xx where Lean is missing, killed or gives no clean answer, TL0603 where it
    refuses, CertificateError TL061x where the guard does. There must be at least one accepted box.
    """
    started = time.monotonic()
    lean = find_lean(context.lean)
    built = ensure_built(lean)
    parts, goals = _accepted_parts(prospect)
    level = chosen_level(prop.assurance, parts, context.seconds_left)
    emitted = _document(parts, context) if level == EVALUATED else _Text(parts, render(parts), context)
    guarded = time.monotonic()
    share = _guard(emitted.read_back(), parts, goals, semantics_of(prop), executions, prospect.program)
    asked = time.monotonic()
    result = emitted.ask(
        lean,
        built,
        max(1.0, context.seconds_left),
        DEFAULT_MEMORY_MB if prop.memory is None else max(256, prop.memory >> 20),
    )
    if not result.accepted:
        if result.code == "TL0510":
            raise CheckerError("TL0603", f"Lean refused: {result.detail}")
        raise CheckerError(result.code or "TL0514", result.detail or result.outcome.value)
    return Proof(
        assurance=level,
        theorem=Theorem(SOUNDNESS, result.axioms) if isinstance(result, CheckResult) else None,
        trust=emitted.trust,
        lean={
            "version": lean.version,
            "sha256": lean.sha256,
            "origin": lean.kind,
            "verified": "yes" if lean.verified else "no",
        },
        seconds={
            "emit": guarded - started - built.seconds,
            "build": built.seconds,
            "guard": asked - guarded,
            "lean": result.seconds,
        },
        memory_mb=result.peak_memory_mb,
        share=share,
    )


@dataclass(frozen=True, eq=False)
class _Text:
    """The parts as a module that Lean's kernel checks."""

    parts: tuple[Emission, ...]
    text: str
    context: PropertyContext

    @property
    def trust(self) -> tuple[str, ...]:
        return KERNEL_TRUST

    def read_back(self) -> tuple[Emission, ...]:
        try:
            return parse(self.text)
        except UnreadableText as error:
            raise CertificateError("TL0610", f"the emitted text cannot be read back: {error}") from error

    def ask(self, lean: LeanInstall, built: BuiltLibrary, wall_seconds: float, memory_mb: int) -> CheckResult:
        result = ask_lean(
            self.text, theorem=THEOREM, built=built, lean=lean, wall_seconds=wall_seconds, memory_mb=memory_mb
        )
        if result.accepted and self.context.keep is not None:
            self.context.keep(self.text, result.axioms)
        return result


@dataclass(frozen=True, eq=False)
class _Document:
    """The parts as a document that the compiled checker reads."""

    data: bytes
    document: DocumentData
    files: tuple[Path, ...]

    @property
    def trust(self) -> tuple[str, ...]:
        return (*EVALUATED_TRUST, weights_line(self.document))

    def read_back(self) -> tuple[Emission, ...]:
        try:
            return decode(self.data).emissions
        except UnreadableDocument as error:
            raise CertificateError("TL0610", f"the document cannot be read back: {error}") from error

    def ask(
        self, lean: LeanInstall, built: BuiltLibrary, wall_seconds: float, memory_mb: int
    ) -> EvaluationResult:
        return evaluate_bytes(
            self.data,
            expected=(self.document.boxes, self.document.compared),
            files=self.files,
            built=built,
            lean=lean,
            wall_seconds=wall_seconds,
            memory_mb=memory_mb,
        )


def _document(parts: tuple[Emission, ...], context: PropertyContext) -> _Document:
    document, files = placed_document(parts, context.model)
    return _Document(encode(document), document, files)


_Piece = tuple[ClaimData, tuple[ScriptData, ...], Goal]


def _accepted_parts(prospect: Prospect) -> tuple[tuple[Emission, ...], tuple[tuple[Goal, ...], ...]]:
    """The accepted boxes, cut into theorems of a bounded number of boxes; the goals beside them."""
    claims: list[_Piece] = []
    most = max(1, min(MOST_BOXES_PER_THEOREM, SLOTS_PER_THEOREM // prospect.program.size))
    for claim, scripts, goal, seen in zip(
        prospect.emission.claims,
        prospect.emission.certificate.scripts,
        prospect.goals,
        prospect.forecasts,
        strict=True,
    ):
        chosen = [int(index) for index in np.flatnonzero(seen.accepted)]
        for start in range(0, len(chosen), most):
            piece = chosen[start : start + most]
            claims.append(
                (
                    replace(claim, boxes=tuple(claim.boxes[index] for index in piece)),
                    scripts,
                    replace(goal, boxes=tuple(goal.boxes[index] for index in piece)),
                )
            )
    if not claims:
        raise ValueError("nothing to prove")
    whole = prospect.emission
    parts, goals = [], []
    for group in _groups(claims, most):
        parts.append(
            replace(
                whole,
                claims=tuple(claim for claim, _, _ in group),
                certificate=replace(whole.certificate, scripts=tuple(scripts for _, scripts, _ in group)),
            )
        )
        goals.append(tuple(goal for _, _, goal in group))
    return tuple(parts), tuple(goals)


def _groups(claims: Sequence[_Piece], most: int) -> list[list[_Piece]]:
    groups: list[list[_Piece]] = [[]]
    for item in claims:
        held = sum(len(claim.boxes) for claim, _, _ in groups[-1])
        if groups[-1] and held + len(item[0].boxes) > most:
            groups.append([])
        groups[-1].append(item)
    return groups


def _guard(
    read: tuple[Emission, ...],
    parts: tuple[Emission, ...],
    goals: tuple[tuple[Goal, ...], ...],
    semantics: Semantics,
    executions: Executions,
    program: Program,
) -> float:
    """Hold what was read back against the property and the model."""
    if read != parts:
        raise CertificateError("TL0610", "the emitted data say something else than was meant")
    if any(part.semantics is not semantics for part in read):
        raise CertificateError("TL0610", "the emitted theorem is about other executions than the property")
    outputs = None
    for part, wanted in zip(read, goals, strict=True):
        for claim, goal in zip(part.claims, wanted, strict=True):
            slots = require_forms(claim.property, goal.forms)
            if outputs is not None and not np.array_equal(outputs, slots):
                raise CertificateError("TL0612", "two claims name different outputs")
            outputs = slots
            for box, region in zip(claim.boxes, goal.boxes, strict=True):
                require_box(box, region.lower, region.upper)
    if outputs is None:
        raise ValueError("nothing to guard")
    boxes = [box for wanted in goals for goal in wanted for box in goal.boxes]
    points = _points(boxes)
    executions.require_types(points[0])
    _guard_nodes(read[0].graph, outputs, executions, program)
    return require_same_function(read[0].graph, outputs, points, executions.runtime)


def _guard_nodes(
    emitted: GraphData, outputs: NDArray[np.int64], executions: Executions, program: Program
) -> None:
    """Hold every stored node alone against the emitted nodes behind it."""
    graph = executions.graph
    wiring = {name: slots for name, slots in program.values.items() if graph.types[name].dtype == "float32"}
    if all(name in wiring for name in graph.outputs) and not np.array_equal(
        outputs, np.concatenate([wiring[name] for name in graph.outputs])
    ):
        raise CertificateError("TL0612", "the inequalities are not about the model's outputs")
    run = executions.pieces(wiring)
    require_same_nodes(emitted, wiring, graph.inputs, nodes_of(executions.model.data), run)


def _points(boxes: Sequence[RationalBox]) -> NDArray[np.float32]:
    """Seeded corners and inner points, spread over the boxes."""
    generator = np.random.default_rng(0)
    points = []
    for number in range(MINIMUM_POINTS):
        box = boxes[number * len(boxes) // MINIMUM_POINTS]
        inside = binary32_box(box.lower, box.upper)
        if inside is None:
            middle = [round_nearest((low + high) / 2) for low, high in zip(box.lower, box.upper, strict=True)]
            points.append(np.array(middle, dtype=np.float32))
            continue
        low, high = inside
        if number % 2:
            points.append(np.where(generator.random(low.size) < 0.5, low, high))
        else:
            share = generator.random(low.size)
            inner = (low + share * (high.astype(np.float64) - low)).astype(np.float32)
            points.append(np.clip(inner, low, high))
    return np.stack(points).astype(np.float32)


def trust_of(context: PropertyContext, proof: Proof) -> tuple[str, ...]:
    """The ledger's sentences for a proof about this model."""
    if context.graph.free_batch:
        return (*proof.trust, "The model's batch dimension is free; the claim is about batch size 1.")
    return proof.trust


def decimal(number: Fraction) -> str:
    """A short decimal for messages; the exact number is in the record."""
    return f"{float(number):.6g}"
