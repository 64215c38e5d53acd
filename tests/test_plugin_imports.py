"""The plugin costs a repository without specs nothing but a few small modules."""

from __future__ import annotations

import json

import pytest

HEAVY = [
    "numpy",
    "onnx",
    "onnxruntime",
    "yaml",
    "numba",
    "junit_xml",
    "pytest_torchlean.gate",
    "pytest_torchlean.spec",
]


def test_repository_without_specs_imports_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(): pass")
    pytester.makeconftest(
        f"""
        import json, sys
        def pytest_unconfigure():
            print("LOADED " + json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
            ours = sorted(name for name in sys.modules if name.startswith("pytest_torchlean"))
            print("OURS " + json.dumps(ours))
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:xdist", "-s")
    result.assert_outcomes(passed=1)
    lines = {
        line.split(" ", 1)[0]: json.loads(line.split(" ", 1)[1])
        for line in result.outlines
        if line[:6] in ("LOADED", "OURS [")
    }
    assert lines["LOADED"] == []
    assert lines["OURS"] == ["pytest_torchlean", "pytest_torchlean.hookspecs", "pytest_torchlean.plugin"]
