"""The action `changed`, and the example's workflow: a job that always runs and proves only what is new."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from actions_support import ACTIONS, ROOT, commit, git, make_runner, pull_request, restore_library
from gate_project import write_model
from workflow_runner import Runner, load

from pytest_torchlean.checker import BuiltLibrary

WORKFLOW = ROOT / "example_repo/.github/workflows/certify.yml"
OURS = "YOUR_ORG/pytest-torchlean/.github/actions"


def on_pull_request(repository: Path, tmp_path: Path, change: Callable[[Path], object]) -> Runner:
    pull_request(repository, change)
    event = {"pull_request": {"head": {"repo": {"full_name": "octo/models"}}, "number": 7}}
    runner = make_runner(
        repository, tmp_path, event_name="pull_request", ref="refs/pull/7/merge", event=event
    )
    runner.actions = {f"{OURS}/{name}": ACTIONS / name for name in ("certify", "changed")}
    return runner


def retrained(folder: Path) -> None:
    path = folder / "models/tiny.onnx"
    path.write_bytes(path.read_bytes() + b"\n")


def documented(folder: Path) -> None:
    (folder / "README.md").write_text("More about the models.\n")


def renamed(folder: Path) -> None:
    (folder / "models/tiny.onnx").rename(folder / "models/other.onnx")


def executable(folder: Path) -> None:
    (folder / "torchlean.yaml").chmod(0o755)


@pytest.mark.parametrize(
    ("change", "given", "expected"),
    [
        (retrained, {}, "true"),
        (retrained, {"watch": "torchlean.yaml\nmodels\n"}, "true"),
        (retrained, {"watch": "torchlean.yaml"}, "false"),
        (retrained, {"watch": "*.onnx"}, "true"),
        (retrained, {"ignore": "*.md"}, "true"),
        (renamed, {"watch": "models"}, "true"),
        (executable, {"watch": "models\ntorchlean.yaml"}, "true"),
        (documented, {}, "true"),
        (documented, {"watch": "torchlean.yaml\r\nmodels\r\n"}, "false"),
        (documented, {"ignore": "*.md\n\n"}, "false"),
        (documented, {"base": "HEAD"}, "false"),
        (documented, {"base": "none"}, "true"),
    ],
)
def test_hashes_decide(
    repository: Path,
    tmp_path: Path,
    change: Callable[[Path], object],
    given: dict[str, str],
    expected: str,
) -> None:
    runner = on_pull_request(repository, tmp_path, change)
    assert runner.run_action(ACTIONS / "changed", given) == ("success", {"changed": expected})
    assert runner.summary


def test_the_tip_of_the_base_counts_and_not_where_the_branch_began(repository: Path, tmp_path: Path) -> None:
    git(repository, "branch", "topic")
    retrained(repository)
    commit(repository)
    git(repository, "switch", "--quiet", "topic")
    documented(repository)
    commit(repository)
    git(repository, "switch", "--quiet", "--detach", "main")
    git(repository, "merge", "--quiet", "--no-ff", "-m", "merge", "topic")
    runner = make_runner(repository, tmp_path, event_name="pull_request")
    assert runner.run_action(ACTIONS / "changed", {"watch": "models"})[1] == {"changed": "false"}


@pytest.mark.parametrize("event", ["push", "schedule", "merge_group"])
def test_other_events_check_everything(repository: Path, tmp_path: Path, event: str) -> None:
    runner = make_runner(repository, tmp_path, event_name=event)
    assert runner.run_action(ACTIONS / "changed", {})[1] == {"changed": "true"}


def test_in_doubt_it_has_changed(repository: Path, tmp_path: Path) -> None:
    """A clone without the merge's parents, and a checkout of another commit than the merge."""
    runner = on_pull_request(repository, tmp_path, documented)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", str(shallow))
    runner.workspace = shallow
    assert runner.run_action(ACTIONS / "changed", {"watch": "models"})[1] == {"changed": "true"}
    assert "fetch-depth: 2" in runner.summary
    runner.workspace = repository
    git(repository, "switch", "--quiet", "topic")
    assert runner.run_action(ACTIONS / "changed", {"watch": "models"})[1] == {"changed": "true"}
    assert "not the merge commit" in runner.summary


def test_ignoring_everything_by_magic_is_refused(repository: Path, tmp_path: Path) -> None:
    runner = on_pull_request(repository, tmp_path, retrained)
    assert runner.run_action(ACTIONS / "changed", {"ignore": ":(top)models"})[0] == "failure"


