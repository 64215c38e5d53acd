"""The first build of the library begins before a proof asks for it, and only where one may."""

from __future__ import annotations

import fcntl
import signal
import threading
from pathlib import Path

import pytest
from gate_project import write_project

from pytest_torchlean import gate, properties
from pytest_torchlean.checker import LeanInstall, ahead, ensure_built
from pytest_torchlean.checker.ahead import Ahead
from pytest_torchlean.checker.library import Stopped, has_builds
from pytest_torchlean.errors import CheckerError
from pytest_torchlean.progress import Observer
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.spec import PropertySpec, load_spec
from pytest_torchlean.verdict import Evidence, Verdict


class Heard(Observer):
    def __init__(self) -> None:
        self.phases = list[str]()
        self.done = 0

    def phase(self, name: str, total: int = 0, unit: str = "") -> None:
        self.phases.append(name)

    def step(self, done: int) -> None:
        self.done = done


@pytest.fixture
def no_builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TORCHLEAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pytest-torchlean"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    (folder / "PytestTorchLean").mkdir(parents=True)
    (folder / "PytestTorchLean.lean").write_text("prelude\nimport PytestTorchLean.A\n")
    (folder / "PytestTorchLean" / "A.lean").write_text("prelude\n")
    return folder


def test_an_interrupted_wait_still_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a build has begun is removed by its thread, which a join that Ctrl-C ended would not wait for."""
    removed = []

    def build(lean: object, *, stop: threading.Event, **named: object) -> None:
        try:
            stop.wait(60)
            raise Stopped
        finally:
            threading.Event().wait(0.2)
            removed.append(True)

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ahead, "find_lean", lambda path: None)
    monkeypatch.setattr(ahead, "ensure_built", build)
    own = Ahead()
    own.start()
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            own.wait(Heard())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    own.stop()
    assert removed


def test_who_waits_hears_where_the_build_is(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def build(lean: object, *, observer: Observer, **named: object) -> None:
        observer.phase("building", 3, "modules")
        observer.step(1)
        begun.set()
        go_on.wait(60)
        observer.step(2)

    monkeypatch.setattr(ahead, "find_lean", lambda path: None)
    monkeypatch.setattr(ahead, "ensure_built", build)
    one, heard = Ahead(), Heard()
    one.start()
    assert begun.wait(60)
    assert heard.phases == []
    heard.step = lambda done: (setattr(heard, "done", done), go_on.set())[0]  # type: ignore[method-assign]
    assert one.wait(heard) > 0
    assert (heard.phases, heard.done) == (["building"], 2)
    assert one.wait(heard) == 0
    one.stop()


def test_a_failure_is_left_to_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(path: object) -> LeanInstall:
        raise CheckerError("TL0501", "no Lean")

    monkeypatch.setattr(ahead, "find_lean", missing)
    one = Ahead()
    one.start()
    one.wait(Heard())
    assert one.wait(Heard()) == 0
    one.stop()


def test_a_stopped_build_leaves_nothing(lean: LeanInstall, sources: Path, no_builds: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        ensure_built(lean, sources=sources, stop=stop)
    assert not has_builds()
    assert [path.suffix for path in (no_builds / "lean").iterdir()] == [".lock"]
    assert ensure_built(lean, sources=sources).modules == ("PytestTorchLean.A", "PytestTorchLean")
    assert has_builds()


def test_a_stop_ends_the_wait_for_another_process(lean: LeanInstall, sources: Path, no_builds: Path) -> None:
    ensure_built(lean, sources=sources)
    (lock,) = (no_builds / "lean").glob("*.lock")
    (built,) = (no_builds / "lean").glob("*/build.json")
    built.unlink()
    stop = threading.Event()
    stop.set()
    with lock.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(Stopped):
            ensure_built(lean, sources=sources, stop=stop)


def begun_for(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str | None = None) -> list[bool]:
    """Whether a build had begun at each property."""
    seen, events = list[bool](), list[str]()

    def decide(context: PropertyContext, prop: PropertySpec) -> Evidence:
        seen.append(context.ahead is not None)
        return Evidence(Verdict.AGREED, claim="c", found="f")

    monkeypatch.setattr(properties, "run_property", decide)
    monkeypatch.setattr(Ahead, "start", lambda self: events.append("start"))
    monkeypatch.setattr(Ahead, "stop", lambda self: events.append("stop"))
    spec = write_project(folder, ["agrees"])
    if text is not None:
        spec.write_text(text)
    gate.run_spec(load_spec(spec, folder), root=folder)
    assert events == (["start", "stop"] if any(seen) else [])
    return seen


RANGE = """version: 1
models: {tiny: {path: models/tiny.onnx}}
properties:
  - {name: agrees, model: tiny, check: runtime, samples: 8}
  - name: bounded
    model: tiny
    check: range
    input: {lower: -1, upper: 1}
    output: {lower: -1000, upper: 1000}
"""


def test_a_property_that_is_proved_begins_the_build(
    no_builds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert begun_for(tmp_path / "a", monkeypatch, RANGE) == [True, True]


def test_nothing_is_built_for_runtime_checks(
    no_builds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert begun_for(tmp_path / "a", monkeypatch) == [False]


def test_nothing_is_begun_where_a_build_is(
    no_builds: Path, sources: Path, lean: LeanInstall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_built(lean, sources=sources)
    assert begun_for(tmp_path / "a", monkeypatch, RANGE) == [False, False]


@pytest.mark.parametrize("error", [CheckerError("TL0204", "not supported"), KeyError("a defect")])
def test_nothing_is_built_for_a_model_that_cannot_be_lowered(
    no_builds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object) -> object:
        raise error

    monkeypatch.setattr("pytest_torchlean.bounds.lowering.lower_to_program", refuse)
    assert begun_for(tmp_path / "a", monkeypatch, RANGE) == [False, False]


def test_a_defect_in_lowering_is_the_verdict_of_its_property_alone(
    no_builds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guess before the first property meets it too, and leaves it to the gate."""

    def defect(*_: object, **__: object) -> object:
        raise KeyError("a defect")

    monkeypatch.setattr("pytest_torchlean.bounds.lowering.lower_to_program", defect)
    spec = write_project(tmp_path, ["agrees"])
    spec.write_text(RANGE)
    agrees, bounded = gate.run_spec(load_spec(spec, tmp_path), root=tmp_path)
    assert agrees.evidence.verdict is Verdict.AGREED
    assert bounded.evidence.problem is not None
    assert bounded.evidence.problem.code == "TL0901"
