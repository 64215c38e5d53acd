"""What the Lean sources may not contain, whoever wrote them: rules over the text, read as tokens.

Lean's kernel checks every proof. These rules stand against what it does not check: axioms, code that
replaces a definition when it runs, commands that write into the environment, names and notations that make a
statement read as something it is not, and files that are never compiled.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pytest_torchlean.checker.sources import PARTS, ROOT, LeanSources, module_path, read_sources
from pytest_torchlean.errors import CheckerError

CORE = f"{ROOT}.Core"


def _core(*names: str) -> frozenset[str]:
    return frozenset(f"{CORE}.{name}" for name in names)


_NOWHERE: frozenset[str] = frozenset()
_SYNTAX = _core("Prelude", "Logic", "Notation", "Syntax", "Tactic")

ALLOWED_IN: Mapping[str, frozenset[str]] = {
    # What proves without a proof.
    "sorry": _NOWHERE,
    "admit": _NOWHERE,
    "native_decide": _NOWHERE,
    "ofReduceBool": _NOWHERE,
    "ofReduceNat": _NOWHERE,
    "reduceBool": _NOWHERE,
    "reduceNat": _NOWHERE,
    "trustCompiler": _NOWHERE,
    "skipKernelTC": _NOWHERE,
    "debug": _NOWHERE,
    "axiom": _core("Prelude"),
    "init_quot": _core("Prelude"),
    # What runs something else than what was defined (`csimp` does so by a proved equality).
    "csimp": _core("Recursors")
    | {f"{ROOT}.Check.*", f"{ROOT}.Check.Forward.*", f"{ROOT}.Check.Relaxation.*"},
    "unsafe": _core("Prelude", "Data", "Syntax"),
    "unsafeCast": _core("Data", "Syntax"),
    "implemented_by": _core("Syntax"),
    "extern": _core("Prelude", "Data", "Int", "IO", "Logic", "Notation", "Syntax", "Tactic"),
    "opaque": _core("Data", "IO", "Logic", "Notation", "Syntax", "Tactic"),
    "partial": _NOWHERE,
    # What runs while Lean reads the file.
    "run_cmd": _NOWHERE,
    "run_elab": _NOWHERE,
    "run_meta": _NOWHERE,
    "run_tac": _NOWHERE,
    "by_elab": _NOWHERE,
    "elab": _NOWHERE,
    "elab_rules": _NOWHERE,
    "initialize": _NOWHERE,
    "builtin_initialize": _NOWHERE,
    "simproc": _NOWHERE,
    "addDecl": _NOWHERE,
    # What lets a text read as something else.
    "macro": _SYNTAX | {f"{ROOT}.Algebra.Normalizer"},
    "macro_rules": _SYNTAX | {f"{ROOT}.Algebra.Normalizer"},
    "syntax": _SYNTAX | {f"{ROOT}.Algebra.Normalizer"},
    "declare_syntax_cat": _core("Tactic"),
    "notation": _SYNTAX,
    "notation3": _NOWHERE,
    "infix": _SYNTAX,
    "infixl": _SYNTAX,
    "infixr": _SYNTAX,
    "prefix": _SYNTAX,
    "postfix": _SYNTAX,
    "_root_": _core("Int", "Syntax"),
    "renaming": _NOWHERE,
}
"""Words of Lean and the modules that may use them; `A.*` is every module of the folder A.

