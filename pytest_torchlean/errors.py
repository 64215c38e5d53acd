"""The error tree.

Every error a user can meet carries a code of `error_codes`, says what is wrong and how to fix it, and where
it concerns a file it carries the place.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_torchlean.error_codes import CODES


@dataclass(frozen=True)
class SourceSpan:
    """A place in a text file. `line` and `column` count from 1; `length` is in characters."""

    file: str
    line: int
    column: int
    length: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class TorchleanError(Exception):
    """Base of every expected error. `str()` is the message without code and place."""

    def __init__(
        self, code: str, message: str, *, fix: str | None = None, span: SourceSpan | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix if fix is not None else CODES[code].fix
        self.span = span

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.code, self.message, self.fix, self.span))


def _rebuild(
    kind: type[TorchleanError], code: str, message: str, fix: str, span: SourceSpan | None
) -> TorchleanError:
    """Restore an error that crossed a process boundary."""
    return kind(code, message, fix=fix, span=span)


class ModelError(TorchleanError):
    """The model file cannot be read or trusted (TL01xx)."""


class UnsupportedError(TorchleanError):
    """The model is readable but lies outside what we can give a meaning to (TL02xx)."""


class SpecError(TorchleanError):
    """torchlean.yaml or a decorator is wrong (TL03xx)."""


class ShapeError(SpecError):
    """A given shape does not fit the model file.

    `place` names it: the key `shapes`, `dims` or `batch`, the entry, and the dimension if it is one.
    """

    def __init__(
        self, code: str, message: str, place: tuple[str, str, int | None], span: SourceSpan | None = None
    ) -> None:
        super().__init__(code, message, span=span)
        self.place = place

    def at(self, span: SourceSpan | None) -> ShapeError:
        """The same error with a place in a file."""
        return ShapeError(self.code, self.message, self.place, span)

    def __reduce__(self) -> tuple[object, ...]:
        return (ShapeError, (self.code, self.message, self.place, self.span))


@dataclass(frozen=True)
class Finding:
    """One error of a spec with the source line it points at, and the other place it speaks of."""

    error: SpecError
    line: str | None = None
    related: SourceSpan | None = None
    related_line: str | None = None


class SpecErrors(SpecError):
    """Every error of one spec file, in the order of the file. Code, fix and place are the first one's."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        first = findings[0].error
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        super().__init__(first.code, first.message + more, fix=first.fix, span=first.span)
        self.findings = findings

    def __reduce__(self) -> tuple[object, ...]:
        return (SpecErrors, (self.findings,))


class DataError(TorchleanError):
    """A data file is missing or does not fit the model (TL04xx)."""


class CheckerError(TorchleanError):
    """Lean is missing, was tampered with, failed, or refused (TL05xx)."""


class CertificateError(TorchleanError):
    """The producer could not make, or the guard rejected, a certificate (TL06xx)."""


class RuntimeFailure(TorchleanError):
    """onnxruntime refused the model or an input (TL07xx)."""


class RecordError(TorchleanError):
    """A record cannot be read, or a report not written (TL08xx)."""


class ExtensionError(TorchleanError):
    """An extension of a third party cannot be loaded, raised, or gave what it must not (TL10xx)."""
