"""Certificates with optimised slopes: Lean accepts what the slopes of `crown` do not prove, as forecast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from relaxation_examples import chain, emission_of, with_rows

from pytest_torchlean.bounds.splitting import Leaf
from pytest_torchlean.bounds.stated import StatedSlopes, stated
from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.checker import CheckResult
from pytest_torchlean.properties.linear import slot_rows

MIDDLE = np.array([0.0, 0.25, 0.5])
CASES = [(6, 1, Fraction(1, 4), None), (10, 1, Fraction(1, 2), 1), (12, 2, Fraction(1, 2), None)]
"""Seeds of networks, the largest output, radii too large for the slopes of `crown`, and group sizes."""


def leaf_of(seed: int, label: int, radius: Fraction, together: int | None) -> Leaf:
    program, forms = chain(seed, 3, 8, 8, 8, 3).program, margin_forms(label, 3)
    lower, upper = MIDDLE - float(radius), MIDDLE + float(radius)
    found = stated(program, lower, upper, slot_rows(program, forms), 1, together=together)
    assert found.least.min() > 1e-3
    return Leaf(lower, upper, found.slopes)


@pytest.mark.parametrize("semantics", list(Semantics))
@pytest.mark.parametrize(("seed", "label", "radius", "together"), CASES)
def test_better_slopes_prove_what_first_ones_do_not(
    seed: int,
    label: int,
    radius: Fraction,
    together: int | None,
    semantics: Semantics,
    ask: Callable[..., CheckResult],
) -> None:
    emission = emission_of(chain(seed, 3, 8, 8, 8, 3), margin_forms(label, 3), radius, semantics)
    _, without, accepted = with_rows(emission)
    assert not accepted
    own, least, accepted = with_rows(emission, leaf_of(seed, label, radius, together))
    assert accepted
    assert least > max(without, 0)
    assert ask(own).accepted


def test_slopes_of_another_network_lose_nothing_but_the_proof(ask: Callable[..., CheckResult]) -> None:
    """Any slopes are sound: with random ones the forecast refuses, and so does Lean."""
    seed, label, radius, together = CASES[0]
    leaf = leaf_of(seed, label, radius, together)
    assert leaf.slopes is not None
    rng = np.random.default_rng(0)
    arguments = {
        number: tuple(
            replace(group, lower={node: rng.integers(0, 257, own.size) for node, own in group.lower.items()})
            for group in groups
        )
        for number, groups in leaf.slopes.arguments.items()
    }
    last = {node: rng.integers(0, 257, own.size) for node, own in leaf.slopes.last.items()}
    emission = emission_of(chain(seed, 3, 8, 8, 8, 3), margin_forms(label, 3), radius)
    own, _, accepted = with_rows(emission, replace(leaf, slopes=StatedSlopes(arguments, last)))
    assert not accepted
    assert not ask(own).accepted
