"""Put one theorem about given data before Lean's kernel and read the answer strictly.

The text is written to a private folder and followed by a command that prints the axioms of the named
theorem under a fresh 128-bit name. The theorem counts as accepted only if Lean ends with exit code 0,
standard output is exactly that one message, standard error is empty and the axioms are allowed ones.
"""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pytest_torchlean.checker.install import LeanInstall
from pytest_torchlean.checker.lean_process import End, ProcessResult, run_lean
from pytest_torchlean.checker.library import OPTIONS, BuiltLibrary
from pytest_torchlean.checker.messages import MalformedOutput, Message, parse_messages
from pytest_torchlean.checker.sources import ROOT
from pytest_torchlean.errors import CheckerError

ALLOWED_AXIOMS = ("propext", "Quot.sound")

_NEVER_ALLOWED = "sorryAx"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_']*(?:\.[A-Za-z_][A-Za-z0-9_']*)*")
# Words with which a text could get past the kernel or print what it likes. Our own texts need none.
_FORBIDDEN = (
    "sorry", "axiom", "unsafe", "native_decide", "implemented_by", "extern", "csimp", "debug.",
    "skipKernelTC", "initialize", "_elab", "macro", "syntax", "notation", "#",
)  # fmt: skip


class Outcome(Enum):
    """What became of a theorem."""

    ACCEPTED = "accepted"
    REFUSED = "refused by Lean"
    TIME = "out of time"
    MEMORY = "out of memory"
    CRASHED = "Lean crashed"
    GARBLED = "unexpected answer"
    AXIOMS = "axioms that are not allowed"


OUTCOME_CODES = {
    Outcome.REFUSED: "TL0510",
    Outcome.TIME: "TL0511",
    Outcome.MEMORY: "TL0512",
    Outcome.CRASHED: "TL0513",
    Outcome.GARBLED: "TL0514",
    Outcome.AXIOMS: "TL0515",
}


class Answered:
    """What every answer of Lean says of itself."""

    outcome: Outcome

    @property
    def accepted(self) -> bool:
        return self.outcome is Outcome.ACCEPTED

    @property
    def code(self) -> str | None:
        """The TLnnnn code of a refusal; None if accepted."""
        return OUTCOME_CODES.get(self.outcome)


@dataclass(frozen=True)
class CheckResult(Answered):
    """The answer for one theorem. `axioms` is what the theorem rests on, known only when Lean said so."""

    outcome: Outcome
    theorem: str
    axioms: tuple[str, ...]
    seconds: float
    peak_memory_mb: float
    detail: str = ""
    processor_seconds: float = 0.0


def check(
    source: str,
    *,
    theorem: str,
    built: BuiltLibrary,
    lean: LeanInstall,
    wall_seconds: float,
    memory_mb: int,
    statement: str | None = None,
    allowed_axioms: Collection[str] = ALLOWED_AXIOMS,
) -> CheckResult:
    """Let Lean check `source`, a module text that starts with `prelude` and proves `theorem`.

    `theorem` is the full name. `statement`, if given, is a Lean term: the theorem must prove exactly that
    proposition (up to definitional unfolding). The text must print nothing by itself.

    Whatever Lean does is recorded in the result. Raises CheckerError TL0516 if the text or name is not one we
    would have generated, TL0503 if Lean cannot be started.
    """
    _require_harmless(source, theorem, statement)
    nonce = f"accepted_{secrets.token_hex(16)}"
    if statement is None:
        witness = f"def _root_.{nonce} := @{theorem}"
    else:
        witness = f"theorem _root_.{nonce} : {statement} := {theorem}"
    text = f"{source}\n\n{witness}\n#print axioms _root_.{nonce}\n"
    with tempfile.TemporaryDirectory(prefix="torchlean-") as folder:
        directory = Path(folder)
        (directory / "Certificate.lean").write_text(text, encoding="utf-8", newline="\n")
        result = run_lean(
            lean,
            ["--json", *OPTIONS, "Certificate.lean"],
            directory=directory,
            lean_path=[built.olean_directory],
            wall_seconds=wall_seconds,
            memory_mb=memory_mb,
            file_mb=16,
        )
    outcome, axioms, detail = _judge(result, nonce, frozenset(allowed_axioms) - {_NEVER_ALLOWED})
    return CheckResult(
        outcome, theorem, axioms, result.seconds, result.peak_memory_mb, detail, result.processor_seconds
    )


