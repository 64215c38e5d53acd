"""How closely Softmax, BatchNormalization and LayerNormalization are enclosed.

    python benchmarks/enclosures.py --data FOLDER [--output FILE]

The first two in the vision transformers of the competition. Of each node: the width of every result's
interval, divided by the range of that result over points of the node's own input box, as intervals bound it.
Corners that are extreme for an element of a Softmax are among the points; a BatchNormalization is least and
greatest at two corners. LayerNormalization on boxes around random rows, with corners among the points that
derivatives lead to; also on boxes in two parts, of which a proof by cuts of the input consists.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pytest_torchlean.bounds.interval import evaluate, gradient, propagate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.certificate.boxes import RationalBox, to_float
from pytest_torchlean.certificate.forms import bound_forms
from pytest_torchlean.certificate.linear import bounded_by_rows
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.ops.softmax import MOST_DIFFERENCES
from pytest_torchlean.spec.vnnlib import load_unsafe_set

Float64 = NDArray[np.float64]
POINTS = 256
LARGEST = 50.0
"""Scores beyond which a node is left out: their bounds have grown beyond use before it."""
LEAST = 1e-9
"""Ranges below it are rounding."""
SMALL = 25.0
"""Scores up to which powers have enough digits for rows."""
HEAD = (
    *("instance", "operator", "node", "sequence: median", "largest", "definition: median", "largest"),
    *("rows: median", "largest"),
)
ROW_LENGTHS, RADII, ROWS = (4, 16, 32, 64), (0.01, 0.05, 0.2, 0.5), 3
"""Of rows of LayerNormalization: their lengths, the boxes' radii in standard deviations, rows of each."""
NORMALIZED_HEAD = (
    *("n", "radius", "intervals: median", "largest", "rows: median", "largest"),
    *("rows, two parts: median", "largest"),
)
CLIMBS = 6
"""Steps from corner to corner."""
FAR = 64
"""Beyond all results."""


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


def ratios_by_rows(graph: Graph, node: Node, program: Program, low: Float64, high: Float64) -> Float64 | None:
    """The same of a Softmax by its definition, as a certificate bounds it with rows over its scores."""
    reads, terms = program.values[node.inputs[0]], graph.types[node.inputs[0]].shape[-1]
    least, most = (side[0, reads].reshape(-1, terms) for side in (low, high))
    if not max(np.abs(least).max(), np.abs(most).max()) <= SMALL:
        return None
    shares, reached = normalizing("Softmax", terms), softmax_range(least, most)
    widths = np.stack([np.subtract(*by_rows(shares, *ends)) for ends in zip(least, most, strict=True)])
    varies = reached > LEAST
    return np.asarray(widths[varies] / reached[varies])


def cells_of(found: Float64 | None) -> tuple[str, str]:
    """The median and the largest."""
    return (
        ("-", "-") if found is None or not found.size else (f"{np.median(found):.2f}", f"{found.max():.3g}")
    )


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
                if op == "Softmax":
                    found.append(ratios_by_rows(graph, node, programs[1], *bounds[1]))
                else:
                    found.append(None)
                yield (Path(file).stem, op, str(number), *(cell for own in found for cell in cells_of(own)))


