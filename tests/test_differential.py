"""onnxruntime against the evaluator: agreement on many graphs, and every way of saying no."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import loaded, lowered, model

from pytest_torchlean import runtime
from pytest_torchlean.differential import DifferentialResult, compare, compose, shipped
from pytest_torchlean.differential.nodes import compare_bounded, compare_exact
from pytest_torchlean.differential.reference import affine_reference
from pytest_torchlean.differential.samples import Box, data_rows, outward_box, samples
from pytest_torchlean.differential.sessions import Fetching
from pytest_torchlean.differential.shipped import OpenSession
from pytest_torchlean.errors import RuntimeFailure
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.linear import ZERO, AffineBlock, AffineStep
from pytest_torchlean.properties.agreement import evidence_of
from pytest_torchlean.runtime import RuntimeSession, SessionSettings
from pytest_torchlean.spec.model import RuntimeProperty
from pytest_torchlean.verdict import Verdict

GENERATOR = np.random.default_rng(7)


def weights(*shape: int) -> np.ndarray:
    return GENERATOR.standard_normal(shape).astype(np.float32)


def mlp() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["hidden"], transB=1, name="first"),
        helper.make_node("Relu", ["hidden"], ["active"], name="activation"),
        helper.make_node("Gemm", ["active", "w2", "b2"], ["y"], transB=1, name="second"),
    ]
    tensors = {"w1": weights(12, 8), "b1": weights(12), "w2": weights(4, 12), "b2": weights(4)}
    return model(nodes, {"x": ["N", 8]}, ["y"], tensors)


def scaled_gemm() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["hidden"], alpha=0.3, beta=1.7),
        helper.make_node("Relu", ["hidden"], ["y"]),
    ]
    return model(nodes, {"x": [1, 8]}, ["y"], {"w": weights(8, 5), "b": weights(5)})


def matmul_add_scale() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Sub", ["x", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "deviation"], ["normal"]),
        helper.make_node("MatMul", ["normal", "w"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["sum"]),
        helper.make_node("Mul", ["sum", "factor"], ["y"]),
    ]
    tensors = {
        "mean": weights(8),
        "deviation": np.abs(weights(8)) + np.float32(0.5),
        "w": weights(8, 6),
        "b": weights(6),
        "factor": np.float32(0.7),
    }
    return model(nodes, {"x": [1, 8]}, ["y"], tensors)


def normalised_convolution(channels: int = 5, group: int = 1) -> onnx.ModelProto:
    inner = 4
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["conv"], pads=[1, 1, 1, 1], group=group, name="conv"),
        helper.make_node("BatchNormalization", ["conv", "s", "o", "m", "v"], ["normal"], name="norm"),
        helper.make_node("Relu", ["normal"], ["active"]),
        helper.make_node("AveragePool", ["active"], ["pool"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["pool"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w2", "b2"], ["y"]),
    ]
    tensors = {
        "w": weights(channels, inner // group, 3, 3),
        "b": weights(channels),
        "s": weights(channels),
        "o": weights(channels),
        "m": weights(channels),
        "v": np.abs(weights(channels)) + np.float32(0.1),
        "w2": weights(channels, 3),
        "b2": weights(3),
    }
    return model(nodes, {"x": [1, inner, 8, 8]}, ["y"], tensors)


def residual_convolution() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["left"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["left"], ["active"]),
        helper.make_node("Conv", ["active", "w2"], ["right"], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["right", "x"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["y"]),
    ]
    return model(
        nodes, {"x": [1, 16, 6, 6]}, ["y"], {"w1": weights(16, 16, 3, 3), "w2": weights(16, 16, 3, 3)}
    )


def two_inputs() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Concat", ["p", "q"], ["joined"], axis=1),
        helper.make_node("Transpose", ["joined"], ["turned"], perm=[1, 0]),
        helper.make_node("Reshape", ["turned", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
        helper.make_node("Relu", ["y"], ["z"]),
    ]
    tensors = {"shape": np.array([1, 6], dtype=np.int64), "w": weights(6, 3)}
    return model(nodes, {"p": [1, 2], "q": [1, 4]}, ["y", "z"], tensors)


def piecewise_linear() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["conv"], pads=[1, 1, 1, 1], name="conv"),
        helper.make_node("LeakyRelu", ["conv"], ["bent"], alpha=0.1),
        helper.make_node("MaxPool", ["bent"], ["pool"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["pool", "v"], ["second"]),
        helper.make_node("Clip", ["second", "low", "high"], ["clipped"]),
        helper.make_node("GlobalMaxPool", ["clipped"], ["largest"]),
        helper.make_node("Flatten", ["largest"], ["flat"]),
        helper.make_node("Split", ["flat"], ["left", "right"], axis=1),
        helper.make_node("PRelu", ["left", "slope"], ["steep"]),
        helper.make_node("Abs", ["right"], ["absolute"]),
        helper.make_node("Min", ["steep", "absolute"], ["least"]),
        helper.make_node("Neg", ["least"], ["y"]),
    ]
    tensors = {
        "w": weights(4, 2, 3, 3),
        "b": weights(4),
        "v": weights(6, 4, 2, 2),
        "low": np.float32(-1),
        "high": np.float32(6),
        "slope": np.float32([0.25, 2.0, -0.5]),
    }
    return model(nodes, {"x": [1, 2, 6, 6]}, ["y"], tensors)


MODELS = {
    "mlp": mlp,
    "scaled gemm": scaled_gemm,
    "matmul add scale": matmul_add_scale,
    "normalised convolution": normalised_convolution,
    "grouped convolution": lambda: normalised_convolution(8, group=4),
    "residual convolution": residual_convolution,
    "two inputs": two_inputs,
    "piecewise linear": piecewise_linear,
}


def judge(proto: onnx.ModelProto, count: int = 24, **options: object) -> DifferentialResult:
    graph = lowered(proto)
    return compare(loaded(proto), graph, samples(graph, count, seed=3), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", MODELS)
def test_runtime_agrees_in_both_sessions(name: str) -> None:
    result = judge(MODELS[name]())
    assert result.divergence is None
    assert result.finished
    assert result.samples == 24
    for report in result.sessions:
        assert report.outputs_covered, report.uncovered
        assert report.unbounded == 0
        assert all(share <= 1.0 for share in report.worst.values())


def test_optimiser_rewrites_are_named() -> None:
    assert judge(mlp()).rewrites == ("com.microsoft.FusedGemm",)
    assert any("Conv" in name for name in judge(normalised_convolution()).rewrites)


class Tampered:
    """A session that changes one element of one value by `steps` binary32 numbers."""

    def __init__(self, inner: RuntimeSession, value: str, steps: int) -> None:
        self.inner, self.value, self.steps = inner, value, steps
        self.outputs = inner.outputs

    def fetch(self, names: Sequence[str], inputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        values = list(self.inner.fetch(names, inputs))
        for position, name in enumerate(names):
            if name == self.value:
                changed = values[position].copy()
                changed.reshape(-1).view(np.int32)[0] += self.steps
                values[position] = changed
        return tuple(values)


def tampering(value: str, steps: int, which: Collection[int]) -> OpenSession:
    """An opener that tampers with the sessions of these numbers, in the order in which they are opened.

    Of the default matrix: 0 and 1 run the stored graph, as shipped and exposed; 2 is the shipped one with
    optimisation, 3 its graph loaded again, 4 that exposed.
    """
    opened = []

    def open_session(data: bytes, settings: SessionSettings) -> Fetching:
        session = RuntimeSession(data, settings=settings)
        opened.append(settings)
        return Tampered(session, value, steps) if len(opened) - 1 in which else session

    return open_session


@pytest.mark.parametrize(
    ("value", "steps", "op", "source"),
    [("active", 1, "Relu", "activation"), ("hidden", 2**16, "Gemm", "first"), ("y", 2**16, "Gemm", "second")],
)
def test_changed_value_names_the_first_divergent_node(value: str, steps: int, op: str, source: str) -> None:
    result = judge(mlp(), open_session=tampering(value, steps, {0, 1}))
    found = result.divergence
    assert found is not None
    assert (found.value, found.op, found.source) == (value, op, source)
    assert found.session == "no optimisation"
    assert found.element == 0
    assert found.ulps is None or found.ulps > 0
    assert (found.allowed is None) == (op == "Relu")


def test_changed_value_of_the_optimised_graph_is_seen() -> None:
    result = judge(mlp(), open_session=tampering("active", 2**16, {2, 3, 4}))
    assert result.divergence is not None
    assert result.divergence.value == "active"
    assert result.divergence.session == "default optimisation"


@pytest.mark.parametrize(("which", "what"), [(3, "its graph loaded again"), (4, "every value exposed")])
def test_other_bits_leave_the_outputs_to_be_judged(which: int, what: str) -> None:
    """Only an observing session gives other bits: the shipped session's outputs are judged end to end."""
    result = judge(mlp(), open_session=tampering("y", 1, {which}))
    assert result.divergence is None
    report = result.sessions[1]
    assert report.name == "default optimisation, outputs only"
    assert report.outputs_covered
    assert [test.what for test in report.equalities if test.failure] == [what]
    assert [test.failure for test in report.equalities if test.failure] == ["sample 0, output y, element 0"]
    evidence = evidence_of(RuntimeProperty(name="a", model="m", samples=24), result)
    assert evidence.verdict is Verdict.AGREED
    assert "could not be seen" in evidence.found
    assert any(what in line for line in evidence.details)


