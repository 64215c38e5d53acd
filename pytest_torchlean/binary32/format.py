"""binary32 numbers as hexadecimal literals: exact, short, and stable across platforms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.ulp import is_binary32

_LITERAL = re.compile(r"[+-]?0x[0-9a-f]{1,32}(\.[0-9a-f]{1,32})?p[+-]?[0-9]{1,4}")


def to_hex(x: np.float32 | float) -> str:
    """A literal such as "0x1.8p-3", "-0x0p+0", "inf" or "nan" (every NaN prints alike).

    The form of C's %a and Python's float.hex without trailing zeros. ValueError when the number is
    not a binary32 number.
    """
    value = float(x)
    if value != value:
        return "nan"
    if float(np.float32(value)) != value:
        raise ValueError(f"{value!r} is not a binary32 number")
    text = value.hex()
    if "p" not in text:
        return text
    mantissa, exponent = text.split("p")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}p{exponent}"


def from_hex(text: str) -> np.float32:
    """The binary32 number a literal names. ValueError when it is malformed or not a binary32 number."""
    literal = text.strip().lower()
    if literal in ("nan", "inf", "-inf"):
        return np.float32(literal)
    if not _LITERAL.fullmatch(literal):
        raise ValueError(f"{text!r} is not a hexadecimal number such as 0x1.8p-3")
    negative = literal.startswith("-")
    mantissa, exponent = literal.lstrip("+-")[2:].split("p")
    whole, _, fraction = mantissa.partition(".")
    value = Fraction(int(whole + fraction, 16)) * Fraction(2) ** (int(exponent) - 4 * len(fraction))
    if not is_binary32(value):
        raise ValueError(f"{text!r} is not a binary32 number")
    number = np.float32(float(value))
    return -number if negative else number


def to_hex_all(values: NDArray[np.float32]) -> tuple[str, ...]:
    """`to_hex` of every element in row-major order."""
    return tuple(to_hex(float(value)) for value in np.asarray(values, dtype=np.float32).reshape(-1))


def from_hex_all(texts: Sequence[str]) -> NDArray[np.float32]:
    """`from_hex` of every literal, as a flat float32 array."""
    return np.array([from_hex(text) for text in texts], dtype=np.float32)
