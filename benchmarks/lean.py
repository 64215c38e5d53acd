"""Measure Lean: entry, properties, certificates with backward rows, trees, binary32 against exact arithmetic.

    python benchmarks/lean.py --data FOLDER --output benchmarks/LEAN.md [--section models|trees]

FOLDER holds `acasxu`, `mnist_fc` and `oval21` with the models of the verification competition; rows that
need a model which is not there are left out, all others run on random dense models. Every time is the median
of `--repeats` runs of one Lean process, start included: the processor's time of the process, user and system
together, which other work on the machine lengthens less than it lengthens the time by the clock.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from any_order import NOTE, width_lost
from run import dense_model, publish, table, weights, without_theorem

from pytest_torchlean.bounds.crown import SLOPE_BITS
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.sweeps import relu_lines
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.binary import document_of
from pytest_torchlean.certificate.bounding import matrix_of
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.carried import conclusion
from pytest_torchlean.certificate.forms import bound_forms
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.model import (
    NO_STEP,
    ConcludeScript,
    CutData,
    CutsData,
    Emission,
    LeafData,
    NodeScript,
    ScriptData,
    SplitScript,
    StepData,
)
from pytest_torchlean.certificate.plan import Goal, chain, prepare
from pytest_torchlean.certificate.relaxation import conclude
from pytest_torchlean.certificate.rows import Box, PassedNode, Slopes
from pytest_torchlean.certificate.statement import AffineData, BoxData, ReluData, Semantics
from pytest_torchlean.certificate.states import Forecast, State
from pytest_torchlean.certificate.text import THEOREM, render
from pytest_torchlean.certificate.words import decoding_of, patterns_of
from pytest_torchlean.checker import BuiltLibrary, LeanInstall, check, ensure_built, find_lean
from pytest_torchlean.checker.evaluate import evaluate
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.onnx_import import load_model, lower

REAL, BINARY32 = Semantics.REAL, Semantics.BINARY32
Maker = Callable[[Program, RationalBox, Semantics], tuple[Emission, Forecast]]
WALL, MEMORY = 300.0, 6144


@dataclass(frozen=True)
class Seconds:
    """Median processor time, largest memory, and whether Lean accepted every time."""

    seconds: float
    memory_mb: float
    accepted: bool

    def __str__(self) -> str:
        return f"{self.seconds:.2f}" if self.accepted else "refused or out of time"


@dataclass(frozen=True, eq=False)
class Bench:
    """Lean, the built library and how often to measure."""

    lean: LeanInstall
    built: BuiltLibrary
    repeats: int

    def kernel(self, text: str) -> Seconds:
        """A text with its theorem `holds` before the kernel."""
        return self._median(
            lambda: check(
                text, theorem=THEOREM, built=self.built, lean=self.lean, wall_seconds=WALL, memory_mb=MEMORY
            )
        )

    def evaluated(self, emission: Emission) -> Seconds:
        """The same certificate run by the interpreter."""
        document = document_of([emission])
        return self._median(
            lambda: evaluate(document, built=self.built, lean=self.lean, wall_seconds=WALL, memory_mb=MEMORY)
        )

    def _median(self, run: Callable[[], object]) -> Seconds:
        results: list = []
        times: list[float] = []
        for _ in range(self.repeats):
            before = processor_time()
            results.append(run())
            times.append(processor_time() - before)
        return Seconds(
            statistics.median(times),
            max(result.peak_memory_mb for result in results),
            all(result.accepted for result in results),
        )


def processor_time() -> float:
    """Seconds of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def emission_of(
    program: Program, box: RationalBox, semantics: Semantics, *, rows: bool
) -> tuple[Emission, Forecast]:
    """Outputs at most 10^6, by intervals or by backward rows, and what Lean will say."""
    outputs = int(program.outputs.size)
    goal = Goal(bound_forms(None, (Fraction(10**6),) * outputs, outputs, False), (box,))
    account = prepare(program, [goal], semantics)
    emission = account.emission
    claim = emission.claims[0]
    if not rows:
        return emission, account.forecast(claim, emission.certificate.scripts[0][0])
    script, _, _ = relaxed_script(account, claim, claim.boxes[0])
    return with_script(emission, script), account.forecast(claim, script)


