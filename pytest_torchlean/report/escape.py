"""Makes untrusted text safe for the place it is printed to.

Names inside models, paths and messages of other tools may hold anything. Nothing is dropped silently:
a harmful character becomes a visible escape such as `\\x1b`.
"""

from __future__ import annotations

import html as _html
import re

_CONTROL = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 (not tab, newline), DEL, C1
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, bidirectional
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"  # surrogates and non-characters
    "\U000e0000-\U000e0fff"  # tags
)
_NON_CHARACTER = "".join(
    f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17)
)
_HARMFUL = re.compile(f"[{_CONTROL}{_NON_CHARACTER}]")
_HARMFUL_IN_LINE = re.compile(f"[{_CONTROL}{_NON_CHARACTER}\t\n]")
_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+!|~$@:]")
_HIDDEN_LINK = re.compile(r"\b(www)\.", re.IGNORECASE)
_WORKFLOW_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)


def visible(match: re.Match[str]) -> str:
    """The escape of one character, as Python would write it."""
    number = ord(match[0])
    named = {9: "\\t", 10: "\\n", 13: "\\r"}.get(number)
    if named is not None:
        return named
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def terminal(text: str) -> str:
    """Text of several lines for a terminal or a CI log.

    Escape sequences, carriage returns and invisible or direction-changing characters become visible,
    and no line can be taken for a GitHub workflow command (`::...` or `##[...`).
    """
    return _no_workflow_command(_HARMFUL.sub(visible, text))


def terminal_line(text: str) -> str:
    """As `terminal`, for text that must stay on one line: tabs and line breaks become visible too."""
    return _no_workflow_command(_HARMFUL_IN_LINE.sub(visible, text))


def xml(text: str) -> str:
    """Text that any XML 1.0 reader accepts once an XML writer has escaped its markup."""
    return _HARMFUL.sub(visible, text)


def html(text: str) -> str:
    """Text for an HTML element or a quoted attribute."""
    return _html.escape(_HARMFUL.sub(visible, text), quote=True)


def markdown(text: str) -> str:
    """Text in a paragraph or table cell of GitHub's Markdown: no markup, link or line break of its own."""
    plain = _MARKDOWN.sub(r"\\\g<0>", _HARMFUL_IN_LINE.sub(visible, text))
    return _HIDDEN_LINK.sub(r"\1\\.", plain).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def sarif(text: str) -> str:
    """A plain text message of SARIF, in which no embedded link can stand."""
    return _HARMFUL.sub(visible, text).replace("](", "] (")


def workflow_data(text: str) -> str:
    """The message of a GitHub workflow command."""
    return _HARMFUL.sub(visible, text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def workflow_property(text: str) -> str:
    """A property (`file=`, `title=`) of a GitHub workflow command."""
    return workflow_data(text).replace(":", "%3A").replace(",", "%2C")


def _no_workflow_command(text: str) -> str:
    return _WORKFLOW_COMMAND.sub(r"\1\\x3a", text).replace("##[", "#\\x23[")
