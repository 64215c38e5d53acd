"""`--shape` and `--dim`: extents for the dimensions that a model file leaves open."""

from __future__ import annotations

import argparse

from pytest_torchlean.errors import SpecError
from pytest_torchlean.spec.document import InputShapes
from pytest_torchlean.spec.shapes import shapes_of_arguments


def given_shapes(options: argparse.Namespace) -> InputShapes:
    """What the options say. Raises SpecError for what is no shape."""
    shapes = {name: _extents(text, "--shape") for name, text in _pairs(options.shape, "--shape")}
    dims = {name: _extents(text, "--dim") for name, text in _pairs(options.dim, "--dim")}
    if any(len(extents) != 1 for extents in dims.values()):
        raise SpecError("TL0307", "--dim gives one extent to each symbol", fix="write e.g. --dim seq=128")
    arguments: dict[str, object] = {"shapes": shapes} if shapes else {}
    if dims:
        arguments["dims"] = {name: extents[0] for name, extents in dims.items()}
    return shapes_of_arguments(arguments)


def _pairs(texts: list[str], option: str) -> list[tuple[str, str]]:
    pairs = [text.rpartition("=") for text in texts]
    if any(not name for name, _, _ in pairs):
        raise SpecError("TL0307", f"{option} takes NAME=EXTENTS", fix=f"write e.g. {option} x=1")
    return [(name, extents) for name, _, extents in pairs]


def _extents(text: str, option: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise SpecError(
            "TL0307", f"{option}: {text[:60]!r} is no list of integers", fix="write e.g. 1,3,224,224"
        ) from None
