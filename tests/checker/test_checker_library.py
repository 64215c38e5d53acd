"""ensure_built(): built once, privately, from hashed sources; damage and bad sources are noticed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlean.checker import BuiltLibrary, LeanInstall, ensure_built, library
from pytest_torchlean.checker.private_directory import cache_root
from pytest_torchlean.checker.sources import (
    _BANNED,
    _BANNED_IN_AXIOM_MODULE,
    _WORDS,
    PARTS,
    ROOT,
    module_path,
    read_sources,
    source_directory,
)
from pytest_torchlean.errors import CheckerError


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A library of three modules that builds in a moment."""
    folder = tmp_path / "sources"
    (folder / ROOT).mkdir(parents=True)
    write(folder, ROOT, f"prelude\n-- comment\nimport {ROOT}.Left\nimport {ROOT}.Right\n")
    write(folder, f"{ROOT}/Left", f"prelude\nimport {ROOT}.Right\n")
    write(folder, f"{ROOT}/Right", "prelude\n/-! nothing -/\nuniverse u\n")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modules that are compiled, in order."""
    found: list[str] = []
    compile_one = library._compile

    def noted(lean: LeanInstall, module: str, work: Path) -> None:
        found.append(module)
        compile_one(lean, module, work)

    monkeypatch.setattr(library, "_compile", noted)
    return found


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.lean").write_text(text)


def refusal(lean: LeanInstall, sources: Path, cache: Path) -> CheckerError:
    with pytest.raises(CheckerError) as caught:
        ensure_built(lean, sources=sources, cache=cache)
    return caught.value


class TestBuilding:
    def test_once(self, lean: LeanInstall, sources: Path, cache: Path) -> None:
        first = ensure_built(lean, sources=sources, cache=cache)
        second = ensure_built(lean, sources=sources, cache=cache)
        assert first.modules == (f"{ROOT}.Right", f"{ROOT}.Left", ROOT)
        assert (first.olean_directory / ROOT / "Left.olean").is_file()
        assert first.seconds > 0
        assert second.seconds == 0
        assert second.olean_directory == first.olean_directory
        assert not list((cache / "lean").glob("*.building-*"))

    def test_another_text_is_another_library(self, lean: LeanInstall, sources: Path, cache: Path) -> None:
        first = ensure_built(lean, sources=sources, cache=cache)
        write(sources, f"{ROOT}/Right", "prelude\nuniverse v\n")
        second = ensure_built(lean, sources=sources, cache=cache)
        assert second.sources_sha256 != first.sources_sha256
        assert second.olean_directory != first.olean_directory

    def test_a_damaged_file_is_built_again(self, lean: LeanInstall, sources: Path, cache: Path) -> None:
        olean = ensure_built(lean, sources=sources, cache=cache).olean_directory / ROOT / "Left.olean"
        good = olean.read_bytes()
        olean.chmod(0o600)
        olean.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        assert ensure_built(lean, sources=sources, cache=cache).seconds > 0
        assert olean.read_bytes() == good

    def test_forged_files_are_built_again_where_digests_are_shipped(
        self, lean: LeanInstall, sources: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody writes other files and their digests beside them; nothing tells that without a list."""
        built = ensure_built(lean, sources=sources, cache=cache)
        manifest = built.olean_directory.parent / "build.json"
        genuine = json.loads(manifest.read_text())
        olean = built.olean_directory / ROOT / "Left.olean"
        good, forged = olean.read_bytes(), b"forged"

        def forge() -> None:
            olean.write_bytes(forged)
            digests = {**genuine["oleans"], f"{ROOT}.Left": hashlib.sha256(forged).hexdigest()}
            manifest.write_text(json.dumps({**genuine, "oleans": digests}))
            monkeypatch.setattr(library, "_built_here", set())

        forge()
        believed = ensure_built(lean, sources=sources, cache=cache)
        assert (believed.seconds, believed.shipped) == (0.0, False)
        assert olean.read_bytes() == forged
        (sources / library.SHIPPED).write_text(json.dumps({**genuine, "options": library.OPTIONS}))
        again = ensure_built(lean, sources=sources, cache=cache)
        assert again.seconds > 0
        assert again.shipped
        assert olean.read_bytes() == good
        for change in ({"sources_sha256": "0"}, {"lean_sha256": "0"}, {"options": []}, {"oleans": {}}):
            other = {**genuine, "options": library.OPTIONS, **change}
            (sources / library.SHIPPED).write_text(json.dumps(other))
            assert not ensure_built(lean, sources=sources, cache=cache).shipped

    def test_a_build_with_other_digests_than_shipped_serves_its_own_process(
        self, lean: LeanInstall, sources: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        manifest = ensure_built(lean, sources=sources, cache=cache).olean_directory.parent / "build.json"
        genuine = json.loads(manifest.read_text())
        wrong = {**genuine["oleans"], ROOT: "0" * 64}
        (sources / library.SHIPPED).write_text(
            json.dumps({**genuine, "oleans": wrong, "options": library.OPTIONS})
        )
        assert ensure_built(lean, sources=sources, cache=cache).seconds == 0
        monkeypatch.setattr(library, "_built_here", set())
        again = ensure_built(lean, sources=sources, cache=cache)
        assert again.seconds > 0
        assert not again.shipped
        assert ensure_built(lean, sources=sources, cache=cache).seconds == 0

    @pytest.fixture
    def parts(self, sources: Path) -> tuple[str, str]:
        """Two parts besides the root, both of which need one more module."""
        (sources / ROOT / "Evaluated").mkdir()
        write(sources, f"{ROOT}/Shared", f"prelude\nimport {ROOT}.Left\n")
        for part in PARTS:
            write(sources, str(module_path(part, "")), f"prelude\nimport {ROOT}.Shared\n")
        first, second = PARTS
        return first, second

    def test_parts_are_built_when_they_are_asked_for(
        self, parts: tuple[str, str], lean: LeanInstall, sources: Path, cache: Path, compiled: list[str]
    ) -> None:
        root = {ROOT, f"{ROOT}.Left", f"{ROOT}.Right"}
        alone = ensure_built(lean, parts=(), sources=sources, cache=cache)
        assert set(alone.modules) == set(compiled) == root
        compiled.clear()
        ensure_built(lean, parts=parts[:1], sources=sources, cache=cache)
        assert compiled == [f"{ROOT}.Shared", parts[0]]
        compiled.clear()
        ensure_built(lean, parts=parts[1:], sources=sources, cache=cache)
        assert compiled == [parts[1]]
        compiled.clear()
        whole = ensure_built(lean, sources=sources, cache=cache)
        assert compiled == []
        assert set(whole.modules) == {*root, f"{ROOT}.Shared", *parts}
        for module in alone.modules:
            files = [built.olean_directory / module_path(module, ".olean") for built in (alone, whole)]
            assert files[0].read_bytes() == files[1].read_bytes()

    def test_more_than_is_asked_for_serves(
        self, parts: tuple[str, str], lean: LeanInstall, sources: Path, cache: Path
    ) -> None:
        whole = ensure_built(lean, sources=sources, cache=cache)
        for wanted in ((), parts[:1], parts[1:], parts):
            again = ensure_built(lean, parts=wanted, sources=sources, cache=cache)
            assert (again.olean_directory, again.seconds) == (whole.olean_directory, 0.0)

    def test_a_damaged_library_is_not_taken_for_its_parts(
        self, parts: tuple[str, str], lean: LeanInstall, sources: Path, cache: Path, compiled: list[str]
    ) -> None:
        alone = ensure_built(lean, parts=(), sources=sources, cache=cache)
        (alone.olean_directory / ROOT / "Left.olean").write_bytes(b"damaged")
        compiled.clear()
        ensure_built(lean, parts=parts[:1], sources=sources, cache=cache)
        assert len(compiled) == 5

    def test_what_a_killed_build_left_is_removed(self, lean: LeanInstall, sources: Path, cache: Path) -> None:
        built = ensure_built(lean, sources=sources, cache=cache)
        target = built.olean_directory.parent
        leftover = target.with_name(f"{target.name}.building-killed")
        (leftover / "olean").mkdir(parents=True)
        shutil.rmtree(target)
        assert ensure_built(lean, sources=sources, cache=cache).seconds > 0
        assert not leftover.exists()

    def test_what_a_killed_build_of_other_parts_left_is_removed(
        self, parts: tuple[str, str], lean: LeanInstall, sources: Path, cache: Path
    ) -> None:
        alone = ensure_built(lean, parts=(), sources=sources, cache=cache).olean_directory.parent
        leftover = alone.with_name(f"{alone.name}.building-killed")
        leftover.mkdir()
        ensure_built(lean, parts=parts, sources=sources, cache=cache)
        assert not leftover.exists()
        assert alone.is_dir()

    def test_a_build_serves_where_nothing_can_be_written(
        self, lean: LeanInstall, sources: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As on a file system that is mounted read-only, which not even root writes to."""
        built = ensure_built(lean, sources=sources, cache=cache)

        def refused(*_: object, **__: object) -> int:
            raise OSError(errno.EROFS, "Read-only file system")

        monkeypatch.setattr(os, "utime", refused)
        assert ensure_built(lean, sources=sources, cache=cache).olean_directory == built.olean_directory
        write(sources, f"{ROOT}/Right", "prelude\nuniverse v\n")
        monkeypatch.setattr(library.tempfile, "mkdtemp", refused)
        error = refusal(lean, sources, cache)
        assert error.code == "TL0506"
        assert "Read-only file system" in str(error)

    def test_builds_that_nobody_used_for_a_month_are_removed(
        self, lean: LeanInstall, sources: Path, cache: Path
    ) -> None:
        unused = ensure_built(lean, sources=sources, cache=cache).olean_directory.parent
        write(sources, f"{ROOT}/Right", "prelude\nuniverse v\n")
        used = ensure_built(lean, sources=sources, cache=cache).olean_directory.parent
        os.utime(unused, (0, 0))
        os.utime(used, (0, 0))
        ensure_built(lean, sources=sources, cache=cache)
        write(sources, f"{ROOT}/Right", "prelude\nuniverse w\n")
        ensure_built(lean, sources=sources, cache=cache)
        assert used.exists()
        assert not unused.exists()

    def test_several_processes_build_once(self, lean: LeanInstall, sources: Path, cache: Path) -> None:
        program = (
            "import sys; from pathlib import Path\n"
            "from pytest_torchlean.checker import LeanInstall, ensure_built\n"
            "lean = LeanInstall(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4], True)\n"
            "print(ensure_built(lean, sources=Path(sys.argv[5]), cache=Path(sys.argv[6])).seconds)\n"
        )
        arguments = [lean.kind, str(lean.path), lean.version, lean.sha256, str(sources), str(cache)]
        command = [sys.executable, "-c", program, *arguments]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        seconds = [float(process.communicate(timeout=120)[0]) for process in running]
        assert [process.returncode for process in running] == [0, 0, 0, 0]
        assert sum(value > 0 for value in seconds) == 1

    def test_a_wrong_proof_stops_the_build(
        self, lean: LeanInstall, core_sources: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "wrong"
        shutil.copytree(core_sources, folder)
        with (folder / ROOT / "Core.lean").open("a") as stream:
            stream.write("example : False := True.intro\n")
        error = refusal(lean, folder, tmp_path / "cache")
        assert error.code == "TL0505"
        assert f"{ROOT}.Core" in error.message
        assert not list((tmp_path / "cache" / "lean").glob("*/"))

    def test_a_lean_that_writes_nothing_stops_the_build(
        self, sources: Path, cache: Path, tmp_path: Path
    ) -> None:
        script = tmp_path / "silent-lean"
        script.write_text("#!/bin/sh\nexit 0\n")
        script.chmod(0o700)
        silent = LeanInstall("toolchain", script, "4.35.0", "0" * 64, verified=False)
        assert refusal(silent, sources, cache).code == "TL0505"


class TestSources:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("prelude\ntheorem claim : True := sorry\n", id="sorry"),
            pytest.param("prelude\naxiom claim : True\n", id="axiom"),
            pytest.param("prelude\n@[simp] axiom claim : True\n", id="attributed-axiom"),
            pytest.param("prelude\ntheorem claim : True := by native_decide\n", id="compiled-code"),
            pytest.param("prelude\nset_option debug.skipKernelTC true\n", id="no-kernel"),
            pytest.param("prelude\nimport Init\n", id="foreign-import"),
            pytest.param("prelude\nimport PytestTorchLeanish.A\n", id="foreign-import-alike"),
            pytest.param("import PytestTorchLean.Left\n", id="no-prelude"),
            pytest.param(f"prelude\nimport {ROOT}\n", id="cycle"),
            pytest.param(f"prelude\nimport {ROOT}.Missing\n", id="missing"),
        ],
    )
    def test_bad_sources_are_refused(self, sources: Path, text: str) -> None:
        write(sources, f"{ROOT}/Right", text)
        with pytest.raises(CheckerError) as caught:
            read_sources(sources)
        assert caught.value.code == "TL0504"

    @pytest.mark.parametrize("pattern", [_BANNED, _BANNED_IN_AXIOM_MODULE], ids=["elsewhere", "axiom-module"])
    @given(data=st.data())
    @settings(max_examples=300, deadline=None)
    def test_what_a_pattern_finds_has_a_word_that_is_looked_for_first(
        self, data: st.DataObject, pattern: re.Pattern[str]
    ) -> None:
        text = data.draw(st.from_regex(pattern))
        assert any(word in text for word in _WORDS)

    @pytest.mark.parametrize(
        "text",
        [
            "prelude\n\t @[simp,\n inline]\u2003private\x0bprotected\n\n unsafe\taxiom\nclaim : True\n",
            "prelude\r\n\x1caxiom claim : True\r\n",
            "prelude\ntheorem claim : True := (sorry)\n",
            "prelude\nset_option debug.skipKernelTC\ttrue in\n",
        ],
    )
    def test_spacing_hides_nothing(self, sources: Path, text: str) -> None:
        write(sources, f"{ROOT}/Right", text)
        with pytest.raises(CheckerError, match="in line") as caught:
            read_sources(sources)
        assert caught.value.code == "TL0504"

    def test_the_hash_depends_on_names(self, sources: Path) -> None:
        before = read_sources(sources).sha256
        write(sources, ROOT, f"prelude\n-- comment\nimport {ROOT}.Left\nimport {ROOT}.Wrong\n")
        (sources / ROOT / "Right.lean").rename(sources / ROOT / "Wrong.lean")
        write(sources, f"{ROOT}/Left", f"prelude\nimport {ROOT}.Wrong\n")
        assert read_sources(sources).sha256 != before

    def test_found_in_a_checkout(self) -> None:
        assert (source_directory() / f"{ROOT}.lean").is_file()

    def test_found_in_an_installed_package(self, tmp_path: Path) -> None:
        package = Path(sys.modules["pytest_torchlean"].__file__ or "").parent
        installed = tmp_path / "site" / "pytest_torchlean"
        shutil.copytree(package, installed, ignore=shutil.ignore_patterns("__pycache__", "lean"))
        shutil.copytree(source_directory(), installed / "lean")
        program = "from pytest_torchlean.checker.sources import source_directory; print(source_directory())"
        found = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path / "site",
            env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
            capture_output=True,
            text=True,
            check=True,
        )
        assert Path(found.stdout.strip()) == (installed / "lean").resolve()


class TestPrivacy:
    def test_a_folder_open_to_others_is_refused(self, lean: LeanInstall, sources: Path, cache: Path) -> None:
        ensure_built(lean, sources=sources, cache=cache)
        (cache / "lean").chmod(0o755)
        assert refusal(lean, sources, cache).code == "TL0506"

    def test_a_build_open_to_others_is_refused(self, lean: LeanInstall, sources: Path, cache: Path) -> None:
        built = ensure_built(lean, sources=sources, cache=cache)
        built.olean_directory.parent.chmod(0o770)
        assert refusal(lean, sources, cache).code == "TL0506"

    def test_a_link_is_refused(self, lean: LeanInstall, sources: Path, cache: Path, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        cache.mkdir(mode=0o700)
        (cache / "lean").symlink_to(tmp_path / "elsewhere")
        assert refusal(lean, sources, cache).code == "TL0506"

    def test_a_folder_of_someone_else_is_refused(
        self, lean: LeanInstall, sources: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ensure_built(lean, sources=sources, cache=cache)
        other = os.geteuid() + 1
        monkeypatch.setattr(os, "geteuid", lambda: other)
        assert refusal(lean, sources, cache).code == "TL0506"

    def test_a_parent_that_everyone_may_write_is_refused(
        self, lean: LeanInstall, sources: Path, cache: Path
    ) -> None:
        cache.mkdir()
        cache.chmod(0o777)
        assert refusal(lean, sources, cache).code == "TL0506"

    def test_a_place_that_cannot_be_made_is_refused(
        self, lean: LeanInstall, sources: Path, cache: Path
    ) -> None:
        cache.write_text("a file")
        assert refusal(lean, sources, cache).code == "TL0506"

    def test_where_the_cache_is(self) -> None:
        assert cache_root({"TORCHLEAN_CACHE": "/a"}) == Path("/a/pytest-torchlean")
        assert cache_root({"XDG_CACHE_HOME": "/b"}) == Path("/b/pytest-torchlean")
        assert cache_root({"XDG_CACHE_HOME": "relative"}) == Path.home() / ".cache" / "pytest-torchlean"


def test_the_core_builds(core: BuiltLibrary) -> None:
    assert f"{ROOT}.Core.NatEquations" in core.modules
