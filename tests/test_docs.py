"""Every code block of docs/ runs, every link leads somewhere, and the error reference is that of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documents import DOCS, PAGES, ROOT, blocks_of, mismatch, normal, run, steps_of
from extension_example import acme_torchlean

from pytest_torchlean.discovery import load_extensions
from pytest_torchlean.error_codes import CODES
from pytest_torchlean.error_reference import reference
from pytest_torchlean.extensions.registry import NONE, Origin
from pytest_torchlean.spec import load_spec
from pytest_torchlean.spec.kinds import KINDS, fields_of
from pytest_torchlean.verdict import Verdict

LANGUAGES = {"yaml", "python", "console", "lisp", "text", "toml"}
shown_pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))


@shown_pages
@pytest.mark.usefixtures("library")
def test_commands_print_what_is_shown(page: Path, tmp_path: Path) -> None:
    wrong = [f"$ {step.command}\n{why}" for step, why in run(page.read_text("utf-8"), tmp_path) if why]
    assert not wrong, "\n\n".join(wrong)


@shown_pages
def test_specs_load_and_python_compiles(page: Path, tmp_path: Path) -> None:
    for block in blocks_of(page.read_text("utf-8")):
        assert block.language in LANGUAGES, f"line {block.line}: no language is named"
        if block.language == "yaml":
            (tmp_path / "torchlean.yaml").write_text(block.text, encoding="utf-8")
            worked = load_extensions([(acme_torchlean, Origin("acme", "1"))])
            known = worked if page.name == "extending.md" else NONE
            load_spec(tmp_path / "torchlean.yaml", tmp_path, known)
        if block.language == "python":
            compile(block.text, f"{page.name}:{block.line}", "exec")


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("https://", "http://")):
            assert (page.parent / target).exists(), target


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    listed = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#]+\.md)\)", index)}
    assert {page for page in PAGES if page != DOCS / "README.md"} <= listed


def test_every_kind_has_a_page_that_names_its_keys() -> None:
    assert {page.stem for page in (DOCS / "properties").glob("*.md")} - {"README"} == set(KINDS)
    for kind in KINDS.values():
        text = (DOCS / "properties" / f"{kind.name}.md").read_text("utf-8")
        own = {field.key for field in kind.fields}
        assert {key for key in own if f"`{key}`" not in text} == set(), kind.name


def test_every_verdict_is_explained() -> None:
    text = (DOCS / "what-proved-means.md").read_text("utf-8")
    assert all(f"**{verdict.value}**" in text for verdict in Verdict)


def test_the_error_reference_is_generated() -> None:
    assert (DOCS / "errors.md").read_text("utf-8") == reference()
    assert all(f"## {code}\n" in reference() for code in CODES)


def test_a_wrong_answer_is_noticed() -> None:
    printed = normal("PROVED  a  0.3s\nREFUTED b  2 ms\n1 property")
    assert mismatch(normal("PROVED a 7.5s\n...\n1 property"), printed) is None
    assert mismatch(normal("PROVED a 7.5s\n..."), printed) is None
    for shown in (
        "REFUTED a 7.5s\n...",
        "PROVED a 1s\n...\n2 properties",
        "PROVED a 1s",
        "",
        "...\n1 property\nmore",
    ):
        assert mismatch(normal(shown), printed) is not None, shown


def test_commands_and_answers_are_told_apart() -> None:
    (first, second) = steps_of("$ echo a \\\n>   b\na b\n$ false\n")
    assert (first.command, first.shown) == ("echo a b", ("a b",))
    assert (second.command, second.shown) == ("false", ())


def test_a_page_that_lies_is_noticed(tmp_path: Path) -> None:
    note = "```text\n# note.txt\nhello\n```\n"
    page = f"{note}```console\n$ cat note.txt\n# note.txt\ngood bye\n$ false\n$ echo $?\n0\n```\n"
    assert [bool(why) for _, why in run(page, tmp_path)] == [True, False, True]


def test_common_keys_are_explained() -> None:
    text = (DOCS / "properties/README.md").read_text("utf-8")
    common = {field.key for field in fields_of(KINDS["range"])} - {
        field.key for field in KINDS["range"].fields
    }
    assert {key for key in common if f"`{key}`" not in text} == set()
