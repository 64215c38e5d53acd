"""Lowering of If, Loop and Scan where constants decide what runs: the subgraphs are lowered in place.

A loop is unrolled: its count, and every condition that its body computes, must be constants.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.lowering import Lowering, resolved_axis

MOST_STEPS = 2**12
"""Most iterations that are unrolled."""


def if_(context: Context, node: OnnxNode) -> None:
    """If since 1 with a constant condition: the branch taken; the other one is not read."""
    condition = context.constant(node.inputs[0], "the condition")
    if condition.size != 1:
        raise Refusal("the condition is not one value")
    branch = node.graph("then_branch" if condition.reshape(-1)[0] else "else_branch")
    context.inline(node, branch, (), node.outputs)


def _names(context: Context, node: OnnxNode, step: int, count: int) -> list[str]:
    """Names for the values that one iteration computes; they count as read."""
    base = next(filter(None, node.outputs))
    names = [context.fresh(f"{base}/{step}/{number}") for number in range(count)]
    context.read_outputs.update(names)
    return names


def _truth(context: Context, name: str) -> bool:
    value = context.constant(name, "the condition")
    if value.size != 1:
        raise Refusal("the condition is not one value")
    return bool(value.reshape(-1)[0])


def loop(context: Context, node: OnnxNode) -> None:
    """Loop since 1 with a constant count or constant conditions."""
    body = node.graph("body")
    carried = list(node.inputs[2:])
    scanned = len(body.output) - 1 - len(carried)
    if len(body.input) != 2 + len(carried) or scanned < 0:
        raise Refusal("its body has another number of inputs or outputs than the loop")
    count = None
    if node.input(0):
        (count,) = context.constant_integers(node.inputs[0], "the count")
    going = _truth(context, node.inputs[1]) if node.input(1) else True
    condition = node.input(1) or context.new_constant(f"{node.outputs[0]}/condition", np.array(True))
    collected: list[list[str]] = [[] for _ in range(scanned)]
    step = 0
    while going and (count is None or step < count):
        if step >= MOST_STEPS:
            raise Refusal(f"it runs more than {MOST_STEPS} times")
        number = context.new_constant(f"{node.outputs[0]}/{step}", np.array(step, dtype=np.int64))
        names = _names(context, node, step, len(body.output))
        context.inline(node, body, [number, condition, *carried], names)
        condition, carried = names[0], names[1 : 1 + len(carried)]
        for list_, name in zip(collected, names[1 + len(carried) :], strict=True):
            list_.append(name)
        if not set(names).isdisjoint(context.refused):
            raise Refusal("a node of its body is refused")
        going = _truth(context, condition)
        step += 1
    _finish(context, node, carried, collected, [0] * scanned, [0] * scanned)


def scan(context: Context, node: OnnxNode) -> None:
    """Scan since 9: one iteration for every element along the scanned axes."""
    body = node.graph("body")
    count = node.integer("num_scan_inputs", 0)
    if not 1 <= count <= len(node.inputs) or len(body.input) != len(node.inputs):
        raise Refusal(f"num_scan_inputs {count} does not fit its inputs")
    carried = list(node.inputs[: len(node.inputs) - count])
    sources = node.inputs[len(node.inputs) - count :]
    scanned = len(body.output) - len(carried)
    if scanned < 0:
        raise Refusal("its body has another number of outputs than the scan")
    axes = []
    for name, axis in zip(sources, node.integers("scan_input_axes") or (0,) * count, strict=True):
        rank = len(context.type_of(name).shape)
        axes.append(resolved_axis(axis, rank, rank))
    lengths = {context.type_of(name).shape[axis] for name, axis in zip(sources, axes, strict=True)}
    if len(lengths) != 1:
        raise Refusal(f"the scanned axes have the lengths {sorted(lengths)}")
    (length,) = lengths
    if not 1 <= length <= MOST_STEPS:
        raise Refusal(f"it runs {length} times, not 1 to {MOST_STEPS}")
    backwards = node.integers("scan_input_directions") or (0,) * count
    collected: list[list[str]] = [[] for _ in range(scanned)]
    for step in range(length):
        parts = [
            _element(context, node, name, axis, length - 1 - step if reverse else step)
            for name, axis, reverse in zip(sources, axes, backwards, strict=True)
        ]
        names = _names(context, node, step, len(body.output))
        context.inline(node, body, [*carried, *parts], names)
        if not set(names).isdisjoint(context.refused):
            raise Refusal("a node of its body is refused")
        carried = names[: len(carried)]
        for list_, name in zip(collected, names[len(carried) :], strict=True):
            list_.append(name)
    directions = node.integers("scan_output_directions") or (0,) * scanned
    _finish(
        context, node, carried, collected, node.integers("scan_output_axes") or (0,) * scanned, directions
    )


def _element(context: Context, node: OnnxNode, name: str, axis: int, index: int) -> str:
    chosen: list[tuple[str, Attribute]] = [("axis", axis), ("indices", (index,)), ("shape", ())]
    return context.part(node, "Gather", [name], chosen)


def _finish(
    context: Context,
    node: OnnxNode,
    carried: Sequence[str],
    collected: Sequence[Sequence[str]],
    axes: Sequence[int],
    directions: Sequence[int],
) -> None:
    """Name what the iterations left: the carried values, and what each of them gave, stacked."""
    for name, value in zip(node.outputs, carried, strict=False):
        if name in context.read_outputs:
            context.emit(node, "Identity", [value], (), [name])
    results = node.outputs[len(carried) :]
    for name, parts, axis, reverse in zip(results, collected, axes, directions, strict=False):
        if name not in context.read_outputs:
            continue
        if not parts:
            raise Refusal("it runs no iteration, so what it collects has no shape")
        shape = context.type_of(parts[0]).shape
        at = resolved_axis(axis, len(shape) + 1, len(shape) + 1)
        raised = (*shape[:at], 1, *shape[at:])
        rows = [context.part(node, "Reshape", [part], [("shape", raised)]) for part in parts]
        context.emit(node, "Concat", rows[::-1] if reverse else rows, [("axis", at)], [name])


LOWERINGS = {
    "If": Lowering((1, 11, 13, 16, 19, 21, 23, 24, 25), if_),
    "Loop": Lowering((1, 11, 13, 16, 19, 21, 23, 24, 25), loop),
    "Scan": Lowering((9, 11, 16, 19, 21, 23, 24, 25), scan),
}
