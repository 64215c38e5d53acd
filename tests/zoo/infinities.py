"""What onnxruntime does with infinities, NaN and signed zeros that a model computes."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from zoo.rounding import answer
from zoo.specimen import Specimen, built

FAMILY = "Infinities, NaN and signed zeros in onnxruntime"


def masked(last: onnx.NodeProto, shape: tuple[int, ...], result: tuple[int, ...]) -> onnx.ModelProto:
    """Minus infinity where x is below 4, then a node that reads it as `z`."""
    nodes = [
        helper.make_node("Less", ["x", "four"], ["hidden"]),
        helper.make_node("Where", ["hidden", "far", "x"], ["z"]),
        last,
    ]
    weights = {"four": np.float32(4), "far": np.float32(-np.inf)}
    return built(nodes, {"x": shape}, weights, shape=result)


def one_axis() -> onnx.ModelProto:
    return masked(helper.make_node("MaxPool", ["z"], ["y"], kernel_shape=[3]), (1, 1, 8), (1, 1, 6))


def two_axes() -> onnx.ModelProto:
    return masked(helper.make_node("MaxPool", ["z"], ["y"], kernel_shape=[2, 2]), (1, 1, 2, 8), (1, 1, 1, 7))


def whole() -> onnx.ModelProto:
    return masked(helper.make_node("GlobalMaxPool", ["z"], ["y"]), (1, 2, 8), (1, 2, 1))


def roots(*nodes: onnx.NodeProto, result: tuple[int, ...]) -> onnx.ModelProto:
    """Square roots, of which the second is NaN."""
    return built([helper.make_node("Sqrt", ["x"], ["z"]), *nodes], {"x": ["n", 2]}, shape=["n", *result])


def arg_max() -> onnx.ModelProto:
    proto = roots(helper.make_node("ArgMax", ["z"], ["y"], axis=1, keepdims=0), result=())
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    return proto


def negative_zeros(op: str) -> onnx.ModelProto:
    nodes = [helper.make_node("Mul", ["x", "zero"], ["z"]), helper.make_node(op, ["z", "w"], ["y"])]
    weights = {
        "zero": np.float32(-0.0),
        "w": np.zeros(2, np.float32) if op == "Max" else np.eye(2, dtype=np.float32),
    }
    return built(nodes, {"x": ["n", 2]}, weights, shape=["n", 2])


def infinite(op: str, sign: float) -> onnx.ModelProto:
    """An infinity, the quotient of x and 0, then an activation."""
    nodes = [helper.make_node("Div", ["x", "zero"], ["z"]), helper.make_node(op, ["z"], ["y"])]
    return built(nodes, {"x": ["n", 2]}, {"zero": np.float32(sign * 0.0)}, shape=["n", 2])


_NEGATIVE = np.float32([[4, -1]])
_ONES = np.ones((1, 2), dtype=np.float32)
_LARGEST = np.finfo(np.float32).max
_BOXED = "check: runtime, samples: 8, input: {lower: 0, upper: 1}"
_UNCLAIMED = "nothing is claimed about them"

SPECIMENS = (
    Specimen(
        FAMILY,
        "MaxPool of minus infinity, one axis",
        "-3.4e38 instead of minus infinity",
        one_axis,
        "UNKNOWN",
        _UNCLAIMED,
        check=_BOXED,
        fact=lambda: bool((answer(one_axis(), np.ones((1, 1, 8), np.float32)) == -_LARGEST).all()),
        blind="where an element of a window is infinite nothing is claimed, because kernels differ",
    ),
    Specimen(
        FAMILY,
        "MaxPool of minus infinity, two axes",
        "this kernel keeps minus infinity",
        two_axes,
        "UNKNOWN",
        _UNCLAIMED,
        check=_BOXED,
        fact=lambda: bool(np.isneginf(answer(two_axes(), np.ones((1, 1, 2, 8), np.float32))).all()),
        blind="so optimised and unoptimised sessions may differ",
    ),
    Specimen(
        FAMILY,
        "GlobalMaxPool of minus infinity",
        "-3.4e38 instead of minus infinity",
        whole,
        "UNKNOWN",
        _UNCLAIMED,
        check=_BOXED,
        fact=lambda: bool((answer(whole(), np.ones((1, 2, 8), np.float32)) == -_LARGEST).all()),
        blind="where an element of a window is infinite nothing is claimed",
    ),
    Specimen(
        FAMILY,
        "ReduceMax drops NaN",
        "the largest of 2 and NaN is 2",
        lambda: roots(helper.make_node("ReduceMax", ["z"], ["y"], axes=[1], keepdims=0), result=()),
        "AGREED",
        _UNCLAIMED,
        inputs=_NEGATIVE,
        fact=lambda: (
            answer(
                roots(helper.make_node("ReduceMax", ["z"], ["y"], axes=[1], keepdims=0), result=()), _NEGATIVE
            )[0]
            == 2
        ),
        blind="where an operand is NaN nothing is claimed",
    ),
    Specimen(
        FAMILY,
        "ArgMax drops NaN",
        "the place of the largest of 2 and NaN is 0, here it is NaN's, 1",
        arg_max,
        "DIVERGENT",
        "first divergent node: ArgMax",
        inputs=_NEGATIVE,
    ),
    Specimen(
        FAMILY,
        "ThresholdedRelu of NaN",
        "0 instead of NaN",
        lambda: roots(helper.make_node("ThresholdedRelu", ["z"], ["y"]), result=(2,)),
        "DIVERGENT",
        "first divergent node: ThresholdedRelu",
        inputs=_NEGATIVE,
    ),
    Specimen(
        FAMILY,
        "Clip with a bound that is NaN",
        "the bound is ignored",
        lambda: built(
            [helper.make_node("Clip", ["x", "low"], ["y"])],
            {"x": ["n", 2]},
            {"low": np.float32(np.nan)},
            shape=["n", 2],
        ),
        "ERROR",
        "holds nan",
    ),
    Specimen(
        FAMILY,
        "Max of -0 and +0",
        "the second operand, whichever it is",
        lambda: negative_zeros("Max"),
        "AGREED",
        "Max",
        inputs=_ONES,
        blind="the sign of a zero is not compared where a choice or a sum gives it",
    ),
    Specimen(
        FAMILY,
        "MatMul of -0",
        "+0",
        lambda: negative_zeros("MatMul"),
        "AGREED",
        "MatMul",
        inputs=_ONES,
        fact=lambda: not np.signbit(answer(negative_zeros("MatMul"), _ONES)).any(),
        blind="the sign of a zero is not compared where a sum gives it",
    ),
    *(
        Specimen(
            FAMILY,
            f"{op} of {'minus ' * (sign < 0)}infinity",
            f"NaN instead of {limit}",
            lambda op=op, sign=sign: infinite(op, sign),
            "UNKNOWN",
            _UNCLAIMED,
            inputs=_ONES,
            fact=lambda op=op, sign=sign: bool(np.isnan(answer(infinite(op, sign), _ONES)).all()),
            blind="where an element is not finite nothing is claimed",
        )
        for op, sign, limit in (("HardSwish", -1.0, "-0"), ("Softsign", 1.0, "1"))
    ),
)
