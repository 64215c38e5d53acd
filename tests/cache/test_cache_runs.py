"""Runs with what earlier runs found: the same evidence, less search, and nothing an entry could spoil."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from benchmark_scripts import script
from onnx import numpy_helper

from pytest_torchlean.cache.known import FORMAT, Known, KnownProof, known_point, pack, unpack
from pytest_torchlean.cache.store import Store
from pytest_torchlean.certificate.binary import Word
from pytest_torchlean.checker import BuiltLibrary
from pytest_torchlean.gate import run_spec
from pytest_torchlean.outputs import environment_of
from pytest_torchlean.report.record import record, without_timings
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.spec import load_spec
from pytest_torchlean.verdict import Verdict

PROPERTIES = {
    "range": "check: range, input: {lower: 0, upper: 1}, output: {upper: 3}",
    "range-false": "check: range, input: {lower: 0, upper: 1}, output: {upper: -1}",
    "robust": "check: robustness, epsilon: 1/16, data: data.npz, at_least: 60%",
    "robust-some": "check: robustness, epsilon: 5/16, data: data.npz, at_least: 10%",
    "robust-false": "check: robustness, epsilon: 2, data: data.npz",
    "radius": "check: radius, epsilon: 1/16, up_to: 1/2, steps: 3, data: data.npz, at_least: 60%",
    "vnnlib": "check: vnnlib, file: safe.vnnlib",
    "vnnlib-false": "check: vnnlib, file: unsafe.vnnlib",
}
CHOSEN = ("range", "range-false", "robust-some", "radius", "vnnlib", "vnnlib-false")
VNNLIB = """
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
(assert (<= X_0 1.0))
(assert (>= X_0 0.0))
(assert (<= X_1 1.0))
(assert (>= X_1 0.0))
(assert (>= Y_0 {bound}))
"""
Edit = Callable[[Known], Known]


@dataclass(frozen=True)
class Finished:
    """A project of which some properties ran: without a cache, and with one."""

    project: Path
    store: Store
    truth: list[Any]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, library: BuiltLibrary) -> Finished:
    folder = tmp_path_factory.mktemp("finished")
    store = Store(folder / "found", 1 << 24)
    (folder / "project").mkdir()
    write_project(folder / "project")
    truth = plain(run(folder / "project", None, *CHOSEN))
    assert plain(run(folder / "project", store, *CHOSEN)) == truth
    return Finished(folder / "project", store, truth)


def write_project(folder: Path) -> None:
    script("kills").write_project(folder)
    (folder / "safe.vnnlib").write_text(VNNLIB.format(bound="3.0"))
    (folder / "unsafe.vnnlib").write_text(VNNLIB.format(bound="-1.0"))


@pytest.fixture
def project(tmp_path: Path, library: BuiltLibrary) -> Path:
    write_project(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def filled(tmp_path: Path, finished: Finished) -> Store:
    """The entries of the finished project; nothing in a key says where it lies."""
    shutil.copytree(finished.store.folder, tmp_path / "filled")
    return Store(tmp_path / "filled", 1 << 24)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "found", 1 << 24)


def run(
    project: Path, store: Store | None, *names: str, properties: Mapping[str, str] = PROPERTIES
) -> dict[str, PropertyResult]:
    lines = ["version: 1", "models: {tiny: {path: tiny.onnx}}", "properties:"]
    lines += [f"  - {{name: {name}, model: tiny, {properties[name]}}}" for name in names or properties]
    (project / "torchlean.yaml").write_text("\n".join(lines) + "\n")
    results = run_spec(load_spec(project / "torchlean.yaml", project), root=project, cache=store)
    return {result.name: result for result in results}


def states(results: Mapping[str, PropertyResult]) -> dict[str, str]:
    return {name: result.evidence.effort["cache"] for name, result in results.items()}


def plain(results: Mapping[str, PropertyResult]) -> list[Any]:
    """The record without what may vary."""
    listed = list(results.values())
    found: list[Any] = without_timings(record(listed, environment_of(listed)))["results"]
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def no_search(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes every attempt to search from here on."""
    asked: list[str] = []
    for place in (
        "pytest_torchlean.properties.balls.minimise",
        "pytest_torchlean.properties.outside.minimise",
        "pytest_torchlean.properties.range.forecast",
        "pytest_torchlean.properties.searching.attack",
        "pytest_torchlean.properties.reaching.forecast",
        "pytest_torchlean.properties.linear.cases_of",
        "pytest_torchlean.properties.balls.forecast",
    ):
        module, name = place.rsplit(".", 1)
        original = getattr(__import__(module, fromlist=[name]), name)

        def noted(*args: Any, place: str = place, original: Any = original, **more: Any) -> Any:
            targets = next((value for value in args if isinstance(value, list)), None)
            if targets != []:
                asked.append(place)
            return original(*args, **more)

        monkeypatch.setattr(place, noted)
    return asked


