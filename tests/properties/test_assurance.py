"""The level of a proof: what a spec may demand, what is chosen, and what the ledger then says."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import onnx
import pytest
from certificate_examples import ball, centers, mlp
from onnx import external_data_helper
from onnx_models import two_layers
from relaxation_examples import chain, emission_of, with_rows

from pytest_torchlean.certificate.costs import text_cost
from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import AffineData
from pytest_torchlean.checker.check import CheckResult, Outcome
from pytest_torchlean.errors import CertificateError, CheckerError
from pytest_torchlean.onnx_import import load_model
from pytest_torchlean.properties import PropertyContext, emitted, proving, run_property
from pytest_torchlean.properties.levels import chosen_level, placed_document, weights_line
from pytest_torchlean.spec.model import Bounds, OutputBounds, RangeProperty
from pytest_torchlean.verdict import Verdict


def claim(upper: int = 3, **more: Any) -> RangeProperty:
    box, bounds = Bounds(Fraction(0), Fraction(1)), OutputBounds(Fraction(-1), Fraction(upper))
    return RangeProperty(name="r", model="m", input=box, output=bounds, **more)


@pytest.fixture
def context(context_for: Any) -> PropertyContext:
    built: PropertyContext = context_for(two_layers())
    return built


@pytest.mark.usefixtures("library")
class TestVerdicts:
    @pytest.mark.parametrize("semantics", ["real", "binary32"])
    def test_evaluated(self, context: PropertyContext, semantics: str) -> None:
        evidence = run_property(context, claim(assurance="evaluated", semantics=semantics))
        assert (evidence.verdict, evidence.assurance) == (Verdict.PROVED, "evaluated")
        assert evidence.theorem is None
        assert "Lean's kernel did not check this run" in evidence.trust[0]
        assert any("compiler front and interpreter, GMP" in line for line in evidence.trust)
        assert evidence.trust[-1].startswith("The same program read 6 of ")

    @pytest.mark.parametrize("wanted", ["kernel", "any"])
    def test_kernel(self, context: PropertyContext, wanted: str) -> None:
        evidence = run_property(context, claim(assurance=wanted))
        assert (evidence.verdict, evidence.assurance) == (Verdict.PROVED, "kernel")
        assert evidence.theorem is not None
        assert evidence.trust[0].startswith("Lean's kernel checked")

    @pytest.mark.parametrize("outcome", [Outcome.MEMORY, Outcome.TIME])
    def test_where_the_kernel_took_too_much_the_checker_is_evaluated(
        self, context: PropertyContext, monkeypatch: pytest.MonkeyPatch, outcome: Outcome
    ) -> None:
        def ask(*_: Any) -> CheckResult:
            return CheckResult(outcome, "t", (), 1.0, 4096.0, "killed")

        monkeypatch.setattr(emitted.EmittedText, "ask", ask)
        evidence = run_property(context, claim())
        assert (evidence.verdict, evidence.assurance) == (Verdict.PROVED, "evaluated")
        if outcome is Outcome.TIME:
            unknown = run_property(context, claim(assurance="kernel"))
            assert unknown.verdict is Verdict.UNKNOWN
            assert "TL0511" in unknown.found
            return
        with pytest.raises(CheckerError, match="killed"):
            run_property(context, claim(assurance="kernel"))

    def test_what_the_kernel_refused_is_not_evaluated(
        self, context: PropertyContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def ask(*_: Any) -> CheckResult:
            return CheckResult(Outcome.REFUSED, "t", (), 1.0, 100.0, "no")

        monkeypatch.setattr(emitted.EmittedText, "ask", ask)
        with pytest.raises(CheckerError) as refused:
            run_property(context, claim())
        assert refused.value.code == "TL0603"

    def test_the_processor_time_of_lean_is_told_apart(self, context: PropertyContext) -> None:
        for level in ("kernel", "evaluated"):
            assert float(run_property(context, claim(assurance=level)).effort["lean_cpu"]) > 0

    def test_what_lean_accepted_is_kept(self, context: PropertyContext) -> None:
        kept: list[str | bytes] = []
        keeping = replace(context, keep=lambda text, axioms: kept.append(text))
        run_property(keeping, claim(assurance="evaluated"))
        run_property(keeping, claim(assurance="kernel"))
        assert [type(text) for text in kept] == [bytes, str]

    def test_false_claims_are_not_proved(self, context: PropertyContext) -> None:
        evidence = run_property(context, claim(upper=0, assurance="evaluated"))
        assert evidence.verdict is Verdict.REFUTED
        assert evidence.assurance is None

    def test_a_wrong_forecast_is_refused_by_lean(
        self, context: PropertyContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        genuine = emitted.encode

        def broken(document: Any) -> bytes:
            nodes = [
                replace(node, weights=node.weights ^ 1 << 22) if isinstance(node, AffineData) else node
                for node in document.graph.nodes
            ]
            return genuine(replace(document, graph=replace(document.graph, nodes=tuple(nodes))))

        monkeypatch.setattr(emitted, "encode", broken)
        with pytest.raises(CertificateError) as caught:
            run_property(context, claim(assurance="evaluated"))
        assert caught.value.code == "TL0610"
        # without the guard the program itself finds other weights in the file
        monkeypatch.setattr(proving, "_guard", lambda *_: 0.0)
        with pytest.raises(CheckerError) as refused:
            run_property(context, claim(assurance="evaluated"))
        assert refused.value.code == "TL0603"
        assert "model's files" in str(refused.value)

    def test_a_file_that_changed_meanwhile(self, context: PropertyContext) -> None:
        data = bytearray(context.model.data)
        data[-1] ^= 1
        context.model.path.write_bytes(bytes(data))
        with pytest.raises(CertificateError) as caught:
            run_property(context, claim(assurance="evaluated"))
        assert caught.value.code == "TL0610"
        context.model.path.unlink()
        with pytest.raises(CertificateError) as caught:
            run_property(context, claim(assurance="evaluated"))
        assert caught.value.code == "TL0610"


class TestChoice:
    def parts(self, boxes: int = 1) -> list[Any]:
        net = mlp(1)
        regions = tuple(ball(center, Fraction(1, 1 << 16)) for center in centers(net, 2, boxes))
        return [build_emission(net.program, [Goal(margin_forms(0, net.outputs), regions)])]

    def test_a_demand_is_met(self) -> None:
        assert chosen_level("kernel", self.parts(), 0.0, 4096.0) == "kernel"
        assert chosen_level("evaluated", self.parts(), 1e6, 4096.0) == "evaluated"

    def test_the_kernel_where_there_is_time(self) -> None:
        parts = self.parts()
        assert chosen_level("any", parts, 60.0, 4096.0) == "kernel"
        assert chosen_level("any", parts, 0.5, 4096.0) == "evaluated"

    def test_not_the_kernel_where_memory_is_short(self) -> None:
        parts = self.parts()
        needed = text_cost(parts).megabytes
        assert chosen_level("any", parts, 60.0, 2 * needed) == "kernel"
        assert chosen_level("any", parts, 60.0, needed) == "evaluated"
        assert chosen_level("kernel", parts, 60.0, needed) == "kernel"

    def test_backward_rows_count(self) -> None:
        """The kernel would have time enough without them."""
        plain = emission_of(chain(1, 64, 128, 128, 10))
        rows, _, _ = with_rows(plain)
        assert text_cost([rows]).seconds > 2 * text_cost([plain]).seconds
        left = 4 * text_cost([plain]).seconds
        assert [chosen_level("any", [part], left, 4096.0) for part in (plain, rows)] == [
            "kernel",
            "evaluated",
        ]


def test_external_data_have_no_place(tmp_path: Path) -> None:
    proto = two_layers()
    path = tmp_path / "model.onnx"
    for tensor in proto.graph.initializer:
        tensor.raw_data = onnx.numpy_helper.to_array(tensor).tobytes()
        tensor.ClearField("float_data")
    external_data_helper.convert_model_to_external_data(proto, location="weights.bin", size_threshold=0)
    onnx.save(proto, path)
    loaded = load_model(path, root=tmp_path)
    own = mlp(1)
    part = build_emission(
        own.program, [Goal(margin_forms(0, own.outputs), (ball(centers(own, 2)[0], Fraction(0)),))]
    )
    document, files = placed_document([part], loaded)
    assert (document.compared, files) == (0, (path,))
    assert weights_line(document).startswith("The same program read 0 of ")
