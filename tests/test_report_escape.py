"""Untrusted text is harmless wherever it is printed."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_torchlean.report import escape

ANY = st.text(alphabet=st.characters(), max_size=40)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\rb", "a\\rb"),
        ("a\u202eb\u200b", "a\\u202eb\\u200b"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("::error::x", "\\x3a:error::x"),
        ("a\n  ::set-output name=x::y", "a\n  \\x3a:set-output name=x::y"),
        ("see a::b", "see a::b"),
        ("x ##[error] y", "x #\\x23[error] y"),
        ("日本語 é 🙂", "日本語 é 🙂"),
    ],
)
def test_terminal(text: str, safe: str) -> None:
    assert escape.terminal(text) == safe


def test_terminal_line_is_one_line() -> None:
    assert escape.terminal_line("a\tb\nc\u2028d") == "a\\tb\\nc\\u2028d"


@given(ANY)
def test_terminal_never_holds_controls_or_commands(text: str) -> None:
    safe = escape.terminal(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", safe)
    assert not any(line.lstrip().startswith("::") for line in safe.splitlines())
    assert "##[" not in safe
    safe.encode("utf-8")
    assert len(escape.terminal_line(text).splitlines()) <= 1


@given(ANY)
def test_xml_text_survives_a_reader(text: str) -> None:
    element = ElementTree.Element("a", {"b": escape.xml(text)})
    element.text = escape.xml(text)
    again = ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8"))
    assert (again.text or "") == escape.xml(text)
    assert again.get("b") == escape.xml(text)


@given(ANY)
def test_html_holds_no_markup(text: str) -> None:
    safe = escape.html(text)
    assert not set(safe) & set("<>\"'")
    assert html.unescape(safe) == escape.xml(text)


def test_workflow_commands() -> None:
    assert escape.workflow_data("100%\r\nnext") == "100%25\\r%0Anext"
    assert escape.workflow_property("a:b,c\n") == "a%3Ab%2Cc%0A"


@given(ANY)
def test_workflow_text_stays_on_one_line(text: str) -> None:
    assert len(escape.workflow_data(text).splitlines()) <= 1
    assert not set(escape.workflow_property(text)) & set(":,")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain text, 1/2.", "plain text, 1/2."),
        ("a|b", "a\\|b"),
        ("`x` *y* _z_ ~w~ $m$", "\\`x\\` \\*y\\* \\_z\\_ \\~w\\~ \\$m\\$"),
        ("[a](http://b)", "\\[a\\]\\(http\\://b\\)"),
        ("<b> & @team #1", "&lt;b&gt; &amp; \\@team \\#1"),
        ("www.evil.org", "www\\.evil.org"),
        ("a\nb\x1b", "a\\\\nb\\\\x1b"),
    ],
)
def test_markdown(text: str, safe: str) -> None:
    assert escape.markdown(text) == safe


@given(ANY)
def test_markdown_stays_in_its_cell(text: str) -> None:
    safe = escape.markdown(text)
    assert len(safe.splitlines()) <= 1
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`\[\]*]", safe)
    assert "<" not in safe


def test_sarif_text_holds_no_link() -> None:
    assert escape.sarif("a [b](c) \x07\nd") == "a [b] (c) \\x07\nd"
