"""onnxruntime against the exact evaluator, node by node, with derived bounds and no tolerance.

Every session of the matrix is judged by itself. Without optimisation, each node of the stored graph is
checked on the runtime's own inputs. With optimisation, the graph that really runs is observed
(`shipped.py`), and every value that it still has is checked against all that a rewrite of the nodes
before it may give. Whether sessions agree with each other in their bits is told, but is no divergence.
`probe_model` takes every node alone, before any sample.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential.bits import Reference
from pytest_torchlean.differential.probes import probe_model
from pytest_torchlean.differential.result import (
    BitEquality,
    DifferentialResult,
    Divergence,
    ProbeReport,
    SessionReport,
    joined,
)
from pytest_torchlean.differential.sessions import prepare
from pytest_torchlean.differential.shipped import OpenSession, ShippedSession, Subject
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.onnx_import import LoadedModel
from pytest_torchlean.runtime import SessionSettings, open_session

Array = NDArray[np.generic]

DEFAULT_SESSIONS = (SessionSettings("none"), SessionSettings("all"))

__all__ = [
    "DEFAULT_SESSIONS",
    "BitEquality",
    "DifferentialResult",
    "Divergence",
    "ProbeReport",
    "SessionReport",
    "compare",
    "joined",
    "probe_model",
]


def compare(
    model: LoadedModel,
    graph: Graph,
    samples: Iterable[Mapping[str, Array]],
    *,
    sessions: Sequence[SessionSettings] = DEFAULT_SESSIONS,
    deadline: float | None = None,
    open_session: OpenSession = open_session,
    suffix: str = "",
) -> DifferentialResult:
    """Compare on each sample, session after session, and stop at the first divergence.

    samples: one array per graph input, of the graph's shapes; an iterator is read into a list, because every
    session sees every sample. deadline: `time.monotonic()` value after which no further sample starts.
    open_session(bytes, settings) gives the sessions. suffix is added to their names. Raises
    RuntimeFailure TL07xx where onnxruntime refuses the model or an input.
    """
    again = list(samples) if isinstance(samples, Iterator) else samples
    subject = Subject(model, graph, prepare(graph), open_session, suffix)
    reference = Reference()
    result = DifferentialResult(samples=0, finished=True, divergence=None, sessions=(), rewrites=())
    for number, settings in enumerate(sessions):
        if deadline is not None and time.monotonic() >= deadline:
            rest = tuple(other.name + suffix for other in sessions[number:])
            return replace(
                result, finished=False, samples=0 if number == 0 else result.samples, unreached=rest
            )
        session = ShippedSession(subject, settings, reference, first=number == 0)
        done, found, finished = _run(session, again, deadline)
        rewrites = [name for name in session.rewrites if name not in result.rewrites]
        result = replace(
            result,
            samples=done if number == 0 else min(done, result.samples),
            finished=result.finished and finished,
            divergence=found,
            sessions=(*result.sessions, *session.reports(sessions[0].name + suffix)),
            rewrites=(*result.rewrites, *rewrites),
        )
        if found is not None:
            break
    return result


def _run(
    session: ShippedSession, samples: Iterable[Mapping[str, Array]], deadline: float | None
) -> tuple[int, Divergence | None, bool]:
    """The samples done, the divergence that ended them, and whether time sufficed."""
    done = 0
    for number, inputs in enumerate(samples):
        if deadline is not None and time.monotonic() >= deadline:
            return done, None, False
        found = session.compare(number, inputs)
        done += 1
        if found is not None:
            return done, found, True
    return done, None, True
