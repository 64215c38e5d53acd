"""The operations of the intermediate representation, one file per family, all rules together."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_torchlean.ops import dense, elementwise, movement, relu
from pytest_torchlean.ops.rule import OpRule

RULES: Mapping[str, OpRule] = {**dense.RULES, **elementwise.RULES, **movement.RULES, **relu.RULES}
"""Operation tag to its rules."""

__all__ = ["RULES", "OpRule"]
