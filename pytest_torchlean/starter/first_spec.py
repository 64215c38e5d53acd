"""The first spec of models: valid, runs as it is, and says in comments what each line means."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.printer import type_text
from pytest_torchlean.spec.document import InputShapes
from pytest_torchlean.starter.look import classes, is_picture, multiplications, plausible_input
from pytest_torchlean.starter.nearby import Found
from pytest_torchlean.starter.provable import ProvableBalls, ProvableRange

_LONGEST_COMMENT = 110

_HEAD = """\
# yaml-language-server: $schema={schema}
# Run by `torchlean check`, and by `pytest`: every property below is one test. Lines after # are comments;
# templates become properties when you delete their "# ". Numbers keep their exact value: 8/255, 0.1, 1e-3.
version: 1

models:
{models}
defaults:
  timeout: 5m           # wall time per property: more than it needs, so that a busy machine decides it too
  on_unknown: fail      # `warn` lets a property pass that could not be decided; nothing lets a refuted one

properties:
{properties}"""

_MODEL = """\
  {name}:
    path: {path}
    # input {inputs}, output {outputs}, {weights} weights
{shapes}"""

_PREPROCESS = """\
    # preprocess:         # what is done to raw inputs before the model sees them; claims are then about those
    #   - divide: 255
"""

_RUNTIME = """\
  # onnxruntime computes what the file says: every node is within its derived rounding bound on all samples.
  - name: runtime-agrees
    model: {name}
    check: runtime
    samples: {samples}
{data}
"""

_RANGE = """\
  # No input of the box drives an output out of these bounds: proved, and the proof checked by Lean.
{why}  # Put your own box and demands here: one that does not hold ends REFUTED with an input that breaks it.
  - name: outputs-bounded
    model: {name}
    check: range
    input: {{lower: {low}, upper: {high}}}        # {box}
    output: {{lower: {lower}, upper: {upper}}}
{level}"""

_EVALUATED = """\
    assurance: evaluated    # Lean runs the proved checker; `kernel` makes a theorem, in more memory
"""

_RANGE_TEMPLATE = """\
  # Template: no input of the box drives an output out of its bounds.
  # - name: outputs-bounded
  #   model: {name}
  #   check: range
  #   input: {{lower: {low}, upper: {high}}}
  #   output: {{lower: -100, upper: 100}}
"""

_ROBUST = """\
  # No listed input changes its class when each of its numbers moves by at most epsilon, within the domain.
  # Of the first {listed} inputs {right} are classified right, and {count} look provable at this radius.
  - name: robust
    model: {name}
    check: robustness
    epsilon: {epsilon}
    domain: {{lower: {low}, upper: {high}}}
    data: {data}        # its arrays `inputs` and `labels`
    limit: {listed}            # the first inputs; without this line all
    at_least: {share}%       # the share of all listed inputs that must be proved
"""

_ROBUST_TEMPLATE = """\
  # Template, for a classifier: no listed input changes its class when each number moves by at most epsilon.
  # The npz file holds `inputs` of shape {rows} (float32) and `labels` of shape [n] (integers):
  # numpy.savez("test.npz", inputs=..., labels=...)
  # - name: robust
  #   model: {name}
  #   check: robustness
  #   epsilon: {epsilon}
  #   domain: {{lower: {low}, upper: {high}}}
  #   data: {data}
  #   at_least: 90%
"""

_RADIUS_TEMPLATE = """\
  # Template: as robustness, and for each listed input the largest radius up to `up_to` that is proved.
  # - name: safe-radius
  #   model: {name}
  #   check: radius
  #   epsilon: {epsilon}
  #   up_to: {up_to}
  #   domain: {{lower: {low}, upper: {high}}}
  #   data: {data}
  #   at_least: 90%
"""

_VNNLIB_TEMPLATE = """\
  # Template: no input leads to what a VNN-LIB file calls unsafe.
  # - name: never-unsafe
  #   model: {name}
  #   check: vnnlib
  #   file: {file}
"""

_MONOTONE_TEMPLATE = """\
  # Template: raising input number 0 by up to `by` never lowers an output by more than `slack`.
  # - name: rises
  #   model: {name}
  #   check: monotone
  #   along: [0]
  #   by: 1/10
  #   input: {{lower: {low}, upper: {high}}}
  #   slack: 1/100
"""

_LIPSCHITZ_TEMPLATE = """\
  # Template: of two inputs at most `apart`, outputs are at most `constant` times as far from each other.
  # - name: does-not-jump
  #   model: {name}
  #   check: lipschitz
  #   constant: 100
  #   apart: 1/100
  #   input: {{lower: {low}, upper: {high}}}
  #   slack: 1/100
