"""JSON Schema of the record, generated from `table.py`.

`python -m pytest_torchlean.report.schema` prints it; a test compares the committed file with it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pytest_torchlean.report.fields import fields_schema
from pytest_torchlean.report.table import RATCHET, RESULT, SCHEMA, TOOL

COMMITTED = Path(__file__).with_name("record.schema.json")


def record_schema() -> dict[str, Any]:
    """The schema as JSON values (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The record of a run of pytest-torchlean",
        "description": "Exact numbers are strings. Only `seconds` and `effort` differ between equal runs.",
        "type": "object",
        "additionalProperties": False,
        "required": ["schema", "tool", "ratchet", "results"],
        "properties": {
            "schema": {"const": SCHEMA},
            "tool": TOOL.schema(),
            "ratchet": {"description": "The results against a baseline; null without."} | RATCHET.schema(),
            "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
        },
        "$defs": {"result": fields_schema(RESULT)},
    }


def schema_text() -> str:
    """The text of the committed file."""
    return json.dumps(record_schema(), indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
