"""VNN-LIB properties from files to Lean's word, on models small enough to judge by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx_models import lowered, model, random_layers, two_layers

from pytest_torchlean.binary32.format import from_hex_all
from pytest_torchlean.binary32.ulp import exact
from pytest_torchlean.bounds.attack import Effort, Wish, attack
from pytest_torchlean.bounds.interval import evaluate, gradient, propagate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.margins import least_rows
from pytest_torchlean.bounds.passes import Passes
from pytest_torchlean.certificate.forms import Forms, form_columns
from pytest_torchlean.certificate.words import integers
from pytest_torchlean.checker import CheckResult
from pytest_torchlean.checker.check import Outcome
from pytest_torchlean.errors import CheckerError, SpecError, UnsupportedError
from pytest_torchlean.gate import run_spec
from pytest_torchlean.properties import emitted, parts, proving, reaching, run_property
from pytest_torchlean.properties.unsafe import in_box, points_of, questions, reached, safe_forms, text
from pytest_torchlean.replay import replay_file
from pytest_torchlean.spec import load_spec
from pytest_torchlean.spec.model import VnnlibProperty
from pytest_torchlean.spec.vnnlib import Atom, Case, InputBox, UnsafeSet, read_unsafe_set
from pytest_torchlean.verdict import Verdict
from pytest_torchlean.witness_files import read_witness_file

HEAD = "(declare-const X_0 Real)\n(declare-const X_1 Real)\n(declare-const Y_0 Real)\n"
UNIT = "(assert (<= 0 X_0 1))\n(assert (<= 0 X_1 1))\n"


def identity() -> onnx.ModelProto:
    """y = x0 + 0 x1."""
    node = helper.make_node("Gemm", ["x", "w"], ["y"])
    return model([node], {"x": [1, 2]}, {"y": [1, 1]}, {"w": np.array([[1], [0]], dtype=np.float32)})


@pytest.fixture
def judged(tmp_path: Path, context_for: Any) -> Any:
    def judge(proto: onnx.ModelProto, assertions: str, **more: Any) -> Any:
        file = tmp_path / "prop.vnnlib"
        file.write_text(HEAD + assertions)
        return run_property(context_for(proto), VnnlibProperty(name="p", model="m", file=file, **more))

    return judge


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("semantics", ["real", "binary32"])
class TestProved:
    def test_by_intervals(self, judged: Any, semantics: str) -> None:
        evidence = judged(two_layers(), UNIT + "(assert (>= Y_0 2.1))\n", semantics=semantics)
        assert evidence.verdict is Verdict.PROVED
        assert evidence.assurance == "kernel"
        assert evidence.theorem.name == "PytestTorchLean.sound"
        assert evidence.details[0].startswith("prop.vnnlib: sha256 ")

    def test_by_backward_rows_and_a_constant_of_many_digits(self, judged: Any, semantics: str) -> None:
        unsafe = "(assert (>= Y_0 1.10000000000000000000000001))\n"
        assert judged(two_layers(), UNIT + unsafe, semantics=semantics).verdict is Verdict.PROVED

    def test_output_disjunctions(self, judged: Any, semantics: str) -> None:
        unsafe = "(assert (or (<= Y_0 -0.25) (and (>= Y_0 1.75) (<= Y_0 1.875)) (>= Y_0 3)))\n"
        evidence = judged(two_layers(), UNIT + unsafe, semantics=semantics)
        assert evidence.verdict is Verdict.PROVED
        assert "3 cases in 1 box are excluded" in evidence.found

    def test_input_disjunctions(self, judged: Any, semantics: str) -> None:
        boxes = "(and (<= X_0 0.1) (<= X_1 0.1)) (and (>= X_0 0.9) (>= X_1 0.9))"
        evidence = judged(
            two_layers(), UNIT + f"(assert (or {boxes}))\n(assert (>= Y_0 0.5))\n", semantics=semantics
        )
        assert evidence.verdict is Verdict.PROVED
        assert "2 cases in 2 boxes are excluded" in evidence.found

    def test_conditions_between_inputs(self, judged: Any, semantics: str) -> None:
        """y = x0 can be 0.9, but not where x0 + 3 x1 <= 0.5: cuts of the box show it."""
        unsafe = "(assert (<= (+ X_0 (* 3 X_1)) 0.5))\n(assert (>= Y_0 0.875))\n"
        evidence = judged(identity(), UNIT + unsafe, semantics=semantics)
        assert evidence.verdict is Verdict.PROVED

    def test_forms_with_inputs(self, judged: Any, semantics: str) -> None:
        unsafe = "(assert (>= (+ Y_0 (* 0.3333 X_0)) 1.4))\n"
        assert judged(identity(), UNIT + unsafe, semantics=semantics).verdict is Verdict.PROVED

    def test_coefficients_of_many_digits(self, judged: Any, semantics: str) -> None:
        unsafe = "(assert (>= (* 1.23456789012345678 Y_0) 2.5))\n"
        assert judged(two_layers(), UNIT + unsafe, semantics=semantics).verdict is not Verdict.ERROR

    def test_lean_out_of_time_is_unknown_with_what_to_raise(
        self, judged: Any, semantics: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer = CheckResult(Outcome.TIME, "t", (), 0.1, 1.0, "killed")
        monkeypatch.setattr(emitted, "ask_lean", lambda *args, **kwargs: answer)
        evidence = judged(identity(), UNIT + "(assert (>= Y_0 2))\n", semantics=semantics, assurance="kernel")
        assert evidence.verdict is Verdict.UNKNOWN
        assert evidence.problem is None
        assert evidence.found.startswith("a certificate was found, but Lean ran out of time")
        assert evidence.next_steps.startswith("raise `timeout`")
        assert evidence.seconds["lean"] >= 0

    def test_the_boundary_belongs_to_a_closed_unsafe_set(self, judged: Any, semantics: str) -> None:
        """y can be exactly 1: unsafe where the file says >=, safe where it says >."""
        box = "(assert (<= 0.5 X_0 1))\n(assert (= X_1 0))\n"
        assert (
            judged(identity(), box + "(assert (>= Y_0 1))\n", semantics=semantics).verdict is Verdict.REFUTED
        )
        assert judged(identity(), box + "(assert (> Y_0 1))\n", semantics="real").verdict is Verdict.PROVED


@pytest.mark.parametrize("semantics", ["real", "binary32"])
class TestRefuted:
    def test_a_witness_is_inside_and_unsafe(self, judged: Any, semantics: str) -> None:
        evidence = judged(two_layers(), UNIT + "(assert (>= Y_0 0.999))\n", semantics=semantics)
        assert evidence.verdict is Verdict.REFUTED
        point = [exact(value) for value in from_hex_all(evidence.witnesses[0].input)]
        assert all(0 <= value <= 1 for value in point)
        assert abs(point[0] - point[1]) >= Fraction(999, 1000)
        assert "the witness lies in the exact box" in evidence.details

    def test_all_inequalities_of_a_case_count(self, judged: Any, semantics: str) -> None:
        unsafe = "(assert (or (<= Y_0 -1) (and (>= Y_0 0.25) (<= Y_0 0.2500001) (>= X_0 0.9))))\n"
        evidence = judged(two_layers(), UNIT + unsafe, semantics=semantics)
        assert evidence.verdict is Verdict.REFUTED
        point = [exact(value) for value in from_hex_all(evidence.witnesses[0].input)]
        assert point[0] >= Fraction(9, 10)
        assert Fraction(1, 4) <= abs(point[0] - point[1]) <= Fraction(2500001, 10**7)

    def test_a_set_without_outputs_is_always_reached(self, judged: Any, semantics: str) -> None:
        assert judged(two_layers(), UNIT, semantics=semantics).verdict is Verdict.REFUTED


def test_an_interval_without_binary32_numbers(judged: Any) -> None:
    """Under binary32 the claim is about the outward hull, and the record says where the witness lies."""
    unsafe = "(assert (= X_0 0.1))\n(assert (= X_1 0))\n(assert (>= Y_0 0.05))\n"
    evidence = judged(identity(), unsafe)
    assert evidence.verdict is Verdict.REFUTED
    assert "outward binary32 hull" in evidence.details[1]
    assert "X_0" in evidence.details[1]
    assert judged(identity(), unsafe, semantics="real").verdict is Verdict.UNKNOWN


def test_a_property_between_both_is_unknown_and_says_how_near_it_came(
    judged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = (Effort(samples=16, descents=4, steps=4),)
    monkeypatch.setattr(reaching, "later_efforts", lambda _: short)
    monkeypatch.setattr(reaching, "cases_of", lambda *_, **__: None)
    monkeypatch.setattr(reaching, "may_be_cut", lambda *_: False)
    evidence = judged(two_layers(), UNIT + "(assert (>= Y_0 1.25))\n")
    assert evidence.verdict is Verdict.UNKNOWN
    assert "misses the unsafe set by 0.25" in evidence.found


def test_a_candidate_that_only_one_execution_calls_unsafe_is_an_error(
    judged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching.Executions, "witness", lambda *_, **__: None)
    monkeypatch.setattr(reaching.Executions, "disagree", lambda *_, **__: True)
    evidence = judged(two_layers(), UNIT + "(assert (>= Y_0 0.5))\n")
    assert evidence.verdict is Verdict.ERROR
    assert evidence.problem.code == "TL0604"


@pytest.mark.parametrize(
    "declared", ["(declare-const X_2 Real)\n(assert (<= 0 X_2 1))\n", "(declare-const Y_1 Real)\n"]
)
def test_a_file_for_another_model_is_refused(judged: Any, declared: str) -> None:
    with pytest.raises(SpecError) as caught:
        judged(two_layers(), declared + UNIT + "(assert (>= Y_0 2))\n")
    assert caught.value.code == "TL0329"


def test_a_model_without_linear_form_is_unsupported(judged: Any) -> None:
    softmax = model([helper.make_node("LogSoftmax", ["x"], ["y"])], {"x": [1, 2]}, {"y": [1, 2]})
    with pytest.raises(UnsupportedError):
        judged(softmax, "(declare-const Y_1 Real)\n" + UNIT + "(assert (>= Y_0 2))\n")


def test_results_repeat(judged: Any) -> None:
    first, second = (judged(two_layers(), UNIT + "(assert (>= Y_0 0.999))\n") for _ in range(2))
    assert first.witnesses == second.witnesses


def spec_in(folder: Path, assertions: str) -> Path:
    (folder / "model.onnx").write_bytes(two_layers().SerializeToString())
    (folder / "prop.vnnlib").write_text(HEAD + assertions)
    path = folder / "torchlean.yaml"
    path.write_text(
        "version: 1\nmodels: {m: {path: model.onnx}}\n"
        "properties:\n  - {name: p, model: m, check: vnnlib, file: prop.vnnlib}\n"
    )
    return path


def test_a_witness_replays_from_its_file(tmp_path: Path) -> None:
    spec = load_spec(spec_in(tmp_path, UNIT + "(assert (>= Y_0 0.999))\n"), tmp_path)
    (result,) = run_spec(spec, root=tmp_path)
    assert result.evidence.verdict is Verdict.REFUTED
    assert result.witness_file is not None
    stored = read_witness_file(tmp_path / result.witness_file, tmp_path)
    assert replay_file(stored, tmp_path).still_breaks
    moved = replace(stored.witnesses[0], input=("0x1p+3", "0x0p+0"))
    assert not replay_file(replace(stored, witnesses=(moved,)), tmp_path).still_breaks
    (tmp_path / "prop.vnnlib").write_text(HEAD + UNIT + "(assert (>= Y_0 1.5))\n")
    assert not replay_file(stored, tmp_path).still_breaks


def test_a_wrong_file_is_an_error_that_shows_the_place(tmp_path: Path) -> None:
    spec = load_spec(spec_in(tmp_path, UNIT + "(assert (>= Y_1 2))\n"), tmp_path)
    (result,) = run_spec(spec, root=tmp_path)
    assert result.evidence.verdict is Verdict.ERROR
    assert result.evidence.problem.code == "TL0323"
    assert "prop.vnnlib:6:13" in result.evidence.found
    assert result.evidence.details == ("    6 | (assert (>= Y_1 2))", "      |             ^^^")


# the exact side


NUMBERS = st.fractions(-3, 3, max_denominator=10**12)
ATOMS = st.builds(
    Atom,
    st.lists(st.tuples(st.just(0), NUMBERS.filter(bool)), max_size=1).map(tuple),
    st.lists(st.tuples(st.just(0), NUMBERS.filter(bool)), min_size=1, max_size=1).map(tuple),
    NUMBERS | st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(10**30, 7), Fraction(1, 3 * 10**30)]),
    st.booleans(),
)
BOX = InputBox((Fraction(-4),), (Fraction(4),))


@given(
    st.lists(st.lists(ATOMS, max_size=3).map(lambda atoms: Case(BOX, tuple(atoms))), min_size=1, max_size=3),
    NUMBERS,
    NUMBERS,
)
@settings(deadline=None, max_examples=200)
def test_forms_that_hold_exclude_every_case(cases: list[Case], x: Fraction, y: Fraction) -> None:
    """Never less than the file says: where all clauses hold, the point is in no case."""
    forms = safe_forms(cases, 1, 1)
    on_inputs = (
        forms.on_inputs if forms.on_inputs is not None else np.zeros((len(forms.constants), 1), dtype=object)
    )
    rows = forms.coefficients[:, 0] * y + on_inputs[:, 0] * x + forms.constants
    signs = [value > 0 or (value == 0 and not forms.strict) for value in rows]
    clauses = [any(signs[k : k + forms.alternatives]) for k in range(0, len(signs), forms.alternatives)]
    assert len(clauses) == len(cases)
    unsafe = UnsafeSet(1, 1, tuple(cases))
    if all(clauses):
        assert reached(unsafe, [x], [y], hull=False) is None


@given(st.lists(ATOMS, min_size=1, max_size=3), NUMBERS, NUMBERS)
@settings(deadline=None, max_examples=200)
def test_forms_lose_almost_nothing(atoms: list[Atom], x: Fraction, y: Fraction) -> None:
    """Where an inequality fails by more than 2^-40 of its constant, its row is positive."""
    forms = safe_forms([Case(BOX, tuple(atoms))], 1, 1)
    for row, atom in enumerate(atoms):
        value = atom.constant + sum(c * x for _, c in atom.inputs) + sum(c * y for _, c in atom.outputs)
        if value > abs(atom.constant) / 2**40:
            on_inputs = forms.on_inputs[row, 0] if forms.on_inputs is not None else 0
            assert forms.coefficients[row, 0] * y + on_inputs * x + forms.constants[row] > 0


@given(st.lists(st.integers(-(2**70), 2**70), min_size=6, max_size=6), st.sampled_from([1, 2**60, 2**100]))
@settings(deadline=None, max_examples=100)
def test_columns_sum_to_the_forms(numbers: list[int], factor: int) -> None:
    table = np.empty((2, 3), dtype=object)
    table.reshape(-1)[:] = [factor * number for number in numbers]
    forms = Forms(table[:, :1], table[:, 2], strict=True, on_inputs=table[:, 1:2])
    columns = form_columns(forms)
    found = integers(columns.patterns)
    summed = np.zeros((2, 3), dtype=object)
    for column, read in enumerate(columns.reads.tolist()):
        summed[:, {0: 0, 1: 1, -1: 2}[read]] += found[:, column]
    if any(numbers):
        pivot = next(index for index in np.ndindex(2, 3) if table[index])
        assert summed[pivot] * table[pivot] > 0
        assert (summed * table[pivot] == table * summed[pivot]).all()
    assert columns.reads[0] == 0


def test_numbers_too_far_apart_are_refused() -> None:
    table = np.array([[1, 2**400]], dtype=object)
    with pytest.raises(UnsupportedError) as caught:
        form_columns(Forms(table, np.zeros(1, dtype=object), strict=True))
    assert caught.value.code == "TL0601"


def test_boxes_of_equal_bounds_are_one_question() -> None:
    data = (
        HEAD + UNIT + "(assert (or (and (<= X_0 0.5) (<= Y_0 0)) (and (<= X_0 0.5) (>= Y_0 2)) (>= Y_0 3)))"
    )
    asked = questions(read_unsafe_set(data.encode(), "p"))
    assert [len(question.cases) for question in asked] == [2, 1]


def test_a_bound_left_out_stays_left_out() -> None:
    box = InputBox((Fraction(0),), (Fraction(1),), frozenset({0}), frozenset({0}))
    found = points_of(box, hull=True)
    assert found is not None
    assert 0 < found.lower[0] < found.upper[0] < 1
    for value, inside in ((0, False), (Fraction(1, 2), True), (1, False), (2, False)):
        assert in_box(box, [Fraction(value)], hull=True) is inside
    tenth = InputBox((Fraction(1, 10),), (Fraction(2, 10),), frozenset(), frozenset({0}))
    assert in_box(tenth, [exact(np.float32(0.2))], hull=True)
    assert not in_box(tenth, [exact(np.float32(0.2))], hull=False)


def test_bounds_beyond_binary32() -> None:
    box = InputBox((Fraction(10**40),), (Fraction(10**41),))
    found = points_of(box, hull=True)
    assert found is not None
    assert np.isfinite(found.lower).all()
    assert points_of(box, hull=False) is None


def test_inequalities_in_words() -> None:
    atom = Atom(((3, Fraction(-1)),), ((0, Fraction(1)), (2, Fraction(-5, 2))), Fraction(-1, 4), True)
    assert text(atom) == "-X_3 + Y_0 - 2.5 Y_2 - 0.25 < 0"


# the search


def pooled() -> onnx.ModelProto:
    rng = np.random.default_rng(0)
    weights = {"w": rng.normal(size=(3, 1, 3, 3)).astype(np.float32)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("MaxPool", ["c"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Relu", ["p"], ["y"]),
    ]
    return model(nodes, {"x": [1, 1, 4, 4]}, ["y"], weights)


@pytest.mark.parametrize("proto", [random_layers(0), pooled()], ids=["dense", "conv"])
def test_passes_are_those_of_the_program(proto: onnx.ModelProto) -> None:
    program = lower_to_program(lowered(proto))
    rng = np.random.default_rng(1)
    points = rng.normal(size=(7, program.inputs))
    passes = Passes(program)
    values = passes.values(points)
    assert np.allclose(values, evaluate(program, points), rtol=1e-12, atol=1e-12)
    cotangents = rng.normal(size=(7, program.outputs.size))
    expected = gradient(program, evaluate(program, points), cotangents)
    assert np.allclose(passes.gradient(values, cotangents), expected, rtol=1e-10, atol=1e-12)


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=20)
def test_candidates_are_binary32_points_of_the_box_with_their_value(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = lower_to_program(lowered(random_layers(seed)))
    lower = rng.normal(size=4).astype(np.float32)
    upper = (lower + rng.random(4)).astype(np.float32)
    wanted = Wish(lower, upper, rng.normal(size=(2, 3)), rng.normal(size=(2, 4)), rng.normal(size=2))
    (found,) = attack(program, [wanted], Effort(samples=16, descents=8, steps=5, rounds=3))
    assert [candidate.value for candidate in found] == sorted(candidate.value for candidate in found)
    for candidate in found:
        assert (lower <= candidate.point).all()
        assert (candidate.point <= upper).all()
        point = candidate.point.astype(np.float64)
        outputs = evaluate(program, point[None])[0, program.outputs]
        rows = wanted.on_outputs @ outputs + wanted.on_inputs @ point + wanted.constants
        assert candidate.value == pytest.approx(rows.max(), rel=1e-9, abs=1e-12)


def test_the_corner_of_an_affine_graph_is_found() -> None:
    weights = np.random.default_rng(2).normal(size=(6, 1)).astype(np.float32)
    proto = model([helper.make_node("Gemm", ["x", "w"], ["y"])], {"x": [1, 6]}, ["y"], {"w": weights})
    program = lower_to_program(lowered(proto))
    box = np.full(6, 1, dtype=np.float32)
    least = float(np.abs(weights.astype(np.float64)).sum())
    wanted = Wish(-box, box, np.ones((1, 1)), None, np.array([least]))
    ((best, *_),) = attack(program, [wanted], Effort(samples=1, descents=1, steps=1))
    assert best.value == pytest.approx(0, abs=1e-12)


def test_a_model_that_is_constant_almost_everywhere_is_woken() -> None:
    """y = max(sum x - 39.5, 0) over 40 inputs in [0, 1]: 0 but for a corner, and with it the slope."""
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]
    weights = {"w": np.ones((40, 1), dtype=np.float32), "b": np.full(1, -39.5, dtype=np.float32)}
    program = lower_to_program(lowered(model(nodes, {"x": [1, 40]}, ["y"], weights)))
    unit = np.ones(40, dtype=np.float32)
    wanted = Wish(0 * unit, unit, -np.ones((1, 1)), None, np.array([0.25]))
    ((best, *_),) = attack(program, [wanted], Effort(samples=8, descents=8, steps=20))
    assert best.value <= 0


def test_random_moves_reach_what_descents_miss() -> None:
    """Two bands of a linear graph that meet in a small corner of the box."""
    proto = model(
        [helper.make_node("Gemm", ["x", "w"], ["y"])],
        {"x": [1, 2]},
        ["y"],
        {"w": np.array([[1000, -1000], [1001, -999]], dtype=np.float32)},
    )
    program = lower_to_program(lowered(proto))
    unit = np.ones(2, dtype=np.float32)
    wanted = Wish(-unit, unit, np.eye(2), None, np.array([0.05, 0.05]))
    (without,) = attack(program, [wanted], Effort(samples=8, descents=4, steps=3, moves=0))
    (moved,) = attack(program, [wanted], Effort(samples=8, descents=4, steps=3, moves=0, rounds=40))
    assert moved[0].value < min(0.1, without[0].value) or without[0].value <= 0


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=20)
def test_least_rows_are_below_every_point(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = lower_to_program(lowered(random_layers(seed)))
    lower = rng.normal(size=(1, 4))
    upper = lower + rng.random((1, 4))
    rows = np.zeros((2, program.size))
    rows[:, program.outputs] = rng.normal(size=(2, 3))
    rows[:, 1:6] = rng.normal(size=(2, 5))
    least = least_rows(program, rows, *propagate(program, lower, upper))[0]
    values = evaluate(program, rng.uniform(lower, upper, size=(50, 4)))
    assert (values @ rows.T >= least - 1e-9).all()


def test_the_record_of_a_vnnlib_property(tmp_path: Path) -> None:
    from pytest_torchlean.outputs import environment_of
    from pytest_torchlean.report.record import record

    spec = load_spec(spec_in(tmp_path, UNIT + "(assert (>= Y_0 0.999))\n"), tmp_path)
    results = run_spec(spec, root=tmp_path)
    plain = json.loads(json.dumps(record(results, environment_of(results))))
    assert plain["results"][0]["check"] == "vnnlib"
    assert plain["results"][0]["verdict"] == "REFUTED"


@pytest.mark.usefixtures("library")
class TestSeveralTheorems:
    """All parts of an unsafe set are needed: none is given up for the others."""

    TWO = "(assert (or (and (>= X_0 0) (<= X_0 0.25)) (and (>= X_0 0.5) (<= X_0 1))))\n"
    UNSAFE = UNIT + TWO + "(assert (>= Y_0 2.1))\n"

    @pytest.fixture(autouse=True)
    def one_box_each(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parts, "MOST_BOXES_PER_THEOREM", 1)

    @pytest.mark.parametrize("level", ["kernel", "evaluated"])
    def test_they_get_all_the_time_together(
        self, judged: Any, monkeypatch: pytest.MonkeyPatch, level: str
    ) -> None:
        given: list[float] = []
        genuine = proving._Asking._answer

        def answer(asking: Any, own: Any, built: Any, seconds: float) -> Any:
            given.append(seconds / asking.context.seconds_left)
            return genuine(asking, own, built, seconds)

        monkeypatch.setattr(proving._Asking, "_answer", answer)
        assert judged(two_layers(), self.UNSAFE, assurance=level).verdict is Verdict.PROVED
        assert given == [pytest.approx(1.0, abs=0.01)]

    def test_out_of_time_is_no_reason_to_begin_again(
        self, judged: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[Any] = []

        def ask(*own: Any) -> CheckResult:
            asked.append(own)
            return CheckResult(Outcome.TIME, "t", (), 1.0, 100.0, "killed")

        monkeypatch.setattr(emitted.EmittedText, "ask", ask)
        evidence = judged(two_layers(), self.UNSAFE, assurance="kernel")
        assert evidence.verdict is Verdict.UNKNOWN
        assert "TL0511" in evidence.found
        assert len(asked) == 1

    @pytest.mark.parametrize(
        ("last", "code"), [(Outcome.TIME, None), (Outcome.REFUSED, "TL0603"), (Outcome.MEMORY, "TL0512")]
    )
    def test_some_of_them_prove_nothing(
        self, judged: Any, monkeypatch: pytest.MonkeyPatch, last: Outcome, code: str | None
    ) -> None:
        answers = iter([Outcome.MEMORY, Outcome.ACCEPTED, last])

        def ask(*_: Any) -> CheckResult:
            return CheckResult(next(answers), "t", (), 1.0, 100.0, "")

        monkeypatch.setattr(emitted.EmittedText, "ask", ask)
        if code is None:
            assert judged(two_layers(), self.UNSAFE, assurance="kernel").verdict is Verdict.UNKNOWN
        else:
            with pytest.raises(CheckerError) as caught:
                judged(two_layers(), self.UNSAFE, assurance="kernel")
            assert caught.value.code == code
        assert next(answers, None) is None
