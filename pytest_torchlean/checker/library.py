"""Build our Lean library once per machine, user, source text and Lean, into a private cache.

The files that Lean loads (`.olean`) are not checked again by its kernel, so they are never taken from
anywhere: they are built here from the packaged sources. The key of a build is the hash of the sources
and of Lean; a build becomes visible by one rename, so that a killed build leaves nothing that is used;
a lock makes other processes wait for the one that builds. Where digests of the files are shipped with the
sources - a build is the same byte for byte wherever it is made - files of another process must have these;
otherwise the digests that lie beside the files must do, which whoever may write there can forge.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from pytest_torchlean.checker.install import LeanInstall
from pytest_torchlean.checker.lean_process import End, ProcessResult
from pytest_torchlean.checker.lint import clean_modules
from pytest_torchlean.checker.messages import MalformedOutput, parse_messages
from pytest_torchlean.checker.private_directory import cache_root, make_private_directory, require_private
from pytest_torchlean.checker.served import ServedLean
from pytest_torchlean.checker.sources import (
    PARTS,
    ROOT,
    LeanSources,
    module_path,
    read_sources,
    restricted,
    source_directory,
)
from pytest_torchlean.errors import CheckerError
from pytest_torchlean.progress import SILENT, Observer

# No asynchronous elaboration: it starts a thread, with a stack of its own, for every declaration.
OPTIONS = ("-DwarningAsError=true", "-Dlinter.all=false", "-DElab.async=false")

_FORMAT = "1"
_MANIFEST = "build.json"
SHIPPED = "oleans.json"
"""Beside the sources: digests of the files they are built to."""
_PARALLEL = max(2, min(4, os.cpu_count() or 2))
"""Modules compiled at once; each takes below a gigabyte."""
_MODULE_SECONDS = 300.0
_LOCK_PAUSE = 0.1
_MODULE_MB = 3072
_KEEP_SECONDS = 30 * 86400.0


@dataclass(frozen=True)
class BuiltLibrary:
    """A library that can be imported: `olean_directory` goes into LEAN_PATH.

    `seconds` is the time this call spent building, 0.0 if the library was there already. `shipped`: the
    files have the digests that came with the sources.
    """

    olean_directory: Path
    modules: tuple[str, ...]
    sources_sha256: str
    lean_sha256: str
    seconds: float
    shipped: bool = False


_built_here: set[Path] = set()
"""Builds of this process."""


def ensure_built(
    lean: LeanInstall,
    *,
    parts: Collection[str] = PARTS,
    sources: Path | None = None,
    cache: Path | None = None,
    observer: Observer = SILENT,
    stop: threading.Event | None = None,
) -> BuiltLibrary:
    """The library built with this Lean, and those `parts` of it whose sources are there.

    What this user has not built yet is built. `sources` is a folder with `PytestTorchLean.lean` (default:
    the packaged one), `cache` the user's cache folder (default: see `cache_root`). Safe to call from several
    processes at once. Once `stop` is set, no further module is compiled and `Stopped` is raised.

    Raises CheckerError TL0504 (sources), TL0505 (Lean refuses them), TL0506 (cache not private, or not to be
    written where something has to be built) or TL0503.
    """
    directory = source_directory() if sources is None else sources
    there = [part for part in PARTS if (directory / module_path(part, ".lean")).is_file()]
    whole = read_sources(directory, ROOT, *there)
    root = make_private_directory((cache_root() if cache is None else cache) / "lean")
    shipped = shipped_digests(directory, whole, lean)
    builds = {
        chosen: _Build(root, restricted(whole, ROOT, *chosen), lean, shipped)
        for size in range(len(there) + 1)
        for chosen in combinations(there, size)
    }
    wanted = builds.pop(tuple(part for part in there if part in parts))
    others = tuple(builds.values())

    def found_built() -> BuiltLibrary | None:
        for build in (wanted, *others):
            if set(wanted.texts.modules) <= set(build.texts.modules) and build.is_intact():
                with contextlib.suppress(OSError):  # a folder that only lets read: an image, a shared cache
                    os.utime(build.target)
                return build.result(0.0)
        return None

    if (found := found_built()) is not None:
        return found
    observer.phase("waiting for the Lean library, which another process builds")
    try:
        with _locked(root / f"{_key(whole, lean)}.lock", stop):
            if (found := found_built()) is not None:
                return found
            clean = clean_modules(wanted.texts, directory if sources is None else None)
            _discard_leftovers(root, wanted.key, [build.key for build in others])
            started = time.monotonic()
            _build(wanted, [build for build in others if build.is_intact()], clean, observer, stop)
            _built_here.add(wanted.target)
            _discard_unused(root)
            return wanted.result(time.monotonic() - started)
    except OSError as error:
        raise CheckerError("TL0506", f"cannot build the Lean library in {root}: {error}") from error


def has_builds() -> bool:
    """Whether this user has a build of some library, perhaps of another version.

    Raises CheckerError TL0506 if there is no place for one.
    """
    return any((cache_root() / "lean").glob(f"*/{_MANIFEST}"))


class Stopped(Exception):
    """A build was to stop before its end."""


@dataclass(frozen=True, eq=False)
class _Build:
    """One build below a cache folder: of the library and of some parts besides."""

    root: Path
    texts: LeanSources
    lean: LeanInstall
    shipped: Mapping[str, str] | None

    @property
    def key(self) -> str:
        return _key(self.texts, self.lean)

    @property
    def target(self) -> Path:
        return self.root / self.key

    def is_intact(self) -> bool:
        return _is_intact(self.target, self.texts, self.shipped)

    def result(self, seconds: float) -> BuiltLibrary:
        return _result(self.target, self.texts, self.lean, seconds, self.shipped)


def _key(texts: LeanSources, lean: LeanInstall) -> str:
    parts = [_FORMAT, *OPTIONS, lean.version, lean.sha256, texts.sha256]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _result(
    target: Path, texts: LeanSources, lean: LeanInstall, seconds: float, shipped: Mapping[str, str] | None
) -> BuiltLibrary:
    """The library. Digests are taken here only of what this process built; `_is_intact` compared others."""
    same = shipped is not None and (
        target not in _built_here
        or all(_digest(target, module) == shipped[module] for module in texts.modules)
    )
    return BuiltLibrary(target / "olean", texts.modules, texts.sha256, lean.sha256, seconds, same)


def shipped_digests(directory: Path, texts: LeanSources, lean: LeanInstall) -> dict[str, str] | None:
    """The digests shipped beside the sources, if they are of these sources, this Lean and these options.

    texts: with all parts.
    """
    try:
        found = json.loads((directory / SHIPPED).read_text(encoding="utf-8"))
        about = (found["sources_sha256"], found["lean_sha256"], tuple(found["options"]))
        digests = {str(module): str(digest) for module, digest in found["oleans"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    same = about == (texts.sha256, lean.sha256, OPTIONS)
    return digests if same and set(digests) == set(texts.modules) else None


def _build(
    wanted: _Build,
    earlier: Iterable[_Build],
    clean: Iterator[str],
    observer: Observer,
    stop: threading.Event | None,
) -> None:
    """Build into a temporary folder beside the target, then rename; copy what is in `earlier`."""
    texts = wanted.texts
    work = Path(tempfile.mkdtemp(prefix=f"{wanted.key}.building-", dir=wanted.root))
    try:
        for module in texts.modules:
            path = work / "source" / module_path(module, ".lean")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(texts.text[module])
            (work / "olean" / module_path(module, ".olean")).parent.mkdir(parents=True, exist_ok=True)
        done: set[str] = set()
        for build in earlier:
            done |= _taken(build, texts, work)
        _compile_all(wanted.lean, texts, work, done, clean, observer, stop)
        shutil.rmtree(work / "source")
        shutil.rmtree(work / "log", ignore_errors=True)
        digests = {module: _digest(work, module) for module in texts.modules}
        manifest = {"sources_sha256": texts.sha256, "lean_sha256": wanted.lean.sha256, "oleans": digests}
        (work / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        os.replace(work, wanted.target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _taken(earlier: _Build, texts: LeanSources, work: Path) -> set[str]:
    """Copy the files of an intact build of the same sources, and name their modules."""
    shared = {module for module in earlier.texts.modules if module in texts.text}
    for module in shared:
        place = Path("olean") / module_path(module, ".olean")
        shutil.copyfile(earlier.target / place, work / place)
    return shared


def _compile_all(
    lean: LeanInstall,
    texts: LeanSources,
    work: Path,
    done: set[str],
    clean: Iterator[str],
    observer: Observer,
    stop: threading.Event | None,
) -> None:
    """Compile every module after the ones it imports, at most _PARALLEL at a time, longest chain first.

    done: modules that are compiled already; the others are added. `clean` yields all modules, each when it
    may be compiled; it runs while others are compiled, and to its end.
    """
    chains = _chain_lengths(texts)
    waiting = sorted(
        (module for module in texts.modules if module not in done), key=lambda module: -chains[module]
    )
    may: set[str] = set()
    running: dict[Future[None], str] = {}
    observer.phase("building the Lean library, once per user", len(texts.modules), "modules")
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        idle = [
            stack.enter_context(ServedLean(lean, lean_path=[work / "olean"], memory_mb=_MODULE_MB))
            for _ in range(_PARALLEL)
        ]

        def compile_one(module: str) -> None:
            served = idle.pop()
            try:
                _compile(served, module, work)
            finally:
                idle.append(served)

        while waiting or running or len(may) < len(texts.modules):
            if stop is not None and stop.is_set():
                raise Stopped
            if (module := next(clean, None)) is not None:
                may.add(module)
            ready = [one for one in waiting if one in may and done.issuperset(texts.imports[one])]
            for module in ready[: _PARALLEL - len(running)]:
                waiting.remove(module)
                running[pool.submit(compile_one, module)] = module
            pause = 0.0 if len(may) < len(texts.modules) else None
            finished, _ = wait(running, pause, return_when=FIRST_COMPLETED)
            for future in finished:
                done.add(running.pop(future))
                observer.step(len(done))
                future.result()


def _chain_lengths(texts: LeanSources) -> dict[str, int]:
    """For each module the number of modules on the longest chain that waits for it."""
    lengths = dict.fromkeys(texts.modules, 1)
    for module in reversed(texts.modules):
        for imported in texts.imports[module]:
            lengths[imported] = max(lengths[imported], lengths[module] + 1)
    return lengths


def _compile(lean: ServedLean, module: str, work: Path) -> None:
    """Compile one module; raises CheckerError TL0505 on any error or warning."""
    log = work / "log" / module
    log.mkdir(parents=True)
    source = work / "source" / module_path(module, ".lean")
    olean = work / "olean" / module_path(module, ".olean")
    result = lean.run(
        ["--json", *OPTIONS, f"--root={work / 'source'}", "-o", str(olean), str(source)],
        directory=log,
        wall_seconds=_MODULE_SECONDS,
    )
    problem = _problem(result)
    if problem is not None:
        raise CheckerError("TL0505", f"Lean does not accept the module {module}: {problem}")
    if not olean.is_file():
        raise CheckerError("TL0505", f"Lean wrote no file for the module {module}")


def _problem(result: ProcessResult) -> str | None:
    """Why a compilation does not count, or None."""
    try:
        messages = parse_messages(result.stdout)
    except MalformedOutput as error:
        return f"its output is not understood ({error})"
    for message in messages:
        if message.severity != "information":
            return f"line {message.line}: {message.severity}: {message.text}"
    if result.end is not End.EXITED or result.code != 0:
        stderr = result.stderr.decode("utf-8", "replace").strip()[:500]
        return f"{result.end.value}, code {result.code} {stderr}".rstrip()
    return None


def _digest(build: Path, module: str) -> str:
    with (build / "olean" / module_path(module, ".olean")).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_intact(target: Path, texts: LeanSources, shipped: Mapping[str, str] | None) -> bool:
    """Whether a finished build is there with the files it was made of.

    A build of another process must have the shipped digests, where there are any. Raises CheckerError
    TL0506 if it is there but not private.
    """
    if not os.path.lexists(target):
        return False
    require_private(target)
    try:
        manifest = json.loads((target / _MANIFEST).read_text(encoding="utf-8"))
        digests = manifest["oleans"] if shipped is None or target in _built_here else shipped
        return set(texts.modules) <= set(digests) and all(
            _digest(target, module) == digests[module] for module in texts.modules
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _discard_leftovers(root: Path, key: str, others: Iterable[str]) -> None:
    """Remove a damaged build and what killed ones left, also of other parts; called with the lock held."""
    target = root / key
    if target.exists():
        grave = Path(tempfile.mkdtemp(prefix=f"{key}.building-", dir=root))
        os.replace(target, grave / "damaged")
    for name in (key, *others):
        for leftover in root.glob(f"{name}.building-*"):
            shutil.rmtree(leftover, ignore_errors=True)


def _discard_unused(root: Path) -> None:
    """Remove builds, finished or not, that nobody has used for thirty days."""
    oldest = time.time() - _KEEP_SECONDS
    for folder in root.iterdir():
        with contextlib.suppress(FileNotFoundError):
            status = folder.lstat()
            if stat.S_ISDIR(status.st_mode) and status.st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(path: Path, stop: threading.Event | None) -> Iterator[None]:
    """Hold an exclusive lock that the kernel drops when this process dies; raises Stopped."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if stop is None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        while stop is not None:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if stop.wait(_LOCK_PAUSE):
                raise Stopped
        yield
    finally:
        os.close(descriptor)
