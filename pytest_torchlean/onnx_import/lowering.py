"""One row of the table of operators, and the lowerings that many rows share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import onnx

from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal


@dataclass(frozen=True)
class Lowering:
    """One row: the known schema versions and the function that lowers them."""

    since: tuple[int, ...]
    function: Callable[[Context, OnnxNode], None]

    def version(self, opset: int) -> int | None:
        """The schema version that an opset selects, None when the operator is newer than the opset."""
        return max((version for version in self.since if version <= opset), default=None)


_FLAGS = frozenset({"detect_negative", "detect_positive", "fmod"})


def plain(**defaults: int | float | str) -> Callable[[Context, OnnxNode], None]:
    """A lowering that keeps operator, inputs and the attributes named, each with its default."""

    def lower(context: Context, node: OnnxNode) -> None:
        attributes: list[tuple[str, Attribute]] = []
        for name, default in defaults.items():
            if isinstance(default, float):
                attributes.append((name, node.real(name, default)))
            elif isinstance(default, int):
                read = node.flag if name in _FLAGS else node.integer
                attributes.append((name, read(name, default)))
            else:
                attributes.append((name, node.string(name, default)))
        context.emit(node, node.op, node.inputs, attributes)

    return lower


def axis_of(node: OnnxNode, rank: int, default: int, *, past_end: bool = False) -> int:
    """The axis attribute, not negative; Refusal when it is out of range."""
    axis = node.integer("axis", default)
    return resolved_axis(axis, rank + 1 if past_end else rank, rank)


def resolved_axis(axis: int, count: int, rank: int) -> int:
    """An axis counted from the end where it is negative; Refusal when it is out of range."""
    if not -rank <= axis < count:
        raise Refusal(f"axis {axis} is out of range for rank {rank}")
    return axis + rank if axis < 0 else axis


def optional_axes(context: Context, node: OnnxNode, rank: int, from_input: int) -> tuple[int, ...] | None:
    """Axes, an attribute before version `from_input` and the second input from then on; None if absent."""
    if node.since < from_input:
        axes = node.integers("axes")
    else:
        axes = context.constant_integers(node.input(1), "the axes") if node.input(1) else None
    if axes is None:
        return None
    resolved = tuple(resolved_axis(axis, rank, rank) for axis in axes)
    if len(set(resolved)) != len(resolved):
        raise Refusal(f"axes {axes} repeat an axis")
    return resolved


def dtype_attribute(node: OnnxNode, name: str, default: int) -> str:
    """An element type given as an attribute, as a dtype name; Refusal when values of it are not supported."""
    from pytest_torchlean.onnx_import.tensors import ELEMENT_TYPES, dtype_name

    wanted = dtype_name(node.integer(name, default))
    if wanted not in ELEMENT_TYPES:
        raise Refusal(f"its result is {wanted}; only float32, integers and bool are supported")
    return wanted


FLOAT = int(onnx.TensorProto.FLOAT)
"""ONNX's number for float32."""
