"""Claims about derivatives, as unsafe sets of a graph that computes them.

The graph is that of the model with the nodes of forward or reverse mode behind it; written as ONNX it runs on
onnxruntime, which the guard compares with what Lean is given. Arithmetic is exact: a rounded function has no
derivative.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import product

import numpy as np

from pytest_torchlean.derivatives import Builder, Jet, differentiated, gradient_graph
from pytest_torchlean.derivatives.build import LARGEST
from pytest_torchlean.errors import SpecError, UnsupportedError
from pytest_torchlean.evaluator.exact import ExactProgram, prepare_exact
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.onnx_export.write import to_onnx
from pytest_torchlean.onnx_import import lower as lower_model
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.pairs import positions
from pytest_torchlean.spec.expressions import ExpressionError, evaluate, names_in, read_expression
from pytest_torchlean.spec.formulas import derivative_of, error_at
from pytest_torchlean.spec.model import (
    Bounds,
    DerivativeProperty,
    GradientProperty,
    ResidualProperty,
    elements,
)
from pytest_torchlean.spec.vnnlib import Atom, Case, InputBox, UnsafeSet

ONE = Fraction(1)
UNCERTAIN = Fraction(1, 2**100)
"""Exact arithmetic takes smooth functions to within 2^-180: less than this beyond a bound, relative to the
bound where that is larger, is no violation."""
MOST_BENDS = 6
"""Bends that one point may lie on and still refute something."""

Numbers = tuple[Fraction, ...]


@dataclass(frozen=True, eq=False)
class _Sided:
    """A derivative graph that takes the signs at its bends, and how to run it exactly."""

    graph: Graph
    program: ExactProgram


@dataclass(frozen=True, eq=False)
class Derived:
    """The executions of a derivative graph, what must not happen in it, and what its outputs are called.

    Behind those the graph has the signs as outputs that say on which side of a bend an input lies.
    """

    prop: DerivativeProperty
    executions: Executions
    unsafe: UnsafeSet
    names: tuple[str, ...]

    @property
    def bends(self) -> bool:
        """Whether the derivative jumps somewhere."""
        return self.unsafe.outputs > len(self.names)

    @property
    def sha256(self) -> str:
        """The digest of the ONNX form of the derivative graph."""
        return hashlib.sha256(self.executions.model.data).hexdigest()

    def broken(self, point: Sequence[Fraction], outputs: Sequence[Fraction]) -> str | None:
        """The first bound that outputs leave, in words; None where they do not.

        Where the function bends, what the runtime takes for a derivative is none: there the derivatives on
        all sides of the bends have to leave the bound too.
        """
        signs = tuple(outputs[len(self.names) :])
        for case in self.unsafe.cases:
            (atom,) = case.atoms
            ((place, factor),) = atom.outputs
            if _outside(atom, outputs):
                if not all(signs) and not self._outside_on_all_sides(tuple(point), signs, atom):
                    continue
                where = ", ".join(f"{float(value):.9g}" for value in point[:8])
                bound = -atom.constant / factor
                side = "below" if factor > 0 else "above"
                more = ", ..." if len(point) > 8 else ""
                sides = "" if all(signs) else ", on whichever side of the bends there"
                value = f"{self.names[place]} is {float(outputs[place]):.9g}"
                return f"{value} at ({where}{more}), {side} {bound}{sides}"
        return None

    def _outside_on_all_sides(self, point: Numbers, signs: Numbers, atom: Atom) -> bool:
        """Whether the exact derivatives leave a bound for each choice of sides of the bends that the point
        lies on. False where there are too many.

        Every derivative nearby is close to one of these, since an argument that is 0 all around makes no
        difference.
        """
        undecided = [place for place, sign in enumerate(signs) if not sign]
        if len(undecided) > MOST_BENDS:
            return False
        for sides in product((ONE, -ONE), repeat=len(undecided)):
            chosen = list(signs)
            for place, side in zip(undecided, sides, strict=True):
                chosen[place] = side
            if not _outside(atom, self._chosen(point, tuple(chosen))):
                return False
        return True

    def _chosen(self, point: Numbers, signs: Numbers) -> list[Fraction]:
        """The exact derivatives where the signs are these."""
        graph, numbers = self._sided.graph, (*point, *signs)
        given, start = {}, 0
        for name in graph.inputs:
            size = graph.types[name].size
            given[name] = list(numbers[start : start + size])
            start += size
        values = self._sided.program.run(given)
        return [number for name in graph.outputs for number in values[name]]

    @cached_property
    def _sided(self) -> _Sided:
        """The derivative graph with the signs as further inputs."""
        graph = self.executions.graph
        count, start = 0, 0
        while start < len(self.names):
            start += graph.types[graph.outputs[count]].size
            count += 1
        signs = graph.outputs[count:]
        nodes = tuple(node for node in graph.nodes if not set(node.outputs) & set(signs))
        own = replace(graph, inputs=(*graph.inputs, *signs), outputs=graph.outputs[:count], nodes=nodes)
        return _Sided(own, prepare_exact(own))


def _outside(atom: Atom, outputs: Sequence[Fraction]) -> bool:
    """Whether exact derivatives leave an atom's bound by more than exact arithmetic may be off."""
    ((place, factor),) = atom.outputs
    return factor * outputs[place] + atom.constant < -UNCERTAIN * max(ONE, abs(atom.constant))


