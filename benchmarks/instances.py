"""Judge instances of the verification competition, one process each, and keep every result.

    python benchmarks/instances.py --data FOLDER [--only NAME ...] [--sample N] [--properties prop_3 prop_4]
        [--models 1_1 2_7 ...] [--expected sat]
    python benchmarks/instances.py --table benchmarks/INSTANCES.md

FOLDER holds one folder for each benchmark, with `expected.csv`: onnx, vnnlib, timeout_s, expected,
best_wall_s. A result is one line of benchmarks/instances.csv; lines that are there are not run again, so
a run that was ended goes on where it was (`--again` runs them anew). Seconds of `search` and `lean` are
wall time from the JSON record, `processor` is user and system time of the whole process with its
children.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from run import machine, table

RESULTS = Path(__file__).with_name("instances.csv")
SAID = {"PROVED": "unsat", "REFUTED": "sat"}
SIZES = {
    "acasxu": 186,
    "collins_rul_cnn": 43,
    "mnist_fc": 18,
    "oval21": 9,
    "rl_benchmarks": 60,
    "test": 3,
    "tllverifybench": 5,
}
"""Instances that there are, whether they were run or not."""


@dataclass(frozen=True)
class Outcome:
    """One instance as it was judged. Seconds; `memory` of Lean in megabytes."""

    benchmark: str
    model: str
    property: str
    expected: str
    verdict: str
    assurance: str
    search: str
    lean: str
    processor: str
    memory: str
    best: str
    found: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.benchmark, self.model, self.property

    @property
    def wrong(self) -> bool:
        """Whether a decided verdict contradicts what the competition's tools agreed on."""
        said, reference = SAID.get(self.verdict), self.expected.rstrip("*")
        return said is not None and reference in SAID.values() and said != reference


@dataclass(frozen=True)
class Instance:
    benchmark: str
    folder: Path
    row: dict[str, str]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.benchmark, self.row["onnx"], self.row["vnnlib"]


def instances(data: Path, only: Sequence[str]) -> Iterator[Instance]:
    """Every row of every `expected.csv` below `data`."""
    for listed in sorted(data.glob("*/expected.csv")):
        if only and listed.parent.name not in only:
            continue
        with listed.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield Instance(listed.parent.name, listed.parent, row)


def kept() -> dict[tuple[str, str, str], Outcome]:
    """The results of earlier runs."""
    if not RESULTS.is_file():
        return {}
    with RESULTS.open(newline="", encoding="utf-8") as file:
        found = [Outcome(**row) for row in csv.DictReader(file)]
    return {outcome.key: outcome for outcome in found}


def keep(outcomes: dict[tuple[str, str, str], Outcome]) -> None:
    """Write all results, sorted, whole or not at all."""
    names = [field.name for field in fields(Outcome)]
    partial = RESULTS.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(outcomes[key]) for key in sorted(outcomes))
    os.replace(partial, RESULTS)


def judge(instance: Instance, patience: float = 1.0) -> Outcome:
    """One instance as `recorded` runs it, in one line."""
    result, processor = recorded(instance, patience)
    outcome = outcome_of(instance, result, processor)
    if patience == 1.0:
        return outcome
    found = f"{outcome.found}; " if outcome.found else ""
    return replace(outcome, found=f"{found}{patience:g} times the competition's time")


