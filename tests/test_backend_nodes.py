"""ONNX's own node tests: evaluated and right, or refused by name; never wrong, never another exception."""

from __future__ import annotations

import pytest
from benchmark_scripts import script

LEAST_EVALUATED_FLOAT = 741
LEAST_EVALUATED = 1471


@pytest.mark.parametrize(
    ("cases", "least"), [("float_cases", LEAST_EVALUATED_FLOAT), ("known_cases", LEAST_EVALUATED)]
)
def test_every_node_case_is_right_or_refused_by_name(cases: str, least: int) -> None:
    judged = [script("nodes").judge(case) for case in getattr(script("nodes"), cases)()]
    assert [case for case in judged if case.status == "wrong"] == []
    assert sum(case.evaluated for case in judged) >= least
    for case in judged:
        if case.status == "refused":
            assert case.reason, case.name


def test_the_comparison_of_a_case_can_say_no() -> None:
    case = next(case for case in script("nodes").float_cases() if case.name == "test_gemm_all_attributes")
    assert script("nodes").judge(case).status == "bound"
    ((_, outputs),) = case.data_sets
    kept = outputs[0].copy()
    outputs[0] += 1e-3
    try:
        assert script("nodes").judge(case).status == "wrong"
    finally:
        outputs[0][...] = kept
