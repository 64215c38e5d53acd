"""Measure the search for trees of ReLU phases, and what Lean takes over them.

Run `python benchmarks/phases.py --data FOLDER [--lean SECONDS] --output benchmarks/PHASES.md` with
OPENBLAS_NUM_THREADS=1. FOLDER holds the competition's models, specifications and expected.csv, in
`mnist_fc`. With --lean, certificates that are expected to end in so many seconds are checked, in binary32.
"""

from __future__ import annotations

import argparse
import csv
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from relaxation import program_of
from run import machine, table

from pytest_torchlean.bounds.budget import UNLIMITED
from pytest_torchlean.bounds.phase_tree import leaves
from pytest_torchlean.bounds.phase_tree import search as phases_of
from pytest_torchlean.bounds.program import AffineNode, Program
from pytest_torchlean.bounds.splitting import Leaf
from pytest_torchlean.bounds.stated import stated
from pytest_torchlean.certificate.binary import document_of, encode
from pytest_torchlean.certificate.boxes import to_float
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.rules import rules_of
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.checker import ensure_built, find_lean
from pytest_torchlean.checker.evaluate import evaluate_bytes
from pytest_torchlean.properties.linear import slot_rows
from pytest_torchlean.properties.refining import refining
from pytest_torchlean.properties.unsafe import Question, questions
from pytest_torchlean.spec.vnnlib import load_unsafe_set

GROUP = 16
MOST = 240
SLACK = 1e-3
PER_WEIGHT = 1e-6


def processor(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def checked(program: Program, question: Question, tree: Leaf, lean_seconds: float) -> tuple[str, str]:
    """Bytes of the certificate and its document, and the processor time of Lean's compiled checker."""
    account = prepare(program, [Goal(question.forms, (question.box,))], Semantics.BINARY32)
    claim = account.emission.claims[0]
    refine = refining(slot_rows(program, question.forms), question.forms.alternatives, tree, UNLIMITED)
    script, fine, _ = relaxed_script(account, claim, claim.boxes[0], tree, refine)
    if not fine:
        return "-", "not foreseen"
    certificate = replace(account.emission.certificate, scripts=((script,),))
    data = encode(document_of((replace(account.emission, certificate=certificate),)))
    if not lean_seconds:
        return f"{len(data) / 1e6:.2f}", "not run"
    lean = find_lean()
    built = ensure_built(lean)
    before = processor(resource.RUSAGE_CHILDREN)
    result = evaluate_bytes(
        data,
        expected=(1, 0),
        rules=rules_of(account.emission.graph),
        built=built,
        lean=lean,
        wall_seconds=20 * lean_seconds,
        memory_mb=4096,
    )
    seconds = processor(resource.RUSAGE_CHILDREN) - before
    return f"{len(data) / 1e6:.2f}", f"{seconds:.0f}" if result.accepted else f"{result.outcome.value}"


def rows_of(data: Path, lean_seconds: float) -> Iterator[tuple[str, ...]]:
    folder = data / "mnist_fc"
    for line in csv.DictReader((folder / "expected.csv").read_text().splitlines()):
        program = program_of(folder / line["onnx"])
        unsafe, _ = load_unsafe_set(folder / line["vnnlib"], line["vnnlib"])
        (question,) = questions(unsafe)
        rows = slot_rows(program, question.forms)
        lower, upper = (
            np.array([to_float(value) for value in side]) for side in (question.box.lower, question.box.upper)
        )
        begun = time.process_time()
        found = stated(program, lower, upper, rows, question.forms.alternatives, together=GROUP)
        least, root = float(found.least.min()), time.process_time() - begun
        name = (line["onnx"].removesuffix(".onnx"), line["vnnlib"].removesuffix(".vnnlib"), line["expected"])
        if least > SLACK:
            tree, cells = Leaf(lower, upper, found.slopes), ("1", "-")
        else:
            begun = time.process_time()
            by_phases = phases_of(found.bounds, rows, question.forms.alternatives, most=MOST, slack=SLACK)
            search = time.process_time() - begun
            if by_phases.tree is None:
                yield (
                    *name,
                    f"{least:.3g}",
                    f"{root:.1f}",
                    f"open: {by_phases.gap:.3g}",
                    f"{search:.1f}",
                    "-",
                    "-",
                )
                continue
            tree = Leaf(lower, upper, found.slopes, by_phases.tree, found.bounds)
            cells = (str(sum(1 for _ in leaves(by_phases.tree))), f"{search:.1f}")
        passes = int(cells[0]) + sum(len(own) for own in found.slopes.arguments.values())
        weights = sum(node.weights.size for node in program.nodes if isinstance(node, AffineNode))
        affordable = PER_WEIGHT * weights * passes < lean_seconds
        size, lean = checked(program, question, tree, lean_seconds if affordable else 0.0)
        yield (*name, f"{least:.3g}", f"{root:.1f}", *cells, size, lean)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--lean", type=float, default=0.0, metavar="SECONDS")
    given = parser.parse_args()
    rows: list[tuple[str, ...]] = []
    for row in rows_of(given.data, given.lean):
        rows.append(row)
        print(" | ".join(row), file=sys.stderr, flush=True)
        given.output.write_text("\n".join(page(rows)) + "\n", encoding="utf-8")


def page(rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield "# Cases by ReLU phases, measured"
    yield ""
    yield "Written by `python benchmarks/phases.py --data FOLDER --lean SECONDS --output FILE`; do not edit."
    yield ""
    yield f"{machine()}. Other work ran on both cores."
    yield f"Processor time; at most {MOST} cases bounded. `root`: the lowest bound of a row on the whole box,"
    yield f"slopes shared by {GROUP} arguments, rows scaled to a largest coefficient of 1. `cases`: leaves of"
    yield "the tree, all rows proved in each; or the lowest bound that was left. `MB`: the document for the"
    yield "compiled checker, in binary32, weights included. `Lean`: its processor time, where it was run."
    yield ""
    head = ("model", "property", "expected", "root", "root (s)", "cases", "search (s)", "MB", "Lean (s)")
    yield from table(head, rows)


if __name__ == "__main__":
    main()
