"""Scripts as trees that share parts: children, and the order in which shared parts are defined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_args

from pytest_torchlean.certificate.model import ScriptData

_LONGEST_CHAIN = 16
"""A term holds at most this many scripts within each other; what is longer gets names in between."""
_SCRIPTS = get_args(ScriptData)


def children(script: ScriptData) -> tuple[ScriptData, ...]:
    """The scripts that a script continues with."""
    parts = [getattr(script, field.name) for field in fields(script)]
    return tuple(part for part in parts if isinstance(part, _SCRIPTS))


def same(left: Any, right: Any) -> bool:
    """left == right of certificates' data, whose scripts may nest deeper than Python's calls."""
    pending = [(left, right)]
    while pending:
        one, other = pending.pop()
        if one is other:
            continue
        if isinstance(one, tuple) and isinstance(other, tuple):
            if len(one) != len(other):
                return False
            pending.extend(zip(one, other, strict=True))
        elif is_dataclass(one) and type(one) is type(other):
            names = [field.name for field in fields(one) if field.compare]
            pending.extend((getattr(one, name), getattr(other, name)) for name in names)
        elif one != other:
            return False
    return True


@dataclass(frozen=True, eq=False)
class SharedScripts:
    """Equal scripts are one: `defined` in an order in which each needs only earlier ones."""

    defined: tuple[ScriptData, ...]
    _number_of: dict[int, int]
    """Object identity to the number of the definition; the objects are held by `_kept`."""
    _kept: tuple[ScriptData, ...]

    def number(self, script: Any) -> int | None:
        """Which definition a script object of these trees has; None for other values and unnamed scripts."""
        return self._number_of.get(id(script))


def share(roots: Iterable[ScriptData]) -> SharedScripts:
    """Name every root, every script that is used twice and every sixteenth script of a chain."""
    roots = tuple(roots)
    kind_of: dict[int, int] = {}
    keys: dict[tuple[Any, ...], int] = {}
    first: list[ScriptData] = []
    uses: list[int] = []
    kept: list[ScriptData] = []
    pending = [(root, False) for root in reversed(roots)]
    while pending:
        script, ready = pending.pop()
        if id(script) in kind_of:
            continue
        own = children(script)
        if not ready:
            pending.append((script, True))
            pending.extend((child, False) for child in reversed(own))
            continue
        data = [
            part
            for part in (getattr(script, field.name) for field in fields(script))
            if not isinstance(part, _SCRIPTS)
        ]
        numbers = [kind_of[id(child)] for child in own]
        key = (type(script), *data, *numbers)
        if key not in keys:
            keys[key] = len(first)
            first.append(script)
            uses.append(0)
            for child in numbers:
                uses[child] += 1
        kind_of[id(script)] = keys[key]
        kept.append(script)
    for root in roots:
        uses[kind_of[id(root)]] += 2
    heights: list[int] = []
    places: dict[int, int] = {}
    for kind, script in enumerate(first):
        below = [kind_of[id(child)] for child in children(script)]
        height = 1 + max((0 if child in places else heights[child] for child in below), default=0)
        heights.append(height)
        if uses[kind] > 1 or height >= _LONGEST_CHAIN:
            places[kind] = len(places)
    names = {identity: places[kind] for identity, kind in kind_of.items() if kind in places}
    return SharedScripts(tuple(first[kind] for kind in places), names, tuple(kept))
