"""Reads labelled inputs from npz files, with nothing taken on trust: no pickle, bounded sizes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_torchlean.errors import DataError
from pytest_torchlean.files import FileTooLarge, is_lfs_pointer, read_input, reason
from pytest_torchlean.spec.tree import shorten

MAX_FILE_BYTES = 1 << 29
MAX_ARRAY_BYTES = 1 << 30
MAX_MEMBERS = 64
_INPUT_KEYS = ("inputs", "x")

_LABEL_KEYS = ("labels", "y")
_MAX_HEADER = 10_000


@dataclass(frozen=True)
class Dataset:
    """Inputs of shape (n, *input shape), float32, and labels of shape (n,), int64. n is at least 1."""

    inputs: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


def load_dataset(path: Path, input_shape: Sequence[int]) -> Dataset:
    """The arrays `inputs` and `labels` (or `x` and `y`) of an npz file.

    `input_shape` is the shape of one input, without the batch dimension. Integers and float64 numbers
    are accepted when binary32 holds each of them exactly. Raises DataError TL04xx. Whether each label
    is below the number of classes is for the caller to check (`check_labels`).
    """
    arrays = _open(path, _INPUT_KEYS + _LABEL_KEYS)
    inputs = _pick(arrays, _INPUT_KEYS, path)
    labels = _pick(arrays, _LABEL_KEYS, path)
    ready = _inputs(inputs, tuple(input_shape), path)
    return Dataset(ready, _labels(labels, len(ready), path))


def load_inputs(path: Path, input_shape: Sequence[int]) -> npt.NDArray[np.float32]:
    """The array `inputs` (or `x`) alone, shape (n, *input_shape). Raises DataError TL04xx."""
    return _inputs(_pick(_open(path, _INPUT_KEYS), _INPUT_KEYS, path), tuple(input_shape), path)


def load_outputs(path: Path, output_shape: Sequence[int]) -> npt.NDArray[np.float32] | None:
    """The array `outputs`, shape (n, *output_shape), as another framework recorded it; None where there is
    none. Its rows are counted by the caller. Raises DataError TL04xx."""
    arrays = _open(path, ("outputs",))
    if not arrays:
        return None
    return _inputs(arrays["outputs"], tuple(output_shape), path, "outputs")


def check_labels(labels: npt.NDArray[np.int64], classes: int, path: Path) -> None:
    """Raises DataError TL0408 when a label is not below `classes`, naming the first one."""
    bad = np.flatnonzero((labels < 0) | (labels >= classes))
    if bad.size:
        row = int(bad[0])
        raise DataError(
            "TL0408",
            f"{path.name}: label {int(labels[row])} of input {row} is not one of the {classes} classes",
        )


def _open(path: Path, wanted: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """The wanted members of the archive, each checked for type and size before it is unpacked."""
    try:
        data = read_input(path, MAX_FILE_BYTES)
    except FileTooLarge as error:
        raise DataError("TL0403", f"{path.name} cannot be read: {error}", fix="use a smaller file") from None
    except OSError as error:
        raise DataError("TL0401", f"{path.name} cannot be read: {reason(error)}") from None
    if is_lfs_pointer(data):
        raise DataError("TL0402", f"{path.name} is a Git LFS pointer, not the data")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [member.filename for member in archive.infolist()]
            if len(names) > MAX_MEMBERS or len(set(names)) < len(names):
                raise _unreadable(path, "it holds too many members, or two of one name")
            return {
                name[: -len(".npy")]: _member(archive, name, path)
                for name in names
                if name.endswith(".npy") and name[: -len(".npy")] in wanted
            }
    except DataError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, RuntimeError) as error:
        raise _unreadable(path, shorten(str(error) or type(error).__name__, 200)) from None
    except Exception as error:
        # zlib, lzma and struct raise types of their own for damaged streams
        raise _unreadable(path, type(error).__name__) from None


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> npt.NDArray[Any]:
    """One array. The header is judged first, and no more is unpacked than it announces."""
    with archive.open(name) as stream:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=_MAX_HEADER)
        elif version == (2, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream, max_header_size=_MAX_HEADER)
        else:
            raise _unreadable(path, f"array {name} has the unknown format version {version}")
        if dtype.kind not in "fiub":
            raise DataError(
                "TL0403",
                f"{path.name}: array {name} holds {shorten(str(dtype))}, not plain numbers",
                fix="store float32 inputs and int64 labels",
            )
        count = 1
        for length in shape:
            count *= int(length)
        size = count * dtype.itemsize
        if min(shape, default=0) < 0 or size > MAX_ARRAY_BYTES:
            raise _unreadable(path, f"array {name} announces {size} bytes, more than {MAX_ARRAY_BYTES}")
        body = stream.read(size + 1)
    if len(body) != size:
        raise _unreadable(path, f"array {name} announces {size} bytes and holds {len(body)}")
    flat = np.frombuffer(body, dtype=dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


def _pick(arrays: dict[str, npt.NDArray[Any]], keys: Sequence[str], path: Path) -> npt.NDArray[Any]:
    found = [key for key in keys if key in arrays]
    if not found:
        raise DataError("TL0404", f"{path.name} has no array `{keys[0]}`")
    if len(found) > 1:
        raise DataError(
            "TL0404", f"{path.name} has both `{found[0]}` and `{found[1]}`", fix="keep one of them"
        )
    return arrays[found[0]]


def _inputs(
    array: npt.NDArray[Any], shape: tuple[int, ...], path: Path, what: str = "inputs"
) -> npt.NDArray[np.float32]:
    if array.dtype.kind == "b":
        raise DataError("TL0405", f"{path.name}: the {what} are booleans, not numbers")
    if array.ndim == 0 or array.shape[1:] != shape:
        expected = ", ".join(["n", *map(str, shape)])
        raise DataError(
            "TL0405", f"{path.name}: {what} have shape {array.shape}, the model needs ({expected})"
        )
    if array.shape[0] == 0 or array.size == 0:
        raise DataError("TL0406", f"{path.name} lists no {what[:-1]}")
    with np.errstate(over="ignore", invalid="ignore"):
        ready = np.array(array, dtype=np.float32, order="C")
    _refuse_rows(~np.isfinite(ready) & ~_finite_too_large(array, ready), "holds NaN or infinity", path, what)
    exact = np.isfinite(ready) & _same_value(array, ready)
    _refuse_rows(~exact, "holds a number that binary32 cannot hold exactly", path, what)
    ready.flags.writeable = False
    return ready


def _finite_too_large(array: npt.NDArray[Any], ready: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Where a finite number became infinite in binary32."""
    finite = np.isfinite(array) if array.dtype.kind == "f" else np.ones(array.shape, dtype=bool)
    return finite & ~np.isfinite(ready)


