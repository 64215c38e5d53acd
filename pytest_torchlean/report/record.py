"""The JSON record: everything known about a run, from which every other report can be rendered.

Exact numbers are strings. Only `seconds` and `effort` differ between equal runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_torchlean.report.fields import write_fields
from pytest_torchlean.report.table import RATCHET, RESULT, SCHEMA, TOOL
from pytest_torchlean.results import Environment, PropertyResult


def record(results: Sequence[PropertyResult], environment: Environment) -> dict[str, Any]:
    """The record of a run as plain JSON values, results in the given order."""
    return {
        "schema": SCHEMA,
        "tool": TOOL.write(environment),
        "ratchet": RATCHET.write(environment.ratchet),
        "results": [write_fields(RESULT, result) for result in results],
    }


def render_json(results: Sequence[PropertyResult], environment: Environment) -> str:
    """The text of a record file."""
    return dumps(record(results, environment))


def dumps(value: Mapping[str, Any]) -> str:
    """The record as ASCII JSON text with a final newline; equal records give equal text."""
    return json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def without_timings(value: Mapping[str, Any]) -> dict[str, Any]:
    """The record with empty `seconds` and `effort`, for comparing runs."""
    return {**value, "results": [{**result, "seconds": {}, "effort": {}} for result in value["results"]]}
