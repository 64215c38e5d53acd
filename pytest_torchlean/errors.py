"""The error tree and the table of stable TLnnnn codes.

Every error a user can meet carries a code, says what is wrong and how to fix it, and where it
concerns a file it carries the place. Codes never change meaning and are never reused.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceSpan:
    """A place in a text file. `line` and `column` count from 1; `length` is in characters."""

    file: str
    line: int
    column: int
    length: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class ErrorCode:
    """One row of the table: a short title, the usual cause and the usual fix."""

    code: str
    title: str
    cause: str
    fix: str


_ROWS: tuple[ErrorCode, ...] = (
    # TL01xx: the model file
    ErrorCode("TL0101", "model file not found", "the path in the spec names no file", "check `path`"),
    ErrorCode(
        "TL0102",
        "model file is a Git LFS pointer",
        "the repository was checked out without its large files",
        "run `git lfs pull`, or set `lfs: true` on the checkout step",
    ),
    ErrorCode(
        "TL0103",
        "model file is not a readable ONNX model",
        "the file is truncated, empty, or not ONNX",
        "export the model again and compare the file's sha256",
    ),
    ErrorCode(
        "TL0104",
        "weight is not finite",
        "a weight or constant holds NaN or infinity",
        "retrain or repair the named tensor; nothing can be proved about such a model",
    ),
    # TL09xx: ourselves
    ErrorCode(
        "TL0901",
        "internal error",
        "a defect of pytest-torchlean",
        "report it with the record file; the verdict is ERROR, nothing was proved",
    ),
)

CODES: dict[str, ErrorCode] = {row.code: row for row in _ROWS}


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


class DataError(TorchleanError):
    """A data file is missing or does not fit the model (TL04xx)."""


class CheckerError(TorchleanError):
    """Lean is missing, was tampered with, failed, or refused (TL05xx)."""


class CertificateError(TorchleanError):
    """The producer could not make, or the guard rejected, a certificate (TL06xx)."""


class RuntimeFailure(TorchleanError):
    """onnxruntime refused the model or an input (TL07xx)."""
