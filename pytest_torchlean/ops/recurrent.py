"""RNN, GRU, LSTM: recurrent layers, forward, backward and both.

ONNX RNN, GRU, LSTM since 7. Schedule of one step, every operation rounded: x W^T + h R^T + (Wb + Rb), the
products sequential; then the gates as ONNX writes them, and c = f * c + i * g, h = o * f(c) for LSTM,
h = (1 - z) * g + z * h for GRU. A sequence shorter than the input leaves the state alone after its end, and
gives zeros there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pytest_torchlean.ir.graph import Node, ValueType
from pytest_torchlean.ops.formula import rule_of
from pytest_torchlean.ops.rule import ShapeError, Types, float_type, integer, real

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
ACTIVATIONS = ("Affine", "Elu", "HardSigmoid", "LeakyRelu", "Relu", "Sigmoid", "Softplus", "Softsign", "Tanh")


def _infer(node: Node, types: Types) -> tuple[ValueType, ...]:
    """Operands x, w, r, b, lengths, h, c, p, the sequence first; outputs y, h, c of shape (.., batch, H)."""
    x, w, r = (float_type(types[at], what).shape for at, what in enumerate(("X", "W", "R")))
    directions, hidden, gates = integer(node, "directions"), integer(node, "hidden"), GATES[node.op]
    if len(x) != 3 or w != (directions, gates * hidden, x[2]) or r != (directions, gates * hidden, hidden):
        raise ShapeError(f"X {x}, W {w} and R {r} do not fit {gates} gates of {hidden}")
    steps, batch = x[:2]
    if steps < 1 or batch < 1:
        raise ShapeError(f"X has shape {x}: no step or no row")
    wanted: dict[int, tuple[int, ...]] = {
        3: (directions, 2 * gates * hidden), 4: (batch,), 5: (directions, batch, hidden),
        6: (directions, batch, hidden), 7: (directions, 3 * hidden),
    }  # fmt: skip
    for at in range(3, len(types)):
        kind = types[at]
        if kind is not None and kind.shape != wanted[at]:
            raise ShapeError(f"input {at} has shape {kind.shape}, not {wanted[at]}")
    state = ValueType("float32", (directions, batch, hidden))
    every = ValueType("float32", (steps, directions, batch, hidden))
    return (every, state, state)[: len(node.outputs)]


def _activation(node: Node, direction: int, number: int) -> Callable[[Any], Any]:
    text = str(node.attribute("activations")).split(",")
    per_direction = len(text) // integer(node, "directions")
    at = direction * per_direction + number
    name, alpha, beta = text[at], real(node, f"alpha{at}"), real(node, f"beta{at}")

    def apply(x: Any) -> Any:
        if name == "Relu":
            return x.maximum(x.constant(0.0))
        if name == "LeakyRelu":
            return x.maximum(x.constant(0.0)) + x.constant(alpha) * x.minimum(x.constant(0.0))
        if name == "Affine":
            return x.constant(alpha) * x + x.constant(beta)
        return x.function(name, float(alpha), float(beta))

    return apply


def _clipped(node: Node, x: Any) -> Any:
    limit = real(node, "clip")
    return x.maximum(x.constant(-limit)).minimum(x.constant(limit)) if limit > 0 else x


def _rows(value: Any, start: int, stop: int) -> Any:
    return value.moved(lambda v: v[..., start:stop])


def _turned(value: Any) -> Any:
    return value.moved(lambda v: np.ascontiguousarray(v.T))


class _Cell:
    """One direction of a layer: its weights, ready to step."""

    def __init__(self, node: Node, operands: Sequence[Any], direction: int) -> None:
        self.node, self.hidden, self.gates = node, integer(node, "hidden"), GATES[node.op]
        self.w, self.r = (_turned(operands[at].moved(lambda v: v[direction])) for at in (1, 2))
        zero = operands[0].constant(np.zeros(self.gates * self.hidden, dtype=np.float32))
        bias = _at(operands, 3, direction)
        width = self.gates * self.hidden
        self.w_bias = zero if bias is None else _rows(bias, 0, width)
        self.r_bias = zero if bias is None else _rows(bias, width, 2 * width)
        self.peephole = _at(operands, 7, direction)
        self.f = [_activation(node, direction, at) for at in range({"RNN": 1, "GRU": 2, "LSTM": 3}[node.op])]

    def _gate(self, value: Any, number: int) -> Any:
        return _rows(value, number * self.hidden, (number + 1) * self.hidden)

    def step(self, x: Any, h: Any, c: Any) -> tuple[Any, Any]:
        """The next hidden and cell state."""
        if self.node.op == "GRU":
            return self._gru(x, h), c
        total = x.matmul(self.w) + h.matmul(self.r) + (self.w_bias + self.r_bias)
        if self.node.op == "RNN":
            return self.f[0](_clipped(self.node, total)), c
        return self._lstm(total, c)

    def _lstm(self, total: Any, c: Any) -> tuple[Any, Any]:
        """Gates in ONNX's order: input, output, forget, cell; peepholes input, output, forget."""
        i, o, f, g = (self._gate(total, number) for number in range(4))
        if self.peephole is not None:
            i, f = i + self._gate(self.peephole, 0) * c, f + self._gate(self.peephole, 2) * c
        i, f = self.f[0](_clipped(self.node, i)), self.f[0](_clipped(self.node, f))
        if integer(self.node, "coupled"):
            f = i.constant(1.0) - i
        c = f * c + i * self.f[1](_clipped(self.node, g))
        if self.peephole is not None:
            o = o + self._gate(self.peephole, 1) * c
        o = self.f[0](_clipped(self.node, o))
        return o * self.f[2](c), c

    def _gru(self, x: Any, h: Any) -> Any:
        """Gates in ONNX's order: update, reset, hidden."""
        width = 2 * self.hidden
        own = x.matmul(self.w)
        past = h.matmul(_rows(self.r, 0, width))
        both = _rows(own, 0, width) + past + (_rows(self.w_bias, 0, width) + _rows(self.r_bias, 0, width))
        z, r = (self.f[0](_clipped(self.node, self._gate(both, number))) for number in range(2))
        r_weight, r_bias = self._gate(self.r, 2), self._gate(self.r_bias, 2)
        if integer(self.node, "linear_before_reset"):
            reset = r * (h.matmul(r_weight) + r_bias)
        else:
            reset = (r * h).matmul(r_weight) + r_bias
        new = self.f[1](_clipped(self.node, self._gate(own, 2) + reset + self._gate(self.w_bias, 2)))
        return (z.constant(1.0) - z) * new + z * h


