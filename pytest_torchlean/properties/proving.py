"""From goals to Lean's word: forecast, emit, guard, check. The only way to PROVED."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.ulp import round_nearest
from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.falsify import Float32, binary32_box, binary32_hull
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.work import Work
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.boxes import Bounded, RationalBox
from pytest_torchlean.certificate.costs import text_cost
from pytest_torchlean.certificate.guard import (
    MINIMUM_POINTS,
    require_box,
    require_forms,
    require_same_function,
)
from pytest_torchlean.certificate.model import Emission, ScriptData
from pytest_torchlean.certificate.nodewise import require_same_nodes
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.scripts import same
from pytest_torchlean.certificate.statement import GraphData, Semantics
from pytest_torchlean.certificate.states import Forecast
from pytest_torchlean.checker import (
    BuiltLibrary,
    CheckResult,
    EvaluationResult,
    LeanInstall,
    ensure_built,
    find_lean,
)
from pytest_torchlean.errors import CertificateError, CheckerError
from pytest_torchlean.preprocessing import RawIntegers
from pytest_torchlean.progress import counted
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.emitted import Emitted, EmittedText, emit
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.levels import EVALUATED, KERNEL, chosen_level, parts_of_library
from pytest_torchlean.properties.linear import SHARE_OF_WORK, improved
from pytest_torchlean.properties.many_parts import KnownCases
from pytest_torchlean.properties.parts import Part, accepted_parts
from pytest_torchlean.spec.model import PropertySpec
from pytest_torchlean.verdict import Theorem

SOUNDNESS = "PytestTorchLean.sound"
DEFAULT_MEMORY_MB = 4096
SHARE_OF_FIRST_TRY = 0.6
"""Of the time that is left, where something else can be tried afterwards: parts one by one, another level."""
OUT_OF_TIME = "TL0511"
"""Lean ran out of time: the verdict is UNKNOWN, as for any search that does."""
OUT_OF_MEMORY = "TL0512"
_TOO_MUCH = (OUT_OF_TIME, OUT_OF_MEMORY)


@dataclass(frozen=True, eq=False)
class Prospect:
    """Goals turned into integers, with the forecast and the script for every box of every goal."""

    emission: Emission
    goals: tuple[Goal, ...]
    forecasts: tuple[Forecast, ...]
    scripts: tuple[tuple[ScriptData, ...], ...]
    account: Account
    program: Program

    @property
    def by_intervals(self) -> bool:
        """Whether the first goal's first box needs no more than intervals."""
        return self.scripts[0][0] is self.emission.certificate.scripts[0][0]

    def output_bounds(self, outputs: NDArray[np.int64]) -> tuple[Integers, Integers] | None:
        """Fixed-point bounds of the outputs over the first goal's first box; None where a node has none."""
        script = self.emission.certificate.scripts[0][0]
        state = self.account.reached(self.emission.claims[0].boxes[:1], script)
        return (state.lower[outputs, 0], state.upper[outputs, 0]) if state.bounded[0] else None


@dataclass(frozen=True)
class Proof:
    """Lean accepted. `share` is the largest part of the guard's allowance that was seen.

    proved: pairs of a goal's number and a box's number in it. failure: why not every box is among them.
    """

    assurance: str
    theorem: Theorem | None
    """None at the level `evaluated`, where no theorem is made."""
    trust: tuple[str, ...]
    lean: Mapping[str, str]
    seconds: Mapping[str, float]
    memory_mb: float
    processor_seconds: float
    share: float
    proved: frozenset[tuple[int, int]]
    failure: CheckerError | None

    @property
    def effort(self) -> dict[str, str]:
        """What the record says of the resources that Lean took."""
        return {"lean_mb": f"{self.memory_mb:.0f}", "lean_cpu": f"{self.processor_seconds:.2f}"}

    @property
    def guard_line(self) -> str:
        """How near the comparison with onnxruntime came to its limit."""
        return f"guard saw at most {self.share:.3g} of its allowance"


