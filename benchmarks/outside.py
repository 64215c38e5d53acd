"""Count the outputs of onnxruntime that lie outside certified bounds for every binary32 execution.

    python benchmarks/outside.py --data FOLDER --output benchmarks/OUTSIDE.md
        [--only MODEL ...] [--radius RADIUS ...]

FOLDER holds `acasxu` and `mnist_fc` with the models of the verification competition. Around random binary32
centres lie boxes of radius 0, 10^-7 and 10^-6. Bounds of every output are stated, Lean's compiled checker
proves them for every binary32 execution on the box's hull, and then onnxruntime runs the centre and random
inputs of the hull, corners among them, with its optimiser and without. One outside would
refute a theorem.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from run import machine, publish, table

from pytest_torchlean.bounds import crown
from pytest_torchlean.bounds.interval import propagate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.certificate.binary import document_of
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import bound_forms
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.model import CertificateData, Emission
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.checker import BuiltLibrary, LeanInstall, ensure_built, find_lean
from pytest_torchlean.checker.evaluate import evaluate
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.runtime import RuntimeSession

RADII = (Fraction(0), Fraction(1, 10**7), Fraction(1, 10**6))
INPUTS = 64
"""Inputs of a box that onnxruntime runs, the centre and two corners among them."""
FIRST_SLACK, MOST_DOUBLINGS = 2.0**-26, 46
SEED = 20
Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Stated:
    """Bounds of every output, binary64 (outputs,), and the certificate that says so."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    emission: Emission


@dataclass(frozen=True)
class Counted:
    """Of one model and radius. width: mean width of the bounds; share: the largest part of a bound's
    distance from the middle that an output used."""

    boxes: int
    accepted: int
    outputs: int
    outside: int
    width: float
    share: float
    seconds: float


def around(centre: Float32, radius: Fraction) -> RationalBox:
    middle = [Fraction(float(number)) for number in centre]
    return RationalBox(tuple(m - radius for m in middle), tuple(m + radius for m in middle))


def state(program: Program, box: RationalBox, rows: bool) -> Stated:
    """Bounds by intervals, or the narrowest around backward rows that the exact forecast accepts."""
    outputs = int(program.outputs.size)
    low, high = (np.array([float(bound) for bound in side]) for side in (box.lower, box.upper))
    asked = crown.output_rows(program)
    least = crown.minimum(crown.bound(program, low[None], high[None]), asked)[0]
    lower, upper = least[:outputs], -least[outputs:]
    slack = FIRST_SLACK * (1 + np.maximum(np.abs(lower), np.abs(upper)))
    by_intervals = [side[0, program.outputs] for side in propagate(program, low[None], high[None])]
    for _ in range(MOST_DOUBLINGS):
        inside = (lower - slack > by_intervals[0]) | (upper + slack < by_intervals[1])
        if not rows and inside.any():
            # closer than intervals of exact arithmetic, which those of binary32 are not
            slack = 2 * slack
            continue
        stated = lower - slack, upper + slack
        one, other = (tuple(map(Fraction, side.tolist())) for side in stated)
        goal = Goal(bound_forms(one, other, outputs, False), (box,))
        account = prepare(program, [goal], Semantics.BINARY32)
        claim, ((script,),) = account.emission.claims[0], account.emission.certificate.scripts
        accepted = bool(account.forecast(claim, script).accepted.all())
        if rows and not accepted:
            script, accepted, _ = relaxed_script(account, claim, claim.boxes[0])
        if accepted:
            certificate = CertificateData(account.emission.certificate.scale, ((script,),))
            return Stated(*stated, replace(account.emission, certificate=certificate))
        slack = 2 * slack
    raise SystemExit("no bounds were accepted")


def samples(centre: Float32, radius: Fraction, rng: np.random.Generator) -> Float32:
    """Binary32 inputs of the box, (INPUTS, inputs)."""
    reach = float(radius)
    points = centre.astype(np.float64) + reach * rng.uniform(-1, 1, (INPUTS, centre.size))
    points[0], points[1], points[2] = centre, centre - reach, centre + reach
    found = points.astype(np.float32)
    # a rounded number may leave the box: the hull is what the theorem speaks of
    below = (centre.astype(np.float64) - reach).astype(np.float32)
    above = (centre.astype(np.float64) + reach).astype(np.float32)
    return np.asarray(np.clip(found, below, above), dtype=np.float32)


