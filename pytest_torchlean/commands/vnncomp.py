"""`torchlean check --vnncomp LIST`: the instances of a VNN-COMP benchmark, one property each."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_torchlean.bounds.processes import executor_of
from pytest_torchlean.commands.caching import cache_for
from pytest_torchlean.commands.extensions import extensions_for
from pytest_torchlean.gate import Progress, not_run, run_one
from pytest_torchlean.jobs import Job
from pytest_torchlean.model_store import ModelStore
from pytest_torchlean.progress import SILENT, Observer
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.spec.instances import Instances, load_instances
from pytest_torchlean.spec.model import VnnlibProperty
from pytest_torchlean.spec.paths import shown


def jobs_of(instances: Instances, root: Path) -> tuple[Job, ...]:
    """The lines of a list as jobs, in their order."""
    return tuple(
        Job(
            id=f"{instances.file}::{instance.model_name}::{instance.name}",
            spec_file=instances.file,
            line=instance.line,
            column=1,
            model_name=instance.model_name,
            model_path=instance.model,
            model_shown=shown(instance.model, root),
            check=VnnlibProperty.check,
            prop=VnnlibProperty(
                name=instance.name, model=instance.model_name, file=instance.file, timeout=instance.timeout
            ),
        )
        for instance in instances.listed
    )


def run_instances(
    path: Path,
    root: Path,
    options: argparse.Namespace,
    done: list[PropertyResult],
    progress: Progress,
    observer: Observer = SILENT,
) -> list[PropertyResult]:
    """Run a list; `done` receives each result as it comes. Returns results for the lines not reached.

    Raises SpecErrors TL0330.
    """
    jobs = jobs_of(load_instances(path, root), root)
    store = ModelStore(
        root, extensions_for(options, root), cache_for(options), executor_of(options.processes)
    )
    try:
        for job in jobs:
            progress(job.id, None)
            result = run_one(job, store=store, lean=options.lean, debug=options.debug, observer=observer)
            progress(job.id, result)
    except KeyboardInterrupt:
        return [not_run(job, "the run was interrupted") for job in jobs[len(done) :]]
    return []
