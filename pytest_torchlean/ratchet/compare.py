"""Which changes lie between a baseline and what is there now, and which of them are waived."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from pytest_torchlean.changes import Change, Kind
from pytest_torchlean.error_codes import CODES
from pytest_torchlean.errors import SourceSpan
from pytest_torchlean.ratchet.claims import Plain
from pytest_torchlean.ratchet.files import shown_value
from pytest_torchlean.ratchet.model import Waiver, Waivers
from pytest_torchlean.ratchet.order import RESULTS, Answer, Order, order_of

MOST_DAYS = 366
"""A waiver ends within so many days, and is then looked at again."""
_CODES: Mapping[Kind, str] = {
    "removed": "TL1101",
    "weakened": "TL1102",
    "changed": "TL1103",
    "worse": "TL1104",
}
_AS_STRONG = (0, 1)
_INPUTS = frozenset({"check", "data", "listed"})
_DEPENDS: Mapping[str, frozenset[str]] = {
    "proved": _INPUTS,
    "accuracy": _INPUTS,
    "radii": _INPUTS,
    "bounds": frozenset({"check"}),
    "samples_run": frozenset({"check", "samples"}),
    "sessions_run": frozenset({"check", "sessions"}),
}
"""Results that cannot be compared where a part of the claim is weaker or other, which is told itself."""


@dataclass(frozen=True)
class Stated:
    """A property as one side states it: its claim, its result where there is one, and its place."""

    id: str
    place: SourceSpan
    claim: Mapping[str, Plain] | None = None
    result: Mapping[str, Plain] | None = None


@dataclass(frozen=True)
class Difference:
    """A change with the values and the order that it was found by."""

    change: Change
    order: Order
    after: Plain | None


def compare(before: Mapping[str, Stated], after: Mapping[str, Stated], against: str) -> list[Difference]:
    """Every difference; `against` says in words what `before` is, e.g. `the baseline`."""
    found: list[Difference] = []
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            what = "spec" if old.claim is None else "property"
            message = f"the {what} is in {against} and is gone"
            found.append(_difference("removed", old, "removed", message, _never))
            continue
        found += _of_one(old, new, against)
    for name, new in after.items():
        if name not in before:
            found.append(_difference("added", new, "added", f"the property is not in {against}", _never))
    return found


def _of_one(old: Stated, new: Stated, against: str) -> list[Difference]:
    """The differences of one property. Results that speak of something else now are not compared."""
    found: list[Difference] = []
    if old.claim is not None and new.claim is not None:
        found += _claims(old.claim, new.claim, new, str(old.claim.get("check")), against)
    if old.result is not None and new.result is not None:
        changed = {one.change.key for one in found if one.change.kind in _CODES}
        incomparable = {key for key, causes in _DEPENDS.items() if changed & causes}
        found += _results(old.result, new.result, new, against, incomparable)
    return found


def _never(before: Plain | None, after: Plain | None) -> Answer:
    return None


def _claims(
    old: Mapping[str, Plain], new: Mapping[str, Plain], place: Stated, kind: str, against: str
) -> Iterable[Difference]:
    keys = ["check"] if old.get("check") != new.get("check") else sorted({*old, *new})
    for key in keys:
        order = order_of(kind, key)
        before, after = old.get(key), new.get(key)
        answer = order(before, after)
        if key == "listed" and answer == 1 and not (_all_needed(old) and _all_needed(new)):
            answer = None
        if answer == 0:
            continue
        what: Kind = "changed" if answer is None else "stronger" if answer > 0 else "weakened"
        words = {
            "changed": "it cannot be told whether the claim is weaker",
            "weakened": "the claim is weaker",
            "stronger": "the claim is stronger",
        }[what]
        message = f"`{key}` was {_words(before)} in {against} and is {_words(after)}: {words}"
        yield _difference(what, place, key, message, order, before, after)


def _results(
    old: Mapping[str, Plain], new: Mapping[str, Plain], place: Stated, against: str, incomparable: set[str]
) -> Iterable[Difference]:
    answered = RESULTS["verdict"]("UNKNOWN", new.get("verdict")) in _AS_STRONG
    lost = RESULTS["verdict"](old.get("verdict"), new.get("verdict")) == -1
    for key, order in RESULTS.items():
        if key in incomparable or (key not in old and key not in new) or (key != "verdict" and not answered):
            continue
        if lost and key in ("level", "bounds") and key not in new:
            continue  # there is no proof, which the verdict says
        before, after = old.get(key), new.get(key)
        answer = order(before, after)
        if answer == 0:
            continue
        what: Kind = "better" if answer is not None and answer > 0 else "worse"
        message = f"`{key}` was {_words(before)} in {against} and is {_words(after)}: {what}"
        yield _difference(what, place, key, message, order, before, after)


def _all_needed(claim: Mapping[str, Plain]) -> bool:
    return claim.get("at_least", "1") == "1"


def _words(value: Plain | None) -> str:
    return "absent" if value is None else f"{shown_value(value)}"


def _difference(
    kind: Kind,
    place: Stated,
    key: str,
    message: str,
    order: Order,
    before: Plain | None = None,
    after: Plain | None = None,
) -> Difference:
    code = _CODES.get(kind, "")
    change = Change(
        kind=kind,
        id=place.id,
        key=key,
        message=message,
        code=code,
        fix=CODES[code].fix if code else "run `torchlean baseline write` and commit the file",
        file=place.place.file,
        line=place.place.line,
        column=place.place.column,
        before=shown_value(before),
        after=shown_value(after),
    )
    return Difference(change, order, after)


def announced(waiver: Waiver) -> Difference:
    """A waiver that the head brings: it counts nothing yet, and whoever reviews it should see it."""
    change = _about_waiver(
        waiver,
        "waiver",
        "",
        f"a new waiver of {shown_value(waiver.waives)} by {waiver.words}; it counts once it is in the base",
        waiver.span,
        "",
    )
    return Difference(replace(change, kind="added"), _never, None)


def each_once(found: Iterable[Difference]) -> list[Difference]:
    """The differences without those that another comparison has found too, by id and key."""
    kept: dict[tuple[str, str, str], Difference] = {}
    for one in found:
        kept.setdefault((one.change.id, one.change.key, one.change.after), one)
    return sorted(kept.values(), key=lambda one: (one.change.id, one.change.key, one.change.after))


@dataclass
class Waived:
    """The differences after waivers, and the waivers' keys that let something through."""

    changes: list[Change] = field(default_factory=list)
    used: set[tuple[str, str]] = field(default_factory=set)


