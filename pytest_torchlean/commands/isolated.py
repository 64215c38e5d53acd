"""`--base` runs no code of the repository: nothing is imported from it. Imports little itself."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_torchlean.errors import SpecError
from pytest_torchlean.isolation import keep_out
from pytest_torchlean.ratchet.revision import top_of


def refuse_code_of_repository(options: argparse.Namespace) -> None:
    """Keep modules of the repository out of this process. Raises SpecError TL1109, TL1113."""
    first = options.paths[0].split("::")[0] if options.paths else "."
    module = keep_out(top_of(Path(first)))
    if module is not None:
        raise SpecError("TL1113", f"the module {module!r} was loaded from the repository that is checked")