def test_what_was_seen_before_the_bits_differed_is_kept() -> None:
    class Late(Tampered):
        def fetch(self, names: Sequence[str], inputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
            self.steps = int(inputs["x"].reshape(-1)[0] == 5)
            return super().fetch(names, inputs)

    def open_session(data: bytes, settings: SessionSettings) -> Fetching:
        session = RuntimeSession(data, settings=settings)
        opened.append(session)
        return Late(session, "y", 1) if len(opened) == 4 else session

    opened: list[RuntimeSession] = []
    inputs = [{"x": np.full((1, 8), value, dtype=np.float32)} for value in (3, 4, 5, 6)]
    proto = mlp()
    result = compare(loaded(proto), lowered(proto), inputs, open_session=open_session)
    assert result.divergence is None
    assert [(report.name, report.samples) for report in result.sessions] == [
        ("no optimisation", 4),
        ("default optimisation", 2),
        ("default optimisation, outputs only", 2),
    ]
    assert result.sessions[1].exact_outputs + result.sessions[1].bounded_outputs == 4


def test_a_session_that_writes_its_graph_and_gives_other_bits_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def dump(model: bytes, settings: SessionSettings) -> tuple[Fetching, bytes]:
        session, data = runtime.dumped(model, settings)
        return Tampered(session, "y", 1), data

    monkeypatch.setattr(shipped, "dumped", dump)
    report = judge(mlp()).sessions[1]
    assert report.name == "default optimisation, outputs only"
    assert report.equalities[0].what == "the session that writes its graph"
    assert report.equalities[0].failure is not None


def test_a_graph_that_cannot_be_loaded_again_leaves_the_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    def dump(model: bytes, settings: SessionSettings) -> tuple[Fetching, bytes]:
        session, data = runtime.dumped(model, settings)
        proto = onnx.load_from_string(data)
        proto.graph.node[0].op_type = "Unknown"
        return session, proto.SerializeToString()

    monkeypatch.setattr(shipped, "dumped", dump)
    result = judge(mlp())
    report = result.sessions[1]
    assert report.name == "default optimisation, outputs only"
    assert "refused the model" in str(report.equalities[1].failure)
    assert report.outputs_covered


def test_every_level_of_optimisation_has_its_own_graph() -> None:
    levels = tuple(SessionSettings(level) for level in ("none", "basic", "extended", "layout", "all"))
    result = judge(normalised_convolution(), count=6, sessions=levels)
    assert result.divergence is None
    assert [report.settings["optimisation"] for report in result.sessions] == [
        "none", "basic", "extended", "layout", "all",
    ]  # fmt: skip
    assert not any(test.failure for report in result.sessions for test in report.equalities)
    assert all(len(report.equalities) == 3 for report in result.sessions[1:])
    assert "com.microsoft.FusedConv" in result.sessions[2].nodes
    assert "com.microsoft.FusedConv" not in result.sessions[1].nodes
    assert result.sessions[3].nodes != result.sessions[2].nodes


def test_threads_are_compared_with_the_first_session() -> None:
    settings = [SessionSettings("all", threads, inter) for threads, inter in ((1, 1), (2, 1), (2, 2))]
    result = judge(normalised_convolution(), count=6, sessions=settings)
    assert result.divergence is None
    assert [report.name for report in result.sessions] == [
        "default optimisation",
        "default optimisation, 2 threads",
        "default optimisation, 2 threads, 2 inter-op threads",
    ]
    assert result.sessions[0].bits == ""
    assert all(
        "those with default optimisation on 6 samples" in report.bits or "differ" in report.bits
        for report in result.sessions[1:]
    )
    assert result.sessions[2].settings["execution_mode"] == "parallel"


def test_other_bits_between_sessions_are_told_and_are_no_divergence() -> None:
    settings = [SessionSettings("none"), SessionSettings("none", threads=2)]
    result = judge(mlp(), sessions=settings, open_session=tampering("y", 1, {2, 3}))
    assert result.divergence is None
    assert result.sessions[1].bits == (
        "bits differ from those with no optimisation on 24 of 24 samples: y by up to 1 ulp"
    )


def test_a_provider_that_is_not_there_is_an_error() -> None:
    with pytest.raises(RuntimeFailure) as caught:
        judge(mlp(), sessions=[SessionSettings(provider="MissingExecutionProvider")])
    assert caught.value.code == "TL0706"
    assert "CPUExecutionProvider" in caught.value.message


def test_a_provider_that_leaves_nodes_to_the_cpu_is_an_error() -> None:
    name = "AzureExecutionProvider"
    import onnxruntime

    if name not in onnxruntime.get_available_providers():
        pytest.skip("this build of onnxruntime has no provider without kernels")
    with pytest.raises(RuntimeFailure) as caught:
        judge(mlp(), sessions=[SessionSettings(provider=name)])
    assert caught.value.code == "TL0706"


def change_constant(graph: Graph, name: str, steps: int) -> Graph:
    changed = graph.constants[name].astype(np.float32).copy()
    changed.reshape(-1).view(np.int32)[:] += steps
    return replace(graph, constants={**graph.constants, name: changed})


def test_every_weight_off_by_one_ulp_is_seen_by_the_probes() -> None:
    proto = mlp()
    graph = change_constant(lowered(proto), "w1", 1)
    found = compare(loaded(proto), graph, samples(graph, 16, seed=1)).divergence
    assert found is not None
    assert found.source == "first"
    assert found.allowed == 0.0


@pytest.mark.parametrize("name", ["w1", "b1", "w2", "b2"])
def test_changed_weight_is_seen(name: str) -> None:
    proto = mlp()
    graph = change_constant(lowered(proto), name, 2**14)
    found = compare(loaded(proto), graph, samples(graph, 16, seed=1)).divergence
    assert found is not None
    assert found.source == {"1": "first", "2": "second"}[name[1]]


def test_changed_attribute_is_seen() -> None:
    proto = scaled_gemm()
    graph = lowered(proto)
    first = graph.nodes[0]
    attributes = tuple(
        (key, 0.30000001192092896 * 2 if key == "alpha" else item) for key, item in first.attributes
    )
    changed = replace(graph, nodes=(replace(first, attributes=attributes), *graph.nodes[1:]))
    assert compare(loaded(proto), changed, samples(changed, 16, seed=1)).divergence is not None


def test_deadline_stops_before_the_next_sample() -> None:
    result = judge(mlp(), deadline=0.0)
    assert not result.finished
    assert result.samples == 0


def test_overflow_is_not_a_divergence() -> None:
    proto = mlp()
    graph = lowered(proto)
    huge = {"x": np.full((1, 8), 3e38, dtype=np.float32)}
    result = compare(loaded(proto), graph, [huge])
    assert result.divergence is None
    assert result.sessions[0].unbounded > 0


def test_not_a_number_is_compared_where_it_flows_through_exact_nodes() -> None:
    proto = model([helper.make_node("Relu", ["x"], ["y"])], {"x": [1, 4]}, ["y"])
    graph = lowered(proto)
    special = {"x": np.array([[np.nan, -np.inf, np.inf, -0.0]], dtype=np.float32)}
    result = compare(loaded(proto), graph, [special])
    assert result.divergence is None
    assert result.sessions[0].exact_outputs == 1


def test_exact_comparison() -> None:
    left = np.array([0.0, -0.0, np.nan, 1.0, np.inf], dtype=np.float32)
    right = np.array(
        [-0.0, -0.0, np.nan, np.nextafter(np.float32(1), np.float32(2)), -np.inf], dtype=np.float32
    )
    assert compare_exact(left, right).wrong.tolist() == [True, False, False, True, True]


def test_bounded_comparison() -> None:
    runtime = np.array([1.0, 1.1, np.nan, 5.0], dtype=np.float32)
    center = np.array([1.0, 1.0, 1.0, 1.0])
    outcome = compare_bounded(runtime, center, runtime, np.array([0.0, 0.05, 1.0, np.inf]))
    assert outcome.wrong.tolist() == [False, True, True, False]
    assert outcome.unbounded == 1


def test_affine_reference_pads_divides_and_knows_single_roundings() -> None:
    block = AffineBlock(
        weights=np.array([[1.5, 2.0], [0.1, -1.0]], dtype=np.float32),
        bias=np.array([0.25, 0.5], dtype=np.float32),
        gather=np.array([[0, ZERO], [1, 2]], dtype=np.int64),
        scatter=np.array([[0, 1], [2, 3]], dtype=np.int64),
    )
    reference = affine_reference(AffineStep(("x",), (block,)), 4)
    source = np.array([2.0, 3.0, 4.0])
    small = float(np.float32(0.1))
    assert reference.apply(source).tolist() == [3.25, 2 * small + 0.5, 12.75, 3 * small - 3.5]
    assert reference.magnitude(source)[3] == 3 * small + 4.5
    fixed, value = reference.single_roundings(source)
    assert fixed.tolist() == [True, True, False, False]
    assert value[1] == float(np.float32(2 * small + 0.5))
    halved = affine_reference(AffineStep(("x",), (replace(block, divisor=2),)), 4)
    assert halved.apply(source)[0] == 1.625
    assert not halved.single_roundings(source)[0].any()


def test_composed_bound_grows_with_folding_and_stays_useful() -> None:
    """A folded weight w * s rounds once more than the stored graph: the composed bound allows for that."""
    proto = normalised_convolution()
    report = judge(proto).sessions[1]
    composed = [share for op, share in report.worst.items() if op == "Relu"]
    assert composed
    assert 0.0 < composed[0] < 1.0
    assert compose.SLACK >= 10


def test_samples_are_seeded_and_mixed() -> None:
    graph = lowered(mlp())
    data = data_rows(np.arange(16, dtype=np.float32).reshape(2, 8), graph.types["x"])
    drawn = list(samples(graph, 12, 5, data=data))
    again = list(samples(graph, 12, 5, data=data))
    assert len(drawn) == 12
    assert all((a["x"] == b["x"]).all() for a, b in zip(drawn, again, strict=True))
    assert all(sample["x"].shape == (1, 8) and sample["x"].dtype == np.float32 for sample in drawn)
    assert not drawn[0]["x"].any()
    assert (drawn[1]["x"] == np.round(drawn[1]["x"])).all()
    assert drawn[2]["x"].sum() == 1.0
    assert (drawn[3]["x"] == data[0]).all()
    assert next(iter(samples(graph, 1, 0)))["x"].shape == (1, 8)


def test_random_samples_stay_in_the_box() -> None:
    from fractions import Fraction

    graph = lowered(mlp())
    box = outward_box((Fraction(1, 10),) * 8, (Fraction(2, 10),) * 8)
    assert isinstance(box, Box)
    assert float(box.lower[0]) <= 0.1 <= 0.2 <= float(box.upper[0])
    for sample in list(samples(graph, 40, 0, box=box))[10:]:
        assert (sample["x"] >= box.lower).all()
        assert (sample["x"] <= box.upper).all()


def test_verdicts_of_results() -> None:
    prop = RuntimeProperty(name="a", model="m", samples=24)
    agreed = judge(mlp())
    assert evidence_of(prop, agreed).verdict is Verdict.AGREED
    assert evidence_of(prop, agreed).samples == 24
    divergent = judge(mlp(), open_session=tampering("active", 1, {0, 1}))
    evidence = evidence_of(prop, divergent)
    assert evidence.verdict is Verdict.DIVERGENT
    assert "Relu node 'activation', output 'active', element 0" in evidence.found
    assert evidence.next_steps
    assert evidence_of(prop, replace(agreed, finished=False)).verdict is Verdict.UNKNOWN
    blind = replace(agreed, sessions=(agreed.sessions[0], replace(agreed.sessions[1], outputs_covered=False)))
    evidence = evidence_of(prop, blind)
    assert evidence.verdict is Verdict.UNKNOWN
    assert "not covered" in evidence.runtime


def test_outputs_without_any_finite_bound_are_not_covered() -> None:
    """The branch is not observed, and its sum may overflow: nothing is claimed about the only output."""
    branch = helper.make_graph(
        [
            helper.make_node("Mul", ["x", "huge"], ["a"]),
            helper.make_node("ReduceSum", ["a"], ["b"], keepdims=0),
            helper.make_node("Tanh", ["b"], ["y"]),
        ],
        "branch", [], [helper.make_tensor_value_info("y", 1, [])],
    )  # fmt: skip
    node = helper.make_node("If", ["yes"], ["z"], then_branch=branch, else_branch=branch)
    proto = model([node], {"x": [3]}, ["z"], {"yes": np.array(True), "huge": np.float32(3e38)})
    graph = lowered(proto)
    ones = {"x": np.ones(3, dtype=np.float32)}
    vacuous = compare(loaded(proto), graph, [ones])
    assert vacuous.divergence is None
    assert not any(report.outputs_covered for report in vacuous.sessions)
    small = {"x": np.full(3, 2.0**-100, dtype=np.float32)}
    assert all(report.outputs_covered for report in compare(loaded(proto), graph, [ones, small]).sessions)


def test_every_output_of_a_node_is_compared() -> None:
    node = helper.make_node("TopK", ["x", "k"], ["values", "places"])
    proto = model([node], {"x": [1, 5]}, ["values", "places"], {"k": np.array([2])})
    proto.graph.output[1].type.tensor_type.elem_type = TensorProto.INT64
    graph = lowered(proto)
    x = {"x": np.float32([[3, 1, 2, 5, 4]])}
    agreed = compare(loaded(proto), graph, [x])
    assert agreed.divergence is None
    assert all(report.exact_outputs == 2 and report.outputs_covered for report in agreed.sessions)
    swapped = replace(graph.nodes[0], attributes=(("axis", 1), ("k", 2), ("largest", 0)))
    found = compare(loaded(proto), replace(graph, nodes=(swapped,)), [x]).divergence
    assert found is not None
    assert found.value == "values"


def test_integers_that_differ_are_a_divergence() -> None:
    node = helper.make_node("ArgMax", ["x"], ["z"], axis=1)
    proto = model([node], {"x": [1, 5]}, ["z"])
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    graph = lowered(proto)
    wrong = replace(graph.nodes[0], op="ArgMin")
    found = compare(loaded(proto), replace(graph, nodes=(wrong,)), [{"x": np.float32([[3, 1, 2, 5, 4]])}])
    assert found.divergence is not None
    assert (found.divergence.runtime, found.divergence.expected, found.divergence.ulps) == ("3", "1", 2)


def test_initialisers_that_are_inputs_too_may_be_folded_away() -> None:
    """onnxruntime writes such an input without its value; the graph loaded again must not ask for it."""
    value = helper.make_tensor("value", TensorProto.FLOAT, [1], [0.5])
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["constant"], value=value),
        helper.make_node("Add", ["x", "constant"], ["y"]),
    ]
    proto = model(nodes, {"x": [1, 8]}, ["y"], {"shape": np.array([1, 8])})
    proto.ir_version = 3
    proto.graph.input.append(helper.make_tensor_value_info("shape", TensorProto.INT64, [2]))
    result = judge(proto, count=4)
    assert result.divergence is None
    assert [report.name for report in result.sessions] == ["no optimisation", "default optimisation"]
    assert not any(test.failure for report in result.sessions for test in report.equalities)


def dynamically_quantised(opset: int) -> onnx.ModelProto:
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["r"]),
        helper.make_node("MatMul", ["r", "w"], ["y"]),
    ]
    return model(nodes, {"x": [1, 8]}, ["y"], {"w": weights(8, 4)}, opset)


@pytest.mark.parametrize("opset", [11, 13, 21])
def test_inputs_that_are_all_zero_are_quantised_with_scale_one(opset: int) -> None:
    """The first sample is such an input; ONNX's definition would divide 0 by 0."""
    proto = dynamically_quantised(opset)
    graph = lowered(proto)
    result = compare(loaded(proto), graph, samples(graph, 24, 0, box=None))
    assert result.divergence is None
