"""`--help` is documentation: its texts are pinned, and so is what `explain` says."""

from __future__ import annotations

import sys

import pytest
from golden_support import assert_golden

from pytest_torchlean.cli import main
from pytest_torchlean.error_codes import CODES
from pytest_torchlean.error_examples import EXAMPLES

COMMANDS = (
    "check",
    "cache",
    "baseline",
    "bundle",
    "inspect",
    "doctor",
    "init",
    "replay",
    "report",
    "explain",
)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse lays options out in another way since")
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_as_pinned(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as stopped:
        main([*command.split(), "--help"])
    assert stopped.value.code == 0
    assert_golden(f"help/{command or 'torchlean'}.txt", capsys.readouterr().out)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_loads_no_heavy_library(command: str) -> None:
    import subprocess

    code = (
        "import sys\nfrom pytest_torchlean.cli import main\n"
        f"try: main([{command!r}, '--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'onnx', 'onnxruntime', 'yaml'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_every_code_has_an_example() -> None:
    assert set(EXAMPLES) == set(CODES)
    assert all(0 < len(text) <= 110 and not text.endswith(".") for text in EXAMPLES.values())


def test_explain_says_cause_example_and_fix(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "TL0304"]) == 0
    assert capsys.readouterr().out == (
        "TL0304: unknown key\n"
        "  cause:   a misspelt key, or a key of another check\n"
        "  example: `epsilonn: 8/255`: did you mean `epsilon`?\n"
        "  fix:     use one of the valid keys\n"
    )


@pytest.mark.parametrize("text", ["tl0101", "101", "TL-0101", " tl 101 "])
def test_explain_knows_a_code_however_it_is_typed(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", text]) == 0
    assert capsys.readouterr().out.startswith("TL0101: ")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("TL0100", "did you mean TL0101 (model file not found)?"),
        ("tl9999", "tl9999 is not a code of this version; did you mean TL1"),
        ("subnormal", "codes with this word: TL0710 (process flushes subnormal numbers)"),
        ("xyz\x1b[31m", "`torchlean explain` lists all codes"),
    ],
)
def test_explain_of_what_is_no_code_helps(text: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", text]) == 2
    shown = capsys.readouterr().err
    assert hint in shown
    assert "\x1b" not in shown


def test_doctor_names_builds_and_the_axioms_of_the_theorems(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    output = capsys.readouterr().out
    assert "ok       theorem PytestTorchLean.sound rests on propext, Quot.sound\n" in output
    assert "ok       theorem PytestTorchLean.Rules.smooth_sound rests on propext, Quot.sound\n" in output
    assert "build sha256" in output
    assert output.endswith("proofs can be made here\n")


def test_doctor_fails_where_a_theorem_rests_on_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pytest_torchlean import checker

    monkeypatch.setattr(
        checker, "axioms_of", lambda theorems, **others: dict.fromkeys(theorems, ("sorryAx", "propext"))
    )
    assert main(["doctor"]) == 1
    assert "BROKEN   theorem PytestTorchLean.sound rests on sorryAx, propext" in capsys.readouterr().out
