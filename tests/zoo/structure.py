"""Operators and options of onnxruntime, and of ONNX's reference, that differ from the standard."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.reference
from onnx import helper

from zoo.rounding import answer
from zoo.specimen import Specimen, built, random

FAMILY = "Operators, options and references"


def unpool(extent: int) -> onnx.ModelProto:
    node = helper.make_node("MaxUnpool", ["x", "places", "shape"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
    weights = {"places": np.array([[[[5, 7], [13, 15]]]]), "shape": np.array([1, 1, extent, extent])}
    return built([node], {"x": [1, 1, 2, 2]}, weights, opset=11, shape=[1, 1, extent, extent])


def shrunk() -> onnx.ModelProto:
    node = helper.make_node(
        "Resize", ["x", "", "scales"], ["y"], mode="linear", coordinate_transformation_mode="align_corners"
    )
    return built([node], {"x": [1, 1, 2, 4]}, {"scales": np.float32([1, 1, 0.6, 0.6])}, shape=[1, 1, 1, 2])


def nearest() -> onnx.ModelProto:
    node = helper.make_node(
        "Resize",
        ["x", "", "scales"],
        ["y"],
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )
    return built([node], {"x": [1, 12]}, {"scales": np.float32([1, 1 / 3])}, shape=[1, 4])


_STATISTICS = {"s": random(1, 3), "b": random(2, 3), "m": random(3, 3), "v": np.abs(random(4, 3))}


def normalised(opset: int) -> onnx.ModelProto:
    node = helper.make_node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"])
    return built([node], {"x": [1, 3, 4]}, _STATISTICS, opset=opset, shape=[1, 3, 4])


def reference_is_off() -> bool:
    """onnx.reference against onnxruntime, far beyond rounding."""
    x = random(5, 1, 3, 4)
    proto = normalised(9)
    (found,) = onnx.reference.ReferenceEvaluator(proto).run(None, {"x": x})
    return bool(np.abs(found - answer(proto, x)).max() > 1e-4)


def relu() -> onnx.ModelProto:
    return built([helper.make_node("Relu", ["x"], ["y"])], {"x": ["n", 4]}, shape=["n", 4])


_FLUSHING = """
import onnxruntime
from zoo.structure import relu
options = onnxruntime.SessionOptions()
options.add_session_config_entry("session.set_denormal_as_zero", "1")
onnxruntime.InferenceSession(relu().SerializeToString(), options, providers=["CPUExecutionProvider"])
"""

SPECIMENS = (
    Specimen(
        FAMILY,
        "MaxUnpool with a larger output_shape",
        "places count in the output_shape, against ONNX's node test test_maxunpool_export_with_output_shape",
        lambda: unpool(5),
        "DIVERGENT",
        "first divergent node: MaxUnpool",
    ),
    Specimen(
        FAMILY,
        "MaxUnpool with the shape it leads back to",
        "nothing",
        lambda: unpool(4),
        "AGREED",
        "no difference",
    ),
    Specimen(
        FAMILY,
        "Resize linear, align_corners, smaller",
        "ONNX's node tests place the corners by scale times length, "
        "1.2, where the text says the resized length, 1",
        shrunk,
        "AGREED",
        "no difference",
    ),
    Specimen(
        FAMILY,
        "Resize nearest, scale 1/3",
        "the rounding of 3 / (1/3) decides between the elements 8 and 9",
        nearest,
        "UNSUPPORTED",
        "decides which element is nearest",
    ),
    Specimen(
        FAMILY,
        "BatchNormalization at opset 9",
        "onnx.reference is off by far more than rounding; onnxruntime is right",
        lambda: normalised(9),
        "AGREED",
        "no difference",
        fact=reference_is_off,
    ),
    *(
        Specimen(
            FAMILY,
            f"set_denormal_as_zero, then {kind}",
            "in the first session of a process it makes numpy and later sessions flush subnormals",
            relu,
            "ERROR",
            "a subnormal result becomes zero",
            check=check,
            before=_FLUSHING,
        )
        for kind, check in (
            ("a runtime check", "check: runtime, samples: 8"),
            ("a proof", "check: range, input: {lower: -1, upper: 1}, output: {lower: 0, upper: 1}"),
        )
    ),
)
