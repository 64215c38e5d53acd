"""What lowering accepts, fixes, folds, and refuses with every reason listed."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import lowered, model, runtime_outputs

from pytest_torchlean.errors import ModelError, UnsupportedError
from pytest_torchlean.evaluator import run
from pytest_torchlean.ir.printer import print_graph


def refusal(proto: onnx.ModelProto) -> UnsupportedError:
    with pytest.raises(UnsupportedError) as caught:
        lowered(proto)
    return caught.value


def one(op: str, inputs: list[str] | None = None, **attributes: object) -> list[onnx.NodeProto]:
    return [helper.make_node(op, inputs or ["x"], ["z"], name="it", **attributes)]


def test_every_offending_node_is_listed() -> None:
    nodes = [
        helper.make_node("RandomNormalLike", ["x"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="fine"),
        helper.make_node("GridSample", ["b", "b"], ["c"], name="second"),
        helper.make_node(
            "Scaler", ["c"], ["d"], domain="ai.onnx.ml", name="third", offset=[0.0], scale=[1.0]
        ),
        helper.make_node(
            "BatchNormalization", ["d", "w", "w", "w", "w"], ["e"], name="fourth", training_mode=1
        ),
        helper.make_node("RandomUniformLike", ["e"], ["z"], name="fifth"),
    ]
    proto = model(nodes, {"x": [1, 2, 4]}, ["z"], {"w": np.ones(2, dtype=np.float32)}, 15)
    proto.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
    problem = refusal(proto)
    lines = str(problem).splitlines()[1:]
    assert problem.code == "TL0201"
    assert [line.split("'")[1] for line in lines] == ["first", "second", "third", "fourth", "fifth"]
    assert "RandomNormalLike, opset 15" in lines[0]
    assert "ai.onnx.ml.Scaler, opset 3" in lines[2]
    assert "training_mode" in lines[3]


@pytest.mark.parametrize("opset", [6, 29, 1000])
def test_opsets_outside_the_range_are_refused(opset: int) -> None:
    problem = refusal(model(one("Relu"), {"x": [1]}, ["z"], opset=opset))
    assert problem.code == "TL0202"
    assert f"opset {opset}" in str(problem)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_weights_of_another_precision_are_refused_by_name(dtype: type) -> None:
    problem = refusal(
        model(one("Add", ["x", "half\tweight"]), {"x": [2]}, ["z"], {"half\tweight": np.ones(2, dtype)})
    )
    assert problem.code == "TL0201"
    assert f"'half\\tweight' is {np.dtype(dtype).name}" in str(problem)


def test_inputs_of_another_kind_are_refused_by_name() -> None:
    proto = model(one("Relu"), {"x": [1]}, ["z"])
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    problem = refusal(proto)
    assert problem.code == "TL0203"
    assert "'x' is float64" in str(problem)


def test_only_the_first_dimension_may_be_symbolic() -> None:
    problem = refusal(model(one("Relu"), {"x": ["n", 3, "width"]}, ["z"]))
    assert problem.code == "TL0203"
    assert "axis 2" in str(problem)
    assert "'width'" in str(problem)
    graph = lowered(model(one("Relu"), {"x": ["n", 3]}, ["z"]))
    assert graph.free_batch
    assert graph.types["z"].shape == (1, 3)
    assert not lowered(model(one("Relu"), {"x": [2, 3]}, ["z"])).free_batch


def test_an_input_without_a_shape_is_refused() -> None:
    proto = model(one("Relu"), {"x": [1]}, ["z"])
    proto.graph.input[0].type.tensor_type.ClearField("shape")
    assert refusal(proto).code == "TL0203"


def test_a_shape_computed_at_run_time_is_refused() -> None:
    nodes = [helper.make_node("Cast", ["x"], ["s"], to=7), helper.make_node("Reshape", ["x", "s"], ["z"])]
    problem = str(refusal(model(nodes, {"x": [2]}, ["z"])))
    assert "the target shape 's' is computed at run time" in problem


@pytest.mark.parametrize("opset", [9, 13, 21])
def test_the_shape_arithmetic_of_exporters_is_folded(opset: int) -> None:
    axes = {"axes": [0]} if opset < 13 else {}
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"], axis=0),
        helper.make_node("Cast", ["n"], ["n32"], to=6),
        helper.make_node("Cast", ["n32"], ["n64"], to=7),
        helper.make_node("Unsqueeze", ["n64"] if axes else ["n64", "first"], ["column"], **axes),
        helper.make_node("Concat", ["column", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["z"]),
    ]
    weights = {"zero": np.array(0), "first": np.array([0]), "rest": np.array([-1])}
    proto = model(nodes, {"x": ["n", 3, 2]}, ["z"], weights, opset)
    x = np.arange(6, dtype=np.float32).reshape(1, 3, 2)
    graph = lowered(proto)
    assert [node.op for node in graph.nodes] == ["Reshape"]
    assert not graph.constants
    assert (
        run(graph, {"x": x})[0].tolist()
        == runtime_outputs(proto, {"x": x})[0].tolist()
        == [[0, 1, 2, 3, 4, 5]]
    )


@pytest.mark.parametrize(("start", "end"), [(0, 2), (1, 9), (-2, 3), (-9, -1), (2, 1)])
def test_a_shape_may_be_sliced(start: int, end: int) -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["s"], start=start, end=end),
        helper.make_node("Concat", ["s", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["z"]),
    ]
    proto = model(nodes, {"x": [2, 3, 2]}, ["z"], {"rest": np.array([-1])}, 15)
    x = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    assert lowered(proto).types["z"].shape == runtime_outputs(proto, {"x": x})[0].shape


def test_what_is_given_twice_is_refused() -> None:
    weights = {"w": np.float32([1, 2])}
    twice = model(one("Add", ["x", "w"]), {"x": [2]}, ["z"], weights)
    twice.graph.initializer.append(twice.graph.initializer[0])
    with pytest.raises(ModelError, match="same name"):
        lowered(twice)
    twice = model(one("Add", ["x", "w"]), {"x": [2]}, ["z"], weights)
    twice.opset_import.append(helper.make_opsetid("ai.onnx", 14))
    assert refusal(twice).code == "TL0202"
    twice = model(one("Flatten", axis=0), {"x": [2, 3]}, ["z"])
    twice.graph.node[0].attribute.append(helper.make_attribute("axis", 1))
    assert "attribute twice" in str(refusal(twice))
    twice = model([*one("Relu"), *one("Identity")], {"x": [2]}, ["z"])
    with pytest.raises(ModelError, match="defined 2 times"):
        lowered(twice)


def test_a_sparse_weight_is_refused_by_name() -> None:
    proto = model(one("Add", ["x", "w"]), {"x": [2]}, ["z"])
    values = helper.make_tensor("w", TensorProto.FLOAT, [1], [3.0])
    indices = helper.make_tensor("at", TensorProto.INT64, [1], [1])
    proto.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [2]))
    assert "'w' is sparse" in str(refusal(proto))


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        (one("Reshape", ["x", "shape"]), "does not fit"),
        (one("Flatten", axis=9), "out of range"),
        (one("Transpose", perm=[0, 0]), "permutation"),
        (one("Concat", axis=5), "out of range"),
        (one("MatMul", ["x", "w"]), "matrix product"),
        (one("Add", ["x", "w"]), "broadcast"),
        (one("Conv", ["x", "w"]), "rank"),
        (one("AveragePool", kernel_shape=[2]), "kernel_shape"),
        (one("Squeeze", ["x", "axes"]), "extent 1"),
        (one("Slice", ["x", "axes", "shape"]), "differ in length"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason(nodes: list[onnx.NodeProto], reason: str) -> None:
    weights = {
        "w": np.ones((7, 5), dtype=np.float32),
        "shape": np.array([5, -1]),
        "axes": np.array([0]),
    }
    assert reason in str(refusal(model(nodes, {"x": [2, 3]}, ["z"], weights)))


@pytest.mark.parametrize(
    ("nodes", "shape"),
    [
        (one("Slice", ["x", "last", "most", "axis", "back"]), [1, 1, 4, 4]),
        (one("Slice", ["x", "before", "first", "axis", "back"]), [1, 1, 4, 4]),
        (one("Squeeze", ["x", "none"]), [1, 1, 4, 4]),
        (one("AveragePool", kernel_shape=[2, 2], dilations=[1, 3], auto_pad="SAME_UPPER"), [1, 1, 4, 4]),
        (one("AveragePool", kernel_shape=[2, 2], ceil_mode=1, auto_pad="VALID"), [1, 1, 4, 4]),
        (
            one(
                "AveragePool",
                kernel_shape=[1, 3],
                strides=[4, 2],
                ceil_mode=1,
                count_include_pad=1,
                auto_pad="SAME_UPPER",
            ),
            [1, 1, 8, 2],
        ),
        (
            one(
                "AveragePool", kernel_shape=[2, 2], strides=[1, 4], count_include_pad=1, auto_pad="SAME_LOWER"
            ),
            [1, 1, 4, 4],
        ),
    ],
)
def test_what_runtimes_read_differently_is_refused(nodes: list[onnx.NodeProto], shape: list[int]) -> None:
    weights = {
        "last": np.array([-1]),
        "before": np.array([-7]),
        "first": np.array([0]),
        "most": np.array([2**63 - 1]),
        "axis": np.array([3]),
        "back": np.array([-1]),
        "none": np.array([], dtype=np.int64),
    }
    assert "read differently" in str(refusal(model(nodes, {"x": shape}, ["z"], weights, 19)))


def test_dropout_in_training_and_a_used_mask_are_refused() -> None:
    node = helper.make_node("Dropout", ["x", "ratio", "training"], ["z"])
    weights = {"ratio": np.float32(0.5), "training": np.array(True)}
    assert "training_mode is true" in str(refusal(model([node], {"x": [3]}, ["z"], weights)))
    masked = [
        helper.make_node("Dropout", ["x"], ["y", "mask"]),
        helper.make_node("Identity", ["mask"], ["z"]),
    ]
    assert "mask" in str(refusal(model(masked, {"x": [3]}, ["z"], opset=10)))
    graph = lowered(model(masked, {"x": [3]}, ["z"]))
    assert run(graph, {"x": np.ones(3, np.float32)})[0].tolist() == [True, True, True]
    unused = [helper.make_node("Dropout", ["x"], ["z", "mask"])]
    assert len(lowered(model(unused, {"x": [3]}, ["z"])).nodes) == 1


def test_a_function_defined_in_the_model_has_the_meaning_of_its_body() -> None:
    proto = model([helper.make_node("Relu", ["x"], ["z"], domain="own")], {"x": [1]}, ["z"])
    body = [helper.make_node("Neg", ["a"], ["b"])]
    proto.functions.append(helper.make_function("own", "Relu", ["a"], ["b"], body, proto.opset_import))
    proto.opset_import.append(helper.make_opsetid("own", 1))
    assert [node.op for node in lowered(proto).nodes] == ["Neg"]


@pytest.mark.parametrize(
    ("domain", "op"),
    [("", "Relu"), ("ai.onnx", "Relu"), ("ai.onnx.ml", "Scaler"), ("com.microsoft", "Gelu")],
)
def test_a_function_with_the_name_of_an_operator_is_refused(domain: str, op: str) -> None:
    """onnxruntime runs its own operator, not the function's body."""
    proto = model([helper.make_node(op, ["x"], ["z"], domain=domain)], {"x": [1]}, ["z"])
    body = [helper.make_node("Neg", ["a"], ["b"])]
    proto.functions.append(helper.make_function(domain, op, ["a"], ["b"], body, proto.opset_import))
    if domain not in ("", "ai.onnx"):
        proto.opset_import.append(helper.make_opsetid(domain, 1))
    assert "runtimes run an operator of theirs" in str(refusal(proto))


