"""Each rule over the Lean sources says no to a text that breaks it, and nothing in lean/ breaks one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_torchlean.checker import LeanInstall, ensure_built
from pytest_torchlean.checker.lint import (
    CORE_INSTANCES,
    OPTIONS,
    PROGRAMS,
    UNIMPORTED,
    clean_modules,
    lint,
    unimported,
)
from pytest_torchlean.checker.sources import ROOT, module_path, read_sources, source_directory
from pytest_torchlean.errors import CheckerError

CORE = (
    "prelude\ninductive Nat where | zero | succ (n : Nat)\n"
    "protected def Nat.mul (n m : Nat) : Nat := n\nclass LE (K : Type u)\ndef cond (a b : Nat) : Nat := a\n"
)
OURS = (
    "prelude\nimport PytestTorchLean.Core\nset_option linter.all false\n"
    "namespace PytestTorchLean\n{}\nend PytestTorchLean\n"
)


def rules(body: str, module: str = f"{ROOT}.Spec.Mine", frame: str = OURS) -> set[str]:
    """The rules that a module breaks, in a library with a small Core."""
    texts = {f"{ROOT}.Core": CORE.encode(), module: frame.format(body).encode()}
    return {finding.rule for finding in lint(texts)}


def test_the_library_is_clean() -> None:
    directory = source_directory()
    sources = read_sources(directory)
    texts = dict(sources.text)
    for program in PROGRAMS:
        texts |= read_sources(directory, program).text
    for module in UNIMPORTED:
        texts[module] = (directory / module_path(module, ".lean")).read_bytes()
    assert [str(finding) for finding in lint(texts)] == []
    assert unimported(sources, directory) == ()


LONGEST_LINE, LONGEST_MODULE = 110, 400
GENERATED = f"{ROOT}.Core.Tactic"
"""Its lines hold names of Lean's own that are longer."""


def unreadable(texts: Mapping[str, bytes]) -> list[str]:
    """The lines that are too long, and the modules."""
    found = []
    for module, text in texts.items():
        lines = text.decode("utf-8").splitlines()
        wide = [n for n, line in enumerate(lines, 1) if len(line) > LONGEST_LINE and module != GENERATED]
        long = len(lines) >= LONGEST_MODULE
        found += [f"{module}:{n}" for n in wide] + [f"{module}: {len(lines)} lines"] * long
    return found


def test_a_reader_needs_no_wide_screen_and_no_long_module() -> None:
    directory = source_directory()
    texts = {
        ".".join(path.relative_to(directory).with_suffix("").parts): path.read_bytes()
        for path in sorted(directory.rglob("*.lean"))
    }
    assert unreadable(texts) == []


def test_long_lines_and_modules_are_found() -> None:
    short = b"-- " + b"a" * 107
    assert unreadable({"M": short + b"\n" + "∀".encode() * 110, GENERATED: short + b"aaaa"}) == []
    assert unreadable({"M": b"\n" + short + b"a"}) == ["M:2"]
    assert unreadable({"M": b"\n" * 399}) == []
    assert unreadable({"M": b"\n" * 400}) == ["M: 400 lines"]


def test_ordinary_text_is_clean() -> None:
    body = (
        "/-- Says sorry, axiom and unsafe in a comment /- nested: native_decide -/ only. -/\n"
        "@[simp] theorem fine (n : Nat) : n = n := rfl -- sorry\n"
        'def text : String := "sorry \\" axiom"\n'
        "def quote (c' : Char) : Bool := eq c' '\"'\n"
        "namespace Inner\ninstance orderedPair {K : Type u} [LE K] : LE (Pair K) := ⟨fun a b => a⟩\n"
        "def size : Nat := 1\nend Inner\nsection\nmutual\ndef even : Nat := 0\nend\nend\n"
    )
    assert rules(body) == set()


