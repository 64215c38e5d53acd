"""`check: gradient` and `residual`: bounds of derivatives are those of the outputs of a derivative graph."""

from __future__ import annotations

import time
from dataclasses import replace

from pytest_torchlean.bounds.cells import celled
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.derivative_claims import Derived, derived_of
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.reaching import Run, Wording, decide_run
from pytest_torchlean.properties.shipped import require_shipped
from pytest_torchlean.spec.model import DerivativeProperty, GradientProperty, PropertySpec
from pytest_torchlean.verdict import Evidence, Verdict

MOST_CASES = 256
"""Parts of one box."""
MOST_ROWS = 16
"""Bounds that the same cells of a box prove."""


def run(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """PROVED, REFUTED with a witness, or UNKNOWN with what is missing.

    Raises SpecError TL0318, TL0351, TL0362, UnsupportedError TL0204, TL0205, TL0290, TL0363, CheckerError
    TL05xx, CertificateError TL06xx, OutOfTime.
    """
    if not isinstance(prop, DerivativeProperty):
        raise TypeError(f"a property of derivatives is needed, not {type(prop).__name__}")
    started = time.monotonic()
    shipped = Executions(context.model, context.graph, context.front)
    derived = derived_of(prop, shipped)
    executions = derived.executions
    # from here on it is about the derivative graph; its weights are still those of the model's file
    own = replace(context, graph=executions.graph, front=None)
    # one row at many positions is slow in Lean, and rounding is none here: rows of one matrix instead
    program = lower_to_program(executions.graph, executions.graph.types)
    rows = MOST_ROWS if celled(program) else 1
    asked = Run(own, prop, program, executions, derived.unsafe, _wording(derived), MOST_CASES, rows)
    evidence = decide_run(asked, started)
    require_shipped(evidence, shipped, derived.unsafe.cases[0].box)
    if evidence.verdict is Verdict.PROVED:
        bends = (BENDS,) if derived.bends else ()
        evidence = replace(evidence, trust=(*evidence.trust, ASSUMED, *bends))
    return evidence


ASSUMED = (
    "The theorem is about a graph that computes the derivatives, made by the rules of forward or reverse "
    "mode from the model's graph. That this graph is the derivative is tested, not proved; that Lean is "
    "given this graph is checked against onnxruntime, node by node."
)


BENDS = (
    "Relu, LeakyRelu, PRelu, Abs, Clip, Max, Min, MaxPool, GlobalMaxPool, ReduceMax and ReduceMin have no "
    "derivative at a bend: where what they read is 0, at a bound, or where two operands, or elements of a "
    "window, are equal. There the theorem is about every slope between those of "
    "both sides, of each neuron by itself: all limits of derivatives nearby are among what this gives, and "
    "more besides. An input on a bend refutes only what the derivatives on all its sides refute."
)


def _wording(derived: Derived) -> Wording:
    notes = (
        f"the derivative graph, written as ONNX, has sha256 {derived.sha256}",
        "derivatives are those of the exact function of the stored weights",
    )
    signs = len(derived.names) if derived.bends else None
    undecided = "state a smaller input region, wider bounds or a longer `timeout`; none breaks them so far"
    if isinstance(derived.prop, GradientProperty):
        return Wording(
            "the derivatives stay within the bounds",
            "replay the witness; then claim wider bounds",
            undecided,
            notes,
            derived.broken,
            signs,
        )
    return Wording(
        "the residual stays within the bound",
        "replay the witness; then train further, or claim a larger `within`",
        undecided,
        notes,
        derived.broken,
        signs,
    )
