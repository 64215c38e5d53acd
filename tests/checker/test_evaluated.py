"""The evaluated level: the compiled checker in Lean's interpreter says yes to what is true, and only then."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from certificate_examples import Network, accepted, ball, centers, conv, linear, mlp, residual
from relaxation_examples import chain, emission_of, with_rows

from pytest_torchlean.certificate.binary import DocumentData, Word, document_of, encode
from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.places import places
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.rules import Rules
from pytest_torchlean.certificate.statement import AffineData, Semantics
from pytest_torchlean.checker import BuiltLibrary, EvaluationResult, LeanInstall, Outcome, evaluate
from pytest_torchlean.checker.evaluate import evaluate_bytes
from pytest_torchlean.checker.lean_process import End, run_lean

NOT_A_DOCUMENT = "not a document"
OTHER_WEIGHTS = "the weights are not those of the model's files"
NOT_PROVED = "the certificate does not prove the claims"
PROGRAMS = Path(__file__).parents[1] / "lean" / "programs"

Run = Callable[..., EvaluationResult]


@pytest.fixture(scope="session")
def run(lean: LeanInstall, library: BuiltLibrary) -> Run:
    """`run(document, files)`: what the program says; a document may be given as bytes."""

    def judge(
        document: DocumentData | bytes,
        *files: Path,
        expected: tuple[int, int] = (0, 0),
        rules: Rules = Rules.PLAIN,
    ) -> EvaluationResult:
        if isinstance(document, bytes):
            return evaluate_bytes(
                document,
                expected=expected,
                rules=rules,
                files=files,
                built=library,
                lean=lean,
                wall_seconds=120,
                memory_mb=2048,
            )
        return evaluate(document, files=files, built=library, lean=lean, wall_seconds=120, memory_mb=2048)

    return judge


@pytest.fixture(scope="module")
def network() -> Network:
    return mlp(1)


@pytest.fixture
def stored(network: Network, tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(network.proto.SerializeToString())
    return path


def emission(network: Network, label: int, semantics: Semantics = Semantics.REAL) -> Emission:
    box = ball(centers(network, 2)[0], Fraction(1, 1 << 16))
    return build_emission(network.program, [Goal(margin_forms(label, network.outputs), (box,))], semantics)


def true_label(network: Network) -> int:
    """The class at the examples' centre."""
    return next(k for k in range(network.outputs) if accepted(emission(network, k)) == [[True]])


def document(network: Network, label: int | None = None) -> DocumentData:
    part = emission(network, true_label(network) if label is None else label)
    return document_of([part], places(part.graph, network.proto.SerializeToString()))


@pytest.mark.parametrize("make", [linear, mlp, conv, residual])
def test_true_claims(make: Callable[[int], Network], run: Run, tmp_path: Path) -> None:
    network = make(1)
    path = tmp_path / "model.onnx"
    path.write_bytes(network.proto.SerializeToString())
    written = document(network)
    result = run(written, path)
    assert (result.outcome, result.detail, result.code) == (Outcome.ACCEPTED, "", None)
    assert result.compared == written.compared > 0


def test_false_claims(network: Network, run: Run, stored: Path) -> None:
    for label in range(network.outputs):
        if label != true_label(network):
            result = run(document(network, label), stored)
            assert (result.outcome, result.detail) == (Outcome.REFUSED, NOT_PROVED)
            assert result.code == "TL0510"


def test_one_false_part_among_true_ones(network: Network, run: Run) -> None:
    true = emission(network, true_label(network))
    false = emission(network, (true_label(network) + 1) % network.outputs)
    assert run(document_of([true, true])).accepted
    assert run(document_of([true, replace(false, graph=true.graph)])).detail == NOT_PROVED


def test_binary32(network: Network, run: Run) -> None:
    part = emission(network, true_label(network))
    # the same script does not bound rounding errors, so it must not do for binary32
    other = replace(part, semantics=Semantics.BINARY32)
    assert run(document_of([part])).accepted
    assert not run(document_of([other])).accepted


