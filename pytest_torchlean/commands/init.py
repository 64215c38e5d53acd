"""`torchlean init`: a commented torchlean.yaml that is valid and runs."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from pytest_torchlean.atomic import write_atomically
from pytest_torchlean.cli import BAD_INPUT, PASSED
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.printer import type_text
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.report.escape import terminal_line
from pytest_torchlean.spec.decode import decode_spec

_TEMPLATE = """\
# Properties of {file}, run by `pytest` or `torchlean check`. Every key: README.md of pytest-torchlean.
# Numbers keep their exact value: 8/255, 0.1, 1e-3 and hex floats such as 0x1.8p-3.
version: 1

models:
  {name}:
    path: {path}        # input {inputs}, output {outputs}

defaults:
  timeout: 60s          # wall time per property
  on_unknown: fail      # `warn` lets a property pass that could not be decided

properties:
  # onnxruntime computes what the file says: every node within its derived rounding bound.
  - name: runtime-agrees
    model: {name}
    check: runtime
    samples: 64

  # Every output stays within bounds for every input of a box. Adapt the numbers, then uncomment.
  # - name: outputs-bounded
  #   model: {name}
  #   check: range
  #   input: {{lower: 0, upper: 1}}
  #   output: {{lower: -100, upper: 100}}

  # For a classifier: no listed input changes its class when each number moves by at most epsilon.
  # The npz file holds `inputs` of shape {rows} (float32) and `labels` of shape [n] (integers).
  # - name: robust-8of255
  #   model: {name}
  #   check: robustness
  #   epsilon: 8/255
  #   domain: {{lower: 0, upper: 1}}
  #   data: data/test.npz
  #   at_least: 90%
"""


def run(options: argparse.Namespace) -> int:
    """Write the spec; refuse to replace one without --force. Raises ModelError and UnsupportedError."""
    target: Path = options.output
    if target.exists() and not options.force:
        print(f"{terminal_line(str(target))} exists; --force replaces it", file=sys.stderr)
        return BAD_INPUT
    graph = lower(load_model(options.model))
    folder = target.resolve().parent
    try:
        path = options.model.resolve().relative_to(folder).as_posix()
    except ValueError:
        model, above = terminal_line(str(options.model)), terminal_line(str(folder))
        print(
            f"{model} is not below {above}, where the spec goes; choose a folder above it with --output",
            file=sys.stderr,
        )
        return BAD_INPUT
    text = spec_text(path, graph).encode()
    decode_spec(text, file=target.name, base=folder, root=folder)
    write_atomically(target, text)
    print(f"wrote {terminal_line(str(target))}; run `pytest` or `torchlean check` beside it")
    return PASSED


def spec_text(path: str, graph: Graph) -> str:
    """The spec for a model at `path`, relative to the spec's folder."""
    name = re.sub(r"[^a-z0-9._-]+", "-", Path(path).stem.lower()).strip("-._")[:100] or "model"
    shape = graph.types[graph.inputs[0]].shape
    rows = ", ".join(["n", *map(str, shape[1:] if len(shape) > 1 else shape)])
    return _TEMPLATE.format(
        file=json.dumps(Path(path).name),
        name=name,
        path=path if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_./-]*", path) else json.dumps(path),
        inputs=", ".join(type_text(graph.types[value]) for value in graph.inputs),
        outputs=", ".join(type_text(graph.types[value]) for value in graph.outputs),
        rows=f"[{rows}]",
    )
