"""xdist's `--dist loadgroup` with the properties of one model of a spec as a group."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadGroupScheduling

from pytest_torchlean.plugin import SPEC_NAME


class ModelScheduling(LoadGroupScheduling):  # type: ignore[misc]
    """A spec's items go to workers model by model; all others as xdist groups them."""

    def _split_scope(self, nodeid: str) -> str:
        group = model_of(nodeid)
        return str(super()._split_scope(nodeid)) if group is None else group


def model_of(nodeid: str) -> str | None:
    """The spec and the model of a property's id; None for any other id."""
    file, *names = nodeid.split("::")
    return f"{file}::{names[0]}" if file.rsplit("/", 1)[-1] == SPEC_NAME and len(names) == 2 else None


def scheduler(config: pytest.Config, log: Any) -> ModelScheduling:
    """The scheduler of a run with `--dist loadgroup`."""
    return ModelScheduling(config, log)
