"""Read a model file once: bytes, digest, external data, and the checks that need no operator."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from pytest_torchlean.errors import ModelError
from pytest_torchlean.files import FileTooLarge, is_lfs_pointer, read_regular_file, reason
from pytest_torchlean.ir.names import printable
from pytest_torchlean.onnx_import.extension_operators import Operators
from pytest_torchlean.onnx_import.external import embed_external_data
from pytest_torchlean.onnx_import.tensors import refuse_non_finite

MOST_MODEL_BYTES = 2**30
"""Largest model, external data included."""

_ORT_FORMAT = b"ORTM"
"""Bytes 4 to 8 by which onnxruntime takes bytes for a flatbuffer of its own, ONNX or not."""


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model as it was on disk at one moment.

    `data` is a self-contained ONNX model: the file's own bytes, or, where tensors were stored in other
    files, the same model with those bytes embedded. Lowering and onnxruntime both get exactly `data`.
    `sha256` is the digest of the model file; where there is external data, that of the file followed by
    every external tensor's bytes in the order of the model, each preceded by its 8-byte length.
    """

    path: Path
    data: bytes
    sha256: str
    operators: Operators = field(default_factory=dict, compare=False, repr=False)
    """Operators of extensions, for the lowering."""


def load_model(path: Path, *, root: Path | None = None) -> LoadedModel:
    """Read, hash and check a model file.

    External data must lie inside `root` (the model's own folder when None) after symbolic links are
    resolved. ModelError TL0101 (no such file), TL0102 (Git LFS pointer), TL0103 (empty, truncated, not
    ONNX), TL0104 (a weight is not finite), TL0105 (the ONNX checker refuses), TL0106 (external data),
    TL0107 (too large).
    """
    try:
        raw = read_regular_file(path, MOST_MODEL_BYTES)
    except FileNotFoundError:
        raise ModelError("TL0101", f"there is no model file {printable(str(path))}") from None
    except FileTooLarge as problem:
        raise ModelError("TL0107", f"{printable(path.name)} cannot be read: {problem}") from None
    except OSError as problem:
        why = printable(reason(problem))
        raise ModelError("TL0101", f"cannot read {printable(str(path))}: {why}") from None
    name = printable(path.name)
    if is_lfs_pointer(raw):
        raise ModelError("TL0102", f"{name} is a Git LFS pointer, not the model itself")
    if raw[4:8] == _ORT_FORMAT:
        raise ModelError("TL0103", f"{name} is marked as onnxruntime's own ORT format, not as ONNX")
    proto = _parse(raw, name)
    segments = embed_external_data(proto, path, root if root is not None else path.parent, MOST_MODEL_BYTES)
    digest = hashlib.sha256(raw)
    for segment in segments:
        digest.update(len(segment).to_bytes(8, "little"))
        digest.update(segment)
    data = proto.SerializeToString(deterministic=True) if segments else raw
    _check(data, name)
    refuse_non_finite(proto, name)
    return LoadedModel(path, data, digest.hexdigest())


def _parse(raw: bytes, name: str) -> onnx.ModelProto:
    if not raw:
        raise ModelError("TL0103", f"{name} is empty")
    try:
        proto: onnx.ModelProto = onnx.ModelProto.FromString(raw)
    except MemoryError:  # no fault of the file
        raise
    except Exception:  # protobuf's DecodeError; without its C extension others too
        raise ModelError(
            "TL0103", f"{name} ({len(raw)} bytes) is truncated or is not an ONNX model"
        ) from None
    if not proto.ir_version or not proto.HasField("graph"):
        raise ModelError("TL0103", f"{name} ({len(raw)} bytes) holds no ONNX graph")
    if not all(isinstance(text, str) for text in _names(proto)):
        raise ModelError("TL0103", f"{name} holds a name that is not UTF-8 text")
    return proto


def _names(proto: onnx.ModelProto) -> Iterator[object]:
    """The names that lowering reads; protobuf gives bytes for what is not UTF-8."""
    graph = proto.graph
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
    yield from (value.name for value in (*graph.input, *graph.output, *graph.initializer))
    yield from (entry.domain for entry in proto.opset_import)


def _check(data: bytes, name: str) -> None:
    try:
        onnx.checker.check_model(data)
    except MemoryError:  # no fault of the file
        raise
    except Exception as problem:  # ONNX's C++ raises ValidationError, and what its library throws besides
        lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
        reason = printable("; ".join(lines)[:600]) if lines else type(problem).__name__
        raise ModelError("TL0105", f"{name} is not valid ONNX: {reason}") from None
