"""VNN-LIB 2.0 through the package `vnnlib`: its typed tree, written again as VNN-LIB 1.0 expressions.

Literals are taken as written, so nothing passes through a float. The package's parser is native code; what
it gets has passed our own limits on size and depth.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pytest_torchlean.errors import SpecErrors
from pytest_torchlean.spec.tree import shorten
from pytest_torchlean.spec.vnnlib.source import MAX_WORDS, Expression, Group, Source, Word

MARKS = ("vnnlib-version", "declare-network")
"""Commands that only VNN-LIB 2.0 has."""

_HEADS: Mapping[str, str] = {
    "And": "and",
    "Or": "or",
    "LessEqual": "<=",
    "LessThan": "<",
    "GreaterEqual": ">=",
    "GreaterThan": ">",
    "Equal": "=",
    "Plus": "+",
    "Minus": "-",
    "Negate": "-",
    "Multiply": "*",
}
_INSTALL = (
    'run `pip install "pytest-torchlean[vnnlib]"`, or write the property in VNN-LIB 1.0 (declare-const X_i '
    "and Y_j, and assert)"
)
_BLANK = re.compile(r"[ \t]*")
_PLACE = re.compile(r"line (\d{1,9})(?:, column (\d{1,9}))?")


def is_version_2(commands: tuple[Group, ...]) -> bool:
    """Whether a file is written in VNN-LIB 2.0."""
    heads = (group.items[0] for group in commands if group.items)
    return any(isinstance(head, Word) and head.text in MARKS for head in heads)


def translate(source: Source, commands: tuple[Group, ...]) -> tuple[Group, ...]:
    """The commands in VNN-LIB 1.0: X and Y are the elements of the input and the output, row-major.

    Raises SpecError TL0327 without the package and for what needs more than one network with one input and
    one output of float32, TL0321 where the package refuses the file, TL0326 for too many elements.
    """
    at = commands[0].at
    try:
        package = import_module("vnnlib")
    except ImportError:
        message = "the file is written in VNN-LIB 2.0, which needs the package `vnnlib`"
        raise source.error("TL0327", message, at, fix=_INSTALL) from None
    try:
        query = package.parse_query_string(source.text)
    except package.VNNLibException as error:
        raise _refused(source, str(error)) from None
    return _Translator(source, query, at).commands()


class _Translator:
    """Writes one query again."""

    def __init__(self, source: Source, query: Any, at: int) -> None:
        self._source, self._query, self._at = source, query, at
        self._starts = [0, *(match.end() for match in re.finditer("\n", source.text))]

    def commands(self) -> tuple[Group, ...]:
        networks = self._query.networks
        if len(networks) != 1:
            raise self._unsupported(f"{len(networks)} networks")
        (network,) = networks
        if network.hidden:
            raise self._unsupported("a hidden value")
        declared: list[Group] = []
        for kind, listed in (("X", network.inputs), ("Y", network.outputs)):
            if len(listed) != 1:
                what = "inputs" if kind == "X" else "outputs"
                raise self._unsupported(f"{len(listed)} {what} of a network")
            if listed[0].dtype.name != "F32":
                raise self._unsupported(f"the type {listed[0].dtype.name} of {shorten(listed[0].name)}")
            declared += self._declared(kind, [int(size) for size in listed[0].shape])
        asserted = [
            Group((Word("assert", self._at), self._expression(assertion.expr)), self._at)
            for assertion in self._query.assertions
        ]
        return (*declared, *asserted)

    def _declared(self, kind: str, shape: list[int]) -> list[Group]:
        size = math.prod(shape)
        if size > MAX_WORDS // 4:
            raise self._source.error("TL0326", f"a tensor of {size} elements", self._at)
        name = re.search(rf"\(\s*declare-{'input' if kind == 'X' else 'output'}\b", self._source.text)
        at = self._at if name is None else name.start()
        words = (Word("declare-const", at), Word("Real", at))
        return [Group((words[0], Word(f"{kind}_{number}", at), words[1]), at) for number in range(size)]

    def _expression(self, node: Any) -> Expression:
        name = type(node).__name__
        if name == "Var":
            return Word(self._element(node), self._place(node))
        if hasattr(node, "lexeme"):
            return Word(str(node.lexeme), self._place(node))
        parts = tuple(self._expression(part) for part in node.children())
        at = parts[0].at if parts else self._at
        if name == "NotEqual":
            sides = tuple(Group((Word(head, at), *parts), at) for head in ("<", ">"))
            return Group((Word("or", at), *sides), at)
        if name not in _HEADS:
            raise self._unsupported(f"`{shorten(name)}`")
        return Group((Word(_HEADS[name], at), *parts), at)

    def _element(self, variable: Any) -> str:
        """X_i or Y_j with the row-major number of the element."""
        number = 0
        shape, indices = [int(n) for n in variable.shape], [int(n) for n in variable.indices]
        if len(shape) != len(indices) or any(not 0 <= i < n for i, n in zip(indices, shape, strict=True)):
            raise self._unsupported(f"{shorten(variable.name)} without an index for each dimension")
        for index, size in zip(indices, shape, strict=True):
            number = number * size + index
        return f"{'X' if variable.kind.name == 'Input' else 'Y'}_{number}"

    def _place(self, node: Any) -> int:
        """Where the node's line begins."""
        line = min(max(1, int(node.line)), len(self._starts))
        blank = _BLANK.match(self._source.text, self._starts[line - 1])
        return blank.end() if blank is not None else self._starts[line - 1]

    def _unsupported(self, what: str) -> SpecErrors:
        return self._source.error(
            "TL0327",
            f"VNN-LIB 2.0 with {what} is not supported",
            self._at,
            fix="use one network with one input and one output of type float32, and linear inequalities",
        )


def _refused(source: Source, answer: str) -> SpecErrors:
    """The package's first complaint, at its place."""
    message, line, column = answer, 1, 1
    try:
        first = json.loads(answer)["errors"][0]
        message = f"{first['message']}: {first.get('hint', '')}".strip(": ")
        line = int(first.get("line", 1))
    except (ValueError, KeyError, IndexError, TypeError):
        match = _PLACE.search(answer)
        if match is not None:
            line, column = int(match[1]), int(match[2] or 1)
    lines = source.text.split("\n")
    line = min(max(1, line), len(lines))
    at = sum(len(text) + 1 for text in lines[: line - 1]) + min(max(0, column - 1), len(lines[line - 1]))
    return source.error("TL0321", f"the package `vnnlib` refuses the file: {shorten(message, 200)}", at)
