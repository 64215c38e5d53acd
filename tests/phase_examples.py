"""Claims that no row proves on a whole box and that ReLU phases prove, with their certificates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from certificate_examples import Network, ball
from relaxation_examples import chain

from pytest_torchlean.bounds.budget import UNLIMITED
from pytest_torchlean.bounds.interval import evaluate
from pytest_torchlean.bounds.splitting import Leaf
from pytest_torchlean.bounds.stated import stated
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.binary import document_of
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.model import (
    ConcludeScript,
    Emission,
    NodeScript,
    RelaxedData,
    ScriptData,
    SplitScript,
    TightenScript,
)
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.certificate.substitution import MultiplyData
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall
from pytest_torchlean.checker.evaluate import evaluate as run_checker
from pytest_torchlean.properties.linear import cases_of, slot_rows
from pytest_torchlean.properties.refining import refining

INPUTS = 18
"""More than are ever cut."""
HALF = Fraction(1, 2)


@dataclass(frozen=True, eq=False)
class Example:
    """`forms` hold in `box`; without phases it is not seen."""

    network: Network
    forms: Forms
    box: RationalBox


def example(seed: int, *hidden: int, share: float = 0.6, alternatives: int = 1) -> Example:
    """The difference of two outputs is above a number, part of the way from its bound to what it reaches.

    With two alternatives the other one, which fails, comes first.
    """
    return example_of(chain(seed, INPUTS, *hidden, 2), seed, share=share, alternatives=alternatives)


def example_of(network: Network, seed: int, *, share: float = 0.6, alternatives: int = 1) -> Example:
    """The same of any network with two outputs."""
    program, inputs = network.program, network.inputs
    rows = np.zeros((1, program.size))
    rows[0, program.outputs] = 1.0, -1.0
    low, high = np.full(inputs, -0.5), np.full(inputs, 0.5)
    bound = float(stated(program, low, high, rows, 1, together=1).least[0])
    rng = np.random.default_rng(seed)
    points = np.concatenate(
        [rng.uniform(-0.5, 0.5, (2000, inputs)), rng.choice([-0.5, 0.5], (20000, inputs))]
    )
    seen = float((evaluate(program, points) @ rows[0]).min())
    constant = round(((1 - share) * bound + share * seen) * 4096)
    coefficients, constants = [[4096, -4096]], [-constant]
    if alternatives == 2:
        coefficients, constants = [[4096, 0], *coefficients], [-(1 << 20), *constants]
    forms = Forms(
        np.array(coefficients, dtype=object),
        np.array(constants, dtype=object),
        strict=True,
        alternatives=alternatives,
    )
    return Example(network, forms, ball([Fraction(0)] * inputs, HALF))


def proof(own: Example, semantics: Semantics) -> Emission:
    """The claim with the certificate that the gate would give it."""
    program = own.network.program
    account = prepare(program, [Goal(own.forms, (own.box,))], semantics)
    claim = account.emission.claims[0]
    tree = cases_of(program, own.forms, own.box, phases=True)
    assert isinstance(tree, Leaf)
    assert tree.phases is not None
    refine = refining(slot_rows(program, own.forms), own.forms.alternatives, tree, UNLIMITED)
    script, fine, _ = relaxed_script(account, claim, claim.boxes[0], tree, refine)
    assert fine
    return with_script(account.emission, script)


def with_script(emission: Emission, script: ScriptData) -> Emission:
    return replace(emission, certificate=replace(emission.certificate, scripts=((script,),)))


def without(script: ScriptData) -> Iterator[ScriptData]:
    """The script with a case of one split dropped, in place of the other, or exchanged for it."""
    if isinstance(script, NodeScript | TightenScript):
        yield from (replace(script, rest=rest) for rest in without(script.rest))
    elif isinstance(script, SplitScript):
        yield script.below
        yield script.above
        yield replace(script, below=script.above, above=script.below)
        yield replace(script, above=script.below)
        yield replace(script, below=script.above)
        yield from (replace(script, below=below) for below in without(script.below))
        yield from (replace(script, above=above) for above in without(script.above))


def with_other_multipliers(script: ScriptData) -> Iterator[ScriptData]:
    """The script with each multiplier in turn turned round, or of a slot that no split is about."""
    if isinstance(script, NodeScript | TightenScript):
        yield from (replace(script, rest=rest) for rest in with_other_multipliers(script.rest))
    elif isinstance(script, SplitScript):
        yield from (replace(script, below=below) for below in with_other_multipliers(script.below))
        yield from (replace(script, above=above) for above in with_other_multipliers(script.above))
    elif isinstance(script, ConcludeScript) and isinstance(script.how, RelaxedData):
        rows = script.how.rows
        for place, link in enumerate(rows.links):
            if not isinstance(link, MultiplyData):
                continue
            for number, one in enumerate(link.multipliers):
                taken = {own.place for own in link.multipliers}
                elsewhere = next(slot for slot in range(64) if slot not in taken)
                for new in (replace(one, upper=not one.upper), replace(one, place=elsewhere)):
                    changed = (*link.multipliers[:number], new, *link.multipliers[number + 1 :])
                    links = (
                        *rows.links[:place],
                        replace(link, multipliers=changed),
                        *rows.links[place + 1 :],
                    )
                    yield ConcludeScript(replace(script.how, rows=replace(rows, links=links)))


def script_of(emission: Emission) -> ScriptData:
    ((script,),) = emission.certificate.scripts
    return script


def foreseen(emission: Emission) -> bool:
    return all(Account(emission).forecasts(0))


def judged(
    emission: Emission, ask: Callable[..., CheckResult], library: BuiltLibrary, lean: LeanInstall
) -> None:
    """The forecast, the kernel and the compiled checker accept it."""
    assert foreseen(emission)
    assert ask(emission).accepted
    assert evaluated(emission, library, lean)


def evaluated(emission: Emission, library: BuiltLibrary, lean: LeanInstall) -> bool:
    return run_checker(
        document_of((emission,)), built=library, lean=lean, wall_seconds=120, memory_mb=2048
    ).accepted
