"""Relu: element-wise max(x, 0). ONNX Relu since opset 6.

-0 stays -0 and NaN stays NaN, as onnxruntime has it; the result is a selection, so never rounded.
"""

from __future__ import annotations

import numpy as np

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.linear import ReluStep, Step
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Enclosures,
    OpRule,
    Prepared,
    Types,
    array,
    enclosed,
    exactly_rounded,
    floats,
    same_float,
)


def _evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x = floats(inputs[0])
    return (np.where(x < 0, np.float32(0), x),)


def _prepare(node: Node, types: Types, constants: Arrays) -> Prepared:
    from pytest_torchlean.binary32 import loops

    def run(inputs: Arrays) -> tuple[Array, ...]:
        x = np.ascontiguousarray(floats(inputs[0]))
        result = np.empty_like(x)
        loops.rectify(x.reshape(-1), result.reshape(-1))
        return (result.reshape(array(inputs[0]).shape),)

    return run


def _step(node: Node, graph: Graph) -> Step | str:
    return ReluStep(node.inputs[0])


def _enclose(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    x = enclosed(inputs[0])
    return (x.maximum(x.constant(0.0)),)


RULES = {
    "Relu": OpRule(same_float, _evaluate, exactly_rounded, _step, enclose=_enclose, prepare=_prepare),
}
