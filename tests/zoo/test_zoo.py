"""The gate's answer to every specimen of the zoo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zoo import ALL
from zoo.specimen import Specimen, table

_CPU = np._core._multiarray_umath.__cpu_features__
README = Path(__file__).with_name("README.md")


@pytest.mark.parametrize("specimen", ALL, ids=lambda one: one.name.replace(" ", "-"))
def test_the_gate_says(specimen: Specimen, tmp_path: Path) -> None:
    verdict, text = specimen.judged(tmp_path)
    assert (verdict, specimen.says in text) == (specimen.verdict, True), text


@pytest.mark.parametrize(
    "specimen", [one for one in ALL if one.fact], ids=lambda one: one.name.replace(" ", "-")
)
def test_what_is_wrong_is_still_so(specimen: Specimen) -> None:
    """Measured with onnxruntime's kernels for AVX-512; others may be right where those are wrong."""
    assert specimen.fact is not None
    if not specimen.fact():
        assert not _CPU["AVX512F"], specimen.wrong
        pytest.skip("other kernels")


def test_names_are_unique() -> None:
    assert len({specimen.name for specimen in ALL}) == len(ALL)


def test_what_is_not_seen_is_no_finding() -> None:
    assert all(specimen.verdict in ("AGREED", "UNKNOWN") for specimen in ALL if specimen.blind)


def test_the_table_is_current() -> None:
    assert README.read_text(encoding="utf-8") == table(ALL)
