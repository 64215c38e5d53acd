"""Every operator at every version: onnxruntime and the evaluator agree within the derived enclosure."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import fractions, lowered, model
from operator_cases import CASES, Case, floats

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.errors import DataError, RuntimeFailure, UnsupportedError
from pytest_torchlean.evaluator import evaluate, evaluate_exact, prepare_exact, run
from pytest_torchlean.evaluator.enclosing import Undecided, enclose
from pytest_torchlean.ir.canonical import from_bytes, to_bytes
from pytest_torchlean.onnx_import import LoadedModel, lower
from pytest_torchlean.ops.certifiability import step_of
from pytest_torchlean.runtime import RuntimeSession


def identifier(case: Case) -> str:
    return f"{case.op}-{CASES.index(case)}"


@pytest.mark.parametrize("case", CASES, ids=identifier)
def test_onnxruntime_lies_within_the_enclosure(case: Case) -> None:
    compared = 0
    for opset in case.versions():
        proto = case.model(opset)
        graph = lowered(proto)
        assert to_bytes(from_bytes(to_bytes(graph))) == to_bytes(graph)
        try:
            session = RuntimeSession(proto.SerializeToString(), False)
        except RuntimeFailure:
            evaluate(graph, {name: value for name, value in case.values(0).items() if name in graph.inputs})
            continue
        for seed in (0, 1):
            given = case.values(seed)
            if case.op == "Gather" and "in1" in given:
                given["in1"] %= 6
            own = evaluate(graph, {name: given[name] for name in graph.inputs})
            bounds = enclose(graph, {name: given[name] for name in graph.inputs})
            answers = session.run({name: given[name] for name in session.inputs})
            for name, answer in zip(graph.outputs, answers, strict=True):
                assert (answer.shape, answer.dtype) == (own[name].shape, own[name].dtype)
                check(answer, own[name], bounds[name])
            compared += 1
    assert compared or case.op in ("RMSNormalization",)


def certifiable(case: Case) -> bool:
    graph = lowered(case.model(case.versions()[-1]))
    kinds = [graph.types[name].dtype for name in (*graph.inputs, *graph.outputs)]
    return set(kinds) == {"float32"} and not any(isinstance(step_of(n, graph), str) for n in graph.nodes)


CERTIFIABLE = [case for case in CASES if certifiable(case)]


@pytest.mark.parametrize("case", CERTIFIABLE, ids=identifier)
def test_what_certificates_see_of_an_operator_is_its_exact_value(case: Case) -> None:
    graph = lowered(case.model(case.versions()[-1]))
    given = {name: value for name, value in case.values(3).items() if name in graph.inputs}
    bounds = enclose(graph, given)
    exact = evaluate_exact(graph, {name: fractions(value) for name, value in given.items()})
    for name in graph.outputs:
        bound = bounds[name]
        assert isinstance(bound, Enclosed)
        center, radius = bound.center.reshape(-1), bound.radius.reshape(-1)
        for value, middle, width in zip(exact[name], center, radius, strict=True):
            assert abs(value - Fraction(float(middle))) <= Fraction(float(width)) + abs(value) / 2**50


def test_enough_operators_are_certifiable() -> None:
    assert {case.op for case in CERTIFIABLE} >= {
        "ConvTranspose", "Pad", "Trilu", "Gather", "GatherND", "ScatterND", "ScatterElements", "Expand",
        "Tile", "DepthToSpace", "Resize", "Max", "Div", "Compress", "ReverseSequence",
        "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "Sum", "Mean", "CumSum",
    }  # fmt: skip


@pytest.mark.parametrize("op", ["ScatterElements", "ScatterND"])
def test_updates_that_meet_are_not_certifiable(op: str) -> None:
    places = {
        "ScatterElements": ([[0], [1]], [[1], [-2]]),
        "ScatterND": ([[0, 0], [1, 0]], [[0, 1], [0, -1]]),
    }
    for index, fits in zip(places[op], (True, False), strict=True):
        updates = (2, 1) if op == "ScatterElements" else (2,)
        case = Case(op, floats((3, 2), updates), {"index": np.array(index)}, order=("in0", "index", "in1"))
        assert certifiable(case) is fits, index


@pytest.mark.parametrize("attributes", [{"auto_pad": "SAME_UPPER"}, {"output_shape": [12]}])
def test_an_output_beyond_the_reach_of_the_kernel_is_refused(attributes: dict[str, object]) -> None:
    """onnxruntime gives it another size than ONNX, or refuses it."""
    case = Case("ConvTranspose", floats((1, 1, 4), (1, 1, 1)), attributes={"strides": [3], **attributes})
    with pytest.raises(UnsupportedError, match="larger than what the kernel reaches"):
        lowered(case.model(17))


def check(answer: np.ndarray, own: np.ndarray, bound: Enclosed | np.ndarray) -> None:
    if not isinstance(bound, Enclosed):
        assert (answer == own).all()
        return
    for value in (answer, own):
        inside = np.abs(value.astype(np.float64) - bound.center) <= bound.radius
        assert (inside | (np.isnan(value) & np.isnan(own))).all()
    assert np.isfinite(bound.radius).all()


def loop_of(*nodes: onnx.NodeProto, inputs: dict[str, tuple[int, list[int]]], outputs: list[str],
            weights: dict[str, np.ndarray] | None = None) -> onnx.ModelProto:  # fmt: skip
    infos = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()]
    tensors = [onnx.numpy_helper.from_array(value, name) for name, value in (weights or {}).items()]
    results = [onnx.ValueInfoProto(name=name) for name in outputs]
    graph = helper.make_graph(list(nodes), "g", infos, results, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


INT64, INT32 = TensorProto.INT64, TensorProto.INT32


def test_integers_wrap_around() -> None:
    proto = loop_of(helper.make_node("Mul", ["x", "x"], ["z"]), inputs={"x": (INT32, [2])}, outputs=["z"])
    x = np.array([2**17 + 1, -(2**31)], dtype=np.int32)
    (own,) = run(lowered(proto), {"x": x})
    assert own.tolist() == [((2**17 + 1) ** 2 + 2**31) % 2**32 - 2**31, 0]


@pytest.mark.parametrize(
    ("op", "x", "y", "expected"),
    [("Div", -7, 2, -3), ("Div", 7, -2, -3), ("Div", -(2**63), -1, -(2**63)), ("Mod", -7, 2, 1)],
)
def test_integer_division_is_cut_towards_zero(op: str, x: int, y: int, expected: int) -> None:
    inputs = {"x": (INT64, [1]), "y": (INT64, [1])}
    proto = loop_of(helper.make_node(op, ["x", "y"], ["z"]), inputs=inputs, outputs=["z"])
    with np.errstate(all="ignore"):
        assert run(lowered(proto), {"x": np.array([x]), "y": np.array([y])})[0].tolist() == [expected]


@pytest.mark.parametrize("op", ["Div", "Mod"])
def test_a_zero_divisor_is_an_error(op: str) -> None:
    inputs = {"x": (INT64, [1]), "y": (INT64, [1])}
    proto = loop_of(helper.make_node(op, ["x", "y"], ["z"], name="it"), inputs=inputs, outputs=["z"])
    with pytest.raises(DataError, match=r"'it' .*division by zero"):
        run(lowered(proto), {"x": np.array([1]), "y": np.array([0])})
    folded = loop_of(helper.make_node(op, ["a", "b"], ["z"], name="it"), inputs={}, outputs=["z"],
                     weights={"a": np.array([1]), "b": np.array([0])})  # fmt: skip
    with pytest.raises(UnsupportedError, match="division by zero"):
        lowered(folded)


@pytest.mark.parametrize("index", [-5, 4])
def test_an_index_out_of_range_is_an_error(index: int) -> None:
    inputs = {"x": (TensorProto.FLOAT, [4]), "at": (INT64, [1])}
    proto = loop_of(helper.make_node("Gather", ["x", "at"], ["z"]), inputs=inputs, outputs=["z"])
    with pytest.raises(DataError, match="out of range"):
        run(lowered(proto), {"x": np.ones(4, np.float32), "at": np.array([index])})


@pytest.mark.parametrize("value", [3e9, -3e9, np.inf, np.nan])
def test_a_cast_to_an_integer_that_cannot_hold_it_is_an_error(value: float) -> None:
    proto = model([helper.make_node("Cast", ["x"], ["z"], to=int(INT32))], {"x": [1]}, ["z"])
    with pytest.raises(DataError, match="cannot hold"):
        run(lowered(proto), {"x": np.array([value], dtype=np.float32)})


def test_the_shape_arithmetic_of_exports_leaves_a_plain_reshape() -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Gather", ["s", "one"], ["c"]),
        helper.make_node("Cast", ["c"], ["f"], to=1),
        helper.make_node("Div", ["f", "two"], ["h"]),
        helper.make_node("Floor", ["h"], ["g"]),
        helper.make_node("Cast", ["g"], ["i"], to=7),
        helper.make_node("Mul", ["n", "i"], ["m"]),
        helper.make_node("Unsqueeze", ["m", "axis"], ["u"]),
        helper.make_node("Concat", ["u", "minus"], ["t"], axis=0),
        helper.make_node("Reshape", ["x", "t"], ["z"]),
    ]
    weights = {"zero": np.array(0), "one": np.array(1), "two": np.float32(2.0), "axis": np.array([0]),
               "minus": np.array([-1])}  # fmt: skip
    graph = lowered(model(nodes, {"x": [1, 7, 3]}, ["z"], weights))
    assert [(node.op, node.attribute("shape")) for node in graph.nodes] == [("Reshape", (3, 7))]
    lower_to_program(graph)


def test_moved_elements_are_certifiable_where_constants_move_them() -> None:
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    where = {"c": np.array([True, False, True]), "y": np.float32(9)}
    nodes = [
        helper.make_node("Where", ["c", "x", "y"], ["a"]),
        helper.make_node("Pad", ["a", "pads"], ["b"]),
        helper.make_node("Expand", ["b", "shape"], ["e"]),
        helper.make_node("Trilu", ["e"], ["z"]),
    ]
    weights = {**where, "pads": np.array([0, 1, 0, 0]), "shape": np.array([2, 1, 1])}
    graph = lowered(model(nodes, {"x": [2, 3]}, ["z"], weights, 14))
    assert not any(isinstance(step_of(node, graph), str) for node in graph.nodes)
    exact = evaluate_exact(graph, {"x": fractions(x)})
    (own,) = run(graph, {"x": x})
    assert [float(value) for value in exact["z"]] == own.reshape(-1).tolist()


UNCERTIFIABLE = [
    ("LogSoftmax", {}, "no certificate rule"),
    ("Floor", {}, "not a continuous function"),
    ("ReduceProd", {}, "no certificate rule"),
    ("ReduceL2", {}, "no certificate rule"),
    ("Tan", {}, "no bounds of it are proved"),
    ("TopK", {"k": np.array([1])}, "several outputs"),
    ("ArgMax", {}, "int64"),
]


@pytest.mark.parametrize(("op", "weights", "reason"), UNCERTIFIABLE)
def test_what_certificates_do_not_speak_of_is_refused_by_name(
    op: str, weights: dict[str, np.ndarray], reason: str
) -> None:
    outputs = ["z", "w"] if op == "TopK" else ["z"]
    graph = lowered(model([helper.make_node(op, ["x", *weights], outputs)], {"x": [2, 3]}, outputs, weights))
    for refuse in (lower_to_program, prepare_exact):
        with pytest.raises(UnsupportedError) as caught:
            refuse(graph)
        assert caught.value.code == "TL0204"
        assert f"{op} giving 'z'" in str(caught.value)
        assert reason in str(caught.value)


def test_integer_ends_are_refused_by_certificates() -> None:
    proto = loop_of(helper.make_node("Identity", ["x"], ["z"]), inputs={"x": (INT64, [2])}, outputs=["z"])
    graph = lowered(proto)
    assert run(graph, {"x": np.array([1, 2])})[0].tolist() == [1, 2]
    for refuse in (lower_to_program, prepare_exact):
        with pytest.raises(UnsupportedError, match="input 'x' is int64"):
            refuse(graph)


def test_infinite_constants_are_refused_by_certificates() -> None:
    weights = {"mask": np.array([0, -np.inf], dtype=np.float32)}
    graph = lowered(model([helper.make_node("Add", ["x", "mask"], ["z"])], {"x": [2]}, ["z"], weights))
    (own,) = run(graph, {"x": np.float32([1, 2])})
    assert own.tolist() == [1.0, -np.inf]
    with pytest.raises(UnsupportedError, match="infinite"):
        lower_to_program(graph)


def test_a_choice_that_rounding_decides_has_no_enclosure() -> None:
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0),
        helper.make_node("Greater", ["s", "zero"], ["c"]),
        helper.make_node("Where", ["c", "x", "zero"], ["z"]),
    ]
    graph = lowered(model(nodes, {"x": [3]}, ["z"], {"zero": np.float32(0)}))
    assert isinstance(enclose(graph, {"x": np.float32([1, 2, 3])})["z"], Enclosed)
    with pytest.raises(Undecided, match="Greater giving 'c'"):
        enclose(graph, {"x": np.float32([1, 2**-24, -1])})


def test_shapes_and_values_may_be_given() -> None:
    nodes = [helper.make_node("Reshape", ["x", "s"], ["z"])]
    proto = loop_of(*nodes, inputs={"x": (TensorProto.FLOAT, ["n", "m"]), "s": (INT64, [2])}, outputs=["z"])
    loaded = LoadedModel(Path("x.onnx"), proto.SerializeToString(), "")
    with pytest.raises(UnsupportedError, match="only the first may be symbolic"):
        lower(loaded)
    graph = lower(loaded, shapes={"x": (2, 6)}, values={"s": np.array([3, 4])})
    assert graph.types["z"].shape == (3, 4)
    assert graph.inputs == ("x",)


@pytest.mark.parametrize("size", [3, 4])
def test_lrn_sums_each_window_anew(size: int) -> None:
    node = helper.make_node("LRN", ["x"], ["z"], size=size, alpha=3.0, beta=1.0, bias=0.5)
    graph = lowered(model([node], {"x": [1, 6, 1, 1]}, ["z"]))
    x = np.float32([1, -2, 3, 0, 5, 6])
    (own,) = run(graph, {"x": x.reshape(1, 6, 1, 1)})
    before, after = (size - 1) // 2, size // 2
    for at in range(6):
        window = x[max(0, at - before) : at + after + 1]
        expected = x[at] / (0.5 + 3.0 / size * np.sum(window * window))
        assert abs(own[0, at, 0, 0] - expected) < 1e-6


def test_the_running_window_of_onnxruntimes_lrn_is_found() -> None:
    node = helper.make_node("LRN", ["x"], ["z"], size=3, alpha=3.0, beta=1.0, bias=1e-3)
    proto = model([node], {"x": [1, 8, 1, 1]}, ["z"])
    x = np.ones((1, 8, 1, 1), dtype=np.float32)
    x[0, 0] = 1e5
    (answer,) = RuntimeSession(proto.SerializeToString(), False).run({"x": x})
    bound = enclose(lowered(proto), {"x": x})["z"]
    assert isinstance(bound, Enclosed)
    outside = np.abs(answer.astype(np.float64) - bound.center) > bound.radius
    assert outside[0, 2:].any()
    assert np.isfinite(bound.radius).all()


@pytest.mark.parametrize(
    ("op", "flag", "opset"),
    [("ReduceSum", "keepdims", 13), ("ArgMax", "select_last_index", 13), ("HannWindow", "periodic", 17)],
)
def test_flags_beyond_0_and_1_are_refused_by_name(op: str, flag: str, opset: int) -> None:
    node = helper.make_node(op, ["x"], ["z"], **{flag: 2})
    with pytest.raises(UnsupportedError, match=f"attribute {flag} is 2, not 0 or 1"):
        lowered(model([node], {"x": [2, 3]}, ["z"], opset=opset))


def test_an_empty_sequence_has_no_recurrent_layer() -> None:
    node = helper.make_node("RNN", ["x", "w", "r"], ["z"], hidden_size=2)
    weights = {"w": np.ones((1, 2, 3), np.float32), "r": np.ones((1, 2, 2), np.float32)}
    with pytest.raises(UnsupportedError, match="no step"):
        lowered(model([node], {"x": [0, 1, 3]}, ["z"], weights, 14))


@pytest.mark.parametrize(
    ("scale", "how", "refused"),
    [(1 / 3, "floor", True), (0.4, "ceil", True), (2.0, "floor", False), (1.5, "floor", False)],
)
def test_a_neighbour_that_rounding_decides_is_refused(scale: float, how: str, refused: bool) -> None:
    """1/3 as a binary32 number is more than 1/3: divided by it, 3 is below 9, and 9 once it is rounded."""
    attributes = {"mode": "nearest", "nearest_mode": how, "coordinate_transformation_mode": "asymmetric"}
    case = Case(
        "Resize", floats((1, 12)), {"scales": np.float32([1, scale])}, attributes, order=("in0", "", "scales")
    )
    if refused:
        with pytest.raises(UnsupportedError, match="decides which element is nearest"):
            lowered(case.model(13))
    else:
        lowered(case.model(13))


def test_cubic_samples_at_the_border_are_refused() -> None:
    attributes = {"mode": "cubic", "padding_mode": "border"}
    with pytest.raises(UnsupportedError, match="read differently by runtimes"):
        lowered(Case("GridSample", floats((1, 1, 3, 3), (1, 2, 2, 2)), attributes=attributes).model(20))


def test_positions_that_are_no_numbers_or_far_away_are_not_claimed() -> None:
    case = Case("GridSample", floats((1, 1, 3, 3), (1, 1, 3, 2)), attributes={"mode": "linear"})
    graph = lowered(case.model(20))
    grid = np.float32([[[[np.nan, 0], [1e9, 0], [0.5, 0.5]]]])
    bound = enclose(graph, {"in0": np.ones((1, 1, 3, 3), np.float32), "in1": grid})["out0"]
    assert isinstance(bound, Enclosed)
    assert np.isfinite(bound.radius).reshape(-1).tolist() == [False, False, True]


def test_the_bound_of_a_sample_sees_a_change() -> None:
    case = Case("GridSample", floats((1, 1, 3, 3), (1, 2, 2, 2)), attributes={"mode": "linear"})
    graph = lowered(case.model(20))
    x = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    bound = enclose(graph, {"in0": x, "in1": np.full((1, 2, 2, 2), 0.25, np.float32)})["out0"]
    assert isinstance(bound, Enclosed)
    assert bound.radius.max() < 1e-3


def test_how_many_boxes_stay_must_be_known() -> None:
    case = Case("NonMaxSuppression", floats((1, 3, 4), (1, 1, 3)), {"most": np.array(2)})
    with pytest.raises(UnsupportedError, match="the boxes 'in0' is computed at run time"):
        lowered(case.model(13))


def claimed(proto: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    """Where something is claimed about the only output."""
    bound = enclose(lowered(proto), {"x": x})["z"]
    assert isinstance(bound, Enclosed)
    return np.isfinite(bound.radius)


@pytest.mark.parametrize("op", ["Gelu", "HardSwish", "Mish", "Softsign", "Swish"])
def test_nothing_is_claimed_of_formulas_that_are_nan_at_infinity(op: str) -> None:
    opset = {"Gelu": 20, "Swish": 24}.get(op, 18)
    proto = model([helper.make_node(op, ["x"], ["z"])], {"x": [3]}, ["z"], opset=opset)
    assert claimed(proto, np.float32([-np.inf, 1, np.inf])).tolist() == [False, True, False]


def test_exp_of_minus_infinity_is_claimed() -> None:
    proto = model([helper.make_node("Exp", ["x"], ["z"])], {"x": [1]}, ["z"])
    assert claimed(proto, np.float32([-np.inf])).all()


def test_nothing_is_claimed_of_a_normalisation_whose_squares_overflow() -> None:
    node = helper.make_node("LayerNormalization", ["x", "s"], ["z"])
    proto = model([node], {"x": [2, 2]}, ["z"], {"s": np.ones(2, np.float32)}, opset=17)
    x = np.float32([[3e19, 3.0000002e19], [1, 2]])
    assert claimed(proto, x).tolist() == [[False, False], [True, True]]


def test_nothing_is_claimed_of_a_transform_that_may_overflow() -> None:
    node = helper.make_node("DFT", ["x"], ["z"], axis=1)
    proto = model([node], {"x": [2, 2, 1]}, ["z"], opset=17)
    assert claimed(proto, np.float32([[[3e38], [-3e38]], [[1], [2]]])).all(axis=(1, 2)).tolist() == [
        False,
        True,
    ]
