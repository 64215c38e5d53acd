"""Write PytestTorchLean/Core/Tactic.lean: python generate_tactic.py LIBLEANSHARED.SO OUTPUT.lean

Lean's tactic syntax is ordinary Lean code of its core library, which a `prelude` module does not import.
That code is nevertheless compiled into the shared library, under names made from the Lean names. A Lean
constant that has no value of its own (`opaque`) and the name of a compiled one takes the compiled value
when the elaborator runs it. So for every parser below this tool writes

    @[tactic_parser] opaque NAME : ParserDescr

and for every macro of such a parser

    @[extern "SYMBOL"] opaque NAME (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult
    @[macro KIND] def tacticMacro7 : Macro := fun stx ctx s => NAME stx ctx s

Nothing here is seen by the kernel: a wrong binding makes a proof script fail, it cannot make it prove
more. The symbols are read from the dynamic symbol table; no other tool is needed.
"""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

TACTIC = ("Lean", "Parser", "Tactic")
CONV = (*TACTIC, "Conv")

# Pieces of syntax that tactics refer to.
PARTS = [
    "optConfig", "configItem", "posConfigItem", "negConfigItem", "valConfigItem", "config", "location",
    "locationHyp", "locationType", "locationWildcard", "rwRule", "rwRuleSeq", "simpArgs", "simpArg",
    "simpLemma", "simpErase", "simpStar", "simpPre", "simpPost", "discharger", "dsimpArg", "dsimpArgs",
    "inductionAlts", "inductionAlt", "inductionAltLHS", "elimTarget", "generalizeArg", "caseArg",
    "simpaArgsRest", "clearValueArg", "clearValueHyp", "clearValueStar", "rcasesPatMed", "rcasesPatLo",
]  # fmt: skip

PATTERNS = {
    "rcasesPat": ["one", "ignore", "clear", "explicit", "tuple", "paren"],
    "rintroPat": ["one", "binder"],
}

# Tactics. Those that end in an unproved goal or in compiled code (tacticSorry, tacticAdmit, tacticStop_,
# nativeDecide) are left out on purpose, as are those that need more of the core library than we have.
TACTICS = [
    "intro", "intros", "exact", "apply", "refine", "refine'", "constructor", "left", "right", "assumption",
    "contradiction", "cases", "induction", "rewriteSeq", "rwSeq", "rwa", "simp", "simpAll", "dsimp",
    "simpa", "case", "case'", "allGoals", "anyGoals", "focus", "first", "paren", "skip", "done", "fail",
    "failIfSuccess", "revert", "clear", "subst", "substVars", "injection", "injections", "split", "unfold",
    "delta", "generalize", "specialize", "change", "rename", "renameI", "repeat'", "repeat1'", "rotateLeft",
    "rotateRight", "traceState", "traceMessage", "withReducible", "withReducibleAndInstances",
    "withUnfoldingAll", "eqRefl", "applyRfl", "decide", "replace", "symm", "show", "congr",
    "falseOrByContra", "classical", "letrec", "funCases", "funInduction", "tacticRfl", "tacticRfl'",
    "tacticTry_", "tacticRepeat_", "tacticExists_,,", "tacticHave__", "tacticHave'", "tacticLet__",
    "tacticSuffices_", "tacticExfalso", "tacticTrivial", "tacticInfer_instance", "tacticNofun",
    "tacticNomatch_,,", "tacticRefine_lift_", "tacticRefine_lift'_", "tacticAnd_intros", "tactic_<;>_",
    "tacIfThenElse", "tacDepIfThenElse", "tacticNext_=>_", "tacticUnhygienic_", "tacticIterate____",
    "rcases", "obtain", "rintro",
]  # fmt: skip
TRAILING = {"tactic_<;>_"}

CONV_PARTS = ["convSeq", "convSeq1Indented", "convSeqBracketed", "enterArg", "argArg"]
CONV_TACTICS = [
    "lhs", "rhs", "rewrite", "simp", "arg", "enter", "ext", "change", "unfold", "congr", "fun", "pattern",
    "skip", "paren", "nestedConv", "nestedTactic", "first", "convRw__", "convRfl", "convDone", "convTry_",
]  # fmt: skip

# Syntax that lives outside Lean.Parser.Tactic: attribute (or none) and full name.
ELSEWHERE = [
    (None, ("Lean", "cdotTk")),
    (None, ("Lean", "calcFirstStep")),
    (None, ("Lean", "calcStep")),
    (None, ("Lean", "calcSteps")),
    ("tactic_parser", ("Lean", "cdot")),
    ("term_parser", ("Lean", "calc")),
    ("tactic_parser", ("Lean", "calcTactic")),
    ("command_parser", ("Lean", "reduceCmd")),
    ("term_parser", ("rawNatLit",)),
    ("term_parser", ("term\u2039_\u203a",)),
    ("tactic_parser", ("tacticBy_cases_:_",)),
]

RESERVED = {"exact", "show", "have", "let", "open", "fun"}


def dynamic_symbols(path: Path) -> set[str]:
    """Names in the `.dynsym` section of a 64-bit little-endian ELF file."""
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        raise SystemExit(f"{path} is not a 64-bit little-endian ELF file")
    (table,) = struct.unpack_from("<Q", data, 0x28)
    entry_size, entries = struct.unpack_from("<HH", data, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, table + i * entry_size) for i in range(entries)]
    names: set[str] = set()
    for _, kind, _, _, offset, size, link, _, _, step in sections:
        if kind != 11:  # SHT_DYNSYM
            continue
        strings = sections[link][4]
        for position in range(offset, offset + size, step):
            start = strings + struct.unpack_from("<I", data, position)[0]
            names.add(data[start : data.index(b"\0", start)].decode())
    return names