def concluded_by_rows(program: Program, box: RationalBox, semantics: Semantics) -> tuple[Emission, Forecast]:
    """Outputs at most 10^6, by backward rows for the property alone: all bounds on the way are intervals."""
    outputs = int(program.outputs.size)
    goal = Goal(bound_forms(None, (Fraction(10**6),) * outputs, outputs, False), (box,))
    account = prepare(program, [goal], semantics)
    claim = account.emission.claims[0]
    steps = account.steps(claim.boxes)
    state, slopes = account.start(claim.boxes), {}
    for node, step in zip(account.emission.graph.nodes, steps, strict=True):
        if isinstance(node, ReluData):
            slopes[len(state.lower)] = slopes_of(account, node, state)
        state = account.node(step, state)
    forms = claim.property.forms
    own = decoding_of(patterns_of(forms))
    scale = account.emission.certificate.scale
    bounds = Box(scale, state.lower[:, 0], state.upper[:, 0])
    how, _ = conclude(bounds, state.history_of(0), slopes, PassedNode(forms, 0, own, matrix_of(forms, own)))
    script = chain(steps, how)
    return with_script(account.emission, script), account.forecast(claim, script)


def slopes_of(account: Account, node: ReluData, state: State) -> Slopes:
    """The lines of a ReLU node, from the bounds of what it reads."""
    scale, here = account.emission.certificate.scale, slice(node.first, node.first + node.count)
    low, high = (
        np.asarray((side[here] - scale.center) / scale.unit, dtype=np.float64)
        for side in (state.lower, state.upper)
    )
    lines = relu_lines(low, high, SLOPE_BITS)
    lower, upper = (
        np.rint(side[:, 0, 0] * (1 << SLOPE_BITS)).astype(np.int64) for side in (lines.lower, lines.upper)
    )
    return Slopes(SLOPE_BITS, lower, upper)


def with_script(emission: Emission, script: ScriptData) -> Emission:
    return replace(emission, certificate=replace(emission.certificate, scripts=((script,),)))


def around(program: Program, middle: Fraction, radius: Fraction) -> RationalBox:
    return RationalBox((middle - radius,) * program.inputs, (middle + radius,) * program.inputs)


def program_of(path: Path) -> Program:
    return lower_to_program(lower(load_model(path, root=path.parent)))


def dense(folder: Path, width: int) -> tuple[Path, Program]:
    path = folder / f"{width}.onnx"
    dense_model(path, width)
    return path, program_of(path)


def growing(bench: Bench, folder: Path) -> Iterator[str]:
    """Entry and property on dense models of growing size."""
    yield "## Dense models 64 - n - n - 10, one interval property"
    yield ""
    rows, points = [], []
    for width in (128, 256, 512, 1000):
        path, program = dense(folder, width)
        box = around(program, Fraction(1, 2), Fraction(1, 2))
        text = render([emission_of(program, box, REAL, rows=False)[0]])
        entry, whole = bench.kernel(without_theorem(text)), bench.kernel(text)
        rounded = bench.kernel(render([emission_of(program, box, BINARY32, rows=False)[0]]))
        count = weights(path)
        points.append((count, entry.seconds, whole.seconds))
        memory = (f"{entry.memory_mb:.0f}", f"{whole.memory_mb:.0f}")
        rows.append(
            (
                *(str(count), str(entry), memory[0], str(whole), memory[1]),
                *(f"{whole.seconds - entry.seconds:.2f}", str(rounded), f"{rounded.memory_mb:.0f}"),
            )
        )
    head = ("weights", "entry (s)", "entry (MB)", "all (s)", "all (MB)", "property (s)")
    head += ("all, binary32 (s)", "all, binary32 (MB)")
    yield from table(head, rows)
    (small, first, start), (large, last, end) = points[0], points[-1 if rows[-1][3][0].isdigit() else -2]
    yield ""
    per_weight = 1e6 / (large - small)
    yield f"Entry {(last - first) * per_weight:.1f} us per weight, "
    yield f"property {((end - last) - (start - first)) * per_weight:.1f} us per weight."


