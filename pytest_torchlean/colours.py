"""When output is coloured: what users of other command-line tools expect, in one place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream is a terminal; a closed one is not."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def wants_colour(wish: bool | None, stream: TextIO, environment: Mapping[str, str] | None = None) -> bool:
    """Whether to colour what goes to `stream`; wish: True for --color, False for --no-color.

    Then, in this order: NO_COLOR set to anything, FORCE_COLOR or CLICOLOR_FORCE to anything but 0,
    CLICOLOR=0, TERM=dumb; else terminals are coloured.
    """
    given = os.environ if environment is None else environment
    if wish is not None:
        return wish
    if given.get("NO_COLOR"):
        return False
    if any(given.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    if given.get("CLICOLOR") == "0" or given.get("TERM") == "dumb":
        return False
    return is_terminal(stream)
