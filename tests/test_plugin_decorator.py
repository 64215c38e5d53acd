"""`@pytest.mark.certify` and the `verdict` fixture."""

from __future__ import annotations

import pytest
from gate_project import write_model, write_project
from test_plugin_record import read

HEADER = """
import pytest
from pytest_torchlean import output_range, robustness, runtime_agreement
"""


def write_test(pytester: pytest.Pytester, body: str) -> None:
    write_project(pytester.path, [], fake=True)
    (pytester.path / "torchlean.yaml").unlink()
    (pytester.path / "test_models.py").write_text(HEADER + body)


def test_fixture_holds_the_evidence(pytester: pytest.Pytester) -> None:
    write_test(
        pytester,
        """
@pytest.mark.certify("models/tiny.onnx", runtime_agreement(samples=4))
def test_agreed(verdict):
    assert verdict.verdict.passes
    assert verdict.found == "found agreed"
""",
    )
    marks = "certify and torchlean and runtime"
    result = pytester.runpytest("--strict-markers", "--torchlean-json=record.json", "-m", marks)
    result.assert_outcomes(passed=1)
    recorded = read(pytester.path / "record.json")["test_agreed"]
    assert recorded.id == "test_models.py::test_agreed"
    assert recorded.spec_file == "test_models.py"
    assert recorded.model_path == "models/tiny.onnx"


@pytest.mark.parametrize("argument", ["", "verdict"])
def test_property_decides_even_if_the_body_does_not_look(pytester: pytest.Pytester, argument: str) -> None:
    write_test(
        pytester,
        f"""
@pytest.mark.certify("models/tiny.onnx", runtime_agreement())
def test_refuted({argument}):
    pass
""",
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["REFUTED*", "*claimed:*"])


def test_skipping_in_the_body_does_not_hide_a_refuted_property(pytester: pytest.Pytester) -> None:
    write_test(
        pytester,
        """
@pytest.mark.certify("models/tiny.onnx", runtime_agreement())
def test_refuted():
    pytest.skip("not today")

@pytest.mark.certify("models/tiny.onnx", runtime_agreement())
def test_agreed():
    pytest.skip("not today")
""",
    )
    pytester.runpytest().assert_outcomes(failed=1, skipped=1)


def test_a_mark_from_a_fixture_decides_too(pytester: pytest.Pytester) -> None:
    write_test(
        pytester,
        """
@pytest.fixture
def late(request):
    request.applymarker(pytest.mark.certify("models/tiny.onnx", runtime_agreement()))

def test_refuted(late): pass
""",
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["REFUTED*"])


def test_body_that_fails_keeps_its_own_failure_and_adds_the_finding(pytester: pytest.Pytester) -> None:
    write_test(
        pytester,
        """
@pytest.mark.certify("models/tiny.onnx", runtime_agreement())
def test_refuted(verdict):
    assert verdict.certified >= 1
""",
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*assert 0 >= 1*", "*Captured torchlean*", "REFUTED*"])


def test_unknown_with_warn_passes_with_a_warning(pytester: pytest.Pytester) -> None:
    write_test(
        pytester,
        """
@pytest.mark.certify("models/tiny.onnx", runtime_agreement(on_unknown="warn"))
def test_unknown(): pass
""",
    )
    pytester.runpytest().assert_outcomes(passed=1, warnings=1)


@pytest.mark.parametrize(
    ("mark", "code"),
    [
        ('pytest.mark.certify("models/tiny.onnx")', "TL0306"),
        ('pytest.mark.certify("models/tiny.onnx", 3)', "TL0307"),
        ("pytest.mark.certify(3, runtime_agreement())", "TL0307"),
        ('pytest.mark.certify("../tiny.onnx", runtime_agreement())', "TL0313"),
        ('pytest.mark.certify("models/other.onnx", runtime_agreement())', "TL0101"),
    ],
)
def test_wrong_mark_fails_with_a_code(pytester: pytest.Pytester, mark: str, code: str) -> None:
    write_test(pytester, f"@{mark}\ndef test_agreed(): pass\n")
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["ERROR*", f"*problem:*{code}*"])


def test_two_marks_on_one_test_are_refused(pytester: pytest.Pytester) -> None:
    mark = '@pytest.mark.certify("models/tiny.onnx", runtime_agreement())\n'
    write_test(pytester, mark + mark + "def test_agreed(): pass\n")
    pytester.runpytest().stdout.fnmatch_lines(["*2 certify marks on one test*"])


def test_fixture_without_mark_says_what_to_write(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(verdict): pass")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*needs @pytest.mark.certify*"])


def test_parametrised_tests_each_have_their_own_property(pytester: pytest.Pytester) -> None:
    write_test(
        pytester,
        """
models = ["tiny", "big"]

@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.certify(f"models/{name}.onnx", runtime_agreement()))
    for name in models
])
def test_agreed(name, verdict):
    assert verdict.verdict.passes
""",
    )
    write_model(pytester.path / "models" / "big.onnx", scale=100.0)
    pytester.runpytest("--torchlean-json=record.json").assert_outcomes(passed=2)
    results = read(pytester.path / "record.json")
    assert {result.model_path for result in results.values()} == {"models/tiny.onnx", "models/big.onnx"}


def test_a_mark_may_name_the_preprocessing(pytester: pytest.Pytester) -> None:
    write_test(
        pytester,
        """
@pytest.mark.certify("models/tiny.onnx", runtime_agreement(samples=4), preprocess=[{"divide": "255"}])
def test_agreed(verdict):
    assert verdict.claim == "the claim; inputs are raw, as they enter the preprocessing"

@pytest.mark.certify("models/tiny.onnx", runtime_agreement(samples=4), preprocess=[{"divide": 0}])
def test_agreed_never():
    pass
""",
    )
    result = pytester.runpytest("--torchlean-json=record.json")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*TL0309*"])
    assert read(pytester.path / "record.json")["test_agreed"].preprocess == ("divide by 255",)
