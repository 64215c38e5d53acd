"""What `torchlean check` compares with: the committed baseline, or a revision (`--base`)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pytest_torchlean.commands.extensions import extensions_for
from pytest_torchlean.commands.roots import MARKS
from pytest_torchlean.ratchet.based import SPEC_NAME, Based, compare_with_base
from pytest_torchlean.ratchet.run import Placed, Ratchet, committed


def ratchet_of(placed: Sequence[Placed], options: argparse.Namespace) -> Ratchet | None:
    """The ratchet of specs that were read from the working folder. Raises SpecErrors, SpecError TL1108."""
    if options.no_baseline:
        return None
    return committed(placed, options.baseline)


def based_on(specs: Sequence[Path], options: argparse.Namespace) -> Based:
    """The runs and the ratchet of `--base`. Raises SpecError TL1108 to TL1110, TL1113, SpecErrors."""
    return compare_with_base(
        [spec if spec.suffix in (".yaml", ".yml") else spec / SPEC_NAME for spec in specs],
        options.base,
        root=options.root,
        marks=MARKS,
        chosen=options.baseline,
        extensions=lambda top: extensions_for(options, top),
    )
