"""Boxes of states on which a claim about a closed loop is made."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pytest_torchlean.spec.vnnlib import Atom, Case, InputBox


def never(box: InputBox, place: int) -> Case:
    """What no state of the box does: its first element, the output at `place`, lies more than 1 below it.

    It stands for a claim that no state can break whatever the control is, so that Lean has a word on it too.
    """
    return Case(box, (Atom((), ((place, Fraction(1)),), 1 - box.lower[0], False),))


def core_of(region: InputBox, ball: Sequence[Fraction]) -> InputBox:
    """The box around the origin with half sides `ball`, as far as it lies in the region."""
    lower = tuple(max(low, -half) for low, half in zip(region.lower, ball, strict=True))
    upper = tuple(min(high, half) for high, half in zip(region.upper, ball, strict=True))
    return InputBox(lower, upper)


def shell_of(region: InputBox, ball: Sequence[Fraction]) -> tuple[InputBox, ...]:
    """Boxes that cover the region outside that box, and meet only in faces; none where that holds it all."""
    core, found = core_of(region, ball), []
    lower, upper = list(region.lower), list(region.upper)
    if all(low >= -half and high <= half for low, half, high in zip(lower, ball, upper, strict=True)):
        return ()
    for place, half in enumerate(ball):
        if lower[place] <= -half:
            found.append(InputBox(tuple(lower), (*upper[:place], -half, *upper[place + 1 :])))
        if upper[place] >= half:
            found.append(InputBox((*lower[:place], half, *lower[place + 1 :]), tuple(upper)))
        lower[place], upper[place] = core.lower[place], core.upper[place]
    return tuple(found)


def faces_of(region: InputBox) -> tuple[InputBox, ...]:
    """The sides of the region's box."""
    lower, upper, found = region.lower, region.upper, []
    for place in range(len(lower)):
        for end in (lower[place], upper[place]):
            behind = slice(place + 1, None)
            least, most = ((*side[:place], end, *side[behind]) for side in (lower, upper))
            found.append(InputBox(least, most))
    return tuple(found)
