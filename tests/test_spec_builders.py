"""The decorators' builders give what the same keys in torchlean.yaml give, and refuse the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import pytest_torchlean
from pytest_torchlean import output_range, robustness, runtime_agreement
from pytest_torchlean.errors import SpecError
from pytest_torchlean.spec import Bounds, OutputBounds, PropertySpec, decode_spec

HEAD = "version: 1\nmodels: {m: {path: m}}\nproperties: "


@pytest.mark.parametrize(
    ("built", "written"),
    [
        (runtime_agreement(), "check: runtime"),
        (
            runtime_agreement(
                samples=3, seed=1, input=(0, 1), timeout="2m", on_unknown="warn", memory="1GiB"
            ),
            "check: runtime, samples: 3, seed: 1, input: {lower: 0, upper: 1}, timeout: 2m, on_unknown: warn,"
            " memory: 1GiB",
        ),
        (
            robustness(epsilon="8/255", domain=(0, 1), data="d.npz", at_least="90%", min_accuracy="9/10"),
            "check: robustness, epsilon: 8/255, domain: {lower: 0, upper: 1}, data: d.npz, at_least: 90%,"
            " min_accuracy: 9/10",
        ),
        (
            robustness(epsilon=0.5, data=Path("d.npz"), indices=[3, 1], semantics="real", norm="linf"),
            "check: robustness, epsilon: 1/2, data: d.npz, indices: [3, 1], semantics: real, norm: linf",
        ),
        (
            output_range(input=([0, 1], 2), output=(None, "0x1p3"), strict=True),
            "check: range, input: {lower: [0, 1], upper: 2}, output: {upper: 8}, strict: true",
        ),
        (
            output_range(input={"lower": 0, "upper": 1}, output=(Fraction(-1, 3), None)),
            "check: range, input: {lower: 0, upper: 1}, output: {lower: -1/3}",
        ),
    ],
)
def test_a_builder_gives_what_the_spec_gives(built: PropertySpec, written: str) -> None:
    text = HEAD + "[{name: a, model: m, " + written + "}]"
    base = Path("base")
    found = decode_spec(text.encode(), file="t", base=base, root=base).properties[0]
    relative = {"data": Path("d.npz")} if getattr(found, "data", None) else {}
    assert replace(found, name="", model="", span=None, **relative) == built


def test_a_float_means_exactly_what_it_holds() -> None:
    assert robustness(epsilon=0.1, data="d").epsilon == Fraction(0.1) != Fraction(1, 10)
    assert robustness(epsilon="0.1", data="d").epsilon == Fraction(1, 10)
    assert robustness(epsilon=5e-324, data="d").epsilon == Fraction(5e-324)


def test_bounds_are_exact() -> None:
    built = output_range(input=(0, "1/3"), output=(-1e-3, "1e-3"))
    assert built.input == Bounds(Fraction(0), Fraction(1, 3))
    assert built.output == OutputBounds(Fraction(-1e-3), Fraction(1, 1000))


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (
            lambda: robustness(epsilon="1/0", data="d"),
            "TL0308",
            r"robustness\(\): `epsilon` must be a number",
        ),
        (lambda: robustness(epsilon=float("nan"), data="d"), "TL0308", "NaN is no number"),
        (lambda: robustness(epsilon=float("inf"), data="d"), "TL0308", "infinity is no number"),
        (lambda: robustness(epsilon=True, data="d"), "TL0308", "a boolean is no number"),
        (lambda: robustness(epsilon=-1, data="d"), "TL0309", "0 or more"),
        (lambda: robustness(epsilon=10**5000, data="d"), "TL0308", "not accepted"),
        (lambda: robustness(epsilon=Fraction(1, 10**5000), data="d"), "TL0308", "not accepted"),
        (lambda: robustness(epsilon=1, data="d", at_least=0.9), "TL0307", "must not be a float"),
        (lambda: robustness(epsilon=1, data="d", at_least=90), "TL0308", "did you mean `90%`"),
        (lambda: robustness(epsilon=1, data="d", norm="l2"), "TL0309", "not available"),
        (lambda: robustness(epsilon=1, data="d", indices=[1], limit=2), "TL0317", "exclude each other"),
        (lambda: robustness(epsilon=object(), data="d"), "TL0307", "type object cannot stand here"),
        (lambda: output_range(input=(1, 0), output=(0, 1)), "TL0317", "lies above"),
        (lambda: output_range(input=(0, 1), output=(None, None)), "TL0306", "neither"),
        (lambda: output_range(input=[0, 1], output=(0, 1)), "TL0307", "must be a block"),
        (lambda: output_range(input=(0, 1), output=(0, 1), strict="true"), "TL0307", "in quotes"),
        (lambda: runtime_agreement(samples=0), "TL0309", "from 1 to"),
        (lambda: runtime_agreement(samples=2.0), "TL0308", "must be an integer"),
        (lambda: runtime_agreement(timeout="60"), "TL0308", "did you mean `60s`"),
        (lambda: runtime_agreement(on_unknown="pass"), "TL0309", "is not known"),
    ],
)
def test_wrong_arguments_are_refused_at_once(make: Callable[[], Any], code: str, words: str) -> None:
    with pytest.raises(SpecError, match=words) as caught:
        make()
    assert caught.value.code == code
    assert caught.value.fix
    assert caught.value.span is None


def test_all_wrong_arguments_are_named() -> None:
    with pytest.raises(SpecError, match=r"`epsilon` .*; `at_least` "):
        robustness(epsilon="x", data="d", at_least="y")


def test_the_package_imports_none_of_its_dependencies() -> None:
    code = (
        "import sys, pytest_torchlean; "
        "heavy = ('numpy', 'yaml', 'onnx', 'onnxruntime', 'pytest_torchlean.spec'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_builders_do_not_import_numpy_or_yaml() -> None:
    code = (
        "import sys; from pytest_torchlean import robustness; robustness(epsilon='1/2', data='d'); "
        "print([m for m in ('numpy', 'yaml', 'onnx', 'onnxruntime') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_public_surface_is_what_it_says() -> None:
    for name in pytest_torchlean.__all__:
        assert getattr(pytest_torchlean, name)
    with pytest.raises(AttributeError, match="no attribute 'robustnes'"):
        pytest_torchlean.robustnes  # noqa: B018
