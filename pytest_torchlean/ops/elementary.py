"""Elementary functions, element by element: Exp, Log, Tanh, Gelu and their like; Sqrt, Reciprocal, Pow.

Declared meaning: each is one real function of its inputs and attributes, correctly rounded to nearest once.
That holds for the activations too, whose ONNX definitions are expressions: Softplus is log(1 + e^x), not a
rounded logarithm of a rounded sum; `binary32/real_functions.py` has every formula. Sqrt and Reciprocal are
IEEE-754 operations with fixed bits. Functions of more than one element (Softmax, LayerNormalization) are not
of this kind: they are expressions of binary32 operations, each rounded.

ONNX Exp, Log, Tanh, Sigmoid, Sqrt, Reciprocal 6, 13; Erf 9, 13; Sin, Cos, Tan, Asin, Acos, Atan 7, 22;
Sinh, Cosh, Asinh, Acosh, Atanh 9, 22; Softplus, Softsign 1, 22; Elu, Selu, HardSigmoid 6, 22; Celu 12, 28;
HardSwish 14, 22; Mish 18, 22; Gelu 20; Swish 24; Pow 7, 12, 13, 15.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pytest_torchlean.binary32 import budgets, elementary
from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.binary32.error_bounds import MARGIN
from pytest_torchlean.binary32.kernels import canonical_nan
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import (
    ZERO,
    AffineBlock,
    AffineStep,
    CurveStep,
    IndexStep,
    OperandStep,
    QuotientStep,
    Step,
)
from pytest_torchlean.ops import composed
from pytest_torchlean.ops.elementwise import product
from pytest_torchlean.ops.extremum import extremum, moved
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Enclosures,
    Float64,
    OpRule,
    Prepared,
    ShapeError,
    Types,
    broadcast,
    constant,
    enclosed,
    exactly_rounded,
    float_type,
    floats,
    no_step,
    positions,
    wide,
)

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "Celu": ("alpha",),
    "Elu": ("alpha",),
    "HardSigmoid": ("alpha", "beta"),
    "Selu": ("alpha", "gamma"),
    "Swish": ("alpha",),
}
"""The attributes that a function takes, in the order of its parameters."""

CURVES = {
    "Cos": "cosine",
    "Erf": "erf",
    "Exp": "exp",
    "Log": "log",
    "Sigmoid": "sigmoid",
    "Sin": "sine",
    "Softplus": "softplus",
    "Sqrt": "sqrt",
    "Tanh": "tanh",
}
"""Functions that certificates speak about as one node, and their names in Lean."""
COMPOSED: dict[str, Callable[..., Step | str]] = {
    "Celu": composed.celu_step,
    "Elu": composed.elu_step,
    "Gelu": composed.gelu_step,
    "GeluTanh": composed.gelu_tanh_step,
    "HardSwish": composed.hard_swish_step,
    "Mish": composed.mish_step,
    "Selu": composed.selu_step,
    "Softsign": composed.softsign_step,
    "Swish": composed.swish_step,
}
"""Functions that certificates speak about as several nodes; their steps take a function's parameters."""
ASSUMED = frozenset({*CURVES, *COMPOSED}) - {"Sqrt"}
"""Functions of whose results a theorem under binary32 assumes a budget; IEEE-754 fixes the root's."""
SEQUENCED = frozenset(
    {"BatchNormalization", "InstanceNormalization", "LayerNormalization", "RMSNormalization", "Softmax"}
)
"""Operators that certificates speak about as several rounded operations, which is assumed of the runtime."""

_NO_STEP = no_step("no bounds of it are proved in Lean")