def mangle(components: Iterable[str]) -> str:
    """The symbol of a Lean name: `l_` and the components, escaped, joined by `_`."""

    def escape(character: str) -> str:
        if character.isascii() and character.isalnum():
            return character
        if character == "_":
            return "__"
        code = ord(character)
        return f"_x{code:02x}" if code < 256 else f"_u{code:04x}"

    return "_".join(["l", *("".join(map(escape, component)) for component in components)])


def demangle(symbol: str) -> str | None:
    """The one-component name behind an escaped string; None if it is something else."""
    escapes = {"_": "_"}
    out: list[str] = []
    position = 0
    while position < len(symbol):
        if symbol[position] != "_":
            out.append(symbol[position])
            position += 1
            continue
        mark = symbol[position + 1 : position + 2]
        if mark in escapes:
            out.append("_")
            position += 2
        elif mark in ("x", "u"):
            end = position + (4 if mark == "x" else 6)
            out.append(chr(int(symbol[position + 2 : end], 16)))
            position = end
        else:
            return None
    return "".join(out)


def quoted(component: str) -> str:
    """A name component, in French quotes where Lean needs them."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_']*", component) and component not in RESERVED
    return component if plain else f"«{component}»"


def full_name(components: Iterable[str]) -> str:
    return ".".join(quoted(component) for component in components)


class Writer:
    """Collects lines and refuses names that the library does not have."""

    def __init__(self, symbols: set[str]) -> None:
        self.symbols = symbols
        self.lines: list[str] = []
        self.macros = 0

    def section(self, title: str) -> None:
        self.lines += ["", f"/-! ### {title} -/"]

    def parser(self, attribute: str | None, name: tuple[str, ...], kind: str = "ParserDescr") -> None:
        if mangle(name) not in self.symbols:
            raise SystemExit(f"the library has no parser {'.'.join(name)}")
        prefix = f"@[{attribute}] " if attribute else ""
        self.lines.append(f"{prefix}opaque {full_name(name)} : {kind}")

    def macro(self, symbol: str, function: str, kind: str) -> None:
        self.lines += [
            f'@[extern "{symbol}"]',
            f"opaque {function} (stx : Syntax) (ctx : Macro.Context) (s : Macro.State) : MacroResult",
            f"@[macro {kind}] def tacticMacro{self.macros} : Macro := fun stx ctx s => {function} stx ctx s",
        ]
        self.macros += 1


def macros(
    symbols: set[str], namespace: tuple[str, ...], of: tuple[str, ...], kinds: Iterable[str]
) -> Iterator[tuple[str, str, str]]:
    """(symbol, Lean function, syntax kind) of the macros in `namespace` for kinds named `of.KIND`."""
    wanted = set(kinds)
    prefix = mangle([*namespace, "_aux"]).removesuffix("__aux") + "__aux"
    for symbol in sorted(symbols):
        if not symbol.startswith(prefix) or "macroRules__" not in symbol:
            continue
        if "lam" in symbol or symbol.endswith("boxed") or "redArg" in symbol or "closed" in symbol:
            continue
        function = demangle(symbol[len(prefix) - len("__aux") :])
        if function is None:
            continue
        match = re.fullmatch("_aux_.*?___macroRules_(.*)_[0-9]+", function)
        if match is None:
            continue
        kind = match[1].removeprefix("_".join(of) + "_") if of else match[1]
        if kind in wanted and (not of or match[1] != kind):
            yield symbol, full_name([*namespace, function]), full_name([*of, kind])


def generate(symbols: set[str]) -> str:
    writer = Writer(symbols)
    writer.section("parts of tactic syntax")
    for name in PARTS:
        writer.parser(None, (*TACTIC, name))
    for category, names in PATTERNS.items():
        for name in names:
            writer.parser(f"{category}_parser", (*TACTIC, category, name))
    writer.section("tactics")
    for name in TACTICS:
        writer.parser(
            "tactic_parser", (*TACTIC, name), "TrailingParserDescr" if name in TRAILING else "ParserDescr"
        )
    writer.section("conv")
    for name in CONV_PARTS:
        writer.parser(None, (*CONV, name))
    for name in CONV_TACTICS:
        writer.parser("conv_parser", (*CONV, name))
    writer.parser("tactic_parser", (*CONV, "conv"))
    writer.section("syntax from other namespaces")
    for attribute, name in ELSEWHERE:
        writer.parser(attribute, name)
    writer.section("macros: the tactics above that expand into others")
    for found in macros(symbols, TACTIC, TACTIC, TACTICS):
        writer.macro(*found)
    for found in macros(symbols, (), TACTIC, TACTICS):
        writer.macro(*found)
    for found in macros(symbols, CONV, CONV, CONV_TACTICS):
        writer.macro(*found)
    for found in macros(symbols, (), (), [name[0] for _, name in ELSEWHERE if len(name) == 1]):
        writer.macro(*found)
    header = [
        "prelude",
        "import PytestTorchLean.Core.Logic",
        "/-!",
        "# Tactics",
        "",
        "Generated by `tools/generate_tactic.py`, which explains it; do not edit. Every `opaque` takes its",
        "value from the compiled definition of the same name in Lean's own library. None of this reaches",
        "the kernel.",
        "-/",
        "open Lean",
        "declare_syntax_cat rcasesPat",
        "declare_syntax_cat rintroPat",
        "declare_syntax_cat conv (behavior := both)",
    ]
    return "\n".join(header + writer.lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    Path(sys.argv[2]).write_text(generate(dynamic_symbols(Path(sys.argv[1]))), encoding="utf-8")
