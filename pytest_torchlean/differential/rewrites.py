"""Which of onnxruntime's rewrites keep every result within the stored graph's binary32 executions.

A claim about every binary32 execution of the stored graph covers a rewritten graph where the rewrites only
reorder sums or move data: blocked layouts, activations computed in the same kernel, a bias added by the
kernel, constants moved. It does not cover new arithmetic: a normalisation or a factor folded into weights
(an initialiser that the file does not hold), an approximated activation, a scale as an attribute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.errors import RuntimeFailure
from pytest_torchlean.ir.names import printable
from pytest_torchlean.runtime import optimised_model

_MOVEMENT = frozenset(
    {
        "Concat", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Transpose",
        "Unsqueeze", "com.microsoft.nchwc.ReorderInput", "com.microsoft.nchwc.ReorderOutput",
    }
)  # fmt: skip
"""Operators that only move data: the optimiser may add them."""
_SAME_SUMS: Mapping[str, frozenset[str]] = {
    "Gemm": frozenset({"MatMul", "Gemm"}),
    "com.microsoft.FusedGemm": frozenset({"MatMul", "Gemm"}),
    "com.microsoft.FusedMatMul": frozenset({"MatMul"}),
    "com.microsoft.FusedConv": frozenset({"Conv"}),
    "com.microsoft.nchwc.Conv": frozenset({"Conv"}),
    "com.microsoft.nchwc.MaxPool": frozenset({"MaxPool"}),
    "com.microsoft.nchwc.AveragePool": frozenset({"AveragePool"}),
    "com.microsoft.nchwc.GlobalAveragePool": frozenset({"GlobalAveragePool"}),
    "com.microsoft.nchwc.GlobalMaxPool": frozenset({"GlobalMaxPool"}),
}
"""Operators that form the same sums as one of those named, in another order or layout."""
_EXACT_ACTIVATIONS = frozenset({"", "Relu", "LeakyRelu", "Clip"})
"""Activations inside a kernel that the stored graph also has, each one or no rounding."""
_FOLDED = ("BatchNormalization", "Mul", "Div", "Sub", "LayerNormalization", "InstanceNormalization")
"""Operators whose arithmetic the optimiser may fold away."""


def runtime_line(model: bytes) -> str:
    """The ledger's line: "covered", with what is rewritten, or "unoptimised session only" and why.

    Raises RuntimeFailure TL0702 where onnxruntime refuses the model.
    """
    try:
        running = optimised_model(model)
    except RuntimeFailure as error:
        if error.code == "TL0702":
            raise
        return "unoptimised session only: onnxruntime does not show its optimised graph"
    reasons = not_covered(model, running)
    if reasons:
        return f"unoptimised session only: {'; '.join(reasons[:3])}"
    new = _labels(running) - _labels(model)
    if not new:
        return "covered"
    listed = ", ".join(f"{name} x{count}" if count > 1 else name for name, count in sorted(new.items()))
    return f"covered: the optimiser introduces {listed}, which reorder sums and round as the stored graph may"


def not_covered(stored: bytes, running: bytes) -> tuple[str, ...]:
    """Why the running graph may compute what no execution of the stored one gives; empty where it cannot."""
    before, after = _graph(stored), _graph(running)
    ops = _labels(stored)
    reasons = [reason for node in after.node if (reason := _new_arithmetic(node, before, ops))]
    left = _labels(running)
    reasons += [
        f"the optimiser folds {name} away"
        for name in _FOLDED
        if left[name] < ops[name] and not _only_constants(before, name)
    ]
    known = Counter(map(_content, _tensors(before)))
    for name, array in ((tensor.name, _array(tensor)) for tensor in after.initializer):
        if array.dtype == np.float32 and _content((name, array)) not in known:
            reasons.append(f"the optimiser computes the weights {printable(name)[:60]!r} anew")
    return tuple(dict.fromkeys(reasons))


def _new_arithmetic(node: Any, before: Any, ops: Counter[str]) -> str | None:
    label = _label(node)
    attributes = {attribute.name: attribute for attribute in node.attribute}
    activation = attributes["activation"].s.decode("utf-8", "replace") if "activation" in attributes else ""
    if activation not in _EXACT_ACTIVATIONS or (activation and not _has_activation(ops, activation)):
        return f"the optimiser puts {printable(activation)} into {printable(label)}"
    scales = {attributes[name].f for name in ("alpha", "beta") if name in attributes} - {1.0}
    if label in _SAME_SUMS:
        if not any(ops[name] for name in _SAME_SUMS[label] | {label}):
            return f"the optimiser introduces {printable(label)}"
        if scales and not any(_scales(other) >= scales for other in before.node if _label(other) == "Gemm"):
            return f"the optimiser folds a factor into {printable(label)}"
        return None
    if ops[label] or label in _MOVEMENT:
        return None
    if label == "Clip" and ops["Relu"] + ops["Clip"]:
        return None
    return f"the optimiser introduces {printable(label)}"


def _has_activation(ops: Counter[str], activation: str) -> bool:
    return bool(ops[activation]) or (activation == "Clip" and bool(ops["Relu"]))


def _scales(node: Any) -> set[float]:
    return {attribute.f for attribute in node.attribute if attribute.name in ("alpha", "beta")} - {1.0}


def _only_constants(graph: Any, name: str) -> bool:
    """Whether every node of this operator works on constants, whose results are compared as weights."""
    constants = {tensor.name for tensor in graph.initializer}
    constants |= {out for node in graph.node if node.op_type == "Constant" for out in node.output}
    return all(set(filter(None, node.input)) <= constants for node in graph.node if _label(node) == name)


def _content(named: tuple[str, NDArray[np.generic]]) -> bytes:
    """A tensor's binary32 patterns up to their order and zeros, as a blocked layout keeps them."""
    _, array = named
    patterns = np.ascontiguousarray(array).astype(np.float32, copy=False).reshape(-1).view(np.uint32)
    return bytes(np.sort(patterns[patterns & np.uint32(0x7FFFFFFF) != 0]).tobytes())


def _tensors(graph: Any) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """The float32 tensors that the file stores."""
    stored = list(graph.initializer)
    stored += [
        attribute.t
        for node in graph.node
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.HasField("t")
    ]
    for tensor in stored:
        array = _array(tensor)
        if array.dtype == np.float32:
            yield tensor.name, array


def _array(tensor: Any) -> NDArray[np.generic]:
    import onnx

    return np.asarray(onnx.numpy_helper.to_array(tensor))


def _labels(model: bytes) -> Counter[str]:
    return Counter(_label(node) for node in _graph(model).node)


def _label(node: Any) -> str:
    return str(node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}")


def _graph(model: bytes) -> Any:
    import onnx

    return onnx.load_from_string(model).graph
