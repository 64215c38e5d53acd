"""An emission as Lean text, and back: the guard reads the very text that Lean checks.

Numbers are raw literals, long ones in pieces joined pairwise, so that Lean neither prints them in
decimal nor builds a deep term. The text contains no name or string of the user's files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_torchlean.certificate.model import (
    AffineData,
    BoxData,
    CertificateData,
    ClaimCertificateData,
    ClaimData,
    DecodingData,
    Emission,
    GraphData,
    PropertyData,
    ReluData,
    ScaleData,
)

THEOREM = "PytestTorchLean.Emitted.holds"
"""Full name of the theorem that an emitted text proves."""
_PIECE = 1024
"""Hexadecimal digits of one literal."""
_HEADER = """prelude
import PytestTorchLean
set_option maxRecDepth 1000000
set_option maxHeartbeats 0
namespace PytestTorchLean.Emitted
"""


def render(parts: Sequence[Emission]) -> str:
    """The module that proves every part. ValueError for no part, and for parts about several graphs."""
    if not parts or any(part.graph != parts[0].graph for part in parts):
        raise ValueError("a text is about one graph")
    first = parts[0]
    lines = [_HEADER]
    names = []
    for index, node in enumerate(first.graph.nodes):
        name = f"node{index}"
        names.append(name)
        if isinstance(node, AffineData):
            lines.append(_affine(name, node))
            lines.append(f"noncomputable def {name} : Node := Node.affine {name}_affine")
        else:
            lines.append(f"def {name} : Node := Node.relu ({_number(node.first)}) ({_number(node.count)})")
    lines.append(f"noncomputable def graph : Graph := ⟨{_number(first.graph.inputs)}, {_list(names)}⟩")
    for index, part in enumerate(parts):
        lines.extend(_part(index, part))
    statements = [f"Every (Claim.Holds K graph) part{index}_claims" for index in range(len(parts))]
    proofs = [f"sound K part{index}_accepted" for index in range(len(parts))]
    lines.append(
        f"theorem holds.{{u}} (K : Type u) [OrderedRing K] : {' ∧ '.join(statements)} := "
        + (proofs[0] if len(proofs) == 1 else f"⟨{', '.join(proofs)}⟩")
    )
    lines.append("end PytestTorchLean.Emitted\n")
    return "\n".join(lines)


def _part(index: int, part: Emission) -> Iterator[str]:
    prefix = f"part{index}"
    claims = []
    for number, claim in enumerate(part.claims):
        name = f"{prefix}_claim{number}"
        yield _affine(f"{name}_forms", claim.property.forms)
        boxes = []
        for position, box in enumerate(claim.boxes):
            own = f"{name}_box{position}"
            boxes.append(own)
            fields = (box.denominator, box.offset, box.width, box.lower, box.upper)
            yield f"noncomputable def {own} : Box := ⟨{', '.join(map(_number, fields))}⟩"
        strict = "Bool.true" if claim.property.strict else "Bool.false"
        yield f"noncomputable def {name} : Claim := ⟨⟨{name}_forms_affine, {strict}⟩, {_list(boxes)}⟩"
        claims.append(name)
    yield f"noncomputable def {prefix}_claims : List Claim := {_list(claims)}"
    certificate = part.certificate
    numbers = (certificate.scale.unit, certificate.scale.center, certificate.scale.half)
    scale = f"⟨{', '.join(map(_number, numbers))}⟩"
    decodings = _list([_decoding(decoding) for decoding in certificate.decodings])
    own_claims = _list(
        [f"⟨{_decoding(claim.decoding)}, {_number(claim.composed_bits)}⟩" for claim in certificate.claims]
    )
    yield f"def {prefix}_certificate : Certificate := ⟨{scale}, {decodings}, {own_claims}⟩"
    yield (
        f"theorem {prefix}_accepted : check graph {prefix}_claims {prefix}_certificate = Bool.true := "
        "by decide +kernel"
    )


def _affine(name: str, data: AffineData) -> str:
    fields = (
        data.rows,
        data.lanes,
        data.lane_columns,
        data.weights,
        data.positions,
        data.sources,
        data.divisor,
    )
    return f"noncomputable def {name}_affine : Affine := ⟨{', '.join(map(_number, fields))}⟩"


def _decoding(decoding: DecodingData) -> str:
    return f"⟨{_number(decoding.base)}, {_number(decoding.stages)}, {_number(decoding.bits)}⟩"


def _list(items: Sequence[str]) -> str:
    return f"[{', '.join(items)}]"


def _number(number: int) -> str:
    if number < 0:
        raise ValueError("a natural number is negative")
    if number < 1 << 64:
        return f"nat_lit {number}"
    text = f"{number:x}"
    pieces = -(-len(text) // _PIECE)
    text = text.rjust(pieces * _PIECE, "0")
    return _joined([text[start : start + _PIECE] for start in range(0, len(text), _PIECE)][::-1])


def _joined(pieces: Sequence[str]) -> str:
    """Pieces, least significant first, as a balanced tree of shifted sums."""
    if len(pieces) == 1:
        return f"nat_lit 0x{pieces[0]}"
    middle = len(pieces) // 2
    low, high = _joined(pieces[:middle]), _joined(pieces[middle:])
    shift = 4 * _PIECE * middle
    return f"Nat.add ({low}) (Nat.mul (Nat.pow (nat_lit 2) (nat_lit {shift})) ({high}))"


# --- reading back -----------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"nat_lit (?:0x([0-9a-f]+)|([0-9]+))|Nat\.(add|mul|pow)|Bool\.(true|false)"
    r"|([()\[\],⟨⟩])|([a-z][a-z0-9_]*|Node\.affine|Node\.relu)| +"
)
_DEFINITION = re.compile(r"(?:noncomputable )?def ([a-z][a-z0-9_]*) : [A-Za-z ]+ := (.*)")
_ACCEPTED = re.compile(r"theorem part[0-9]+_accepted : .*")
_DEEPEST = 100
"""Brackets within brackets; a tree of literals needs one pair for each doubling of their number."""

Value = int | bool | tuple["Value", ...]


class UnreadableText(ValueError):
    """The text is not one that `render` writes."""


@dataclass
class _Reader:
    """Reads the right-hand side of one definition; names refer to earlier definitions."""

    tokens: list[tuple[str, str]]
    known: dict[str, Value]
    largest_shift: int
    position: int = 0
    depth: int = 0

    def take(self, expected: str | None = None) -> tuple[str, str]:
        if self.position >= len(self.tokens):
            raise UnreadableText("a definition ends early")
        token = self.tokens[self.position]
        self.position += 1
        if expected is not None and token[1] != expected:
            raise UnreadableText(f"expected {expected}")
        return token

    def value(self) -> Value:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise UnreadableText("brackets are nested too deeply")
        read = self._value()
        self.depth -= 1
        return read

    def _value(self) -> Value:
        kind, text = self.take()
        if kind == "number":
            return int(text, 0)
        if kind == "bool":
            return text == "true"
        if text == "(":
            inner = self.value()
            self.take(")")
            return inner
        if kind == "operation":
            return self._operation(text, _int(self.value()), _int(self.value()))
        if text in ("⟨", "["):
            return self._sequence("⟩" if text == "⟨" else "]")
        if text == "Node.affine":
            return (self.value(),)
        if text == "Node.relu":
            return (self.value(), self.value())
        if kind == "name" and text in self.known:
            return self.known[text]
        raise UnreadableText("an unknown name or symbol")

    def _operation(self, name: str, left: int, right: int) -> int:
        if name == "add":
            return left + right
        if name == "mul":
            return left * right
        if left != 2 or right > self.largest_shift:
            raise UnreadableText("a power that no emission has")
        return 1 << right

    def _sequence(self, closing: str) -> Value:
        items: list[Value] = []
        while self.position < len(self.tokens) and self.tokens[self.position][1] != closing:
            items.append(self.value())
            if self.tokens[self.position : self.position + 1] != [("symbol", closing)]:
                self.take(",")
        self.take(closing)
        return tuple(items)


def parse(text: str) -> tuple[Emission, ...]:
    """The parts that a rendered text speaks about: `render(parse(text)) == text`, character by character.

    Raises UnreadableText for every other text.
    """
    if not text.startswith(_HEADER):
        raise UnreadableText("the header differs")
    known: dict[str, Value] = {}
    count = 0
    for line in text[len(_HEADER) :].split("\n"):
        definition = _DEFINITION.fullmatch(line)
        if definition is not None:
            if definition[1] in known:
                raise UnreadableText(f"{definition[1]} is defined twice")
            reader = _Reader(_tokens(definition[2]), known, 4 * len(text))
            # only structures get names, so that arithmetic cannot build on its own results
            known[definition[1]] = _tuple(reader.value())
            if reader.position != len(reader.tokens):
                raise UnreadableText(f"more text than expected in {definition[1]}")
        elif _ACCEPTED.fullmatch(line) is not None:
            count += 1
    parts = tuple(_emission(known, index) for index in range(count))
    if not parts or render(parts) != text:
        raise UnreadableText("the text says more or something else than its data")
    return parts


def _tokens(text: str) -> list[tuple[str, str]]:
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


def _emission(known: dict[str, Value], index: int) -> Emission:
    try:
        inputs, nodes = _pair(known["graph"])
        graph = GraphData(_int(inputs), tuple(_node(node) for node in _tuple(nodes)))
        claims = tuple(_claim(claim) for claim in _tuple(known[f"part{index}_claims"]))
        scale, decodings, certificates = _tuple(known[f"part{index}_certificate"])
        return Emission(
            graph,
            claims,
            CertificateData(
                ScaleData(*map(_int, _tuple(scale))),
                tuple(DecodingData(*map(_int, _tuple(decoding))) for decoding in _tuple(decodings)),
                tuple(_claim_certificate(certificate) for certificate in _tuple(certificates)),
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableText(f"part {index} is incomplete") from error


def _node(value: Value) -> AffineData | ReluData:
    fields = _tuple(value)
    if len(fields) == 1:
        return AffineData(*map(_int, _tuple(fields[0])))
    return ReluData(*map(_int, fields))


def _claim(value: Value) -> ClaimData:
    forms_and_strict, boxes = _pair(value)
    forms, strict = _pair(forms_and_strict)
    if not isinstance(strict, bool):
        raise UnreadableText("a sign is missing")
    return ClaimData(
        PropertyData(AffineData(*map(_int, _tuple(forms))), strict),
        tuple(BoxData(*map(_int, _tuple(box))) for box in _tuple(boxes)),
    )


def _claim_certificate(value: Value) -> ClaimCertificateData:
    decoding, size = _pair(value)
    return ClaimCertificateData(DecodingData(*map(_int, _tuple(decoding))), _int(size))


def _int(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnreadableText("a number is missing")
    return value


def _tuple(value: Value) -> tuple[Value, ...]:
    if not isinstance(value, tuple):
        raise UnreadableText("a structure is missing")
    return value


def _pair(value: Value) -> tuple[Value, Value]:
    first, second = _tuple(value)
    return first, second
