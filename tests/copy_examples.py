"""Two copies of a network side by side, the second one on inputs with a step."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
from certificate_examples import Network
from onnx import helper
from onnx_models import model

from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import Semantics


def copies(seed: int, *widths: int) -> Network:
    """Gemm and ReLU in turn, Gemm last, twice. Inputs: those of the network, then a step of the first one.

    The first layer's weights of the first input, and those of the later layers, are not negative: raising the
    first input lowers no output.
    """
    rng = np.random.default_rng(seed)
    steps = np.eye(widths[0] + 1, dtype=np.float32)
    steps[-1, 0] = 1
    nodes = [helper.make_node("Gemm", ["x", "steps"], ["i"], transB=1)]
    values, here = {"steps": steps}, "i"
    for index, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        own = rng.integers(-8, 9, (outputs, inputs)).astype(np.float32) / 8
        bias = rng.integers(-8, 9, outputs).astype(np.float32) / 8
        if index == 0:
            own[:, 0] = np.abs(own[:, 0])
            none = np.zeros((outputs, 1))
            joint = np.block([[own, none], [none, own[:, 1:], own[:, :1]]])
        else:
            own = np.abs(own)
            joint = np.block([[own, np.zeros_like(own)], [np.zeros_like(own), own]])
        last = index == len(widths) - 2
        made = "z" if last else f"h{index}"
        values[f"w{index}"] = joint.astype(np.float32)
        values[f"b{index}"] = np.concatenate([bias, bias])
        nodes.append(helper.make_node("Gemm", [here, f"w{index}", f"b{index}"], [made], transB=1))
        if not last:
            nodes.append(helper.make_node("Relu", [made], [f"r{index}"]))
            here = f"r{index}"
    inputs = widths[0] + 1
    return Network(model(nodes, {"x": [1, inputs]}, ["z"], values), inputs, 2 * widths[-1])


def rising(network: Network, slack: Fraction, semantics: Semantics = Semantics.REAL) -> Emission:
    """After a step of at most 1/8 up, no output is lower than before by the slack; inputs in [-1, 1]."""
    half = network.outputs // 2
    unit = slack.denominator
    rows = np.concatenate([-unit * np.eye(half, dtype=int), unit * np.eye(half, dtype=int)], axis=1)
    forms = Forms(
        rows.astype(object), np.full(half, slack.numerator, dtype=object), strict=True, alternatives=1
    )
    count = network.inputs - 1
    box = RationalBox((Fraction(-1),) * count + (Fraction(0),), (Fraction(1),) * count + (Fraction(1, 8),))
    return build_emission(network.program, [Goal(forms, (box,))], semantics)
