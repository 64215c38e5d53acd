"""Faults in the graph that the runtime runs are named at the right node, as benchmarks/FAULTS.md says."""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest

BENCHMARK = Path(__file__).resolve().parent.parent / "benchmarks" / "faults.py"


@functools.cache
def faults() -> Any:
    spec = importlib.util.spec_from_file_location("torchlean_faults", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@functools.cache
def small() -> onnx.ModelProto:
    """The same network with its long sums cut: the faults are those of single nodes."""
    return faults().model(depth=256)


@pytest.mark.parametrize("fault", faults().FAULTS, ids=lambda fault: fault.text)
def test_fault_is_named_at_its_node(fault: Any) -> None:
    found = faults().judge(fault, small())
    assert faults().right(fault, found), found


def test_there_are_enough_faults_and_a_right_runtime_has_none() -> None:
    assert len(faults().FAULTS) >= 20
    assert faults().judge(faults().NONE, small(), count=4).node == ""
