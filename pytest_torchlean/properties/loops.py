"""Closed loops as unsafe sets: a model controls a system that expressions or a second model give.

The state is the model's input, the control its output, as the runtime computes it; the joint graph's outputs
are the control and behind it the state. Where a second model gives the dynamics it stands behind the first in
the joint graph, and its outputs between these. What stands in expressions is exact arithmetic on all of them:
it becomes linear inequalities of inputs and outputs, and nothing is rounded. An expression that is a maximum
of minima of linear functions leads to one case for each choice that can break the claim.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import islice, product

from pytest_torchlean.errors import SpecError, UnsupportedError
from pytest_torchlean.properties.joined import JoinedExecutions
from pytest_torchlean.properties.loop_boxes import core_of, never, shell_of
from pytest_torchlean.properties.loop_states import state_in
from pytest_torchlean.spec.expressions import (
    Exact,
    Expression,
    ExpressionError,
    evaluate,
    read_expression,
    read_inequality,
)
from pytest_torchlean.spec.expressions.piecewise import Linear, Pieces, Piecewise, pieces, variable
from pytest_torchlean.spec.expressions.syntax import Variable
from pytest_torchlean.spec.formulas import error_at
from pytest_torchlean.spec.model import (
    Formula,
    InvariantProperty,
    LoopProperty,
    LyapunovProperty,
    NextState,
    elements,
)
from pytest_torchlean.spec.vnnlib import Atom, Case, InputBox, UnsafeSet

MOST_CASES = 4096
_MOST_CORNERS = 64
NO_STATE = "no state of the region was found in which all `constraints` hold"
ZERO = Fraction(0)
Numbers = tuple[Fraction, ...]


@dataclass(frozen=True)
class _Condition:
    """What must not be: the function is positive, or not negative where weak."""

    function: Piecewise
    weak: bool = False


@dataclass(frozen=True, eq=False)
class Loop:
    """A property of a closed loop, with names for the model's inputs and outputs.

    controls: also, behind those of the model, the outputs of a model that gives the dynamics. lower, upper:
    the region's box. disturbance: how far each element of the next state may be off.
    """

    prop: LoopProperty
    executions: JoinedExecutions
    states: tuple[str, ...]
    controls: tuple[str, ...]
    lower: Numbers
    upper: Numbers
    disturbance: Numbers

    @cached_property
    def trees(self) -> dict[str, Expression]:
        """The next state by name."""
        if isinstance(self.prop.dynamics, str):
            return {name: Variable(given(name)) for name in self.states}
        return {each.name: read_expression(each.formula.text) for each in self.prop.formulas}

    @property
    def following(self) -> tuple[NextState, ...]:
        """The next state as the spec writes it, by name."""
        if isinstance(self.prop.dynamics, str):
            return tuple(NextState(name, Formula(given(name), self.prop.span)) for name in self.states)
        return self.prop.formulas

    @cached_property
    def function(self) -> Expression | None:
        """The Lyapunov function."""
        prop = self.prop
        return read_expression(prop.function.text) if isinstance(prop, LyapunovProperty) else None

    @cached_property
    def constraints(self) -> tuple[Expression, ...]:
        """Functions that are at most 0 in the region."""
        prop = self.prop
        found = prop.constraints if isinstance(prop, InvariantProperty) else ()
        return tuple(read_inequality(formula.text) for formula in found)

    @cached_property
    def ball(self) -> Numbers:
        """Half the sides of the box around the origin."""
        assert isinstance(self.prop, LyapunovProperty)
        return elements(self.prop.ball, len(self.states), what="ball", span=self.prop.span)

    @property
    def region(self) -> InputBox:
        """All states that the claim speaks of."""
        return InputBox(self.lower, self.upper)

    @cached_property
    def core(self) -> InputBox:
        """The ball, as far as it lies in the region."""
        return core_of(self.region, self.ball)

    @cached_property
    def shell(self) -> tuple[InputBox, ...]:
        """Boxes that cover the rest of the region. Raises SpecError TL0317 where there are none."""
        found = shell_of(self.region, self.ball)
        if not found:
            raise SpecError("TL0317", "the ball holds the whole region", span=self.prop.span)
        return found

    @cached_property
    def _cases(self) -> tuple[Case, ...]:
        return tuple(islice(_Cases(self).all(), MOST_CASES + 1))

    @property
    def alone(self) -> bool:
        """Whether the expressions alone exclude every way to break the claim."""
        return not self._cases

    @cached_property
    def unsafe(self) -> UnsafeSet:
        """What must not happen. Raises UnsupportedError TL0363, SpecError TL0317."""
        cases = self._cases
        if len(cases) > MOST_CASES:
            raise UnsupportedError("TL0363", f"the expressions lead to more than {MOST_CASES} cases")
        if not cases:
            cases = (never(self.region, len(self.controls)),)
        return UnsafeSet(len(self.states), len(self.controls) + len(self.states), cases)

    def next_states(
        self, point: Sequence[Fraction], outputs: Sequence[Fraction]
    ) -> Iterator[dict[str, Fraction]]:
        """The exact next state, then those at the ends of the disturbances."""
        values = dict(
            zip((*self.controls, *self.states), (*outputs[: len(self.controls)], *point), strict=True)
        )
        following = {name: evaluate(tree, values, Exact()) for name, tree in self.trees.items()}
        yield following
        sides = [(-width, width) if width else (ZERO,) for width in self.disturbance]
        for _, ends in zip(range(_MOST_CORNERS), product(*sides), strict=False):
            if any(ends):
                yield {name: following[name] + end for name, end in zip(self.states, ends, strict=True)}

    def broken(self, point: Sequence[Fraction], outputs: Sequence[Fraction]) -> str | None:
        """What a step from a state breaks, in words; None where it does not. The point lies in the region."""
        state = dict(zip(self.states, point, strict=True))
        if any(evaluate(tree, state, Exact()) > 0 for tree in self.constraints):
            return None
        for following in self.next_states(point, outputs):
            found = self._leaves(state, following) if self.function is None else self._rises(state, following)
            if found is not None:
                return found
        return None

    def _leaves(self, state: dict[str, Fraction], following: dict[str, Fraction]) -> str | None:
        step = f"the step from {_shown(state)} leads to {_shown(following)}"
        for name, low, high in zip(self.states, self.lower, self.upper, strict=True):
            if not low <= following[name] <= high:
                return f"{step}: {name} leaves [{low}, {high}]"
        assert isinstance(self.prop, InvariantProperty | LyapunovProperty)
        for tree, formula in zip(self.constraints, getattr(self.prop, "constraints", ()), strict=False):
            over = evaluate(tree, following, Exact())
            if over > 0:
                return f"{step}, where `{formula.text}` fails by {_short(over)}"
        return None

    def _rises(self, state: dict[str, Fraction], following: dict[str, Fraction]) -> str | None:
        prop, function = self.prop, self.function
        assert isinstance(prop, LyapunovProperty)
        assert function is not None
        before, after = (evaluate(function, values, Exact()) for values in (state, following))
        outside = any(abs(state[name]) >= half for name, half in zip(self.states, self.ball, strict=True))
        if outside and before <= 0:
            return f"the function is {_short(before)} at {_shown(state)}, not positive"
        if prop.level is not None and before > prop.level:
            return None
        step = f"the step from {_shown(state)} leads to {_shown(following)}"
        if outside and (after > before - prop.decrease or (prop.decrease == 0 and after >= before)):
            wanted = f" by {prop.decrease}" if prop.decrease else ""
            values = f"{_short(before)} to {_short(after)}"
            return f"{step}: the function goes from {values} and is not lowered{wanted}"
        if prop.level is None:
            return None
        if after > prop.level:
            return f"{step}, where the function is {_short(after)}, above the level {prop.level}"
        return self._leaves(state, following)


class _Cases:
    """The cases of a loop: exact, but that each inequality takes the disturbance that is worst for it."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._algebra = Pieces()
        self._now = {name: variable(name) for name in (*loop.states, *loop.controls)}
        self._next = {
            each.name: self._of(
                each.formula, loop.trees[each.name], self._now, f"`{each.name}` in `dynamics`"
            )
            for each in loop.following
        }
        self._off = {name: variable(off(name)) for name in loop.states}

    def all(self) -> Iterator[Case]:
        prop, loop = self._loop.prop, self._loop
        if isinstance(prop, InvariantProperty):
            box = loop.region
            label = "an entry of `constraints`"
            given = [
                self._of(formula, tree, self._now, label)
                for formula, tree in zip(prop.constraints, loop.constraints, strict=True)
            ]
            kept = [
                self._of(formula, tree, self._moved(), label)
                for formula, tree in zip(prop.constraints, loop.constraints, strict=True)
            ]
            rounded = prop.chosen_semantics == "binary32"
            if given and state_in(box, loop.states, given, rounded=rounded) is None:
                raise SpecError("TL0317", NO_STATE, span=prop.span)
            where = [self._at_most_zero(one) for one in given]
            for condition in [*self._leaving(), *map(_Condition, kept)]:
                yield from self._cases(box, [condition, *where])
            return
        assert isinstance(prop, LyapunovProperty)
        assert loop.function is not None
        before = self._of(prop.function, loop.function, self._now, "`function`")
        after = self._of(prop.function, loop.function, self._moved(), "`function`")
        bounded = []
        if prop.level is not None:
            bounded = [self._at_most_zero(self._less(before, self._algebra.number(prop.level)))]
        rising = self._algebra.add(self._less(after, before), self._algebra.number(prop.decrease))
        shell, core = loop.shell, loop.core
        for box in shell:
            yield from self._cases(box, [self._at_most_zero(before)])
            yield from self._cases(box, [_Condition(rising, weak=prop.decrease == 0), *bounded])
        if prop.level is None:
            return
        above = _Condition(self._less(after, self._algebra.number(prop.level)))
        for box in (*shell, core):
            for condition in [*self._leaving(), *([above] if box is core else [])]:
                yield from self._cases(box, [condition, *bounded])

    def _of(self, formula: Formula, tree: Expression, values: dict[str, Piecewise], label: str) -> Piecewise:
        try:
            return pieces(tree, values)
        except ExpressionError as error:
            problem = error_at(error, formula, label, "TL0363")
            raise UnsupportedError("TL0363", problem.message, fix=error.fix, span=problem.span) from None

    def _moved(self) -> dict[str, Piecewise]:
        """The next state with its disturbance."""
        return {name: self._algebra.add(value, self._off[name]) for name, value in self._next.items()}

    def _less(self, left: Piecewise, right: Piecewise) -> Piecewise:
        return self._algebra.add(left, self._algebra.scale(Fraction(-1), right))

    def _at_most_zero(self, function: Piecewise) -> _Condition:
        return _Condition(self._algebra.scale(Fraction(-1), function), weak=True)

    def _leaving(self) -> list[_Condition]:
        """An element of the next state is below or above the region's box."""
        loop, moved, found = self._loop, self._moved(), []
        for name, low, high in zip(loop.states, loop.lower, loop.upper, strict=True):
            found.append(_Condition(self._less(self._algebra.number(low), moved[name])))
            found.append(_Condition(self._less(moved[name], self._algebra.number(high))))
        return found

    def _cases(self, box: InputBox, conditions: Sequence[_Condition]) -> Iterator[Case]:
        """The cases in which all conditions hold."""
        choices = [[(one.weak, group) for group in one.function.groups] for one in conditions]
        for number, choice in enumerate(product(*choices)):
            if number > MOST_CASES:
                raise UnsupportedError("TL0363", f"the expressions lead to more than {MOST_CASES} cases")
            atoms = [self._atom(linear, weak) for weak, group in choice for linear in group]
            if any(_never(atom) for atom in atoms):
                continue
            yield Case(box, tuple(dict.fromkeys(atom for atom in atoms if atom.outputs)))

    def _atom(self, linear: Linear, weak: bool) -> Atom:
        """`linear` is positive, or not negative where weak: its negation is below 0."""
        values = dict(linear.terms)
        loop, constant = self._loop, linear.constant
        for name, width in zip(loop.states, loop.disturbance, strict=True):
            constant += abs(values.get(off(name), ZERO)) * width
        names = (*loop.controls, *loop.states)
        terms = tuple((place, -values[name]) for place, name in enumerate(names) if name in values)
        return Atom((), terms, -constant, not weak)


def given(name: str) -> str:
    """The name of an element of the state that a model gave, which no expression can have."""
    return f"{name}'"


def off(name: str) -> str:
    """The name of a disturbance, which no expression can have."""
    return f"{name} off"


def _never(atom: Atom) -> bool:
    """Whether an atom without variables is false."""
    if atom.outputs:
        return False
    return atom.constant > 0 or (atom.constant == 0 and atom.strict)


def _shown(state: dict[str, Fraction]) -> str:
    pairs = [f"{name} = {_short(value)}" for name, value in list(state.items())[:6]]
    return ", ".join(pairs) + (", ..." if len(state) > 6 else "")


def _short(number: Fraction) -> str:
    return f"{float(number):.9g}"
