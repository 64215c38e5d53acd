"""What a baseline keeps of a result: verdict, level, counts, accuracy, radii, bounds, samples."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from pytest_torchlean.ratchet.claims import Plain
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.spec import exact
from pytest_torchlean.verdict import Verdict

DIGITS = 5
"""Significant digits of a bound, rounded outward: noise of a last bit between machines is no change."""
_ANSWERS = (Verdict.PROVED, Verdict.REFUTED, Verdict.UNKNOWN, Verdict.AGREED, Verdict.DIVERGENT)


def kept_of(result: PropertyResult) -> dict[str, Plain]:
    """The result as the baseline holds it; the verdict alone where the check itself failed."""
    evidence = result.evidence
    kept: dict[str, Plain] = {"verdict": evidence.verdict.value}
    if evidence.verdict not in _ANSWERS:
        return kept
    if evidence.assurance is not None:
        kept["level"] = evidence.assurance
    if evidence.counts is not None:
        kept["proved"] = str(evidence.counts.proved)
        kept["total"] = str(evidence.counts.total)
    if evidence.accuracy is not None:
        kept["accuracy"] = evidence.accuracy
    if evidence.radii:
        kept["radii"] = {str(one.index): str(one.radius) for one in evidence.radii}
    if evidence.bounds is not None and evidence.verdict is Verdict.PROVED:
        kept["bounds"] = {
            side: tuple(_outward(values, up=side == "upper")) for side, values in evidence.bounds.items()
        }
    if evidence.samples is not None:
        kept["samples_run"] = str(evidence.samples)
    if evidence.sessions:
        kept["sessions_run"] = str(len(evidence.sessions))
    return kept


def _outward(values: Iterable[str], *, up: bool) -> Iterable[str]:
    context = Context(prec=DIGITS, rounding=ROUND_CEILING if up else ROUND_FLOOR)
    for value in values:
        number = Fraction(value) if "x" not in value.lower() else exact.number(value)
        rounded = context.divide(Decimal(number.numerator), Decimal(number.denominator)).normalize(context)
        yield f"{rounded:f}" if rounded == 0 or -8 < rounded.adjusted() < 12 else f"{rounded:e}"
