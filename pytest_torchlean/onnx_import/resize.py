"""Lowering of Resize and Upsample: axis by axis, nearest neighbours or weighted sums.

Coordinates are exact rationals: of the scale as it is stored, or of the sizes' ratio. Runtimes compute them
in binary32. A nearest neighbour that those roundings decide is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from pytest_torchlean.binary32.error_bounds import UNIT_ROUNDOFF
from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.lowering import Lowering, resolved_axis

_HALF = Fraction(1, 2)
Coordinate = Callable[["Axis", int], Fraction]


@dataclass(frozen=True)
class Axis:
    """One resized axis: extents before and after, the scale, and the region of interest."""

    number: int
    before: int
    after: int
    scale: Fraction
    roi: tuple[Fraction, Fraction] = (Fraction(0), Fraction(1))


def _half_pixel(axis: Axis, x: int) -> Fraction:
    return (x + _HALF) / axis.scale - _HALF


def _symmetric(axis: Axis, x: int) -> Fraction:
    adjustment = axis.after / (axis.before * axis.scale)
    return Fraction(axis.before, 2) * (1 - adjustment) + _half_pixel(axis, x)


def _align_corners(axis: Axis, x: int) -> Fraction:
    return Fraction(x * (axis.before - 1), axis.after - 1) if axis.after > 1 else Fraction(0)


def _crop(axis: Axis, x: int) -> Fraction:
    start, end = axis.roi
    if axis.after == 1:
        return _HALF * (start + end) * (axis.before - 1)
    return (start + x * (end - start) / (axis.after - 1)) * (axis.before - 1)


_COORDINATES: dict[str, Coordinate] = {
    "half_pixel": _half_pixel,
    "half_pixel_symmetric": _symmetric,
    "pytorch_half_pixel": lambda axis, x: _half_pixel(axis, x) if axis.after > 1 else Fraction(0),
    "align_corners": _align_corners,
    "asymmetric": lambda axis, x: x / axis.scale,
    "tf_crop_and_resize": _crop,
}
_ROUNDED: dict[str, Callable[[Axis, np.float32, np.float32], np.float32]] = {
    "half_pixel": lambda axis, x, scale: (x + np.float32(0.5)) / scale - np.float32(0.5),
    "pytorch_half_pixel": lambda axis, x, scale: (
        (x + np.float32(0.5)) / scale - np.float32(0.5) if axis.after > 1 else np.float32(0)
    ),
    "align_corners": lambda axis, x, scale: (
        x * np.float32(axis.before - 1) / np.float32(axis.after - 1) if axis.after > 1 else np.float32(0)
    ),
    "asymmetric": lambda axis, x, scale: x / scale,
}
"""The same coordinates as runtimes compute them in binary32."""
_NEAREST: dict[str, Callable[[Fraction], int]] = {
    "round_prefer_floor": lambda x: math.ceil(x - _HALF),
    "round_prefer_ceil": lambda x: math.floor(x + _HALF),
    "floor": math.floor,
    "ceil": math.ceil,
}


def resize(context: Context, node: OnnxNode) -> None:
    """Resize since 10: nearest, linear and cubic, scales or sizes constant."""
    shape = context.type_of(node.inputs[0]).shape
    if 0 in shape:
        raise Refusal(f"the operand has shape {shape}, which has no element")
    mode = node.string("mode", "nearest")
    way = node.string("coordinate_transformation_mode", "half_pixel" if node.since >= 11 else "asymmetric")
    if way not in _COORDINATES or mode not in ("nearest", "linear", "cubic"):
        raise Refusal(f"mode {mode!r} with coordinates {way!r} is not known")
    axes = _axes_of(context, node, shape)
    if node.since < 11 and mode == "nearest" and any(axis.scale < 1 for axis in axes):
        raise Refusal("nearest neighbours at a smaller scale are left open before opset 11")
    nearest = node.string("nearest_mode", "round_prefer_floor" if node.since >= 11 else "floor")
    if nearest not in _NEAREST:
        raise Refusal(f"nearest_mode {nearest!r} is not known")
    _resized(context, node, axes, mode, way, _NEAREST[nearest])


def upsample(context: Context, node: OnnxNode) -> None:
    """Upsample 7 and 9: coordinates x / scale, nearest ones rounded down."""
    shape = context.type_of(node.inputs[0]).shape
    mode = node.string("mode", "nearest")
    if mode not in ("nearest", "linear"):
        raise Refusal(f"mode {mode!r} is not known")
    scales = node.reals("scales") if node.since < 9 else _scales(context, node, 1)
    if scales is None or len(scales) != len(shape) or min(scales, default=1.0) < 1.0:
        raise Refusal(f"scales {scales} do not fit shape {shape} or are below 1")
    axes = [_scaled(number, extent, scales[number]) for number, extent in enumerate(shape)]
    _resized(context, node, axes, mode, "asymmetric", math.floor)


def _scales(context: Context, node: OnnxNode, index: int) -> tuple[float, ...] | None:
    if not node.input(index) or context.type_of(node.inputs[index]).size == 0:
        return None
    value = context.constant(node.inputs[index], "the scales")
    if value.dtype != np.float32:
        raise Refusal("the scales are not float32")
    return tuple(float(item) for item in value.reshape(-1))


def _scaled(number: int, extent: int, scale: float) -> Axis:
    """The resized extent is a product in binary32, rounded down, as in ONNX's own shape inference."""
    if not (scale > 0 and math.isfinite(scale)):
        raise Refusal(f"scale {scale} is not positive")
    return Axis(number, extent, math.floor(np.float32(extent) * np.float32(scale)), Fraction(scale))


