"""Every model there is comes back from the emitted text bit for bit, and computes the same.

TORCHLEAN_TEST_MODELS may name a folder of further ONNX files.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from certificate_examples import conv, linear, mlp, piecewise, residual
from onnx import helper
from onnx_models import lowered, model

from pytest_torchlean.bounds.interval import evaluate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import (
    AffineNode,
    BilinearNode,
    CurveNode,
    ExtremumNode,
    Program,
    ProgramNode,
    QuotientNode,
    ReluNode,
)
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import (
    AffineData,
    BilinearData,
    CurveData,
    GraphData,
    MaximumData,
    QuotientData,
    ReluData,
    Semantics,
)
from pytest_torchlean.certificate.text import parse, render
from pytest_torchlean.certificate.words import pairs_of, patterns_of, sources_of, unpack_words
from pytest_torchlean.errors import CertificateError, TorchleanError
from pytest_torchlean.onnx_import import load_model, lower

MODELS = sorted((Path(__file__).parents[2] / "example_repo").rglob("*.onnx"))
FURTHER = os.environ.get("TORCHLEAN_TEST_MODELS")
_MOST_WEIGHTS = 3_000_000


def read_back(program: Program, semantics: Semantics) -> GraphData:
    """The graph of a claim without inequalities about the inputs in [0, 1], through text."""
    forms = Forms(np.zeros((0, program.outputs.size), dtype=object), np.zeros(0, dtype=object), True)
    box = RationalBox((Fraction(0),) * program.inputs, (Fraction(1),) * program.inputs)
    emission = build_emission(program, [Goal(forms, (box,))], semantics)
    text = render([emission])
    (parsed,) = parse(text)
    assert parsed == emission
    assert render([parsed]) == text
    return parsed.graph


def program_of(graph: GraphData) -> list[ProgramNode]:
    """The nodes that the data describe, decoded here and nowhere else."""
    nodes: list[ProgramNode] = []
    start = 2 + graph.inputs
    for data in graph.nodes:
        node: ProgramNode
        if isinstance(data, AffineData):
            patterns = np.ascontiguousarray(patterns_of(data))
            node = AffineNode(start, patterns.view(np.float32), sources_of(data), data.divisor)
        elif isinstance(data, ReluData):
            node = ReluNode(start, data.first, data.count)
        elif isinstance(data, CurveData):
            node = CurveNode(start, data.function.label, data.first, data.count)
        elif isinstance(data, BilinearData):
            words = unpack_words(data.sources, 2 * data.count * data.terms).astype(np.int64)
            left, right = words.reshape(data.count, data.terms, 2).transpose(2, 0, 1)
            node = BilinearNode(start, left, right)
        elif isinstance(data, QuotientData):
            node = QuotientNode(start, *pairs_of(data).T)
        else:
            left, right = pairs_of(data).T
            node = ExtremumNode(start, isinstance(data, MaximumData), left, right)
        nodes.append(node)
        start += node.size
    return nodes


def columns_of(node: AffineNode) -> list[tuple[bytes, bytes]]:
    """Columns with what they read, whatever their order; without weights that are all +0."""
    patterns = np.ascontiguousarray(node.weights).view(np.uint32)
    pairs = zip(patterns.T, node.sources.T, strict=True)
    return sorted((weights.tobytes(), sources.tobytes()) for weights, sources in pairs if weights.any())


def check(program: Program, semantics: Semantics) -> None:
    graph = read_back(program, semantics)
    assert graph.inputs == program.inputs
    nodes = program_of(graph)
    assert len(nodes) == len(program.nodes)
    for found, wanted in zip(nodes, program.nodes, strict=True):
        assert type(found) is type(wanted)
        assert (found.start, found.size) == (wanted.start, wanted.size)
        if isinstance(found, AffineNode) and isinstance(wanted, AffineNode):
            assert found.divisor == wanted.divisor
            assert columns_of(found) == columns_of(wanted)
        if isinstance(wanted, ExtremumNode | BilinearNode | QuotientNode):
            assert isinstance(found, type(wanted))
            assert np.array_equal(found.left, wanted.left)
            assert np.array_equal(found.right, wanted.right)
    points = np.random.default_rng(0).uniform(0, 1, (3, program.inputs))
    again = Program(program.inputs, tuple(nodes), program.outputs, program.size)
    expected, values = evaluate(program, points), evaluate(again, points)
    assert np.allclose(values, expected, rtol=1e-9, atol=1e-9 * float(np.abs(expected).max()))


@pytest.mark.parametrize("semantics", Semantics, ids=lambda semantics: semantics.name.lower())
@pytest.mark.parametrize("build", [linear, mlp, conv, residual, piecewise])
def test_small_networks_come_back(build: object, semantics: Semantics) -> None:
    for seed in range(3):
        check(build(seed).program, semantics)  # type: ignore[operator]


@pytest.mark.parametrize("semantics", Semantics, ids=lambda semantics: semantics.name.lower())
def test_products_and_quotients_come_back(semantics: Semantics) -> None:
    """Attention of three tokens to one another."""
    nodes = [
        helper.make_node("Transpose", ["x"], ["k"], perm=[1, 0]),
        helper.make_node("MatMul", ["x", "k"], ["s"]),
        helper.make_node("Softmax", ["s"], ["p"], axis=1),
        helper.make_node("MatMul", ["p", "x"], ["y"]),
    ]
    program = lower_to_program(lowered(model(nodes, {"x": [3, 2]}, {"y": [3, 2]}, {})))
    assert {BilinearNode, QuotientNode} <= {type(node) for node in program.nodes}
    check(program, semantics)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_models_of_the_example_come_back(path: Path) -> None:
    graph = lower(load_model(path, root=path.parent))
    for semantics in Semantics:
        check(lower_to_program(graph), semantics)


def test_odd_patterns_keep_their_bits() -> None:
    """Subnormal numbers, the largest one, and both zeros."""
    proto = mlp(0).proto
    program = lower_to_program(lowered(proto))
    first = program.nodes[0]
    assert isinstance(first, AffineNode)
    patterns = np.array([1, 0x80000001, 0x007FFFFF, 0x00800000, 0x80000000, 0], dtype=np.uint32)
    weights = np.resize(patterns, first.weights.shape).view(np.float32)
    odd = AffineNode(first.start, weights, first.sources, first.divisor)
    changed = Program(program.inputs, (odd, *program.nodes[1:]), program.outputs, program.size)
    check(changed, Semantics.REAL)
    check(changed, Semantics.BINARY32)


@pytest.mark.skipif(not FURTHER, reason="TORCHLEAN_TEST_MODELS names no folder")
def test_further_models_come_back() -> None:
    checked = 0
    for path in sorted(Path(FURTHER or "").rglob("*.onnx")):
        try:
            program = lower_to_program(lower(load_model(path, root=path.parent)))
        except TorchleanError:
            continue
        if sum(n.weights.size for n in program.nodes if isinstance(n, AffineNode)) > _MOST_WEIGHTS:
            continue
        try:
            check(program, Semantics.REAL)
            checked += 1
        except CertificateError as error:
            if error.code != "TL0602":
                raise
    assert checked > 0
