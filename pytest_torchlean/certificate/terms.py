"""Values of the certificate's data model as Lean terms, and back.

Numbers are raw literals, long ones in pieces that are joined eight at a time, so that Lean neither prints
them in decimal nor builds a deep term. Reading is directed by the expected type: a structure is written with
anonymous brackets, a constructor of an inductive type by its name.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from pytest_torchlean.certificate import model, statement, substitution

CONSTRUCTORS: dict[type[Any], str] = {
    statement.ReluData: "Node.relu",
    statement.MaximumData: "Node.maximum",
    statement.MinimumData: "Node.minimum",
    statement.CurveData: "Node.curve",
    statement.BilinearData: "Node.bilinear",
    statement.QuotientData: "Node.quotient",
    model.DirectData: "Conclusion.direct",
    model.ComposedData: "Conclusion.composed",
    model.RelaxedData: "Conclusion.relaxed",
    model.WeightedData: "Conclusion.weighted",
    model.ForwardData: "Conclusion.forward",
    model.LeafData: "Forward.Cuts.leaf",
    model.CutData: "Forward.Cuts.cut",
    substitution.ThroughData: "Relaxation.Link.through",
    substitution.BendData: "Relaxation.Link.bend",
    substitution.SlideData: "Relaxation.Link.slide",
    substitution.SkipData: "Relaxation.Link.skip",
    substitution.ConvolveData: "Relaxation.Link.convolve",
    substitution.SettleData: "Relaxation.Link.settle",
    substitution.MultiplyData: "Relaxation.Link.multiply",
    substitution.WidenData: "Relaxation.Link.widen",
    substitution.ForkData: "Relaxation.Link.fork",
    substitution.JoinData: "Relaxation.Link.join",
    substitution.PairData: "Relaxation.Link.pair",
    substitution.ChooseData: "Relaxation.Link.choose",
    substitution.ReframeData: "Relaxation.Link.reframe",
    model.TightenScript: "Script.tighten",
    model.NodeScript: "Script.node",
    model.SplitScript: "Script.split",
    model.ConcludeScript: "Script.conclude",
    model.KnownScript: "Script.known",
    model.DifferScript: "Script.differ",
    model.LinearizeScript: "Script.linearize",
}
"""Dataclasses that are constructors; every other dataclass is a structure."""
_CLASS_OF = {name: kind for kind, name in CONSTRUCTORS.items()}
_AFFINE_NODE = "Node.affine"
_PIECE = 1280
"""Hexadecimal digits of one literal. Lean reads digits in quadratic time, and each literal has its price."""
_JOINED = 8
"""Pieces that are joined at a time."""
_DEEPEST = 100
"""Brackets within brackets; a tree of literals needs one pair for each level."""

Name = Callable[[Any], str | None]
"""The name under which a value has been defined, if it has one."""


class UnreadableText(ValueError):
    """The text is not one that an emission has."""


def nameless(value: Any) -> str | None:
    """No value has a name."""
    return None


def term(value: Any, name: Name = nameless) -> str:
    """The Lean term of a number, a truth value, a tuple or a dataclass of the model. ValueError below 0."""
    known = name(value)
    if known is not None:
        return known
    if isinstance(value, bool):
        return "Bool.true" if value else "Bool.false"
    if isinstance(value, int):
        return number(value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return listed([term(item, name) for item in value])
    return constructed(value, name)


def long_numbers(value: Any) -> dict[str, int]:
    """The fields of a structure that take several pieces: Lean is faster with a definition for each."""
    parts = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: part for name, part in parts.items() if isinstance(part, int) and part >> (4 * _PIECE)}


def constructed(value: Any, name: Name = nameless) -> str:
    """The term of a dataclass of the model, spelt out even where it has a name."""
    parts = [getattr(value, field.name) for field in fields(value)]
    constructor = CONSTRUCTORS.get(type(value))
    if constructor is None:
        return structure([term(part, name) for part in parts])
    return " ".join([constructor, *(_argument(term(part, name)) for part in parts)])


def _argument(text: str) -> str:
    bare = text[:1] in "⟨[" or re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*", text) is not None
    return text if bare else f"({text})"


def listed(items: Sequence[str]) -> str:
    """A list of terms."""
    return f"[{', '.join(items)}]"


def structure(items: Sequence[str]) -> str:
    """A structure of terms."""
    return f"⟨{', '.join(items)}⟩"


def number(value: int) -> str:
    """A natural number. ValueError below 0."""
    if value < 0:
        raise ValueError("a natural number is negative")
    if value < 1 << 64:
        return f"nat_lit {value}"
    text = f"{value:x}"
    pieces = -(-len(text) // _PIECE)
    if pieces == 1:
        return f"nat_lit 0x{text}"
    text = text.rjust(pieces * _PIECE, "0")
    return _joined([text[start : start + _PIECE] for start in range(0, len(text), _PIECE)][::-1])


def _joined(pieces: Sequence[str]) -> str:
    """Pieces, least significant first, as a tree whose branches are filled from below."""
    if len(pieces) == 1:
        return f"nat_lit 0x{pieces[0]}"
    each = 1
    while each * _JOINED < len(pieces):
        each *= _JOINED
    branches = [pieces[start : start + each] for start in range(0, len(pieces), each)]
    parts = [f"({_joined(branch)})" for branch in branches] + ["(nat_lit 0)"] * (_JOINED - len(branches))
    return f"join (nat_lit {4 * _PIECE * each}) {' '.join(parts)}"


# --- reading back -----------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"nat_lit (?:0x([0-9a-f]+)|([0-9]+))|(join)\b|Bool\.(true|false)"
    r"|([()\[\],⟨⟩])|([a-z][a-z0-9_]*|(?:[A-Z][a-z]+\.)+[a-z]+(?:[A-Z][a-z]+)*)| +"
)
Token: TypeAlias = tuple[str, str]


@cache
def _fields(kind: Hashable) -> tuple[Any, ...]:
    """The types of a dataclass's fields, in their order."""
    own: Any = kind
    hints = get_type_hints(own)
    return tuple(hints[field.name] for field in fields(own))


