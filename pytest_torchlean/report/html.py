"""The HTML report: one file that needs nothing else, at most MOST_BYTES, what does not pass first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from pytest_torchlean.changes import Change, Comparison
from pytest_torchlean.report.escape import html
from pytest_torchlean.report.html_property import cut, section
from pytest_torchlean.report.ratchet import comparison_line
from pytest_torchlean.report.text import counts_text, summary_line, tools_text
from pytest_torchlean.results import Environment, PropertyResult, gate_passes
from pytest_torchlean.verdict import Verdict

MOST_BYTES = 1_000_000
_FOR_ROWS = 450_000
_FOR_RATCHET = 80_000
_FOR_FIGURES = 300_000
_FOR_LEDGER = 60_000
_RESERVE = 4_000
"""For what closes the page and counts what it leaves out."""
_OPENED = 10
"""Properties that do not pass and are shown unfolded."""
_RANKS = ("failed", "warned", "passed")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def render_html(results: Sequence[PropertyResult], environment: Environment) -> str:
    """A page with the table of verdicts, every property, the models and the trust ledger.

    It makes no request and runs no script. What does not fit is left out and counted: first figures, then
    sections, then rows of the table.
    """
    ordered = sorted(enumerate(results), key=lambda pair: _RANKS.index(pair[1].outcome))
    ledger = _lines(results)
    page = _Page()
    page.add(_head(results, environment))
    closing = _models(results) + _ledger(results, ledger) + _foot(environment)
    page.most = MOST_BYTES - _RESERVE - len(closing.encode())
    if environment.ratchet is not None:
        _ratchet(page, environment.ratchet)
    _table(page, ordered)
    _sections(page, ordered, ledger)
    return page.text + closing


class _Page:
    """Text that grows while it stays within `most` bytes."""

    def __init__(self) -> None:
        self.most = MOST_BYTES
        self._parts: list[str] = []
        self.size = 0

    def add(self, text: str) -> None:
        self._parts.append(text)
        self.size += len(text.encode())

    def add_within(self, text: str, most: int) -> bool:
        """Add the text if the page then holds at most `most` bytes."""
        if self.size + len(text.encode()) > min(most, self.most):
            return False
        self.add(text)
        return True

    @property
    def text(self) -> str:
        return "".join(self._parts)


Ordered = Sequence[tuple[int, PropertyResult]]


def _head(results: Sequence[PropertyResult], environment: Environment) -> str:
    passed = gate_passes(results, environment.ratchet)
    gate = "passed" if passed else "FAILED"
    chips = "".join(
        f'<li class="{_class_of(verdict, results)}"><b>{count}</b><span class="v">{verdict.value}</span></li>'
        for verdict in Verdict
        if (count := sum(result.evidence.verdict is verdict for result in results))
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>torchlean: gate {gate}</title><style>{_style()}</style></head><body>\n"
        f'<header><h1>torchlean <span class="gate{" passed" if passed else ""}">gate {gate}</span></h1>'
        f"<p>{html(summary_line(results, environment.ratchet))}</p>"
        f'<p class="muted">{html(tools_text(environment))}</p>'
        f'<ul class="chips">{chips}</ul></header>\n<main>\n'
    )


@cache
def _style() -> str:
    """The style sheet without the white space at the beginning of its lines."""
    text = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return "\n".join(line.strip() for line in text.splitlines())


def _class_of(verdict: Verdict, results: Sequence[PropertyResult]) -> str:
    outcomes = {result.outcome for result in results if result.evidence.verdict is verdict}
    return next(outcome for outcome in _RANKS if outcome in outcomes)


def _ratchet(page: _Page, ratchet: Comparison) -> None:
    """What was compared, and every change, the failing ones first."""
    page.add(f'<h2 id="ratchet">Ratchet</h2><p>{html(cut(comparison_line(ratchet), 600))}</p>\n')
    if not ratchet.changes:
        return
    page.add(
        '<div class="scroll verdicts"><table><thead><tr><th>change<th>property<th>what<th>place'
        "</thead><tbody>\n"
    )
    limit, missing = page.size + _FOR_RATCHET, 0
    for place, change in enumerate(ratchet.changes):
        if not page.add_within(_change_row(change), limit):
            missing = len(ratchet.changes) - place
            break
    page.add("</tbody></table></div>\n")
    if missing:
        page.add(f'<p class="more">and {missing} more changes in the record</p>\n')


def _change_row(change: Change) -> str:
    outcome = "failed" if change.fails else "warned" if change.waived_by else "passed"
    waived = f" (waived by {change.waived_by})" if change.waived_by else ""
    code = f"{change.code}: " if change.fails else ""
    place = f"{change.file}:{change.line}:{change.column}"
    return (
        f'<tr class="{outcome}"><td><span class="v">{change.kind}</span>'
        f'<td class="i id">{html(cut(change.id, 160))}'
        f"<td class=f>{html(cut(code + change.message + waived, 400))}<td class=k>{html(cut(place, 160))}\n"
    )


def _table(page: _Page, ordered: Ordered) -> None:
    if not ordered:
        page.add('<p class="more">No property was checked.</p>')
        return
    page.add(
        '<h2 id="verdicts">Verdicts</h2><form class="show"><label><input type="radio" name="show" checked>'
        'all</label><label><input type="radio" name="show" id="show-open">only what does not pass</label>'
        '</form>\n<div class="scroll verdicts"><table><thead><tr><th>verdict<th>property<th>check'
        "<th>assurance<th>found<th>seconds</thead><tbody>\n"
    )
    limit, missing = page.size + _FOR_ROWS, 0
    for place, (number, result) in enumerate(ordered):
        if not page.add_within(_row(number, result), limit):
            missing = len(ordered) - place
            break
    page.add("</tbody></table></div>\n")
    if missing:
        page.add(f'<p class="more">and {missing} more properties in the record</p>\n')


def _row(number: int, result: PropertyResult) -> str:
    evidence = result.evidence
    place, _, name = result.id.rpartition("::")
    found = counts_text(evidence.counts) if evidence.counts else evidence.found.partition("\n")[0]
    assurance = evidence.assurance if evidence.verdict is Verdict.PROVED and evidence.assurance else ""
    seconds = f"{sum(evidence.seconds.values()):.1f}" if evidence.seconds else ""
    lead = f"<small>{html(cut(place, 120))}::</small>" if place else ""
    return (
        f'<tr class="{result.outcome}"><td><span class="v">{evidence.verdict.value}</span>'
        f'<td class="i id">{lead}<a href="#p{number}">{html(cut(name, 120))}</a>'
        f"<td class=k>{html(result.check)}<td class=k>{html(assurance)}<td class=f>{html(cut(found, 160))}"
        f"<td class=n>{seconds}\n"
    )


def _sections(page: _Page, ordered: Ordered, ledger: Mapping[str, int]) -> None:
    if not ordered:
        return
    page.add('<h2 id="properties">Properties</h2>\n')
    spent, plain, missing = 0, 0, 0
    for place, (number, result) in enumerate(ordered):
        lines = sorted({ledger[line] for line in result.evidence.trust if line in ledger})
        problem = result.evidence.problem
        ran = problem is None or problem.code != "TL0903"
        opened = result.outcome != "passed" and ran and place < _OPENED
        own = section(result, number, lines, opened=opened)
        extra = len(own.full.encode()) - len(own.brief.encode())
        if spent + extra <= _FOR_FIGURES and page.add_within(own.full, page.most):
            spent += extra
        elif page.add_within(own.brief, page.most):
            plain += 1
        else:
            missing = len(ordered) - place
            break
    if plain:
        page.add(f'<p class="more">the figures of {plain} properties are left out for size</p>\n')
    if missing:
        page.add(f'<p class="more">{missing} more properties have their row in the table only</p>\n')


def _models(results: Sequence[PropertyResult]) -> str:
    models: dict[tuple[str, str | None], list[PropertyResult]] = {}
    for result in results:
        if result.model_path:
            models.setdefault((result.model_path, result.model_sha256), []).append(result)
    if not models:
        return ""
    rows, size = [], 0
    for (path, digest), own in models.items():
        bad = sum(result.outcome == "failed" for result in own)
        row = (
            f'<tr><td class="id">{html(cut(path, 300))}<td class="id">{html(digest or "bytes not read")}'
            f"<td class=n>{len(own)}<td class=n>{bad}\n"
        )
        size += len(row.encode())
        if size > _FOR_LEDGER:
            break
        rows.append(row)
    rest = len(models) - len(rows)
    more = f'<p class="more">and {rest} more models in the record</p>' if rest else ""
    head = "<thead><tr><th>model<th>sha256<th>properties<th>failed</thead>"
    return f'<h2>Models</h2><div class="scroll"><table>{head}{"".join(rows)}</table></div>{more}\n'


def _lines(results: Sequence[PropertyResult]) -> dict[str, int]:
    """The ledger's distinct sentences, numbered from 1."""
    sentences = dict.fromkeys(line for result in results for line in result.evidence.trust)
    return {line: number for number, line in enumerate(sentences, start=1)}