def one(
    bench: Bench,
    program: Program,
    box: RationalBox,
    make: Maker,
    *,
    kernel: bool = True,
    inherent: tuple[float, float] | None = None,
) -> tuple[str, ...]:
    """Exact arithmetic at both levels, binary32, their ratio, and what binary32 costs in width.

    inherent: what `width_lost` says of it, where bounds are intervals.
    """
    exact, wanted = make(program, box, REAL)
    rounded, found = make(program, box, BINARY32)
    evaluated = bench.evaluated(exact), bench.evaluated(rounded)
    asked = (bench.kernel(render([exact])), bench.kernel(render([rounded]))) if kernel else evaluated
    ratio = asked[1].seconds / asked[0].seconds
    return (
        str(asked[0]) if kernel else "-",
        str(asked[1]) if kernel else "-",
        f"{ratio:.2f}",
        str(evaluated[0]),
        str(evaluated[1]),
        f"{max(asked[0].memory_mb, asked[1].memory_mb):.0f}",
        loss(wanted, found, exact, rounded),
        *(("-", "-") if inherent is None else (f"{one:.1e}" for one in inherent)),
    )


def loss(exact: Forecast, rounded: Forecast, first: Emission, second: Emission) -> str:
    """By how much wider the bounds of the slots that both forecasts have are in binary32, all together."""

    def widths(forecast: Forecast, emission: Emission) -> np.ndarray:
        scale = emission.certificate.scale
        width = np.asarray(forecast.upper[:, 0] - forecast.lower[:, 0]) / scale.unit
        return np.asarray(width[2 + first.graph.inputs :], dtype=np.float64)

    one, other = widths(exact, first), widths(rounded, second)
    count = min(len(one), len(other))
    total = float(one[:count].sum())
    return f"{(float(other[:count].sum()) - total) / total:.1e}" if total else "-"


CERTIFICATE_HEAD = (
    "certificate",
    "kernel, exact (s)",
    "kernel, binary32 (s)",
    "ratio",
    "evaluated, exact (s)",
    "evaluated, binary32 (s)",
    "memory (MB)",
    "width lost in binary32, relative",
    "granted, without rounding to fixed point",
    "attained by some order",
)


INTERVALS, ALL_ROWS, LAST_ROWS = "intervals", "backward rows for all bounds", "backward rows for the property"
MAKERS: dict[str, Maker] = {
    INTERVALS: partial(emission_of, rows=False),
    ALL_ROWS: partial(emission_of, rows=True),
    LAST_ROWS: concluded_by_rows,
}


def certificates(bench: Bench, data: Path | None) -> Iterator[str]:
    load = os.getloadavg()[0]
    rows: list[tuple[str, ...]] = []
    for name, pattern, middle, radius, kinds in (
        ("ACAS Xu 1_1", "acasxu/*1_1_batch_2000.onnx", Fraction(0), Fraction(1, 100), (INTERVALS, ALL_ROWS)),
        ("mnist 256x4", "mnist_fc/*256x4.onnx", Fraction(1, 2), Fraction(1, 100), (INTERVALS, LAST_ROWS)),
        ("oval21 base", "oval21/*base*.onnx", Fraction(0), Fraction(1, 255), (INTERVALS, ALL_ROWS)),
    ):
        found = sorted(data.glob(pattern)) if data is not None else []
        if not found:
            continue
        program = program_of(found[0])
        box = around(program, middle, radius)
        for kind in kinds:
            label = f"{name}, {kind}"
            try:
                # rows through wide convolutions are for the evaluated level
                kernel = not (kind is ALL_ROWS and name.startswith("oval21"))
                lost = width_lost(program, box) if kind is INTERVALS else None
                rows.append((label, *one(bench, program, box, MAKERS[kind], kernel=kernel, inherent=lost)))
            except TorchleanError as error:
                rows.append((label, error.code, *["-"] * (len(CERTIFICATE_HEAD) - 2)))
            print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
    yield MODELS
    yield ""
    yield f"{processor()}. Load average at the start of these runs {load:.1f}; medians of {bench.repeats}."
    yield ""
    yield from table(CERTIFICATE_HEAD, rows) if rows else iter(["No models were given."])
    yield from NOTE.splitlines()


