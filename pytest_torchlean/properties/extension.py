"""Properties of kinds that extensions give: their claims, checked for form, become an unsafe set.

PROVED needs Lean's acceptance of the boxes and inequalities that came of the kind, as for any other claim.
That these say what the kind's name promises is the extension's word, and the ledger says so.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from pytest_torchlean.extensions.model import Claim, Inequality, ModelView
from pytest_torchlean.extensions.registry import use_of
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.onnx_import import LoadedModel
from pytest_torchlean.onnx_import.extension_operators import used_operators
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.claims import words_of
from pytest_torchlean.properties.reaching import decide
from pytest_torchlean.properties.unsafe import text
from pytest_torchlean.spec.model import ExtensionProperty, PropertySpec
from pytest_torchlean.spec.vnnlib import Atom, Case, InputBox, UnsafeSet
from pytest_torchlean.verdict import Evidence

MOST_CLAIMS = 256
MOST_INEQUALITIES = 4096
"""Over all claims of one property."""
_SHOWN = 12
"""Inequalities that the details list."""
_MOST_BITS = 1024
"""Of numerators and denominators."""


def run(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """PROVED, REFUTED with a witness, or UNKNOWN with what is missing.

    Raises ExtensionError TL1003, TL1004, and what `vnnlib` raises of a model.
    """
    if not isinstance(prop, ExtensionProperty):
        raise TypeError(f"a property of an extension is needed, not {type(prop).__name__}")
    started = time.monotonic()
    unsafe = unsafe_set_of(prop, context.graph)
    words_of(prop.provided, prop.values)
    evidence = decide(context, prop, unsafe, _heading(unsafe), started)
    line = (
        f"The boxes and inequalities are those that the {prop.provided.label} gave; that they say what the "
        "claim says in words is the extension's word. The details list them."
    )
    return replace(
        evidence,
        extensions=(*evidence.extensions, use_of(prop.provided)),
        claimed_set=unsafe,
        trust=(*evidence.trust, line),
    )


def unsafe_set_of(prop: ExtensionProperty, graph: Graph) -> UnsafeSet:
    """What the property claims, as the set that must not be reached. Raises ExtensionError TL1003, TL1004."""
    view = view_of(graph)
    given = prop.provided
    claims = given.call(lambda: list(given.it.claims(dict(prop.values), view)))
    if not claims:
        raise given.wrong("claims nothing: it gave no claim")
    if len(claims) > MOST_CLAIMS:
        raise given.wrong(f"gave {len(claims)} claims, more than {MOST_CLAIMS}")
    cases: list[Case] = []
    atoms = 0
    for number, claim in enumerate(claims, start=1):
        if not isinstance(claim, Claim):
            raise given.wrong(f"gave a {type(claim).__name__} as claim {number}")
        try:
            cases += _cases(claim, view)
        except _Wrong as wrong:
            raise given.wrong(f"gave claim {number} of the wrong form: {wrong}") from None
        except (TypeError, ValueError, AttributeError, LookupError) as error:
            raise given.wrong(f"gave claim {number} of the wrong form: {error}") from error
        atoms = sum(len(case.atoms) for case in cases)
        if atoms > MOST_INEQUALITIES:
            raise given.wrong(f"gave more than {MOST_INEQUALITIES} inequalities")
    return UnsafeSet(view.inputs, view.outputs, tuple(cases))


def with_operators(model: LoadedModel, evidence: Evidence) -> Evidence:
    """The evidence with the operators of extensions that the model has, in its record and its ledger."""
    used = used_operators(model.data, model.operators)
    if not used:
        return evidence
    lines = [
        f"What {given.it.label} means is the word of extension {given.origin}, a third party: trusted "
        "as far as the comparison with onnxruntime does not see it."
        for given in used
    ]
    return replace(
        evidence,
        extensions=(*evidence.extensions, *map(use_of, used)),
        trust=(*evidence.trust, *lines),
    )


def view_of(graph: Graph) -> ModelView:
    """What a kind sees of a model."""
    inputs = {name: graph.types[name].shape for name in graph.inputs}
    outputs = {name: graph.types[name].shape for name in graph.outputs}
    return ModelView(
        inputs,
        outputs,
        sum(graph.types[name].size for name in graph.inputs),
        sum(graph.types[name].size for name in graph.outputs),
    )


class _Wrong(Exception):
    """What is wrong with a claim."""


def _cases(claim: Claim, view: ModelView) -> list[Case]:
    """One case for every clause: all of its inequalities fail."""
    lower, upper = _numbers(claim.lower, "lower"), _numbers(claim.upper, "upper")
    if len(lower) != view.inputs or len(upper) != view.inputs:
        raise _Wrong(f"its box has {len(lower)} and {len(upper)} numbers, the model {view.inputs} inputs")
    for number, (low, high) in enumerate(zip(lower, upper, strict=True)):
        if low > high:
            raise _Wrong(f"its box is empty: {low} > {high} at input {number}")
    clauses = list(claim.clauses)
    if not clauses:
        raise _Wrong("it has no clause, so it claims nothing")
    box = InputBox(lower, upper)
    return [Case(box, _failures(list(clause), view)) for clause in clauses]


def _failures(clause: Sequence[Inequality], view: ModelView) -> tuple[Atom, ...]:
    if not clause:
        raise _Wrong("a clause has no inequality")
    return tuple(_failure(inequality, view) for inequality in clause)


def _failure(inequality: Inequality, view: ModelView) -> Atom:
    """`sum >= 0` fails where sum < 0, `sum > 0` where sum <= 0."""
    if not isinstance(inequality, Inequality):
        raise _Wrong(f"a clause holds a {type(inequality).__name__}, not an Inequality")
    outputs = _terms(inequality.outputs, view.outputs, "output")
    inputs = _terms(inequality.inputs, view.inputs, "input")
    if not outputs:
        raise _Wrong("an inequality speaks of no output")
    if type(inequality.strict) is not bool:
        raise _Wrong("an inequality's `strict` is neither True nor False")
    return Atom(inputs, outputs, _number(inequality.constant, "constant"), strict=not inequality.strict)


def _terms(given: Mapping[int, Any], size: int, what: str) -> tuple[tuple[int, Fraction], ...]:
    terms = []
    for number in sorted(given):
        if type(number) is not int or not 0 <= number < size:
            raise _Wrong(f"there is no {what} {number!r}; the model has {size}")
        value = _number(given[number], f"coefficient of {what} {number}")
        if value:
            terms.append((number, value))
    return tuple(terms)


def _numbers(values: Sequence[Any], what: str) -> tuple[Fraction, ...]:
    return tuple(_number(value, f"number in `{what}`") for value in values)


def _number(value: Any, what: str) -> Fraction:
    if type(value) not in (int, Fraction):
        raise _Wrong(f"a {what} is {type(value).__name__}, not int or Fraction, which are exact")
    exact = Fraction(value)
    if max(exact.numerator.bit_length(), exact.denominator.bit_length()) > _MOST_BITS:
        raise _Wrong(f"a {what} has more than {_MOST_BITS} bits")
    return exact


def _heading(unsafe: UnsafeSet) -> tuple[str, ...]:
    """The inequalities in words: what must never hold, case after case."""
    boxes = len({(case.box.lower, case.box.upper) for case in unsafe.cases})
    count = len(unsafe.cases)
    lines = [
        f"claimed: none of {count} case{'s' if count > 1 else ''} in {boxes} box{'es' if boxes > 1 else ''} "
        "is reached by any input X with outputs Y"
    ]
    lines += [
        f"case {number}: " + "; ".join(text(atom) for atom in case.atoms)
        for number, case in enumerate(unsafe.cases[:_SHOWN], start=1)
    ]
    if count > _SHOWN:
        lines.append(f"and {count - _SHOWN} more cases")
    return tuple(lines)