def derived_of(prop: DerivativeProperty, executions: Executions) -> Derived:
    """The derivative graph of a property and a model.

    Raises SpecError TL0318, TL0351, TL0362, UnsupportedError TL0205, TL0290, TL0363, ModelError TL0110.
    """
    if executions.integers is not None:
        raise UnsupportedError("TL0290", "derivatives need numbers, but the preprocessing takes integers")
    graph = executions.graph
    inputs = sum(graph.types[name].size for name in graph.inputs)
    outputs = sum(graph.types[name].size for name in graph.outputs)
    box = _box(prop.input, inputs, prop)
    if isinstance(prop, GradientProperty):
        whole, names, lower, upper = _gradient(prop, graph, inputs, outputs)
    elif isinstance(prop, ResidualProperty):
        whole, names = _residual(prop, graph, inputs, outputs)
        lower, upper = (-prop.within,), (prop.within,)
    else:
        raise UnsupportedError("TL0290", f"a {prop.check} property is not about derivatives")
    whole = _with_bends(whole, graph)
    data = to_onnx(whole, folded=False)
    model = replace(executions.model, data=data, sha256=hashlib.sha256(data).hexdigest())
    cases = [
        Case(box, (Atom((), ((place, sign),), -sign * bound, True),))
        for sign, side in ((ONE, lower), (-ONE, upper))
        for place, bound in enumerate(side)
    ]
    unsafe = UnsafeSet(inputs, sum(whole.types[name].size for name in whole.outputs), tuple(cases))
    return Derived(prop, Executions(model, lower_model(model)), unsafe, names)


def _with_bends(whole: Graph, graph: Graph) -> Graph:
    """The derivative graph with the signs that its rules brought in as further outputs."""
    known = {name for node in graph.nodes for name in node.outputs}
    signs = [node.outputs[0] for node in whole.nodes if node.op == "Sign" and node.outputs[0] not in known]
    return replace(whole, outputs=(*whole.outputs, *signs))


def _box(bounds: Bounds, inputs: int, prop: DerivativeProperty) -> InputBox:
    lower = elements(bounds.lower, inputs, what="input.lower", span=prop.span)
    upper = elements(bounds.upper, inputs, what="input.upper", span=prop.span)
    for low, high in zip(lower, upper, strict=True):
        if low > high:
            raise SpecError("TL0318", f"the input box is empty: {low} > {high}", span=prop.span)
    return InputBox(lower, upper)


Sides = tuple[Graph, tuple[str, ...], tuple[Fraction, ...], tuple[Fraction, ...]]


def _gradient(prop: GradientProperty, graph: Graph, inputs: int, outputs: int) -> Sides:
    if prop.output >= outputs:
        message = f"there is no output {prop.output}: the model gives {outputs}"
        raise SpecError("TL0351", message, span=prop.span)
    along = tuple(range(inputs)) if prop.along is None else positions(prop.along, graph, prop.span)
    whole = _derivatives(graph, prop.output, along)
    names = tuple(f"the derivative of output {prop.output} along input {place}" for place in along)
    sides = [
        () if bound is None else elements(bound, len(along), what=f"bounds.{side}", span=prop.span)
        for side, bound in (("lower", prop.bounds.lower), ("upper", prop.bounds.upper))
    ]
    return whole, names, sides[0], sides[1]


MANY = 4
"""From so many inputs on one pass back is a smaller graph than a pass forward for each."""