def read(text: str, kind: Any, known: dict[str, Any], largest_shift: int) -> Any:
    """The value of type `kind` that a term denotes; names refer to `known`. Raises UnreadableText."""
    reader = _Reader(_tokens(text), known, largest_shift)
    value = reader.value(kind)
    if reader.position != len(reader.tokens):
        raise UnreadableText("more text than expected in a definition")
    return value


@dataclass
class _Reader:
    tokens: list[Token]
    known: dict[str, Any]
    largest_shift: int
    position: int = 0
    depth: int = 0

    def peek(self) -> Token:
        if self.position >= len(self.tokens):
            raise UnreadableText("a definition ends early")
        return self.tokens[self.position]

    def take(self, expected: str | None = None) -> Token:
        token = self.peek()
        self.position += 1
        if expected is not None and token != ("symbol", expected):
            raise UnreadableText(f"expected {expected}")
        return token

    def value(self, kind: Any) -> Any:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise UnreadableText("brackets are nested too deeply")
        result = self._value(kind)
        self.depth -= 1
        return result

    def _value(self, kind: Any) -> Any:
        form, text = self.peek()
        if (form, text) == ("symbol", "("):
            self.take()
            inner = self.value(kind)
            self.take(")")
            return inner
        if kind is int:
            return self._number()
        if kind is bool:
            if form != "bool":
                raise UnreadableText("a truth value is missing")
            self.take()
            return text == "true"
        if form == "name" and text in self.known:
            self.take()
            return self._named(text, kind)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self._choice(kind)
        if get_origin(kind) is tuple:
            return self._sequence(get_args(kind)[0])
        if get_origin(kind) in (Union, types.UnionType):
            return self._constructor(get_args(kind))
        if is_dataclass(kind) and isinstance(kind, type):
            return self._structure(kind)
        raise UnreadableText("an unknown name or symbol")

    def _named(self, name: str, kind: Any) -> Any:
        found = self.known[name]
        allowed = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
        if type(found) not in allowed:
            raise UnreadableText(f"{name} is something else than expected")
        return found

    def _number(self) -> int:
        form, text = self.take()
        if form == "number":
            return int(text, 0)
        if form == "name" and isinstance(self.known.get(text), int):
            return int(self.known[text])
        if form != "operation":
            raise UnreadableText("a number is missing")
        shift = self.value(int)
        total = 0
        for place in range(_JOINED):
            part = self.value(int)
            if part and shift * place > self.largest_shift:
                raise UnreadableText("a number longer than the text")
            total += part << (shift * place) if part else 0
        return total

    def _choice(self, kind: type[Enum]) -> Any:
        form, text = self.take()
        found = [one for one in kind if form == "name" and one.value == text]
        if not found:
            raise UnreadableText("an unknown name or symbol")
        return found[0]

    def _sequence(self, kind: Any) -> tuple[Any, ...]:
        self.take("[")
        items: list[Any] = []
        while self.peek() != ("symbol", "]"):
            if items:
                self.take(",")
            items.append(self.value(kind))
        self.take("]")
        return tuple(items)

    def _structure(self, kind: Any) -> Any:
        self.take("⟨")
        values: list[Any] = []
        for field in _fields(kind):
            if values:
                self.take(",")
            values.append(self.value(field))
        self.take("⟩")
        return kind(*values)

    def _constructor(self, kinds: tuple[Any, ...]) -> Any:
        form, text = self.take()
        if (form, text) == ("name", _AFFINE_NODE) and statement.AffineData in kinds:
            return self.value(statement.AffineData)
        kind: Any = _CLASS_OF.get(text) if form == "name" else None
        if kind is None or kind not in kinds:
            raise UnreadableText("an unknown name or symbol")
        return kind(*[self.value(field) for field in _fields(kind)])


def _tokens(text: str) -> list[Token]:
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise UnreadableText("a symbol that no emission has")
        hexadecimal, decimal, operation, truth, symbol, name = match.groups()
        if hexadecimal is not None:
            tokens.append(("number", "0x" + hexadecimal))
        elif decimal is not None:
            tokens.append(("number", decimal))
        elif operation is not None:
            tokens.append(("operation", operation))
        elif truth is not None:
            tokens.append(("bool", truth))
        elif symbol is not None:
            tokens.append(("symbol", symbol))
        elif name is not None:
            tokens.append(("name", name))
        position = match.end()
    return tokens