class TestWeights:
    def test_a_changed_weight_in_the_model(self, network: Network, run: Run, stored: Path) -> None:
        written = document(network)
        data = stored.read_bytes()
        for block in written.blocks:
            last = (
                block.offset + block.row_stride * (block.rows - 1) + block.column_stride * (block.columns - 1)
            )
            for byte in (block.offset, last + 3):
                changed = bytearray(data)
                changed[byte] ^= 1
                stored.write_bytes(bytes(changed))
                assert run(written, stored).detail == OTHER_WEIGHTS

    def test_a_changed_weight_in_the_document(self, network: Network, run: Run, stored: Path) -> None:
        written = document(network)
        number = written.blocks[0].node
        node = written.graph.nodes[number]
        assert isinstance(node, AffineData)
        changed = replace(node, weights=node.weights ^ 1)
        nodes = (*written.graph.nodes[:number], changed, *written.graph.nodes[number + 1 :])
        assert (
            run(replace(written, graph=replace(written.graph, nodes=nodes)), stored).detail == OTHER_WEIGHTS
        )

    @pytest.mark.parametrize(
        "change",
        [
            {"offset": -4},
            {"offset": 4},
            {"offset": 1 << 40},
            {"row_stride": 4},
            {"column_stride": 4},
            {"rows": 1},
            {"first_column": 1 << 33},
            {"columns": 64},
            {"node": 1},
            {"node": 99},
            {"file": 1},
        ],
        ids=lambda change: "-".join(map(str, *change.items())),
    )
    def test_a_wrong_place(self, change: dict[str, int], network: Network, run: Run, stored: Path) -> None:
        written = document(network)
        first = written.blocks[0]
        moved = replace(first, **{name: Word(getattr(first, name) + by) for name, by in change.items()})
        assert run(replace(written, blocks=(moved, *written.blocks[1:])), stored).detail == OTHER_WEIGHTS

    def test_a_place_before_the_first_word(self, network: Network, run: Run, stored: Path) -> None:
        written = document(network)
        moved = replace(written.blocks[0], offset=Word(0))
        assert run(replace(written, blocks=(moved,)), stored).detail == OTHER_WEIGHTS

    def test_no_file(self, network: Network, run: Run, tmp_path: Path) -> None:
        result = run(document(network), tmp_path / "missing.onnx")
        assert result.outcome is Outcome.CRASHED
        assert run(document(network)).detail == OTHER_WEIGHTS


