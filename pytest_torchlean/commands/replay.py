"""`torchlean replay`: does a counterexample still break its property?"""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_torchlean.cli import FAILED, PASSED
from pytest_torchlean.commands.extensions import extensions_for
from pytest_torchlean.properties.node_witness import NodeWitness, replay_node, text_of_node
from pytest_torchlean.replay import replay_file, text_of
from pytest_torchlean.report.escape import terminal_line
from pytest_torchlean.witness_files import FOLDER, read_witness_file


def run(options: argparse.Namespace) -> int:
    """Print what each execution gives. Exit 1 while a witness refutes or a node diverges, else 0."""
    path = options.witness.resolve()
    root = options.root.resolve() if options.root is not None else _root_of(path)
    stored = read_witness_file(path, root)
    if isinstance(stored, NodeWitness):
        node = replay_node(stored, root, extensions_for(options, root).operators)
        for line in text_of_node(stored, node):
            print(terminal_line(line))
        return FAILED if node.diverges else PASSED
    result = replay_file(stored, root, extensions_for(options, root).operators)
    for line in text_of(stored, result):
        print(terminal_line(line))
    return FAILED if result.still_breaks else PASSED


def _root_of(path: Path) -> Path:
    """The folder that holds `.torchlean/witnesses`, or the current one for a file kept elsewhere."""
    depth = len(Path(FOLDER).parts)
    if path.parts[-depth - 1 : -1] == Path(FOLDER).parts:
        return path.parents[depth]
    return Path.cwd()
