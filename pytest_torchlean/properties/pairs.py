"""Properties of pairs: two models on one input, or one model on two inputs, as unsafe sets of a joint graph.

The joint input is what both copies share, and behind it what the second copy gets instead. An unsafe set says
in exact linear inequalities of the joint input and both outputs what must not happen, as a VNN-LIB file does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from pytest_torchlean.errors import SourceSpan, SpecError, UnsupportedError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.names import printable, quoted
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.joined import JoinedExecutions, Part, Steps
from pytest_torchlean.properties.norms import directions_of, length, sloped
from pytest_torchlean.spec.model import (
    Bounds,
    Element,
    EquivalentProperty,
    LipschitzProperty,
    MonotoneProperty,
    PropertySpec,
    elements,
)
from pytest_torchlean.spec.vnnlib import Atom, Case, InputBox, UnsafeSet

PairProperty = EquivalentProperty | MonotoneProperty | LipschitzProperty
MOST_CASES = 4096
ONE = Fraction(1)


@dataclass(frozen=True, eq=False)
class Pair:
    """The joint graph's executions, and what must not happen in it.

    along: the inputs that get steps.
    """

    prop: PairProperty
    executions: JoinedExecutions
    unsafe: UnsafeSet
    along: tuple[int, ...] = ()

    def broken(self, point: Sequence[Fraction], outputs: Sequence[Fraction]) -> str | None:
        """What two executions break, in words; None where they do not.

        point: the joint input, which must lie in the joint box. outputs: those of both copies.
        """
        half = _sizes(self.executions.parts[0].executions.graph)[1]
        first, second = outputs[:half], outputs[half : 2 * half]
        if isinstance(self.prop, MonotoneProperty):
            before = [point[number] for number in self.along]
            return _wrong_way(self.prop, before, point[len(point) - len(before) :], first, second)
        if isinstance(self.prop, LipschitzProperty):
            return _too_steep(self.prop, point[len(point) - len(self.along) :], first, second)
        if self.prop.tolerance is not None:
            return _apart(self.prop, first, second)
        return _other_class(self.prop, first, second)


def is_pair(prop: PropertySpec) -> bool:
    """Whether a property is about two executions at once."""
    return isinstance(prop, PairProperty)


def pair_of(prop: PropertySpec, first: Executions, other: Executions | None) -> Pair:
    """The pair of a property; other: the second model of an equivalence.

    Raises SpecError TL0317, TL0318, TL0350, TL0351, UnsupportedError TL0203, TL0290.
    """
    inputs, outputs = _sizes(first.graph)
    if inputs == 0:
        raise UnsupportedError("TL0203", "the model has no input element that could lie in the box")
    if isinstance(prop, EquivalentProperty) and other is not None:
        _require_fit(prop, first, other)
        both = np.arange(inputs)
        parts = (Part("model: ", first, both), Part("to: ", other, both))
        shape = first.graph.types[first.graph.inputs[0]].shape if len(first.graph.inputs) == 1 else (inputs,)
        return Pair(prop, JoinedExecutions.of(parts, shape), _equivalent(prop, inputs, outputs))
    if isinstance(prop, MonotoneProperty):
        along = positions(prop.along, first.graph, prop.span)
        return Pair(
            prop, _stepped(first, Steps(inputs, along)), _monotone(prop, along, inputs, outputs), along
        )
    if isinstance(prop, LipschitzProperty):
        along = tuple(range(inputs)) if prop.along is None else positions(prop.along, first.graph, prop.span)
        steps = Steps(inputs, along, stated=True)
        return Pair(prop, _stepped(first, steps), _lipschitz(prop, along, inputs, outputs), along)
    raise UnsupportedError("TL0290", f"a {prop.check} property is not about pairs")


def _stepped(first: Executions, steps: Steps) -> JoinedExecutions:
    """A copy on the input, and one on the input with steps added. Raises UnsupportedError TL0290."""
    if first.integers is not None:
        raise UnsupportedError(
            "TL0290", "steps are added to binary32 inputs, but the preprocessing takes integers"
        )
    before, after = np.arange(steps.inputs), np.arange(steps.inputs)
    after[list(steps.along)] = steps.inputs + np.arange(len(steps.along))
    parts = (Part("before: ", first, before), Part("after: ", first, after))
    return JoinedExecutions.of(parts, (steps.inputs + len(steps.along),), steps)


def _sizes(graph: Graph) -> tuple[int, int]:
    return (
        sum(graph.types[name].size for name in graph.inputs),
        sum(graph.types[name].size for name in graph.outputs),
    )


def _require_fit(prop: EquivalentProperty, first: Executions, other: Executions) -> None:
    pairs = [[graph.types[name] for name in graph.inputs] for graph in (first.graph, other.graph)]
    if pairs[0] != pairs[1]:
        shown = [", ".join(f"{kind.dtype}{list(kind.shape)}" for kind in kinds) for kinds in pairs]
        raise SpecError("TL0350", f"the model takes {shown[0]}, `{prop.to}` takes {shown[1]}", span=prop.span)
    sizes = [_sizes(graph)[1] for graph in (first.graph, other.graph)]
    if sizes[0] != sizes[1]:
        raise SpecError(
            "TL0350", f"the model gives {sizes[0]} outputs, `{prop.to}` gives {sizes[1]}", span=prop.span
        )
    if first.integers != other.integers:
        raise SpecError(
            "TL0350", f"the model and `{prop.to}` take raw inputs of different types", span=prop.span
        )


def positions(chosen: Sequence[Element], graph: Graph, span: SourceSpan | None) -> tuple[int, ...]:
    """Positions over all input elements in the order given, which numbers beside them follow; each once.

    Raises SpecError TL0351.
    """
    starts, start = {}, 0
    for name in graph.inputs:
        starts[name] = range(start, start + graph.types[name].size)
        start += graph.types[name].size
    found: dict[int, None] = {}
    for element in chosen:
        if isinstance(element, str):
            if element not in starts:
                names = ", ".join(printable(name) for name in starts)
                raise SpecError(
                    "TL0351",
                    f"the model has no input {quoted(element)}",
                    fix=f"its inputs are {names}",
                    span=span,
                )
            found |= dict.fromkeys(starts[element])
        elif element >= start:
            raise SpecError(
                "TL0351", f"there is no input element {element}: the model takes {start}", span=span
            )
        else:
            found[element] = None
    return tuple(found)


def _outputs(chosen: tuple[int, ...] | None, outputs: int, span: SourceSpan | None) -> tuple[int, ...]:
    for number in chosen or ():
        if number >= outputs:
            raise SpecError("TL0351", f"there is no output {number}: the model gives {outputs}", span=span)
    return tuple(range(outputs)) if chosen is None else chosen


def _box(bounds: Bounds, inputs: int, span: SourceSpan | None) -> InputBox:
    lower = elements(bounds.lower, inputs, what="input.lower", span=span)
    upper = elements(bounds.upper, inputs, what="input.upper", span=span)
    for low, high in zip(lower, upper, strict=True):
        if low > high:
            raise SpecError("TL0318", f"the input box is empty: {low} > {high}", span=span)
    return InputBox(lower, upper)


def _equivalent(prop: EquivalentProperty, inputs: int, outputs: int) -> UnsafeSet:
    box = _box(prop.input, inputs, prop.span)
    if prop.tolerance is not None:
        tolerance = elements(prop.tolerance, outputs, what="tolerance", span=prop.span)
        cases = [
            Case(box, (Atom((), ((number, sign), (outputs + number, -sign)), tolerance[number], True),))
            for number in range(outputs)
            for sign in (ONE, -ONE)
        ]
        return UnsafeSet(inputs, 2 * outputs, tuple(cases))
    if outputs < 2:
        raise SpecError(
            "TL0317", f"`same: class` needs two classes, the models give {outputs}", span=prop.span
        )
    if outputs * (outputs - 1) > MOST_CASES:
        raise SpecError("TL0317", f"`same: class` of {outputs} classes has too many cases", span=prop.span)
    cases = []
    for label in range(outputs):
        leads = tuple(
            Atom(
                (),
                ((outputs + rival, ONE), (outputs + label, -ONE)),
                prop.margin,
                prop.margin == 0,
            )
            for rival in range(outputs)
            if rival != label
        )
        for rival in range(outputs):
            if rival != label:
                beaten = Atom((), ((label, ONE), (rival, -ONE)), Fraction(0), prop.margin == 0)
                cases.append(Case(box, (beaten, *leads)))
    return UnsafeSet(inputs, 2 * outputs, tuple(cases))


def _monotone(prop: MonotoneProperty, along: tuple[int, ...], inputs: int, outputs: int) -> UnsafeSet:
    """Unsafe: an output moves the wrong way by more than the slack, whatever the steps."""
    steps = elements(prop.by, len(along), what="by", span=prop.span)
    sign = ONE if prop.direction == "nondecreasing" else -ONE
    box = _box(prop.input, inputs, prop.span)
    box = InputBox((*box.lower, *(Fraction(0) for _ in along)), (*box.upper, *steps))
    cases = [
        Case(box, (Atom((), ((number, -sign), (outputs + number, sign)), prop.slack, True),))
        for number in _outputs(prop.outputs, outputs, prop.span)
    ]
    return UnsafeSet(inputs + len(along), 2 * outputs, tuple(cases))


def _lipschitz(prop: LipschitzProperty, along: tuple[int, ...], inputs: int, outputs: int) -> UnsafeSet:
    """Unsafe: an output rises, or falls, by more than slack + constant * (u, step) for every direction u.

    Of a single step the sign is known in each half of its interval. Both halves are asked about: only one of
    the two inputs need lie in the box, so neither half says what the other one does.
    """
    box = _box(prop.input, inputs, prop.span)
    apart = elements(prop.apart, len(along), what="apart", span=prop.span)
    least, none = tuple(-step for step in apart), (Fraction(0),) * len(apart)
    slopes = (prop.constant, -prop.constant) if prop.constant else ()
    directions = directions_of(prop.norm, len(along))
    ranges: list[tuple[tuple[Fraction, ...], tuple[Fraction, ...], tuple[Fraction, ...]]]
    if len(along) == 1 and slopes:
        ranges = [(none, apart, slopes[:1]), (least, none, slopes[1:])]
    else:
        ranges = [(least, apart, slopes)]
    cases = []
    for low, high, chosen in ranges:
        joint = InputBox((*box.lower, *low), (*box.upper, *high))
        for number in _outputs(prop.outputs, outputs, prop.span):
            for sign in (ONE, -ONE):
                moves = ((number, sign), (outputs + number, -sign))
                atoms = [
                    Atom((), (*moves, *sloped(2 * outputs, direction, slope)), prop.slack, True)
                    for direction in directions
                    for slope in chosen
                ]
                cases.append(Case(joint, tuple(atoms) or (Atom((), moves, prop.slack, True),)))
    return UnsafeSet(inputs + len(along), 2 * outputs + len(along), tuple(cases))


def _apart(prop: EquivalentProperty, first: Sequence[Fraction], second: Sequence[Fraction]) -> str | None:
    assert prop.tolerance is not None
    tolerance = elements(prop.tolerance, len(first), what="tolerance", span=prop.span)
    worst = max(range(len(first)), key=lambda k: abs(first[k] - second[k]) - tolerance[k])
    distance = abs(first[worst] - second[worst])
    if distance <= tolerance[worst]:
        return None
    return (
        f"output {worst} is {_short(first[worst])}, that of `{prop.to}` {_short(second[worst])}: "
        f"{_short(distance)} apart, more than the tolerance {tolerance[worst]}"
    )


def _other_class(
    prop: EquivalentProperty, first: Sequence[Fraction], second: Sequence[Fraction]
) -> str | None:
    label = max(range(len(second)), key=lambda k: second[k])
    lead = second[label] - max(value for k, value in enumerate(second) if k != label)
    rival = max((k for k in range(len(first)) if k != label), key=lambda k: first[k])
    if prop.margin == 0:
        if lead <= 0 or first[rival] <= first[label]:
            return None
    elif lead < prop.margin or first[rival] < first[label]:
        return None
    return (
        f"`{prop.to}` says class {label}, by {_short(lead)}; the model gives class {rival} "
        f"{_short(first[rival])}, not below class {label} with {_short(first[label])}"
    )


def _wrong_way(
    prop: MonotoneProperty,
    before: Sequence[Fraction],
    steps: Sequence[Fraction],
    first: Sequence[Fraction],
    second: Sequence[Fraction],
) -> str | None:
    sign = 1 if prop.direction == "nondecreasing" else -1
    chosen = range(len(first)) if prop.outputs is None else prop.outputs
    worst = min(chosen, key=lambda k: sign * (second[k] - first[k]))
    if sign * (second[worst] - first[worst]) >= -prop.slack:
        return None
    pairs = list(zip(before, steps, strict=True))
    moves = ", ".join(f"{_short(value)} by {_short(step)}" for value, step in pairs[:4])
    more = ", ..." if len(pairs) > 4 else ""
    verb = "falls" if sign > 0 else "rises"
    allowed = f", more than the slack {prop.slack}" if prop.slack else ""
    return (
        f"raised from {moves}{more}: output {worst} {verb} from {_short(first[worst])} to "
        f"{_short(second[worst])}{allowed}"
    )


def _too_steep(
    prop: LipschitzProperty, steps: Sequence[Fraction], first: Sequence[Fraction], second: Sequence[Fraction]
) -> str | None:
    distance = length(prop.norm, steps)
    chosen = range(len(first)) if prop.outputs is None else prop.outputs
    worst = max(chosen, key=lambda k: abs(second[k] - first[k]))
    move = abs(second[worst] - first[worst])
    if move <= prop.constant * distance + prop.slack:
        return None
    steep = f", {_short(move / distance)} times as far" if distance else ""
    return (
        f"inputs {_short(distance)} apart have values of output {worst} {_short(move)} apart{steep}: "
        f"{_short(first[worst])} and {_short(second[worst])}"
    )


def _short(number: Fraction) -> str:
    return f"{float(number):.9g}"
