"""`torchlean check`: run specs, print failures and the table of verdicts, write reports."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_torchlean.bounds.processes import executor_of
from pytest_torchlean.changes import Comparison
from pytest_torchlean.cli import BAD_INPUT, FAILED, INTERNAL, NOTHING, PASSED, report_files, wants_colour
from pytest_torchlean.commands.against import based_on, ratchet_of
from pytest_torchlean.commands.caching import cache_for
from pytest_torchlean.commands.extensions import extensions_for
from pytest_torchlean.commands.roots import root_for
from pytest_torchlean.commands.vnncomp import run_instances
from pytest_torchlean.errors import SpecError, SpecErrors, TorchleanError
from pytest_torchlean.extensions.registry import NONE, Extensions
from pytest_torchlean.gate import collection_failure, not_run, run_spec
from pytest_torchlean.heartbeat import Heartbeat, heartbeat_of_process
from pytest_torchlean.jobs import jobs_of
from pytest_torchlean.journal import Journal
from pytest_torchlean.model_store import ModelStore
from pytest_torchlean.outputs import environment_of, write_reports
from pytest_torchlean.preflight import require_files, with_absent_files
from pytest_torchlean.ratchet.run import Placed, Ratchet
from pytest_torchlean.report.errors import error_text
from pytest_torchlean.report.escape import terminal_line
from pytest_torchlean.report.text import failure, table
from pytest_torchlean.results import PropertyResult, gate_passes
from pytest_torchlean.spec import Spec, load_spec
from pytest_torchlean.spec.paths import shown

_SPEC_NAME = "torchlean.yaml"
_INTERNAL_CODES = ("TL0901", "TL0902")


@dataclass(frozen=True)
class Target:
    """A spec to run, and which part of it: `model` and `name` are None for all."""

    spec: Path
    model: str | None = None
    name: str | None = None


Finish = Callable[[Sequence[Placed], Sequence[PropertyResult]], int]
"""What follows a run that is not compared with a baseline; its answer is the exit code."""


def run(options: argparse.Namespace, *, needs_baseline: bool = False, finish: Finish | None = None) -> int:
    """Run the command and return its exit code.

    `needs_baseline` makes a missing baseline an error; `finish` takes the place of the comparison.
    """
    if options.vnncomp is not None:
        return _run_list(options)
    targets = [target_of(text) for text in options.paths or ["."]]
    if options.base is not None:
        return _run_based(targets, options, finish)
    missing = [target.spec for target in targets if not target.spec.is_file()]
    if missing and not options.paths:
        print(f"there is no {_SPEC_NAME} in this folder; `torchlean init MODEL` writes one", file=sys.stderr)
        return NOTHING
    if missing:
        print(f"torchlean check: there is no file {terminal_line(str(missing[0]))}", file=sys.stderr)
        return BAD_INPUT
    loaded, failed = _load(targets, options)
    if failed:
        rest = [
            not_run(job, "another spec has errors") for spec, _root, _ids in loaded for job in jobs_of(spec)
        ]
        write_reports([*failed, *rest], report_files(options), extensions=_loaded(options))
        return BAD_INPUT
    placed = [(spec, root) for spec, root, _ids in loaded]
    ratchet = None if finish else ratchet_of(placed, options)
    if needs_baseline and (ratchet is None or not ratchet.against):
        raise SpecError("TL1108", "there is no baseline beside the specs")
    return _run_all(loaded, options, ratchet, finish)


def _run_based(targets: list[Target], options: argparse.Namespace, finish: Finish | None) -> int:
    """The specs of a revision. Raises SpecError, SpecErrors."""
    if finish is not None or any(target.model is not None for target in targets):
        what = "a baseline is written" if finish is not None else "only whole specs are compared"
        raise SpecError("TL0309", f"--base does not fit here: {what}", fix="leave out --base, or the ids")
    based = based_on([target.spec for target in targets], options)
    loaded: list[Loaded] = [(spec, root, None) for spec, root in based.runs]
    return _run_all(loaded, options, based.ratchet, None)


def _run_list(options: argparse.Namespace) -> int:
    """The instances of a list. Raises SpecErrors TL0330."""
    if options.paths:
        print("torchlean check: --vnncomp takes the place of specs; give one of them", file=sys.stderr)
        return BAD_INPUT
    if options.base is not None or options.baseline is not None:
        print("torchlean check: a list has no baseline; give --vnncomp without --base", file=sys.stderr)
        return BAD_INPUT
    place = root_for(options.vnncomp.resolve(), options.root)
    done: list[PropertyResult] = []
    journal = _journal(options, [])
    heartbeat = heartbeat_of_process()
    with heartbeat.running():
        progress = Shown(heartbeat, done, journal=journal)
        stopped = run_instances(options.vnncomp, place, options, done, progress, heartbeat)
    _report(done, stopped, {result.id: place for result in done}, options, wants_colour(options), journal)
    if stopped:
        raise KeyboardInterrupt
    return _exit_code(done)


Loaded = tuple[Spec, Path, set[str] | None]


def _run_all(
    loaded: list[Loaded], options: argparse.Namespace, ratchet: Ratchet | None, finish: Finish | None
) -> int:
    colour = wants_colour(options)
    chosen: list[PropertyResult] = []
    others: list[PropertyResult] = []
    places: dict[str, Path] = {}
    waiting = [(spec, ids) for spec, _root, ids in loaded]
    stores: dict[Path, ModelStore] = {}
    executor = executor_of(options.processes)
    heartbeat = heartbeat_of_process()
    count = sum(not _left_out(job.id, ids) for spec, _root, ids in loaded for job in jobs_of(spec))
    planned = [not_run(job, "the run had not got to it") for spec, _, _ in loaded for job in jobs_of(spec)]
    journal = _journal(options, planned)
    try:
        with heartbeat.running():
            for spec, root, ids in loaded:
                done: list[PropertyResult] = []
                try:
                    run_spec(
                        spec,
                        root=root,
                        select=ids,
                        lean=options.lean,
                        progress=Shown(heartbeat, done, len(chosen), count, journal),
                        observer=heartbeat,
                        debug=options.debug,
                        store=stores.setdefault(
                            root,
                            ModelStore(root, extensions_for(options, root), cache_for(options), executor),
                        ),
                    )
                finally:
                    chosen += done
                    places.update((result.id, root) for result in done)
                waiting.pop(0)
                left = [job for job in jobs_of(spec) if _left_out(job.id, ids)]
                others += [not_run(job, "it was not selected") for job in left]
    except KeyboardInterrupt:
        finished = {result.id for result in chosen}
        stopped = [
            not_run(job, "the run was interrupted")
            for spec, _ids in waiting
            for job in jobs_of(spec)
            if job.id not in finished
        ]
        _report(chosen, [*others, *stopped], places, options, colour, journal)
        raise
    comparison = None if ratchet is None else ratchet.compare([*chosen, *others])
    _report(chosen, others, places, options, colour, journal, comparison)
    if not chosen:
        print("nothing to check: no property was selected", file=sys.stderr)
        return NOTHING
    if finish is not None:
        return finish([(spec, root) for spec, root, _ids in loaded], [*chosen, *others])
    return _exit_code(chosen, comparison)


def _journal(options: argparse.Namespace, planned: list[PropertyResult]) -> Journal | None:
    """The journal of a run that writes a record to a file."""
    return None if options.json in (None, "-") else Journal(Path(options.json), planned)


def _exit_code(results: list[PropertyResult], comparison: Comparison | None = None) -> int:
    if any(result.evidence.problem and result.evidence.problem.code in _INTERNAL_CODES for result in results):
        return INTERNAL
    return PASSED if gate_passes(results, comparison) else FAILED


def _report(
    chosen: list[PropertyResult],
    others: list[PropertyResult],
    places: Mapping[str, Path],
    options: argparse.Namespace,
    colour: bool,
    journal: Journal | None,
    comparison: Comparison | None = None,
) -> None:
    environment = replace(environment_of([*chosen, *others], _loaded(options)), ratchet=comparison)
    for result in chosen:
        if result.outcome == "failed":
            print(failure(_seen_from_here(result, places[result.id]), colour=colour), end="\n\n")
    if chosen:
        print(table(chosen, environment, colour=colour))
    if others:
        print(f"{len(others)} further properties were not run; the record counts them as failed")
    sys.stdout.flush()
    write_reports([*chosen, *others], report_files(options), environment, extensions=_loaded(options))
    if journal is not None:
        journal.end()


def _loaded(options: argparse.Namespace) -> Extensions:
    """The extensions that the run loaded; none where that failed."""
    found: Extensions | None = getattr(options, "extensions", None)
    return NONE if found is None else found


def _seen_from_here(result: PropertyResult, root: Path) -> PropertyResult:
    """The result with its witness file relative to the working folder, as a command needs it."""
    if result.witness_file is None:
        return result
    return replace(result, witness_file=os.path.relpath(root / result.witness_file))


def target_of(text: str) -> Target:
    """The part of a spec that an argument names. Raises SpecError TL0309."""
    path, *parts = text.split("::")
    place = Path(path)
    if place.is_dir():
        place = place / _SPEC_NAME
    if len(parts) > 2 or not all(parts):
        raise SpecError(
            "TL0309",
            f"{text!r} is not a path or an id",
            fix="write SPEC, SPEC::MODEL or SPEC::MODEL::PROPERTY",
        )
    return Target(place, *parts)


def _load(targets: list[Target], options: argparse.Namespace) -> tuple[list[Loaded], list[PropertyResult]]:
    """The specs, each once, with the selected ids; and a result for each that cannot be read."""
    parts: dict[Path, list[Target]] = {}
    for target in targets:
        parts.setdefault(target.spec.resolve(), []).append(target)
    loaded: list[Loaded] = []
    failed: list[PropertyResult] = []
    for path, wanted in parts.items():
        place = root_for(path, options.root)
        try:
            try:
                spec = load_spec(path, place, extensions_for(options, place))
            except SpecErrors as errors:
                raise with_absent_files(errors, path, place) from None
            ids = selected_ids(spec, wanted)
            require_files(spec, path, place, ids)
        except TorchleanError as error:
            text = error_text(error)
            print(text, end="\n\n", file=sys.stderr)
            failed.append(collection_failure(shown(path, place), text, error))
            continue
        loaded.append((spec, place, ids))
    return loaded, failed


def selected_ids(spec: Spec, wanted: list[Target]) -> set[str] | None:
    """The ids that the targets name, None for all. Raises SpecError TL0309."""
    if any(target.model is None for target in wanted):
        return None
    chosen = set()
    for target in wanted:
        matching = {
            spec.item_id(prop)
            for prop in spec.properties
            if prop.model == target.model and target.name in (None, prop.name)
        }
        if not matching:
            name = "::".join(part for part in (target.model, target.name) if part)
            raise SpecError(
                "TL0309",
                f"{spec.file} has no property {name!r}",
                fix="run `torchlean check` without an id to see all ids",
            )
        chosen |= matching
    return chosen


def _left_out(identifier: str, ids: set[str] | None) -> bool:
    return ids is not None and identifier not in ids


@dataclass
class Shown:
    """Collects results as they come, and has the heartbeat show which property runs.

    before: how many of all `count` ran already; count is 0 where it is not known.
    """

    heartbeat: Heartbeat
    done: list[PropertyResult]
    before: int = 0
    count: int = 0
    journal: Journal | None = None

    def __call__(self, identifier: str, result: PropertyResult | None) -> None:
        if result is None:
            self.heartbeat.begin(identifier, self.before + len(self.done) + 1, self.count)
        else:
            self.done.append(result)
            if self.journal is not None:
                self.journal.add(result)
            self.heartbeat.end(result.evidence.verdict.value)
