"""The logarithm off a line: nothing but its own bend is lost."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlean.certificate.curves import Chain, curve_step
from pytest_torchlean.certificate.model import ScaleData
from pytest_torchlean.certificate.statement import CurveFunction

SCALE = ScaleData(1 << 32, 1 << 38, 64)


def sides(slope: int) -> tuple[int, int]:
    """A slope as what rises and what falls."""
    return max(slope, 0), max(-slope, 0)


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.5), (0.25, 4.0), (1.0, 1.001), (3.0, 20.0)])
@pytest.mark.parametrize("tilt", [-8.0, -0.1, 0.0, 0.05, 0.4, 1.0, 9.0])
def test_a_logarithm_loses_next_to_nothing_off_its_line(low: float, high: float, tilt: float) -> None:
    """Whatever the line: the bounds are within 1e-6 of the residual's least and greatest value."""
    step, bits = curve_step(CurveFunction.LOG), 12
    slope = round(tilt * (1 << bits))
    ends = [round(end * SCALE.unit) + SCALE.center for end in (low, high)]
    chain = Chain(SCALE, step.first, step.radius)
    found = chain.residual(CurveFunction.LOG, 1 << bits, *sides(slope), 0, *ends)
    assert found is not None
    points = np.linspace(low, high, 100001)
    rise, fall = sides(slope)
    exact = np.log(points) - slope / (1 << bits) * points
    shift = (1 << bits) * SCALE.center + rise * SCALE.center + fall * SCALE.center
    least, most = ((bound - shift) / (SCALE.unit << bits) for bound in found)
    budget = 1e-5 * max(abs(np.log(low)), abs(np.log(high)))
    assert exact.min() - 1e-6 - budget <= least <= exact.min() + 1e-9
    assert exact.max() - 1e-9 <= most <= exact.max() + 1e-6 + budget


def test_a_logarithm_off_a_line_needs_positive_arguments() -> None:
    step = curve_step(CurveFunction.LOG)
    chain = Chain(SCALE, step.first, step.radius)
    for low in (SCALE.center - 1, SCALE.center):
        ends = low, SCALE.center + SCALE.unit
        assert chain.residual(CurveFunction.LOG, 1 << 12, 1 << 12, 0, 0, *ends) is None
