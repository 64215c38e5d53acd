"""Measure what the README and TRUST.md speak of, and write it as a table.

    python benchmarks/run.py --output benchmarks/RESULTS.md [--torchlean-digits FOLDER]

Every figure of the proofs comes from the JSON record of `torchlean check`. FOLDER holds TorchLean's digits
example as `digits_linear.onnx` and `digits_test.npz` (`inputs`, `labels`); without it that part is left out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import bound_forms
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.text import THEOREM, render
from pytest_torchlean.onnx_import import load_model, lower

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "example_repo"

Record = dict[str, Any]
Row = Sequence[str]


def check(folder: Path) -> tuple[Record, float]:
    """The record of `torchlean check FOLDER` and the seconds it took, the start of Python included."""
    with tempfile.TemporaryDirectory() as scratch:
        record = Path(scratch) / "record.json"
        command = [sys.executable, "-m", "pytest_torchlean.cli", "check", str(folder), "--json", str(record)]
        begun = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        seconds = time.perf_counter() - begun
        if not record.is_file():
            raise SystemExit(f"torchlean check {folder} wrote no record:\n{done.stdout}{done.stderr}")
        loaded: Record = json.loads(record.read_text(encoding="utf-8"))
        return loaded, seconds


def ensure_library() -> float:
    """Build the Lean library, so that no property is charged for it; seconds, 0 if it was there."""
    from pytest_torchlean.checker import ensure_built, find_lean

    return ensure_built(find_lean()).seconds


def weights(model: Path) -> int:
    """Number of stored binary32 numbers."""
    tensors = onnx.load(model).graph.initializer
    return sum(
        int(np.prod(tensor.dims, dtype=np.int64))
        for tensor in tensors
        if tensor.data_type == TensorProto.FLOAT
    )


def memory(result: Record) -> str:
    """The most memory that Lean held, in MB."""
    return str(result["effort"].get("lean_mb", "-"))


def spent(result: Record, *stages: str) -> str:
    """Seconds of some stages together."""
    total = sum(float(result["seconds"].get(stage, 0.0)) for stage in stages)
    return f"{total:.2f}" if total else "-"


def counts(result: Record) -> str:
    found = result["counts"]
    if found is None:
        return "-"
    return f"{found['proved']} / {found['refuted']} / {found['unknown']} / {found['misclassified']}"


def proof_row(result: Record, model: Path) -> Row:
    rest = [stage for stage in result["seconds"] if stage not in ("lean", "guard", "build")]
    return (
        "::".join(result["id"].split("::")[1:]),
        result["verdict"],
        counts(result),
        str(weights(model)),
        spent(result, *rest),
        spent(result, "guard"),
        spent(result, "lean"),
        memory(result),
    )


PROOF_HEAD = (
    "property",
    "verdict",
    "proved / refuted / unknown / misclassified",
    "weights",
    "bounds, search, text (s)",
    "guard (s)",
    "Lean (s)",
    "Lean (MB)",
)


def example() -> Iterator[str]:
    record, seconds = check(EXAMPLE)
    yield "## The example repository"
    yield ""
    yield f"`torchlean check example_repo`, {seconds:.0f} s in all, the Lean library already built."
    yield ""
    rows = [proof_row(result, EXAMPLE / result["model"]["path"]) for result in record["results"]]
    yield from table(PROOF_HEAD, rows)


def torchlean_digits(folder: Path) -> Iterator[str]:
    epsilons = ("1/50", "1/20", "1/10")
    properties = "".join(
        f"  - {{name: robust-{epsilon.replace('/', 'of')}, model: digits, check: robustness, "
        f"epsilon: {epsilon}, "
        "domain: {lower: 0, upper: 1}, data: digits_test.npz, at_least: 1%, timeout: 300s}\n"
        for epsilon in epsilons
    )
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        for name in ("digits_linear.onnx", "digits_test.npz"):
            shutil.copy(folder / name, work / name)
        models = "version: 1\nmodels:\n  digits: {path: digits_linear.onnx}\n"
        (work / "torchlean.yaml").write_text(f"{models}properties:\n{properties}", encoding="utf-8")
        record, seconds = check(work)
        rows = [proof_row(result, work / "digits_linear.onnx") for result in record["results"]]
    yield "## TorchLean's digits example"
    yield ""
    yield (
        f"Its linear model and its 360 test images, domain [0, 1]; {seconds:.0f} s in all. Exact rational "
        "margins of the same weights give 331, 273 and 101 robust images; its own certificate of per-logit "
        "boxes reaches 318, 196 and 10."
    )
    yield ""
    yield from table(PROOF_HEAD, rows)


def entry_cost() -> Iterator[str]:
    """Lean's time on dense models of growing size: the data alone, and with one theorem about them."""
    from pytest_torchlean.checker import check as ask
    from pytest_torchlean.checker import ensure_built, find_lean

    lean = find_lean()
    built = ensure_built(lean)
    measured = []
    with tempfile.TemporaryDirectory() as scratch:
        for width in (64, 128, 256, 384):
            path = Path(scratch) / f"{width}.onnx"
            dense_model(path, width)
            text = one_box_text(path)
            entry, whole = (
                ask(source, theorem=THEOREM, built=built, lean=lean, wall_seconds=120, memory_mb=2048)
                for source in (without_theorem(text), text)
            )
            if not entry.accepted:
                raise SystemExit(f"Lean does not read the dense model of width {width}: {entry.detail}")
            measured.append((weights(path), entry, whole))
    (small, first, _), (large, last, _) = measured[0], measured[-1]
    slope = (last.seconds - first.seconds) / (large - small) * 1e6
    yield "## Cost per weight"
    yield ""
    yield (
        "Dense models 64 - n - n - 10 with random weights. Entry: Lean reads the text and puts the weights "
        f"into its environment, {slope:.1f} us per weight between the smallest and the largest model. Whole: "
        "the same and one theorem, in which the kernel decodes every weight and carries one box through."
    )
    yield ""
    rows = [
        (
            str(count),
            f"{entry.seconds:.2f}",
            f"{entry.peak_memory_mb:.0f}",
            f"{whole.seconds:.2f}" if whole.accepted else whole.outcome.value,
            f"{whole.peak_memory_mb:.0f}",
        )
        for count, entry, whole in measured
    ]
    yield from table(("weights", "entry (s)", "entry (MB)", "whole (s)", "whole (MB)"), rows)