@lru_cache
def normalizing(op: str, terms: int) -> Program:
    """Of one row: LayerNormalization, scale 1, or Softmax by its definition."""
    node = helper.make_node(op, ["x"] if op == "Softmax" else ["x", "s"], ["y"], axis=-1)
    kinds = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, terms]) for name in "xy"]
    ones = numpy_helper.from_array(np.ones(terms, np.float32), "s")
    proto = helper.make_model(
        helper.make_graph([node], "g", kinds[:1], kinds[1:], [ones]),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(proto.SerializeToString())
        graph = lower(load_model(path, root=Path(folder)))
        # rows bound what a node reads: a quotient, where the budget does
        exact = op == "LayerNormalization" or terms <= MOST_DIFFERENCES
        return lower_to_program(graph, exact=exact, granted=not exact)


def normalized_range(program: Program, middle: Float64, radius: float) -> Float64:
    """The range of each result that points show; for each, corners that its derivatives lead to."""
    rng, terms = np.random.default_rng(1), middle.size
    points = [middle + radius * rng.choice([-1.0, 1.0], size=(POINTS, terms))]
    for place in range(terms):
        for sign in (-1.0, 1.0):
            point, cotangent = middle[None], np.zeros((1, terms))
            cotangent[0, place] = sign
            for _ in range(CLIMBS):
                slopes = gradient(program, evaluate(program, point), cotangent)
                point = middle[None] + radius * np.sign(slopes)
                points.append(point)
    values = evaluate(program, np.concatenate(points))[:, program.outputs]
    return np.asarray(np.ptp(values, axis=0))


def by_rows(program: Program, low: Float64, high: Float64) -> tuple[Float64, Float64]:
    """Upper and lower bounds that a certificate of `real` has with rows."""
    ends = (tuple(Fraction(float(x)) for x in side) for side in (low, high))
    far = (Fraction(FAR),) * low.size
    forms = bound_forms(tuple(-x for x in far), far, low.size, strict=False)
    account = prepare(program, [Goal(forms, (RationalBox(*ends),))], Semantics.REAL)
    _, state = bounded_by_rows(account, account.emission.claims[0].boxes[0])
    scale = account.emission.certificate.scale
    upper, lower = (
        np.asarray((side[program.outputs, 0] - scale.center) / scale.unit, dtype=np.float64)
        for side in (state.upper, state.lower)
    )
    return upper, lower


def in_two_parts(program: Program, low: Float64, high: Float64) -> Float64:
    """The widths of such bounds where the box is cut in two at the middle of each result's own input."""
    widths = np.empty(low.size)
    for place, middle in enumerate((low + high) / 2):
        first, second = low.copy(), high.copy()
        first[place] = second[place] = middle
        parts = by_rows(program, low, second), by_rows(program, first, high)
        widths[place] = max(part[0][place] for part in parts) - min(part[1][place] for part in parts)
    return widths


def normalized_table() -> Iterator[tuple[str, ...]]:
    """A row for each length and radius."""
    rng = np.random.default_rng(0)
    for terms in ROW_LENGTHS:
        program = normalizing("LayerNormalization", terms)
        for radius in RADII:
            found: list[tuple[Float64, Float64, Float64]] = []
            for _ in range(ROWS):
                middle = rng.normal(size=terms)
                middle /= middle.std()
                reached = normalized_range(program, middle, radius)
                ends = middle - radius, middle + radius
                low, high = propagate(program, *(end[None] for end in ends))
                intervals = (high - low)[0, program.outputs]
                widths = intervals, np.subtract(*by_rows(program, *ends)), in_two_parts(program, *ends)
                found.append(tuple(own / reached for own in widths))
            ways = (np.concatenate(way) for way in zip(*found, strict=True))
            yield (str(terms), f"{radius:g}", *(cell for way in ways for cell in cells_of(way)))


def text(rows: list[tuple[str, ...]], normalized: list[tuple[str, ...]]) -> str:
    lines = [
        "# Enclosures of Softmax, BatchNormalization and LayerNormalization\n",
        "Written by `python benchmarks/enclosures.py --data FOLDER --output benchmarks/ENCLOSURES.md`.\n",
        "Of each node: the width of every result's interval, divided by the range of that result over points "
        "of the node's own input box, as intervals bound it. `sequence` and `definition` are the two forms "
        "that a Softmax is taken in: with the largest score subtracted, and without, in exact arithmetic. "
        "Claims use the one that bounds their outputs more closely; under `binary32` the second is a "
        "quotient however few the scores are, and 2^-14 of every share is granted in addition. `rows`: the "
        "definition in a certificate of `real`, with backward rows over the same scores. "
        "`-`: scores are bounded by more than 50 (rows: 25), or bounds are no numbers any more.\n",
        *_lines(HEAD, rows),
        "\n## LayerNormalization\n",
        f"{ROWS} random rows of n numbers each, and boxes of that many standard deviations around them: the "
        "same ratio by intervals alone, of the operations that claims of `real` take; in a certificate of "
        "such a claim with backward rows, which go through the root; and in one whose box is cut in two at "
        "the middle of the result's own input, as proofs cut a box that they do not decide whole.\n",
        *_lines(NORMALIZED_HEAD, normalized),
    ]
    return "\n".join(lines) + "\n"


def _lines(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield " | ".join(("", *head, "")).strip()
    yield "|---" * len(head) + "|"
    yield from (" | ".join(("", *row, "")).strip() for row in rows)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    made = text(list(table(arguments.data / "vit")), list(normalized_table()))
    if arguments.output:
        arguments.output.write_text(made, encoding="utf-8")
    else:
        print(made, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
