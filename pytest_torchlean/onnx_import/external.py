"""Tensors stored outside the model file: found inside the repository only, and embedded.

Source: ONNX IR specification, "External Tensor Data": keys location, offset, length, checksum.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

import onnx

from pytest_torchlean.errors import ModelError
from pytest_torchlean.files import FileTooLarge, is_lfs_pointer, read_regular_file
from pytest_torchlean.ir.names import printable, quoted


def all_tensors(proto: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every tensor of a model: initialisers, attributes, subgraphs, functions and training graphs."""
    graphs = [proto.graph]
    nodes: list[onnx.NodeProto] = [node for function in proto.functions for node in function.node]
    for training in proto.training_info:
        graphs += [training.initialization, training.algorithm]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield sparse.values
                yield sparse.indices
            nodes.extend(graph.node)
            continue
        for attribute in nodes.pop().attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for sparse in [attribute.sparse_tensor, *attribute.sparse_tensors]:
                yield sparse.values
                yield sparse.indices
            if attribute.HasField("g"):
                graphs.append(attribute.g)
            graphs.extend(attribute.graphs)


def embed_external_data(proto: onnx.ModelProto, model_path: Path, root: Path, most_bytes: int) -> list[bytes]:
    """Move every external tensor's bytes into `proto`; returns them in the order of the model.

    Each file is read once. ModelError TL0106 for a location outside `root`, an absolute location, one
    with "..", a missing or short file; TL0102 for a Git LFS pointer; TL0107 when all is too large.
    """
    files: dict[str, bytes] = {}
    segments: list[bytes] = []
    total = 0
    for tensor in all_tensors(proto):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        keys = {entry.key: entry.value for entry in tensor.external_data}
        location = keys.get("location", "")
        where = f"external data of tensor {quoted(tensor.name)}"
        if location not in files:
            files[location] = _read(location, where, model_path, root, most_bytes)
        segment = _segment(files[location], keys, where)
        total += len(segment)
        if total > most_bytes:
            raise ModelError("TL0107", f"the external data has more than {most_bytes} bytes")
        segments.append(segment)
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")
        tensor.raw_data = segment
    return segments


def _read(location: str, where: str, model_path: Path, root: Path, most_bytes: int) -> bytes:
    shown = quoted(location)
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    if not location or "\0" in location:
        raise ModelError("TL0106", f"{where} names no file")
    if posix.is_absolute() or windows.is_absolute() or windows.drive:
        raise ModelError("TL0106", f"{where} has an absolute location {shown}")
    if ".." in posix.parts or ".." in windows.parts:
        raise ModelError("TL0106", f"{where} has the location {shown}, which contains '..'")
    try:
        path = (model_path.parent / location).resolve(strict=True)
        if not path.is_relative_to(root.resolve(strict=True)):
            raise ModelError("TL0106", f"{where} lies outside the repository: {shown}")
        data = read_regular_file(path, most_bytes)
    except FileTooLarge as problem:
        raise ModelError("TL0107", f"{where} cannot be read from {shown}: {problem}") from None
    except (OSError, RuntimeError) as problem:
        why = printable(getattr(problem, "strerror", None) or str(problem))
        raise ModelError("TL0106", f"{where} cannot be read from {shown}: {why}") from None
    if is_lfs_pointer(data):
        raise ModelError("TL0102", f"{where}: {shown} is a Git LFS pointer, not the data itself")
    return data


def _segment(data: bytes, keys: dict[str, str], where: str) -> bytes:
    offset = _count(keys.get("offset", "0"), where, "offset")
    length = _count(keys["length"], where, "length") if "length" in keys else len(data) - offset
    if offset > len(data) or length < 0 or offset + length > len(data):
        raise ModelError("TL0106", f"{where} reaches beyond the end of its file")
    return data[offset : offset + length]


def _count(text: str, where: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ModelError("TL0106", f"{where} has the {what} {quoted(text)}, which is not a byte count")
    return int(text)
