"""ONNX's own node tests: evaluated and right, or refused by name; never wrong, never another exception."""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARK = Path(__file__).resolve().parent.parent / "benchmarks" / "nodes.py"

LEAST_EVALUATED_FLOAT = 741
LEAST_EVALUATED = 1471


@functools.cache
def harness() -> ModuleType:
    spec = importlib.util.spec_from_file_location("node_cases", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("cases", "least"), [("float_cases", LEAST_EVALUATED_FLOAT), ("known_cases", LEAST_EVALUATED)]
)
def test_every_node_case_is_right_or_refused_by_name(cases: str, least: int) -> None:
    judged = [harness().judge(case) for case in getattr(harness(), cases)()]
    assert [case for case in judged if case.status == "wrong"] == []
    assert sum(case.evaluated for case in judged) >= least
    for case in judged:
        if case.status == "refused":
            assert case.reason, case.name


def test_the_comparison_of_a_case_can_say_no() -> None:
    case = next(case for case in harness().float_cases() if case.name == "test_gemm_all_attributes")
    assert harness().judge(case).status == "bound"
    ((_, outputs),) = case.data_sets
    kept = outputs[0].copy()
    outputs[0] += 1e-3
    try:
        assert harness().judge(case).status == "wrong"
    finally:
        outputs[0][...] = kept
