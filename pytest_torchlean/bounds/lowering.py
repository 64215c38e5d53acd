"""Lowers a graph to a program: a slot for each number computed, nodes in the order of the graph."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.bias import absorb_biases
from pytest_torchlean.bounds.program import (
    FIRST_INPUT,
    ONE_SLOT,
    ZERO_SLOT,
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
from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.linear import (
    ZERO,
    AffineBlock,
    AffineStep,
    BilinearStep,
    CurveStep,
    ExtremumStep,
    IndexStep,
    LinearStep,
    OperandStep,
    PickStep,
    QuotientStep,
    ReluStep,
    Step,
    operands_of,
)
from pytest_torchlean.ir.names import quoted
from pytest_torchlean.ops.certifiability import step_of, uncertifiable_ends

_TOGETHER = 32
"""Elements of one diagonal matrix."""
_MANY_ELEMENTS = 512
"""From so many elements on, fewer nodes count more: rows pass each of them, and branch there."""
_LONGEST_PERIOD = 64
"""Elements of one diagonal block."""
_FEW = 4
"""Columns of an element-wise node at most: two operands and a bias, or two coefficients in two parts."""


def lower_to_program(
    graph: Graph, diagonal: Collection[str] = (), *, exact: bool = False, granted: bool = False
) -> Program:
    """The program of a graph; inputs and outputs are concatenated in the graph's order.

    diagonal: values whose element-wise affine nodes become diagonal matrices, which Lean checks much faster
    than as many positions, with a little more rounding granted. exact: the program computes the same in exact
    arithmetic, and need not allow for what binary32 executions compute. granted: compositions that grant a
    budget for rounding are taken where there are any. Raises UnsupportedError TL0204 listing every node that
    has no certificate step.
    """
    steps: dict[str, Step] = {}
    refused: list[str] = []
    refused += [f"  {line}" for line in uncertifiable_ends(graph)]
    for node in graph.nodes:
        step = step_of(node, graph, exact=exact, granted=granted)
        if isinstance(step, str):
            refused.append(f"  {node.op} giving {quoted(node.outputs[0])}: {step}")
        else:
            steps[node.outputs[0]] = step
    if refused:
        raise UnsupportedError("TL0204", "certificates do not cover these nodes:\n" + "\n".join(refused))
    builder = _Builder(graph, diagonal)
    absorbed = absorb_biases(graph, steps)
    for step in absorbed.values():
        builder.fix(step)
    for name, step in absorbed.items():
        builder.add(name, step)
    return builder.program()


def _unread(step: AffineStep) -> bool:
    """Whether it reads none of its sources, which need not be there yet."""
    return all((block.gather == ZERO).all() for block in step.blocks)


class _Builder:
    """Slots of the values named so far."""

    def __init__(self, graph: Graph, diagonal: Collection[str] = ()) -> None:
        self._graph = graph
        self._diagonal = diagonal
        self._together = False
        self._slots: dict[str, Slots] = {}
        self._known: dict[int, Slots] = {}
        self._fixed: dict[int, Slots] = {}
        self._nodes: list[ProgramNode] = []
        self._next = FIRST_INPUT
        for name in graph.inputs:
            self._slots[name] = self._take(graph.types[name].size)
        self._inputs = self._next - FIRST_INPUT

    def fix(self, step: OperandStep) -> None:
        """Take quotients and curves of constants before all else: backward rows end where these are written,
        and nothing is lost there."""
        if isinstance(step, CurveStep | QuotientStep) and self._constant(step):
            self._fixed[id(step)] = self._result(step)
            return
        for part in operands_of(step):
            self.fix(part)

    def _constant(self, step: OperandStep) -> bool:
        if isinstance(step, AffineStep):
            return _unread(step) or all(name in self._graph.constants for name in step.sources)
        if isinstance(step, IndexStep):
            return all(name in self._graph.constants for name in step.sources)
        if isinstance(step, ReluStep | CurveStep) and isinstance(step.source, str):
            return step.source in self._graph.constants
        return all(self._constant(part) for part in operands_of(step))

    def add(self, name: str, step: Step) -> None:
        self._together = name in self._diagonal
        self._known.clear()
        self._slots[name] = self._result(step)

    def _result(self, step: OperandStep) -> Slots:
        """Its slots; a step that several others read is taken once."""
        if id(step) in self._fixed:
            return self._fixed[id(step)]
        if id(step) not in self._known:
            self._known[id(step)] = self._made(step)
        return self._known[id(step)]

    def _made(self, step: OperandStep) -> Slots:
        if isinstance(step, PickStep):
            return self._result(step.operand)[step.index]
        if isinstance(step, ReluStep):
            return self._each(self._source(step.source), ReluNode)
        if isinstance(step, CurveStep):
            return self._curve(self._source(step.source), step.function)
        if isinstance(step, ExtremumStep):
            return self._extremum([self._result(operand) for operand in step.operands], step.maximum)
        if isinstance(step, BilinearStep):
            return self._products(self._result(step.left), self._result(step.right), step)
        if isinstance(step, QuotientStep):
            return self._quotients(self._result(step.left), self._result(step.right))
        if isinstance(step, LinearStep):
            sources = np.concatenate([self._result(one) for one in step.operands])
            together, self._together = self._together, True
            result = self._blocks(step.blocks, sources)
            self._together = together
            return result
        if isinstance(step, AffineStep) and _unread(step):
            return self._blocks(step.blocks, np.empty(0, dtype=np.int64))
        sources = np.concatenate([self._of(source) for source in step.sources])
        if isinstance(step, IndexStep):
            return sources[step.index.reshape(-1)]
        return self._blocks(step.blocks, sources)

    def _blocks(self, blocks: Sequence[AffineBlock], sources: Slots) -> Slots:
        padded = np.append(sources, np.int64(ZERO_SLOT))
        result = np.empty(sum(block.scatter.size for block in blocks), dtype=np.int64)
        for block in blocks:
            result[block.scatter] = self._affine(block, padded)
        return result

    def _source(self, source: str | OperandStep) -> Slots:
        return self._of(source) if isinstance(source, str) else self._result(source)

    def program(self) -> Program:
        outputs = np.concatenate([self._of(name) for name in self._graph.outputs])
        computed = {name for node in self._graph.nodes for name in node.outputs}
        values = {
            name: slots for name, slots in self._slots.items() if name in computed | set(self._graph.inputs)
        }
        return Program(self._inputs, tuple(self._nodes), outputs, self._next, values)

    def _take(self, count: int) -> Slots:
        taken = np.arange(self._next, self._next + count, dtype=np.int64)
        self._next += count
        return taken

    def _of(self, name: str) -> Slots:
        if name not in self._slots:
            values = self._graph.constants[name].astype(np.float32).reshape(-1, 1)
            node = AffineNode(self._next, values, np.full((1, 1), ONE_SLOT, dtype=np.int64), 1)
            self._nodes.append(node)
            self._slots[name] = self._take(values.size)
        return self._slots[name]

    def _affine(self, block: AffineBlock, padded: Slots) -> Slots:
        weights, sources = block.weights, padded[block.gather]
        if weights.shape == (1, 1):
            # in the order of the slots read, so that the results follow each other as those do
            order = np.argsort(sources[:, 0], kind="stable")
            results = np.empty_like(sources)
            results[order] = self._matrix(block, weights, sources[order])
            return results
        if len(sources) == 1:
            # columns in the order of the slots: those of neighbouring slots are bounded at once
            order = np.argsort(sources[0], kind="stable")
            weights, sources = weights[:, order], sources[:, order]
        return self._matrix(block, weights, sources)

    def _matrix(self, block: AffineBlock, weights: NDArray[np.float32], sources: Slots) -> Slots:
        if block.bias is not None:
            weights = np.concatenate([weights, block.bias.reshape(-1, 1)], axis=1)
            ones = np.full((sources.shape[0], 1), ONE_SLOT, dtype=np.int64)
            sources = np.concatenate([sources, ones], axis=1)
        if weights.shape[1] == 0:
            # a sum of nothing is 0; as 0 * 0 it is one that an execution can compute
            weights = np.zeros((len(weights), 1), dtype=np.float32)
            sources = np.full((len(sources), 1), ZERO_SLOT, dtype=np.int64)
        if self._together and weights.shape[0] == 1 and weights.shape[1] <= _FEW and len(sources) > 1:
            periodic = None
            if len(sources) >= _MANY_ELEMENTS:
                periodic = self._periodic(weights[0], sources, block.divisor)
            if periodic is not None:
                return periodic
            starts = range(0, len(sources), _TOGETHER)
            return np.concatenate(
                [self._as_matrix(weights[0], sources[at : at + _TOGETHER], block.divisor) for at in starts]
            )
        node = AffineNode(self._next, np.ascontiguousarray(weights), sources, block.divisor)
        self._nodes.append(node)
        return self._take(node.size).reshape(sources.shape[0], weights.shape[0])

    def _periodic(self, weights: NDArray[np.float32], sources: Slots, divisor: int) -> Slots | None:
        """One row at all positions as one matrix at fewer, where the first column reads consecutive slots:
        `x * scale + shift` by channels is a diagonal block for each column, and in `x - max` a group of
        neighbours reads one slot. None where nothing repeats like that.
        """
        order = np.argsort(sources[:, 0], kind="stable")
        moving, others = sources[order, 0], sources[order, 1:]
        count, period = len(sources), _period(others)
        if (np.diff(moving) != 1).any() or count % period or not 2 <= period <= _LONGEST_PERIOD:
            return None
        grouped = others.reshape(count // period, period, others.shape[1])
        blocks, read = [weights[0] * np.eye(period, dtype=np.float32)], [moving.reshape(-1, period)]
        for column, weight in enumerate(weights[1:]):
            own = grouped[:, :, column]
            if (own == own[:, :1]).all():
                blocks.append(np.full((period, 1), weight, dtype=np.float32))
                read.append(own[:, :1])
            elif (own == own[:1]).all():
                blocks.append(weight * np.eye(period, dtype=np.float32))
                read.append(own)
            else:
                return None
        node = AffineNode(self._next, np.concatenate(blocks, axis=1), np.concatenate(read, axis=1), divisor)
        self._nodes.append(node)
        results = np.empty(len(sources), dtype=np.int64)
        results[order] = self._take(node.size)
        return results.reshape(-1, 1)

    def _as_matrix(self, weights: NDArray[np.float32], sources: Slots, divisor: int) -> Slots:
        """One row at several positions as one matrix with a row for each of them: its zeros add nothing."""
        places, count = np.arange(len(sources)), sources.shape[1]
        columns, which = np.unique(sources.T.reshape(-1), return_inverse=True)
        which = which.reshape(count, len(sources))
        if any((which[one] == which[other]).any() for one in range(count) for other in range(one)):
            columns, which = sources.T.reshape(-1), np.arange(sources.size).reshape(count, len(sources))
        matrix = np.zeros((len(sources), len(columns)), dtype=np.float32)
        for column in range(count):
            matrix[places, which[column]] = weights[column]
        node = AffineNode(self._next, matrix, columns[None], divisor)
        self._nodes.append(node)
        return self._take(node.size).reshape(-1, 1)

    def _each(self, sources: Slots, make: Callable[[int, int, int], ProgramNode]) -> Slots:
        """One node for every run of neighbouring slots, however the value orders them."""
        distinct = np.unique(sources)
        results = np.empty_like(distinct)
        breaks = np.flatnonzero(np.diff(distinct) != 1) + 1
        for run in np.split(np.arange(distinct.size), breaks):
            if run.size:
                self._nodes.append(make(self._next, int(distinct[run[0]]), int(run.size)))
                results[run] = self._take(int(run.size))
        return results[np.searchsorted(distinct, sources)]

    def _curve(self, sources: Slots, function: str) -> Slots:
        """A function of every slot. Equal slots get results of their own, except of the root, which IEEE-754
        fixes: a vectorised kernel gives equal arguments different bits in different places.
        """

        def make(start: int, first: int, size: int) -> CurveNode:
            return CurveNode(start, function, first, size)

        if function == "sqrt":
            return self._each(sources, make)
        results, left = np.empty_like(sources), np.arange(sources.size)
        while left.size:
            _, at = np.unique(sources[left], return_index=True)
            results[left[at]] = self._each(sources[left[at]], make)
            left = np.delete(left, at)
        return results

    def _products(self, left: Slots, right: Slots, step: BilinearStep) -> Slots:
        """One node for all results, the factors of each product in the order of their slots; equal products,
        whose bits IEEE-754 fixes, are one slot.
        """
        pairs = np.sort(np.stack([left, right], axis=1), axis=1).reshape(step.size, -1)
        if step.terms == 1:
            distinct, which = np.unique(pairs, axis=0, return_inverse=True)
        else:  # equal sums may be formed in different orders
            distinct, which = pairs, np.arange(step.size)
        factors = distinct.reshape(len(distinct), step.terms, 2)
        node = BilinearNode(self._next, factors[:, :, 0].copy(), factors[:, :, 1].copy())
        self._nodes.append(node)
        return self._take(node.size)[which.reshape(-1)]

    def _quotients(self, left: Slots, right: Slots) -> Slots:
        pairs, which = np.unique(np.stack([left, right], axis=1), axis=0, return_inverse=True)
        node = QuotientNode(self._next, pairs[:, 0].copy(), pairs[:, 1].copy())
        self._nodes.append(node)
        return self._take(node.size)[which.reshape(-1)]

    def _extremum(self, operands: list[Slots], maximum: NDArray[np.bool_]) -> Slots:
        """Pairs of neighbours, then pairs of their results, until one is left."""
        while len(operands) > 1:
            pairs = zip(operands[::2], operands[1::2], strict=False)
            rest = operands[-1:] if len(operands) % 2 else []
            operands = [*(self._pairwise(left, right, maximum) for left, right in pairs), *rest]
        return operands[0]

    def _pairwise(self, left: Slots, right: Slots, maximum: NDArray[np.bool_]) -> Slots:
        """One node for all maxima and one for all minima; none for a slot with itself."""
        result = left.copy()
        for kind in (True, False):
            chosen = np.flatnonzero((maximum == kind) & (left != right))
            if chosen.size:
                both = np.stack([left[chosen], right[chosen]], axis=1)
                pairs, which = np.unique(both, axis=0, return_inverse=True)
                node = ExtremumNode(self._next, kind, pairs[:, 0].copy(), pairs[:, 1].copy())
                self._nodes.append(node)
                result[chosen] = self._take(node.size)[which.reshape(-1)]
        return result


def _period(others: Slots) -> int:
    """After how many rows what is read beside consecutive slots starts again or changes; where that is
    nothing, the largest divisor of n that a block of weights may have. others: (n, columns).
    """
    count = len(others)
    if not others.shape[1]:
        return max(size for size in range(1, min(count, _LONGEST_PERIOD) + 1) if count % size == 0)
    same = (others[1:] == others[0]).all(axis=1)
    changed = np.flatnonzero(same != same[0]) + 1 if len(same) else same
    return int(changed[0]) if len(changed) else count