def recorded(instance: Instance, patience: float) -> tuple[dict[str, Any], float]:
    """The record's entry for one instance and processor seconds: run in a process of its own, through the
    command line as a user runs it. Its search has as many processes as there are cores, and one thread in
    each.

    patience: what the competition's time is multiplied by, where other work runs on the machine.
    """
    row = instance.row
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in (row["onnx"], row["vnnlib"]):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((instance.folder / name).read_bytes())
        listed = folder / "instances.csv"
        seconds = round(patience * float(row["timeout_s"]))
        listed.write_text(f"{row['onnx']},{row['vnnlib']},{seconds}\n", encoding="utf-8")
        record = folder / "record.json"
        command = [sys.executable, "-m", "pytest_torchlean.cli", "check", "--vnncomp", str(listed)]
        command += ["--processes", str(os.cpu_count() or 1)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [*command, "--json", str(record)],
            cwd=folder,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if not record.is_file():
            raise SystemExit(f"{instance.key}: no record\n{done.stdout}{done.stderr}")
        (result,) = json.loads(record.read_text(encoding="utf-8"))["results"]
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return result, processor


def outcome_of(instance: Instance, result: dict[str, Any], processor: float) -> Outcome:
    """What the record says, in one line."""
    seconds: dict[str, float] = result["seconds"]
    lean = seconds.get("lean", 0.0)
    witness = result["witness"] or {}
    return Outcome(
        benchmark=instance.benchmark,
        model=instance.row["onnx"],
        property=instance.row["vnnlib"],
        expected=instance.row["expected"],
        verdict=result["verdict"],
        assurance=result["assurance"] or "",
        search=f"{sum(seconds.values()) - lean - seconds.get('build', 0.0):.2f}",
        lean=f"{lean:.2f}",
        processor=f"{processor:.2f}",
        memory=result["effort"].get("lean_mb", ""),
        best=instance.row["best_wall_s"],
        found=" ".join(str(witness.get("place") or result["found"] or result["problem"] or "").split())[:160],
    )


def summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The table of all benchmarks, then what is not decided."""
    yield "# Instances of the verification competition\n"
    yield (
        "Written by `python benchmarks/instances.py --table benchmarks/INSTANCES.md` from "
        "benchmarks/instances.csv, which `python benchmarks/instances.py --data FOLDER` fills. Claims are "
        "about every binary32 execution, and a proof counts only when Lean accepted it. Seconds are medians "
        "of wall time in a process of its own; `search` is everything but Lean. Expected verdicts are the "
        "votes of the competition's tools.\n"
    )
    yield (
        "Lines are added as instances are run, while other work runs on the machine and with the "
        "competition's seconds, or with more or less of them, where a line says so: wall times are several "
        "times those of a quiet machine, and `processor` in the file is the steadier figure. Lines were "
        "found by the searches of their day, many of them by slower ones than today's.\n"
    )
    yield f"The table was written on {machine()}; lines may come from other machines.\n"
    head = ("benchmark", "run", "not run", "proved", "of unsat", "refuted", "of sat", "wrong", "other")
    rows = []
    for name, group in _by_benchmark(outcomes):
        proved = [outcome for outcome in group if outcome.verdict == "PROVED"]
        refuted = [outcome for outcome in group if outcome.verdict == "REFUTED"]
        expected = [outcome.expected.rstrip("*") for outcome in group]
        rows.append(
            (
                name,
                str(len(group)),
                str(max(0, SIZES[name] - len(group))) if name in SIZES else "?",
                str(len(proved)),
                str(expected.count("unsat")),
                str(len(refuted)),
                str(expected.count("sat")),
                str(sum(outcome.wrong for outcome in group)),
                str(len(group) - len(proved) - len(refuted)),
            )
        )
    yield from table(head, rows)
    yield "\n## Seconds\n"
    head = (
        "benchmark",
        "verdict",
        "instances",
        "search",
        "search, longest",
        "Lean",
        "Lean, longest",
        "Lean / search",
    )
    rows = []
    for name, group in _by_benchmark(outcomes):
        for verdict in ("PROVED", "REFUTED"):
            chosen = [outcome for outcome in group if outcome.verdict == verdict]
            if chosen:
                search = [float(outcome.search) for outcome in chosen]
                lean = [float(outcome.lean) for outcome in chosen]
                share = statistics.median(b / a for a, b in zip(search, lean, strict=True))
                figures = (statistics.median(search), max(search), statistics.median(lean), max(lean), share)
                rows.append((name, verdict, str(len(chosen)), *(f"{figure:.2f}" for figure in figures)))
    yield from table(head, rows)
    undecided = [outcome for outcome in outcomes if outcome.verdict not in SAID]
    if undecided:
        yield "\n## Not decided\n"
        head = ("benchmark", "model", "property", "expected", "verdict", "search", "Lean", "found")
        yield from table(
            head,
            [
                (
                    o.benchmark,
                    o.model,
                    o.property,
                    o.expected,
                    o.verdict,
                    o.search,
                    o.lean,
                    o.found.replace("|", "/"),
                )
                for o in undecided
            ],
        )


def escaped(text: str) -> str:
    """Text for a cell of a table."""
    return text.replace("|", "/")


def _by_benchmark(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, list[Outcome]]]:
    for name in sorted({outcome.benchmark for outcome in outcomes}):
        yield name, [outcome for outcome in outcomes if outcome.benchmark == name]


def _wanted(
    instance: Instance, properties: Sequence[str], models: Sequence[str], expected: str | None
) -> bool:
    row = instance.row
    return (
        (not properties or row["vnnlib"].startswith(tuple(properties)))
        and (not models or any(f"_{model}_" in f"_{row['onnx']}_" for model in models))
        and (expected is None or row["expected"].rstrip("*") == expected)
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="names of benchmarks")
    parser.add_argument("--properties", nargs="*", default=[], help="beginnings of property names")
    parser.add_argument("--models", nargs="*", default=[], help="parts of model names, such as 1_1")
    parser.add_argument("--expected", choices=("sat", "unsat"), help="only what the competition says so of")
    parser.add_argument("--sample", type=int, help="this many of the chosen ones, by a fixed seed")
    parser.add_argument("--again", action="store_true", help="also what has a result")
    parser.add_argument("--undecided", action="store_true", help="also what was not decided")
    parser.add_argument("--patience", type=float, default=1.0, help="multiplies the times of the competition")
    parser.add_argument("--table", type=Path)
    arguments = parser.parse_args()
    outcomes = kept()
    if arguments.data:
        chosen = [
            instance
            for instance in instances(arguments.data, arguments.only)
            if _wanted(instance, arguments.properties, arguments.models, arguments.expected)
        ]
        if not chosen:
            parser.error(
                "no such instance; --models takes what stands between underscores, or a whole file name"
            )
        if arguments.sample is not None:
            chosen = random.Random(0).sample(chosen, min(arguments.sample, len(chosen)))
        for number, instance in enumerate(chosen, 1):
            old = outcomes.get(instance.key)
            if old and not arguments.again and not (arguments.undecided and old.verdict not in SAID):
                continue
            outcome = judge(instance, arguments.patience)
            outcomes[outcome.key] = outcome
            keep(outcomes)
            mark = "  WRONG" if outcome.wrong else ""
            print(
                f"{number}/{len(chosen)} {outcome.model} {outcome.property} expected {outcome.expected}: "
                f"{outcome.verdict} {outcome.assurance} search {outcome.search} lean {outcome.lean} "
                f"cpu {outcome.processor}{mark}",
                flush=True,
            )
    if arguments.table:
        text = "\n".join(summary([outcomes[key] for key in sorted(outcomes)])) + "\n"
        arguments.table.write_text(text, encoding="utf-8")
    return 1 if any(outcome.wrong for outcome in outcomes.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