@pytest.mark.parametrize(
    "body",
    [
        "theorem t : False := sorry",
        "theorem t : False := by admit",
        "theorem t : p := by native_decide",
        "theorem t : p := Lean.ofReduceBool a b rfl",
        "axiom t : False",
        "@[simp] axiom t : False",
        "set_option debug.skipKernelTC true",
        "set_option debug.byAsSorry true in theorem t : False := by exact rfl",
        "unsafe def f : Nat := 0",
        "@[implemented_by g] def f : Nat := 0",
        '@[extern "g"] def f : Nat := 0',
        "@[csimp] theorem f_eq_g : f = g := rfl",
        "opaque secret : Nat := 0",
        "partial def f (n : Nat) : Nat := f n",
        "run_cmd Lean.logInfo x",
        "run_elab x",
        "run_meta x",
        "theorem t : p := by run_tac x",
        "elab x : term => y",
        "elab_rules : term | _ => x",
        "initialize x : Nat ← y",
        "builtin_initialize x",
        "simproc s (x) := y",
        "def f := Lean.addDecl x",
        "macro x : term => y",
        "macro_rules | `(x) => `(y)",
        "syntax x : term",
        "declare_syntax_cat mine",
        'notation "0" => one',
        'local infixl:65 " ≤ " => Foo',
        'postfix:max "!" => f',
        "theorem _root_.Nat.t : True := trivial",
        "open Nat renaming add → sub",
        "def «axiom» : Nat := 0",
        "def f := Lean.«sorry»",
    ],
)
def test_a_forbidden_word_is_found(body: str) -> None:
    assert "forbidden word" in rules(body)


def test_words_are_allowed_where_they_are_listed_and_nowhere_else() -> None:
    axiom = "axiom propext : p"
    assert rules(axiom, f"{ROOT}.Core.Prelude", "prelude\n{}\n") == set()
    for module in (f"{ROOT}.Core.Nat", f"{ROOT}.Core", f"{ROOT}.Core.Prelude.More", f"{ROOT}.CorePrelude"):
        assert "forbidden word" in rules(axiom, module)


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("set_option pp.all true", "option"),
        ("set_option genInjectivity false in\ndef f := 0", "option"),
        ("#eval 1", "command"),
        ("#print axioms t", "command"),
        ("#exit", "command"),
        ("@[export foo] def f : Nat := 0", "attribute"),
        ("@[simp, instance] def f : Nat := 0", "attribute"),
        ("attribute [local instance] f", "attribute"),
        ("attribute [-simp] f", "attribute"),
        ("def «f» : Nat := 0", "quoted name"),
        ("instance : LE Nat := ⟨g⟩", "instance for a type of Core"),
        ("instance evil (priority := high) : LE (List Nat) where\n  le := g", "instance for a type of Core"),
        ("def Nat.mul (n m : Nat) : Nat := n", "shadows a name of Core"),
        ("def Lean.f : Nat := 0", "shadows a name of Core"),
        ("namespace Nat\nend Nat", "shadows a name of Core"),
        ("namespace Inner.Nat\nend Inner.Nat", "shadows a name of Core"),
        ("namespace Inner\nprotected theorem cond : True := x\nend Inner", "shadows a name of Core"),
        ("noncomputable def Inner.cond : Nat := 0", "shadows a name of Core"),
        ("def f := s!\"{native_decide}\"", "unreadable"),
        ("def f := r\"\\\"", "unreadable"),
        ("def f := r#\"a\"#", "unreadable"),
        ("/- does not end", "unreadable"),
        ("def f := \"does not end", "unreadable"),
        ("def f := 0 -- \u202e", "invisible character"),
        ("def a\u200bb := 0", "invisible character"),
    ],
)  # fmt: skip
def test_each_other_rule_says_no(body: str, rule: str) -> None:
    assert rule in rules(body)


