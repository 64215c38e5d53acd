"""Reads a JSON record back into results, trusting nothing in it: the inverse of `record.py`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from pytest_torchlean.errors import RecordError
from pytest_torchlean.report.record import SCHEMA
from pytest_torchlean.results import Environment, PropertyResult
from pytest_torchlean.verdict import Counts, Evidence, Problem, Radius, Theorem, Verdict, Witness

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
    root = _At(value, "record")
    schema = root.key("schema").text()
    if schema != SCHEMA:
        raise RecordError("TL0801", f"the record has schema {schema[:60]!r}, this release reads {SCHEMA!r}")
    tool = root.key("tool")
    environment = Environment(
        version=tool.key("version").text(),
        onnxruntime=tool.key("onnxruntime").optional_text(),
        lean=tool.key("lean").optional_texts(),
        others=tool.key("others").optional_texts() or {},
    )
    return tuple(_result(item) for item in root.key("results").items()), environment


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


@dataclass(frozen=True)
class _At:
    """A JSON value and where in the record it stands."""

    value: Any
    where: str

    def fail(self, expected: str) -> RecordError:
        return RecordError("TL0801", f"{self.where} must be {expected}")

    def key(self, name: str) -> _At:
        if not isinstance(self.value, dict):
            raise self.fail("an object")
        if name not in self.value:
            raise RecordError("TL0801", f"{self.where} lacks `{name}`")
        return _At(self.value[name], f"{self.where}.{name}")

    def items(self) -> list[_At]:
        if not isinstance(self.value, list):
            raise self.fail("a list")
        return [_At(item, f"{self.where}[{position}]") for position, item in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self.fail("text")
        return self.value

    def whole(self) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool) or not 0 <= self.value < 2**63:
            raise self.fail("an integer that is not negative")
        return self.value

    def optional_text(self) -> str | None:
        return None if self.value is None else self.text()

    def optional_whole(self) -> int | None:
        return None if self.value is None else self.whole()

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def optional_texts(self) -> dict[str, str] | None:
        if self.value is None:
            return None
        if not isinstance(self.value, dict):
            raise self.fail("an object")
        return {name: self.key(name).text() for name in self.value}

    def seconds(self) -> dict[str, float]:
        if not isinstance(self.value, dict):
            raise self.fail("an object")
        for number in self.value.values():
            if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < 1e12:
                raise self.fail("an object of seconds")
        return {name: float(number) for name, number in self.value.items()}


def _result(at: _At) -> PropertyResult:
    spec, model = at.key("spec"), at.key("model")
    result = PropertyResult(
        id=at.key("id").text(),
        spec_file=spec.key("file").text(),
        line=spec.key("line").whole(),
        column=spec.key("column").whole(),
        model_name=model.key("name").text(),
        model_path=model.key("path").text(),
        model_sha256=model.key("sha256").optional_text(),
        check=at.key("check").text(),
        evidence=_evidence(at),
        on_unknown=_on_unknown(at.key("on_unknown")),
        witness_file=at.key("witness_file").optional_text(),
    )
    if at.key("outcome").text() != result.outcome:
        raise at.key("outcome").fail(f"`{result.outcome}`, which is what its verdict means")
    return result


def _on_unknown(at: _At) -> Literal["fail", "warn"]:
    match at.text():
        case "fail":
            return "fail"
        case "warn":
            return "warn"
    raise at.fail("`fail` or `warn`")


def _evidence(at: _At) -> Evidence:
    verdict = at.key("verdict").text()
    if verdict not in {known.value for known in Verdict}:
        raise at.key("verdict").fail("a known verdict")
    first = at.key("witness")
    witnesses = () if first.value is None else (_witness(first),)
    bounds = at.key("bounds")
    return Evidence(
        verdict=Verdict(verdict),
        claim=at.key("claim").text(),
        found=at.key("found").text(),
        semantics=at.key("semantics").text(),
        assurance=at.key("assurance").optional_text(),
        theorem=_theorem(at.key("theorem")),
        counts=_counts(at.key("counts")),
        accuracy=at.key("accuracy").optional_text(),
        samples=at.key("samples").optional_whole(),
        bounds=None if bounds.value is None else {key: bounds.key(key).texts() for key in _keys(bounds)},
        radii=tuple(_radius(item) for item in at.key("radii").items()),
        witnesses=witnesses + tuple(_witness(item) for item in at.key("further_witnesses").items()),
        runtime=at.key("runtime").text(),
        next_steps=at.key("next_steps").text(),
        problem=_problem(at.key("problem")),
        details=at.key("details").texts(),
        lean=at.key("lean").optional_texts(),
        seconds=at.key("seconds").seconds(),
        trust=at.key("trust").texts(),
    )


def _keys(at: _At) -> list[str]:
    if not isinstance(at.value, dict):
        raise at.fail("an object")
    return list(at.value)


def _theorem(at: _At) -> Theorem | None:
    return None if at.value is None else Theorem(at.key("name").text(), at.key("axioms").texts())


def _counts(at: _At) -> Counts | None:
    if at.value is None:
        return None
    counts = Counts(
        proved=at.key("proved").whole(),
        refuted=at.key("refuted").whole(),
        unknown=at.key("unknown").whole(),
        misclassified=at.key("misclassified").whole(),
        total=at.key("total").whole(),
    )
    if counts.proved + counts.refuted + counts.unknown + counts.misclassified != counts.total:
        raise at.fail("counts that add up to their total")
    return counts


def _radius(at: _At) -> Radius:
    text = at.key("radius").text()
    if not re.fullmatch(r"[0-9]{1,4000}(/[1-9][0-9]{0,3999})?", text):
        raise at.key("radius").fail("an exact fraction that is not negative")
    return Radius(at.key("index").whole(), Fraction(text))


def _problem(at: _At) -> Problem | None:
    if at.value is None:
        return None
    return Problem(at.key("code").text(), at.key("message").text(), at.key("fix").text())


def _witness(at: _At) -> Witness:
    reference = at.key("reference")
    return Witness(
        shape=tuple(item.whole() for item in at.key("shape").items()),
        input=at.key("input").texts(),
        runtime_output=at.key("runtime_output").texts(),
        evaluator_output=at.key("evaluator_output").texts(),
        violation=at.key("violation").text(),
        index=at.key("index").optional_whole(),
        reference=None if reference.value is None else reference.texts(),
    )
