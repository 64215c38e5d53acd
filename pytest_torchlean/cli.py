"""`torchlean`: the gate and its tools without pytest.

Exit codes: 0 all passed, 1 a property failed, 2 bad spec, file or usage, 3 internal error, 5 nothing to
check; 130 when interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from pytest_torchlean import __version__, colours
from pytest_torchlean.errors import TorchleanError

PASSED, FAILED, BAD_INPUT, INTERNAL, NOTHING = 0, 1, 2, 3, 5
INTERRUPTED = 130

REPORTS = {
    "json": "the JSON record",
    "junit": "JUnit XML",
    "sarif": "SARIF 2.1.0",
    "html": "a self-contained HTML page",
    "markdown": "Markdown for a step summary",
    "annotations": "GitHub annotations",
    "intoto": "in-toto statements, one JSON document a line",
}
"""The rows of `report/formats.py`, repeated so that `torchlean --help` loads nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Expected errors are printed without a traceback."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        if getattr(options, "base", None) is not None:
            from pytest_torchlean.commands.isolated import refuse_code_of_repository

            refuse_code_of_repository(options)
        command = import_module(f"pytest_torchlean.commands.{options.command}")
        return int(command.run(options))
    except TorchleanError as error:
        from pytest_torchlean.report.errors import error_text

        print(error_text(error), file=sys.stderr)
        return INTERNAL if error.code.startswith("TL09") else BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        from pytest_torchlean.report.escape import terminal_line

        print(f"torchlean: {terminal_line(str(error))}", file=sys.stderr)
        return BAD_INPUT
    except Exception as error:
        if options.debug:
            raise
        from pytest_torchlean.report.escape import terminal_line

        text = terminal_line(f"{type(error).__name__}: {error}")
        print(f"TL0901: internal error: {text}\n  fix: run again with --debug and report it", file=sys.stderr)
        return INTERNAL


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="torchlean",
        description="Prove properties of ONNX model files, every certificate checked by Lean 4.",
        epilog="exit codes: 0 all passed, 1 a property failed, 2 bad spec or usage, 3 internal error, "
        "5 nothing to check. First steps: `torchlean init model.onnx`, then `torchlean check`",
    )
    parser.add_argument("--version", action="version", version=f"torchlean {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    check = _command(
        commands,
        "check",
        "run the properties of torchlean.yaml",
        "Runs the properties, prints each failure with what to do next, and then a table of all "
        "verdicts. While it runs, standard error says what it is at.",
    )
    check.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a spec, a folder that holds torchlean.yaml, or SPEC::MODEL[::PROPERTY] (default: this folder)",
    )
    check.add_argument(
        "--vnncomp",
        type=Path,
        metavar="LIST",
        help="instead of specs: an instances.csv with a model, a VNN-LIB file and seconds on each line",
    )
    check.add_argument(
        "--processes",
        type=int,
        default=1,
        metavar="N",
        help="cut boxes of few inputs on N processes (default: 1); the results are the same",
    )
    _cache(check)
    _baseline(check)
    _reports(check)
    _lean(check)
    _root(check)
    _extensions(check)

    _baselines(commands)

    bundle = _command(
        commands,
        "bundle",
        "run a property and write its proof as Lean files that anyone can check again",
        "Runs one property. If Lean's kernel proves it, writes to FOLDER the certificate, the Lean library, "
        "Claim.lean (read it first: the claim in words and as one short theorem) and recheck.sh, which needs "
        "Lean 4.35.0 on the PATH and nothing else. Refuses (TL0620) what is not PROVED at level `kernel`.",
    )
    bundle.add_argument(
        "property", metavar="PROPERTY", help="SPEC::MODEL::PROPERTY, as `torchlean check` shows it"
    )
    bundle.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="a new or empty folder"
    )
    _lean(bundle)
    _root(bundle)
    _extensions(bundle)

    inspect = _command(
        commands,
        "inspect",
        "show what a model holds, and what can be run and proved of it",
        "Shows inputs, outputs and size of a model, for each operator whether it can be run and proved, "
        "with the reason where not, and the expected cost of a proof. Dimensions that the file leaves open "
        "are guessed.",
    )
    inspect.add_argument("model", type=Path, metavar="MODEL", help="an ONNX file")
    inspect.add_argument("--json", action="store_true", help="print JSON instead of text")
    inspect.add_argument("--graph", action="store_true", help="print every node of the graph too")
    _shapes(inspect)
    _extensions(inspect)

    doctor = _command(
        commands,
        "doctor",
        "check this installation, Lean included",
        "Checks packages, arithmetic and Lean, builds the Lean library if this user has not yet, and asks "
        "Lean what the theorems rest on. Exit 1 where something that a proof needs is missing; its line "
        "says what to do.",
    )
    _lean(doctor)
    _extensions(doctor)

    cache = _command(
        commands,
        "cache",
        "show what searches of earlier runs left, or clear it",
        "What searches found is kept for the next run; nothing in it is trusted, and Lean checks every proof "
        "again. TORCHLEAN_CACHE names another folder, TORCHLEAN_CACHE_MB another limit (0: no cache).",
    )
    cache.add_argument("--clear", action="store_true", help="remove all of it")

    init = _command(
        commands,
        "init",
        "write a commented torchlean.yaml for models",
        "Looks at each model and writes a spec that is valid and runs as it is: a runtime check, and where "
        "the model allows it claims that can be proved. Dimensions that the file leaves open are guessed.",
    )
    init.add_argument(
        "models", nargs="+", type=Path, metavar="MODEL", help="an ONNX file below the spec's folder"
    )
    init.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("torchlean.yaml"),
        metavar="FILE",
        help="the spec to write (default: torchlean.yaml)",
    )
    init.add_argument("--force", action="store_true", help="replace an existing file")
    _shapes(init)
    _extensions(init)

    replay = _command(
        commands,
        "replay",
        "run a counterexample again",
        "Runs the input of a counterexample, or a divergent node, on onnxruntime and on the evaluator again. "
        "Exit 1 while it still breaks the property, else 0.",
    )
    replay.add_argument("witness", type=Path, metavar="WITNESS", help="a file of .torchlean/witnesses")
    _root(replay)
    _extensions(replay)

    report = _command(
        commands,
        "report",
        "render reports again from a JSON record",
        "Reads a record that `torchlean check --json FILE` wrote and renders others from it, or prints "
        "the table of verdicts. Nothing is checked again, and the exit code says only whether that worked.",
    )
    report.add_argument("record", type=Path, metavar="RECORD", help="a JSON record")
    _reports(report)
    report.add_argument(
        "--format",
        metavar="NAME",
        help="print this form, one of ours or of an extension",
    )
    _extensions(report)

    explain = _command(
        commands,
        "explain",
        "what an error code means",
        "Cause, an example and the fix of an error code such as TL0304; a word finds codes by their titles.",
    )
    explain.add_argument("code", nargs="?", metavar="TLnnnn", help="all codes when absent")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    description: str | None = None,
) -> argparse.ArgumentParser:
    description = description or summary[0].upper() + summary[1:] + "."
    parser = commands.add_parser(name, help=summary, description=description)
    parser.add_argument(
        "--color",
        "--colour",
        dest="colour",
        action="store_true",
        default=None,
        help="colours, terminal or not",
    )
    parser.add_argument(
        "--no-color",
        "--no-colour",
        dest="colour",
        action="store_false",
        help="no colours, as with NO_COLOR=1",
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks of internal errors")
    return parser


def _baselines(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    baseline = _command(
        commands,
        "baseline",
        "keep what is proved from getting worse",
        "Runs specs. `write` puts claims and results into torchlean.baseline.yaml beside each; commit it. "
        "`check` fails where a property is removed, weaker or changed, or a result is worse, unless "
        "torchlean.waivers.yaml beside it lets that through.",
    )
    actions = baseline.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, summary in (
        ("write", "run specs and write their baselines"),
        ("check", "as `torchlean check`, and a missing baseline is an error"),
    ):
        action = _command(actions, name, summary)
        action.add_argument("paths", nargs="*", metavar="PATH", help="as for `torchlean check`")
        _cache(action)
        _baseline(action)
        _reports(action)
        _lean(action)
        _root(action)
        _extensions(action)
        action.set_defaults(vnncomp=None, processes=1)


def _cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-cache",
        action="store_true",
        help="neither use nor keep what searches found; Lean checks every proof either way",
    )


def _baseline(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("ratchet", "what may not get worse; see `torchlean baseline --help`")
    group.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="the baseline (default: torchlean.baseline.yaml beside the spec, if it is there)",
    )
    group.add_argument("--no-baseline", action="store_true", help="compare with no baseline")
    group.add_argument(
        "--base",
        metavar="REF",
        help="take specs, baseline and waivers from this git revision, and models and data from the working "
        "folder: for pull requests",
    )


def _reports(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("reports", "a FILE of - is standard output")
    for name, content in REPORTS.items():
        group.add_argument(f"--{name}", metavar="FILE", help=f"write {content} to FILE")
    group.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="write a form of an extension to FILE; may be given several times",
    )


def report_files(options: argparse.Namespace) -> dict[str, str | None]:
    """The file asked for, by the name of each report. Raises RecordError TL0802."""
    files: dict[str, str | None] = {name: getattr(options, name) for name in REPORTS}
    if options.report:
        from pytest_torchlean.outputs import further_reports

        files |= further_reports(options.report)
    return files


def _extensions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-extensions", action="store_true", help="load nothing that other packages add to this one"
    )


def _lean(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lean", type=Path, metavar="PATH", help="a Lean 4.35.0 toolchain or executable")


def _shapes(parser: argparse.ArgumentParser) -> None:
    words = "extents of an open {}, e.g. {}; may be given several times"
    for option, shown, help_text in (
        ("--shape", "INPUT=1,3,224", words.format("input", "image=1,3,224,224")),
        ("--dim", "SYMBOL=128", words.format("dimension", "seq=128")),
    ):
        parser.add_argument(option, action="append", default=[], metavar=shown, help=help_text)


def _root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root",
        type=Path,
        metavar="FOLDER",
        help="the folder that no path may leave (default: the nearest one with a project file or .git)",
    )


def wants_colour(options: argparse.Namespace) -> bool:
    """Whether standard output gets colours."""
    return colours.wants_colour(options.colour, sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