def _at(operands: Sequence[Any], index: int, direction: int) -> Any:
    value = operands[index] if index < len(operands) else None
    return None if value is None else value.moved(lambda v: v[direction])


def _formula(node: Node, operands: Sequence[Any]) -> list[Any]:
    x = operands[0]
    steps, batch, hidden = x.shape[0], x.shape[1], integer(node, "hidden")
    lengths = operands[4] if len(operands) > 4 and operands[4] is not None else np.full(batch, steps)
    zero = x.constant(np.zeros((batch, hidden), dtype=np.float32))
    sequences, last_h, last_c = [], [], []
    for direction in range(integer(node, "directions")):
        backwards = bool(integer(node, "reverse")) or direction == 1
        cell = _Cell(node, operands, direction)
        h, c = (_at(operands, index, direction) for index in (5, 6))
        h, c = zero if h is None else h, zero if c is None else c
        found: list[Any] = [zero] * steps
        for step in range(steps - 1, -1, -1) if backwards else range(steps):
            at = x.moved(lambda v, step=step: v[step])
            inside = (step < lengths)[:, None]
            new_h, new_c = cell.step(at, h, c)
            h, c = new_h.selected(inside, h), new_c.selected(inside, c)
            found[step] = new_h.selected(inside, zero)
        first, *rest = [value.reshaped(1, 1, batch, hidden) for value in found]
        sequences.append(first.joined(rest, 0))
        last_h.append(h.reshaped(1, batch, hidden))
        last_c.append(c.reshaped(1, batch, hidden))
    results = [
        sequences[0].joined(sequences[1:], 1),
        last_h[0].joined(last_h[1:], 0),
        last_c[0].joined(last_c[1:], 0),
    ]
    return results[: len(node.outputs)]


RULES = {op: rule_of(_infer, _formula) for op in GATES}
