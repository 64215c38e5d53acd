"""Data files: exact binary32 inputs, integer labels, and nothing from outside taken on trust."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_torchlean.errors import DataError
from pytest_torchlean.spec import dataset
from pytest_torchlean.spec.dataset import check_labels, load_dataset, load_inputs

INPUTS = np.array([[0.5, -0.0], [1e-45, 3.4028235e38], [0.1, 2.0]], dtype=np.float32)
LABELS = np.array([0, 1, 2], dtype=np.int64)


def saved(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def refused(path: Path, code: str, words: str, shape: tuple[int, ...] = (2,)) -> None:
    with pytest.raises(DataError, match=words) as caught:
        load_dataset(path, shape)
    assert caught.value.code == code
    assert caught.value.fix


def test_arrays_are_returned_bit_for_bit(tmp_path: Path) -> None:
    data = load_dataset(saved(tmp_path, inputs=INPUTS, labels=LABELS), (2,))
    assert data.inputs.dtype == np.float32
    assert data.inputs.view(np.uint32).tolist() == INPUTS.view(np.uint32).tolist()
    assert data.labels.dtype == np.int64
    assert data.labels.tolist() == [0, 1, 2]
    assert len(data) == 3


def test_short_names_and_compression(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "d.npz", x=INPUTS, y=LABELS.astype(np.uint8), other=np.zeros(3))
    assert load_dataset(tmp_path / "d.npz", (2,)).labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize("dtype", ["<f8", ">f8", ">f4", "<f2"])
def test_other_floats_are_accepted_where_binary32_holds_them(tmp_path: Path, dtype: str) -> None:
    values = np.array([[0.5, 0.25], [1.0, -3.0]], dtype=dtype)
    data = load_dataset(saved(tmp_path, inputs=values, labels=[0, 1]), (2,))
    assert data.inputs.tolist() == [[0.5, 0.25], [1.0, -3.0]]


def test_integers_and_fortran_order(tmp_path: Path) -> None:
    values = np.asfortranarray(np.arange(12, dtype=np.uint8).reshape(2, 3, 2))
    data = load_dataset(saved(tmp_path, inputs=values, labels=[0, 1]), (3, 2))
    assert data.inputs.tolist() == values.tolist()
    assert data.inputs.flags.c_contiguous


def test_arrays_are_read_only(tmp_path: Path) -> None:
    data = load_dataset(saved(tmp_path, inputs=INPUTS, labels=LABELS), (2,))
    with pytest.raises(ValueError, match="read-only"):
        data.inputs[0, 0] = 1


def test_inputs_alone(tmp_path: Path) -> None:
    assert load_inputs(saved(tmp_path, inputs=INPUTS), (2,)).shape == (3, 2)


def test_scalar_inputs(tmp_path: Path) -> None:
    assert load_inputs(saved(tmp_path, inputs=INPUTS[:, 0]), ()).shape == (3,)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, r"input 1 holds NaN or infinity \(1 of 2 inputs\)"),
        (-np.inf, "input 1 holds NaN or infinity"),
        (0.1, "input 1 holds a number that binary32 cannot hold exactly"),
        (1e300, "input 1 holds a number that binary32 cannot hold exactly"),
        (1e-60, "input 1 holds a number that binary32 cannot hold exactly"),
    ],
)
def test_what_binary32_cannot_hold_is_refused(tmp_path: Path, value: float, words: str) -> None:
    values = np.array([[0.5, 1.0], [value, 1.0]], dtype=np.float64)
    refused(saved(tmp_path, inputs=values, labels=[0, 1]), "TL0407", words)


def test_large_integers_are_refused(tmp_path: Path) -> None:
    values = np.array([[2**24, -(2**24)], [2**24 + 1, 0]], dtype=np.int64)
    refused(saved(tmp_path, inputs=values, labels=[0, 1]), "TL0407", "input 1 holds a number")
    assert load_inputs(saved(tmp_path, inputs=values[:1]), (2,)).tolist() == [[2.0**24, -(2.0**24)]]


@pytest.mark.parametrize(
    ("arrays", "code", "words"),
    [
        ({"labels": LABELS}, "TL0404", "no array `inputs`"),
        ({"inputs": INPUTS}, "TL0404", "no array `labels`"),
        ({"inputs": INPUTS, "x": INPUTS, "labels": LABELS}, "TL0404", "both `inputs` and `x`"),
        ({"inputs": INPUTS[:, :1], "labels": LABELS}, "TL0405", r"inputs have shape \(3, 1\)"),
        ({"inputs": INPUTS.ravel(), "labels": LABELS}, "TL0405", r"the model needs \(n, 2\)"),
        ({"inputs": np.float32(1), "labels": LABELS}, "TL0405", r"inputs have shape \(\)"),
        ({"inputs": INPUTS > 0, "labels": LABELS}, "TL0405", "booleans"),
        ({"inputs": INPUTS, "labels": LABELS[:2]}, "TL0405", r"labels have shape \(2,\)"),
        ({"inputs": INPUTS, "labels": LABELS.reshape(3, 1)}, "TL0405", r"labels have shape \(3, 1\)"),
        ({"inputs": INPUTS, "labels": LABELS.astype(float)}, "TL0405", "not integers"),
        ({"inputs": INPUTS, "labels": LABELS - 1}, "TL0408", "label -1 of input 0"),
        ({"inputs": INPUTS, "labels": LABELS.astype(np.uint64) + 2**63}, "TL0408", "is not a class number"),
        ({"inputs": INPUTS[:0], "labels": LABELS[:0]}, "TL0406", "lists no input"),
        ({"inputs": INPUTS.astype("c8"), "labels": LABELS}, "TL0403", "complex64, not plain numbers"),
        ({"inputs": np.array(["a"]), "labels": LABELS}, "TL0403", "not plain numbers"),
        ({"inputs": np.zeros((3, 2), "M8[s]"), "labels": LABELS}, "TL0403", "not plain numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    tmp_path: Path, arrays: dict[str, Any], code: str, words: str
) -> None:
    refused(saved(tmp_path, **arrays), code, words)


class _Attack:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("attacked",))


def test_pickled_objects_are_never_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path, inputs=np.array([_Attack()], dtype=object), labels=[0])
    refused(path, "TL0403", "not plain numbers")
    path.write_bytes(pickle.dumps(_Attack()))
    refused(path, "TL0403", "not a readable npz")
    assert not (tmp_path / "attacked").exists()


def test_class_numbers_are_checked_against_the_model(tmp_path: Path) -> None:
    check_labels(LABELS, 3, tmp_path / "d.npz")
    with pytest.raises(DataError, match="label 2 of input 2 is not one of the 2 classes") as caught:
        check_labels(LABELS, 2, tmp_path / "d.npz")
    assert caught.value.code == "TL0408"


def test_missing_file_and_directory(tmp_path: Path) -> None:
    refused(tmp_path / "none.npz", "TL0401", "No such file")
    refused(tmp_path, "TL0401", "cannot be read")


def test_git_lfs_pointer(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    refused(path, "TL0402", "Git LFS pointer")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x05\x06" + bytes(18), b"PK\x03\x04" + bytes(100)])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "d.npz"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_dataset(path, (2,))
    assert caught.value.code in ("TL0403", "TL0404")


def test_every_truncation_and_many_bit_flips_are_data_errors(tmp_path: Path) -> None:
    whole = saved(tmp_path, inputs=INPUTS, labels=LABELS).read_bytes()
    path = tmp_path / "damaged.npz"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError):
            load_dataset(path, (2,))
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        path.write_bytes(damaged)
        with contextlib.suppress(DataError):
            load_dataset(path, (2,))


def npy(descr: str, shape: str, body: bytes) -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + body


def archive(path: Path, *members: tuple[str, bytes]) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in members:
            writer.writestr(name, content)
    path.write_bytes(buffer.getvalue())
    return path


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (npy("<f4", "(1000000000, 2)", b""), "announces 8000000000 bytes"),
        (npy("<f4", "(3, 2)", bytes(20)), "announces 24 bytes and holds 20"),
        (npy("<f4", "(3, 2)", bytes(5_000_000)), "announces 24 bytes and holds 25"),
        (npy("<f4", "(-3, 2)", bytes(24)), "announces"),
        (npy("<f4", "3", bytes(12)), "not a readable npz"),
        (npy("|O", "(3, 2)", b""), "not plain numbers"),
        (b"\x93NUMPY\x09\x00", "unknown format version|not a readable npz"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535, "not a readable npz"),
    ],
)
def test_headers_are_not_believed(tmp_path: Path, member: bytes, words: str) -> None:
    refused(archive(tmp_path / "d.npz", ("inputs.npy", member)), "TL0403", words)


def test_too_many_members_and_repeated_members(tmp_path: Path) -> None:
    many = [(f"a{number}.npy", b"") for number in range(dataset.MAX_MEMBERS + 1)]
    refused(archive(tmp_path / "d.npz", *many), "TL0403", "too many members")
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive(tmp_path / "d.npz", ("inputs.npy", b""), ("inputs.npy", b""))
    refused(tmp_path / "d.npz", "TL0403", "two of one name")
