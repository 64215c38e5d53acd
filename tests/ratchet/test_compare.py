"""What changed, what a waiver lets through, and which waivers are stale."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pytest_torchlean.errors import SourceSpan
from pytest_torchlean.extensions.model import PropertyKind
from pytest_torchlean.extensions.registry import Extensions, Origin, Provided
from pytest_torchlean.ratchet.claims import Plain
from pytest_torchlean.ratchet.compare import Stated, compare, each_once, stale, waive
from pytest_torchlean.ratchet.model import Waiver, Waivers
from pytest_torchlean.ratchet.run import stated
from pytest_torchlean.spec import load_spec

ID = "torchlean.yaml::digits::robust"
TODAY = date(2026, 11, 22)
DATA = {"path": "data/d.npz", "sha256": "ab" * 32}
CLAIM: dict[str, Plain] = {
    "check": "robustness",
    "model": "models/digits.onnx",
    "semantics": "binary32",
    "on_unknown": "fail",
    "epsilon": "8/255",
    "data": DATA,
    "listed": "all",
    "at_least": "9/10",
}
RESULT: dict[str, Plain] = {"verdict": "PROVED", "level": "kernel", "proved": "331", "accuracy": "29/30"}


def state(
    claim: dict[str, Plain] | None = None, result: dict[str, Plain] | None = None, *, name: str = ID
) -> dict[str, Stated]:
    place = SourceSpan("torchlean.yaml", 14, 5)
    return {name: Stated(name, place, CLAIM | (claim or {}), RESULT | (result or {}))}


def kinds(before: dict[str, Stated], after: dict[str, Stated]) -> dict[str, str]:
    return {one.change.key: one.change.kind for one in compare(before, after, "the baseline")}


def waiver(waives: dict[str, Plain], *, name: str = ID, expires: date = date(2027, 1, 31)) -> Waivers:
    return Waivers("w.yaml", (Waiver(name, waives, "Kim", "a reason", expires),))


def test_equal_sides_have_no_difference() -> None:
    assert kinds(state(), state()) == {}


def test_removed_and_added() -> None:
    assert kinds(state(), {}) == {"removed": "removed"}
    assert kinds({}, state()) == {"added": "added"}


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ({"epsilon": "4/255"}, {"epsilon": "weakened"}),
        ({"epsilon": "9/255"}, {"epsilon": "stronger"}),
        ({"semantics": "real", "on_unknown": "warn"}, {"semantics": "weakened", "on_unknown": "weakened"}),
        ({"at_least": "89/100"}, {"at_least": "weakened"}),
        ({"data": {"path": "x", "sha256": "cd" * 32}}, {"data": "changed"}),
        ({"check": "range", "input": "x"}, {"check": "changed"}),
        ({"listed": {"first": "10"}}, {"listed": "weakened"}),
        ({"of_the_future": "1"}, {"of_the_future": "changed"}),
    ],
)
def test_changes_of_a_claim(claim: dict[str, Plain], expected: dict[str, str]) -> None:
    found = kinds(state(), state(claim))
    assert found == expected


def test_more_inputs_are_stronger_only_where_every_one_must_be_proved() -> None:
    few = {"listed": {"first": "10"}}
    assert kinds(state(few), state()) == {"listed": "changed"}
    whole = {"at_least": "1"}
    assert kinds(state(few | whole), state(whole)) == {"listed": "stronger"}


def test_results_are_compared_and_not_across_other_inputs() -> None:
    worse = {"verdict": "UNKNOWN", "level": "evaluated", "proved": "330"}
    assert kinds(state(), state({}, worse)) == dict.fromkeys(worse, "worse")
    assert kinds(state(), state({}, {"proved": "332"})) == {"proved": "better"}
    other = {"data": {"path": "x", "sha256": "cd" * 32}}
    assert kinds(state(), state(other, worse)) == {"data": "changed", "verdict": "worse", "level": "worse"}
    fewer = {"listed": {"first": "9"}}
    assert kinds(state(), state(fewer, {"proved": "9"})) == {"listed": "weakened"}


def test_a_check_that_failed_has_no_numbers_to_compare() -> None:
    crashed = {ID: Stated(ID, SourceSpan("f", 1, 1), CLAIM, {"verdict": "ERROR"})}
    assert kinds(state(), crashed) == {"verdict": "worse"}
    unrun = {ID: Stated(ID, SourceSpan("f", 1, 1), CLAIM)}
    assert kinds(state(), unrun) == {}


def test_places_values_and_codes() -> None:
    (one,) = compare(state(), state({"epsilon": "4/255"}), "the baseline")
    change = one.change
    assert (change.file, change.line, change.column) == ("torchlean.yaml", 14, 5)
    assert (change.before, change.after, change.code) == ("8/255", "4/255", "TL1102")
    assert change.message == "`epsilon` was 8/255 in the baseline and is 4/255: the claim is weaker"


@pytest.mark.parametrize(
    ("waives", "claim", "result", "through"),
    [
        ({"epsilon": "4/255"}, {"epsilon": "4/255"}, {}, True),
        ({"epsilon": "4/255"}, {"epsilon": "6/255"}, {}, True),
        ({"epsilon": "4/255"}, {"epsilon": "3/255"}, {}, False),
        ({"proved": "320"}, {"epsilon": "4/255"}, {}, False),
        ({"proved": "320"}, {}, {"proved": "320"}, True),
        ({"proved": "320"}, {}, {"proved": "319"}, False),
        ({"removed": "true"}, {"epsilon": "4/255"}, {}, False),
        ({"data": {"sha256": "cd" * 32}}, {"data": {"path": "y", "sha256": "cd" * 32}}, {}, True),
        ({"data": {"sha256": "cd" * 32}}, {"data": {"path": "y", "sha256": "ef" * 32}}, {}, False),
        ({"model": "models/b.onnx"}, {"model": "models/b.onnx"}, {}, True),
        ({"model": "models/b.onnx"}, {"model": "models/c.onnx"}, {}, False),
        ({"verdict": "UNKNOWN"}, {}, {"verdict": "UNKNOWN"}, True),
        ({"verdict": "UNKNOWN"}, {}, {"verdict": "REFUTED"}, False),
    ],
)
def test_a_waiver_lets_through_its_key_down_to_its_value(
    waives: dict[str, Plain], claim: dict[str, Plain], result: dict[str, Plain], through: bool
) -> None:
    found = compare(state(), state(claim, result), "the baseline")
    waived = waive(found, [waiver(waives)], TODAY)
    assert [change.fails for change in waived.changes] == [not through]
    assert bool(waived.used) is through
    if through:
        assert waived.changes[0].waived_by == "Kim, until 2027-01-31: a reason"


def test_a_waiver_is_of_one_property_and_ends() -> None:
    found = compare(state(), {}, "the baseline")
    gone: dict[str, Plain] = {"removed": "true"}
    assert not waive(found, [waiver(gone)], TODAY).changes[0].fails
    assert not waive(found, [waiver(gone, expires=TODAY)], TODAY).changes[0].fails
    assert waive(found, [waiver(gone, expires=date(2026, 11, 21))], TODAY).changes[0].fails
    assert waive(found, [waiver(gone, expires=date(2027, 12, 31))], TODAY).changes[0].fails
    assert waive(found, [waiver(gone, name=ID + "x")], TODAY).changes[0].fails


def test_stale_waivers() -> None:
    def codes(waivers: Waivers, *, unused: bool = False) -> list[str]:
        return [one.code for one in stale(waivers, state(), TODAY, lambda name, key: unused)]

    assert codes(waiver({"epsilon": "4/255"})) == []
    assert codes(waiver({"epsilon": "4/255"}), unused=True) == ["TL1106"]
    assert codes(waiver({"epsilon": "8/255"})) == ["TL1106"]
    assert codes(waiver({"proved": "331", "epsilon": "1/255"})) == ["TL1106"]
    assert codes(waiver({"removed": "true"})) == []
    assert codes(waiver({"removed": "yes"})) == ["TL1106"]
    assert codes(waiver({"epsilon": "1/255"}, name="another")) == ["TL1106"]
    assert codes(waiver({"epsilon": "1/255"}, expires=date(2026, 11, 21))) == ["TL1105"]
    assert codes(waiver({"epsilon": "1/255"}, expires=date(2027, 11, 24))) == ["TL1107"]
    assert all(one.fails for one in stale(waiver({"epsilon": "8/255"}), state(), TODAY, lambda *_: False))


def test_the_same_difference_is_told_once() -> None:
    found = compare(state(), state({"epsilon": "4/255"}), "the baseline")
    again = compare(state(), state({"epsilon": "4/255"}), "the base revision")
    assert [one.change for one in each_once([*found, *again])] == [found[0].change]


def test_what_an_extension_claims_and_which_one(tmp_path: Path) -> None:
    """Another version of the extension may mean something else by the same word."""
    (tmp_path / "torchlean.yaml").write_text(
        "version: 1\nmodels: {m: {path: m.onnx}}\nproperties:\n  - {name: p, model: m, check: acme-x}\n"
    )

    def claims(version: str) -> dict[str, Stated]:
        kind = PropertyKind("acme-x", "a kind", (), lambda values, view: [], lambda values: "words")
        given = Provided(kind, Origin("acme", version), "property kind acme-x")
        spec = load_spec(tmp_path / "torchlean.yaml", tmp_path, Extensions(kinds={"acme-x": given}))
        return stated([(spec, tmp_path)])

    (claim,) = [one.claim for one in claims("1").values()]
    assert claim is not None
    assert claim["extension"] == {"name": "acme", "version": "1"}
    assert compare(claims("1"), claims("1"), "the baseline") == []
    (found,) = compare(claims("1"), claims("2"), "the baseline")
    assert (found.change.key, found.change.kind, found.change.fails) == ("extension", "changed", True)
