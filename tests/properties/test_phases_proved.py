"""ReLU phases through the gate: a property of many inputs that no row proves on the whole box."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
from phase_examples import INPUTS, example

from pytest_torchlean.bounds import retightening
from pytest_torchlean.bounds.phase_tree import PhaseSearch
from pytest_torchlean.bounds.refined import RefinedSearch
from pytest_torchlean.properties import linear, run_property
from pytest_torchlean.spec.model import VnnlibProperty
from pytest_torchlean.verdict import Verdict

OWN = example(9, 6, 6, share=0.5)


def model() -> onnx.ModelProto:
    """The example's model, with the shape of its result."""
    made = onnx.ModelProto()
    made.CopyFrom(OWN.network.proto)
    made.graph.output[0].CopyFrom(
        onnx.helper.make_tensor_value_info(made.graph.output[0].name, onnx.TensorProto.FLOAT, [1, 2])
    )
    return made


@pytest.fixture
def judged(tmp_path: Path, context_for: Any) -> Any:
    def judge(**more: Any) -> Any:
        bound = OWN.forms.constants[0] / -4096
        lines = [f"(declare-const X_{number} Real)" for number in range(INPUTS)]
        lines += ["(declare-const Y_0 Real)", "(declare-const Y_1 Real)"]
        lines += [f"(assert (<= -0.5 X_{number} 0.5))" for number in range(INPUTS)]
        lines.append(f"(assert (<= (+ Y_0 (* -1 Y_1)) {bound}))")
        file = tmp_path / "prop.vnnlib"
        file.write_text("\n".join(lines))
        return run_property(context_for(model()), VnnlibProperty(name="p", model="m", file=file, **more))

    return judge


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("semantics", ["real", "binary32"])
@pytest.mark.parametrize("assurance", ["kernel", "evaluated"])
def test_proved_by_phases(judged: Any, semantics: str, assurance: str) -> None:
    evidence = judged(semantics=semantics, assurance=assurance)
    assert evidence.verdict is Verdict.PROVED
    assert evidence.assurance == assurance


def test_unknown_without_them(judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where phases are not found, cases that bound earlier values again are enough here."""
    monkeypatch.setattr(linear, "phases_of", lambda *_, **__: PhaseSearch(None, 1, -1.0))
    assert judged().verdict is Verdict.PROVED
    monkeypatch.setattr(retightening, "search", lambda *_, **__: RefinedSearch(None, -1.0))
    assert judged().verdict is Verdict.UNKNOWN
