"""Derivatives of graphs with respect to their inputs, as graphs again: forward mode, first and second order.

`build.py` puts nodes together, `rules.py` has one rule for each operation, `forward.py` passes a graph.
"""

from pytest_torchlean.derivatives.build import Builder
from pytest_torchlean.derivatives.forward import Jet, differentiated

__all__ = ["Builder", "Jet", "differentiated"]
