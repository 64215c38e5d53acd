"""Run a witness again: on onnxruntime, on the evaluator, and in exact arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.errors import DataError, ShapeError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.onnx_import import LoadedModel, load_model
from pytest_torchlean.onnx_import.extension_operators import Operators
from pytest_torchlean.preprocessing import compose
from pytest_torchlean.properties.derivative_claims import Derived, derived_of
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.loops import Loop
from pytest_torchlean.properties.lowering import lower_as_given
from pytest_torchlean.properties.nonlinear_loops import NonlinearLoop, closed_loop_of
from pytest_torchlean.properties.pairs import Pair, is_pair, pair_of
from pytest_torchlean.properties.points import Context, Reference, inside, violation
from pytest_torchlean.properties.stored_claim import StoredClaim
from pytest_torchlean.spec.dataset import check_labels, load_dataset
from pytest_torchlean.spec.document import InputShapes
from pytest_torchlean.spec.model import DerivativeProperty, LoopProperty, RobustnessProperty, VnnlibProperty
from pytest_torchlean.spec.paths import resolve_inside
from pytest_torchlean.spec.preprocess import PreprocessStep, words
from pytest_torchlean.spec.vnnlib import load_unsafe_set
from pytest_torchlean.verdict import Witness
from pytest_torchlean.witness_files import WitnessFile

Float32 = NDArray[np.float32]

_NOT_FINITE = "an output is NaN or infinite"
_MOST_SHOWN = 12
"""Outputs of one execution that are printed."""


@dataclass(frozen=True)
class Execution:
    """One way of running the model on the witness: its outputs as text, and what it breaks."""

    name: str
    outputs: tuple[str, ...]
    violation: str | None


@dataclass(frozen=True)
class Replay:
    """One witness run again. It refutes the property where it is inside the region and breaks it: exactly,
    or, where the claim is about binary32, on onnxruntime as shipped and on the evaluator."""

    index: int | None
    inside: bool
    executions: tuple[Execution, ...]
    refutes: bool


@dataclass(frozen=True)
class ReplayResult:
    """All witnesses of a file. `same_model` says whether the models' bytes are those of the finding."""

    same_model: bool
    sha256: str
    replays: tuple[Replay, ...]

    @property
    def still_breaks(self) -> bool:
        """Whether any witness still refutes the property."""
        return any(replay.refutes for replay in self.replays)


def replay_file(stored: WitnessFile, root: Path, operators: Operators | None = None) -> ReplayResult:
    """Run every witness of a file. Raises TorchleanError for a wrong model, data set or witness."""
    executions = _executions(stored.model_path, stored.model_shapes, stored.preprocess, root, operators)
    sha256 = executions.model.sha256
    pair: Pair | Loop | NonlinearLoop | Derived | None = None
    same = sha256 == stored.model_sha256
    second, to = None, stored.other
    if to is not None:
        second = _executions(to.path, to.shapes, to.preprocess, root, operators)
        same = same and second.model.sha256 == to.sha256
    if is_pair(stored.prop):
        pair = pair_of(stored.prop, executions, second)
    elif isinstance(stored.prop, LoopProperty):
        pair = closed_loop_of(stored.prop, executions, second)
    elif isinstance(stored.prop, DerivativeProperty):
        pair = derived_of(stored.prop, executions)
    if pair is not None:
        executions = pair.executions
    replays = tuple(_replay(stored, witness, executions, pair) for witness in stored.witnesses)
    return ReplayResult(same, sha256, replays)


def _executions(
    shown: str,
    shapes: Mapping[str, tuple[int, ...]] | None,
    steps: tuple[PreprocessStep, ...],
    root: Path,
    operators: Operators | None,
) -> Executions:
    model = load_model(resolve_inside(shown, base=root, root=root), root=root)
    model = replace(model, operators=operators or {})
    graph = _graph(shapes, model)
    front = compose(model, graph, steps) if steps else None
    return Executions(model, graph if front is None else front.graph, front)


def _graph(shapes: Mapping[str, tuple[int, ...]] | None, model: LoadedModel) -> Graph:
    """The model lowered under the witness's shapes. Raises DataError TL0490 where they no longer fit."""
    try:
        return lower_as_given(model, InputShapes(shapes or {}))
    except ShapeError as error:
        raise DataError("TL0490", f"the witness's shapes do not fit the model: {error.message}") from None


def _replay(
    stored: WitnessFile,
    witness: Witness,
    executions: Executions,
    pair: Pair | Loop | NonlinearLoop | Derived | None,
) -> Replay:
    graph = executions.graph
    flat = _point(witness, graph)
    reference = _reference(stored, witness, graph) if pair is None else pair
    exact_point = [Fraction(float(value)) for value in flat]
    is_inside = inside(stored.prop, exact_point, reference)
    if executions.integers is not None:
        is_inside = is_inside and bool(executions.integers.holds(flat).all())
    results = [
        _float_execution(name, outputs, stored, reference, exact_point)
        for name, outputs in (
            ("onnxruntime, default optimisation", executions.runtime(flat)),
            ("onnxruntime, no optimisation", executions.unoptimised(flat)),
            ("evaluator, binary32", executions.evaluator(flat)),
        )
    ]
    exact = executions.exact(flat)
    broken = violation(stored.prop, exact, reference, exact_point)
    results.append(Execution("exact arithmetic", tuple(_short(value) for value in exact), broken))
    refutes = broken is not None
    if stored.prop.chosen_semantics == "binary32":
        refutes = all(_breaks(execution) for execution in (results[0], results[2]))
    return Replay(witness.index, is_inside, tuple(results), is_inside and refutes)


