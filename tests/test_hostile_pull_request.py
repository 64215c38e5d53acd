"""A pull request tries to turn its own gate green, and loses: `torchlean check --base`."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gate_project import write_model
from pull_request import (
    BOUNDED,
    ROBUST,
    SPEC,
    check,
    commit,
    edit,
    failing,
    git,
    repository,
    verdicts,
    write_data,
)

import pytest_torchlean
from pytest_torchlean import properties
from pytest_torchlean.cache import store
from pytest_torchlean.checker import find_lean, install
from pytest_torchlean.checker.install import LEAN_VERSION
from pytest_torchlean.cli import main
from pytest_torchlean.errors import CheckerError
from pytest_torchlean.files import read_input
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.spec import PropertySpec, RobustnessProperty
from pytest_torchlean.verdict import Counts, Evidence, Verdict

SOON = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
seen: list[PropertySpec] = []
answers: dict[str, Evidence] = {}


def fake(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """PROVED, reading what the real property reads; `answers` has other answers by name."""
    seen.append(prop)
    context.model.data  # noqa: B018
    if isinstance(prop, RobustnessProperty):
        read_input(prop.data, 1 << 20)
    counts = Counts(4, 0, 0, 0, 4) if prop.check == "robustness" else None
    usual = Evidence(Verdict.PROVED, claim="the claim", found="found", assurance="kernel", counts=counts)
    return answers.get(prop.name, usual)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a committed baseline, in which every property is PROVED."""
    folder = repository(tmp_path_factory.mktemp("origin") / "repo")
    commit(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(properties, "run_property", fake)
        assert main(["baseline", "write", "--no-extensions", "--no-cache", str(folder)]) == 0
    commit(folder)
    return folder


@pytest.fixture
def repo(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it; every property is PROVED unless `answers` say otherwise."""
    folder = tmp_path / "repo"
    shutil.copytree(origin, folder, symlinks=True)
    monkeypatch.setattr(properties, "run_property", fake)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TORCHLEAN_CACHE", str(tmp_path / "cache"))
    seen.clear()
    answers.clear()
    return folder


def waivers(folder: Path, waives: str, *, expires: str = SOON, name: str = ROBUST) -> None:
    (folder / "torchlean.waivers.yaml").write_text(
        f"version: 1\nwaivers:\n  - property: {name}\n    waives: {waives}\n"
        f"    owner: Kim\n    reason: agreed\n    expires: {expires}\n"
    )


def test_an_honest_pull_request_passes(repo: Path) -> None:
    write_model(repo / "models" / "tiny.onnx", scale=1.5)
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (0, set())
    assert verdicts(record) == {BOUNDED: "PROVED", ROBUST: "PROVED"}
    assert record["ratchet"]["base"] == git(repo, "rev-parse", "HEAD")


def test_an_added_property_runs_too_and_may_fail(repo: Path) -> None:
    extra = "  - {name: new, model: tiny, check: range, input: {lower: 0, upper: 1}, output: {upper: 9}}\n"
    (repo / "torchlean.yaml").write_text(SPEC + extra)
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (0, set())
    assert [change["kind"] for change in record["ratchet"]["changes"]] == ["added"]
    answers["new"] = Evidence(Verdict.REFUTED, claim="c", found="f")
    assert check(repo, "--base", "HEAD")[0] == 1


# What it does to the spec


def test_deleted_property(repo: Path) -> None:
    (repo / "torchlean.yaml").write_text("\n".join(SPEC.splitlines()[:-1]) + "\n")
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (1, {("removed", ROBUST, "removed")})
    assert verdicts(record)[ROBUST] == "PROVED"  # it is run all the same


def test_deleted_spec(repo: Path) -> None:
    (repo / "torchlean.yaml").unlink()
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (1, {("removed", one, "removed") for one in (BOUNDED, ROBUST)})


def test_deleted_spec_elsewhere(repo: Path) -> None:
    (repo / "other").mkdir()
    (repo / "other" / "torchlean.yaml").write_text(SPEC.replace("models/", "../models/"))
    base = commit(repo)
    git(repo, "rm", "-q", "other/torchlean.yaml")
    code, record = check(repo, "--base", base)
    assert (code, failing(record)) == (1, {("removed", "other/torchlean.yaml", "removed")})


def test_deleted_spec_of_another_project_is_that_projects_matter(repo: Path) -> None:
    spec = SPEC.replace("models/", "../models/").replace("data/", "../data/")
    for folder in ("one", "two", "one/deep"):
        (repo / folder).mkdir()
        (repo / folder / "torchlean.yaml").write_text(
            spec if "/" not in folder else spec.replace("../", "../../")
        )
    base = commit(repo)
    git(repo, "rm", "-q", "two/torchlean.yaml", "one/deep/torchlean.yaml")
    _, record = check(repo, ".", "one", "--base", base)
    assert {name for _, name, key in failing(record)} == {"two/torchlean.yaml", "one/deep/torchlean.yaml"}
    (repo / "one" / "models").mkdir()
    write_model(repo / "one" / "models" / "tiny.onnx")
    (repo / "one" / "torchlean.yaml").write_text(SPEC.rpartition("  - {name: r")[0])
    (repo / "one" / "deep").mkdir()
    (repo / "one" / "deep" / "torchlean.yaml").write_text("x")
    base = commit(repo)
    git(repo, "rm", "-q", "torchlean.yaml", "one/deep/torchlean.yaml")
    code, record = check(repo, "one", "--root", "one", "--base", base)
    assert (code, failing(record)) == (1, {("removed", "deep/torchlean.yaml", "removed")})


def test_renamed_property_is_removed_and_added(repo: Path) -> None:
    edit(repo / "torchlean.yaml", "name: robust", "name: robust-2")
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (1, {("removed", ROBUST, "removed")})


@pytest.mark.parametrize(
    ("old", "new", "kind", "name", "key"),
    [
        ("1/100", "1/1000", "weakened", ROBUST, "epsilon"),
        ("50%", "49%", "weakened", ROBUST, "at_least"),
        ("at_least", "limit: 3, at_least", "weakened", ROBUST, "listed"),
        ("at_least", "domain: {lower: 0, upper: 1}, at_least", "weakened", ROBUST, "domain"),
        ("at_least", "semantics: real, at_least", "weakened", ROBUST, "semantics"),
        ("at_least", "on_unknown: warn, at_least", "weakened", ROBUST, "on_unknown"),
        ("at_least", "assurance: evaluated, at_least", "weakened", ROBUST, "assurance"),
        ("{upper: 2}", "{upper: 3}", "weakened", BOUNDED, "output"),
        ("upper: 1}", "upper: 0.5}", "weakened", BOUNDED, "input"),
        ("version: 1", "version: 1\ndefaults: {on_unknown: warn}", "weakened", BOUNDED, "on_unknown"),
        ("tiny.onnx}", "tiny.onnx, preprocess: [{divide: 2}]}", "changed", BOUNDED, "preprocess"),
        ("models/tiny.onnx", "models/easy.onnx", "changed", BOUNDED, "model"),
        ("data/d.npz", "data/easy.npz", "changed", ROBUST, "data"),
    ],
)
def test_weakened_property(repo: Path, old: str, new: str, kind: str, name: str, key: str) -> None:
    write_model(repo / "models" / "easy.onnx", scale=0.01)
    write_data(repo / "data" / "easy.npz", (0, 0, 0, 0))
    commit(repo)
    edit(repo / "torchlean.yaml", old, new)
    code, record = check(repo, "--base", "HEAD")
    assert code == 1
    assert (kind, name, key) in failing(record)
    assert verdicts(record)[name] == "PROVED"  # the base's version is run, and the head's beside it
    assert name + "@head" in verdicts(record)


def test_kind_of_property_exchanged(repo: Path) -> None:
    lines = (repo / "torchlean.yaml").read_text().splitlines()
    lines[-1] = "  - {name: robust, model: tiny, check: runtime, samples: 1}"
    (repo / "torchlean.yaml").write_text("\n".join(lines) + "\n")
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (1, {("changed", ROBUST, "check")})


def test_larger_timeout_buys_nothing(repo: Path) -> None:
    edit(repo / "torchlean.yaml", "timeout: 30s", "timeout: 24h")
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (0, set())
    assert [float(prop.timeout) for prop in seen] == [30, 60]


def test_stronger_property_is_run_in_both_versions(repo: Path) -> None:
    edit(repo / "torchlean.yaml", "1/100", "1/50")
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (0, set())
    assert {ROBUST, ROBUST + "@head"} <= verdicts(record).keys()


# What it does to data and model


def test_relabelled_data(repo: Path) -> None:
    write_data(repo / "data" / "d.npz", (0, 0, 0, 0))
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (1, {("changed", ROBUST, "data")})


def test_relabelled_data_before_there_is_a_baseline(repo: Path) -> None:
    git(repo, "rm", "-q", "torchlean.baseline.yaml")
    commit(repo)
    write_data(repo / "data" / "d.npz", (0, 0, 0, 0))
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (1, {("changed", ROBUST, "data")})


def test_data_replaced_by_a_link_to_easier_data(repo: Path) -> None:
    write_data(repo / "data" / "easy.npz", (0, 0, 0, 0))
    base = commit(repo)
    (repo / "data" / "d.npz").unlink()
    (repo / "data" / "d.npz").symlink_to("easy.npz")
    code, record = check(repo, "--base", base)
    assert (code, failing(record)) == (1, {("changed", ROBUST, "data")})


def test_model_replaced_by_a_link_to_another(repo: Path) -> None:
    write_model(repo / "models" / "easy.onnx", scale=0.01)
    base = commit(repo)
    (repo / "models" / "tiny.onnx").unlink()
    (repo / "models" / "tiny.onnx").symlink_to("easy.onnx")
    code, record = check(repo, "--base", base)
    assert code == 1
    assert ("changed", BOUNDED, "model") in failing(record)


def test_link_that_is_a_link_at_the_base_too_is_no_change(repo: Path) -> None:
    (repo / "models" / "tiny.onnx").rename(repo / "models" / "real.onnx")
    (repo / "models" / "tiny.onnx").symlink_to("real.onnx")
    (repo / "data" / "d.npz").rename(repo / "real.npz")
    (repo / "data" / "d.npz").symlink_to("../real.npz")
    (repo / "torchlean.baseline.yaml").unlink()
    base = commit(repo)
    code, record = check(repo, "--base", base)
    assert (code, failing(record)) == (0, set())


@pytest.mark.parametrize("outside", ["/etc/passwd", "../outside.onnx"])
def test_link_out_of_the_repository(repo: Path, outside: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(repo.parent / "outside.onnx")
    (repo / "models" / "tiny.onnx").unlink()
    (repo / "models" / "tiny.onnx").symlink_to(outside if outside[0] == "/" else f"../{outside}")
    assert check(repo, "--base", "HEAD")[0] == 2
    assert "TL0313" in capsys.readouterr().err


def test_pointer_in_place_of_the_model(repo: Path) -> None:
    oid = hashlib.sha256((repo / "models" / "tiny.onnx").read_bytes()).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 300\n"
    (repo / "models" / "tiny.onnx").write_text(pointer)
    code, record = check(repo, "--base", "HEAD")
    assert code == 1
    assert set(verdicts(record).values()) == {"ERROR"}


def test_pointer_of_the_base_stands_for_its_content(repo: Path) -> None:
    """Data in Git LFS: the base has a pointer, the working folder the content that it names."""
    data = (repo / "data" / "d.npz").read_bytes()
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"
    right = pointer.format(hashlib.sha256(data).hexdigest(), len(data))
    (repo / "data" / "d.npz").write_text(right)
    (repo / "torchlean.baseline.yaml").unlink()
    base = commit(repo)
    (repo / "data" / "d.npz").write_bytes(data)
    assert check(repo, "--base", base)[0] == 0
    write_data(repo / "data" / "d.npz", (0, 0, 0, 0))
    code, record = check(repo, "--base", base)
    assert (code, failing(record)) == (1, {("changed", ROBUST, "data")})


def test_model_swapped_after_it_was_read(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes that are hashed are those that are judged, by every property."""
    judged: list[str] = []
    digest = hashlib.sha256((repo / "models" / "tiny.onnx").read_bytes()).hexdigest()

    def swapping(context: PropertyContext, prop: PropertySpec) -> Evidence:
        judged.append(hashlib.sha256(context.model.data).hexdigest())
        write_model(repo / "models" / "tiny.onnx", scale=0.01)
        return fake(context, prop)

    monkeypatch.setattr(properties, "run_property", swapping)
    _, record = check(repo, "--base", "HEAD")
    assert judged == [digest, digest]
    assert {result["model"]["sha256"] for result in record["results"]} == {digest}


def test_data_swapped_while_it_is_judged(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = (repo / "data" / "d.npz").read_bytes()

    def swapping(context: PropertyContext, prop: PropertySpec) -> Evidence:
        write_data(repo / "data" / "d.npz", (0, 0, 0, 0))
        evidence = fake(context, prop)
        (repo / "data" / "d.npz").write_bytes(right)
        return evidence

    monkeypatch.setattr(properties, "run_property", swapping)
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (1, {("changed", ROBUST, "files")})


def test_data_swapped_between_two_readings_of_one_property(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swapping(context: PropertyContext, prop: PropertySpec) -> Evidence:
        evidence = fake(context, prop)
        if prop.name == "robust":
            write_data(repo / "data" / "d.npz", (0, 0, 0, 0))
            return fake(context, prop)
        return evidence

    monkeypatch.setattr(properties, "run_property", swapping)
    _, record = check(repo, "--base", "HEAD")
    assert verdicts(record)[ROBUST] == "ERROR"


# What it does to baseline and waivers


def test_lowered_baseline(repo: Path) -> None:
    edit(repo / "torchlean.baseline.yaml", "proved: 4", "proved: 1")
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (1, {("worse", ROBUST, "proved")})


def test_lowered_baseline_does_not_hide_a_worse_result(repo: Path) -> None:
    edit(repo / "torchlean.baseline.yaml", "proved: 4", "proved: 3")
    answers["robust"] = Evidence(
        Verdict.PROVED, claim="c", found="f", assurance="kernel", counts=Counts(3, 0, 1, 0, 4)
    )
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (1, {("worse", ROBUST, "proved")})
    assert check(repo)[0] == 0  # without --base the pull request's own baseline counts


def test_deleted_baseline(repo: Path) -> None:
    (repo / "torchlean.baseline.yaml").unlink()
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (1, {("removed", one, "removed") for one in (BOUNDED, ROBUST)})


def test_evaluated_instead_of_kernel_is_worse(repo: Path) -> None:
    answers["bounded"] = Evidence(Verdict.PROVED, claim="c", found="f", assurance="evaluated")
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (1, {("worse", BOUNDED, "level")})


def test_waiver_of_the_same_pull_request_counts_nothing(repo: Path) -> None:
    edit(repo / "torchlean.yaml", "1/100", "1/200")
    waivers(repo, "{epsilon: 1/200}")
    code, record = check(repo, "--base", "HEAD")
    assert code == 1
    assert ("weakened", ROBUST, "epsilon") in failing(record)
    (told,) = [change for change in record["ratchet"]["changes"] if change["key"] == "waiver"]
    assert told["message"].endswith("agreed; it counts once it is in the base")
    assert (told["file"], told["line"]) == ("torchlean.waivers.yaml", 3)


def test_waiver_of_the_base_lets_exactly_its_change_through(repo: Path) -> None:
    waivers(repo, "{epsilon: 1/200}")
    base = commit(repo)
    code, record = check(repo, "--base", base)
    assert (code, failing(record)) == (0, set())  # it waits for the change that it is for
    edit(repo / "torchlean.yaml", "1/100", "1/200")
    code, record = check(repo, "--base", base)
    assert (code, failing(record)) == (0, set())
    assert ROBUST + "@head" not in verdicts(record)  # only what is agreed on is run
    (change,) = record["ratchet"]["changes"]
    assert change["waived_by"] == f"Kim, until {SOON}: agreed"
    edit(repo / "torchlean.yaml", "1/200", "1/201")
    assert check(repo, "--base", base)[0] == 1


def test_waiver_never_lets_a_verdict_through(repo: Path) -> None:
    waivers(repo, "{epsilon: 1/200, verdict: ERROR, proved: 0, level: evaluated}")
    base = commit(repo)
    for verdict in (Verdict.REFUTED, Verdict.ERROR, Verdict.UNKNOWN, Verdict.UNSUPPORTED):
        answers["robust"] = Evidence(verdict, claim="c", found="f")
        code, record = check(repo, "--base", base)
        assert code == 1
        assert failing(record) == set()


@pytest.mark.parametrize(
    ("expires", "waives", "key"),
    [
        ((datetime.now(UTC).date() - timedelta(days=1)).isoformat(), "{epsilon: 1/200}", "expired"),
        ("2099-01-01", "{epsilon: 1/200}", "expires"),
        (SOON, "{epsilon: 1/100}", "epsilon"),
    ],
)
def test_stale_waiver_fails_until_the_pull_request_removes_it(
    repo: Path, expires: str, waives: str, key: str
) -> None:
    waivers(repo, waives, expires=expires)
    base = commit(repo)
    code, record = check(repo, "--base", base)
    assert (code, failing(record)) == (1, {("waiver", ROBUST, key)})
    (repo / "torchlean.waivers.yaml").unlink()
    assert check(repo, "--base", base)[0] == 0


def test_removal_that_was_agreed_on(repo: Path) -> None:
    waivers(repo, "{removed: true}")
    base = commit(repo)
    (repo / "torchlean.yaml").write_text("\n".join(SPEC.splitlines()[:-1]) + "\n")
    code, record = check(repo, "--base", base)
    assert (code, failing(record)) == (0, set())
    assert ROBUST not in verdicts(record)


# What it does to the files themselves


@pytest.mark.parametrize("name", ["torchlean.yaml", "torchlean.baseline.yaml", "torchlean.waivers.yaml"])
def test_file_replaced_by_a_link(repo: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (repo / name).read_text() if (repo / name).exists() else "version: 1\nwaivers: []\n"
    (repo.parent / "elsewhere.yaml").write_text(text)
    (repo / name).unlink(missing_ok=True)
    (repo / name).symlink_to("../elsewhere.yaml")
    assert check(repo, "--base", "HEAD")[0] == 2
    assert "TL1110" in capsys.readouterr().err


def test_folder_of_the_spec_replaced_by_a_link(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("sub", "easy"):
        (repo / folder).mkdir()
        (repo / folder / "torchlean.yaml").write_text(
            SPEC.replace("models/", "../models/").replace("data/", "../data/")
        )
    base = commit(repo)
    git(repo, "rm", "-rq", "sub")
    (repo / "sub").symlink_to("easy")
    assert check(repo, "sub", "--base", base)[0] == 2
    assert "TL1110" in capsys.readouterr().err


def test_link_at_the_base(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "torchlean.yaml").rename(repo / "real.yaml")
    (repo / "torchlean.yaml").symlink_to("real.yaml")
    base = commit(repo)
    assert check(repo, "--base", base)[0] == 2
    assert "TL1110" in capsys.readouterr().err


def test_attributes_filters_and_configuration_of_the_repository_run_nothing(repo: Path) -> None:
    """Everything in a configuration that can run a program names one that leaves a mark."""
    mark = repo.parent / "mark"
    program = repo / "evil.sh"
    program.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    program.chmod(0o755)
    (repo / ".gitattributes").write_text("*.yaml filter=evil diff=evil merge=evil working-tree-encoding=x\n")
    (repo / ".gitconfig").write_text(
        "".join(f'[{section}]\n{key} = {program}\n' for section, key in (
            ("core", "fsmonitor"), ("core", "pager"), ("core", "editor"), ("core", "sshCommand"),
            ("core", "askPass"), ("core", "alternateRefsCommand"), ("core", "gitProxy"),
            ("diff", "external"), ('diff "evil"', "textconv"), ('diff "evil"', "command"),
            ('filter "evil"', "clean"), ('filter "evil"', "smudge"), ('filter "evil"', "process"),
            ('filter "evil"', "required"), ("credential", "helper"), ("gpg", "program"),
            ("alias", "cat-file"), ("alias", "ls-tree"), ("alias", "rev-parse"),
            ('remote "origin"', "uploadpack"), ("uploadpack", "packObjectsHook"),
        ))
    )  # fmt: skip
    for hook in ("post-checkout", "pre-auto-gc", "reference-transaction", "fsmonitor-watchman"):
        place = repo / ".git" / "hooks" / hook
        place.parent.mkdir(exist_ok=True)
        place.write_text(program.read_text())
        place.chmod(0o755)
    base = git(repo, "rev-parse", "HEAD")
    git(repo, "config", "include.path", "../.gitconfig")
    edit(repo / "torchlean.yaml", "1/100", "1/200")
    code, record = check(repo, "--base", base)
    assert (code, failing(record)) == (1, {("weakened", ROBUST, "epsilon")})
    assert not mark.exists()


def test_replaced_objects_and_environment_do_not_move_the_base(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = git(repo, "rev-parse", "HEAD")
    edit(repo / "torchlean.yaml", "1/100", "1/200")
    weaker = commit(repo)
    git(repo, "replace", base, weaker)
    monkeypatch.setenv("GIT_DIR", str(repo.parent))
    monkeypatch.setenv("GIT_WORK_TREE", "/")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.worktree")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "/")
    code, record = check(repo, "--base", base)
    assert code == 1
    assert ("weakened", ROBUST, "epsilon") in failing(record)


@pytest.mark.parametrize(
    "reference",
    ["nowhere", "--upload-pack=touch mark", "-h", "HEAD..HEAD~1", "", "HEAD\n", ":torchlean.yaml"],
)
def test_reference_that_is_none(repo: Path, reference: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", f"--base={reference}"]) == 2
    assert "TL1109" in capsys.readouterr().err


def test_reference_with_two_meanings(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(repo, "tag", "main")
    assert check(repo, "--base", "main")[0] == 2
    assert "several things" in capsys.readouterr().err


def test_git_of_the_repository_is_not_run(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo / "git").write_text("#!/bin/sh\ntouch mark\n")
    (repo / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.environ['PATH']}")
    assert check(repo, "--base", "HEAD")[0] == 0
    monkeypatch.setenv("PATH", f"{repo}{os.pathsep}{os.environ['PATH']}")
    assert check(repo, "--base", "HEAD")[0] == 2
    assert not (repo / "mark").exists()


def test_folder_marked_as_a_project_moves_no_root(repo: Path) -> None:
    (repo / "sub").mkdir()
    spec = SPEC.replace("models/", "../models/").replace("data/", "../data/")
    (repo / "sub" / "torchlean.yaml").write_text(spec)
    base = commit(repo)
    (repo / "sub" / "pyproject.toml").touch()
    code, record = check(repo, "sub", "--base", base)
    assert code == 0
    assert set(verdicts(record)) == {f"sub/{name}" for name in (BOUNDED, ROBUST)}


def test_first_adoption_says_that_there_is_nothing_to_compare(repo: Path) -> None:
    (repo / "sub").mkdir()
    spec = SPEC.replace("models/", "../models/").replace("data/", "../data/")
    (repo / "sub" / "torchlean.yaml").write_text(spec)
    code, record = check(repo, "sub", "--base", "HEAD")
    assert (code, failing(record)) == (0, set())
    assert any("no sub/torchlean.yaml at that commit" in text for text in record["ratchet"]["against"])
    answers["robust"] = Evidence(Verdict.REFUTED, claim="c", found="f")
    assert check(repo, "sub", "--base", "HEAD")[0] == 1


def test_repository_behind_a_link_and_a_link_back_to_it(repo: Path, tmp_path: Path) -> None:
    """Links above the repository are followed, those inside are not."""
    (tmp_path / "way").symlink_to(tmp_path, target_is_directory=True)
    assert check(repo, str(tmp_path / "way" / "repo"), "--base", "HEAD")[0] == 0
    (repo / "back").symlink_to(".", target_is_directory=True)
    assert check(repo, str(repo / "back"), "--base", "HEAD")[0] == 2


def test_spec_that_is_nowhere(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(repo, "none/torchlean.yaml", "--base", "HEAD")[0] == 2
    assert "neither here nor at" in capsys.readouterr().err


def test_outside_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pytest_torchlean.ratchet.revision.os.path.lexists", lambda path: False)
    assert main(["check", "--base", "HEAD"]) == 2


def test_parts_and_writing_do_not_go_with_a_base(repo: Path) -> None:
    assert main(["check", f"{BOUNDED}", "--base", "HEAD"]) == 2
    assert main(["baseline", "write", "--base", "HEAD"]) == 2
    assert main(["check", "--vnncomp", "list.csv", "--base", "HEAD"]) == 2


# Names


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "a\n::error::b",
        "\x1b[2J\x1b[31m",
        "::error file=x::pwned",
        "r\u043ebust",  # a Cyrillic letter
        "Robust",
        "robust@head",
        "a::b",
        "robu\u200bst",
    ],
)
def test_crafted_property_names_are_refused_and_never_printed_raw(
    repo: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    quoted = '"' + name.encode("unicode_escape").decode() + '"'
    edit(repo / "torchlean.yaml", "name: robust", f"name: {quoted}")
    assert check(repo, "--base", "HEAD")[0] == 2
    printed = capsys.readouterr()
    assert "TL0310" in printed.err
    for line in (printed.out + printed.err).splitlines():
        assert not line.lstrip().startswith("::")
        assert line.isprintable()


@pytest.mark.parametrize(
    "path", ["../d.npz", "/etc/passwd", "data\\\\d.npz", "a\\x00b", "a\\nb", "\\e[31m.npz", "data/../../x"]
)
def test_crafted_paths_are_refused(repo: Path, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    edit(repo / "torchlean.yaml", "data/d.npz", f'"{path}"')
    assert check(repo, "--base", "HEAD")[0] == 2
    printed = capsys.readouterr()
    assert "TL0313" in printed.err
    assert all(line.isprintable() for line in printed.err.splitlines())


def test_crafted_file_names_in_every_report(repo: Path) -> None:
    """File names hold what a file system takes; no report lets them become a command, a tag or an escape."""
    name = "::error title=x::%0A<script>&`|](x)'\u202e.npz"
    write_data(repo / "data" / name, (0, 0, 0, 0))
    edit(repo / "torchlean.yaml", "data/d.npz", '"data/' + name.replace("\u202e", "\\u202e") + '"')
    forms = ("annotations", "markdown", "html", "sarif", "junit", "intoto")
    files = {form: repo.parent / f"report.{form}" for form in forms}
    options = [part for form, file in files.items() for part in (f"--{form}", str(file))]
    assert check(repo, "--base", "HEAD", *options)[0] == 1
    texts = {form: file.read_text() for form, file in files.items()}
    assert not any("\u202e" in text for text in texts.values())
    commands = [line for line in texts["annotations"].splitlines() if line.startswith("::")]
    assert commands
    assert all(line.startswith("::error file=torchlean.yaml,") for line in commands)
    assert len(commands) == len(texts["annotations"].splitlines())
    assert all("<script>" not in texts[form] for form in ("html", "junit", "markdown"))


def test_names_that_differ_in_case_alone_are_two_files(repo: Path) -> None:
    (repo / "Torchlean.yaml").write_text("nonsense")
    (repo / "TORCHLEAN.BASELINE.YAML").write_text("nonsense")
    code, record = check(repo, "--base", "HEAD")
    assert (code, failing(record)) == (0, set())


# What it does to Python


def run_process(repo: Path, start: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, with the repository as the current folder."""
    package = Path(pytest_torchlean.__file__).parent.parent
    return subprocess.run(
        [sys.executable, *start, *arguments],
        cwd=repo,
        env=os.environ | {"PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_python_of_the_repository_is_not_imported(tmp_path: Path) -> None:
    """A conftest that greens everything, and modules with the names of what the tool imports."""
    folder = repository(
        tmp_path / "repo", SPEC.replace("{upper: 2}", "{upper: 1/8}").rpartition("  - {name: r")[0]
    )
    base = commit(folder)
    mark = tmp_path / "mark"
    leave = f"import pathlib\npathlib.Path({str(mark)!r}).touch()\n"
    greens = leave + (
        "import pytest\n"
        "@pytest.hookimpl(wrapper=True)\n"
        "def pytest_runtest_makereport(item, call):\n"
        "    report = yield\n"
        "    report.outcome = 'passed'\n"
        "    return report\n"
        "def pytest_collection_modifyitems(items):\n    del items[:]\n"
        "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"
    )
    (folder / "conftest.py").write_text(greens)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p conftest -k nothing\n")
    (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "-p no:torchlean"\n')
    for name in ("numpy", "onnx", "onnxruntime", "yaml", "numba", "junit_xml", "sitecustomize", "pytest"):
        (folder / f"{name}.py").write_text(leave)
    (folder / "torchlean.pth").write_text(leave)
    done = run_process(folder, ["-m", "pytest_torchlean.cli"], "check", "--base", base)
    assert "REFUTED" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1
    assert not mark.exists()


def test_module_that_is_loaded_already_is_refused(tmp_path: Path) -> None:
    folder = repository(tmp_path / "repo")
    base = commit(folder)
    (folder / "helper.py").write_text("")
    start = "import helper, sys; from pytest_torchlean.cli import main; sys.exit(main(sys.argv[1:]))"
    done = run_process(folder, ["-c", start], "check", "--base", base)
    assert done.returncode == 2
    assert "TL1113" in done.stderr
    assert "'helper'" in done.stderr


# What it does to the cache of certificates


@pytest.mark.usefixtures("library")
def test_poisoned_cache_and_forged_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every entry of the cache is the attacker's choice: another property's proof and point, or noise.

    A true property stays proved and a false one is refuted: what the cache says is written anew for the
    property in question and checked by Lean, and a point is run before it counts.
    """
    true = "  - {name: yes, model: tiny, check: range, input: {lower: 0, upper: 1}, output: {upper: 2}}\n"
    false = true.replace("yes", "no").replace("{upper: 2}", "{upper: 1}")
    folder = repository(tmp_path / "repo", SPEC.partition("  - ")[0] + true + false)
    base = commit(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TORCHLEAN_CACHE_MB", "16")
    monkeypatch.setattr(store, "cache_root", lambda environment: tmp_path / "cache")
    kept: list[bytes] = []
    write = store.Store.write

    def keep(self: store.Store, key: bytes, content: bytes) -> bool:
        kept.append(content)
        return write(self, key, content)

    expected = {"torchlean.yaml::tiny::yes": "PROVED", "torchlean.yaml::tiny::no": "REFUTED"}
    with monkeypatch.context() as patch:
        patch.setattr(store.Store, "write", keep)
        _, record = check(folder, "--base", base)
    assert verdicts(record) == expected
    assert kept
    for poison in (*kept, b"", b"\x00" * 64, kept[0][:-1] + b"\xff"):
        with monkeypatch.context() as patch:
            patch.setattr(store.Store, "read", lambda self, key, poison=poison: poison)
            code, record = check(folder, "--base", base)
        assert (code, verdicts(record)) == (1, expected)


# What it does to Lean


def test_toolchain_file_of_the_repository_chooses_no_lean(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version manager's `lean` reads `lean-toolchain` of the folder that it is started in."""
    (repo / "lean-toolchain").write_text("attacker/lean4:v4.35.0\n")
    proxy = tmp_path / "bin" / "lean"
    proxy.parent.mkdir()
    proxy.write_text(f"#!/bin/sh\npwd >> {tmp_path / 'started'}\necho 'Lean (version {LEAN_VERSION}, x)'\n")
    proxy.chmod(0o755)
    find_lean(proxy, environment={})
    assert set((tmp_path / "started").read_text().split()) == {str(proxy.parent)}


def test_lean_of_the_repository_is_not_found_by_a_relative_path(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lean", "bin/lean"):
        (repo / name).parent.mkdir(exist_ok=True)
        (repo / name).write_text(f"#!/bin/sh\ntouch {repo / 'mark'}\n")
        (repo / name).chmod(0o755)
    monkeypatch.setattr(install, "_located", lambda package, name: None)
    with pytest.raises(CheckerError, match="no Lean"):
        find_lean(environment={"PATH": f".{os.pathsep}bin{os.pathsep}"})
    assert not (repo / "mark").exists()