Where a word is a part of a dotted name, it counts.
"""

ATTRIBUTES = frozenset(
    {"simp", "reducible", "inline", "macro_inline", "noinline", "specialize", "nospecialize"}
)
"""Attributes outside Core, besides allowed words: none changes what a definition means."""

OPTIONS: Mapping[str, frozenset[str] | None] = {
    "linter.all": None,
    "maxRecDepth": None,
    "maxHeartbeats": None,
    "bootstrap.genMatcherCode": _core("Prelude"),
    "bootstrap.inductiveCheckResultingUniverse": _core("Prelude"),
    "checkBinderAnnotations": _core("Prelude"),
    "genCtorIdx": _core("Prelude", "Int"),
    "genInjectivity": _core("Prelude", "Data", "Logic", "Notation", "Syntax"),
}
"""Options that may be set, and where; None is everywhere."""

PRINTS_AXIOMS = f"{ROOT}.Thm.Axioms"
"""The only module with a `#` command, `#print axioms`."""

UNIMPORTED: Mapping[str, str] = {
    f"{CORE}.Clones": "compiled by a test, which compares the accelerated functions with their definitions",
    f"{CORE}.Eval": "for `#eval` in tests; no proof uses it",
}
"""Files that nothing imports, each with the reason. No proof rests on their content."""

PROGRAMS = (*PARTS, f"{ROOT}.Theorems")
"""Modules beside the root, with what they import: a program for `lean --run`, and all the theorems."""

CORE_INSTANCES = frozenset({(f"{ROOT}.Thm.Instances", "OrderedRing Int")})
"""Instances for types of Core that are given outside it, by module."""

_CORE_TYPES = frozenset({"Nat", "Int", "Bool", "Prop", "String", "Char", "List", "Option", "Fin"})
_DECLARING = frozenset(
    {"def", "theorem", "lemma", "abbrev", "structure", "class", "inductive", "coinductive", "instance"}
    | {"opaque", "axiom", "example"}
)
_SCOPES = frozenset({"namespace", "section", "mutual", "end"})
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f]")
_SKIPPED = re.compile(r"--[^\n]*|/-|\"|(?<![\w'!?])'(?:\\.|[^\\\n'])'")
_STRING_END = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL)
_BLOCK = re.compile(r"/-|-/")
_PART = r"(?:«[^»\n]*»|[^\W\d][\w'!?]*)"
_TOKEN = re.compile(rf"{_PART}(?:\.(?:{_PART}))*|\S")
_IDENTIFIER = re.compile(_PART)


@dataclass(frozen=True)
class Finding:
    """A line of a module that breaks a rule."""

    module: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.module}, line {self.line}: {self.rule}: {self.text}"


class _Token(NamedTuple):
    text: str
    line: int


def lint(texts: Mapping[str, bytes]) -> tuple[Finding, ...]:
    """What the modules contain against the rules, in order. texts: UTF-8 bytes by module name.

    Names of Core are taken from those modules of `texts` that belong to it.
    """
    return tuple(finding for _, findings in _by_module(texts) for finding in findings)


def clean_modules(sources: LeanSources, directory: Path | None = None) -> Iterator[str]:
    """The modules, imported ones first, each when it has been linted, so that it may be compiled.

    If `directory` is given, there may be no files there that none of them imports. Raises CheckerError TL0504
    with the first finding.
    """
    _require_none(() if directory is None else unimported(sources, directory))
    for module, findings in _by_module({module: sources.text[module] for module in sources.modules}):
        _require_none(findings)
        yield module


def _by_module(texts: Mapping[str, bytes]) -> Iterator[tuple[str, tuple[Finding, ...]]]:
    known = frozenset(name for module in texts if _in_core(module) for name in _names(module, texts[module]))
    for module, data in texts.items():
        yield module, tuple(_lint(module, data, known))


def _require_none(findings: tuple[Finding, ...]) -> None:
    if findings:
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        raise CheckerError("TL0504", f"Lean sources: {findings[0]}{more}")


def unimported(sources: LeanSources, directory: Path) -> tuple[Finding, ...]:
    """Lean files of the library's folder that neither the root module nor a program reaches."""
    reached = {module_path(module, ".lean") for module in (*sources.modules, *UNIMPORTED)}
    for program in PROGRAMS:
        if (directory / module_path(program, ".lean")).is_file():
            texts = read_sources(directory, program)
            reached |= {module_path(module, ".lean") for module in texts.modules}
    found = sorted(path.relative_to(directory) for path in (directory / ROOT).rglob("*.lean"))
    return tuple(
        Finding(".".join(path.with_suffix("").parts), 1, "not imported", "nothing checks this file")
        for path in found
        if path not in reached
    )


def _in_core(module: str) -> bool:
    return module == CORE or module.startswith(f"{CORE}.")


