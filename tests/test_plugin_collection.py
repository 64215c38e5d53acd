"""torchlean.yaml becomes one item per property, selected and reported like any test."""

from __future__ import annotations

import pytest
from gate_project import write_model, write_project, write_spec


def test_ids_are_file_model_property(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["robust-8of255", "runtime.agrees_2"])
    result = pytester.runpytest("--co", "-q")
    assert [line for line in result.outlines if "::" in line] == [
        "torchlean.yaml::tiny::robust-8of255",
        "torchlean.yaml::tiny::runtime.agrees_2",
    ]


def test_real_runtime_property_passes(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agrees"])
    result = pytester.runpytest("-v", "--strict-markers")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["torchlean.yaml::tiny::agrees PASSED*", "AGREED *torchlean.yaml::tiny::agrees*"]
    )


def test_one_property_by_its_id(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agreed-a", "agreed-b"], fake=True)
    result = pytester.runpytest("torchlean.yaml::tiny::agreed-b", "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*::agreed-b PASSED*"])


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        (["-k", "agreed-a"], 1),
        (["-k", "tiny"], 2),
        (["-m", "runtime"], 2),
        (["-m", "torchlean"], 2),
        (["-m", "robustness"], 0),
    ],
)
def test_selection(pytester: pytest.Pytester, arguments: list[str], passed: int) -> None:
    write_project(pytester.path, ["agreed-a", "agreed-b"], fake=True)
    result = pytester.runpytest("--strict-markers", *arguments)
    result.assert_outcomes(passed=passed, deselected=2 - passed)


def test_last_failed_and_stop_at_first(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agreed-a", "refuted-b", "agreed-c"], fake=True)
    pytester.runpytest("-x").assert_outcomes(passed=1, failed=1)
    again = pytester.runpytest("--lf", "-v")
    again.assert_outcomes(failed=1, deselected=2)
    first = pytester.runpytest("--ff", "-v")
    order = [line for line in first.outlines if line.startswith("torchlean.yaml::")]
    assert "refuted-b" in order[0]


def test_bare_run_includes_the_root_spec_beside_testpaths(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agreed-a"], fake=True)
    pytester.makeini("[pytest]\ntestpaths = tests\n")
    (pytester.mkdir("tests") / "test_plain.py").write_text("def test_plain(): pass\n")
    pytester.runpytest().assert_outcomes(passed=2)
    pytester.runpytest("tests").assert_outcomes(passed=1)


def test_plugin_can_be_switched_off(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agreed-a"])
    result = pytester.runpytest("-p", "no:torchlean")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_header_names_version_and_lean(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(): pass")
    pytester.runpytest().stdout.re_match_lines([r"torchlean: \d+\.\d+\.\d+, (Lean|no Lean)"])


def test_unknown_warns_only_where_the_spec_says_so(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["unknown-a", "refuted-b"], fake=True, extra=", on_unknown: warn")
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=1, warnings=1)
    result.stdout.fnmatch_lines(["*TorchleanWarning*unknown-a: found unknown"])
    write_spec(pytester.path, ["unknown-a"])
    pytester.runpytest().assert_outcomes(failed=1)


def test_missing_model_is_told_without_a_traceback(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agrees"])
    (pytester.path / "models" / "tiny.onnx").unlink()
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["ERROR*agrees", "*problem:*TL0101*", "*fix:*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*.py:*: *")


def test_model_is_read_once_for_all_properties(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["a", "b"])
    pytester.makeconftest(
        """
        import pytest_torchlean.onnx_import as reader
        calls = []
        original = reader.load_model

        def load_model(path, *, root=None):
            calls.append(path)
            return original(path, root=root)

        def pytest_configure(config):
            reader.load_model = load_model
            config.add_cleanup(lambda: setattr(reader, "load_model", original))

        def pytest_sessionfinish():
            print(f"{len(calls)} reads")
        """
    )
    result = pytester.runpytest("-s")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*1 reads*"])


def test_two_specs_in_one_repository(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agreed-a"], fake=True)
    other = pytester.mkdir("other")
    write_model(other / "models" / "tiny.onnx")
    write_spec(other, ["agreed-b"])
    result = pytester.runpytest("--co", "-q")
    assert [line for line in result.outlines if "::" in line] == [
        "other/torchlean.yaml::tiny::agreed-b",
        "torchlean.yaml::tiny::agreed-a",
    ] or len([line for line in result.outlines if "::" in line]) == 2