def _axes_of(context: Context, node: OnnxNode, shape: tuple[int, ...]) -> list[Axis]:
    """The axes with their extents after resizing."""
    rank = len(shape)
    given = node.integers("axes")
    numbers = range(rank) if given is None else [resolved_axis(axis, rank, rank) for axis in given]
    first = 1 if node.since < 11 else 2
    scales = _scales(context, node, first)
    sizes = None
    if node.since >= 11 and node.input(3) and context.type_of(node.inputs[3]).size:
        sizes = context.constant_integers(node.inputs[3], "the sizes")
    wanted: Sequence[float | int] | None = scales if scales is not None else sizes
    if wanted is None or len(wanted) != len(numbers) or (scales is not None and sizes is not None):
        raise Refusal("scales and sizes do not fit the axes")
    if scales is not None:
        axes = [_scaled(number, shape[number], s) for number, s in zip(numbers, scales, strict=True)]
    else:
        assert sizes is not None
        axes = _sized(node, shape, list(numbers), sizes)
    if any(axis.after < 1 or axis.before < 1 for axis in axes):
        raise Refusal(f"an axis of shape {shape} is resized to nothing")
    return _with_roi(context, node, axes)


def _sized(node: OnnxNode, shape: tuple[int, ...], numbers: list[int], sizes: Sequence[int]) -> list[Axis]:
    policy = node.string("keep_aspect_ratio_policy", "stretch")
    ratios = [Fraction(size, shape[number]) for number, size in zip(numbers, sizes, strict=True)]
    if policy == "stretch":
        return [
            Axis(number, shape[number], size, ratio)
            for number, size, ratio in zip(numbers, sizes, ratios, strict=True)
        ]
    if policy not in ("not_larger", "not_smaller"):
        raise Refusal(f"keep_aspect_ratio_policy {policy!r} is not known")
    scale = min(ratios) if policy == "not_larger" else max(ratios)
    return [Axis(n, shape[n], math.floor(scale * shape[n] + _HALF), scale) for n in numbers]


def _with_roi(context: Context, node: OnnxNode, axes: list[Axis]) -> list[Axis]:
    if node.string("coordinate_transformation_mode", "") != "tf_crop_and_resize":
        return axes
    roi = context.constant(node.input(1), "the region of interest").reshape(-1)
    if roi.size != 2 * len(axes):
        raise Refusal(f"the region of interest has {roi.size} numbers for {len(axes)} axes")
    ends = [Fraction(float(value)) for value in roi]
    count = len(axes)
    return [
        Axis(axis.number, axis.before, axis.after, axis.scale, (ends[at], ends[at + count]))
        for at, axis in enumerate(axes)
    ]