def _lint(module: str, data: bytes, known: frozenset[str]) -> Iterator[Finding]:
    text = data.decode("utf-8")
    for match in _INVISIBLE.finditer(text):
        yield Finding(module, text.count("\n", 0, match.start()) + 1, "invisible character", ascii(match[0]))
    code = _without_comments(text)
    if code is None:
        yield Finding(module, 1, "unreadable", "a comment or string does not end, or a string is not plain")
        return
    tokens = _tokens(code)
    yield from _words(module, tokens)
    yield from _options(module, tokens)
    yield from _commands(module, tokens)
    if not _in_core(module):
        yield from _attributes(module, tokens)
        yield from _quoted(module, tokens)
        yield from _declarations(module, tokens, known)
        yield from _instances(module, tokens)


def _words(module: str, tokens: list[_Token]) -> Iterator[Finding]:
    here = {module, f"{module.rpartition('.')[0]}.*"}
    forbidden = {word for word, allowed in ALLOWED_IN.items() if not here & allowed}
    texts = {
        text
        for text in {token.text for token in tokens}
        if any(part.strip("«»") in forbidden for part in _IDENTIFIER.findall(text))
    }
    for token in tokens if texts else ():
        if token.text in texts:
            yield Finding(module, token.line, "forbidden word", token.text)


def _options(module: str, tokens: list[_Token]) -> Iterator[Finding]:
    for index, token in enumerate(tokens[:-1]):
        if token.text == "set_option":
            following = tokens[index + 1]
            where = OPTIONS.get(following.text, _NOWHERE)
            if where is not None and module not in where:
                yield Finding(module, token.line, "option", following.text)


def _commands(module: str, tokens: list[_Token]) -> Iterator[Finding]:
    for index, token in enumerate(tokens):
        if token.text == "#":
            command = [following.text for following in tokens[index + 1 : index + 3]]
            if module != PRINTS_AXIOMS or command != ["print", "axioms"]:
                yield Finding(module, token.line, "command", "#" + " ".join(command))


def _attributes(module: str, tokens: list[_Token]) -> Iterator[Finding]:
    for index, token in enumerate(tokens[:-1]):
        if token.text in ("@", "attribute") and tokens[index + 1].text == "[":
            for following in tokens[index + 2 :]:
                if following.text == "]":
                    break
                if following.text not in (*ATTRIBUTES, *ALLOWED_IN, ",", "local", "scoped"):
                    yield Finding(module, following.line, "attribute", following.text)


def _quoted(module: str, tokens: list[_Token]) -> Iterator[Finding]:
    for token in tokens:
        if "«" in token.text:
            yield Finding(module, token.line, "quoted name", token.text)


def _declarations(module: str, tokens: list[_Token], known: frozenset[str]) -> Iterator[Finding]:
    families = {name.split(".")[0] for name in known if "." in name} | {"Nat", "Lean"}
    for token, keyword, scope, name in _declared(tokens):
        if keyword == "namespace":
            inside = (*scope, *name.split("."))
            if families & set(inside[1:]):
                yield Finding(module, token.line, "shadows a name of Core", f"namespace {'.'.join(inside)}")
        elif scope[:1] != (ROOT,):
            yield Finding(
                module, token.line, "outside namespace PytestTorchLean", f"{keyword} {name}".strip()
            )
        elif name and keyword != "instance":
            parts = (*scope[1:], *name.split("."))
            suffixes = {".".join(parts[index:]) for index in range(len(parts))}
            if families & set(parts[:-1]) or (suffixes & known):
                yield Finding(module, token.line, "shadows a name of Core", ".".join(parts))


def _instances(module: str, tokens: list[_Token]) -> Iterator[Finding]:
    """Instances outside Core for types of Core: they could change what a statement's symbols mean."""
    for index, token in enumerate(tokens):
        if token.text != "instance":
            continue
        depth, claimed = 0, list[str]()
        for following, after in itertools.pairwise(tokens[index + 1 :]):
            text = following.text
            depth += text in ("(", "[", "{", "⦃")
            depth -= text in (")", "]", "}", "⦄")
            if depth == 0 and (text == "where" or (text, after.text) == (":", "=")):
                break
            if depth == 0 and text == ":":
                claimed = []
            else:
                claimed.append(text)
        shown = " ".join(claimed)
        if _CORE_TYPES & set(claimed[1:]) and (module, shown) not in CORE_INSTANCES:
            yield Finding(module, token.line, "instance for a type of Core", shown)


