"""The steps of `preprocess:` as frozen values: what is done to a raw input before the model sees it.

Every step is a list of binary32 operations, each rounded once per element, in the order of the list. A number
of the spec enters as the binary32 number nearest to it. `span` is the step's place in the spec.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from pytest_torchlean.errors import SourceSpan

Values = Fraction | tuple[Fraction, ...]
"""One number for every element, or one for each position along an axis."""

RawType = Literal["uint8", "int8", "uint16", "int16"]
"""Integer types whose numbers are all binary32 numbers."""

CHANNELS = 1
"""The axis of lists where the spec names none: channels of NCHW, features of a row."""


@dataclass(frozen=True)
class Cast:
    """The raw input holds integers of this type; they become the same numbers in binary32."""

    type: RawType
    kind: Literal["cast"] = "cast"
    span: SourceSpan | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Arithmetic:
    """x + value, x - value, x * value or x / value: one operation."""

    kind: Literal["add", "subtract", "multiply", "divide"]
    value: Values
    axis: int = CHANNELS
    span: SourceSpan | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Normalize:
    """(x - mean) / std: one subtraction, then one division."""

    mean: Values
    std: Values
    axis: int = CHANNELS
    kind: Literal["normalize"] = "normalize"
    span: SourceSpan | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Clip:
    """Elements below `lower` become `lower`, those above `upper` become `upper`."""

    lower: Fraction
    upper: Fraction
    kind: Literal["clip"] = "clip"
    span: SourceSpan | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Transpose:
    """Axis i of the result is axis `axes[i]` of the operand."""

    axes: tuple[int, ...]
    kind: Literal["transpose"] = "transpose"
    span: SourceSpan | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Reshape:
    """The same elements in row-major order; `source` is the shape before the step."""

    source: tuple[int, ...]
    kind: Literal["reshape"] = "reshape"
    span: SourceSpan | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Resize:
    """Nearest neighbour: place i of n along an axis is place floor(i * m / n) of the `source` extent m."""

    source: tuple[int, ...]
    axes: tuple[int, ...] = (2, 3)
    kind: Literal["resize"] = "resize"
    span: SourceSpan | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Quantize:
    """round(x / scale) + zero_point, ties to even, cut to the range of `type`: ONNX's QuantizeLinear."""

    scale: Fraction
    type: Literal["uint8", "int8"]
    zero_point: int = 0
    kind: Literal["quantize"] = "quantize"
    span: SourceSpan | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Dequantize:
    """(x - zero_point) * scale: an exact subtraction, then one multiplication."""

    scale: Fraction
    zero_point: int = 0
    kind: Literal["dequantize"] = "dequantize"
    span: SourceSpan | None = field(default=None, compare=False)


PreprocessStep = Cast | Arithmetic | Normalize | Clip | Transpose | Reshape | Resize | Quantize | Dequantize
"""One entry of `preprocess:`."""


def words(step: PreprocessStep) -> str:
    """The step in words, with the exact numbers of the spec, for the record and the ledger."""
    match step:
        case Cast():
            return f"cast from {step.type} (exact)"
        case Arithmetic():
            preposition = {"add": "", "subtract": "", "multiply": "by ", "divide": "by "}[step.kind]
            return f"{step.kind} {preposition}{_values(step.value, step.axis)}"
        case Normalize():
            mean, std = _values(step.mean, step.axis), _values(step.std, step.axis)
            return f"subtract {mean}, then divide by {std}"
        case Clip():
            return f"clip to [{step.lower}, {step.upper}]"
        case Transpose():
            return f"transpose to the axes {list(step.axes)}"
        case Reshape():
            return f"reshape from {list(step.source)}"
        case Resize():
            return f"resize from {list(step.source)} along the axes {list(step.axes)}, nearest neighbour"
        case Quantize():
            return f"quantize to {step.type} with scale {step.scale} and zero point {step.zero_point}"
        case Dequantize():
            return f"dequantize with scale {step.scale} and zero point {step.zero_point}"


def _values(values: Values, axis: int) -> str:
    if isinstance(values, Fraction):
        return str(values)
    shown = ", ".join(str(value) for value in values[:8])
    more = f", ... {len(values)} in all" if len(values) > 8 else ""
    return f"({shown}{more}) along axis {axis}"
