"""What the record says a verdict rests on: sentences of the trust ledger, and the line about the runtime."""

from __future__ import annotations

from pytest_torchlean.ops.elementary import ASSUMED, CURVES, SEQUENCED
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.proving import Proof
from pytest_torchlean.spec.model import PropertySpec

REAL_RUNTIME_LINE = (
    "not claimed: the proof is about exact arithmetic on the stored weights; `check: runtime` compares "
    "the runtime's rounding"
)
SMOOTH = (
    "Assumed of the runtime, under binary32: every result of {} is within the budget of Spec/Curve of the "
    "real function's value (measured, not derived: benchmarks/ELEMENTARY.md)."
)
SEQUENCES = (
    "Assumed of the runtime, under binary32: {} is computed as the sequence of rounded operations that "
    "docs/products.md names, the exponential within its budget."
)
EXPONENTIAL = (
    "The theorem speaks of number systems with an exponential function; read it over the real numbers."
)
_EXACT = frozenset({"Sign"})
"""Operators that are curves for the theorem, as smooth functions are, though nothing is assumed of them."""


def runtime_line(prop: PropertySpec, executions: Executions) -> str:
    """The ledger's line about onnxruntime. Raises RuntimeFailure TL0702 where it refuses the model."""
    return executions.runtime_line if prop.chosen_semantics == "binary32" else REAL_RUNTIME_LINE


def trust_of(context: PropertyContext, proof: Proof) -> tuple[str, ...]:
    """The ledger's sentences for a proof about this model."""
    trust = proof.trust
    used = {node.op for node in context.graph.nodes}
    if used & ASSUMED:
        trust = (*trust, SMOOTH.format(", ".join(sorted(used & ASSUMED))))
    if used & SEQUENCED:
        trust = (*trust, SEQUENCES.format(", ".join(sorted(used & SEQUENCED))))
    if used & (ASSUMED | SEQUENCED | CURVES.keys() | _EXACT):
        trust = (*trust, EXPONENTIAL)
    if context.graph.free_batch:
        return (*trust, "The model's batch dimension is free; the claim is about batch size 1.")
    return trust
