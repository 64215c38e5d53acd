"""Activations and normalisations that onnxruntime fuses: the shipped session is covered, and says no."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import loaded, lowered, model

from pytest_torchlean.differential import DifferentialResult, Divergence, compare
from pytest_torchlean.differential.sessions import SessionComparison, prepare
from pytest_torchlean.runtime import RuntimeSession, expose, nodes_of, optimised_model

ROOT_2 = np.float32(2**0.5)
SLOPE = np.float32((2 / np.pi) ** 0.5)


def node(op: str, inputs: str, output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), [output], **attributes)


BLOCKS: dict[str, list[onnx.NodeProto]] = {
    "gelu": [
        node("Div", "h root", "d"), node("Erf", "d", "e"), node("Add", "e one", "f"),
        node("Mul", "h f", "g"), node("Mul", "g half", "a"),
    ],
    "gelu-half-first": [
        node("Mul", "h half", "g"), node("Div", "h root", "d"), node("Erf", "d", "e"),
        node("Add", "e one", "f"), node("Mul", "g f", "a"),
    ],
    "fast-gelu": [
        node("Pow", "h three", "p"), node("Mul", "p cubic", "c"), node("Add", "h c", "s"),
        node("Mul", "s slope", "t"), node("Tanh", "t", "u"), node("Add", "u one", "k"),
        node("Mul", "h half", "l"), node("Mul", "l k", "a"),
    ],
    "silu": [node("Sigmoid", "h", "s"), node("Mul", "h s", "a")],
    "quick-gelu": [node("Mul", "h quick", "q"), node("Sigmoid", "q", "s"), node("Mul", "h s", "a")],
    "hard-swish": [node("HardSigmoid", "h", "s", alpha=1 / 6, beta=0.5), node("Mul", "h s", "a")],
    "mish": [node("Softplus", "h", "s"), node("Tanh", "s", "t"), node("Mul", "h t", "a")],
    "tanh": [node("Tanh", "h", "a")],
    "softmax": [node("Softmax", "h", "a", axis=-1)],
    "layer-normalisation": [
        node("ReduceMean", "h", "m", axes=[-1]), node("Sub", "h m", "c"), node("Pow", "c two", "p"),
        node("ReduceMean", "p", "v", axes=[-1]), node("Add", "v epsilon", "o"), node("Sqrt", "o", "r"),
        node("Div", "c r", "n"), node("Mul", "n scale", "k"), node("Add", "k bias", "a"),
    ],
}  # fmt: skip
NUMBERS = {
    "root": ROOT_2, "one": np.float32(1), "half": np.float32(0.5), "two": np.float32(2),
    "three": np.float32(3), "cubic": np.float32(0.044715), "slope": SLOPE, "quick": np.float32(1.702),
    "epsilon": np.float32(1e-5),
}  # fmt: skip


def network(block: str, opset: int = 17) -> onnx.ModelProto:
    """x w + b, the block, and a matrix product behind it."""
    rng = np.random.default_rng(1)
    weights = {
        "w": rng.standard_normal((8, 16)), "b": rng.standard_normal(16), "w2": rng.standard_normal((16, 4)),
        "scale": rng.standard_normal(16), "bias": rng.standard_normal(16),
    }  # fmt: skip
    used = {name for step in BLOCKS[block] for name in step.input} | {"w", "b", "w2"}
    tensors = {name: np.asarray(value, dtype=np.float32) for name, value in (weights | NUMBERS).items()}
    nodes = [
        node("MatMul", "x w", "m0"),
        node("Add", "m0 b", "h"),
        *BLOCKS[block],
        node("MatMul", "a w2", "y"),
    ]
    constants = {name: value for name, value in tensors.items() if name in used}
    return model(nodes, {"x": [1, 6, 8]}, ["y"], constants, opset=opset)


def judge(proto: onnx.ModelProto) -> DifferentialResult:
    rng = np.random.default_rng(2)
    scales = [0.01, 0.3, 1.0, 3.0, 10.0, 100.0]
    samples = [{"x": np.float32(rng.standard_normal((1, 6, 8)) * scale)} for scale in scales]
    return compare(loaded(proto), lowered(proto), samples)


@pytest.mark.parametrize("block", BLOCKS)
def test_the_shipped_session_is_covered_and_agrees(block: str) -> None:
    result = judge(network(block))
    assert result.divergence is None
    assert result.finished
    for session in result.sessions:
        assert session.outputs_covered, session.uncovered
        assert all(share <= 1.0 for share in session.worst.values())


def test_the_optimiser_did_fuse() -> None:
    fused = {
        "gelu": "com.microsoft.Gelu",
        "silu": "com.microsoft.QuickGelu",
        "fast-gelu": "com.microsoft.FastGelu",
    }
    for block, operator in fused.items():
        assert any(operator in name for name in judge(network(block)).rewrites), block


@pytest.mark.parametrize(
    ("stored", "described"), [("fast-gelu", "gelu"), ("quick-gelu", "silu"), ("quick-gelu", "gelu")]
)
def test_another_activation_is_found_by_the_composed_bound(stored: str, described: str) -> None:
    """The session without optimisation is not asked: only what the fused graph still names is compared."""
    assert fused_only(network(described), network(described)) is None
    found = fused_only(network(stored), network(described))
    assert found is not None
    assert found.value == "a"


def fused_only(stored: onnx.ModelProto, described: onnx.ModelProto) -> Divergence | None:
    """The first divergence of the optimised graph of one model from the meaning of another."""
    graph = lowered(described)
    dump = optimised_model(stored.SerializeToString())
    originals = {
        output: step.kind for step in nodes_of(described.SerializeToString()) for output in step.outputs
    }
    unchanged = frozenset(
        output for step in nodes_of(dump) for output in step.outputs if originals.get(output) == step.kind
    )
    session = RuntimeSession(expose(dump), False)
    comparison = SessionComparison("fused", session, graph, prepare(graph), unchanged, ())
    rng = np.random.default_rng(2)
    return comparison.compare(0, {"x": np.float32(rng.standard_normal((1, 6, 8)))})
