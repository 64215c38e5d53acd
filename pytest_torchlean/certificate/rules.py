"""Which set of the checker's rules a certificate names, after lean/PytestTorchLean/Check/Rules.lean.

A network of affine nodes, ReLU, maximum and minimum needs none, so that its users do not build the modules
that prove the others sound.
"""

from __future__ import annotations

from enum import Enum

from pytest_torchlean.certificate.statement import BilinearData, CurveData, GraphData, QuotientData


class Rules(Enum):
    """A set of rules, by its name in Lean."""

    PLAIN = "Rules.plain"
    """No rules."""
    SMOOTH = "Rules.smooth"
    """Rules for curves, sums of products and quotients."""

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that a certificate with these rules imports besides the library's root."""
        return () if self is Rules.PLAIN else ("PytestTorchLean.Smooth",)


def rules_of(graph: GraphData) -> Rules:
    """The smallest set that has rules for every node of the graph."""
    smooth = any(isinstance(node, CurveData | BilinearData | QuotientData) for node in graph.nodes)
    return Rules.SMOOTH if smooth else Rules.PLAIN
