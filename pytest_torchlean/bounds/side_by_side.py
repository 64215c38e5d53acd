"""Matrices of equal depth as one, so that rows of forms go back through several models at once.

Two models that stand one after the other have outputs far apart, and a difference of theirs would be lost at
once. Layer beside layer they are one chain: a block of rows for each model, with zeros where they do not read
each other. A product with zero adds nothing to any sum, in any order.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.program import (
    FIRST_INPUT,
    AffineNode,
    BilinearNode,
    CurveNode,
    ExtremumNode,
    Program,
    ProgramNode,
    QuotientNode,
    ReluNode,
    Slots,
)

MOST_WEIGHTS = 1 << 22
"""Numbers of a joined matrix, zeros included."""


def side_by_side(program: Program, carried: str | None = None) -> Program:
    """The same slots in the order of their depth, with the matrices of each depth joined.

    carried: an output whose slots are inputs. Where matrices and ReLUs take turns it is copied through all of
    them, as its positive and its negative part, and ends beside the other outputs, so that a form of both can
    go back as one. Each copy is exact in binary32.
    """
    layers = _layers(program)
    builder = _Builder(program, carried if carried and all(map(_plain, layers)) else None)
    for number, layer in enumerate(layers, start=1):
        matrices = [node for node in layer if isinstance(node, AffineNode) and len(node.sources) == 1]
        for group in _groups(matrices):
            builder.matrix(group, last=number == len(layers))
        builder.relus([node for node in layer if isinstance(node, ReluNode)])
        for node in layer:
            matrix = isinstance(node, AffineNode) and len(node.sources) == 1
            if isinstance(node, CurveNode):
                builder.curve(node)
            elif not matrix and not isinstance(node, ReluNode):
                builder.alone(node)
    return builder.program()


def _plain(layer: list[ProgramNode]) -> bool:
    """Whether a layer is one joined matrix, or ReLUs alone."""
    if all(isinstance(node, ReluNode) for node in layer):
        return True
    matrices = [node for node in layer if isinstance(node, AffineNode) and len(node.sources) == 1]
    distinct = all(np.unique(node.sources).size == node.sources.size for node in matrices)
    return (
        len(matrices) == len(layer) and len(_groups(matrices)) == 1 and distinct and matrices[0].divisor == 1
    )


def _layers(program: Program) -> list[list[ProgramNode]]:
    """Nodes by the longest way to an end, the furthest first: what ends together stands together."""
    height = np.zeros(program.size, dtype=np.int64)
    layers: dict[int, list[ProgramNode]] = {}
    for node in reversed(program.nodes):
        own = int(height[node.start : node.start + node.size].max(initial=0))
        reads = _reads(node)
        height[reads] = np.maximum(height[reads], own + 1)
        layers.setdefault(own, []).append(node)
    return [layers[own][::-1] for own in sorted(layers, reverse=True)]


def _reads(node: ProgramNode) -> Slots:
    if isinstance(node, AffineNode):
        return node.sources.reshape(-1)
    if isinstance(node, ReluNode | CurveNode):
        return np.arange(node.first, node.first + node.size, dtype=np.int64)
    return np.concatenate([node.left.reshape(-1), node.right.reshape(-1)])


def _groups(matrices: list[AffineNode]) -> list[list[AffineNode]]:
    """Matrices of one divisor together, as long as the joined one is not too large."""
    groups: list[list[AffineNode]] = []
    for node in matrices:
        for group in groups:
            rows = sum(own.weights.shape[0] for own in group) + node.weights.shape[0]
            columns = sum(own.weights.shape[1] for own in group) + node.weights.shape[1]
            if group[0].divisor == node.divisor and rows * columns <= MOST_WEIGHTS:
                group.append(node)
                break
        else:
            groups.append([node])
    return groups


class _Builder:
    """New nodes, and the new slot of every old one."""

    def __init__(self, program: Program, carried: str | None) -> None:
        self._old = program
        self._slots = np.full(program.size, -1, dtype=np.int64)
        self._next = FIRST_INPUT + program.inputs
        self._slots[: self._next] = np.arange(self._next)
        self._nodes: list[ProgramNode] = []
        self._name = carried
        self._plus = self._minus = self._slots[program.values[carried]] if carried else self._slots[:0]
        self._bent = False
        """Whether a ReLU was passed; only then the copies are positive and negative part."""

    def matrix(self, group: list[AffineNode], *, last: bool) -> None:
        """One matrix for all of them: columns are what any of them reads."""
        reads = [self._slots[node.sources[0]] for node in group]
        if (len(group) == 1 and self._name is None) or any(np.unique(own).size != own.size for own in reads):
            for node in group:
                self.alone(node)
            return
        columns = np.unique(np.concatenate([*reads, self._plus, self._minus]))
        rows = sum(node.weights.shape[0] for node in group)
        copies = self._copies(columns, last=last)
        weights = np.zeros((rows, columns.size), dtype=np.float32)
        row, start = 0, self._next
        for node, own in zip(group, reads, strict=True):
            count = node.weights.shape[0]
            weights[row : row + count, np.searchsorted(columns, own)] = node.weights
            self._place(node, count)
            row += count
        weights = np.concatenate([weights, copies])
        self._nodes.append(AffineNode(start, weights, columns[None], group[0].divisor))
        if self._name is not None:
            size = self._plus.size
            self._plus = self._take(size)
            self._minus = self._plus if last else self._take(size)

    def _copies(self, columns: Slots, *, last: bool) -> NDArray[np.float32]:
        """Rows that carry the parts on, or put them together at the end."""
        count = self._plus.size
        plus, minus = (np.zeros((count, columns.size), dtype=np.float32) for _ in range(2))
        places = np.arange(count)
        plus[places, np.searchsorted(columns, self._plus)] = 1.0
        if last:
            if self._bent:
                plus[places, np.searchsorted(columns, self._minus)] = -1.0
            return plus
        first = np.array_equal(self._plus, self._minus)
        minus[places, np.searchsorted(columns, self._minus)] = -1.0 if first else 1.0
        return np.concatenate([plus, minus])

    def relus(self, nodes: list[ReluNode]) -> None:
        """One node for every run of neighbouring slots."""
        if not nodes:
            return
        old = np.concatenate([np.arange(node.start, node.start + node.size) for node in nodes])
        parts = np.unique(np.concatenate([self._plus, self._minus]))
        reads = np.concatenate([self._slots[np.concatenate([_reads(node) for node in nodes])], parts])
        writes = np.full(reads.size, -1, dtype=np.int64)
        order = np.argsort(reads, kind="stable")
        breaks = np.flatnonzero(np.diff(reads[order]) != 1) + 1
        for run in np.split(order, breaks):
            self._nodes.append(ReluNode(self._next, int(reads[run[0]]), int(run.size)))
            writes[run] = self._take(int(run.size))
        self._slots[old] = writes[: old.size]
        if parts.size:
            own = writes[old.size :]
            self._plus, self._minus = (
                own[np.searchsorted(parts, part)] for part in (self._plus, self._minus)
            )
            self._bent = True

    def curve(self, node: CurveNode) -> None:
        """One node for every run of neighbouring slots."""
        reads = self._slots[_reads(node)]
        breaks = np.flatnonzero(np.diff(reads) != 1) + 1
        writes = np.concatenate([self._curve(node.function, run) for run in np.split(reads, breaks)])
        self._slots[node.start : node.start + node.size] = writes

    def _curve(self, function: str, run: Slots) -> Slots:
        self._nodes.append(CurveNode(self._next, function, int(run[0]), int(run.size)))
        return self._take(int(run.size))

    def alone(self, node: AffineNode | ExtremumNode | BilinearNode | QuotientNode) -> None:
        """The node as it is, at its new place."""
        start = self._next
        self._place(node, node.size)
        if isinstance(node, AffineNode):
            self._nodes.append(replace(node, start=start, sources=self._slots[node.sources]))
        else:
            left, right = self._slots[node.left], self._slots[node.right]
            self._nodes.append(replace(node, start=start, left=left, right=right))

    def program(self) -> Program:
        old = self._old
        values = {name: self._slots[slots] for name, slots in old.values.items()}
        outputs = self._slots[old.outputs]
        if self._name is not None:
            values[self._name] = self._plus
            outputs = np.concatenate([outputs[: outputs.size - self._plus.size], self._plus])
        return Program(old.inputs, tuple(self._nodes), outputs, self._next, values)

    def _place(self, node: ProgramNode, count: int) -> None:
        self._slots[node.start : node.start + count] = self._take(count)

    def _take(self, count: int) -> Slots:
        taken = np.arange(self._next, self._next + count, dtype=np.int64)
        self._next += count
        return taken