def one_box_text(path: Path) -> str:
    """The Lean text of one range property over [0, 1], with bounds wide enough to hold."""
    program = lower_to_program(lower(load_model(path, root=path.parent)))
    outputs = int(program.outputs.size)
    wide = Fraction(10**6)
    forms = bound_forms((-wide,) * outputs, (wide,) * outputs, outputs, False)
    box = RationalBox((Fraction(0),) * program.inputs, (Fraction(1),) * program.inputs)
    return render([build_emission(program, [Goal(forms, (box,))])])


def without_theorem(text: str) -> str:
    """The same definitions, with a theorem that needs no work."""
    lines = [line for line in text.splitlines() if not line.startswith(("theorem ", "end "))]
    return "\n".join([*lines, "theorem holds : graph = graph := rfl", "end PytestTorchLean.Emitted", ""])


def dense_model(path: Path, width: int) -> None:
    generator = np.random.default_rng(0)
    sizes = (64, width, width, 10)
    nodes, tensors, value = [], [], "x"
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        matrix = generator.normal(0, inputs**-0.5, (outputs, inputs)).astype(np.float32)
        bias = generator.normal(0, 0.1, outputs).astype(np.float32)
        tensors += [numpy_helper.from_array(matrix, f"w{layer}"), numpy_helper.from_array(bias, f"b{layer}")]
        nodes.append(helper.make_node("Gemm", [value, f"w{layer}", f"b{layer}"], [f"z{layer}"], transB=1))
        value = f"z{layer}"
        if outputs != sizes[-1]:
            nodes.append(helper.make_node("Relu", [value], [f"a{layer}"]))
            value = f"a{layer}"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
        for name, size in (("x", sizes[0]), (value, sizes[-1]))
    ]
    graph = helper.make_graph(nodes, "dense", ends[:1], ends[1:], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def plugin_overhead(repeats: int) -> Iterator[str]:
    """pytest in a folder without specs, with and without the plugin, in turns."""
    heavy = ("numpy", "onnx", "onnxruntime", "yaml", "numba")
    probe = (
        "import sys, time, pytest\nbegun = time.perf_counter()\nimport pytest_torchlean.plugin\n"
        f"print(time.perf_counter() - begun, *[name for name in {heavy!r} if name in sys.modules])"
    )
    imports: list[float] = []
    loaded: set[str] = set()
    with_plugin: list[float] = []
    without: list[float] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "test_nothing.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
        environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        for _ in range(repeats):
            shown = subprocess.run(
                [sys.executable, "-c", probe], cwd=folder, capture_output=True, text=True, check=True
            ).stdout.split()
            imports.append(float(shown[0]))
            loaded |= set(shown[1:])
            for options, times in ((["-p", "pytest_torchlean.plugin"], with_plugin), ([], without)):
                command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
                begun = time.perf_counter()
                subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
                times.append(time.perf_counter() - begun)
    difference = min(with_plugin) - min(without)
    yield "## What the plugin costs a repository without specs"
    yield ""
    rows = [
        (
            "import of `pytest_torchlean.plugin` after pytest, median",
            f"{statistics.median(imports) * 1e3:.1f} ms",
        ),
        ("pytest without it, one empty test, fastest run", f"{min(without) * 1e3:.0f} ms"),
        ("pytest with it, fastest run: difference", f"{difference * 1e3:.1f} ms"),
        (f"of {', '.join(heavy)} imported", ", ".join(sorted(loaded)) or "none"),
    ]
    yield from table((f"{repeats} runs each", "value"), rows)


def table(head: Row, rows: Sequence[Row]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def publish(lines: Iterable[str], output: Path | None) -> None:
    """Print every line, and keep all so far in the file, so that a run that is ended leaves its tables."""
    text = ""
    for line in lines:
        print(line, flush=True)
        text += line + "\n"
        if output is not None:
            output.write_text(text, encoding="utf-8")


def machine() -> str:
    cpu = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        names = re.findall(r"^model name\s*: (.*)$", information.read_text(), re.MULTILINE)
        cpu = names[0] if names else cpu
    parts = [f"{name} {version(name)}" for name in ("pytest-torchlean", "onnxruntime", "numpy", "pytest")]
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, {', '.join(parts)}"


def report(arguments: argparse.Namespace) -> Iterator[str]:
    yield "# Measurements"
    yield ""
    yield "Written by `python benchmarks/run.py --output benchmarks/RESULTS.md`; do not edit."
    yield ""
    yield f"Machine: {machine()}. Load average at the start {os.getloadavg()[0]:.1f}."
    yield (
        "Its cores are shared with other work, and single runs differ by 40 % and more: read orders of "
        "magnitude and the ratios within one table, not the second digit. Counts and verdicts do not vary."
    )
    yield ""
    built = ensure_library()
    if built:
        yield f"Building the Lean library, once per user: {built:.0f} s."
        yield ""
    yield from example()
    yield ""
    if arguments.torchlean_digits is not None:
        yield from torchlean_digits(arguments.torchlean_digits)
        yield ""
    yield from entry_cost()
    yield ""
    yield from plugin_overhead(arguments.repeats)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure proofs, entry cost and plugin overhead.")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the tables there too")
    parser.add_argument("--torchlean-digits", type=Path, metavar="FOLDER", help="TorchLean's digits example")
    parser.add_argument("--repeats", type=int, default=15, metavar="N", help="runs of the plugin measurement")
    arguments = parser.parse_args()
    publish(report(arguments), arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
