"""`torchlean cache`: what earlier runs left, and how to be rid of it."""

from __future__ import annotations

import argparse

from pytest_torchlean.cache.store import SIZE_VARIABLE, Store, default_store
from pytest_torchlean.cli import BAD_INPUT, PASSED
from pytest_torchlean.report.escape import terminal_line


def run(options: argparse.Namespace) -> int:
    """Print the state of the cache, or remove its entries. OSError where one cannot be removed."""
    store = default_store()
    if store is None:
        print(f"the cache is switched off ({SIZE_VARIABLE}, or no home folder)")
        return PASSED if not options.clear else BAD_INPUT
    if options.clear:
        count = store.clear()
        print(f"removed {count} {'entry' if count == 1 else 'entries'} from {_place(store)}")
        return PASSED
    print(state_text(store))
    return PASSED


def state_text(store: Store) -> str:
    """Entries, size, limit and place in one line."""
    state = store.state
    entries = f"{state.entries} {'entry' if state.entries == 1 else 'entries'}"
    size = f"{state.bytes / (1 << 20):.1f} of at most {state.limit >> 20} MB"
    return f"{entries}, {size}, in {_place(store)}"


def _place(store: Store) -> str:
    return terminal_line(str(store.folder))
