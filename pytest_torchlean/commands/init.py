"""`torchlean init`: a commented torchlean.yaml that is valid and runs, and its JSON Schema for editors."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from pytest_torchlean.cli import BAD_INPUT, PASSED
from pytest_torchlean.commands.extensions import extensions_for
from pytest_torchlean.commands.shapes import given_shapes
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.files import write_atomically
from pytest_torchlean.heartbeat import Heartbeat, heartbeat_of_process
from pytest_torchlean.ir.printer import type_text
from pytest_torchlean.onnx_import import LoadedModel, load_model
from pytest_torchlean.report.escape import terminal_line
from pytest_torchlean.spec.decode import decode_spec
from pytest_torchlean.spec.document import InputShapes
from pytest_torchlean.spec.schema import COMMITTED
from pytest_torchlean.starter.extents import lower_with_guesses
from pytest_torchlean.starter.first_spec import Subject, model_name, spec_text
from pytest_torchlean.starter.look import obstacles, plausible_input, weights
from pytest_torchlean.starter.nearby import files_nearby
from pytest_torchlean.starter.provable import program_of, provable_balls, provable_range

SCHEMA_NAME = "torchlean.schema.json"


def run(options: argparse.Namespace) -> int:
    """Write the spec; refuse to replace one without --force. Raises ModelError and UnsupportedError."""
    target: Path = options.output
    if target.exists() and not options.force:
        print(f"{terminal_line(str(target))} exists; --force replaces it", file=sys.stderr)
        return BAD_INPUT
    folder = target.resolve().parent
    outside = [path for path in options.models if not path.resolve().is_relative_to(folder)]
    if outside:
        model, above = terminal_line(str(outside[0])), terminal_line(str(folder))
        print(
            f"{model} is not below {above}, where the spec goes; choose a folder above it with --output",
            file=sys.stderr,
        )
        return BAD_INPUT
    given, extensions = given_shapes(options), extensions_for(options)
    subjects: list[Subject] = []
    heartbeat = heartbeat_of_process()
    with heartbeat.running():
        for number, path in enumerate(options.models, 1):
            heartbeat.begin(str(path), number, len(options.models))
            name = model_name(path.stem, [subject.name for subject in subjects])
            loaded = replace(load_model(path), operators=extensions.operators)
            subjects.append(_look(loaded, path, name, folder, given, heartbeat))
    text = spec_text(subjects, SCHEMA_NAME).encode()
    spec = decode_spec(text, file=target.name, base=folder, root=folder)
    write_atomically(target, text)
    schema = folder / SCHEMA_NAME
    if options.force or not schema.exists():
        write_atomically(schema, COMMITTED.read_bytes())
    for subject in subjects:
        _tell(subject)
    count = len(spec.properties)
    properties = "1 property" if count == 1 else f"{count} properties"
    print(f"wrote {terminal_line(str(target))}: {properties} to run, others as templates")
    print(f"wrote {SCHEMA_NAME}, by which editors complete and check it")
    where = (
        "" if target.name == "torchlean.yaml" and folder == Path.cwd() else f" {terminal_line(str(target))}"
    )
    print(f"next: `torchlean check{where}`, or `pytest`")
    return PASSED


def _look(
    model: LoadedModel, path: Path, name: str, folder: Path, given: InputShapes, heartbeat: Heartbeat
) -> Subject:
    graph, shapes, guessed = lower_with_guesses(model, given)
    against = obstacles(graph)
    found = files_nearby(path.resolve(), folder, graph)
    heartbeat.phase("looking for what can be proved")
    program = None if against or not _lean_is_here() else program_of(graph)
    low, high = plausible_input(graph)
    proved = balls = None
    if program is not None:
        proved = provable_range(program, low, high)
        balls = provable_balls(program, found.labelled[1], low, high) if found.labelled else None
    return Subject(
        name=name,
        path=path.resolve().relative_to(folder).as_posix(),
        graph=graph,
        weights=weights(graph),
        shapes=shapes,
        guessed=guessed,
        obstacles=against,
        large=program is None and not against and _lean_is_here(),
        found=found,
        proved=proved,
        balls=balls,
    )


def _lean_is_here() -> bool:
    from pytest_torchlean.checker import find_lean

    try:
        find_lean()
    except TorchleanError:
        return False
    return True


def _tell(subject: Subject) -> None:
    """What was found out, in a few lines."""
    graph = subject.graph
    inputs = ", ".join(type_text(graph.types[name]) for name in graph.inputs)
    outputs = ", ".join(type_text(graph.types[name]) for name in graph.outputs)
    print(terminal_line(f"{subject.path}: {subject.weights:,} weights, {inputs} -> {outputs}"))
    if subject.guessed:
        names = ", ".join(subject.guessed)
        print(terminal_line(f"  open dimensions of {names}: the spec has a guess that runs"))
    if subject.obstacles:
        against = list(dict.fromkeys(reason.partition(":")[0] for reason in subject.obstacles))
        more = f" and {len(against) - 6} more" if len(against) > 6 else ""
        print(terminal_line(f"  can be run, but not proved, because of {', '.join(against[:6])}{more}"))
    elif not _lean_is_here():
        print("  no Lean was found, so nothing can be proved here: `torchlean doctor` says what to install")
    for place in (subject.found.labelled, subject.found.unlabelled):
        if place is not None:
            print(terminal_line(f"  found data: {place[0]}, {len(place[1])} inputs"))
            break
