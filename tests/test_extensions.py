"""A worked extension end to end, and extensions that lie, crash or collide: each loses, by name."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from extension_support import SPEC, changed, install, share_library, write_fused_model, write_fused_project
from gate_project import write_model

import pytest_torchlean.properties.reaching as reaching
from pytest_torchlean.bounds.processes import executor_of
from pytest_torchlean.checker import BuiltLibrary
from pytest_torchlean.cli import BAD_INPUT, FAILED, PASSED, main
from pytest_torchlean.discovery import load_extensions
from pytest_torchlean.errors import ExtensionError
from pytest_torchlean.extensions.registry import NONE, Origin
from pytest_torchlean.model_store import ModelStore
from pytest_torchlean.properties.searching import Sought
from pytest_torchlean.report.read import parse_record
from pytest_torchlean.results import PropertyResult

Site = Callable[..., Path]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Installs a distribution where this process finds it, and forgets its module afterwards."""

    def put(text: str | None = None, *, module: str = "acme_torchlean", name: str = "acme-torchlean") -> Path:
        folder = install(tmp_path / "site" / name, text, module=module, name=name)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, module, raising=False)
        return folder

    yield put
    for name in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[name]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    write_fused_project(folder)
    monkeypatch.chdir(folder)
    return folder


def check(*arguments: str) -> tuple[int, dict[str, PropertyResult]]:
    """Run the gate here; the exit code and the results by the names of the properties."""
    code = main(["check", "--json", "record.json", *arguments])
    results, _ = parse_record(Path("record.json").read_bytes())
    return code, {result.name: result for result in results}


def verdicts(results: dict[str, PropertyResult]) -> dict[str, str]:
    return {name: result.evidence.verdict.value for name, result in results.items()}


EXPECTED = {"sum-holds": "PROVED", "sum-breaks": "REFUTED", "bounded": "PROVED", "agrees": "AGREED"}


