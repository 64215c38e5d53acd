"""A constant added to an affine result becomes its bias: one node instead of three.

Exact arithmetic does not see the difference, and in binary32 adding the bias after the products is one
of the orders of summation that a node's meaning covers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.linear import AffineBlock, AffineStep, Step


def absorb_biases(graph: Graph, steps: Mapping[str, Step]) -> dict[str, Step]:
    """The steps by the name of their result, in order, with constant summands absorbed.

    An Add of a constant and of an affine result that nothing else reads takes the place of both.
    """
    uses = Counter(name for node in graph.nodes for name in node.inputs)
    uses.update(graph.outputs)
    absorbed: dict[str, Step] = {}
    for node in graph.nodes:
        name = node.outputs[0]
        if name not in steps:
            continue
        found = _summands(node, graph, absorbed) if node.op == "Add" else None
        if found is not None and uses[found[0]] == 1:
            summed, constant = found
            biased = _with_bias(graph, absorbed[summed], summed, constant)
            if biased is not None:
                absorbed[name] = biased
                del absorbed[summed]
                continue
        absorbed[name] = steps[name]
    return absorbed


def _summands(node: Node, graph: Graph, steps: Mapping[str, Step]) -> tuple[str, str] | None:
    """The computed and the constant operand, where the sum has the computed one's shape."""
    first, second = node.inputs
    for computed, constant in ((first, second), (second, first)):
        same = constant in graph.constants and computed in steps
        if same and graph.types[computed].shape == graph.types[node.outputs[0]].shape:
            return computed, constant
    return None


def _with_bias(graph: Graph, step: Step, summed: str, constant: str) -> AffineStep | None:
    if not isinstance(step, AffineStep) or any(block.bias is not None for block in step.blocks):
        return None
    if any(block.divisor != 1 for block in step.blocks):
        return None
    bias = np.broadcast_to(graph.constants[constant], graph.types[summed].shape)
    flat = np.ascontiguousarray(bias).astype(np.float32).reshape(-1)
    return AffineStep(step.sources, tuple(part for block in step.blocks for part in _split(block, flat)))


def _split(block: AffineBlock, bias: NDArray[np.float32]) -> list[AffineBlock]:
    """One block for every bias vector that its positions see."""
    patterns = bias.view(np.uint32)[block.scatter]
    distinct, which = np.unique(patterns, axis=0, return_inverse=True)
    which = which.reshape(-1)
    return [
        replace(
            block,
            bias=row.view(np.float32).copy(),
            gather=block.gather[which == index],
            scatter=block.scatter[which == index],
        )
        for index, row in enumerate(distinct)
    ]
