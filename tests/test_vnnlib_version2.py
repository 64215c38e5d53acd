"""VNN-LIB 2.0 files mean what their 1.0 twins mean, or are refused by name."""

from __future__ import annotations

import sys

import pytest

from pytest_torchlean.errors import SpecError, TorchleanError
from pytest_torchlean.report.errors import error_text
from pytest_torchlean.spec.vnnlib import read_unsafe_set

NETWORK = """(vnnlib-version <2.0>)
(declare-network controller
  (declare-input X float32 [1,2])
  (declare-output Y float32 [2])
)
"""
BOX = """(assert (and (>= X[0,0] -0.1) (<= X[0,0] 0.30000000000000000000001)))
(assert (>= X[0,1] 0.0))
(assert (<= X[0,1] 1.0))
"""
OLD = """(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)(declare-const Y_1 Real)
(assert (and (>= X_0 -0.1) (<= X_0 0.30000000000000000000001)))
(assert (<= 0 X_1 1))
"""


def refusal(text: str) -> TorchleanError:
    with pytest.raises(SpecError) as caught:
        read_unsafe_set(text.encode(), "p.vnnlib")
    return caught.value


def test_without_the_package_the_file_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vnnlib", None)
    error = refusal(NETWORK + BOX)
    assert error.code == "TL0327"
    assert "p.vnnlib:1:1" in error_text(error)
    assert "pytest-torchlean[vnnlib]" in error.fix


class TestWithThePackage:
    @pytest.fixture(autouse=True)
    def package(self) -> None:
        pytest.importorskip("vnnlib")

    @pytest.mark.parametrize(
        ("new", "old"),
        [
            ("(<= Y[0] Y[1])", "(<= Y_0 Y_1)"),
            ("(> (+ Y[0] (* -2.5 X[0,1])) 0.1)", "(> (+ Y_0 (* -2.5 X_1)) 0.1)"),
            ("(== (- Y[0] Y[1] 0.5) (- X[0,0]))", "(= (- Y_0 Y_1 0.5) (- X_0))"),
            ("(!= Y[0] 0.1)", "(or (< Y_0 0.1) (> Y_0 0.1))"),
            (
                "(or (and (>= Y[0] 1.0) (< Y[1] 2.0)) (>= Y[1] 3.000000000000000000001))",
                "(or (and (>= Y_0 1.0) (< Y_1 2.0)) (>= Y_1 3.000000000000000000001))",
            ),
        ],
    )
    def test_a_file_means_what_its_older_twin_means(self, new: str, old: str) -> None:
        found = read_unsafe_set(f"{NETWORK}{BOX}(assert {new})\n".encode(), "p.vnnlib")
        assert found == read_unsafe_set(f"{OLD}(assert {old})\n".encode(), "p.vnnlib")

    def test_elements_are_row_major(self) -> None:
        text = NETWORK.replace("[2]", "[2,3]") + BOX + "(assert (<= Y[1,0] Y[0,2]))\n"
        (case,) = read_unsafe_set(text.encode(), "p.vnnlib").cases
        assert dict(case.atoms[0].outputs) == {3: 1, 2: -1}

    @pytest.mark.parametrize(
        "text",
        [
            NETWORK.replace("float32 [2]", "float64 [2]") + BOX,
            NETWORK.replace(")\n)", ")\n  (declare-output Z float32 [1])\n)") + BOX,
            NETWORK
            + NETWORK.split("\n", 1)[1].replace("controller", "g").replace("X", "U").replace("Y", "V")
            + BOX,
        ],
        ids=["float64", "two-outputs", "two-networks"],
    )
    def test_what_is_out_of_reach_is_named(self, text: str) -> None:
        assert refusal(text).code == "TL0327"

    @pytest.mark.parametrize(
        "unsafe", ["(<= Z[0] 1.0)", "(<= Y[7] 1.0)", "(<= Y[0] 1)", "(<= Y[0]", "(let Y[0])"]
    )
    def test_what_the_package_refuses_is_shown_with_its_line(self, unsafe: str) -> None:
        error = refusal(f"{NETWORK}{BOX}(assert {unsafe})\n")
        assert error.code == "TL0321"
        assert "p.vnnlib:9:" in error_text(error)

    def test_products_of_variables_are_refused(self) -> None:
        assert refusal(f"{NETWORK}{BOX}(assert (<= (* Y[0] Y[1]) 1.0))\n").code == "TL0324"

    def test_an_unbounded_input_is_shown_at_its_declaration(self) -> None:
        error = refusal(NETWORK + "(assert (<= Y[0] 1.0))\n")
        assert error.code == "TL0325"
        assert "p.vnnlib:3:" in error_text(error)

    def test_large_tensors_and_depth_are_limited(self) -> None:
        assert refusal(NETWORK.replace("[2]", "[99999,99999]") + BOX).code == "TL0326"
        deep = "(and " * 500 + "(<= Y[0] 1.0)" + ")" * 500
        assert refusal(f"{NETWORK}{BOX}(assert {deep})\n").code == "TL0326"