def test_a_function_that_calls_itself_is_refused() -> None:
    proto = model([helper.make_node("F", ["x"], ["z"], name="start", domain="own")], {"x": [1]}, ["z"])
    body = [helper.make_node("F", ["a"], ["b"], domain="own")]
    opsets = [helper.make_opsetid("own", 1)]
    proto.functions.append(helper.make_function("own", "F", ["a"], ["b"], body, opsets))
    proto.opset_import.append(helper.make_opsetid("own", 1))
    problem = str(refusal(proto))
    assert "'start' (own.F, opset 1): in it" in problem
    assert "inside each other" in problem


def test_a_refusal_inside_a_function_names_the_way_there() -> None:
    proto = model([helper.make_node("F", ["x"], ["z"], name="outer", domain="own")], {"x": [1]}, ["z"])
    body = [helper.make_node("RandomNormalLike", ["a"], ["b"], name="inner")]
    proto.functions.append(helper.make_function("own", "F", ["a"], ["b"], body, proto.opset_import))
    proto.opset_import.append(helper.make_opsetid("own", 1))
    problem = str(refusal(proto))
    assert "'outer' (own.F, opset 1): in it, node 'inner' (RandomNormalLike, opset 13)" in problem


def test_attributes_reach_the_body_of_a_function() -> None:
    proto = model([helper.make_node("F", ["x"], ["z"], domain="own", slope=0.5)], {"x": [1]}, ["z"])
    leaky = helper.make_node("LeakyRelu", ["a"], ["b"])
    reference = leaky.attribute.add(name="alpha", type=onnx.AttributeProto.FLOAT)
    reference.ref_attr_name = "slope"
    function = helper.make_function("own", "F", ["a"], ["b"], [leaky], proto.opset_import, ["slope"])
    proto.functions.append(function)
    proto.opset_import.append(helper.make_opsetid("own", 1))
    (node,) = lowered(proto).nodes
    assert (node.op, node.attribute("alpha")) == ("LeakyRelu", 0.5)
    del proto.graph.node[0].attribute[:]
    (node,) = lowered(proto).nodes
    assert node.attribute("alpha") == float(np.float32(0.01))


