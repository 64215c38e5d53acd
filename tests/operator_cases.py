"""Models of one operator each, for every version of the operator that lowering knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from pytest_torchlean.onnx_import.table import TABLE

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Case:
    """One node: inputs that vary, constants, attributes. `opsets` limits the versions to try."""

    op: str
    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    constants: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    outputs: int = 1
    first: int = 7
    last: int = 99
    order: tuple[str, ...] = ()
    """Names of the node's operands in order, "" for an absent one; by default inputs, then constants."""

    def versions(self) -> list[int]:
        """An opset for every version of the operator."""
        known = {max(version, 7) for version in TABLE["", self.op].since}
        fits = [version for version in known if self.first <= version <= self.last]
        return sorted({*fits, self.first} if self.first > 7 else fits)

    def model(self, opset: int) -> onnx.ModelProto:
        """The model at an opset."""
        names = [f"in{at}" for at in range(len(self.inputs))]
        operands = self.order or (*names, *self.constants)
        outputs = [f"out{at}" for at in range(self.outputs)]
        given = dict(self.attributes)
        if self.op in ("RNN", "GRU", "LSTM"):
            given["hidden_size"] = self.inputs[2][1][-1]
        node = helper.make_node(self.op, operands, outputs, name="it", **given)
        infos = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)
            for name, (dtype, shape) in zip(names, self.inputs, strict=True)
        ]
        tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in self.constants.items()]
        results = [onnx.ValueInfoProto(name=name) for name in outputs]
        graph = helper.make_graph([node], "one", infos, results, tensors)
        opsets = [helper.make_opsetid("", opset)]
        return onnx.shape_inference.infer_shapes(
            helper.make_model(graph, opset_imports=opsets, ir_version=10)
        )

    def values(self, seed: int) -> dict[str, Array]:
        """Inputs: small integers, bools, or numbers of several scales."""
        rng = np.random.default_rng(seed)
        found = {}
        for at, (dtype, shape) in enumerate(self.inputs):
            if dtype == "float32":
                value = rng.standard_normal(shape) * np.exp2(rng.integers(-3, 4, shape))
            elif dtype == "bool":
                value = rng.integers(0, 2, shape)
            else:
                value = rng.integers(0 if dtype.startswith("u") else -5, 6, shape)
            found[f"in{at}"] = value.astype(dtype)
        return found


