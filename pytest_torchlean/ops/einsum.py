"""Einsum: sums of products over named axes.

ONNX Einsum since 12. Schedule: the operands are multiplied from left to right, every product rounded, and
summed over the axes that the result does not name, in the order in which the equation first names them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_torchlean.ir.graph import Node, ValueType
from pytest_torchlean.ops.formula import rule_of
from pytest_torchlean.ops.rule import ShapeError, Types, float_type

MOST_PRODUCTS = 2**24
"""Largest number of products that are held at once."""


def parse(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The axes of every operand and of the result, one letter each. ShapeError for a malformed equation.

    An ellipsis becomes digits, so that the broadcast axes are the last digits of each operand.
    """
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ShapeError(f"equation {equation!r} is for {len(terms)} operands")
    named = [len(term.replace("...", "")) for term in terms]
    free = max((rank - count for rank, count in zip(ranks, named, strict=True)), default=0)
    digits = "".join(chr(ord("0") + at) for at in range(max(free, 0)))
    full = []
    for term, rank, count in zip(terms, ranks, named, strict=True):
        own = rank - count
        if own < 0 or (own and "..." not in term) or term.count("...") > 1 or free > 9:
            raise ShapeError(f"equation {equation!r} does not fit operands of ranks {tuple(ranks)}")
        full.append(term.replace("...", digits[len(digits) - own :]))
    letters = "".join(full)
    if arrow:
        result = right.replace("...", digits)
    else:
        single = sorted(x for x in set(letters) if letters.count(x) == 1 and not x.isdigit())
        result = digits + "".join(single)
    known = all(x.isalnum() and x.isascii() for x in letters + result)
    if not known or len(set(result)) != len(result) or not set(result) <= set(letters):
        raise ShapeError(f"equation {equation!r} is not valid")
    return full, result


def _equation(node: Node) -> str:
    return str(node.attribute("equation"))


def _extents(terms: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
    extents: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, extent in zip(term, shape, strict=True):
            if extents.setdefault(letter, extent) in (1, extent):
                extents[letter] = extent
            elif extent != 1:
                raise ShapeError(f"axis {letter} has the extents {extents[letter]} and {extent}")
    return extents


def _infer(node: Node, types: Types) -> tuple[ValueType, ...]:
    shapes = [float_type(kind, "an operand").shape for kind in types]
    terms, result = parse(_equation(node), [len(shape) for shape in shapes])
    extents = _extents(terms, shapes)
    if int(np.prod([float(extent) for extent in extents.values()])) > MOST_PRODUCTS:
        raise ShapeError(f"it forms more than {MOST_PRODUCTS} products")
    return (ValueType("float32", tuple(extents[letter] for letter in result)),)


def _formula(node: Node, operands: Sequence[Any]) -> list[Any]:
    terms, result = parse(_equation(node), [len(x.shape) for x in operands])
    extents = _extents(terms, [x.shape for x in operands])
    summed = [letter for letter in dict.fromkeys("".join(terms)) if letter not in result]
    order = [*summed, *result]

    def aligned(values: Any, term: str) -> Any:
        distinct = list(dict.fromkeys(term))
        view = np.einsum(values, [ord(x) - 48 for x in term], [ord(x) - 48 for x in distinct])
        axes = [distinct.index(letter) for letter in order if letter in distinct]
        shape = [view.shape[distinct.index(x)] if x in distinct else 1 for x in order]
        return np.transpose(view, axes).reshape(shape)

    total = None
    for x, term in zip(operands, terms, strict=True):
        part = x.moved(lambda values, term=term: aligned(values, term))
        total = part if total is None else total * part
    assert total is not None
    wanted = tuple(extents[letter] for letter in order)
    total = total.moved(lambda values: np.broadcast_to(values, wanted))
    axes = tuple(range(len(summed)))
    return [total.sum(axes).dropped(axes) if axes else total]


RULES = {"Einsum": rule_of(_infer, _formula)}
