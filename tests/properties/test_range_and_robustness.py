"""Range and robustness from model bytes to Lean's word, on models small enough to judge by hand."""

from __future__ import annotations

import hashlib
import itertools
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model, two_layers

from pytest_torchlean.binary32.format import from_hex_all
from pytest_torchlean.bounds.falsify import Target, minimise
from pytest_torchlean.checker import CheckResult, Outcome
from pytest_torchlean.errors import (
    CertificateError,
    CheckerError,
    DataError,
    RuntimeFailure,
    UnsupportedError,
)
from pytest_torchlean.properties import emitted, linear, parts, proving, run_property
from pytest_torchlean.properties.outside import Outside
from pytest_torchlean.spec.model import (
    Bounds,
    OutputBounds,
    RangeProperty,
    RobustnessProperty,
    RuntimeProperty,
)
from pytest_torchlean.verdict import Evidence, Verdict

HALF = Fraction(1, 2)
UNIT_BOX = Bounds(Fraction(0), Fraction(1))


def dense_model(weights: Any, bias: Any, *, relu: bool = False, batch: int | str = 1) -> onnx.ModelProto:
    matrix = np.asarray(weights, dtype=np.float32)
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["z" if relu else "y"], name="dense")]
    if relu:
        nodes.append(helper.make_node("Relu", ["z"], ["y"]))
    return model(
        nodes,
        {"x": [batch, matrix.shape[0]]},
        {"y": [batch, matrix.shape[1]]},
        {"w": matrix, "b": np.asarray(bias, dtype=np.float32)},
    )


def output_range(lower: Fraction | int | None, upper: Fraction | int | None, **more: Any) -> RangeProperty:
    """Claims about exact arithmetic unless told otherwise."""
    bounds = OutputBounds(
        None if lower is None else Fraction(lower), None if upper is None else Fraction(upper)
    )
    return RangeProperty(
        **{"name": "r", "model": "m", "input": UNIT_BOX, "output": bounds, "semantics": "real", **more}
    )


def dataset(folder: Path, inputs: Any, labels: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, inputs=np.asarray(inputs, dtype=np.float32), labels=np.asarray(labels, dtype=np.int64))
    return path


def robustness(path: Path, epsilon: Fraction, **more: Any) -> RobustnessProperty:
    return RobustnessProperty(name="r", model="m", epsilon=epsilon, data=path, **more)


