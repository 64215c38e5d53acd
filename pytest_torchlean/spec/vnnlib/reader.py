"""A VNN-LIB file as the unsafe set it describes."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from pytest_torchlean.spec.vnnlib.cases import UnsafeSet, unsafe_set
from pytest_torchlean.spec.vnnlib.formula import interpret
from pytest_torchlean.spec.vnnlib.source import parse, read_bytes, read_source
from pytest_torchlean.spec.vnnlib.version2 import is_version_2, translate


def load_unsafe_set(path: Path, shown: str) -> tuple[UnsafeSet, str]:
    """The unsafe set of a file, unpacked where its name ends in `.gz`, and the SHA-256 of its content.

    `shown` names it in messages. Raises SpecError TL0308 and TL0320 to TL0328, with the place in the file.
    """
    data = read_bytes(path, shown)
    return read_unsafe_set(data, shown), sha256(data).hexdigest()


def read_unsafe_set(data: bytes, file: str) -> UnsafeSet:
    """The unsafe set that the bytes of a file describe, see `load_unsafe_set`."""
    source = read_source(data, file)
    commands = parse(source)
    if is_version_2(commands):
        commands = translate(source, commands)
    return unsafe_set(source, interpret(source, commands))
