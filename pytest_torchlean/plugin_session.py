"""The state of one pytest run that has properties: what was collected, decided, and reported.

Results travel inside test reports as JSON text, so a plain run and an xdist run build the record in
the same way. A property that was collected but has no result is recorded as not run.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_torchlean.bounds.processes import executor_of
from pytest_torchlean.changes import Comparison
from pytest_torchlean.discovery import Found, load_extensions, origin_of_plugin
from pytest_torchlean.error_codes import CODES
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.extensions.registry import NONE, Extensions, Origin
from pytest_torchlean.gate import collection_failure, not_run, run_one
from pytest_torchlean.hookspecs import GROUP, HOOKS
from pytest_torchlean.jobs import Job
from pytest_torchlean.model_store import ModelStore
from pytest_torchlean.plugin import SPEC_NAME
from pytest_torchlean.plugin_decorator import decorated_job
from pytest_torchlean.plugin_progress import PluginHeartbeat
from pytest_torchlean.report.read import parse_record
from pytest_torchlean.report.record import dumps, record
from pytest_torchlean.results import Environment, PropertyResult
from pytest_torchlean.verdict import Problem

if TYPE_CHECKING:
    from pytest_torchlean.cache.store import Store
    from pytest_torchlean.journal import Journal

_JOB: pytest.StashKey[Job] = pytest.StashKey()
_PLAIN: pytest.StashKey[str] = pytest.StashKey()
"""The item's id before xdist adds a group to it."""
_RESULT: pytest.StashKey[PropertyResult] = pytest.StashKey()


class TorchleanWarning(UserWarning):
    """A property is UNKNOWN and the spec says `on_unknown: warn`."""


