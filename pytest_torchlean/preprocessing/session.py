"""onnxruntime on a system: the preprocessing by the stored operators, then the shipped file's bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.onnx_import import LoadedModel
from pytest_torchlean.preprocessing.front import Front
from pytest_torchlean.runtime import RuntimeSession

Array = NDArray[np.generic]


class Session(Protocol):
    """What is needed of a runtime session."""

    @property
    def inputs(self) -> tuple[str, ...]: ...

    @property
    def outputs(self) -> tuple[str, ...]: ...

    def run(self, inputs: Mapping[str, Array]) -> tuple[Array, ...]: ...


class _InSequence:
    """Preprocessing without optimisation, so that each operation is the stated one; then the model."""

    def __init__(self, front: RuntimeSession, model: RuntimeSession) -> None:
        self._front = front
        self._model = model

    @property
    def inputs(self) -> tuple[str, ...]:
        return self._front.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        return self._model.outputs

    def run(self, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        given = dict(zip(self._front.outputs, self._front.run(inputs), strict=True))
        return self._model.run(given)


def open_session(model: LoadedModel, front: Front | None, *, optimise: bool, **options: Any) -> Session:
    """A session on the shipped bytes, behind its preprocessing where there is one. Raises RuntimeFailure."""
    session = RuntimeSession(model.data, optimise=optimise, **options)
    if front is None:
        return session
    return _InSequence(RuntimeSession(front.alone.data, optimise=False), session)
