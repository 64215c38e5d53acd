"""The baseline as a file: canonical, read back exactly, and every mistake in it told with its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml
from golden_support import assert_golden
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlean.errors import SpecErrors
from pytest_torchlean.ratchet.files import (
    baseline_text,
    read_baseline,
    read_waivers,
    shown_value,
)
from pytest_torchlean.ratchet.model import Baseline, Entry
from pytest_torchlean.ratchet.schema import COMMITTED, baseline_schema, schema_text, waivers_schema
from pytest_torchlean.report.errors import error_text

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
PLAIN = st.recursive(
    TEXT,
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple) | st.dictionaries(TEXT.filter(bool), inner, max_size=4)
    ),
    max_leaves=12,
)

EXAMPLE = Baseline(
    "torchlean.baseline.yaml",
    {
        name: Entry(
            name,
            {
                "check": "range",
                "model": "models/tiny.onnx",
                "input": {"lower": "0", "upper": "1"},
                "output": {"lower": ("-1", "-1/3"), "upper": "4"},
                "sampling": (),
            },
            {"verdict": "PROVED", "radii": {"10": "1/20", "9": "0"}},
        )
        for name in ("torchlean.yaml::tiny::b", "torchlean.yaml::tiny::a")
    },
)


def without_places(baseline: Baseline) -> Baseline:
    return replace(
        baseline, entries={name: replace(one, span=None) for name, one in baseline.entries.items()}
    )


def test_text_is_pinned_and_read_back() -> None:
    text = baseline_text(EXAMPLE)
    assert_golden("baseline.yaml", text)
    found = read_baseline(text.encode(), EXAMPLE.file)
    assert without_places(found) == EXAMPLE
    assert baseline_text(found) == text
    place = found.entries["torchlean.yaml::tiny::a"].span
    assert place is not None
    assert (place.line, place.column) == (5, 9)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(TEXT.filter(str.strip), PLAIN.filter(bool), min_size=1, max_size=4))
def test_any_values_come_back(values: dict[str, object]) -> None:
    claim = {**values, "check": "x", "model": "m"}
    entry = Entry("an id", claim, {"verdict": "PROVED"})  # type: ignore[arg-type]
    text = baseline_text(Baseline("f", {"an id": entry}))
    assert without_places(read_baseline(text.encode(), "f")).entries["an id"].claim == claim
    assert baseline_text(read_baseline(text.encode(), "f")) == text


def test_other_yaml_readers_see_the_same_structure() -> None:
    loaded = yaml.safe_load(baseline_text(EXAMPLE))
    jsonschema.validate(loaded, baseline_schema())
    assert [one["id"] for one in loaded["properties"]] == sorted(EXAMPLE.entries)
    assert yaml.safe_load(baseline_text(Baseline("f"))) == {"version": 1, "properties": []}


def test_values_on_one_line_are_cut() -> None:
    assert shown_value({"lower": tuple(map(str, range(20)))}).endswith("... 20 in all]}")
    assert len(shown_value("9" * 500)) < 100


WAIVER = """\
version: 1
waivers:
  - property: torchlean.yaml::tiny::robust
    waives: {epsilon: 4/255, proved: 320}
    owner: Kim
    reason: the new sensor is noisier
    expires: 2027-03-31
"""


def test_waivers_are_read() -> None:
    (waiver,) = read_waivers(WAIVER.encode(), "w").listed
    assert waiver.waives == {"epsilon": "4/255", "proved": "320"}
    assert waiver.expires == date(2027, 3, 31)
    assert waiver.words == "Kim, until 2027-03-31: the new sensor is noisier"
    jsonschema.validate(yaml.safe_load(WAIVER.replace("2027-03-31", '"2027-03-31"')), waivers_schema())


MISTAKES = {
    "baseline_twice": "version: 1\nproperties:\n"
    + "  - {id: a, claim: {check: x, model: m}, result: {verdict: PROVED}}\n" * 2,
    "baseline_keys": "version: 2\nproperties:\n  - {id: a, claims: {check: x}, result: {}}\n  - nothing\n",
    "baseline_claim": "version: 1\nproperties: [{id: a, claim: {chek: x}, result: {verdict: [1]}}]\n",
    "baseline_list": "- 1\n",
    "baseline_empty": "",
    "baseline_duplicate": "version: 1\nproperties: []\nproperties: []\n",
    "baseline_tab": "version: 1\nproperties:\n\t- {}\n",
    "waivers_owner": WAIVER.replace("    owner: Kim\n", "").replace("2027-03-31", "2027-02-31"),
    "waivers_text": WAIVER.replace("owner: Kim", 'owner: "\\e[31mKim"').replace(
        "reason: the", "reason: '' #"
    ),
    "waivers_values": WAIVER.replace("{epsilon: 4/255, proved: 320}", "epsilon"),
    "waivers_twice": WAIVER + WAIVER.partition("waivers:\n")[2],
}


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_has_its_place(name: str) -> None:
    reader = read_baseline if name.startswith("baseline") else read_waivers
    with pytest.raises(SpecErrors) as caught:
        reader(MISTAKES[name].encode(), "file.yaml")
    assert_golden(f"ratchet/{name}.txt", error_text(caught.value) + "\n")


def test_committed_schemas_are_current() -> None:
    for file, text in schema_text().items():
        assert (COMMITTED / file).read_text() == text
    assert Path(COMMITTED).is_dir()
