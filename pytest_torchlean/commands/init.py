"""`torchlean init`: a commented torchlean.yaml that is valid and runs, and its JSON Schema for editors."""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from dataclasses import replace
from pathlib import Path

from pytest_torchlean.cli import BAD_INPUT, PASSED
from pytest_torchlean.commands.extensions import extensions_for
from pytest_torchlean.commands.shapes import given_shapes, yaml_lines
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.files import write_atomically
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.printer import type_text
from pytest_torchlean.onnx_import import load_model
from pytest_torchlean.properties.lowering import lower_as_given
from pytest_torchlean.report.escape import terminal_line
from pytest_torchlean.spec.decode import decode_spec
from pytest_torchlean.spec.model import InputShapes
from pytest_torchlean.spec.schema import COMMITTED

SCHEMA_NAME = "torchlean.schema.json"

_TEMPLATE = """\
# yaml-language-server: $schema={schema}
# Properties of {file}, run by `pytest` or `torchlean check`. Every key: README.md of pytest-torchlean.
# Numbers keep their exact value: 8/255, 0.1, 1e-3 and hex floats such as 0x1.8p-3.
version: 1

models:
  {name}:
    path: {path}        # input {inputs}, output {outputs}
{shapes}    # preprocess:         # where raw inputs are normalised and the like before the model sees them
    #   - divide: 255

defaults:
  timeout: 60s          # wall time per property
  on_unknown: fail      # `warn` lets a property pass that could not be decided

properties:
  # onnxruntime computes what the file says: every node within its derived rounding bound.
  - name: runtime-agrees
    model: {name}
    check: runtime
    samples: 64

{range_property}
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

_RANGE_COMMENT = """\
  # Every output stays within bounds for every input of a box. Adapt the numbers, then uncomment.
  # - name: outputs-bounded
  #   model: {name}
  #   check: range
  #   input: {{lower: 0, upper: 1}}
  #   output: {{lower: -100, upper: 100}}
"""

_RANGE_PROPERTY = """\
  # Every output stays within bounds for every input of a box: proved, with the proof checked by Lean.
  # These bounds are what interval arithmetic shows; put your own box and demands in their place.
  - name: outputs-bounded
    model: {name}
    check: range
    input: {{lower: 0, upper: 1}}
    output: {{lower: {lower}, upper: {upper}}}
"""


def run(options: argparse.Namespace) -> int:
    """Write the spec; refuse to replace one without --force. Raises ModelError and UnsupportedError."""
    target: Path = options.output
    if target.exists() and not options.force:
        print(f"{terminal_line(str(target))} exists; --force replaces it", file=sys.stderr)
        return BAD_INPUT
    given = given_shapes(options)
    loaded = replace(load_model(options.model), operators=extensions_for(options).operators)
    graph = lower_as_given(loaded, given)
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
    text = spec_text(path, graph, given).encode()
    decode_spec(text, file=target.name, base=folder, root=folder)
    write_atomically(target, text)
    schema = folder / SCHEMA_NAME
    if options.force or not schema.exists():
        write_atomically(schema, COMMITTED.read_bytes())
    print(f"wrote {terminal_line(str(target))} and {SCHEMA_NAME}, by which editors complete and check it")
    print("run `pytest` or `torchlean check` beside it")
    return PASSED


def spec_text(path: str, graph: Graph, given: InputShapes) -> str:
    """The spec for a model at `path`, relative to the spec's folder, lowered under the given shapes."""
    name = re.sub(r"[^a-z0-9._-]+", "-", Path(path).stem.lower()).strip("-._")[:100] or "model"
    shape = graph.types[graph.inputs[0]].shape
    rows = ", ".join(["n", *map(str, shape[1:] if len(shape) > 1 else shape)])
    return _TEMPLATE.format(
        schema=SCHEMA_NAME,
        file=json.dumps(Path(path).name),
        name=name,
        shapes=yaml_lines(given),
        path=path if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_./-]*", path) else json.dumps(path),
        inputs=", ".join(type_text(graph.types[value]) for value in graph.inputs),
        outputs=", ".join(type_text(graph.types[value]) for value in graph.outputs),
        rows=f"[{rows}]",
        range_property=_range_property(name, graph),
    )


def _range_property(name: str, graph: Graph) -> str:
    """A range property that will be proved, or a commented one where that cannot be foreseen."""
    bounds = _provable_bounds(graph)
    if bounds is None:
        return _RANGE_COMMENT.format(name=name)
    return _RANGE_PROPERTY.format(name=name, lower=bounds[0], upper=bounds[1])


def _provable_bounds(graph: Graph) -> tuple[str, str] | None:
    """Interval bounds of all outputs for inputs in [0, 1], rounded outward to two digits.

    None where the graph has no certificate, the bounds are not finite, or no Lean is there to prove them.
    """
    import numpy as np

    from pytest_torchlean.bounds.interval import propagate
    from pytest_torchlean.bounds.program import lower_to_program
    from pytest_torchlean.checker import find_lean

    try:
        find_lean()
        program = lower_to_program(graph)
    except TorchleanError:
        return None
    low, high = propagate(program, np.zeros((1, program.inputs)), np.ones((1, program.inputs)))
    least, most = float(low[0, program.outputs].min()), float(high[0, program.outputs].max())
    if not math.isfinite(least) or not math.isfinite(most):
        return None
    return _outward(least, -1), _outward(most, 1)


def _outward(bound: float, direction: int) -> str:
    """A number with two digits beyond the bound in the given direction, with room for rounding."""
    shifted = bound + direction * max(abs(bound) * 1e-3, 1e-6)
    step = 10.0 ** (math.floor(math.log10(abs(shifted))) - 1)
    whole = math.floor(shifted / step) if direction < 0 else math.ceil(shifted / step)
    return f"{whole * step:.10g}"
