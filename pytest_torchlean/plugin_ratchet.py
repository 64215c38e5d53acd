"""The baselines of the specs of one pytest run.

Under pytest the code of the repository runs in the same process and can change every answer, this one too:
what a pull request is held against is `torchlean check --base`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_torchlean.changes import Comparison
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.extensions.registry import Extensions
from pytest_torchlean.ratchet.run import Placed, committed
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.spec import load_spec

_SPEC_NAME = "torchlean.yaml"


def compare_with_baselines(
    config: pytest.Config, results: Sequence[PropertyResult], extensions: Extensions
) -> Comparison | None:
    """The results against the baseline beside each spec, or the one that was chosen; None without any.

    Raises SpecErrors where a baseline or its waivers cannot be read, SpecError TL1108.
    """
    if config.getoption("torchlean_no_baseline") or config.getoption("collectonly"):
        return None
    value = config.getoption("torchlean_baseline")
    chosen = None if value is None else config.invocation_params.dir / value
    placed = list(_specs(config, results, extensions))
    ratchet = committed(placed, chosen) if placed else None
    return None if ratchet is None else ratchet.compare(results)


def _specs(
    config: pytest.Config, results: Iterable[PropertyResult], extensions: Extensions
) -> Iterable[Placed]:
    """The specs that have results and can be read, with the roots of their paths."""
    files = dict.fromkeys(result.spec_file for result in results)
    for file in files:
        if Path(file).name != _SPEC_NAME:
            continue
        folders = (config.rootpath, config.invocation_params.dir)
        root = next((folder for folder in folders if (folder / file).is_file()), None)
        if root is not None:
            with suppress(TorchleanError):  # a spec with errors is a collection error of its own
                yield load_spec(root / file, root, extensions), root
