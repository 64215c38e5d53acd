"""What makes a graph well-formed, as a table of rules checked after lowering and after each pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.names import quoted

DTYPES = (
    "float32", "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool",
)  # fmt: skip


@dataclass(frozen=True)
class WellFormedRule:
    """A rule: its statement, and a function that yields one line per violation."""

    statement: str
    violations: Callable[[Graph], Iterator[str]]


def violations(graph: Graph, rules: Sequence[WellFormedRule]) -> list[str]:
    """Every violation of the rules, in order, as "statement: where"."""
    return [f"{rule.statement}: {where}" for rule in rules for where in rule.violations(graph)]


def _defined_once(graph: Graph) -> Iterator[str]:
    definitions = Counter([*graph.inputs, *graph.constants])
    definitions.update(name for node in graph.nodes for name in node.outputs)
    for name, count in definitions.items():
        if count > 1:
            yield f"{quoted(name)} is defined {count} times"
        if not name:
            yield "a value has the empty name"


def _defined_before_use(graph: Graph) -> Iterator[str]:
    known = {*graph.inputs, *graph.constants}
    for node in graph.nodes:
        for name in node.inputs:
            if name and name not in known:
                yield f"{node.op} reads {quoted(name)}"
        known.update(node.outputs)
    for name in graph.outputs:
        if name not in known:
            yield f"the graph returns {quoted(name)}"


def _typed(graph: Graph) -> Iterator[str]:
    defined = {*graph.inputs, *graph.constants, *(name for node in graph.nodes for name in node.outputs)}
    for name in sorted(defined ^ set(graph.types)):
        yield quoted(name)
    for name, kind in graph.types.items():
        if kind.dtype not in DTYPES or any(extent < 0 for extent in kind.shape):
            yield f"{quoted(name)} has the type {kind.dtype}{list(kind.shape)}"


def _constants_match(graph: Graph) -> Iterator[str]:
    for name, value in graph.constants.items():
        kind = graph.types.get(name)
        if kind is not None and (kind.dtype != value.dtype.name or kind.shape != value.shape):
            yield quoted(name)


def _constants_numbers(graph: Graph) -> Iterator[str]:
    for name, value in graph.constants.items():
        if value.dtype == np.float32 and np.isnan(value).any():
            yield quoted(name)


def _attributes_named_once(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        names = [name for name, _ in node.attributes]
        if len(set(names)) != len(names):
            yield f"{node.op} has the attributes {names}"


STRUCTURE: tuple[WellFormedRule, ...] = (
    WellFormedRule("every value is defined exactly once and has a name", _defined_once),
    WellFormedRule("every value is defined before it is read", _defined_before_use),
    WellFormedRule("types cover exactly the defined values, with a known dtype and shape", _typed),
    WellFormedRule("every constant has its declared type", _constants_match),
    WellFormedRule("no float32 constant holds NaN", _constants_numbers),
    WellFormedRule("every attribute of a node has its own name", _attributes_named_once),
)
"""The rules that need no knowledge of operations."""
