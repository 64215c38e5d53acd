"""A property of a closed loop and its models, held against each other: what fits becomes a `Loop`."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate

import numpy as np

from pytest_torchlean.errors import SpecError, UnsupportedError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.names import quoted
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.joined import JoinedExecutions, Part
from pytest_torchlean.properties.loops import ZERO, Loop, given
from pytest_torchlean.spec.expressions import (
    Binary64,
    Exact,
    Expression,
    ExpressionError,
    evaluate,
    names_in,
)
from pytest_torchlean.spec.formulas import error_at
from pytest_torchlean.spec.model import Formula, LoopProperty, LyapunovProperty, elements


def loop_of(prop: LoopProperty, executions: Executions, other: Executions | None = None) -> Loop:
    """The loop of a property and a model; other: the model that gives the dynamics, where one does.

    Raises SpecError TL0317, TL0318, TL0361, TL0362, UnsupportedError TL0290.
    """
    if executions.integers is not None or (other is not None and other.integers is not None):
        raise UnsupportedError("TL0290", "a state is made of numbers, but the preprocessing takes integers")
    graph = executions.graph
    inputs = sum(graph.types[name].size for name in graph.inputs)
    outputs = sum(graph.types[name].size for name in graph.outputs)
    states = prop.states
    if len(states) != inputs:
        key = "state" if isinstance(prop.dynamics, str) else "dynamics"
        message = f"`{key}` has {len(states)} elements, but the model's input has {inputs}"
        raise SpecError("TL0362", message, span=prop.span)
    controls = prop.control or (("u",) if outputs == 1 else tuple(f"u{place}" for place in range(outputs)))
    if len(controls) != outputs:
        raise SpecError(
            "TL0362",
            f"`control` names {len(controls)} elements, but the model's output has {outputs}",
            span=prop.span,
        )
    for name in controls:
        if name in states:
            message = (
                f"`{name}` is an element of the state and the name of an output: name outputs with `control`"
            )
            raise SpecError("TL0362", message, span=prop.span)
    if isinstance(prop, LyapunovProperty):
        widths = elements(prop.ball, inputs, what="ball", span=prop.span)
        if any(width <= 0 for width in widths):
            raise SpecError("TL0317", "each number of `ball` must be positive", span=prop.span)
    lower = elements(prop.region.lower, inputs, what="region.lower", span=prop.span)
    upper = elements(prop.region.upper, inputs, what="region.upper", span=prop.span)
    if any(low > high for low, high in zip(lower, upper, strict=True)):
        raise SpecError("TL0318", "the region is empty", span=prop.span)
    if isinstance(prop, LyapunovProperty) and not all(
        low < 0 < high for low, high in zip(lower, upper, strict=True)
    ):
        raise SpecError("TL0317", "the region has not the origin in its inside", span=prop.span)
    disturbance = elements(prop.disturbance, inputs, what="disturbance", span=prop.span)
    parts = [Part("model: ", executions, np.arange(inputs))]
    names = dict.fromkeys((*states, *controls), ZERO)
    if other is not None:
        _require_dynamics(prop, other.graph, inputs, outputs)
        parts.append(Part("dynamics: ", other, np.arange(inputs + outputs)))
        controls = (*controls, *map(given, states))
    shape = graph.types[graph.inputs[0]].shape if len(graph.inputs) == 1 else (inputs,)
    joined = JoinedExecutions.of(parts, shape, state=True)
    loop = Loop(prop, joined, states, controls, lower, upper, disturbance)
    for each in prop.formulas:
        _require_known(each.formula, loop.trees[each.name], f"`{each.name}` in `dynamics`", names)
    _require_origin(loop)
    return loop


_ORDER = "its inputs, in their order, must be the state and then the control"


def _require_dynamics(prop: LoopProperty, graph: Graph, states: int, controls: int) -> None:
    """Raises SpecError TL0362 for a model that does not take the state and the control to a next state."""
    takes, gives = (sum(graph.types[name].size for name in side) for side in (graph.inputs, graph.outputs))
    if takes != states + controls:
        wanted = f"{states} + {controls}"
        message = f"`{prop.dynamics}` takes {takes} elements, but the state and the control have {wanted}"
        raise SpecError("TL0362", message, fix=_ORDER, span=prop.span)
    if len(graph.inputs) > 1 and states not in accumulate(graph.types[name].size for name in graph.inputs):
        inputs = ", ".join(f"{quoted(name)} ({graph.types[name].size})" for name in graph.inputs)
        message = f"an input of `{prop.dynamics}` would take elements of the state and the control: {inputs}"
        raise SpecError("TL0362", message, fix=_ORDER, span=prop.span)
    if gives != states:
        message = f"`{prop.dynamics}` gives {gives} elements, but the state has {states}"
        raise SpecError("TL0362", message, fix="its outputs must be the next state", span=prop.span)


def _require_origin(loop: Loop) -> None:
    """Raises SpecError TL0317 for a level below the origin's: little or nothing would be claimed."""
    prop, function = loop.prop, loop.function
    if not isinstance(prop, LyapunovProperty) or prop.level is None or function is None:
        return
    try:
        least: Fraction | float = evaluate(function, dict.fromkeys(loop.states, ZERO), Exact())
    except ExpressionError:
        least = evaluate(function, dict.fromkeys(loop.states, 0.0), Binary64())
    if least > prop.level:
        message = f"the function is {float(least):.9g} at the origin, above the `level` {prop.level}"
        raise SpecError("TL0317", message, span=prop.span)


def _require_known(formula: Formula, tree: Expression, label: str, names: dict[str, Fraction]) -> None:
    """Raises SpecError TL0361 for a name that is not known once the model is."""
    for name, at in names_in(tree).items():
        if name not in names:
            fix = f"the names are {', '.join(names)}"
            raise error_at(ExpressionError(f"`{name}` is not known here", at, fix), formula, label, "TL0361")