def _ledger(results: Sequence[PropertyResult], ledger: Mapping[str, int]) -> str:
    """What is trusted, each sentence once, with the number of properties that rest on it."""
    if not ledger:
        return '<h2 id="ledger">Trust ledger</h2><p>No verdict on this page names what it rests on.</p>\n'
    uses = dict.fromkeys(ledger, 0)
    for result in results:
        for line in set(result.evidence.trust):
            uses[line] += 1
    rows, size = [], 0
    for line, number in ledger.items():
        row = f'<tr id="t{number}"><td class=n>{number}<td>{html(cut(line))}<td class=n>{uses[line]}\n'
        size += len(row.encode())
        if size > _FOR_LEDGER:
            break
        rows.append(row)
    rest = len(ledger) - len(rows)
    more = f'<p class="more">and {rest} more lines in the record</p>' if rest else ""
    return (
        '<h2 id="ledger">Trust ledger</h2><p class="muted">What the verdicts on this page rest on.</p>'
        '<div class="scroll"><table><thead><tr><th>line<th>what is trusted<th>properties</thead>'
        f"{''.join(rows)}</table></div>{more}\n"
    )


def _foot(environment: Environment) -> str:
    tools = {"torchlean": environment.version, "onnxruntime": environment.onnxruntime or "not used"}
    lean = environment.lean or {"version": "not used"}
    tools |= {f"Lean {key}": value for key, value in lean.items()}
    tools |= dict(sorted(environment.others.items()))
    text = ", ".join(f"{html(cut(name, 60))} {html(cut(value, 100))}" for name, value in tools.items())
    return (
        f"</main><footer><p>{text}</p><p>Rendered from the JSON record, which is the truth; numbers "
        "in figures are rounded for drawing.</p></footer></body></html>\n"
    )
