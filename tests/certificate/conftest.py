"""A fixture that puts emissions before a real Lean."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.text import THEOREM, render
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall, check

Ask = Callable[..., CheckResult]


@pytest.fixture(scope="session")
def ask(lean: LeanInstall, library: BuiltLibrary) -> Ask:
    """`ask(part, ...)`: what Lean says of the parts' theorem."""

    def run(*parts: Emission) -> CheckResult:
        return check(
            render(parts), theorem=THEOREM, built=library, lean=lean, wall_seconds=120, memory_mb=3072
        )

    return run
