"""Files of a git revision, read as objects: nothing is checked out and nothing of the repository runs.

Only `git rev-parse`, `ls-tree` and `cat-file` are called, on the repository's own folder by name, without the
user's and the system's configuration, without hooks, filters, text conversion, replaced objects or fetching.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_torchlean.errors import SpecError
from pytest_torchlean.spec.tree import shorten

MOST_BYTES = 1 << 29
"""Largest file that is read or hashed, as for data files."""
_MOST_TREE = 1 << 26
_MOST_LINKS = 8
_SECONDS = 120
_CHUNK = 1 << 20
_REF = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9_./@{}^~+-]{0,254}")
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:[a-z0-9.-]+ [^\n]*\n)*?"
    rb"oid sha256:([0-9a-f]{64})\nsize [0-9]+\n"
)
_REGULAR, _LINK = ("100644", "100755"), "120000"
_HARDENED = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.pager", "cat"),
    ("core.attributesFile", os.devnull),
    ("protocol.allow", "never"),
)


@dataclass(frozen=True)
class _Entry:
    mode: str
    object: str


class Revision:
    """One commit of the repository with the working folder `top`. Paths are relative to it, with slashes."""

    def __init__(self, top: Path, reference: str) -> None:
        """Raises SpecError TL1109 where there is no git, no repository, or no such commit."""
        self.top = top
        self.reference = reference
        self._git = _executable(top)
        if not _REF.fullmatch(reference) or ".." in reference:
            raise _unreadable(f"{shorten(reference)!r} is no name of a revision")
        text, noise = self._run("rev-parse", "--verify", f"{reference}^{{commit}}")
        self.commit = text.decode("ascii", "replace").strip()
        if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", self.commit):
            raise _unreadable(f"the repository has no revision {shorten(reference)!r}")
        if b"ambiguous" in noise:
            raise _unreadable(f"{shorten(reference)!r} names several things, a branch and a tag for instance")

    def exists(self, path: str) -> bool:
        """Whether anything has this path."""
        return path in ("", ".") or self._entry(path) is not None

    def read(self, path: str, most_bytes: int) -> bytes | None:
        """A regular file's bytes, None where nothing has this path.

        Raises SpecError TL1110 for a symbolic link or a folder, TL1109 for a file that is too large.
        """
        entry = self._entry(path)
        if entry is None:
            return None
        if entry.mode not in _REGULAR:
            what = "a symbolic link" if entry.mode == _LINK else "a folder or a submodule"
            raise SpecError("TL1110", f"{shorten(path)} is {what} at {self.commit[:12]}")
        data = b"".join(self._blob(entry.object, most_bytes + 1))
        if len(data) > most_bytes:
            raise _unreadable(f"{shorten(path)} holds more than {most_bytes} bytes at {self.commit[:12]}")
        return data

    def sha256(self, path: str) -> str:
        """The digest of a file, that of its content for a Git LFS pointer; why there is none, in words."""
        entry = self._entry(self.followed(path))
        if entry is None or entry.mode not in _REGULAR:
            return "no file at the base revision"
        digest, size, head = hashlib.sha256(), 0, b""
        for chunk in self._blob(entry.object, MOST_BYTES + 1):
            head = head or chunk
            size += len(chunk)
            digest.update(chunk)
        if size > MOST_BYTES:
            return "too large to be hashed at the base revision"
        pointer = _POINTER.fullmatch(head) if size < 1024 else None
        return pointer[1].decode() if pointer else digest.hexdigest()

    def followed(self, path: str) -> str:
        """The path behind symbolic links of the revision, file by file and folder by folder."""
        for _ in range(_MOST_LINKS):
            link = next((part for part in _parts(path) if self._is_link(part)), None)
            if link is None:
                return path
            entry = self._entry(link)
            target = b"".join(self._blob(entry.object, 4096)) if entry is not None else b""
            moved = posixpath.join(posixpath.dirname(link), target.decode("utf-8", "backslashreplace"))
            path = posixpath.normpath(moved + path[len(link) :])
            if path.startswith(("/", "..")):
                return path
        return path

    def named(self, name: str) -> tuple[str, ...]:
        """The paths of all regular files with this name. Raises SpecError TL1109 for too large a tree."""
        listing, _ = self._run("ls-tree", "-r", "-z", "--full-tree", self.commit)
        paths = []
        for line in listing.split(b"\0"):
            about, _, path = line.decode("utf-8", "surrogateescape").partition("\t")
            if posixpath.basename(path) == name and about.split(" ")[0] in _REGULAR:
                paths.append(path)
        return tuple(sorted(paths))

    def _is_link(self, path: str) -> bool:
        entry = self._entry(path)
        return entry is not None and entry.mode == _LINK

    def _entry(self, path: str) -> _Entry | None:
        if not path or path.startswith(("/", "../")) or path == "..":
            return None
        listing, _ = self._run("ls-tree", "-z", "--full-tree", self.commit, "--", path)
        for line in listing.split(b"\0"):
            about, _, name = line.partition(b"\t")
            if name == os.fsencode(path):
                mode, _kind, sha = about.decode("ascii").split(" ")
                return _Entry(mode, sha)
        return None

    def _blob(self, name: str, most_bytes: int) -> Iterator[bytes]:
        """At most so many bytes of an object, in pieces."""
        with subprocess.Popen(
            self._command("cat-file", "blob", name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd=tempfile.gettempdir(),
        ) as process:
            assert process.stdout is not None
            left = most_bytes
            while left > 0 and (chunk := process.stdout.read(min(_CHUNK, left))):
                left -= len(chunk)
                yield chunk
            if left == 0:
                process.kill()
        if left and process.returncode:
            raise _unreadable(f"git cannot read object {name[:12]}: it may be missing from a partial clone")

    def _run(self, *arguments: str) -> tuple[bytes, bytes]:
        """What git writes to its two streams. Raises SpecError TL1109 where it fails to start or to end."""
        try:
            done = subprocess.run(
                self._command(*arguments),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=_environment(),
                cwd=tempfile.gettempdir(),
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _unreadable(f"git did not answer: {type(error).__name__}") from None
        if len(done.stdout) > _MOST_TREE:
            raise _unreadable("the revision lists too many files")
        if done.returncode and arguments[0] != "rev-parse":
            raise _unreadable(
                f"git {arguments[0]} failed: {shorten(done.stderr.decode('utf-8', 'replace'), 200)}"
            )
        return done.stdout, done.stderr

    def _command(self, *arguments: str) -> list[str]:
        settings = [part for key, value in _HARDENED for part in ("-c", f"{key}={value}")]
        return [
            self._git,
            "--no-pager",
            "--literal-pathspecs",
            "--no-replace-objects",
            f"--git-dir={self.top / '.git'}",
            *settings,
            *arguments,
        ]


def top_of(path: Path) -> Path:
    """The working folder of the git repository that holds a path. Raises SpecError TL1109."""
    start = Path(os.path.realpath(path))
    for folder in (start, *start.parents):
        if os.path.lexists(folder / ".git"):
            return folder
    raise _unreadable(f"{shorten(str(path))} lies in no git repository")


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP") if name in os.environ}
    return kept | {
        "LC_ALL": "C",
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "0",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_GRAFT_FILE": os.devnull,
    }


def _executable(top: Path) -> str:
    """git of the PATH, by its full name, and never one that lies in the repository itself."""
    places = [place for place in os.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(place)]
    found = shutil.which("git", path=os.pathsep.join(places))
    if found is None:
        raise _unreadable("there is no git on the PATH")
    if Path(os.path.realpath(found)).is_relative_to(top):
        raise _unreadable("the git on the PATH lies in the repository that is checked")
    return found


def _parts(path: str) -> Iterator[str]:
    """`a`, `a/b`, `a/b/c`."""
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts) + 1))


def _unreadable(message: str) -> SpecError:
    return SpecError("TL1109", message)