@pytest.mark.parametrize(
    "body",
    [
        "def f : Nat := 0",
        "namespace Nat theorem t : True := x end Nat",
        "class inductive C where",
        "section\nnoncomputable def PytestTorch.f : Nat := 0\nend",
    ],
)
def test_a_declaration_outside_our_namespace_is_found(body: str) -> None:
    left = f"end PytestTorchLean\n{body}\nnamespace PytestTorchLean"
    assert "outside namespace PytestTorchLean" in rules(left)


@pytest.mark.parametrize(
    "body",
    [
        "def f := x'\"'\" sorry",
        "def f := '\"' sorry",
        "def f := '\\'' sorry '\"'",
        "/- /- -/ -/ sorry",
        "/-/ -/ sorry",
        'def f := "\\\\" sorry',
        'def f := foo.r"a" sorry',
    ],
)
def test_nothing_hides_behind_a_quote_or_comment(body: str) -> None:
    assert rules(body) & {"forbidden word", "unreadable"}


def test_a_finding_names_module_and_line() -> None:
    text = "prelude\n/- a\nb -/ namespace PytestTorchLean\n\nopaque x : y\nend PytestTorchLean\n"
    (finding,) = lint({f"{ROOT}.Spec.A": text.encode()})
    assert str(finding) == "PytestTorchLean.Spec.A, line 5: forbidden word: opaque"


def test_axioms_are_printed_by_one_module_only() -> None:
    body = "#print axioms PytestTorchLean.sound"
    assert rules(body, f"{ROOT}.Thm.Axioms") == set()
    assert rules(body.replace("axioms ", ""), f"{ROOT}.Thm.Axioms") == {"command"}


def test_every_listed_exception_is_needed() -> None:
    directory = source_directory()
    for module in UNIMPORTED:
        assert (directory / module_path(module, ".lean")).is_file()
    for module in {module for where in OPTIONS.values() if where for module in where}:
        text = (directory / module_path(module, ".lean")).read_text(encoding="utf-8")
        assert any(
            f"set_option {name}" in text for name, where in OPTIONS.items() if where and module in where
        )
    for module, shown in CORE_INSTANCES:
        assert shown in (directory / module_path(module, ".lean")).read_text(encoding="utf-8")


def write(folder: Path, module: str, text: str) -> None:
    path = folder / module_path(module, ".lean")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_file_that_nothing_imports_is_found(tmp_path: Path) -> None:
    write(tmp_path, ROOT, f"prelude\nimport {ROOT}.A\n")
    write(tmp_path, f"{ROOT}.A", "prelude\n")
    assert list(clean_modules(read_sources(tmp_path), tmp_path)) == [f"{ROOT}.A", ROOT]
    write(tmp_path, f"{ROOT}.Thm.Forgotten", "prelude\ntheorem t : False := sorry\n")
    with pytest.raises(CheckerError, match=r"Thm\.Forgotten, line 1: not imported") as caught:
        next(clean_modules(read_sources(tmp_path), tmp_path))
    assert caught.value.code == "TL0504"


def test_a_module_is_named_when_it_and_what_it_imports_are_clean(tmp_path: Path) -> None:
    write(tmp_path, ROOT, f"prelude\nimport {ROOT}.A\nimport {ROOT}.B\n")
    write(tmp_path, f"{ROOT}.A", "prelude\n")
    write(tmp_path, f"{ROOT}.B", "prelude\nopaque x : Prop\n")
    named = clean_modules(read_sources(tmp_path))
    assert next(named) == f"{ROOT}.A"
    with pytest.raises(CheckerError, match=r"B, line 2: forbidden word: opaque"):
        next(named)


def test_the_build_refuses_what_the_lint_finds(lean: LeanInstall, tmp_path: Path) -> None:
    write(tmp_path / "sources", ROOT, f"prelude\nimport {ROOT}.A\n")
    write(tmp_path / "sources", f"{ROOT}.A", "prelude\nopaque x : Prop\n")
    with pytest.raises(CheckerError, match="opaque") as caught:
        ensure_built(lean, sources=tmp_path / "sources", cache=tmp_path / "cache")
    assert caught.value.code == "TL0504"