def test_values_too_large_to_hold_are_refused() -> None:
    proto = model(one("Add", ["x", "y"]), {"x": [1, 2**20], "y": [2**20, 1]}, ["z"])
    assert "elements" in str(refusal(proto))


def test_initialisers_that_are_also_inputs_keep_their_value() -> None:
    proto = model(one("Add", ["x", "w"]), {"x": [2], "w": [2]}, ["z"], {"w": np.float32([1, 2])})
    graph = lowered(proto)
    assert graph.inputs == ("x",)
    assert run(graph, {"x": np.float32([1, 1])})[0].tolist() == [2.0, 3.0]


def test_several_inputs_and_outputs_scalars_and_pass_through() -> None:
    nodes = [
        helper.make_node("Add", ["x", "y"], ["sum"]),
        helper.make_node("Mul", ["sum", "two"], ["double"]),
        helper.make_node("Exp", ["x"], ["unused"]),
    ]
    outputs = ["double", "sum", "x", "two"]
    proto = model(nodes, {"x": [], "y": [3], "spare": [1]}, outputs, {"two": np.float32(2)})
    inputs = {"x": np.array(1.5, dtype=np.float32), "y": np.float32([1, 2, 3]), "spare": np.float32([0])}
    graph = lowered(proto)
    assert graph.inputs == ("x", "y", "spare")
    assert [node.op for node in graph.nodes] == ["Add", "Mul"]
    for own, answer in zip(run(graph, inputs), runtime_outputs(proto, inputs), strict=True):
        assert own.shape == answer.shape
        assert own.tobytes() == answer.tobytes()


