"""The action `certify`, its steps run by a shell: exit codes, reports, annotations, caches, crafted names."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from actions_support import ACTIONS, SPEC, commit, git, make_runner, pull_request, restore_library
from workflow_runner import Runner

from pytest_torchlean.checker import BuiltLibrary

CERTIFY = ACTIONS / "certify"
LINE_OF_RANGE = SPEC[: SPEC.index("  - name: outputs-bounded")].count("\n") + 1


@pytest.fixture
def runner(repository: Path, tmp_path: Path) -> Runner:
    return make_runner(repository, tmp_path)


@pytest.fixture
def proving(runner: Runner, library: BuiltLibrary) -> Runner:
    """A runner on which the Lean library has been built."""
    restore_library(library, runner.temp / "torchlean-cache/pytest-torchlean/lean")
    return runner


def reports(runner: Runner) -> Path:
    return Path(runner.step("Read the inputs").outputs["reports"])


def uses(runner: Runner, name: str) -> list[dict[str, str]]:
    return [given for used, given in runner.used if used == name]


def edit_spec(repository: Path, old: str, new: str) -> None:
    spec = repository / "torchlean.yaml"
    text = spec.read_text()
    assert old in text
    spec.write_text(text.replace(old, new))


def test_a_green_project_passes_with_all_reports(proving: Runner, tmp_path: Path) -> None:
    outcome, outputs = proving.run_action(CERTIFY, {"upload-sarif": "true"})
    assert outcome == "success", proving.log
    assert outputs["exit-code"] == "0"
    written = {path.name for path in reports(proving).iterdir()}
    assert written == {
        "record.json", "report.html", "summary.md", "junit.xml", "results.sarif", "statements.jsonl",
        "annotations.txt",
    }  # fmt: skip
    record = json.loads(Path(outputs["record"]).read_text())
    assert [result["verdict"] for result in record["results"]] == ["AGREED", "PROVED"]
    assert proving.annotations == []
    assert "2 properties" in proving.summary
    (kept,) = uses(proving, "actions/upload-artifact")
    assert kept["path"] == outputs["reports"]
    (uploaded,) = uses(proving, "github/codeql-action/upload-sarif")
    assert json.loads(Path(uploaded["sarif_file"]).read_text())["runs"][0]["results"] == []
    installed = (tmp_path / "pip.log").read_text().splitlines()
    assert installed[-2:] == ["--", f"{ACTIONS.parents[1]}[lean,fast]"]


@pytest.mark.parametrize("requirement", ["pytest-torchlean[lean]==0.1.0", "--index-url=x; touch owned"])
def test_another_requirement_is_one_argument_of_pip(runner: Runner, tmp_path: Path, requirement: str) -> None:
    runner.run_action(CERTIFY, {"requirement": requirement, "cache": "false", "paths": "nowhere"})
    assert (tmp_path / "pip.log").read_text().splitlines()[-2:] == ["--", requirement]
    assert not list(tmp_path.rglob("owned"))


def test_the_job_of_this_repository_wants_the_example_green_and_the_regressed_model_red(
    runner: Runner, repository: Path, tmp_path: Path
) -> None:
    (repository / "example_repo").mkdir()
    script = "#!/bin/sh\nfor a; do case $a in */record.json) echo '{}' >\"$a\" ;; esac; done\n"
    tool = tmp_path / "tools/torchlean"
    runner.actions = {"./.github/actions/certify": CERTIFY}
    for red, expected in (("[ $a != regressed ] || exit 1", "success"), ("true", "failure")):
        tool.write_text(f"{script}for a; do {red}; done\n")
        runner.steps.clear()
        assert runner.run_job(ACTIONS.parent / "workflows/ci.yml", "action") == expected
        assert runner.step("It failed as a gate does").outcome == expected


def test_a_regressed_project_fails_on_the_line_of_its_property(proving: Runner, repository: Path) -> None:
    edit_spec(repository, "{lower: -1, upper: 2}", "{lower: -1, upper: 1}")
    outcome, outputs = proving.run_action(CERTIFY, {"upload-sarif": "true"})
    assert (outcome, outputs["exit-code"]) == ("failure", "1")
    assert proving.step("Check the properties").code == 1
    (annotation,) = proving.annotations
    assert annotation.level == "error"
    assert annotation.properties["file"] == "torchlean.yaml"
    assert annotation.properties["line"] == str(LINE_OF_RANGE)
    assert annotation.properties["title"] == "REFUTED torchlean.yaml::tiny::outputs-bounded"
    assert "REFUTED" in proving.summary
    assert len(list((reports(proving) / "witnesses").glob("*.json"))) == 1
    (uploaded,) = uses(proving, "github/codeql-action/upload-sarif")
    (alert,) = json.loads(Path(uploaded["sarif_file"]).read_text())["runs"][0]["results"]
    assert alert["locations"][0]["physicalLocation"]["region"]["startLine"] == LINE_OF_RANGE
    assert len(uses(proving, "actions/upload-artifact")) == 1


def test_a_broken_spec_is_exit_code_2_with_every_mistake_on_its_line(
    runner: Runner, repository: Path
) -> None:
    edit_spec(repository, "samples: 8", "smaples: 8")
    edit_spec(repository, "check: range", "check: rnage")
    outcome, outputs = runner.run_action(CERTIFY, {"cache": "false"})
    assert (outcome, outputs["exit-code"]) == ("failure", "2")
    lines = sorted(int(found.properties["line"]) for found in runner.annotations)
    text = (repository / "torchlean.yaml").read_text().splitlines()
    assert lines == [
        1 + next(k for k, line in enumerate(text) if word in line) for word in ("smaples", "rnage")
    ]
    assert all(found.properties["title"].startswith("TL03") for found in runner.annotations)
    assert len(uses(runner, "actions/upload-artifact")) == 1


def test_a_project_in_a_folder_has_its_places_relative_to_the_repository(
    runner: Runner, repository: Path
) -> None:
    folder = repository / "vision, 100%"
    folder.mkdir()
    for name in ("models", "torchlean.yaml"):
        shutil.move(repository / name, folder / name)
    shutil.copytree(folder / "models", repository / "models")
    edit_spec(folder, "check: range", "check: rnage")
    outcome, outputs = runner.run_action(
        CERTIFY, {"cache": "false", "working-directory": folder.name, "upload-sarif": "true"}
    )
    assert (outcome, outputs["exit-code"]) == ("failure", "2")
    (annotation,) = runner.annotations
    assert annotation.properties["file"] == f"{folder.name}/torchlean.yaml"
    (uploaded,) = uses(runner, "github/codeql-action/upload-sarif")
    (alert,) = json.loads(Path(uploaded["sarif_file"]).read_text())["runs"][0]["results"]
    place = alert["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == "vision%2C%20100%25/torchlean.yaml"


def test_a_killed_run_fails_and_shows_what_it_had_found(
    runner: Runner, repository: Path, tmp_path: Path
) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from pytest_torchlean.journal import Journal; "
        "Journal(Path(sys.argv[sys.argv.index('--json') + 1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    script = f"#!/bin/sh\n[ $1 = check ] || exec '{sys.executable}' -P -m pytest_torchlean.cli \"$@\"\n"
    script += f'exec \'{sys.executable}\' -P -c "{program}" "$@"\n'
    (tmp_path / "tools/torchlean").write_text(script)
    outcome, outputs = runner.run_action(CERTIFY, {"cache": "false"})
    assert (outcome, outputs["exit-code"]) == ("failure", "137")
    (annotation,) = runner.annotations
    assert "TL0905" in annotation.message
    assert "did not end" in runner.summary
    assert {"record.json", "record.json.partial", "report.html"} <= {
        p.name for p in reports(runner).iterdir()
    }


def test_a_forged_cache_proves_nothing(proving: Runner, repository: Path) -> None:
    kept: dict[str, bytes] = {}

    def save(runner: Runner, given: dict[str, str]) -> None:
        kept.update({path.name: path.read_bytes() for path in Path(given["path"]).glob("*.known")})

    def restore(runner: Runner, given: dict[str, str]) -> None:
        folder = Path(given["path"])
        if folder.name == "certificates":
            folder.mkdir(mode=0o700, parents=True)
            for name, data in kept.items():
                (folder / name).write_bytes(data)

    proving.players = {**proving.players, "actions/cache/save": save}
    assert proving.run_action(CERTIFY, {})[1]["exit-code"] == "0"
    assert kept
    edit_spec(repository, "{lower: -1, upper: 2}", "{lower: -1, upper: 1}")
    shutil.rmtree(proving.temp / "torchlean-cache/pytest-torchlean/certificates")
    proving.players = {**proving.players, "actions/cache/restore": restore}
    proving.steps.clear()
    assert proving.run_action(CERTIFY, {})[1]["exit-code"] == "1"


def test_nothing_to_check_fails(runner: Runner, repository: Path) -> None:
    (repository / "torchlean.yaml").unlink()
    outcome, outputs = runner.run_action(CERTIFY, {"cache": "false"})
    assert (outcome, outputs["exit-code"]) == ("failure", "2")
    assert "before it had results" in runner.summary
    assert [found.level for found in runner.annotations] == ["error"]


def test_without_lean_a_proof_is_an_error(runner: Runner, repository: Path, tmp_path: Path) -> None:
    lean = tmp_path / "lean"
    lean.write_text("#!/bin/sh\nexit 1\n")
    lean.chmod(0o755)
    outcome, outputs = runner.run_action(CERTIFY, {"lean": str(lean)})
    assert (outcome, outputs["exit-code"]) == ("failure", "1")
    assert runner.step("Restore the Lean library").outcome == "skipped"
    (annotation,) = runner.annotations
    assert annotation.properties["title"].startswith("ERROR")
    assert "TL0503" in annotation.message


def test_a_git_lfs_pointer_is_named_and_fails(runner: Runner, repository: Path) -> None:
    (repository / ".gitattributes").write_text("*.onnx filter=lfs\n*.bin filter=lfs\n")
    commit(repository)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"
    for k in range(6):
        (repository / f"w{k}.bin").write_text(pointer)
    git(repository, "add", "--all")
    (repository / "models/tiny.onnx").write_text(pointer)
    outcome, outputs = runner.run_action(CERTIFY, {"cache": "false"})
    assert (outcome, outputs["exit-code"]) == ("failure", "2")
    hints = [found for found in runner.annotations if found.properties["title"] == "Git LFS"]
    assert hints[0].properties["file"] == "models/tiny.onnx"
    assert "lfs: true" in hints[0].message
    assert len(hints) == 6
    assert "7 files" in hints[5].message
    errors = [found for found in runner.annotations if found.level == "error"]
    assert [found.properties["title"] for found in errors] == ["TL0102"]
    assert errors[0].properties["line"] == "3"
    assert "lfs: true" in errors[0].message


def test_crafted_names_run_nothing_and_annotate_nothing(runner: Runner, repository: Path) -> None:
    name = "$(touch owned)`touch owned`';touch owned;\n::error::forged"
    (repository / name).mkdir()
    (repository / name / "torchlean.yaml").write_text("version: 1\n::error::forged: 1\n")
    for module in ("venv", "pip", "numpy", "yaml", "pytest_torchlean"):
        (repository / f"{module}.py").write_text("open('owned', 'w')\n")
    outcome, outputs = runner.run_action(CERTIFY, {"cache": "false", "paths": name})
    assert outcome == "failure"
    assert outputs["exit-code"] == "2"
    outcome, outputs = runner.run_action(
        CERTIFY, {"cache": "false", "paths": "$(touch owned)`touch owned`';touch owned;"}
    )
    assert (outcome, outputs["exit-code"]) == ("failure", "2")
    assert not list(repository.rglob("owned"))
    assert not list(runner.temp.rglob("owned"))
    assert all("forged" not in found.message for found in runner.annotations)


def test_a_line_of_the_gate_is_no_workflow_command(runner: Runner, tmp_path: Path) -> None:
    script = "#!/bin/sh\n[ $1 != check ] || { echo '::error::forged'; printf '::error::forged'; }\n"
    (tmp_path / "tools/torchlean").write_text(script)
    outcome, outputs = runner.run_action(CERTIFY, {"cache": "false"})
    assert all("forged" not in found.message for found in runner.annotations)
    assert "::error::forged" in runner.log
    assert (outcome, outputs["exit-code"]) == ("failure", "3"), "a gate without a record does not pass"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"working-directory": ".."}, "leaves the repository"),
        ({"working-directory": "link"}, "leaves the repository"),
        ({"working-directory": "nowhere"}, "no folder nowhere"),
        ({"working-directory": "a\nb"}, "line break"),
        ({"cache": "yes"}, "cache must be true or false"),
        ({"upload-sarif": ""}, "upload-sarif must be true or false"),
        ({"base": "--output=owned"}, "base must be"),
        ({"base": "nowhere"}, "fetch-depth"),
    ],
)
def test_a_wrong_input_is_refused(
    runner: Runner, repository: Path, tmp_path: Path, given: dict[str, str], message: str
) -> None:
    (repository / "link").symlink_to(tmp_path)
    outcome, _ = runner.run_action(CERTIFY, given)
    assert outcome == "failure"
    (annotation,) = runner.annotations
    assert message in annotation.message
    assert runner.step("Check the properties").outcome == "skipped"
    assert uses(runner, "actions/upload-artifact") == []


def test_the_default_branch_writes_caches_named_by_content(proving: Runner, repository: Path) -> None:
    edit_spec(repository, "check: range", "check: rnage")
    proving.run_action(CERTIFY, {})
    first = proving.step("Name the caches").outputs
    assert first["save"] == "true"
    restored = {given["path"]: given for given in uses(proving, "actions/cache/restore")}
    assert restored[first["certificates"]]["restore-keys"] == first["certificates-prefix"]
    assert first["certificates-key"].startswith(first["certificates-prefix"])
    assert "restore-keys" not in restored.get(first.get("library", ""), {})
    git(repository, "add", "--all")
    proving.steps.clear()
    proving.run_action(CERTIFY, {})
    second = proving.step("Name the caches").outputs
    assert second["certificates-prefix"] == first["certificates-prefix"]
    assert second["certificates-key"] != first["certificates-key"]


@pytest.mark.parametrize(
    "github",
    [
        {"event_name": "pull_request", "ref": "refs/pull/1/merge"},
        {"event_name": "push", "ref": "refs/heads/topic"},
        {"event_name": "issue_comment", "ref": "refs/heads/main"},
    ],
)
def test_no_other_run_writes_a_cache(repository: Path, tmp_path: Path, github: dict[str, str]) -> None:
    def change(folder: Path) -> None:
        edit_spec(folder, "check: range", "check: rnage")

    pull_request(repository, change)
    runner = make_runner(repository, tmp_path, **github)
    runner.run_action(CERTIFY, {})
    assert runner.step("Name the caches").outputs["save"] == "false"
    assert uses(runner, "actions/cache/save") == []


def test_sarif_is_not_uploaded_from_a_fork(repository: Path, tmp_path: Path) -> None:
    pull_request(repository, lambda folder: edit_spec(folder, "check: range", "check: rnage"))
    event = {"pull_request": {"head": {"repo": {"full_name": "someone/models"}}}}
    runner = make_runner(repository, tmp_path, event_name="pull_request", event=event)
    runner.run_action(CERTIFY, {"cache": "false", "upload-sarif": "true"})
    assert uses(runner, "github/codeql-action/upload-sarif") == []
    assert runner.step("Show failures in code scanning").outcome == "skipped"


def test_a_failing_upload_changes_no_verdict(runner: Runner, tmp_path: Path) -> None:
    def fail(runner: Runner, given: dict[str, str]) -> None:
        raise RuntimeError("code scanning is not enabled")

    script = (
        "#!/bin/sh\nfor a; do case $a in */record.json | */results.sarif) echo '{}' >\"$a\" ;; esac; done\n"
    )
    (tmp_path / "tools/torchlean").write_text(script)
    runner.players = {**runner.players, "github/codeql-action/upload-sarif": fail}
    outcome, outputs = runner.run_action(CERTIFY, {"upload-sarif": "true", "cache": "false"})
    assert runner.step("Show failures in code scanning").outcome == "failure"
    assert (outcome, outputs["exit-code"]) == ("success", "0")


def test_auto_base_is_refused_where_it_would_be_the_authors_choice(repository: Path, tmp_path: Path) -> None:
    runner = make_runner(repository, tmp_path, event_name="pull_request", sha="0" * 40)
    assert runner.run_action(CERTIFY, {})[0] == "failure"
    assert "not the merge commit" in runner.annotations[0].message
    runner.github["event_name"] = "pull_request_target"
    assert runner.run_action(CERTIFY, {})[0] == "failure"
    assert "use the event pull_request" in runner.annotations[1].message