def count(
    path: Path,
    radius: Fraction,
    centres: NDArray[np.float32],
    rows: bool,
    lean: LeanInstall,
    built: BuiltLibrary,
) -> Counted:
    model = load_model(path, root=path.parent)
    program = lower_to_program(lower(model))
    content = path.read_bytes()
    sessions = [RuntimeSession(content, optimise) for optimise in (False, True)]
    (name,) = sessions[0].inputs
    shape = model_shape(path)
    rng = np.random.default_rng(SEED)
    accepted = outputs = outside = 0
    widths, share, spent = [], 0.0, 0.0
    for centre in centres:
        found = state(program, around(centre, radius), rows)
        begun = time.perf_counter()
        said = evaluate(
            document_of([found.emission]), built=built, lean=lean, wall_seconds=300, memory_mb=4096
        )
        spent += time.perf_counter() - begun
        accepted += said.accepted
        widths.append(float((found.upper - found.lower).mean()))
        middle, reach = (found.lower + found.upper) / 2, (found.upper - found.lower) / 2
        for point in samples(centre, radius, rng):
            for session in sessions:
                (value,) = session.run({name: point.reshape(shape)})
                seen = value.reshape(-1).astype(np.float64)
                outputs += seen.size
                outside += int(((seen < found.lower) | (seen > found.upper)).sum())
                share = max(share, float((np.abs(seen - middle) / reach).max()))
    return Counted(len(centres), accepted, outputs, outside, float(np.mean(widths)), share, spent)


def model_shape(path: Path) -> tuple[int, ...]:
    """The input's shape, a free dimension taken as 1."""
    (value, *_) = onnx.load(path).graph.input
    return tuple(size.dim_value or 1 for size in value.type.tensor_type.shape.dim)


def cases(data: Path, boxes: int) -> Iterator[tuple[str, Path, NDArray[np.float32], bool]]:
    """Name, file, centres (boxes, inputs), and whether backward rows bound the outputs."""
    rng = np.random.default_rng(SEED)
    for number in range(1, 10):
        path = data / "acasxu" / f"ACASXU_run2a_1_{number}_batch_2000.onnx"
        yield f"ACAS Xu 1_{number}", path, rng.uniform(-0.5, 0.5, (boxes, 5)).astype(np.float32), True
    for depth in (2, 6):
        path = data / "mnist_fc" / f"mnist-net_256x{depth}.onnx"
        yield f"mnist 256x{depth}", path, rng.uniform(0, 1, (boxes, 784)).astype(np.float32), False


def report(
    data: Path, boxes: int, only: Sequence[str] = (), radii: Sequence[Fraction] = RADII
) -> Iterator[str]:
    """The table, line by line. only: names of the models whose rows are wanted; empty for all. A row is the
    same whatever others are in the table.
    """
    lean = find_lean()
    built = ensure_built(lean)
    yield "# Outputs outside certified bounds"
    yield ""
    yield "Written by `python benchmarks/outside.py --data FOLDER --output FILE`; do not edit."
    yield ""
    yield f"{machine()}. Load average at the start {os.getloadavg()[0]:.1f}."
    yield ""
    yield f"{boxes} boxes for each model and radius, {INPUTS} inputs of each in two sessions of onnxruntime,"
    yield "with its optimiser and without. `accepted`: boxes whose bounds Lean proved for every binary32"
    yield "execution. `share`: the largest distance of an output from the middle of its bounds, 1 at a bound."
    yield "ACAS Xu by intervals or backward rows, mnist by intervals. Lean: wall time of all boxes together."
    yield ""
    rows = []
    for name, path, centres, by_rows in cases(data, boxes):
        for radius in radii if not only or name in only else ():
            found = count(path, radius, centres, by_rows, lean, built)
            rows.append(
                (
                    *(name, f"{float(radius):g}", f"{found.accepted} of {found.boxes}", str(found.outputs)),
                    *(str(found.outside), f"{found.width:.1e}", f"{found.share:.1g}", f"{found.seconds:.1f}"),
                )
            )
            print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
    head = ("model", "radius", "accepted", "outputs", "outside", "mean width", "share", "Lean (s)")
    yield from table(head, rows)
    yield ""
    yield f"Outside in all: {sum(int(row[4]) for row in rows)} of {sum(int(row[3]) for row in rows)}."


def main() -> int:
    parser = argparse.ArgumentParser(description="Count outputs outside certified bounds.")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--boxes", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=[], metavar="MODEL", help="such as 'mnist 256x6'")
    parser.add_argument("--radius", nargs="*", type=Fraction, default=RADII, help="of the boxes")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the table there too")
    arguments = parser.parse_args()
    publish(report(arguments.data, arguments.boxes, arguments.only, arguments.radius), arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
