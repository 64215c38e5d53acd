"""Bytes of a YAML file -> a tree with places, by PyYAML's parser but none of its meanings.

PyYAML would turn `8/255` into text, `1e-3` into text, `0.1` into a float, `010` into eight, `yes` into
true, and would keep the last of two equal keys. Here its parser only gives events; scalars stay text.
Anchors, aliases, tags and further documents are refused, size and depth are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from pytest_torchlean.errors import SourceSpan, SpecError
from pytest_torchlean.spec.tree import Mapping, Scalar, Sequence, Tree, shorten

MAX_BYTES = 1 << 20
MAX_DEPTH = 16
MAX_NODES = 200_000

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")


@dataclass(frozen=True)
class SourceText:
    """The text of a spec file under the name it is shown by."""

    file: str
    text: str
    lines: tuple[str, ...]

    def line(self, number: int) -> str | None:
        """Line `number`, counted from 1; None beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else None


def read_source(data: bytes, file: str, most_bytes: int = MAX_BYTES) -> SourceText:
    """Decode a spec file. Raises SpecError TL0301 when it is too large or not plain UTF-8 text."""
    if len(data) > most_bytes:
        raise SpecError(
            "TL0301",
            f"the spec holds {len(data)} bytes, more than the limit of {most_bytes}",
            fix="split it into several torchlean.yaml files",
            span=SourceSpan(file, 1, 1),
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = _LINE_BREAK.split(data[: error.start].decode("utf-8-sig", "replace"))
        raise SpecError(
            "TL0301",
            f"the spec is not UTF-8 text (byte {error.start} is 0x{data[error.start]:02x})",
            fix="save the file as UTF-8",
            span=SourceSpan(file, len(before), len(before[-1]) + 1),
        ) from None
    bad = _UNPRINTABLE.search(text)
    if bad is not None:
        before = _LINE_BREAK.split(text[: bad.start()])
        raise SpecError(
            "TL0301",
            f"the spec holds the control character U+{ord(bad[0]):04X}",
            fix="remove the character",
            span=SourceSpan(file, len(before), len(before[-1]) + 1),
        )
    return SourceText(file, text, tuple(_LINE_BREAK.split(text)))


def readable_source(data: bytes, file: str) -> SourceText:
    """What can be shown of a file that `read_source` refuses; characters that cannot be are replaced."""
    text = data[:MAX_BYTES].decode("utf-8-sig", "replace")
    return SourceText(file, text, tuple(_LINE_BREAK.split(text)))


def compose(source: SourceText, most_nodes: int = MAX_NODES) -> Tree | None:
    """The tree of the only document in `source`, None when there is none.

    Raises SpecError TL0302 for what is not YAML and TL0303 for what specs do not accept of it.
    """
    import yaml

    builder = _Builder(source, most_nodes)
    try:
        for event in yaml.parse(source.text, Loader=yaml.SafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(source, error, builder.innermost) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise SpecError(
            "TL0302", f"not valid YAML: {shorten(str(error), 200)}", span=SourceSpan(source.file, 1, 1)
        ) from None
    return builder.result


@dataclass
class _Open:
    """A list or block whose end has not been seen."""

    is_mapping: bool
    span: SourceSpan
    children: list[Tree] = field(default_factory=list)


class _Builder:
    """Assembles the tree from the parser's events, without recursion."""

    def __init__(self, source: SourceText, most_nodes: int) -> None:
        self._source = source
        self._most_nodes = most_nodes
        self._stack: list[_Open] = []
        self._nodes = 0
        self._documents = 0
        self.result: Tree | None = None

    @property
    def innermost(self) -> SourceSpan | None:
        """Where the list or block that is still open starts."""
        return self._stack[-1].span if self._stack else None

    def take(self, event: Any) -> None:
        import yaml

        span = self._span(event)
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise _refused(
                        "a second document", span, "keep one document: remove what follows the `---`"
                    )
            case yaml.AliasEvent():
                raise _refused(f"the alias `*{shorten(str(event.anchor))}`", span)
            case yaml.ScalarEvent():
                self._check_node(event, span)
                self._add(Scalar(event.value, quoted=event.style is not None, span=span))
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._check_node(event, span)
                if len(self._stack) >= MAX_DEPTH:
                    raise _refused(
                        f"nesting deeper than {MAX_DEPTH} levels", span, "a spec needs no more than 6 levels"
                    )
                self._stack.append(_Open(isinstance(event, yaml.MappingStartEvent), span))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._add(_close(self._stack.pop()))

    def _check_node(self, event: Any, span: SourceSpan) -> None:
        self._nodes += 1
        if self._nodes > self._most_nodes:
            raise _refused(f"more than {self._most_nodes} values", span, "split the spec into several files")
        if event.anchor is not None:
            raise _refused(f"the anchor `&{shorten(event.anchor)}`", span)
        if event.tag is not None:
            raise _refused(f"the tag `{shorten(event.tag)}`", span, "remove the tag")

    def _add(self, tree: Tree) -> None:
        if self._stack:
            self._stack[-1].children.append(tree)
        else:
            self.result = tree

    def _span(self, event: Any) -> SourceSpan:
        start, end = event.start_mark, event.end_mark
        line = self._source.line(start.line + 1) or ""
        stop = end.column if end.line == start.line else len(line)
        length = max(1, stop - start.column)
        return SourceSpan(self._source.file, start.line + 1, start.column + 1, length)


def _close(open_node: _Open) -> Tree:
    if not open_node.is_mapping:
        return Sequence(tuple(open_node.children), open_node.span)
    entries = []
    for key, value in zip(open_node.children[::2], open_node.children[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise _refused("a list or block as a key", key.span, "use one of the keys the spec knows")
        if key.text == "<<" and not key.quoted:
            raise _refused("the merge key `<<`", key.span)
        entries.append((key, value))
    return Mapping(tuple(entries), open_node.span)


def _refused(what: str, span: SourceSpan | None, fix: str | None = None) -> SpecError:
    return SpecError("TL0303", f"{what} is not accepted in a spec", fix=fix, span=span)


def _syntax_error(source: SourceText, error: Any, innermost: SourceSpan | None) -> SpecError:
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or "cannot be read")
    at_end = mark is not None and not source.text[mark.index :].strip()
    if at_end and "<stream end>" in problem and innermost is not None:
        return SpecError("TL0302", "not valid YAML: this list or block is never closed", span=innermost)
    if error.context_mark is not None and (at_end or "expected ':'" in problem):
        mark = error.context_mark  # where the unfinished thing starts says more than where the file ends
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    text = source.line(line) or ""
    indentation = text[: len(text) - len(text.lstrip())]
    if "\t" in indentation or text[column - 1 : column] == "\t":
        column = text.index("\t") + 1
        return SpecError(
            "TL0302",
            "a tab is used as indentation or before a value",
            fix="YAML is indented with spaces only: replace the tab by spaces",
            span=SourceSpan(source.file, line, column),
        )
    if "expected ':'" in problem:
        word = text.strip().split(" ")[0]
        return SpecError(
            "TL0302",
            "not valid YAML: there is no `:` after this key",
            fix=f"write `{shorten(word)}:`, with its value behind it or indented below",
            span=SourceSpan(source.file, line, column, max(1, len(word))),
        )
    words = ": ".join(word for word in ("not valid YAML", error.context, problem) if word)
    return SpecError("TL0302", words, span=SourceSpan(source.file, line, column))
