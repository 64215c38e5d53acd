"""The list of what the Lean wheel consists of is CycloneDX, by its own library's strict reading."""

from __future__ import annotations

import json

import pytest

MANIFEST = {"version": "4.35.0", "files": {"lib/lean/libleanshared.so": "ab" * 32}}


def test_it_is_valid_and_names_every_file() -> None:
    pytest.importorskip("cyclonedx")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from lean_runtime import bill_of_materials

    bill = bill_of_materials(MANIFEST)
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(bill)) is None
    assert (
        validator.validate_str(json.dumps(bill | {"components": [{"name": "a component of no type"}]}))
        is not None
    )
    assert [file["name"] for file in bill["components"][0]["components"]] == list(MANIFEST["files"])
    assert bill == bill_of_materials(MANIFEST)
