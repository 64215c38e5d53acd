"""`--base REF`: specs, baseline and waivers of a revision, models and data of the working folder.

A property of the base is run as the base states it, with its own timeout there. What the head adds, or states
otherwise, is run too. Nothing of the head can take a property of the base away, make it weaker, lower a
baseline, or waive anything for itself.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from pytest_torchlean.errors import SourceSpan, SpecError
from pytest_torchlean.extensions.registry import Extensions
from pytest_torchlean.files import read_regular_file
from pytest_torchlean.ratchet.compare import Difference, Stated, announced, compare, waive
from pytest_torchlean.ratchet.files import MOST_BYTES, read_baseline, read_waivers
from pytest_torchlean.ratchet.model import BASELINE_NAME, WAIVERS_NAME, Baseline, Waiver, Waivers
from pytest_torchlean.ratchet.revision import Revision, top_of
from pytest_torchlean.ratchet.run import HEAD, Placed, Ratchet, count_of, entries_of, stated
from pytest_torchlean.spec import Spec, decode_spec, load_spec
from pytest_torchlean.spec.tree import shorten
from pytest_torchlean.spec.yaml_source import MAX_BYTES

SPEC_NAME = "torchlean.yaml"
_BASE = "the base revision"


@dataclass(frozen=True)
class Based:
    """What to run, each with its root, and what to compare it with."""

    runs: tuple[Placed, ...]
    ratchet: Ratchet


@dataclass(frozen=True)
class _Pair:
    """One spec on both sides. Paths of `named` lie in a folder that does not exist; those of `base` in the
    working folder, where it runs."""

    path: str
    root: str
    named: Spec | None
    base: Spec | None
    head: Spec | None


def compare_with_base(
    paths: Sequence[Path],
    reference: str,
    *,
    root: Path | None,
    marks: Sequence[str],
    chosen: Path | None,
    extensions: Callable[[Path], Extensions],
) -> Based:
    """The runs and the ratchet of specs against a revision.

    `paths` name specs, which need not exist in the working folder. `marks` are the files that make a folder a
    project; they are looked for in the revision. Raises SpecError TL1108 to TL1110, SpecErrors for specs,
    baselines and waivers that cannot be read on either side.
    """
    top = top_of(paths[0].parent)
    revision = Revision(top, reference)
    names = list(dict.fromkeys(_inside(path, top) for path in paths))
    known = extensions(top)
    pairs = [_pair(name, revision, top, _root(name, revision, top, root, marks), known) for name in names]
    heads = [(pair.head, _at(top, pair.root)) for pair in pairs if pair.head is not None]
    nowhere = _nowhere(top)
    digest = _BaseDigest(revision, nowhere)
    before: dict[str, Stated] = {}
    for pair in pairs:
        if pair.named is not None:
            named = stated([(pair.named, _at(nowhere, pair.root))], digest=digest)
            before |= {name: _links_followed(one, revision, pair.root) for name, one in named.items()}
    earlier = compare(before, stated(heads), _BASE)
    specs = _specs_of(revision, dict.fromkeys(pair.root for pair in pairs))
    gone = {one.id: one for path, one in specs.items() if path not in names and not _is_file(top, path)}
    earlier += compare(gone, {}, _BASE)
    files = _files(revision, top, pairs, chosen)
    for old, new in files.both:
        lowered = compare(entries_of(old), entries_of(new), f"the baseline of {_BASE}")
        earlier += [one for one in lowered if one.change.fails]
    entries = {name: one for old, _ in files.both for name, one in entries_of(old).items()}
    earlier += [announced(one) for one in files.fresh]
    today = datetime.now(UTC).date()
    runs = [part for pair in pairs for part in _runs(pair, top, earlier, files.waivers, today)]
    missing = [pair.path for pair in pairs if pair.named is None]
    ratchet = Ratchet(
        placed=tuple(heads),
        against=(
            f"commit {revision.commit}",
            *files.against,
            *(f"no {shorten(path)} at that commit: nothing to compare it with" for path in missing),
        ),
        before=entries,
        waivers=tuple(files.waivers),
        words=f"the baseline of {_BASE}",
        base=revision.commit,
        stated={**before, **{one.id: one for one in specs.values()}},
        earlier=tuple(earlier),
        leaving=frozenset(one.id for file in files.waivers for one in file.listed) - files.staying,
        added=False,
    )
    return Based(tuple(runs), ratchet)


def _pair(name: str, revision: Revision, top: Path, root: str, known: Extensions) -> _Pair:
    data = revision.read(name, MAX_BYTES)
    shown_as = posixpath.relpath(name, root or ".")
    named = base = None
    if data is not None:
        nowhere = _nowhere(top)
        place = posixpath.dirname(name)
        named = decode_spec(
            data, file=shown_as, base=_at(nowhere, place), root=_at(nowhere, root), extensions=known
        )
        base = decode_spec(data, file=shown_as, base=_at(top, place), root=_at(top, root), extensions=known)
    head = load_spec(top / name, _at(top, root), known) if _regular(top, name) else None
    if named is None and head is None:
        raise SpecError("TL0301", f"there is no {shorten(name)}, neither here nor at {revision.commit[:12]}")
    return _Pair(name, root, named, base, head)


def _runs(
    pair: _Pair, top: Path, earlier: Sequence[Difference], waivers: Sequence[Waivers], today: date
) -> Iterable[Placed]:
    """The base's properties, but those whose end is waived; the head's that are new or stated otherwise."""
    root = _at(top, pair.root)
    failing = {one.change.id for one in earlier if one.change.fails}
    marked = waive(earlier, waivers, today).changes
    let_go = failing - {change.id for change in marked if change.fails}
    by_path = _path_digest
    base = {} if pair.base is None else stated([(pair.base, root)], digest=by_path)
    head = {} if pair.head is None else stated([(pair.head, root)], digest=by_path)
    if pair.base is not None:
        kept = [prop for prop in pair.base.properties if pair.base.item_id(prop) not in let_go]
        yield replace(pair.base, properties=tuple(kept)), root
    if pair.head is None:
        return
    fresh, other = [], []
    for prop in pair.head.properties:
        name = pair.head.item_id(prop)
        if name not in base or name in let_go:
            fresh.append(prop)
        elif base[name].claim != head[name].claim:
            other.append(prop)
    if other:
        yield replace(pair.head, properties=tuple(other), suffix=HEAD), root
    if fresh:
        yield replace(pair.head, properties=tuple(fresh)), root


@dataclass
class _Files:
    """Each baseline of the base with that of the head, the base's waivers, whom the head's are for and which
    of them are new."""

    both: list[tuple[Baseline, Baseline]] = field(default_factory=list)
    waivers: list[Waivers] = field(default_factory=list)
    staying: set[str] = field(default_factory=set)
    fresh: list[Waiver] = field(default_factory=list)
    against: list[str] = field(default_factory=list)


def _files(revision: Revision, top: Path, pairs: Sequence[_Pair], chosen: Path | None) -> _Files:
    if chosen is not None:
        places = [(_inside(chosen, top), pairs[0].root)]
    else:
        folders = [(posixpath.dirname(pair.path), pair.root) for pair in pairs]
        places = [(posixpath.join(folder, BASELINE_NAME), root) for folder, root in dict.fromkeys(folders)]
    found = _Files()
    for path, root in places:
        name = posixpath.relpath(path, root or ".")
        data, here = revision.read(path, MOST_BYTES), _read(top, path)
        if data is None and chosen is not None:
            raise SpecError("TL1108", f"there is no baseline {shorten(name)} at {revision.commit[:12]}")
        if data is not None:
            baseline = read_baseline(data, name)
            found.against.append(f"{name} of that commit ({count_of(baseline)})")
            found.both.append((baseline, Baseline(name) if here is None else read_baseline(here, name)))
        beside = posixpath.join(posixpath.dirname(path), WAIVERS_NAME)
        name = posixpath.relpath(beside, root or ".")
        data, here = revision.read(beside, MOST_BYTES), _read(top, beside)
        if data is not None:
            found.waivers.append(read_waivers(data, name))
        if here is not None:
            listed = read_waivers(here, name).listed
            found.staying |= {one.id for one in listed}
            known = {
                one.words: one.waives for file in found.waivers for one in file.listed if file.file == name
            }
            found.fresh += [one for one in listed if known.get(one.words) != one.waives]
    return found


def _read(top: Path, name: str) -> bytes | None:
    return read_regular_file(top / name, MOST_BYTES) if _regular(top, name) else None


def _specs_of(revision: Revision, roots: Iterable[str]) -> dict[str, Stated]:
    """The specs of the revision below the roots, by paths from the top; ids are relative to the root."""
    found: dict[str, Stated] = {}
    for path in revision.named(SPEC_NAME):
        for root in roots:
            if not root or path.startswith(f"{root}/"):
                name = posixpath.relpath(path, root or ".")
                found.setdefault(path, Stated(name, SourceSpan(name, 1, 1)))
    return found


def _root(name: str, revision: Revision, top: Path, root: Path | None, marks: Sequence[str]) -> str:
    """The root of a spec's paths, relative to the top: as given, or by the marks of the base revision."""
    if root is not None:
        inside = _inside(root, top)
        return "" if inside == "." else inside
    folder = posixpath.dirname(name)
    while folder:
        if any(revision.exists(posixpath.join(folder, mark)) for mark in marks):
            return folder
        folder = posixpath.dirname(folder)
    return ""


