"""`torchlean bundle`: prove a property and write the proof as Lean files that need nothing of ours."""

from __future__ import annotations

import argparse

from pytest_torchlean.bundle import Accepted, AcceptedDocument, AcceptedText, bundle_files, write_bundle
from pytest_torchlean.checker.sources import PARTS, ROOT, read_sources, source_directory
from pytest_torchlean.cli import PASSED
from pytest_torchlean.commands.check import selected_ids, target_of
from pytest_torchlean.commands.extensions import extensions_for
from pytest_torchlean.commands.roots import root_for
from pytest_torchlean.errors import SpecError
from pytest_torchlean.gate import run_one
from pytest_torchlean.heartbeat import heartbeat_of_process
from pytest_torchlean.jobs import jobs_of
from pytest_torchlean.model_store import ModelStore
from pytest_torchlean.report.escape import terminal_line
from pytest_torchlean.spec import load_spec


def run(options: argparse.Namespace) -> int:
    """Prove one property and write its bundle. Raises SpecError TL0309, CertificateError TL0620, TL0621."""
    target = target_of(options.property)
    root = root_for(target.spec, options.root)
    extensions = extensions_for(options, root)
    spec = load_spec(target.spec.resolve(), root, extensions)
    ids = selected_ids(spec, [target])
    jobs = [job for job in jobs_of(spec) if ids is None or job.id in ids]
    if len(jobs) != 1:
        raise SpecError(
            "TL0309",
            f"{options.property!r} names {len(jobs)} properties, a bundle is about one",
            fix="write SPEC::MODEL::PROPERTY",
        )
    accepted: list[Accepted] = []

    def keep(given: str | bytes, axioms: tuple[str, ...]) -> None:
        if isinstance(given, str):
            accepted.append(AcceptedText(given, axioms))
        else:
            accepted.append(AcceptedDocument(given, jobs[0].model_path.read_bytes()))

    heartbeat = heartbeat_of_process()
    with heartbeat.running():
        heartbeat.begin(jobs[0].id)
        result = run_one(
            jobs[0],
            store=ModelStore(root, extensions),
            lean=options.lean,
            debug=options.debug,
            keep=keep,
            observer=heartbeat,
        )
    directory = source_directory()
    sources = read_sources(directory, ROOT, *PARTS)
    files = bundle_files(result, accepted, sources, (directory / "README.md").read_bytes())
    write_bundle(options.output, files)
    size = sum(map(len, files.values())) / 1e6
    print(f"{terminal_line(result.id)}: PROVED, written to {terminal_line(str(options.output))}")
    print(
        f"{len(files)} files, {size:.1f} MB. Read Claim.lean first; `sh recheck.sh` checks all of it again."
    )
    return PASSED