class GateSession:
    """Everything the plugin keeps between hooks; one object per pytest process."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._stores: dict[Path, ModelStore] = {}
        self._baseline: dict[str, PropertyResult] = {}
        self._results: dict[str, PropertyResult] = {}
        self._reasons: dict[str, str] = {}
        self._unwritten = ""
        self._journal = self._begin_journal()
        self._comparison: Comparison | None = None
        self._progress = PluginHeartbeat(config)
        self._extensions: Extensions | TorchleanError | None = None

    @property
    def extensions(self) -> Extensions:
        """What this run's plugins and the installed distributions give. Raises ExtensionError TL10xx."""
        if self._extensions is None:
            try:
                self._extensions = extensions_of(self.config)
            except TorchleanError as error:
                self._extensions = error
        if isinstance(self._extensions, TorchleanError):
            raise self._extensions
        return self._extensions

    def note(self, item: pytest.Item, job: Job) -> None:
        """Remember a collected property."""
        item.stash[_JOB] = job
        item.stash[_PLAIN] = item.nodeid
        self._baseline[item.nodeid] = not_run(job, "it was deselected, or the run stopped before it")

    def _group(self, item: pytest.Item, job: Job) -> None:
        """With xdist's `--dist loadgroup` the tests of one model go to one worker, which lowers it once.

        A group that the user chose stays. xdist may then add the group to the item's id; `attach` takes it
        away again, so that ids are those of every other run. Items of a spec are grouped by their own ids,
        see `plugin_scheduler.py`.
        """
        if getattr(self.config.option, "loadgroup", False) and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(name=f"torchlean:{job.model_shown or job.model_name}"))

    def note_decorated(self, item: pytest.Item) -> None:
        """Remember a test with a `certify` mark."""
        job = decorated_job(item, root_of(self.config, item.path), lambda: self.extensions)
        item.add_marker("torchlean")
        if job.prop is not None:
            item.add_marker(job.check)
        self.note(item, job)
        self._group(item, job)

    def decide(self, item: pytest.Item) -> PropertyResult:
        """The property's result, computed once per item."""
        if _JOB not in item.stash:
            self.note_decorated(item)
        if _RESULT not in item.stash:
            lean = self.config.getoption("torchlean_lean")
            with self._progress.during(item.stash[_JOB].id) as heartbeat:
                result = run_one(
                    item.stash[_JOB],
                    store=self._store(item),
                    lean=Path(lean) if lean else None,
                    debug=self.config.getoption("torchlean_debug"),
                    observer=heartbeat,
                )
            item.stash[_RESULT] = result
            item.user_properties.extend(_properties(result))
        return item.stash[_RESULT]

    def enforce(self, item: pytest.Item) -> None:
        """Fail the item unless its property lets the gate pass; warn where the spec asks for that."""
        result = self.decide(item)
        if result.outcome == "failed":
            pytest.fail(f"{_headline(result)}\n{self._text(result)}", pytrace=False)
        if result.outcome == "warned":
            warnings.warn(TorchleanWarning(f"{result.id}: {result.evidence.found}"), stacklevel=2)

    def explain(self, item: pytest.Item) -> None:
        """Add the property's failure text to a test that failed in its own body."""
        result = self.decide(item)
        if result.outcome == "failed":
            item.add_report_section("call", "torchlean", self._text(result))

    def attach(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Put the item's result into its report, once, as text that every transport can carry."""
        if _PLAIN in item.stash:
            report.nodeid = item.stash[_PLAIN]
        if _RESULT in item.stash and report.when in ("setup", "call"):
            vars(report)["torchlean"] = encode(item.stash[_RESULT])

    def keep(self, report: pytest.TestReport) -> None:
        """Read a report, from this process or from a worker."""
        line = getattr(report, "torchlean", None)
        if line is not None:
            self._results[report.nodeid] = decode(line)
            if self._journal is not None:
                self._journal.add(self._results[report.nodeid])
        elif report.skipped:
            self._reasons[report.nodeid] = "it was skipped"
        elif report.failed:
            self._reasons[report.nodeid] = "its worker or its setup failed"

    def keep_collection_failure(self, report: pytest.CollectReport) -> None:
        """Record a spec that could not be read."""
        line = getattr(report, "torchlean", None)
        self._results[report.nodeid] = (
            collection_failure(report.nodeid, report.longreprtext) if line is None else decode(line)
        )

    def baseline_lines(self) -> list[list[str]]:
        """What this worker collected, for the controller."""
        return [[nodeid, encode(result)] for nodeid, result in self._baseline.items()]

    def keep_baseline(self, lines: Iterable[list[str]]) -> None:
        """What a worker collected."""
        for nodeid, line in lines:
            self._baseline.setdefault(nodeid, decode(line))

    def results(self) -> tuple[PropertyResult, ...]:
        """One result per collected property, by its place in the files, in whatever order they ran."""
        return tuple(result for _nodeid, result in self._ordered())

    def _ordered(self) -> list[tuple[str, PropertyResult]]:
        merged = dict(self._baseline)
        for reported, reason in self._reasons.items():
            # of a crashed worker xdist reports the id with the group
            nodeid = reported if reported in merged else reported.rpartition("@")[0] or reported
            if nodeid in merged:
                merged[nodeid] = _with_reason(merged[nodeid], reason)
            elif nodeid.partition("::")[0].rsplit("/", 1)[-1] == SPEC_NAME:
                # every worker that had collected it crashed
                merged[nodeid] = _unknown(nodeid, reason)
        merged.update(self._results)
        return sorted(merged.items(), key=_place)

    def _begin_journal(self) -> Journal | None:
        """Where a record will be written, and not by a worker."""
        target = self._target(self.config.getoption("torchlean_json"))
        if target is None or hasattr(self.config, "workerinput"):
            return None
        from pytest_torchlean.journal import Journal

        return Journal(target)

    def keeps_baseline(self) -> bool:
        """Whether nothing is worse than the baselines beside the specs, and these can be read."""
        from pytest_torchlean.plugin_ratchet import compare_with_baselines
        from pytest_torchlean.report.errors import error_text

        try:
            self._comparison = compare_with_baselines(self.config, self.results(), self._loaded())
        except TorchleanError as error:
            self._unwritten = error_text(error)
            return False
        return self._comparison is None or self._comparison.passes

    def write_reports(self) -> bool:
        """Write the files that the options ask for. False where one could not be written."""
        from pytest_torchlean.outputs import environment_of, further_reports, write_reports
        from pytest_torchlean.plugin import REPORTS

        try:
            files: dict[str, str | Path | None] = {
                name: self._target(self.config.getoption(f"torchlean_{name}")) for name in REPORTS
            }
            further = further_reports(self.config.getoption("torchlean_report"))
            files |= {name: self._target(file) for name, file in further.items()}
            if any(file is not None for file in files.values()):
                environment = environment_of(self.results(), self._loaded())
                environment = replace(environment, ratchet=self._comparison)
                write_reports(self.results(), files, environment, extensions=self._loaded())
            if self._journal is not None:
                self._journal.end()
        except TorchleanError as error:
            self._unwritten = f"{error.code}: {error.message}"
            return False
        return True

    def summarise(self, reporter: Any) -> None:
        """The table of verdicts at the end of a run, and what is missing from it."""
        from pytest_torchlean.report.escape import terminal_line

        ran = tuple(result for nodeid, result in self._ordered() if nodeid in self._results)
        absent = len(self.results()) - len(ran)
        if ran and self.config.option.verbose >= 0:
            from pytest_torchlean.outputs import environment_of
            from pytest_torchlean.report.text import table

            reporter.section("torchlean verdicts")
            environment = replace(environment_of(ran, self._loaded()), ratchet=self._comparison)
            reporter.write_line(table(ran, environment, colour=reporter.hasmarkup))
            if absent:
                reporter.write_line(f"{absent} further properties were not run")
        for line in self._unwritten.splitlines():
            reporter.write_line(f"torchlean: {terminal_line(line)}", red=True)

    def _loaded(self) -> Extensions:
        """The extensions; none where they cannot be loaded, which the record says already."""
        try:
            return self.extensions
        except TorchleanError:
            return NONE

    def _target(self, value: str | None) -> Path | None:
        """An option's file, relative to where pytest was started, whatever the tests changed since."""
        return None if value is None else self.config.invocation_params.dir / value

    def _cache(self) -> Store | None:
        """What earlier runs found, unless an option says that nobody wants it."""
        from pytest_torchlean.cache.store import default_store

        return None if self.config.getoption("torchlean_no_cache") else default_store()

    def _store(self, item: pytest.Item) -> ModelStore:
        """The models under one root; every property of it judges the same bytes."""
        root = root_of(self.config, item.path)
        if root not in self._stores:
            # where extensions are broken, every job carries that error and no model is asked for
            broken = isinstance(self._extensions, TorchleanError)
            self._stores[root] = ModelStore(
                root,
                NONE if broken else self.extensions,
                self._cache(),
                executor_of(self.config.getoption("torchlean_processes")),
            )
        return self._stores[root]

    def _text(self, result: PropertyResult) -> str:
        from pytest_torchlean.report.text import failure

        return failure(result)


def _place(entry: tuple[str, PropertyResult]) -> tuple[str, int, int, str]:
    """Where the property is written."""
    nodeid, result = entry
    return result.spec_file, result.line, result.column, nodeid


def _headline(result: PropertyResult) -> str:
    """What pytest's short summary shows after the item's id."""
    from pytest_torchlean.report.escape import terminal_line

    return f"{result.evidence.verdict.value}: {terminal_line(result.evidence.found.partition(chr(10))[0])}"


def extensions_of(config: pytest.Config) -> Extensions:
    """The extensions of this run, their kinds made known as markers. Raises ExtensionError TL10xx."""
    if config.getoption("torchlean_no_extensions"):
        return NONE
    manager = config.pluginmanager
    distributed = {
        id(plugin): Origin(str(dist.metadata["Name"]), str(dist.version))
        for plugin, dist in manager.list_plugin_distinfo()
    }
    found: dict[int, Found] = {}
    for name in HOOKS:
        for implementation in getattr(manager.hook, name).get_hookimpls():
            plugin = implementation.plugin
            origin = distributed.get(id(plugin))
            if origin is None:
                origin = origin_of_plugin(plugin, implementation.plugin_name, config.rootpath)
            found[id(plugin)] = (plugin, origin)
    names = {point.name for point in entry_points(group=GROUP)}
    blocked = frozenset(name for name in names if manager.is_blocked(name))
    extensions = load_extensions(found.values(), blocked=blocked)
    for name, given in extensions.kinds.items():
        doc = " ".join(given.it.doc.split())
        config.addinivalue_line("markers", f"{name}: {doc[:200]}")
    return extensions


def root_of(config: pytest.Config, path: Path) -> Path:
    """The folder that paths may not leave: pytest's root directory, where `path` lies in it.

    pytest takes an existing file after an option such as `--torchlean-json FILE` for a test path and may
    then choose a root elsewhere; the folder of the invocation and that of the file come next.
    """
    for root in (config.rootpath, config.invocation_params.dir):
        if path.is_relative_to(root):
            return root
    return path.parent


def encode(result: PropertyResult) -> str:
    """A result as one text, which every transport between processes can carry."""
    return dumps(record([result], Environment(version="")))


def decode(line: str) -> PropertyResult:
    """The inverse of `encode`. Raises RecordError TL0801 for anything else."""
    results, _ = parse_record(line.encode())
    return results[0]


def _properties(result: PropertyResult) -> list[tuple[str, object]]:
    """What pytest's own --junitxml shows: built-in scalars only, as xdist demands."""
    evidence = result.evidence
    pairs: list[tuple[str, object]] = [
        ("torchlean_verdict", str(evidence.verdict.value)),
        ("torchlean_check", result.check),
        ("torchlean_model", result.model_path),
        ("torchlean_semantics", evidence.semantics),
    ]
    if result.model_sha256 is not None:
        pairs.append(("torchlean_model_sha256", result.model_sha256))
    if result.other_model is not None:
        pairs.append(("torchlean_other_model", result.other_model.path))
        pairs.append(("torchlean_other_model_sha256", result.other_model.sha256 or ""))
    if evidence.assurance is not None:
        pairs.append(("torchlean_assurance", evidence.assurance))
    if evidence.theorem is not None:
        pairs.append(("torchlean_theorem", evidence.theorem.name))
    if evidence.problem is not None:
        pairs.append(("torchlean_code", evidence.problem.code))
    return pairs


def _unknown(nodeid: str, reason: str) -> PropertyResult:
    """The result of a property of which only the id is known."""
    result = collection_failure(nodeid, "")
    problem = Problem("TL0903", "", CODES["TL0903"].fix)
    evidence = replace(result.evidence, claim="the property holds", problem=problem)
    return _with_reason(replace(result, spec_file=nodeid.partition("::")[0], evidence=evidence), reason)


def _with_reason(result: PropertyResult, reason: str) -> PropertyResult:
    problem = result.evidence.problem
    if problem is not None:
        problem = replace(problem, message=f"the property was not run: {reason}")
    return replace(result, evidence=replace(result.evidence, found=f"not run: {reason}", problem=problem))
