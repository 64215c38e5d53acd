"""The gate turns every failure of a property into its result and keeps all the others."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from gate_project import write_project

from pytest_torchlean import properties
from pytest_torchlean.bounds import threads
from pytest_torchlean.errors import ModelError, UnsupportedError
from pytest_torchlean.gate import run_one, run_spec
from pytest_torchlean.jobs import Job, jobs_of
from pytest_torchlean.model_store import ModelStore
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.runtime import RuntimeSession
from pytest_torchlean.spec import PropertySpec, Spec, load_spec
from pytest_torchlean.verdict import Evidence, Verdict


def project(folder: Path, names: list[str], extra: str = "") -> Spec:
    return load_spec(write_project(folder, names, extra=extra), folder)


def replace_property(monkeypatch: pytest.MonkeyPatch, action: object) -> None:
    """Let `action(context, prop)` decide properties."""
    monkeypatch.setattr(properties, "run_property", action)


def agreed(context: PropertyContext, prop: PropertySpec) -> Evidence:
    return Evidence(Verdict.AGREED, claim="c", found="f")


def test_real_property_gives_evidence_and_the_digest(tmp_path: Path) -> None:
    (result,) = run_spec(project(tmp_path, ["agrees"]), root=tmp_path)
    assert result.evidence.verdict is Verdict.AGREED
    assert result.evidence.samples == 8
    assert result.model_sha256 is not None
    assert result.outcome == "passed"


def test_runtime_that_flips_one_bit_is_divergent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = RuntimeSession.fetch

    def fetch(
        self: RuntimeSession, names: list[str], inputs: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, ...]:
        values = original(self, names, inputs)
        for name, value in zip(names, values, strict=True):
            if name == "y" and self.settings.optimisation == "none":
                value.reshape(-1).view(np.int32)[1] ^= 1
        return values

    monkeypatch.setattr(RuntimeSession, "fetch", fetch)
    (result,) = run_spec(project(tmp_path, ["a"], ", on_unknown: warn"), root=tmp_path)
    assert result.evidence.verdict is Verdict.DIVERGENT
    assert result.outcome == "failed"
    assert "Relu node 'activation', output 'y', element 1" in result.evidence.found
    assert "1 ulp apart; IEEE-754 fixes these bits" in result.evidence.found


@pytest.mark.parametrize(
    ("error", "verdict", "code"),
    [
        (RuntimeError("defect"), Verdict.ERROR, "TL0901"),
        (SystemExit(0), Verdict.ERROR, "TL0901"),
        (RecursionError(), Verdict.ERROR, "TL0901"),
        (MemoryError(), Verdict.ERROR, "TL0902"),
        (ModelError("TL0103", "broken"), Verdict.ERROR, "TL0103"),
        (UnsupportedError("TL0290", "no such check"), Verdict.UNSUPPORTED, "TL0290"),
    ],
)
def test_failure_becomes_a_verdict_and_the_others_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, verdict: Verdict, code: str
) -> None:
    def action(context: PropertyContext, prop: PropertySpec) -> Evidence:
        if prop.name == "b":
            raise error
        return agreed(context, prop)

    replace_property(monkeypatch, action)
    results = run_spec(project(tmp_path, ["a", "b", "c"], ", on_unknown: warn"), root=tmp_path)
    assert [result.outcome for result in results] == ["passed", "failed", "passed"]
    failed = results[1].evidence
    assert failed.verdict is verdict
    assert failed.problem is not None
    assert failed.problem.code == code
    assert failed.details == ()
    assert failed.claim.startswith("onnxruntime agrees")


def test_debug_adds_the_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def action(context: PropertyContext, prop: PropertySpec) -> Evidence:
        raise RuntimeError("defect")

    replace_property(monkeypatch, action)
    (result,) = run_spec(project(tmp_path, ["a"]), root=tmp_path, debug=True)
    assert any("RuntimeError: defect" in line for line in result.evidence.details)


def test_interrupt_passes_and_earlier_results_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def action(context: PropertyContext, prop: PropertySpec) -> Evidence:
        if prop.name == "b":
            raise KeyboardInterrupt
        return agreed(context, prop)

    replace_property(monkeypatch, action)
    kept: list[PropertyResult] = []

    def progress(identifier: str, result: PropertyResult | None) -> None:
        if result is not None:
            kept.append(result)

    with pytest.raises(KeyboardInterrupt):
        run_spec(project(tmp_path, ["a", "b"]), root=tmp_path, progress=progress)
    assert [result.name for result in kept] == ["a"]


def test_unselected_properties_are_results_that_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_property(monkeypatch, agreed)
    results = run_spec(project(tmp_path, ["a", "b"]), root=tmp_path, select={"torchlean.yaml::tiny::b"})
    assert [result.outcome for result in results] == ["failed", "passed"]
    assert results[0].evidence.problem is not None
    assert results[0].evidence.problem.code == "TL0903"


def test_model_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def action(context: PropertyContext, prop: PropertySpec) -> Evidence:
        seen.append(context.model.data)
        context.model.path.write_bytes(b"changed on disk")
        return agreed(context, prop)

    replace_property(monkeypatch, action)
    results = run_spec(project(tmp_path, ["a", "b"]), root=tmp_path)
    assert [result.outcome for result in results] == ["passed", "passed"]
    assert seen[0] is seen[1]
    assert results[0].model_sha256 == results[1].model_sha256


def test_unreadable_model_fails_every_property(tmp_path: Path) -> None:
    spec = project(tmp_path, ["a", "b"])
    (tmp_path / "models" / "tiny.onnx").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    results = run_spec(spec, root=tmp_path)
    assert [result.evidence.problem.code for result in results if result.evidence.problem] == ["TL0102"] * 2
    assert {result.model_sha256 for result in results} == {None}


@pytest.mark.parametrize("verdict", [Verdict.REFUTED, Verdict.ERROR, Verdict.UNSUPPORTED, Verdict.DIVERGENT])
def test_warn_softens_nothing_but_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verdict: Verdict
) -> None:
    replace_property(monkeypatch, lambda context, prop: Evidence(verdict, claim="c", found="f"))
    (result,) = run_spec(project(tmp_path, ["a"], ", on_unknown: warn"), root=tmp_path)
    assert result.outcome == "failed"
    replace_property(monkeypatch, lambda context, prop: Evidence(Verdict.UNKNOWN, claim="c", found="f"))
    (result,) = run_spec(project(tmp_path, ["a"], ", on_unknown: warn"), root=tmp_path)
    assert result.outcome == "warned"


def test_callers_warning_filters_and_numpy_settings_do_not_reach_a_property(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def action(context: PropertyContext, prop: PropertySpec) -> Evidence:
        warnings.warn("a library's warning", RuntimeWarning, stacklevel=1)
        assert np.float32(1) / np.float32(0) == np.inf
        return agreed(context, prop)

    replace_property(monkeypatch, action)
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        (result,) = run_spec(project(tmp_path, ["a"]), root=tmp_path)
    assert result.outcome == "passed"


def test_matrix_products_take_one_thread_in_a_property(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def looking(context: PropertyContext, prop: PropertySpec) -> Evidence:
        seen.extend(count() for count, _ in threads._libraries())
        return agreed(context, prop)

    for name in threads.CHOSEN_BY_USER:
        monkeypatch.delenv(name, raising=False)
    replace_property(monkeypatch, looking)
    run_spec(project(tmp_path, ["a"]), root=tmp_path)
    assert set(seen) <= {1}
    assert bool(seen) is bool(threads._libraries())


def test_a_check_computes_no_tables_of_functions_that_the_model_does_not_have(tmp_path: Path) -> None:
    write_project(tmp_path, ["a"])
    program = (
        "import sys\n"
        "from pytest_torchlean.cli import main\n"
        "assert main(['check']) == 0\n"
        "print([name for name in sys.modules if name.endswith(('binary32.tables', 'binary32.formulas'))])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_timeout_ends_in_unknown(tmp_path: Path) -> None:
    spec = project(tmp_path, ["a"])
    (job,) = jobs_of(spec)
    store = ModelStore(tmp_path)
    context = PropertyContext(
        store.model(job.model_path), store.graph(job.model_path), tmp_path, deadline=0.0
    )
    assert job.prop is not None
    evidence = properties.run_property(context, job.prop)
    assert evidence.verdict is Verdict.UNKNOWN
    assert "time ran out before the first sample" in evidence.found


def test_unknown_kind_is_unsupported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = project(tmp_path, ["a"])
    monkeypatch.setattr(properties, "MODULES", {})
    (result,) = run_spec(spec, root=tmp_path)
    assert result.evidence.verdict is Verdict.UNSUPPORTED


def test_failed_evidence_of_a_job_without_property() -> None:
    job = Job("t.py::x", "t.py", 1, 1, "", Path(), "", "certify", None, error=ModelError("TL0101", "gone"))
    result = run_one(job, store=ModelStore(Path()))
    assert result.evidence.verdict is Verdict.ERROR
    assert result.evidence.found == "gone"
