"""Measure bounds by linear relaxation: against auto_LiRPA's bounds, and on ACAS Xu at the root.

Run `python benchmarks/relaxation.py --data FOLDER --output benchmarks/RELAXATION.md` with
OPENBLAS_NUM_THREADS=1. FOLDER holds reference/auto_lirpa_bounds_f64.json (boxes, bounds and seconds of
auto_LiRPA in binary64), the models that it names, and acasxu/expected.csv with the competition's models and
specifications. `--peer PYTHON` names an interpreter that has torch and auto_LiRPA: its times are then taken
in the same run, case by case (benchmarks/peer_bounds.py); without it they are the stored ones.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from run import machine, publish, table

from pytest_torchlean.bounds import crown, interval, slopes
from pytest_torchlean.bounds.crown import UNROUNDED, Method, Options
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.slopes import Ascent
from pytest_torchlean.bounds.stated import stated
from pytest_torchlean.certificate.boxes import to_float
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.properties.linear import slot_rows
from pytest_torchlean.properties.unsafe import questions
from pytest_torchlean.spec.vnnlib import load_unsafe_set

PLAIN = Options(bits=None, intersect=False)
"""As auto_LiRPA bounds: a row's bound replaces the interval."""
WEIGHTS = Ascent(iterations=30, decay=0.93)
REPEATS = 15
ROOT = ("prop_3.vnnlib", "prop_4.vnnlib")


def program_of(path: Path) -> Program:
    return lower_to_program(lower(load_model(path, root=path.parent)))


