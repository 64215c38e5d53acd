"""Colour only where users of other tools expect it."""

from __future__ import annotations

import io

import pytest

from pytest_torchlean.colours import is_terminal, wants_colour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("wish", "environment", "on_terminal", "elsewhere"),
    [
        (None, {}, True, False),
        (True, {}, True, True),
        (False, {}, False, False),
        (True, {"NO_COLOR": "1", "TERM": "dumb"}, True, True),
        (False, {"FORCE_COLOR": "1"}, False, False),
        (None, {"NO_COLOR": "1"}, False, False),
        (None, {"NO_COLOR": ""}, True, False),
        (None, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        (None, {"FORCE_COLOR": "1"}, True, True),
        (None, {"FORCE_COLOR": "3", "TERM": "dumb"}, True, True),
        (None, {"FORCE_COLOR": "0"}, True, False),
        (None, {"CLICOLOR_FORCE": "1"}, True, True),
        (None, {"CLICOLOR_FORCE": "0"}, True, False),
        (None, {"CLICOLOR": "0"}, False, False),
        (None, {"CLICOLOR": "1"}, True, False),
        (None, {"TERM": "dumb"}, False, False),
    ],
)
def test_wishes_before_environment_before_terminal(
    wish: bool | None, environment: dict[str, str], on_terminal: bool, elsewhere: bool
) -> None:
    assert wants_colour(wish, Terminal(), environment) is on_terminal
    assert wants_colour(wish, io.StringIO(), environment) is elsewhere


def test_a_closed_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    stream.close()
    assert not is_terminal(stream)
