"""How closely Softmax and BatchNormalization are enclosed in the vision transformers of the competition.

    python benchmarks/enclosures.py --data FOLDER [--output FILE]

Of each node: the width of every result's interval, divided by the range of that result over points of the
node's own input box, as intervals bound it. Corners that are extreme for an element of a Softmax are among
the points; a BatchNormalization is least and greatest at two corners.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.interval import evaluate, propagate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.certificate.boxes import to_float
from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.spec.vnnlib import load_unsafe_set

Float64 = NDArray[np.float64]
POINTS = 256
LARGEST = 50.0
"""Scores beyond which a node is left out: their bounds have grown beyond use before it."""
LEAST = 1e-9
"""Ranges below it are rounding."""
HEAD = ("instance", "operator", "node", "binary32: median", "largest", "real: median", "largest")


def softmax_range(low: Float64, high: Float64) -> Float64:
    """The range of each share that points show; low, high: (rows, terms)."""
    rng, terms = np.random.default_rng(0), low.shape[1]
    least, most = np.full(low.shape, np.inf), np.full(low.shape, -np.inf)
    for number in range(2 * terms + POINTS):
        alone = np.arange(terms) == number // 2
        upper = alone if number % 2 else ~alone
        chosen = upper if number < 2 * terms else rng.random(low.shape) < 0.5
        scores = np.where(chosen, high, low)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        least, most = np.minimum(least, shares), np.maximum(most, shares)
    return np.asarray(most - least)


def batch_range(graph: Graph, node: Node, low: Float64, high: Float64) -> Float64:
    """The range of each result."""
    scale, variance = (graph.constants[node.inputs[place]].astype(np.float64) for place in (1, 4))
    epsilon = float(dict(node.attributes)["epsilon"])  # type: ignore[arg-type]
    kind = graph.types[node.inputs[0]]
    column = (1, -1, *(1,) * (len(kind.shape) - 2))
    factor = np.abs(scale / np.sqrt(variance + epsilon)).reshape(column)
    return np.asarray((high - low).reshape(kind.shape) * factor).reshape(1, -1)


def ratios(graph: Graph, node: Node, program: Program, low: Float64, high: Float64) -> Float64 | None:
    """Width over range of every result that varies; None where bounds have grown beyond use."""
    reads, writes = program.values[node.inputs[0]], program.values[node.outputs[0]]
    if not np.abs(high[0, reads]).max() <= (LARGEST if node.op == "Softmax" else np.inf):
        return None
    if node.op == "Softmax":
        terms = graph.types[node.inputs[0]].shape[-1]
        reached = softmax_range(low[0, reads].reshape(-1, terms), high[0, reads].reshape(-1, terms))
    else:
        reached = batch_range(graph, node, low[0, reads], high[0, reads])
    varies = reached.reshape(-1) > LEAST
    return np.asarray((high - low)[0, writes][varies] / reached.reshape(-1)[varies])


def table(folder: Path) -> Iterator[tuple[str, ...]]:
    """A row for each node."""
    with (folder / "instances.csv").open(encoding="utf-8", newline="") as listed:
        instances = [(row[0], row[1]) for row in csv.reader(listed)]
    for model, file in instances:
        graph = lower(load_model(folder / model, root=folder))
        box = load_unsafe_set(folder / file, file)[0].cases[0].box
        ends = [np.array([[to_float(bound) for bound in side]]) for side in (box.lower, box.upper)]
        programs = [lower_to_program(graph, exact=exact) for exact in (False, True)]
        middle = (ends[0] + ends[1]) / 2
        first, second = (evaluate(program, middle)[:, program.outputs] for program in programs)
        if not np.allclose(first, second):
            raise ValueError("the two programs compute different functions")
        with np.errstate(all="ignore"):
            bounds = [propagate(program, *ends) for program in programs]
        for op in ("Softmax", "BatchNormalization"):
            for number, node in enumerate((node for node in graph.nodes if node.op == op), 1):
                found = [
                    ratios(graph, node, program, *own) for program, own in zip(programs, bounds, strict=True)
                ]
                cells = [
                    cell
                    for own in found
                    for cell in (
                        ("-", "-")
                        if own is None or not own.size
                        else (f"{np.median(own):.2f}", f"{own.max():.3g}")
                    )
                ]
                yield (Path(file).stem, op, str(number), *cells)


def text(rows: list[tuple[str, ...]]) -> str:
    lines = [
        "# Enclosures of Softmax and BatchNormalization\n",
        "Written by `python benchmarks/enclosures.py --data FOLDER --output benchmarks/ENCLOSURES.md`.\n",
        "Of each node: the width of every result's interval, divided by the range of that result over points "
        "of the node's own input box, as intervals bound it. `binary32` and `real` are the two forms that a "
        "Softmax is taken in; claims about `real` use the one that bounds their outputs more closely. `-`: "
        "scores are bounded by more than 50, or bounds are no numbers any more. Backward rows are not "
        "used here.\n",
        " | ".join(("", *HEAD, "")).strip(),
        "|---" * len(HEAD) + "|",
        *(" | ".join(("", *row, "")).strip() for row in rows),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    made = text(list(table(arguments.data / "vit")))
    if arguments.output:
        arguments.output.write_text(made, encoding="utf-8")
    else:
        print(made, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
