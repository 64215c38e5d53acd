"""What Lean is given: a module for its kernel, or a document for the compiled checker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pytest_torchlean.certificate.apart import apart
from pytest_torchlean.certificate.binary import DocumentData, UnreadableDocument, decode, encode
from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.rules import rules_of
from pytest_torchlean.certificate.text import THEOREM, UnreadableText, parse, render
from pytest_torchlean.checker import (
    BuiltLibrary,
    CheckResult,
    EvaluationResult,
    LeanInstall,
)
from pytest_torchlean.checker import check as ask_lean
from pytest_torchlean.checker.evaluate import evaluate_bytes
from pytest_torchlean.errors import CertificateError
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.levels import (
    EVALUATED,
    EVALUATED_TRUST,
    KERNEL_TRUST,
    placed_document,
    weights_line,
)
from pytest_torchlean.properties.parts import Part

MEGABYTES_OF_A_TREE = 1000.0
"""The largest tree of cases that is one theorem; beyond, several are joined."""


@dataclass(frozen=True, eq=False)
class EmittedText:
    """The parts as a module that Lean's kernel checks."""

    parts: tuple[Part, ...]
    text: str

    @property
    def trust(self) -> tuple[str, ...]:
        return KERNEL_TRUST

    def read_back(self) -> tuple[Emission, ...]:
        try:
            return parse(self.text)
        except UnreadableText as error:
            raise CertificateError("TL0610", f"the emitted text cannot be read back: {error}") from error

    def ask(self, lean: LeanInstall, built: BuiltLibrary, wall_seconds: float, memory_mb: int) -> CheckResult:
        return ask_lean(
            self.text, theorem=THEOREM, built=built, lean=lean, wall_seconds=wall_seconds, memory_mb=memory_mb
        )


@dataclass(frozen=True, eq=False)
class EmittedDocument:
    """The parts as a document that the compiled checker reads."""

    parts: tuple[Part, ...]
    data: bytes
    document: DocumentData
    files: tuple[Path, ...]

    @property
    def trust(self) -> tuple[str, ...]:
        return (*EVALUATED_TRUST, weights_line(self.document))

    def read_back(self) -> tuple[Emission, ...]:
        try:
            return decode(self.data).emissions
        except UnreadableDocument as error:
            raise CertificateError("TL0610", f"the document cannot be read back: {error}") from error

    def ask(
        self, lean: LeanInstall, built: BuiltLibrary, wall_seconds: float, memory_mb: int
    ) -> EvaluationResult:
        return evaluate_bytes(
            self.data,
            expected=(self.document.boxes, self.document.compared),
            rules=rules_of(self.document.graph),
            files=self.files,
            built=built,
            lean=lean,
            wall_seconds=wall_seconds,
            memory_mb=memory_mb,
        )


Emitted = EmittedText | EmittedDocument


def emit(parts: tuple[Part, ...], level: str, context: PropertyContext) -> Emitted:
    """The parts as Lean gets them; for the kernel, trees that one theorem could not hold are cut up.

    Raises CertificateError TL0610 if the model's file changed.
    """
    if level == EVALUATED:
        emissions = tuple(part.emission for part in parts)
        document, files = placed_document(emissions, context.model)
        return EmittedDocument(parts, encode(document), document, files)
    parts = tuple(replace(part, emission=apart(part.emission, MEGABYTES_OF_A_TREE)) for part in parts)
    return EmittedText(parts, render([part.emission for part in parts]))
