"""Run other verifiers beside ours on instances of the verification competition, one after the other.

    python benchmarks/peers.py --data FOLDER --peer PYTHON --output benchmarks/PEERS.md
        [--only NAME ...] [--properties NAME ...] [--sample N] [--limit SECONDS]

PYTHON is an interpreter that can import `nnenum` and `maraboupy`; one that is missing is left out. Ours is
`torchlean check`, which includes every binary32 execution in the claim and Lean's check of the proof; the
peers speak of an exact network in floating-point arithmetic and leave no proof that was checked here. Every
tool is a process of its own, start included; the table is written anew after each instance.
"""

from __future__ import annotations

import argparse
import compileall
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from instances import SAID, Instance, instances, recorded
from run import machine, table

import pytest_torchlean

MARABOU = """
import sys
from maraboupy import Marabou
network = Marabou.read_onnx(sys.argv[1])
options = Marabou.createOptions(verbosity=0, timeoutInSeconds=int(float(sys.argv[3])), numWorkers=2, snc=True)
answer, _, _ = network.solve(propertyFilename=sys.argv[2], verbose=False, options=options)
print("answer", answer)
"""
ANSWERS = {"holds": "unsat", "violated": "sat", "unsat": "unsat", "sat": "sat"}


@dataclass(frozen=True)
class Answer:
    """What a tool said (`unsat`: the property holds), and its processor and wall time in seconds.

    lean: the part of the processor time that was Lean's.
    """

    said: str
    seconds: float
    wall: float
    lean: float = 0.0

    def cell(self, expected: str) -> str:
        wrong = self.said in ANSWERS.values() and expected in ANSWERS.values() and self.said != expected
        seconds = f"{self.seconds:.1f}"
        if self.lean:
            seconds = f"{self.seconds - self.lean:.1f} + {self.lean:.1f}"
        return f"{self.said}{' (wrong)' if wrong else ''}, {seconds} / {self.wall:.1f}"


Tool = Callable[[Instance, float], Answer]


def run(command: Sequence[str], limit: float) -> tuple[str, float, float]:
    """Output of a peer, its processor time and wall time; it is killed when the limit has passed.

    Peers that share work out run processes of one thread each, as they ask for.
    """
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=limit + 20,
            stdin=subprocess.DEVNULL,
        )
        output = done.stdout
    except subprocess.TimeoutExpired:
        output = "answer timeout"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return output, processor, time.monotonic() - begun


def by_nnenum(python: Path) -> Tool:
    def judged(instance: Instance, limit: float) -> Answer:
        files = [str(instance.folder / instance.row[key]) for key in ("onnx", "vnnlib")]
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "result"
            command = [str(python), "-m", "nnenum.nnenum", *files, str(limit), str(result)]
            _, *seconds = run(command, limit)
            said = result.read_text().split() if result.is_file() else ["no answer"]
        return Answer(ANSWERS.get(said[0], " ".join(said)), *seconds)

    return judged


def by_marabou(python: Path) -> Tool:
    def judged(instance: Instance, limit: float) -> Answer:
        files = [str(instance.folder / instance.row[key]) for key in ("onnx", "vnnlib")]
        output, *seconds = run([str(python), "-c", MARABOU, *files, str(limit)], limit)
        said = [line.split()[1].lower() for line in output.splitlines() if line.startswith("answer ")]
        return Answer(ANSWERS.get(said[0], said[0]) if said else "no answer", *seconds)

    return judged


def by_us(instance: Instance, limit: float) -> Answer:
    begun = time.monotonic()
    result, processor = recorded(instance, max(1.0, limit / float(instance.row["timeout_s"])))
    wall = time.monotonic() - begun
    said, lean = SAID.get(result["verdict"], result["verdict"]), float(result["effort"].get("lean_cpu", 0))
    return Answer(said, processor, wall, lean)


def medians(answers: Sequence[Sequence[Answer]], which: str) -> Iterator[str]:
    """Median processor seconds of every tool on the instances to which all tools gave this answer."""
    same = [row for row in answers if all(answer.said == which for answer in row)]
    for column in zip(*same, strict=True):
        whole, search = (
            statistics.median(answer.seconds - part * answer.lean for answer in column) for part in (0, 1)
        )
        yield f"{whole:.1f}" + (f", {search:.1f} without Lean" if any(one.lean for one in column) else "")


def tools(python: Path | None) -> Iterator[tuple[str, Tool]]:
    """Every tool that can be run."""
    yield "pytest-torchlean", by_us
    for module, name, make in (
        ("nnenum.nnenum", "nnenum", by_nnenum),
        ("maraboupy", "Marabou 2", by_marabou),
    ):
        if python is None:
            return
        found = subprocess.run([str(python), "-c", f"import {module}"], capture_output=True, check=False)
        if found.returncode == 0:
            yield name, make(python)


def report(chosen: Sequence[Instance], ran: Sequence[tuple[str, Tool]], limit: float) -> Iterator[str]:
    """The whole table, once more after each instance."""
    lines = [
        "# Beside other verifiers",
        "",
        "Written by `python benchmarks/peers.py --data FOLDER --peer PYTHON --output FILE`; do not edit.",
        "",
        f"{machine()}. Load average at the start {os.getloadavg()[0]:.1f}.",
        "",
        "Processor time / wall time in seconds of a process of its own, start included, one tool after the",
        f"other on each instance; at most {limit:g} s of wall time for a peer. Ours, `a + b`: everything but",
        "Lean (start, search, certificate, comparison with onnxruntime, records) and Lean's processes, about",
        "every binary32 execution; the others: search alone, about an exact network in floating point,",
        "without a checked proof. `unsat`: the property holds. Byte code of all tools was compiled before.",
        "",
    ]
    rows: list[tuple[str, ...]] = []
    answers: list[list[Answer]] = []
    for instance in chosen:
        expected = instance.row["expected"].rstrip("*")
        answers.append([tool(instance, limit) for _, tool in ran])
        cells = [answer.cell(expected) for answer in answers[-1]]
        rows.append((instance.row["onnx"], instance.row["vnnlib"], instance.row["expected"], *cells))
        print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
        head = ("model", "property", "expected", *(name for name, _ in ran))
        decided = [
            (f"median processor s, {which} of all", "", which, *medians(answers, which))
            for which in ("unsat", "sat")
            if any(all(answer.said == which for answer in row) for row in answers)
        ]
        yield "\n".join([*lines, *table(head, [*rows, *decided])]) + "\n"


def with_byte_code() -> None:
    """Ours as an installer leaves a package and the peers here: compiled, whatever the environment asks."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compileall.compile_dir(Path(pytest_torchlean.__file__).parent, quiet=1)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--peer", type=Path, metavar="PYTHON")
    parser.add_argument("--only", nargs="*", default=[], help="names of benchmarks")
    parser.add_argument("--properties", nargs="*", default=[], help="beginnings of property names")
    parser.add_argument("--sample", type=int, help="this many of the chosen ones, by a fixed seed")
    parser.add_argument("--limit", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--output", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    with_byte_code()
    chosen = [
        instance
        for instance in instances(arguments.data, arguments.only)
        if not arguments.properties or instance.row["vnnlib"].startswith(tuple(arguments.properties))
    ]
    if arguments.sample is not None:
        chosen = random.Random(0).sample(chosen, min(arguments.sample, len(chosen)))
    text = ""
    for text in report(chosen, list(tools(arguments.peer)), arguments.limit):
        if arguments.output is not None:
            arguments.output.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