def _derivatives(graph: Graph, output: int, along: Sequence[int]) -> Graph:
    """The graph of the derivatives of an output element along these inputs, each an output of shape (1,).

    Raises UnsupportedError TL0205.
    """
    if len(along) >= MANY:
        try:
            back = gradient_graph(graph, output)
        except UnsupportedError:
            # forward mode has more rules, and says what it lacks
            pass
        else:
            builder = Builder(back)
            for node in back.nodes:
                builder.keep(node)
            elements = [(name, place) for name in back.outputs for place in range(back.types[name].size)]
            chosen = [elements[place] for place in along]
            return builder.graph([_picked(builder, name, back.types[name].size, at) for name, at in chosen])
    jet = differentiated(graph, [(place,) for place in along])
    found = [jet.builder.anchored(_element(jet, output, graph, (place,))) for place in along]
    return jet.builder.graph(found)


def _residual(
    prop: ResidualProperty, graph: Graph, inputs: int, outputs: int
) -> tuple[Graph, tuple[str, ...]]:
    for key, names, count in (("inputs", prop.inputs, inputs), ("outputs", prop.outputs, outputs)):
        if len(names) != count:
            message = f"`{key}` names {len(names)} elements, but the model has {count}"
            raise SpecError("TL0362", message, span=prop.span)
    tree = read_expression(prop.residual.text)
    read = {name: derivative_of(name, prop) for name in names_in(tree)}
    directions = {found[1] for found in read.values() if found is not None and found[1]}
    jet = differentiated(graph, sorted(directions))
    values = {}
    for name, found in read.items():
        if name in prop.inputs:
            values[name] = _input(jet.builder, graph, prop.inputs.index(name))
        elif found is not None:
            values[name] = _element(jet, found[0], graph, found[1])
    try:
        result = evaluate(tree, values, _Nodes(jet.builder))
    except ExpressionError as error:
        problem = error_at(error, prop.residual, "`residual`", "TL0363")
        raise UnsupportedError("TL0363", problem.message, fix=error.fix, span=problem.span) from None
    if result in jet.builder.types and result in graph.inputs:
        result = jet.builder.scaled(ONE, result)
    return jet.builder.graph([jet.builder.anchored(result)]), ("the residual",)


def _element(jet: Jet, place: int, graph: Graph, direction: tuple[int, ...]) -> str:
    """One element of a derivative of the outputs, or of the outputs themselves, of shape (1,)."""
    for name in graph.outputs:
        size = graph.types[name].size
        if place < size:
            value = jet.derivative(name, direction) if direction else name
            return _picked(jet.builder, value, size, place)
        place -= size
    raise IndexError(place)


def _input(builder: Builder, graph: Graph, place: int) -> str:
    for name in graph.inputs:
        size = graph.types[name].size
        if place < size:
            return _picked(builder, name, size, place)
        place -= size
    raise IndexError(place)


def _picked(builder: Builder, value: str, size: int, place: int) -> str:
    flat = builder.node("Reshape", (value,), (size,), (("shape", (size,)),))
    chosen = (("axis", 0), ("indices", (place,)), ("shape", (1,)))
    return builder.node("Gather", (flat,), (1,), chosen)


class _Nodes:
    """The arithmetic of nodes of a graph: every value has the shape (1,)."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder

    def number(self, value: Fraction) -> str:
        """A constant, as the quotient of two binary32 integers where it is no binary32 number."""
        if abs(value) <= LARGEST and Fraction(float(np.float32(float(value)))) == value:
            return self._builder.filled(float(value), (1,))
        return self._builder.scaled(value, self._builder.filled(1.0, (1,)))

    def add(self, left: str, right: str) -> str:
        """left + right"""
        return self._builder.node("Add", (left, right), (1,))

    def scale(self, factor: Fraction, value: str) -> str:
        """factor * value"""
        if factor == -1:
            return self._builder.node("Neg", (value,), (1,))
        return self._builder.scaled(factor, value)

    def multiply(self, left: str, right: str, at: int) -> str:
        """left * right"""
        return self._builder.multiplied(left, right)

    def divide(self, left: str, right: str, at: int) -> str:
        """left / right"""
        return self._builder.node("Div", (left, right), (1,))

    def maximum(self, left: str, right: str) -> str:
        """The larger one."""
        return self._builder.node("Max", (left, right), (1,))

    def call(self, function: str, value: str, at: int) -> str:
        """A node of a smooth function."""
        return self._builder.node(function.capitalize(), (value,), (1,))
