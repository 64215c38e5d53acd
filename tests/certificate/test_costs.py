"""The predicted cost of an emission: what makes it grow, and by how much."""

from __future__ import annotations

from fractions import Fraction

import pytest
from certificate_examples import ball, centers, mlp
from mutants.trees import tree_truth, with_tree
from relaxation_examples import chain, emission_of, with_rows

from pytest_torchlean.certificate.costs import script_cost, text_cost, theorem_cost
from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.certificate.model import Emission, SplitScript
from pytest_torchlean.certificate.plan import Goal, build_emission


def with_boxes(count: int) -> Emission:
    net = mlp(1)
    boxes = tuple(ball(center, Fraction(1, 1 << 16)) for center in centers(net, 2, count))
    return build_emission(net.program, [Goal(margin_forms(0, net.outputs), boxes)])


def test_every_box_costs_the_same_also_where_one_script_serves_all() -> None:
    one, nine = theorem_cost(with_boxes(1)), theorem_cost(with_boxes(9))
    box = script_cost(with_boxes(1).graph, with_boxes(1).certificate.scripts[0][0], 2)
    assert nine.seconds - one.seconds == pytest.approx(8 * box.seconds)
    assert nine.megabytes - one.megabytes == pytest.approx(8 * box.megabytes)


def test_a_text_takes_the_seconds_of_all_theorems_and_the_memory_of_the_largest() -> None:
    small, large = with_boxes(1), with_boxes(9)
    both = text_cost([large, small])
    assert both.megabytes == text_cost([large]).megabytes
    assert both.seconds == pytest.approx(text_cost([large]).seconds + theorem_cost(small).seconds)


@pytest.mark.parametrize("widths", [(5, 16, 16, 5), (8, 40, 40, 40, 4)])
def test_backward_rows_cost_more_than_intervals(widths: tuple[int, ...]) -> None:
    plain = emission_of(chain(1, *widths))
    rows, _, _ = with_rows(plain)
    assert theorem_cost(rows).seconds > theorem_cost(plain).seconds
    assert theorem_cost(rows).megabytes > theorem_cost(plain).megabytes


def test_a_tree_costs_all_its_leaves_even_where_they_are_one_object() -> None:
    emission = tree_truth().emission
    (leaf,) = emission.certificate.scripts[0]
    (tree,) = with_tree(emission).certificate.scripts[0]
    assert isinstance(tree, SplitScript)
    one, all_eight = script_cost(emission.graph, leaf, 1), script_cost(emission.graph, tree, 1)
    assert 8 * one.seconds < all_eight.seconds < 8 * one.seconds + 0.1
