"""`torchlean inspect`: what a model file holds, and which of its operators can be run and proved."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

from pytest_torchlean.cli import BAD_INPUT, PASSED
from pytest_torchlean.commands.extensions import extensions_for
from pytest_torchlean.commands.shapes import given_shapes
from pytest_torchlean.errors import TorchleanError, UnsupportedError
from pytest_torchlean.heartbeat import heartbeat_of_process
from pytest_torchlean.ir.canonical import digest
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.printer import print_graph
from pytest_torchlean.onnx_import import LoadedModel, load_model
from pytest_torchlean.report.errors import error_text
from pytest_torchlean.report.escape import terminal, terminal_line
from pytest_torchlean.starter.extents import lower_with_guesses
from pytest_torchlean.starter.look import (
    OperatorRow,
    multiplications,
    obstacles,
    operators,
    stored_operators,
    weights,
)
from pytest_torchlean.starter.provable import kernel_seconds, program_of

SCHEMA = "torchlean.inspect/1"


def run(options: argparse.Namespace) -> int:
    """Print everything about one model. Exit 2 where it cannot be given a meaning. Raises ModelError."""
    model = replace(load_model(options.model), operators=extensions_for(options).operators)
    heartbeat = heartbeat_of_process()
    with heartbeat.running():
        heartbeat.begin(str(options.model))
        try:
            graph, _shapes, guessed = lower_with_guesses(model, given_shapes(options))
        except UnsupportedError as error:
            refused: UnsupportedError | None = error
            found = _refused(model, error)
        else:
            refused = None
            found = _described(model, graph, guessed)
    found = {"schema": SCHEMA, "file": str(options.model), **found}
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=True))
    else:
        print("\n".join(terminal(line) for line in _lines(found)))
        if options.graph and refused is None:
            print("\n" + terminal(print_graph(graph).rstrip("\n")))
    if refused is not None:
        print(("" if options.json else "\n") + error_text(refused), file=sys.stderr)
        return BAD_INPUT
    return PASSED


def _described(model: LoadedModel, graph: Graph, guessed: tuple[str, ...]) -> dict[str, Any]:
    against = obstacles(graph)
    program = None if against else program_of(graph)
    return {
        "sha256": model.sha256,
        "graph_sha256": digest(graph),
        "inputs": _values(graph, graph.inputs),
        "outputs": _values(graph, graph.outputs),
        "guessed_inputs": list(guessed),
        "weights": weights(graph),
        "multiplications": multiplications(graph),
        "operators": [_row(row, evaluated=True) for row in operators(graph)],
        "evaluated": True,
        "certifiable": not against,
        "reasons": list(against),
        "kernel_seconds": None if program is None else round(kernel_seconds(program), 1),
        "runtime": _runtime(model),
    }


def _refused(model: LoadedModel, error: UnsupportedError) -> dict[str, Any]:
    """What is known of a model that has no graph."""
    refused, stored = stored_operators(model.data, error.message)
    rows = [OperatorRow(op, count, 0, ()) for op, count in stored.items()]
    return {
        "sha256": model.sha256,
        "operators": [_row(row, evaluated=row.op not in refused) for row in rows],
        "evaluated": False,
        "certifiable": False,
        "reasons": [line.strip() for line in error.message.splitlines()[1:]],
        "runtime": _runtime(model),
    }


def _values(graph: Graph, names: tuple[str, ...]) -> list[dict[str, Any]]:
    kinds = [(name, graph.types[name]) for name in names]
    return [{"name": name, "dtype": kind.dtype, "shape": list(kind.shape)} for name, kind in kinds]


def _row(row: OperatorRow, *, evaluated: bool) -> dict[str, Any]:
    return {
        "op": row.op,
        "nodes": row.count,
        "evaluated": evaluated,
        "certifiable_nodes": row.certifiable,
        "reasons": list(row.reasons),
    }


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"file     {terminal_line(found['file'])}", f"sha256   {found['sha256']}"]
    if "graph_sha256" in found:
        lines.append(f"graph    {found['graph_sha256']} (digest of its canonical form)")
        for role in ("inputs", "outputs"):
            shown = ", ".join(f"{v['name']} {v['dtype']}{v['shape']}" for v in found[role])
            lines.append(f"{role:<9}{terminal_line(shown)}")
        if found["guessed_inputs"]:
            lines.append("         open dimensions were guessed; --shape and --dim give others")
        lines.append(
            f"size     {found['weights']:,} weights, {found['multiplications']:,} multiplications a run"
        )
    lines += [f"runtime  {terminal_line(found['runtime'])}", "", *_table(found), ""]
    return lines + _answer(found)


def _table(found: dict[str, Any]) -> list[str]:
    rows = [("operator", "nodes", "run", "proved", "why not")]
    for row in found["operators"]:
        every = row["certifiable_nodes"] == row["nodes"]
        proved = "yes" if every else "no" if not row["certifiable_nodes"] else f"{row['certifiable_nodes']}"
        known = found["evaluated"]
        ran = "yes" if row["evaluated"] else "no"
        reasons = row["reasons"] or [""]
        rows.append((row["op"], str(row["nodes"]), ran, proved if known else "-", reasons[0]))
        rows += [("", "", "", "", reason) for reason in reasons[1:]]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]).rstrip()
        for row in rows
    ]


def _answer(found: dict[str, Any]) -> list[str]:
    if not found["evaluated"]:
        return ["This model cannot be given a meaning here, so it can be neither run nor proved."]
    if not found["certifiable"]:
        return [
            "Not certifiable: `check: runtime` works; range, robustness, radius and vnnlib are UNSUPPORTED.",
        ]
    seconds = found["kernel_seconds"]
    cost = (
        "the model is large: expect minutes, and the level `evaluated`"
        if seconds is None
        else f"Lean's kernel is expected to take {seconds:g} s for one box by intervals"
    )
    return [f"Every node is certifiable: claims about it can be PROVED; {cost}."]


def _runtime(model: LoadedModel) -> str:
    """What the optimiser makes of the model, in a line; a failure of onnxruntime is told, not raised."""
    from pytest_torchlean.runtime import nodes_of, optimised_model, runtime_version

    try:
        nodes = nodes_of(optimised_model(model.data))
        counted = Counter(node.label for node in nodes)
        shown = ", ".join(f"{name} x{count}" for name, count in sorted(counted.items()))
        return f"onnxruntime {runtime_version()}, optimised: {shown}"
    except TorchleanError as error:
        return f"{error.code}: {error.message}"
