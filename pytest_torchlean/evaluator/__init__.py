"""Runs a graph: in binary32 under the declared schedule, or on exact rationals."""

from __future__ import annotations

from pytest_torchlean.evaluator.binary32 import evaluate, run
from pytest_torchlean.evaluator.exact import ExactProgram, evaluate_exact, prepare_exact

__all__ = ["ExactProgram", "evaluate", "evaluate_exact", "prepare_exact", "run"]
