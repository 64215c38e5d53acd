"""Reading a git revision: worktrees, other hashes, shallow and partial clones, and names of every kind."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pull_request import commit, git

from pytest_torchlean.errors import SpecError
from pytest_torchlean.ratchet.revision import Revision, top_of


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "sub").mkdir()
    (folder / "sub" / "torchlean.yaml").write_text("in the base\n")
    (folder / "torchlean.yaml").write_text("at the top\n")
    commit(folder)
    (folder / "torchlean.yaml").write_text("not committed\n")
    return folder


def test_files_are_those_of_the_commit(repo: Path) -> None:
    revision = Revision(repo, "main")
    assert revision.commit == git(repo, "rev-parse", "HEAD")
    assert revision.read("torchlean.yaml", 100) == b"at the top\n"
    assert revision.read("sub/torchlean.yaml", 100) == b"in the base\n"
    assert revision.read("absent", 100) is None
    assert revision.read("../repo/torchlean.yaml", 100) is None
    assert revision.read("/etc/passwd", 100) is None
    assert revision.named("torchlean.yaml") == ("sub/torchlean.yaml", "torchlean.yaml")
    assert revision.sha256("torchlean.yaml") == hashlib.sha256(b"at the top\n").hexdigest()
    assert revision.sha256("absent") == "no file at the base revision"
    assert revision.exists("sub")
    assert revision.exists("")
    assert not revision.exists("absent/torchlean.yaml")


def test_folder_and_large_file_are_refused(repo: Path) -> None:
    revision = Revision(repo, "HEAD")
    with pytest.raises(SpecError, match="a folder") as caught:
        revision.read("sub", 100)
    assert caught.value.code == "TL1110"
    with pytest.raises(SpecError, match="more than 3 bytes") as caught:
        revision.read("torchlean.yaml", 3)
    assert caught.value.code == "TL1109"


def test_linked_worktree(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    assert top_of(tmp_path / "other" / "sub") == tmp_path / "other"
    assert Revision(tmp_path / "other", "main").read("torchlean.yaml", 100) == b"at the top\n"


def test_repository_with_sha256(tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main", "--object-format=sha256")
    (folder / "torchlean.yaml").write_text("text\n")
    name = commit(folder)
    assert len(name) == 64
    assert Revision(folder, name).read("torchlean.yaml", 100) == b"text\n"


def test_shallow_clone_lacks_the_base(repo: Path, tmp_path: Path) -> None:
    base = git(repo, "rev-parse", "HEAD")
    commit(repo)
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repo}", "shallow")
    with pytest.raises(SpecError, match="no revision") as caught:
        Revision(tmp_path / "shallow", base)
    assert caught.value.code == "TL1109"
    assert "fetch-depth" in caught.value.fix


def test_partial_clone_fetches_nothing(repo: Path, tmp_path: Path) -> None:
    git(repo, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{repo}", "partial")
    with pytest.raises(SpecError, match="partial clone"):
        Revision(tmp_path / "partial", "HEAD").read("torchlean.yaml", 100)


@pytest.mark.parametrize("name", ["a\nb", "-rf", ":(glob)*", "*", "\u00fc", "a b", '"', "\\t", "::error::x"])
def test_any_name_is_a_name_and_no_pattern(repo: Path, name: str) -> None:
    folder = repo / name
    folder.mkdir()
    (folder / "torchlean.yaml").write_text("strange\n")
    revision = Revision(repo, commit(repo))
    assert revision.read(f"{name}/torchlean.yaml", 100) == b"strange\n"
    assert f"{name}/torchlean.yaml" in revision.named("torchlean.yaml")


def test_links_are_followed_within_the_revision(repo: Path) -> None:
    (repo / "a").symlink_to("b")
    (repo / "b").symlink_to("sub")
    (repo / "out").symlink_to("../outside")
    (repo / "loop").symlink_to("loop")
    revision = Revision(repo, commit(repo))
    assert revision.followed("a/torchlean.yaml") == "sub/torchlean.yaml"
    assert revision.sha256("a/torchlean.yaml") == hashlib.sha256(b"in the base\n").hexdigest()
    assert revision.sha256("out/torchlean.yaml") == "no file at the base revision"
    assert revision.sha256("loop") == "no file at the base revision"


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpecError) as caught:
        Revision(tmp_path, "HEAD")
    assert caught.value.code == "TL1109"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpecError, match="no git"):
        Revision(tmp_path, "HEAD")
