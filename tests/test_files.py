"""Reading files that may be hostile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_torchlean.errors import DataError, SpecError
from pytest_torchlean.files import FileTooLarge, read_regular_file
from pytest_torchlean.spec.dataset import load_inputs
from pytest_torchlean.spec.decode import load_spec
from pytest_torchlean.spec.instances import load_instances
from pytest_torchlean.spec.vnnlib.source import read_bytes
from pytest_torchlean.witness_files import read_witness_file


def test_the_limit_is_the_largest_size_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_regular_file(path, 5) == b"12345"
    with pytest.raises(FileTooLarge, match="more than 4 bytes"):
        read_regular_file(path, 4)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(
    "read",
    [
        lambda path: load_spec(path, path.parent),
        lambda path: load_instances(path, path.parent),
        lambda path: read_bytes(path, path.name),
        lambda path: load_inputs(path, (1,)),
        lambda path: read_witness_file(path, path.parent),
    ],
    ids=["spec", "instances", "vnnlib", "data", "witness"],
)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, read) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises((SpecError, DataError), match="not a regular file"):
        read(pipe)
