"""Frozen dataclasses to plain JSON data and back, driven by their type hints.

Used where values cross a process or a file: results on their way from an xdist worker, properties in
witness files. Fractions and paths become strings. Reading is strict: data of another form raises
ValueError, and only the types named by the hints are ever built.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from pathlib import PurePath
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """`value` as dicts, lists and built-in scalars. Raises TypeError for a type it does not know."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return to_plain(value.value)
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"no plain form for {type(value).__name__}")


def from_plain(kind: type[T], data: object) -> T:
    """The `kind` that `data` describes. Raises ValueError where it does not describe one."""
    return cast(T, _read(kind, data, kind.__name__))


@lru_cache(maxsize=64)
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(hint: Any, data: Any, place: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _read_union(get_args(hint), data, place)
    if origin is Literal:
        if data in get_args(hint):
            return data
    elif origin is tuple:
        if isinstance(data, list):
            return _read_tuple(get_args(hint), data, place)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        if isinstance(data, dict) and all(isinstance(key, str) for key in data):
            inner = get_args(hint)[1]
            return {key: _read(inner, item, f"{place}.{key}") for key, item in data.items()}
    elif is_dataclass(hint):
        if isinstance(data, dict):
            return _read_dataclass(cast(type, hint), data, place)
    elif isinstance(hint, type):
        return _read_scalar(hint, data, place)
    raise ValueError(f"{place}: the data has another form than expected")


def _read_union(choices: tuple[Any, ...], data: Any, place: str) -> Any:
    for choice in choices:
        try:
            return _read(choice, data, place)
        except ValueError:
            continue
    raise ValueError(f"{place}: the data has another form than expected")


def _read_tuple(inner: tuple[Any, ...], data: list[Any], place: str) -> tuple[Any, ...]:
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(_read(inner[0], item, f"{place}[{index}]") for index, item in enumerate(data))
    if len(inner) != len(data):
        raise ValueError(f"{place}: {len(inner)} items expected, {len(data)} found")
    return tuple(_read(kind, item, place) for kind, item in zip(inner, data, strict=True))


def _read_dataclass(kind: type, data: dict[str, Any], place: str) -> Any:
    hints = _hints(kind)
    names = {field.name for field in fields(kind) if field.init}
    unknown = sorted(set(data) - names)
    if unknown:
        raise ValueError(f"{place}: unknown field {unknown[0]!r}")
    values = {name: _read(hints[name], item, f"{place}.{name}") for name, item in data.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{place}: {error}") from None


def _read_scalar(kind: type, data: Any, place: str) -> Any:
    if kind is type(None):
        if data is None:
            return None
    elif issubclass(kind, Enum):
        return kind(data)
    elif kind is Fraction:
        if isinstance(data, str) and len(data) <= 4096:
            return _fraction(data, place)
    elif issubclass(kind, PurePath):
        if isinstance(data, str):
            return kind(data)
    elif kind is float and type(data) is int:
        return float(data)
    elif kind in (bool, int, float, str) and type(data) is kind:
        return data
    raise ValueError(f"{place}: {kind.__name__} expected")


def _fraction(text: str, place: str) -> Fraction:
    numerator, _, denominator = text.partition("/")
    try:
        return Fraction(int(numerator), int(denominator) if denominator else 1)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{place}: {text[:40]!r} is not a fraction") from None
