"""What a property of an extension's kind claimed, in a witness file: replayed without the extension."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from pytest_torchlean.errors import DataError
from pytest_torchlean.spec.model import ExtensionProperty, PropertySpec
from pytest_torchlean.spec.vnnlib import Atom, Case, InputBox, UnsafeSet
from pytest_torchlean.verdict import Evidence


@dataclass(frozen=True)
class StoredCase:
    """Inputs of the closed box with all atoms true are unsafe."""

    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]
    atoms: tuple[Atom, ...]


@dataclass(frozen=True, kw_only=True)
class StoredClaim(PropertySpec):
    """A property by its unsafe set. `kind` is the word after `check:`."""

    check: ClassVar[str] = "extension"

    kind: str
    cases: tuple[StoredCase, ...]

    def unsafe(self, inputs: int, outputs: int) -> UnsafeSet:
        """The set for a model of this size. Raises DataError TL0490 where it does not fit."""
        numbers = [
            (number, size)
            for case in self.cases
            for atom in case.atoms
            for terms, size in ((atom.inputs, inputs), (atom.outputs, outputs))
            for number, _ in terms
        ]
        fits = all(0 <= number < size for number, size in numbers) and all(
            len(case.lower) == len(case.upper) == inputs for case in self.cases
        )
        if not fits:
            raise DataError("TL0490", "the witness's property does not fit the model")
        return UnsafeSet(
            inputs,
            outputs,
            tuple(Case(InputBox(case.lower, case.upper), case.atoms) for case in self.cases),
        )


def stored_form(prop: PropertySpec | None, evidence: Evidence) -> PropertySpec | None:
    """The property as its witness file holds it; None where there is none to hold."""
    if not isinstance(prop, ExtensionProperty):
        return prop
    unsafe = evidence.claimed_set
    if not isinstance(unsafe, UnsafeSet):
        return None
    cases = tuple(StoredCase(case.box.lower, case.box.upper, case.atoms) for case in unsafe.cases)
    return StoredClaim(
        name=prop.name,
        model=prop.model,
        timeout=prop.timeout,
        semantics=prop.semantics,
        on_unknown=prop.on_unknown,
        kind=prop.check,
        cases=cases,
    )
