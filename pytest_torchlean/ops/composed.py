"""Activations that certificates see as several nodes.

The nodes before the last compose the function's exact value: leaving out every rounding is one of the
executions that the theorem speaks of. The last node, a `fused_...` curve, grants what the runtime's kernel
may be off (Spec.Fused in Lean): every result within the budget of `binary32.budgets` is among them.

    Swish     x * sigmoid(alpha * x); its budget of 2^-22.3 |x| is the sigmoid's own
    HardSwish x * min(max(x / 6 + 1/2, 0), 1), 1/6 in binary32, and min(a, 1) = 1 - max(1 - a, 0)
    Elu       max(x, 0) + alpha * (e^min(x, 0) - 1)
    Selu      gamma * (max(x, 0) + alpha * (e^min(x, 0) - 1))
    Mish      x * tanh(softplus(x))
    Gelu      x / 2 * (1 + erf(x * sqrt(1/2))), the root of 1/2 a node of its own
    GeluTanh  x * sigmoid(sqrt(8 / pi) * (x + 0.044715 x^3)), both constants as sums of two binary32 numbers
    Softsign  x / (1 + |x|)
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.linear import (
    BilinearStep,
    CurveStep,
    IndexStep,
    LinearStep,
    OperandStep,
    PickStep,
    QuotientStep,
    ReluStep,
    Step,
)
from pytest_torchlean.ops.elementwise import combination, product, repeated
from pytest_torchlean.ops.extremum import extremum

SIXTH = np.float32(1 / 6)
_GELU_SLOPE = Fraction(1595769121605730711759784, 10**24)
"""sqrt(8 / pi) to 24 digits."""
_GELU_CUBIC = Fraction(44715, 10**6)
_SELU = (np.float32(1.67326319217681884765625), np.float32(1.05070102214813232421875))
"""alpha and gamma of the standard, of which the budget speaks."""


def _own(node: Node, graph: Graph) -> IndexStep:
    name = node.inputs[0]
    return IndexStep((name,), np.arange(graph.types[name].size, dtype=np.int64))


def _parts(value: Fraction) -> tuple[float, float]:
    """The nearest binary32 number, and that of the rest."""
    high = np.float32(float(value))
    return float(high), float(np.float32(float(value - Fraction(float(high)))))


def _granted(operation: str, value: OperandStep) -> CurveStep:
    return CurveStep(value, f"fused_{operation}")


def _elu(x: OperandStep, alpha: float, size: int) -> LinearStep:
    """max(x, 0) + alpha * e^min(x, 0) - alpha."""
    below = combination([(ReluStep(combination([(x, -1.0)], size)), -1.0)], size)
    return combination([(ReluStep(x), 1.0), (CurveStep(below, "exp"), alpha)], size, -alpha)


def elu_step(node: Node, graph: Graph, alpha: float) -> Step | str:
    if not 0.0 <= alpha <= 1.0:
        return "its budget is stated for alpha between 0 and 1"
    x = _own(node, graph)
    return _granted("elu", _elu(x, alpha, x.index.size))


def celu_step(node: Node, graph: Graph, alpha: float) -> Step | str:
    if alpha != 1.0:
        return "x / alpha is a product only for alpha = 1"
    return elu_step(node, graph, alpha)


def selu_step(node: Node, graph: Graph, alpha: float, gamma: float) -> Step | str:
    if (np.float32(alpha), np.float32(gamma)) != _SELU:
        return "its budget is stated for the alpha and gamma of the standard"
    x = _own(node, graph)
    size = x.index.size
    return _granted("selu", combination([(_elu(x, alpha, size), gamma)], size))


def swish_step(node: Node, graph: Graph, alpha: float) -> Step | str:
    x = _own(node, graph)
    size = x.index.size
    inner: OperandStep = x if alpha == 1.0 else combination([(x, alpha)], size)
    return _granted("swish", product(x, CurveStep(inner, "sigmoid"), size))


def hard_swish_step(node: Node, graph: Graph) -> Step | str:
    x = _own(node, graph)
    size = x.index.size
    raised = ReluStep(combination([(x, float(SIXTH))], size, 0.5))
    below_one = combination([(ReluStep(combination([(raised, -1.0)], size, 1.0)), -1.0)], size, 1.0)
    gate = _granted("hard_swish_gate", below_one)
    return _granted("hard_swish", product(x, gate, size))


def mish_step(node: Node, graph: Graph) -> Step | str:
    x = _own(node, graph)
    size = x.index.size
    return _granted("mish", product(x, CurveStep(CurveStep(x, "softplus"), "tanh"), size))


def gelu_step(node: Node, graph: Graph) -> Step | str:
    x = _own(node, graph)
    size = x.index.size
    root = CurveStep(repeated(node.inputs[0], np.float32(0.5), 1), "sqrt")
    inner = product(x, PickStep(root, np.zeros(size, dtype=np.int64)), size)
    gate = combination([(CurveStep(inner, "erf"), 1.0)], size, 1.0)
    return _granted("gelu", product(combination([(x, 0.5)], size), gate, size))


def gelu_tanh_step(node: Node, graph: Graph) -> Step | str:
    x = _own(node, graph)
    size = x.index.size
    cube: BilinearStep = product(product(x, x, size), x, size)
    linear, cubic = _parts(_GELU_SLOPE), _parts(_GELU_SLOPE * _GELU_CUBIC)
    inner = combination([(x, linear[0]), (x, linear[1]), (cube, cubic[0]), (cube, cubic[1])], size)
    return _granted("gelu_tanh", product(x, CurveStep(inner, "sigmoid"), size))


def softsign_step(node: Node, graph: Graph) -> Step | str:
    x = _own(node, graph)
    size = x.index.size
    absolute = extremum((x, combination([(x, -1.0)], size)), True, size)
    return _granted("softsign", QuotientStep(x, combination([(absolute, 1.0)], size, 1.0)))
