"""Does one point refute a property? Decided in exact arithmetic, for replays and for falsifiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_torchlean.binary32.ulp import exact
from pytest_torchlean.bounds.falsify import binary32_hull
from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.properties.derivative_claims import Derived
from pytest_torchlean.properties.loops import Loop
from pytest_torchlean.properties.nonlinear_loops import NonlinearLoop
from pytest_torchlean.properties.pairs import Pair
from pytest_torchlean.properties.unsafe import in_box, reached
from pytest_torchlean.spec.model import (
    PropertySpec,
    RangeProperty,
    RobustnessProperty,
    elements,
)
from pytest_torchlean.spec.vnnlib import UnsafeSet


@dataclass(frozen=True)
class Reference:
    """The data-set row that a ball is around: its numbers and its class."""

    values: tuple[Fraction, ...]
    label: int


Context = Reference | UnsafeSet | Pair | Loop | NonlinearLoop | Derived | None
"""What a property refers to besides its own numbers: a row of data, the content of a VNN-LIB file, or
what two executions, or a step of a closed loop, must not do."""


def region(
    prop: PropertySpec, size: int, reference: Context
) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """Lower and upper corner of the region, `size` numbers each: the box, or the ball cut to the domain.

    Raises SpecError TL0318 where the spec lists another number of bounds, UnsupportedError TL0290 for a
    property without a region.
    """
    if isinstance(prop, RangeProperty):
        return (
            elements(prop.input.lower, size, what="input.lower", span=prop.span),
            elements(prop.input.upper, size, what="input.upper", span=prop.span),
        )
    if isinstance(prop, RobustnessProperty) and isinstance(reference, Reference):
        lower = tuple(value - prop.epsilon for value in reference.values)
        upper = tuple(value + prop.epsilon for value in reference.values)
        if prop.domain is not None:
            least = elements(prop.domain.lower, size, what="domain.lower", span=prop.span)
            most = elements(prop.domain.upper, size, what="domain.upper", span=prop.span)
            lower = tuple(max(pair) for pair in zip(lower, least, strict=True))
            upper = tuple(min(pair) for pair in zip(upper, most, strict=True))
        return lower, upper
    raise UnsupportedError("TL0290", f"a {prop.check} property has no region with witnesses")


def inside(prop: PropertySpec, point: Sequence[Fraction], reference: Context) -> bool:
    """Whether a point lies in the property's region, exactly; under binary32 in the region's hull."""
    if isinstance(reference, Pair | Loop | NonlinearLoop | Derived):
        reference = reference.unsafe
    if isinstance(reference, UnsafeSet):
        hull = prop.chosen_semantics == "binary32"
        return any(in_box(case.box, point, hull=hull) for case in reference.cases)
    lower, upper = region(prop, len(point), reference)
    if prop.chosen_semantics == "binary32":
        low, high = binary32_hull(lower, upper)
        lower, upper = tuple(map(exact, low)), tuple(map(exact, high))
    return all(low <= value <= high for low, value, high in zip(lower, point, upper, strict=True))


def violation(
    prop: PropertySpec,
    outputs: Sequence[Fraction],
    reference: Context,
    point: Sequence[Fraction] = (),
) -> str | None:
    """The first broken inequality of these outputs in words, or None where the property holds.

    point: the input, which an inequality of a VNN-LIB file may be about. A class is kept only while its
    output is strictly above every other.
    """
    if isinstance(prop, RangeProperty):
        return _outside(prop, outputs)
    if isinstance(reference, Pair | Loop | NonlinearLoop | Derived):
        return reference.broken(point, outputs)
    if isinstance(reference, UnsafeSet):
        return reached(reference, point, outputs, hull=prop.chosen_semantics == "binary32")
    if isinstance(prop, RobustnessProperty) and isinstance(reference, Reference):
        own = outputs[reference.label]
        others = [index for index, value in enumerate(outputs) if index != reference.label and value >= own]
        if not others:
            return None
        rival = max(others, key=lambda index: outputs[index])
        return (
            f"output {rival} is {float(outputs[rival]):.9g}, not below output {reference.label} "
            f"({float(own):.9g}) of the right class"
        )
    raise UnsupportedError("TL0290", f"a {prop.check} property has no inequality to break")


def _outside(prop: RangeProperty, outputs: Sequence[Fraction]) -> str | None:
    size = len(outputs)
    if prop.output.lower is not None:
        least = elements(prop.output.lower, size, what="output.lower", span=prop.span)
        for index, (value, bound) in enumerate(zip(outputs, least, strict=True)):
            if value < bound or (prop.strict and value == bound):
                return (
                    f"output {index} is {float(value):.9g}, {_relation(value, bound)} the lower bound {bound}"
                )
    if prop.output.upper is not None:
        most = elements(prop.output.upper, size, what="output.upper", span=prop.span)
        for index, (value, bound) in enumerate(zip(outputs, most, strict=True)):
            if value > bound or (prop.strict and value == bound):
                return (
                    f"output {index} is {float(value):.9g}, {_relation(value, bound)} the upper bound {bound}"
                )
    return None


def _relation(value: Fraction, bound: Fraction) -> str:
    if value == bound:
        return "exactly"
    return "below" if value < bound else "above"
