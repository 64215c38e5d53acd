"""Lowering of RNN, GRU and LSTM."""

from __future__ import annotations

import numpy as np

from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.lowering import Lowering
from pytest_torchlean.ops.recurrent import ACTIVATIONS, GATES

_DEFAULTS = {"RNN": ("Tanh",), "GRU": ("Sigmoid", "Tanh"), "LSTM": ("Sigmoid", "Tanh", "Tanh")}
_ALPHA = {"Affine": 1.0, "Elu": 1.0, "HardSigmoid": 0.2, "LeakyRelu": 0.01}
_BETA = {"HardSigmoid": 0.5}


def recurrent(context: Context, node: OnnxNode) -> None:
    """RNN, GRU, LSTM since 7; layout from 14 on."""
    directions = {"forward": 1, "reverse": 1, "bidirectional": 2}.get(node.string("direction", "forward"))
    if directions is None:
        raise Refusal(f"direction {node.string('direction', '')!r} is not known")
    hidden = context.type_of(node.inputs[2]).shape[-1]
    if node.integer("hidden_size", hidden) != hidden:
        raise Refusal(f"hidden_size contradicts the weights' {hidden}")
    attributes: list[tuple[str, Attribute]] = [
        ("directions", directions),
        ("reverse", int(node.string("direction", "forward") == "reverse")),
        ("hidden", hidden),
        ("clip", node.real("clip", 0.0)),
        ("linear_before_reset", node.flag("linear_before_reset", 0)),
        ("coupled", node.flag("input_forget", 0)),
        *_activations(node, directions),
    ]
    batch_first = bool(node.flag("layout", 0))
    inputs = list(node.inputs)
    if batch_first:
        for at in (0, 5, 6):
            if node.input(at):
                inputs[at] = context.part(node, "Transpose", [inputs[at]], [("perm", (1, 0, 2))])
    count = 3 if node.op == "LSTM" else 2
    given = (*node.outputs, *[""] * (count - len(node.outputs)))
    own = [context.fresh(f"{next(filter(None, given))}/{node.op}{at}") for at in range(count)]
    if not batch_first:
        names = [name or fresh for name, fresh in zip(given, own, strict=True)]
        context.emit(node, node.op, inputs, attributes, names)
        return
    context.emit(node, node.op, inputs, attributes, own)
    for at, name in enumerate(node.outputs):
        if name and name in context.read_outputs:
            perm = (2, 0, 1, 3) if at == 0 else (1, 0, 2)
            context.emit(node, "Transpose", [own[at]], [("perm", perm)], [name])


def _activations(node: OnnxNode, directions: int) -> list[tuple[str, Attribute]]:
    """One name per gate function and direction, with its parameters."""
    given = node.strings("activations")
    names = _DEFAULTS[node.op] * directions if given is None else given
    if len(names) != len(_DEFAULTS[node.op]) * directions:
        raise Refusal(f"activations {names} do not fit {directions} directions")
    known = {name.lower(): name for name in ACTIVATIONS}
    names = tuple(known.get(name.lower(), name) for name in names)
    for name in names:
        if name not in ACTIVATIONS:
            raise Refusal(f"activation {name!r} is not supported")
    alphas, betas = list(node.reals("activation_alpha") or ()), list(node.reals("activation_beta") or ())
    attributes: list[tuple[str, Attribute]] = [("activations", ",".join(names))]
    for at, name in enumerate(names):
        alpha, beta = _ALPHA.get(name, 0.0), _BETA.get(name, 0.0)
        if alphas and name in _ALPHA:
            alpha = alphas.pop(0)
        if betas and name in ("HardSigmoid", "Affine"):
            beta = betas.pop(0)
        attributes += [(f"alpha{at}", _single(alpha)), (f"beta{at}", _single(beta))]
    return attributes


def _single(value: float) -> float:
    return float(np.float32(value))


LOWERINGS = {op: Lowering((7, 14, 22), recurrent) for op in GATES}
