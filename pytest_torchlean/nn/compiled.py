"""From a module to a graph: `forward` runs once on symbolic tensors, and what it does is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pytest_torchlean.errors import ModelError
from pytest_torchlean.evaluator import run
from pytest_torchlean.files import write_atomically
from pytest_torchlean.ir.canonical import digest
from pytest_torchlean.ir.graph import Graph, ValueType
from pytest_torchlean.ir.printer import print_graph
from pytest_torchlean.nn.module import Module
from pytest_torchlean.nn.tensor import Array, Tensor, Trace, apply
from pytest_torchlean.onnx_export import DEFAULT_OPSET, to_onnx
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.ops.check import require_well_formed


@dataclass(frozen=True, eq=False)
class Compiled:
    """A module as a graph, with its weights at the time of compiling.

    `stored` are the ONNX bytes that the graph was read from, None where it was traced here.
    """

    graph: Graph
    stored: bytes | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the graph's canonical bytes."""
        return digest(self.graph)

    def __call__(self, *inputs: Array) -> Array | tuple[Array, ...]:
        """The graph's outputs, with the bits that the module gives eagerly. Raises DataError TL0450."""
        outputs = run(self.graph, dict(zip(self.graph.inputs, inputs, strict=True)))
        return outputs[0] if len(outputs) == 1 else outputs

    def __str__(self) -> str:
        return print_graph(self.graph)

    def to_onnx(self, *, opset: int = DEFAULT_OPSET) -> bytes:
        """ONNX bytes whose lowering is this very graph; those it was read from, where there are any.

        Raises ModelError TL0110.
        """
        return to_onnx(self.graph, opset=opset) if self.stored is None else self.stored

    def export(self, path: str | Path, *, opset: int = DEFAULT_OPSET) -> None:
        """Write `to_onnx` to a file. Raises ModelError TL0110."""
        data = self.to_onnx(opset=opset)
        try:
            write_atomically(Path(path), data)
        except OSError as problem:
            raise ModelError("TL0110", f"{Path(path).name} cannot be written: {problem.strerror}") from None


def from_onnx(path: str | Path) -> Compiled:
    """A model file as it would be checked, to run it here. Raises ModelError, UnsupportedError."""
    loaded = load_model(Path(path))
    return Compiled(lower(loaded), loaded.data)


def compile(module: Module, *examples: Sequence[int] | Array, free_batch: bool = False) -> Compiled:
    """The module as a graph, for float32 inputs of the examples' shapes (or arrays, whose dtypes count too).

    free_batch: the first dimension of inputs, which must be 1, stays symbolic in an exported file. Raises
    ModelError TL0109 where shapes do not fit or `forward` looks at numbers.
    """
    if not examples:
        raise ModelError("TL0109", "give the shape of every input, e.g. compile(module, [1, 784])")
    parameters = {id(value): name for name, value in module.state_dict().items()}
    trace = Trace(parameters, {id(inner): path for path, inner in module.named_modules()})
    kinds = [_type_of(example) for example in examples]
    if free_batch and any(kind.shape[:1] != (1,) for kind in kinds):
        raise ModelError("TL0109", "a free batch dimension is the first one, and 1 in the examples")
    names = ["input"] if len(kinds) == 1 else [f"input_{number}" for number in range(len(kinds))]
    given = [trace.input(name, kind) for name, kind in zip(names, kinds, strict=True)]
    result = module(*given)
    outputs = _outputs(trace, result if isinstance(result, tuple) else (result,))
    graph = trace.graph(outputs, free_batch)
    try:
        return Compiled(require_well_formed(graph))
    except ValueError as problem:
        raise ModelError("TL0109", f"the module's graph is not well-formed: {problem}") from None


def _type_of(example: Sequence[int] | Array) -> ValueType:
    if isinstance(example, np.ndarray):
        return ValueType(example.dtype.name, example.shape)
    shape = tuple(int(extent) for extent in example)
    if min(shape, default=0) < 0:
        raise ModelError("TL0109", f"a shape is not negative: {shape}")
    return ValueType("float32", shape)


def _outputs(trace: Trace, results: Sequence[object]) -> list[Tensor]:
    """Every result as a value of its own that a node computes."""
    outputs: list[Tensor] = []
    computed = {name for node in trace.nodes for name in node.outputs}
    for result in results:
        if not isinstance(result, Tensor) or result.trace is not trace:
            raise ModelError("TL0109", "forward gives something that does not depend on its inputs")
        taken = {tensor.name for tensor in outputs}
        own = result.name in computed and result.name not in taken
        outputs.append(result if own else apply("Identity", [result]))
    return outputs
