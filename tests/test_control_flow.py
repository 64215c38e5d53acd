"""If, Loop and Scan: unrolled where constants decide, refused where the input does."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import lowered, model, runtime_outputs

from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.evaluator import run


def graph(nodes: list[onnx.NodeProto], inputs: dict[str, tuple[int, tuple[int, ...]]],
          outputs: dict[str, tuple[int, tuple[int, ...]]]) -> onnx.GraphProto:  # fmt: skip
    def infos(values: dict[str, tuple[int, tuple[int, ...]]]) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in values.items()]

    return helper.make_graph(nodes, "body", infos(inputs), infos(outputs))


FLOAT, BOOL, INT64 = TensorProto.FLOAT, TensorProto.BOOL, TensorProto.INT64
X = np.array([1.5, -2.0, 3.0], dtype=np.float32)


def agrees(proto: onnx.ModelProto) -> None:
    for own, answer in zip(run(lowered(proto), {"x": X}), runtime_outputs(proto, {"x": X}), strict=True):
        assert own.shape == answer.shape
        assert own.tobytes() == answer.tobytes()


@pytest.mark.parametrize("condition", [True, False])
def test_the_branch_of_a_constant_condition_is_taken(condition: bool) -> None:
    yes = graph([helper.make_node("Relu", ["x"], ["y"])], {}, {"y": (FLOAT, (3,))})
    no = graph([helper.make_node("Abs", ["x"], ["y"])], {}, {"y": (FLOAT, (3,))})
    node = helper.make_node("If", ["c"], ["z"], then_branch=yes, else_branch=no)
    proto = model([node], {"x": [3]}, ["z"], {"c": np.array(condition)})
    assert [node.op for node in lowered(proto).nodes] == ["Relu" if condition else "Abs"]
    agrees(proto)


def test_a_computed_condition_is_refused_by_name() -> None:
    branch = graph([helper.make_node("Relu", ["x"], ["y"])], {}, {"y": (FLOAT, (3,))})
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0),
        helper.make_node("Greater", ["m", "zero"], ["c"]),
        helper.make_node("If", ["c"], ["z"], name="it", then_branch=branch, else_branch=branch),
    ]
    with pytest.raises(UnsupportedError, match=r"'it' \(If.*the condition 'c' is computed at run time"):
        lowered(model(nodes, {"x": [3]}, ["z"], {"zero": np.float32(0)}))


def counting_body(limit: str) -> onnx.GraphProto:
    nodes = [
        helper.make_node("Add", ["state", "x"], ["next"]),
        helper.make_node("Less", ["number", limit], ["more"]),
        helper.make_node("Mul", ["next", "next"], ["square"]),
    ]
    return graph(
        nodes,
        {"number": (INT64, ()), "going": (BOOL, ()), "state": (FLOAT, (3,))},
        {"more": (BOOL, ()), "next": (FLOAT, (3,)), "square": (FLOAT, (3,))},
    )


@pytest.mark.parametrize(("count", "limit", "steps"), [(4, 10, 4), (9, 2, 3)])
def test_a_loop_is_unrolled_to_its_count_or_its_condition(count: int, limit: int, steps: int) -> None:
    node = helper.make_node("Loop", ["count", "true", "x"], ["last", "squares"], body=counting_body("limit"))
    weights = {"count": np.array(count), "true": np.array(True), "limit": np.array(limit)}
    proto = model([node], {"x": [3]}, ["last", "squares"], weights)
    assert lowered(proto).types["squares"].shape == (steps, 3)
    agrees(proto)


def test_a_loop_without_an_end_is_refused() -> None:
    node = helper.make_node("Loop", ["", "", "x"], ["last", "squares"], body=counting_body("limit"))
    with pytest.raises(UnsupportedError, match="more than 4096 times"):
        lowered(model([node], {"x": [3]}, ["last"], {"limit": np.array(10**9)}))


@pytest.mark.parametrize("backwards", [0, 1])
def test_a_scan_runs_once_for_every_element(backwards: int) -> None:
    body = graph(
        [helper.make_node("Add", ["state", "part"], ["next"]), helper.make_node("Neg", ["next"], ["out"])],
        {"state": (FLOAT, ()), "part": (FLOAT, ())},
        {"next": (FLOAT, ()), "out": (FLOAT, ())},
    )
    way = [backwards]
    node = helper.make_node("Scan", ["zero", "x"], ["last", "outs"], num_scan_inputs=1, body=body,
                            scan_input_directions=way, scan_output_directions=way)  # fmt: skip
    agrees(model([node], {"x": [3]}, ["last", "outs"], {"zero": np.float32(0.5)}))


def test_a_refusal_in_a_body_is_told_with_the_way_there() -> None:
    branch = graph([helper.make_node("RandomNormalLike", ["x"], ["y"], name="inner")], {},
                   {"y": (FLOAT, (3,))})  # fmt: skip
    node = helper.make_node("If", ["c"], ["z"], name="outer", then_branch=branch, else_branch=branch)
    with pytest.raises(UnsupportedError, match=r"'outer' \(If, opset 13\): in it, node 'inner'"):
        lowered(model([node], {"x": [3]}, ["z"], {"c": np.array(True)}))
