"""Probes of single nodes: they agree on what onnxruntime runs, and see what no sample can."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_models import loaded, lowered, model
from test_differential import GENERATOR, MODELS, mlp, residual_convolution

from pytest_torchlean.cli import main
from pytest_torchlean.differential import compare
from pytest_torchlean.differential.histograms import Histograms
from pytest_torchlean.differential.nodes import Outcome
from pytest_torchlean.differential.probes import probe_model
from pytest_torchlean.differential.result import Divergence, ProbeReport
from pytest_torchlean.differential.samples import DRAWN, outward_box, samples
from pytest_torchlean.errors import DataError, SpecError
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.properties import node_witness
from pytest_torchlean.properties.agreement import evidence_of
from pytest_torchlean.properties.node_witness import node_witness_of, replay_node, write_node_witness
from pytest_torchlean.runtime import RuntimeSession, SessionSettings
from pytest_torchlean.spec.builders import runtime_agreement
from pytest_torchlean.spec.model import RuntimeProperty

Fault = Callable[[onnx.ModelProto], None]


@pytest.fixture(autouse=True)
def _shared_weights() -> Iterator[None]:
    """The weights that other modules draw do not depend on these tests."""
    state = GENERATOR.bit_generator.state
    yield
    GENERATOR.bit_generator.state = state


def probed(
    proto: onnx.ModelProto, fault: Fault | None = None, levels: Sequence[str] = ()
) -> tuple[tuple[ProbeReport, ...], Divergence | None]:
    """Probe a model on a runtime that runs a faulty copy of every node."""

    def opened(data: bytes, settings: SessionSettings) -> RuntimeSession:
        running = onnx.load_from_string(data)
        if fault is not None:
            fault(running)
        return RuntimeSession(running.SerializeToString(), settings=settings)

    return probe_model(loaded(proto), lowered(proto), levels=levels, open_session=opened)


def change(name: str, changed: Callable[[np.ndarray], np.ndarray]) -> Fault:
    """Change the constant of this name, where the model has it."""

    def fault(proto: onnx.ModelProto) -> None:
        for tensor in proto.graph.initializer:
            if tensor.name == name:
                array = np.asarray(changed(numpy_helper.to_array(tensor).copy()))
                tensor.CopyFrom(numpy_helper.from_array(array, name))

    return fault


def one_ulp(array: np.ndarray) -> np.ndarray:
    array.reshape(-1).view(np.int32)[array.size // 2] += 1
    return array


def deep(depth: int) -> onnx.ModelProto:
    rng = np.random.default_rng(1)
    tensors = {"w": rng.standard_normal((depth, 3)).astype(np.float32), "b": np.float32([1, 2, 3])}
    return model(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"], name="deep")], {"x": [1, depth]}, ["y"], tensors
    )


@pytest.mark.parametrize("name", MODELS)
def test_probes_agree_with_the_runtime(name: str) -> None:
    proto = MODELS[name]()
    (stored, running), found = probed(proto, levels=["all"])
    assert found is None
    assert stored.nodes == len(proto.graph.node)
    assert running.nodes + running.known > 0
    for report in (stored, running):
        assert report.weights_read == report.weights
        assert not report.left_out


@pytest.mark.parametrize("depth", [1, 7, 4096])
def test_one_weight_off_by_one_ulp_is_seen_at_any_depth(depth: int) -> None:
    _, found = probed(deep(depth), change("w", one_ulp))
    assert found is not None
    assert (found.probe, found.source, found.op, found.allowed) == ("impulse", "deep", "Gemm", 0.0)
    assert found.ulps is not None
    rows = found.inputs["x"]
    assert ((rows != 0).sum(axis=1) <= 1).all()


def test_bias_off_by_one_ulp_is_seen() -> None:
    _, found = probed(mlp(), change("b2", one_ulp))
    assert found is not None
    assert (found.probe, found.source) == ("impulse", "second")


def test_where_products_overflow_the_order_decides_and_nothing_is_claimed() -> None:
    """An infinity of one sign meets one that overflow made, earlier or later in the sum."""
    weights = np.random.default_rng(0).standard_normal((8, 2, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("LeakyRelu", ["c"], ["y"], alpha=5.0),
    ]
    for scale in (1e38, 1.0):
        proto = model(nodes, {"x": [1, 2, 4, 4]}, ["y"], {"w": weights * np.float32(scale)})
        _, found = probed(proto, levels=["all"])
        assert found is None, found


def test_empty_matrices_are_no_fault() -> None:
    for inner, columns in ((3, 0), (0, 3)):
        weights = np.zeros((inner, columns), dtype=np.float32)
        proto = model(
            [helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": [1, inner]}, ["y"], {"w": weights}
        )
        graph = lowered(proto)
        assert probed(proto)[1] is None
        result = compare(loaded(proto), graph, list(samples(graph, 2, 0)))
        assert result.divergence is None


@pytest.mark.parametrize("tail", ["", "Relu", "LeakyRelu"])
def test_products_that_overflow_are_no_difference(tail: str) -> None:
    """Infinities meet infinities, whatever lies between; the other weights are still read to the bit."""
    weights = np.float32([[3e38, -3e38], [1.0, -2.0], [3e38, 3.0]])
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["h"] if tail else ["y"], name="large")]
    if tail:
        nodes.append(helper.make_node(tail, ["h"], ["y"], **({} if tail == "Relu" else {"alpha": 3.0})))
    proto = model(nodes, {"x": [1, 3]}, ["y"], {"w": weights, "b": np.float32([1e38, 0.5])})
    _, found = probed(proto, levels=["all"])
    assert found is None, found

    def one(stored: np.ndarray) -> np.ndarray:
        changed = stored.copy()
        changed[changed == 3.0] = np.nextafter(np.float32(3), np.float32(4))
        return changed

    _, found = probed(proto, change("w", one), levels=["all"])
    assert found is not None
    assert (found.probe, found.source) == ("impulse", "large")


def test_impulses_are_limited_by_their_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_torchlean.differential import probes

    monkeypatch.setattr(probes, "MOST_PRODUCTS", 2**10)
    (report,), found = probed(deep(512))
    assert found is None
    assert report.limited == ("Gemm giving y: 16 of 512 impulses",)
    assert 0 < report.weights_read < report.weights


@pytest.mark.parametrize(
    ("build", "op", "weights"), [(mlp, "FusedGemm", "w1"), (residual_convolution, "Conv", "reorder")]
)
def test_fused_and_blocked_kernels_are_probed(
    build: Callable[[], onnx.ModelProto], op: str, weights: str
) -> None:
    """The fault is in the optimiser's own nodes only."""

    def fault(proto: onnx.ModelProto) -> None:
        if any(node.op_type == op and node.domain.startswith("com.microsoft") for node in proto.graph.node):
            change(weights, one_ulp)(proto)

    (_, running), found = probed(build(), fault, ["all"])
    assert found is not None
    assert running.session == found.session == "default optimisation"
    assert found.probe == "impulse"
    assert found.allowed == 0.0
    assert found.label == {"FusedGemm": "com.microsoft.FusedGemm", "Conv": "com.microsoft.nchwc.Conv"}[op]


