"""JSON Schemas of torchlean.baseline.yaml and torchlean.waivers.yaml, from the tables in `files.py`.

`python -m pytest_torchlean.ratchet.schema` writes them; a test compares the committed files with it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pytest_torchlean.ratchet.files import BASELINE_ROOT, PLAIN_SCHEMA, WAIVERS_ROOT
from pytest_torchlean.spec.blocks import Field, Schema, block_schema

COMMITTED = Path(__file__).parent


def baseline_schema() -> Schema:
    """The schema of a baseline as JSON values (draft 2020-12)."""
    return _schema("torchlean.baseline.yaml", BASELINE_ROOT)


def waivers_schema() -> Schema:
    """The schema of a file of waivers as JSON values (draft 2020-12)."""
    return _schema("torchlean.waivers.yaml", WAIVERS_ROOT)


def schema_text() -> dict[str, str]:
    """The texts of the committed files by their names."""
    return {
        "baseline.schema.json": json.dumps(baseline_schema(), indent=2) + "\n",
        "waivers.schema.json": json.dumps(waivers_schema(), indent=2) + "\n",
    }


def _schema(title: str, fields: Sequence[Field]) -> Schema:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return head | block_schema(fields) | {"$defs": {"plain": PLAIN_SCHEMA}}


if __name__ == "__main__":
    for name, text in schema_text().items():
        (COMMITTED / name).write_text(text)
