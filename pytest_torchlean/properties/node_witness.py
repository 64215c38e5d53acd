"""The first divergent node in a file: what it was given and what came out, so that exactly it can run again.

A file lies beside those of other witnesses. Numbers are stored by their bytes, so that every bit returns.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential import Divergence
from pytest_torchlean.differential.alone import Alone, run_and_judge
from pytest_torchlean.differential.nodes import divergence
from pytest_torchlean.differential.probes import candidates_at
from pytest_torchlean.errors import DataError
from pytest_torchlean.files import write_atomically
from pytest_torchlean.ir.graph import Graph, ValueType
from pytest_torchlean.ir.names import printable
from pytest_torchlean.ir.wellformed import DTYPES
from pytest_torchlean.onnx_import import LoadedModel, load_model, lower
from pytest_torchlean.onnx_import.extension_operators import Operators
from pytest_torchlean.onnx_import.single import SingleNode
from pytest_torchlean.plaindata import from_plain, to_plain
from pytest_torchlean.runtime import RuntimeSession, SessionSettings
from pytest_torchlean.spec.paths import resolve_inside, shown

Array = NDArray[np.generic]

SCHEMA = "torchlean.node-witness/1"
FOLDER = ".torchlean/witnesses"
MOST_BYTES = 2**24
"""Bytes of inputs that a file may hold; larger ones are not written."""


@dataclass(frozen=True)
class StoredArray:
    """An array: dtype name, shape, and its little-endian bytes in base64."""

    dtype: str
    shape: tuple[int, ...]
    data: str


@dataclass(frozen=True)
class NodeWitness:
    """A divergence with the node's inputs. `level` is the optimisation level, `shapes` those of the model's
    inputs; `allowed` is a decimal. The other fields are those of a Divergence."""

    schema: str
    model_path: str
    model_sha256: str
    shapes: Mapping[str, tuple[int, ...]]
    session: str
    level: str
    probe: str
    sample: int
    op: str
    label: str
    source: str
    value: str
    element: int
    runtime: str
    expected: str
    ulps: int | None
    allowed: str | None
    integers: bool
    inputs: Mapping[str, StoredArray]


@dataclass(frozen=True)
class NodeReplay:
    """The node run again. `diverges` says whether it still does."""

    same_model: bool
    lines: tuple[str, ...]
    diverges: bool


def write_node_witness(
    found: Divergence, model: LoadedModel, graph: Graph, root: Path, stem: str
) -> str | None:
    """Write a divergence's witness; its path relative to `root`, or None where none is written.

    None without the node's inputs, for inputs beyond `MOST_BYTES`, or where the file system refuses.
    """
    size = sum(value.nbytes for value in found.inputs.values())
    folder = root / FOLDER
    if not found.inputs or size > MOST_BYTES or not folder.resolve().is_relative_to(root.resolve()):
        return None
    witness = NodeWitness(
        schema=SCHEMA,
        model_path=shown(model.path, root),
        model_sha256=model.sha256,
        shapes={name: graph.types[name].shape for name in graph.inputs},
        session=found.session,
        level=found.level,
        probe=found.probe,
        sample=found.sample,
        op=found.op,
        label=found.label or found.op,
        source=found.source,
        value=found.value,
        element=found.element,
        runtime=found.runtime,
        expected=found.expected,
        ulps=found.ulps,
        allowed=None if found.allowed is None else repr(float(found.allowed)),
        integers=found.integers,
        inputs={name: _stored(value) for name, value in found.inputs.items()},
    )
    target = folder / f"{stem}--node.json"
    try:
        write_atomically(target, (json.dumps(to_plain(witness), indent=1) + "\n").encode())
        ignore = root / ".torchlean" / ".gitignore"
        if not ignore.exists():
            write_atomically(ignore, b"*\n")
    except (OSError, ValueError):
        return None
    return target.relative_to(root).as_posix()


def node_witness_of(plain: Any) -> NodeWitness:
    """The witness that plain data describe. Raises ValueError where they do not."""
    return from_plain(NodeWitness, plain)


def is_node_witness(plain: Any) -> bool:
    """Whether plain data are meant as the witness of a node."""
    return isinstance(plain, dict) and plain.get("schema") == SCHEMA


def replay_node(witness: NodeWitness, root: Path, operators: Operators | None = None) -> NodeReplay:
    """Run the node on onnxruntime and on the evaluator. Raises TorchleanError where it cannot run."""
    model = load_model(resolve_inside(witness.model_path, base=root, root=root), root=root)
    model = replace(model, operators=operators or {})
    graph = lower(model, shapes=witness.shapes)
    inputs = {name: _array(stored) for name, stored in witness.inputs.items()}
    plain = SessionSettings("none")

    def opened(data: bytes) -> RuntimeSession:
        return RuntimeSession(data, settings=plain)

    single, types = _node(witness, model, graph, opened)
    if set(inputs) != set(single.inputs):
        raise DataError("TL0490", "the witness's inputs are not those of the node it names")
    kinds = {name: ValueType(value.dtype.name, value.shape) for name, value in inputs.items()}
    alone = Alone(single, {**types, **kinds}, opened)
    meaning, session = alone.with_integers if witness.integers else (alone.graph, alone.session)
    lines, diverges = [], False
    for judged in run_and_judge(
        session,
        meaning,
        inputs,
        single.outputs,
        finished_sums=single.finished_sums,
        by_kind=witness.probe == "special",
        label=single.label,
    ):
        count = int(judged.outcome.wrong.sum())
        lines.append(f"  output of {judged.node.op}: {count} of {judged.outcome.wrong.size} elements diverge")
        if count:
            again = divergence(judged.outcome, judged.runtime, judged.node, "", 0, judged.output)
            allowed = "the bits are fixed" if again.allowed is None else f"allowed {again.allowed:.6g}"
            distance = "NaN" if again.ulps is None else f"{again.ulps} ulp"
            lines.append(
                f"    element {again.element}: onnxruntime {again.runtime}, evaluator {again.expected} "
                f"({distance}; {allowed})"
            )
            diverges = True
    return NodeReplay(model.sha256 == witness.model_sha256, tuple(lines), diverges)


def text_of_node(witness: NodeWitness, result: NodeReplay) -> list[str]:
    """What was found and what the node gives now, in lines, not yet escaped."""
    same = "unchanged" if result.same_model else f"changed: found on {witness.model_sha256}"
    where = f"probe by {witness.probe}" if witness.probe else f"sample {witness.sample}"
    shapes = ", ".join(
        f"{name} {stored.dtype}{list(stored.shape)}" for name, stored in witness.inputs.items()
    )
    return [
        f"node     {witness.label} '{witness.source}' giving '{witness.value}', {witness.session}",
        f"model    {witness.model_path} ({same})",
        f"inputs   {shapes} ({where})",
        f"found    element {witness.element}: onnxruntime {witness.runtime}, evaluator {witness.expected}",
        "now",
        *result.lines,
        "the node still diverges" if result.diverges else "the node agrees now",
    ]


def _node(
    witness: NodeWitness, model: LoadedModel, graph: Graph, opened: Any
) -> tuple[SingleNode, Mapping[str, ValueType]]:
    for single, types in candidates_at(witness.level, model, graph, opened):
        if isinstance(single, SingleNode) and witness.value in map(printable, single.outputs):
            return single, types
    for single, types in candidates_at("none", model, graph, opened):
        if isinstance(single, SingleNode) and witness.value in map(printable, single.outputs):
            return single, types
    raise DataError("TL0490", f"no node of the model gives {witness.value!r}")


def _stored(value: Array) -> StoredArray:
    plain = np.ascontiguousarray(value)
    little = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
    return StoredArray(value.dtype.name, tuple(value.shape), base64.b64encode(little.tobytes()).decode())


def _array(stored: StoredArray) -> Array:
    """Raises DataError TL0490 where the bytes are not those of an array of this type."""
    if stored.dtype not in DTYPES or any(extent < 0 for extent in stored.shape):
        raise DataError("TL0490", "the witness holds an array of an unknown type")
    dtype = np.dtype(stored.dtype)
    try:
        data = base64.b64decode(stored.data, validate=True)
    except ValueError:
        raise DataError("TL0490", "the witness holds an array that is not base64") from None
    if len(data) != math.prod(stored.shape) * dtype.itemsize:
        raise DataError("TL0490", "the witness holds an array whose bytes do not fit its shape")
    return np.frombuffer(data, dtype=dtype.newbyteorder("<")).astype(dtype).reshape(stored.shape)
