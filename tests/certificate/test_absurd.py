"""Scripts with numbers that no producer writes: the forecast answers, and never says more than Lean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from typing import Any

import pytest
from mutants.rows import deep_emission
from mutants.scripts import with_script
from mutants.trees import tree_truth, with_tree

from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.model import ConcludeScript, DirectData, Emission, NodeScript
from pytest_torchlean.certificate.statement import Semantics

Judge = Callable[[Sequence[Emission], bool], list[int]]

STARTS = {
    "rows": lambda: deep_emission(Fraction(5)),
    "rows-binary32": lambda: deep_emission(Fraction(5), Semantics.BINARY32),
    "tree": lambda: with_tree(tree_truth().emission),
}


def absurd(value: Any) -> Iterator[Any]:
    """The value with one of its numbers changed."""
    if isinstance(value, int):
        others = {0, value - 1, value + 1, 2 * value + 1, 10**6, value << 300 | 1}
        yield from sorted(other for other in others if other not in (value, -1))
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            yield from ((*value[:place], other, *value[place + 1 :]) for other in absurd(item))
            yield (*value[:place], *value[place + 1 :])
            yield (*value[:place], item, item, *value[place + 1 :])
    elif is_dataclass(value):
        for field in fields(value):
            for other in absurd(getattr(value, field.name)):
                yield replace(value, **{field.name: other})  # type: ignore[type-var]


def others(emission: Emission) -> list[Emission]:
    (script,) = emission.certificate.scripts[0]
    return [with_script(emission, other) for other in absurd(script)]


@pytest.mark.parametrize("name", STARTS)
def test_the_forecast_answers_and_lean_accepts_what_it_accepts(name: str, wrongly_judged: Judge) -> None:
    mutants = others(STARTS[name]())
    believed = [mutant for mutant in mutants if Account(mutant).forecasts(0) == (True,)]
    assert len(mutants) > 200
    assert 0 < len(believed) < len(mutants) / 2
    assert wrongly_judged(believed[::3], True) == []


@pytest.mark.parametrize("name", STARTS)
def test_scripts_cut_short_or_repeated_are_not_accepted(name: str) -> None:
    emission = STARTS[name]()
    (script,) = emission.certificate.scripts[0]
    cut = [emission]
    while not isinstance(script, ConcludeScript):
        script = getattr(script, "rest", None) or script.below  # type: ignore[union-attr]
        cut.append(with_script(emission, script))
    early = script
    for mutant in (*cut[1:], with_script(emission, early)):
        assert Account(mutant).forecasts(0) == (False,)
    step = next(part for part in _chain(emission) if isinstance(part, NodeScript)).step
    (whole,) = emission.certificate.scripts[0]
    assert Account(with_script(emission, NodeScript(step, whole))).forecasts(0) == (False,)


def _chain(emission: Emission) -> Iterator[Any]:
    (script,) = emission.certificate.scripts[0]
    while not isinstance(script, ConcludeScript):
        yield script
        script = getattr(script, "rest", None) or script.below  # type: ignore[union-attr]


def test_a_direct_conclusion_before_the_last_node_is_not_accepted() -> None:
    emission = deep_emission(Fraction(5))
    forms = emission.certificate.scripts[0][0]
    while not isinstance(forms, ConcludeScript):
        forms = forms.rest  # type: ignore[union-attr]
    early = with_script(emission, ConcludeScript(DirectData(forms.how.forms)))
    assert Account(early).forecasts(0) == (False,)
