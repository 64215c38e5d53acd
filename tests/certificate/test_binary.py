"""Documents as bytes: what is read is what was written, and no other bytes are read."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import onnx
import pytest
from certificate_examples import Network, ball, centers, conv, linear, mlp, residual
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_models import lowered
from test_text import CERTIFICATE, CLAIM, GRAPH

from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.certificate.binary import (
    MAGIC,
    NUMBERS,
    BlockData,
    DocumentData,
    PartData,
    UnreadableDocument,
    Word,
    decode,
    document_of,
    encode,
)
from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.certificate.model import ConclusionData, NodeScript, ScriptData
from pytest_torchlean.certificate.places import places, stored_tensors
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import AffineData, NodeData, Semantics
from pytest_torchlean.certificate.substitution import LinkData
from pytest_torchlean.certificate.terms import CONSTRUCTORS
from pytest_torchlean.certificate.words import patterns_of
from pytest_torchlean.checker.sources import source_directory

INDUCTIVE = re.compile(r"^inductive (\w+)[^\n]* where\n((?:  [^\n]*\n)+)", re.MULTILINE)

WORD = st.integers(0, 2**64 - 1).map(Word)
BLOCK = st.builds(BlockData, *(WORD for _ in range(8)))
PART = st.builds(PartData, st.lists(CLAIM, max_size=2).map(tuple), CERTIFICATE)
DOCUMENT = st.builds(
    DocumentData,
    st.sampled_from(Semantics),
    GRAPH,
    st.lists(PART, max_size=2).map(tuple),
    st.lists(BLOCK, max_size=2).map(tuple),
)
EXAMPLE_MODELS = sorted((Path(__file__).parents[2] / "example_repo").rglob("*.onnx"))


def document(network: Network, radius_seed: int = 2) -> DocumentData:
    goal = Goal(margin_forms(0, network.outputs), (ball(centers(network, radius_seed)[0], 0),))
    emission = build_emission(network.program, [goal])
    return document_of([emission], places(emission.graph, network.proto.SerializeToString()))


@settings(max_examples=60, deadline=None)
@given(DOCUMENT)
def test_round_trip(written: DocumentData) -> None:
    assert decode(encode(written)) == written


def test_every_constructor_has_its_number() -> None:
    for union in (NodeData, LinkData, ConclusionData, ScriptData):
        numbers = [NUMBERS[kind] for kind in get_args(union)]
        assert len(set(numbers)) == len(numbers)


def test_constructors_are_numbered_as_lean_declares_them() -> None:
    declared: dict[str, list[str]] = {}
    for source in (source_directory() / "PytestTorchLean").rglob("*.lean"):
        for name, body in INDUCTIVE.findall(source.read_text(encoding="utf-8")):
            declared[name] = re.findall(r"^  \| (\w+)", body, re.MULTILINE)
    for kind, number in NUMBERS.items():
        path = "Node.affine" if kind is AffineData else CONSTRUCTORS[kind]
        inductive, _, constructor = path.rpartition(".")
        assert declared[inductive.rpartition(".")[2]].index(constructor) == number


@pytest.mark.parametrize("make", [linear, mlp, conv, residual])
def test_small_networks(make: object) -> None:
    assert callable(make)
    written = document(make(1))
    assert decode(encode(written)) == written


@pytest.mark.parametrize("path", EXAMPLE_MODELS, ids=lambda path: path.stem)
def test_models_of_the_example(path: Path) -> None:
    proto = onnx.load(path)
    program = lower_to_program(lowered(proto))
    goal = Goal(margin_forms(0, program.outputs.size), (ball((0,) * program.inputs, 0),))
    emission = build_emission(program, [goal])
    blocks = places(emission.graph, path.read_bytes())
    written = document_of([emission], blocks)
    assert decode(encode(written)) == written
    weights = sum(
        int((patterns_of(node) != 0).sum()) for node in emission.graph.nodes if hasattr(node, "lanes")
    )
    assert written.compared >= 0.98 * weights


def test_a_chain_of_many_nodes() -> None:
    written = document(mlp(1))
    part = written.parts[0]
    script = part.certificate.scripts[0][0]
    assert isinstance(script, NodeScript)
    for _ in range(5000):
        script = NodeScript(script.step, script)
    long = replace(part, certificate=replace(part.certificate, scripts=((script,),)))
    data = encode(replace(written, parts=(long,)))
    assert encode(decode(data)) == data


def test_other_bytes_are_refused() -> None:
    data = encode(document(mlp(1)))
    for cut in (0, 4, 8, 16, 100, len(data) - 8, len(data) - 1):
        with pytest.raises(UnreadableDocument):
            decode(data[:cut])
    for more in (b"\0", bytes(8)):
        with pytest.raises(UnreadableDocument):
            decode(data + more)
    with pytest.raises(UnreadableDocument):
        decode(b"x" + data[1:])
    with pytest.raises(UnreadableDocument):
        decode(MAGIC + (7).to_bytes(8, "little") + data[16:])


def test_a_flipped_bit_is_refused_or_read_as_written() -> None:
    data = encode(document(mlp(1)))
    chosen = random.Random(0)
    for _ in range(300):
        flipped = bytearray(data)
        flipped[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
        try:
            found = decode(bytes(flipped))
        except UnreadableDocument:
            continue
        assert encode(found) == flipped


def test_numbers_that_do_not_fit() -> None:
    written = document(mlp(1))
    with pytest.raises(ValueError, match="negative"):
        encode(replace(written, graph=replace(written.graph, inputs=-1)))
    with pytest.raises(ValueError, match="too long"):
        encode(replace(written, blocks=(replace(written.blocks[0], offset=Word(2**64)),)))


def test_a_document_is_about_one_graph() -> None:
    first, second = document(mlp(1)).emissions[0], document(mlp(2)).emissions[0]
    with pytest.raises(ValueError, match="one graph"):
        document_of([first, second])
    with pytest.raises(ValueError, match="one graph"):
        document_of([])


class TestPlaces:
    @pytest.mark.parametrize("make", [linear, mlp, conv, residual])
    def test_every_place_holds_the_weights(self, make: object) -> None:
        assert callable(make)
        network = make(3)
        data = network.proto.SerializeToString()
        written = document(network)
        assert written.blocks
        for block in written.blocks:
            node = written.graph.nodes[block.node]
            assert isinstance(node, AffineData)
            patterns = patterns_of(node)
            for row in range(block.rows):
                for k in range(block.columns):
                    start = block.offset + block.row_stride * row + block.column_stride * k
                    stored = int.from_bytes(data[start : start + 4], "little")
                    assert stored == patterns[row, block.first_column + k]

    def test_all_weights_of_matrices_are_found(self) -> None:
        for network in (linear(1), mlp(1)):
            written = document(network)
            weights = [patterns_of(node) for node in written.graph.nodes if isinstance(node, AffineData)]
            assert written.compared == sum(int((own != 0).sum()) for own in weights)

    def test_a_transposed_matrix_is_found(self) -> None:
        network = mlp(1)
        plain = document(network)
        turned = onnx.ModelProto()
        turned.CopyFrom(network.proto)
        first = turned.graph.node[0]
        del first.attribute[:]
        for tensor in turned.graph.initializer:
            if tensor.name == first.input[1]:
                values = onnx.numpy_helper.to_array(tensor).T.copy()
                tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
        found = places(plain.graph, turned.SerializeToString())
        assert sum(block.rows * block.columns for block in found) == plain.compared
        assert found[0].column_stride > found[0].row_stride == 4

    def test_other_weights_have_no_place(self) -> None:
        assert places(document(mlp(1)).graph, mlp(2).proto.SerializeToString()) == ()

    def test_bytes_that_are_no_model(self) -> None:
        data = mlp(1).proto.SerializeToString()
        for bad in (b"", b"\xff" * 40, data[: len(data) // 2], b"\x3a\xff\xff\xff\xff\x7f"):
            assert stored_tensors(bad) == ()
