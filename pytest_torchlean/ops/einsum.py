"""Einsum: sums of products over named axes.

ONNX Einsum since 12. Schedule: the operands are multiplied from left to right, every product rounded, and
summed over the axes that the result does not name, in the order in which the equation first names them.
"""

from __future__ import annotations

import math
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
    products = math.prod(extents.values())
    if _as_matmul(terms, result) is None and products > MOST_PRODUCTS:
        raise ShapeError(f"it forms more than {MOST_PRODUCTS} products")
    return (ValueType("float32", tuple(extents[letter] for letter in result)),)


def _aligned(x: Any, term: str, order: Sequence[str]) -> Any:
    """The operand with its distinct axes in this order, absent ones with extent 1; diagonals taken."""
    distinct = list(dict.fromkeys(term))

    def align(values: Any) -> Any:
        view = np.einsum(values, [distinct.index(letter) for letter in term], range(len(distinct)))
        axes = [distinct.index(letter) for letter in order if letter in distinct]
        shape = [view.shape[distinct.index(letter)] if letter in distinct else 1 for letter in order]
        return np.transpose(view, axes).reshape(shape)

    return x.moved(align)


def _as_matmul(terms: Sequence[str], result: str) -> tuple[list[str], list[str], list[str], list[str]] | None:
    """Shared, left, right and summed axes where the equation is one matrix product, None otherwise."""
    if len(terms) != 2:
        return None
    left, right = (list(dict.fromkeys(term)) for term in terms)
    shared = [x for x in left if x in right and x in result]
    summed = [x for x in left if x in right and x not in result]
    rows = [x for x in left if x not in right]
    columns = [x for x in right if x not in left]
    alone = [x for x in (*rows, *columns) if x not in result]
    return None if alone or not summed else (shared, rows, columns, summed)


def _formula(node: Node, operands: Sequence[Any]) -> list[Any]:
    terms, result = parse(_equation(node), [len(x.shape) for x in operands])
    extents = _extents(terms, [x.shape for x in operands])
    parts = _as_matmul(terms, result)
    if parts is not None:
        return [_product(operands, terms, result, extents, parts)]
    summed = [letter for letter in dict.fromkeys("".join(terms)) if letter not in result]
    order = [*summed, *result]
    total = _aligned(operands[0], terms[0], order)
    for x, term in zip(operands[1:], terms[1:], strict=True):
        total = total * _aligned(x, term, order)
    wanted = tuple(extents[letter] for letter in order)
    total = total.moved(lambda values: np.broadcast_to(values, wanted))
    axes = tuple(range(len(summed)))
    return [total.sum(axes).dropped(axes) if axes else total]


def _product(
    operands: Sequence[Any],
    terms: Sequence[str],
    result: str,
    extents: dict[str, int],
    parts: tuple[list[str], list[str], list[str], list[str]],
) -> Any:
    """The equation as matrix products over the shared axes."""
    shared, rows, columns, summed = parts

    def matrices(x: Any, term: str, first: list[str], second: list[str]) -> Any:
        order = [*shared, *first, *second]
        wanted = tuple(extents[letter] for letter in order)
        batch, one = wanted[: len(shared)], wanted[len(shared) : len(shared) + len(first)]
        shape = (*batch, math.prod(one), math.prod(wanted[len(shared) + len(first) :]))
        full = _aligned(x, term, order)
        return full.moved(lambda values: np.broadcast_to(values, wanted).reshape(shape))

    left = matrices(operands[0], terms[0], rows, summed)
    right = matrices(operands[1], terms[1], summed, columns)
    found = [*shared, *rows, *columns]
    product = left.matmul(right).reshaped(*(extents[letter] for letter in found))
    return product.moved(lambda values: np.transpose(values, [found.index(letter) for letter in result]))


RULES = {"Einsum": rule_of(_infer, _formula)}