def waive(found: Iterable[Difference], files: Iterable[Waivers], today: date) -> Waived:
    """Mark what a valid waiver lets through. A waiver is of its property, of its keys and of its values."""
    valid = [one for file in files for one in file.listed if _in_time(one, today)]
    result = Waived()
    for one in found:
        change = one.change
        for waiver in valid if change.fails else ():
            if waiver.id == change.id and _lets_through(waiver, one):
                result.used.add((waiver.id, change.key))
                change = replace(change, waived_by=waiver.words)
                break
        result.changes.append(change)
    return result


def _in_time(waiver: Waiver, today: date) -> bool:
    return today <= waiver.expires <= today + timedelta(days=MOST_DAYS)


def _lets_through(waiver: Waiver, found: Difference) -> bool:
    if found.change.key not in waiver.waives:
        return False
    target = waiver.waives[found.change.key]
    if found.change.kind == "removed":
        return target == "true"
    return found.order(target, found.after) in _AS_STRONG


def stale(
    waivers: Waivers,
    before: Mapping[str, Stated],
    today: date,
    unused: Callable[[str, str], bool],
) -> list[Change]:
    """What is wrong with waivers: expired, too long, or waiving nothing any more.

    A key waives nothing any more where the baseline already is as weak as it allows, or where
    `unused(id, key)` says so.
    """
    found = []
    for one in waivers.listed:
        if today > one.expires:
            message = f"the waiver of {one.owner} expired on {one.expires.isoformat()}"
            found.append(_about_waiver(one, "expired", "TL1105", message, one.span, waivers.file))
            continue
        if one.expires > today + timedelta(days=MOST_DAYS):
            message = f"the waiver ends on {one.expires.isoformat()}, more than {MOST_DAYS} days from today"
            found.append(_about_waiver(one, "expires", "TL1107", message, one.span, waivers.file))
        for key in one.waives:
            if _spent(one, key, before.get(one.id)) or unused(one.id, key):
                message = f"the waiver of {one.owner} for `{key}` waives nothing"
                span = one.places.get(key) or one.span
                found.append(_about_waiver(one, key, "TL1106", message, span, waivers.file))
    return found


def _spent(waiver: Waiver, key: str, before: Stated | None) -> bool:
    if before is None:
        return True
    if key == "removed":
        return waiver.waives[key] != "true"
    claim, result = before.claim or {}, before.result or {}
    order = RESULTS[key] if key in RESULTS else order_of(str(claim.get("check")), key)
    value = result.get(key) if key in RESULTS else claim.get(key)
    return order(value, waiver.waives[key]) in _AS_STRONG


def _about_waiver(
    waiver: Waiver, key: str, code: str, message: str, span: SourceSpan | None, file: str
) -> Change:
    place = span or SourceSpan(file, 1, 1)
    return Change(
        kind="waiver",
        id=waiver.id,
        key=key,
        message=message,
        code=code,
        fix=CODES[code].fix if code else "",
        file=place.file,
        line=place.line,
        column=place.column,
    )


def in_order(changes: Sequence[Change]) -> tuple[Change, ...]:
    """What fails first, then by id and key."""
    return tuple(sorted(changes, key=lambda one: (not one.fails, one.id, one.key, one.kind)))
