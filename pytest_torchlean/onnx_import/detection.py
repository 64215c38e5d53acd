"""Lowering of NonMaxSuppression, whose number of results depends on its inputs' values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.lowering import Lowering

Float32 = NDArray[np.float32]


def non_max_suppression(context: Context, node: OnnxNode) -> None:
    """NonMaxSuppression 10, 11 of constants: how many boxes stay is part of the shape."""
    boxes = context.constant(node.inputs[0], "the boxes")
    scores = context.constant(node.inputs[1], "the scores")
    most, overlap, least = (_number(context, node, index) for index in (2, 3, 4))
    if boxes.dtype != np.float32 or scores.dtype != np.float32 or boxes.ndim != 3 or scores.ndim != 3:
        raise Refusal("boxes or scores are not float32 of three axes")
    if scores.shape[::2] != boxes.shape[:2] or boxes.shape[2] != 4:
        raise Refusal(f"scores of shape {scores.shape} do not fit boxes of shape {boxes.shape}")
    corners = _corners(boxes.astype(np.float32), bool(node.flag("center_point_box", 0)))
    kept = [
        (batch, kind, at)
        for batch in range(scores.shape[0])
        for kind in range(scores.shape[1])
        for at in _kept(
            corners[batch], scores[batch, kind].astype(np.float32), most or 0, overlap or 0, least
        )
    ]
    context.set_constant(node.outputs[0], np.array(kept, dtype=np.int64).reshape(-1, 3))


def _number(context: Context, node: OnnxNode, index: int) -> float | None:
    if not node.input(index):
        return None
    value = context.constant(node.inputs[index], "a limit").reshape(-1)
    if value.size != 1:
        raise Refusal("a limit is not one number")
    return float(value[0])


def _corners(boxes: Float32, centered: bool) -> Float32:
    """(lowest y, lowest x, highest y, highest x) of every box, in binary32."""
    if centered:
        x, y, width, height = (boxes[..., at] for at in range(4))
        half = np.float32(2)
        first, second = (
            np.stack([y - height / half, x - width / half]),
            np.stack([y + height / half, x + width / half]),
        )
    else:
        first, second = np.stack([boxes[..., 0], boxes[..., 1]]), np.stack([boxes[..., 2], boxes[..., 3]])
    both = np.concatenate([np.minimum(first, second), np.maximum(first, second)])
    return np.moveaxis(both, 0, -1)


def _kept(boxes: Float32, scores: Float32, most: float, overlap: float, least: float | None) -> list[int]:
    """Boxes in falling order of score; one that overlaps a kept one by more than the limit is dropped."""
    order = [int(at) for at in np.argsort(-scores, kind="stable") if least is None or scores[at] > least]
    kept: list[int] = []
    for at in order:
        if len(kept) >= most:
            break
        if all(_overlap(boxes[at], boxes[other]) <= np.float32(overlap) for other in kept):
            kept.append(at)
    return kept


def _overlap(left: Float32, right: Float32) -> np.float32:
    """Intersection over union."""
    sides = np.minimum(left[2:], right[2:]) - np.maximum(left[:2], right[:2])
    if sides.min() <= 0:
        return np.float32(0)
    shared = sides[0] * sides[1]
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (left, right)]
    if min(areas) <= 0:
        return np.float32(0)
    return np.float32(shared / (areas[0] + areas[1] - shared))


LOWERINGS = {
    "NonMaxSuppression": Lowering((10, 11), non_max_suppression),
}
