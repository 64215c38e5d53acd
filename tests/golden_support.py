"""Compares text with a committed file. `TORCHLEAN_WRITE_GOLDEN=1 pytest` writes the files instead."""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def assert_golden(name: str, text: str) -> None:
    """`text` equals the file `name` under tests/golden, byte for byte."""
    path = GOLDEN / name
    if os.environ.get("TORCHLEAN_WRITE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
    assert text == path.read_bytes().decode("utf-8")
