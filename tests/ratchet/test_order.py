"""Which of two values is the weaker claim, and that nothing is guessed where that cannot be told."""

from __future__ import annotations

import pytest

from pytest_torchlean.ratchet.claims import Plain
from pytest_torchlean.ratchet.order import RESULTS, order_of

SHA = "0123456789abcdef" * 4
OTHER = "f" * 64

WEAKER: list[tuple[str, str, Plain | None, Plain | None]] = [
    ("range", "semantics", "binary32", "real"),
    ("range", "on_unknown", "fail", "warn"),
    ("range", "assurance", "kernel", "any"),
    ("range", "assurance", "any", "evaluated"),
    ("robustness", "epsilon", "8/255", "4/255"),
    ("robustness", "epsilon", "1/3", "0.3333"),
    ("robustness", "at_least", "9/10", "4/5"),
    ("robustness", "at_least", None, "99/100"),
    ("robustness", "min_accuracy", "19/20", None),
    ("robustness", "domain", None, {"lower": "0", "upper": "1"}),
    ("robustness", "domain", {"lower": "0", "upper": "1"}, {"lower": "0", "upper": "0.9"}),
    ("robustness", "listed", "all", {"first": "10"}),
    ("robustness", "listed", {"first": "11"}, {"first": "10"}),
    ("robustness", "listed", ("1", "2", "3"), ("1", "3")),
    ("radius", "up_to", "1/10", "1/20"),
    ("radius", "steps", "6", "5"),
    ("range", "input", {"lower": "0", "upper": "1"}, {"lower": ("0", "0.1"), "upper": "1"}),
    ("range", "output", {"lower": "-40", "upper": "40"}, {"lower": "-41", "upper": "40"}),
    ("range", "output", {"lower": "-40", "upper": "40"}, {"lower": "-40"}),
    ("range", "output", {"lower": "0", "upper": "4"}, {"lower": "-1", "upper": "3"}),
    ("range", "strict", "true", "false"),
    ("runtime", "samples", "256", "255"),
    ("runtime", "sessions", {"threads": ("1", "2")}, {"threads": ("1",)}),
]

UNDECIDED: list[tuple[str, str, Plain | None, Plain | None]] = [
    ("robustness", "data", {"path": "d", "sha256": SHA}, {"path": "d", "sha256": OTHER}),
    (
        "robustness",
        "data",
        {"path": "d", "sha256": "cannot be read"},
        {"path": "d", "sha256": "cannot be read"},
    ),
    ("vnnlib", "file", {"path": "d", "sha256": SHA}, {"path": "d", "sha256": OTHER}),
    ("robustness", "listed", ("1", "2"), ("2", "3")),
    ("robustness", "norm", "linf", "l2"),
    ("range", "input", {"lower": ("0", "0"), "upper": "1"}, {"lower": ("0", "0", "0"), "upper": "1"}),
    ("range", "model", "models/a.onnx", "models/b.onnx"),
    ("range", "preprocess", ("divide by 255",), None),
    ("runtime", "seed", "0", "1"),
    ("runtime", "data", None, {"path": "d", "sha256": SHA}),
    ("runtime", "sampling", (), ("uniform",)),
    ("runtime", "sessions", {"threads": ("1", "2")}, {"threads": ("1", "3")}),
    ("runtime", "input", {"lower": "0", "upper": "1"}, {"lower": "0", "upper": "2"}),
    ("of-an-extension", "epsilon", "1", "2"),
    ("range", "output", {"lower": "0", "upper": "nonsense"}, {"lower": "0", "upper": "1"}),
]


@pytest.mark.parametrize(("kind", "key", "before", "after"), WEAKER)
def test_weaker_is_seen_and_the_other_way_round_is_stronger(
    kind: str, key: str, before: Plain | None, after: Plain | None
) -> None:
    order = order_of(kind, key)
    assert order(before, after) == -1
    assert order(before, before) == order(after, after) == 0
    if key != "output" or after != {"lower": "-1", "upper": "3"}:  # that one is weaker in either direction
        assert order(after, before) == 1


@pytest.mark.parametrize(("kind", "key", "before", "after"), UNDECIDED)
def test_what_cannot_be_told_is_no_guess(
    kind: str, key: str, before: Plain | None, after: Plain | None
) -> None:
    assert order_of(kind, key)(before, after) is None
    assert order_of(kind, key)(after, before) is None


def test_the_same_bytes_under_another_path_are_the_same_claim() -> None:
    moved = order_of("robustness", "data")({"path": "a", "sha256": SHA}, {"path": "b", "sha256": SHA})
    assert moved == 0


@pytest.mark.parametrize(
    ("key", "before", "after"),
    [
        ("verdict", "PROVED", "UNKNOWN"),
        ("verdict", "AGREED", "DIVERGENT"),
        ("verdict", "UNKNOWN", "ERROR"),
        ("level", "kernel", "evaluated"),
        ("level", "kernel", None),
        ("proved", "331", "330"),
        ("proved", "331", None),
        ("accuracy", "349/360", "29/30"),
        ("radii", {"0": "1/20", "1": "0"}, {"0": "1/40", "1": "1/20"}),
        ("radii", {"0": "1/20", "1": "1/20"}, {"0": "1/20"}),
        ("bounds", {"lower": ("0", "0"), "upper": ("1", "1")}, {"lower": ("0", "0"), "upper": ("1", "1.1")}),
        ("bounds", {"lower": ("0",), "upper": ("1",)}, None),
        ("samples_run", "256", "17"),
        ("sessions_run", "4", "2"),
    ],
)
def test_worse_results_are_seen(key: str, before: Plain | None, after: Plain | None) -> None:
    assert RESULTS[key](before, after) == -1
    assert RESULTS[key](after, before) in (1, -1)
    assert RESULTS[key](before, before) == 0


def test_a_margin_of_nothing_lets_ties_pass() -> None:
    """A model that is constant passes margin 0 against any other, so 0 is not the strongest claim."""
    margin = order_of("equivalent", "margin")
    assert margin("1/2", "1/4") == 1
    assert margin("1/4", "1/2") == -1
    assert margin("1/4", "0") is None
    assert margin("1/4", None) is None
    assert margin("0", "1/4") == -1
    assert margin("0", None) == 0
