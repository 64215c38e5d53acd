"""Shape: a static value, with which exporters write `x.view(x.size(0), -1)`."""

from __future__ import annotations

import numpy as np

from pytest_torchlean.onnx_import.context import Context, OnnxNode


def shape(context: Context, node: OnnxNode) -> None:
    """Shape since 1; start and end from 15 on. A free first dimension counts as 1."""
    extents = context.type_of(node.inputs[0]).shape
    rank = len(extents)
    start, end = node.integer("start", 0), node.integer("end", rank)
    first, last = (min(max(at + rank if at < 0 else at, 0), rank) for at in (start, end))
    context.set_constant(node.outputs[0], np.array(extents[first : max(first, last)], dtype=np.int64))
