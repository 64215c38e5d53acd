"""SIGKILL at random moments of runs: does the cache open afterwards, is anything false PROVED, anything lost?

    python benchmarks/kills.py --kills 500 --seed 0 --work FOLDER0
    python benchmarks/kills.py --kills 500 --seed 1 --work FOLDER1     # at the same time
    python benchmarks/kills.py --table FOLDER0 FOLDER1 --output benchmarks/KILLS.md

Every round starts a run of the gate on a small project (as a command or under pytest, with the cache of the
rounds before or an empty one) in a process group of its own, with a terminal for its progress, and kills the
group: after a random time, or, in every third round, at a random operation on a file of the cache, journal
or the record. Then everything that the round left is read again. Every 25 rounds a run is left alone and must
give the known verdicts. Rounds are seeded and noted one by one in FOLDER; a stopped benchmark goes on where
it was.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from pytest_torchlean.cache.known import unpack
from pytest_torchlean.cache.store import Store, default_store
from pytest_torchlean.errors import RecordError
from pytest_torchlean.journal import SUFFIX, read_journal
from pytest_torchlean.report.read import parse_record

TRUE = {"bounded": "PROVED", "too-tight": "REFUTED", "robust": "PROVED"}
"""The verdicts of the project. `too-tight` is false: it must never be PROVED."""
SPEC = """\
version: 1
models: {tiny: {path: tiny.onnx}}
defaults: {timeout: 120s}
properties:
  - {name: bounded, model: tiny, check: range, input: {lower: 0, upper: 1}, output: {upper: 3}}
  - {name: too-tight, model: tiny, check: range, input: {lower: 0, upper: 1}, output: {upper: -1}}
  - {name: robust, model: tiny, check: robustness, epsilon: 1/16, data: data.npz, at_least: 60%}
