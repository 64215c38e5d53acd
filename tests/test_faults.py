"""Faults in the graph that the runtime runs are named at the right node, as benchmarks/FAULTS.md says."""

from __future__ import annotations

import functools
from typing import Any

import onnx
import pytest
from benchmark_scripts import script


@functools.cache
def small() -> onnx.ModelProto:
    """The same network with its long sums cut: the faults are those of single nodes."""
    return script("faults").model(depth=256)


@pytest.mark.parametrize("fault", script("faults").FAULTS, ids=lambda fault: fault.text)
def test_fault_is_named_at_its_node(fault: Any) -> None:
    found = script("faults").judge(fault, small())
    assert script("faults").right(fault, found), found


def test_there_are_enough_faults_and_a_right_runtime_has_none() -> None:
    assert len(script("faults").FAULTS) >= 20
    assert script("faults").judge(script("faults").NONE, small(), count=4).node == ""
