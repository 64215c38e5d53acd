"""Shape, Gather and Cast.

Exporters write `x.view(x.size(0), -1)` with these operators. They are folded where every operand is an
integer constant or a static shape. Gather also takes elements of computed values at constant indices;
anything else is refused.
"""

from __future__ import annotations

import numpy as np

from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal


def shape(context: Context, node: OnnxNode) -> None:
    """Shape since 1; start and end from 15 on. A free first dimension counts as 1."""
    extents = context.type_of(node.inputs[0]).shape
    rank = len(extents)
    start, end = node.integer("start", 0), node.integer("end", rank)
    first, last = (min(max(at + rank if at < 0 else at, 0), rank) for at in (start, end))
    context.set_constant(node.outputs[0], np.array(extents[first : max(first, last)], dtype=np.int64))


def gather(context: Context, node: OnnxNode) -> None:
    """Gather since 1 at constant indices; negative ones count from the end from 11 on."""
    data = context.type_of(node.inputs[0])
    indices = context.constant(node.inputs[1], "the indices")
    if indices.dtype.name not in ("int64", "int32"):
        raise Refusal(f"the indices are {indices.dtype.name}, not integers")
    axis = node.integer("axis", 0)
    if not -len(data.shape) <= axis < len(data.shape):
        raise Refusal(f"axis {axis} is out of range for rank {len(data.shape)}")
    extent = data.shape[axis]
    at = indices.astype(np.int64)
    if ((at < (-extent if node.since >= 11 else 0)) | (at >= extent)).any():
        raise Refusal(f"an index is out of range for extent {extent}")
    at = np.where(at < 0, at + extent, at)
    attributes: list[tuple[str, Attribute]] = [
        ("axis", axis % len(data.shape)),
        ("indices", tuple(int(index) for index in at.reshape(-1))),
        ("shape", indices.shape),
    ]
    context.emit(node, "Gather", node.inputs[:1], attributes)
