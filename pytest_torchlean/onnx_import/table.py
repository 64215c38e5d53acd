"""Which operators are lowered, at which versions, and by which function.

`since` lists the versions of the ONNX operator schema that the lowering function knows. A version
that is not listed is refused, so a new version of an operator is never read by old rules.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_torchlean.onnx_import import (
    control,
    dense,
    detection,
    elementary,
    indexed,
    logic,
    movement,
    piecewise,
    quantization,
    recurrent,
    reduction,
    resize,
    sampling,
    shape_data,
    signals,
    windows,
)
from pytest_torchlean.onnx_import.lowering import Lowering

OLDEST_OPSET = 7
NEWEST_OPSET = 28
"""Newest opset of the ONNX domain whose operator versions are listed below (onnx 1.23)."""


_ONNX: Mapping[str, Lowering] = {
    "Abs": Lowering((6, 13), dense.unchanged),
    "Add": Lowering((7, 13, 14), dense.unchanged),
    "AveragePool": Lowering((7, 10, 11, 19, 22), windows.average_pool),
    "BatchNormalization": Lowering((7, 9, 14, 15), windows.batch_normalization),
    "Clip": Lowering((6, 11, 12, 13), piecewise.clip),
    "Concat": Lowering((4, 11, 13), movement.concat),
    "Constant": Lowering((1, 9, 11, 12, 13, 19, 21, 23, 24, 25), movement.constant),
    "Conv": Lowering((1, 11, 22), windows.conv),
    "ConvTranspose": Lowering((1, 11, 22), windows.conv_transpose),
    "Div": Lowering((7, 13, 14), dense.unchanged),
    "Dropout": Lowering((7, 10, 12, 13, 22), movement.dropout),
    "Flatten": Lowering((1, 9, 11, 13, 21, 23, 24, 25), movement.flatten),
    "Gemm": Lowering((7, 9, 11, 13), dense.gemm),
    "GlobalAveragePool": Lowering((1, 22), windows.global_average_pool),
    "GlobalLpPool": Lowering((2, 22), windows.global_lp_pool),
    "GlobalMaxPool": Lowering((1, 22), windows.global_max_pool),
    "Identity": Lowering((1, 13, 14, 16, 19, 21, 23, 24, 25), movement.identity),
    "LeakyRelu": Lowering((6, 16), piecewise.leaky_relu),
    "LpPool": Lowering((2, 11, 18, 22), windows.lp_pool),
    "MatMul": Lowering((1, 9, 13), dense.unchanged),
    "Max": Lowering((6, 8, 12, 13), piecewise.extremum),
    "MaxPool": Lowering((1, 8, 10, 11, 12, 22), windows.max_pool),
    "MaxUnpool": Lowering((9, 11, 22), windows.max_unpool),
    "Min": Lowering((6, 8, 12, 13), piecewise.extremum),
    "Mul": Lowering((7, 13, 14), dense.unchanged),
    "Neg": Lowering((6, 13), dense.unchanged),
    "PRelu": Lowering((7, 9, 16), dense.unchanged),
    "Relu": Lowering((6, 13, 14), dense.unchanged),
    "Reshape": Lowering((5, 13, 14, 19, 21, 23, 24, 25), movement.reshape),
    "Shape": Lowering((1, 13, 15, 19, 21, 23, 24, 25), shape_data.shape),
    "Slice": Lowering((1, 10, 11, 13), movement.slice_),
    "Split": Lowering((2, 11, 13, 18), movement.split),
    "Squeeze": Lowering((1, 11, 13, 21, 23, 24, 25), movement.squeeze),
    "Sub": Lowering((7, 13, 14), dense.unchanged),
    "Transpose": Lowering((1, 13, 21, 23, 24, 25), movement.transpose),
    "Unsqueeze": Lowering((1, 11, 13, 21, 23, 24, 25), movement.unsqueeze),
}

_FAMILIES: tuple[Mapping[str, Lowering], ...] = (
    _ONNX,
    control.LOWERINGS,
    detection.LOWERINGS,
    elementary.LOWERINGS,
    indexed.LOWERINGS,
    logic.LOWERINGS,
    piecewise.LOWERINGS,
    quantization.LOWERINGS,
    recurrent.LOWERINGS,
    reduction.LOWERINGS,
    resize.LOWERINGS,
    sampling.LOWERINGS,
    signals.LOWERINGS,
)

TABLE: Mapping[tuple[str, str], Lowering] = {
    ("", op): lowering for family in _FAMILIES for op, lowering in family.items()
}
"""(domain, operator) to its row; the ONNX domain is the empty string."""
