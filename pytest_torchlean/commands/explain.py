"""`torchlean explain`: the table of error codes."""

from __future__ import annotations

import argparse
import difflib
import sys

from pytest_torchlean.cli import BAD_INPUT, PASSED
from pytest_torchlean.error_codes import CODES
from pytest_torchlean.report.escape import terminal_line


def run(options: argparse.Namespace) -> int:
    """Print one code's meaning, or one line for every code."""
    if options.code is None:
        print("\n".join(f"{entry.code}  {entry.title}" for entry in CODES.values()))
        return PASSED
    row = CODES.get(options.code.upper())
    if row is None:
        close = difflib.get_close_matches(options.code.upper(), CODES, n=1)
        hint = f"; did you mean {close[0]}?" if close else "; `torchlean explain` lists all codes"
        print(f"{terminal_line(options.code)} is not a code of this version{hint}", file=sys.stderr)
        return BAD_INPUT
    print(f"{row.code}: {row.title}\n  cause: {row.cause}\n  fix:   {row.fix}")
    return PASSED
