"""Results for a terminal: a table of verdicts, and for each failure what to know and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pytest_torchlean.changes import Comparison
from pytest_torchlean.report.errors import error_text
from pytest_torchlean.report.escape import terminal, terminal_line
from pytest_torchlean.report.ratchet import comparison_text
from pytest_torchlean.results import Environment, OtherModelResult, PropertyResult, gate_passes
from pytest_torchlean.spec import exact
from pytest_torchlean.verdict import Counts, Evidence, Verdict, Witness

__all__ = [
    "counts_text",
    "error_text",
    "failure",
    "machine_text",
    "numbers_text",
    "shapes_text",
    "summary_line",
    "table",
    "tools_text",
]

_SHOWN_NUMBERS = 12
_SHOWN_WITNESSES = 3
_COLOURS = {"passed": "32", "warned": "33", "failed": "31"}


def table(
    results: Sequence[PropertyResult], environment: Environment | None = None, *, colour: bool = False
) -> str:
    """One line per property and a last line with the gate's answer. No final newline."""
    rows = [("verdict", "property", "assurance", "time", "found")]
    rows += [_row(result) for result in results]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [] if environment is None else [tools_text(environment), ""]
    for number, row in enumerate(rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        if colour and number:
            cells[0] = _coloured(cells[0], results[number - 1].outcome)
        lines.append("  ".join([*cells, row[4]]).rstrip())
    ratchet = None if environment is None else environment.ratchet
    summary = summary_line(results, ratchet)
    if colour:
        summary = _coloured(summary, "passed" if gate_passes(results, ratchet) else "failed")
    compared = [] if ratchet is None else ["", comparison_text(ratchet)]
    return "\n".join([*lines, *compared, "", summary])


def failure(result: PropertyResult, *, colour: bool = False) -> str:
    """Everything a person needs about one result, whatever its verdict, nothing twice. No final newline."""
    evidence, problem = result.evidence, result.evidence.problem
    found = "" if problem is not None and problem.message == evidence.found else evidence.found
    title = f"{evidence.verdict.value}  {terminal_line(result.id)}"
    lines = [_coloured(title, result.outcome) if colour else title]
    digest = f"  sha256 {result.model_sha256}" if result.model_sha256 else "  (bytes not read)"
    place = f"{result.spec_file}:{result.line}:{result.column}"
    entries = [
        ("written at", terminal_line(place)),
        ("model", terminal_line(result.model_path + digest)),
        ("to model" if result.check == "equivalent" else "dynamics", other_model_text(result.other_model)),
        ("inputs", shapes_text(result.model_shapes)),
        ("raw input", terminal_line("; ".join(result.preprocess))),
        ("claimed", terminal(evidence.claim)),
        ("found", terminal(found)),
        ("counts", counts_text(evidence.counts) if evidence.counts else ""),
        ("accuracy", terminal_line(evidence.accuracy or "")),
        ("samples", str(evidence.samples) if evidence.samples is not None else ""),
        ("proof", _proof(evidence)),
        ("bounds", _bounds(evidence)),
        ("runtime", terminal(evidence.runtime)),
        ("machine", machine_text(evidence.machine)),
    ]
    lines += [_entry(name, text) for name, text in entries if text]
    for witness in evidence.witnesses[:_SHOWN_WITNESSES]:
        lines += _witness(witness)
    hidden = len(evidence.witnesses) - _SHOWN_WITNESSES
    if hidden > 0:
        lines.append(_entry("", f"and {hidden} more witnesses in the record"))
    if evidence.details:
        lines.append(_entry("details", "\n".join(terminal(detail) for detail in evidence.details)))
    if problem is not None:
        lines.append(_entry("problem", f"{terminal_line(problem.code)}: {terminal(problem.message)}"))
        lines.append(_entry("fix", terminal(problem.fix)))
    lines.append(_entry("reproduce", terminal_line(result.reproduce)))
    if evidence.next_steps and (problem is None or evidence.next_steps != problem.fix):
        lines.append(_entry("next", terminal(evidence.next_steps)))
    return "\n".join(lines)


def summary_line(results: Sequence[PropertyResult], ratchet: Comparison | None = None) -> str:
    """`3 properties: 1 PROVED, 2 REFUTED, 1 step back - gate FAILED`."""
    if not results:
        return "no property was checked - gate FAILED"
    tally = [
        f"{sum(result.evidence.verdict is verdict for result in results)} {verdict.value}"
        for verdict in Verdict
    ]
    present = ", ".join(entry for entry in tally if not entry.startswith("0 "))
    warned = sum(result.outcome == "warned" for result in results)
    note = f" ({warned} let through by on_unknown: warn)" if warned else ""
    noun = "property" if len(results) == 1 else "properties"
    answer = "passed" if gate_passes(results, ratchet) else "FAILED"
    return f"{len(results)} {noun}: {present}{note}{_steps_back(ratchet)} - gate {answer}"


def _steps_back(ratchet: Comparison | None) -> str:
    failing = 0 if ratchet is None else len(ratchet.failing)
    return f", {failing} {'step' if failing == 1 else 'steps'} back" if failing else ""


def _row(result: PropertyResult) -> tuple[str, str, str, str, str]:
    evidence = result.evidence
    seconds = sum(evidence.seconds.values())
    return (
        evidence.verdict.value,
        terminal_line(result.id),
        terminal_line(evidence.assurance or "-") if evidence.verdict is Verdict.PROVED else "-",
        f"{seconds:.1f}s" if evidence.seconds else "-",
        counts_text(evidence.counts) if evidence.counts else terminal_line(evidence.found.partition("\n")[0]),
    )


def tools_text(environment: Environment) -> str:
    """The tools that gave the results, in one line."""
    lean = environment.lean
    parts = [f"torchlean {environment.version}"]
    if environment.onnxruntime:
        parts.append(f"onnxruntime {environment.onnxruntime}")
    parts.append(f"Lean {lean.get('version', '?')} ({lean.get('origin', '?')})" if lean else "Lean not asked")
    return terminal_line(", ".join(parts))


def counts_text(counts: Counts) -> str:
    """Every count by its name."""
    return (
        f"{counts.proved} proved, {counts.refuted} refuted, {counts.unknown} unknown, "
        f"{counts.misclassified} misclassified, {counts.total} total"
    )


def _proof(evidence: Evidence) -> str:
    if evidence.assurance is None:
        return ""
    part = evidence.verdict is not Verdict.PROVED and evidence.counts is not None
    level = evidence.assurance + (
        f", for the {evidence.counts.proved} proved" if part and evidence.counts else ""
    )
    if evidence.theorem is None:
        return terminal_line(f"{level}: no theorem, the compiled checker accepted ({evidence.semantics})")
    axioms = ", ".join(evidence.theorem.axioms) or "none"
    return terminal_line(f"{level}: {evidence.theorem.name} ({evidence.semantics}; axioms: {axioms})")


def _bounds(evidence: Evidence) -> str:
    if not evidence.bounds:
        return ""
    return "\n".join(
        f"{terminal_line(side)}: {numbers_text(values)}" for side, values in evidence.bounds.items()
    )


def other_model_text(other: OtherModelResult | None) -> str:
    """The second model of a property about two, with its digest."""
    if other is None:
        return ""
    digest = f"sha256 {other.sha256}" if other.sha256 else "(bytes not read)"
    return terminal_line("; ".join((f"{other.path}  {digest}", *other.preprocess)))


def shapes_text(shapes: Mapping[str, tuple[int, ...]] | None) -> str:
    """The shapes that a spec gives the inputs."""
    if shapes is None:
        return ""
    return terminal_line(", ".join(f"{name}{list(shape)}" for name, shape in shapes.items()))


def machine_text(machine: Mapping[str, str] | None) -> str:
    """Versions and processor in a line; flags and build are in the record."""
    if not machine:
        return ""
    versions = [f"{name} {machine[name]}" for name in ("onnxruntime", "numpy") if name in machine]
    return terminal_line(", ".join([*versions, machine.get("processor", "unknown processor")]))


def _witness(witness: Witness) -> list[str]:
    where = "" if witness.index is None else f"near input {witness.index} of the data: "
    shape = " x ".join(map(str, witness.shape)) or "scalar"
    return [
        _entry("witness", f"{where}{terminal(witness.violation)}"),
        _entry("", f"input ({shape}):  {numbers_text(witness.input)}"),
        _entry("", f"onnxruntime:  {numbers_text(witness.runtime_output)}"),
        _entry("", f"evaluator:    {numbers_text(witness.evaluator_output)}"),
    ]


def numbers_text(values: Iterable[str]) -> str:
    """The first numbers, to the 9 digits that tell any two binary32 numbers apart."""
    listed = list(values)
    rest = len(listed) - _SHOWN_NUMBERS
    shown = " ".join(_decimal(value) for value in listed[:_SHOWN_NUMBERS])
    return shown + (f" ... and {rest} more" if rest > 0 else "")


def _decimal(value: str) -> str:
    try:
        return format(float(exact.number(value)), ".9g")
    except (ValueError, OverflowError):
        return terminal_line(value[:40])


def _entry(name: str, text: str) -> str:
    """`  name:      text`, further lines of the text aligned below the first."""
    first, *others = text.split("\n")
    head = f"{name}:" if name else ""
    return "\n".join([f"  {head:<12}{first}".rstrip(), *(f"  {'':<12}{line}".rstrip() for line in others)])


def _coloured(text: str, outcome: str) -> str:
    return f"\x1b[{_COLOURS[outcome]}m{text}\x1b[0m"
