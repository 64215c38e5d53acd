"""The same ids and verdicts under whatever options pytest and its plugins are run with."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from extension_support import share_library
from gate_project import FAKE_KINDS, write_model, write_project
from onnx import helper
from onnx_models import model

from pytest_torchlean.checker import BuiltLibrary
from pytest_torchlean.report.record import without_timings

pytest.importorskip("xdist")

NAMES = ["agreed-a", "refuted-b", "unknown-c", "crash-d", "agreed-e"]
VERDICTS = {
    "agreed-a": "AGREED",
    "refuted-b": "REFUTED",
    "unknown-c": "UNKNOWN",
    "crash-d": "ERROR",
    "agreed-e": "AGREED",
}
IDS = [f"torchlean.yaml::tiny::{name}" for name in NAMES]


def outcomes(path: Path) -> dict[str, str]:
    """Verdicts by id, of everything that ran."""
    results = json.loads(path.read_text())["results"]
    return {
        result["id"]: result["verdict"] for result in results if not result["found"].startswith("not run")
    }


def of_ids(verdicts: dict[str, str]) -> dict[str, str]:
    return {f"torchlean.yaml::tiny::{name}": verdict for name, verdict in verdicts.items()}


OPTIONS = {
    "plain": [],
    "no cache": ["-p", "no:cacheprovider"],
    "strict": ["--strict-markers", "--strict-config"],
    "junit": ["--junitxml=junit.xml"],
    "everything is told": ["-rA", "-vv", "--tb=long", "--showlocals"],
    "short": ["-q", "-q", "--tb=line", "--no-header", "--no-summary"],
    "importlib": ["--import-mode=importlib"],
    "setup is shown": ["--setup-show"],
    "durations": ["--durations=3"],
    "warnings are errors": ["-W", "error"],
    "no capture": ["-s"],
    "root given": ["--rootdir=."],
    "file given": ["torchlean.yaml"],
    "items given": IDS,
    "faults": ["-p", "no:faulthandler", "-p", "no:terminal"],
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options_change_no_verdict(case: str, pytester: pytest.Pytester) -> None:
    write_project(pytester.path, NAMES, fake=True)
    result = pytester.runpytest_inprocess("--torchlean-json=r.json", *OPTIONS[case])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert outcomes(pytester.path / "r.json") == of_ids(VERDICTS)


SELECTIONS = {
    "by word": (["-k", "agreed"], ["agreed-a", "agreed-e"]),
    "by model": (["-k", "tiny and not crash"], ["agreed-a", "refuted-b", "unknown-c", "agreed-e"]),
    "by kind": (["-m", "runtime"], NAMES),
    "by none of it": (["-m", "not torchlean"], []),
    "first failure": (["-x"], ["agreed-a", "refuted-b"]),
    "two failures": (["--maxfail=2"], ["agreed-a", "refuted-b", "unknown-c"]),
    "left out": ([f"--deselect={IDS[1]}", f"--deselect={IDS[3]}"], ["agreed-a", "unknown-c", "agreed-e"]),
    "collected only": (["--collect-only", "-q"], []),
}


@pytest.mark.parametrize("case", SELECTIONS)
def test_selections_run_what_they_name_and_record_the_rest(case: str, pytester: pytest.Pytester) -> None:
    arguments, names = SELECTIONS[case]
    write_project(pytester.path, NAMES, fake=True)
    result = pytester.runpytest_inprocess("--torchlean-json=r.json", *arguments)
    record = pytester.path / "r.json"
    if "--collect-only" in arguments:
        assert [line for line in result.outlines if "::" in line] == IDS
        return
    assert outcomes(record) == of_ids({name: VERDICTS[name] for name in names})
    assert [entry["id"] for entry in json.loads(record.read_text())["results"]] == IDS


def test_failed_first_and_stepwise(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, NAMES, fake=True)
    failed = [name for name in NAMES if VERDICTS[name] != "AGREED"]
    pytester.runpytest_inprocess()
    only = pytester.runpytest_inprocess("--lf", "--torchlean-json=lf.json")
    only.assert_outcomes(failed=3)
    assert outcomes(pytester.path / "lf.json") == of_ids({name: VERDICTS[name] for name in failed})
    first = pytester.runpytest_inprocess("--ff", "-v")
    order = [
        re.findall(r"tiny::(\S+)", line)[0] for line in first.outlines if re.search(r"::.* \[ *\d+%\]", line)
    ]
    assert order == [*failed, "agreed-a", "agreed-e"]
    pytester.runpytest_inprocess("--stepwise").assert_outcomes(passed=1, failed=1)
    again = pytester.runpytest_inprocess("--stepwise", "--stepwise-skip", "--torchlean-json=sw.json")
    again.assert_outcomes(failed=2, deselected=1)
    assert outcomes(pytester.path / "sw.json") == of_ids({"refuted-b": "REFUTED", "unknown-c": "UNKNOWN"})


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\naddopts = --strict-markers -p no:cacheprovider\n"),
        ("tox.ini", "[pytest]\ntestpaths = tests\n"),
        ("setup.cfg", "[tool:pytest]\nxfail_strict = true\n"),
        ("pyproject.toml", '[tool.pytest.ini_options]\nminversion = "8.0"\npython_files = "check_*.py"\n'),
        ("pytest.ini", "[pytest]\nfilterwarnings = error\nconsole_output_style = count\n"),
    ],
    ids=["pytest.ini", "tox.ini with testpaths", "setup.cfg", "pyproject.toml", "warnings are errors"],
)
def test_configuration_files_change_no_verdict(file: str, text: str, pytester: pytest.Pytester) -> None:
    write_project(pytester.path, NAMES, fake=True)
    (pytester.path / "tests").mkdir()
    (pytester.path / file).write_text(text)
    pytester.runpytest_inprocess("--torchlean-json=r.json")
    assert outcomes(pytester.path / "r.json") == of_ids(VERDICTS)


def test_options_from_the_environment(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k agreed --torchlean-json=r.json")
    write_project(pytester.path, NAMES, fake=True)
    pytester.runpytest_inprocess().assert_outcomes(passed=2, deselected=3)
    assert outcomes(pytester.path / "r.json") == of_ids({"agreed-a": "AGREED", "agreed-e": "AGREED"})


def test_several_specs_in_folders(pytester: pytest.Pytester) -> None:
    for folder in ("b", "a"):
        write_project(pytester.path / folder, ["agreed-x"])
    (pytester.path / "conftest.py").write_text(FAKE_KINDS)
    pytester.makepyfile("def test_nothing(): pass")
    pytester.runpytest_inprocess("--torchlean-json=r.json").assert_outcomes(passed=3)
    pytester.runpytest_inprocess("--torchlean-json=again.json", "b", "a").assert_outcomes(passed=2)
    found = [list(outcomes(pytester.path / name)) for name in ("r.json", "again.json")]
    assert found == [["a/torchlean.yaml::tiny::agreed-x", "b/torchlean.yaml::tiny::agreed-x"]] * 2


def test_without_the_plugin_nothing_is_collected(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, NAMES)
    pytester.makepyfile("def test_nothing(): pass")
    pytester.runpytest_subprocess("-p", "no:torchlean").assert_outcomes(passed=1)


def test_junit_of_pytest_has_every_property(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, NAMES, fake=True)
    pytester.runpytest_inprocess("--junitxml=junit.xml")
    cases = list(ElementTree.parse(pytester.path / "junit.xml").iter("testcase"))
    found = {
        case.get("name"): entry.get("value")
        for case in cases
        for entry in case.iter("property")
        if entry.get("name") == "torchlean_verdict"
    }
    assert found == VERDICTS


DECORATED = """
import pytest
from pytest_torchlean import runtime_agreement