def _same_value(array: npt.NDArray[Any], ready: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Where the conversion changed nothing, compared in a type that holds both sides exactly."""
    if array.dtype.kind == "f":
        wide = array.dtype if array.dtype.itemsize >= 4 else np.dtype(np.float32)
        same: npt.NDArray[np.bool_] = array.astype(wide) == ready.astype(wide)
        return same
    # Every integer of magnitude up to 2**24 is a binary32 number; larger ones are not worth telling apart.
    lowest = -(2**24) if array.dtype.kind == "i" else 0
    small: npt.NDArray[np.bool_] = (array >= lowest) & (array <= 2**24)
    return small


def _refuse_rows(bad: npt.NDArray[np.bool_], problem: str, path: Path, what: str) -> None:
    if bad.any():
        rows = np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))
        raise DataError(
            "TL0407", f"{path.name}: {what[:-1]} {int(rows[0])} {problem} ({len(rows)} of {len(bad)} {what})"
        )


def _labels(array: npt.NDArray[Any], count: int, path: Path) -> npt.NDArray[np.int64]:
    if array.ndim != 1 or len(array) != count:
        raise DataError(
            "TL0405", f"{path.name}: labels have shape {array.shape}, {count} inputs need ({count},)"
        )
    if array.dtype.kind not in "iu":
        raise DataError("TL0405", f"{path.name}: labels are {array.dtype}, not integers")
    bad = np.flatnonzero((array < 0) | (array > np.iinfo(np.int32).max))
    if bad.size:
        row = int(bad[0])
        raise DataError(
            "TL0408", f"{path.name}: label {int(array[row])} of input {row} is not a class number"
        )
    ready = array.astype(np.int64)
    ready.flags.writeable = False
    return ready


def _unreadable(path: Path, why: str) -> DataError:
    return DataError("TL0403", f"{path.name} is not a readable npz: {why}")