def semantics_of(prop: PropertySpec) -> Semantics:
    """What executions the property speaks about."""
    return Semantics.BINARY32 if prop.chosen_semantics == "binary32" else Semantics.REAL


def points_of(
    prop: PropertySpec, box: RationalBox, integers: RawIntegers | None = None
) -> tuple[Float32, Float32] | None:
    """The least and largest binary32 inputs the property speaks of; None where it speaks of none.

    integers: the type of raw inputs that are integers; the ones inside the box count.
    """
    if integers is not None:
        return integers.box(box.lower, box.upper)
    if prop.chosen_semantics == "binary32":
        return binary32_hull(box.lower, box.upper)
    return binary32_box(box.lower, box.upper)


def forecast(
    program: Program,
    goals: Sequence[Goal],
    semantics: Semantics,
    budget: Budget,
    trees: Sequence[Sequence[KnownCases]] | None = None,
    *,
    with_phases: bool = False,
) -> Prospect:
    """What Lean will say of every box of every goal.

    trees: for every goal the cases of each box, as far as they are known already. with_phases: whether parts
    of a box with cases of ReLU phases are sought, too, where nothing else suffices. Raises CertificateError
    TL0601, TL0602, OutOfTime.
    """
    if trees is None:
        trees = [[None] * len(goal.boxes) for goal in goals]
    first = by_intervals(program, goals, semantics, budget)
    account, emission = first.account, first.emission
    forecasts, scripts, work = [], [], Work(SHARE_OF_WORK * budget.seconds)
    claims = zip(emission.claims, emission.certificate.scripts, goals, trees, strict=True)
    for claim, (script,), goal, known in claims:
        seen, own = account.forecast(claim, script), (script,) * len(claim.boxes)
        if not seen.accepted.all():
            seen, own = improved(
                program, account, claim, goal, seen, script, budget, known, work, with_phases=with_phases
            )
        forecasts.append(seen)
        scripts.append(own)
    return replace(first, forecasts=tuple(forecasts), scripts=tuple(scripts))


def by_intervals(program: Program, goals: Sequence[Goal], semantics: Semantics, budget: Budget) -> Prospect:
    """Goals with scripts of intervals for all boxes, and no forecast yet. Raises as `forecast` does."""
    account = prepare(program, goals, semantics, budget)
    emission = account.emission
    scripts = tuple(
        (script,) * len(goal.boxes)
        for (script,), goal in zip(emission.certificate.scripts, goals, strict=True)
    )
    return Prospect(emission, tuple(goals), (), scripts, account, program)


def prove(
    context: PropertyContext, prop: PropertySpec, executions: Executions, prospect: Prospect, *, whole: bool
) -> Proof:
    """Have Lean check every box that the forecast accepts.

    whole: whether only all of them together prove anything; then a part that is not accepted is an error, and
    all parts may take all the time together. Else they go to Lean at once unless that is expected to take
    too long; where they take too long or too much together, one after the other, and those that are
    accepted count. Where the kernel needs more time or memory than was forecast, `assurance:
    any` goes on at the level `evaluated`. Raises CheckerError TL05xx where Lean is missing or gives no
    clean answer or accepts no part in time, or not all of a `whole`, TL0603 where it refuses,
    CertificateError TL061x where the guard does. There must be at least one accepted box.
    """
    started = time.monotonic()
    lean = find_lean(context.lean)
    parts = accepted_parts(prospect.emission, prospect.goals, prospect.forecasts, prospect.scripts)
    memory_mb = DEFAULT_MEMORY_MB if prop.memory is None else max(256, prop.memory >> 20)
    level = chosen_level(
        prop.assurance, [part.emission for part in parts], float(prop.timeout), float(memory_mb)
    )
    asking = _Asking(context, prop, executions, prospect.program, lean, memory_mb, whole)
    answers = asking.ask(parts, level)
    if prop.assurance == "any" and level == KERNEL and answers.too_much and asking.context.seconds_left > 1:
        # the cost was forecast too low; the checker's compiled twin takes a part of the time and memory
        level = EVALUATED
        answers = asking.ask(parts, level)
    results, share = answers.results, answers.share
    accepted = [(own, result) for own, result in results if result.accepted]
    failed = [_failure(result) for _, result in results if not result.accepted]
    hard = [error for error in failed if error.code not in _TOO_MUCH]
    if hard or not accepted or (whole and failed):
        raise (hard or failed)[0]
    axioms = {axiom for _, result in accepted if isinstance(result, CheckResult) for axiom in result.axioms}
    for own, result in accepted:
        if context.keep is not None:
            given = own.text if isinstance(own, EmittedText) else own.data
            context.keep(given, result.axioms if isinstance(result, CheckResult) else ())
    return Proof(
        assurance=level,
        theorem=None if level == EVALUATED else Theorem(SOUNDNESS, tuple(sorted(axioms))),
        trust=accepted[0][0].trust,
        lean={
            "version": lean.version,
            "sha256": lean.sha256,
            "origin": lean.kind,
            "verified": "yes" if lean.verified else "no",
        },
        seconds={
            "emit": time.monotonic() - started - asking.seconds,
            "build": asking.build_seconds,
            "guard": asking.guard_seconds,
            "lean": asking.lean_seconds,
        },
        memory_mb=max(result.peak_memory_mb for _, result in accepted),
        processor_seconds=asking.processor_seconds,
        share=share,
        proved=frozenset(box for own, _ in accepted for part in own.parts for box in part.boxes),
        failure=failed[0] if failed else None,
    )