def _names(module: str, data: bytes) -> Iterator[str]:
    """Full names that a module declares at the root, without the ones of our namespace."""
    code = _without_comments(data.decode("utf-8"))
    for _token, keyword, scope, name in _declared(_tokens(code or "")):
        if name and keyword != "namespace":
            full = name.removeprefix("_root_.") if name.startswith("_root_.") else ".".join((*scope, name))
            if not full.startswith(f"{ROOT}."):
                yield full.replace("«", "").replace("»", "")


def _declared(tokens: list[_Token]) -> Iterator[tuple[_Token, str, tuple[str, ...], str]]:
    """Every declaration and namespace: the keyword's token, the keyword, the namespaces around, a name."""
    scopes: list[str | None] = []
    for index, token in enumerate(tokens):
        if token.text not in _SCOPES and token.text not in _DECLARING:
            continue
        after = tokens[index + 1].text if index + 1 < len(tokens) else ""
        name = after if _IDENTIFIER.match(after) and after not in _KEYWORDS else ""
        if token.text == "namespace":
            yield token, token.text, tuple(scope for scope in scopes if scope is not None), name
            scopes.extend(name.split("."))
        elif token.text in ("section", "mutual"):
            scopes.extend(None for _ in (name.split(".") if token.text == "section" else [""]))
        elif token.text == "end":
            for _ in name.split("."):
                if scopes:
                    scopes.pop()
        elif token.text in _DECLARING and not (
            token.text == "inductive" and _before(tokens, index) == "class"
        ):
            if token.text == "class" and after == "inductive":
                name = tokens[index + 2].text if index + 2 < len(tokens) else ""
            yield token, token.text, tuple(scope for scope in scopes if scope is not None), name


def _before(tokens: list[_Token], index: int) -> str:
    return tokens[index - 1].text if index else ""


_KEYWORDS = (
    _DECLARING
    | {"namespace", "section", "mutual", "end", "open", "export", "universe", "variable", "attribute"}
    | {"set_option", "noncomputable", "private", "protected", "unsafe", "partial", "local", "scoped"}
    | {"macro", "syntax", "notation", "infix", "infixl", "infixr", "prefix", "postfix"}
)


def _tokens(code: str) -> list[_Token]:
    return [
        _Token(text, number)
        for number, line in enumerate(code.split("\n"), start=1)
        for text in _TOKEN.findall(line)
    ]


def _without_comments(text: str) -> str | None:
    """The text with comments and the content of strings blanked; None if it cannot be read safely.

    Raw and interpolated strings have other rules for their end, and no module needs them.
    """
    pieces: list[str] = []
    place = 0
    while (match := _SKIPPED.search(text, place)) is not None:
        pieces.append(text[place : match.start()])
        end: int | None = match.end()
        if match[0] == "/-":
            end = _end_of_block(text, match.end())
        elif match[0] == '"':
            if match.start() and (text[match.start() - 1] in "!#" or _is_raw(text, match.start())):
                return None
            closing = _STRING_END.match(text, match.end())
            end = closing.end() if closing else None
        if end is None:
            return None
        pieces.append("\n" * text.count("\n", match.start(), end) or " ")
        place = end
    return "".join((*pieces, text[place:]))


def _is_raw(text: str, quote: int) -> bool:
    """Whether the quote at this index follows a lone `r`."""
    before = text[max(0, quote - 2) : quote]
    return before.endswith("r") and not (len(before) == 2 and (before[0].isalnum() or before[0] == "_"))


def _end_of_block(text: str, place: int) -> int | None:
    depth = 1
    for match in _BLOCK.finditer(text, place):
        depth += 1 if match[0] == "/-" else -1
        if depth == 0:
            return match.end()
    return None
