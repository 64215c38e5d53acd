"""Max, Min, Clip, Abs, Neg, LeakyRelu, PRelu, MaxPool, Split and Gather, compared with onnxruntime."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx_models import assert_agrees, lowered, model, runtime_outputs
from test_onnx_lowering_runtime import cases, opsets, random_array, try_lowering, window_attributes, windows

from pytest_torchlean.errors import DataError, UnsupportedError
from pytest_torchlean.evaluator import run
from pytest_torchlean.ops.certifiability import step_of
from pytest_torchlean.runtime import RuntimeSession

SPECIAL = np.float32([0.0, -0.0, np.nan, 1, -1, np.inf, -np.inf, 1e-45, -1e-45, 3e38, -3e38])


def agrees_everywhere(proto, values: np.ndarray) -> None:
    """Zeros of both signs, infinities, NaN and subnormal numbers included; the sign of zero may differ."""
    graph = lowered(proto)
    (answer,), (own,) = runtime_outputs(proto, {"x": values}), run(graph, {"x": values})
    assert np.array_equal(own, answer, equal_nan=True)


@cases("Max", "Min")
@pytest.mark.parametrize(
    "shapes", [[(2, 3)], [(2, 3)] * 2, [(2, 3)] * 5, [(2, 1), (3,), (1, 1)], [(2, 3), ()]]
)
def test_extrema(op: str, opset: int, shapes: list[tuple[int, ...]]) -> None:
    inputs = {f"x{index}": random_array(index, *shape) for index, shape in enumerate(shapes)}
    shown = {name: value.shape for name, value in inputs.items()}
    proto = model([helper.make_node(op, list(inputs), ["z"])], shown, ["z"], opset=opset)
    if opset < 8 and len(set(shapes)) > 1:
        with pytest.raises(UnsupportedError, match="only from opset 8"):
            lowered(proto)
        return
    assert_agrees(proto, inputs)
    if len(shapes) > 1:
        constant = {"x1": inputs.pop("x1")}
        del shown["x1"]
        names = [f"x{index}" for index in range(len(shapes))]
        assert_agrees(model([helper.make_node(op, names, ["z"])], shown, ["z"], constant, opset), inputs)


@pytest.mark.parametrize("op", ["Max", "Min"])
def test_extrema_of_special_values(op: str) -> None:
    proto = model(
        [helper.make_node(op, ["x", "y"], ["z"])], {"x": [11, 1]}, ["z"], {"y": np.float32([1, 0, -2])}
    )
    agrees_everywhere(proto, SPECIAL.reshape(11, 1))


CLIPS = [(None, None), (-1.0, 1.0), (0.0, None), (None, 6.0), (1.0, -1.0), (-3.4028234663852886e38, 2.5)]


@cases("Clip")
@pytest.mark.parametrize(("lower", "upper"), CLIPS)
def test_clip(op: str, opset: int, lower: float | None, upper: float | None) -> None:
    limits = {"min": lower, "max": upper}
    given_limits = {name: np.float32(value) for name, value in limits.items() if value is not None}
    if opset < 11:
        node = helper.make_node(op, ["x"], ["z"], **{name: float(v) for name, v in given_limits.items()})
        weights = {}
        if lower is not None and upper is not None and lower > upper:
            with pytest.raises(UnsupportedError, match="above its upper bound"):
                lowered(model([node], {"x": [1]}, ["z"], opset=opset))
            return
    else:
        names = ["x", *(name if value is not None else "" for name, value in limits.items())]
        node, weights = helper.make_node(op, names, ["z"]), given_limits
    x = random_array(3, 3, 5)
    assert_agrees(model([node], {"x": x.shape}, ["z"], weights, opset), {"x": x})
    agrees_everywhere(model([node], {"x": SPECIAL.shape}, ["z"], weights, opset), SPECIAL)


def test_clip_between_computed_bounds() -> None:
    x, low = random_array(4, 7), np.float32(-0.25)
    proto = model([helper.make_node("Clip", ["x", "low"], ["z"])], {"x": [7], "low": []}, ["z"], opset=13)
    assert_agrees(proto, {"x": x, "low": np.asarray(low)})


def test_a_bound_of_several_numbers_is_refused() -> None:
    node = helper.make_node("Clip", ["x", "low"], ["z"])
    with pytest.raises(UnsupportedError, match="must be one number"):
        lowered(model([node], {"x": [2]}, ["z"], {"low": np.float32([1, 2])}))


@cases("Abs", "Neg")
def test_absolute_values_and_negation(op: str, opset: int) -> None:
    x = random_array(5, 2, 7)
    node = helper.make_node(op, ["x"], ["z"])
    assert_agrees(model([node], {"x": x.shape}, ["z"], opset=opset), {"x": x})
    agrees_everywhere(model([node], {"x": SPECIAL.shape}, ["z"], opset=opset), SPECIAL)


@cases("LeakyRelu")
@pytest.mark.parametrize("alpha", [None, 0.1, 0.0, 1.0, -0.3, 2.5])
def test_leaky_relu(op: str, opset: int, alpha: float | None) -> None:
    x = random_array(6, 4, 5)
    node = helper.make_node(op, ["x"], ["z"], **({} if alpha is None else {"alpha": alpha}))
    assert_agrees(model([node], {"x": x.shape}, ["z"], opset=opset), {"x": x})
    agrees_everywhere(model([node], {"x": SPECIAL.shape}, ["z"], opset=opset), SPECIAL)


@cases("PRelu")
@pytest.mark.parametrize("shape", [(1,), (3, 1, 1), (2, 3, 4, 5), (5,), ()])
def test_prelu(op: str, opset: int, shape: tuple[int, ...]) -> None:
    x, slope = random_array(7, 2, 3, 4, 5), random_array(8, *shape)
    slope = np.asarray(np.clip(slope, -3, 3), dtype=np.float32)
    node = helper.make_node(op, ["x", "slope"], ["z"])
    assert_agrees(model([node], {"x": x.shape}, ["z"], {"slope": slope}, opset), {"x": x})
    graph = assert_agrees(
        model([node], {"x": x.shape, "slope": shape}, ["z"], opset=opset), {"x": x, "slope": slope}
    )
    assert graph.nodes[0].op == "PRelu"


def test_a_slope_larger_than_the_operand_is_refused() -> None:
    node = helper.make_node("PRelu", ["x", "slope"], ["z"])
    with pytest.raises(UnsupportedError, match="does not broadcast"):
        lowered(model([node], {"x": [3]}, ["z"], {"slope": np.ones((2, 3), np.float32)}, 16))


@given(windows, st.sampled_from(opsets("MaxPool")), st.integers(1, 2), st.booleans())
@settings(deadline=None, max_examples=200)
def test_max_pool(shape, opset, batch, ceil) -> None:
    axes = shape["axes"]
    x = random_array(shape["seed"], batch, 2, *shape["extent"][:axes])
    attributes = window_attributes(shape, dilated=opset >= 10 and shape["auto_pad"] == "NOTSET")
    if opset >= 10 and shape["auto_pad"] == "NOTSET":
        attributes["ceil_mode"] = int(ceil)
    # onnxruntime wants every pad smaller than the kernel, and cannot skip input with auto_pad SAME
    if shape["auto_pad"].startswith("SAME"):
        assume(all(stride <= size for stride, size in zip(shape["stride"], shape["kernel"], strict=True)))
    kernel = [*shape["kernel"][:axes], *shape["kernel"][:axes]]
    assume(all(pad < size for pad, size in zip(attributes.get("pads", []), kernel, strict=False)))
    node = helper.make_node("MaxPool", ["x"], ["z"], **attributes)
    proto = model([node], {"x": x.shape}, ["z"], opset=opset)
    try_lowering(proto)
    assert_agrees(proto, {"x": x})


@cases("GlobalMaxPool")
@pytest.mark.parametrize("shape", [(1, 2, 5), (2, 3, 4, 5), (1, 2, 2, 3, 2)])
def test_global_max_pool(op: str, opset: int, shape: tuple[int, ...]) -> None:
    x = random_array(9, *shape)
    assert_agrees(model([helper.make_node(op, ["x"], ["z"])], {"x": shape}, ["z"], opset=opset), {"x": x})


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 2, 4, 5), (1, 2, 3, 4, 3)])
def test_max_pool_tells_where_the_first_of_the_largest_elements_lies(
    shape: tuple[int, ...], order: int
) -> None:
    axes = len(shape) - 2
    node = helper.make_node(
        "MaxPool",
        ["x"],
        ["z", "at"],
        kernel_shape=[2] * axes,
        pads=[1] * axes + [0] * axes,
        storage_order=order,
    )
    proto = model([node], {"x": shape}, ["z", "at"], opset=12)
    proto.graph.output[1].type.tensor_type.elem_type = TensorProto.INT64
    x = np.round(random_array(4, *shape) * 2)
    own = run(lowered(proto), {"x": x})
    for answer, value in zip(
        RuntimeSession(proto.SerializeToString(), False).run({"x": x}), own, strict=True
    ):
        assert (answer == value).all()


def unpooled(shape: list[int], places: np.ndarray) -> onnx.ModelProto:
    node = helper.make_node("MaxUnpool", ["x", "at", "shape"], ["z"], kernel_shape=[2, 2], strides=[2, 2])
    weights = {"at": places, "shape": np.array([1, 1, *shape])}
    return model([node], {"x": [1, 1, 2, 2]}, ["z"], weights, opset=11)


def test_max_unpool_counts_places_in_the_shape_that_the_kernel_leads_back_to() -> None:
    x = np.float32([[[[5, 6], [7, 8]]]])
    places = np.array([[[[5, 7], [13, 15]]]])
    same, larger = unpooled([4, 4], places), unpooled([5, 5], places)
    (own,) = assert_agrees(same, {"x": x}) and run(lowered(same), {"x": x})
    assert [own[0, 0, at // 4, at % 4] for at in (5, 7, 13, 15)] == [5, 6, 7, 8]
    (wide,) = run(lowered(larger), {"x": x})
    assert (wide[:, :, :4, :4] == own).all()
    assert not wide[:, :, 4:].any()
    (answer,) = RuntimeSession(larger.SerializeToString(), False).run({"x": x})
    assert (answer != wide).any()


def test_max_unpool_refuses_what_has_no_place() -> None:
    with pytest.raises(UnsupportedError, match="does not hold the unpooled"):
        lowered(unpooled([3, 4], np.zeros((1, 1, 2, 2), dtype=np.int64)))
    outside = np.array([[[[0, 1], [2, 16]]]])
    with pytest.raises(DataError, match="a place is out of range for 16 elements"):
        run(lowered(unpooled([4, 4], outside)), {"x": np.ones((1, 1, 2, 2), np.float32)})
    meeting = lowered(unpooled([4, 4], np.zeros((1, 1, 2, 2), dtype=np.int64)))
    assert "go to one place" in str(step_of(meeting.nodes[0], meeting))
    apart = lowered(unpooled([4, 4], np.arange(4).reshape(1, 1, 2, 2)))
    assert not isinstance(step_of(apart.nodes[0], apart), str)


def test_a_window_in_the_padding_is_refused() -> None:
    node = helper.make_node("MaxPool", ["x"], ["z"], kernel_shape=[2], pads=[2, 0])
    with pytest.raises(UnsupportedError, match="entirely in the padding"):
        lowered(model([node], {"x": [1, 1, 4]}, ["z"]))


@cases("Split")
@pytest.mark.parametrize(("axis", "sizes"), [(0, None), (1, [1, 4, 1]), (-1, [0, 4]), (1, [6])])
def test_split(op: str, opset: int, axis: int, sizes: list[int] | None) -> None:
    x = random_array(10, 4, 6, 4)
    outputs = [f"z{index}" for index in range(2 if sizes is None else len(sizes))]
    attributes: dict[str, object] = {"axis": axis}
    weights = {}
    names = ["x"]
    if sizes is not None and opset < 13:
        attributes["split"] = sizes
    elif sizes is not None:
        names, weights = ["x", "sizes"], {"sizes": np.array(sizes)}
    elif opset >= 18:
        attributes["num_outputs"] = 2
    proto = model(
        [helper.make_node(op, names, outputs, **attributes)], {"x": x.shape}, outputs, weights, opset
    )
    answers, own = runtime_outputs(proto, {"x": x}), run(lowered(proto), {"x": x})
    for answer, value in zip(answers, own, strict=True):
        assert answer.shape == value.shape
        assert answer.tobytes() == value.tobytes()


def test_split_into_unequal_parts() -> None:
    node = helper.make_node("Split", ["x"], ["a", "b", "c"], num_outputs=3)
    x = random_array(11, 8)
    proto = model([node], {"x": [8]}, ["a", "b", "c"], opset=18)
    answers, own = runtime_outputs(proto, {"x": x}), run(lowered(proto), {"x": x})
    assert [value.tolist() for value in own] == [value.tolist() for value in answers]
    assert [value.size for value in own] == [3, 3, 2]
    older = model([helper.make_node("Split", ["x"], ["a", "b", "c"])], {"x": [8]}, ["a", "b", "c"], opset=13)
    with pytest.raises(UnsupportedError, match="equal parts"):
        lowered(older)


def test_split_sizes_that_do_not_fit_are_refused() -> None:
    node = helper.make_node("Split", ["x", "sizes"], ["a", "b"])
    with pytest.raises(UnsupportedError, match="do not fit"):
        lowered(model([node], {"x": [5]}, ["a", "b"], {"sizes": np.array([2, 2])}))


def test_a_part_that_nothing_reads_is_left_out() -> None:
    node = helper.make_node("Split", ["x"], ["a", "b"])
    graph = lowered(model([node], {"x": [4]}, ["b"]))
    assert [node.outputs for node in graph.nodes] == [("b",)]


@cases("Gather")
@pytest.mark.parametrize(
    ("axis", "indices"), [(0, [1, 0, 1]), (1, [[2, 2], [0, 1]]), (-1, 3), (1, []), (2, [-1, -4])]
)
def test_gather(op: str, opset: int, axis: int, indices) -> None:
    x = random_array(12, 2, 3, 4)
    index = np.array(indices, dtype=np.int64)
    proto = model(
        [helper.make_node(op, ["x", "i"], ["z"], axis=axis)], {"x": x.shape}, ["z"], {"i": index}, opset
    )
    if opset < 11 and index.size and index.min() < 0:
        with pytest.raises(UnsupportedError, match="out of range"):
            lowered(proto)
        return
    assert_agrees(proto, {"x": x})


def test_gather_at_a_wrong_index_is_refused() -> None:
    node = helper.make_node("Gather", ["x", "i"], ["z"])
    with pytest.raises(UnsupportedError, match="out of range for extent 3"):
        lowered(model([node], {"x": [3]}, ["z"], {"i": np.array([3])}))
