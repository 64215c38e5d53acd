"""Derivatives of graphs with respect to their inputs, as graphs again: forward mode, first and second order,
and reverse mode.

`build.py` puts nodes together, `rules.py` has one rule for each operation, `forward.py` passes a graph, and
`reverse.py` goes back from one output.
"""

from pytest_torchlean.derivatives.build import Builder
from pytest_torchlean.derivatives.forward import Jet, differentiated
from pytest_torchlean.derivatives.reverse import gradient_graph

__all__ = ["Builder", "Jet", "differentiated", "gradient_graph"]
