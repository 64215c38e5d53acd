"""torchlean.yaml as pytest nodes: a file, one collector per model, one item per property."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.gate import collection_failure
from pytest_torchlean.jobs import Job, jobs_of
from pytest_torchlean.results import PropertyResult


class SpecFile(pytest.File):
    """One torchlean.yaml. A spec that cannot be read is a collection error, shown with its place."""

    failure: PropertyResult
    """Set where the spec could not be read."""

    def collect(self) -> Iterator[pytest.Collector]:
        from pytest_torchlean.plugin import session_of
        from pytest_torchlean.plugin_session import root_of
        from pytest_torchlean.spec import load_spec

        try:
            extensions = session_of(self.config).extensions
            spec = load_spec(self.path, root_of(self.config, self.path), extensions)
        except TorchleanError as error:
            text = self._explain(error)
            self.failure = collection_failure(self.nodeid, text, error)
            raise self.CollectError(text) from None
        models: dict[str, list[Job]] = {}
        for job in jobs_of(spec):
            models.setdefault(job.model_name, []).append(job)
        for name, jobs in models.items():
            yield ModelCollector.from_parent(self, name=name, jobs=tuple(jobs))

    def _explain(self, error: TorchleanError) -> str:
        from pytest_torchlean.report.errors import error_text

        return error_text(error)


class ModelCollector(pytest.Collector):
    """The properties of one model of a spec."""

    def __init__(self, *, jobs: tuple[Job, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.jobs = jobs

    def collect(self) -> Iterator[pytest.Item]:
        for job in self.jobs:
            name = job.id.rsplit("::", 1)[-1]
            yield PropertyItem.from_parent(self, name=name, job=job)


class PropertyItem(pytest.Item):
    """One property. It passes, warns or fails as its verdict says."""

    def __init__(self, *, job: Job, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.add_marker("torchlean")
        self.add_marker(job.check)

    def runtest(self) -> None:
        from pytest_torchlean.plugin import session_of

        session = session_of(self.config)
        session.enforce(self)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.job.line - 1, f"{self.job.model_name}::{self.name}"
