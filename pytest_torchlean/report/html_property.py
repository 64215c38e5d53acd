"""One property in the HTML report: facts, figures, witnesses. Every foreign text passes `escape.html`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_torchlean.report.drawings import Drawing, bounds_plot, histogram_plot, number, share_plot
from pytest_torchlean.report.escape import html
from pytest_torchlean.report.pictures import witness_pictures
from pytest_torchlean.report.text import (
    counts_text,
    machine_text,
    numbers_text,
    other_model_text,
    shapes_text,
)
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.verdict import Evidence, Verdict, Witness

_MOST_CHARACTERS = 2000
_MOST_DETAILS = 12
_MOST_WITNESSES = 3
_MOST_MISTAKES = 50
_MOST_SESSIONS = 12


@dataclass(frozen=True)
class Section:
    """A property's part of the page, without and with its figures; the two are equal where it has none."""

    brief: str
    full: str


def section(result: PropertyResult, place: int, ledger: Sequence[int], *, opened: bool) -> Section:
    """The section of the property at this place. ledger: the numbers of the ledger's lines it rests on."""
    evidence = result.evidence
    head = (
        f'<details class="p {result.outcome}" id="p{place}"{" open" if opened else ""}><summary>'
        f'<span class="v">{evidence.verdict.value}</span> <span class="id">{html(cut(result.id))}</span>'
        "</summary>"
    )
    facts = f"<dl>{_facts(result, ledger)}</dl>{_mistakes(evidence)}{_sessions(evidence)}"
    figures = "".join(_figures(evidence))
    brief = f'{head}<div class="in"><div>{facts}</div></div></details>\n'
    if not figures:
        return Section(brief, brief)
    return Section(
        brief, f'{head}<div class="in two"><div>{facts}</div><div>{figures}</div></div></details>\n'
    )


def cut(text: str, most: int = _MOST_CHARACTERS) -> str:
    """The text, or its beginning and how much is missing."""
    return text if len(text) <= most else f"{text[:most]} ... and {len(text) - most} more characters"


def _facts(result: PropertyResult, ledger: Sequence[int]) -> str:
    evidence, problem = result.evidence, result.evidence.problem
    second = "other model" if result.check == "equivalent" else "dynamics"
    entries = [
        ("claimed", html(cut(evidence.claim))),
        ("found", html(cut(evidence.found))),
        ("counts", counts_text(evidence.counts) if evidence.counts else ""),
        ("accuracy", html(evidence.accuracy or "")),
        ("samples", "" if evidence.samples is None else str(evidence.samples)),
        ("proof", _proof(evidence)),
        ("rests on", _links(ledger)),
        ("check", html(f"{result.check}, semantics {evidence.semantics}")),
        ("model", html(cut(result.model_path)) or "none"),
        (second, html(cut(other_model_text(result.other_model)))),
        ("inputs", html(cut(shapes_text(result.model_shapes)))),
        ("preprocessing", html(cut("\n".join(result.preprocess)))),
        ("written at", html(f"{result.spec_file}:{result.line}:{result.column}")),
        ("runtime", html(cut(evidence.runtime))),
        ("machine", html(cut(machine_text(evidence.machine)))),
    ]
    if problem is not None:
        same = problem.message == evidence.found
        entries.append(("problem", html(problem.code + ("" if same else f": {cut(problem.message)}"))))
        entries.append(("fix", html(cut(problem.fix))))
    if evidence.details:
        shown = "\n".join(map(cut, evidence.details[:_MOST_DETAILS]))
        rest = len(evidence.details) - _MOST_DETAILS
        entries.append(
            ("details", html(shown + (f"\nand {rest} more lines in the record" if rest > 0 else "")))
        )
    if evidence.next_steps and (problem is None or problem.fix != evidence.next_steps):
        entries.append(("next", html(cut(evidence.next_steps))))
    if result.outcome != "passed":
        entries.append(("reproduce", f"<code>{html(cut(result.reproduce))}</code>"))
    if evidence.seconds:
        steps = ", ".join(f"{name} {value:.2f}" for name, value in evidence.seconds.items())
        entries.append(("seconds", html(f"{sum(evidence.seconds.values()):.2f} ({steps})")))
    return "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in entries if text)


def _links(ledger: Sequence[int]) -> str:
    return ", ".join(f'<a href="#t{line}">{line}</a>' for line in ledger) + " of the ledger" if ledger else ""


def _proof(evidence: Evidence) -> str:
    if evidence.assurance is None:
        return ""
    part = evidence.verdict is not Verdict.PROVED and evidence.counts is not None
    level = evidence.assurance + (
        f", for the {evidence.counts.proved} proved" if part and evidence.counts else ""
    )
    if evidence.theorem is None:
        return html(f"{level}: the proved checker, run by Lean's interpreter, accepted")
    axioms = ", ".join(evidence.theorem.axioms) or "none"
    return f"{html(level)}: <code>{html(evidence.theorem.name)}</code>; axioms: {html(axioms)}"


