"""Report forms of extensions: they get a copy of the record and give text, and nothing they do changes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_torchlean.errors import ExtensionError
from pytest_torchlean.extensions.model import Reporter
from pytest_torchlean.extensions.registry import Extensions, Provided
from pytest_torchlean.report.record import render_json
from pytest_torchlean.results import Environment, PropertyResult

MOST_CHARACTERS = 1 << 26


@dataclass(frozen=True)
class ExtensionForm:
    """A form that an extension gives, to be used as those of `formats.py`."""

    given: Provided[Reporter]

    @property
    def content(self) -> str:
        """What it writes, in a few words."""
        return f"{self.given.it.content} (by extension {self.given.origin})"

    def render(self, results: Sequence[PropertyResult], environment: Environment) -> str:
        """The text of the report, made twice: the same record must give the same text.

        Raises ExtensionError TL1003, TL1004.
        """
        data = render_json(results, environment)
        first, second = self._once(data), self._once(data)
        if first != second:
            raise self.given.wrong("gave two different texts for one record; it must be a pure function")
        return first

    def _once(self, data: str) -> str:
        record = json.loads(data)
        text = self.given.call(self.given.it.render, record)
        if not isinstance(text, str):
            raise self.given.wrong(f"gave a {type(text).__name__}, not text")
        if len(text) > MOST_CHARACTERS:
            raise self.given.wrong(f"gave more than {MOST_CHARACTERS} characters")
        if record != json.loads(data):
            raise self.given.wrong("changed the record that it was given")
        return text


def extension_form(name: str, extensions: Extensions) -> ExtensionForm:
    """The form of this name. Raises ExtensionError TL1005 where no extension gives it."""
    if name not in extensions.reporters:
        shown = repr(name[:60])
        known = ", ".join(extensions.reporters) or "none"
        raise ExtensionError("TL1005", f"there is no report form {shown}; those of extensions: {known}")
    return ExtensionForm(extensions.reporters[name])