@pytest.mark.parametrize("count", [2, 10])
@pytest.mark.certify("models/tiny.onnx", runtime_agreement(samples=4))
class TestAgreed:
    def test_method(self, count, verdict): assert verdict.samples == 4
    def test_agreed(self, count): pass

@pytest.mark.parametrize("name", [
    pytest.param("a", marks=pytest.mark.certify("models/tiny.onnx", runtime_agreement(samples=2))),
    pytest.param("b@c", marks=pytest.mark.certify("models/tiny.onnx", runtime_agreement(samples=3))),
    pytest.param("plain"),
])
def test_marked_parameters(name): pass
"""


@pytest.mark.parametrize("arguments", [[], ["-n2", "--dist=loadgroup"], ["-n2", "--dist=loadscope"]])
def test_classes_and_parameters(arguments: list[str], pytester: pytest.Pytester) -> None:
    write_model(pytester.path / "models" / "tiny.onnx")
    pytester.makepyfile(DECORATED)
    result = pytester.runpytest_subprocess("--torchlean-json=r.json", "--strict-markers", *arguments)
    result.assert_outcomes(passed=7)
    ids = [identifier.split("::", 1)[1] for identifier in outcomes(pytester.path / "r.json")]
    assert sorted(ids) == [
        "TestAgreed::test_agreed[10]",
        "TestAgreed::test_agreed[2]",
        "TestAgreed::test_method[10]",
        "TestAgreed::test_method[2]",
        "test_marked_parameters[a]",
        "test_marked_parameters[b@c]",
    ]


COUNTING = """
import os
from pathlib import Path
import pytest_torchlean.properties.lowering as lowering
original = lowering.lower_as_given
folder = Path(__file__).parent / "counts"

def counted(model, given, batch=None):
    with open(folder / f"{os.getpid()}", "a") as file:
        print(model.path.name, file=file)
    return original(model, given, batch)

