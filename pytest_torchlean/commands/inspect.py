"""`torchlean inspect`: a model's graph, its operators, and what can be certified."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace

from pytest_torchlean.cli import PASSED
from pytest_torchlean.commands.extensions import extensions_for
from pytest_torchlean.commands.shapes import given_shapes
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.ir.canonical import digest
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.names import printable
from pytest_torchlean.ir.printer import print_graph
from pytest_torchlean.onnx_import import LoadedModel, load_model
from pytest_torchlean.ops.certifiability import step_of
from pytest_torchlean.properties.lowering import lower_as_given
from pytest_torchlean.report.escape import terminal, terminal_line


def run(options: argparse.Namespace) -> int:
    """Print everything about one model. Raises ModelError and UnsupportedError."""
    model = replace(load_model(options.model), operators=extensions_for(options).operators)
    print(f"file    {terminal_line(str(options.model))}")
    print(f"sha256  {model.sha256}")
    graph = lower_as_given(model, given_shapes(options))
    print(f"graph   {digest(graph)} (digest of its canonical form)")
    print(f"weights {sum(value.size for value in graph.constants.values())} numbers")
    operators = Counter(node.op for node in graph.nodes)
    print("nodes   " + ", ".join(f"{op} x{count}" for op, count in sorted(operators.items())))
    print(f"runtime {terminal_line(_runtime(model))}")
    print("\n" + terminal(print_graph(graph).rstrip("\n")))
    print("\n" + _certifiable(graph))
    return PASSED


def _certifiable(graph: Graph) -> str:
    refused = []
    for node in graph.nodes:
        step = step_of(node, graph)
        if isinstance(step, str):
            refused.append(f"  {node.op} giving '{printable(node.outputs[0])}': {step}")
    if not refused:
        return "Every node is certifiable: range and robustness properties can be PROVED."
    return "\n".join(["Nodes without a certificate rule (range and robustness are UNSUPPORTED):", *refused])


def _runtime(model: LoadedModel) -> str:
    """What the optimiser makes of the model, in a line; a failure of onnxruntime is told, not raised."""
    from pytest_torchlean.runtime import nodes_of, optimised_model, runtime_version

    try:
        nodes = nodes_of(optimised_model(model.data))
        operators = Counter(node.label for node in nodes)
        shown = ", ".join(f"{name} x{count}" for name, count in sorted(operators.items()))
        return f"onnxruntime {runtime_version()}, optimised: {shown}"
    except TorchleanError as error:
        return f"{error.code}: {error.message}"
