"""Progress of long work: what a terminal and a CI log show, with a clock that the test moves."""

from __future__ import annotations

import io

import pytest

from pytest_torchlean.heartbeat import QUIET_SECONDS, Heartbeat, heartbeat_on
from pytest_torchlean.progress import SILENT, counted


class Clock:
    """Time that only the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Shown:
    """A heartbeat with its clock, and what it wrote."""

    def __init__(self, *, live: bool, width: int = 80) -> None:
        self.clock = Clock()
        self.written: list[str] = []
        self.beat = Heartbeat(self.written.append, live=live, clock=self.clock, width=lambda: width)

    def after(self, seconds: float) -> list[str]:
        """What is written when the ticking thread looks once a second for so long."""
        already = len(self.written)
        for _ in range(int(seconds)):
            self.clock.now += 1.0
            self.beat.tick()
        return self.written[already:]


def test_short_work_leaves_a_log_alone() -> None:
    shown = Shown(live=False)
    for number in range(3):
        shown.beat.begin(f"property-{number}", number + 1, 3)
        assert shown.after(QUIET_SECONDS // 3) == []
        shown.beat.end("PROVED")
    assert shown.written == []


def test_many_short_properties_are_no_silence() -> None:
    shown = Shown(live=False)
    for number in range(10):
        shown.beat.begin(f"p{number}", number + 1, 10)
        shown.after(5)
        shown.beat.end("PROVED")
    assert shown.written[0] == "torchlean: [2/10] p1: starting, 3 s\n"
    assert len(shown.written) == 6


def test_a_log_is_never_silent_for_ten_seconds() -> None:
    shown = Shown(live=False)
    shown.beat.begin("spec::mlp::robust", 2, 9)
    shown.beat.phase("Lean", 331, "boxes")
    shown.beat.step(30)
    assert shown.after(8) == ["torchlean: [2/9] spec::mlp::robust: Lean, 8 s, 30 of 331 boxes\n"]
    assert shown.after(7) == []
    assert len(shown.after(60)) == 8


def test_phases_start_their_count_anew() -> None:
    shown = Shown(live=False)
    shown.beat.begin("p")
    assert shown.after(8) == ["torchlean: p: starting, 8 s\n"]
    shown.beat.phase("search", 12, "boxes")
    shown.beat.step(11)
    shown.beat.phase("Lean")
    assert shown.after(8) == ["torchlean: p: Lean, 16 s\n"]


def test_a_terminal_has_one_line_that_is_renewed_and_keeps_the_verdict() -> None:
    shown = Shown(live=True)
    shown.beat.begin("spec::mlp::robust", 1, 2)
    assert shown.written == ["\r\x1b[K[1/2] spec::mlp::robust: starting, 0 s"]
    shown.beat.tick()
    assert len(shown.written) == 1, "nothing changed"
    shown.beat.phase("runtime", 64, "samples")
    shown.beat.step(7)
    assert shown.after(1) == ["\r\x1b[K[1/2] spec::mlp::robust: runtime, 1 s, 7 of 64 samples"]
    shown.beat.end("AGREED")
    assert shown.written[-1] == "\r\x1b[KAGREED      spec::mlp::robust\n"
    assert shown.after(20) == []


@pytest.mark.parametrize("width", [10, 40, 80, 200])
def test_the_live_line_fits_the_terminal(width: int) -> None:
    shown = Shown(live=True, width=width)
    shown.beat.begin("a" * 300, 1, 2)
    assert len(shown.written[0].removeprefix("\r\x1b[K")) < max(21, width)


def test_names_cannot_harm_a_terminal_or_one_without_utf_8() -> None:
    for live in (True, False):
        shown = Shown(live=live)
        shown.beat.begin("\x1b[31m日本\n::error::x")
        shown.after(9)
        text = "".join(shown.written).replace("\r\x1b[K", "")
        assert text.isascii()
        assert "\x1b" not in text
        assert "\\x1b" in text


def test_a_stream_that_fails_fails_no_run() -> None:
    clock, asked = Clock(), list[str]()

    def closed(text: str) -> None:
        asked.append(text)
        raise ValueError("I/O operation on closed file")

    for live, texts in ((True, 2), (False, 1)):
        asked.clear()
        beat = Heartbeat(closed, live=live, clock=clock)
        beat.begin("p")
        clock.now += QUIET_SECONDS
        beat.tick()
        assert len(asked) == texts, "it is written all the same"
        beat.end("PROVED")
        assert len(asked) == (3 if live else 1)


def test_the_thread_ends_with_the_block_even_when_the_run_fails() -> None:
    import threading

    stream = io.StringIO()

    def interrupted() -> None:
        with heartbeat_on(stream).running() as beat:
            beat.begin("p")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert all(thread.name != "torchlean-heartbeat" for thread in threading.enumerate())
    assert stream.getvalue() == "", "no terminal, and too short for a line"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_only_a_capable_terminal_has_a_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert heartbeat_on(Terminal()).live
    assert not heartbeat_on(io.StringIO()).live
    monkeypatch.setenv("TERM", "dumb")
    assert not heartbeat_on(Terminal()).live


def test_counted_items_tell_how_many_are_done() -> None:
    shown = Shown(live=False)
    shown.beat.begin("p")
    for item in counted("abc", shown.beat, "search", 3, "boxes"):
        if item == "c":
            assert shown.after(8) == ["torchlean: p: search, 8 s, 2 of 3 boxes\n"]
    assert list(counted("abc", SILENT, "search", 3, "boxes")) == ["a", "b", "c"]
