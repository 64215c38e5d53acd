"""Strict reading of what `lean --json` prints: one JSON object per line and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass


class MalformedOutput(Exception):
    """Standard output holds something that Lean's message format does not have."""


@dataclass(frozen=True)
class Message:
    """One message: severity `error`, `warning` or `information`, line from 1, text in one line."""

    severity: str
    line: int
    text: str


def parse_messages(stdout: bytes) -> tuple[Message, ...]:
    """The messages in order. Raises MalformedOutput for anything that is not a message."""
    if stdout and not stdout.endswith(b"\n"):
        raise MalformedOutput("the last line is cut off")
    return tuple(_parse(line) for line in stdout.split(b"\n")[:-1])


def _parse(line: bytes) -> Message:
    try:
        value = json.loads(line)
        severity, text, row = value["severity"], value["data"], value["pos"]["line"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise MalformedOutput(f"a line is not a message: {line[:80]!r}") from error
    if severity not in ("error", "warning", "information"):
        raise MalformedOutput(f"unknown severity {str(severity)[:40]!r}")
    if not isinstance(text, str) or not isinstance(row, int):
        raise MalformedOutput("a message without text or line")
    return Message(severity, row, " ".join(text.split())[:2000])
