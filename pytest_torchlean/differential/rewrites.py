"""Which of onnxruntime's rewrites keep every result within the stored graph's binary32 executions.

A claim about every binary32 execution of the stored graph covers a rewritten graph where the rewrites only
reorder sums or move data: blocked layouts, activations computed in the same kernel, a bias added by the
kernel, constants moved. It does not cover new arithmetic: a normalisation or a factor folded into weights
(an initialiser that the file does not hold), an approximated activation, a scale as an attribute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.errors import RuntimeFailure
from pytest_torchlean.ir.names import printable
from pytest_torchlean.runtime import RuntimeNode, nodes_of, optimised_model, runtime_version, weights_of

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
_SUMMAND: Mapping[str, int] = {
    "Gemm": 2,
    "com.microsoft.FusedGemm": 2,
    "com.microsoft.FusedConv": 3,
    "com.microsoft.nchwc.Conv": 3,
}
"""Which input of an operator is added to its sums; a convolution's bias is part of the sum by definition."""
_EXACT_ACTIVATIONS = frozenset({"", "Relu", "LeakyRelu", "Clip"})
"""Activations inside a kernel that the stored graph also has, each one or no rounding."""
_FOLDED = ("BatchNormalization", "Mul", "Div", "Sub", "LayerNormalization", "InstanceNormalization")
"""Operators whose arithmetic the optimiser may fold away."""
_TWO_PASSES = (1, 27)
"""The first onnxruntime whose LayerNormalization subtracts the mean before it squares. Those before take the
mean square less the square of the mean, which cancels: far from 0 their results are others, or not numbers.
"""

_OTHER_FORMULAS: Mapping[str, str] = {
    "InstanceNormalization": "adds bias - mean * factor to the input times the factor, which cancels",
    "GroupNormalization": "takes the variance as the mean square less the square of the mean, which cancels",
}
"""Operators whose kernels, or functions, have another formula than ONNX's definition in every version."""


def runtime_line(model: bytes) -> str:
    """The ledger's line: "covered", with what is rewritten, "unoptimised session only" and why, or "not
    covered" where no session of this onnxruntime computes what the theorem speaks of.

    Raises RuntimeFailure TL0702 where onnxruntime refuses the model.
    """
    try:
        running = optimised_model(model)
    except RuntimeFailure as error:
        if error.code == "TL0702":
            raise
        return "unoptimised session only: onnxruntime does not show its optimised graph"
    if why := other_formula(model, runtime_version()):
        return f"not covered: {why}"
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
    before = nodes_of(stored)
    ops, left = _labels(stored), _labels(running)
    weights, moved = weights_of(stored), weights_of(running)
    reasons = [reason for node in nodes_of(running) if (reason := _new_arithmetic(node, before, ops))]
    constants = {name for name, _ in weights}
    fixed = constants | {name for name, _ in moved}
    reasons += [reason for node in nodes_of(running) if (reason := _new_summand(node, before, fixed))]
    reasons += [
        f"the optimiser folds {name} away"
        for name in _FOLDED
        if left[name] < ops[name] and not _only_constants(before, name, constants)
    ]
    known = {_content(array) for _, array in weights}
    reasons += [
        f"the optimiser computes the weights {printable(name)[:60]!r} anew"
        for name, array in moved
        if _content(array) not in known
    ]
    return tuple(dict.fromkeys(reasons))


def other_formula(stored: bytes, version: str) -> str | None:
    """Why a kernel of this version of onnxruntime is no execution of its operator, or None."""
    labels = {node.label for node in nodes_of(stored)}
    for label, formula in _OTHER_FORMULAS.items():
        if label in labels:
            return f"{label} of onnxruntime {formula}"
    release = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if release >= _TWO_PASSES or "LayerNormalization" not in labels:
        return None
    return (
        f"LayerNormalization of onnxruntime {printable(version)} takes the variance as the mean square less "
        "the square of the mean; that of 1.27 and later is covered"
    )


def _new_arithmetic(node: RuntimeNode, before: Sequence[RuntimeNode], ops: Counter[str]) -> str | None:
    activation = str(node.attribute("activation") or "")
    if activation not in _EXACT_ACTIVATIONS or (activation and not _has_activation(ops, activation)):
        return f"the optimiser puts {printable(activation)} into {printable(node.label)}"
    if node.label in _SAME_SUMS:
        if not any(ops[name] for name in _SAME_SUMS[node.label] | {node.label}):
            return f"the optimiser introduces {printable(node.label)}"
        scales = _scales(node)
        if scales and not any(_scales(other) >= scales for other in before if other.label == "Gemm"):
            return f"the optimiser folds a factor into {printable(node.label)}"
        return None
    if ops[node.label] or node.label in _MOVEMENT or (node.label == "Clip" and ops["Relu"]):
        return None
    return f"the optimiser introduces {printable(node.label)}"


def _new_summand(node: RuntimeNode, before: Sequence[RuntimeNode], fixed: set[str]) -> str | None:
    """A computed value added inside a kernel: the kernel may start its sums from it, which the stored graph,
    where it is added to the finished sum, does not do."""
    place = _SUMMAND.get(node.label)
    if place is None or len(node.inputs) <= place or not node.inputs[place]:
        return None
    summand = node.inputs[place]
    own = any(
        other.label == node.label and len(other.inputs) > place and other.inputs[place] == summand
        for other in before
    )
    if own or summand in fixed:
        return None
    return f"the optimiser adds a computed value inside {printable(node.label)}"


def _has_activation(ops: Counter[str], activation: str) -> bool:
    return bool(ops[activation]) or (activation == "Clip" and bool(ops["Relu"]))


def _scales(node: RuntimeNode) -> set[float | str]:
    found = (node.attribute(name) for name in ("alpha", "beta"))
    return {value for value in found if value is not None} - {1.0}


def _only_constants(nodes: Sequence[RuntimeNode], name: str, constants: set[str]) -> bool:
    """Whether every node of this operator works on constants, whose results are compared as weights."""
    return all(set(filter(None, node.inputs)) <= constants for node in nodes if node.label == name)


def _content(array: NDArray[np.float32]) -> bytes:
    """A tensor's binary32 patterns up to their order and zeros, as a blocked layout keeps them."""
    patterns = np.ascontiguousarray(array).reshape(-1).view(np.uint32)
    return bytes(np.sort(patterns[patterns & np.uint32(0x7FFFFFFF) != 0]).tobytes())


def _labels(model: bytes) -> Counter[str]:
    return Counter(node.label for node in nodes_of(model))
