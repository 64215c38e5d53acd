"""Find a Lean, build our library with it, and let its kernel check theorems about emitted data."""

from pytest_torchlean.checker.check import ALLOWED_AXIOMS, CheckResult, Outcome, axioms_of, check
from pytest_torchlean.checker.evaluate import EvaluationResult, evaluate
from pytest_torchlean.checker.install import LEAN_VERSION, LeanInstall, find_lean
from pytest_torchlean.checker.library import BuiltLibrary, ensure_built
from pytest_torchlean.checker.private_directory import cache_root, make_private_directory

__all__ = [
    "ALLOWED_AXIOMS",
    "LEAN_VERSION",
    "BuiltLibrary",
    "CheckResult",
    "EvaluationResult",
    "LeanInstall",
    "Outcome",
    "axioms_of",
    "cache_root",
    "check",
    "ensure_built",
    "evaluate",
    "find_lean",
    "make_private_directory",
]