def _infer(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = float_type(types[0], "the operand")
    if node.op == "Celu" and node.attribute("alpha") == 0.0:
        raise ShapeError("alpha is zero, so x / alpha has no meaning")
    return (x,)


def _parameters(node: Node) -> tuple[float, ...]:
    return tuple(_number(node, name) for name in ATTRIBUTES.get(node.op, ()))


def _number(node: Node, name: str) -> float:
    value = node.attribute(name)
    if not isinstance(value, float):
        raise TypeError(f"attribute {name} of {node.op} is not a binary32 number")
    return value


def _evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    return (elementary.evaluate(node.op, floats(inputs[0]), *_parameters(node)),)


def _prepare(node: Node, types: Types, constants: Arrays) -> Prepared:
    parameters = _parameters(node)

    def run(inputs: Arrays) -> tuple[Array, ...]:
        x = floats(inputs[0])
        return (elementary.evaluate(node.op, x, *parameters, implementation="numba"),)

    return run


def _reference(node: Node, inputs: Arrays) -> tuple[Float64, Float64]:
    return elementary.reference(node.op, floats(inputs[0]), *_parameters(node))


def _error_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    value, _ = _reference(node, inputs)
    return (budgets.function_bound(node.op, value, wide(inputs[0]), *_parameters(node)),)


def _enclose(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    return (enclosed(inputs[0]).function(node.op, *_parameters(node)),)


def _hard_sigmoid_step(node: Node, graph: Graph) -> Step | str:
    """min(max(alpha * x + beta, 0), 1)."""
    name, (alpha, beta) = node.inputs[0], _parameters(node)
    places = positions((graph.types[name].size, 1))

    def line(slope: float, offset: float) -> AffineStep:
        gather = places if slope else np.full_like(places, ZERO)
        weights, bias = np.array([[slope or 1.0]], np.float32), np.array([offset], np.float32)
        return AffineStep((name,), (AffineBlock(weights, bias, gather, places),))

    raised = extremum((line(alpha, beta), line(0.0, 0.0)), True, len(places))
    return extremum((raised, line(0.0, 1.0)), False, len(places))


def _curve_step(node: Node, graph: Graph) -> Step | str:
    return CurveStep(node.inputs[0], CURVES[node.op])


def _composed_step(node: Node, graph: Graph) -> Step | str:
    return COMPOSED[node.op](node, graph, *_parameters(node))


# --- Sqrt, Reciprocal ---------------------------------------------------------------------------------


def _reciprocal_step(node: Node, graph: Graph) -> Step | str:
    """1 / x, a quotient as Div has it."""
    name = node.inputs[0]
    places = positions((graph.types[name].size, 1))
    one = AffineBlock(np.ones((1, 1), np.float32), np.ones(1, np.float32), np.full_like(places, ZERO), places)
    return QuotientStep(AffineStep((name,), (one,)), IndexStep((name,), places.reshape(-1)))


def _fixed(operation: Callable[[Array], Array]) -> Callable[[Node, Arrays], tuple[Array, ...]]:
    def evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
        with np.errstate(all="ignore"):
            return (canonical_nan(np.asarray(operation(floats(inputs[0])), dtype=np.float32)),)

    return evaluate


# --- Pow ----------------------------------------------------------------------------------------------


def _infer_power(node: Node, types: Types) -> tuple[ValueType, ...]:
    base, exponent = float_type(types[0], "the base"), float_type(types[1], "the exponent")
    return (ValueType("float32", broadcast([base.shape, exponent.shape])),)


def _power(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    return (elementary.power(floats(inputs[0]), floats(inputs[1])),)


def _power_step(node: Node, graph: Graph) -> Step | str:
    """x^2 = x * x and x^3 = (x * x) * x, as onnxruntime has them for an exponent of one element; x^1 = x.

    With an exponent for each element it calls a function that rounds otherwise.
    """
    exponents = constant(graph, node.inputs[1])
    exponent = None if exponents is None or exponents.size != 1 else float(exponents.reshape(-1)[0])
    if exponent not in (1.0, 2.0, 3.0):
        return "only powers whose exponent is one constant 1, 2 or 3 are products of values"
    size = graph.types[node.outputs[0]].size
    base = moved(graph, node, node.inputs[0])
    power: OperandStep = base
    for _ in range(int(exponent) - 1):
        power = product(power, base, size)
    return power


def _power_reference(node: Node, inputs: Arrays) -> tuple[Float64, Float64]:
    return elementary.power_reference(floats(inputs[0]), floats(inputs[1]))


def _power_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    value, _ = _power_reference(node, inputs)
    base, exponent = wide(inputs[0]), wide(inputs[1])
    return (budgets.allowed(budgets.POWER, value, np.broadcast_to(base + exponent, value.shape)),)


def _enclose_power(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    """A known exponent with a positive base, or a natural one: monotone or convex in the base.

    In either case the ends of the base's interval bound how far the power is from that of the center.
    """
    base, exponent = enclosed(inputs[0]), enclosed(inputs[1])
    with np.errstate(all="ignore"):
        low, center, high = (
            elementary.power_reference(base.center + sign * base.radius, exponent.center)[0]
            for sign in (-1.0, 0.0, 1.0)
        )
        inherited = np.maximum(np.abs(low - center), np.abs(high - center))
        natural = (exponent.center >= 0) & (np.floor(exponent.center) == exponent.center)
        known = (exponent.radius == 0) & ((base.center > base.radius) | natural | (base.radius == 0))
        x = np.broadcast_to(base.center + exponent.center, center.shape)
        radius = inherited + budgets.allowed(budgets.POWER, np.abs(center) + inherited, x)
    radius = np.where(known & np.isfinite(radius), radius * MARGIN, np.inf)
    return (Enclosed(center, radius),)


_STEPS = {
    "HardSigmoid": _hard_sigmoid_step,
    **dict.fromkeys(CURVES, _curve_step),
    **dict.fromkeys(COMPOSED, _composed_step),
}

RULES = {
    **{
        name: OpRule(
            _infer,
            _evaluate,
            _error_bound,
            _STEPS.get(name, _NO_STEP),
            reference=_reference,
            enclose=_enclose,
            prepare=_prepare,
        )
        for name in elementary.NAMES
    },
    "Pow": OpRule(
        _infer_power, _power, _power_bound, _power_step, reference=_power_reference, enclose=_enclose_power
    ),
    "Reciprocal": OpRule(
        _infer,
        _fixed(lambda x: np.divide(np.float32(1), x)),
        exactly_rounded,
        _reciprocal_step,
        enclose=lambda node, inputs: (enclosed(inputs[0]).constant(1.0) / enclosed(inputs[0]),),
    ),
    "Sqrt": OpRule(
        _infer,
        _fixed(np.sqrt),
        exactly_rounded,
        _curve_step,
        enclose=lambda node, inputs: (enclosed(inputs[0]).sqrt(),),
    ),
}