class TestBytes:
    def test_cut_short_or_longer(self, network: Network, run: Run) -> None:
        data = encode(document_of(document(network).emissions))
        for bad in (
            b"",
            data[:8],
            data[: len(data) // 2],
            data[:-8],
            data[:-1],
            data + b"\0",
            data + bytes(8),
        ):
            result = run(bad, expected=(1, 0))
            assert (result.outcome, result.detail) == (Outcome.REFUSED, NOT_A_DOCUMENT)

    def test_a_length_beyond_the_bytes(self, network: Network, run: Run) -> None:
        data = encode(document_of(document(network).emissions))
        # the word of the semantics, the inputs' length, and the count of nodes
        for place, value in ((8, 2), (16, 1 << 60), (32, (1 << 64) - 1)):
            bad = data[:place] + value.to_bytes(8, "little") + data[place + 8 :]
            assert run(bad, expected=(1, 0)).detail == NOT_A_DOCUMENT

    def test_flipped_bits_of_weights(self, network: Network, run: Run, stored: Path) -> None:
        written = document(network)
        node = written.graph.nodes[0]
        assert isinstance(node, AffineData)
        raw = node.weights.to_bytes(-(-node.weights.bit_length() // 8), "little")
        data = encode(written)
        start = data.index(raw)
        for place in range(start, start + len(raw), 37):
            bad = bytearray(data)
            bad[place] ^= 0x10
            result = run(bytes(bad), stored, expected=(1, written.compared))
            assert result.outcome is Outcome.REFUSED

    def test_lean_lays_out_what_it_read(
        self, network: Network, lean: LeanInstall, library: BuiltLibrary, stored: Path, tmp_path: Path
    ) -> None:
        for number, make in enumerate((linear, mlp, conv, residual)):
            path = tmp_path / f"document{number}"
            path.write_bytes(encode(document(make(1))))
            result = run_lean(
                lean,
                ["--run", str(PROGRAMS / "write_document.lean"), str(path)],
                directory=tmp_path,
                lean_path=[library.olean_directory],
                wall_seconds=120,
                memory_mb=2048,
            )
            assert (result.end, result.code, result.stdout) == (End.EXITED, 0, b"")


class TestAnswers:
    """A Lean that says something else is not believed."""

    @pytest.mark.parametrize(
        ("body", "outcome"),
        [
            ('echo "$nonce accepted: boxes 1, weights compared 0"', Outcome.ACCEPTED),
            ('echo "accepted: boxes 1, weights compared 0"', Outcome.GARBLED),
            ('echo "$nonce accepted: boxes 2, weights compared 0"', Outcome.GARBLED),
            ('echo "$nonce accepted: boxes 1, weights compared 1"', Outcome.GARBLED),
            ('echo "$nonce accepted: boxes 1, weights compared 0"; echo', Outcome.GARBLED),
            ('echo "$nonce accepted: boxes 1, weights compared 0"; echo warning >&2', Outcome.GARBLED),
            ('echo "$nonce accepted: boxes 1, weights compared 0"; exit 1', Outcome.CRASHED),
            ('echo "$nonce accepted: boxes 1, weights compared 0"; exit 4', Outcome.GARBLED),
            ('echo "$nonce refused: the certificate does not prove the claims"; exit 4', Outcome.REFUSED),
            ('echo "$nonce refused: the certificate does not prove the claims"', Outcome.GARBLED),
            ("echo \"excessive memory consumption detected at 'interpreter'\" >&2; exit 1", Outcome.MEMORY),
            ("exit 0", Outcome.GARBLED),
            ("kill -SEGV $$", Outcome.CRASHED),
        ],
    )
    def test_only_the_one_line(
        self, body: str, outcome: Outcome, network: Network, library: BuiltLibrary, tmp_path: Path
    ) -> None:
        script = tmp_path / "fake-lean"
        find = 'while [ "$1" != Program.lean ]; do shift; done; nonce=$2'
        script.write_text(f"#!/bin/sh\n{find}\n{body}\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        fake = LeanInstall("toolchain", script, "4.35.0", "0" * 64, verified=False)
        written = document_of(document(network).emissions)
        result = evaluate(written, built=library, lean=fake, wall_seconds=20, memory_mb=1024)
        assert result.outcome is outcome

    def test_the_deadline(self, network: Network, library: BuiltLibrary, lean: LeanInstall) -> None:
        written = document_of(document(network).emissions)
        result = evaluate(written, built=library, lean=lean, wall_seconds=0.0, memory_mb=1024)
        assert (result.outcome, result.code) == (Outcome.TIME, "TL0511")


@pytest.mark.parametrize("semantics", list(Semantics))
def test_backward_rows(semantics: Semantics, run: Run) -> None:
    """A script with relaxations is believed where the forecast says so, and not for another claim."""
    found = (with_rows(emission_of(chain(seed, 2, 4, 3), semantics=semantics)) for seed in range(40))
    part = next(relaxed for relaxed, _, proved in found if proved)
    assert run(document_of([part])).accepted
    forms = part.claims[0].property.forms
    swapped = replace(part.claims[0].property, forms=replace(forms, weights=forms.weights ^ 1 << 31))
    other = replace(part, claims=(replace(part.claims[0], property=swapped),))
    assert run(document_of([other])).detail == NOT_PROVED
