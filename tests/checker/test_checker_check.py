"""check(): what Lean's kernel accepts, and everything that is not exactly an acceptance."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall, Outcome, check
from pytest_torchlean.error_codes import CODES
from pytest_torchlean.errors import CheckerError

HEADER = "prelude\nimport PytestTorchLean\n"
COMMUTES = HEADER + "theorem claim (a b : Nat) : a + b = b + a := Nat.add_comm a b\n"
CLASSICAL = HEADER + "theorem claim (p : Prop) : Or p (Not p) := Classical.em p\n"
EXTENSIONAL = HEADER + "theorem claim (p : Prop) (h : p ∧ True) : p := by simp at h; exact h\n"

FAKE_SOURCE = "prelude\ntheorem claim : True := True.intro\n"
NOTHING_BUILT = BuiltLibrary(Path("/nonexistent"), (), "", "", 0.0)

FakeLean = Callable[[str], LeanInstall]


def ask(source: str, lean: LeanInstall, built: BuiltLibrary, **options: object) -> CheckResult:
    settings: dict[str, object] = {"theorem": "claim", "wall_seconds": 60.0, "memory_mb": 1024, **options}
    return check(source, lean=lean, built=built, **settings)  # type: ignore[arg-type]


def answer(text: str, severity: str = "information") -> str:
    """A shell command that prints a message as Lean would."""
    message = f'{{"severity":"{severity}","data":"{text}","pos":{{"line":4,"column":0}}}}'
    return 'echo "' + message.replace('"', '\\"') + '"'


GOOD_ANSWER = answer("'$nonce' does not depend on any axioms")


class TestWithLean:
    def test_accepts_a_proved_theorem(self, lean: LeanInstall, core: BuiltLibrary) -> None:
        result = ask(COMMUTES, lean, core)
        assert result.accepted
        assert result.axioms == ()
        assert result.code is None
        assert result.peak_memory_mb > 1

    def test_accepts_the_stated_proposition_only(self, lean: LeanInstall, core: BuiltLibrary) -> None:
        assert ask(COMMUTES, lean, core, statement="∀ a b : Nat, a + b = b + a").accepted
        other = ask(COMMUTES, lean, core, statement="∀ a b : Nat, a + b = a")
        assert (other.outcome, other.code) == (Outcome.REFUSED, "TL0510")

    def test_kernel_decides_large_numbers(self, lean: LeanInstall, core: BuiltLibrary) -> None:
        source = HEADER + "theorem claim : (nat_lit 0x100) * 2 ^ 2000 = 2 ^ 2008 := by decide +kernel\n"
        assert ask(source, lean, core).accepted

    def test_allowed_axioms_are_reported(self, lean: LeanInstall, core: BuiltLibrary) -> None:
        result = ask(EXTENSIONAL, lean, core)
        assert result.accepted
        assert result.axioms == ("propext",)
        assert ask(EXTENSIONAL, lean, core, allowed_axioms=()).code == "TL0515"

    def test_choice_is_refused_unless_allowed(self, lean: LeanInstall, core: BuiltLibrary) -> None:
        result = ask(CLASSICAL, lean, core, allowed_axioms=("propext", "Quot.sound"))
        assert (result.outcome, result.code) == (Outcome.AXIOMS, "TL0515")
        assert "Classical.choice" in result.axioms
        assert "Classical.choice" in result.detail
        assert ask(
            CLASSICAL, lean, core, allowed_axioms=("propext", "Quot.sound", "Classical.choice")
        ).accepted

    def test_a_theorem_of_the_wrong_name_is_refused(self, lean: LeanInstall, core: BuiltLibrary) -> None:
        assert ask(COMMUTES, lean, core, theorem="claim2").outcome is Outcome.REFUSED

    def test_text_after_an_open_comment_is_refused(self, lean: LeanInstall, core: BuiltLibrary) -> None:
        assert ask(COMMUTES + "/- ", lean, core).outcome is Outcome.REFUSED

    def test_text_in_an_open_namespace_is_still_judged(self, lean: LeanInstall, core: BuiltLibrary) -> None:
        source = COMMUTES.replace("theorem", "namespace Inner\ntheorem")
        assert ask(source, lean, core, theorem="Inner.claim").accepted

    def test_deadline(self, lean: LeanInstall, core: BuiltLibrary) -> None:
        result = ask(COMMUTES, lean, core, wall_seconds=0.001)
        assert (result.outcome, result.code) == (Outcome.TIME, "TL0511")

    def test_memory(self, lean: LeanInstall, core: BuiltLibrary) -> None:
        source = HEADER + (
            "def build : Nat → List Nat → List Nat\n  | 0, rest => rest\n"
            "  | n+1, rest => build n (n :: rest)\n"
            "set_option maxRecDepth 10000000\n"
            "theorem claim : (build 1000000 []).length = 1000000 := by decide +kernel\n"
        )
        result = ask(source, lean, core, memory_mb=40)
        assert (result.outcome, result.code) == (Outcome.MEMORY, "TL0512")

    def test_missing_library(self, lean: LeanInstall) -> None:
        assert ask(COMMUTES, lean, NOTHING_BUILT).outcome is Outcome.REFUSED

    def test_nothing_is_left_in_the_temporary_folder(
        self, lean: LeanInstall, core: BuiltLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        ask(COMMUTES, lean, core, wall_seconds=0.001)
        assert ask(COMMUTES, lean, core).accepted
        assert list(tmp_path.iterdir()) == []


class TestTextGuard:
    @pytest.mark.parametrize(
        "line",
        [
            "theorem other : False := sorry",
            "axiom other : False",
            "set_option debug.skipKernelTC true",
            "theorem other : True := by native_decide",
            "#print axioms claim",
            "@[implemented_by claim] def f := 0",
            'macro "theorem" : command => `(end)',
        ],
    )
    def test_words_no_certificate_needs(self, line: str) -> None:
        with pytest.raises(CheckerError) as caught:
            ask(f"{COMMUTES}{line}\n", LeanInstall("wheel", Path("unused"), "", "", True), NOTHING_BUILT)
        assert caught.value.code == "TL0516"

    @pytest.mark.parametrize("name", ["", "a b", "claim\n#eval 1", "claim -- ", "«x»", "a..b"])
    def test_names(self, name: str) -> None:
        with pytest.raises(CheckerError) as caught:
            ask(COMMUTES, LeanInstall("wheel", Path("unused"), "", "", True), NOTHING_BUILT, theorem=name)
        assert caught.value.code == "TL0516"

    def test_prelude_is_required(self) -> None:
        with pytest.raises(CheckerError) as caught:
            ask(
                COMMUTES.removeprefix("prelude\n"),
                LeanInstall("wheel", Path("unused"), "", "", True),
                NOTHING_BUILT,
            )
        assert caught.value.code == "TL0516"


class TestStrictReading:
    def test_the_script_can_answer_at_all(self, fake_lean: FakeLean) -> None:
        assert ask(FAKE_SOURCE, fake_lean(GOOD_ANSWER), NOTHING_BUILT).accepted

    @pytest.mark.parametrize(
        ("body", "outcome"),
        [
            pytest.param("exit 0", Outcome.GARBLED, id="silent"),
            pytest.param("echo accepted", Outcome.GARBLED, id="not-json"),
            pytest.param("echo $nonce", Outcome.GARBLED, id="bare-nonce"),
            pytest.param("echo '[]'", Outcome.GARBLED, id="other-json"),
            pytest.param("head -c 3000000 /dev/zero", Outcome.GARBLED, id="flood"),
            pytest.param(
                answer(f"'accepted_{'0' * 32}' does not depend on any axioms"), Outcome.GARBLED, id="stale"
            ),
            pytest.param(answer("'claim' does not depend on any axioms"), Outcome.GARBLED, id="no-nonce"),
            pytest.param(answer("x '$nonce' does not depend on any axioms"), Outcome.GARBLED, id="prefix"),
            pytest.param(answer("'$nonce' does not depend on any axioms!"), Outcome.GARBLED, id="suffix"),
            pytest.param(answer("'$nonce' depends on axioms: []"), Outcome.GARBLED, id="empty-list"),
            pytest.param(answer("'$nonce' depends on axioms: [sorryAx]"), Outcome.AXIOMS, id="sorry"),
            pytest.param(
                answer("'$nonce' depends on axioms: [propext, Bad.one]"), Outcome.AXIOMS, id="axiom"
            ),
            pytest.param(
                answer("'$nonce' does not depend on any axioms", "warning"), Outcome.GARBLED, id="warning"
            ),
            pytest.param(
                answer("'$nonce' does not depend on any axioms", "error"), Outcome.GARBLED, id="error"
            ),
            pytest.param(f"{GOOD_ANSWER}\n{GOOD_ANSWER}", Outcome.GARBLED, id="twice"),
            pytest.param(f"{GOOD_ANSWER}\necho more", Outcome.GARBLED, id="trailing-text"),
            pytest.param(f"{GOOD_ANSWER}\nprintf more", Outcome.GARBLED, id="unfinished-line"),
            pytest.param(
                f"{answer('declaration uses sorry', 'warning')}\n{GOOD_ANSWER}", Outcome.GARBLED, id="two"
            ),
            pytest.param(f"{GOOD_ANSWER}\necho warning >&2", Outcome.GARBLED, id="stderr"),
            pytest.param(f"{GOOD_ANSWER}\nexit 1", Outcome.CRASHED, id="exit-1-without-an-error"),
            pytest.param(f"{GOOD_ANSWER}\nexit 3", Outcome.CRASHED, id="exit-3"),
            pytest.param(f"{answer('no', 'error')}\nexit 1", Outcome.REFUSED, id="refusal"),
            pytest.param(f"{GOOD_ANSWER}\nkill -SEGV $$", Outcome.CRASHED, id="signal"),
            pytest.param(
                f"{answer('(kernel) excessive memory consumption detected', 'error')}\nexit 1",
                Outcome.MEMORY,
                id="memory-said",
            ),
            pytest.param(
                "echo 'INTERNAL PANIC: out of memory' >&2; exit 1", Outcome.MEMORY, id="memory-panic"
            ),
            pytest.param(f"{GOOD_ANSWER}\nsleep 600", Outcome.TIME, id="hangs-after-a-good-answer"),
        ],
    )
    def test_anything_else_is_not_accepted(self, fake_lean: FakeLean, body: str, outcome: Outcome) -> None:
        wall = 0.5 if outcome is Outcome.TIME else 30.0
        result = ask(FAKE_SOURCE, fake_lean(body), NOTHING_BUILT, wall_seconds=wall)
        assert result.outcome is outcome
        assert not result.accepted
        assert result.code is not None
        assert result.code in CODES

    def test_sorry_cannot_be_allowed(self, fake_lean: FakeLean) -> None:
        lean = fake_lean(answer("'$nonce' depends on axioms: [sorryAx]"))
        assert not ask(FAKE_SOURCE, lean, NOTHING_BUILT, allowed_axioms=("sorryAx",)).accepted

    def test_children_die_at_the_deadline(self, fake_lean: FakeLean, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        try:
            lean = fake_lean(f"exec 3>{pipe}\nprintf started >&3\nsleep 600 &\nwait")
            assert ask(FAKE_SOURCE, lean, NOTHING_BUILT, wall_seconds=1.0).outcome is Outcome.TIME
            os.set_blocking(reader, True)
            assert os.read(reader, 7) == b"started"
            assert select.select([reader], [], [], 30.0)[0], "a child still holds the pipe"
            assert os.read(reader, 1) == b""
        finally:
            os.close(reader)

    def test_environment_is_not_inherited(
        self, fake_lean: FakeLean, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LEAN_SYSROOT", "/elsewhere")
        monkeypatch.setenv("LD_PRELOAD_PROBE", "secret")
        seen = tmp_path / "environment"
        ask(FAKE_SOURCE, fake_lean(f"env > {seen}; pwd >> {seen}"), NOTHING_BUILT)
        text = seen.read_text()
        assert "secret" not in text
        assert "LEAN_SYSROOT" not in text
        assert str(Path.cwd()) not in text.splitlines()

    def test_lean_that_does_not_load(self, tmp_path: Path) -> None:
        library = tmp_path / "libleanshared.so"
        library.write_bytes(b"not a library")
        with pytest.raises(CheckerError) as caught:
            ask(FAKE_SOURCE, LeanInstall("wheel", library, "4.35.0", "", True), NOTHING_BUILT)
        assert caught.value.code == "TL0503"
