"""Where onnxruntime rounds otherwise than an operator's formula suggests."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from pytest_torchlean.runtime import RuntimeSession
from zoo.specimen import Array, Specimen, built

FAMILY = "Roundings of onnxruntime"


def unary(op: str, size: int, opset: int = 17, **attributes: object) -> onnx.ModelProto:
    node = helper.make_node(op, ["x"], ["y"], **attributes)
    return built([node], {"x": ["n", size]}, opset=opset, shape=["n", size])


def answer(proto: onnx.ModelProto, x: Array) -> Array:
    """onnxruntime's, without optimisation."""
    (found,) = RuntimeSession(proto.SerializeToString(), False).run({"x": x})
    return np.asarray(found)


def lrn() -> onnx.ModelProto:
    node = helper.make_node("LRN", ["x"], ["y"], size=3, alpha=3.0, beta=1.0, bias=1e-3)
    return built([node], {"x": ["n", 8, 1, 1]}, shape=["n", 8, 1, 1])


_SPIKE = np.ones((1, 8, 1, 1), dtype=np.float32)
_SPIKE[0, 0] = 1e5
_ABOVE = np.full((1, 4), 8.47554, dtype=np.float32)
_TAIL = np.full((1, 4), -17.685, dtype=np.float32)
_TINY = np.full((1, 4), -1e-30, dtype=np.float32)


def position_decides(op: str) -> bool:
    """Whether one number has several results, by where in a vector it stands."""
    values = np.random.default_rng(0).uniform(0.1, 9.0, 200).astype(np.float32)
    session = RuntimeSession(unary(op, 37).SerializeToString(), False)
    return any(len(np.unique(session.run({"x": np.full((1, 37), v, np.float32)})[0])) > 1 for v in values)


def falls() -> bool:
    """Whether Tanh falls between neighbours somewhere below 9."""
    x = np.arange(2**16, dtype=np.int32) + np.float32(8.4).view(np.int32)
    return bool((np.diff(answer(unary("Tanh", 2**16), x.view(np.float32).reshape(1, -1))[0]) < 0).any())


SPECIMENS = (
    Specimen(
        FAMILY,
        "LRN after a spike",
        "a running window of squares: inf and -1 where 0.33 to 0.5 is exact",
        lrn,
        "DIVERGENT",
        "first divergent node: LRN",
        inputs=_SPIKE,
        fact=lambda: bool((np.abs(answer(lrn(), _SPIKE)[0, 2:, 0, 0]) > 0.9).any()),
    ),
    Specimen(
        FAMILY,
        "Tanh above 1",
        "tanh(8.47554) = 1.0000002",
        lambda: unary("Tanh", 4),
        "AGREED",
        "Tanh",
        inputs=_ABOVE,
        fact=lambda: bool((answer(unary("Tanh", 4), _ABOVE) > 1).all()),
        blind="within the measured budget of 6 ulp, which the record shows; proofs refuse Tanh",
    ),
    Specimen(
        FAMILY,
        "Tanh falls",
        "neighbouring inputs with falling results",
        lambda: unary("Tanh", 4),
        "AGREED",
        "Tanh",
        inputs=_ABOVE,
        fact=falls,
        blind="within the measured budget",
    ),
    Specimen(
        FAMILY,
        "Sigmoid in its tail",
        "sigmoid(-17.685) is 0 or several times 2.1e-8, which is exact; it depends on the processor",
        lambda: unary("Sigmoid", 4),
        "AGREED",
        "Sigmoid",
        inputs=_TAIL,
        fact=lambda: bool((np.abs(answer(unary("Sigmoid", 4), _TAIL) - 2.1e-8) > 5e-9).all()),
        blind="within the measured absolute budget of 2^-22.3",
    ),
    Specimen(
        FAMILY,
        "Elu of a tiny number",
        "elu(-1e-30) = +0",
        lambda: unary("Elu", 4),
        "AGREED",
        "Elu",
        inputs=_TINY,
        fact=lambda: not answer(unary("Elu", 4), _TINY).any(),
        blind="within the measured absolute budget",
    ),
    Specimen(
        FAMILY,
        "Log by position",
        "one number, several results, by its place in the vector",
        lambda: unary("Log", 37),
        "AGREED",
        "Log",
        check="check: runtime, samples: 8, input: {lower: 1, upper: 9}",
        fact=lambda: position_decides("Log"),
        blind="each of the results is within the measured budget",
    ),
)
