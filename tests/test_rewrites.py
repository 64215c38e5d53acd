"""Which rewrites of onnxruntime a claim about every binary32 execution covers."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_models import model

from pytest_torchlean.differential.rewrites import not_covered, other_formula, runtime_line
from pytest_torchlean.errors import RuntimeFailure

RNG = np.random.default_rng(0)


def weights(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def convolution(*more: onnx.NodeProto, **values: np.ndarray) -> onnx.ModelProto:
    nodes = [helper.make_node("Conv", ["x", "k", "b"], ["h"], pads=[1, 1, 1, 1]), *more]
    return model(
        nodes, {"x": [1, 3, 8, 8]}, [nodes[-1].output[0]],
        {"k": weights(5, 3, 3, 3), "b": weights(5), **values},
    )  # fmt: skip


def line(proto: onnx.ModelProto) -> str:
    return runtime_line(proto.SerializeToString())


COVERED = {
    "nothing-to-rewrite": model(
        [helper.make_node("Gemm", ["x", "w"], ["z"], transB=1)], {"x": [1, 4]}, ["z"], {"w": weights(3, 4)}
    ),
    "relu-into-gemm-and-bias-into-matmul": model(
        [
            helper.make_node("MatMul", ["x", "w"], ["h"]),
            helper.make_node("Add", ["h", "b"], ["a"]),
            helper.make_node("Relu", ["a"], ["r"]),
            helper.make_node("Gemm", ["r", "v"], ["z"]),
        ],
        {"x": [1, 4]}, ["z"], {"w": weights(4, 3), "b": weights(3), "v": weights(3, 2)},
    ),
    "blocked-layout": convolution(
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("AveragePool", ["r"], ["z"], kernel_shape=[2, 2]),
    ),
    "leaky-relu-into-conv": convolution(helper.make_node("LeakyRelu", ["h"], ["z"], alpha=0.125)),
    "normalisation-of-the-input-stays": model(
        [
            helper.make_node("Sub", ["x", "m"], ["a"]),
            helper.make_node("Div", ["a", "d"], ["c"]),
            helper.make_node("Gemm", ["c", "w"], ["z"], transB=1),
        ],
        {"x": [1, 4]}, ["z"], {"m": weights(4), "d": np.float32(0.3), "w": weights(3, 4)},
    ),
}  # fmt: skip

NOT_COVERED = {
    "residual-into-conv": (
        convolution(
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Conv", ["r", "k2"], ["g"], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["g", "r"], ["z"]),
        k2=weights(5, 5, 3, 3),
    ),
        "adds a computed value inside",
    ),
    "computed-summand-into-matmul": (
        model(
            [
                helper.make_node("MatMul", ["x", "w"], ["h"]),
                helper.make_node("Relu", ["y"], ["r"]),
                helper.make_node("Add", ["h", "r"], ["z"]),
            ],
            {"x": [1, 8], "y": [1, 3]}, ["z"], {"w": weights(8, 3)},
        ),
        "adds a computed value inside Gemm",
    ),
    "batch-normalization-into-conv": (
        convolution(
            helper.make_node("BatchNormalization", ["h", "s", "c", "m", "v"], ["z"]),
            s=weights(5), c=weights(5), m=weights(5), v=np.abs(weights(5)),
        ),
        "folds BatchNormalization away",
    ),
    "factor-into-conv": (
        convolution(helper.make_node("Mul", ["h", "s"], ["z"]), s=weights(1, 5, 1, 1)),
        "folds Mul away",
    ),
    "factor-into-matmul": (
        model(
            [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Mul", ["h", "c"], ["z"])],
            {"x": [1, 4]}, ["z"], {"w": weights(4, 3), "c": np.float32(0.1)},
        ),
        "folds a factor into",
    ),
    "constants-computed": (
        model(
            [
                helper.make_node("Add", ["u", "w"], ["v"]),
                helper.make_node("Gemm", ["x", "v"], ["z"], transB=1),
            ],
            {"x": [1, 4]}, ["z"], {"u": weights(3, 4), "w": weights(3, 4)},
        ),
        "anew",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COVERED)
def test_reorderings_are_covered(name: str) -> None:
    assert line(COVERED[name]).startswith("covered")


@pytest.mark.parametrize("name", NOT_COVERED)
def test_new_arithmetic_is_named(name: str) -> None:
    proto, why = NOT_COVERED[name]
    found = line(proto)
    assert found.startswith("unoptimised session only: ")
    assert why in found


def changed(proto: onnx.ModelProto, name: str, array: np.ndarray) -> bytes:
    other = onnx.ModelProto()
    other.CopyFrom(proto)
    for tensor in other.graph.initializer:
        if tensor.name == name:
            tensor.CopyFrom(numpy_helper.from_array(array, name))
    return bytes(other.SerializeToString())


def test_weights_count_up_to_their_order_and_zeros_and_no_further() -> None:
    table = weights(3, 4)
    proto = model([helper.make_node("Gemm", ["x", "w"], ["z"], transB=1)], {"x": [1, 4]}, ["z"], {"w": table})
    stored = proto.SerializeToString()
    assert not_covered(stored, changed(proto, "w", table[::-1].copy())) == ()
    assert not_covered(stored, changed(proto, "w", np.pad(table, ((0, 5), (0, 0))))) == ()
    bumped = table.copy()
    bumped[0, 0] = np.nextafter(bumped[0, 0], np.float32(9))
    assert "'w' anew" in not_covered(stored, changed(proto, "w", bumped))[0]
    assert not_covered(stored, changed(proto, "w", -table)) != ()
    assert not_covered(stored, changed(proto, "w", table[:2].copy())) != ()


@pytest.mark.parametrize("operator", ["Gelu", "Sigmoid", "com.microsoft.QuickGelu"])
def test_an_operator_that_the_file_does_not_have_is_named(operator: str) -> None:
    proto = COVERED["nothing-to-rewrite"]
    other = onnx.ModelProto()
    other.CopyFrom(proto)
    domain, _, op = operator.rpartition(".")
    other.graph.node.append(helper.make_node(op, ["z"], ["y"], domain=domain))
    assert not_covered(proto.SerializeToString(), other.SerializeToString()) == (
        f"the optimiser introduces {operator}",
    )


def test_an_approximated_activation_in_a_kernel_is_named() -> None:
    proto = COVERED["nothing-to-rewrite"]
    other = onnx.ModelProto()
    other.CopyFrom(proto)
    other.graph.node[0].attribute.append(helper.make_attribute("activation", "Tanh"))
    (why,) = not_covered(proto.SerializeToString(), other.SerializeToString())
    assert "puts Tanh into Gemm" in why


def test_a_refused_model_is_an_error() -> None:
    with pytest.raises(RuntimeFailure):
        runtime_line(b"no model")


def normalized(op: str) -> bytes:
    inputs = ["x", "s"]
    node = helper.make_node(op, inputs, ["z"], axis=-1)
    opset = 23 if op == "RMSNormalization" else 17
    return model([node], {"x": [1, 4]}, ["z"], {"s": weights(4)}, opset=opset).SerializeToString()


@pytest.mark.parametrize("version", ["1.18.0", "1.26.0", "1.9.0", "1.26.0.dev20260101", ""])
def test_a_layer_normalization_of_another_formula_is_not_covered(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """onnxruntime before 1.27 gives NaN for four numbers near 90 that differ by 0.01."""
    stored = normalized("LayerNormalization")
    assert "mean square less the square of the mean" in str(other_formula(stored, version))
    assert other_formula(normalized("RMSNormalization"), version) is None
    monkeypatch.setattr("pytest_torchlean.differential.rewrites.runtime_version", lambda: version)
    assert runtime_line(stored).startswith("not covered: LayerNormalization of onnxruntime")


@pytest.mark.parametrize("version", ["1.27.0", "1.31.1", "2.0.0", "1.100.0+cpu"])
def test_a_layer_normalization_in_two_passes_is_covered(version: str) -> None:
    assert other_formula(normalized("LayerNormalization"), version) is None


@pytest.mark.parametrize(("op", "opset"), [("InstanceNormalization", 17), ("GroupNormalization", 21)])
def test_a_normalization_of_channels_is_of_another_formula_in_every_version(op: str, opset: int) -> None:
    """Numbers near 90 that differ by 0.01 show it."""
    attributes = {"num_groups": 2} if op == "GroupNormalization" else {}
    node = helper.make_node(op, ["x", "s", "b"], ["z"], **attributes)
    values = {"s": weights(4), "b": weights(4)}
    stored = model([node], {"x": [1, 4, 3]}, ["z"], values, opset=opset).SerializeToString()
    for version in ("1.18.0", "1.27.0", "2.0.0"):
        assert f"{op} of onnxruntime" in str(other_formula(stored, version))
    assert runtime_line(stored).startswith(f"not covered: {op} of onnxruntime")