@pytest.mark.usefixtures("library")
def test_worked_example_on_the_command_line(
    site: Site, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site()
    code, results = check("--report", "acme-chat=chat.txt")
    assert code == FAILED
    assert verdicts(results) == EXPECTED
    uses = {
        name: [(use.role, use.origin, use.version) for use in result.evidence.extensions]
        for name, result in results.items()
    }
    operator = ("operator com.microsoft.FusedGemm", "acme-torchlean", "1.2")
    assert uses["bounded"] == uses["agrees"] == [operator]
    assert uses["sum-holds"] == [("property kind acme-sum", "acme-torchlean", "1.2"), operator]
    ledger = " ".join(results["sum-holds"].evidence.trust)
    assert "FusedGemm means is the word of extension acme-torchlean 1.2, a third party" in ledger
    assert "property kind acme-sum of extension acme-torchlean 1.2" in ledger
    assert any("-Y_0 - Y_1 - Y_2 + 5 < 0" in line for line in results["sum-holds"].evidence.details)
    assert Path("chat.txt").read_text().splitlines()[0] == "PROVED torchlean.yaml::fused::sum-holds"
    record = json.loads(Path("record.json").read_text())
    assert record["tool"]["extensions"] == {"acme-torchlean": "1.2"}
    capsys.readouterr()
    assert main(["report", "record.json", "--format", "acme-chat"]) == PASSED
    assert capsys.readouterr().out == Path("chat.txt").read_text()
    witness = str(results["sum-breaks"].witness_file)
    assert main(["replay", witness]) == FAILED
    assert "1 of 1 witnesses still refute" in capsys.readouterr().out
    assert main(["doctor"]) == PASSED
    assert "property kind acme-sum of extension acme-torchlean 1.2" in capsys.readouterr().out


def test_worked_example_through_pytest(
    pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: BuiltLibrary
) -> None:
    share_library(monkeypatch, library)
    monkeypatch.setenv("PYTHONPATH", str(install(tmp_path / "site")), prepend=":")
    write_fused_project(pytester.path)
    pytester.makepyfile(
        test_decorated="""
        import pytest
        from pytest_torchlean import extension_property

        @pytest.mark.certify(
            "models/fused.onnx", extension_property("acme-sum", input=(0, 1), at_most=5)
        )
        def test_sum(verdict):
            assert verdict.certified == 1
        """
    )
    result = pytester.runpytest_subprocess(
        "--strict-markers", "-m", "acme-sum", "--torchlean-json=r.json", "--torchlean-report=acme-chat=c.txt"
    )
    result.assert_outcomes(passed=2, failed=1, deselected=2)
    results, environment = parse_record((pytester.path / "r.json").read_bytes())
    assert environment.extensions == {"acme-torchlean": "1.2"}
    kinds = {result.name: result.evidence.verdict.value for result in results if result.check == "acme-sum"}
    assert kinds == {"sum-holds": "PROVED", "sum-breaks": "REFUTED", "test_sum": "PROVED"}
    assert "PROVED torchlean.yaml::fused::sum-holds" in (pytester.path / "c.txt").read_text()
    off = pytester.runpytest_subprocess("--torchlean-no-extensions", "torchlean.yaml")
    off.assert_outcomes(errors=1)
    off.stdout.fnmatch_lines(["*TL0314*acme-sum*"])


def test_a_conftest_may_extend_and_is_named_by_its_digest(pytester: pytest.Pytester) -> None:
    write_model(pytester.path / "models" / "tiny.onnx")
    (pytester.path / "torchlean.yaml").write_text(
        "version: 1\nmodels: {tiny: {path: models/tiny.onnx}}\n"
        "properties:\n  - {name: a, model: tiny, check: acme-sum, input: {lower: 0, upper: 1}, at_most: 0}\n"
    )
    (pytester.path / "conftest.py").write_text(
        changed("def pytest_torchlean_operators() -> Operator", "def _()")
    )
    result = pytester.runpytest_subprocess("--torchlean-json=r.json")
    result.assert_outcomes(failed=1)
    (found,), environment = parse_record((pytester.path / "r.json").read_bytes())
    assert found.evidence.verdict.value == "REFUTED"
    assert environment.extensions["conftest.py"].startswith("sha256:")


def test_no_extensions_loads_nothing(site: Site, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site("raise SystemExit('this must not be imported')")
    assert main(["check", "--no-extensions"]) == BAD_INPUT
    assert "TL0314" in capsys.readouterr().err


def test_an_extension_in_the_work_tree_is_not_imported_with_base(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a distribution below the root, nor a module below it that a distribution elsewhere names."""
    hostile = "from pathlib import Path\nPath('imported').touch()\n"
    monkeypatch.syspath_prepend(install(project / "vendored", hostile, module="acme_inside"))
    with pytest.raises(ExtensionError, match="lies in the work tree") as caught:
        load_extensions(outside=project)
    assert caught.value.code == "TL1006"
    (project / "vendored" / "acme_torchlean-1.2.dist-info").rename(
        project.parent / "acme_torchlean-1.2.dist-info"
    )
    monkeypatch.syspath_prepend(project.parent)
    with pytest.raises(ExtensionError, match="lies in the work tree"):
        load_extensions(outside=project)
    assert not Path("imported").exists()
    load_extensions()
    assert Path("imported").exists()
    sys.modules.pop("acme_inside")


BROKEN = {
    "does not import": ("import nothing_of_this_name", "TL1001", "does not import: ModuleNotFoundError"),
    "exits": ("raise SystemExit(0)", "TL1001", "does not import: SystemExit"),
    "hook raises": ("def pytest_torchlean_operators(): 1 / 0", "TL1001", "ZeroDivisionError"),
    "hook skips": (
        "import pytest\ndef pytest_torchlean_operators(): pytest.skip('no')",
        "TL1001",
        "raised: Skipped",
    ),
    "something else": ("def pytest_torchlean_operators(): return 7", "TL1004", "gives a int"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_loaded_is_named_and_recorded(case: str, site: Site, project: Path) -> None:
    text, code, words = BROKEN[case]
    site(text)
    exit_code, results = check()
    (result,) = results.values()
    assert exit_code == BAD_INPUT
    assert result.outcome == "failed"
    assert code in result.evidence.problem.message
    assert "acme-torchlean 1.2" in result.evidence.problem.message
    assert words in result.evidence.problem.message
    assert "Traceback" not in result.evidence.problem.message


def returning(hook: str, value: str) -> str:
    """The source of an extension with one hook."""
    return f"from pytest_torchlean.extend import *\ndef pytest_torchlean_{hook}(): return {value}\n"


COLLISIONS = {
    "own operator": returning("operators", 'Operator("", "Relu", (1,), print)'),
    "own operator by ai.onnx": returning("operators", 'Operator("ai.onnx", "Gemm", (1,), print)'),
    "operator that ONNX defines": returning("operators", 'Operator("", "HardSwish", (14,), print)'),
    "own form": returning("reporters", 'Reporter("json", "x", str)'),
    "own kind": returning("property_kinds", 'PropertyKind("range", "x", (), print, print)'),
    "own key": returning(
        "property_kinds",
        'PropertyKind("a-b", "x", (Field("timeout", number(), "x"),), print, print)',
    ),
    "twice": returning("reporters", '[Reporter("a-b", "x", str), Reporter("a-b", "y", str)]'),
}


@pytest.mark.parametrize("case", COLLISIONS)
def test_a_name_that_is_taken_is_an_error(case: str, site: Site) -> None:
    site(COLLISIONS[case])
    with pytest.raises(ExtensionError, match=r"of extension acme-torchlean 1\.2 cannot be added") as caught:
        load_extensions()
    assert caught.value.code == "TL1002"


def test_two_extensions_with_one_name_are_an_error(site: Site) -> None:
    site()
    site(module="acme_other", name="acme-other")
    with pytest.raises(ExtensionError, match=r"extension acme-other \S+ has it too") as caught:
        load_extensions()
    assert caught.value.code == "TL1002"


MALFORMED = {
    "operator without versions": returning("operators", 'Operator("x", "Y", (), print)'),
    "operator with a strange name": returning("operators", 'Operator("x", "a b", (1,), print)'),
    "kind that is a marker": returning("property_kinds", 'PropertyKind("skip", "", (), print, print)'),
    "kind without functions": returning("property_kinds", 'PropertyKind("a-b", "", (), 1, print)'),
    "form in capitals": returning("reporters", 'Reporter("A-b", "", str)'),
    "falsifier without a function": returning("falsifiers", 'Falsifier("a-b", "", None)'),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_has_not_its_form_is_an_error(case: str, site: Site) -> None:
    site(MALFORMED[case])
    with pytest.raises(ExtensionError) as caught:
        load_extensions()
    assert caught.value.code == "TL1004"


KIND_MUTANTS = {
    "no claim": ("return [Claim(lower, upper, [[bounded]])]", "return []", "claims nothing"),
    "no clause": ("[[bounded]]", "[]", "no clause"),
    "empty clause": ("[[bounded]]", "[[]]", "no inequality"),
    "empty box": ("Claim(lower, upper,", "Claim([1, 1], [0, 0],", "its box is empty"),
    "short box": ("Claim(lower, upper,", "Claim(lower[:1], upper[:1],", "the model 2 inputs"),
    "no output": ("dict.fromkeys(range(model.outputs), -1)", "{}", "speaks of no output"),
    "coefficients are zero": ("range(model.outputs), -1)", "range(model.outputs), 0)", "speaks of no output"),
    "output that is not there": ("range(model.outputs), -1)", "range(9), -1)", "there is no output 3"),
    "a float": ("constant=values[", "constant=0.5 + values[", "is float, not int or Fraction"),
    "infinite": ("constant=values[", "constant=float('inf') or values[", "not int or Fraction"),
    "strange strict": ("constant=values[", "strict=1, constant=values[", "neither True nor False"),
    "raises": ('box = values["input"]', "raise RuntimeError('kind \\x1b[31m')", "raised RuntimeError"),
    "exits": ('box = values["input"]', "raise SystemExit(0)", "raised SystemExit"),
    "skips": ('box = values["input"]', "import pytest; pytest.skip('kind')", "raised Skipped"),
    "no words": (
        "return f\"the outputs sum to at most {values['at_most']} for every input of the box\"",
        'return ""',
        "gave no words",
    ),
}


@pytest.mark.parametrize("case", KIND_MUTANTS)
def test_a_wrong_kind_is_an_error_by_name(case: str, site: Site, project: Path) -> None:
    old, new, words = KIND_MUTANTS[case]
    site(changed(old, new))
    code, results = check("torchlean.yaml::fused::sum-holds")
    evidence = results["sum-holds"].evidence
    assert code == FAILED
    assert evidence.verdict.value == "ERROR"
    assert evidence.problem.code in ("TL1003", "TL1004")
    assert "property kind acme-sum of extension acme-torchlean 1.2" in evidence.problem.message
    assert words in evidence.problem.message


OPERATOR_MUTANTS = {
    "wrong shape": ("y = {activation} (h)", "y = Transpose <perm = [1, 0]> (h)", "TL1004", "the shape"),
    "wrong values": ("y = {activation} (h)", "y = Identity (h)", "TL061", "onnxruntime"),
    "no function": ("y = {activation} (h)", "y = = (h)", "TL1004", "no ONNX function"),
    "other operators": (
        "y = {activation} (h)",
        "y = com.acme.Relu (h)",
        "TL1004",
        "it may only use ONNX's own",
    ),
    "no outputs": ("=> (y) {{", "=> () {{", "TL1004", "0 outputs"),
    "raises": ('keys = ("alpha"', 'raise KeyError("defect"); keys = ("alpha"', "TL1003", "raised KeyError"),
}


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("case", OPERATOR_MUTANTS)
def test_a_wrong_operator_is_an_error_by_name(case: str, site: Site, project: Path) -> None:
    old, new, code, words = OPERATOR_MUTANTS[case]
    site(changed(old, new))
    exit_code, results = check("torchlean.yaml::fused::sum-holds")
    evidence = results["sum-holds"].evidence
    assert exit_code == FAILED
    assert evidence.verdict.value == "ERROR"
    assert evidence.problem.code.startswith(code)
    assert words in evidence.problem.message
    if code.startswith("TL10"):
        assert "operator com.microsoft.FusedGemm of extension acme-torchlean 1.2" in evidence.problem.message


def test_a_wrong_operator_is_divergent(site: Site, project: Path) -> None:
    site(changed("y = {activation} (h)", "y = Neg (h)"))
    _, results = check("torchlean.yaml::fused::agrees")
    assert results["agrees"].evidence.verdict.value == "DIVERGENT"
    assert results["agrees"].evidence.extensions


def test_an_operator_that_the_model_defines_too_is_refused(site: Site, project: Path) -> None:
    import onnx

    path = project / "models" / "fused.onnx"
    proto = onnx.load(path)
    function = onnx.parser.parse_function(
        '<domain: "com.microsoft", opset_import: ["": 17]> FusedGemm (a, b, c) => (y) { y = Gemm (a, b, c) }'
    )
    proto.functions.append(function)
    onnx.save(proto, path)
    site()
    _, results = check("torchlean.yaml::fused::bounded")
    assert results["bounded"].evidence.verdict.value in ("UNSUPPORTED", "ERROR")


FALSIFIER_MUTANTS = {
    "outside": ("yield search.upper\n", "yield search.upper + 1\n", "outside of the region"),
    "not a number": ("yield search.upper\n", "yield search.upper * float('nan')\n", "not a finite binary32"),
    "not exact": ("yield search.upper\n", "yield [0.1, 0.1]\n", "not a finite binary32"),
    "wrong size": ("yield search.upper\n", "yield [0.5]\n", "not 2 numbers"),
    "text": ("yield search.upper\n", "yield 'all of it'\n", "not 2 numbers"),
    "writes to the region": ("yield search.upper\n", "search.upper[:] = 9\n", "read-only"),
    "raises": ("yield search.upper\n", "raise OSError('defect')\n", "raised OSError"),
}


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own search finds nothing."""
    monkeypatch.setattr(reaching, "_search", lambda *arguments: Sought())


@pytest.mark.usefixtures("library", "blind")
@pytest.mark.parametrize("case", FALSIFIER_MUTANTS)
def test_a_wrong_falsifier_is_an_error_by_name(case: str, site: Site, project: Path) -> None:
    old, new, words = FALSIFIER_MUTANTS[case]
    site(changed(old, new))
    _, results = check("torchlean.yaml::fused::sum-breaks")
    evidence = results["sum-breaks"].evidence
    assert evidence.verdict.value == "ERROR"
    assert evidence.problem.code in ("TL1003", "TL1004")
    assert "falsifier acme-corners of extension acme-torchlean 1.2" in evidence.problem.message
    assert words in evidence.problem.message


@pytest.mark.usefixtures("library", "blind")
def test_a_candidate_refutes_only_after_it_was_run_again(site: Site, project: Path) -> None:
    site()
    _, results = check("torchlean.yaml::fused::sum-breaks")
    evidence = results["sum-breaks"].evidence
    assert evidence.verdict.value == "REFUTED"
    assert "falsifier acme-corners" in [use.role for use in evidence.extensions]
    assert len(evidence.witnesses) == 1


@pytest.mark.usefixtures("library", "blind")
def test_a_lying_falsifier_refutes_nothing(site: Site, project: Path) -> None:
    """It gives a point of the region at which the claim holds."""
    text = changed("    yield search.upper\n", "    yield [0.0, 0.5]\n    return\n")
    site(text)
    _, results = check("torchlean.yaml::fused::sum-breaks")
    assert results["sum-breaks"].evidence.verdict.value == "UNKNOWN"
    assert not results["sum-breaks"].evidence.witnesses


REPORTER_MUTANTS = {
    "raises": ('return "".join(', '1 / 0; return "".join(', "raised ZeroDivisionError", "TL1003"),
    "not text": ('return "".join(', 'return 7 or "".join(', "gave a int, not text", "TL1004"),
    "changes the record": (
        'return "".join(',
        'record["results"][0]["verdict"] = "PROVED"; return "".join(',
        "changed the record",
        "TL1004",
    ),
    "not a function of the record": (
        'return "".join(',
        'import time; return str(time.perf_counter_ns()) or "".join(',
        "two different texts",
        "TL1004",
    ),
}


@pytest.mark.parametrize("case", REPORTER_MUTANTS)
def test_a_wrong_reporter_is_an_error_and_no_verdict_changes(
    case: str, site: Site, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, words, code = REPORTER_MUTANTS[case]
    site(changed(old, new))
    selected = "torchlean.yaml::fused::sum-breaks"
    exit_code = main(["check", selected, "--json", "record.json", "--report", "acme-chat=chat.txt"])
    printed = capsys.readouterr().err
    assert exit_code == BAD_INPUT
    assert f"{code}: the report form acme-chat of extension acme-torchlean 1.2" in printed
    assert words in printed
    assert not Path("chat.txt").exists()
    results, _ = parse_record(Path("record.json").read_bytes())
    assert [result.evidence.verdict.value for result in results if result.name == "sum-breaks"] == ["REFUTED"]


def test_a_lying_reporter_changes_neither_record_nor_exit_code(site: Site, project: Path) -> None:
    site(changed("{result['verdict']}", "PROVED"))
    code, results = check("torchlean.yaml::fused::sum-breaks", "--report", "acme-chat=chat.txt")
    assert code == FAILED
    assert results["sum-breaks"].evidence.verdict.value == "REFUTED"
    assert "PROVED torchlean.yaml::fused::sum-breaks" in Path("chat.txt").read_text()


def test_an_unknown_form_is_an_error(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(project / "models" / "fused.onnx")
    (project / "torchlean.yaml").write_text(
        SPEC.split("  - {name: sum")[0] + SPEC[SPEC.index("  - {name: agrees") :]
    )
    for argument, code in (("nothing-here=f", "TL1005"), ("nothing-here", "TL0802"), ("=f", "TL0802")):
        assert main(["check", "--report", argument]) == BAD_INPUT
        assert code in capsys.readouterr().err


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ('"acme-nothing"', "TL0314"),
        ('"acme-sum", input=(0, 1), at_most=5, sum=1', "TL0304"),
        ('"acme-sum", input=(0, 1)', "TL0306"),
        ('"acme-sum", input=(0, 1), at_most=object()', "TL0307"),
        ('"acme-sum", input=(1, 0), at_most=5', "TL0317"),
    ],
)
def test_a_wrong_decorator_is_an_error(
    keys: str, code: str, pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(install(tmp_path / "site"))
    write_fused_model(pytester.path / "models" / "fused.onnx")
    pytester.makepyfile(
        f"""
        import pytest
        from pytest_torchlean import extension_property

        @pytest.mark.certify("models/fused.onnx", extension_property({keys}))
        def test_it(): pass
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*{code}*"])
    sys.modules.pop("acme_torchlean", None)


def test_nothing_installed_is_nothing() -> None:
    assert load_extensions() is NONE
    assert load_extensions([(object(), Origin("empty", "1"))]).origins == {}


def test_numbers_of_claims_stay_exact(site: Site, project: Path) -> None:
    """A third is not rounded to a double on its way into the inequality."""
    site(changed("constant=values[", "constant=__import__('fractions').Fraction(1, 3) + 0 * values["))
    _, results = check("torchlean.yaml::fused::sum-breaks")
    text = " ".join(results["sum-breaks"].evidence.details)
    assert "0.333333333" in text
    stored: Any = json.loads(Path(str(results["sum-breaks"].witness_file)).read_text())
    assert stored["prop"]["cases"][0]["atoms"][0]["constant"] == str(Fraction(1, 3))


EXECUTOR = """from concurrent.futures import ThreadPoolExecutor


def pytest_torchlean_executor():
    return ThreadPoolExecutor(2)
"""


def test_an_executor_is_taken_and_comes_before_the_option(site: Site) -> None:
    site(EXECUTOR)
    found = load_extensions()
    assert found.executor is not None
    assert ModelStore(Path(), found).executor is found.executor.it
    with ThreadPoolExecutor(1) as other:
        assert ModelStore(Path(), found, executor=other).executor is found.executor.it
        assert ModelStore(Path(), executor=other).executor is other
    assert ModelStore(Path()).executor is None
    assert not found.origins


def test_two_executors_are_an_error(site: Site) -> None:
    site(EXECUTOR)
    site(EXECUTOR, module="acme_other", name="acme-other")
    with pytest.raises(ExtensionError, match="has one too") as caught:
        load_extensions()
    assert caught.value.code == "TL1002"


def test_what_is_no_executor_is_an_error(site: Site) -> None:
    site("def pytest_torchlean_executor():\n    return print\n")
    with pytest.raises(ExtensionError, match="or executor") as caught:
        load_extensions()
    assert caught.value.code == "TL1004"


def test_processes_are_started_for_two_and_more() -> None:
    assert executor_of(0) is None
    assert executor_of(1) is None
    executor = executor_of(2)
    assert executor is not None
    with executor:
        assert executor.submit(abs, -3).result() == 3
