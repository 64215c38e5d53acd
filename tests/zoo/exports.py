"""Classic bugs of exports: the file is well-formed, and says something else than the trained model."""

from __future__ import annotations

import math

import numpy as np
import onnx
from onnx import helper

from zoo.specimen import Array, Specimen, built, random

FAMILY = "Bugs of exports"
RECORDED = "is no output of this graph"


def softmax(x: Array, axis: int | tuple[int, ...]) -> Array:
    """In binary64, rounded."""
    grown = np.exp(x.astype(np.float64) - x.max(axis=axis, keepdims=True))
    return (grown / grown.sum(axis=axis, keepdims=True)).astype(np.float32)


def softmax_model(axis: int, opset: int) -> onnx.ModelProto:
    node = helper.make_node("Softmax", ["x"], ["y"], axis=axis)
    return built([node], {"x": ["n", 3, 4]}, opset=opset, shape=["n", 3, 4])


# --- normalisations -----------------------------------------------------------------------------------

_BATCH = {"s": random(1, 3), "b": random(2, 3), "m": random(3, 3), "v": np.abs(random(4, 3))}


def batch_normalization(**attributes: object) -> onnx.ModelProto:
    node = helper.make_node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], **attributes)
    if attributes.get("training_mode"):
        node.output.extend(["mean", "variance"])
    return built([node], {"x": ["n", 3, 2]}, _BATCH, shape=["n", 3, 2])


