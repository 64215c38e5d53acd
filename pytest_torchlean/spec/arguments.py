"""Keyword arguments of the decorator API, decoded by the tables that decode torchlean.yaml."""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from pytest_torchlean.errors import SpecError
from pytest_torchlean.spec import kinds
from pytest_torchlean.spec.blocks import decode_block
from pytest_torchlean.spec.context import Context, Invalid
from pytest_torchlean.spec.decode import build
from pytest_torchlean.spec.fields import FilePath
from pytest_torchlean.spec.kinds import Kind
from pytest_torchlean.spec.model import PropertySpec
from pytest_torchlean.spec.tree import Mapping, Scalar, Tree, from_python

Number = str | int | float | Fraction
Share = str | int | Fraction
Side = Number | Sequence[Number]
Pair = tuple[Side, Side] | AbstractMapping[str, Side]
OpenPair = tuple[Side | None, Side | None] | AbstractMapping[str, Side]

_Built = TypeVar("_Built", bound=PropertySpec)
_FILLED_BY_BIND = ("name", "model", "check")
_SIGNATURE_FIX = "give text, numbers, or pairs (lower, upper) of them"


def refuse_float_shares(function: str, **shares: object) -> None:
    """Raises SpecError TL0307 for a share that is a float."""
    for key, share in shares.items():
        if isinstance(share, float):
            raise SpecError(
                "TL0307",
                f"{function}(): `{key}` must not be a float: {share!r} is not the exact share it shows",
                fix=f'write it as text: `{key}="90%"` or `{key}="{share!r}"`',
            )


def box_of(box: object) -> object:
    """A pair as the block with `lower` and `upper` that the decoder reads; anything else unchanged."""
    if isinstance(box, tuple) and len(box) == 2:
        return {key: side for key, side in zip(("lower", "upper"), box, strict=True) if side is not None}
    return box


def make_property(
    called: str, result: type[_Built], kind: Kind, /, *, files: Sequence[str] = (), **arguments: Any
) -> _Built:
    """Decode arguments by the table of `kind`; None means that the argument was not given.

    files: arguments that are paths here and names in torchlean.yaml.
    """
    built = read_arguments(called, kind, arguments, Context(), files)
    assert isinstance(built, result)
    return built


def read_arguments(
    function: str,
    kind: Kind,
    arguments: AbstractMapping[str, Any],
    context: Context,
    files: Sequence[str] = (),
) -> PropertySpec:
    """The property that keyword arguments describe; those that are None were not given. Raises SpecError."""
    entries = []
    for key, value in arguments.items():
        if value is None:
            continue
        try:
            entries.append((Scalar(key), from_python(value)))
        except TypeError as error:
            raise SpecError("TL0307", f"{function}(): `{key}`: {error}", fix=_SIGNATURE_FIX) from None
    fields = [
        replace(entry, type=_PathText()) if entry.key in files else entry
        for entry in kinds.fields_of(kind)
        if entry.key not in _FILLED_BY_BIND
    ]
    tree = Mapping(tuple(entries))
    values = decode_block(tree, fields, f"{function}()", context)
    built = values if isinstance(values, Invalid) else build(kind, values, tree, context)
    if isinstance(built, Invalid):
        first = context.problems[0].error
        others = [f"; {problem.error.message}" for problem in context.problems[1:]]
        raise SpecError(first.code, f"{function}(): {first.message}{''.join(others)}", fix=first.fix)
    return built


@dataclass(frozen=True)
class _PathText(FilePath):
    """A path as text with forward slashes."""

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        found = super().decode(tree, label, context)
        return found.as_posix() if isinstance(found, Path) else found
