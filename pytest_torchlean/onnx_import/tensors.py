"""Tensors of the file as numpy arrays, bit by bit."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray

from pytest_torchlean.binary32.format import to_hex
from pytest_torchlean.errors import ModelError
from pytest_torchlean.ir.names import quoted
from pytest_torchlean.onnx_import.external import all_tensors

ELEMENT_TYPES: dict[str, int] = {
    "float32": int(onnx.TensorProto.FLOAT),
    **{
        name: int(onnx.TensorProto.DataType.Value(name.upper()))
        for name in ("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool")
    },
}
"""dtype name to ONNX element type, for every dtype that lowering knows."""
_WIDTHS: dict[int, int] = {
    int(onnx.TensorProto.FLOAT): 4,
    int(onnx.TensorProto.INT64): 8,
    int(onnx.TensorProto.INT32): 4,
    int(onnx.TensorProto.INT16): 2,
    int(onnx.TensorProto.INT8): 1,
    int(onnx.TensorProto.UINT64): 8,
    int(onnx.TensorProto.UINT32): 4,
    int(onnx.TensorProto.UINT16): 2,
    int(onnx.TensorProto.UINT8): 1,
    int(onnx.TensorProto.BOOL): 1,
}
MOST_ELEMENTS = 2**28


def dtype_name(data_type: int) -> str:
    """ONNX element type as a lower-case name: "float32", "float64", "float16", "int64", ..."""
    if data_type == onnx.TensorProto.FLOAT:
        return "float32"
    if data_type == onnx.TensorProto.DOUBLE:
        return "float64"
    try:
        return str(onnx.TensorProto.DataType.Name(data_type)).lower()
    except ValueError:
        return f"element type {data_type}"


def readable(tensor: onnx.TensorProto) -> bool:
    """Whether the element type is one that lowering reads: float32, integers, bool."""
    return tensor.data_type in _WIDTHS


def to_array(tensor: onnx.TensorProto) -> NDArray[np.generic]:
    """A readable tensor as an array of its own dtype. ModelError TL0105 when data and shape differ."""
    count = 1
    for extent in tensor.dims:
        count *= extent
    if min(tensor.dims, default=0) < 0 or count > MOST_ELEMENTS:
        raise ModelError(
            "TL0105", f"tensor {quoted(tensor.name)} has an impossible shape {list(tensor.dims)}"
        )
    width = _WIDTHS[tensor.data_type]
    if tensor.HasField("raw_data") and len(tensor.raw_data) != count * width:
        held = f"holds {len(tensor.raw_data)} bytes, its shape needs {count * width}"
        raise ModelError("TL0105", f"tensor {quoted(tensor.name)} {held}")
    try:
        array = onnx.numpy_helper.to_array(tensor)
    except Exception as problem:
        raise ModelError(
            "TL0105", f"tensor {quoted(tensor.name)} cannot be read: {quoted(str(problem))}"
        ) from None
    return np.array(array, order="C").reshape(tuple(tensor.dims))


def refuse_non_finite(proto: onnx.ModelProto, name: str) -> None:
    """ModelError TL0104 at the first float32 tensor that holds NaN or an infinity.

    A single number may be infinite: models write the value of masks so.
    """
    for tensor in all_tensors(proto):
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        array = to_array(tensor)
        bad = np.flatnonzero(np.isnan(array) if array.size == 1 else ~np.isfinite(array))
        if bad.size:
            index = tuple(int(i) for i in np.unravel_index(int(bad[0]), array.shape))
            value = to_hex(float(array.reshape(-1)[bad[0]]))
            more = f" ({bad.size} such values in all)" if bad.size > 1 else ""
            raise ModelError(
                "TL0104", f"{name}: tensor {quoted(tensor.name)} holds {value} at index {list(index)}{more}"
            )