@pytest.mark.usefixtures("library")
class TestRange:
    def test_true_bounds_are_proved_by_the_kernel(self, context_for: Any) -> None:
        evidence = run_property(context_for(two_layers()), output_range(0, 2))
        assert evidence.verdict is Verdict.PROVED
        assert evidence.assurance == "kernel"
        assert evidence.theorem is not None
        assert evidence.theorem.name == "PytestTorchLean.sound"
        assert set(evidence.theorem.axioms) <= {"propext", "Quot.sound"}
        assert evidence.bounds is not None
        lower, upper = (Fraction(evidence.bounds[side][0]) for side in ("lower", "upper"))
        assert Fraction(-1, 10**6) <= lower <= 0
        assert 2 <= upper <= 2 + Fraction(1, 10**6)
        assert evidence.lean is not None
        assert evidence.lean["version"] == "4.35.0"
        assert evidence.trust

    @pytest.mark.parametrize("semantics", ["real", "binary32"])
    def test_bounds_that_intervals_cannot_show_are_proved_by_rows(
        self, context_for: Any, semantics: str
    ) -> None:
        claimed = output_range(Fraction(-1, 100), Fraction(3, 2), semantics=semantics)
        evidence = run_property(context_for(two_layers()), claimed)
        assert evidence.verdict is Verdict.PROVED
        assert evidence.assurance == "kernel"
        assert "intervals alone give" in evidence.found

    def test_bounds_that_rows_cannot_show_are_unknown(
        self, context_for: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A random network whose bound rows do not show, with too many inputs to cut; most have no effect.
        ReLU phases would show it, were there time for a thousand cases."""
        monkeypatch.setattr(linear, "_FEWEST_PHASES", linear.MOST_PHASES + 1)
        generator = np.random.default_rng(3)
        sizes = (3, 20, 20, 1)
        weights = {
            f"w{layer}": generator.normal(size=pair).astype(np.float32)
            for layer, pair in enumerate(itertools.pairwise(sizes))
        }
        nodes = [
            helper.make_node("MatMul", ["x", "w0"], ["a"]),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("MatMul", ["b", "w1"], ["c"]),
            helper.make_node("Relu", ["c"], ["d"]),
            helper.make_node("MatMul", ["d", "w2"], ["y"]),
        ]
        padded = {**weights, "w0": np.concatenate([weights["w0"], np.zeros((14, 20), dtype=np.float32)])}
        context = context_for(model(nodes, {"x": [1, 17]}, {"y": [1, 1]}, padded))
        grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 15)] * 3), axis=-1).reshape(-1, 3)
        hidden = np.maximum(np.maximum(grid @ weights["w0"], 0) @ weights["w1"], 0)
        most = float((hidden @ weights["w2"]).max())
        evidence = run_property(context, output_range(-10_000, Fraction(round(100 * most) + 10, 100)))
        assert evidence.verdict is Verdict.UNKNOWN
        assert "only show" in evidence.found

    def test_building_the_library_does_not_count_against_the_timeout(
        self, context_for: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock, build, late = time.monotonic, proving.ensure_built, [0.0]

        def slow(lean: Any, **others: Any) -> Any:
            late[0] += 1000.0
            return build(lean, **others)

        context = context_for(two_layers())
        monkeypatch.setattr(time, "monotonic", lambda: clock() + late[0])
        monkeypatch.setattr(proving, "ensure_built", slow)
        assert run_property(context, output_range(0, 2)).verdict is Verdict.PROVED
        assert context.seconds_left == 0

    def test_broken_bounds_are_refuted_with_an_input_that_replays(self, context_for: Any) -> None:
        context = context_for(two_layers())
        evidence = run_property(context, output_range(0, Fraction(3, 4)))
        assert evidence.verdict is Verdict.REFUTED
        (witness,) = evidence.witnesses
        point = from_hex_all(witness.input)
        assert abs(float(point[0]) - float(point[1])) > 0.75
        assert from_hex_all(witness.runtime_output)[0] == abs(point[0] - point[1])
        assert "above the upper bound 3/4" in witness.violation

    @pytest.mark.parametrize("semantics", ["real", "binary32"])
    def test_a_bound_that_short_descents_do_not_reach_is_refuted(
        self, context_for: Any, semantics: str
    ) -> None:
        """4-40-40-1, whose least output is below -0.88; short descents end higher."""
        generator = np.random.default_rng(8)
        nodes, weights, here = [], {}, "x"
        for layer, (inputs, outputs) in enumerate(itertools.pairwise((4, 40, 40, 1))):
            scale = np.float32(inputs**-0.5)
            weights[f"w{layer}"] = scale * generator.standard_normal((inputs, outputs)).astype(np.float32)
            weights[f"b{layer}"] = (0.3 * generator.standard_normal(outputs)).astype(np.float32)
            nodes.append(helper.make_node("Gemm", [here, f"w{layer}", f"b{layer}"], [f"z{layer}"]))
            if layer < 2:
                here = f"a{layer}"
                nodes.append(helper.make_node("Relu", [f"z{layer}"], [here]))
        context = context_for(model(nodes, {"x": [1, 4]}, {"z2": [1, 1]}, weights))
        least, ends = Fraction(-17, 20), np.full(4, 1, dtype=np.float32)
        (short,) = minimise(context.program, [Target(-ends, ends, np.ones(1), -float(least))])
        assert short.value > 0.05
        box = Bounds(Fraction(-1), Fraction(1))
        evidence = run_property(context, output_range(least, None, input=box, semantics=semantics))
        assert evidence.verdict is Verdict.REFUTED
        assert from_hex_all(evidence.witnesses[0].runtime_output)[0] < least

    def test_later_efforts_search_on_when_phases_do_not_prove(
        self, context_for: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No short search finds anything: the bound is refuted all the same, by the efforts after them."""
        monkeypatch.setattr(Outside, "quick", lambda _: None)
        evidence = run_property(context_for(two_layers()), output_range(0, Fraction(3, 4)))
        assert evidence.verdict is Verdict.REFUTED
        monkeypatch.setattr(Outside, "thorough", lambda _: None)
        evidence = run_property(context_for(two_layers()), output_range(0, Fraction(3, 4)))
        assert evidence.verdict is Verdict.UNKNOWN

    def test_only_bounds_that_intervals_leave_open_are_searched(
        self, context_for: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        targets: list[Any] = []
        genuine = minimise

        def noted(program: Any, wanted: Any, **more: Any) -> Any:
            targets.extend(wanted)
            return genuine(program, wanted, **more)

        monkeypatch.setattr("pytest_torchlean.properties.outside.minimise", noted)
        # intervals give [0, 2]: the lower bound holds
        evidence = run_property(context_for(two_layers()), output_range(-1, Fraction(3, 4)))
        assert evidence.verdict is Verdict.REFUTED
        (target,) = targets
        assert (target.coefficients[0], target.constant) == (-1.0, 0.75)

    def test_a_touched_bound_is_weak_but_not_strict(self, context_for: Any) -> None:
        context = context_for(dense_model([[1.0], [0.0]], [0.0]))
        assert run_property(context, output_range(0, 1)).verdict is Verdict.PROVED
        evidence = run_property(context, output_range(0, 1, strict=True))
        assert evidence.verdict is Verdict.REFUTED

    def test_a_last_relu_is_bounded_directly(self, context_for: Any) -> None:
        proto = dense_model([[1.0, -1.0], [-2.0, 1.0]], [0.25, -0.5], relu=True)
        assert run_property(context_for(proto), output_range(0, Fraction(5, 4))).verdict is Verdict.PROVED

    def test_bounds_with_large_denominators_keep_their_value(self, context_for: Any) -> None:
        context = context_for(dense_model([[1.0], [1.0]], [0.0]))
        third = Fraction(1, 3)
        assert run_property(context, output_range(-third, 2 + third)).verdict is Verdict.PROVED
        exact = output_range(None, 2 - Fraction(1, 10**7))
        assert run_property(context, exact).verdict is Verdict.REFUTED

    def test_a_value_of_another_shape_stops_even_where_no_output_shows_it(self, context_for: Any) -> None:
        # the graph reads the whole of x in a branch of which the output takes nothing
        nodes = [
            helper.make_node("Slice", ["x", "zero", "count", "axis"], ["part"]),
            helper.make_node("Concat", ["x", "part"], ["both"], axis=1),
            helper.make_node("Slice", ["both", "zero", "one", "axis"], ["y"]),
        ]
        weights = {name: np.array([n]) for name, n in (("zero", 0), ("one", 1), ("axis", 1))}
        protos = [
            model(nodes, {"x": [1, 2]}, {"y": [1, 1]}, {**weights, "count": np.array([n])}) for n in (1, 2)
        ]
        context, other = (context_for(proto) for proto in protos)
        assert run_property(context, output_range(0, 1)).verdict is Verdict.PROVED
        for prop in (output_range(0, 1), RuntimeProperty(name="a", model="m", samples=4)):
            with pytest.raises(RuntimeFailure) as caught:
                run_property(replace(context, graph=other.graph), prop)
            assert caught.value.code == "TL0705"

    def test_a_model_whose_inputs_are_all_stored_is_refused(self, context_for: Any) -> None:
        weights = {"x": np.ones((1, 2), dtype=np.float32)}
        proto = model([helper.make_node("Relu", ["x"], ["y"])], {"x": [1, 2]}, {"y": [1, 2]}, weights)
        with pytest.raises(UnsupportedError) as caught:
            run_property(context_for(proto), output_range(0, 2))
        assert caught.value.code == "TL0203"

    def test_bounds_that_no_pattern_can_state_are_unsupported(self, context_for: Any) -> None:
        with pytest.raises(UnsupportedError) as caught:
            run_property(context_for(two_layers()), output_range(0, Fraction(2**401, 2**400 - 1)))
        assert caught.value.code == "TL0601"

    def test_an_operator_without_certificate_is_named(self, context_for: Any) -> None:
        proto = model(
            [helper.make_node("LpNormalization", ["x"], ["y"])],
            {"x": [1, 2]},
            {"y": [1, 2]},
        )
        with pytest.raises(UnsupportedError, match="LpNormalization") as caught:
            run_property(context_for(proto), output_range(0, 2))
        assert caught.value.code == "TL0204"

    def test_time_that_is_up_ends_unknown(self, context_for: Any) -> None:
        context = replace(context_for(two_layers()), deadline=time.monotonic() - 1)
        evidence = run_property(context, output_range(0, 2))
        assert evidence.verdict is Verdict.UNKNOWN
        assert "time ran out" in evidence.found


@pytest.mark.usefixtures("library")
class TestRobustness:
    """y = (x0, x1): the class is the larger input, so the margin at x is |x0 - x1|."""

    identity = dense_model([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0], batch="N")
    inputs = ((1.0, 0.0), (0.75, 0.5), (0.25, 0.75), (0.5, 0.75))
    labels = (0, 0, 1, 0)

    def run(self, context_for: Any, epsilon: Fraction, **more: Any) -> Evidence:
        context = context_for(self.identity)
        path = dataset(context.root, self.inputs, self.labels)
        return run_property(context, robustness(path, epsilon, **more))

    def test_counts_are_exact_on_both_sides_of_the_margin(self, context_for: Any) -> None:
        # margins 1, 1/4, 1/2 and one misclassified input; a ball of radius e is safe iff 2e < margin
        evidence = self.run(context_for, Fraction(1, 10), at_least=Fraction(3, 4))
        assert evidence.verdict is Verdict.PROVED
        counts = evidence.counts
        assert counts is not None
        assert (counts.proved, counts.refuted, counts.unknown, counts.misclassified) == (3, 0, 0, 1)
        assert evidence.certified == 3
        assert evidence.accuracy == "3/4"

    def test_a_margin_of_exactly_zero_is_not_robust(self, context_for: Any) -> None:
        evidence = self.run(context_for, Fraction(1, 8), at_least=Fraction(3, 4))
        counts = evidence.counts
        assert counts is not None
        assert (counts.proved, counts.refuted) == (2, 1)
        assert evidence.verdict is Verdict.REFUTED
        (witness,) = evidence.witnesses
        assert witness.index == 1
        assert from_hex_all(witness.input).tolist() == [0.625, 0.625]

    def test_rows_prove_what_intervals_do_not_and_are_looked_for_once(
        self, context_for: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Class 0 scores 13/8, class 1 scores |x0 - x1|: at most 1, by rows 3/2, by intervals 2."""
        nodes = [
            helper.make_node("Gemm", ["x", "w1"], ["z"]),
            helper.make_node("Relu", ["z"], ["h"]),
            helper.make_node("Gemm", ["h", "w2", "b"], ["y"]),
        ]
        weights = {
            "w1": np.array([[1, -1], [-1, 1]], dtype=np.float32),
            "w2": np.array([[0, 1], [0, 1]], dtype=np.float32),
            "b": np.array([1.625, 0], dtype=np.float32),
        }
        context = context_for(model(nodes, {"x": [1, 2]}, {"y": [1, 2]}, weights))
        genuine, looked = linear.cases_of, []

        def counted(program: Any, forms: Any, box: Any, **how: Any) -> Any:
            looked.append(box)
            return genuine(program, forms, box, **how)

        monkeypatch.setattr(linear, "cases_of", counted)
        path = dataset(context.root, [[HALF, HALF], [HALF, 0]], [0, 0])
        evidence = run_property(context, robustness(path, HALF, domain=UNIT_BOX))
        assert evidence.verdict is Verdict.PROVED
        assert evidence.counts is not None
        assert evidence.counts.proved == 2
        assert len(looked) == len(set(looked)) == 1

    def test_the_domain_cuts_the_ball(self, context_for: Any) -> None:
        # without a domain the first ball reaches (0.5, 0.5) and is broken; cut to x1 <= 0 it is not
        cut = Bounds((Fraction(-1), Fraction(-1)), (Fraction(1), Fraction(0)))
        evidence = self.run(context_for, HALF, indices=(0,))
        assert evidence.verdict is Verdict.REFUTED
        evidence = self.run(context_for, HALF, indices=(0,), domain=cut)
        assert evidence.verdict is Verdict.PROVED

    def test_accuracy_below_the_demand_refutes(self, context_for: Any) -> None:
        few = {"at_least": HALF, "min_accuracy": Fraction(9, 10)}
        evidence = self.run(context_for, Fraction(1, 100), **few)
        assert evidence.verdict is Verdict.REFUTED
        assert "accuracy" in evidence.found
        assert [witness.index for witness in evidence.witnesses] == [3]

    def test_what_binary64_rounds_away_is_decided_exactly(self, context_for: Any) -> None:
        # y = (x + 2^66 - 2^66, 1/2): exactly (x, 1/2), but (0, 1/2) in binary32 and in binary64
        nodes = [
            helper.make_node("Add", ["x", "c"], ["a"]),
            helper.make_node("Sub", ["a", "c"], ["d"]),
            helper.make_node("Gemm", ["d", "w", "b"], ["y"]),
        ]
        weights = {
            "c": np.array([2.0**66], dtype=np.float32),
            "w": np.array([[1, 0]], dtype=np.float32),
            "b": np.array([0, 0.5], dtype=np.float32),
        }
        context = context_for(model(nodes, {"x": [1, 1]}, {"y": [1, 2]}, weights))
        path = dataset(context.root, [[1.0]], [0])
        evidence = run_property(context, robustness(path, Fraction(1, 10), semantics="real"))
        assert evidence.accuracy == "1"
        assert evidence.verdict is not Verdict.REFUTED
        # class 1 is wrong exactly, and right for both binary32 executions, inside the domain and outside
        below = Bounds(Fraction(0), Fraction(9, 20))
        evidence = run_property(
            context,
            robustness(dataset(context.root, [[1.0]], [1]), Fraction(3, 5), domain=below, semantics="real"),
        )
        assert evidence.accuracy == "0"
        assert evidence.verdict is Verdict.ERROR
        assert evidence.problem is not None
        assert evidence.problem.code == "TL0604"

    def test_a_radius_beyond_binary64_is_no_traceback(self, context_for: Any) -> None:
        evidence = self.run(context_for, Fraction(10) ** 400)
        assert evidence.verdict in (Verdict.REFUTED, Verdict.UNKNOWN)

    def test_an_input_outside_the_domain_is_an_error(self, context_for: Any) -> None:
        domain = Bounds(Fraction(2), Fraction(3))
        with pytest.raises(DataError) as caught:
            self.run(context_for, Fraction(1, 10), domain=domain)
        assert caught.value.code == "TL0409"

    def test_labels_and_indices_outside_are_errors(self, context_for: Any) -> None:
        with pytest.raises(DataError, match="indices"):
            self.run(context_for, Fraction(1, 10), indices=(0, 9))
        context = context_for(self.identity)
        path = dataset(context.root, self.inputs, (0, 0, 1, 7))
        with pytest.raises(DataError) as caught:
            run_property(context, robustness(path, Fraction(1, 10)))
        assert caught.value.code == "TL0408"

    def test_without_lean_nothing_is_proved_and_witnesses_stay(
        self, context_for: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_lean(configured: object) -> object:
            raise CheckerError("TL0501", "no Lean found")

        monkeypatch.setattr(proving, "find_lean", no_lean)
        evidence = self.run(context_for, Fraction(1, 8), at_least=HALF)
        assert evidence.verdict is Verdict.ERROR
        assert evidence.problem is not None
        assert evidence.problem.code == "TL0501"
        assert evidence.counts is not None
        assert (evidence.counts.proved, evidence.counts.refuted, evidence.counts.unknown) == (0, 1, 2)
        assert evidence.theorem is None

    @pytest.mark.parametrize(
        ("outcome", "code"),
        [
            (Outcome.REFUSED, "TL0603"),
            (Outcome.MEMORY, "TL0512"),
            (Outcome.CRASHED, "TL0513"),
            (Outcome.GARBLED, "TL0514"),
            (Outcome.AXIOMS, "TL0515"),
        ],
    )
    def test_any_other_answer_of_lean_is_an_error(
        self, context_for: Any, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, code: str
    ) -> None:
        answer = CheckResult(outcome, "t", (), 0.1, 1.0, "what Lean said")
        monkeypatch.setattr(emitted, "ask_lean", lambda *args, **kwargs: answer)
        evidence = self.run(context_for, Fraction(1, 10), at_least=HALF, assurance="kernel")
        assert evidence.verdict is Verdict.ERROR
        assert evidence.problem is not None
        assert evidence.problem.code == code

    @pytest.mark.parametrize("kind", ["robustness", "range"])
    def test_lean_out_of_time_is_unknown_and_says_how_to_go_on(
        self, context_for: Any, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        answer = CheckResult(Outcome.TIME, "t", (), 0.1, 1.0, "killed")
        monkeypatch.setattr(emitted, "ask_lean", lambda *args, **kwargs: answer)
        if kind == "robustness":
            evidence = self.run(context_for, Fraction(1, 10), at_least=HALF, assurance="kernel")
            assert evidence.counts is not None
            assert evidence.counts.proved == 0
            assert any("TL0511" in line for line in evidence.details)
        else:
            prop = replace(output_range(0, 2), assurance="kernel")
            evidence = run_property(context_for(two_layers()), prop)
            assert "TL0511" in evidence.found
        assert evidence.verdict is Verdict.UNKNOWN
        assert evidence.problem is None
        assert evidence.theorem is None
        assert "raise `timeout`, or allow `assurance: any`" in evidence.next_steps

    def test_a_model_swapped_after_lowering_stops_at_the_guard(self, context_for: Any) -> None:
        context = context_for(self.identity)
        other = dense_model([[0.75, 0.0], [0.0, 0.75]], [0.0, 0.0], batch="N").SerializeToString()
        swapped = replace(context.model, data=other, sha256=hashlib.sha256(other).hexdigest())
        path = dataset(context.root, self.inputs, self.labels)
        evidence = run_property(
            replace(context, model=swapped), robustness(path, Fraction(1, 10), at_least=HALF)
        )
        assert evidence.verdict is Verdict.ERROR
        assert evidence.problem is not None
        assert evidence.problem.code == "TL0610"

    def test_a_text_that_reads_back_differently_is_refused(
        self, context_for: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        genuine = emitted.render
        monkeypatch.setattr(
            emitted, "render", lambda parts: genuine(parts).replace("nat_lit 2, ", "nat_lit 3, ", 1)
        )
        with pytest.raises(CertificateError):
            run_property(context_for(two_layers()), output_range(0, 2))

    def test_theorems_accepted_one_by_one_count(
        self, context_for: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """All together take too long; the first alone is accepted, the second takes too long again."""
        monkeypatch.setattr(parts, "MOST_BOXES_PER_THEOREM", 1)
        genuine, asked = emitted.ask_lean, []

        def slow(text: str, **more: Any) -> CheckResult:
            asked.append(text)
            if len(asked) == 2:
                return genuine(text, **more)
            return CheckResult(Outcome.TIME, "t", (), 0.1, 1.0, "killed")

        monkeypatch.setattr(emitted, "ask_lean", slow)
        kept: list[str] = []
        context = replace(context_for(self.identity), keep=lambda text, axioms: kept.append(text))
        path = dataset(context.root, self.inputs, self.labels)
        evidence = run_property(context, robustness(path, Fraction(1, 10), at_least=Fraction(1, 4)))
        assert len(asked) == 3
        assert kept == asked[1:2]
        assert evidence.counts is not None
        assert (evidence.counts.proved, evidence.counts.unknown) == (1, 2)
        assert evidence.verdict is Verdict.PROVED
        assert any("only some theorems" in line for line in evidence.details)
        asked.clear()
        wanted = run_property(context, robustness(path, Fraction(1, 10), at_least=HALF))
        assert wanted.verdict is Verdict.UNKNOWN
        assert wanted.problem is None
        assert "timeout" in wanted.next_steps
        assert wanted.counts is not None
        assert wanted.counts.proved == 1

    def test_a_refusal_of_one_theorem_is_an_error_whatever_the_others_say(
        self, context_for: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parts, "MOST_BOXES_PER_THEOREM", 1)
        answers = iter([Outcome.MEMORY, Outcome.ACCEPTED, Outcome.REFUSED, Outcome.ACCEPTED])
        monkeypatch.setattr(
            emitted, "ask_lean", lambda *args, **kwargs: CheckResult(next(answers), "t", (), 0.1, 1.0, "")
        )
        evidence = self.run(context_for, Fraction(1, 10), at_least=Fraction(1, 4))
        assert evidence.verdict is Verdict.ERROR
        assert evidence.problem is not None
        assert evidence.problem.code == "TL0603"
        assert evidence.counts is not None
        assert evidence.counts.proved == 0