"""

_GRADIENT_TEMPLATE = """\
  # Template, for a smooth model: the derivatives of its output by its inputs lie within bounds.
  # - name: gentle
  #   model: {name}
  #   check: gradient
  #   input: {{lower: {low}, upper: {high}}}
  #   bounds: {{lower: -100, upper: 100}}
"""

_RESIDUAL_TEMPLATE = """\
  # Template, for a smooth model u of one input x: an equation of u and its derivatives nearly holds.
  # - name: nearly-solved
  #   model: {name}
  #   check: residual
  #   inputs: [x]
  #   input: {{lower: {low}, upper: {high}}}
  #   residual: u_xx + u
  #   within: 1/2
"""

_INVARIANT_TEMPLATE = """\
  # Template, for a controller u of the state (x, v): no step of the system leads out of the region.
  # - name: stays-inside
  #   model: {name}
  #   check: invariant
  #   dynamics: {{x: x + v/10, v: v + u/10}}
  #   region: {{lower: {low}, upper: {high}}}
"""

_LYAPUNOV_TEMPLATE = """\
  # Template, for a controller u of the state (x, v): every step lowers the function, outside a ball.
  # - name: comes-to-rest
  #   model: {name}
  #   check: lyapunov
  #   dynamics: {{x: x + v/10, v: v + u/10}}
  #   function: abs(x) + abs(v)
  #   region: {{lower: -1, upper: 1}}
  #   ball: 1/10
"""

_EQUIVALENT_TEMPLATE = """\
  # Template: two models give nearly the same outputs for every input of the box.
  # - name: as-{other}
  #   model: {name}
  #   check: equivalent
  #   to: {other}
  #   input: {{lower: {low}, upper: {high}}}
  #   tolerance: 1/100
"""

_OTHER_TEMPLATES = (
    _MONOTONE_TEMPLATE,
    _LIPSCHITZ_TEMPLATE,
    _GRADIENT_TEMPLATE,
    _RESIDUAL_TEMPLATE,
    _INVARIANT_TEMPLATE,
    _LYAPUNOV_TEMPLATE,
)

_ONE_MODEL = """\
  # `check: equivalent` compares two models: `torchlean init` with both of them writes its template.
