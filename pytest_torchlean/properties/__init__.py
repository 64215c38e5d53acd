"""One file per property kind; this module finds the one that a property belongs to.

A kind's module exposes `run(context, prop) -> Evidence`. It raises TorchleanError subclasses for
expected failures; the gate turns every exception into a verdict.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pytest_torchlean.bounds.budget import Budget, OutOfTime
from pytest_torchlean.errors import TorchleanError, UnsupportedError
from pytest_torchlean.extensions.registry import NONE, Extensions
from pytest_torchlean.progress import SILENT, Observer
from pytest_torchlean.properties.claims import claim
from pytest_torchlean.spec.model import ExtensionProperty
from pytest_torchlean.verdict import Evidence, Verdict

if TYPE_CHECKING:
    from pytest_torchlean.bounds.program import Program
    from pytest_torchlean.checker.ahead import Ahead
    from pytest_torchlean.ir.graph import Graph
    from pytest_torchlean.onnx_import import LoadedModel
    from pytest_torchlean.preprocessing import Front
    from pytest_torchlean.properties.memory import Memory
    from pytest_torchlean.spec.document import InputShapes, ModelEntry
    from pytest_torchlean.spec.model import PropertySpec

MODULES: Mapping[str, str] = {
    "runtime": "pytest_torchlean.properties.runtime",
    "robustness": "pytest_torchlean.properties.robustness",
    "radius": "pytest_torchlean.properties.radius",
    "range": "pytest_torchlean.properties.range",
    "vnnlib": "pytest_torchlean.properties.vnnlib",
    "equivalent": "pytest_torchlean.properties.paired",
    "monotone": "pytest_torchlean.properties.paired",
    "lipschitz": "pytest_torchlean.properties.paired",
    "invariant": "pytest_torchlean.properties.looped",
    "lyapunov": "pytest_torchlean.properties.looped",
    "gradient": "pytest_torchlean.properties.derived",
    "residual": "pytest_torchlean.properties.derived",
}
"""The module of each check kind, imported when the first property of that kind runs."""
_NO_LEAN = ("TL0501", "TL0502", "TL0503", "TL0504", "TL0505", "TL0506")
"""Why Lean could not be asked at all; no cache entry has a part in that."""


def _no_shapes() -> InputShapes:
    from pytest_torchlean.spec.document import InputShapes

    return InputShapes()


def _no_memory() -> Memory:
    from pytest_torchlean.properties.memory import Memory

    return Memory()


@dataclass(frozen=True, eq=False)
class OtherModel:
    """The second model of a property about two: its bytes, their lowering, its preprocessing, its entry."""

    model: LoadedModel
    graph: Graph
    front: Front | None = None
    entry: ModelEntry | None = None

    @property
    def digest(self) -> str:
        """The model as it is judged: its bytes, and the graph that its shapes and preprocessing gave."""
        from pytest_torchlean.ir.canonical import digest

        return f"{self.model.sha256} {digest(self.graph)}"


@dataclass(frozen=True, eq=False)
class PropertyContext:
    """What a property runs on: the model's bytes, their lowering, and the limits.

    front: the preprocessing ahead of the model; `graph` is then that of both together, `model` the shipped
    file alone. `deadline` is a `time.monotonic()` value. `lean` is the configured toolchain, None to search.
    `keep` receives every text that Lean accepts, with the axioms of its theorem, and every accepted document.
    `inputs` are the shapes that the graph was lowered under. `observer` hears what a property is at.
    `memory` is what earlier runs found.
    """

    model: LoadedModel
    graph: Graph
    root: Path
    deadline: float
    seconds: float = math.inf
    """What the spec grants the property; what is tried depends on it and on no clock."""
    lean: Path | None = None
    keep: Callable[[str | bytes, tuple[str, ...]], None] | None = None
    front: Front | None = None
    inputs: InputShapes = field(default_factory=_no_shapes)
    observer: Observer = SILENT
    extensions: Extensions = NONE
    memory: Memory = field(default_factory=_no_memory)
    other: OtherModel | None = None
    ahead: Ahead | None = None
    """The library's build, where the run began it before a proof asks for it."""
    executor: Executor | None = None
    """Where parts of a box are bounded, None for here."""

    @property
    def other_digests(self) -> dict[str, str]:
        """The digest of the second model, for the cache; nothing where there is none."""
        return {} if self.other is None else {"other": self.other.digest}

    @property
    def program(self) -> Program:
        """The graph for bounds and certificates. Raises UnsupportedError TL0204."""
        from pytest_torchlean.bounds.lowering import lower_to_program

        return lower_to_program(self.graph, () if self.front is None else self.front.values)

    @property
    def budget(self) -> Budget:
        """The limit for bounds and searches, which tell the observer how far they are."""
        return Budget(self.deadline, self.observer, self.seconds, self.executor)

    @property
    def seconds_left(self) -> float:
        """Wall time left, never negative."""
        return max(0.0, self.deadline - time.monotonic())


def run_property(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """Decide one property; UNKNOWN where its time ended before bounds and search did.

    Where a cache entry led to anything but a clean answer it is discarded, and all is searched for anew.
    Raises UnsupportedError TL0290 for a kind this version does not know.
    """
    memory = context.memory
    try:
        evidence = _decided(context, prop)
        problem = evidence.problem
        misled = evidence.verdict is Verdict.ERROR and not (problem and problem.code in _NO_LEAN)
        why = problem.message if problem else ""
    except Exception as error:
        if memory.state != "hit" or (isinstance(error, TorchleanError) and error.code in _NO_LEAN):
            raise
        misled, why = True, f"{type(error).__name__}: {error}"
    if misled and memory.state == "hit":
        memory.discard(why.strip().partition("\n")[0][:300])
        evidence = _decided(context, prop)
    memory.save()
    if not memory.asked:
        return evidence
    seconds = {**evidence.seconds, "cache": memory.seconds}
    return replace(evidence, seconds=seconds, effort={**evidence.effort, **memory.effort})


def _decided(context: PropertyContext, prop: PropertySpec) -> Evidence:
    own = isinstance(prop, ExtensionProperty)
    if not own and prop.check not in MODULES:
        raise UnsupportedError("TL0290", f"no check named {prop.check!r} in this version")
    context.observer.phase("bounds")
    module = import_module(f"{__name__}.extension" if own else MODULES[prop.check])
    run = cast("Callable[[PropertyContext, PropertySpec], Evidence]", module.run)
    try:
        return run(context, prop)
    except OutOfTime:
        return Evidence(
            verdict=Verdict.UNKNOWN,
            claim=claim(prop),
            semantics=prop.chosen_semantics,
            found=f"time ran out after {float(prop.timeout):.6g} s while bounds were computed",
            next_steps="raise `timeout`, or list fewer inputs",
        )
