"""`torchlean report`: render reports again from a JSON record."""

from __future__ import annotations

import argparse

from pytest_torchlean.cli import PASSED, REPORTS, report_files, wants_colour
from pytest_torchlean.commands.extensions import extensions_for
from pytest_torchlean.errors import RecordError
from pytest_torchlean.extensions.registry import NONE
from pytest_torchlean.files import read_regular_file, reason
from pytest_torchlean.journal import is_journal, read_journal
from pytest_torchlean.outputs import write_reports
from pytest_torchlean.report.read import MAX_BYTES, parse_record
from pytest_torchlean.report.text import table


def run(options: argparse.Namespace) -> int:
    """Write the reports asked for; without any print the table. Raises RecordError TL08xx."""
    try:
        data = read_regular_file(options.record, MAX_BYTES)
    except OSError as error:
        raise RecordError("TL0801", f"{options.record} cannot be read: {reason(error)}") from None
    results, environment = read_journal(data) if is_journal(data) else parse_record(data)
    files = report_files(options)
    if options.format is not None:
        files[options.format] = "-"
    if any(file is not None for file in files.values()):
        needed = set(files) - set(REPORTS)
        extensions = extensions_for(options) if needed else NONE
        write_reports(results, files, environment, extensions=extensions)
    else:
        print(table(results, environment, colour=wants_colour(options)))
    return PASSED
