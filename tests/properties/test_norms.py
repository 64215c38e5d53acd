"""Distances of inputs in other norms than that of the largest element."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper
from onnx_models import model

from pytest_torchlean import lipschitz
from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.properties import run_property
from pytest_torchlean.properties.claims import claim
from pytest_torchlean.properties.norms import directions_of, length
from pytest_torchlean.ratchet.order import order_of
from pytest_torchlean.verdict import Verdict

STEPS = st.lists(st.fractions(-4, 4, max_denominator=1000), min_size=2, max_size=5)


def plane(inputs: int = 2) -> onnx.ModelProto:
    """3 x - 2 t: constants 3 in l1, sqrt(13) = 3.606 in l2 and 5 in linf."""
    weights = {"w": np.array([[3, -2, 1, 1, 1, 1][:inputs]], dtype=np.float32)}
    nodes = [helper.make_node("Gemm", ["x", "w"], ["u"], transB=1)]
    return model(nodes, {"x": [1, inputs]}, {"u": [1, 1]}, weights)


def of(norm: str, constant: Any) -> Any:
    return lipschitz(
        constant=constant, norm=norm, apart="1/8", input=(0, 1), slack="1/1000", semantics="real"
    )


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("norm", "holds", "fails"), [("linf", "5", "19/4"), ("l2", "39/10", "7/2"), ("l1", "3", "11/4")]
)
def test_the_constant_of_each_norm(context_for: Any, norm: str, holds: str, fails: str) -> None:
    def judged(constant: str) -> Verdict:
        prop = replace(of(norm, constant), name="p", model="m")
        return run_property(context_for(plane()), prop).verdict

    assert judged(holds) is Verdict.PROVED
    assert judged(fails) is Verdict.REFUTED


@given(STEPS)
def test_no_direction_leads_beyond_the_norm(steps: list[Fraction]) -> None:
    for norm in ("linf", "l2", "l1"):
        found = max(
            abs(sum(a * b for a, b in zip(one, steps, strict=True)))
            for one in directions_of(norm, len(steps))
        )
        whole = length(norm, steps)
        assert found <= whole
        if norm != "l2":
            assert found == whole
    square = sum(step * step for step in steps)
    assert square <= length("l2", steps) ** 2 <= square * (1 + Fraction(1, 2**30)) + Fraction(1, 2**60)


def test_the_norms_are_told_apart() -> None:
    texts = [claim(of(norm, 3)) for norm in ("linf", "l2", "l1")]
    assert len(set(texts)) == 3
    order = order_of("lipschitz", "norm")
    assert all(order(weaker, stronger) == 1 for weaker, stronger in pairwise(("l1", "l2", "linf")))


def test_too_many_corners_are_refused(context_for: Any) -> None:
    prop = replace(of("l1", 3), name="p", model="m")
    with pytest.raises(UnsupportedError, match="at most 5 inputs, not 6"):
        run_property(context_for(plane(6)), prop)
