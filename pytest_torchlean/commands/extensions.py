"""The extensions of one call of `torchlean`, loaded when a command first needs them."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_torchlean.discovery import load_extensions
from pytest_torchlean.extensions.registry import NONE, Extensions


def extensions_for(options: argparse.Namespace, root: Path | None = None) -> Extensions:
    """What the installed distributions give; nothing with `--no-extensions`. Loaded once for a call.

    root: the work tree, from which nothing is imported with `--base`. Raises ExtensionError TL10xx.
    """
    if options.no_extensions:
        return NONE
    if getattr(options, "extensions", None) is None:
        guarded = getattr(options, "base", None) is not None
        options.extensions = load_extensions(outside=(root or Path.cwd()) if guarded else None)
    loaded: Extensions = options.extensions
    return loaded