def _mistakes(evidence: Evidence) -> str:
    if not evidence.mistakes:
        return ""
    rows = "".join(
        f'<tr><td class="n">{one.line}:{one.column}<td>{html(one.code)}<td>{html(cut(one.message))}'
        f"<td>{html(cut(one.fix))}"
        for one in evidence.mistakes[:_MOST_MISTAKES]
    )
    rest = len(evidence.mistakes) - _MOST_MISTAKES
    more = f'<p class="muted">and {rest} more errors</p>' if rest > 0 else ""
    head = "<thead><tr><th>line<th>code<th>error<th>fix</thead>"
    return f'<div class="scroll"><table>{head}{rows}</table></div>{more}'


def _sessions(evidence: Evidence) -> str:
    """The sessions of a runtime check: what was compared, and how near the worst came to its bound."""
    if not evidence.sessions:
        return ""
    rows = ""
    for session in evidence.sessions[:_MOST_SESSIONS]:
        counts = session.counts
        worst = max(session.worst.items(), key=lambda pair: number(pair[1]), default=None)
        rows += (
            f"<tr><td>{html(cut(session.name))}<td class=n>{counts.get('samples', 0)}"
            f"<td class=n>{counts.get('exact_outputs', 0)}<td class=n>{counts.get('bounded_outputs', 0)}"
            f"<td>{html(cut(f'{worst[0]}: {worst[1]}')) if worst else ''}<td>{html(cut(session.bits))}"
        )
    rest = len(evidence.sessions) - _MOST_SESSIONS
    more = f'<p class="muted">and {rest} more sessions in the record</p>' if rest > 0 else ""
    head = (
        "<thead><tr><th>session<th>samples<th>bit-equal<th>within bounds<th>largest share of a bound"
        "<th>outputs</thead>"
    )
    return f'<div class="scroll"><table>{head}{rows}</table></div>{more}'


def _figures(evidence: Evidence) -> list[str]:
    figures = []
    if evidence.bounds:
        keys = ['<i class="key band"></i>bounds of the certificate' if evidence.verdict is Verdict.PROVED
                else '<i class="key band"></i>bounds that intervals show']  # fmt: skip
        if evidence.sampled is not None:
            keys.append(f'<i class="key seen"></i>onnxruntime at {evidence.sampled.points} points')
        if evidence.claimed:
            keys.append('<i class="key mark"></i>claimed')
        figures.append(
            _figure(
                "Outputs", bounds_plot(evidence.bounds, evidence.claimed, evidence.sampled), "".join(keys)
            )
        )
    if evidence.margins is not None:
        caption = (
            "How many inputs have which least margin over their ball, as intervals show it; an input whose "
            "margin lies below 0 needs more than intervals."
        )
        figures.append(_figure("Margins", histogram_plot(evidence.margins), caption))
    if evidence.radii:
        caption = (
            f"Share of the {len(evidence.radii)} listed inputs that are proved within at least this radius."
        )
        figures.append(_figure("Certified share", share_plot(evidence.radii), caption))
    figures += [_witness(witness) for witness in evidence.witnesses[:_MOST_WITNESSES]]
    rest = len(evidence.witnesses) - _MOST_WITNESSES
    if rest > 0:
        figures.append(f'<p class="muted">and {rest} more witnesses in the record</p>')
    return [figure for figure in figures if figure]


def _figure(title: str, drawing: Drawing | None, caption: str) -> str:
    if drawing is None:
        return ""
    rest = f" ({html(drawing.left_out)})" if drawing.left_out else ""
    return f"<figure><h3>{title}</h3>{drawing.svg}<figcaption>{caption}{rest}</figcaption></figure>"


def _witness(witness: Witness) -> str:
    where = "" if witness.index is None else f", near input {witness.index} of the data"
    pictures = witness_pictures(witness)
    shown = ""
    if pictures is not None:
        ratio = pictures.layout.width / pictures.layout.height
        names = (
            ("original", pictures.original),
            ("witness", pictures.changed),
            ("difference", pictures.difference),
        )
        shown = "".join(
            f'<div><img src="{file}" alt="{name}" style="--r:{ratio:.3f}"><small>{name}</small></div>'
            for name, file in names
        )
        thinned = "" if pictures.stride == 1 else f"; every {pictures.stride}th pixel is shown"
        shown = (
            f'<div class="pictures">{shown}</div><p><small>grey is no difference, black and white are '
            f"-/+ {pictures.largest:.4g}{thinned}</small></p>"
        )
    shape = " x ".join(map(str, witness.shape)) or "scalar"
    numbers = (
        f"<dt>input ({shape})</dt><dd class=c>{html(numbers_text(witness.input))}</dd>"
        f"<dt>onnxruntime</dt><dd class=c>{html(numbers_text(witness.runtime_output))}</dd>"
        f"<dt>evaluator</dt><dd class=c>{html(numbers_text(witness.evaluator_output))}</dd>"
    )
    caption = html(cut(witness.violation))
    folded = f"<details{'' if shown else ' open'}><summary>numbers</summary><dl>{numbers}</dl></details>"
    return f"<figure><h3>Witness{where}</h3><p>{caption}</p>{shown}{folded}</figure>"