def batch_statistics() -> onnx.ModelProto:
    """Statistics of the batch itself, as an export in training mode unrolls them."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[0, 2]),
        helper.make_node("Sub", ["x", "mean"], ["d"]),
        helper.make_node("Mul", ["d", "d"], ["q"]),
        helper.make_node("ReduceMean", ["q"], ["var"], axes=[0, 2]),
        helper.make_node("Add", ["var", "eps"], ["safe"]),
        helper.make_node("Sqrt", ["safe"], ["root"]),
        helper.make_node("Div", ["d", "root"], ["unit"]),
        helper.make_node("Mul", ["unit", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["y"]),
    ]
    columns = {"scale": _BATCH["s"].reshape(3, 1), "bias": _BATCH["b"].reshape(3, 1), "eps": np.float32(1e-5)}
    return built(nodes, {"x": ["n", 3, 2]}, columns, shape=["n", 3, 2])


def inference(x: Array) -> Array:
    """BatchNormalization by the trained statistics."""
    s, b, m, v = (_BATCH[name].astype(np.float64).reshape(3, 1) for name in "sbmv")
    return ((x - m) / np.sqrt(v + 1e-5) * s + b).astype(np.float32)


def layer_normalization(epsilon: float) -> onnx.ModelProto:
    node = helper.make_node("LayerNormalization", ["x", "s"], ["y"], epsilon=epsilon)
    return built([node], {"x": ["n", 8]}, {"s": np.ones(8, np.float32)}, shape=["n", 8])


def layer(x: Array, epsilon: float) -> Array:
    wide = x.astype(np.float64)
    distance = wide - wide.mean(-1, keepdims=True)
    return (distance / np.sqrt((distance**2).mean(-1, keepdims=True) + epsilon)).astype(np.float32)


# --- images -------------------------------------------------------------------------------------------


def resized(way: str) -> onnx.ModelProto:
    node = helper.make_node(
        "Resize", ["x", "", "", "sizes"], ["y"], mode="linear", coordinate_transformation_mode=way
    )
    return built([node], {"x": ["n", 1, 4]}, {"sizes": np.array([1, 1, 7])}, shape=["n", 1, 7])


def corners(x: Array) -> Array:
    """Four elements at seven places from the first to the last."""
    found = [np.interp(np.linspace(0, 3, 7), np.arange(4), row[0]) for row in x]
    return np.array(found, dtype=np.float32)[:, None]


_KERNEL = random(9, 2, 3, 1, 1)


def pointwise(perm: list[int]) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Transpose", ["x"], ["moved"], perm=perm),
        helper.make_node("Conv", ["moved", "w"], ["y"]),
    ]
    return built(nodes, {"x": ["n", 3, 3, 3]}, {"w": _KERNEL}, shape=["n", 2, 3, 3])


def channels_last(x: Array) -> Array:
    """A convolution of one pixel over the last axis."""
    wide = x.astype(np.float64) @ _KERNEL[:, :, 0, 0].T.astype(np.float64)
    return np.moveaxis(wide, -1, 1).astype(np.float32)


def untransposed() -> onnx.ModelProto:
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    return built([node], {"x": ["n", 5, 5, 3]}, {"w": _KERNEL}, shape=["n", 2, 5, 3])


# --- numbers ------------------------------------------------------------------------------------------


def squared_steps() -> onnx.ModelProto:
    """The square of a number of samples, in int32."""
    nodes = [
        helper.make_node("Cast", ["x"], ["steps"], to=int(onnx.TensorProto.INT32)),
        helper.make_node("Mul", ["steps", "steps"], ["square"]),
        helper.make_node("Cast", ["square"], ["y"], to=int(onnx.TensorProto.FLOAT)),
    ]
    return built(nodes, {"x": ["n", 2]}, shape=["n", 2])


def gelu(approximate: str) -> onnx.ModelProto:
    node = helper.make_node("Gelu", ["x"], ["y"], approximate=approximate)
    return built([node], {"x": ["n", 4]}, opset=20, shape=["n", 4])


def exact_gelu(x: Array) -> Array:
    return np.array([v / 2 * (1 + math.erf(v / math.sqrt(2))) for v in x.reshape(-1).tolist()],
                    dtype=np.float32).reshape(x.shape)  # fmt: skip


_DENSE = {"w": np.float32([[0.5, -0.25], [0.25, 0.5]]), "b": np.float32([2.0, 2.0])}


def dense(bias: bool) -> onnx.ModelProto:
    names = ["x", "w", "b"] if bias else ["x", "w"]
    weights = _DENSE if bias else {"w": _DENSE["w"]}
    return built([helper.make_node("Gemm", names, ["y"])], {"x": [1, 2]}, weights, shape=[1, 2])


_ROWS = random(5, 4, 3, 4)
_PIXELS = random(6, 2, 3, 3, 3)
_SMALL = (0.01 * random(7, 3, 8)).astype(np.float32)
_LARGE = (1000 * random(7, 3, 8)).astype(np.float32)
_LINE = random(8, 3, 1, 4)
_MIXED = random(10, 3, 3, 2)
_AROUND = np.float32([[-2, -1, 1, 2]])
_POINTS = random(11, 3, 2)

SPECIMENS = (
    Specimen(
        FAMILY,
        "Softmax over the wrong axis",
        "axis 1 instead of the last",
        lambda: softmax_model(1, 17),
        "DIVERGENT",
        RECORDED,
        inputs=_ROWS,
        outputs=softmax(_ROWS, -1),
    ),
    Specimen(
        FAMILY,
        "Softmax over the wrong axis, no recording",
        "the same file",
        lambda: softmax_model(1, 17),
        "AGREED",
        "no difference",
        inputs=_ROWS,
        blind="onnxruntime runs the file's axis, and nothing else says which was meant",
    ),
    Specimen(
        FAMILY,
        "Softmax of opset 11 stamped 13",
        "before 13 the axis cuts the shape in two halves and all axes behind it share one sum",
        lambda: softmax_model(1, 13),
        "DIVERGENT",
        RECORDED,
        inputs=_ROWS,
        outputs=softmax(_ROWS, (1, 2)),
    ),
    Specimen(
        FAMILY,
        "Softmax of opset 11 kept at 11",
        "nothing: the same node, read by its own version",
        lambda: softmax_model(1, 11),
        "AGREED",
        "no difference",
        inputs=_ROWS,
        outputs=softmax(_ROWS, (1, 2)),
    ),
    Specimen(
        FAMILY,
        "BatchNormalization with training_mode",
        "the operator is left in training mode",
        lambda: batch_normalization(training_mode=1),
        "UNSUPPORTED",
        "training_mode is set; only inference is supported",
    ),
    Specimen(
        FAMILY,
        "BatchNormalization by the batch",
        "statistics of the batch itself instead of the trained ones",
        batch_statistics,
        "DIVERGENT",
        RECORDED,
        inputs=_MIXED,
        outputs=inference(_MIXED),
    ),
    Specimen(
        FAMILY,
        "LayerNormalization epsilon, small inputs",
        "1e-3 instead of 1e-5",
        lambda: layer_normalization(1e-3),
        "DIVERGENT",
        RECORDED,
        inputs=_SMALL,
        outputs=layer(_SMALL, 1e-5),
    ),
    Specimen(
        FAMILY,
        "LayerNormalization epsilon, large inputs",
        "the same file",
        lambda: layer_normalization(1e-3),
        "AGREED",
        "no difference",
        inputs=_LARGE,
        outputs=layer(_LARGE, 1e-5),
        blind="a variance near 1e6 hides both; record inputs of small variance",
    ),
    Specimen(
        FAMILY,
        "Resize without align_corners",
        "half_pixel instead of align_corners",
        lambda: resized("half_pixel"),
        "DIVERGENT",
        RECORDED,
        inputs=_LINE,
        outputs=corners(_LINE),
    ),
    Specimen(
        FAMILY,
        "Resize with align_corners",
        "nothing",
        lambda: resized("align_corners"),
        "AGREED",
        "no difference",
        inputs=_LINE,
        outputs=corners(_LINE),
    ),
    Specimen(
        FAMILY,
        "NHWC read as NCHW, square",
        "the wrong transposition before a convolution, and every shape fits",
        lambda: pointwise([0, 1, 2, 3]),
        "DIVERGENT",
        RECORDED,
        inputs=_PIXELS,
        outputs=channels_last(_PIXELS),
    ),
    Specimen(
        FAMILY,
        "NHWC read as NCHW",
        "no transposition before a convolution",
        untransposed,
        "UNSUPPORTED",
        "do not fit group 1",
    ),
    Specimen(
        FAMILY,
        "int32 overflows in Mul",
        "50000 squared is taken as int32; the framework had int64",
        squared_steps,
        "DIVERGENT",
        RECORDED,
        inputs=np.float32([[3, 50000]]),
        outputs=np.float32([[9, 2.5e9]]),
    ),
    Specimen(
        FAMILY,
        "Gelu approximation swapped",
        "tanh instead of the error function",
        lambda: gelu("tanh"),
        "DIVERGENT",
        RECORDED,
        inputs=_AROUND,
        outputs=exact_gelu(_AROUND),
    ),
    Specimen(
        FAMILY,
        "Gelu by the error function",
        "nothing",
        lambda: gelu("none"),
        "AGREED",
        "no difference",
        inputs=_AROUND,
        outputs=exact_gelu(_AROUND),
    ),
    Specimen(
        FAMILY,
        "dropped bias, recorded",
        "Gemm has lost its third input",
        lambda: dense(False),
        "DIVERGENT",
        RECORDED,
        inputs=_POINTS,
        outputs=(_POINTS.astype(np.float64) @ _DENSE["w"] + 2.0).astype(np.float32),
    ),
    Specimen(
        FAMILY,
        "dropped bias, by a range",
        "the same file",
        lambda: dense(False),
        "REFUTED",
        "below",
        check="check: range, input: {lower: 0, upper: 1}, output: {lower: 1, upper: 3}",
    ),
    Specimen(
        FAMILY,
        "bias kept, by a range",
        "nothing",
        lambda: dense(True),
        "PROVED",
        "the outputs stay within",
        check="check: range, input: {lower: 0, upper: 1}, output: {lower: 1, upper: 3}",
    ),
)