@dataclass(frozen=True, eq=False)
class _Answers:
    """What Lean said of each text or document, and the largest share of the guard's allowance."""

    results: tuple[tuple[Emitted, CheckResult | EvaluationResult], ...]
    share: float
    whole: bool

    @property
    def too_much(self) -> bool:
        """Whether nothing was accepted that counts, for want of time or memory alone."""
        codes = [result.code for _, result in self.results]
        return codes[-1] in _TOO_MUCH if self.whole else all(code in _TOO_MUCH for code in codes)


@dataclass(eq=False)
class _Asking:
    """Puts parts before Lean, and adds up the seconds of the guard and of Lean."""

    context: PropertyContext
    prop: PropertySpec
    executions: Executions
    program: Program
    lean: LeanInstall
    memory_mb: int
    whole: bool
    guard_seconds: float = 0.0
    lean_seconds: float = 0.0
    build_seconds: float = 0.0
    processor_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        """Of the guard, of Lean and of the library's build."""
        return self.guard_seconds + self.lean_seconds + self.build_seconds

    def ask(self, parts: Sequence[Part], level: str) -> _Answers:
        """All parts together; where that is too much and parts count, one after the other."""
        built = self._built(parts_of_library(level, parts[0].emission.graph))
        context = self.context
        context.observer.phase("Lean: preparing")
        whole = emit(tuple(parts), level, context)
        guarded = time.monotonic()
        share = _guard(whole, self.prop, self.executions, self.program)
        self.guard_seconds += time.monotonic() - guarded
        boxes = sum(len(part.boxes) for part in parts)
        context.observer.phase(f"Lean ({level}) checks {boxes} {'box' if boxes == 1 else 'boxes'}")
        asked = time.monotonic()
        apart_pays = len(parts) > 1 and not self.whole
        last = not apart_pays and (level == EVALUATED or self.prop.assurance != "any")
        together = context.seconds_left * (1.0 if last else SHARE_OF_FIRST_TRY)
        results: list[tuple[Emitted, CheckResult | EvaluationResult]] = []
        expected = text_cost([part.emission for part in parts]).seconds if level == KERNEL else 0.0
        if not apart_pays or expected <= together:
            results = [(whole, self._answer(whole, built, together))]
        code = results[0][1].code if results else OUT_OF_TIME
        if (apart_pays and code == OUT_OF_TIME) or (len(parts) > 1 and code == OUT_OF_MEMORY):
            results = []
            for part in counted(parts, context.observer, "Lean, part after part", len(parts), "parts"):
                own = emit((part,), level, context)
                _guard_data(own, self.prop)
                results.append((own, self._answer(own, built, context.seconds_left)))
                code = results[-1][1].code
                if code == OUT_OF_TIME or (self.whole and code is not None):
                    break
        self.lean_seconds += time.monotonic() - asked
        return _Answers(tuple(results), share, self.whole)

    def _built(self, parts: Collection[str]) -> BuiltLibrary:
        """The library with these parts. The one build per user, here or in another process, is no part of a
        property's time.
        """
        started = time.monotonic()
        ahead, observer = self.context.ahead, self.context.observer
        waited = 0.0 if ahead is None else ahead.wait(observer)
        built = ensure_built(self.lean, parts=parts, observer=observer)
        self.context = replace(self.context, deadline=self.context.deadline + time.monotonic() - started)
        self.build_seconds += waited + built.seconds
        return built

    def _answer(
        self, emitted: Emitted, built: BuiltLibrary, seconds: float
    ) -> CheckResult | EvaluationResult:
        result = emitted.ask(self.lean, built, max(1.0, seconds), self.memory_mb)
        self.processor_seconds += result.processor_seconds
        return result


