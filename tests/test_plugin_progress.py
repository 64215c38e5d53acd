"""Heartbeat lines under pytest: on the real standard error, whatever is captured, and never with -q."""

from __future__ import annotations

import pytest
from gate_project import write_project

TICKING = '''
"""Every property is told to be long: a line is due at each tick, and the test ticks, not a thread."""
import sys
import pytest_torchlean.heartbeat as heartbeat
import pytest_torchlean.properties as properties
from pytest_torchlean.verdict import Evidence, Verdict

def run_property(context, prop):
    print("captured by pytest", file=sys.stderr)
    context.observer.phase("Lean", 12, "boxes")
    context.observer.step(5)
    for _ in range(2):
        getattr(context.observer, "tick", lambda: None)()
    return Evidence(Verdict.AGREED, claim="the claim", found="found")

def pytest_configure(config):
    kept = properties.run_property, heartbeat.QUIET_SECONDS
    properties.run_property, heartbeat.QUIET_SECONDS = run_property, 0.0
    def restore():
        properties.run_property, heartbeat.QUIET_SECONDS = kept
    config.add_cleanup(restore)
'''
LINE = "torchlean: torchlean.yaml::tiny::agreed: Lean, * s, 5 of 12 boxes"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    write_project(pytester.path, ["agreed"])
    (pytester.path / "conftest.py").write_text(TICKING)
    return pytester


@pytest.mark.parametrize("capture", ["fd", "sys", "no"])
def test_lines_pass_by_what_is_captured(project: pytest.Pytester, capture: str) -> None:
    result = project.runpytest_subprocess(f"--capture={capture}")
    result.assert_outcomes(passed=1)
    result.stderr.fnmatch_lines([LINE, LINE])
    if capture != "no":
        assert "captured by pytest" not in result.errlines


def test_the_verbose_format_names_the_item_again(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("-v")
    result.assert_outcomes(passed=1)
    result.stderr.fnmatch_lines([LINE])
    result.stdout.fnmatch_lines(["torchlean.yaml::tiny::agreed PASSED*"])


@pytest.mark.parametrize("option", ["-q", "-qq"])
def test_a_quiet_run_has_none(project: pytest.Pytester, option: str) -> None:
    result = project.runpytest_subprocess(option)
    assert result.ret == 0
    assert result.errlines == []


def test_workers_name_themselves(project: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    result = project.runpytest_subprocess("-n1")
    result.assert_outcomes(passed=1)
    result.stderr.fnmatch_lines([LINE.replace("torchlean:", "torchlean gw0:")])


def test_no_descriptor_is_left_open(project: pytest.Pytester) -> None:
    import os

    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    project.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert after <= before
