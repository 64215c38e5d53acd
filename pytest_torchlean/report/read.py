"""Reads a JSON record back into results, trusting nothing in it: the inverse of `record.py`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pytest_torchlean.changes import Comparison
from pytest_torchlean.errors import RecordError
from pytest_torchlean.report.fields import FLAG, TEXT, At, Many, by_name, read_fields
from pytest_torchlean.report.table import RATCHET, RESULT, SCHEMA, TOOL, WITNESS
from pytest_torchlean.results import Environment, PropertyResult
from pytest_torchlean.verdict import Evidence

MAX_BYTES = 1 << 28


def parse_record(data: bytes) -> tuple[tuple[PropertyResult, ...], Environment]:
    """The results in a record file. Raises RecordError TL0801 for anything else."""
    if len(data) > MAX_BYTES:
        raise RecordError("TL0801", f"the record holds more than {MAX_BYTES} bytes")
    try:
        value = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RecordError("TL0801", f"the record is not JSON: {type(error).__name__}") from None
    return read_record(value)


def read_record(value: Any) -> tuple[tuple[PropertyResult, ...], Environment]:
    """The results and the environment of a record. Raises RecordError TL0801 naming the wrong place."""
    root = At(value, "record")
    schema = TEXT.read(root.key("schema"))
    if schema != SCHEMA:
        raise RecordError("TL0801", f"the record has schema {schema[:60]!r}, this release reads {SCHEMA!r}")
    environment: Environment = TOOL.read(root.key("tool"))
    ratchet = root.key("ratchet")
    environment = replace(environment, ratchet=RATCHET.read(ratchet))
    if environment.ratchet is not None:
        _check_derived(ratchet, environment.ratchet)
    return tuple(_result(item) for item in root.key("results").items()), environment


def _check_derived(at: At, ratchet: Comparison) -> None:
    """Raises RecordError where the answer is not what the changes mean."""
    if FLAG.read(at.key("passes")) != ratchet.passes:
        raise at.key("passes").fail(f"`{str(ratchet.passes).lower()}`, which is what its changes mean")
    for item, change in zip(at.key("changes").items(), ratchet.changes, strict=True):
        if FLAG.read(item.key("fails")) != change.fails:
            raise item.key("fails").fail(f"`{str(change.fails).lower()}`, which is what its kind means")


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _result(at: At) -> PropertyResult:
    values = read_fields(RESULT, at)
    first = at.key("witness")
    witnesses = () if first.value is None else (WITNESS.read(first),)
    witnesses += Many(WITNESS).read(at.key("further_witnesses"))
    evidence = Evidence(**by_name(values, "evidence"), witnesses=witnesses)
    result = PropertyResult(**by_name(values, ""), evidence=evidence)
    if TEXT.read(at.key("outcome")) != result.outcome:
        raise at.key("outcome").fail(f"`{result.outcome}`, which is what its verdict means")
    return result
