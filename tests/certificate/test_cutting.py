"""Scripts of many parts, each with rows of its own: what Lean accepts, on any executor the same."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from test_forward import SEMANTICS, UNIT, Judge, Network, account_of, answer, best, network

from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.splitting import Cut, Leaf, Tree, leaves
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.cutting import cut_script, parts_of
from pytest_torchlean.certificate.model import (
    CertificateData,
    ConcludeScript,
    ForwardData,
    ScriptData,
    SplitScript,
)
from pytest_torchlean.certificate.statement import Semantics

OWN = network(1, (2, 5, 4, 3))


def tree_of(lower: np.ndarray, upper: np.ndarray, depth: int) -> Tree:
    """A grid."""
    if depth == 0:
        return Leaf(lower, upper)
    element = depth % len(lower)
    value = float((lower[element] + upper[element]) / 2)
    below, above = upper.copy(), lower.copy()
    below[element] = above[element] = value
    return Cut(element, value, tree_of(lower, below, depth - 1), tree_of(above, upper, depth - 1))


def box_of(own: Network) -> tuple[np.ndarray, np.ndarray]:
    """The box of `account_of`."""
    middle = np.arange(own.inputs) % 3 / 4
    return middle - 0.5, middle + 0.5


def halves(part: Leaf) -> Tree:
    return tree_of(part.lower, part.upper, 2)


def hopeless(_: Leaf) -> None:
    return None


def script(
    account: Account, depth: int, finer: object = hopeless, most: int = 500, **named: object
) -> object:
    claim = account.emission.claims[0]
    tree = tree_of(*box_of(OWN), depth)
    return cut_script(account, claim, claim.boxes[0], tree, finer, most=most, **named)  # type: ignore[arg-type]


@contextmanager
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


@contextmanager
def dask() -> Iterator[Executor]:
    distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=None
        ) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor() as executor,
    ):
        yield executor


def test_parts_are_those_of_the_tree() -> None:
    account = account_of(OWN, 0)
    tree = tree_of(*box_of(OWN), 4)
    parts = list(parts_of(account, tree))
    assert [part.leaf for part in parts] == list(leaves(tree))
    assert all(len(part.way) == 4 for part in parts)
    assert len({part.way for part in parts}) == 16


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_many_parts_prove_what_lean_accepts(semantics: Semantics) -> None:
    threshold = best(OWN, 4, Semantics.REAL) - UNIT // 64
    account = account_of(OWN, threshold, semantics)
    assert account.forecasts(0) == (False,)
    assert script(account, 0) is None
    found = script(account, 0, halves)
    assert isinstance(found, SplitScript)
    certificate = CertificateData(account.emission.certificate.scale, ((found,),))
    assert answer(replace(account.emission, certificate=certificate))


def test_what_is_false_is_never_proved() -> None:
    account = account_of(OWN, best(OWN, 7, Semantics.REAL) + UNIT)
    assert script(account, 3, halves) is None
    assert script(account, 3) is None


def test_no_more_parts_than_allowed() -> None:
    account = account_of(OWN, best(OWN, 4, Semantics.REAL) - UNIT // 64)
    assert script(account, 4, most=15) is None


@pytest.mark.parametrize("executor", [processes, dask])
def test_an_executor_changes_nothing(executor: object) -> None:
    account = account_of(OWN, best(OWN, 4, Semantics.REAL) - UNIT // 64)
    alone = script(account, 5, halves)
    assert alone is not None
    with executor() as given:  # type: ignore[operator]
        assert script(account, 5, halves, budget=Budget(executor=given)) == alone


def by_forms(
    account: Account, depth: int, finer: object = hopeless, most: int = 500, forms: int = 4
) -> object:
    return script(account, depth, finer, most, forms=forms)


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_forms_on_parts_with_bounds_of_their_own_prove_what_lean_accepts(
    semantics: Semantics, wrongly_judged: Judge
) -> None:
    threshold = best(OWN, 4, Semantics.REAL) - UNIT // 64
    account = account_of(OWN, threshold, semantics)
    found = by_forms(account, 2, halves)
    assert isinstance(found, SplitScript)
    ends = [part.how for part in ends_of(found)]
    assert all(isinstance(how, ForwardData) and how.symbols for how in ends)
    certificate = CertificateData(account.emission.certificate.scale, ((found,),))
    emission = replace(account.emission, certificate=certificate)
    assert answer(emission)
    assert wrongly_judged([emission], True) == []
    one_side = replace(emission, certificate=replace(certificate, scripts=((found.below,),)))
    assert answer(one_side) == (wrongly_judged([one_side], True) == [])


def test_forms_take_no_more_parts_than_allowed_and_prove_nothing_false() -> None:
    near = account_of(OWN, best(OWN, 4, Semantics.REAL) - UNIT // 64)
    assert by_forms(near, 0, forms=1) is None
    assert by_forms(near, 0, halves, most=1, forms=1) is None
    false = account_of(OWN, best(OWN, 7, Semantics.REAL) + UNIT)
    assert by_forms(false, 1, halves, most=40) is None


def ends_of(found: ScriptData) -> list[ConcludeScript]:
    """The conclusions of all parts."""
    ends, pending = [], [found]
    while pending:
        one = pending.pop()
        if isinstance(one, SplitScript):
            pending += [one.below, one.above]
        elif isinstance(one, ConcludeScript):
            ends.append(one)
        else:
            pending.append(one.rest)
    return ends
