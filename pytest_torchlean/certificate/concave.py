"""The logarithm off a line, bounded by its tangents, in the integers of Lean's Check.Concave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_torchlean.certificate.budgets import GRANTED
from pytest_torchlean.certificate.statement import CurveFunction

if TYPE_CHECKING:
    from pytest_torchlean.certificate.curves import Chain


def concave(
    chain: Chain, unit: int, slope: tuple[int, int], lower: int, upper: int
) -> tuple[int, int] | None:
    """Bounds of unit * log + rise * (top - argument) + fall * argument, the budget included.

    The logarithm is concave: off a line it is least at an end of the interval, and nowhere above a tangent,
    here that where it is about as steep as the line. slope: rise and fall, integers over `unit`; lower and
    upper: the interval in fixed point. None where Check.Curve.concave or stepped refuses.
    """
    (rise, fall), scale = slope, chain.scale
    top, center, one = scale.top, scale.center, scale.unit
    if upper > top or not center < lower <= upper:
        return None
    steep = center + unit * one // (rise - fall) if rise > fall else upper
    touching = min(max(steep, lower), upper)
    argument = touching - center
    low, low_at_upper = (chain.logarithm_below(end - center, one) for end in (lower, upper))
    high, touched = (chain.logarithm_above(end - center, one) for end in (upper, touching))
    if low is None or low_at_upper is None or high is None or touched is None:
        return None
    at_lower, at_upper, at_touching = (
        rise * (top - point) + fall * point for point in (lower, upper, touching)
    )
    least = min(unit * low + at_lower, unit * low_at_upper + at_upper)
    tilt = unit * one + (fall - rise) * argument
    off = max(tilt, 0) * (upper - touching) + max(-tilt, 0) * (touching - lower)
    most = unit * touched + at_touching + off // argument + 1
    radius = unit * GRANTED[CurveFunction.LOG].radius(scale, low, high)
    return None if radius > least else (least - radius, most + radius)
