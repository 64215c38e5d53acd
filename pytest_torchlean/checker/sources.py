"""The Lean sources that come with the package: where they are, which are needed, in what order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_torchlean.errors import CheckerError
from pytest_torchlean.files import read_regular_file

ROOT = "PytestTorchLean"
AXIOM_MODULE = f"{ROOT}.Core.Prelude"
EVALUATED = f"{ROOT}.Evaluated.Main"
"""The program of the evaluated level."""
PARTS = (f"{ROOT}.Smooth", EVALUATED)
"""What a certificate may need besides ROOT: rules for smooth nodes, and the program."""

_MAX_SOURCE_BYTES = 4 << 20
_COMMENT = re.compile(r"\A(?:\s+|--[^\n]*\n|/-.*?-/)", re.DOTALL)
_IMPORT = re.compile(r"\Aimport[ \t]+([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)[ \t]*\r?\n")
_PRELUDE = re.compile(r"\Aprelude\s")
_BANNED = re.compile(
    r"\b(?:sorry|native_decide|skipKernelTC)\b|^\s*(?:@\[[^\]]*\]\s*)?(?:(?:private|protected|unsafe)\s+)*axiom\b",
    re.MULTILINE,
)
_WORDS = ("sorry", "native_decide", "skipKernelTC", "axiom")
"""One of them is in every text in which the patterns find something."""
_BANNED_IN_AXIOM_MODULE = re.compile(r"\b(?:sorry|native_decide|skipKernelTC)\b")


@dataclass(frozen=True)
class LeanSources:
    """The modules reachable from the roots, imported ones first, with the bytes that were hashed."""

    modules: tuple[str, ...]
    text: Mapping[str, bytes]
    imports: Mapping[str, tuple[str, ...]]
    sha256: str


def module_path(module: str, suffix: str) -> Path:
    """Relative path of a module: `A.B` with `.lean` is `A/B.lean`."""
    return Path(*module.split(".")).with_suffix(suffix)


def source_directory() -> Path:
    """The folder that holds `PytestTorchLean.lean`: in the installed package, or at the top of a checkout.

    Raises CheckerError TL0504 if there is neither.
    """
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "lean", package.parent / "lean"):
        if (candidate / f"{ROOT}.lean").is_file():
            return candidate
    raise CheckerError("TL0504", f"the Lean sources are neither in {package / 'lean'} nor beside the package")


def read_sources(directory: Path, *roots: str) -> LeanSources:
    """Read the roots (default: ROOT) and all that they import, each file once.

    Raises CheckerError TL0504 for a missing or oversized file, one that does not start with `prelude`, an
    import from outside the library, a cycle, or a word that no proof here may use.
    """

    def read(module: str) -> tuple[bytes, tuple[str, ...]]:
        text = _read(directory, module)
        return text, _imports(module, text)

    return _reachable(read, roots or (ROOT,))


def restricted(sources: LeanSources, *roots: str) -> LeanSources:
    """The roots and all that they import, as `read_sources` gives them, of sources that have them."""
    return _reachable(lambda module: (sources.text[module], sources.imports[module]), roots or (ROOT,))


def _reachable(read: Callable[[str], tuple[bytes, tuple[str, ...]]], roots: Sequence[str]) -> LeanSources:
    """read: a module's text, and what it imports."""
    text: dict[str, bytes] = {}
    imports: dict[str, tuple[str, ...]] = {}
    order: list[str] = []
    open_modules: list[str] = []

    def visit(module: str) -> None:
        if module in open_modules:
            raise CheckerError("TL0504", f"modules import each other: {' -> '.join([*open_modules, module])}")
        if module in text:
            return
        open_modules.append(module)
        text[module], imports[module] = read(module)
        for imported in imports[module]:
            visit(imported)
        open_modules.pop()
        order.append(module)

    for root in roots:
        visit(root)
    digest = hashlib.sha256()
    for module in sorted(text):
        name = module.encode()
        digest.update(b"%d %s %d\n" % (len(name), name, len(text[module])))
        digest.update(text[module])
    return LeanSources(tuple(order), text, imports, digest.hexdigest())


def _read(directory: Path, module: str) -> bytes:
    path = directory / module_path(module, ".lean")
    try:
        return read_regular_file(path, _MAX_SOURCE_BYTES)
    except OSError as error:
        raise CheckerError("TL0504", f"cannot read the Lean module {module}: {error}") from error


def _imports(module: str, data: bytes) -> tuple[str, ...]:
    """The modules named in the header, after the checks that hold for every source."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CheckerError("TL0504", f"the Lean module {module} is not UTF-8: {error}") from error
    banned = None
    if any(word in text for word in _WORDS):
        banned = (_BANNED_IN_AXIOM_MODULE if module == AXIOM_MODULE else _BANNED).search(text)
    if banned is not None:
        line = text.count("\n", 0, banned.end()) + 1
        raise CheckerError("TL0504", f"the Lean module {module} uses `{banned[0].strip()}` in line {line}")
    rest = _skip_comments(text)
    if _PRELUDE.match(rest) is None:
        raise CheckerError("TL0504", f"the Lean module {module} does not start with `prelude`")
    rest = _skip_comments(rest[len("prelude") :])
    found: list[str] = []
    while (match := _IMPORT.match(rest)) is not None:
        if match[1] != ROOT and not match[1].startswith(f"{ROOT}."):
            raise CheckerError("TL0504", f"the Lean module {module} imports {match[1]}, which is not ours")
        found.append(match[1])
        rest = _skip_comments(rest[match.end() :])
    return tuple(found)


def _skip_comments(text: str) -> str:
    """Drop white space and (unnested) comments from the front."""
    while (match := _COMMENT.match(text)) is not None:
        text = text[match.end() :]
    return text