def single(op: str, **attributes: object) -> onnx.ModelProto:
    return model(
        [helper.make_node(op, ["x"], ["y"], name="it", **attributes)], {"x": [1, 24]}, ["y"], opset=20
    )


@pytest.mark.parametrize(
    ("op", "text"),
    [
        ("Gelu", "Gelu: NaN at an infinity"),
        ("Softsign", "Softsign: NaN at an infinity"),
        ("ThresholdedRelu", "ThresholdedRelu: a NaN does not reach the result"),
        ("ReduceMax", "ReduceMax: a NaN that is not first is dropped"),
    ],
)
def test_known_differences_are_named_and_no_divergence(op: str, text: str) -> None:
    (report,), found = probed(single(op))
    assert found is None
    assert report.surprises == (text,)


@pytest.mark.parametrize("op", ["Relu", "Neg", "Exp", "Sqrt", "Sign", "Sigmoid", "Floor"])
def test_special_values_agree(op: str) -> None:
    (report,), found = probed(single(op))
    assert found is None
    assert not report.surprises


def replaced_by(*nodes: onnx.NodeProto) -> Fault:
    """The runtime computes the output of the node `it` by other nodes."""

    def fault(proto: onnx.ModelProto) -> None:
        if any(node.name == "it" for node in proto.graph.node):
            kept = [node for node in proto.graph.node if node.name != "it"]
            del proto.graph.node[:]
            proto.graph.node.extend([*kept, *nodes])

    return fault


@pytest.mark.parametrize(
    ("op", "fault"),
    [
        (
            "Relu",
            [
                ("Clip", ["x"], {}),
            ],
        ),
        (
            "Neg",
            [
                ("Abs", ["x"], {}),
            ],
        ),
    ],
)
def test_unknown_differences_on_special_values_are_divergences(
    op: str, fault: list[tuple[str, list[str], dict[str, object]]]
) -> None:
    nodes = [helper.make_node(name, inputs, ["y"], **given) for name, inputs, given in fault]
    _, found = probed(single(op), replaced_by(*nodes))
    assert found is not None
    assert found.source == "it"


