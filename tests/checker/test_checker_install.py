"""find_lean(): which Lean is taken, and which is refused."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pytest_torchlean.checker import LEAN_VERSION, LeanInstall, find_lean, install
from pytest_torchlean.errors import CheckerError


def script(path: Path, version: str, *, prefix: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "#!/bin/sh\ncase $1 in\n"
        f"--version) echo 'Lean (version {version}, x86_64-unknown-linux-gnu, commit eb6c, Release)';;\n"
        f"--print-prefix) echo '{prefix}';;\nesac\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda name: None)


def code_of(action: object, *arguments: object, **options: object) -> CheckerError:
    with pytest.raises(CheckerError) as caught:
        action(*arguments, **options)  # type: ignore[operator]
    return caught.value


def test_the_wheel_is_pinned_and_verified(lean: LeanInstall) -> None:
    if lean.kind != "wheel":
        pytest.skip("the wheel is not installed")
    assert lean.verified
    assert lean.version == LEAN_VERSION
    assert lean.sha256 == install.WHEEL_SHA256


def test_a_changed_wheel_is_refused_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / install.WHEEL_PACKAGE
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / install.WHEEL_LIBRARY).write_bytes(b"changed")
    monkeypatch.syspath_prepend(str(tmp_path))
    error = code_of(find_lean, environment={})
    assert error.code == "TL0502"
    assert install.WHEEL_SHA256 in error.message


def test_one_changed_byte_is_refused(
    lean: LeanInstall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lean.kind != "wheel":
        pytest.skip("the wheel is not installed")
    data = bytearray(lean.path.read_bytes())
    data[len(data) // 2] ^= 1
    changed = tmp_path / install.WHEEL_LIBRARY
    changed.write_bytes(data)
    monkeypatch.setattr(install, "_wheel_library", lambda: changed)
    assert code_of(find_lean, environment={}).code == "TL0502"


@pytest.mark.usefixtures("no_wheel")
class TestWithoutTheWheel:
    def test_nothing_found(self, tmp_path: Path) -> None:
        error = code_of(find_lean, environment={"PATH": str(tmp_path)})
        assert error.code == "TL0501"
        assert 'pip install "pytest-torchlean[lean]"' in error.fix
        assert "glibc >= 2.35" in error.fix

    def test_on_path(self, tmp_path: Path) -> None:
        script(tmp_path / "lean", LEAN_VERSION)
        found = find_lean(environment={"PATH": str(tmp_path)})
        assert (found.kind, found.path, found.verified) == ("toolchain", tmp_path / "lean", False)

    def test_another_version_on_path(self, tmp_path: Path) -> None:
        script(tmp_path / "lean", "4.34.0")
        error = code_of(find_lean, environment={"PATH": str(tmp_path)})
        assert error.code == "TL0503"
        assert "4.34.0" in error.message


def test_argument_wins_over_variable_and_wheel(tmp_path: Path) -> None:
    ours = script(tmp_path / "ours" / "bin" / "lean", LEAN_VERSION)
    other = script(tmp_path / "other" / "lean", LEAN_VERSION)
    environment = {install.ENVIRONMENT_VARIABLE: str(other)}
    assert find_lean(environment=environment).path == other
    assert find_lean(tmp_path / "ours", environment=environment).path == ours


def test_a_version_managers_proxy_is_resolved(tmp_path: Path) -> None:
    real = script(tmp_path / "toolchain" / "bin" / "lean", LEAN_VERSION)
    proxy = script(tmp_path / "proxy" / "lean", LEAN_VERSION, prefix=str(tmp_path / "toolchain"))
    assert find_lean(proxy).path == real


def test_the_hash_of_a_toolchain_covers_its_libraries(tmp_path: Path) -> None:
    executable = script(tmp_path / "bin" / "lean", LEAN_VERSION)
    library = tmp_path / "lib" / "lean" / "libleanshared.so"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"one")
    before = find_lean(executable).sha256
    library.write_bytes(b"two")
    assert find_lean(executable).sha256 != before


@pytest.mark.parametrize(
    "body", ["exit 1", "exit 0", "echo 'Lean (version 4.35.0'", "echo hello; echo 'Lean (version 4.35.0, x)'"]
)
def test_a_toolchain_that_does_not_say_what_it_is(tmp_path: Path, body: str) -> None:
    path = script(tmp_path / "lean", LEAN_VERSION)
    path.write_text(f"#!/bin/sh\n{body}\n")
    assert code_of(find_lean, path).code == "TL0503"


def test_a_configured_path_that_is_nothing(tmp_path: Path) -> None:
    assert code_of(find_lean, tmp_path / "missing").code == "TL0503"
    assert code_of(find_lean, tmp_path).code == "TL0503"


def test_the_message_tells_who_chose_a_path_that_is_nothing(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert "TORCHLEAN_LEAN" in code_of(find_lean, environment={"TORCHLEAN_LEAN": str(missing)}).message
    assert "TORCHLEAN_LEAN" not in code_of(find_lean, missing).message
