"""First derivatives of MaxPool, GlobalMaxPool, ReduceMax and ReduceMin.

Such a node is a maximum or minimum of as many operands as a window has elements, each of them some elements
of the node's input, as certificates have it; so its derivative is that of a Max or Min (`bends.py`). Where
padding stands for an element, another one of the window is read again: that is no bend.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.derivatives.bends import Choice, chain
from pytest_torchlean.derivatives.build import Builder
from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.linear import ExtremumStep, IndexStep
from pytest_torchlean.ops import RULES

POOLS = frozenset({"GlobalMaxPool", "MaxPool", "ReduceMax", "ReduceMin"})
"""Operations that choose one of several elements of their first input."""

Places = NDArray[np.int64]


def places_of(node: Node, graph: Graph) -> Places | None:
    """Flat positions of what each result chooses from, int64 (results, elements); None where unknown."""
    if graph.types[node.inputs[0]].dtype != "float32" or any(node.outputs[1:]):
        return None
    step = RULES[node.op].step(node, graph)
    if not isinstance(step, ExtremumStep):
        return None
    read = [operand.index for operand in step.operands if isinstance(operand, IndexStep)]
    return np.stack(read, axis=1) if len(read) == len(step.operands) and read[0].size else None


@dataclass(frozen=True, eq=False)
class Pool:
    """Which elements a node's results choose. choice: of flat values, one element for each result."""

    places: Places
    choice: Choice
    shape: tuple[int, ...]

    def moved(self, builder: Builder, tangent: str) -> str:
        """The derivative along one direction; tangent: that of the node's input."""
        flat = flattened(builder, tangent)
        own = {
            name: gathered(builder, flat, self.places[:, at]) for at, name in enumerate(self.choice.operands)
        }
        found = self.choice.moved(builder, own)
        assert found is not None
        return builder.node("Reshape", (found,), self.shape, (("shape", self.shape),))

    def flowing(self, builder: Builder, own: str, shape: tuple[int, ...]) -> str:
        """What flows back to the node's input, of this shape: of each element the sum over all windows."""
        flows = dict(self.choice.flowing(builder, flattened(builder, own)))
        parts = [flows[name] for name in self.choice.operands]
        read = self.places.T.reshape(-1)
        joined = builder.node("Concat", (*parts, builder.filled(0.0, (1,))), (read.size + 1,), (("axis", 0),))
        counts = np.bincount(read, minlength=int(np.prod(shape, dtype=np.int64)))
        order = np.argsort(read, kind="stable")
        within = np.arange(read.size) - np.repeat(np.cumsum(counts) - counts, counts)
        table = np.full((len(counts), int(counts.max())), read.size, dtype=np.int64)
        table[read[order], within] = order
        value = gathered(builder, joined, table)
        if table.shape[1] > 1:
            value = builder.node("ReduceSum", (value,), (len(counts), 1), (("axes", (1,)), ("keepdims", 1)))
        return builder.node("Reshape", (value,), shape, (("shape", shape),))


def pool(builder: Builder, node: Node, graph: Graph) -> Pool:
    """The nodes that say which element each result chooses; the node has `places_of`."""
    places = places_of(node, graph)
    assert places is not None
    flat = flattened(builder, node.inputs[0])
    operands = [gathered(builder, flat, places[:, at]) for at in range(places.shape[1])]
    again = [(places[:, :at] == places[:, at : at + 1]).any(axis=1) for at in range(1, places.shape[1])]
    chosen = chain(builder, operands, largest=node.op != "ReduceMin", again=again)
    return Pool(places, chosen, builder.shape(node.outputs[0]))


def flattened(builder: Builder, value: str) -> str:
    """The value with one axis."""
    size = int(np.prod(builder.shape(value), dtype=np.int64))
    return builder.node("Reshape", (value,), (size,), (("shape", (size,)),))


def gathered(builder: Builder, flat: str, places: Places) -> str:
    """Elements of a value with one axis, in the shape of `places`."""
    chosen = (("axis", 0), ("indices", tuple(places.reshape(-1).tolist())), ("shape", places.shape))
    return builder.node("Gather", (flat,), places.shape, chosen)