def test_an_infinity_that_becomes_finite_is_a_divergence() -> None:
    """Elu has a bound everywhere but at infinities, where its kind is compared."""
    constants = [helper.make_node("Constant", [], [name], value_float=value)
                 for name, value in (("low", -3.0e38), ("high", 3.0e38))]  # fmt: skip
    nodes = [
        *constants,
        helper.make_node("Elu", ["x"], ["inner"]),
        helper.make_node("Clip", ["inner", "low", "high"], ["y"]),
    ]
    _, found = probed(single("Elu"), replaced_by(*nodes))
    assert found is not None
    assert (found.probe, found.expected) == ("special", "inf")


def test_flushed_subnormals_are_seen() -> None:
    """The runtime adds and takes away a number that subnormals do not survive."""
    nodes = [
        helper.make_node("Constant", [], ["c"], value_float=2.0**-120),
        helper.make_node("Add", ["x", "c"], ["a"]),
        helper.make_node("Sub", ["a", "c"], ["y"]),
    ]
    _, found = probed(single("Identity"), replaced_by(*nodes))
    assert found is not None
    assert (found.probe, found.source) == ("special", "it")


class Faulty(RuntimeSession):
    """A runtime on which one weight of the second layer is off by one unit in the last place."""

    def __init__(self, model: bytes, settings: SessionSettings) -> None:
        proto = onnx.load_from_string(model)
        change("w2", one_ulp)(proto)
        super().__init__(proto.SerializeToString(), settings=settings)


def test_divergent_node_is_written_and_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    proto = mlp()
    onnx.save(onnx.shape_inference.infer_shapes(proto), tmp_path / "m.onnx")
    stored = load_model(tmp_path / "m.onnx", root=tmp_path)
    graph = lower(stored)
    _, found = probe_model(stored, graph, open_session=Faulty)
    assert found is not None
    path = write_node_witness(found, stored, graph, tmp_path, "m--runtime")
    assert path == ".torchlean/witnesses/m--runtime--node.json"
    assert main(["replay", str(tmp_path / path)]) == 0
    assert "the node agrees now" in capsys.readouterr().out
    monkeypatch.setattr(node_witness, "RuntimeSession", Faulty)
    assert main(["replay", str(tmp_path / path)]) == 1
    shown = capsys.readouterr().out
    assert "Gemm 'second' giving 'y'" in shown
    assert "1 ulp; allowed 0)" in shown
    assert "the node still diverges" in shown


def test_samples_that_diverge_are_written_with_the_nodes_own_inputs(tmp_path: Path) -> None:
    proto = mlp()
    onnx.save(onnx.shape_inference.infer_shapes(proto), tmp_path / "m.onnx")
    stored = load_model(tmp_path / "m.onnx", root=tmp_path)
    graph = lower(stored)

    def opened(data: bytes, settings: SessionSettings) -> RuntimeSession:
        running = onnx.load_from_string(data)
        change("w2", lambda array: array * np.float32(1.01))(running)
        return RuntimeSession(running.SerializeToString(), settings=settings)

    found = compare(stored, graph, samples(graph, 8, 0), open_session=opened).divergence
    assert found is not None
    assert (found.source, set(found.inputs), set(found.model_inputs)) == ("second", {"active"}, {"x"})
    path = write_node_witness(found, stored, graph, tmp_path, "m--runtime")
    assert path is not None
    result = replay_node(node_witness_of(json.loads((tmp_path / path).read_text())), tmp_path)
    assert not result.diverges
    assert result.same_model


def test_damaged_node_witness_is_refused(tmp_path: Path) -> None:
    proto = mlp()
    onnx.save(onnx.shape_inference.infer_shapes(proto), tmp_path / "m.onnx")
    stored = load_model(tmp_path / "m.onnx", root=tmp_path)
    _, found = probe_model(stored, lower(stored), open_session=Faulty)
    assert found is not None
    path = write_node_witness(found, stored, lower(stored), tmp_path, "m")
    assert path is not None
    plain = json.loads((tmp_path / path).read_text())
    for key, value in (
        ("inputs", {"active": {"dtype": "float32", "shape": [1, 12], "data": "AAAA"}}),
        ("inputs", {"active": {"dtype": "object", "shape": [1], "data": "AAAA"}}),
        ("inputs", {}),
        ("value", "nothing"),
    ):
        with pytest.raises(DataError, match=r"witness|node"):
            replay_node(node_witness_of(plain | {key: value}), tmp_path)
    with pytest.raises(ValueError, match="unknown field"):
        node_witness_of(plain | {"more": 1})


