"""Every operator and opset version: lowered, evaluated, and compared with onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx_models import assert_agrees, assert_same_bits, lowered, model, runtime_outputs

from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.evaluator import run
from pytest_torchlean.onnx_import.table import NEWEST_OPSET, OLDEST_OPSET, TABLE

NEWEST_RUNTIME_OPSET = 24


def opsets(op: str) -> list[int]:
    """One opset per operator version, the oldest supported one, and the newest of onnxruntime."""
    versions = {max(OLDEST_OPSET, version) for version in TABLE["", op].since}
    return sorted(v for v in versions | {NEWEST_RUNTIME_OPSET} if v <= NEWEST_RUNTIME_OPSET)


def random_array(seed: int, *shape: int) -> np.ndarray:
    """Numbers of mixed magnitude and sign, with zeros."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 3, shape)
    return np.where(rng.random(shape) < 0.1, 0.0, values).astype(np.float32)


def cases(*ops: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("op", "opset"), [(op, opset) for op in ops for opset in opsets(op)])


@cases("Add", "Sub", "Mul", "Div")
@pytest.mark.parametrize(
    ("left", "right"), [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 4)), ((2, 3), ()), ((), (2, 1, 3))]
)
def test_arithmetic(op: str, opset: int, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    x, y = random_array(1, *left), random_array(2, *right)
    node = helper.make_node(op, ["x", "y"], ["z"])
    if op != "Div":
        assert_agrees(model([node], {"x": left, "y": right}, ["z"], opset=opset), {"x": x, "y": y})
    constant = np.where(y == 0, np.float32(3.5), y)
    assert_agrees(model([node], {"x": left}, ["z"], {"y": constant}, opset), {"x": x})
    if op != "Div":
        assert_agrees(model([node], {"y": right}, ["z"], {"x": x}, opset), {"y": y})


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Relu"])
def test_special_values_have_the_runtimes_bits(op: str) -> None:
    special = np.array(
        [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 3e38, -3e38, 2.0**-149, -(2.0**-149), 2.0**-126],
        dtype=np.float32,
    )
    x, y = (part.reshape(-1).copy() for part in np.meshgrid(special, special))
    inputs = {"x": x} if op == "Relu" else {"x": x, "y": y}
    proto = model([helper.make_node(op, list(inputs), ["z"])], {name: x.shape for name in inputs}, ["z"])
    graph = lowered(proto)
    assert_same_bits(run(graph, inputs)[0], runtime_outputs(proto, inputs)[0])


@cases("Relu", "Identity")
def test_element_wise(op: str, opset: int) -> None:
    x = random_array(3, 2, 5)
    assert_agrees(model([helper.make_node(op, ["x"], ["z"])], {"x": x.shape}, ["z"], opset=opset), {"x": x})


@cases("MatMul")
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3, 4), (4, 2)),
        ((4,), (4, 2)),
        ((3, 4), (4,)),
        ((4,), (4,)),
        ((2, 3, 4), (4, 2)),
        ((3, 4), (2, 4, 5)),
        ((2, 1, 3, 4), (3, 4, 2)),
        ((2, 3, 4), (2, 4, 1)),
    ],
)
def test_matmul(op: str, opset: int, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    a, b = random_array(4, *left), random_array(5, *right)
    node = helper.make_node(op, ["a", "b"], ["z"])
    assert_agrees(model([node], {"a": left, "b": right}, ["z"], opset=opset), {"a": a, "b": b})
    assert_agrees(model([node], {"a": left}, ["z"], {"b": b}, opset), {"a": a})
    assert_agrees(model([node], {"b": right}, ["z"], {"a": a}, opset), {"b": b})


@cases("Gemm")
@pytest.mark.parametrize("trans", [(0, 0), (1, 0), (0, 1), (1, 1)])
@pytest.mark.parametrize("scales", [(1.0, 1.0), (0.3, 1.0), (1.0, -2.5), (0.7, 0.1)])
@pytest.mark.parametrize("bias", [(5,), (1, 5), (3, 1), (3, 5), (), (1,), None])
def test_gemm(op: str, opset: int, trans: tuple[int, int], scales: tuple[float, float], bias) -> None:
    if bias is None and opset < 11:
        return
    a = random_array(6, *((4, 3) if trans[0] else (3, 4)))
    b = random_array(7, *((5, 4) if trans[1] else (4, 5)))
    names = ["a", "b"] if bias is None else ["a", "b", "c"]
    node = helper.make_node(
        op, names, ["z"], transA=trans[0], transB=trans[1], alpha=scales[0], beta=scales[1]
    )
    values = {"a": a, "b": b, "c": random_array(8, *(bias or ()))}
    for variable in (["a"], ["b"], ["a", "c"], ["a", "b", "c"]):
        inputs = {name: values[name] for name in variable if name in names}
        weights = {name: values[name] for name in names if name not in inputs}
        shapes = {name: value.shape for name, value in inputs.items()}
        assert_agrees(model([node], shapes, ["z"], weights, opset), inputs)


windows = st.fixed_dictionaries(
    {
        "axes": st.integers(1, 3),
        "seed": st.integers(0, 2**16),
        "extent": st.lists(st.integers(1, 7), min_size=3, max_size=3),
        "kernel": st.lists(st.integers(1, 4), min_size=3, max_size=3),
        "stride": st.lists(st.integers(1, 3), min_size=3, max_size=3),
        "dilation": st.lists(st.integers(1, 3), min_size=3, max_size=3),
        "pads": st.lists(st.integers(0, 2), min_size=6, max_size=6),
        "auto_pad": st.sampled_from(["NOTSET", "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]),
    }
)


def window_attributes(shape: dict, dilated: bool) -> dict:
    axes = shape["axes"]
    chosen = {"kernel_shape": shape["kernel"][:axes], "strides": shape["stride"][:axes]}
    if dilated:
        chosen["dilations"] = shape["dilation"][:axes]
    if shape["auto_pad"] == "NOTSET":
        chosen["pads"] = shape["pads"][: 2 * axes]
    else:
        chosen["auto_pad"] = shape["auto_pad"]
    return chosen


def try_lowering(proto) -> None:
    """Geometry that does not fit is refused by both sides; such an example shows nothing more."""
    try:
        lowered(proto)
    except UnsupportedError:
        assume(False)


@given(
    windows,
    st.sampled_from(opsets("Conv")),
    st.integers(1, 2),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 2),
    st.booleans(),
)
@settings(deadline=None, max_examples=150)
def test_conv(shape, opset, batch, group, channels, rows, biased) -> None:
    axes = shape["axes"]
    x = random_array(shape["seed"], batch, group * channels, *shape["extent"][:axes])
    w = random_array(shape["seed"] + 1, group * rows, channels, *shape["kernel"][:axes])
    # onnxruntime refuses auto_pad SAME with dilations
    attributes = window_attributes(shape, dilated=not shape["auto_pad"].startswith("SAME"))
    weights = {"w": w, "b": random_array(shape["seed"] + 2, group * rows)}
    names = ["x", "w", "b"] if biased else ["x", "w"]
    node = helper.make_node("Conv", names, ["z"], group=group, **attributes)
    proto = model([node], {"x": x.shape}, ["z"], {name: weights[name] for name in names[1:]}, opset)
    try_lowering(proto)
    assert_agrees(proto, {"x": x})


@given(windows, st.sampled_from(opsets("AveragePool")), st.integers(1, 2), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=200)
def test_average_pool(shape, opset, batch, ceil, include_pad) -> None:
    axes = shape["axes"]
    x = random_array(shape["seed"], batch, 2, *shape["extent"][:axes])
    attributes = window_attributes(shape, dilated=opset >= 19 and shape["auto_pad"] == "NOTSET")
    if opset >= 10 and shape["auto_pad"] == "NOTSET":
        attributes["ceil_mode"] = int(ceil)
    # onnxruntime wants every pad smaller than the kernel, and cannot skip input with auto_pad SAME
    if shape["auto_pad"].startswith("SAME"):
        assume(all(stride <= size for stride, size in zip(shape["stride"], shape["kernel"], strict=True)))
    kernel = [*shape["kernel"][:axes], *shape["kernel"][:axes]]
    assume(all(pad < size for pad, size in zip(attributes.get("pads", []), kernel, strict=False)))
    node = helper.make_node("AveragePool", ["x"], ["z"], count_include_pad=int(include_pad), **attributes)
    proto = model([node], {"x": x.shape}, ["z"], opset=opset)
    try_lowering(proto)
    assert_agrees(proto, {"x": x})


@cases("GlobalAveragePool")
@pytest.mark.parametrize("shape", [(1, 2, 5), (2, 3, 4, 5), (1, 2, 2, 3, 2)])
def test_global_average_pool(op: str, opset: int, shape: tuple[int, ...]) -> None:
    x = random_array(9, *shape)
    assert_agrees(model([helper.make_node(op, ["x"], ["z"])], {"x": shape}, ["z"], opset=opset), {"x": x})


@cases("BatchNormalization")
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (1, 3, 2, 2)])
def test_batch_normalization(op: str, opset: int, shape: tuple[int, ...]) -> None:
    x = random_array(10, *shape)
    weights = {name: random_array(11 + index, 3) for index, name in enumerate(["scale", "bias", "mean"])}
    weights["variance"] = np.abs(random_array(14, 3)) + np.float32(0.01)
    node = helper.make_node(op, ["x", "scale", "bias", "mean", "variance"], ["z"], epsilon=1e-3)
    assert_agrees(model([node], {"x": shape}, ["z"], weights, opset), {"x": x})


