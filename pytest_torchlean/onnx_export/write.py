"""Write a graph as an ONNX model whose lowering is the same graph again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from pytest_torchlean.errors import ModelError, TorchleanError
from pytest_torchlean.ir.canonical import digest
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.onnx_export.table import OLDEST_OPSET, TABLE
from pytest_torchlean.onnx_import import LoadedModel, lower
from pytest_torchlean.onnx_import.table import NEWEST_OPSET
from pytest_torchlean.onnx_import.tensors import ELEMENT_TYPES

DEFAULT_OPSET = 20
_BATCH = "batch"


def to_onnx(graph: Graph, *, opset: int = DEFAULT_OPSET, folded: bool = True) -> bytes:
    """The graph as ONNX bytes; its values keep their names. Where `free_batch` is set, the first dimension of
    inputs, and of outputs where it is 1, is symbolic.

    The bytes are lowered again and must give the graph's digest. folded: whether the graph holds no node of
    constants alone, which lowering replaces by its value; if not, that is done first. ModelError TL0110 for
    an opset or operation that is not written, and where the digest differs.
    """
    if not OLDEST_OPSET <= opset <= NEWEST_OPSET:
        raise ModelError("TL0110", f"opset {opset} is outside the range {OLDEST_OPSET} to {NEWEST_OPSET}")
    lacking = sorted({node.op for node in graph.nodes if node.op not in TABLE})
    if lacking:
        raise ModelError("TL0110", f"no ONNX node is written for {', '.join(lacking)}")
    needed = {(node.op, TABLE[node.op].first_opset(node)) for node in graph.nodes}
    newer = sorted(f"{op} ({since})" for op, since in needed if since > opset)
    if newer:
        raise ModelError("TL0110", f"opset {opset} lacks operators of the graph: {', '.join(newer)}")
    data = _serialised(graph, opset)
    if not folded:
        graph = _lowered(data)
        data = _serialised(graph, opset)
    _require_same(graph, data)
    return data


def _serialised(graph: Graph, opset: int) -> bytes:
    tensors = {name: numpy_helper.from_array(value, name) for name, value in graph.constants.items()}
    constant = _constants(graph, tensors)
    nodes = [_node(node, graph, constant) for node in graph.nodes]
    proto = helper.make_graph(
        nodes,
        "graph",
        [_value(name, graph.types[name], graph.free_batch) for name in graph.inputs],
        [_value(name, graph.types[name], graph.free_batch) for name in graph.outputs],
        list(tensors.values()),
    )
    imports = [helper.make_opsetid("", opset)]
    version = helper.find_min_ir_version_for(imports)
    model = helper.make_model(
        proto, opset_imports=imports, ir_version=version, producer_name="pytest-torchlean"
    )
    try:
        return bytes(model.SerializeToString(deterministic=True))
    except ValueError as problem:
        raise ModelError("TL0110", f"the model is too large for one file: {problem}") from None


def _constants(graph: Graph, tensors: dict[str, onnx.TensorProto]) -> Callable[[NDArray[np.generic]], str]:
    def constant(value: NDArray[np.generic]) -> str:
        count = len(tensors)
        while (name := f"constant_{count}") in graph.types or name in tensors:
            count += 1
        tensors[name] = numpy_helper.from_array(value, name)
        return name

    return constant


def _node(node: Node, graph: Graph, constant: Callable[[NDArray[np.generic]], str]) -> onnx.NodeProto:
    written = TABLE[node.op].write(node, graph, constant)
    attributes = {key: _plain(value) for key, value in written.attributes.items()}
    return helper.make_node(written.op, written.inputs, node.outputs, name=node.source, **attributes)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _value(name: str, kind: ValueType, free_batch: bool) -> onnx.ValueInfoProto:
    shape: list[int | str] = list(kind.shape)
    if free_batch and shape[:1] == [1]:
        shape[0] = _BATCH
    return helper.make_tensor_value_info(name, ELEMENT_TYPES[kind.dtype], shape)


def _require_same(graph: Graph, data: bytes) -> None:
    """The bytes mean this graph and no other. Raises ModelError TL0110."""
    if digest(_lowered(data)) != digest(graph):
        raise ModelError("TL0110", "the written model does not give the graph again")


def _lowered(data: bytes) -> Graph:
    """What the bytes mean. Raises ModelError TL0110."""
    try:
        onnx.checker.check_model(data, full_check=True)
        return lower(LoadedModel(Path("exported.onnx"), data, ""))
    except TorchleanError as problem:
        raise ModelError("TL0110", f"the written model cannot be read: {problem.message}") from None
    except Exception as problem:
        raise ModelError("TL0110", f"the written model is not valid ONNX: {str(problem)[:300]}") from None
