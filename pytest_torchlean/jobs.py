"""The properties of a spec as jobs: each with its place and its model, and its claim in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pytest_torchlean.errors import TorchleanError

if TYPE_CHECKING:
    from pytest_torchlean.spec.document import InputShapes, ModelEntry, Spec
    from pytest_torchlean.spec.model import PropertySpec
    from pytest_torchlean.spec.preprocess import PreprocessStep

AHEAD_IN_CLAIM = "; inputs are raw, as they enter the preprocessing"
"""Ends a claim about a model with steps ahead of it."""


@dataclass(frozen=True)
class Job:
    """One property with its place and its model, whether from torchlean.yaml or from a decorator."""

    id: str
    spec_file: str
    line: int
    column: int
    model_name: str
    model_path: Path
    model_shown: str
    check: str
    prop: PropertySpec | None
    """None where the property itself could not be read."""
    inputs: InputShapes | None = None
    """Shapes given for inputs that the model file leaves open."""
    on_unknown: Literal["fail", "warn"] = "fail"
    error: TorchleanError | None = None
    """Why there is no property."""
    preprocess: tuple[PreprocessStep, ...] = ()
    """What is done to a raw input before the model sees it."""
    spec_sha256: str | None = None
    other: ModelEntry | None = None
    """The second model of a property about two."""


def jobs_of(spec: Spec) -> tuple[Job, ...]:
    """The properties of a spec as jobs, in the order they are written."""
    from pytest_torchlean.spec.model import second_model

    jobs = []
    for prop in spec.properties:
        entry, second = spec.models[prop.model], second_model(prop)
        jobs.append(
            Job(
                id=spec.item_id(prop),
                spec_file=spec.file,
                line=prop.span.line if prop.span else 1,
                column=prop.span.column if prop.span else 1,
                model_name=prop.model,
                model_path=entry.path,
                model_shown=entry.shown,
                check=prop.check,
                prop=prop,
                inputs=entry.inputs,
                on_unknown=prop.on_unknown,
                preprocess=entry.preprocess,
                spec_sha256=spec.sha256,
                other=None if second is None else spec.models[second],
            )
        )
    return tuple(jobs)


def semantics_of(job: Job) -> str:
    """`real` or `binary32`; `real` where the property itself could not be read."""
    return "real" if job.prop is None else job.prop.chosen_semantics


def claim_of(job: Job) -> str:
    """The job's claim in words."""
    if job.prop is None:
        return f"{job.spec_file} can be read"
    from pytest_torchlean.properties.claims import claim

    return claim(job.prop) + (AHEAD_IN_CLAIM if job.preprocess else "")


def steps_in_words(job: Job) -> tuple[str, ...]:
    """What is done to a raw input before the model sees it, a line for each step."""
    return _in_words(job.preprocess)


def other_steps_in_words(job: Job) -> tuple[str, ...]:
    """The same ahead of the second model of a property about two."""
    return () if job.other is None else _in_words(job.other.preprocess)


def _in_words(steps: tuple[PreprocessStep, ...]) -> tuple[str, ...]:
    if not steps:
        return ()
    from pytest_torchlean.spec.preprocess import words

    return tuple(words(step) for step in steps)