def test_a_second_run_says_the_same_and_searches_no_more(
    project: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cold = run(project, store)
    assert set(states(cold).values()) == {"miss"}
    verdicts = {name: result.evidence.verdict for name, result in cold.items()}
    assert {name for name, found in verdicts.items() if found is Verdict.REFUTED} == {
        name for name in PROPERTIES if name.endswith("-false")
    }
    assert {verdicts[name] for name in PROPERTIES if not name.endswith("-false")} == {Verdict.PROVED}
    asked = no_search(monkeypatch)
    settled = [name for name, found in cold.items() if _settled(found)]
    assert len(settled) >= 6
    warm = run(project, store, *settled)
    assert set(states(warm).values()) == {"hit"}
    assert asked == []
    monkeypatch.undo()
    warm = run(project, store)
    assert set(states(warm).values()) == {"hit"}
    assert plain(warm) == plain(cold) == plain(run(project, None))


def _settled(result: PropertyResult) -> bool:
    """Whether every input that a property lists is proved, refuted or misclassified."""
    counts = result.evidence.counts
    radii = result.evidence.radii
    return (counts is None or counts.unknown == 0) and all(found.radius > 0 for found in radii)


def test_without_a_cache_nothing_is_written_or_said(project: Path, store: Store) -> None:
    (result,) = run(project, None, "range").values()
    assert result.evidence.effort["cache"] == "off"
    assert not store.folder.exists()


def test_a_runtime_check_has_nothing_to_keep(project: Path, store: Store) -> None:
    (result,) = run(project, store, "r", properties={"r": "check: runtime, samples: 4"}).values()
    assert "cache" not in result.evidence.effort
    assert not store.folder.exists()


def _other_weight(project: Path) -> None:
    model = onnx.load(project / "tiny.onnx")
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor).copy()
        if tensor.name == "c":
            values[0] = np.float32(1e-3)
            tensor.CopyFrom(numpy_helper.from_array(values, "c"))
    onnx.save(model, project / "tiny.onnx")


def _other_data(project: Path) -> None:
    found = dict(np.load(project / "data.npz"))
    found["inputs"][0, 0] += np.float32(2**-20)
    np.savez(project / "data.npz", **found)


def _other_vnnlib(project: Path) -> None:
    (project / "safe.vnnlib").write_text(VNNLIB.format(bound="3.5"))


@pytest.mark.parametrize(
    ("name", "change"), [("range", _other_weight), ("robust", _other_data), ("vnnlib", _other_vnnlib)]
)
def test_another_model_or_other_data_miss(
    project: Path, store: Store, name: str, change: Callable[[Path], None]
) -> None:
    run(project, store, name)
    change(project)
    assert states(run(project, store, name)) == {name: "miss"}


@pytest.mark.parametrize(
    "other",
    [
        "check: range, input: {lower: 0, upper: 1}, output: {upper: 3.5}",
        "check: range, input: {lower: 0, upper: 0.5}, output: {upper: 3}",
        "check: range, input: {lower: 0, upper: 1}, output: {upper: 3}, semantics: real",
        "check: range, input: {lower: 0, upper: 1}, output: {upper: 3}, strict: true",
        "check: range, input: {lower: 0, upper: 1}, output: {upper: 3}, timeout: 61s",
    ],
)
def test_another_claim_or_budget_misses(project: Path, store: Store, other: str) -> None:
    run(project, store, "range")
    assert states(run(project, store, "range", properties={"range": other})) == {"range": "miss"}


