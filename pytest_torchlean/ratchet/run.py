"""The ratchet of one run: what is compared is read before the run, and judged after it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from pytest_torchlean.changes import Change, Comparison
from pytest_torchlean.error_codes import CODES
from pytest_torchlean.errors import SourceSpan, SpecError
from pytest_torchlean.files import read_regular_file, reason
from pytest_torchlean.jobs import jobs_of
from pytest_torchlean.ratchet.claims import Digest, claim_of_job
from pytest_torchlean.ratchet.compare import Difference, Stated, compare, each_once, in_order, stale, waive
from pytest_torchlean.ratchet.files import MOST_BYTES, read_baseline, read_waivers
from pytest_torchlean.ratchet.kept import kept_of
from pytest_torchlean.ratchet.model import BASELINE_NAME, WAIVERS_NAME, Baseline, Entry, Waivers
from pytest_torchlean.ratchet.order import RESULTS
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.spec import Spec
from pytest_torchlean.spec.dataset import MAX_FILE_BYTES
from pytest_torchlean.spec.paths import shown

HEAD = "@head"
"""Ends the id of a property of the head that differs from the base's property of the same name."""
_NOT_RUN = "TL0903"

Placed = tuple[Spec, Path]
"""A spec and the root of its paths."""


def digest_of_file(path: Path) -> str:
    """The sha256 of a file as it is now, or why there is none."""
    try:
        return hashlib.sha256(read_regular_file(path, MAX_FILE_BYTES)).hexdigest()
    except OSError as error:
        return f"cannot be read: {reason(error)}"


def stated(
    placed: Iterable[Placed], results: Iterable[PropertyResult] = (), digest: Digest = digest_of_file
) -> dict[str, Stated]:
    """The properties of specs by their ids, with the results of those that ran."""
    digest = _each_once(digest)
    ran = {result.id: result for result in results if not _was_not_run(result)}
    found: dict[str, Stated] = {}
    for spec, root in placed:
        for job in jobs_of(spec):
            result = ran.get(job.id)
            found[job.id] = Stated(
                job.id,
                SourceSpan(job.spec_file, job.line, job.column),
                claim_of_job(job, root, digest),
                None if result is None else kept_of(result),
            )
    return found


def _each_once(digest: Digest) -> Digest:
    """The same, reading each file once."""
    known: dict[Path, str] = {}

    def once(path: Path) -> str:
        if path not in known:
            known[path] = digest(path)
        return known[path]

    return once


def entries_of(baseline: Baseline) -> dict[str, Stated]:
    """The properties of a baseline by their ids."""
    return {
        name: Stated(name, one.span or SourceSpan(baseline.file, 1, 1), one.claim, one.result)
        for name, one in baseline.entries.items()
    }


def baseline_of(placed: Iterable[Placed], results: Iterable[PropertyResult], file: str) -> Baseline:
    """What a new baseline holds. Properties without a result are left out."""
    entries = {
        name: Entry(name, one.claim, one.result, one.place)
        for name, one in stated(placed, results).items()
        if one.claim is not None and one.result is not None
    }
    return Baseline(file, entries)


