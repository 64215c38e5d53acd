"""What a value of the JSON record may be: each type writes it, reads it back, and gives its JSON Schema."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from pytest_torchlean.errors import RecordError

Schema = dict[str, Any]

_EXACT = r"^[+-]?(0[xX][0-9a-fA-F]+(\.[0-9a-fA-F]*)?([pP][+-]?\d+)?|\d+(/\d+)?)$"
_FRACTION = r"^[0-9]{1,4000}(/[1-9][0-9]{0,3999})?$"


@dataclass(frozen=True)
class At:
    """A JSON value and where in the record it stands."""

    value: Any
    where: str

    def fail(self, expected: str) -> RecordError:
        """The error for a value that is not what was expected."""
        return RecordError("TL0801", f"{self.where} must be {expected}")

    def key(self, name: str) -> At:
        """The value under a key. Raises RecordError TL0801."""
        if not isinstance(self.value, dict):
            raise self.fail("an object")
        if name not in self.value:
            raise RecordError("TL0801", f"{self.where} lacks `{name}`")
        return At(self.value[name], f"{self.where}.{name}")

    def items(self) -> list[At]:
        """The items of a list. Raises RecordError TL0801."""
        if not isinstance(self.value, list):
            raise self.fail("a list")
        return [At(item, f"{self.where}[{position}]") for position, item in enumerate(self.value)]


class FieldType(Protocol):
    """What a value may be."""

    def write(self, value: Any) -> Any:
        """The value as JSON."""

    def read(self, at: At) -> Any:
        """The value that was written. Raises RecordError TL0801 naming the place."""

    def schema(self) -> Schema:
        """The JSON Schema of what is written."""


@dataclass(frozen=True)
class Text:
    """Text; where `pattern` is given the whole of it matches."""

    pattern: str | None = None
    meaning: str = "text"

    def write(self, value: Any) -> Any:
        return value

    def read(self, at: At) -> str:
        if not isinstance(at.value, str) or (self.pattern and not re.search(self.pattern, at.value)):
            raise at.fail(self.meaning)
        return at.value

    def schema(self) -> Schema:
        return {"type": "string"} | ({"pattern": self.pattern} if self.pattern else {})


@dataclass(frozen=True)
class Choice:
    """One of some words; `kind` turns the word into its value."""

    words: tuple[str, ...]
    kind: Callable[[str], Any] = str

    def write(self, value: Any) -> Any:
        return str(value)

    def read(self, at: At) -> Any:
        if not isinstance(at.value, str) or at.value not in self.words:
            raise at.fail("one of " + ", ".join(f"`{word}`" for word in self.words))
        return self.kind(at.value)

    def schema(self) -> Schema:
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class Flag:
    """true or false."""

    def write(self, value: Any) -> Any:
        return bool(value)

    def read(self, at: At) -> bool:
        if not isinstance(at.value, bool):
            raise at.fail("true or false")
        return at.value

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Whole:
    """An integer from 0 to 2^63 - 1."""

    def write(self, value: Any) -> Any:
        return value

    def read(self, at: At) -> int:
        value = at.value
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
            raise at.fail("an integer that is not negative")
        return value

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": 0}


@dataclass(frozen=True)
class Share:
    """A Fraction that is not negative, as text."""

    def write(self, value: Any) -> Any:
        return str(value)

    def read(self, at: At) -> Fraction:
        if not isinstance(at.value, str) or not re.fullmatch(_FRACTION, at.value):
            raise at.fail("an exact fraction that is not negative")
        return Fraction(at.value)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": _FRACTION}


@dataclass(frozen=True)
class Seconds:
    """Seconds by the step that took them. A clock that gave no number is left out."""

    def write(self, value: Any) -> Any:
        """Whole microseconds."""
        return {key: round(float(number), 6) for key, number in value.items() if math.isfinite(number)}

    def read(self, at: At) -> dict[str, float]:
        if not isinstance(at.value, dict):
            raise at.fail("an object")
        for number in at.value.values():
            if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < 1e12:
                raise at.fail("an object of seconds")
        return {name: float(number) for name, number in at.value.items()}

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}}


@dataclass(frozen=True)
class Maybe:
    """The inner type or null."""

    inner: FieldType

    def write(self, value: Any) -> Any:
        return None if value is None else self.inner.write(value)

    def read(self, at: At) -> Any:
        return None if at.value is None else self.inner.read(at)

    def schema(self) -> Schema:
        return {"anyOf": [self.inner.schema(), {"type": "null"}]}


@dataclass(frozen=True)
class Many:
    """A list, read as a tuple."""

    inner: FieldType

    def write(self, value: Any) -> Any:
        return [self.inner.write(item) for item in value]

    def read(self, at: At) -> tuple[Any, ...]:
        return tuple(self.inner.read(item) for item in at.items())

    def schema(self) -> Schema:
        return {"type": "array", "items": self.inner.schema()}


@dataclass(frozen=True)
class Named:
    """An object whose keys are any names."""

    inner: FieldType
    ordered: bool = False
    """Whether the names are written in sorted order instead of the given one."""

    def write(self, value: Any) -> Any:
        names = sorted(value) if self.ordered else value
        return {name: self.inner.write(value[name]) for name in names}

    def read(self, at: At) -> dict[str, Any]:
        if not isinstance(at.value, dict):
            raise at.fail("an object")
        return {name: self.inner.read(at.key(name)) for name in at.value}

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": self.inner.schema()}


@dataclass(frozen=True)
class Field:
    """One key of an object.

    `source` is the attribute it holds, dotted where that lies in a part, by default the key itself. A field
    with `derive` is computed from the whole object instead and not read back.
    """

    key: str
    type: FieldType
    doc: str = ""
    source: str = ""
    derive: Callable[[Any], Any] | None = None

    @property
    def attribute(self) -> str:
        return self.source or self.key


def write_fields(fields: Sequence[Field], value: Any) -> dict[str, Any]:
    """The object with these keys, in their order."""
    return {field.key: field.type.write(_value_of(field, value)) for field in fields}


def read_fields(fields: Sequence[Field], at: At) -> dict[str, Any]:
    """The values by attribute; every key must be there. Raises RecordError TL0801."""
    found: dict[str, Any] = {}
    for field in fields:
        if isinstance(field.type, Group):
            found |= read_fields(field.type.fields, at.key(field.key))
        elif field.derive is None:
            found[field.attribute] = field.type.read(at.key(field.key))
    return found


def fields_schema(fields: Sequence[Field]) -> Schema:
    """The JSON Schema of an object with these keys and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [field.key for field in fields],
        "properties": {
            field.key: ({"description": field.doc} if field.doc else {}) | field.type.schema()
            for field in fields
        },
    }


