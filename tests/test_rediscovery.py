"""The generic search finds known defects of other parties by itself, and nothing where all agree."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from benchmark_scripts import FOLDER, script

from pytest_torchlean.binary32.arithmetic import Enclosed


@functools.cache
def classes(op: str) -> dict[tuple[str, str, str], object]:
    module = script("rediscovery")
    kept, module.MOST_VARIANTS = module.MOST_VARIANTS, 1
    try:
        found, _, comparisons = module.search([op])
    finally:
        module.MOST_VARIANTS = kept
    assert comparisons
    return dict(found)


@pytest.mark.parametrize("known", script("rediscovery").KNOWN, ids=lambda row: row[0].replace(" ", "-"))
def test_a_known_defect_is_found(known: tuple[str, str, str, str]) -> None:
    assert tuple(known[1:]) in classes(known[2])


def test_nothing_is_found_where_all_agree() -> None:
    assert not any(kind == "beyond the bound" for _, _, kind in classes("Neg"))


def test_the_search_knows_no_operator_by_name() -> None:
    text = (FOLDER / "rediscovery.py").read_text(encoding="utf-8")
    before, _, rest = text.partition("KNOWN = (")
    _, _, after = rest.partition("does not read this")
    assert not [
        op for op in ("BatchNormalization", "MaxUnpool", "LRN", "Tanh", "MaxPool") if op in before + after
    ]


def test_kinds_of_difference() -> None:
    kinds = script("rediscovery").kinds
    own = np.float32([1, np.inf, 0, 2])
    bound = Enclosed(own.astype(np.float64), np.float64([0.5, np.inf, 0, 0]))
    assert kinds(own, bound, own, True) == {}
    assert kinds(own, bound, np.float32([1.5, 7, 0, 2]), True) == {}
    assert kinds(own, bound, np.float32([2.5, np.inf, 0, 2]), True) == {"beyond the bound": 3.0}
    assert kinds(own, bound, np.float32([1, 7, 0, 2]), False) == {"infinite here, finite there": 0.0}
    assert kinds(own, bound, np.float32([1, np.inf, -0.0, 2]), True) == {"the sign of a zero": 0.0}
    assert kinds(own, bound, own[:2], True) == {"another shape or type": 0.0}
    whole = np.array([1, 2])
    assert kinds(whole, None, np.array([1, 3]), True) == {"other integers": 0.0}