lowering.lower_as_given = counted
"""


def real_project(folder: Path) -> None:
    """Two models that can be certified and one that cannot; every verdict occurs."""
    write_model(folder / "models" / "first.onnx")
    write_model(folder / "models" / "second.onnx", scale=2.0)
    waves = model([helper.make_node("Tan", ["x"], ["y"])], {"x": [1, 2]}, {"y": [1, 2]}, {})
    (folder / "models" / "waves.onnx").write_bytes(waves.SerializeToString())
    np.savez(
        folder / "data.npz",
        inputs=np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.4]], dtype=np.float32),
        labels=np.array([0, 1, 1]),
    )
    box = "input: {lower: 0, upper: 1}"
    (folder / "torchlean.yaml").write_text(
        f"""\
version: 1
models:
  first: {{path: models/first.onnx}}
  second: {{path: models/second.onnx}}
  waves: {{path: models/waves.onnx}}
properties:
  - {{name: bounded, model: first, check: range, {box}, output: {{lower: 0, upper: 2}}}}
  - {{name: agrees, model: second, check: runtime, samples: 16}}
  - {{name: too-narrow, model: first, check: range, {box}, output: {{lower: 0, upper: 1}}}}
  - {{name: exact, model: first, check: range, {box}, output: {{lower: 0, upper: 11/8}}}}
  - {{name: robust, model: second, check: robustness, epsilon: 1/50, data: data.npz, at_least: 1/3}}
  - {{name: waves-bounded, model: waves, check: range, {box}, output: {{lower: -1, upper: 1}}}}
  - {{name: no-data, model: second, check: robustness, epsilon: 1/50, data: none.npz}}
"""
    )


def test_the_record_is_the_same_serial_parallel_and_backwards(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, library: BuiltLibrary
) -> None:
    """Byte for byte after timings; every model is lowered once by every worker that has an item of it."""
    share_library(monkeypatch, library)
    monkeypatch.setenv("PYTHONPATH", str(pytester.path), prepend=":")
    real_project(pytester.path)
    counts = pytester.path / "counts"
    (pytester.path / "conftest.py").write_text(COUNTING)
    (pytester.path / "backwards.py").write_text(
        "import pytest\n@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_collection_modifyitems(items): items.reverse()\n"
    )
    ways = {
        "serial": [],
        "backwards": ["-p", "backwards"],
        "grouped": ["-n3", "--dist=loadgroup"],
        "stealing": ["-n2", "--dist=worksteal"],
    }
    texts, verdicts = {}, {}
    for way, arguments in ways.items():
        counts.mkdir()
        result = pytester.runpytest_subprocess(
            "-p", "no:cacheprovider", f"--torchlean-json={way}.json", "-v", *arguments
        )
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        assert not any("@torchlean" in line for line in result.outlines)
        record = json.loads((pytester.path / f"{way}.json").read_text())
        verdicts = {entry["id"].split("::")[2]: entry["verdict"] for entry in record["results"]}
        texts[way] = json.dumps(without_timings(record))
        lowered = [Counter(file.read_text().split()) for file in counts.iterdir()]
        assert all(set(own.values()) == {1} for own in lowered), (way, lowered)
        if way != "stealing":
            total = sum(lowered, Counter())
            assert total == {"first.onnx": 1, "second.onnx": 1, "waves.onnx": 1}, (way, lowered)
        for file in counts.iterdir():
            file.unlink()
        counts.rmdir()
    assert verdicts == {
        "bounded": "PROVED",
        "agrees": "AGREED",
        "too-narrow": "REFUTED",
        "exact": "UNKNOWN",
        "robust": "PROVED",
        "waves-bounded": "UNSUPPORTED",
        "no-data": "ERROR",
    }
    assert set(texts.values()) == {texts["serial"]}


def test_last_failed_after_a_grouped_run_and_a_crash_in_a_group(pytester: pytest.Pytester) -> None:
    """Ids that are remembered have no group in them, and a crashed worker's property is still known."""
    write_project(pytester.path, ["agreed-a", "refuted-b", "agreed-c"], fake=True)
    grouped = pytester.runpytest_subprocess("-n2", "--dist=loadgroup", "-v", "--torchlean-json=r.json")
    grouped.assert_outcomes(passed=2, failed=1)
    pytester.runpytest_subprocess("--lf").assert_outcomes(failed=1)
    write_project(pytester.path, ["agreed-a", "die-b", "agreed-c"], fake=True)
    pytester.runpytest_subprocess(
        "-n1", "--dist=loadgroup", "--max-worker-restart=1", "--torchlean-json=r.json"
    )
    results = json.loads((pytester.path / "r.json").read_text())["results"]
    found = {entry["id"].split("::")[2]: entry["outcome"] for entry in results}
    assert found["agreed-a"] == "passed"
    assert found["die-b"] == "failed"