def axioms_of(
    theorems: Sequence[str], *, built: BuiltLibrary, lean: LeanInstall, module: str = ROOT
) -> dict[str, tuple[str, ...]]:
    """The axioms that each of the named theorems of the built library rests on.

    Raises CheckerError TL0514 if Lean does not name exactly these theorems, TL0516 for an odd name.
    """
    for name in (*theorems, module):
        _require_harmless("prelude\n", name, None)
    lines = [f"#print axioms {name}" for name in theorems]
    with tempfile.TemporaryDirectory(prefix="torchlean-") as folder:
        directory = Path(folder)
        text = "\n".join(["prelude", f"import {module}", *lines, ""])
        (directory / "Axioms.lean").write_text(text, encoding="utf-8", newline="\n")
        result = run_lean(
            lean,
            ["--json", *OPTIONS, "Axioms.lean"],
            directory=directory,
            lean_path=[built.olean_directory],
            wall_seconds=60.0,
            memory_mb=2048,
        )
    try:
        messages = parse_messages(result.stdout)
    except MalformedOutput as error:
        raise CheckerError("TL0514", str(error)) from error
    if (result.end, result.code) != (End.EXITED, 0) or len(messages) != len(theorems):
        said = "; ".join(message.text for message in messages)[:500]
        raise CheckerError("TL0514", f"Lean does not list the axioms: {said}")
    found = {name: _axioms(message, name) for name, message in zip(theorems, messages, strict=True)}
    listed = {name: axioms for name, axioms in found.items() if axioms is not None}
    if len(listed) != len(found):
        raise CheckerError("TL0514", "Lean names other theorems than those asked for")
    return listed


def _require_harmless(source: str, theorem: str, statement: str | None) -> None:
    if _NAME.fullmatch(theorem) is None:
        raise CheckerError("TL0516", f"not a theorem name: {theorem[:80]!r}")
    if not source.startswith("prelude\n"):
        raise CheckerError("TL0516", "a certificate does not start with `prelude`")
    for word in _FORBIDDEN:
        if word in source or (statement is not None and word in statement):
            raise CheckerError("TL0516", f"a certificate contains `{word}`")


def was_killed(result: ProcessResult) -> tuple[Outcome, str] | None:
    """The limit at which Lean was killed, and what to tell the user; None if it ended by itself."""
    if result.end is End.DEADLINE:
        return Outcome.TIME, f"Lean was killed after {result.seconds:.1f} s"
    if result.end is End.MEMORY:
        return Outcome.MEMORY, f"Lean was killed when it held {result.peak_memory_mb:.0f} MiB of memory"
    return None


def _judge(
    result: ProcessResult, nonce: str, allowed: frozenset[str]
) -> tuple[Outcome, tuple[str, ...], str]:
    """The outcome, the axioms if known, and what to tell the user."""
    stderr = " ".join(result.stderr.decode("utf-8", "replace").split())[:500]
    if (killed := was_killed(result)) is not None:
        return killed[0], (), killed[1]
    try:
        messages = parse_messages(result.stdout)
    except MalformedOutput as error:
        messages, malformed = (), str(error)
    else:
        malformed = "more output than any answer has" if result.truncated else ""
    first_error = next((message for message in messages if message.severity == "error"), None)
    if result.end is End.SIGNALLED or result.code != 0:
        said = first_error.text if first_error is not None else stderr
        if ran_out_of_memory(stderr, *(message.text for message in messages if message.severity == "error")):
            return Outcome.MEMORY, (), said
        if result.end is End.EXITED and result.code == 1 and first_error is not None and not malformed:
            return Outcome.REFUSED, (), f"line {first_error.line}: {said}"
        return Outcome.CRASHED, (), f"{result.end.value}, code {result.code}: {said}"
    if malformed:
        return Outcome.GARBLED, (), malformed
    if stderr:
        return Outcome.GARBLED, (), f"standard error is not empty: {stderr}"
    if len(messages) != 1:
        shown = "; ".join(message.text for message in messages[:3])[:500]
        return Outcome.GARBLED, (), f"{len(messages)} messages instead of one: {shown}"
    axioms = _axioms(messages[0], nonce)
    if axioms is None:
        return Outcome.GARBLED, (), f"not the expected answer: {messages[0].text[:500]}"
    extra = sorted(set(axioms) - allowed)
    if extra:
        return Outcome.AXIOMS, axioms, f"the theorem rests on {', '.join(extra)}"
    return Outcome.ACCEPTED, axioms, ""


def _axioms(message: Message, name: str) -> tuple[str, ...] | None:
    """The axioms that a message reports for exactly this name; None if it says anything else."""
    if message.severity != "information":
        return None
    if message.text == f"'{name}' does not depend on any axioms":
        return ()
    match = re.fullmatch(rf"'{re.escape(name)}' depends on axioms: \[([^\[\]]+)\]", message.text)
    return tuple(axiom.strip() for axiom in match[1].split(",")) if match is not None else None


def ran_out_of_memory(*said: str) -> bool:
    """Whether Lean's own words are those of a process that found no more memory."""
    signs = ("excessive memory consumption", "out of memory", "bad_alloc", "failed to create thread")
    return any(sign in text for text in said for sign in signs)
