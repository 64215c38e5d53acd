"""JSON Schema of torchlean.yaml, generated from the tables in `kinds.py` for editors.

`python -m pytest_torchlean.spec.schema` prints it; a test compares the committed file with it. What a
schema cannot say (duplicate keys, references between blocks, order of bounds) the decoder checks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pytest_torchlean.spec import kinds
from pytest_torchlean.spec.blocks import block_schema
from pytest_torchlean.spec.model import NAME_PATTERN

COMMITTED = Path(__file__).with_name("torchlean.schema.json")


def spec_schema() -> dict[str, Any]:
    """The schema as JSON values (draft 2020-12)."""
    name = f"^{NAME_PATTERN}$"
    models = {
        "type": "object",
        "description": "The model files, by the names that properties use.",
        "minProperties": 1,
        "propertyNames": {"pattern": name},
        "additionalProperties": block_schema(kinds.MODEL_FIELDS),
    }
    listed = {
        "type": "array",
        "description": "What is checked. Every entry becomes one pytest item.",
        "minItems": 1,
        "maxItems": kinds.MAX_PROPERTIES,
        "items": {
            "type": "object",
            "required": ["check"],
            "properties": {"check": {"enum": list(kinds.KINDS)}},
            "allOf": [_only_for(kind) for kind in kinds.KINDS.values()],
        },
    }
    defaults = {"description": "Values for every property that does not give its own."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "torchlean.yaml",
        "type": "object",
        "additionalProperties": False,
        "required": ["version", "models", "properties"],
        "properties": {
            "version": {"const": kinds.SUPPORTED_VERSION, "description": "Version of this format."},
            "models": models,
            "defaults": defaults | block_schema(kinds.DEFAULTS_FIELDS),
            "properties": listed,
        },
    }


def _only_for(kind: kinds.Kind) -> dict[str, Any]:
    """The keys of one kind, demanded where `check` names it."""
    block = block_schema(kinds.fields_of(kind))
    block["properties"]["check"] = {"const": kind.name, "description": kind.doc}
    return {
        "if": {"required": ["check"], "properties": {"check": {"const": kind.name}}},
        "then": block,
    }


def schema_text() -> str:
    """The text of the committed file."""
    return json.dumps(spec_schema(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
