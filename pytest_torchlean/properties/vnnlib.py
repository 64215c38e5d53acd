"""`check: vnnlib`: no input leads to outputs that a VNN-LIB file calls unsafe."""

from __future__ import annotations

import time

from pytest_torchlean.bounds.program import Program
from pytest_torchlean.errors import SpecError
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.reaching import decide
from pytest_torchlean.spec.model import PropertySpec, VnnlibProperty
from pytest_torchlean.spec.paths import shown
from pytest_torchlean.spec.vnnlib import UnsafeSet, load_unsafe_set
from pytest_torchlean.verdict import Evidence


def run(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """PROVED, REFUTED with a witness, or UNKNOWN with what is missing.

    Raises SpecError TL0308 and TL032x for the file, UnsupportedError TL0204, CheckerError TL05xx,
    CertificateError TL06xx, OutOfTime.
    """
    if not isinstance(prop, VnnlibProperty):
        raise TypeError(f"a vnnlib property is needed, not {type(prop).__name__}")
    started = time.monotonic()
    file = shown(prop.file, context.root)
    unsafe, digest = load_unsafe_set(prop.file, file)
    _require_fit(unsafe, context.program, prop, context)
    return decide(context, prop, unsafe, (f"{file}: sha256 {digest}",), started)


def _require_fit(unsafe: UnsafeSet, program: Program, prop: VnnlibProperty, context: PropertyContext) -> None:
    declared = (
        ("input", unsafe.inputs, program.inputs),
        ("output", unsafe.outputs, int(program.outputs.size)),
    )
    for what, count, size in declared:
        if count != size:
            raise SpecError(
                "TL0329",
                f"{shown(prop.file, context.root)} declares {count} {what} elements, the model has {size}",
                span=prop.span,
            )
