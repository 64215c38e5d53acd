"""VNN-LIB files: what they mean, and what is said where they mean nothing."""

from __future__ import annotations

import gzip
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from golden_support import GOLDEN, assert_golden
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlean.error_codes import CODES
from pytest_torchlean.errors import SpecError, TorchleanError
from pytest_torchlean.report.errors import error_text
from pytest_torchlean.spec.vnnlib import Atom, UnsafeSet, load_unsafe_set, read_unsafe_set
from pytest_torchlean.spec.vnnlib import cases as cases_module
from pytest_torchlean.spec.vnnlib import source as source_module

HEAD = (
    "(declare-const X_0 Real)\n(declare-const X_1 Real)\n(declare-const Y_0 Real)\n(declare-const Y_1 Real)\n"
)
BOX = "(assert (>= X_0 0))\n(assert (<= X_0 1))\n(assert (and (<= -1 X_1) (<= X_1 0.5)))\n"


def read(text: str) -> UnsafeSet:
    return read_unsafe_set(text.encode(), "specs/prop.vnnlib")


def refusal(text: str | bytes) -> TorchleanError:
    with pytest.raises(SpecError) as caught:
        read_unsafe_set(text if isinstance(text, bytes) else text.encode(), "specs/prop.vnnlib")
    return caught.value