def floats(*shapes: tuple[int, ...]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """float32 inputs of these shapes."""
    return tuple(("float32", shape) for shape in shapes)


def axes_cases(op: str) -> Iterator[Case]:
    """A reduction: axes as an attribute, and as an input from the version on that reads one."""
    change = 13 if op == "ReduceSum" else 18
    for axes, keep in ((None, 1), ([1], 0), ([0, -1], 1)):
        given = {"keepdims": keep} | ({} if axes is None else {"axes": axes})
        first = 11 if axes and min(axes) < 0 else 7
        yield Case(op, floats((2, 3, 4)), attributes=given, first=first, last=change - 1)
        weights = {} if axes is None else {"axes": np.array(axes)}
        yield Case(op, floats((2, 3, 4)), weights, {"keepdims": keep}, first=change)


NUMBERS = ("float32", "int64", "int32")
_index = np.array([[1, 0, -1], [2, 2, 0]])

CASES: tuple[Case, ...] = (
    *(Case(op, ((kind, (2, 3)), (kind, (3,)))) for op in ("Add", "Sub", "Mul") for kind in NUMBERS),
    *(Case(op, ((kind, (2, 3)), (kind, (3,))), first=12) for op in ("Max", "Min") for kind in NUMBERS),
    *(Case("Div", ((kind, (2, 3)),), {"by": np.array([2, -3, 7], dtype=kind)}) for kind in NUMBERS),
    *(Case("Mod", ((kind, (2, 3)),), {"by": np.array([2, -3, 7], dtype=kind)}, {"fmod": mode})
      for kind, mode in (("int64", 0), ("int32", 1), ("float32", 1))),
    *(Case(op, ((kind, (2, 3)), (kind, (1, 3))), first=9) for op in ("Equal", "Greater", "Less")
      for kind in NUMBERS),
    *(Case(op, ((kind, (2, 3)), (kind, (1, 3)))) for op in ("GreaterOrEqual", "LessOrEqual")
      for kind in NUMBERS),
    *(Case(op, (("bool", (2, 3)), ("bool", (3,)))) for op in ("And", "Or", "Xor")),
    Case("Not", (("bool", (4,)),)),
    *(Case(op, floats((3, 4))) for op in ("Ceil", "Floor", "Round", "Sign", "IsNaN", "IsInf", "Neg", "Abs")),
    *(Case("Cast", ((kind, (3, 4)),), attributes={"to": to}, first=9)
      for kind in (*NUMBERS, "bool") for to in (1, 6, 7, 9)),
    *(Case(op, floats((2, 3, 4)), {"shape": np.array([3, 1])}, order=("in0", "shape")) for op in ("Expand",)),
    Case("Tile", floats((2, 3)), {"repeats": np.array([2, 1])}),
    *(Case("Pad", floats((3, 3)), attributes={"pads": [1, 0, -1, 2], "mode": mode}, last=10)
      for mode in ("constant", "edge", "reflect")),
    *(Case("Pad", floats((2, 3)), {"pads": np.array([1, 0, 0, 2])}, {"mode": mode}, first=11)
      for mode in ("constant", "edge", "reflect")),
    Case("Pad", floats((2, 3)), {"pads": np.array([2, 1]), "value": np.float32(7), "axes": np.array([-1])},
         first=18),
    Case("Gather", floats((3, 4)), {"index": _index}, {"axis": 0}, first=11),
    Case("Gather", (("float32", (6, 4)), ("int64", (2, 2))), attributes={"axis": 0}, first=11),
    Case("GatherElements", floats((3, 3)), {"index": _index}, {"axis": 1}),
    Case("GatherND", floats((3, 4)), {"index": np.array([[0, 1], [-1, 2]])}),
    Case("GatherND", floats((2, 3, 4)), {"index": np.array([[1], [0]])}, {"batch_dims": 1}, first=12),
    Case("ScatterElements", floats((3, 3), (2, 3)), {"index": _index}, {"axis": 0},
         order=("in0", "index", "in1")),
    *(Case("ScatterElements", floats((3, 3), (2, 3)), {"index": _index}, {"reduction": how}, first=18,
           order=("in0", "index", "in1")) for how in ("add", "mul", "max", "min")),
    Case("ScatterND", floats((4, 3), (2, 3)), {"index": np.array([[1], [-1]])},
         order=("in0", "index", "in1")),
    *(Case("ScatterND", floats((4, 3), (2, 3)), {"index": np.array([[1], [1]])}, {"reduction": how}, first=18,
           order=("in0", "index", "in1")) for how in ("add", "mul", "max", "min")),
    *(Case("Trilu", ((kind, (2, 3, 4)),), {"k": np.array(k)}, {"upper": upper})
      for kind in ("float32", "int64") for k in (0, -1, 2) for upper in (0, 1)),
    *(Case("Where", (("bool", (2, 3)), (kind, (3,)), (kind, (2, 1)))) for kind in NUMBERS),
    Case("Compress", floats((3, 4)), {"condition": np.array([True, False, True])}, {"axis": 0}),
    Case("Compress", floats((3, 4)), {"condition": np.array([True, False, True])}),
    Case("ReverseSequence", floats((4, 3, 2)), {"lengths": np.array([1, 4, 2])}),
    Case("OneHot", (("int64", (2, 3)),), {"depth": np.array(4), "values": np.float32([2, 5])}, {"axis": 1}),
    *(Case("TopK", ((kind, (3, 5)),), {"k": np.array([2])}, {"axis": 1, "largest": largest}, 2, first=11)
      for kind in NUMBERS for largest in (0, 1)),
    Case("TopK", floats((3, 5)), {}, {"k": 2}, 2, last=9),
    *(Case(op, ((kind, (3, 5)),), attributes={"axis": 1, "keepdims": 0})
      for op in ("ArgMax", "ArgMin") for kind in ("float32", "int32")),
    *(Case(op, (("int32", (3, 9)),), attributes={"axis": 1, "select_last_index": 1}, first=12)
      for op in ("ArgMax", "ArgMin")),
    *(Case("DepthToSpace", floats((1, 8, 2, 3)), attributes={"blocksize": 2, "mode": mode}, first=11)
      for mode in ("DCR", "CRD")),
    Case("SpaceToDepth", floats((1, 2, 4, 6)), attributes={"blocksize": 2}),
    *(Case("CumSum", ((kind, (3, 4)),), {"axis": np.array(1)}, {"exclusive": e, "reverse": r})
      for kind in NUMBERS for e in (0, 1) for r in (0, 1)),
    Case("EyeLike", floats((3, 4)), attributes={"k": 1}),
    Case("Shape", floats((3, 4))),
    Case("Size", floats((3, 4))),
    *(case for op in ("Sum", "Mean", "Prod", "Max", "Min", "L1", "L2", "SumSquare")
      for case in axes_cases(f"Reduce{op}")),
    *(case for case in axes_cases("ReduceLogSumExp")),
    Case("ReduceSum", (("int64", (2, 3)),), {"axes": np.array([0])}, first=13),
    Case("Sum", floats((2, 3), (3,), (2, 1)), first=8),
    Case("Mean", floats((2, 3), (3,), (2, 1)), first=8),
    *(Case(op, floats((2, 3, 4)), attributes={"axis": 1}) for op in ("Softmax", "LogSoftmax", "Hardmax")),
    *(Case(op, floats((2, 3, 4)), attributes={"axis": -1}, first=11)
      for op in ("Softmax", "LogSoftmax", "Hardmax")),
    Case("LayerNormalization", floats((2, 3, 4), (4,), (4,)), outputs=3),
    Case("LayerNormalization", floats((2, 3, 4), (3, 4)), attributes={"axis": 1, "epsilon": 1e-3}),
    Case("RMSNormalization", floats((2, 3, 4), (4,))),
    Case("InstanceNormalization", floats((2, 3, 4, 5), (3,), (3,))),
    Case("GroupNormalization", floats((2, 6, 5), (3,), (3,)), attributes={"num_groups": 3}, last=20),
    Case("GroupNormalization", floats((2, 6, 5), (6,), (6,)), attributes={"num_groups": 3}, first=21),
    *(Case("LpNormalization", floats((3, 4)), attributes={"axis": 1, "p": p}) for p in (1, 2)),
    Case("ConvTranspose", floats((1, 4, 3, 4), (4, 2, 3, 2), (4,)),
         attributes={"group": 2, "strides": [2, 1], "pads": [1, 0, 0, 1], "output_padding": [1, 0]}),
    Case("ConvTranspose", floats((1, 4, 3, 2)), {"w": np.float32(range(-16, 16)).reshape(4, 2, 2, 2),
         "b": np.float32([1, 2, 3, 4])}, {"group": 2, "strides": [2, 1]}),
    Case("ConvTranspose", floats((1, 2, 5), (2, 3, 3)), attributes={"dilations": [2], "strides": [3]}),
    *(Case("ConvTranspose", floats((1, 2, 5), (2, 3, 4)), attributes={"strides": [3], "auto_pad": mode})
      for mode in ("SAME_UPPER", "SAME_LOWER", "VALID")),
    Case("ConvTranspose", floats((1, 2, 5), (2, 3, 4)), attributes={"strides": [3], "output_shape": [13]}),
    *(Case("LpPool", floats((1, 2, 5, 6)), attributes={"kernel_shape": [2, 3], "strides": [2, 1], "p": p})
      for p in (1, 2)),
    Case("GlobalLpPool", floats((1, 2, 5, 6))),
    *(Case("Resize", floats((1, 1, 4, 6)), {"scales": np.float32([1, 1, s, s])}, {
        "mode": mode, "coordinate_transformation_mode": way}, first=11, order=("in0", "", "scales"))
      for mode in ("nearest", "linear", "cubic")
      for way in ("half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel") for s in (2.0, 0.5)),
    *(Case("Resize", floats((1, 1, 4, 6)), {"sizes": np.array([1, 1, 7, 3])}, {
        "mode": "nearest", "nearest_mode": how}, first=11, order=("in0", "", "", "sizes"))
      for how in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")),
    Case("Upsample", floats((1, 1, 2, 3)), {"scales": np.float32([1, 1, 2, 3])}, first=9, last=9),
    *(Case(op, floats((3, 2, 4), (1, g * 5, 4), (1, g * 5, 5), (1, g * 10)), outputs=outputs)
      for op, g, outputs in (("RNN", 1, 2), ("GRU", 3, 2), ("LSTM", 4, 3))),
    *(Case(op, floats((3, 2, 4), (2, g * 5, 4), (2, g * 5, 5)), {"lengths": np.array([3, 1], dtype=np.int32)},
           {"direction": "bidirectional"}, outputs, order=("in0", "in1", "in2", "", "lengths"))
      for op, g, outputs in (("RNN", 1, 2), ("GRU", 3, 2), ("LSTM", 4, 3))),
    Case("GRU", floats((3, 2, 4), (1, 15, 4), (1, 15, 5), (1, 30)), attributes={
        "linear_before_reset": 1, "direction": "reverse"}, outputs=2),
    Case("LSTM", floats((3, 2, 4), (1, 20, 4), (1, 20, 5), (1, 40), (1, 2, 5), (1, 2, 5), (1, 15)),
         attributes={"clip": 0.75}, outputs=3,
         order=("in0", "in1", "in2", "in3", "", "in4", "in5", "in6")),
    Case("Shrink", floats((3, 4)), attributes={"lambd": 0.75, "bias": 0.3}),
    Case("ThresholdedRelu", floats((3, 4)), attributes={"alpha": 0.4}, first=10),
    *(Case("QuantizeLinear", floats((3, 4)), {"scale": np.float32(0.25), "zero": np.array(zero)})
      for zero in (np.uint8(100), np.int8(-3))),
    Case("QuantizeLinear", floats((3, 4)), {"scale": np.float32([0.5, 1, 2]), "zero": np.zeros(3, np.int8)},
         {"axis": 0}, first=13),
    *(Case("DequantizeLinear", ((kind, (3, 4)),), {"scale": np.float32(0.3), "zero": np.array(5, kind)})
      for kind in ("uint8", "int8")),
    Case("DequantizeLinear", (("int8", (3, 4)),), {"scale": np.float32([0.5, 1.1, 2])}, {"axis": 0},
         first=13),
    Case("MatMulInteger", (("uint8", (2, 3)), ("int8", (3, 4))), {"a": np.uint8(2), "b": np.int8(1)}),
    Case("ConvInteger", (("uint8", (1, 2, 4, 5)), ("int8", (4, 1, 2, 3))), 
         {"a": np.uint8(2), "b": np.int8(1)}, {"group": 2, "pads": [1, 0, 0, 1]}),
    Case("QLinearMatMul", (("uint8", (3, 4)), ("int8", (4, 2))), {
        "as": np.float32(0.3), "az": np.uint8(3), "bs": np.float32(0.7), "bz": np.int8(-1),
        "ys": np.float32(0.11), "yz": np.uint8(90)},
         order=("in0", "as", "az", "in1", "bs", "bz", "ys", "yz")),
    Case("QLinearConv", (("uint8", (1, 2, 4, 5)), ("int8", (4, 2, 2, 3))), {
        "xs": np.float32(0.3), "xz": np.uint8(3), "ws": np.float32([0.7, 0.1, 0.2, 0.9]),
        "wz": np.zeros(4, np.int8), "ys": np.float32(0.11), "yz": np.uint8(90),
        "b": np.array([1, -20, 30, 0], np.int32)}, {"pads": [1, 1, 1, 1], "strides": [2, 1]},
         order=("in0", "xs", "xz", "in1", "ws", "wz", "ys", "yz", "b")),
    *(Case("LpPool", floats((1, 2, 5, 6)), attributes={"kernel_shape": [2, 3], "p": p}) for p in (3, 4)),
    Case("MaxUnpool", floats((1, 1, 2, 2)), {"at": np.array([[[[5, 6], [12, 10]]]])},
         {"kernel_shape": [2, 2], "strides": [2, 2]}),
    *(Case("GridSample", floats((2, 3, *extents), (2, *extents[::-1], len(extents))), attributes={
        "mode": mode, "padding_mode": padding, "align_corners": align}, first=20)
      for extents in ((5, 4), (3, 4, 2)) for mode in ("nearest", "linear", "cubic")
      for padding in ("zeros", "border", "reflection") for align in (0, 1)
      if mode != "cubic" or (padding != "border" and len(extents) == 2)),
    *(Case("GridSample", floats((1, 2, 4, 5), (1, 2, 3, 2)), attributes={"mode": mode}, last=19)
      for mode in ("nearest", "bilinear", "bicubic")),
    Case("DeformConv", floats((1, 4, 5, 6), (4, 2, 2, 3), (1, 24, 4, 4), (4,), (1, 12, 4, 4)),
         attributes={"group": 2, "offset_group": 2}),
    Case("DeformConv", floats((2, 1, 4, 4), (2, 1, 2, 2), (2, 8, 5, 5)), attributes={"pads": [1, 1, 1, 1]}),
    Case("Col2Im", floats((2, 12, 6)), {"image": np.array([4, 5]), "block": np.array([2, 3])}, {
        "strides": [2, 1], "dilations": [1, 1]}),
    Case("Col2Im", floats((1, 4, 12)), {"image": np.array([3, 4]), "block": np.array([2, 2])}, {
        "pads": [1, 0, 1, 1], "dilations": [2, 1]}),
    *(Case("Det", floats(shape)) for shape in ((3, 3), (2, 2, 5, 5), (1, 1))),
    *(Case("DFT", floats((2, length, parts)), attributes={"inverse": inverse}, last=19)
      for length in (8, 5, 12, 37) for parts in (1, 2) for inverse in (0, 1)),
    *(Case("DFT", floats((2, 3, 16, 1)), {"length": np.array(length), "axis": np.array(2)}, {"onesided": 1},
           first=20) for length in (16, 9, 20)),
    Case("STFT", floats((2, 20, 1)), {"step": np.array(4), "window": np.float32(np.hanning(8))}),
    *(Case("Einsum", floats(*shapes), attributes={"equation": equation}) for equation, shapes in (
        ("ij,jk->ik", ((2, 3), (3, 4))), ("bij,bjk", ((2, 3, 4), (2, 4, 2))), ("ii->i", ((3, 3),)),
        ("...ij->...ji", ((2, 3, 4),)), ("ij,ij->", ((2, 3), (2, 3))), ("i,j,k->kji", ((2,), (3,), (2,))),
        ("bhwc,hkc->bhwk", ((1, 2, 3, 4), (2, 3, 4))), ("...i,...i->...", ((3, 4), (3, 4))))),
)  # fmt: skip