def _breaks(execution: Execution) -> bool:
    return execution.violation not in (None, _NOT_FINITE)


def _float_execution(
    name: str,
    outputs: NDArray[np.generic],
    stored: WitnessFile,
    reference: Context,
    point: Sequence[Fraction],
) -> Execution:
    flat = [float(value) for value in outputs.astype(np.float64).reshape(-1)]
    shown = tuple(value.hex() for value in flat)
    if not all(np.isfinite(flat)):
        return Execution(name, shown, _NOT_FINITE)
    exactly = [Fraction(value) for value in flat]
    return Execution(name, shown, violation(stored.prop, exactly, reference, point))


def _size(graph: Graph) -> int:
    """Number of elements of all inputs, one after the other."""
    return sum(graph.types[name].size for name in graph.inputs)


def _point(witness: Witness, graph: Graph) -> Float32:
    """The witness's inputs, one after the other. Raises DataError TL0490 where it is none for this model."""
    try:
        numbers = [float.fromhex(text) for text in witness.input]
    except (ValueError, OverflowError):
        raise DataError("TL0490", "the witness holds a number that is not a hexadecimal float") from None
    flat = np.array(numbers, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        point = flat.astype(np.float32)
    if not np.isfinite(flat).all() or (point.astype(np.float64) != flat).any():
        raise DataError("TL0490", "the witness holds a number that is not a finite binary32 number")
    if point.size != _size(graph):
        shapes = ", ".join(str(graph.types[name].shape) for name in graph.inputs)
        wanted = f"input has shape {shapes}" if len(graph.inputs) == 1 else f"inputs have shapes {shapes}"
        raise DataError("TL0490", f"the witness has {point.size} numbers, the model's {wanted}")
    return point


def _reference(stored: WitnessFile, witness: Witness, graph: Graph) -> Context:
    prop = stored.prop
    outputs = sum(graph.types[name].size for name in graph.outputs)
    if isinstance(prop, StoredClaim):
        return prop.unsafe(_size(graph), outputs)
    if isinstance(prop, VnnlibProperty):
        unsafe, _ = load_unsafe_set(prop.file, prop.file.name)
        if (unsafe.inputs, unsafe.outputs) != (_size(graph), outputs):
            raise DataError("TL0490", f"{prop.file.name} does not fit the model")
        return unsafe
    if not isinstance(prop, RobustnessProperty):
        return None
    shape = graph.types[graph.inputs[0]].shape
    data = load_dataset(prop.data, shape[1:] if len(shape) > 1 else shape)
    check_labels(data.labels, graph.types[graph.outputs[0]].size, prop.data)
    if witness.index is None or not 0 <= witness.index < len(data):
        raise DataError("TL0490", "the witness names no row of the data file")
    values = data.inputs[witness.index].reshape(-1)
    return Reference(tuple(Fraction(float(value)) for value in values), int(data.labels[witness.index]))


def _short(value: Fraction) -> str:
    text = str(value)
    return text if len(text) <= 24 else f"{float(value):.17g} (rounded)"


def _first(outputs: Sequence[str]) -> str:
    """The first outputs, and how many more there are."""
    rest = len(outputs) - _MOST_SHOWN
    return " ".join(outputs[:_MOST_SHOWN]) + (f" ... and {rest} more" if rest > 0 else "")


def text_of(stored: WitnessFile, result: ReplayResult, most: int = 3) -> Sequence[str]:
    """The result in lines, not yet escaped: the first `most` witnesses in full."""
    same = "unchanged" if result.same_model else f"changed: found on {stored.model_sha256}"
    lines = [f"property {stored.id}", f"model    {stored.model_path} sha256 {result.sha256} ({same})"]
    lines += [f"raw      {words(step)}" for step in stored.preprocess]
    if stored.other is not None:
        lines.append(f"to       {stored.other.path} found on sha256 {stored.other.sha256}")
    for replay in result.replays[:most]:
        where = "" if replay.index is None else f" near input {replay.index} of the data"
        region = "inside" if replay.inside else "OUTSIDE"
        lines += ["", f"witness{where}: {region} the region"]
        for execution in replay.executions:
            answer = execution.violation or "the property holds here"
            lines += [f"  {execution.name}: {answer}", f"    outputs {_first(execution.outputs)}"]
    refuting = sum(replay.refutes for replay in result.replays)
    lines += ["", f"{refuting} of {len(result.replays)} witnesses still refute the property"]
    return lines
