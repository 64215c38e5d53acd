"""How Lean's conclusions bound the rows of a property, in exact integers: Check.Direct, Compose and Weighted.

Each function gives lower bounds of rows, or of sums of rows, for many boxes at once, (rows, boxes), and
whether Lean takes the numbers. They raise Unforeseen where Lean refuses whatever the bounds are. Rows
that are substituted backward are in certificate/relaxation.
"""

from __future__ import annotations

import numpy as np

from pytest_torchlean.certificate.bounding import Integers, Matrix, matrix_of, sums
from pytest_torchlean.certificate.model import ComposedData, DecodingData, DirectData, ScaleData, WeightedData
from pytest_torchlean.certificate.statement import AffineData, PropertyData
from pytest_torchlean.certificate.words import decodes, decoding_of, factor_of, patterns_of


class Unforeseen(Exception):
    """A script that Lean refuses whatever the bounds are."""


def decoded(data: AffineData, decoding: DecodingData) -> Matrix:
    """The decoded weights. Raises Unforeseen for a decoding that is not sure to fit them."""
    if not decodes(decoding_of(patterns_of(data)), decoding, data.lanes):
        raise Unforeseen("a decoding of other weights")
    return matrix_of(data, decoding)


def room(scale: ScaleData, columns: int, bits: int) -> bool:
    """Whether a half digit holds a sum of so many columns with parts of so many bits: Linear.reach."""
    return columns * (scale.top << (bits + 1)) < 1 << scale.half


def direct(
    scale: ScaleData, about: PropertyData, how: DirectData, lower: Integers, upper: Integers
) -> tuple[Integers, bool]:
    """Check.Direct.run."""
    matrix = decoded(about.forms, how.forms)
    return _bounds(scale, matrix, lower, upper), room(scale, about.forms.columns, how.forms.bits)


def composed(
    scale: ScaleData,
    about: PropertyData,
    how: ComposedData,
    node: AffineData,
    error: Integers | None,
    lower: Integers,
    upper: Integers,
) -> tuple[Integers, bool]:
    """Check.Compose.run: the forms with the last node substituted. error: its radii under binary32."""
    forms, last = decoded(about.forms, how.forms), decoded(node, how.last)
    weights = forms.positive - forms.negative
    tails = weights[:, node.rows :] * factor_of(node.divisor, how.last)
    table = np.concatenate([weights[:, : node.rows] @ (last.positive - last.negative), tails], axis=1)
    sources = np.concatenate([last.sources[:1], forms.sources[:1, node.rows :]], axis=1)
    found = _bounds(scale, _signed_parts(table, sources), lower, upper)
    if error is not None:
        found = found - (forms.positive + forms.negative)[:, : node.rows] @ error
    return found, composable(scale, about.forms, how, node, rounded=error is not None)


def composable(
    scale: ScaleData, forms: AffineData, how: ComposedData, node: AffineData, *, rounded: bool
) -> bool:
    """Check.Compose.fits."""
    if how.bits >= 32 * forms.lanes or how.last.bits >= 32 * node.lanes:
        return False
    reach = node.columns * (scale.top << (how.bits + 1))
    reach += (forms.columns - node.rows) * (
        2 * scale.top * factor_of(node.divisor, how.last) << how.forms.bits
    )
    if rounded:
        spare = how.forms.bits + node.rows.bit_length() - 1 + 8
        reach += node.rows << (max(0, scale.half - spare) + how.forms.bits + 1)
    return node.rows << (how.last.bits + how.forms.bits + 1) < 1 << how.bits and reach < 1 << scale.half


def weighted(
    scale: ScaleData, about: PropertyData, how: WeightedData, lower: Integers, upper: Integers
) -> tuple[Integers, bool]:
    """Check.Weighted.run: a lower bound of every clause's weighted sum."""
    forms, rows = about.forms, about.forms.rows
    clauses = -(-rows // about.alternatives)
    sizes = [min(about.alternatives, rows - about.alternatives * clause) for clause in range(clauses)]
    fits = (
        max(how.bits, how.size) < 32 * forms.lanes
        and rows << (how.forms.bits + how.bits + 1) < 1 << how.size
        and room(scale, forms.columns, how.size)
        and len(how.weights) == clauses
        and all(
            len(own) <= size and sum(own) >= 1 and max(own) <= 1 << how.bits
            for own, size in zip(how.weights, sizes, strict=True)
        )
    )
    if not fits:
        raise Unforeseen("weights that Lean does not take")
    matrix = decoded(forms, how.forms)
    blend = np.zeros((clauses, rows), dtype=object)
    for clause, own in enumerate(how.weights):
        first = clause * about.alternatives
        blend[clause, first : first + len(own)] = own
    table = blend @ (matrix.positive - matrix.negative)
    return _bounds(scale, _signed_parts(table, matrix.sources), lower, upper), True


def _signed_parts(table: Integers, sources: Integers) -> Matrix:
    return Matrix(np.maximum(table, 0), np.maximum(-table, 0), sources)


def _bounds(scale: ScaleData, matrix: Matrix, lower: Integers, upper: Integers) -> Integers:
    if int(matrix.sources.max(initial=0)) >= len(lower):
        raise Unforeseen("forms of slots that are not written")
    below, _ = sums(scale, matrix, 0, lower, upper)
    found: Integers = below - (scale.center * matrix.mass)[:, None]
    return found