@dataclass(frozen=True)
class Ratchet:
    """What a run is compared with.

    `before` is the baseline, `waivers` its waivers. `base` is the commit of `--base`, and `earlier` what else
    differs from it. `leaving` are waivers that the head has removed: whether they are stale is no question.
    """

    placed: tuple[Placed, ...]
    against: tuple[str, ...]
    before: Mapping[str, Stated]
    waivers: tuple[Waivers, ...] = ()
    words: str = "the baseline"
    base: str | None = None
    earlier: tuple[Difference, ...] = ()
    leaving: frozenset[str] = frozenset()
    stated: Mapping[str, Stated] = field(default_factory=dict)
    """What else waivers may be about: the properties and the specs of the base revision."""
    added: bool = True
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    def compare(self, results: Sequence[PropertyResult]) -> Comparison:
        """What is worse, what is better, what is waived, and which waivers are stale."""
        after = stated(self.placed, results)
        found = [*self.earlier, *compare(self.before, after, self.words)]
        if not self.added:
            found = [one for one in found if one.change.kind != "added" or one in self.earlier]
        waived = waive(each_once(found), self.waivers, self.today)
        changes = list(waived.changes)

        def unused(name: str, key: str) -> bool:
            return self._unused(name, key, waived.used, after)

        for file in self.waivers:
            remaining = replace(file, listed=tuple(one for one in file.listed if one.id not in self.leaving))
            changes += stale(remaining, {**self.stated, **self.before}, self.today, unused)
        changes += _moved(results, self.placed)
        return Comparison(self.against, in_order(changes), self.base)

    def _unused(self, name: str, key: str, used: set[tuple[str, str]], after: Mapping[str, Stated]) -> bool:
        """Whether a waiver's key waived nothing in this run.

        With `--base` it may be waiting for the change that it is for. Without, that is known only of claims,
        and of results where the property ran.
        """
        if (name, key) in used or self.base is not None:
            return False
        here = after.get(name)
        return here is None or key not in RESULTS or here.result is not None


def committed(placed: Sequence[Placed], chosen: Path | None) -> Ratchet | None:
    """The baselines beside the specs, or the chosen one, each with the waivers beside it; None without any.

    Raises SpecErrors where one cannot be read, SpecError TL1108 where the chosen one is not there.
    """
    places = {(spec_folder(spec, root), root) for spec, root in placed}
    files = (
        [(chosen, placed[0][1])]
        if chosen is not None
        else [(at / BASELINE_NAME, root) for at, root in places]
    )
    against: list[str] = []
    before: dict[str, Stated] = {}
    waivers: list[Waivers] = []
    for path, root in sorted(files):
        name = shown(path, root)
        data = read_if_there(path, name)
        if data is None and chosen is not None:
            raise SpecError("TL1108", f"there is no baseline {name}")
        if data is not None:
            baseline = read_baseline(data, name)
            before |= entries_of(baseline)
            against.append(f"{name} ({count_of(baseline)})")
        beside = path.with_name(WAIVERS_NAME)
        words = read_if_there(beside, shown(beside, root))
        if words is not None:
            waivers.append(read_waivers(words, shown(beside, root)))
    if not against and not waivers:
        return None
    return Ratchet(tuple(placed), tuple(against), before, tuple(waivers), added=bool(against))


def count_of(baseline: Baseline) -> str:
    """How many properties a baseline has, in words."""
    count = len(baseline.entries)
    return f"{count} {'property' if count == 1 else 'properties'}"


def spec_folder(spec: Spec, root: Path) -> Path:
    """Where a spec lies."""
    return (root / spec.file).parent


def read_if_there(path: Path, name: str) -> bytes | None:
    """A file's bytes; None where there is none. Raises SpecError TL0301 where it cannot be read."""
    try:
        return read_regular_file(path, MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SpecError("TL0301", f"{name} cannot be read: {reason(error)}") from None


def _was_not_run(result: PropertyResult) -> bool:
    problem = result.evidence.problem
    return problem is not None and problem.code == _NOT_RUN


def _moved(results: Iterable[PropertyResult], placed: Iterable[Placed]) -> Iterable[Change]:
    """Files that a property was judged on and that hold other bytes now. No waiver reaches them."""
    roots = {spec.file: root for spec, root in placed}
    now = _each_once(digest_of_file)
    for result in results:
        root = roots.get(result.spec_file)
        for file, digest in sorted((result.evidence.files or {}).items()):
            if root is None or now(root / file) == digest:
                continue
            yield Change(
                kind="changed",
                id=result.id,
                key="files",
                message=f"{file} holds other bytes than those that the property was judged on",
                code="TL1112",
                fix=CODES["TL1112"].fix,
                file=result.spec_file,
                line=result.line,
                column=result.column,
                before=digest,
            )
