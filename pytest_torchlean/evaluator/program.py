"""A graph prepared for many runs: constants arranged once, compiled kernels, little work per node.

Every result has the bits that `RULES[op].evaluate` gives.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.machine import choose, spend
from pytest_torchlean.errors import DataError
from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.names import quoted
from pytest_torchlean.ops import RULES
from pytest_torchlean.ops.rule import DomainError, Prepared

Array = NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class Instruction:
    """A node, and how its outputs are computed from its operands. `output` is empty if there are several."""

    node: Node
    function: Prepared
    inputs: tuple[str, ...]
    output: str


@dataclass(frozen=True, eq=False)
class Program:
    """Instructions in the graph's order, and the values that do not depend on its inputs."""

    instructions: tuple[Instruction, ...]
    known: Mapping[str, Array]
    compiled: bool

    def run(self, values: dict[str, Array]) -> None:
        """Add every value of the graph to `values`, which holds the inputs.

        DataError TL0451 for a value that an operation on integers has no meaning for.
        """
        started = time.perf_counter()
        values.update(self.known)
        with np.errstate(all="ignore"):
            for step in self.instructions:
                operands = [values[name] if name else None for name in step.inputs]
                try:
                    results = step.function(operands)
                except DomainError as problem:
                    raise _undefined(step.node, problem) from None
                if step.output:
                    values[step.output] = results[0]
                else:
                    values.update(zip(step.node.outputs, results, strict=True))
        if not self.compiled:
            spend(_KIND, time.perf_counter() - started)


_KIND = "sums"
_programs: WeakKeyDictionary[Graph, dict[str, Program]] = WeakKeyDictionary()


def program_of(graph: Graph) -> Program:
    """The program of a graph, made at its first run and kept as long as the graph is."""
    made = _programs.setdefault(graph, {})
    implementation = choose(_KIND, 0.0)
    if implementation not in made:
        made[implementation] = _prepare(graph, implementation == "numba")
    return made[implementation]


def _prepare(graph: Graph, compiled: bool) -> Program:
    known: dict[str, Array] = dict(graph.constants)
    instructions = []
    for node in graph.nodes:
        rule = RULES[node.op]
        operands = [known.get(name) for name in node.inputs]
        function: Prepared = partial(rule.evaluate, node)
        if all(name in known for name in node.inputs if name) and node.inputs:
            try:
                known.update(zip(node.outputs, function(operands), strict=True))
            except DomainError as problem:
                raise _undefined(node, problem) from None
            continue
        if compiled and rule.prepare is not None:
            types = [graph.types[name] if name else None for name in node.inputs]
            function = rule.prepare(node, types, operands)
        instructions.append(
            Instruction(node, function, node.inputs, node.outputs[0] if len(node.outputs) == 1 else "")
        )
    return Program(tuple(instructions), known, compiled)


def _undefined(node: Node, problem: DomainError) -> DataError:
    where = f"node {quoted(node.source or node.outputs[0])} ({node.op})"
    return DataError("TL0451", f"{where}: {problem}")