def _inside(path: Path, top: Path) -> str:
    """The path below the top, by its letters: links below the top are not followed, those above are."""
    start = Path(os.path.realpath(Path.cwd()))
    text = Path(os.path.normpath(start / path))
    for above in reversed((text, *text.parents)):
        if os.path.realpath(above) == str(top):
            return text.relative_to(above).as_posix()
    raise SpecError("TL1109", f"{shorten(str(path))} lies outside the repository {shorten(str(top))}")


def _regular(top: Path, name: str) -> bool:
    """Whether a file is there. Raises SpecError TL1110 where it, or a folder above it, is a symbolic link."""
    path = top / name
    if not os.path.lexists(path):
        return False
    if os.path.realpath(path) != str(path):
        raise SpecError("TL1110", f"{shorten(name)} is, or lies behind, a symbolic link")
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise SpecError("TL1110", f"{shorten(name)} is not a regular file")
    return True


def _is_file(top: Path, name: str) -> bool:
    try:
        return _regular(top, name)
    except SpecError:
        return False


def _nowhere(top: Path) -> Path:
    """A folder that does not exist, in which the paths of a revision can be placed by name alone."""
    folder = f"torchlean-no-such-folder-{os.getpid()}"
    return Path(os.path.realpath(tempfile.gettempdir())) / folder / top.name


def _at(top: Path, folder: str) -> Path:
    return top / folder if folder else top


def _path_digest(path: Path) -> str:
    """Keeps files apart by path alone, where only the wording of two specs is compared."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()


@dataclass(frozen=True)
class _BaseDigest:
    """Digests of files as the revision has them."""

    revision: Revision
    nowhere: Path

    def __call__(self, path: Path) -> str:
        return self.revision.sha256(path.relative_to(self.nowhere).as_posix())


def _links_followed(one: Stated, revision: Revision, root: str) -> Stated:
    """The claim with the model's path behind the revision's symbolic links, as jobs show it.

    Its line is that of another version of the file, so the place is the file alone.
    """
    claim = dict(one.claim or {})
    model = claim.get("model")
    if isinstance(model, str):
        claim["model"] = posixpath.relpath(revision.followed(posixpath.join(root, model)), root or ".")
    return replace(one, claim=claim, place=SourceSpan(one.place.file, 1, 1))