@cases("Flatten")
@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -3, None])
def test_flatten(op: str, opset: int, axis: int | None) -> None:
    x = random_array(15, 2, 3, 4)
    attributes = {} if axis is None else {"axis": axis}
    proto = model([helper.make_node(op, ["x"], ["z"], **attributes)], {"x": x.shape}, ["z"], opset=opset)
    if axis is not None and axis < 0 and opset < 11:
        with pytest.raises(UnsupportedError, match="out of range"):
            lowered(proto)
    else:
        assert_agrees(proto, {"x": x})


@cases("Reshape")
@pytest.mark.parametrize("target", [[6, 4], [-1], [0, -1], [2, 0, 2, 2], [4, 1, 6], [0, 0, 0]])
def test_reshape(op: str, opset: int, target: list[int]) -> None:
    x = random_array(16, 2, 3, 4)
    node = helper.make_node(op, ["x", "shape"], ["z"])
    assert_agrees(model([node], {"x": x.shape}, ["z"], {"shape": np.array(target)}, opset), {"x": x})


def test_reshape_with_allowzero_keeps_zeros() -> None:
    node = helper.make_node("Reshape", ["x", "shape"], ["z"], allowzero=1)
    x = np.zeros((0, 3), dtype=np.float32)
    assert_agrees(model([node], {"x": (0, 3)}, ["z"], {"shape": np.array([3, 0])}, 14), {"x": x})


