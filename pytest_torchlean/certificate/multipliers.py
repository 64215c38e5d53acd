"""Multipliers of the bounds of slots in rows on their way back, as Check/Relaxation/Multiply does it.

They let a row use what a split tells about a slot: the dual variables called beta in beta-CROWN (Wang et al.,
Beta-CROWN: Efficient Bound Propagation with Per-neuron Split Constraints, 2021).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.rows import LONGEST, Box, Rows, require
from pytest_torchlean.certificate.substitution import MultiplierData, MultiplyData

Float64 = NDArray[np.float64]


def chosen_multipliers(rows: Rows, wanted: Float64) -> MultiplyData:
    """Multipliers in the rows' own units, and the bits that coefficients then need."""
    amounts = np.rint(np.abs(wanted) * rows.scale / rows.weight)
    found = tuple(
        MultiplierData(int(row), int(place), int(amounts[row, place]), bool(wanted[row, place] > 0))
        for row, place in np.argwhere(amounts > 0)
    )
    total = sum(one.amount for one in found)
    return MultiplyData(found, ((1 << rows.size) + total - 1).bit_length())


def multiplied(box: Box, link: MultiplyData, rows: Rows) -> Rows:
    """The rows with multipliers of the bounds of their slots: Check.Relaxation.multiply."""
    require(rows.places is None and rows.size < rows.digit and link.size <= LONGEST)
    require(rows.start + rows.count <= len(box.lower) and rows.count <= rows.width)
    form, gain, loss = rows.form.copy(), rows.gain.copy(), rows.loss.copy()
    scale, total = box.scale, 0
    for one in link.multipliers:
        require(one.row < len(form) and one.place < rows.count)
        slot = rows.start + one.place
        form[one.row, one.place] += one.amount if one.upper else -one.amount
        bound = scale.top - box.upper[slot] if one.upper else box.lower[slot]
        gain[one.row] += rows.weight * one.amount * bound
        loss[one.row] += rows.weight * one.amount * scale.center
        total += one.amount
    require((1 << rows.size) + total <= 1 << link.size and link.size < rows.digit)
    limit = rows.limit + rows.weight * total * scale.top
    return replace(rows, form=form, gain=gain, loss=loss, limit=limit, size=link.size)
