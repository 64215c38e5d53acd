"""Fixtures: a real Lean with the whole library."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.text import THEOREM, render
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall, check, ensure_built, find_lean
from pytest_torchlean.errors import CheckerError

Ask = Callable[..., CheckResult]


@pytest.fixture(scope="session")
def lean() -> LeanInstall:
    try:
        return find_lean()
    except CheckerError as error:
        if error.code == "TL0501":
            pytest.skip("no Lean is installed")
        raise


@pytest.fixture(scope="session")
def library(lean: LeanInstall) -> BuiltLibrary:
    return ensure_built(lean)


@pytest.fixture(scope="session")
def ask(lean: LeanInstall, library: BuiltLibrary) -> Ask:
    """`ask(part, ...)`: what Lean says of the parts' theorem."""

    def run(*parts: Emission) -> CheckResult:
        return check(
            render(parts), theorem=THEOREM, built=library, lean=lean, wall_seconds=120, memory_mb=3072
        )

    return run