BROKEN: dict[str, str | bytes] = {
    "empty": "",
    "only-a-comment": "; nothing here\n",
    "not-utf-8": b"(declare-const X_0 \xff)",
    "control-character": HEAD + "(assert \x1b[31m)",
    "never-closed": HEAD + "(assert (<= Y_0 1)\n",
    "closes-nothing": HEAD + "(assert (<= Y_0 1)))\n",
    "word-outside": HEAD + "assert (<= Y_0 1)\n",
    "open-quote": HEAD + '(assert (<= Y_0 "1))\n',
    "unknown-command": HEAD + "(asert (<= Y_0 1))\n",
    "check-sat": HEAD + BOX + "(check-sat)\n",
    "list-as-command": "((declare-const X_0 Real))\n",
    "assert-of-two": HEAD + "(assert (<= Y_0 1) (<= Y_1 1))\n",
    "no-formula": HEAD + "(assert Y_0)\n",
    "negation": HEAD + BOX + "(assert (not (<= Y_0 1)))\n",
    "let": HEAD + BOX + "(assert (let ((a 1)) (<= Y_0 a)))\n",
    "empty-or": HEAD + BOX + "(assert (or))\n",
    "one-sided-comparison": HEAD + "(assert (<= Y_0))\n",
    "unknown-term": HEAD + "(assert (<= (abs Y_0) 1))\n",
    "minus-of-nothing": HEAD + "(assert (<= (-) 1))\n",
    "undeclared": HEAD + BOX + "(assert (<= Y_2 1))\n",
    "declared-twice": HEAD + "(declare-const Y_0 Real)\n",
    "gap": "(declare-const X_0 Real)\n(declare-const X_2 Real)\n(declare-const Y_0 Real)\n",
    "no-output": "(declare-const X_0 Real)\n(assert (<= X_0 1))\n",
    "another-name": "(declare-const input Real)\n",
    "leading-zero-in-name": "(declare-const X_00 Real)\n",
    "another-sort": "(declare-const X_0 Int)\n",
    "function": "(declare-fun X_0 (Real) Real)\n",
    "not-a-number": HEAD + "(assert (<= Y_0 1.2.3))\n",
    "hexadecimal": HEAD + "(assert (<= Y_0 0x10))\n",
    "huge-exponent": HEAD + "(assert (<= Y_0 1e999999999))\n",
    "division-by-zero": HEAD + "(assert (<= Y_0 (/ 1 0)))\n",
    "product-of-variables": HEAD + BOX + "(assert (<= (* Y_0 Y_1) 1))\n",
    "division-by-a-variable": HEAD + BOX + "(assert (<= (/ 1 Y_1) 1))\n",
    "growing-constant": HEAD + "(assert (<= Y_0 (* " + "1e1000 " * 9 + ")))\n",
    "unbounded-input": HEAD + "(assert (>= X_0 0))\n(assert (<= X_0 1))\n(assert (<= X_1 1))\n",
    "unbounded-in-one-case": HEAD + "(assert (and (>= X_0 0) (<= X_0 1) (<= X_1 1)))\n"
    "(assert (or (>= X_1 0) (<= Y_0 0)))\n",
    "empty-box": HEAD + BOX + "(assert (<= X_0 -1))\n",
    "open-point": HEAD + BOX + "(assert (and (<= X_0 0.25) (> X_0 0.25)))\n",
    "contradiction": HEAD + BOX + "(assert (< 1 0))\n",
    "all-cases-empty": HEAD + BOX + "(assert (or (>= X_0 2) (<= X_1 -2)))\n",
    "deep": HEAD + "(assert " + "(and " * 100 + "(<= Y_0 1)" + ")" * 101,
    "many-cases": HEAD + BOX + "(assert (or (<= Y_0 0) (<= Y_1 1)))\n" * 40,
    "nested-cases": HEAD + BOX + "(assert (or (and" + " (or (<= Y_0 0) (<= Y_1 1))" * 40 + ")))",
    "long-line": HEAD + "(assert (and" + " (<= X_0 1)" * 60 + " (<= Z 1) " + "(>= X_0 0)" * 30 + "))",
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_mistake_is_shown_with_its_place_and_fix(name: str) -> None:
    error = refusal(BROKEN[name])
    text = error_text(error)
    assert_golden(f"vnnlib_errors/{name}.txt", text + "\n")
    assert error.code in CODES
    assert error.fix


def test_every_golden_file_belongs_to_a_case() -> None:
    assert {path.stem for path in (GOLDEN / "vnnlib_errors").iterdir()} == set(BROKEN)


def test_every_code_of_the_reader_is_shown_by_an_example() -> None:
    seen = {refusal(data).code for data in BROKEN.values()}
    # TL0329 needs the model, TL0327 is of VNN-LIB 2.0
    wanted = {code for code in CODES if "TL0320" <= code < "TL0329"} - {"TL0327"}
    assert seen - {"TL0308"} == wanted


def test_boxes_and_inequalities_are_exact() -> None:
    found = read(
        HEAD + BOX + "(assert (>= Y_0 3.991125645861615))\n(assert (<= (+ Y_0 (* -2.5e-3 Y_1)) X_0))\n"
    )
    (case,) = found.cases
    assert (found.inputs, found.outputs) == (2, 2)
    assert case.box.lower == (0, -1)
    assert case.box.upper == (1, Fraction(1, 2))
    assert case.atoms == (
        Atom((), ((0, Fraction(-1)),), Fraction(3991125645861615, 10**15), False),
        Atom(((0, Fraction(-1)),), ((0, Fraction(1)), (1, Fraction(-1, 400))), Fraction(0), False),
    )


@pytest.mark.parametrize(
    ("formula", "outputs", "constant", "strict"),
    [
        ("(<= Y_0 Y_1)", (1, -1), 0, False),
        ("(>= Y_0 Y_1)", (-1, 1), 0, False),
        ("(< Y_0 Y_1)", (1, -1), 0, True),
        ("(> Y_0 1)", (-1, 0), 1, True),
        ("(<= (- Y_0) +3)", (-1, 0), -3, False),
        ("(<= (- Y_0 Y_1 1) .5)", (1, -1), Fraction(-3, 2), False),
        ("(<= (* 2 (+ Y_0 Y_1) (/ 1 3)) 1E-2)", (Fraction(2, 3), Fraction(2, 3)), Fraction(-1, 100), False),
        ("(<= (/ (+ Y_0 1) 4 -2) 0)", (Fraction(-1, 8), 0), Fraction(-1, 8), False),
        ("(<= (* 0 Y_0 Y_1) Y_1)", None, None, None),
        ("(<= (+ Y_0 (* 0 Y_1)) (- 2 Y_0))", (2, 0), -2, False),
    ],
)
def test_terms(formula: str, outputs: object, constant: object, strict: object) -> None:
    text = HEAD + BOX + f"(assert {formula})\n"
    if outputs is None:
        assert refusal(text).code == "TL0324"
        return
    ((atom,),) = [case.atoms for case in read(text).cases]
    assert tuple(dict(atom.outputs).get(number, 0) for number in range(2)) == outputs
    assert atom.constant == constant
    assert atom.strict is strict


def test_equality_is_two_inequalities_and_comparisons_chain() -> None:
    (case,) = read(HEAD + "(assert (= X_0 0.1))\n(assert (<= 0 X_1 1))\n(assert (= Y_0 Y_1))\n").cases
    assert case.box.lower == (Fraction(1, 10), 0)
    assert case.box.upper == (Fraction(1, 10), 1)
    assert [dict(atom.outputs) for atom in case.atoms] == [{0: 1, 1: -1}, {0: -1, 1: 1}]


def test_strict_bounds_of_inputs_leave_the_bound_out() -> None:
    (case,) = read(HEAD + BOX + "(assert (and (> X_0 0) (< X_1 0.5) (> (* -1 X_1) -2)))\n").cases
    assert case.box.open_lower == {0}
    assert case.box.open_upper == {1}
    (case,) = read(HEAD + BOX + "(assert (< X_0 2))\n").cases
    assert not case.box.open_upper


def test_disjunctions_multiply_and_contradictions_drop_out() -> None:
    text = HEAD + BOX + (
        "(assert (or (<= X_0 0.25) (and (>= X_0 0.75) (or (<= X_1 0) (>= X_1 0.25)))))\n"
        "(assert (or (<= Y_0 0) (and (<= Y_1 0) (<= X_0 0.5)) (and (<= Y_1 1) (>= X_1 2))))\n"
    )  # fmt: skip
    found = read(text).cases
    boxes = [(case.box.lower, case.box.upper) for case in found]
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    assert boxes == [
        ((0, -1), (quarter, half)),
        ((0, -1), (quarter, half)),
        ((3 * quarter, -1), (1, 0)),
        ((3 * quarter, quarter), (1, half)),
    ]
    assert [dict(case.atoms[0].outputs) for case in found] == [{0: 1}, {1: 1}, {0: 1}, {0: 1}]


def test_cases_without_bounds_of_their_own_share_one_box() -> None:
    found = read(HEAD + BOX + "(assert (or (<= Y_0 0) (<= Y_1 0)))\n").cases
    assert len(found) == 2
    assert found[0].box is found[1].box


def test_an_unsafe_set_without_outputs_is_the_box() -> None:
    (case,) = read(HEAD + BOX + "(assert (<= 0 1))\n").cases
    assert case.atoms == ()


def test_comments_quotes_and_ignored_commands() -> None:
    text = '(set-logic QF_LRA) ; ( "\n(set-info :source |a ; ) b|)\n(set-option :x "(")\n'
    text += HEAD.replace("const X_1 Real", "fun X_1 () Real") + BOX + "(assert (<= Y_0 0)) ; end"
    assert len(read(text).cases) == 1


def test_a_carriage_return_ends_a_comment() -> None:
    text = f"{HEAD}{BOX}; bounds\r(assert (<= Y_0 1))\r; end\r"
    assert read(text) == read(f"{HEAD}{BOX}(assert (<= Y_0 1))")


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    data = b"\xef\xbb\xbf" + (HEAD + BOX + "(assert (<= Y_0 0))").replace("\n", "\r\n").encode()
    assert read_unsafe_set(data, "p").cases


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "-", "+"]),
            st.text("0123456789", min_size=1, max_size=30).map(lambda digits: digits.lstrip("0") or "0"),
            st.text("0123456789", max_size=40),
            st.integers(-300, 300),
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(deadline=None, max_examples=60)
def test_literals_keep_their_exact_value(parts: list[tuple[str, str, str, int]]) -> None:
    values, rows = [], ""
    for sign, whole, fraction, exponent in parts:
        literal = f"{sign}{whole}.{fraction}e{exponent}"
        values.append(Fraction(f"{sign}{whole}{'.' + fraction if fraction else ''}e{exponent}"))
        rows += f"(assert (<= Y_0 {literal}))\n"
    (case,) = read(HEAD + BOX + rows).cases
    assert [-atom.constant for atom in case.atoms] == values


