"""Runs a graph: in binary32 under the declared schedule, or on exact rationals."""

from __future__ import annotations

from pytest_torchlean.evaluator.binary32 import evaluate, run

__all__ = ["evaluate", "run"]