def test_the_required_job_always_ends(repository: Path, tmp_path: Path) -> None:
    workflow = load(WORKFLOW)
    assert set(workflow["on"]) == {"push", "pull_request", "merge_group"}
    assert workflow["on"]["pull_request"] is None, "a filtered run leaves its required check waiting"
    assert workflow["on"]["merge_group"] is None
    assert set(workflow["jobs"]) == {"certify"}
    assert "if" not in workflow["jobs"]["certify"]
    assert "needs" not in workflow["jobs"]["certify"]
    runner = on_pull_request(repository, tmp_path, documented)
    assert runner.run_job(WORKFLOW, "certify") == "success"
    assert runner.step("Prove").outcome == "skipped"
    assert "nothing is proved again" in runner.summary


def test_the_watched_paths_of_the_example_are_all_that_its_gate_reads() -> None:
    (step,) = [step for step in load(WORKFLOW)["jobs"]["certify"]["steps"] if step.get("id") == "changed"]
    watched = step["with"]["watch"].split()
    there = {path.name for path in (ROOT / "example_repo").iterdir()} - {".pytest_cache", ".torchlean"}
    assert set(watched) | {"README.md", "training", "tests", "physics", "pyproject.toml"} == there


@pytest.mark.parametrize("document", ["README.md", ".github/actions/certify/README.md"])
def test_the_snippet_of_the_documents_runs(repository: Path, tmp_path: Path, document: str) -> None:
    runner = on_pull_request(repository, tmp_path, lambda folder: (folder / "torchlean.yaml").write_text("1"))
    (block,) = re.findall(r"^```yml\n(.*?)^```$", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)
    shown = yaml.safe_load(block)
    assert runner.run_steps(shown if isinstance(shown, list) else shown["steps"]) == "failure"
    assert [name for name, _ in runner.used][:2] == ["actions/checkout", f"{OURS}/certify"]
    assert runner.step("Check the properties").code == 2


@pytest.mark.usefixtures("library")
def test_a_changed_model_is_proved_or_turns_the_pull_request_red(
    repository: Path, tmp_path: Path, library: BuiltLibrary
) -> None:
    def regress(folder: Path) -> None:
        shutil.copy(ROOT / "example_repo/regressed/models/mlp.onnx", folder / "models/tiny.onnx")

    runner = on_pull_request(repository, tmp_path, regress)
    restore_library(library, runner.temp / "torchlean-cache/pytest-torchlean/lean")
    assert runner.run_job(WORKFLOW, "certify") == "failure"
    assert runner.step("Prove").outcome == "failure"
    assert runner.step("Prove").outputs["exit-code"] == "1"
    assert {found.properties["file"] for found in runner.annotations} == {"torchlean.yaml"}


def relaxed(folder: Path) -> None:
    """The pull request makes its model fail the claim of the base, and relaxes the claim."""
    spec = (folder / "torchlean.yaml").read_text()
    (folder / "torchlean.yaml").write_text(spec.replace("{lower: -1, upper: 2}", "{lower: -100, upper: 200}"))
    write_model(folder / "models/tiny.onnx", scale=8.0)


def removed(folder: Path) -> None:
    text = (folder / "torchlean.yaml").read_text()
    (folder / "torchlean.yaml").write_text(text[: text.index("  - name: outputs-bounded")])


@pytest.mark.parametrize("change", [relaxed, removed])
def test_a_pull_request_is_judged_by_the_specs_of_its_base(
    repository: Path, tmp_path: Path, library: BuiltLibrary, change: Callable[[Path], object]
) -> None:
    runner = on_pull_request(repository, tmp_path, change)
    restore_library(library, runner.temp / "torchlean-cache/pytest-torchlean/lean")
    assert runner.run_job(WORKFLOW, "certify") == "failure"
    assert runner.step("Check the properties").code == 1
    assert any("outputs-bounded" in found.properties["title"] for found in runner.annotations)


def test_a_pull_request_that_brings_the_first_spec_is_judged_by_its_own(
    repository: Path, tmp_path: Path
) -> None:
    text = (repository / "torchlean.yaml").read_text()
    (repository / "torchlean.yaml").unlink()
    commit(repository)

    def first(folder: Path) -> None:
        (folder / "torchlean.yaml").write_text(text[: text.index("  - name: outputs-bounded")])

    runner = on_pull_request(repository, tmp_path, first)
    assert runner.run_job(WORKFLOW, "certify") == "success", runner.log
    assert "AGREED" in runner.summary
