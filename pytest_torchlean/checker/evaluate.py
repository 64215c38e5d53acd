"""Have Lean's interpreter run the compiled checker on a document, and read the answer strictly.

This is the `evaluated` level: the same `check` that the kernel reduces for a theorem, compiled and run
by `lean --run`. No theorem about the data is made, so more is trusted than Lean's kernel: the compiler
front, the interpreter, GMP, and the library's replacement of functions on natural numbers.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_torchlean.certificate.binary import DocumentData, encode
from pytest_torchlean.certificate.rules import Rules, rules_of
from pytest_torchlean.checker.check import Answered, Outcome, ran_out_of_memory, was_killed
from pytest_torchlean.checker.install import LeanInstall
from pytest_torchlean.checker.lean_process import End, ProcessResult, run_lean
from pytest_torchlean.checker.library import OPTIONS, BuiltLibrary
from pytest_torchlean.checker.sources import EVALUATED, ROOT

_REFUSALS = {
    2: "refused: not a document",
    3: "refused: the weights are not those of the model's files",
    4: "refused: the certificate does not prove the claims",
}


@dataclass(frozen=True)
class EvaluationResult(Answered):
    """The program's answer. `compared` is the number of weights it compared with the model's files."""

    outcome: Outcome
    compared: int
    seconds: float
    peak_memory_mb: float
    detail: str = ""
    processor_seconds: float = 0.0


def evaluate(
    document: DocumentData,
    *,
    files: Sequence[Path] = (),
    built: BuiltLibrary,
    lean: LeanInstall,
    wall_seconds: float,
    memory_mb: int,
) -> EvaluationResult:
    """Run the compiled checker on `document`; its blocks refer to `files` by number.

    Whatever happens is recorded in the result. Raises CheckerError TL0503 if Lean cannot be started.
    """
    return evaluate_bytes(
        encode(document),
        expected=(document.boxes, document.compared),
        rules=rules_of(document.graph),
        files=files,
        built=built,
        lean=lean,
        wall_seconds=wall_seconds,
        memory_mb=memory_mb,
    )


def program(rules: Rules, words: str = "") -> str:
    """The Lean file that is run: the checker with a set of rules. words: a comment before it."""
    imports = "".join(f"import {module}\n" for module in (*rules.modules, EVALUATED))
    name = EVALUATED.rpartition(".")[0]
    return f"prelude\n{imports}{words}def main := {name}.main {ROOT}.{rules.value}\n"


def evaluate_bytes(
    data: bytes,
    *,
    expected: tuple[int, int],
    rules: Rules,
    files: Sequence[Path] = (),
    built: BuiltLibrary,
    lean: LeanInstall,
    wall_seconds: float,
    memory_mb: int,
) -> EvaluationResult:
    """The same on an encoded document. `expected` is its number of boxes and of compared weights;
    nodes that `rules` have no rule for are refused.
    """
    nonce = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="torchlean-") as folder:
        directory = Path(folder)
        (directory / "Program.lean").write_text(program(rules), encoding="utf-8", newline="\n")
        (directory / "document").write_bytes(data)
        paths = [os.fspath(path.resolve()) for path in files]
        result = run_lean(
            lean,
            [*OPTIONS, "--run", "Program.lean", nonce, "document", *paths],
            directory=directory,
            lean_path=[built.olean_directory],
            wall_seconds=wall_seconds,
            memory_mb=memory_mb,
            file_mb=16,
        )
    outcome, detail = _judge(result, nonce, expected)
    return EvaluationResult(
        outcome, expected[1], result.seconds, result.peak_memory_mb, detail, result.processor_seconds
    )


def _judge(result: ProcessResult, nonce: str, expected: tuple[int, int]) -> tuple[Outcome, str]:
    """The outcome and what to tell the user."""
    if (killed := was_killed(result)) is not None:
        return killed
    stdout = result.stdout.decode("utf-8", "replace")
    stderr = " ".join(result.stderr.decode("utf-8", "replace").split())[:500]
    if result.code != 0 and ran_out_of_memory(stderr, stdout):
        return Outcome.MEMORY, stderr or stdout[:500]
    if result.end is End.SIGNALLED or result.code not in (0, *_REFUSALS):
        return Outcome.CRASHED, f"{result.end.value}, code {result.code}: {stderr or stdout[:500]}"
    boxes, compared = expected
    answer = _REFUSALS.get(result.code, f"accepted: boxes {boxes}, weights compared {compared}")
    if stderr or result.truncated or stdout != f"{nonce} {answer}\n":
        return Outcome.GARBLED, f"not the expected answer: {stderr or stdout[:500]}"
    return (Outcome.ACCEPTED, "") if result.code == 0 else (Outcome.REFUSED, answer.partition(": ")[2])
