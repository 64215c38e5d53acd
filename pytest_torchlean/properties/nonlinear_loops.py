"""Closed loops whose expressions are not piecewise linear, or whose time is continuous.

What the claim compares is multiplied out, so that what cancels is gone before anything is bounded. Its
monomials become nodes behind the model's own graph; written as ONNX that runs on onnxruntime, which the guard
compares with what Lean is given. The inequalities are linear in the monomials, with exact numbers, and
arithmetic is exact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import CurveNode
from pytest_torchlean.derivatives import Builder
from pytest_torchlean.errors import SpecError, UnsupportedError
from pytest_torchlean.ir.graph import Graph, ValueType
from pytest_torchlean.onnx_export.write import to_onnx
from pytest_torchlean.onnx_import import lower as lower_model
from pytest_torchlean.properties.closing import loop_of
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.joined import join
from pytest_torchlean.properties.loop_boxes import faces_of, never
from pytest_torchlean.properties.loop_states import any_state_in
from pytest_torchlean.properties.loops import NO_STATE, Loop, off
from pytest_torchlean.properties.monomials import Monomials
from pytest_torchlean.properties.unsafe import in_box
from pytest_torchlean.spec.expressions import Expression, ExpressionError
from pytest_torchlean.spec.expressions.polynomial import (
    Called,
    Monomial,
    Polynomial,
    Polynomials,
    derivative,
    partial_in,
    polynomial,
    variable,
    written,
)
from pytest_torchlean.spec.formulas import error_at
from pytest_torchlean.spec.model import Formula, InvariantProperty, LoopProperty, LyapunovProperty
from pytest_torchlean.spec.vnnlib import Atom, Case, InputBox, UnsafeSet

MINUS = Fraction(-1)
UNCERTAIN = Fraction(1, 2**100)
"""Exact arithmetic takes smooth functions to within 2^-180: less than this beyond a bound, times the sizes of
the coefficients, is no violation.
"""


@dataclass(frozen=True)
class _Condition:
    """What must not be: the polynomial is positive, or not negative where weak. words: what that means."""

    polynomial: Polynomial
    words: str
    weak: bool = False


@dataclass(frozen=True, eq=False)
class NonlinearLoop:
    """The executions of the graph with monomials, what must not happen in it, and by case that in words and
    what these are about. smooth: whether exact arithmetic only comes close to some of the monomials.
    """

    prop: LoopProperty
    executions: Executions
    unsafe: UnsafeSet
    words: tuple[tuple[str, Atom], ...]
    smooth: bool
    states: tuple[str, ...]
    controls: tuple[str, ...]
    outputs: tuple[str, ...]
    shipped: Executions
    """Of the models alone, each on its own bytes."""

    @property
    def sha256(self) -> str:
        """The digest of the ONNX form of the graph."""
        return hashlib.sha256(self.executions.model.data).hexdigest()

    def broken(self, point: Sequence[Fraction], outputs: Sequence[Fraction]) -> str | None:
        """The first case that a state is in, in words; None where it is in none."""
        for case, (words, about) in zip(self.unsafe.cases, self.words, strict=True):
            holds = all(self._certain(atom, outputs) for atom in case.atoms)
            if holds and in_box(case.box, point, hull=False):
                shown = ", ".join(
                    f"{name} = {float(value):.9g}" for name, value in zip(self.states, point, strict=False)
                )
                return f"at {shown}: {words} ({float(-_sum(about, outputs)):.9g} above what is allowed)"
        return None

    def _certain(self, atom: Atom, outputs: Sequence[Fraction]) -> bool:
        """Whether an inequality holds whatever exact arithmetic leaves open."""
        value = _sum(atom, outputs)
        if self.smooth:
            return value <= -UNCERTAIN * (1 + sum((abs(factor) for _, factor in atom.outputs), Fraction(0)))
        return value < 0 if atom.strict else value <= 0


def _sum(atom: Atom, outputs: Sequence[Fraction]) -> Fraction:
    return atom.constant + sum((factor * outputs[place] for place, factor in atom.outputs), Fraction(0))


def closed_loop_of(
    prop: LoopProperty, executions: Executions, other: Executions | None = None
) -> Loop | NonlinearLoop:
    """The loop of a property and a model, by linear pieces where its expressions are that.

    other: the model that gives the dynamics. Raises what `loop_of` and `Loop.unsafe` raise.
    """
    loop = loop_of(prop, executions, other)
    if other is not None:
        joined = loop.executions
        executions = replace(executions, graph=join(joined.parts, joined.shape))
    if isinstance(prop, LyapunovProperty) and prop.time == "continuous":
        return _nonlinear(loop, executions)
    try:
        _ = loop.unsafe
    except UnsupportedError as error:
        if prop.chosen_semantics == "real":
            return _nonlinear(loop, executions)
        fix = "write `semantics: real`, which takes products and smooth functions"
        raise UnsupportedError("TL0363", error.message, fix=fix, span=error.span) from None
    return loop


def _nonlinear(loop: Loop, executions: Executions) -> NonlinearLoop:
    prop = loop.prop
    if prop.chosen_semantics != "real":
        raise UnsupportedError(
            "TL0363",
            "products, smooth functions and continuous time need exact arithmetic",
            fix="write `semantics: real`",
            span=prop.span,
        )
    claims = _Claims(loop)
    found = [case for case in claims.all() if not any(map(_impossible, case[1]))]
    compared = [term for _, conditions in found for one in conditions for term in one.polynomial.terms]
    # what cancels must have a value all the same
    monomials = list(dict.fromkeys([*(one for one, _ in compared if one), *claims.partial]))
    first = ((loop.states[0], 1),)
    if not found or not monomials:
        monomials = [first, *(one for one in monomials if one != first)]
    disturbed = any(loop.disturbance)
    try:
        graph = _graph(loop, executions.graph, monomials, disturbed=disturbed)
    except ExpressionError as error:
        raise UnsupportedError("TL0363", str(error), fix=error.fix, span=prop.span) from None
    data = to_onnx(graph, folded=False)
    model = replace(executions.model, data=data, sha256=hashlib.sha256(data).hexdigest())
    places = {monomial: place for place, monomial in enumerate(monomials)}
    off_low = tuple(-width for width in loop.disturbance) if disturbed else ()
    off_high = loop.disturbance if disturbed else ()
    boxes: dict[InputBox, InputBox] = {}
    cases, words = [], []
    for box, conditions in found:
        whole = boxes.setdefault(box, InputBox((*box.lower, *off_low), (*box.upper, *off_high)))
        atoms = [_atom(one, places) for one in conditions]
        kept = tuple(dict.fromkeys(atom for atom in atoms if atom.outputs))
        cases.append(Case(whole, kept))
        words.append((conditions[0].words, atoms[0]))
    if not cases:
        box = InputBox((*loop.lower, *off_low), (*loop.upper, *off_high))
        cases = [never(box, 0)]
        words = [("the state lies outside of the region", cases[0].atoms[0])]
    unsafe = UnsafeSet(len(loop.states) + len(off_low), len(monomials), tuple(cases))
    outputs = tuple(map(written, monomials))
    executions = Executions(model, lower_model(model))
    return NonlinearLoop(
        prop,
        executions,
        unsafe,
        tuple(words),
        _is_smooth(executions),
        loop.states,
        loop.controls,
        outputs,
        loop.executions,
    )


def _is_smooth(executions: Executions) -> bool:
    """Whether the graph computes functions whose values are not rational."""
    try:
        return any(isinstance(node, CurveNode) for node in lower_to_program(executions.graph).nodes)
    except UnsupportedError:
        return True


def _graph(loop: Loop, graph: Graph, monomials: Sequence[Monomial], *, disturbed: bool) -> Graph:
    """The model's graph with these monomials as its only output."""
    names: dict[str, tuple[str, int]] = {}
    inputs, types = graph.inputs, dict(graph.types)
    if disturbed:
        extra = "disturbance"
        while extra in types:
            extra += "_"
        types = {**types, extra: ValueType("float32", (len(loop.states),))}
        graph = replace(graph, inputs=(*inputs, extra), types=types)
        names |= {off(name): (extra, place) for place, name in enumerate(loop.states)}
    builder = Builder(graph)
    for node in graph.nodes:
        builder.keep(node)
    for known, values in ((loop.states, inputs), (loop.controls, graph.outputs)):
        elements = [(value, place) for value in values for place in range(graph.types[value].size)]
        names |= dict(zip(known, elements, strict=True))
    return builder.graph([Monomials(builder, names).vector(monomials)])