"""


@dataclass(frozen=True, eq=False)
class Subject:
    """One model of a first spec and what was found out about it.

    path: relative to the spec. guessed: inputs whose extents were guessed. obstacles: why nothing can be
    proved, one reason a line; large: the model is too large for a quick search of bounds.
    """

    name: str
    path: str
    graph: Graph
    weights: int
    shapes: InputShapes
    guessed: tuple[str, ...]
    obstacles: tuple[str, ...]
    large: bool
    found: Found
    proved: ProvableRange | None
    balls: ProvableBalls | None


def spec_text(subjects: Sequence[Subject], schema: str) -> str:
    """The whole file. Templates are written once, for the first model that they fit."""
    models = "".join(_model(subject) for subject in subjects)
    parts = []
    for number, subject in enumerate(subjects):
        several = len(subjects) > 1
        if several:
            parts.append(f"  # ---- {subject.name}\n")
        others = [other.name for other in subjects if other is not subject]
        parts.append(_properties(subject, others, templates=number == 0))
    return _HEAD.format(schema=schema, models=models, properties="\n".join(parts))


def model_name(stem: str, taken: Sequence[str]) -> str:
    """A name for the `models` block, different from those taken."""
    name = re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-._")[:90] or "model"
    number = 2
    unique = name
    while unique in taken:
        unique = f"{name}-{number}"
        number += 1
    return unique


def _model(subject: Subject) -> str:
    graph = subject.graph
    lines = _MODEL.format(
        name=subject.name,
        path=_scalar(subject.path),
        inputs=_types(graph, graph.inputs),
        outputs=_types(graph, graph.outputs),
        weights=f"{subject.weights:,}",
        shapes=_shapes(subject),
    )
    return lines + (_PREPROCESS if is_picture(graph) else "")


def _types(graph: Graph, names: Sequence[str]) -> str:
    shown = [type_text(graph.types[name]) for name in names[:4]]
    return ", ".join(shown) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _shapes(subject: Subject) -> str:
    given, lines = subject.shapes, ""
    if subject.guessed:
        lines += (
            "    # The file leaves dimensions open. These extents are a guess that runs: put yours here.\n"
        )
    if given.shapes:
        lines += f"    shapes: {json.dumps({name: list(shape) for name, shape in given.shapes.items()})}\n"
    if given.dims:
        lines += f"    dims: {json.dumps(dict(given.dims))}\n"
    return lines


def _properties(subject: Subject, others: Sequence[str], *, templates: bool) -> str:
    graph, found = subject.graph, subject.found
    low, high = plausible_input(graph)
    some_data = found.labelled or found.unlabelled
    words = {
        "name": subject.name,
        "low": low,
        "high": high,
        "epsilon": "8/255" if high == "1" and low == "0" else "8" if high == "255" else "1/100",
        "up_to": "1/10" if high == "1" else "25",
        "rows": "[" + ", ".join(["n", *map(str, _row(graph))]) + "]",
        "data": _scalar(found.labelled[0]) if found.labelled else "data/test.npz",
        "file": _scalar(found.vnnlib or "specs/unsafe.vnnlib"),
    }
    data = f"    data: {_scalar(some_data[0])}        # its inputs are samples too\n" if some_data else ""
    samples = samples_for(multiplications(graph))
    parts = [_RUNTIME.format(**{**words, "samples": samples, "data": data}).rstrip("\n") + "\n"]
    if subject.obstacles or subject.large:
        parts.append(_why_not(subject))
    if subject.proved is not None:
        parts.append(_range(subject.proved, words))
    elif templates and not subject.obstacles:
        parts.append(_RANGE_TEMPLATE.format(**words))
    if subject.balls is not None and found.labelled is not None:
        balls = subject.balls
        share = max(1, 5 * (20 * balls.count // balls.listed))
        own = {
            "epsilon": balls.epsilon,
            "listed": balls.listed,
            "count": balls.count,
            "right": balls.right,
            "share": share,
        }
        parts.append(_ROBUST.format(**{**words, **own}))
    elif templates and classes(graph) and not subject.obstacles:
        parts.append(_ROBUST_TEMPLATE.format(**words))
    if templates and not subject.obstacles:
        if classes(graph):
            parts.append(_RADIUS_TEMPLATE.format(**words))
        parts.append(_VNNLIB_TEMPLATE.format(**words))
        parts += [template.format(**words) for template in _OTHER_TEMPLATES]
        parts.append(_EQUIVALENT_TEMPLATE.format(**words, other=others[0]) if others else _ONE_MODEL)
    return "\n".join(parts)


def _row(graph: Graph) -> tuple[int, ...]:
    shape = graph.types[graph.inputs[0]].shape if graph.inputs else ()
    return shape[1:] if len(shape) > 1 else shape


def samples_for(work: int) -> int:
    """Samples of a runtime check that ends within some seconds, by the multiplications of one run."""
    for samples, most in ((64, 4_000_000), (16, 16_000_000), (8, 64_000_000)):
        if work <= most:
            return samples
    return 4


def _range(proved: ProvableRange, words: dict[str, str]) -> str:
    seen = f"[{proved.seen[0]}, {proved.seen[1]}]"
    why = f"  # The bounds are what interval arithmetic shows; 256 random inputs gave outputs in {seen}.\n"
    box = "each input number" if proved.whole else "around the middle: intervals show nothing for wider boxes"
    level = _EVALUATED if proved.heavy else ""
    own = {"low": proved.low, "high": proved.high, "lower": proved.lower, "upper": proved.upper}
    return _RANGE.format(**{**words, **own, "why": why, "box": box, "level": level})


def _why_not(subject: Subject) -> str:
    if subject.large:
        return (
            "  # The model is large: bounds for a `range` or `robustness` property were not searched here.\n"
            "  # Try a small box first, and a longer `timeout`.\n"
        )
    lines = ["  # Nothing can be proved about this model yet, because of:"]
    lines += [f"  #   {_comment(reason)}" for reason in subject.obstacles[:6]]
    if len(subject.obstacles) > 6:
        lines.append(f"  #   and {len(subject.obstacles) - 6} more: `torchlean inspect` lists all")
    return "\n".join(lines) + "\n"


def _comment(text: str) -> str:
    plain = "".join(character if character.isprintable() else "?" for character in text)
    return plain if len(plain) <= _LONGEST_COMMENT else plain[: _LONGEST_COMMENT - 3] + "..."


def _scalar(text: str) -> str:
    """A path as YAML: plain where that is safe, else in quotes."""
    return text if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_./-]*", text) else json.dumps(text)