def _resized(
    context: Context,
    node: OnnxNode,
    axes: Sequence[Axis],
    mode: str,
    way: str,
    nearest: Callable[[Fraction], int],
) -> None:
    name = node.inputs[0]
    outside: list[tuple[Axis, np.ndarray]] = []
    for axis in axes:
        places = [_COORDINATES[way](axis, x) for x in range(axis.after)]
        if way == "tf_crop_and_resize":
            outside.append((axis, np.array([not 0 <= at <= axis.before - 1 for at in places])))
        if axis.before == axis.after and all(at == x for x, at in enumerate(places)):
            continue
        if mode == "nearest":
            chosen = tuple(_neighbour(axis, way, x, at, nearest) for x, at in enumerate(places))
            attributes: list[tuple[str, Attribute]] = [
                ("axis", axis.number), ("indices", chosen), ("shape", (len(chosen),)),
            ]  # fmt: skip
            name = context.part(node, "Gather", [name], attributes)
        else:
            name = _weighted(context, node, name, axis, places, mode)
    for axis, mask in outside:
        if mask.any():
            name = _extrapolated(context, node, name, axis, mask)
    context.emit(node, "Identity", [name])


def _neighbour(axis: Axis, way: str, x: int, at: Fraction, nearest: Callable[[Fraction], int]) -> int:
    """The element chosen at a coordinate. Refusal where the roundings of a coordinate decide it."""

    def inside(place: Fraction) -> int:
        return min(max(nearest(place), 0), axis.before - 1)

    if way in _ROUNDED:
        rounded = _ROUNDED[way](axis, np.float32(x), np.float32(float(axis.scale)))
        if Fraction(float(rounded)) == at:
            return inside(at)
    doubt = Fraction(8.0 * UNIT_ROUNDOFF) * (axis.before + 1)
    if inside(at - doubt) != inside(at + doubt):
        raise Refusal(
            f"the rounding of coordinate {float(at):g} on axis {axis.number} decides which element is nearest"
        )
    return inside(at)


def _extrapolated(context: Context, node: OnnxNode, name: str, axis: Axis, mask: np.ndarray) -> str:
    rank = len(context.type_of(name).shape)
    column = mask.reshape(-1, *(1,) * (rank - axis.number - 1))
    value = np.array(node.real("extrapolation_value", 0.0), dtype=np.float32)
    base = node.outputs[0]
    operands = [
        context.new_constant(f"{base}.outside", column),
        context.new_constant(f"{base}.value", value),
        name,
    ]
    return context.part(node, "Where", operands)


def _weighted(
    context: Context, node: OnnxNode, name: str, axis: Axis, places: Sequence[Fraction], mode: str
) -> str:
    shrinks = node.flag("antialias", 0) and axis.scale < 1
    scale = axis.scale if shrinks else Fraction(1)
    a = Fraction(node.real("cubic_coeff_a", -0.75))
    reach = 1 if mode == "linear" else 2
    first = math.floor(-reach / scale) + 1
    index, weights = [], []
    for at in places:
        base = math.floor(at)
        taps = range(base + first, base + 2 - first)
        row = [_weight(mode, a, abs(tap - at) * scale) for tap in taps]
        if node.flag("exclude_outside", 0):
            row = [w if 0 <= tap < axis.before else Fraction(0) for w, tap in zip(row, taps, strict=True)]
        total = sum(row)
        if shrinks or node.flag("exclude_outside", 0):
            if total == 0:
                raise Refusal("the weights of an element add up to nothing")
            row = [w / total for w in row]
        weights.append([float(w) for w in row])
        index.append([min(max(tap, 0), axis.before - 1) for tap in taps])
    doubt = (4.0 if mode == "linear" else 16.0) * UNIT_ROUNDOFF * (axis.before + 1)
    if shrinks:
        doubt = doubt * float(scale) + 16.0 * UNIT_ROUNDOFF
    base_name = f"{node.outputs[0]}.{axis.number}"
    operands = [
        name,
        context.new_constant(f"{base_name}.index", np.array(index, dtype=np.int64)),
        context.new_constant(f"{base_name}.weights", np.array(weights, dtype=np.float32)),
    ]
    attributes: list[tuple[str, Attribute]] = [("axis", axis.number), ("doubt", float(np.float32(doubt)))]
    return context.part(node, "Interpolate", operands, attributes)


def _weight(mode: str, a: Fraction, distance: Fraction) -> Fraction:
    """The linear tent, or Keys' cubic kernel."""
    d = distance
    if mode == "linear":
        return max(1 - d, Fraction(0))
    if d <= 1:
        return ((a + 2) * d - (a + 3)) * d * d + 1
    if d < 2:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return Fraction(0)


LOWERINGS = {
    "Resize": Lowering((10, 11, 13, 18, 19), resize),
    "Upsample": Lowering((7, 9), upsample),
}