@given(st.text("(){}<>=+-*/;|\"'.XY_019 \n\tandorset", max_size=300))
@settings(deadline=None, max_examples=300)
def test_any_text_is_read_or_refused_with_a_code(text: str) -> None:
    found = None
    try:
        read(HEAD + BOX + text)
    except SpecError as error:
        found = error
    assert found is None or (found.code in CODES and error_text(found))


def test_depth_is_limited_before_python_is(monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD + BOX + "(assert " + "(or " * 60 + "(<= (+ Y_0 1) 0)" + ")" * 61
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(600)
        assert len(read(text).cases) == 1
    finally:
        sys.setrecursionlimit(limit)
    assert refusal(HEAD + "(" * 100_000).code == "TL0326"


def test_size_is_limited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = HEAD + BOX + "(assert (<= Y_0 0))"
    monkeypatch.setattr(source_module, "MAX_WORDS", 20)
    assert refusal(text).code == "TL0326"
    monkeypatch.setattr(source_module, "MAX_BYTES", 20)
    path = tmp_path / "p.vnnlib"
    path.write_text(text)
    with pytest.raises(SpecError, match="more than 20 bytes"):
        load_unsafe_set(path, "p.vnnlib")


def test_boxes_of_many_cases_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases_module, "MAX_COMBINED", 50)
    either = "(assert (or " + " ".join(f"(and (>= X_0 0.{n}) (<= Y_0 {n}))" for n in range(1, 40)) + "))"
    assert refusal(HEAD + BOX + either).code == "TL0326"


def test_packed_files(tmp_path: Path) -> None:
    text = HEAD + BOX + "(assert (<= Y_0 0))"
    plain, packed = tmp_path / "p.vnnlib", tmp_path / "p.vnnlib.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    assert load_unsafe_set(plain, "p") == load_unsafe_set(packed, "p")


@pytest.mark.parametrize(
    "data", [b"", b"no gzip", gzip.compress(b"(assert" * 100)[:-12]], ids=["empty", "text", "cut"]
)
def test_damaged_packed_files(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "p.vnnlib.gz"
    path.write_bytes(data)
    with pytest.raises(SpecError) as caught:
        load_unsafe_set(path, "p.vnnlib.gz")
    assert caught.value.code in ("TL0320", "TL0323")


def test_a_packed_file_is_not_unpacked_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "MAX_BYTES", 1 << 16)
    path = tmp_path / "bomb.vnnlib.gz"
    path.write_bytes(gzip.compress(b" " * (1 << 24)))
    with pytest.raises(SpecError) as caught:
        load_unsafe_set(path, "bomb.vnnlib.gz")
    assert caught.value.code == "TL0320"


def test_missing_files_and_pointers(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        load_unsafe_set(tmp_path / "none.vnnlib", "none.vnnlib")
    pointer = tmp_path / "p.vnnlib"
    pointer.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(SpecError, match="LFS"):
        load_unsafe_set(pointer, "p.vnnlib")