def _atom(condition: _Condition, places: dict[Monomial, int]) -> Atom:
    """The polynomial's negation is below 0, or at most 0 where weak."""
    constant, terms = Fraction(0), []
    for monomial, value in condition.polynomial.terms:
        if monomial:
            terms.append((places[monomial], -value))
        else:
            constant = -value
    return Atom((), tuple(sorted(terms)), constant, not condition.weak)


def _impossible(condition: _Condition) -> bool:
    """Whether a condition is a number, and fails."""
    known = condition.polynomial.constant
    return known is not None and (known < 0 or (known == 0 and not condition.weak))


class _Claims:
    """The boxes of a loop with the conditions that must not hold in them together."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._algebra = Polynomials()
        self.partial: dict[Monomial, None] = {}
        """Roots and quotients of what varies, each of which must have a value."""
        now = {name: variable(name) for name in (*loop.states, *loop.controls)}
        self._now = now
        self._next = {
            each.name: self._of(each.formula, loop.trees[each.name], now, f"`{each.name}` in `dynamics`")
            for each in loop.following
        }
        if any(loop.disturbance):
            self._next = {
                name: self._algebra.add(value, variable(off(name))) if width else value
                for (name, value), width in zip(self._next.items(), loop.disturbance, strict=True)
            }

    def all(self) -> Iterator[tuple[InputBox, list[_Condition]]]:
        prop = self._loop.prop
        if isinstance(prop, InvariantProperty):
            yield from self._invariant(prop)
        elif isinstance(prop, LyapunovProperty):
            yield from self._falling(prop)

    def _invariant(self, prop: InvariantProperty) -> Iterator[tuple[InputBox, list[_Condition]]]:
        loop, label = self._loop, "an entry of `constraints`"
        box = loop.region
        if loop.constraints and not any_state_in(box, loop.states, loop.constraints):
            raise SpecError("TL0317", NO_STATE, span=prop.span)
        where = [
            self._at_most_zero(self._of(formula, tree, self._now, label))
            for formula, tree in zip(prop.constraints, loop.constraints, strict=True)
        ]
        kept = [
            _Condition(self._of(formula, tree, self._next, label), f"a step breaks `{formula.text}`")
            for formula, tree in zip(prop.constraints, loop.constraints, strict=True)
        ]
        for condition in [*self._leaving(), *kept]:
            yield box, [condition, *where]

    def _falling(self, prop: LyapunovProperty) -> Iterator[tuple[InputBox, list[_Condition]]]:
        loop, label = self._loop, "`function`"
        assert loop.function is not None
        before = self._of(prop.function, loop.function, self._now, label)
        shell, core = loop.shell, loop.core
        bounded = []
        if prop.level is not None:
            bounded = [self._at_most_zero(self._less(before, self._algebra.number(prop.level)))]
        positive = self._at_most_zero(before, "the function is not positive")
        if prop.time == "continuous":
            change, words = self._rate(prop, before), "the function does not fall"
        else:
            after = self._of(prop.function, loop.function, self._next, label)
            change, words = self._less(after, before), "a step does not lower the function"
        words += f" by {prop.decrease}" if prop.decrease else ""
        rising = self._algebra.add(change, self._algebra.number(prop.decrease))
        for box in shell:
            yield box, [positive]
            yield box, [_Condition(rising, words, weak=prop.decrease == 0), *bounded]
        if prop.level is None:
            return
        level = self._algebra.number(prop.level)
        if prop.time == "continuous":
            reaches = self._at_most_zero(
                self._less(before, level), "the level is reached at the region's edge"
            )
            for box in faces_of(loop.region):
                yield box, [reaches]
            above = _Condition(self._less(before, level), "the level is reached in the ball", weak=True)
            yield core, [above]
            return
        above = _Condition(self._less(after, level), "a step leads above the level")
        for box in (*shell, core):
            for condition in [*self._leaving(), *([above] if box is core else [])]:
                yield box, [condition, *bounded]

    def _rate(self, prop: LyapunovProperty, before: Polynomial) -> Polynomial:
        """How fast the function changes along the dynamics."""
        found = Polynomial()
        try:
            for name, speed in self._next.items():
                slope = derivative(before, name)
                found = self._algebra.add(found, self._algebra.multiply(slope, speed, 0))
        except ExpressionError as error:
            raise self._refused(error, prop.function, "`function`") from None
        return found

    def _of(
        self, formula: Formula, tree: Expression, values: dict[str, Polynomial], label: str
    ) -> Polynomial:
        try:
            for part in partial_in(tree):
                atom = polynomial(part, values).atom
                if isinstance(atom, Called):
                    self.partial[((atom, 1),)] = None
            return polynomial(tree, values)
        except ExpressionError as error:
            raise self._refused(error, formula, label) from None

    @staticmethod
    def _refused(error: ExpressionError, formula: Formula, label: str) -> UnsupportedError:
        problem = error_at(error, formula, label, "TL0363")
        return UnsupportedError("TL0363", problem.message, fix=error.fix, span=problem.span)

    def _less(self, left: Polynomial, right: Polynomial) -> Polynomial:
        return self._algebra.add(left, self._algebra.scale(MINUS, right))

    def _at_most_zero(self, one: Polynomial, words: str = "") -> _Condition:
        return _Condition(self._algebra.scale(MINUS, one), words, weak=True)

    def _leaving(self) -> list[_Condition]:
        loop, found = self._loop, []
        for name, low, high in zip(loop.states, loop.lower, loop.upper, strict=True):
            least, most = (self._algebra.number(end) for end in (low, high))
            words = f"a step takes {name} out of [{low}, {high}]"
            found.append(_Condition(self._less(least, self._next[name]), words))
            found.append(_Condition(self._less(self._next[name], most), words))
        return found
