"""Runs properties and collects their results; no exception of a property escapes.

An expected failure becomes ERROR (UNSUPPORTED where the model is outside the tool's reach), anything
else ERROR TL0901. KeyboardInterrupt passes through; results obtained before it stay with the caller.
"""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_torchlean.error_codes import CODES
from pytest_torchlean.errors import Finding, SpecError, SpecErrors, TorchleanError, UnsupportedError
from pytest_torchlean.extensions.registry import NONE, Extensions
from pytest_torchlean.jobs import (
    AHEAD_IN_CLAIM,
    Job,
    claim_of,
    jobs_of,
    other_steps_in_words,
    semantics_of,
    steps_in_words,
)
from pytest_torchlean.model_store import ModelStore
from pytest_torchlean.progress import SILENT, Observer
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.verdict import Evidence, Mistake, Problem, Verdict

if TYPE_CHECKING:
    from pytest_torchlean.cache.store import Store
    from pytest_torchlean.ir.graph import Graph
    from pytest_torchlean.properties import OtherModel
    from pytest_torchlean.spec.document import ModelEntry, Spec


_MOST_SPEC_BYTES = 1 << 24
_WINDOW = 100
"""Characters of a source line that an excerpt shows."""
MOST_MISTAKES = 1000
"""Errors of one spec that its result names one by one."""

Keep = Callable[[str | bytes, tuple[str, ...]], None]
"""Called with every text that Lean accepts and the axioms of its theorem."""

Progress = Callable[[str, PropertyResult | None], None]
"""Called with a property's id and None when it starts, and with its result when it ends."""


def run_spec(
    spec: Spec,
    *,
    root: Path,
    select: Collection[str] | None = None,
    lean: Path | None = None,
    progress: Progress | None = None,
    observer: Observer = SILENT,
    debug: bool = False,
    extensions: Extensions = NONE,
    cache: Store | None = None,
    store: ModelStore | None = None,
    executor: Executor | None = None,
) -> list[PropertyResult]:
    """Run a spec's properties in order and return one result for each of them.

    `select` holds the ids to run, None for all; the others get a result that says they were not run.
    `executor` is where parts of boxes are bounded, None for this process; results do not depend on it.
    """
    from pytest_torchlean.library_ahead import Candidate, library_ahead

    store = store or ModelStore(root, extensions, cache, executor)
    results = []
    jobs = jobs_of(spec)
    candidates = [
        Candidate(job.check, job.model_path, job.preprocess, job.inputs)
        for job in jobs
        if (select is None or job.id in select) and job.prop is not None
    ]
    with library_ahead(candidates, store, lean):
        for job in jobs:
            if select is not None and job.id not in select:
                results.append(not_run(job, "it was not selected"))
                continue
            if progress is not None:
                progress(job.id, None)
            result = run_one(job, store=store, lean=lean, debug=debug, observer=observer)
            if progress is not None:
                progress(job.id, result)
            results.append(result)
    return results


def run_one(
    job: Job,
    *,
    store: ModelStore,
    lean: Path | None = None,
    debug: bool = False,
    keep: Keep | None = None,
    observer: Observer = SILENT,
) -> PropertyResult:
    """Run one property. Every failure of it is in the result; only KeyboardInterrupt passes.

    `debug` adds the traceback of a failure to the evidence's details. `observer` hears what it is at.
    """
    started = time.monotonic()
    try:
        evidence = _evidence(job, store, lean, started, keep, observer)
    except (Exception, SystemExit) as error:
        evidence = failure_evidence(job, _with_line(error, store.root), debug=debug)
    rest = time.monotonic() - started - sum(evidence.seconds.values())
    evidence = replace(evidence, seconds={**evidence.seconds, "other": max(0.0, rest)})
    result = result_of(job, evidence, sha256=store.sha256(job.model_path))
    if job.other is not None:
        result = replace(result, other_model=store.described(job.other))
    if job.inputs:
        result = replace(result, model_shapes=store.shapes(job.model_path, job.inputs))
    if evidence.witnesses:
        from pytest_torchlean.witness_files import write_witness_file

        result = replace(result, witness_file=write_witness_file(job, result, store.root))
    return result


