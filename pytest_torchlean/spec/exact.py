"""Reads the scalars of a spec exactly. Nothing here passes through a float.

Every function takes text and raises ValueError with a reason that completes "... is not accepted: ".
Exponents and digits are bounded before any big number is formed, so no text can make it slow.
"""

from __future__ import annotations

import re
from fractions import Fraction

MAX_TEXT = 2048
MAX_DECIMAL_EXPONENT = 1100
MAX_BINARY_EXPONENT = 1200

_DECIMAL = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+))?", re.ASCII)
_HEX = re.compile(r"([+-]?)0[xX]([0-9a-fA-F]+)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?\d+))?", re.ASCII)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)", re.ASCII)
_MEMORY = re.compile(r"(\d+)(KB|MB|GB|KiB|MiB|GiB)", re.ASCII)

_SECONDS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600)}
_BYTES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

_DECIMAL_PATTERN = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?( ?/ ?[0-9]+)?$"
_HEX_PATTERN = r"^[+-]?0[xX][0-9a-fA-F]+(\.[0-9a-fA-F]*)?([pP][+-]?[0-9]+)?$"
NUMBER_PATTERN = f"{_DECIMAL_PATTERN}|{_HEX_PATTERN}"
SHARE_PATTERN = r"^[0-9]+(\.[0-9]+)?%$|" + NUMBER_PATTERN
DURATION_PATTERN = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$"
MEMORY_PATTERN = r"^[0-9]+(KB|MB|GB|KiB|MiB|GiB)$"


def number(text: str) -> Fraction:
    """`3`, `-0.1`, `1e-3`, `8/255`, `0x1.8p-3` as an exact fraction."""
    text = text.strip(" ")
    if len(text) > MAX_TEXT:
        raise ValueError(f"longer than {MAX_TEXT} characters")
    if "/" in text:
        top, _, bottom = (part.strip(" ") for part in text.partition("/"))
        if not re.fullmatch(r"\d+", bottom, re.ASCII):
            raise ValueError("the part below the fraction bar must be a positive integer")
        divisor = int(_no_leading_zero(bottom))
        if divisor == 0:
            raise ValueError("division by zero")
        return _decimal(top) / divisor
    if re.match(r"[+-]?0[xX]", text):
        return _hexadecimal(text)
    return _decimal(text)


def integer(text: str) -> int:
    """A decimal integer. `010`, `1_000`, `1:30` and `1.0` are refused: YAML readers disagree about them."""
    text = text.strip(" ")
    if len(text) > 40:
        raise ValueError("longer than 40 characters")
    if not re.fullmatch(r"[+-]?\d+", text, re.ASCII):
        raise ValueError(_hint(text) or "it must be an integer in decimal digits")
    return int(_no_leading_zero(text))


def share(text: str) -> Fraction:
    """A share between 0 and 1: `90%`, `9/10` or `0.9`."""
    text = text.strip(" ")
    if text.endswith("%"):
        value = _decimal(text[:-1].rstrip(" ")) / 100
    else:
        value = number(text)
        if 1 < value <= 100:
            raise ValueError(f"a share is at most 1; did you mean `{text}%`?")
    if not 0 <= value <= 1:
        raise ValueError("a share lies between 0% and 100%")
    return value


def duration(text: str) -> Fraction:
    """`500ms`, `60s`, `2m`, `1h` in exact seconds."""
    text = text.strip(" ")
    match = _DURATION.fullmatch(text) if len(text) <= 40 else None
    if match is None:
        unit = f"; did you mean `{text}s`?" if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII) else ""
        raise ValueError(f"it needs a unit, one of ms, s, m, h{unit}")
    return _decimal(match[1]) * _SECONDS[match[2]]


def memory(text: str) -> int:
    """`512MiB`, `2GB` in bytes."""
    match = _MEMORY.fullmatch(text.strip(" ")) if len(text) <= 40 else None
    if match is None:
        raise ValueError("it must be an integer with a unit, one of " + ", ".join(_BYTES))
    return int(_no_leading_zero(match[1])) * _BYTES[match[2]]


def _decimal(text: str) -> Fraction:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(_hint(text) or "it is none of the accepted notations")
    sign, digits, exponent = match.groups()
    if len(digits) > 1 and digits[0] == "0" and digits[1] != ".":
        raise ValueError(_LEADING_ZERO)
    power = _exponent(exponent, MAX_DECIMAL_EXPONENT)
    whole, _, part = digits.partition(".")
    mantissa = int((whole + part) or "0")
    power -= len(part)
    value = Fraction(mantissa * 10**power) if power >= 0 else Fraction(mantissa, 10**-power)
    return -value if sign == "-" else value


def _hexadecimal(text: str) -> Fraction:
    match = _HEX.fullmatch(text)
    if match is None:
        raise ValueError("a hex float looks like 0x1.8p-3")
    sign, whole, part, exponent = match.groups()
    part = part or ""
    power = _exponent(exponent, MAX_BINARY_EXPONENT) - 4 * len(part)
    mantissa = int(whole + part, 16)
    value = Fraction(mantissa * 2**power) if power >= 0 else Fraction(mantissa, 2**-power)
    return -value if sign == "-" else value


def _exponent(text: str | None, limit: int) -> int:
    if text is None:
        return 0
    if len(text.lstrip("+-0")) > 6 or abs(int(text)) > limit:
        raise ValueError(f"exponents beyond {limit} are refused")
    return int(text)


_LEADING_ZERO = "leading zeros are refused, since some YAML readers take them for octal"


def _no_leading_zero(text: str) -> str:
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0":
        raise ValueError(_LEADING_ZERO)
    return text


def _hint(text: str) -> str | None:
    """Why a text that looks like a number to some YAML reader is none to us."""
    low = text.lower().lstrip("+-")
    if low in ("nan", ".nan"):
        return "NaN is no number"
    if low in ("inf", ".inf", "infinity"):
        return "infinity is no number"
    if re.fullmatch(r"0o?[0-7]+", low, re.ASCII):
        return "octal is refused"
    if re.fullmatch(r"\d+(:\d+)+(\.\d*)?", low, re.ASCII):
        return "sexagesimal (base 60) is refused"
    if re.fullmatch(r"[\d_]+(\.[\d_]*)?", low, re.ASCII) and "_" in low:
        return "underscores in numbers are refused"
    if re.fullmatch(r"\d+,\d+", low, re.ASCII):
        return "the decimal mark is a point"
    if low in ("yes", "no", "on", "off", "true", "false"):
        return "a boolean is no number"
    if not low:
        return "it is empty"
    if low.endswith("%"):
        return "a percentage is accepted for shares only"
    return None