def test_another_release_misses(project: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run(project, store, "range")
    monkeypatch.setattr("pytest_torchlean.cache.key.tool_digest", lambda: "another release")
    assert states(run(project, store, "range")) == {"range": "miss"}


def test_name_place_and_demanded_share_do_not_matter(project: Path, store: Store) -> None:
    run(project, store, "robust")
    text = PROPERTIES["robust"].replace("60%", "50%") + ", on_unknown: warn"
    assert states(
        run(project, store, "range", "other-name", properties={**PROPERTIES, "other-name": text})
    ) == {
        "range": "miss",
        "other-name": "hit",
    }


# --- forged entries ---------------------------------------------------------------------------------


def entries(store: Store) -> list[Path]:
    return sorted(store.folder.glob("*.known"))


def forge(path: Path, content: bytes) -> None:
    """An entry as its owner could have written it: with the right key and digest."""
    path.write_bytes(FORMAT + bytes.fromhex(path.stem) + hashlib.sha256(content).digest() + content)


def content_of(path: Path) -> bytes:
    return path.read_bytes()[len(FORMAT) + 64 :]


def no_boxes(known: Known) -> Known:
    return replace(known, proofs=tuple(replace(proof, boxes=()) for proof in known.proofs))


def fewer_boxes(known: Known) -> Known:
    return replace(known, proofs=tuple(replace(proof, boxes=proof.boxes[1:]) for proof in known.proofs))


def other_scale(known: Known) -> Known:
    scales = [replace(proof.scale, unit=proof.scale.unit * 2) for proof in known.proofs]
    return replace(
        known,
        proofs=tuple(replace(p, scale=scale) for p, scale in zip(known.proofs, scales, strict=True)),
    )


def no_room(known: Known) -> Known:
    scales = [replace(proof.scale, half=16) for proof in known.proofs]
    return replace(
        known,
        proofs=tuple(replace(p, scale=scale) for p, scale in zip(known.proofs, scales, strict=True)),
    )


def first_script_for_all(known: Known) -> Known:
    def first(proof: KnownProof) -> KnownProof:
        boxes = tuple(replace(box, common=Word(0), own=Word(0)) for box in proof.boxes)
        return replace(proof, boxes=boxes)

    return replace(known, proofs=tuple(map(first, known.proofs)))


def conclusion_only(known: Known) -> Known:
    """Scripts that skip every node."""

    def shortened(proof: KnownProof) -> KnownProof:
        scripts = []
        for own in proof.scripts:
            while hasattr(own, "rest"):
                own = own.rest
            scripts.append(own)
        return replace(proof, scripts=tuple(scripts))

    return replace(known, proofs=tuple(map(shortened, known.proofs)))


def largest_radius(known: Known) -> Known:
    return replace(
        known,
        proofs=tuple(
            replace(proof, boxes=tuple(replace(box, radius=Word(7)) for box in proof.boxes))
            for proof in known.proofs
        ),
    )


def beyond_all_radii(known: Known) -> Known:
    return replace(
        known,
        proofs=tuple(
            replace(proof, boxes=tuple(replace(box, radius=Word(99)) for box in proof.boxes))
            for proof in known.proofs
        ),
    )


def points_far_away(known: Known) -> Known:
    far = tuple(known_point(place, np.array([1e6, -1e6], np.float32)) for place in range(8))
    return replace(known, points=far)


def points_that_break_nothing(known: Known) -> Known:
    return replace(
        known, points=tuple(known_point(place, np.array([0.5, 0.5], np.float32)) for place in range(8))
    )


def points_of_another_size(known: Known) -> Known:
    return replace(known, points=(known_point(0, np.array([0.5] * 3, np.float32)),))


ABOUT_PROOFS = ("range", "robust-some", "radius", "vnnlib")
ABOUT_POINTS = ("range-false", "robust-some", "vnnlib-false")
FORGED: Sequence[tuple[Edit, Sequence[str]]] = [
    *((edit, ABOUT_PROOFS) for edit in (no_boxes, fewer_boxes, other_scale, no_room, first_script_for_all)),
    *((edit, ABOUT_PROOFS) for edit in (conclusion_only, largest_radius, beyond_all_radii)),
    *((edit, ABOUT_POINTS) for edit in (points_far_away, points_that_break_nothing, points_of_another_size)),
]


def judged(results: Sequence[Any]) -> dict[str, Any]:
    """All but which of several true witnesses was shown."""
    shown = {"spec", "found", "witness", "further_witnesses", "details", "reproduce", "witness_file"}
    return {
        entry["id"]: {key: value for key, value in entry.items() if key not in shown} for entry in results
    }


@pytest.mark.parametrize(("edit", "names"), FORGED, ids=lambda part: getattr(part, "__name__", ""))
def test_a_forged_entry_changes_no_verdict(
    project: Path, filled: Store, finished: Finished, edit: Edit, names: Sequence[str]
) -> None:
    for path in entries(filled):
        forge(path, pack(edit(unpack(content_of(path)))))
    truth = judged(finished.truth)
    for identifier, found in judged(plain(run(project, filled, *names))).items():
        assert found == truth[identifier]
    # what was wrong has been replaced by what this run verified
    whole = {path.name: unpack(content_of(path)).boxes.keys() for path in entries(finished.store)}
    kept = {path.name: unpack(content_of(path)).boxes.keys() for path in entries(filled)}
    assert names is ABOUT_POINTS or kept.items() <= whole.items()


def test_a_witness_that_breaks_another_property_is_no_witness(project: Path, store: Store) -> None:
    """A point outside of the ball that does change the class refutes nothing."""
    robust = run(project, store, "robust")["robust"].evidence
    assert robust.verdict is Verdict.PROVED
    wide = run(project, None, "robust-false")["robust-false"].evidence
    (path,) = entries(store)
    far = {found.index: found.input for found in wide.witnesses if found.index is not None}
    assert far
    points = [known_point(row, np.array([float.fromhex(x) for x in far[row]], np.float32)) for row in far]
    forge(path, pack(Known(points=tuple(sorted(points, key=lambda point: point.place)))))
    again = run(project, store, "robust")["robust"].evidence
    assert again.verdict is Verdict.PROVED
    assert again.counts == robust.counts


def test_an_entry_that_lean_refuses_is_discarded_and_the_record_says_so(project: Path, store: Store) -> None:
    run(project, store, "vnnlib")
    (path,) = entries(store)
    forge(path, pack(conclusion_only(unpack(content_of(path)))))
    result = run(project, store, "vnnlib")["vnnlib"]
    assert result.evidence.verdict is Verdict.PROVED
    assert result.evidence.effort["cache"] == "discarded"
    assert result.evidence.effort["cache_note"]
    assert states(run(project, store, "vnnlib")) == {"vnnlib": "hit"}


def test_entries_that_changed_places_are_of_no_use(project: Path, filled: Store, finished: Finished) -> None:
    """Another property's certificate, each with the right key and digest."""
    contents = [content_of(path) for path in entries(filled)]
    for path, content in zip(entries(filled), contents[1:] + contents[:1], strict=True):
        forge(path, content)
    assert judged(plain(run(project, filled, *CHOSEN))) == judged(finished.truth)


def test_certificates_of_another_model_are_of_no_use(project: Path, store: Store, filled: Store) -> None:
    _other_weight(project)
    truth = run(project, store, "range", "robust-some")
    for path, other in zip(entries(store), entries(filled), strict=False):
        forge(path, content_of(other))
    assert plain(run(project, store, "range", "robust-some")) == plain(truth)


def test_bytes_flipped_at_random_under_a_right_digest(
    project: Path, filled: Store, finished: Finished
) -> None:
    """Verdicts and counts stand; a radius may come out smaller, never larger."""
    contents = {path: content_of(path) for path in entries(filled)}
    truth, rng = judged(finished.truth), random.Random(4)
    for _ in range(2):
        for path, content in contents.items():
            spoiled = bytearray(content)
            for _ in range(rng.randint(1, 3)):
                spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
            forge(path, bytes(spoiled))
        for identifier, found in judged(plain(run(project, filled, *CHOSEN))).items():
            for key in ("verdict", "counts", "bounds", "theorem", "claim"):
                assert found[key] == truth[identifier][key]
            for own, known in zip(found["radii"], truth[identifier]["radii"], strict=True):
                assert Fraction(own["radius"]) <= Fraction(known["radius"])


def test_a_place_that_cannot_be_written_is_only_a_miss(project: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for _ in range(2):
        results = run(project, Store(tmp_path / "file" / "found", 1 << 20), "range")
        assert states(results) == {"range": "miss"}
        assert results["range"].evidence.verdict is Verdict.PROVED


def test_no_lean_says_nothing_about_an_entry(
    project: Path, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run(project, store, "vnnlib")
    kept = entries(store)[0].read_bytes()
    spec = load_spec(project / "torchlean.yaml", project)
    (result,) = run_spec(spec, root=project, cache=store, lean=tmp_path / "absent")
    assert result.evidence.verdict is Verdict.ERROR
    assert entries(store)[0].read_bytes() == kept
