"""A fixture that puts emissions before a real Lean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.rules import Rules, rules_of
from pytest_torchlean.certificate.text import THEOREM, render
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall, check
from pytest_torchlean.checker.lean_process import run_lean
from pytest_torchlean.checker.library import OPTIONS
from pytest_torchlean.checker.messages import parse_messages

Ask = Callable[..., CheckResult]
Judge = Callable[[Sequence[Emission], bool], list[int]]


@pytest.fixture(scope="session")
def ask(lean: LeanInstall, library: BuiltLibrary) -> Ask:
    """`ask(part, ...)`: what Lean says of the parts' theorem."""

    def run(*parts: Emission) -> CheckResult:
        return check(
            render(parts), theorem=THEOREM, built=library, lean=lean, wall_seconds=120, memory_mb=3072
        )

    return run


HEADER = """prelude
import PytestTorchLean
import PytestTorchLean.Smooth
set_option maxRecDepth 1000000
set_option maxHeartbeats 0
namespace PytestTorchLean.Mutants
"""


@pytest.fixture
def wrongly_judged(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> Judge:
    """`wrongly_judged(emissions, answer)`: the numbers of those whose check the kernel does not find to be
    `answer`, all in one Lean process. `rules`: instead of those that each names."""

    def run(emissions: Sequence[Emission], answer: bool, rules: Rules | None = None) -> list[int]:
        lines = HEADER.splitlines()
        places = {}
        for number, emission in enumerate(emissions):
            lines.append(f"namespace Mutant{number}")
            text = render((emission,)).splitlines()
            lines += [line for line in text if line.startswith(("def ", "noncomputable def "))]
            places[len(lines) + 1] = number
            lines.append(
                f"example : check {(rules or rules_of(emission.graph)).value} {emission.semantics.value} "
                f"graph part0_claims part0_certificate = Bool.{str(answer).lower()} := by decide +kernel"
            )
            lines.append(f"end Mutant{number}")
        lines.append("end PytestTorchLean.Mutants")
        (tmp_path / "Mutants.lean").write_text("\n".join(lines) + "\n", encoding="utf-8")
        result = run_lean(
            lean,
            ["--json", *OPTIONS, "Mutants.lean"],
            directory=tmp_path,
            lean_path=[library.olean_directory],
            wall_seconds=200,
            memory_mb=3072,
        )
        messages = parse_messages(result.stdout)
        wrong = sorted({places[message.line] for message in messages})
        assert result.code == (1 if wrong else 0), messages
        return wrong

    return run