MODELS = "## Competition models"
TREES = "## A tree of cases on ACAS Xu 1_1, evaluated in one process"


def with_section(page: str, heading: str, section: str) -> str:
    """The page with another text of one section. Raises ValueError if it has no such heading."""
    before, found, rest = page.partition(heading + "\n")
    if not found:
        raise ValueError(f"the page has no section {heading!r}")
    _, following, later = rest.partition("\n## ")
    return before + section.rstrip("\n") + "\n" + following + later


def tree(bench: Bench, data: Path | None) -> Iterator[str]:
    """A tree that halves the inputs one after the other; every leaf runs the same script."""
    found = sorted(data.glob("acasxu/*1_1_batch_2000.onnx")) if data is not None else []
    if not found:
        return
    program = program_of(found[0])
    box = around(program, Fraction(0), Fraction(1, 10))
    rows = []
    load = os.getloadavg()[0]
    for kind, make in (
        ("intervals", interval_tree),
        ("intervals, binary32", partial(interval_tree, semantics=BINARY32)),
        ("forms of the inputs", form_tree),
    ):
        for depth in (7, 10):
            measured = bench.evaluated(make(program, box, depth))
            per_leaf = f"{measured.seconds / 2**depth * 1e3:.1f}" if measured.accepted else "-"
            rows.append((kind, str(2**depth), str(measured), per_leaf, f"{measured.memory_mb:.0f}"))
            print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
    yield TREES
    yield ""
    yield f"{processor()}. Load average at the start of these runs {load:.1f}; medians of {bench.repeats}."
    yield ""
    yield from table(("leaves", "number", "all (s)", "per leaf (ms)", "memory (MB)"), rows)


def interval_tree(program: Program, box: RationalBox, depth: int, semantics: Semantics = REAL) -> Emission:
    """Splits of the inputs; every leaf runs the script of intervals."""
    emission, _ = emission_of(program, box, semantics, rows=False)
    (script,) = emission.certificate.scripts[0]
    return with_script(emission, halved(script, emission, depth, 0))


def form_tree(program: Program, box: RationalBox, depth: int) -> Emission:
    """Intervals once, then cuts of the inputs inside one conclusion by forms of the inputs."""
    outputs = int(program.outputs.size)
    goal = Goal(bound_forms(None, (Fraction(10**6),) * outputs, outputs, False), (box,))
    account = prepare(program, [goal], REAL)
    claim = account.emission.claims[0]
    pieces, state = bounded_by_intervals(account, claim.boxes[0])
    how = conclusion(account, claim, state, most_parts=1)
    if how is None:
        raise ValueError("no forms show that the outputs are at most 10^6")
    here = slice(how.origin, how.origin + program.inputs)
    low, high = ([int(bound) for bound in side[here, 0]] for side in (state.lower, state.upper))
    script: ScriptData = ConcludeScript(replace(how, cuts=cut_in_halves(low, high, depth, 0)))
    for step in reversed(pieces):
        script = NodeScript(step, script)
    return with_script(account.emission, script)


def bounded_by_intervals(account: Account, box: BoxData) -> tuple[list[StepData], State]:
    """Steps of all nodes, and the bounds they give."""
    state, pieces, left = account.start((box,)), [], iter(account.decodings)
    for node in account.emission.graph.nodes:
        step = StepData(next(left), 0, 0) if isinstance(node, AffineData) else NO_STEP
        pieces.append(step)
        state = account.node(step, state)
    return pieces, state


def cut_in_halves(low: list[int], high: list[int], depth: int, level: int) -> CutsData:
    """Cuts at the middle of one input after the other."""
    if level == depth:
        return LeafData()
    place = level % len(low)
    middle = (low[place] + high[place]) // 2
    below, above = high.copy(), low.copy()
    below[place] = above[place] = middle
    cuts = (cut_in_halves(*side, depth, level + 1) for side in ((low, below), (above, high)))
    return CutData(place, middle, *cuts)