def _failure(result: CheckResult | EvaluationResult) -> CheckerError:
    if result.code == "TL0510":
        return CheckerError("TL0603", f"Lean refused: {result.detail}")
    return CheckerError(result.code or "TL0514", result.detail or result.outcome.value)


def _guard_data(emitted: Emitted, prop: PropertySpec) -> NDArray[np.int64]:
    """Read back what Lean gets and hold it against the property; returns the slots of the outputs."""
    read = emitted.read_back()
    if not same(read, tuple(part.emission for part in emitted.parts)):
        raise CertificateError("TL0610", "the emitted data say something else than was meant")
    if any(emission.semantics is not semantics_of(prop) for emission in read):
        raise CertificateError("TL0610", "the emitted theorem is about other executions than the property")
    outputs = None
    for emission, part in zip(read, emitted.parts, strict=True):
        for claim, goal in zip(emission.claims, part.goals, strict=True):
            slots = require_forms(claim.property, goal.forms)
            if outputs is not None and not np.array_equal(outputs, slots):
                raise CertificateError("TL0612", "two claims name different outputs")
            outputs = slots
            for box, region in zip(claim.boxes, goal.boxes, strict=True):
                require_box(box, region.lower, region.upper)
    if outputs is None:
        raise ValueError("nothing to guard")
    return outputs


def _guard(emitted: Emitted, prop: PropertySpec, executions: Executions, program: Program) -> float:
    """Hold what Lean gets against the property and the model."""
    outputs = _guard_data(emitted, prop)
    graph = emitted.parts[0].emission.graph
    points = guard_points([box for part in emitted.parts for goal in part.goals for box in goal.boxes])
    executions.require_types(points[0])
    guard_nodes(graph, outputs, executions, program)
    return require_same_function(graph, outputs, points, executions.runtime)


def guard_nodes(
    emitted: GraphData, outputs: NDArray[np.int64], executions: Executions, program: Program
) -> None:
    """Hold every stored node alone against the emitted nodes behind it."""
    graph = executions.graph
    wiring = {name: slots for name, slots in program.values.items() if graph.types[name].dtype == "float32"}
    if all(name in wiring for name in graph.outputs) and not np.array_equal(
        outputs, np.concatenate([wiring[name] for name in graph.outputs])
    ):
        raise CertificateError("TL0612", "the inequalities are not about the model's outputs")
    executions.require_wiring(wiring)
    run = executions.pieces(wiring)
    require_same_nodes(emitted, wiring, graph.inputs, executions.nodes, run)


def guard_points(boxes: Sequence[Bounded]) -> NDArray[np.float32]:
    """Seeded corners and inner points, spread over the boxes."""
    generator = np.random.default_rng(0)
    points = []
    for number in range(MINIMUM_POINTS):
        box = boxes[number * len(boxes) // MINIMUM_POINTS]
        inside = binary32_box(tuple(box.lower), tuple(box.upper))
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
