"""A derivative graph against exact differences of its function."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from pytest_torchlean.derivatives import differentiated, gradient_graph
from pytest_torchlean.evaluator.exact import prepare_exact
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.wellformed import STRUCTURE, violations


def assert_slopes_are_differences(graph: Graph, output: str, *, back: bool) -> None:
    """Of a piecewise linear function of two numbers, where no bend lies between two points 2^-40 apart.

    back: by the graph of the gradient, else by the derivatives in both directions.
    """
    if back:
        slopes = gradient_graph(graph, 0)
    else:
        jet = differentiated(graph, [(0,), (1,)])
        slopes = jet.builder.graph([jet.derivative(output, (place,)) for place in (0, 1)])
    assert not violations(slopes, STRUCTURE)
    value, found = prepare_exact(graph), prepare_exact(slopes)
    step = Fraction(1, 2**40)
    for point in np.random.default_rng(2).normal(size=(20, 2)).astype(np.float32):
        here = [Fraction(float(number)) for number in point]

        def at(moved: Sequence[Fraction]) -> Fraction:
            (only,) = value.run({graph.inputs[0]: list(moved)}).values()
            return only[0]

        own = [number for part in found.run({graph.inputs[0]: here}).values() for number in part]
        steps = [[here[0] + step, here[1]], [here[0], here[1] + step]]
        assert own == [(at(moved) - at(here)) / step for moved in steps]
