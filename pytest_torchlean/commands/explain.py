"""`torchlean explain`: the table of error codes."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap

from pytest_torchlean.cli import BAD_INPUT, PASSED
from pytest_torchlean.error_codes import CODES
from pytest_torchlean.error_examples import EXAMPLES
from pytest_torchlean.report.escape import terminal_line

_WIDTH = 100


def run(options: argparse.Namespace) -> int:
    """Print one code's meaning, or one line for every code."""
    if options.code is None:
        print("\n".join(f"{code}  {CODES[code].title}" for code in sorted(CODES)))
        return PASSED
    row = CODES.get(_normal(options.code))
    if row is None:
        print(
            f"{terminal_line(options.code)} is not a code of this version{_hint(options.code)}",
            file=sys.stderr,
        )
        return BAD_INPUT
    print(f"{row.code}: {row.title}")
    for name, text in (("cause", row.cause), ("example", EXAMPLES.get(row.code, "")), ("fix", row.fix)):
        if text:
            lead = f"  {name + ':':<9}"
            lines = textwrap.wrap(text, _WIDTH - len(lead), break_long_words=False, break_on_hyphens=False)
            print(lead + ("\n" + " " * len(lead)).join(lines))
    return PASSED


def _normal(text: str) -> str:
    """The code that `tl101`, `TL-0101` or `101` means."""
    digits = re.fullmatch(r"(?:TL)?[-_ ]?(\d{1,4})", text.strip(), re.IGNORECASE)
    return f"TL{int(digits[1]):04}" if digits else text.strip().upper()


def _hint(text: str) -> str:
    """A code that was probably meant, or one whose title has the word."""
    code = _normal(text)
    if re.fullmatch(r"TL\d{4}", code):
        close = min(CODES, key=lambda known: (abs(int(known[2:]) - int(code[2:])), known))
        return f"; did you mean {close} ({CODES[close].title})?"
    word = text.strip().lower()
    titled = [row for row in CODES.values() if len(word) > 2 and word in row.title.lower()]
    if titled:
        found = ", ".join(f"{row.code} ({row.title})" for row in titled[:3])
        return f"; codes with this word: {found}"
    return "; `torchlean explain` lists all codes"
