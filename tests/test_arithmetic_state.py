"""A process that flushes subnormals or rounds otherwise than to nearest is refused, whoever changed it."""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gate_project import write_project

from pytest_torchlean import arithmetic, properties
from pytest_torchlean.arithmetic import require_ieee_arithmetic
from pytest_torchlean.cli import main
from pytest_torchlean.errors import RuntimeFailure
from pytest_torchlean.gate import run_spec
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.spec import PropertySpec, load_spec
from pytest_torchlean.verdict import Evidence, Verdict

FLUSH_RESULTS, FLUSH_OPERANDS = 0x8000, 0x0040
TOWARDS = {"down": 1, "up": 2, "zero": 3}

glibc = pytest.mark.skipif(
    platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc",
    reason="the test sets the processor's modes through glibc on x86-64",
)


@contextmanager
def modes(sse: int = 0, x87: int = 0) -> Iterator[None]:
    """The thread's control registers with these bits set, and as before afterwards.

    glibc's fenv_t is the x87 environment, which begins with the control word, and then MXCSR.
    """
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    before, changed = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
    library.fegetenv(before)
    words = bytearray(before.raw)
    words[28:32] = (int.from_bytes(words[28:32], "little") | sse).to_bytes(4, "little")
    words[0:2] = ((int.from_bytes(words[0:2], "little") & ~(0x300 if x87 == 0x200 else 0)) | x87).to_bytes(
        2, "little"
    )
    changed.raw = bytes(words)
    library.fesetenv(changed)
    try:
        yield
    finally:
        library.fesetenv(before)


def refusal(sse: int = 0, x87: int = 0) -> RuntimeFailure:
    with modes(sse, x87):
        try:
            require_ieee_arithmetic()
        except RuntimeFailure as error:
            caught = error
        else:
            raise AssertionError("accepted")
    return caught


def test_an_ordinary_process_is_accepted_by_every_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine, asked = arithmetic._engines, list[str]()

    def noted() -> Iterator[tuple[str, arithmetic.Compute]]:
        for name, compute in genuine():
            asked.append(name)
            yield name, compute

    monkeypatch.setattr(arithmetic, "_engines", noted)
    require_ieee_arithmetic()
    assert asked == ["numpy", "onnxruntime with 1 thread", "onnxruntime with 2 threads"]


@glibc
@pytest.mark.parametrize(
    ("sse", "code", "words"),
    [
        (FLUSH_RESULTS, "TL0710", "a subnormal result becomes zero in float32 arithmetic of numpy"),
        (FLUSH_OPERANDS, "TL0710", "a subnormal operand counts as zero in float32 arithmetic of numpy"),
        (TOWARDS["down"] << 13, "TL0711", "rounded down"),
        (TOWARDS["up"] << 13, "TL0711", "rounded up"),
        (TOWARDS["zero"] << 13, "TL0711", "rounded towards zero"),
    ],
)
def test_every_mode_is_seen(sse: int, code: str, words: str) -> None:
    error = refusal(sse)
    assert error.code == code
    assert words in error.message


@glibc
@pytest.mark.parametrize("x87", [*(toward << 10 for toward in TOWARDS.values()), 0x200])
def test_the_x87_unit_is_seen_too(x87: int) -> None:
    """Rounding modes, and a precision of 53 bits."""
    error = refusal(x87=x87)
    assert error.code == "TL0711"
    assert "x87" in error.message


@glibc
@pytest.mark.parametrize("sse", [FLUSH_RESULTS, FLUSH_OPERANDS, TOWARDS["up"] << 13])
@pytest.mark.parametrize("threads", [1, 2])
def test_onnxruntime_is_asked_itself(sse: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """numpy left out: the sessions inherit the modes of the thread that opens them."""
    engines = list(arithmetic._engines())
    name = f"onnxruntime with {threads} thread"
    monkeypatch.setattr(
        arithmetic, "_engines", lambda: (engine for engine in engines if engine[0].startswith(name))
    )
    assert name in refusal(sse).message


@glibc
def test_doctor_tells(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    absent = ["doctor", "--lean", str(tmp_path / "absent")]
    assert main(absent) == 1
    assert "ok       arithmetic of IEEE-754" in capsys.readouterr().out
    with modes(FLUSH_RESULTS):
        assert main(absent) == 1
    assert "BROKEN   arithmetic: TL0710" in capsys.readouterr().out


LEAK = """
import sys
from pathlib import Path
import numpy as np
import onnxruntime
options = onnxruntime.SessionOptions()
options.add_session_config_entry("session.set_denormal_as_zero", "1")
model = Path("models/tiny.onnx").read_bytes()
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
session.run(None, {"x": np.ones((1, 2), dtype=np.float32)})
from pytest_torchlean.gate import run_spec
from pytest_torchlean.spec import load_spec
for result in run_spec(load_spec(Path("torchlean.yaml").resolve(), Path.cwd()), root=Path.cwd()):
    problem = result.evidence.problem
    print(result.name, result.evidence.verdict, result.outcome, problem.code, problem.message, sep="|")
    print(problem.fix)
"""


def test_a_session_that_leaks_flushing_into_the_process_is_found(tmp_path: Path) -> None:
    spec = write_project(tmp_path, ["agrees"], extra=", on_unknown: warn")
    with spec.open("a") as file:
        file.write(
            "  - {name: proved, model: tiny, check: range, input: {lower: 0, upper: 1}, output: {upper: 9}}\n"
        )
    done = subprocess.run(
        [sys.executable, "-c", LEAK], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    for name, line, fix in zip(("agrees", "proved"), lines[::2], lines[1::2], strict=True):
        assert line.startswith(f"{name}|ERROR|failed|TL0710|before the check: a subnormal")
        assert "set_denormal_as_zero" in fix


@glibc
def test_a_mode_that_changes_during_a_check_voids_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = modes(FLUSH_RESULTS)

    def run_property(context: PropertyContext, prop: PropertySpec) -> Evidence:
        changed.__enter__()
        return Evidence(Verdict.PROVED, claim="c", found="f")

    monkeypatch.setattr(properties, "run_property", run_property)
    try:
        (result,) = run_spec(load_spec(write_project(tmp_path, ["a"]), tmp_path), root=tmp_path)
    finally:
        changed.__exit__(None, None, None)
    assert result.evidence.verdict is Verdict.ERROR
    assert result.evidence.problem is not None
    assert result.evidence.problem.code == "TL0710"
    assert result.evidence.problem.message.startswith("after the check: ")
