"""Run a graph in binary32, bit-exactly, under the declared sequential schedule."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.kernels import require_gradual_underflow
from pytest_torchlean.errors import DataError
from pytest_torchlean.evaluator.program import program_of
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.names import quoted

Array = NDArray[np.generic]


def evaluate(graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Every value of the graph by name: inputs, constants and node outputs.

    inputs: one array per graph input, of exactly its dtype and shape; any binary32 value is allowed.
    DataError TL0450 for a missing, unknown or ill-typed input, TL0451 for a value that an operation on
    integers has no meaning for. RuntimeFailure TL0710 when the process
    flushes subnormal numbers.
    """
    require_gradual_underflow()
    values = _checked(graph, inputs)
    program_of(graph).run(values)
    return values


def run(graph: Graph, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
    """The graph's outputs in order; see `evaluate`."""
    values = evaluate(graph, inputs)
    return tuple(
        np.ascontiguousarray(values[name]).reshape(graph.types[name].shape) for name in graph.outputs
    )


def _checked(graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    unknown = [name for name in inputs if name not in graph.inputs]
    missing = [name for name in graph.inputs if name not in inputs]
    if unknown or missing:
        wrong = [f"{quoted(name)} is missing" for name in missing]
        wrong += [f"{quoted(name)} is not an input of the model" for name in unknown]
        raise DataError("TL0450", "; ".join(wrong))
    checked: dict[str, Array] = {}
    for name in graph.inputs:
        value, kind = np.asarray(inputs[name]), graph.types[name]
        if value.dtype.name != kind.dtype or value.shape != kind.shape:
            raise DataError(
                "TL0450",
                f"input {quoted(name)} needs {kind.dtype}{list(kind.shape)}, "
                f"but got {value.dtype.name}{list(value.shape)}",
            )
        checked[name] = np.ascontiguousarray(value).reshape(kind.shape)
    return checked
