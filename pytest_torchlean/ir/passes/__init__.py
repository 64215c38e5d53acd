"""Rewrites of a graph, one per file. A pass keeps every output's value bit for bit."""

from __future__ import annotations

from pytest_torchlean.ir.passes.dead_code import remove_dead_code
from pytest_torchlean.ir.passes.identity import remove_identities
from pytest_torchlean.ir.passes.manager import GraphPass, run_passes, simplify

__all__ = ["GraphPass", "remove_dead_code", "remove_identities", "run_passes", "simplify"]
