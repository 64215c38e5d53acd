"""Rules of operations that are a formula: one text gives evaluation, enclosure and error bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pytest_torchlean.binary32.arithmetic import Enclosed, Rounded
from pytest_torchlean.ir.graph import Node, ValueType
from pytest_torchlean.ops.rule import Array, Arrays, Enclosures, Float64, OpRule, Types, no_step

Formula = Callable[[Node, Sequence[Any]], Sequence[Any]]
"""A node's outputs from its operands: float32 ones are `Value`s of one arithmetic, all others arrays, absent
ones None. Outputs likewise."""


def rule_of(
    infer: Callable[[Node, Types], tuple[ValueType, ...]],
    formula: Formula,
    *,
    reason: str = "it has no certificate rule",
    integers: Callable[[Node, Sequence[Any]], Array] | None = None,
) -> OpRule:
    """The rules of an operation given by a formula, and by `integers` for a first operand that is integer."""

    def evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
        if integers is not None and inputs[0] is not None and inputs[0].dtype != np.float32:
            return (np.asarray(integers(node, inputs), dtype=inputs[0].dtype),)
        operands = [Rounded(np.asarray(x)) if x is not None and x.dtype == np.float32 else x for x in inputs]
        found = formula(node, operands)
        return tuple(
            np.ascontiguousarray(y.values).reshape(y.shape) if isinstance(y, Rounded) else np.asarray(y)
            for y in found
        )

    def enclose(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
        if integers is not None and not isinstance(inputs[0], Enclosed):
            return (np.asarray(integers(node, inputs)),)
        return tuple(formula(node, inputs))

    def error_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
        exact = [Enclosed.exact(x) if x is not None and x.dtype == np.float32 else x for x in inputs]
        found = enclose(node, exact)
        return tuple(y.radius if isinstance(y, Enclosed) else None for y in found)

    def reference(node: Node, inputs: Arrays) -> tuple[Float64, Float64]:
        exact = [Enclosed.exact(x) if x is not None and x.dtype == np.float32 else x for x in inputs]
        first = enclose(node, exact)[0]
        if not isinstance(first, Enclosed):
            raise TypeError(f"the first output of {node.op} is not float32")
        return first.center, np.zeros_like(first.center)

    return OpRule(infer, evaluate, error_bound, no_step(reason), reference=reference, enclose=enclose)