"""
RECORD = "record.json"
EVENTS = ("open", "os.rename", "os.remove", "os.utime", "os.scandir", "tempfile.mkstemp", "os.mkdir")
_FULL_RUN = 25
_SHOWN = re.compile(r"(PROVED|REFUTED|UNKNOWN|ERROR) +torchlean\.yaml::tiny::([a-z-]+)")


def write_project(folder: Path) -> None:
    """A network of two inputs, six hidden units and two classes, with eight inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    tensors = {
        "w": rng.integers(-4, 5, (2, 6)) / 4,
        "b": rng.integers(-2, 3, 6) / 4,
        "v": rng.integers(-4, 5, (6, 2)) / 4,
        "c": np.zeros(2),
    }
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v", "c"], ["y"]),
    ]
    shape = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tiny",
        [shape("x", TensorProto.FLOAT, [1, 2])],
        [shape("y", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in tensors.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "tiny.onnx").write_bytes(proto.SerializeToString())
    inputs = (rng.integers(0, 9, (8, 2)) / 8).astype(np.float32)
    hidden = np.maximum(inputs @ tensors["w"] + tensors["b"], 0)
    labels = (hidden @ tensors["v"]).argmax(axis=1).astype(np.int64)
    np.savez(folder / "data.npz", inputs=inputs, labels=labels)
    (folder / "torchlean.yaml").write_text(SPEC)


def kill_at(event_number: int, folders: tuple[str, ...]) -> Callable[[str, tuple[object, ...]], None]:
    """An audit hook that kills the group at the n-th operation on a file below one of the folders."""
    seen = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event in EVENTS and arguments and str(arguments[0]).startswith(folders):
            seen += 1
            if seen == event_number:
                os.killpg(0, signal.SIGKILL)

    return hook


def run(project: Path, *, with_pytest: bool, hook: Callable[..., None] | None) -> int:
    """One run in this process, which is a child made for it. Returns its exit code."""
    os.chdir(project)
    if hook is not None:
        sys.addaudithook(hook)
    record = str(project / RECORD)
    if with_pytest:
        import pytest

        return int(
            pytest.main(["-p", "no:cacheprovider", "-v", "--torchlean-json", record, "torchlean.yaml"])
        )
    from pytest_torchlean.cli import main

    return main(["check", ".", "--json", record])


def watched(child: Callable[[], int], after: float | None) -> tuple[bool, str]:
    """Fork a child with a terminal and kill its group after some seconds; None waits for its end.

    Returns whether it was killed, and what it had shown.
    """
    reader, terminal = pty.openpty()
    process = os.fork()
    if process == 0:
        code = 99
        try:
            os.close(reader)
            os.setsid()
            for stream in (1, 2):
                os.dup2(terminal, stream)
            sys.stdout, sys.stderr = (os.fdopen(stream, "w", closefd=False) for stream in (1, 2))
            code = child()
            sys.stdout.flush()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(terminal)
    shown, stop = b"", None if after is None else time.monotonic() + after
    while True:
        left = 60.0 if stop is None else stop - time.monotonic()
        if left <= 0:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
            stop = None
            continue
        if select.select([reader], [], [], left)[0]:
            try:
                part = os.read(reader, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
    os.close(reader)
    _, status = os.waitpid(process, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return killed, shown.decode(errors="replace")


def examine(project: Path, cache: Path, shown: str) -> dict[str, object]:
    """What a round left: every file is read, and every claim in it compared with the truth."""
    found: dict[str, object] = {}
    store = Store(cache, 1 << 30)
    entries = unreadable = 0
    for path in sorted(cache.glob("*.known")):
        entries += 1
        content = store.read(bytes.fromhex(path.stem))
        if content is None:
            unreadable += 1
        else:
            unpack(content)
    found |= {"entries": entries, "unreadable": unreadable}
    found["temporary"] = sum(1 for _ in cache.glob(".new-*"))
    kept: dict[str, str] = {}
    broken = 0
    for name, read in ((RECORD, parse_record), (RECORD + SUFFIX, read_journal)):
        if (project / name).exists():
            try:
                for result in read((project / name).read_bytes())[0]:
                    verdict = result.evidence.verdict.value
                    if verdict != "ERROR" or result.name not in kept:
                        kept[result.name] = verdict
            except RecordError:
                broken += 1
    proved = {name for name, verdict in kept.items() if verdict == "PROVED"}
    reported = {name for verdict, name in _SHOWN.findall(shown) if verdict == "PROVED"}
    found["broken_records"] = broken
    found["false"] = sorted(name for name in proved | reported if TRUE[name] != "PROVED")
    found["lost"] = sorted(reported - proved)
    found["reported"], found["kept"] = len(reported), len(proved)
    return found


def round_number(
    number: int, seed: int, project: Path, cache: Path, seconds: float | None
) -> dict[str, object]:
    """One kill, and what it left. seconds: how long a run takes, None to kill at files only."""
    rng = random.Random(f"{seed}-{number}")
    cold, with_pytest, at_file = rng.random() < 0.6, rng.random() < 0.2, seconds is None or number % 3 == 0
    if cold:
        shutil.rmtree(cache, ignore_errors=True)
    for name in (RECORD, RECORD + SUFFIX):
        (project / name).unlink(missing_ok=True)
    hook = kill_at(rng.randint(1, 40), (str(cache), str(project / RECORD))) if at_file else None
    after = None if at_file or seconds is None else rng.uniform(0, seconds)
    killed, shown = watched(lambda: run(project, with_pytest=with_pytest, hook=hook), after)
    return {
        "round": number, "killed": killed, "cold": cold, "pytest": with_pytest, "at_file": at_file,
        **examine(project, cache, shown),
    }  # fmt: skip


def full_run(project: Path) -> bool:
    """A run that nobody kills gives the known verdicts, with whatever the killed ones left."""
    _, shown = watched(lambda: run(project, with_pytest=False, hook=None), None)
    if not (project / RECORD).exists():
        raise SystemExit(f"a run left no record:\n{shown}")
    results, _ = parse_record((project / RECORD).read_bytes())
    return {result.name: result.evidence.verdict.value for result in results} == TRUE


def table(rounds: list[dict[str, object]]) -> str:
    """The Markdown that is committed."""
    kills = [entry for entry in rounds if entry["killed"]]
    full = [entry for entry in rounds if "full" in entry]

    def total(key: str) -> int:
        values = [entry[key] for entry in rounds]
        return sum(value if isinstance(value, int) else len(value) for value in values)  # type: ignore[arg-type,misc]

    stages = Counter(int(str(entry["kept"])) for entry in kills)
    lines = [
        "# Runs that were killed",
        "",
        "Written by `python benchmarks/kills.py --table FOLDER0 FOLDER1 ... --output benchmarks/KILLS.md`",
        "from the rounds of `python benchmarks/kills.py --kills N --seed 0 --work FOLDER0` and the same with",
        "other seeds and folders at the same time.",
        "",
        "| what | number |",
        "|---|---|",
        f"| runs killed by SIGKILL | {len(kills)} |",
        f"| of these at a random moment | {sum(not entry['at_file'] for entry in kills)} |",
        f"| at an operation on a file of the cache, the journal or the record | "
        f"{sum(bool(entry['at_file']) for entry in kills)} |",
        f"| under pytest | {sum(bool(entry['pytest']) for entry in kills)} |",
        f"| with an empty cache | {sum(bool(entry['cold']) for entry in kills)} |",
        f"| with no, one, two properties PROVED before the kill | "
        f"{', '.join(str(stages[count]) for count in range(3))} |",
        f"| temporary files of the cache seen after a kill | {total('temporary')} |",
        f"| cache entries read afterwards | {total('entries')} |",
        f"| **of these unreadable** | **{total('unreadable')}** |",
        f"| **records and journals that could not be read** | **{total('broken_records')}** |",
        f"| **false properties PROVED** | **{total('false')}** |",
        f"| properties reported as PROVED before the kill | {total('reported')} |",
        f"| **of these not in the record or the journal** | **{total('lost')}** |",
        f"| runs left alone in between, and of these with exactly the known verdicts | "
        f"{len(full)}, {sum(bool(entry['full']) for entry in full)} |",
    ]
    return "\n".join(lines) + "\n"


def rounds_in(work: Path) -> list[dict[str, object]]:
    """The rounds that were noted."""
    notes = work / "rounds.jsonl"
    return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="a folder for the project, the cache and the notes")
    parser.add_argument("--at-files", action="store_true", help="kill at operations on files only")
    parser.add_argument("--table", type=Path, nargs="+", metavar="FOLDER", help="write what is noted there")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    if options.table:
        text = table([entry for work in options.table for entry in rounds_in(work)])
        print(text)
        if options.output:
            options.output.write_text(text)
    elif options.work:
        kill(options.work.resolve(), options.kills, options.seed, options.at_files)
    else:
        parser.error("give --work or --table")


def kill(work: Path, kills: int, seed: int, at_files: bool) -> None:
    """Rounds until there are so many kills."""
    os.environ["TORCHLEAN_CACHE"] = str(work)
    os.environ.pop("TORCHLEAN_CACHE_MB", None)
    os.environ["TMPDIR"] = str(work / "temporary")
    store = default_store()
    assert store is not None
    project, cache = work / "project", store.folder
    write_project(project)
    (work / "temporary").mkdir(exist_ok=True)
    # what a run imports is imported once, here; children are forked
    import onnxruntime  # noqa: F401
    import pytest  # noqa: F401

    import pytest_torchlean.commands.check
    import pytest_torchlean.properties.range
    import pytest_torchlean.properties.robustness  # noqa: F401

    assert full_run(project), "the project does not have the verdicts that it should have"
    shutil.rmtree(cache)
    started = time.monotonic()
    assert full_run(project), "the project does not have the verdicts that it should have"
    seconds = time.monotonic() - started
    rounds = rounds_in(work)
    while sum(bool(entry["killed"]) for entry in rounds) < kills:
        entry = round_number(len(rounds), seed, project, cache, None if at_files else seconds)
        if len(rounds) % _FULL_RUN == _FULL_RUN - 1:
            entry["full"] = full_run(project)
            shutil.rmtree(work / "temporary")
            (work / "temporary").mkdir()
        rounds.append(entry)
        with (work / "rounds.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