def halved(leaf: ScriptData, emission: Emission, depth: int, level: int, path: int = 0) -> ScriptData:
    """Splits of input `level % inputs`, at the middle of what the splits above have left of it."""
    if level == depth:
        return leaf
    inputs, scale = emission.graph.inputs, emission.certificate.scale
    times = level // inputs
    own = [path >> (level - 1 - earlier * inputs - level % inputs) & 1 for earlier in range(times)]
    middle = sum((2 * up - 1) * Fraction(1, 2 ** (place + 1)) for place, up in enumerate(own))
    value = scale.center + int(Fraction(scale.unit, 10) * middle)
    below = halved(leaf, emission, depth, level + 1, 2 * path)
    above = halved(leaf, emission, depth, level + 1, 2 * path + 1)
    return SplitScript(2 + level % inputs, value, below, above)


def large(bench: Bench, folder: Path, width: int) -> Iterator[str]:
    path, program = dense(folder, width)
    emission, _ = emission_of(program, around(program, Fraction(1, 2), Fraction(1, 2)), REAL, rows=False)
    measured = replace(bench, repeats=1).evaluated(emission)
    yield "## A large model, evaluated"
    yield ""
    yield f"{weights(path)} weights: {measured} s, {measured.memory_mb:.0f} MB, one run."


def library(lean: LeanInstall) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(scratch) / "cache"
        begun, before = time.perf_counter(), processor_time()
        modules = len(ensure_built(lean, cache=cache).modules)
        used = processor_time() - before
        by_clock = time.perf_counter() - begun
        return (
            f"Building the library, {modules} modules, two at a time: {used:.0f} s of processor time, "
            f"{by_clock:.0f} s by the clock, one run."
        )


SECTIONS = {"models": (MODELS, certificates), "trees": (TREES, tree)}


def processor() -> str:
    """The name of this machine's processor."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        names = re.findall(r"^model name\s*: (.*)$", information.read_text(), re.MULTILINE)
        if names:
            return str(names[0])
    return platform.processor() or platform.machine()


def report(arguments: argparse.Namespace) -> Iterator[str]:
    lean = find_lean()
    bench = Bench(lean, ensure_built(lean), arguments.repeats)
    load = os.getloadavg()[0]
    yield "# Lean, measured"
    yield ""
    yield "Written by `python benchmarks/lean.py --data FOLDER --output benchmarks/LEAN.md`; do not edit."
    yield ""
    yield f"{processor()}, {os.cpu_count()} cores, Lean {lean.version}; medians of {arguments.repeats}"
    yield f"runs. Load average at the start {load:.1f}. Times are processor time, user and system;"
    yield "where the load exceeds the number of cores they are too long, though less so than times by"
    yield "the clock."
    yield ""
    with tempfile.TemporaryDirectory() as scratch:
        yield from growing(bench, Path(scratch))
        yield ""
        yield from certificates(bench, arguments.data)
        yield ""
        yield from tree(bench, arguments.data)
        yield ""
        if arguments.large:
            yield from large(bench, Path(scratch), arguments.large)
            yield ""
    if arguments.library:
        yield "## The library"
        yield ""
        yield library(lean)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure Lean.")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the tables there too")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="competition models")
    parser.add_argument("--repeats", type=int, default=5, metavar="N")
    parser.add_argument(
        "--large", type=int, default=3000, metavar="N", help="width of the large model, 0 for none"
    )
    parser.add_argument(
        "--no-library", dest="library", action="store_false", help="do not time the library's build"
    )
    parser.add_argument("--section", choices=SECTIONS, help="this one alone, into the page that is there")
    arguments = parser.parse_args()
    if arguments.section is not None:
        lean = find_lean()
        heading, measure = SECTIONS[arguments.section]
        section = "\n".join(measure(Bench(lean, ensure_built(lean), arguments.repeats), arguments.data))
        print(section)
        if arguments.output is not None:
            page = arguments.output.read_text(encoding="utf-8")
            arguments.output.write_text(with_section(page, heading, section), encoding="utf-8")
        return 0
    publish(report(arguments), arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