def not_run(job: Job, reason: str) -> PropertyResult:
    """The result of a property that was collected but never ran: an ERROR, so that no gate passes."""
    problem = Problem("TL0903", f"the property was not run: {reason}", CODES["TL0903"].fix)
    evidence = Evidence(
        verdict=Verdict.ERROR,
        claim=claim_of(job),
        found=f"not run: {reason}",
        semantics=semantics_of(job),
        problem=problem,
    )
    return result_of(job, evidence, sha256=None)


def collection_failure(file: str, message: str, error: TorchleanError | None = None) -> PropertyResult:
    """The result that stands for a spec file that could not be read, with the errors found in it."""
    problem = Problem("TL0904", message, CODES["TL0904"].fix)
    mistakes = tuple(_mistake(finding.error) for finding in _findings(error)[:MOST_MISTAKES])
    evidence = Evidence(
        verdict=Verdict.ERROR,
        claim=f"{file} can be read",
        found="the spec cannot be read",
        problem=problem,
        mistakes=mistakes,
    )
    return PropertyResult(
        id=file,
        spec_file=file,
        line=mistakes[0].line if mistakes else 1,
        column=mistakes[0].column if mistakes else 1,
        model_name="",
        model_path="",
        model_sha256=None,
        check="spec",
        evidence=evidence,
    )


def result_of(job: Job, evidence: Evidence, *, sha256: str | None) -> PropertyResult:
    """The job's result with this evidence."""
    return PropertyResult(
        id=job.id,
        spec_file=job.spec_file,
        line=job.line,
        column=job.column,
        model_name=job.model_name,
        model_path=job.model_shown,
        model_sha256=sha256,
        check=job.check,
        evidence=evidence,
        on_unknown=job.on_unknown,
        preprocess=steps_in_words(job),
        spec_sha256=job.spec_sha256,
    )


def failure_evidence(job: Job, error: BaseException, *, debug: bool = False) -> Evidence:
    """What an exception says about a property: UNSUPPORTED or ERROR, never anything that passes."""
    if isinstance(error, TorchleanError):
        verdict = Verdict.UNSUPPORTED if isinstance(error, UnsupportedError) else Verdict.ERROR
        code, message, fix = error.code, error.message, error.fix
        if error.span is not None:
            message = f"{error.span}: {message}"
    else:
        code = "TL0902" if isinstance(error, MemoryError) else "TL0901"
        verdict, message, fix = Verdict.ERROR, _short(error), CODES[code].fix
    details = tuple(line for finding in _findings(error) for line in _excerpt(finding))
    if debug:
        details += tuple("".join(traceback.format_exception(error)).splitlines())
    return Evidence(
        verdict=verdict,
        claim=claim_of(job),
        found=message,
        semantics=semantics_of(job),
        problem=Problem(code, message, fix),
        next_steps=fix,
        details=details,
    )


def _with_line(error: BaseException, root: Path) -> BaseException:
    """An error that was found after the spec was read, with the line of the file it speaks of."""
    if not isinstance(error, SpecError) or isinstance(error, SpecErrors) or error.span is None:
        return error
    from pytest_torchlean.files import read_regular_file
    from pytest_torchlean.spec.paths import resolve_inside

    try:
        path = resolve_inside(error.span.file, base=root, root=root)
        lines = read_regular_file(path, _MOST_SPEC_BYTES).decode("utf-8").splitlines()
    except (OSError, ValueError, SpecError):
        return error
    line = lines[error.span.line - 1] if error.span.line <= len(lines) else None
    return SpecErrors((Finding(error, line),))


def _findings(error: BaseException | None) -> tuple[Finding, ...]:
    return error.findings if isinstance(error, SpecErrors) else ()


def _mistake(error: SpecError) -> Mistake:
    line, column = (1, 1) if error.span is None else (error.span.line, error.span.column)
    return Mistake(line, column, error.code, error.message, error.fix)


