"""The JSON Schema of torchlean.yaml says what the decoder does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_spec_decode import README_SPEC
from test_spec_errors import BROKEN, HEAD, RANGE

from pytest_torchlean.spec import decode_spec
from pytest_torchlean.spec.kinds import KINDS, fields_of
from pytest_torchlean.spec.schema import COMMITTED, schema_text

# What no schema can say, or what is lost before a schema sees it: syntax, repeated keys, references,
# the order of bounds, the place of files, and YAML 1.1 readings that PyYAML makes of plain scalars.
BEYOND_A_SCHEMA = {
    "duplicate-key", "duplicate-top-key", "duplicate-model", "duplicate-property", "unknown-model",
    "box-upside-down", "box-upside-down-at", "box-lengths-differ", "indices-and-limit",
    "radius-up-to-below-epsilon", "sessions-too-many",
    "path-absolute", "path-home", "path-drive", "path-parent", "path-backslash", "path-nul",
    "division-by-zero", "negative-epsilon", "huge-exponent", "huge-negative-exponent", "huge-hex-exponent",
    "endless-digits", "octal", "sexagesimal", "underscores", "nan", "infinity", "share-above-100-percent",
    "timeout-zero", "strict-yes", "anchor", "limit-decimal", "preprocess-contradictions",
    "preprocess-late-cast",
}  # fmt: skip


def errors_of(text: str | bytes) -> list[Any]:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json.loads(COMMITTED.read_text()))
    return list(validator.iter_errors(yaml.safe_load(text)))


def test_the_committed_schema_is_current() -> None:
    assert COMMITTED.read_text() == schema_text()


def test_it_is_a_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(COMMITTED.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    with pytest.raises(jsonschema.SchemaError):
        jsonschema.Draft202012Validator.check_schema({**schema, "type": "mapping"})


@pytest.mark.parametrize("text", [README_SPEC, HEAD + "properties:\n" + RANGE])
def test_right_specs_are_valid(text: str, tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    decode_spec(text.encode(), file="t", base=tmp_path / "part", root=tmp_path)
    assert errors_of(text) == []


@pytest.mark.parametrize("name", sorted(set(BROKEN) - BEYOND_A_SCHEMA))
def test_broken_specs_are_invalid(name: str) -> None:
    try:
        found = errors_of(BROKEN[name])
    except (yaml.YAMLError, TypeError, RecursionError):
        return
    assert found


def test_every_key_of_every_kind_is_described() -> None:
    for kind in KINDS.values():
        for entry in fields_of(kind):
            assert entry.doc.endswith(".")
