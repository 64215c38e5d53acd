"""Sums, means and extrema over axes or of operands, running sums and HardSigmoid are proved, and refuted."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, helper
from onnx_models import lowered, model

from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.properties import run_property
from pytest_torchlean.properties.linear import cases_of
from pytest_torchlean.spec.model import Bounds, OutputBounds, RangeProperty
from pytest_torchlean.verdict import Verdict

SLACK = Fraction(1, 1000)
make = helper.make_node
CASES: dict[str, tuple[NodeProto, list[int], float, float]] = {
    "ReduceSum": (make("ReduceSum", ["x", "last"], ["y"], keepdims=0), [1, 2], -6.0, 12.0),
    "ReduceMean": (make("ReduceMean", ["x"], ["y"], axes=[1, 2], keepdims=1), [1, 1, 1], -2.0, 4.0),
    "ReduceMax": (make("ReduceMax", ["x"], ["y"], axes=[1], keepdims=0), [1, 3], -2.0, 4.0),
    "ReduceMin": (make("ReduceMin", ["x"], ["y"], axes=[2], keepdims=0), [1, 2], -2.0, 4.0),
    "Sum": (make("Sum", ["x", "c", "x"], ["y"]), [1, 2, 3], -3.0, 9.0),
    "Mean": (make("Mean", ["x", "c", "x", "c"], ["y"]), [1, 2, 3], -0.5, 2.5),
    "CumSum": (make("CumSum", ["x", "axis"], ["y"], reverse=1), [1, 2, 3], -6.0, 12.0),
    "exclusive": (make("CumSum", ["x", "axis"], ["y"], exclusive=1), [1, 2, 3], -4.0, 8.0),
    "HardSigmoid": (make("HardSigmoid", ["x"], ["y"], alpha=0.25, beta=0.25), [1, 2, 3], 0.0, 1.0),
}
"""A node on x in [-2, 4] of shape [1, 2, 3], its result's shape, and the range of its exact results."""


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("name", CASES)
def test_the_exact_range_is_proved_and_a_narrower_one_refuted(name: str, context_for: Any) -> None:
    node, shape, low, high = CASES[name]
    constants = {
        "c": np.array([1.0, 1.0, 1.0], np.float32),
        "last": np.array([2], np.int64),
        "axis": np.array(2, np.int64),
    }
    used = {key: value for key, value in constants.items() if key in node.input}
    proto = model([node], {"x": [1, 2, 3]}, {"y": shape}, used, opset=17)
    context = context_for(proto)
    box = Bounds(Fraction(-2), Fraction(4))

    def verdict(below: Fraction, above: Fraction) -> Verdict:
        limits = OutputBounds(Fraction(low) - below, Fraction(high) + above)
        return run_property(
            context, RangeProperty(name="r", model="m", input=box, output=limits, timeout=Fraction(120))
        ).verdict

    assert verdict(SLACK, SLACK) is Verdict.PROVED
    assert verdict(-SLACK, SLACK) is Verdict.REFUTED
    assert verdict(SLACK, -SLACK) is Verdict.REFUTED


@pytest.mark.parametrize(
    ("node", "shape"),
    [
        (make("ReduceSum", ["x", "last"], ["y"]), [2, 1]),
        (make("ReduceMean", ["x"], ["y"], axes=[1]), [2, 1]),
        (make("ReduceSum", ["x", "last"], ["y"], keepdims=0), [2]),
        (make("CumSum", ["x", "axis"], ["y"]), [2, 0]),
    ],
)
def test_an_axis_without_elements_has_no_certificate_rule(node: NodeProto, shape: list[int]) -> None:
    constants = {"last": np.array([1], np.int64), "axis": np.array(1, np.int64)}
    used = {key: value for key, value in constants.items() if key in node.input}
    proto = model([node], {"x": [2, 0]}, {"y": shape}, used, opset=13)
    with pytest.raises(UnsupportedError, match="no element at all"):
        lower_to_program(lowered(proto))


def test_a_model_without_weights_is_searched_by_phases() -> None:
    """2 relu(x) - x >= -3/10000 is true, by less than searches ask for; there is no matrix at all."""
    program = lower_to_program(
        lowered(model([make("Relu", ["x"], ["y"])], {"x": [1, 17]}, {"y": [1, 17]}, {}))
    )
    outputs, inputs = (np.zeros((1, 17), dtype=object) for _ in range(2))
    outputs[0, 0], inputs[0, 0] = 20000, -10000
    forms = Forms(outputs, np.array([3], dtype=object), False, 1, inputs)
    box = RationalBox((Fraction(-1),) * 17, (Fraction(1),) * 17)
    assert cases_of(program, forms, box, phases=True) is None