def best_of(action: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    """The result, and the least processor time in seconds."""
    times, result = [], None
    for _ in range(repeats):
        begun = time.process_time()
        result = action()
        times.append(time.process_time() - begun)
    return result, min(times)


def outputs(least: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = least.shape[1] // 2
    return least[0, :count], -least[0, count:]


def gap(found: tuple[np.ndarray, np.ndarray], known: dict[str, Any]) -> float:
    """The largest relative difference from stored bounds."""
    pairs = zip(found, (known["lb"], known["ub"]), strict=True)
    return max(float((np.abs(ours - theirs) / np.abs(theirs)).max()) for ours, theirs in pairs)


def width(found: tuple[np.ndarray, np.ndarray]) -> float:
    return float((found[1] - found[0]).mean())


def peer_times(python: Path, model: Path, case: dict[str, Any]) -> dict[str, Any]:
    """What auto_LiRPA takes for the case now, see benchmarks/peer_bounds.py."""
    asked = json.dumps({"lo": case["lo"], "hi": case["hi"], "repeats": REPEATS})
    command = [str(python), str(Path(__file__).with_name("peer_bounds.py")), str(model)]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def milliseconds(measured: dict[str, Any] | None, case: dict[str, Any]) -> str:
    if measured is None:
        return f"{case['CROWN']['t'] * 1e3:.1f}"
    return " / ".join(f"{measured[f'CROWN {name}'] * 1e3:.1f}" for name in ("binary32", "binary64"))


def reference(data: Path, peer: Path | None) -> Iterator[str]:
    yield "## Against auto_LiRPA's bounds in binary64"
    yield ""
    yield "Largest relative difference of an output's bound from its; then processor time, the least of"
    yield "several runs, and mean widths of the outputs. Its widths were stored with its bounds; its times"
    yield "are of this run: binary32 / binary64." if peer else "were stored with them, on another machine."
    yield "CROWN takes a row's bound in place of the interval, as auto_LiRPA does; `stated` is what"
    yield "certificates use: slopes of 8 bits, and the better of row and interval."
    yield ""
    rows = []
    for case in json.loads((data / "reference" / "auto_lirpa_bounds_f64.json").read_text()):
        model = data / Path(*Path(case["path"]).parts[1:])
        program = program_of(model)
        box = np.array(case["lo"])[None], np.array(case["hi"])[None]
        asked = crown.output_rows(program)
        low, high = interval.propagate(program, *box)
        by_interval = low[0, program.outputs], high[0, program.outputs]

        def bounds(options: Options, program: Program = program, box: Any = box, asked: Any = asked) -> Any:
            return outputs(crown.minimum(crown.bound(program, *box, options), asked))

        def climbed(program: Program = program, box: Any = box, asked: Any = asked) -> Any:
            return outputs(slopes.minimum(slopes.bound(program, *box), asked))

        mixed = bounds(Options(Method.CROWN_IBP, None))
        theirs = peer_times(peer, model, case) if peer else None
        plain, crown_time = best_of(lambda bounds=bounds: bounds(PLAIN), REPEATS)
        best, slopes_time = best_of(climbed, 3)
        rows.append(
            (
                case["name"].removesuffix(".vnnlib"),
                *(f"{gap(*pair):.0e}" for pair in ((by_interval, case["IBP"]), (mixed, case["CROWN-IBP"]))),
                f"{gap(plain, case['CROWN']):.0e}",
                f"{crown_time * 1e3:.1f}",
                milliseconds(theirs, case),
                f"{width(bounds(crown.STATED)):.4g}",
                f"{width(plain):.4g}",
                f"{width(best):.4g}",
                f"{case['alpha-CROWN']['mean_width']:.4g}",
                f"{slopes_time * 1e3:.0f}",
                f"{(theirs['slopes'] if theirs else case['alpha-CROWN']['t']) * 1e3:.0f}",
            )
        )
        print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
    head = ("case", "IBP", "CROWN-IBP", "CROWN", "CROWN (ms)", "its (ms)", "width, stated", "width, CROWN")
    yield from table(
        (*head, "width, slopes", "its width, 20 steps", "slopes (ms)", "its (ms)"),
        rows,
    )


def root(data: Path) -> Iterator[str]:
    yield "## ACAS Xu properties 3 and 4 at the root"
    yield ""
    listing = (data / "acasxu" / "expected.csv").read_text().splitlines()
    chosen = [row for row in csv.DictReader(listing) if row["vnnlib"] in ROOT]
    chosen = [row for row in chosen if row["expected"].startswith("unsat")]
    counts = dict.fromkeys(("CROWN", "rows", "weights", "shared", "alone"), 0)
    times: dict[str, list[float]] = {name: [] for name in counts}
    for row in chosen:
        program = program_of(data / "acasxu" / row["onnx"])
        unsafe, _ = load_unsafe_set(data / "acasxu" / row["vnnlib"], row["vnnlib"])
        (question,) = questions(unsafe)
        asked, alternatives = slot_rows(program, question.forms), question.forms.alternatives
        lower, upper = (
            np.array([to_float(bound) for bound in side]) for side in (question.box.lower, question.box.upper)
        )
        box = lower[None], upper[None]

        def by_crown(program: Program = program, box: Any = box, asked: Any = asked) -> float:
            return float(crown.minimum(crown.bound(program, *box, UNROUNDED), asked).max())

        found, spent = best_of(by_crown, 3)
        closed = {"CROWN": found > 0}
        times["CROWN"].append(spent)
        begun = time.process_time()
        bounds = slopes.bound(program, *box)
        closed["rows"] = bool(slopes.minimum(bounds, asked).max() > 0)
        times["rows"].append(time.process_time() - begun)
        summed = slopes.clauses(bounds, asked, alternatives, WEIGHTS, enough=0.0).least
        closed["weights"] = closed["rows"] or bool(summed.min() > 0)
        times["weights"].append(time.process_time() - begun)
        for name, together in (("shared", None), ("alone", 1)):
            begun = time.process_time()
            promised = stated(program, lower, upper, asked, alternatives, together=together)
            times[name].append(time.process_time() - begun)
            closed[name] = bool(promised.least.max() > 0)
        for name, fine in closed.items():
            counts[name] += fine
    yield f"{len(chosen)} instances whose property holds. One of four alternative rows must be positive, or,"
    yield "with weights, a sum of them. The last two are what certificates state: slopes of 8 bits, shared"
    yield "by a ReLU's undecided arguments, or one set of slopes for every such argument."
    yield ""
    labels = {
        "CROWN": "CROWN",
        "rows": "optimised slopes, one row",
        "weights": "optimised slopes and weights of alternatives",
        "shared": "stated: slopes shared by a ReLU's arguments",
        "alone": "stated: slopes for every argument",
    }
    yield from table(
        ("bounds", "closed", "median (ms)", "most (ms)"),
        [
            (
                labels[name],
                str(counts[name]),
                f"{statistics.median(times[name]) * 1e3:.1f}",
                f"{max(times[name]) * 1e3:.1f}",
            )
            for name in counts
        ],
    )


def report(data: Path, peer: Path | None) -> Iterator[str]:
    yield "# Linear relaxation, measured"
    yield ""
    yield "Written by `python benchmarks/relaxation.py --data FOLDER --output FILE`; do not edit."
    yield ""
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "unset")
    yield f"{machine()}."
    yield f"OPENBLAS_NUM_THREADS {threads}; binary64; processor time. Load average at the start"
    yield f"{os.getloadavg()[0]:.1f}; where it exceeds the number of cores, times are too long."
    yield ""
    yield from reference(data, peer)
    yield ""
    yield from root(data)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure bounds by linear relaxation.")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--peer", type=Path, metavar="PYTHON", help="an interpreter that has auto_LiRPA")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the tables there too")
    arguments = parser.parse_args()
    publish(report(arguments.data, arguments.peer), arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
