"""Steps as ONNX nodes of a given operator set version, each a binary32 operation per element.

The raw input is float32: integers of at most 16 bits are binary32 numbers, so a cast from them keeps every
value and needs no node.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from pytest_torchlean.binary32.ulp import round_nearest
from pytest_torchlean.errors import SpecError
from pytest_torchlean.onnx_import.context import MOST_VALUE_ELEMENTS
from pytest_torchlean.spec.preprocess import (
    Arithmetic,
    Cast,
    Clip,
    Dequantize,
    Normalize,
    PreprocessStep,
    Quantize,
    Reshape,
    Resize,
    Transpose,
    Values,
)

Shape = tuple[int, ...]

_CLIP_BY_INPUTS = 11
_QUANTIZE_SINCE = 10
_OPERATORS = {"add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div"}


def misfit(step: PreprocessStep, message: str) -> SpecError:
    """TL0319 at the step's place."""
    return SpecError("TL0319", f"`{step.kind}`: {message}", span=step.span)


def shapes_before(steps: Sequence[PreprocessStep], model_input: Shape) -> list[Shape]:
    """The operand's shape of every step, and last the model's. Raises SpecError TL0319."""
    shapes = [model_input]
    for step in reversed(steps):
        shape = _before(step, shapes[0])
        if math.prod(shape) > MOST_VALUE_ELEMENTS:
            raise misfit(
                step, f"{math.prod(shape)} elements of shape {list(shape)}, above {MOST_VALUE_ELEMENTS}"
            )
        shapes.insert(0, shape)
    return shapes


def _before(step: PreprocessStep, after: Shape) -> Shape:
    if isinstance(step, Transpose):
        if len(step.axes) != len(after):
            raise misfit(step, f"it names {len(step.axes)} axes, its result has shape {list(after)}")
        before = [0] * len(after)
        for extent, axis in zip(after, step.axes, strict=True):
            before[axis] = extent
        return tuple(before)
    if isinstance(step, Reshape):
        if int(np.prod(step.source, dtype=object)) != int(np.prod(after, dtype=object)):
            raise misfit(step, f"{list(step.source)} and {list(after)} have different numbers of elements")
        return step.source
    if isinstance(step, Resize):
        shape = list(after)
        for axis, extent in zip(step.axes, step.source, strict=True):
            if axis >= len(shape):
                raise misfit(step, f"its result has shape {list(after)}, which has no axis {axis}")
            shape[axis] = extent
        return tuple(shape)
    return after


@dataclass(eq=False)
class Builder:
    """Nodes under construction; `value` names the newest one. `fresh` gives names nobody uses."""

    opset: int
    fresh: Callable[[str], str]
    value: str
    dtype: str = "float32"
    """Type of the newest value."""
    integers: bool = False
    """Whether the newest value holds integers in binary32."""
    nodes: list[onnx.NodeProto] = field(default_factory=list)

    def add(self, step: PreprocessStep, shape: Shape, after: Shape) -> None:
        """One step on an operand of this shape, giving the shape `after`. Raises SpecError TL0319."""
        match step:
            case Cast():
                self.integers = True
            case Transpose():
                self._node("Transpose", [], perm=list(step.axes))
            case Reshape():
                self._node("Reshape", [self._constant(np.array(after, dtype=np.int64))])
            case Resize():
                for axis, extent in zip(step.axes, step.source, strict=True):
                    places = np.arange(after[axis], dtype=np.int64) * extent // max(1, after[axis])
                    self._node("Gather", [self._constant(places)], axis=axis)
            case Dequantize() if self.dtype != "float32":
                scale = self._constant(_binary32(step.scale))
                self._node("DequantizeLinear", [scale, self._zero_point(step, self.dtype)])
                self.dtype = "float32"
            case _:
                self._arithmetic(step, shape)

    def finish(self, output: str) -> None:
        """The newest value is called `output`."""
        if self.nodes:
            self.nodes[-1].output[0] = output
        else:
            self.nodes.append(helper.make_node("Identity", [self.value], [output]))
        self.value = output

    def _arithmetic(self, step: PreprocessStep, shape: Shape) -> None:
        if self.dtype != "float32":
            raise misfit(step, f"its operand is {self.dtype}; put `dequantize` before it")
        if isinstance(step, Dequantize):
            if not self.integers:
                raise misfit(step, "its operand is no integer; start with `cast`")
            if step.zero_point:
                self._node("Sub", [self._constant(np.float32(step.zero_point))])
            self._node("Mul", [self._constant(_binary32(step.scale))])
        elif isinstance(step, Normalize):
            self._node("Sub", [self._along(step, step.mean, step.axis, shape)])
            self._node("Div", [self._along(step, step.std, step.axis, shape)])
        elif isinstance(step, Arithmetic):
            self._node(_OPERATORS[step.kind], [self._along(step, step.value, step.axis, shape)])
        elif isinstance(step, Clip):
            lower, upper = _binary32(step.lower), _binary32(step.upper)
            if self.opset < _CLIP_BY_INPUTS:
                self._node("Clip", [], min=float(lower), max=float(upper))
            else:
                self._node("Clip", [self._constant(lower), self._constant(upper)])
        elif isinstance(step, Quantize):
            if self.opset < _QUANTIZE_SINCE:
                raise misfit(step, f"opset {self.opset} of the model has no QuantizeLinear")
            zero = self._zero_point(step, step.type)
            self._node("QuantizeLinear", [self._constant(_binary32(step.scale)), zero])
            self.dtype = step.type
        else:
            raise AssertionError(step)
        self.integers = False

    def _zero_point(self, step: Quantize | Dequantize, dtype: str) -> str:
        limits = np.iinfo(dtype)
        if not limits.min <= step.zero_point <= limits.max:
            raise misfit(step, f"the zero point {step.zero_point} is no {dtype}")
        return self._constant(np.asarray(step.zero_point, dtype=dtype))

    def _along(self, step: PreprocessStep, values: Values, axis: int, shape: Shape) -> str:
        if not isinstance(values, tuple):
            return self._constant(_binary32(values))
        if axis >= len(shape):
            raise misfit(step, f"its operand has shape {list(shape)}, which has no axis {axis}")
        if len(values) != shape[axis]:
            raise misfit(
                step,
                f"it lists {len(values)} numbers, but axis {axis} of shape {list(shape)} has extent "
                f"{shape[axis]}",
            )
        numbers = np.array([_binary32(value) for value in values], dtype=np.float32)
        return self._constant(numbers.reshape(-1, *(1,) * (len(shape) - axis - 1)))

    def _constant(self, value: Any) -> str:
        name = self.fresh("preprocess.constant")
        tensor = numpy_helper.from_array(np.asarray(value), name)
        self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        return name

    def _node(self, op: str, operands: Sequence[str], **attributes: Any) -> None:
        name = self.fresh(f"preprocess.{op}")
        self.nodes.append(helper.make_node(op, [self.value, *operands], [name], name=name, **attributes))
        self.value = name


def _binary32(value: Any) -> np.float32:
    return np.float32(round_nearest(value))
