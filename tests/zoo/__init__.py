"""A zoo of bugs: minimal models, each with what is wrong about it and what the gate says."""

from __future__ import annotations

from zoo import exports, infinities, rounding, structure

ALL = (*rounding.SPECIMENS, *infinities.SPECIMENS, *structure.SPECIMENS, *exports.SPECIMENS)