def _excerpt(finding: Finding) -> tuple[str, ...]:
    """The source line and a caret below the place, cut to a window around it."""
    span = finding.error.span
    if span is None or finding.line is None:
        return ()
    left = max(0, span.column - 1 - _WINDOW // 2)
    window = finding.line[left : left + _WINDOW].replace("\t", " ")
    carets = "^" * max(1, min(span.length, len(window) - (span.column - 1 - left)))
    number = f"{span.line:>5} | "
    return (number + window, " " * 5 + " | " + " " * (span.column - 1 - left) + carets)


def _with_preprocessing(evidence: Evidence, job: Job) -> Evidence:
    """The evidence with what the steps ahead of the model mean for its claim and for trust in it."""
    if job.preprocess:
        line = "The claim is about raw inputs. " + _ahead("the model's file", steps_in_words(job))
        evidence = replace(evidence, claim=evidence.claim + AHEAD_IN_CLAIM, trust=(*evidence.trust, line))
    other = other_steps_in_words(job)
    if other:
        name = "the other model's file" if job.check == "equivalent" else "the file of the dynamics"
        evidence = replace(evidence, trust=(*evidence.trust, _ahead(name, other)))
    return evidence


def _ahead(file: str, steps: Sequence[str]) -> str:
    return (
        f"Ahead of {file}: {'; '.join(steps)}. The numbers are rounded to the "
        "nearest binary32 numbers, every operation rounds once in binary32, and the deployed preprocessing "
        f"must do exactly these operations. The sha256 is that of {file} alone."
    )


def _evidence(
    job: Job,
    store: ModelStore,
    lean: Path | None,
    started: float,
    keep: Keep | None,
    observer: Observer,
) -> Evidence:
    """Decide one property, unmoved by the caller's warning filters and numpy error settings."""
    from pytest_torchlean.arithmetic import require_ieee_arithmetic
    from pytest_torchlean.properties import PropertyContext, run_property
    from pytest_torchlean.properties.extension import with_operators
    from pytest_torchlean.properties.memory import memory_of
    from pytest_torchlean.spec.document import InputShapes

    if job.error is not None:
        raise job.error
    if job.prop is None:
        raise ValueError("a job without a property cannot run")
    inputs = job.inputs or InputShapes()
    observer.phase("reading the model")
    graph = store.graph(job.model_path, inputs)
    front = store.front(job.model_path, job.preprocess, inputs)
    model = store.model(job.model_path)
    context = PropertyContext(
        model=model,
        graph=graph if front is None else front.graph,
        root=store.root,
        deadline=started + float(job.prop.timeout),
        seconds=float(job.prop.timeout),
        inputs=inputs,
        lean=lean,
        keep=keep,
        front=front,
        observer=observer,
        extensions=store.extensions,
        memory=memory_of(store.cache, model.sha256, inputs, job.preprocess, job.prop),
        other=None if job.other is None else _other(job.other, store),
        executor=store.executor,
        ahead=store.ahead,
    )
    import numpy as np

    from pytest_torchlean.bounds.threads import one_thread
    from pytest_torchlean.files import noting_inputs
    from pytest_torchlean.spec.paths import shown

    with np.errstate(all="ignore"), warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore")
        require_ieee_arithmetic("before the check: ")
        with noting_inputs() as files:
            evidence = run_property(context, job.prop)
        require_ieee_arithmetic("after the check: ")
    evidence = with_operators(context.model, evidence)
    if files:
        evidence = replace(evidence, files={shown(path, store.root): sha for path, sha in files.items()})
    return _with_preprocessing(_about_shapes(evidence, graph) if inputs else evidence, job)


def _other(entry: ModelEntry, store: ModelStore) -> OtherModel:
    from pytest_torchlean.properties import OtherModel

    graph = store.graph(entry.path, entry.inputs)
    front = store.front(entry.path, entry.preprocess, entry.inputs)
    return OtherModel(store.model(entry.path), graph if front is None else front.graph, front, entry)


def _about_shapes(evidence: Evidence, graph: Graph) -> Evidence:
    """The evidence with the shapes that the spec gives as a part of the claim."""
    from pytest_torchlean.properties.lowering import shapes_text

    shapes = shapes_text(graph)
    return replace(
        evidence,
        claim=f"{evidence.claim}, with model inputs {shapes}",
        trust=(*evidence.trust, f"The model file leaves dimensions open; nothing is said beyond {shapes}."),
    )


def _short(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    message = lines[0][:300] if lines else "no message"
    return f"{type(error).__name__}: {message}"
