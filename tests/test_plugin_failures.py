"""What a failing property shows: claim, finding, reproduction, next step; never a traceback."""

from __future__ import annotations

import pytest
from gate_project import write_project


def test_refuted_property_shows_its_witness(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["refuted-a"], fake=True)
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "REFUTED  torchlean.yaml::tiny::refuted-a",
            "*claimed:*the claim",
            "*found:*found refuted",
            "*witness:*output 0 is above 40",
            "*reproduce:*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_crash_in_a_property_is_an_error_and_the_others_are_kept(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agreed-a", "crash-b", "agreed-c"], fake=True)
    result = pytester.runpytest()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*TL0901*RuntimeError: a defect*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert "\x1b[31m in" not in result.stdout.str()


def test_debug_option_shows_the_traceback(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["crash-b"], fake=True)
    pytester.runpytest("--torchlean-debug").stdout.fnmatch_lines(["*Traceback*", "*RuntimeError*"])


@pytest.mark.parametrize(
    ("text", "code", "excerpt"),
    [
        ("", "TL0315", ""),
        ("version: 1\nmodels:\n  tiny: {path: models/tiny.onnx}\nproperties: [\n", "TL0302", ""),
        (
            "version: 1\nmodels:\n  tiny: {path: models/tiny.onnx}\nproperties:\n"
            "  - {name: a, model: tiny, check: runtime, sampels: 4}\n",
            "torchlean.yaml:5:44: TL0304",
            "*^^^^^^^",
        ),
    ],
)
def test_spec_error_is_a_collection_error_with_its_place(
    pytester: pytest.Pytester, text: str, code: str, excerpt: str
) -> None:
    write_project(pytester.path, ["agrees"])
    (pytester.path / "torchlean.yaml").write_text(text)
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{code}*", *([excerpt] if excerpt else []), "*fix:*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_spec_error_is_in_the_record(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agrees"])
    (pytester.path / "torchlean.yaml").write_text("version: 2\n")
    pytester.runpytest("--torchlean-json=record.json")
    text = (pytester.path / "record.json").read_text()
    assert '"TL0904"' in text
    assert '"outcome": "failed"' in text
