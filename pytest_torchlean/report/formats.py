"""The forms a report can take: one table for the command line, for pytest, and for `torchlean report`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from pytest_torchlean.results import Environment, PropertyResult


@dataclass(frozen=True)
class Format:
    """One form: the option's name, what it writes, and the function from results and environment to text."""

    name: str
    content: str
    function: str

    def render(self, results: Sequence[PropertyResult], environment: Environment) -> str:
        """The whole text of the report."""
        module, _, name = self.function.rpartition(".")
        text: str = getattr(import_module(f"{__package__}.{module}"), name)(results, environment)
        return text


FORMATS: tuple[Format, ...] = (
    Format("json", "the JSON record", "record.render_json"),
    Format("junit", "JUnit XML", "junit.render_junit"),
    Format("sarif", "SARIF 2.1.0", "sarif.render_sarif"),
    Format("html", "a self-contained HTML page", "html.render_html"),
    Format("markdown", "Markdown for a step summary", "markdown.render_markdown"),
    Format("annotations", "GitHub annotations", "annotations.render_annotations"),
    Format("intoto", "in-toto statements, one JSON document a line", "intoto.render_intoto"),
)
