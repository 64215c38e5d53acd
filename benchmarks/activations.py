"""What smooth activations cost in Lean's kernel: bounds of a neuron, and a pair of parallel lines around it.

    python benchmarks/activations.py [--output FILE]

Each figure is the difference of two Lean runs, of MANY and of FEW neurons in one theorem, in CPU milliseconds
for each neuron: what starting Lean, reading text and loading the library cost cancels out.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pytest_torchlean.certificate.budgets import GRANTED
from pytest_torchlean.certificate.curves import SHAPES, curve_step
from pytest_torchlean.certificate.model import ScaleData
from pytest_torchlean.certificate.statement import CurveFunction
from pytest_torchlean.checker import BuiltLibrary, LeanInstall, ensure_built, find_lean
from pytest_torchlean.checker.lean_process import End, run_lean
from pytest_torchlean.checker.library import OPTIONS

FEW, MANY = 20, 220
REPEATS = 3
SLOPE_BITS = 12
HEADER = """prelude
import PytestTorchLean.Check.Relaxation.Slide
set_option maxRecDepth 100000
namespace PytestTorchLean
"""
REACH = {CurveFunction.SQRT: (0.001, 4.0), CurveFunction.LOG: (0.001, 4.0)}
FINE, COARSE = ScaleData(1 << 32, 1 << 40, 64), ScaleData(1 << 24, 1 << 32, 64)


def arguments(function: CurveFunction, scale: ScaleData, count: int) -> tuple[int, int]:
    """The packed bounds of the arguments, intervals of width 1/8, and the mirrored ones."""
    rng, least_most = random.Random(1), REACH.get(function, (-4.0, 4.0))
    direct = mirrored = 0
    for index in range(count):
        low = scale.center + round(rng.uniform(*least_most) * scale.unit)
        high = low + (scale.unit >> 3)
        direct += low + (high << scale.half) << 2 * scale.half * index
        mirrored += scale.top - high + (scale.top - low << scale.half) << 2 * scale.half * index
    return direct, mirrored


def bounds(
    function: CurveFunction, scale: ScaleData, semantics: str, stages: int, bits: int, count: int
) -> str:
    """The bounds of `count` neurons."""
    direct, mirrored = arguments(function, scale, count)
    s = f"⟨{scale.unit}, {scale.center}, {scale.half}⟩"
    return (
        f"Curve.run {semantics} {s} {function.value} {bits} {stages} 0 {count} (nat_lit {direct:#x}) "
        f"(nat_lit {mirrored:#x}) {count} (fun _ _ _ => true)"
    )


def residuals(
    function: CurveFunction, scale: ScaleData, stages: int, bits: int, depth: int, count: int
) -> str:
    """The residuals of `count` neurons with a line each, their intervals halved `depth` times."""
    direct, _ = arguments(function, scale, count)
    slopes = sum((1 << SLOPE_BITS - 2) << (SLOPE_BITS + 1) * index for index in range(count))
    shape, granted = SHAPES[function], GRANTED[function]
    unit, center, base = scale.unit, scale.center, shape.base(scale)
    roof = unit + shape.share * center
    measure, one, limit = unit << 8 * stages, 1 << bits, 128 * unit
    relative, constant = granted.eighths << 126, (granted.eighths + 8 * granted.absolute) * unit
    return (
        f"Relaxation.residuals (Scale.mk {unit} {center} {scale.half}) "
        f"(fun slope => Curve.settledOf {1 << SLOPE_BITS} slope {unit} {scale.top} {base} {roof} "
        f"{shape.share} (fun m => Curve.enclose {shape.factor} {shape.multiple * unit} {base} {shape.share} "
        f"{center} {bits} {stages} {measure} (nat_lit {one:#x}) {limit} m m) {center} "
        f"(nat_lit {relative:#x}) "
        f"(nat_lit {constant:#x}) {depth}) "
        f"{1 << SLOPE_BITS} {SLOPE_BITS + 1} (nat_lit {direct:#x}) {count} 0 (nat_lit {slopes:#x}) "
        "(fun _ _ => true)"
    )


def seconds(text: str, lean: LeanInstall, library: BuiltLibrary) -> float:
    """CPU seconds of Lean's run on a theorem."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "Timed.lean"
        path.write_text(
            f"{HEADER}theorem timed : ({text}) = Bool.true := by decide +kernel\n", encoding="utf-8"
        )
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = run_lean(
            lean,
            ["--json", *OPTIONS, str(path)],
            directory=Path(folder),
            lean_path=[library.olean_directory],
            wall_seconds=600,
            memory_mb=4096,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if (result.end, result.code) != (End.EXITED, 0):
        raise RuntimeError(f"Lean refused a theorem of the benchmark: {text[:200]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def milliseconds(term: Callable[[int], str], lean: LeanInstall, library: BuiltLibrary) -> float:
    """For each neuron; the least of several measurements, which others on the machine disturb least."""
    few, many = (min(seconds(term(count), lean, library) for _ in range(REPEATS)) for count in (FEW, MANY))
    return 1000 * (many - few) / (MANY - FEW)


def rows(lean: LeanInstall, library: BuiltLibrary) -> Iterator[str]:
    """The lines of the table."""
    yield (
        "| function | bits | both bounds, `real` | both bounds, `binary32` | line pair, 2 pieces "
        "| line pair, 4 pieces |"
    )
    yield "|---|---|---|---|---|---|"
    for function in CurveFunction:
        if function.name.startswith("FUSED") and function is not CurveFunction.FUSED_SWISH:
            continue
        step = curve_step(function)
        for scale, stages, bits in ((FINE, step.first, step.radius), (COARSE, 3, 52)):
            if scale is COARSE and not function.logistic:
                continue
            figures = [
                milliseconds(lambda n: bounds(function, scale, kind, stages, bits, n), lean, library)  # noqa: B023
                for kind in (".real", ".binary32")
            ]
            cells = [f"{figure:.2f} ms" for figure in figures]
            if function.logistic:
                for depth in (1, 2):
                    pair = partial(residuals, function, scale, stages, bits, depth)
                    cells.append(f"{milliseconds(pair, lean, library):.2f} ms")
            else:
                cells += ["-", "-"]
            yield f"| {function.value} | {scale.unit.bit_length() - 1} | {' | '.join(cells)} |"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, help="the markdown file; default: standard output")
    options = parser.parse_args()
    lean = find_lean()
    lines = [
        "# Smooth activations in Lean's kernel",
        "",
        "Written by `python benchmarks/activations.py`; CPU time for each neuron. A fused operation's",
        "figure is what the budget alone costs. A line pair is a slope with bounds of the difference between",
        "value and line: 2 pieces take 3 enclosures at points, 4 pieces 5. Intervals are 1/8 wide, for which",
        "certificates take 2 pieces; wider ones are cut into pieces of up to 1/16, at most 32.",
        "",
    ]
    for line in rows(lean, ensure_built(lean)):
        lines.append(line)
        print(line, file=sys.stderr, flush=True)
    text = "\n".join(lines) + "\n"
    if options.output is None:
        print(text)
    else:
        options.output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
