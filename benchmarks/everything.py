"""Run every benchmark and write its table.

    python benchmarks/everything.py [--data FOLDER] [--peer PYTHON] [--work FOLDER] [--only NAME ...]

FOLDER of `--data` holds models and properties of the verification competition, one folder for each benchmark
with its `expected.csv`; without it the scripts that need it are left out. PYTHON is an interpreter that has
the peers (auto_LiRPA, nnenum, maraboupy); without it they are left out. `--work` keeps the state of runs of
hours (elementary functions, kills), which go on where they ended. A benchmark that fails does not stop the
others; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
RUNS_INSTANCES = (
    "acasxu",
    "collins_rul_cnn",
    "mnist_fc",
    "oval21",
    "rl_benchmarks",
    "test",
    "tllverifybench",
)
BESIDE_PEERS = ("--only", "acasxu", "--sample", "20")


@dataclass(frozen=True)
class Benchmark:
    """A script with its arguments, one command after the other.

    data: it is not run without `--data`, whose value it gets. One thread: bounds are compared on one.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    data: bool = False
    peer: bool = False
    one_thread: bool = False


def written(name: str) -> tuple[str, ...]:
    return ("--output", str(HERE / f"{name.upper()}.md"))


def benchmarks(work: Path) -> Iterator[Benchmark]:
    """All of them, the quick ones first."""
    yield Benchmark("results", (("run.py", *written("results")),))
    yield Benchmark("cache", (("cache.py", *written("cache")),))
    yield Benchmark("nodes", (("nodes.py", *written("nodes")),))
    yield Benchmark("faults", (("faults.py", *written("faults")),))
    yield Benchmark("activations", (("activations.py", *written("activations")),))
    yield Benchmark("enclosures", (("enclosures.py", *written("enclosures")),), data=True)
    yield Benchmark("evaluator", (("evaluator.py",),), data=True)
    yield Benchmark("relaxation", (("relaxation.py", *written("relaxation")),), True, True, True)
    yield Benchmark("phases", (("phases.py", "--lean", "60", *written("phases")),), True, one_thread=True)
    yield Benchmark("lean", (("lean.py", *written("lean")),), data=True)
    yield Benchmark("outside", (("outside.py", *written("outside")),), data=True)
    yield Benchmark("peers", (("peers.py", *BESIDE_PEERS, *written("peers")),), data=True, peer=True)
    table = ("--table", str(HERE / "INSTANCES.md"))
    yield Benchmark("instances", (("instances.py", "--only", *RUNS_INSTANCES, *table),), data=True)
    yield Benchmark("models", (("models.py", *written("models")),), data=True)
    yield Benchmark("rediscovery", (("rediscovery.py", *written("rediscovery")),))
    state = ("--state", str(work / "elementary"))
    yield Benchmark(
        "elementary",
        (
            ("elementary.py", "run", *state, "Exp", "Log", "Tanh", "Sigmoid", "Erf"),
            ("elementary.py", "report", *state, *written("elementary")),
        ),
    )
    kills = str(work / "kills")
    yield Benchmark(
        "kills",
        (
            ("kills.py", "--kills", "1000", "--seed", "0", "--work", kills),
            ("kills.py", "--table", kills, *written("kills")),
        ),
    )


def run(benchmark: Benchmark, data: Path | None, peer: Path | None) -> bool:
    """Whether every command of it ended well."""
    environment = {**os.environ, **({"OPENBLAS_NUM_THREADS": "1"} if benchmark.one_thread else {})}
    more = [part for part in ("--data", data) if benchmark.data]
    more += ["--peer", peer] if benchmark.peer and peer is not None else []
    for script, *arguments in benchmark.commands:
        command = [sys.executable, str(HERE / script), *arguments, *(str(part) for part in more)]
        if subprocess.run(command, env=environment, check=False).returncode:
            return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER")
    parser.add_argument("--peer", type=Path, metavar="PYTHON")
    parser.add_argument("--work", type=Path, default=Path("benchmark-state"), metavar="FOLDER")
    parser.add_argument("--only", nargs="*", default=[], help="names of benchmarks")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    known = list(benchmarks(arguments.work))
    unknown = set(arguments.only) - {benchmark.name for benchmark in known}
    if unknown:
        parser.error(f"no benchmark is called {sorted(unknown)}; there are {[one.name for one in known]}")
    failed = []
    for benchmark in known:
        if arguments.only and benchmark.name not in arguments.only:
            continue
        if benchmark.data and arguments.data is None:
            print(f"{benchmark.name}: left out, it needs --data", flush=True)
            continue
        begun = time.perf_counter()
        fine = run(benchmark, arguments.data, arguments.peer)
        failed += [] if fine else [benchmark.name]
        how = "done" if fine else "FAILED"
        print(f"{benchmark.name}: {how}, {time.perf_counter() - begun:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