@cases("Transpose")
@pytest.mark.parametrize("perm", [None, [0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_transpose(op: str, opset: int, perm: list[int] | None) -> None:
    x = random_array(17, 2, 3, 4)
    attributes = {} if perm is None else {"perm": perm}
    node = helper.make_node(op, ["x"], ["z"], **attributes)
    assert_agrees(model([node], {"x": x.shape}, ["z"], opset=opset), {"x": x})


@cases("Squeeze", "Unsqueeze")
@pytest.mark.parametrize("axes", [[0], [0, 2], [2, 0], [-1], None])
def test_squeeze_and_unsqueeze(op: str, opset: int, axes: list[int] | None) -> None:
    if axes is None and op == "Unsqueeze":
        return
    x = random_array(18, *((1, 3, 1) if op == "Squeeze" else (2, 3)))
    if axes == [-1] and opset < 11:
        return
    if opset < 13 or axes is None:
        node, weights = helper.make_node(op, ["x"], ["z"], **({} if axes is None else {"axes": axes})), {}
    else:
        node, weights = helper.make_node(op, ["x", "axes"], ["z"]), {"axes": np.array(axes)}
    assert_agrees(model([node], {"x": x.shape}, ["z"], weights, opset), {"x": x})


@cases("Concat")
@pytest.mark.parametrize("axis", [0, 1, 2, -2])
def test_concat(op: str, opset: int, axis: int) -> None:
    if axis < 0 and opset < 11:
        return
    shape = [2, 3, 2]
    other = list(shape)
    other[axis] = 4
    x, y = random_array(19, *shape), random_array(20, *other)
    node = helper.make_node(op, ["x", "y", "x"], ["z"], axis=axis)
    inputs = {"x": x, "y": y}
    assert_agrees(model([node], {"x": shape, "y": other}, ["z"], opset=opset), inputs)


far = 2**62
slices = [
    ([1], [3], [0], None),
    ([0, 1], [far, -1], [0, 1], None),
    ([-2], [far], [-1], None),
    ([1, 0], [2, 3], None, None),
    ([3], [-far], [0], [-1]),
    ([-1, 4], [0, -far], [0, 1], [-2, -3]),
    ([0], [4], [1], [2]),
    ([5], [1], [0], None),
    ([-9], [9], [1], [3]),
]


@cases("Slice")
@pytest.mark.parametrize(("starts", "ends", "axes", "steps"), slices)
def test_slice(op: str, opset: int, starts, ends, axes, steps) -> None:
    x = random_array(21, 4, 5, 2)
    if opset < 10:
        if steps is not None or (axes and min(axes) < 0):
            return
        attributes = {"starts": starts, "ends": ends, **({} if axes is None else {"axes": axes})}
        node, weights = helper.make_node(op, ["x"], ["z"], **attributes), {}
    else:
        given_inputs = {"starts": starts, "ends": ends, "axes": axes, "steps": steps}
        names = [name if value is not None else "" for name, value in given_inputs.items()]
        while names and not names[-1]:
            names.pop()
        node = helper.make_node(op, ["x", *names], ["z"])
        weights = {name: np.array(value) for name, value in given_inputs.items() if value is not None}
    assert_agrees(model([node], {"x": x.shape}, ["z"], weights, opset), {"x": x})


@cases("Dropout")
def test_dropout_is_the_identity(op: str, opset: int) -> None:
    x = random_array(22, 2, 3)
    if opset < 12:
        node, weights = helper.make_node(op, ["x"], ["z"], ratio=0.75), {}
    else:
        node = helper.make_node(op, ["x", "ratio", "training"], ["z"])
        weights = {"ratio": np.float32(0.75), "training": np.array(False)}
    assert_agrees(model([node], {"x": x.shape}, ["z"], weights, opset), {"x": x})


@cases("Constant")
def test_constants(op: str, opset: int) -> None:
    tensor = helper.make_tensor("t", 1, [2], [1.5, -2.0])
    forms = [({"value": tensor}, 9), ({"value_float": 2.5}, 12), ({"value_floats": [1.0, -3.5]}, 12)]
    for attributes, first in forms:
        if opset < first:
            continue
        nodes = [helper.make_node(op, [], ["c"], **attributes), helper.make_node("Add", ["x", "c"], ["z"])]
        x = random_array(23, 3, 2)
        assert_agrees(model(nodes, {"x": x.shape}, ["z"], opset=opset), {"x": x})


def test_integer_constants_carry_shapes() -> None:
    nodes = [
        helper.make_node("Constant", [], ["six"], value_int=6),
        helper.make_node("Constant", [], ["axis"], value_ints=[0]),
        helper.make_node("Unsqueeze", ["six", "axis"], ["column"]),
        helper.make_node("Constant", [], ["two"], value_ints=[2]),
        helper.make_node("Mul", ["two", "two"], ["four"]),
        helper.make_node("Concat", ["four", "column"], ["shape"], axis=0),
        helper.make_node("Reshape", ["x", "shape"], ["z"]),
    ]
    x = random_array(24, 2, 12)
    graph = assert_agrees(model(nodes, {"x": x.shape}, ["z"]), {"x": x})
    assert [node.op for node in graph.nodes] == ["Reshape"]


def test_every_row_of_the_table_names_real_operator_versions() -> None:
    import onnx.defs

    known: dict[str, set[int]] = {}
    withdrawn: set[str] = set()
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "":
            known.setdefault(schema.name, set()).add(schema.since_version)
            withdrawn.update([schema.name] if schema.deprecated else [])
    newest = onnx.defs.onnx_opset_version()
    for (_, op), row in TABLE.items():
        assert {version for version in row.since if version <= newest} <= known[op]
        if newest <= NEWEST_OPSET and op not in withdrawn:
            assert row.version(newest) == max(version for version in known[op]), op
