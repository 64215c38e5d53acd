"""Every stored node alone: what whole runs at the guard's points cannot show is noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from certificate_examples import Network, conv, linear, mlp, quadratic, residual
from onnx import helper
from onnx_models import loaded, lowered, model

from pytest_torchlean.bounds.program import AffineNode, Program, ReluNode
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.guard import require_same_function
from pytest_torchlean.certificate.nodewise import require_same_nodes
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import GraphData
from pytest_torchlean.errors import CertificateError
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.runtime import nodes_of

NETWORKS = {"linear": linear, "mlp": mlp, "conv": conv, "residual": residual, "quadratic": quadratic}


def emitted(program: Program) -> GraphData:
    forms = Forms(np.zeros((0, program.outputs.size), dtype=object), np.zeros(0, dtype=object), True)
    region = RationalBox((Fraction(1),) * program.inputs, (Fraction(2),) * program.inputs)
    return build_emission(program, [Goal(forms, (region,))]).graph


def compare(network: Network, program: Program | None = None) -> int:
    used = network.program if program is None else program
    executions = Executions(loaded(network.proto), lowered(network.proto))
    nodes = nodes_of(executions.model.data)
    run = executions.pieces(used.values)
    return require_same_nodes(emitted(used), used.values, executions.graph.inputs, nodes, run)


def closed() -> Network:
    """A ReLU that lets nothing through on [1, 2]^3, and what follows it."""
    rng = np.random.default_rng(0)
    values = {
        "w": -np.abs(rng.normal(size=(4, 3))).astype(np.float32),
        "v": rng.normal(size=(2, 4)).astype(np.float32),
        "c": rng.normal(size=2).astype(np.float32),
    }
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v", "c"], ["z"], transB=1),
    ]
    return Network(model(nodes, {"x": [1, 3]}, ["z"], values), 3, 2)


def with_nodes(program: Program, change: Callable[[int, AffineNode], AffineNode]) -> Program:
    nodes = [
        change(i, node) if isinstance(node, AffineNode) else node for i, node in enumerate(program.nodes)
    ]
    return replace(program, nodes=tuple(nodes))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_model_itself_passes(name: str, seed: int) -> None:
    network = NETWORKS[name](seed)
    assert compare(network) == len(network.proto.graph.node)


def test_data_movement_and_shape_data_pass() -> None:
    """Values that no program node writes, nodes that only move, and integers between them."""
    nodes = [
        helper.make_node("Identity", ["x"], ["i"]),
        helper.make_node("Transpose", ["i"], ["t"], perm=[0, 2, 1]),
        helper.make_node("Shape", ["t"], ["s"]),
        helper.make_node("Relu", ["t"], ["a"]),
        helper.make_node("Reshape", ["a", "s"], ["b"]),
        helper.make_node("Concat", ["b", "t"], ["d"], axis=1),
        helper.make_node("Add", ["d", "d"], ["z"]),
    ]
    network = Network(model(nodes, {"x": [1, 2, 3]}, ["z"]), 6, 12)
    assert compare(network) >= 6


def test_wrong_weights_behind_zeros_are_noticed_here_and_only_here() -> None:
    network = closed()
    other = with_nodes(
        network.program,
        lambda i, node: (
            node if i == 0 else replace(node, weights=node.weights * np.array([1, 1, 3, 1, 1], "f4"))
        ),
    )
    points = np.random.default_rng(1).uniform(1, 2, (32, 3)).astype(np.float32)
    executions = Executions(loaded(network.proto), lowered(network.proto))
    require_same_function(emitted(other), other.outputs, points, executions.runtime)
    compare(network)
    with pytest.raises(CertificateError, match="alone on random inputs") as caught:
        compare(network, other)
    assert caught.value.code == "TL0610"


@pytest.mark.parametrize("name", ["mlp", "conv", "residual"])
def test_a_changed_weight_is_noticed_in_every_node(name: str) -> None:
    network = NETWORKS[name](2)
    places = [i for i, node in enumerate(network.program.nodes) if isinstance(node, AffineNode)]
    for place in places:

        def change(index: int, node: AffineNode, place: int = place) -> AffineNode:
            table = node.weights.copy()
            table.flat[np.abs(table).argmax()] *= np.float32(1.001 if index == place else 1)
            return replace(node, weights=table)

        with pytest.raises(CertificateError):
            compare(network, with_nodes(network.program, change))


def test_a_relu_of_other_slots_is_noticed() -> None:
    network = closed()
    nodes = [
        replace(node, first=node.first - 1) if isinstance(node, ReluNode) else node
        for node in network.program.nodes
    ]
    with pytest.raises(CertificateError):
        compare(network, replace(network.program, nodes=tuple(nodes)))


def test_a_node_that_reads_past_its_inputs_is_noticed() -> None:
    """The last layer reads the input of the model instead of the ReLU."""
    network = closed()
    other = with_nodes(
        network.program,
        lambda i, node: node if i == 0 else replace(node, sources=np.where(node.sources > 1, 2, 1)),
    )
    with pytest.raises(CertificateError, match="read what the node does not"):
        compare(network, other)


def test_values_under_other_slots_are_noticed() -> None:
    network = conv(0)
    program = network.program
    for name in ("x", "h", "p"):
        swapped = program.values[name].copy()
        swapped[:2] = swapped[1::-1]
        with pytest.raises(CertificateError):
            compare(network, replace(program, values={**program.values, name: swapped}))


def test_fewer_values_than_the_model_has_are_noticed() -> None:
    network = mlp(0)
    program = network.program
    with pytest.raises(CertificateError, match="fewer values"):
        compare(network, replace(program, values={**program.values, "z": program.values["z"] + 10**6}))


def test_weights_that_are_no_numbers_are_refused() -> None:
    network = linear(0)
    graph = emitted(network.program)
    (node,) = graph.nodes
    graph = replace(graph, nodes=(replace(node, weights=node.weights | 0x7F800000),))  # type: ignore[union-attr]
    with pytest.raises(CertificateError, match="cannot be decoded"):
        require_same_nodes(graph, network.program.values, ("x",), (), lambda values: {})


def test_an_answer_of_another_size_is_refused() -> None:
    network = linear(0)
    nodes = nodes_of(network.proto.SerializeToString())
    for answer in ({}, {"z": np.zeros(2, np.float32)}, {"z": np.zeros(3)}, {"z": np.full(3, np.nan, "f4")}):
        with pytest.raises(CertificateError):
            require_same_nodes(
                emitted(network.program), network.program.values, ("x",), nodes, lambda values, a=answer: a
            )