def _value_of(field: Field, value: Any) -> Any:
    if field.derive is not None:
        return field.derive(value)
    if isinstance(field.type, Group):
        return value
    for name in field.attribute.split("."):
        value = getattr(value, name)
    return value


@dataclass(frozen=True)
class Group:
    """Some attributes of the surrounding object, kept together under one key."""

    fields: tuple[Field, ...]

    def write(self, value: Any) -> Any:
        return write_fields(self.fields, value)

    def read(self, at: At) -> Any:
        return read_fields(self.fields, at)

    def schema(self) -> Schema:
        return fields_schema(self.fields)


@dataclass(frozen=True)
class Object:
    """A dataclass. `wrong` says what is wrong with a value that was read, None where nothing is."""

    kind: Callable[..., Any]
    fields: tuple[Field, ...]
    wrong: Callable[[Any], str | None] = lambda value: None

    def write(self, value: Any) -> Any:
        return write_fields(self.fields, value)

    def read(self, at: At) -> Any:
        value = self.kind(**read_fields(self.fields, at))
        expected = self.wrong(value)
        if expected is not None:
            raise at.fail(expected)
        return value

    def schema(self) -> Schema:
        return fields_schema(self.fields)


TEXT = Text()
WHOLE = Whole()
FLAG = Flag()
EXACT = Text(_EXACT, "an exact number as text")
TEXTS = Many(TEXT)
NAMED_TEXTS = Named(TEXT)


def by_name(values: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The values whose attribute lies in a part, by their names there; of the whole for an empty name."""
    lead = f"{part}." if part else ""
    return {
        name[len(lead) :]: value
        for name, value in values.items()
        if name.startswith(lead) and (part or "." not in name)
    }
