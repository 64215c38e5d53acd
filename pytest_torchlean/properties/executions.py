"""One flat input through onnxruntime, the evaluator and exact arithmetic: what makes a witness."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.format import to_hex_all
from pytest_torchlean.binary32.ulp import exact
from pytest_torchlean.differential.rewrites import runtime_line
from pytest_torchlean.evaluator import run as run_evaluator
from pytest_torchlean.evaluator.exact import ExactProgram, prepare_exact
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.onnx_import import LoadedModel
from pytest_torchlean.preprocessing import Front, RawIntegers, Session, open_session
from pytest_torchlean.runtime import RuntimeNode, RuntimeSession, cut, expose, nodes_of, require_types
from pytest_torchlean.verdict import Witness

Float32 = NDArray[np.float32]
Violation = Callable[[Sequence[Fraction]], str | None]
"""The broken inequality of some outputs in words, or None."""


@dataclass(frozen=True, eq=False)
class Executions:
    """The three executions of one model. Inputs and outputs are flat, in the graph's order.

    front: the preprocessing ahead of the model; `graph` is then that of both together, and inputs are raw.
    """

    model: LoadedModel
    graph: Graph
    front: Front | None = None

    @cached_property
    def session(self) -> Session:
        """onnxruntime as shipped: default optimisation, one thread."""
        return open_session(self.model, self.front, optimise=True)

    @property
    def integers(self) -> RawIntegers | None:
        """The type of raw inputs that are integers."""
        return None if self.front is None else self.front.integers

    @property
    def stored(self) -> bytes:
        """The ONNX model that `graph` was lowered from."""
        return self.model.data if self.front is None else self.front.system.data

    @cached_property
    def nodes(self) -> tuple[RuntimeNode, ...]:
        """The stored nodes, in order."""
        return nodes_of(self.stored)

    def require_wiring(self, wiring: Mapping[str, NDArray[np.int64]]) -> None:
        """The slots of values that no stored node writes are right. Raises CertificateError TL0610."""

    def given(self, point: Float32) -> Float32:
        """The point, or the nearest one that the system can be given, where it takes integers."""
        return point if self.integers is None else self.integers.nearest(point)

    @cached_property
    def _exact(self) -> ExactProgram:
        return prepare_exact(self.graph)

    def runtime(self, point: Float32) -> Float32:
        """onnxruntime's outputs, float32. Raises RuntimeFailure TL0703."""
        return self._run(self.session, point)

    def unoptimised(self, point: Float32) -> Float32:
        """The same in a session that leaves the stored graph as it is."""
        return self._run(open_session(self.model, self.front, optimise=False), point)

    def _run(self, session: Session, point: Float32) -> Float32:
        named = dict(zip(session.inputs, self._shaped(point), strict=True))
        return np.concatenate([np.asarray(out, dtype=np.float32).reshape(-1) for out in session.run(named)])

    def require_types(self, point: Float32) -> None:
        """onnxruntime and the graph agree about the type of every value, also of those that end in nothing.

        Raises RuntimeFailure TL0705.
        """
        session = RuntimeSession(expose(self.stored), optimise=False)
        names = [name for name in session.outputs if name in self.graph.types]
        named = dict(zip(session.inputs, self._shaped(point), strict=True))
        require_types(dict(zip(names, session.fetch(names, named), strict=True)), self.graph.types)

    def pieces(
        self, names: Collection[str]
    ) -> Callable[[Mapping[str, Float32]], dict[str, NDArray[np.generic]]]:
        """The model cut at the named values: from flat values that nodes read to the values they write."""
        kinds = {name: self.graph.types[name] for name in names}
        data, fresh = cut(self.stored, kinds)
        session = RuntimeSession(data, optimise=False)

        def run(values: Mapping[str, Float32]) -> dict[str, NDArray[np.generic]]:
            given = {fresh[name]: values[name].reshape(kinds[name].shape) for name in fresh}
            return dict(zip(session.outputs, session.run(given), strict=True))

        return run

    def evaluator(self, point: Float32) -> Float32:
        """Our binary32 evaluator's outputs under its sequential schedule."""
        named = dict(zip(self.graph.inputs, self._shaped(point), strict=True))
        outputs = run_evaluator(self.graph, named)
        return np.concatenate([np.asarray(out, dtype=np.float32).reshape(-1) for out in outputs])

    def exact(self, point: Float32) -> list[Fraction]:
        """Exact outputs on the stored weights."""
        numbers, named, start = [exact(number) for number in point], {}, 0
        for name in self.graph.inputs:
            size = self.graph.types[name].size
            named[name] = numbers[start : start + size]
            start += size
        values = self._exact.run(named)
        return [number for name in self.graph.outputs for number in values[name]]

    def witness(
        self,
        point: Float32,
        violation: Violation,
        *,
        rounded: bool,
        index: int | None = None,
        reference: Float32 | None = None,
    ) -> Witness | None:
        """The point as a witness if it breaks the property in all three executions, else None.

        rounded: the claim is about binary32 executions, so that exact arithmetic has no say.
        """
        runtime, evaluator = self.runtime(point), self.evaluator(point)
        if not self._breaks(runtime, violation) or not self._breaks(evaluator, violation):
            return None
        broken = violation([exact(y) for y in evaluator] if rounded else self.exact(point))
        if broken is None:
            return None
        return Witness(
            shape=self.graph.types[self.graph.inputs[0]].shape
            if len(self.graph.inputs) == 1
            else (int(point.size),),
            input=to_hex_all(point),
            runtime_output=to_hex_all(runtime),
            evaluator_output=to_hex_all(evaluator),
            violation=broken,
            index=index,
            reference=None if reference is None else to_hex_all(reference),
        )

    def break_binary32(self, point: Float32, violation: Violation) -> bool:
        """Whether onnxruntime's and the evaluator's outputs are finite and both break the property."""
        return self._breaks(self.runtime(point), violation) and self._breaks(self.evaluator(point), violation)

    def disagree(self, point: Float32, violation: Violation, *, rounded: bool) -> bool:
        """Whether the point refutes the claim in one execution and not in another that counts.

        Of a claim about binary32, onnxruntime's and the evaluator's; else exact arithmetic against these.
        """
        seen = [self._breaks(self.runtime(point), violation), self._breaks(self.evaluator(point), violation)]
        if rounded:
            return seen[0] != seen[1]
        return violation(self.exact(point)) is not None and not all(seen)

    @cached_property
    def runtime_line(self) -> str:
        """Whether a claim about every binary32 execution covers what onnxruntime runs by default."""
        return runtime_line(self.model.data)

    @staticmethod
    def _breaks(outputs: Float32, violation: Violation) -> bool:
        return bool(np.isfinite(outputs).all()) and violation([exact(y) for y in outputs]) is not None

    def _shaped(self, point: Float32) -> list[Float32]:
        shaped, start = [], 0
        for name in self.graph.inputs:
            kind = self.graph.types[name]
            shaped.append(np.ascontiguousarray(point[start : start + kind.size]).reshape(kind.shape))
            start += kind.size
        return shaped
