"""The grammar of expressions, read by recursive descent into a tree. Sizes and depth are bounded.

    inequality = sum ("<=" | ">=") sum
    sum        = product (("+" | "-") product)*
    product    = sign (("*" | "/") sign)*
    sign       = ("+" | "-")* power
    power      = atom ("^" ["-"] digits)?
    atom       = number | name | function "(" sum ("," sum)* ")" | "(" sum ")"

A sign binds weaker than a power: -x^2 is -(x^2). Numbers are exact: 0.1 is one tenth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

MOST_CHARACTERS = 4096
MOST_NODES = 2000
MOST_DEPTH = 60
MOST_LEVELS = 120
"""Of a tree: a sum of many terms is as deep as it is long."""
MOST_POWER = 64
_MOST_EXPONENT = 300
_MOST_DIGITS = 400

FUNCTIONS: dict[str, tuple[int, int]] = {
    "abs": (1, 1),
    "cos": (1, 1),
    "exp": (1, 1),
    "max": (1, 64),
    "min": (1, 64),
    "relu": (1, 1),
    "sigmoid": (1, 1),
    "sin": (1, 1),
    "sqrt": (1, 1),
    "tanh": (1, 1),
}
"""The functions by name, with their least and largest number of arguments."""

_TOKEN = re.compile(
    r"[ \t\n]*(?:"
    r"(?P<number>0[xX][0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?(?:[pP][+-]?[0-9]+)?"
    r"|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign><=|>=|\*\*|[-+*/^(),<>=])"
    r")",
    re.ASCII,
)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)


class ExpressionError(ValueError):
    """Text that is no expression. at: the offset where that shows. fix: what to write."""

    def __init__(self, message: str, at: int, fix: str | None = None) -> None:
        super().__init__(message)
        self.at = at
        self.fix = fix


@dataclass(frozen=True)
class Number:
    """An exact constant."""

    value: Fraction
    at: int = 0


@dataclass(frozen=True)
class Variable:
    """A value by its name."""

    name: str
    at: int = 0


@dataclass(frozen=True)
class Apply:
    """A function of FUNCTIONS, or `+`, `-`, `*`, `/` of two arguments, `neg` of one, `^` with a `Number`."""

    function: str
    arguments: tuple[Expression, ...]
    at: int = 0


Expression = Number | Variable | Apply


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def read_expression(text: str) -> Expression:
    """The tree of an expression. Raises ExpressionError."""
    reader = _Reader(text)
    found = reader.sum(0)
    reader.end("an operator or the end of the expression")
    return found


def read_inequality(text: str) -> Expression:
    """The `g` for which the inequality says `g <= 0`: the left side minus the right, or the other way round.

    Raises ExpressionError.
    """
    reader = _Reader(text)
    left = reader.sum(0)
    sign = reader.now
    if sign.text not in ("<=", ">="):
        raise reader.wrong("`<=` or `>=`")
    reader.step()
    right = reader.sum(0)
    reader.end("an operator or the end of the inequality")
    sides = (left, right) if sign.text == "<=" else (right, left)
    return Apply("-", sides, sign.at)


def _tokens(text: str) -> Iterator[_Token]:
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(f"it is longer than {MOST_CHARACTERS} characters", MOST_CHARACTERS)
    at = 0
    while text[at:].strip(" \t\n"):
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip(" \t\n"))
            shown = text[at] if text[at].isprintable() else repr(text[at])[1:-1]
            raise ExpressionError(f"`{shown}` cannot stand in an expression", at)
        kind = str(match.lastgroup)
        yield _Token(kind, match[kind], match.start(kind))
        at = match.end()
    yield _Token("end", "", len(text))


class _Reader:
    """Reads the tokens of one text, one ahead."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._nodes = 0
        self._levels: dict[int, int] = {}
        self.now = next(self._tokens)

    def step(self) -> _Token:
        """The token that is read, and on to the next one."""
        read = self.now
        self.now = next(self._tokens)
        return read

    def wrong(self, expected: str) -> ExpressionError:
        """The error that something else stands here."""
        fixes = {
            "**": "powers are written with `^`",
            "=": "an expression has no `=`; an inequality has `<=` or `>=`",
            "<": "inequalities have `<=` or `>=`",
            ">": "inequalities have `<=` or `>=`",
        }
        found = f"`{self.now.text[:40]}`" if self.now.text else "the end"
        fix = fixes.get(self.now.text)
        if expected.startswith("an operator") and self.now.kind in ("name", "number"):
            fix = "write `*` between factors"
        return ExpressionError(f"{expected} is expected, not {found}", self.now.at, fix)

    def end(self, expected: str) -> None:
        """Nothing may follow."""
        if self.now.kind != "end":
            raise self.wrong(expected)

    def sum(self, depth: int) -> Expression:
        """Products with `+` or `-` between them."""
        found = self._product(depth)
        while self.now.text in ("+", "-"):
            sign = self.step()
            found = self._node(Apply(sign.text, (found, self._product(depth)), sign.at))
        return found

    def _product(self, depth: int) -> Expression:
        found = self._signed(depth)
        while self.now.text in ("*", "/"):
            sign = self.step()
            found = self._node(Apply(sign.text, (found, self._signed(depth)), sign.at))
        return found

    def _signed(self, depth: int) -> Expression:
        signs = []
        while self.now.text in ("+", "-"):
            signs.append(self.step())
            if len(signs) > MOST_DEPTH:
                raise ExpressionError("there are too many signs", self.now.at)
        found = self._power(depth)
        for sign in reversed(signs):
            if sign.text == "-":
                found = self._node(Apply("neg", (found,), sign.at))
        return found

    def _power(self, depth: int) -> Expression:
        found = self._atom(depth)
        if self.now.text != "^":
            return found
        sign = self.step()
        negative = self.now.text == "-"
        if negative:
            self.step()
        if not re.fullmatch(r"[0-9]{1,4}", self.now.text) or int(self.now.text) > MOST_POWER:
            raise ExpressionError(
                f"an exponent is an integer of at most {MOST_POWER}",
                self.now.at,
                "write e.g. x^2, or sqrt(x)",
            )
        exponent = self.step()
        value = Fraction(-int(exponent.text) if negative else int(exponent.text))
        if self.now.text == "^":
            raise ExpressionError("a power of a power needs parentheses", self.now.at, "write (x^2)^3")
        return self._node(Apply("^", (found, Number(value, exponent.at)), sign.at))

    def _atom(self, depth: int) -> Expression:
        if depth > MOST_DEPTH:
            raise ExpressionError(f"parentheses are nested deeper than {MOST_DEPTH}", self.now.at)
        if self.now.kind == "number":
            token = self.step()
            return self._node(Number(_number(token), token.at))
        if self.now.text == "(":
            self.step()
            found = self.sum(depth + 1)
            self._close()
            return found
        if self.now.kind != "name":
            raise self.wrong("a number, a name or `(`")
        name = self.step()
        if self.now.text == "(":
            return self._call(name, depth)
        if name.text in FUNCTIONS:
            raise ExpressionError(f"`{name.text}` is a function", name.at, f"write {name.text}(...)")
        if not NAME.fullmatch(name.text):
            raise ExpressionError("a name has at most 64 characters", name.at)
        return self._node(Variable(name.text, name.at))

    def _call(self, name: _Token, depth: int) -> Expression:
        if name.text not in FUNCTIONS:
            raise ExpressionError(
                f"`{name.text[:40]}` is not a function", name.at, f"the functions are {', '.join(FUNCTIONS)}"
            )
        self.step()
        arguments = [self.sum(depth + 1)]
        while self.now.text == ",":
            self.step()
            arguments.append(self.sum(depth + 1))
        self._close()
        least, most = FUNCTIONS[name.text]
        if not least <= len(arguments) <= most:
            takes = f"{most} argument{'s' if most > 1 else ''}"
            raise ExpressionError(f"`{name.text}` takes {takes}, not {len(arguments)}", name.at)
        return self._node(Apply(name.text, tuple(arguments), name.at))

    def _close(self) -> None:
        if self.now.text != ")":
            raise self.wrong("`)`")
        self.step()

    def _node(self, node: Expression) -> Expression:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise ExpressionError(f"it has more than {MOST_NODES} parts", node.at)
        below = node.arguments if isinstance(node, Apply) else ()
        levels = 1 + max((self._levels.get(id(one), 1) for one in below), default=0)
        if levels > MOST_LEVELS:
            raise ExpressionError(f"it has more than {MOST_LEVELS} operations in a row", node.at)
        self._levels[id(node)] = levels
        return node


def _number(token: _Token) -> Fraction:
    """The exact value of a literal."""
    text = token.text.lower()
    hexadecimal = text.startswith("0x")
    mantissa, _, power = text.partition("p" if hexadecimal else "e")
    exponent = int(power) if power and len(power) <= 8 else 0 if not power else _MOST_EXPONENT + 1
    if len(mantissa) > _MOST_DIGITS or abs(exponent) > _MOST_EXPONENT:
        raise ExpressionError("a number has too many digits or too large an exponent", token.at)
    whole, _, behind = (mantissa[2:] if hexadecimal else mantissa).partition(".")
    base = 16 if hexadecimal else 10
    value = Fraction(int((whole + behind) or "0", base), base ** len(behind))
    return value * Fraction(2 if hexadecimal else 10) ** exponent
