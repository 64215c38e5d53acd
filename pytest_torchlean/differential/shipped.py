"""One session of the matrix: as shipped, and with its values in the open.

Adding outputs to a graph prevents fusion, so what an optimised session runs is seen in three steps, each
demanded to give the shipped session's bits: the session that writes its graph, that graph loaded again
with optimisation disabled, and the same with every value exposed, those of blocked kernels as plain copies
under the file's names. Where one of them gives other bits, the values are those of another execution: from
that sample on only the shipped session's outputs are judged, by the bound composed over the whole graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential.bits import Assertion, Differences, Reference
from pytest_torchlean.differential.compose import Prepared
from pytest_torchlean.differential.result import BitEquality, Divergence, SessionReport
from pytest_torchlean.differential.sessions import Fetching, SessionComparison, operator_counts
from pytest_torchlean.errors import RuntimeFailure
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.names import printable
from pytest_torchlean.onnx_import import LoadedModel
from pytest_torchlean.onnx_import.blocked import with_blocked_values
from pytest_torchlean.runtime import RuntimeNode, SessionSettings, dumped, expose, nodes_of

Array = NDArray[np.generic]
OpenSession = Callable[[bytes, SessionSettings], Fetching]

WRITTEN = "the session that writes its graph"
RELOADED = "its graph loaded again"
EXPOSED = "every value exposed"


@dataclass(frozen=True, eq=False)
class Subject:
    """What every session of a matrix runs: the model, its lowering, and how sessions are opened."""

    model: LoadedModel
    graph: Graph
    prepared: Mapping[str, Prepared]
    open_session: OpenSession
    suffix: str = ""
    """Added to the name of every session, e.g. ", batch 7"."""


class ShippedSession:
    """One session with its assertions and its comparison. Raises RuntimeFailure where it cannot be opened.

    The first session of a matrix fills `reference` with its outputs, the others are compared with them.
    """

    def __init__(
        self, subject: Subject, settings: SessionSettings, reference: Reference, *, first: bool
    ) -> None:
        self._subject = subject
        self._reference = reference
        self._first = first
        self.settings = settings
        self.name = settings.name + subject.suffix
        self._stored = nodes_of(subject.model.data)
        self._running = self._stored
        self._shipped = subject.open_session(subject.model.data, settings)
        self._assertions: list[Assertion] = []
        self._observers: list[tuple[Assertion, Fetching]] = []
        self._finished: list[SessionReport] = []
        self._differences = Differences()
        self._comparison: SessionComparison | None = None
        self._over_values()
        self.rewrites = _rewrites(self._stored, self._running)

    def compare(self, sample: int, inputs: Mapping[str, Array]) -> Divergence | None:
        """Compare one sample, samples in order; the first divergence in graph order, or None."""
        names = self._subject.graph.outputs
        outputs = self._shipped.fetch(names, inputs)
        if self._first:
            self._reference.keep(outputs)
        elif sample < len(self._reference.kept):
            self._differences.add(names, outputs, self._reference.kept[sample])
        for assertion, session in self._observers:
            if not assertion.check(sample, names, session.fetch(names, inputs), outputs):
                self._over_outputs()
                break
        assert self._comparison is not None
        found = self._comparison.compare(sample, inputs)
        return found and replace(found, level=self.settings.optimisation, model_inputs=dict(inputs))

    def reports(self, first: str) -> tuple[SessionReport, ...]:
        """What was counted, and once more for what was counted on outputs only; `first` names a session."""
        return (*self._finished, self._report(first))

    def _report(self, first: str) -> SessionReport:
        assert self._comparison is not None
        return replace(
            self._comparison.report(),
            settings=self.settings.options | {"inputs": _shapes(self._subject.graph)},
            rewrites=_rewrites(self._stored, self._running),
            equalities=tuple(
                BitEquality(assertion.what, assertion.held, assertion.failure)
                for assertion in self._assertions
            ),
            bits=self._differences.text(first),
        )

    def _over_values(self) -> None:
        """Open the sessions that show the values, each with its assertion."""
        model, unoptimised = self._subject.model.data, replace(self.settings, optimisation="none")
        if self.settings.optimisation == "none":
            exposed = self._observe(EXPOSED, expose(model), unoptimised)
            self._comparison = self._over(self.name, exposed, None)
            return
        writing, running = dumped(model, self.settings)
        self._running = nodes_of(running)
        self._watch(WRITTEN, writing)
        try:
            self._observe(RELOADED, running, unoptimised)
            plain = with_blocked_values(running, self._subject.graph)
            exposed = self._observe(EXPOSED, expose(plain), unoptimised)
        except RuntimeFailure as error:
            self._assertions.append(Assertion("its graph can be loaded again", failure=error.message))
            self._over_outputs()
            return
        originals = {output: node.kind for node in self._stored for output in node.outputs}
        unchanged = frozenset(
            output for node in self._running for output in node.outputs if originals.get(output) == node.kind
        )
        self._comparison = self._over(self.name, exposed, unchanged)

    def _observe(self, what: str, model: bytes, settings: SessionSettings) -> Fetching:
        session = self._subject.open_session(model, settings)
        self._watch(what, session)
        return session

    def _watch(self, what: str, session: Fetching) -> None:
        assertion = Assertion(what)
        self._assertions.append(assertion)
        self._observers.append((assertion, session))

    def _over_outputs(self) -> None:
        """Judge the shipped session's outputs from now on; what was counted before is kept."""
        if self._comparison is not None and self._comparison.samples:
            self._finished.append(replace(self._report(""), bits=""))
        self._observers = []
        self._comparison = self._over(f"{self.name}, outputs only", self._shipped, frozenset())

    def _over(self, name: str, session: Fetching, unchanged: frozenset[str] | None) -> SessionComparison:
        operators = operator_counts([node.label for node in self._running])
        subject = self._subject
        return SessionComparison(name, session, subject.graph, subject.prepared, unchanged, operators)


def _shapes(graph: Graph) -> str:
    return ", ".join(f"{printable(name)}{list(graph.types[name].shape)}" for name in graph.inputs)


def _rewrites(stored: tuple[RuntimeNode, ...], running: tuple[RuntimeNode, ...]) -> tuple[str, ...]:
    """Operators of the running graph that the file does not have."""
    known = {node.label for node in stored}
    return operator_counts([node.label for node in running if node.label not in known])