def test_samplings_are_seeded_and_of_their_kind() -> None:
    graph = lowered(mlp())
    for kind in DRAWN:
        drawn = [sample["x"] for sample in samples(graph, 6, 3, sampling=[kind])]
        again = [sample["x"] for sample in samples(graph, 6, 3, sampling=[kind])]
        assert len(drawn) == 6
        assert all((a == b).all() for a, b in zip(drawn, again, strict=True))
        assert any((drawn[0] != other).any() for other in drawn[1:])
    (ties,) = samples(graph, 1, 0, sampling=["ties"])
    assert np.ptp(ties["x"]) <= 4 * np.spacing(ties["x"].max())
    (pairs,) = samples(graph, 1, 0, sampling=["cancellation"])
    assert abs(pairs["x"][0, ::2] + pairs["x"][0, 1::2]).max() <= 8 * np.spacing(np.abs(pairs["x"]).max())


def test_only_listed_samplings_are_drawn() -> None:
    graph = lowered(mlp())
    rows = np.arange(24, dtype=np.float32).reshape(3, 1, 8)
    only = list(samples(graph, 10, 0, data=rows, sampling=["data"]))
    assert [sample["x"][0, 0] for sample in only] == [0.0, 8.0, 16.0]
    assert len(list(samples(graph, 10, 0, data=rows, sampling=["data", "uniform"]))) == 10
    assert not list(samples(graph, 10, 0, sampling=["data"]))


def test_every_sampling_stays_in_the_box() -> None:
    graph = lowered(mlp())
    box = outward_box((Fraction(-1, 10),) * 8, (Fraction(2, 10),) * 8)
    for kind in DRAWN:
        for sample in samples(graph, 8, 0, box=box, sampling=[kind]):
            assert ((sample["x"] >= box.lower) & (sample["x"] <= box.upper)).all()


def test_sampling_is_a_key_of_the_spec() -> None:
    assert runtime_agreement(sampling=["data", "ties"]).sampling == ("data", "ties")
    with pytest.raises(SpecError, match="is not known"):
        runtime_agreement(sampling=["gaussian"])


def test_histograms_count_every_bounded_element() -> None:
    proto = mlp()
    graph = lowered(proto)
    result = compare(loaded(proto), graph, samples(graph, 12, 0))
    for report in result.sessions:
        assert set(report.shares) == set(report.ulps) == set(report.worst)
        assert all(sum(counts) > 0 for counts in report.shares.values())
    stored = result.sessions[0]
    assert sum(stored.shares["Gemm"]) == sum(stored.ulps["Gemm"]) == 12 * (12 + 4)
    evidence = evidence_of(RuntimeProperty(name="a", model="m", samples=12), result)
    assert sum(evidence.sessions[0].ulps["Gemm"].values()) == 192
    assert any("elements by ulps from the evaluator: 0: " in line for line in evidence.details)


def test_histogram_bins() -> None:
    bins = Histograms()
    runtime = np.float32([1.0, 1.0, 1.0, np.nan])
    expected = np.float32([1.0, np.nextafter(np.float32(1), np.float32(2)), 1.00003, 1.0])
    share, allowed = np.array([0.0, 0.55, 1.0, 0.1]), np.array([1.0, 1.0, 1.0, np.inf])
    bins.add("Gemm", runtime, Outcome(expected, np.zeros(4, bool), allowed, 1.0, 1, share))
    bins.add("Relu", runtime, Outcome(expected, np.zeros(4, bool), None, 0.0, 0))
    assert bins.shares() == {"Gemm": (1, 0, 0, 0, 0, 1, 0, 0, 0, 1)}
    assert bins.ulps() == {"Gemm": (1, 1, 0, 0, 0, 0, 1, 0)}


def test_inputs_that_a_node_gives_no_meaning_are_named() -> None:
    """NaN and infinities have no integer to be cast to."""
    nodes = [
        helper.make_node("Cast", ["x"], ["whole"], to=onnx.TensorProto.INT32),
        helper.make_node("Cast", ["whole"], ["y"], to=onnx.TensorProto.FLOAT),
    ]
    proto = model(nodes, {"x": [1, 4]}, ["y"])
    reports, found = probe_model(loaded(proto), lowered(proto))
    assert found is None
    assert any("Cast giving whole: no special probe" in line for line in reports[0].limited)