def test_only_data_movement_of_constants_is_folded() -> None:
    nodes = [
        helper.make_node("Transpose", ["w"], ["wt"]),
        helper.make_node("Identity", ["wt"], ["same"]),
        helper.make_node("Add", ["same", "same"], ["twice"]),
        helper.make_node("MatMul", ["x", "twice"], ["z"]),
    ]
    weights = np.arange(6, dtype=np.float32).reshape(2, 3)
    graph = lowered(model(nodes, {"x": [1, 3]}, ["z"], {"w": weights}))
    assert [node.op for node in graph.nodes] == ["Add", "MatMul"]
    assert list(graph.constants) == ["same"]
    assert graph.constants["same"].tolist() == weights.T.tolist()


def test_weights_keep_their_bits() -> None:
    weights = np.array([0x80000000, 1, 0x7F7FFFFF, 0x00800000], dtype=np.uint32).view(np.float32)
    graph = lowered(model(one("Add", ["x", "w"]), {"x": [4]}, ["z"], {"w": weights}))
    assert graph.constants["w"].tobytes() == weights.tobytes()


def test_names_stay_opaque_and_print_safely() -> None:
    hostile = ["x\x1b]0;owned\x07", "w\r\n::error::", "z\u202e\\'", "a" * 500]
    nodes = [
        helper.make_node("Add", [hostile[0], hostile[1]], [hostile[2]]),
        helper.make_node("Relu", [hostile[2]], [hostile[3]]),
    ]
    proto = model(nodes, {hostile[0]: [2]}, [hostile[3]], {hostile[1]: np.float32([1, 2])})
    graph = lowered(proto)
    assert graph.inputs == (hostile[0],)
    text = print_graph(graph)
    assert all(line.isprintable() for line in text.splitlines())
    assert max(map(len, text.splitlines())) < 400
    proto.graph.node[1].op_type = "Hardmax2"
    proto.graph.node[1].name = "n\x1b[0m\n"
    message = str(refusal(proto))
    assert all(line.isprintable() for line in message.splitlines())
    assert len(message.splitlines()) == 2


def test_an_empty_name_at_which_the_runtime_crashes_is_refused() -> None:
    proto = model(one("LayerNormalization", ["x", "w", ""]), {"x": [1, 4], "w": [4]}, ["z"], opset=17)
    assert "empty name" in str(refusal(proto))
