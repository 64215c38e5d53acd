"""Values inside stretches of blocked kernels are seen again under the file's names, and checked there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import loaded, lowered, model

from pytest_torchlean.differential import compare
from pytest_torchlean.differential.samples import samples
from pytest_torchlean.onnx_import.blocked import blocked_values, with_blocked_values
from pytest_torchlean.runtime import SessionSettings, optimised_model

SHIPPED = SessionSettings("all")


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def residual(channels: int = 16) -> onnx.ModelProto:
    """Blocked from end to end: activations, an addition and its ReLU taken up, pools, a concatenation."""
    same = {"pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["x", "w0"], ["c0"], **same),
        helper.make_node("Relu", ["c0"], ["r0"]),
        helper.make_node("Conv", ["r0", "w1"], ["c1"], **same),
        helper.make_node("LeakyRelu", ["c1"], ["r1"], alpha=0.25),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], name="inner", **same),
        helper.make_node("Add", ["c2", "r0"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["r2"]),
        helper.make_node("MaxPool", ["r2"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p", "w3"], ["c3"], **same),
        helper.make_node("Concat", ["c3", "p"], ["both"], axis=1),
        helper.make_node("GlobalAveragePool", ["both"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["y"]),
    ]
    tensors = {"w0": weights(channels, 16, 3, 3)}
    tensors |= {f"w{layer}": weights(channels, channels, 3, 3) / 4 for layer in (1, 2, 3)}
    return model(nodes, {"x": [1, 16, 8, 8]}, ["y"], tensors)


def running(proto: onnx.ModelProto) -> onnx.ModelProto:
    return onnx.load_from_string(optimised_model(proto.SerializeToString(), SHIPPED))


@pytest.fixture
def stored() -> onnx.ModelProto:
    proto = residual()
    if not any(node.domain == "com.microsoft.nchwc" for node in running(proto).graph.node):
        pytest.skip("onnxruntime has no blocked kernels for this processor")
    return proto


def test_every_blocked_value_is_found_by_name_and_structure(stored: onnx.ModelProto) -> None:
    found = blocked_values(running(stored), lowered(stored))
    assert list(found.values()) == ["x", "r0", "r1", "r2", "p", "c3", "both", "mean"]


def test_they_are_compared_sample_by_sample(stored: onnx.ModelProto) -> None:
    graph = lowered(stored)
    result = compare(loaded(stored), graph, samples(graph, 4, 0), sessions=[SHIPPED])
    (report,) = result.sessions
    assert result.divergence is None
    assert report.exact_outputs + report.bounded_outputs == 4 * 8
    assert not any(test.failure for test in report.equalities)
    assert set(report.rewrites) == {
        "com.microsoft.nchwc.Conv x4",
        "com.microsoft.nchwc.GlobalAveragePool",
        "com.microsoft.nchwc.MaxPool",
        "com.microsoft.nchwc.ReorderInput",
        "com.microsoft.nchwc.ReorderOutput",
    }


def test_channels_that_fill_no_block_are_cut_off() -> None:
    proto = residual(5)
    graph = lowered(proto)
    result = compare(loaded(proto), graph, samples(graph, 2, 0), sessions=[SHIPPED])
    assert result.divergence is None
    assert result.sessions[0].outputs_covered


def test_a_changed_weight_inside_is_named_at_its_own_node(stored: onnx.ModelProto) -> None:
    """Behind three more layers the bound of the output would hide it."""
    graph = lowered(stored)
    wrong = graph.constants["w2"].copy()
    wrong[3, 4, 1, 1] *= 1.0 + 2.0**-12
    changed = replace(graph, constants={**graph.constants, "w2": wrong})
    found = compare(loaded(stored), changed, samples(graph, 4, 0), sessions=[SHIPPED]).divergence
    assert found is not None
    assert found.value == "r2"


@pytest.mark.parametrize("operator", ["Add", "Sum"])
def test_a_large_term_taken_up_by_a_kernel_is_granted_its_roundings(operator: str) -> None:
    """The kernel may start its sum of 144 products with the term: each addition then rounds at its size."""
    nodes = [
        helper.make_node("Conv", ["x", "w0"], ["term"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["term", "w1"], ["inner"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["inner", "w2"], ["product"], pads=[1, 1, 1, 1]),
        helper.make_node(operator, ["product", "term"], ["y"]),
    ]
    tensors = {
        "w0": 2.0**12 * np.abs(weights(16, 16, 3, 3)),
        "w1": 2.0**-20 * weights(16, 16, 3, 3),
        "w2": weights(16, 16, 3, 3),
    }
    tensors = {name: value.astype(np.float32) for name, value in tensors.items()}
    proto = model(nodes, {"x": [1, 16, 8, 8]}, ["y"], tensors)
    graph = lowered(proto)
    rng = np.random.default_rng(0)
    inputs = [{"x": rng.random((1, 16, 8, 8), dtype=np.float32)} for _ in range(4)]
    result = compare(loaded(proto), graph, inputs, sessions=[SHIPPED])
    assert result.divergence is None
    assert max(result.sessions[0].worst.values()) < 0.5


def test_a_name_that_leaves_several_answers_is_left_alone(stored: onnx.ModelProto) -> None:
    """The sum is read twice in the stored graph, so that the addition behind `c2` is not the only reader."""
    graph = lowered(stored)
    twice = replace(graph.nodes[-1], inputs=("c2",), outputs=("z",), op="Relu")
    others = replace(graph, nodes=(*graph.nodes, twice))
    assert "r2" not in blocked_values(running(stored), others).values()


@pytest.mark.parametrize("change", ["name", "activation", "operator"])
def test_a_node_that_does_not_fit_the_stored_graph_is_left_alone(
    stored: onnx.ModelProto, change: str
) -> None:
    optimised = running(stored)
    node = next(node for node in optimised.graph.node if node.name == "r1_nchwc")
    if change == "name":
        node.name = "elsewhere_nchwc"
    elif change == "activation":
        next(item for item in node.attribute if item.name == "activation").s = b"Tanh"
    else:
        node.op_type = "MaxPool"
    found = blocked_values(optimised, lowered(stored))
    assert "r1" not in found.values()
    assert "r0" in found.values()


def test_plain_copies_do_not_touch_what_the_graph_computes(stored: onnx.ModelProto) -> None:
    before = running(stored)
    after = onnx.load_from_string(with_blocked_values(before.SerializeToString(), lowered(stored)))
    count = len(before.graph.node)
    assert list(after.graph.node[:count]) == list(before.graph.node)
    assert {node.op_type for node in after.graph.node[count:]} == {"ReorderOutput"}
    assert list(after.graph.output) == list(before.graph.output)
