"""One tree of cases as several theorems: lean/PytestTorchLean/Thm/Parts joins them.

The kernel keeps what it computes until a theorem ends. A tree whose theorem would take too much memory is cut
at its first splits; each part assumes the cases on its path and proves the claim there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_torchlean.certificate.costs import decoding_cost, script_cost
from pytest_torchlean.certificate.model import (
    CaseData,
    CertificateData,
    DifferScript,
    Emission,
    KnownScript,
    LinearizeScript,
    NodeScript,
    PartScript,
    ScriptData,
    SplitScript,
    TightenScript,
)

Piece = NodeScript | TightenScript | DifferScript | LinearizeScript | int
"""A step of a script, or the number of the case that is assumed here, the outermost 0."""


def apart(emission: Emission, megabytes: float) -> Emission:
    """The emission with a theorem for each part of its tree, where one theorem would take more memory.

    As it is where that helps nothing: several boxes, or no cases.
    """
    if emission.apart or len(emission.claims) != 1 or len(emission.claims[0].boxes) != 1:
        return emission
    room = megabytes - decoding_cost(emission.graph).megabytes
    parts = tuple(_parts(emission, emission.certificate.scripts[0][0], room, (), ()))
    if len(parts) == 1:
        return emission
    return replace(emission, certificate=CertificateData(emission.certificate.scale, ()), apart=parts)


def _parts(
    emission: Emission,
    script: ScriptData,
    room: float,
    before: tuple[Piece, ...],
    cases: tuple[CaseData, ...],
) -> Iterator[PartScript]:
    whole = _after(before, script, len(cases))
    if script_cost(emission.graph, whole, emission.claims[0].property.forms.rows).megabytes > room:
        pieces, rest = list(before), script
        while isinstance(rest, NodeScript | TightenScript | DifferScript | LinearizeScript):
            pieces.append(rest)
            rest = rest.rest
        if isinstance(rest, SplitScript):
            for below, branch in ((True, rest.below), (False, rest.above)):
                path = (*cases, CaseData(rest.slot, rest.value, below))
                yield from _parts(emission, branch, room, (*pieces, len(cases)), path)
            return
    yield PartScript(cases[::-1], whole)


def _after(pieces: Sequence[Piece], script: ScriptData, count: int) -> ScriptData:
    """The script behind these pieces; Lean counts the cases of a path from the innermost on."""
    for piece in reversed(pieces):
        script = (
            KnownScript(count - 1 - piece, script) if isinstance(piece, int) else replace(piece, rest=script)
        )
    return script


def joined(parts: Sequence[PartScript], theorem: Sequence[str]) -> str:
    """The term that joins the theorems of the parts, in their order, up to the empty path.

    ValueError where the paths are not those of a tree.
    """
    return _joined(list(zip(parts, theorem, strict=True)), 0)


def _joined(named: list[tuple[PartScript, str]], depth: int) -> str:
    if len(named) == 1 and len(named[0][0].path) == depth:
        return f"PartHolds.checked K {named[0][1]}"
    cases = [part.path[-depth - 1] if len(part.path) > depth else None for part, _ in named]
    first = cases[0] if cases else None
    if first is None or set(cases) != {first, replace(first, below=not first.below)}:
        raise ValueError("the paths of the parts are not those of a tree")
    sides = [
        [own for own, case in zip(named, cases, strict=True) if case is not None and case.below is below]
        for below in (True, False)
    ]
    below, above = (_joined(side, depth + 1) for side in sides)
    return f"PartHolds.join ({below}) ({above})"
