"""onnxruntime against the exact evaluator, node by node, with derived bounds and no tolerance.

Two sessions are judged. Without optimisation, every intermediate value of the stored graph is observed
and each node is checked on the runtime's own inputs. With the default optimisation, the graph that
really runs is dumped and loaded again; its bits must equal those of the shipped session, and every
value that it still names like the file is checked against all that a rewrite of the nodes before it
may give. Where a dump gives other bits, only the shipped session's outputs are checked, by the bound
composed over the whole graph.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential.result import DifferentialResult, Divergence, SessionReport
from pytest_torchlean.differential.sessions import Fetching, SessionComparison, operator_counts, prepare
from pytest_torchlean.errors import RuntimeFailure
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.onnx_import import LoadedModel
from pytest_torchlean.runtime import RuntimeNode, RuntimeSession, expose, nodes_of, optimised_model

Array = NDArray[np.generic]
OpenSession = Callable[[bytes, bool], Fetching]

__all__ = ["DifferentialResult", "Divergence", "SessionReport", "compare"]


def compare(
    model: LoadedModel,
    graph: Graph,
    samples: Iterable[Mapping[str, Array]],
    *,
    deadline: float | None = None,
    open_session: OpenSession = RuntimeSession,
) -> DifferentialResult:
    """Compare on each sample and stop at the first divergence.

    samples: one float32 array per graph input, of the graph's shapes. deadline: `time.monotonic()` value
    after which no further sample starts. open_session(bytes, optimise) gives the sessions. Raises
    RuntimeFailure TL07xx where onnxruntime refuses the model or an input.
    """
    pair = _Pair(model, graph, open_session)
    done, found, finished = 0, None, True
    for number, inputs in enumerate(samples):
        if deadline is not None and time.monotonic() >= deadline:
            finished = False
            break
        found = pair.compare(number, inputs)
        done += 1
        if found is not None:
            break
    return DifferentialResult(
        samples=done,
        finished=finished,
        divergence=found,
        sessions=pair.reports(),
        rewrites=pair.rewrites,
        versions=_versions(),
    )


class _Pair:
    """The two sessions of one model."""

    def __init__(self, model: LoadedModel, graph: Graph, open_session: OpenSession) -> None:
        self._graph = graph
        self._prepared = prepare(graph)
        stored = nodes_of(model.data)
        self._plain = self._comparison(
            "no optimisation", open_session(expose(model.data), False), None, stored
        )
        self._shipped = open_session(model.data, True)
        optimised = optimised_model(model.data)
        self._running = nodes_of(optimised)
        self.rewrites = _rewrites(stored, self._running)
        self._dump = self._open_dump(optimised, open_session)
        self._optimised = self._over_dump(stored) if self._dump is not None else self._over_outputs()

    def compare(self, sample: int, inputs: Mapping[str, Array]) -> Divergence | None:
        found = self._plain.compare(sample, inputs)
        if found is not None:
            return found
        if self._dump is not None and not self._dump_is_faithful(self._dump, inputs):
            self._dump = None
            self._optimised = self._over_outputs()
        return self._optimised.compare(sample, inputs)

    def reports(self) -> tuple[SessionReport, ...]:
        return (self._plain.report(), self._optimised.report())

    def _open_dump(self, optimised: bytes, open_session: OpenSession) -> Fetching | None:
        try:
            return open_session(expose(optimised), False)
        except RuntimeFailure:
            return None

    def _over_dump(self, stored: tuple[RuntimeNode, ...]) -> SessionComparison:
        assert self._dump is not None
        originals = {output: node.kind for node in stored for output in node.outputs}
        unchanged = frozenset(
            output for node in self._running for output in node.outputs if originals.get(output) == node.kind
        )
        return self._comparison("default optimisation", self._dump, unchanged, self._running)

    def _over_outputs(self) -> SessionComparison:
        name = "default optimisation, outputs only"
        return self._comparison(name, self._shipped, frozenset(), self._running)

    def _dump_is_faithful(self, dump: Fetching, inputs: Mapping[str, Array]) -> bool:
        names = self._graph.outputs
        pairs = zip(dump.fetch(names, inputs), self._shipped.fetch(names, inputs), strict=True)
        return all(
            left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
            for left, right in pairs
        )

    def _comparison(
        self,
        name: str,
        session: Fetching,
        unchanged: frozenset[str] | None,
        nodes: tuple[RuntimeNode, ...],
    ) -> SessionComparison:
        operators = operator_counts([node.label for node in nodes])
        return SessionComparison(name, session, self._graph, self._prepared, unchanged, operators)


def _rewrites(stored: tuple[RuntimeNode, ...], running: tuple[RuntimeNode, ...]) -> tuple[str, ...]:
    """Operators of the running graph that the file does not have."""
    known = {node.label for node in stored}
    return operator_counts([node.label for node in running if node.label not in known])


def _versions() -> dict[str, str]:
    from pytest_torchlean.runtime import runtime_version

    return {"onnxruntime": runtime_version()}
