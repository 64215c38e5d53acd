"""Which cache a command uses."""

from __future__ import annotations

import argparse

from pytest_torchlean.cache.store import Store, default_store


def cache_for(options: argparse.Namespace) -> Store | None:
    """The user's cache; None where --no-cache or the environment says so."""
    return None if options.no_cache else default_store()
