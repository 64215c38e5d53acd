"""Names that come from model files: opaque inside, escaped whenever a person may see them."""

from __future__ import annotations

_LONGEST = 120


def printable(name: str) -> str:
    """The name with every character that is not printable escaped, and cut when very long.

    Covers control characters, terminal escapes, line breaks, directional overrides and lone
    surrogates; a backslash is doubled, so different names stay different unless cut.
    """
    shown = "".join(_escape(character) for character in name[: _LONGEST + 1])
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "..."


def quoted(name: str) -> str:
    """`printable` between single quotes, with single quotes inside escaped."""
    return "'" + printable(name).replace("'", "\\'") + "'"


def _escape(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
